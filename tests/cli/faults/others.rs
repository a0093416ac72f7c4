//! What no table of calls holds: kills at any instant, two commands at once, and hostile texts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::drill::{Drill, Ran};
use crate::support::process::{Process, until};
use crate::support::way::{Call, Fate, LIST, WRITE, Way, advance, state};

/// A section of the document: what was tried, how often, and what of it broke a promise.
pub(super) struct Section {
    pub(super) name: String,
    pub(super) tried: usize,
    pub(super) what_held: &'static str,
    pub(super) broken: Vec<String>,
}

fn changes(drill: &Drill) -> usize {
    state(&drill.endpoint)["traffic"]["changes"].as_array().unwrap().len()
}

/// How many changes of the records the journal of this host calls made; an intent that stays open is told.
fn told(drill: &Drill, host: &str, broken: &mut Vec<String>) -> usize {
    for wait in [2, 400] {
        drill.advance(wait);
        let ran = Ran::of(drill.command(host, &["status", "--json"]).output().unwrap());
        if ran.code != 0 {
            broken.push(format!("the next `status` ends with {}: {}", ran.code, ran.stderr));
        }
    }
    let ran = Ran::of(drill.command(host, &["journal", "--json"]).output().unwrap());
    let entries: Vec<Value> = if ran.code == 0 { ran.json()["entries"].as_array().unwrap().clone() } else { vec![] };
    let mut made = 0;
    for intent in entries.iter().filter(|entry| entry["event"] == "intent" || entry["event"] == "zone_intent") {
        let outcome = entries.iter().rev().find(|entry| entry["event"] == "outcome" && entry["id"] == intent["id"]);
        match outcome.and_then(|entry| entry["result"].as_str()) {
            Some("accepted" | "settled_applied") => made += 1,
            Some(_) => {}
            None => broken.push("an intent stays open for good".to_owned()),
        }
    }
    made
}

fn is_back(drill: &Drill, broken: &mut Vec<String>) {
    drill.advance(60);
    let back = drill.run("rollback --yes --json");
    let traffic = &state(&drill.endpoint)["traffic"];
    let is_back = traffic["record"] != "weighted" || traffic["new_weight"] == 0;
    if (back.code != 0 && !back.stdout.contains("change_batch")) || !is_back {
        broken.push(format!("the way back ends with {}: {} {}", back.code, back.stdout, back.stderr));
    }
}

/// The change on this line killed when so many milliseconds have passed.
pub(super) fn killed_after(line: &str, before: &[&str], milliseconds: u64) -> Vec<String> {
    let drill = Drill::steady();
    for line in before {
        drill.run(line).ended(0);
        drill.advance(90);
        drill.run("status").ended(0);
        drill.advance(3600);
    }
    let args: Vec<&str> = line.split(' ').collect();
    let process = Process::start(drill.command("a", &args));
    std::thread::sleep(Duration::from_millis(milliseconds));
    process.kill();
    let mut broken = Vec::new();
    let made = changes(&drill);
    let told = told(&drill, "a", &mut broken);
    if made != told {
        broken.push(format!("the journal tells of {told} changes that were made, and {made} were"));
    }
    is_back(&drill, &mut broken);
    broken.into_iter().map(|why| format!("{line} killed after {milliseconds} ms: {why}")).collect()
}

