//! Commands that change nothing.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use tapctl::domain::gate::GateId;

use serde_json::Value;

use crate::drill::{Drill, Ran, tapctl};

#[test]
fn status_tells_everything_as_one_object() {
    let drill = Drill::steady();
    let status = drill.run("status --json").ended(0).json();
    let fields: Vec<_> = status.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = "alarms at endpoints gates problems readiness ready_to_shift replication schema service simulation \
                  sources stack traffic";
    assert_eq!(fields, wanted.split(' ').collect::<Vec<_>>());
    assert_eq!((&status["schema"], &status["stack"]), (&Value::from(1), &Value::from("prod")));
    let traffic = &status["traffic"];
    assert_eq!((&traffic["record"], &traffic["type"]), (&Value::from("app.example.com."), &Value::from("A")));
    assert_eq!((&traffic["legacy_weight"], &traffic["new_weight"]), (&Value::from(100), &Value::from(0)));
    assert_eq!(
        (&traffic["new_percent"], &traffic["drift"], &traffic["change"]),
        (&0.0.into(), &Value::Null, &Value::Null)
    );
    assert_eq!(status["replication"]["task"], "running");
    assert_eq!(status["service"]["desired"], 4);
    assert!(status["replication"]["lag_s"].as_f64().unwrap() < 60.0);
    assert!(status["sources"].as_array().unwrap().iter().all(|source| source["ok"] == true));
    assert_eq!(status["ready_to_shift"], true, "{}", status["gates"]);
    assert_eq!(status["gates"].as_array().unwrap().len(), GateId::ALL.len());
    let ready = &status["readiness"];
    assert_eq!((&ready["verdict"], &ready["gate"]), (&Value::from("go"), &Value::Null), "{ready}");
    assert_eq!(ready["next"], "tapctl shift --step +10");
}

#[test]
fn independent_questions_are_asked_together() {
    let drill = Drill::steady();
    drill.fault(&serde_json::json!({"service": "*", "latency_ms": 400}));
    let began = std::time::Instant::now();
    drill.run("status --json").ended(0);
    let asked = [
        "route53:ListResourceRecordSets",
        "dms:DescribeTableStatistics",
        "ecs:DescribeServices",
        "sts:GetCallerIdentity",
    ];
    assert!(asked.iter().all(|operation| drill.calls(operation) == 1));
    assert!(began.elapsed().as_millis() < 12 * 400, "twelve questions, one after another, would take as long as this");
}

#[test]
fn people_get_the_same_in_words() {
    let drill = Drill::steady();
    let ran = drill.run("status").ended(0);
    let all = format!("{0} of {0} gates pass: ready to shift", GateId::ALL.len());
    for words in ["SIMULATION steady", "app.example.com. A: legacy 100, new 0", all.as_str()] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    let gates = drill.run("gates").ended(0);
    assert_eq!(gates.stdout.lines().count(), GateId::ALL.len() + 1);
    let list = drill.run("gates --json").ended(0).json();
    assert_eq!(list["gates"].as_array().unwrap().len(), GateId::ALL.len());
}

#[test]
fn a_source_that_is_denied_is_null_and_named() {
    let drill = Drill::steady();
    drill.fault(&serde_json::json!({"service": "dms", "code": "AccessDenied"}));
    let status = drill.run("status --json").ended(0).json();
    assert_eq!(status["replication"]["task"], Value::Null);
    assert_eq!(status["ready_to_shift"], false);
    let gates = status["gates"].as_array().unwrap();
    let task = gates.iter().find(|gate| gate["id"] == "replication-task").unwrap();
    assert_eq!(task["verdict"], "unknown");
    // Both calls of the source are made at once; either may be the first to be denied.
    assert!(task["reason"].as_str().unwrap().contains("allow the IAM action dms:DescribeReplication"), "{task}");
}

#[test]
fn the_simulator_listens_on_loopback_only_and_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut everywhere = tapctl(folder.path(), &["sim", "--listen", "0.0.0.0:0"]);
    let ran = Ran::of(everywhere.env("TMPDIR", folder.path()).output().unwrap()).ended(1);
    assert!(ran.stderr.contains("loopback"), "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    let ran = Ran::of(tapctl(folder.path(), &["sim", "--scenario", "nonsense"]).output().unwrap()).ended(2);
    assert!(ran.stderr.contains("second-operator"), "{}", ran.stderr);
    assert_eq!(Drill::steady().stop(), 0);
}

#[test]
fn the_policy_allows_exactly_what_is_called() {
    let drill = Drill::steady();
    let policy: Value = serde_json::from_str(&drill.run("iam-policy").ended(0).stdout).unwrap();
    let read_only: Value = serde_json::from_str(&drill.run("iam-policy --read-only").ended(0).stdout).unwrap();
    let writes = |policy: &Value| policy.to_string().contains("\"route53:ChangeResourceRecordSets\"");
    assert!(writes(&policy) && !writes(&read_only));
    drill.run("shift --to 10 --yes").ended(0);
    let allowed = policy.to_string();
    for (operation, _) in drill.state()["requests"].as_object().unwrap() {
        let action = operation.split(':').next_back().unwrap();
        assert!(allowed.contains(&format!(":{action}\"")), "{operation} is called and not allowed");
    }
}

