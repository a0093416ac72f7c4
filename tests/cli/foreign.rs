//! Text from outside that wants to steer the terminal, forge lines or carry secrets out: every service sends it, files
//! hold it, arguments and the environment bring it. What is looked at is every byte that is printed, drawn and written.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::drill::{Drill, Ran};
use crate::support::terminal::Terminal;

const PASSPHRASE: &str = "hunter2 passphrase/of\"mine";
const PROXY_PASSWORD: &str = "pr0xy-passw0rd";
const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
/// Nothing of these is ever seen.
const NEVER: [&str; 6] = ["hunter2", PROXY_PASSWORD, KEY_ID, "SUPERSECRETPEM", "\u{1b}]52", "\u{202e}"];
const FORGED: &str = "pass     forged-gate";

/// A clipboard escape, a cleared screen, C1, a turned direction, tags, nothing at all, a forged line, secrets, length.
fn dirty() -> String {
    format!(
        "\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2J\u{9b}31m\u{202e}liaf\u{e0041}\u{200b}\r\n{FORGED}\n{PASSPHRASE} \
         http://u:{PROXY_PASSWORD}@proxy {KEY_ID} -----BEGIN PRIVATE KEY-----\nSUPERSECRETPEM\n-----END PRIVATE KEY-----{}",
        "x".repeat(10_000)
    )
}

/// Which fields of an answer are soiled.
#[derive(Clone, Copy, PartialEq)]
enum Soil {
    /// Those that only people read: the decisions stay as they are.
    Words,
    /// Every one that holds text, whatever becomes of the answer.
    Everything,
}

/// Fields that only people read: changing them changes no decision.
const FIELDS: [&str; 12] = [
    "ReplicationTaskIdentifier",
    "StopReason",
    "LastFailureMessage",
    "TableName",
    "SchemaName",
    "MigrationType",
    "rolloutStateReason",
    "message",
    "taskDefinition",
    "serviceName",
    "availabilityZone",
    "StateReason",
];

fn soil(value: &mut Value, key: &str, what: Soil) {
    match value {
        Value::String(text) if what == Soil::Everything || FIELDS.contains(&key) => {
            *text = format!("{}{text}", dirty());
        }
        Value::Object(map) => map.iter_mut().for_each(|(key, value)| soil(value, key, what)),
        Value::Array(items) => items.iter_mut().for_each(|item| soil(item, key, what)),
        _ => {}
    }
}

fn soil_cbor(value: &mut ciborium::Value, key: &str, what: Soil) {
    match value {
        ciborium::Value::Text(text) if what == Soil::Everything || key == "StateReason" => {
            *text = format!("{}{text}", dirty());
        }
        ciborium::Value::Map(map) => {
            for (key, value) in map {
                soil_cbor(value, key.as_text().unwrap_or_default(), what);
            }
        }
        ciborium::Value::Array(items) => items.iter_mut().for_each(|item| soil_cbor(item, key, what)),
        _ => {}
    }
}

/// XML with these words before the text of elements.
fn soil_xml(text: &str, words: &str, what: Soil) -> String {
    if what == Soil::Words {
        return ["Description", "Arn", "ReasonCode"]
            .iter()
            .fold(text.to_owned(), |text, tag| text.replace(&format!("<{tag}>"), &format!("<{tag}>{words}")));
    }
    text.split_inclusive('>').fold(String::new(), |soiled, part| match part.split_once('<') {
        Some((held, _)) if !held.trim().is_empty() => soiled + words + part,
        _ => soiled + part,
    })
}

/// The body of an answer with its words soiled, whichever format it has.
fn soiled(body: &[u8], what: Soil) -> Vec<u8> {
    if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        if value.get("simulator").is_none() {
            soil(&mut value, "", what);
        }
        return value.to_string().into_bytes();
    }
    if let Ok(text) = std::str::from_utf8(body)
        && text.contains('<')
    {
        let words: String = dirty()
            .chars()
            .map(|c| if c.is_alphanumeric() { c.to_string() } else { format!("&#{};", c as u32) })
            .collect();
        return soil_xml(text, &words, what).into_bytes();
    }
    if let Ok(mut value) = ciborium::from_reader::<ciborium::Value, _>(body) {
        soil_cbor(&mut value, "", what);
        let mut bytes = Vec::new();
        ciborium::into_writer(&value, &mut bytes).unwrap();
        return bytes;
    }
    body.to_vec()
}

