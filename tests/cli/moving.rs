//! Commands that change weights.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::drill::{Drill, Ran};
use crate::support::way::{Fate, LIST, Way, advance};
use crate::support::wire::{Hold, Wire};

#[test]
fn a_step_is_gated_sent_once_and_written_down() {
    let drill = Drill::steady();
    let step = drill.run("shift --step +10 --yes --json").ended(0).json();
    assert_eq!(step["result"], "accepted");
    assert_eq!(step["to"], json!({"legacy": 90, "new": 10}));
    assert_eq!(step["change"]["status"], "PENDING");
    assert!(step["call"].as_str().unwrap().contains(
        "DELETE A migration-legacy-prod=100, DELETE A migration-new-prod=0, \
                 CREATE A migration-legacy-prod=90, CREATE A migration-new-prod=10"
    ));
    assert_eq!(drill.weights(), (90, 10));
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 1);
    assert_eq!(drill.events(), ["seen", "intent", "outcome"]);

    let again = drill.run("shift --to 20 --yes --json").ended(3);
    let error = &again.json()["error"];
    assert_eq!(error["code"], "gate");
    let blocked: Vec<_> = error["gates"].as_array().unwrap().iter().map(|gate| gate["id"].as_str().unwrap()).collect();
    assert!(blocked.contains(&"dns-settled") && blocked.contains(&"bake"), "{blocked:?}");
    assert!(again.stderr.contains("fail bake: "), "{}", again.stderr);
    assert_eq!(drill.weights(), (90, 10));
}

#[test]
fn a_dry_run_says_what_it_would_do_and_sends_nothing() {
    let drill = Drill::steady();
    let ran = drill.run("shift --to 10 --dry-run --json").ended(0);
    assert_eq!(ran.json()["result"], "dry_run");
    assert!(
        ran.stderr.contains("route53:ChangeResourceRecordSets app.example.com.: DELETE A migration-legacy-prod=100"),
        "{}",
        ran.stderr
    );
    drill.run("rollback --dry-run").ended(0);
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 0);
}

#[test]
fn being_there_already_is_done() {
    let drill = Drill::steady();
    let ran = drill.run("shift --to 0 --yes --json").ended(0);
    assert_eq!(ran.json()["result"], "nothing_to_do");
    assert!(ran.stderr.contains("nothing to change"), "{}", ran.stderr);
    drill.run("rollback --yes").ended(0);
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 0);
}

#[test]
fn a_gate_is_overridden_by_name_and_the_reason_is_kept() {
    let drill = Drill::steady();
    drill.run("shift --to 10 --yes").ended(0);
    drill.advance(60);
    let blocked = drill.run("shift --to 20 --yes --json").ended(3).json();
    let names: Vec<_> = blocked["error"]["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| gate["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.contains(&"bake".to_owned()), "{names:?}");
    let mut line = "shift --to 20 --yes --json".to_owned();
    for name in &names {
        line = line + " --override " + name + " --reason drill";
    }
    let step = drill.run(&line).ended(0).json();
    assert_eq!(step["overrides"].as_array().unwrap().len(), names.len());
    assert_eq!(drill.weights(), (80, 20));
    assert!(drill.run("journal").stdout.contains("bake (drill)"));
    drill.run("shift --to 30 --yes --override nonsense --reason x").ended(2);
    drill.run("shift --to 30 --yes --override bake").ended(2);
}

#[test]
fn after_bake_the_next_step_goes_and_rollback_always_does() {
    let drill = Drill::steady();
    drill.run("shift --to 10 --yes").ended(0);
    drill.advance(45);
    let status = drill.run("status --json").ended(0).json();
    assert_eq!(status["traffic"]["change"]["status"], "INSYNC");
    drill.advance(600);
    drill.run("shift --to 20 --yes").ended(0);
    assert_eq!(drill.weights(), (80, 20));
    drill.advance(45);
    drill.fault(&json!({"service": "cloudwatch", "drop": true}));
    drill.fault(&json!({"service": "dms", "code": "AccessDenied"}));
    let back = drill.run("rollback --yes --json").ended(0).json();
    assert_eq!((&back["direction"], &back["gates"]), (&Value::from("back"), &json!([])));
    assert_eq!(drill.weights(), (100, 0));
}