#[test]
fn doctor_finds_nothing_wrong_here_and_says_what_is_elsewhere() {
    let drill = Drill::steady();
    let report = drill.run("doctor --json").ended(0).json();
    assert_eq!(report["ok"], true);
    let checks = report["checks"].as_array().unwrap();
    let find = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(find("credentials")["health"], "ok");
    assert_eq!(find("clock")["health"], "ok");
    assert_eq!(find("terminal")["health"], "warn");
    drill.fault(&serde_json::json!({"service": "*", "code": "ExpiredToken"}));
    let report = drill.run("doctor --json").ended(6).json();
    let checks = report["checks"].as_array().unwrap();
    let credentials = checks.iter().find(|check| check["name"] == "credentials").unwrap();
    assert_eq!(credentials["health"], "fail");
    assert!(credentials["mend"].as_str().unwrap().contains("aws sso login"), "{credentials}");
}

/// A row of `doctor`.
fn row(report: &Value, name: &str) -> Option<Value> {
    report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).cloned()
}

#[test]
fn doctor_proves_each_right_without_changing_anything() {
    let drill = Drill::steady();
    let (weights, before) = (drill.weights(), drill.state()["traffic"]["changes"].clone());
    let report = drill.run("doctor --json").ended(0).json();
    for right in ["right-to-follow", "right-to-write"] {
        assert_eq!(row(&report, right).unwrap()["health"], "ok", "{report}");
    }
    assert_eq!((drill.weights(), &drill.state()["traffic"]["changes"]), (weights, &before));
    for (operation, right) in [("GetChange", "right-to-follow"), ("ChangeResourceRecordSets", "right-to-write")] {
        drill.fault(&serde_json::json!({"service": "route53", "operation": operation, "code": "AccessDenied"}));
        let denied = row(&drill.run("doctor --json").ended(6).json(), right).unwrap();
        assert_eq!(denied["health"], "fail", "{denied}");
        assert!(denied["mend"].as_str().unwrap().contains(&format!("route53:{operation}")), "{denied}");
        drill.clear_faults();
    }
    let asked = drill.calls("route53:ChangeResourceRecordSets");
    let report = drill.run("--read-only doctor --json").ended(0).json();
    assert!(row(&report, "right-to-write").unwrap()["found"].as_str().unwrap().starts_with("not asked"), "{report}");
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), asked, "read-only sends no batch at all");
    assert_eq!((drill.weights(), &drill.state()["traffic"]["changes"]), (weights, &before));
}

#[test]
fn one_cause_is_told_once() {
    let drill = Drill::steady();
    drill.fault(&serde_json::json!({"service": "*", "code": "ExpiredToken"}));
    let ran = drill.run("doctor").ended(6);
    let told = ran.stdout.lines().filter(|line| line.contains("ExpiredToken")).count();
    assert_eq!(told, 1, "{}", ran.stdout);
    let ran = drill.run("status").ended(6);
    let told = ran.stderr.lines().filter(|line| line.contains("ExpiredToken")).count();
    assert_eq!(told, 1, "{}", ran.stderr);
}

#[test]
fn doctor_looks_at_pulumi_as_a_run_would() {
    let drill = Drill::steady();
    let folder = drill.folder.path();
    let script = folder.join("old-pulumi");
    std::fs::write(&script, "#!/bin/sh\necho v3.46.1\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let found = |pulumi: &std::path::Path| {
        let mut command = drill.command("a", &["doctor", "--json"]);
        let report = Ran::of(command.env("TAPCTL_PULUMI", pulumi).output().unwrap()).ended(0).json();
        report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "pulumi").unwrap().clone()
    };
    let old = found(&script);
    assert_eq!(old["health"], "warn", "only runs need it");
    assert!(old["found"].as_str().unwrap().contains("version 3.46.1"), "{old}");
    assert!(old["mend"].as_str().unwrap().contains("newer Pulumi CLI"), "{old}");
    let none = found(&folder.join("nowhere"));
    assert!(none["found"].as_str().unwrap().contains("nowhere is not a program"), "{none}");
    assert!(none["mend"].as_str().unwrap().contains("TAPCTL_PULUMI"), "{none}");
}

