//! The zone's first and last day from scripts: `adopt` and `release`, with outputs and before there are any.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::drill::{Drill, Ran};
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

/// The folder of a Pulumi program whose stack `prod` was never brought up, and a `pulumi` that says so.
fn never_up(drill: &Drill, config: &Value) {
    let folder = drill.folder.path();
    std::fs::create_dir_all(folder.join("pulumi")).unwrap();
    std::fs::write(folder.join("pulumi/Pulumi.yaml"), "name: tap\nruntime: python\n").unwrap();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let script = "#!/bin/sh\ncase \"$1 $2\" in\n\
                  'stack output') echo '{}' ;;\n\
                  'stack --show-name') echo prod ;;\n\
                  'config --json') cat \"$HOME/config.json\" ;;\n\
                  *) echo \"error: not for this test: $*\" >&2; exit 1 ;;\n\
                  esac\n";
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    let program = folder.join("bin/pulumi");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn on_it(drill: &Drill, line: &str) -> Command {
    let args: Vec<&str> = line.split_whitespace().collect();
    let mut command = drill.command("a", &args);
    let path = format!("{}:/usr/bin:/bin", drill.folder.path().join("bin").display());
    command.env_remove("TAPCTL_OUTPUTS").env("PATH", path);
    command
}

fn run(drill: &Drill, line: &str) -> Ran {
    Ran::of(on_it(drill, line).output().unwrap())
}

/// What the scenario's own outputs say, as the program's configuration.
fn config(drill: &Drill) -> Value {
    let text = std::fs::read_to_string(drill.folder.path().join("sim/outputs.json")).unwrap();
    let outputs: Value = serde_json::from_str(&text).unwrap();
    let value = |key: &str| json!({"value": outputs[key], "secret": false});
    json!({
        "tap:recordName": value("recordName"), "tap:hostedZoneId": value("hostedZoneId"),
        "tap:legacyLbName": value("legacyLbName"),
        "tap:dbPassword": {"secret": true},
    })
}

#[test]
fn before_the_first_up_the_legacy_record_is_adopted_alone() {
    let drill = Drill::steady();
    drill.run("release --to legacy --yes").ended(0);
    drill.advance(45);
    never_up(&drill, &config(&drill));
    let status = run(&drill, "status --json").ended(0).json();
    assert_eq!((&status["schema"], &status["stack"]), (&json!(1), &json!("prod")));
    assert_eq!((&status["service"]["desired"], &status["traffic"]["new_weight"]), (&Value::Null, &Value::Null));
    assert_eq!(status["ready_to_shift"], false);
    let said = run(&drill, "status").ended(0).stdout;
    assert!(said.contains("not provisioned yet") && !said.contains("Not known    ecs"), "{said}");

    let refused = run(&drill, "shift --to 10 --yes --json").ended(1).json();
    assert_eq!(refused["error"]["code"], "not_provisioned");

    let adopted = run(&drill, "adopt --yes --json").ended(0).json();
    assert_eq!(names(&adopted["creates"]), ["migration-legacy-prod"], "as the program calls it");
    assert!(adopted["call"].as_str().unwrap().contains("CREATE A migration-legacy-prod=100"), "{adopted}");
    drill.advance(45);
    assert_eq!(run(&drill, "adopt --yes --json").ended(0).json()["result"], "nothing_to_do");
    let released = run(&drill, "release --to legacy --yes --json").ended(0).json();
    assert_eq!(names(&released["creates"]), ["simple"], "an adoption can be taken back");
}

#[test]
fn a_stack_that_nobody_has_made_yet_is_no_error_and_one_that_cannot_be_asked_is() {
    let drill = Drill::steady();
    never_up(&drill, &json!({}));
    let script = |answer: &str| {
        let text = format!(
            "#!/bin/sh\n[ \"$1 $2\" = 'stack ls' ] && echo '{answer}' || {{ echo 'error: no stack named prod' >&2; exit 255; }}\n"
        );
        std::fs::write(drill.folder.path().join("bin/pulumi"), text).unwrap();
    };
    let status = || Ran::of(on_it(&drill, "status").env("TAPCTL_STACK", "prod").output().unwrap());
    script("[]");
    let said = status().ended(0).stdout;
    assert!(said.contains("not provisioned yet") && said.contains("tap:recordName is not set"), "{said}");
    script(r#"[{"name":"prod"}]"#);
    assert!(status().ended(7).stderr.contains("`pulumi stack output` failed: error: no stack named prod"));
    let without_program =
        Ran::of(drill.command("a", &["status"]).env_remove("TAPCTL_OUTPUTS").current_dir("/").output().unwrap());
    assert!(without_program.ended(1).stderr.contains("no Pulumi program"));
}

#[test]
fn keys_that_are_not_set_are_named_with_their_commands() {
    let drill = Drill::steady();
    never_up(&drill, &json!({}));
    let said = run(&drill, "status").ended(0).stdout;
    for key in ["recordName", "hostedZoneId", "legacyLbName"] {
        assert!(said.contains(&format!("pulumi config set {key} ")), "{key}: {said}");
    }
    let ran = run(&drill, "adopt --yes --json").ended(1).json();
    assert_eq!(ran["error"]["code"], "not_provisioned");
    assert!(ran["error"]["message"].as_str().unwrap().contains("tap:recordName is not set"), "{ran}");
    assert_eq!(drill.calls(SENT), 0);
}

/// A Pulumi program, and the scenarios' stand-in for `pulumi` on a stack that stands.
pub(crate) fn name_state(drill: &Drill) {
    stand_in(drill, &["stack init prod", "up --json --stack prod"]);
    // What was made anew has to be loaded and compared.
    drill.advance(3600);
}

/// A Pulumi program, and the scenarios' stand-in for `pulumi` after these commands.
pub(crate) fn stand_in(drill: &Drill, lines: &[&str]) {
    never_up(drill, &json!({}));
    let folder = drill.folder.path();
    let now = drill.state()["now"].as_str().unwrap_or("2026-11-22T12:00:00Z").to_owned();
    let settings = json!({
        "stack": "prod", "speed": 0.0, "demo_at": now, "wall_at": now, "fail": null,
        "outputs": folder.join("sim/outputs.json"), "simulator": drill.endpoint,
    });
    std::fs::write(folder.join("fake_pulumi.json"), settings.to_string()).unwrap();
    let script = format!(
        "#!/bin/sh\nexec '{}' __pulumi --settings '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_tapctl"),
        folder.join("fake_pulumi.json").display()
    );
    std::fs::write(folder.join("bin/pulumi"), script).unwrap();
    for line in lines {
        let made = Command::new(folder.join("bin/pulumi")).args(line.split(' ')).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// On the stack `prod`, whose load balancer counts as unused below so many requests a minute.
pub(crate) fn in_prod(drill: &Drill, line: &str, unused_per_min: &str) -> Ran {
    let mut command = on_it(drill, line);
    Ran::of(command.env("TAPCTL_STACK", "prod").env("TAPCTL_UNUSED_PER_MIN", unused_per_min).output().unwrap())
}

#[test]
fn the_last_day_is_rollback_release_destroy_and_each_leads_to_the_one_before() {
    let drill = Drill::steady();
    name_state(&drill);
    let line = |line: &str| in_prod(&drill, line, "90");
    line("shift --to 10 --yes").ended(0);
    // Long enough for slow resolvers to have taken the new answer, which they then keep.
    drill.advance(900);
    let refused = line("destroy --yes --json").ended(3).json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("`tapctl rollback`"), "{refused}");
    line("rollback --yes").ended(0);
    drill.advance(90);
    let refused = line("destroy --yes --json").ended(3).json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("`tapctl release --to legacy`"), "{refused}");
    line("release --to legacy --yes").ended(0);
    let refused = in_prod(&drill, "destroy --yes --json", "1").ended(3).json();
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("clients keep old answers") && message.contains("TAPCTL_UNUSED_PER_MIN"), "{refused}");
    drill.advance(7200);
    let destroyed = line("destroy --yes --json").ended(0).json();
    assert_eq!((&destroyed["operation"], &destroyed["orphans"]), (&json!("destroy"), &json!([])));
    let status = line("status").ended(0).stdout;
    assert!(status.contains("not provisioned yet"), "{status}");
}

#[test]
fn records_that_a_destroy_has_left_are_shown() {
    let drill = Drill::steady();
    name_state(&drill);
    drill.run("release --to legacy --yes").ended(0);
    drill.advance(7200);
    drill.set_alias("old.example.com.");
    let ran = in_prod(&drill, "destroy --yes", "90").ended(0);
    assert!(ran.stdout.contains("left in the zone: old.example.com. A points to alias "), "{}", ran.stdout);
}
