//! Every recorded stream, whole, cut, damaged and far too long.

use proptest::prelude::*;
use tapctl::domain::pulumi::event::Severity;
use tapctl::domain::pulumi::*;

use crate::support::pulumi::{folded, recording, recordings};

#[test]
fn recorded_runs_come_to_what_the_engine_counted() {
    for (name, ending, done, failed, unchanged) in [
        ("up.jsonl", RunOutcome::Succeeded, 9, 0, 0),
        ("noop.jsonl", RunOutcome::Succeeded, 0, 0, 10),
        ("destroy.jsonl", RunOutcome::Succeeded, 9, 0, 0),
        ("refresh.jsonl", RunOutcome::Succeeded, 0, 0, 9),
        ("preview.jsonl", RunOutcome::Succeeded, 0, 0, 10),
        ("bundled-preview.jsonl", RunOutcome::Succeeded, 133, 0, 0),
        ("bundled-up.jsonl", RunOutcome::Succeeded, 133, 0, 0),
        ("bundled-destroy.jsonl", RunOutcome::Succeeded, 133, 0, 0),
    ] {
        let run_state = folded(&recording(name));
        let progress = run_state.progress();
        assert_eq!(run_state.ending(), Some(ending), "{name}");
        assert_eq!((progress.failed, progress.running), (failed, 0), "{name}: {progress:?}");
        let changes = run_state.summary().unwrap().changes.clone();
        let counted: u32 = changes.iter().filter(|(op, _)| op.is_change()).map(|(_, count)| count).sum();
        assert!(progress.done == counted && progress.done.abs_diff(done) <= 1, "{name}: {progress:?} {changes:?}");
        assert!(progress.unchanged.abs_diff(unchanged) <= 1, "{name}: {progress:?}");
        assert_eq!((run_state.lines().garbage, run_state.lines().unknown), (0, 0), "{name}");
    }
}

#[test]
fn the_failing_resource_is_on_top_with_its_message_in_full() {
    let run_state = folded(&recording("fail.jsonl"));
    assert_eq!(run_state.ending(), Some(RunOutcome::Failed));
    let failures = run_state.failures();
    assert_eq!(failures[0].resource.unwrap().name(), "migration-subnet-1-dev");
    assert_eq!(failures[0].text, "operation error: AccessDenied on migration-subnet-1-dev");
    assert_eq!(failures.last().unwrap().text, "update failed");
    let rows = run_state.rows(&Filter { show: Show::Failed, ..Filter::default() });
    let names: Vec<_> = rows.iter().map(|row| (row.resource.name(), row.depth, row.matches)).collect();
    assert_eq!(names, [("tap-dev", 0, false), ("net", 1, false), ("migration-subnet-1-dev", 2, true)]);
    let explained = explain::explain(&run_state, Some(1), "");
    assert_eq!(explained.kind, FailureKind::Resource);
    assert!(explained.sentence.contains("AccessDenied"), "{}", explained.sentence);
}

#[test]
fn an_interrupted_run_says_so_and_its_last_resource_was_waited_for() {
    let bytes = recording("sigint.jsonl");
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let asked = lines.iter().position(|line| line.windows(11).any(|w| w == b"^C received")).unwrap();
    let mut run_state = RunState::new();
    for line in &lines[..=asked] {
        run_state.fold_line(line);
    }
    assert_eq!((run_state.interrupts(), run_state.ending()), (1, None));
    let finishing: Vec<_> = run_state.under_way().iter().map(|r| r.name().to_owned()).collect();
    assert_eq!(finishing, ["migration-subnet-1-dev"]);
    let termination = ForceStop::new("run", &run_state, AskedBefore::Proved);
    assert!(termination.warning().contains("migration-subnet-1-dev (ec2/Subnet)"), "{}", termination.warning());
    for line in &lines[asked + 1..] {
        run_state.fold_line(line);
    }
    assert_eq!(run_state.ending(), Some(RunOutcome::Canceled));
    assert!(run_state.under_way().is_empty() && run_state.unfinished().is_empty());
}

#[test]
fn the_bundled_program_shows_its_records_first_and_its_failure_whole() {
    // Beside a name whose answer is not known, they are dangerous.
    let plan = Plan::of(&folded(&recording("bundled-preview.jsonl"))).loud();
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
    let run_state = folded(&recording("up.jsonl"));
    assert_eq!(run_state.outputs()["pw"], "[secret]");
    assert!(run_state.outputs()["vpcId"].starts_with("migration-vpc-dev-"));
    let text = format!("{run_state:?}");
    assert!(!text.contains("1b47061264138c4ac30d75fd1eb44270"));
}

