//! Bad input and a broken world: clear words, the next step, an honest exit code.

use serde_json::json;

use crate::drill::{Drill, Ran, tapctl};

fn in_empty_home(args: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    Ran::of(tapctl(home.path(), args).output().unwrap())
}

#[test]
fn without_any_configuration_the_next_step_is_said() {
    let ran = in_empty_home(&["status", "--json"]).ended(1);
    let error = &ran.json()["error"];
    assert_eq!(error["code"], "configuration");
    assert!(error["hint"].as_str().unwrap().contains("--outputs"), "{error}");
    assert!(ran.stderr.contains("Next step: "), "{}", ran.stderr);
}

#[test]
fn the_cockpit_and_the_demo_need_a_terminal() {
    for args in [&["demo"][..], &[]] {
        let ran = in_empty_home(args).ended(1);
        assert!(ran.stderr.contains("terminal") && ran.stderr.contains("Next step: "), "{}", ran.stderr);
    }
}

#[test]
fn every_wrong_key_of_an_outputs_file_is_named() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("outputs.json");
    std::fs::write(&file, r#"{"region": 7, "recordName": "app.example.com", "alarmNames": "one"}"#).unwrap();
    let ran =
        Ran::of(tapctl(home.path(), &["gates", "--json", "--outputs", "outputs.json"]).output().unwrap()).ended(1);
    let error = &ran.json()["error"];
    assert_eq!(error["code"], "outputs");
    assert_eq!(error["missing"].as_array().unwrap().len(), 33);
    assert_eq!(error["mistyped"].as_array().unwrap().len(), 2);
    for key in error["missing"].as_array().unwrap() {
        assert!(ran.stderr.contains(key.as_str().unwrap()), "{key} is not in the words");
    }
    std::fs::write(&file, "{").unwrap();
    let ran = Ran::of(tapctl(home.path(), &["status", "--outputs", "outputs.json"]).output().unwrap()).ended(1);
    assert!(ran.stderr.contains("not JSON"), "{}", ran.stderr);
    let ran = Ran::of(tapctl(home.path(), &["status", "--outputs", "missing.json"]).output().unwrap()).ended(1);
    assert!(ran.stderr.contains("missing.json"), "{}", ran.stderr);
}

#[test]
fn a_configuration_file_is_used_and_its_wrong_keys_are_named() {
    let drill = Drill::steady();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config").join("tapctl");
    std::fs::create_dir_all(&folder).unwrap();
    let outputs = drill.folder.path().join("sim").join("outputs.json");
    let write = |more: &str| {
        let text = format!("outputs = {outputs:?}\nendpoint_url = {:?}\n{more}", drill.endpoint);
        std::fs::write(folder.join("config.toml"), text).unwrap();
    };
    write("stack = \"live\"\n[policy]\nlag_limit_s = 1\n");
    let status = Ran::of(tapctl(home.path(), &["status", "--json"]).output().unwrap()).ended(0).json();
    assert_eq!(status["stack"], "live");
    let gates = status["gates"].as_array().unwrap();
    assert_eq!(gates.iter().find(|gate| gate["id"] == "replication-lag").unwrap()["limit"], "< 1 s");
    assert!(home.path().join(".local/state/tapctl/live/journal.jsonl").is_file());
    let from_env = Ran::of(tapctl(home.path(), &["status", "--json"]).env("TAPCTL_STACK", "env").output().unwrap());
    assert_eq!(from_env.ended(0).json()["stack"], "env");
    let mut both = tapctl(home.path(), &["--stack", "flag", "status", "--json"]);
    assert_eq!(Ran::of(both.env("TAPCTL_STACK", "env").output().unwrap()).ended(0).json()["stack"], "flag");
    write("stak = 1\nregoin = 2\n");
    let ran = Ran::of(tapctl(home.path(), &["status"]).output().unwrap()).ended(1);
    assert!(ran.stderr.contains("stak") && ran.stderr.contains("regoin"), "{}", ran.stderr);
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    for line in ["nonsense", "shift", "shift --to 101 --yes", "shift --to 1 --step 2", "status --endpoint-url nowhere"]
    {
        let args: Vec<&str> = line.split(' ').collect();
        assert_eq!(in_empty_home(&args).ended(2).stdout, "", "{line}");
    }
    let ran = in_empty_home(&["status", "--json", "--nonsense"]).ended(2);
    assert_eq!(ran.json()["error"]["code"], "usage");
    in_empty_home(&["--help"]).ended(0);
}