#[test]
fn waiting_follows_to_insync_and_reads_back() {
    let drill = Drill::start(&["--speed", "10"]);
    let mut shift = drill
        .command("a", &["shift", "--to", "10", "--yes", "--wait", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut words = BufReader::new(shift.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(" PENDING") || line.contains("accepted") {
        line.clear();
        assert!(words.read_line(&mut line).unwrap() > 0, "it ended before it was seen PENDING");
    }
    drill.advance(60);
    let mut rest = String::new();
    words.read_to_string(&mut rest).unwrap();
    let mut stdout = String::new();
    shift.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(shift.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("read back as confirmed: 90/10"), "{rest}");
    let step: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&step["result"], &step["verified"]), (&Value::from("insync"), &Value::from(true)));
    assert_eq!(drill.events(), ["seen", "intent", "outcome", "insync"]);
}

/// The first one has begun and its reading of the records is on its way while the second one does all its work: so it is
/// certain that both run at once, however busy the machine is.
#[test]
fn of_two_shifts_at_the_same_moment_exactly_one_wins() {
    for (first, second) in [("10", "5"), ("5", "10"), ("10", "10")] {
        let drill = Drill::steady();
        let start = |share: &str, endpoint: &str| {
            let mut command = drill.command("a", &["shift", "--to", share, "--yes", "--json"]);
            command.env("TAPCTL_ENDPOINT_URL", endpoint);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let wire = Wire::to(&drill.endpoint);
        wire.hold("/rrset", Hold::Answer);
        let slow = start(first, &wire.endpoint);
        wire.until_held();
        let winner = Ran::of(start(second, &drill.endpoint).wait_with_output().unwrap()).ended(0).json();
        wire.let_go();
        let loser = Ran::of(slow.wait_with_output().unwrap()).ended(4).json();
        assert_eq!(loser["error"]["code"], "conflict");
        let (legacy, new) = drill.weights();
        assert_eq!(winner["to"], json!({"legacy": legacy, "new": new}));
        let accepted = drill.state()["traffic"]["changes"].as_array().unwrap().len();
        assert_eq!(accepted, 1, "one change was made");
    }
}

#[test]
fn a_change_of_a_clock_that_was_ahead_is_nobody_who_was_faster() {
    let drill = Drill::steady();
    let weights = |new: u8| json!({"legacy": 100 - new, "new": new});
    let line = |id: &str, event: Value| {
        let mut line = json!({"at": "2036-01-01T00:00:00Z", "operator": "me", "host": "here", "id": id});
        line.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        line
    };
    let step = |id: &str, from: u8, to: u8, direction: &str| {
        let intent = json!({"event": "intent", "record": "app.example.com.", "from": weights(from), "to": weights(to),
                            "direction": direction});
        let outcome = json!({"event": "outcome", "result": "accepted", "weights": weights(to), "detail": "",
                             "change": format!("/change/{id}")});
        [line(id, intent), line(id, outcome)]
    };
    drill.write_journal(&[step("there", 0, 10, "forward"), step("back", 10, 0, "back")].concat());
    for command in ["shift --step +10 --dry-run --json", "release --to legacy --dry-run --json"] {
        let ran = drill.run(command);
        assert_ne!(ran.code, 4, "{command}: {}", ran.stderr);
        assert!(!ran.stderr.contains("sent a change at"), "{command}: {}", ran.stderr);
    }
}

fn open_intent(to: u8) -> Vec<Value> {
    let at = "2026-11-22T12:00:00Z";
    let weights = |new: u8| json!({"legacy": 100 - new, "new": new});
    vec![
        json!({"at": at, "operator": "me", "host": "here", "event": "seen", "weights": weights(0)}),
        json!({"at": at, "operator": "me", "host": "here", "event": "intent", "id": "x", "record": "app.example.com.",
               "from": weights(0), "to": weights(to), "direction": "forward"}),
    ]
}

#[test]
fn a_change_that_was_left_open_is_settled_at_the_next_start() {
    for (to, word) in [(10, "not made"), (0, "it was made")] {
        let drill = Drill::steady();
        drill.write_journal(&open_intent(to));
        let ran = drill.run("status --json").ended(0);
        assert!(ran.stderr.contains("settled: ") && ran.stderr.contains(word), "{}", ran.stderr);
        assert_eq!(drill.events(), ["seen", "intent", "outcome"]);
        assert!(!drill.run("gates").ended(0).stderr.contains("settled"), "once is enough");
    }
}

#[test]
fn a_process_that_dies_between_intent_and_outcome_leaves_nothing_unknown() {
    let drill = Drill::steady();
    drill.fault(&json!({"service": "route53", "operation": "ChangeResourceRecordSets", "latency_ms": 60_000}));
    let mut shift = drill
        .command("a", &["shift", "--to", "10", "--yes"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while drill.calls("route53:ChangeResourceRecordSets") == 0 {
        assert!(shift.try_wait().unwrap().is_none(), "it ended before it sent anything");
    }
    shift.kill().unwrap();
    shift.wait().unwrap();
    assert_eq!(drill.weights(), (90, 10), "the batch arrived, its answer did not");
    drill.clear_faults();
    let ran = drill.run("shift --to 20 --yes --json");
    assert!(ran.stderr.contains("settled: "), "{}", ran.stderr);
    let ran = ran.ended(3);
    assert_eq!(ran.json()["error"]["code"], "gate", "the settled change has to bake first");
    assert_eq!(drill.events(), ["seen", "intent", "outcome"]);
    assert_eq!(drill.weights(), (90, 10));
}

#[test]
fn a_lost_answer_is_looked_up_in_the_records() {
    let drill = Drill::steady();
    drill.fault(&json!({"service": "route53", "operation": "ChangeResourceRecordSets", "drop": true}));
    let ran = drill.run("shift --to 10 --yes --json").ended(6);
    let error = ran.json()["error"].clone();
    assert_eq!(error["code"], "not_known", "one look never proves that it will not be made: {error}");
    assert!(error["until"].is_string(), "{error}");
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 1, "never sent again by itself");
    assert_eq!(drill.weights(), (100, 0));
    assert_eq!(drill.events(), ["seen", "intent", "unsettled"]);
    drill.clear_faults();
    let open = drill.run("status").ended(0);
    assert!(open.stderr.contains("not known yet") && open.stderr.contains("may be made until"), "{}", open.stderr);
    let blocked = drill.run("shift --to 10 --yes --json").ended(3).json();
    assert!(blocked["error"]["message"].as_str().unwrap().contains("may be made until"), "{blocked}");
    drill.advance(400);
    let settled = drill.run("status").ended(0);
    assert!(settled.stderr.contains("too old to be accepted any more"), "{}", settled.stderr);
    let journal = drill.run("journal --json").ended(0).json();
    assert_eq!(journal["entries"][3]["result"], "settled_not_applied");
}

#[test]
fn a_step_that_lands_after_tapctl_gave_up_is_taken_back_by_whoever_watches() {
    let drill = Drill::steady();
    drill.fault(&json!({"service": "route53", "operation": "ChangeResourceRecordSets", "drop": true, "count": 1}));
    drill.run("shift --to 10 --yes").ended(6);
    let told = drill.run("rollback --yes --json").ended(6).json();
    assert_eq!(told["error"]["code"], "not_known");
    assert!(told["error"]["message"].as_str().unwrap().contains("may land until"), "{told}");
    // The request that tapctl gave up on arrives after all.
    drill.advance(10);
    let landed = drill.command("b", &["shift", "--to", "10", "--yes"]).output().unwrap();
    assert_eq!(landed.status.code(), Some(0), "{}", String::from_utf8_lossy(&landed.stderr));
    drill.run("rollback --yes").ended(0);
    assert_eq!(drill.weights(), (100, 0));
    assert_eq!(drill.events(), ["seen", "intent", "unsettled", "outcome", "intent", "outcome"]);
}

#[test]
fn one_state_folder_takes_one_stack() {
    let drill = Drill::steady();
    drill.run("shift --to 10 --yes").ended(0);
    let mut outputs: Value = serde_json::from_str(&std::fs::read_to_string(&drill.outputs).unwrap()).unwrap();
    outputs["recordName"] = json!("shop.example.com");
    std::fs::write(&drill.outputs, outputs.to_string()).unwrap();
    let ran = drill.run("shift --to 10 --yes");
    assert!(ran.code != 0 && ran.stderr.contains("TAPCTL_STATE_DIR"), "{}", ran.stderr);
    assert!(ran.stderr.contains("app.example.com."), "whose it is: {}", ran.stderr);
}

#[test]
fn a_change_that_was_made_though_its_answer_was_lost_is_found_and_not_sent_again() {
    for answer in [json!({"drop": true}), json!({"code": "ServiceUnavailable"}), json!({"garbage": true})] {
        let drill = Drill::steady();
        let mut fault =
            json!({"service": "route53", "operation": "ChangeResourceRecordSets", "after": true, "count": 1});
        fault.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
        drill.fault(&fault);
        let ran = drill.run("shift --step +10 --yes --json");
        assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 1, "{answer}: {}", ran.stderr);
        assert_eq!(drill.weights(), (90, 10), "{answer}");
        let journal = drill.run("journal --json").ended(0).json();
        assert_eq!(journal["entries"][2]["result"], "settled_applied", "{answer}: {journal}");
        assert_eq!((ran.code, &ran.json()["to"]), (0, &json!({"legacy": 90, "new": 10})), "{answer}: {}", ran.stderr);
        drill.advance(60);
        let again = drill.run("shift --step +10 --yes --json").ended(3);
        assert_eq!(again.json()["error"]["code"], "gate", "it has to bake, as any other step");
        assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 1);
    }
}

#[test]
fn weights_of_somebody_else_block_and_are_told() {
    let drill = Drill::start(&["--scenario", "second-operator"]);
    drill.run("status").ended(0);
    drill.advance(60);
    let status = drill.run("status --json").ended(0).json();
    assert_eq!(status["traffic"]["drift"], json!({"confirmed": null, "found": {"legacy": 70, "new": 30}}));
    let ran = drill.run("shift --step 10 --yes").ended(3);
    assert!(ran.stderr.contains("drift"), "{}", ran.stderr);
    drill.run("rollback --yes").ended(0);
    assert_eq!(drill.weights(), (100, 0));
}

#[test]
fn read_only_sends_no_write() {
    let drill = Drill::steady();
    let ran = drill.run("--read-only shift --to 10 --yes --json").ended(5);
    assert_eq!(ran.json()["error"]["code"], "read_only");
    let ran = Ran::of(drill.command("a", &["rollback", "--yes"]).env("TAPCTL_READ_ONLY", "1").output().unwrap());
    ran.ended(5);
    drill.run("--read-only shift --to 10 --dry-run").ended(0);
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 0);
}

