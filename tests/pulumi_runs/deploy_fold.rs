//! Every recorded stream, whole, cut, damaged and far too long.

use proptest::prelude::*;
use tapctl::domain::deploy::event::Severity;
use tapctl::domain::deploy::*;

use crate::support::pulumi::{folded, recording, recordings};

#[test]
fn recorded_runs_come_to_what_the_engine_counted() {
    for (name, ending, done, failed, unchanged) in [
        ("up.jsonl", Ending::Succeeded, 9, 0, 0),
        ("noop.jsonl", Ending::Succeeded, 0, 0, 10),
        ("destroy.jsonl", Ending::Succeeded, 9, 0, 0),
        ("refresh.jsonl", Ending::Succeeded, 0, 0, 9),
        ("preview.jsonl", Ending::Succeeded, 0, 0, 10),
        ("bundled-preview.jsonl", Ending::Succeeded, 131, 0, 0),
        ("bundled-up.jsonl", Ending::Succeeded, 131, 0, 0),
        ("bundled-destroy.jsonl", Ending::Succeeded, 131, 0, 0),
    ] {
        let deploy = folded(&recording(name));
        let progress = deploy.progress();
        assert_eq!(deploy.ending(), Some(ending), "{name}");
        assert_eq!((progress.failed, progress.running), (failed, 0), "{name}: {progress:?}");
        let changes = deploy.summary().unwrap().changes.clone();
        let counted: u32 = changes.iter().filter(|(op, _)| op.is_change()).map(|(_, count)| count).sum();
        assert!(progress.done == counted && progress.done.abs_diff(done) <= 1, "{name}: {progress:?} {changes:?}");
        assert!(progress.unchanged.abs_diff(unchanged) <= 1, "{name}: {progress:?}");
        assert_eq!((deploy.lines().garbage, deploy.lines().unknown), (0, 0), "{name}");
    }
}

#[test]
fn the_failing_resource_is_on_top_with_its_message_in_full() {
    let deploy = folded(&recording("fail.jsonl"));
    assert_eq!(deploy.ending(), Some(Ending::Failed));
    let failures = deploy.failures();
    assert_eq!(failures[0].resource.unwrap().name(), "migration-subnet-1-dev");
    assert_eq!(failures[0].text, "operation error: AccessDenied on migration-subnet-1-dev");
    assert_eq!(failures.last().unwrap().text, "update failed");
    let rows = deploy.rows(&Filter { show: Show::Failed, ..Filter::default() });
    let names: Vec<_> = rows.iter().map(|row| (row.resource.name(), row.depth, row.matches)).collect();
    assert_eq!(names, [("tap-dev", 0, false), ("net", 1, false), ("migration-subnet-1-dev", 2, true)]);
    let explained = explain::explain(&deploy, Some(1), "");
    assert_eq!(explained.kind, FailureKind::Resource);
    assert!(explained.sentence.contains("AccessDenied"), "{}", explained.sentence);
}

#[test]
fn an_interrupted_run_says_so_and_its_last_resource_was_waited_for() {
    let bytes = recording("sigint.jsonl");
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let asked = lines.iter().position(|line| line.windows(11).any(|w| w == b"^C received")).unwrap();
    let mut deploy = Deploy::new();
    for line in &lines[..=asked] {
        deploy.fold_line(line);
    }
    assert_eq!((deploy.interrupts(), deploy.ending()), (1, None));
    let finishing: Vec<_> = deploy.under_way().iter().map(|r| r.name().to_owned()).collect();
    assert_eq!(finishing, ["migration-subnet-1-dev"]);
    let termination = Termination::new("run", &deploy);
    assert!(termination.warning().contains("migration-subnet-1-dev (ec2/Subnet)"), "{}", termination.warning());
    for line in &lines[asked + 1..] {
        deploy.fold_line(line);
    }
    assert_eq!(deploy.ending(), Some(Ending::Canceled));
    assert!(deploy.under_way().is_empty() && deploy.unfinished().is_empty());
}