fn message(stream: &TcpStream) -> (Vec<u8>, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).unwrap_or(0) == 0 || line == b"\r\n" {
            break;
        }
        let text = String::from_utf8_lossy(&line).to_ascii_lowercase();
        if let Some(number) = text.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        } else if !text.starts_with("connection:") {
            head.extend(line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

/// Stands between tapctl and the scenario, and soils every answer.
fn soiling(drill: &Drill, what: Soil) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let drill = drill.endpoint.trim_start_matches("http://").to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let drill = drill.clone();
            std::thread::spawn(move || {
                let (head, body) = message(&client);
                let mut server = TcpStream::connect(drill).unwrap();
                let end = format!("Connection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                server.write_all(&[head, end.into_bytes(), body].concat()).unwrap();
                let (head, body) = message(&server);
                let body = soiled(&body, what);
                let end = format!("Connection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                let mut client = client;
                let _ = client.write_all(&[head, end.into_bytes(), body].concat());
            });
        }
    });
    endpoint
}

fn command(drill: &Drill, endpoint: &str, args: &[&str]) -> Command {
    let mut command = drill.command("a", args);
    command.env("TAPCTL_ENDPOINT_URL", endpoint).env("TAPCTL_LOG_LEVEL", "trace");
    command.env("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE).env("USER", format!("op\u{1b}[2J\n{PASSPHRASE}"));
    command.env("https_proxy", format!("http://me:{PROXY_PASSWORD}@127.0.0.1:9"));
    command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
    command
}

fn run(drill: &Drill, endpoint: &str, args: &[&str]) -> Ran {
    Ran::of(command(drill, endpoint, args).output().unwrap())
}

/// Whether a text holds nothing that it should not, but for what `own` allows.
#[track_caller]
fn assert_clean(name: &str, text: &str, own: fn(char) -> bool) {
    for never in NEVER {
        assert!(!text.contains(never), "{never:?} in {name}: {text:?}");
    }
    assert!(!text.lines().any(|line| line.trim_start().starts_with(FORGED)), "a forged line in {name}: {text}");
    let unfit = |c: &char| tapctl::domain::text::is_unfit(*c) && !own(*c);
    assert_eq!(text.chars().find(unfit), None, "{name}: {text:?}");
}

fn assert_clean_files(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            assert_clean_files(&path);
        } else {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert_clean(&path.display().to_string(), &text, |c| c == '\n');
        }
    }
}

#[test]
fn headless_output_and_files_hold_nothing_that_steers_or_tells() {
    let drill = Drill::steady();
    let endpoint = soiling(&drill, Soil::Words);
    let report = drill.folder.path().join("report.md");
    let reason = dirty().replace('\0', "").chars().take(300).collect::<String>();
    let report_file = report.to_str().unwrap().to_owned();
    let lines: [&[&str]; 13] = [
        &["status"],
        &["status", "--json"],
        &["gates"],
        &["gates", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["shift", "--to", "10", "--yes", "--override", "bake", "--reason", &reason],
        &["rollback", "--yes", "--json"],
        &["journal"],
        &["journal", "--json"],
        &["report"],
        &["runbook"],
        &["report", "--output", &report_file],
    ];
    let mut seen = String::new();
    for args in lines {
        let ran = run(&drill, &endpoint, args);
        seen.push_str(&ran.stdout);
        for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
            assert_clean(&format!("{stream} of {args:?}"), text, |c| c == '\n' || c == '\t');
        }
    }
    assert!(seen.contains("\\x1b]52"), "what came in is written out where it can be seen: {seen}");
    assert_eq!(drill.weights(), (100, 0), "there and back again");
    assert_clean("the report", &std::fs::read_to_string(&report).unwrap(), |c| c == '\n');
    assert_clean_files(&drill.state_of("a"));
}