#[test]
fn without_a_terminal_nobody_can_say_yes() {
    let drill = Drill::steady();
    let ran = drill.run("shift --to 10 --json").ended(5);
    assert_eq!(ran.json()["error"]["code"], "declined");
    assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);
    assert_eq!(drill.events(), ["seen", "declined"]);
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 0);
}

#[test]
fn nothing_is_sent_when_the_journal_cannot_be_written() {
    let drill = Drill::steady();
    std::fs::create_dir_all(drill.state_of("a").join("journal.jsonl")).unwrap();
    let ran = drill.run("shift --to 10 --yes --json").ended(1);
    assert_eq!(ran.json()["error"]["code"], "storage");
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 0);
}

#[test]
fn the_report_tells_the_whole_story() {
    let drill = Drill::steady();
    drill.run("shift --to 10 --yes").ended(0);
    drill.advance(45);
    drill.run("status").ended(0);
    let report = drill.run("report").ended(0).stdout;
    assert!(report.contains("| 100/0 | 90/10 | accepted |") && report.contains("as confirmed"), "{report}");
    let file = drill.folder.path().join("report.md");
    let ran = Ran::of(drill.command("a", &["report", "--output"]).arg(&file).output().unwrap()).ended(0);
    assert_eq!(ran.stdout, "");
    assert!(std::fs::read_to_string(&file).unwrap().contains("## Timeline"));
    let since = drill.run("journal --json --since 10s").ended(0).json();
    assert_eq!(since["entries"].as_array().unwrap().len(), 1, "only INSYNC is as young as that: {since}");
}