#[test]
fn what_pulumi_does_not_get_is_named_by_doctor_and_where_pulumi_fails() {
    let drill = Drill::steady();
    let script = drill.folder.path().join("pulumi-that-fails");
    std::fs::write(&script, "#!/bin/sh\n[ \"$1\" = version ] || exit 1\necho v3.255.0\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = |line: &[&str]| {
        let mut command = drill.command("a", line);
        command.env("TAPCTL_PULUMI", &script).env("INNER_KEY_HELPER", "of-no-concern").env("TAPCTL_STACK", "prod");
        command.env("TAPCTL_PULUMI_DIR", drill.folder.path());
        Ran::of(command.output().unwrap())
    };
    let report = ran(&["doctor", "--json"]).ended(0);
    let report = report.json();
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "environment").unwrap();
    let failed = ran(&["preview"]).ended(7).stderr;
    for said in [check["found"].as_str().unwrap(), &failed] {
        assert!(said.contains("INNER_KEY_HELPER") && said.contains("TAPCTL_PASS_ENV=NAME,NAME"), "{said}");
        assert!(!said.contains("of-no-concern"), "{said}");
    }
}

#[test]
fn what_is_generated_is_generated_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let bash = Ran::of(tapctl(folder.path(), &["completions", "bash"]).output().unwrap()).ended(0);
    assert!(bash.stdout.contains("--legacy-region"));
    let man = Ran::of(tapctl(folder.path(), &["man"]).output().unwrap()).ended(0);
    assert!(man.stdout.contains(".TH tapctl"));
}

#[test]
fn watching_prints_one_object_after_another_until_it_is_interrupted() {
    let drill = Drill::start(&["--speed", "10"]);
    let mut watch = drill
        .command("a", &["status", "--watch", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let times: Vec<String> = lines
        .take(3)
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()["at"].as_str().unwrap().to_owned())
        .collect();
    assert!(times.is_sorted() && times[0] < times[2], "{times:?}");
    let listed = drill.calls("cloudwatch:GetMetricData");
    assert!(listed < 6, "metrics are not asked with every snapshot: {listed}");
    rustix::process::kill_process(rustix::process::Pid::from_child(&watch), rustix::process::Signal::INT).unwrap();
    assert_eq!(watch.wait().unwrap().code(), Some(0));
}

#[test]
fn pulumi_gets_the_secrets_that_are_for_it_and_no_others() {
    use std::os::unix::fs::PermissionsExt;
    let drill = Drill::steady();
    let (program, bin) = (drill.folder.path().join("program"), drill.folder.path().join("bin"));
    std::fs::create_dir(&program).unwrap();
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(program.join("Pulumi.yaml"), "name: tap\nruntime: python\n").unwrap();
    let (seen, outputs) = (drill.folder.path().join("seen"), drill.outputs.display());
    let script = format!(
        "#!/bin/sh\nenv | sed \"s/^/$1 /\" >> {seen}\ncase \"$*\" in\n*'stack output'*) cat {outputs};;\n\
         *'stack ls'*) echo '[{{\"name\":\"prod\",\"current\":true}}]';;\n*) echo v3.255.0;;\nesac\n",
        seen = seen.display()
    );
    std::fs::write(bin.join("pulumi"), script).unwrap();
    std::fs::set_permissions(bin.join("pulumi"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = drill.command("a", &["doctor"]);
    command.env_remove("TAPCTL_OUTPUTS").env("TAPCTL_PULUMI_DIR", &program);
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    command.env("SLACK_TOKEN", "not-for-pulumi").env("PULUMI_ACCESS_TOKEN", "for-pulumi");
    command.output().unwrap();
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("stack PULUMI_ACCESS_TOKEN=for-pulumi"), "{seen}");
    assert!(seen.contains("version PATH=") && !seen.contains("version PULUMI_ACCESS_TOKEN"), "{seen}");
    assert!(!seen.contains("SLACK_TOKEN"), "{seen}");
}

#[test]
fn doctor_proves_that_the_state_folder_can_be_written_and_says_what_it_means_when_it_cannot() {
    let drill = Drill::steady();
    drill.run("status").ended(0);
    let state = |ran: &Ran| {
        let checks = ran.json()["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == "state").unwrap()
    };
    assert_eq!(state(&drill.run("doctor --json"))["health"], "ok");
    let files = || std::fs::read_dir(drill.state_of("a")).unwrap().count();
    let before = files();
    // A quota of nothing: what cannot be written any more fails as it does on a disk that is full.
    let doctor = drill.command("a", &["doctor", "--json"]);
    let mut limited = std::process::Command::new("sh");
    limited.env_clear().args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
    limited.arg(doctor.get_program()).args(doctor.get_args()).current_dir(drill.folder.path());
    limited.envs(doctor.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = Ran::of(limited.output().unwrap());
    let state = state(&ran);
    assert_eq!((ran.code, &state["health"]), (1, &Value::from("fail")), "{state}");
    let (found, mend) = (state["found"].as_str().unwrap(), state["mend"].as_str().unwrap());
    assert!(found.contains("cannot be written") && found.contains("neither forward nor back"), "{state}");
    assert!(mend.contains("TAPCTL_STATE_DIR"), "{state}");
    assert_eq!(files(), before, "nothing is left of the proof");
}