/// Two commands at once, on one host or on two. The first is held at a call of its own while the second does all its work.
pub(super) struct Race {
    pub(super) first: &'static str,
    pub(super) second: &'static str,
    pub(super) two_hosts: bool,
    /// The call at which the first is held, counted by its operation.
    pub(super) at: (&'static str, usize),
}

const LINES: [&str; 5] = [
    "shift --step +10 --yes --json",
    "shift --to 5 --yes --json",
    "rollback --yes --json",
    "release --to legacy --yes --json",
    "evacuate --reason drill --yes --confirm prod --json",
];

const HELD_AT: [(&str, usize); 4] = [(LIST, 1), (LIST, 2), ("DescribeServices", 1), (WRITE, 1)];

pub(super) fn races() -> Vec<Race> {
    let mut races = Vec::new();
    for first in LINES {
        for second in LINES {
            for two_hosts in [false, true] {
                races.extend(HELD_AT.map(|at| Race { first, second, two_hosts, at }));
            }
        }
    }
    races
}

impl Race {
    pub(super) fn play(&self) -> Vec<String> {
        let drill = Drill::steady();
        let second_host = if self.two_hosts { "b" } else { "a" };
        let ran: Arc<Mutex<Option<Ran>>> = Arc::default();
        let mut command = drill.command(second_host, &self.second.split(' ').collect::<Vec<_>>());
        let (at, sim, again, kept) = (self.at, drill.endpoint.clone(), drill.endpoint.clone(), Arc::clone(&ran));
        let second = Arc::new(Mutex::new(Some(move || {
            advance(&sim, 2);
            let came = Ran::of(command.output().unwrap());
            advance(&sim, 2);
            *kept.lock().unwrap() = Some(came);
        })));
        let held = Arc::clone(&second);
        let way = Way::to(
            &drill.endpoint,
            Arc::new(move |call: &Call| {
                let comes = call.operation == at.0 && call.nth == at.1;
                if let Some(mut second) = comes.then(|| held.lock().unwrap().take()).flatten() {
                    second();
                }
                if call.operation == "GetChange" {
                    advance(&again, 60);
                }
                Fate::Goes
            }),
        );
        let mut first = drill.command("a", &self.first.split(' ').collect::<Vec<_>>());
        first.env("TAPCTL_ENDPOINT_URL", &way.endpoint);
        let (first, _) = Process::start(first).ended();
        // The first may never come to that call, or give up waiting for its answer.
        let not_yet = second.lock().unwrap().take();
        if let Some(mut second) = not_yet {
            second();
        }
        until("the end of the second command", || ran.lock().unwrap().is_some().then_some(()));
        way.end();
        let mut broken = Vec::new();
        let winners = std::iter::once(&first).chain(&*ran.lock().unwrap()).filter(|ran| says_made(ran)).count();
        let made = changes(&drill);
        if winners != made {
            broken.push(format!("{winners} commands say that they made a change, and {made} were made"));
        }
        let mut counted = told(&drill, "a", &mut broken);
        if self.two_hosts {
            counted += told(&drill, "b", &mut broken);
        }
        if counted != made {
            broken.push(format!("the journals tell of {counted} changes that were made, and {made} were"));
        }
        is_back(&drill, &mut broken);
        let name = format!("{} beside {} at {:?}, two hosts: {}", self.first, self.second, self.at, self.two_hosts);
        broken.into_iter().map(|why| format!("{name}: {why}\n{}\n{}", first.stdout, first.stderr)).collect()
    }
}

fn says_made(ran: &Ran) -> bool {
    let said: Value = serde_json::from_str(ran.stdout.trim_end()).unwrap_or_default();
    matches!(said["result"].as_str(), Some("accepted" | "settled" | "insync"))
        || said["error"]["message"].as_str().is_some_and(|words| {
            words.contains("was accepted and stays") || words.contains("are not what was confirmed")
        })
}

/// Texts that would do something to a terminal, to a log or to whoever reads them.
const HOSTILE: [(&str, &str); 8] = [
    ("clears the screen", "\u{1b}[2J\u{1b}[H"),
    ("writes the clipboard", "\u{1b}]52;c;ZXZpbA==\u{7}"),
    ("8-bit control", "\u{9b}2J"),
    ("forges a line", "\n  pass replication-lag: 0 s"),
    ("carriage return", "\rpass"),
    ("right to left", "\u{202e}ssap"),
    ("invisible", "a\u{200b}\u{2060}b"),
    ("tag letters", "\u{e0070}\u{e0061}"),
];

const LOOKS: [&str; 6] = ["status", "status --json", "gates", "report", "doctor", "runbook"];

/// Each text in the place of the name's own in every answer that holds it, and in the outputs.
pub(super) fn hostile() -> Section {
    let (mut tried, mut broken) = (0, Vec::new());
    for (what, text) in HOSTILE {
        let drill = Drill::steady();
        drill.alter_outputs(|outputs| {
            outputs["dashboardName"] = Value::from(format!("dashboard{text}"));
            outputs["environmentSuffix"] = Value::from(format!("prod{text}"));
        });
        drill.write_journal(&[serde_json::json!({
            "at": "2026-11-22T12:00:00Z", "operator": format!("me{text}"), "host": format!("here{text}"), "event": "note",
            "text": format!("note{text}"),
        })]);
        let way = Way::to(&drill.endpoint, Arc::new(move |call| soiled(call, text)));
        for line in LOOKS {
            let mut command = drill.command("a", &line.split(' ').collect::<Vec<_>>());
            command.env("TAPCTL_ENDPOINT_URL", &way.endpoint);
            let ran = Ran::of(command.output().unwrap());
            tried += 1;
            let is_unfit = |c: char| c != '\n' && tapctl::domain::text::is_unfit(c);
            if let Some(found) = ran.stdout.chars().chain(ran.stderr.chars()).find(|c| is_unfit(*c)) {
                broken.push(format!("{what}: {line} prints {found:?}"));
            }
            if ran.stdout.lines().chain(ran.stderr.lines()).any(|line| line == "  pass replication-lag: 0 s") {
                broken.push(format!("{what}: {line} prints a line that nobody wrote"));
            }
        }
        way.end();
    }
    let what_held = "nothing of it reached the output";
    Section { name: "Hostile texts in answers, outputs and journal, by command".to_owned(), tried, what_held, broken }
}

fn soiled(call: &Call, text: &'static str) -> Fate {
    match call.operation.as_str() {
        "DescribeAlarms" | "GetMetricData" => Fate::Goes,
        "DescribeReplicationTasks" | "DescribeTableStatistics" | "DescribeServices" | "DescribeTasks" => {
            Fate::Soiled("migration-", text, |c| {
                let spelt = |text: String, unit: &u16| text + &format!("\\u{unit:04x}");
                c.encode_utf16(&mut [0; 2]).iter().fold(String::new(), spelt)
            })
        }
        _ => Fate::Soiled("elb", text, |c| format!("&#{};", u32::from(c))),
    }
}