#[test]
fn more_than_ten_points_at_once_need_their_name_and_the_way_back_never_does() {
    let drill = Drill::steady();
    for share in ["11", "50", "100"] {
        let ran = drill.run(&format!("shift --to {share} --yes --json")).ended(3).json();
        assert_eq!(ran["error"]["gates"][0]["id"], "step-size", "{ran}");
    }
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 0);
    let ran = drill.run("shift --to 50 --yes --override step-size --reason rehearsal --json").ended(0);
    assert!(ran.stderr.contains("the new stack has carried nothing so far"), "{}", ran.stderr);
    assert_eq!(drill.weights(), (50, 50));
    drill.run("rollback --yes").ended(0);
    assert_eq!(drill.weights(), (100, 0));
}

#[test]
fn what_was_carried_for_a_whole_bake_may_be_returned_to_at_once() {
    let drill = Drill::steady();
    drill.run("shift --to 50 --yes --override step-size --reason rehearsal").ended(0);
    drill.advance(60);
    drill.run("status").ended(0);
    drill.advance(490);
    drill.run("rollback --yes").ended(0);
    drill.advance(60);
    drill.run("status").ended(0);
    // Hours ago: longer than a command reads to know how all stands now.
    drill.advance(3 * 3600);
    let more = drill.run("shift --to 60 --yes --json").ended(3).json();
    assert_eq!(more["error"]["gates"][0]["id"], "step-size", "{more}");
    let again = drill.run("shift --to 50 --yes --json").ended(0);
    let gates = again.json()["gates"].clone();
    let size = gates.as_array().unwrap().iter().find(|gate| gate["id"] == "step-size").unwrap();
    assert!(size["reason"].as_str().unwrap().contains("50 % for 8m"), "{size}");
    assert!(again.stderr.contains("nothing now; 50 % at most"), "{}", again.stderr);
    assert_eq!(drill.weights(), (50, 50));
    // Another host has not seen it carried.
    let other = drill.command("b", &["shift", "--to", "90", "--yes"]).output().unwrap();
    assert_eq!(other.status.code(), Some(3));
}

