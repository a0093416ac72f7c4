//! Where requests go: every way in which AWS's tools are told is obeyed, what is not AWS is shown, and nothing is
//! changed in two places at once.

use std::process::Command;

use serde_json::Value;

use crate::drill::{Drill, Ran, tapctl};
use crate::profiles::Listener;

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "ENVKEY"), ("AWS_SECRET_ACCESS_KEY", "s")];

/// A command on the scenario's stack that nobody has told where to go.
fn command(drill: &Drill, line: &str) -> Command {
    let args: Vec<&str> = line.split_whitespace().collect();
    let mut command = tapctl(drill.folder.path(), &args);
    command.env("TAPCTL_OUTPUTS", &drill.outputs).env("TAPCTL_STATE_DIR", drill.state_of("a"));
    // Whatever would leave this host ends at a port where nobody listens.
    command.env("HTTPS_PROXY", "http://127.0.0.1:9");
    command
}

fn run(drill: &Drill, line: &str, env: &[(&str, &str)]) -> Ran {
    Ran::of(command(drill, line).envs(env.iter().copied()).output().unwrap())
}

/// Where `status --json` says that a service's requests go.
fn place(status: &Value, service: &str) -> Value {
    let rows = status["endpoints"].as_array().unwrap();
    rows.iter().find(|row| row["service"] == service).map_or(Value::Null, |row| row["host"].clone())
}

#[test]
fn a_simulator_is_known_for_one_however_it_is_named() {
    let drill = Drill::steady();
    let port = drill.endpoint.rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "127.1", "0x7f000001", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{port}");
        let ran = run(&drill, "status", &[("AWS_ENDPOINT_URL", &url)]).ended(0);
        assert!(ran.stdout.contains("SIMULATION steady"), "{url}: {}", ran.stdout);
        assert!(!ran.stdout.contains("ENDPOINT"), "{url}: {}", ran.stdout);
    }
    let services = ["ROUTE_53", "STS", "DATABASE_MIGRATION_SERVICE", "ECS", "ELASTIC_LOAD_BALANCING", "CLOUDWATCH"];
    let mut names: Vec<String> = services.iter().map(|name| format!("AWS_ENDPOINT_URL_{name}")).collect();
    names.push("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2".to_owned());
    let each: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), drill.endpoint.as_str())).collect();
    let status = run(&drill, "status --json", &each).ended(0).json();
    assert_eq!(status["simulation"], "steady", "{status}");
    run(&drill, "shift --step +10 --yes", &each).ended(0);

    let folder = drill.folder.path().join(".aws");
    std::fs::create_dir_all(&folder).unwrap();
    let global =
        format!("[profile a]\nendpoint_url = {0}\naws_access_key_id = K\naws_secret_access_key = s\n", drill.endpoint);
    std::fs::write(folder.join("config"), global).unwrap();
    assert_eq!(run(&drill, "--profile a status --json", &[]).ended(0).json()["simulation"], "steady");
}

#[test]
fn the_variable_of_a_service_goes_before_the_one_for_all_and_two_places_are_not_mixed() {
    let (drill, a) = (Drill::steady(), Listener::aws());
    let env =
        [KEYS[0], KEYS[1], ("AWS_ENDPOINT_URL", a.endpoint.as_str()), ("AWS_ENDPOINT_URL_ROUTE_53", &drill.endpoint)];
    let status = run(&drill, "status --json", &env).ended(0).json();
    assert_eq!(status["traffic"]["legacy_weight"], 100, "Route 53 answers at the drill");
    assert_eq!(place(&status, "route53"), *drill.endpoint.trim_start_matches("http://"));
    assert_eq!(place(&status, "dms"), *a.endpoint.trim_start_matches("http://"));
    assert_eq!(status["simulation"], Value::Null);
    assert!(!a.requests().iter().any(|line| line.contains("/2013-04-01/")), "{:?}", a.requests());
    let text = run(&drill, "status", &env).ended(0).stdout;
    assert!(text.contains("ENDPOINT 127.0.0.1:") && !text.contains("SIMULATION"), "{text}");
    for line in ["shift --step +10 --yes --json", "rollback --yes --json", "adopt --yes --json"] {
        let error = run(&drill, line, &env).ended(1).json()["error"].clone();
        assert_eq!(error["code"], "endpoints", "{line}: {error}");
        assert!(error["hint"].as_str().unwrap().contains("AWS_ENDPOINT_URL"), "{error}");
    }
    let other = Drill::steady();
    let two = [("AWS_ENDPOINT_URL", drill.endpoint.as_str()), ("AWS_ENDPOINT_URL_ROUTE_53", &other.endpoint)];
    let error = run(&drill, "shift --step +10 --yes --json", &two).ended(1).json()["error"].clone();
    assert_eq!(error["code"], "endpoints", "two simulators are two places");
    let half = [("AWS_ENDPOINT_URL_ROUTE_53", drill.endpoint.as_str()), KEYS[0], KEYS[1]];
    let error = run(&drill, "shift --step +10 --yes --json", &half).ended(1).json()["error"].clone();
    assert_eq!(error["code"], "endpoints", "half of it would be AWS");
    let flag = format!("--endpoint-url {} shift --step +10 --yes", drill.endpoint);
    run(&drill, &flag, &two).ended(0);
    assert_eq!((drill.weights(), other.weights()), ((90, 10), (100, 0)), "the flag goes for all");
}

#[test]
fn configured_endpoints_are_left_alone_where_aws_is_told_to_ignore_them() {
    let (drill, a) = (Drill::steady(), Listener::aws());
    let env = [
        KEYS[0],
        KEYS[1],
        ("AWS_ENDPOINT_URL", a.endpoint.as_str()),
        ("AWS_ENDPOINT_URL_ROUTE_53", &a.endpoint),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ];
    run(&drill, "status --json", &env).ended(6);
    assert_eq!(a.everything(), 0, "not even whether it is a simulator");
}

#[test]
fn a_configuration_that_cannot_be_read_is_no_configuration_without_read_only() {
    let drill = Drill::steady();
    // A folder stands in for a file without rights, which the superuser could read all the same.
    std::fs::create_dir_all(drill.folder.path().join(".config/tapctl/config.toml")).unwrap();
    let error = drill.run("rollback --yes --json").ended(1).json()["error"].clone();
    assert_eq!(error["code"], "configuration");
    assert!(error["message"].as_str().unwrap().contains("config.toml"), "{error}");
}

#[test]
fn read_only_changes_nothing_and_says_why() {
    let drill = Drill::steady();
    for line in ["shift --to 10 --yes --json", "rollback --yes --json", "release --to legacy --yes --json"] {
        let error = drill.run(&format!("{line} --read-only")).ended(5).json()["error"].clone();
        assert_eq!(error["code"], "read_only", "{line}");
    }
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 0);
}