#[test]
fn the_tree_has_the_stack_on_top_and_children_below_their_parents() {
    for name in ["up.jsonl", "destroy.jsonl"] {
        let run_state = folded(&recording(name));
        let rows = run_state.rows(&Filter::default());
        assert_eq!(rows[0].resource.name(), "tap-dev", "{name}");
        let vpc = rows.iter().position(|row| row.resource.name() == "migration-vpc-dev").unwrap();
        assert_eq!(rows[vpc].depth, 2, "{name}");
        let found = run_state.rows(&Filter { text: "SUBNET-2".into(), show: Show::Changes });
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
    let run_request = RunRequest::destroy("dev", "p1", plan.clone()).unwrap();
    assert_eq!(run_request.challenge(), tapctl::domain::confirm::Challenge::Typed("dev".into()));
    let mut run_state = RunState::expecting(&plan);
    assert_eq!(run_state.progress(), Progress { total: Some(plan.total()), ..Progress::default() });
    recording("destroy.jsonl").split(|byte| *byte == b'\n').for_each(|line| run_state.fold_line(line));
    assert_eq!(run_state.progress().done, plan.total());
    assert_eq!(run_state.progress().total, Some(plan.total()));
}

#[test]
fn a_preview_and_its_update_in_one_stream_count_once() {
    let mut bytes = recording("up.jsonl");
    let preview = String::from_utf8(bytes.clone()).unwrap().replace(r#""isPreview":false"#, r#""isPreview":true"#);
    let mut both = preview.into_bytes();
    both.append(&mut bytes);
    let run_state = folded(&both);
    assert_eq!((run_state.progress().done, run_state.progress().total), (9, Some(9)));
    assert!(!run_state.summary().unwrap().preview);
}

#[test]
fn two_thousand_resources_are_counted_to_the_last() {
    let run_state = folded(&recording("up-2000-resources.jsonl.gz"));
    let lines = run_state.lines();
    assert_eq!(lines.events + lines.debug, 10_894);
    assert_eq!(run_state.ending(), Some(RunOutcome::Canceled));
    assert_eq!(run_state.progress().done + run_state.progress().failed, 1_627);
    assert_eq!(run_state.rows(&Filter::default()).len(), 1_627);
}

/// What must hold of any fold, whatever was fed.
fn check(run_state: &RunState) {
    let progress = run_state.progress();
    assert!(run_state.tree().resources().len() <= MAX_RESOURCES);
    assert!(run_state.log().len() <= MAX_LOG_LINES);
    let kept = |severe: bool| -> usize {
        run_state.messages().iter().filter(|m| (m.severity == Severity::Error) == severe).map(|m| m.text.len()).sum()
    };
    assert!(kept(true) <= MAX_ERROR_BYTES && kept(false) <= MAX_OTHER_BYTES);
    if let Some(total) = progress.total {
        assert!(progress.done + progress.running + progress.failed <= total, "{progress:?}");
    }
    assert_eq!(run_state.rows(&Filter::default()).len(), run_state.tree().resources().len());
    let plan = Plan::of(run_state);
    assert_eq!(plan.steps.len() as u32 + plan.hidden, plan.total());
}

#[test]
fn every_recording_can_be_cut_after_any_line() {
    for name in recordings().iter().filter(|name| !name.starts_with("up-2000")) {
        let bytes = recording(name);
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let mut run_state = RunState::new();
        let mut done = 0;
        for (index, line) in lines.iter().enumerate() {
            run_state.fold_line(line);
            check(&run_state);
            assert!(run_state.progress().done >= done, "{name}:{index}: progress never goes back");
            done = run_state.progress().done;
            let mut cut = run_state.clone();
            cut.process_ended();
            check(&cut);
            assert!(cut.ending().is_some(), "{name}:{index}");
            if run_state.summary().is_none() {
                assert_eq!(cut.ending(), Some(RunOutcome::Broken), "{name}:{index}");
                assert_eq!(cut.unfinished().len(), run_state.under_way().len(), "{name}:{index}");
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
        let mut run_state = folded(&bytes[..(bytes.len() as f64 * at) as usize]);
        check(&run_state);
        prop_assert!(run_state.lines().garbage <= 1);
        run_state.process_ended();
        check(&run_state);
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
        let mut run_state = RunState::new();
        for line in lines {
            run_state.fold_line(line);
        }
        check(&run_state);
        run_state.process_ended();
        check(&run_state);
    }
}

#[test]
fn a_hundred_thousand_events_stay_within_the_bounds() {
    let mut run_state = RunState::new();
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
            run_state.fold_line(line.as_bytes());
        }
    }
    check(&run_state);
    assert_eq!(run_state.lines().events + run_state.lines().debug, 100_000);
    assert_eq!(run_state.tree().resources().len(), MAX_RESOURCES);
    assert_eq!(run_state.hidden_resources() as usize, 20_000 - MAX_RESOURCES);
    assert_eq!(run_state.progress().done, 20_000, "what is not kept is counted all the same");
    assert!(run_state.dropped_messages() > 0);
    assert_eq!(run_state.log().len(), MAX_LOG_LINES);
}