#[test]
fn whatever_field_of_an_answer_is_foreign_nothing_of_it_steers_or_tells() {
    let drill = Drill::steady();
    drill.run("shift --to 10 --yes").ended(0);
    let endpoint = soiling(&drill, Soil::Everything);
    let mut seen = String::new();
    for line in [
        "status",
        "status --json",
        "gates",
        "gates --json",
        "doctor",
        "doctor --json",
        "rollback --yes",
        "report",
        "runbook",
        "journal",
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let ran = run(&drill, &endpoint, &args);
        for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
            assert_clean(&format!("{stream} of {line}"), text, |c| c == '\n' || c == '\t');
            seen.push_str(text);
        }
    }
    assert!(seen.contains("\\x1b]52"), "some of it is shown, written out: {seen}");
    assert_clean_files(&drill.state_of("a"));
    let mut session = Terminal::open(&command(&drill, &endpoint, &[]));
    for (key, words) in [("4", "Service"), ("3", "Replication"), ("2", "Traffic"), ("6", "Journal"), ("1", "Overview")]
    {
        session.press(key);
        session.until_new(words);
    }
    session.press("q");
    let (_, text) = session.end();
    assert_clean("the terminal", &text, |c| matches!(c, '\u{1b}' | '\n' | '\r' | '\u{7}' | '\u{8}' | '\t'));
}

#[test]
fn a_journal_that_somebody_else_wrote_forges_no_line() {
    let drill = Drill::steady();
    let text: String = dirty().chars().take(2_000).collect();
    drill.write_journal(&[
        json!({"at": "2026-11-22T12:00:00Z", "operator": text, "host": text, "event": "note", "text": text}),
    ]);
    for line in ["journal", "journal --json", "report", "status", "shift --to 10 --yes"] {
        let args: Vec<&str> = line.split(' ').collect();
        let ran = run(&drill, &drill.endpoint, &args);
        assert_clean(line, &format!("{}{}", ran.stdout, ran.stderr), |c| c == '\n' || c == '\t');
    }
}

#[test]
fn arguments_and_outputs_are_taken_for_words() {
    let drill = Drill::steady();
    let bad = dirty();
    for args in [
        vec!["shift", "--to", &bad],
        vec!["--region", &bad, "status"],
        vec!["--endpoint-url", &bad, "status"],
        vec![&bad],
    ] {
        let ran = run(&drill, &drill.endpoint, &args);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert_clean("stderr", &ran.stderr, |c| c == '\n');
    }
    let mut outputs: Value = serde_json::from_str(&std::fs::read_to_string(&drill.outputs).unwrap()).unwrap();
    for key in ["dashboardName", "environmentSuffix", "auroraClusterId", "dashboardUrl"] {
        outputs[key] = bad.clone().into();
    }
    std::fs::write(&drill.outputs, outputs.to_string()).unwrap();
    for line in ["status", "status --json", "doctor", "report", "iam-policy"] {
        let args: Vec<&str> = line.split(' ').collect();
        let ran = run(&drill, &drill.endpoint, &args);
        assert_clean(line, &format!("{}{}", ran.stdout, ran.stderr), |c| c == '\n');
    }
}

#[test]
fn the_cockpit_draws_words_and_its_title_is_one() {
    let drill = Drill::steady();
    let endpoint = soiling(&drill, Soil::Words);
    let mut session = Terminal::open(&command(&drill, &endpoint, &[]));
    for (key, words) in [("4", "\\x1b]52"), ("3", "\\x1b]52"), ("2", "Traffic"), ("6", "Journal"), ("1", "Overview")] {
        session.press(key);
        session.until_new(words);
    }
    session.press("q");
    let (_, text) = session.end();
    // The cockpit's own escapes are what draws it.
    assert_clean("the terminal", &text, |c| matches!(c, '\u{1b}' | '\n' | '\r' | '\u{7}' | '\u{8}' | '\t'));
}
