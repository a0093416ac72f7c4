//! The zone's first and last day from scripts: `adopt` and `release`, with outputs and before there are any.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::drill::{Drill, Ran};
use crate::support::stack::Stack;
use crate::support::wire::{Hold, Wire};

const PAIR: [&str; 2] = ["migration-legacy-prod", "migration-new-prod"];
const SENT: &str = "route53:ChangeResourceRecordSets";

fn names(records: &Value) -> Vec<String> {
    let name = |record: &Value| record["set_identifier"].as_str().unwrap_or("simple").to_owned();
    records.as_array().unwrap().iter().map(name).collect()
}

#[test]
fn a_name_is_released_and_adopted_again_each_in_one_batch() {
    let drill = Drill::steady();
    let ran = drill.run("release --to legacy --yes --json").ended(0);
    let released = ran.json();
    assert_eq!((&released["result"], &released["schema"]), (&json!("accepted"), &json!(1)));
    assert_eq!(names(&released["deletes"]), PAIR);
    assert_eq!(names(&released["creates"]), ["simple"]);
    assert!(ran.stderr.contains("DELETE A migration-legacy-prod=100"), "{}", ran.stderr);
    assert_eq!(drill.calls(SENT), 1);

    let shift = drill.run("shift --to 10 --yes").ended(1);
    assert!(shift.stderr.contains("`tapctl adopt` turns it into one"), "{}", shift.stderr);

    drill.advance(45);
    let adopted = drill.run("adopt --yes --json").ended(0).json();
    assert_eq!(names(&adopted["creates"]), PAIR);
    assert!(adopted["pulumi"].as_str().unwrap().contains("needs no import"), "{adopted}");
    assert_eq!(drill.weights(), (100, 0));
    assert_eq!(drill.calls(SENT), 2);
    let written: Vec<String> = drill.events().into_iter().filter(|event| event != "seen").collect();
    assert_eq!(written, ["zone_intent", "outcome", "zone_intent", "outcome"]);
}

#[test]
fn what_is_done_already_is_done() {
    let drill = Drill::steady();
    let ran = drill.run("adopt --yes --json").ended(0);
    assert_eq!(ran.json()["result"], "nothing_to_do");
    assert!(ran.stderr.contains("a weighted pair already (100/0)"), "{}", ran.stderr);
    assert_eq!(drill.calls(SENT), 0);
    drill.run("release --to legacy --yes").ended(0);
    drill.advance(45);
    assert_eq!(drill.run("release --to legacy --yes --json").ended(0).json()["result"], "nothing_to_do");
    assert_eq!(drill.calls(SENT), 1);
}

#[test]
fn a_dry_run_shows_the_batch_and_sends_nothing() {
    let drill = Drill::steady();
    let ran = drill.run("--read-only release --to legacy --dry-run --json").ended(0);
    assert_eq!(ran.json()["result"], "dry_run");
    assert!(ran.stderr.contains("CREATE A simple"), "{}", ran.stderr);
    assert_eq!(drill.run("--read-only release --to legacy --yes --json").ended(5).json()["error"]["code"], "read_only");
    assert_eq!(drill.run("release --to legacy --json").ended(5).json()["error"]["code"], "declined");
    assert_eq!(drill.calls(SENT), 0);
}

#[test]
fn a_name_is_released_only_to_the_stack_that_has_everything() {
    let drill = Drill::steady();
    drill.run("shift --to 10 --yes").ended(0);
    let pending = drill.run("release --to legacy --yes --json").ended(3).json();
    assert!(pending["error"]["message"].as_str().unwrap().contains("weight change is pending"), "{pending}");
    drill.advance(90);
    let refused = drill.run("release --to legacy --yes --json").ended(3).json();
    assert_eq!(refused["error"]["code"], "refused");
    assert!(refused["error"]["hint"].as_str().unwrap().contains("tapctl rollback"), "{refused}");
    drill.run("rollback --yes").ended(0);
    drill.advance(90);
    drill.run("release --to legacy --yes").ended(0);
}