#[test]
fn what_somebody_took_away_meanwhile_was_not_carried() {
    let drill = Drill::steady();
    let elsewhere = |line: &str| {
        let args: Vec<&str> = line.split_whitespace().collect();
        Ran::of(drill.command("b", &args).output().unwrap()).ended(0);
    };
    let half = "shift --to 50 --yes --override step-size --reason rehearsal";
    drill.run(half).ended(0);
    drill.advance(60);
    drill.run("status").ended(0);
    // Another host takes the share away for ten minutes, and gives it back; nobody looks from this one.
    elsewhere("rollback --yes");
    drill.advance(60);
    elsewhere("status");
    drill.advance(540);
    elsewhere(half);
    drill.advance(60);
    drill.run("rollback --yes").ended(0);
    drill.advance(60);
    drill.run("status").ended(0);
    drill.advance(900);
    let again = drill.run("shift --to 50 --yes --json").ended(3).json();
    assert_eq!(again["error"]["gates"][0]["id"], "step-size", "{again}");
}

#[test]
fn nobody_is_evacuated_to_what_cannot_be_seen() {
    let drill = Drill::steady();
    drill.fault(&json!({"service": "elbv2", "code": "AccessDenied"}));
    let blocked = drill.run("evacuate --reason drill --yes --confirm prod --json").ended(3).json();
    assert!(blocked["error"]["message"].as_str().unwrap().contains("is not known"), "{blocked}");
    assert_eq!(drill.weights(), (100, 0));
}