#[test]
fn expired_credentials_are_exit_code_6_and_say_how_to_get_new_ones() {
    let drill = Drill::steady();
    drill.fault(&json!({"service": "*", "code": "ExpiredToken"}));
    for line in ["status --json", "gates --json", "shift --to 10 --yes --json", "rollback --yes --json"] {
        let error = drill.run(line).ended(6).json()["error"].clone();
        assert_eq!(error["code"], "credentials", "{line}");
        assert!(error["hint"].as_str().unwrap().contains("aws sso login"), "{error}");
    }
}

#[test]
fn a_denied_call_names_the_action_that_is_missing() {
    let drill = Drill::steady();
    let denied = json!({"service": "route53", "operation": "ChangeResourceRecordSets", "code": "AccessDenied"});
    drill.fault(&denied);
    let error = drill.run("shift --to 10 --yes --json").ended(6).json()["error"].clone();
    assert_eq!((&error["code"], &error["operation"]), (&json!("denied"), &json!("route53:ChangeResourceRecordSets")));
    assert!(error["hint"].as_str().unwrap().contains("route53:ChangeResourceRecordSets"), "{error}");
    let journal = drill.run("journal --json").ended(0).json();
    assert_eq!(journal["entries"][2]["result"], "refused");
}

#[test]
fn throttling_to_the_end_of_the_retries_is_exit_code_6() {
    let drill = Drill::steady();
    drill.fault(&json!({"service": "route53", "code": "Throttling"}));
    assert_eq!(drill.run("rollback --yes --json").ended(6).json()["error"]["code"], "throttled");
    assert!(drill.calls("route53:ListResourceRecordSets") > 1, "reads are tried again");
}

#[test]
fn garbage_and_silence_are_exit_code_6() {
    let drill = Drill::steady();
    drill.fault(&json!({"service": "route53", "garbage": true}));
    assert_eq!(drill.run("rollback --yes --json").ended(6).json()["error"]["code"], "garbled");
    drill.clear_faults();
    drill.fault(&json!({"service": "route53", "drop": true}));
    assert_eq!(drill.run("rollback --yes --json").ended(6).json()["error"]["code"], "unreachable");
}

#[test]
fn an_endpoint_that_nobody_serves_is_exit_code_6() {
    let drill = Drill::steady();
    let nowhere = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", free.local_addr().unwrap())
    };
    let ran = Ran::of(drill.command("a", &["status", "--json", "--endpoint-url", &nowhere]).output().unwrap()).ended(6);
    let error = &ran.json()["error"];
    assert_eq!(error["code"], "unreachable");
    assert!(error["sources"].as_array().unwrap().len() >= 11, "every source that was tried is named");
}

#[test]
fn a_journal_with_a_torn_line_is_read_around() {
    let drill = Drill::steady();
    drill.write_journal(&[
        json!({"at": "2026-11-22T12:00:00Z", "operator": "me", "host": "here", "event": "note", "text": "x"}),
    ]);
    let path = drill.state_of("a").join("journal.jsonl");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"at\":\"2026-11-2");
    std::fs::write(&path, text).unwrap();
    let journal = drill.run("journal --json").ended(0);
    assert_eq!(journal.json()["broken"], 1);
    assert!(journal.stderr.contains("could not be read"), "{}", journal.stderr);
    drill.run("shift --to 10 --yes").ended(0);
    assert_eq!(drill.events(), ["note", "seen", "intent", "outcome"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let drill = Drill::steady();
    let mut child = drill.command("a", &["status"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn records_of_a_shape_that_cannot_be_shifted_are_told_and_left_alone() {
    let stranger: (&str, u8, &str) = ("blue", 5, "[\"blue\"]");
    let nobody = ("migration-legacy-prod", 0, "both A weights are 0");
    for (set_identifier, weight, words) in [stranger, nobody] {
        let drill = Drill::steady();
        drill.set_record(set_identifier, weight);
        drill.advance(60);
        for line in ["shift --to 10 --yes --json", "rollback --yes --json"] {
            let ran = drill.run(line).ended(1);
            assert_eq!(ran.json()["error"]["code"], "record_group");
            assert!(ran.stderr.contains(words), "{}", ran.stderr);
        }
        let status = drill.run("status --json").ended(0).json();
        assert_eq!(status["traffic"]["new_weight"], serde_json::Value::Null);
        assert!(status["traffic"]["problem"].as_str().unwrap().contains(words), "{status}");
        assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 1, "only the one that broke it");
    }
}