#[test]
fn the_bundled_program_shows_its_records_first_and_its_failure_whole() {
    let plan = Plan::of(&folded(&recording("bundled-preview.jsonl")));
    let records: Vec<_> = plan
        .dangers
        .iter()
        .map(|danger| match danger {
            Danger::WeightedRecord { record, .. } => (record.set_identifier.as_str(), record.new_weight),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(records.len(), 2, "{:?}", plan.dangers);
    assert!(
        records.contains(&("migration-legacy-prod", Some(100))) && records.contains(&("migration-new-prod", Some(0))),
        "{records:?}"
    );
    let stateful = Plan::of(&folded(&recording("bundled-destroy.jsonl")));
    assert!(stateful.touches_weights());
    assert!(stateful.dangers.iter().any(|d| d.to_string().contains("migration-aurora-prod (aws:rds/cluster:Cluster)")));
    let failed = folded(&recording("bundled-up-failed.jsonl"));
    let top = failed.failures()[0];
    assert_eq!(top.resource.unwrap().name(), "migration-alb-prod");
    assert!(top.text.ends_with("TooManyLoadBalancers: The maximum number of load balancers has been reached"));
    let outputs = folded(&recording("bundled-up.jsonl")).outputs().clone();
    assert_eq!(outputs["recordName"], "app.example.com");
}

#[test]
fn outputs_are_there_and_secrets_are_masked() {
    let deploy = folded(&recording("up.jsonl"));
    assert_eq!(deploy.outputs()["pw"], "[secret]");
    assert!(deploy.outputs()["vpcId"].starts_with("migration-vpc-dev-"));
    let text = format!("{deploy:?}");
    assert!(!text.contains("1b47061264138c4ac30d75fd1eb44270"));
}

#[test]
fn the_tree_has_the_stack_on_top_and_children_below_their_parents() {
    for name in ["up.jsonl", "destroy.jsonl"] {
        let deploy = folded(&recording(name));
        let rows = deploy.rows(&Filter::default());
        assert_eq!(rows[0].resource.name(), "tap-dev", "{name}");
        let vpc = rows.iter().position(|row| row.resource.name() == "migration-vpc-dev").unwrap();
        assert_eq!(rows[vpc].depth, 2, "{name}");
        let found = deploy.rows(&Filter { text: "SUBNET-2".into(), show: Show::Changes });
        assert_eq!(found.iter().filter(|row| row.matches).count(), 1, "{name}");
    }
}

#[test]
fn a_plan_lists_its_dangers_first_and_is_the_total_of_the_progress() {
    let destroy = folded(&recording("destroy.jsonl"));
    let plan = Plan::of(&destroy);
    assert!(matches!(&plan.dangers[0], Danger::WeightedRecord { record, .. } if record.set_identifier == "new"));
    let secrets = plan.dangers.iter().filter(|danger| matches!(danger, Danger::Deletes { .. })).count();
    assert_eq!(secrets, 2, "{:?}", plan.dangers);
    let order = RunOrder::destroy("dev", "p1", plan.clone()).unwrap();
    assert_eq!(order.need(), tapctl::domain::confirm::Need::Typed("dev".into()));
    let mut deploy = Deploy::expecting(&plan);
    assert_eq!(deploy.progress(), Progress { total: Some(plan.total()), ..Progress::default() });
    recording("destroy.jsonl").split(|byte| *byte == b'\n').for_each(|line| deploy.fold_line(line));
    assert_eq!(deploy.progress().done, plan.total());
    assert_eq!(deploy.progress().total, Some(plan.total()));
}

#[test]
fn a_preview_and_its_update_in_one_stream_count_once() {
    let mut bytes = recording("up.jsonl");
    let preview = String::from_utf8(bytes.clone()).unwrap().replace(r#""isPreview":false"#, r#""isPreview":true"#);
    let mut both = preview.into_bytes();
    both.append(&mut bytes);
    let deploy = folded(&both);
    assert_eq!((deploy.progress().done, deploy.progress().total), (9, Some(9)));
    assert!(!deploy.summary().unwrap().preview);
}

#[test]
fn two_thousand_resources_are_counted_to_the_last() {
    let deploy = folded(&recording("up-2000-resources.jsonl.gz"));
    let lines = deploy.lines();
    assert_eq!(lines.events + lines.debug, 10_894);
    assert_eq!(deploy.ending(), Some(Ending::Canceled));
    assert_eq!(deploy.progress().done + deploy.progress().failed, 1_627);
    assert_eq!(deploy.rows(&Filter::default()).len(), 1_627);
}

/// What must hold of any fold, whatever was fed.
fn check(deploy: &Deploy) {
    let progress = deploy.progress();
    assert!(deploy.tree().resources().len() <= MAX_RESOURCES);
    assert!(deploy.log().len() <= MAX_LOG_LINES);
    let kept = |severe: bool| -> usize {
        deploy.messages().iter().filter(|m| (m.severity == Severity::Error) == severe).map(|m| m.text.len()).sum()
    };
    assert!(kept(true) <= MAX_ERROR_BYTES && kept(false) <= MAX_OTHER_BYTES);
    if let Some(total) = progress.total {
        assert!(progress.done + progress.running + progress.failed <= total, "{progress:?}");
    }
    assert_eq!(deploy.rows(&Filter::default()).len(), deploy.tree().resources().len());
    let plan = Plan::of(deploy);
    assert_eq!(plan.steps.len() as u32 + plan.hidden, plan.total());
}

#[test]
fn every_recording_can_be_cut_after_any_line() {
    for name in recordings().iter().filter(|name| !name.starts_with("up-2000")) {
        let bytes = recording(name);
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let mut deploy = Deploy::new();
        let mut done = 0;
        for (index, line) in lines.iter().enumerate() {
            deploy.fold_line(line);
            check(&deploy);
            assert!(deploy.progress().done >= done, "{name}:{index}: progress never goes back");
            done = deploy.progress().done;
            let mut cut = deploy.clone();
            cut.process_ended();
            check(&cut);
            assert!(cut.ending().is_some(), "{name}:{index}");
            if deploy.summary().is_none() {
                assert_eq!(cut.ending(), Some(Ending::Broken), "{name}:{index}");
                assert_eq!(cut.unfinished().len(), deploy.under_way().len(), "{name}:{index}");
            }
            assert_eq!(cut.progress().running, 0, "{name}:{index}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_stream_can_be_cut_at_any_byte(which in 0usize..7, at in 0.0f64..1.0) {
        let names: Vec<String> = recordings().into_iter().filter(|name| !name.starts_with("up-2000")).collect();
        let bytes = recording(&names[which % names.len()]);
        let mut deploy = folded(&bytes[..(bytes.len() as f64 * at) as usize]);
        check(&deploy);
        prop_assert!(deploy.lines().garbage <= 1);
        deploy.process_ended();
        check(&deploy);
    }

    #[test]
    fn damaged_bytes_and_shuffled_lines_never_break_the_fold(
        which in 0usize..7,
        damage in proptest::collection::vec((0.0f64..1.0, any::<u8>()), 1..40),
        turn in 0usize..80,
    ) {
        let names: Vec<String> = recordings().into_iter().filter(|name| !name.starts_with("up-2000")).collect();
        let mut bytes = recording(&names[which % names.len()]);
        for (at, byte) in damage {
            let at = (bytes.len() as f64 * at) as usize;
            bytes[at] = byte;
        }
        let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let turn = turn % lines.len();
        lines.rotate_left(turn);
        let mut deploy = Deploy::new();
        for line in lines {
            deploy.fold_line(line);
        }
        check(&deploy);
        deploy.process_ended();
        check(&deploy);
    }
}

#[test]
fn a_hundred_thousand_events_stay_within_the_bounds() {
    let mut deploy = Deploy::new();
    let long = "x".repeat(3_000);
    for index in 0..20_000 {
        let urn = format!("urn:pulumi:prod::tap::aws:ec2/subnet:Subnet::subnet-{index}");
        let state = format!(
            r#"{{"type":"t","urn":"{urn}","custom":true,"id":"","parent":"urn:pulumi:prod::tap::t::{index}"}}"#
        );
        let step = |kind: &str, at: usize| {
            format!(
                r#"{{"timestamp":{at},"{kind}":{{"metadata":{{"op":"create","urn":"{urn}","type":"aws:ec2/subnet:Subnet","old":null,"new":{state}}}}}}}"#
            )
        };
        let message = |severity: &str| {
            format!(
                r#"{{"timestamp":{index},"diagnosticEvent":{{"urn":"{urn}","message":"{long}","severity":"{severity}"}}}}"#
            )
        };
        let (begins, done) = (step("resourcePreEvent", index), step("resOutputsEvent", index));
        for line in [begins, message("warning"), message("error"), message("debug"), done] {
            deploy.fold_line(line.as_bytes());
        }
    }
    check(&deploy);
    assert_eq!(deploy.lines().events + deploy.lines().debug, 100_000);
    assert_eq!(deploy.tree().resources().len(), MAX_RESOURCES);
    assert_eq!(deploy.hidden_resources() as usize, 20_000 - MAX_RESOURCES);
    assert_eq!(deploy.progress().done, 20_000, "what is not kept is counted all the same");
    assert!(deploy.dropped_messages() > 0);
    assert_eq!(deploy.log().len(), MAX_LOG_LINES);
}