#[test]
fn an_evacuation_lists_what_it_steps_over_and_holds_to_where_the_members_lead() {
    let drill = Drill::steady();
    let reason = ["--reason", "us-east-1 fails"];
    let evacuate =
        |more: &[&str]| Ran::of(drill.command("a", &[&["evacuate"], &reason[..], more].concat()).output().unwrap());
    evacuate(&["--yes"]).ended(2);
    drill.run("evacuate --yes --confirm prod").ended(2);
    let wrong = evacuate(&["--yes", "--confirm", "production"]).ended(5);
    assert!(wrong.stderr.contains("not the name of this stack, prod"), "{}", wrong.stderr);
    let asked_nobody = evacuate(&[]).ended(5);
    assert!(asked_nobody.stderr.contains("stepping over step-size: us-east-1 fails"), "{}", asked_nobody.stderr);
    assert!(asked_nobody.stderr.contains("RDS in us-east-1 goes on taking the writes"), "{}", asked_nobody.stderr);
    assert_eq!(drill.weights(), (100, 0));
    // A step that is not in effect yet is no reason to stay, and is listed as well.
    drill.run("shift --to 10 --yes").ended(0);
    let gone = evacuate(&["--yes", "--confirm", "prod", "--json"]).ended(0);
    let gone = gone.json();
    let over: Vec<&str> =
        gone["overrides"].as_array().unwrap().iter().map(|over| over["gate"].as_str().unwrap()).collect();
    assert!(over.contains(&"step-size") && over.contains(&"bake") && over.contains(&"dns-settled"), "{over:?}");
    assert_eq!(drill.weights(), (0, 100));
    assert_eq!(evacuate(&["--yes", "--confirm", "prod", "--json"]).ended(0).json()["result"], "nothing_to_do");
    let journal = drill.run("journal").ended(0).stdout;
    assert!(journal.contains("EVACUATION") && journal.contains("us-east-1 fails; stepping over "), "{journal}");
    drill.run("rollback --yes").ended(0);
}

#[test]
fn nothing_is_evacuated_to_a_balancer_that_the_outputs_do_not_name() {
    let drill = Drill::steady();
    drill.set_record("migration-new-prod", 10);
    let blocked = drill.run("evacuate --reason drill --yes --confirm prod --json").ended(3).json();
    assert_eq!(blocked["error"]["gates"][0]["id"], "record-targets", "{blocked}");
    assert_eq!(blocked["error"]["gates"].as_array().unwrap().len(), 1, "all else is stepped over: {blocked}");
}

#[test]
fn members_that_lead_elsewhere_go_nowhere_forward_and_the_way_back_says_where() {
    let drill = Drill::steady();
    let mut outputs: Value = serde_json::from_str(&std::fs::read_to_string(&drill.outputs).unwrap()).unwrap();
    let (legacy, new) = (outputs["legacySetIdentifier"].clone(), outputs["newSetIdentifier"].clone());
    outputs["legacySetIdentifier"] = new;
    outputs["newSetIdentifier"] = legacy;
    std::fs::write(&drill.outputs, outputs.to_string()).unwrap();
    // The member that is called legacy now leads to the new load balancer; the pair stands at 0/100.
    let status = drill.run("status --json").ended(0).json();
    let gate = status["gates"].as_array().unwrap().iter().find(|gate| gate["id"] == "record-targets").unwrap().clone();
    assert_eq!(gate["verdict"], "fail", "{gate}");
    assert_eq!(status["ready_to_shift"], false);
    let members = status["traffic"]["members"].as_array().unwrap();
    assert!(members.iter().all(|member| member["leads"] == "across") && members.len() == 2, "{status}");
    let printed = drill.run("rollback --print --json").ended(0).json();
    assert_eq!(printed["result"], "nothing_to_do", "what is called new leads to the legacy stack: {printed}");
    let doctor = drill.run("doctor");
    assert!(doctor.stdout.contains("FAIL  record-targets"), "{}", doctor.stdout);
    let back = drill.run("rollback --dry-run").ended(0);
    assert!(back.stderr.contains("the NEW load balancer: what is sent back goes there"), "{}", back.stderr);
    drill.run("shift --to 90 --yes").ended(0);
    let forward = drill.run("shift --to 100 --yes --override record-targets --reason poll_now --json").ended(3).json();
    let names: Vec<_> = forward["error"]["gates"].as_array().unwrap().iter().map(|gate| gate["id"].clone()).collect();
    assert!(names.contains(&json!("record-targets")), "{forward}");
}