#[test]
fn records_that_changed_meanwhile_are_a_conflict_and_nothing_is_sent_again() {
    let drill = Drill::steady();
    drill.fault(&json!({
        "service": "route53", "operation": "ChangeResourceRecordSets", "code": "InvalidChangeBatch",
        "message": "Tried to delete resource record set [name='app.example.com.', type='A'] but it was not found",
    }));
    let ran = drill.run("release --to legacy --yes --json").ended(4).json();
    assert_eq!(ran["error"]["code"], "conflict");
    assert_eq!(names(&ran["error"]["found"]), PAIR);
    assert_eq!(drill.calls(SENT), 1);
}

#[test]
fn a_release_beside_which_another_process_moves_weights_is_a_conflict() {
    let drill = Drill::steady();
    let wire = Wire::to(&drill.endpoint);
    wire.hold("/rrset", Hold::Answer);
    let mut release = drill.command("a", &["release", "--to", "legacy", "--yes", "--json"]);
    release.env("TAPCTL_ENDPOINT_URL", &wire.endpoint).stdout(Stdio::piped()).stderr(Stdio::piped());
    let release = release.spawn().unwrap();
    wire.until_held();
    drill.run("shift --to 5 --yes").ended(0);
    wire.let_go();
    let ran = Ran::of(release.wait_with_output().unwrap()).ended(4);
    assert!(ran.stderr.contains("sent a change"), "{}", ran.stderr);
    assert_eq!((drill.weights(), drill.calls(SENT)), ((95, 5), 1));
}

#[test]
fn waiting_follows_the_batch_to_insync_and_reads_the_name_back() {
    let drill = Drill::start(&["--speed", "200"]);
    let ran = drill.run("release --to legacy --yes --wait --json").ended(0);
    let released = ran.json();
    assert_eq!((&released["result"], &released["verified"]), (&json!("insync"), &json!(true)));
    assert_eq!(released["change"]["status"], "INSYNC");
    assert!(ran.stderr.contains("read back as confirmed"), "{}", ran.stderr);
}

#[test]
fn a_lost_answer_is_looked_up_in_the_records() {
    let drill = Drill::steady();
    drill.fault(&json!({"service": "route53", "operation": "ChangeResourceRecordSets", "drop": true}));
    let ran = drill.run("release --to legacy --yes --json").ended(6).json();
    assert_eq!(ran["error"]["code"], "not_known", "one look never proves that it will not be made: {ran}");
    assert_eq!(drill.calls(SENT), 1);
    drill.advance(400);
    let settled = drill.run("status").ended(0).stderr;
    assert!(settled.contains("the records show that it was not made"), "{settled}");
    assert!(
        drill.events().ends_with(&["zone_intent".into(), "unsettled".into(), "outcome".into()]),
        "{:?}",
        drill.events()
    );
}

/// The load balancer's name in the outputs has no final dot, Route 53 lists it with one.
#[test]
fn an_adoption_that_was_made_is_known_to_be_made() {
    let drill = Drill::start(&["--speed", "200"]);
    drill.run("release --to legacy --yes --wait").ended(0);
    let adopted = drill.run("adopt --yes --wait --json").ended(0).json();
    assert_eq!((&adopted["result"], &adopted["verified"]), (&json!("insync"), &json!(true)));
    drill.run("release --to legacy --yes --wait").ended(0);
    drill.fault(&json!({
        "service": "route53", "operation": "ChangeResourceRecordSets", "drop": true, "after": true, "count": 1,
    }));
    let settled = drill.run("adopt --yes --json").ended(0).json();
    assert_eq!((&settled["result"], &settled["verified"]), (&json!("settled"), &json!(true)));
    let noted = drill.run("journal").ended(0).stdout;
    assert!(noted.contains("the records show that it was made") && !noted.contains("not known"), "{noted}");
    assert_eq!(drill.weights(), (100, 0));
}