#[test]
fn the_way_back_is_printed_where_no_folder_can_be_made_at_all() {
    let drill = Drill::steady();
    drill.run("shift --step +10 --yes").ended(0);
    let nowhere = |line: &str| {
        let args: Vec<&str> = line.split_whitespace().collect();
        let mut command = drill.command("a", &args);
        for name in ["TAPCTL_STATE_DIR", "XDG_STATE_HOME", "HOME", "TMPDIR"] {
            command.env(name, "/dev/null/none");
        }
        Ran::of(command.output().unwrap())
    };
    let printed = nowhere("rollback --print --json").ended(0).json();
    assert_eq!((&printed["result"], &printed["notes"]), (&json!("printed"), &json!([])), "{printed}");
    assert_eq!(printed["change_batch"]["Changes"].as_array().unwrap().len(), 4, "{printed}");
    drill.run("rollback --yes").ended(0);
    let calls = drill.calls("route53:ChangeResourceRecordSets");
    // A batch that changes nothing would only look like one that does.
    let done = nowhere("rollback --print --json").ended(0).json();
    assert_eq!(done["result"], "nothing_to_do", "{done}");
    let said = nowhere("rollback --print").ended(0);
    assert!(said.stdout.is_empty() && said.stderr.contains("goes to the legacy stack already"), "{}", said.stderr);
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), calls);
}

#[test]
fn weights_that_are_back_while_their_members_lead_elsewhere_are_no_success() {
    let drill = Drill::start(&["--scenario", "swapped-targets"]);
    drill.advance(60);
    let back = drill.run("rollback --yes --json").ended(1);
    let error = back.json()["error"].clone();
    assert_eq!(error["code"], "led_astray", "{error}");
    assert!(error["message"].as_str().unwrap().contains("the weights already are 100/0, but "), "{error}");
    let command = error["command"].as_str().unwrap();
    assert!(command.contains("change-resource-record-sets"), "{error}");
    assert!(error["change_batch"]["Changes"].is_array() && error["notes"].is_array(), "{error}");
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 0, "nothing was sent");
    let text = drill.run("rollback --yes").ended(1);
    assert!(text.stdout.contains("change-resource-record-sets") && text.stderr.contains("leads"), "{}", text.stderr);
}

/// The batch was accepted and became INSYNC; what fails after that makes it neither undone nor unknown.
#[test]
fn a_change_that_cannot_be_read_back_is_said_to_be_made() {
    let made: [(&str, &[&str]); 4] = [
        ("shift --to 10 --yes --wait --json", &[]),
        ("rollback --yes --wait --json", &["shift --to 10 --yes"]),
        ("release --to legacy --yes --wait --json", &[]),
        ("adopt --yes --wait --json", &["release --to legacy --yes"]),
    ];
    for (line, before) in made {
        let drill = Drill::steady();
        for line in before {
            drill.run(line).ended(0);
            drill.advance(90);
        }
        let sim = drill.endpoint.clone();
        let way = Way::to(
            &drill.endpoint,
            Arc::new(move |call| match (call.operation.as_str(), call.since) {
                ("GetChange", 1) => {
                    advance(&sim, 60);
                    Fate::Goes
                }
                (LIST, 1..) => Fate::Coded { code: "AccessDenied", after: false },
                _ => Fate::Goes,
            }),
        );
        let args: Vec<&str> = line.split(' ').collect();
        let ran = Ran::of(drill.command("a", &args).env("TAPCTL_ENDPOINT_URL", &way.endpoint).output().unwrap());
        way.end();
        let error = ran.ended(6).json()["error"].clone();
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("/change/") && message.contains("was accepted and stays"), "{line}: {error}");
        assert!(error["hint"].as_str().unwrap().contains("tapctl status"), "{line}: {error}");
    }
}