#[test]
fn before_the_first_up_the_legacy_record_is_adopted_alone() {
    let stack = Stack::never_up();
    stack.drill.run("release --to legacy --yes").ended(0);
    stack.drill.advance(45);
    let status = stack.run("status --json").ended(0).json();
    assert_eq!((&status["schema"], &status["stack"]), (&json!(1), &json!("prod")));
    assert_eq!((&status["service"]["desired"], &status["traffic"]["new_weight"]), (&Value::Null, &Value::Null));
    assert_eq!(status["ready_to_shift"], false);
    let said = stack.run("status").ended(0).stdout;
    assert!(said.contains("not provisioned yet") && !said.contains("Not known    ecs"), "{said}");

    let refused = stack.run("shift --to 10 --yes --json").ended(1).json();
    assert_eq!(refused["error"]["code"], "not_provisioned");

    let adopted = stack.run("adopt --yes --json").ended(0).json();
    assert_eq!(names(&adopted["creates"]), ["migration-legacy-prod"], "as the program calls it");
    assert!(adopted["call"].as_str().unwrap().contains("CREATE A migration-legacy-prod=100"), "{adopted}");
    stack.drill.advance(45);
    assert_eq!(stack.run("adopt --yes --json").ended(0).json()["result"], "nothing_to_do");
    let released = stack.run("release --to legacy --yes --json").ended(0).json();
    assert_eq!(names(&released["creates"]), ["simple"], "an adoption can be taken back");
}

#[test]
fn a_stack_that_nobody_has_made_yet_is_no_error_and_one_that_cannot_be_asked_is() {
    let stack = Stack::unmade();
    let said = stack.run("status").ended(0).stdout;
    assert!(said.contains("not provisioned yet") && said.contains("tap:recordName is not set"), "{said}");
    stack.pulumi_is(
        "#!/bin/sh\n[ \"$1 $2\" = 'stack ls' ] && echo '[{\"name\":\"prod\"}]' && exit\n\
         echo 'error: no stack named prod' >&2; exit 255\n",
    );
    assert!(stack.run("status").ended(7).stderr.contains("`pulumi stack output` failed: error: no stack named prod"));
    let without_program = Ran::of(stack.command("status").current_dir("/").output().unwrap());
    assert!(without_program.ended(1).stderr.contains("no Pulumi program"));
}

#[test]
fn keys_that_are_not_set_are_named_with_their_commands() {
    const KEYS: [&str; 3] = ["recordName", "hostedZoneId", "legacyLbName"];
    let stack = Stack::never_up();
    for key in KEYS {
        stack.without_key(key);
    }
    // Nobody says here which stack it is; Pulumi knows which one is selected.
    let said = Ran::of(stack.command("status").env_remove("TAPCTL_STACK").output().unwrap()).ended(0).stdout;
    for key in KEYS {
        assert!(said.contains(&format!("pulumi config set {key} ")), "{key}: {said}");
    }
    let ran = stack.run("adopt --yes --json").ended(1).json();
    assert_eq!(ran["error"]["code"], "not_provisioned");
    assert!(ran["error"]["message"].as_str().unwrap().contains("tap:recordName is not set"), "{ran}");
    assert_eq!(stack.drill.calls(SENT), 0);
}

#[test]
fn the_last_day_is_rollback_release_destroy_and_each_leads_to_the_one_before() {
    let stack = Stack::whole();
    let line = |line: &str| stack.run(line);
    line("shift --to 10 --yes").ended(0);
    // Long enough for slow resolvers to have taken the new answer, which they then keep.
    stack.drill.advance(900);
    let refused = line("destroy --yes --json").ended(3).json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("`tapctl rollback`"), "{refused}");
    line("rollback --yes").ended(0);
    stack.drill.advance(90);
    let refused = line("destroy --yes --json").ended(3).json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("`tapctl release --to legacy`"), "{refused}");
    line("release --to legacy --yes").ended(0);
    let refused = line("destroy --yes --json").ended(3).json();
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("clients that keep old answers") && message.contains("--unused-per-min"), "{refused}");
    stack.drill.advance(7200);
    let destroyed = line("destroy --yes --json").ended(0).json();
    assert_eq!((&destroyed["operation"], &destroyed["orphans"]), (&json!("destroy"), &json!([])));
    let status = line("status").ended(0).stdout;
    assert!(status.contains("not provisioned yet"), "{status}");
}

#[test]
fn records_that_a_destroy_has_left_are_shown() {
    let stack = Stack::whole();
    stack.run("release --to legacy --yes").ended(0);
    stack.drill.advance(7200);
    stack.drill.set_alias("old.example.com.");
    let ran = stack.run("destroy --yes").ended(0);
    assert!(ran.stdout.contains("left in the zone: old.example.com. A points to alias "), "{}", ran.stdout);
}
