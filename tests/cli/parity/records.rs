//! Every change of records by keys and by its command: the same calls to Route 53, the same journal, the same sentences.
//!
//! The keys go through the real cockpit on a terminal, the command through a pipe, each on a host and in a world of its
//! own that begin alike. What differs between two nights is left out: instants, names of runs and of changes.

use std::process::Command;

use serde_json::Value;

use crate::drill::{Drill, Ran};
use crate::support::terminal::Terminal;
use crate::support::wire::Wire;

/// What a person does at the cockpit.
enum Act {
    /// Waits until this stands on the screen.
    Shown(&'static str),
    /// Presses these keys, one after the other.
    Press(&'static str),
}

use Act::{Press, Shown};

/// One row of the table.
struct Change {
    name: &'static str,
    /// Commands that bring both worlds to where the change is possible.
    before: &'static [&'static str],
    keys: &'static [Act],
    command: &'static str,
    /// Events that it leaves in the journal, in order.
    events: &'static [&'static str],
}

const GO: Act = Shown("GO");
const ASKED: Act = Shown("any other key");
const SAID_YES: Act = Press("y");

const OF_TRAFFIC: &[Change] = &[
    Change {
        name: "a step forward",
        before: &[],
        keys: &[GO, Press("]"), ASKED, SAID_YES, Shown("PENDING")],
        command: "shift --step +10 --yes",
        events: &["intent", "outcome"],
    },
    Change {
        name: "the way back",
        before: &["shift --to 10 --yes"],
        keys: &[Shown("10 % new"), Press("R"), ASKED, SAID_YES, Shown("10 % → 0 %")],
        command: "rollback --yes",
        events: &["intent", "outcome"],
    },
    Change {
        name: "a share that is typed",
        before: &[],
        keys: &[GO, Press("="), Shown("percent 0 to 100"), Press("5\r"), ASKED, SAID_YES, Shown("PENDING")],
        command: "shift --to 5 --yes",
        events: &["intent", "outcome"],
    },
];

/// One host in a world of its own.
struct Night {
    drill: Drill,
    wire: Wire,
}

impl Night {
    fn new(drill: Drill, before: &[&str]) -> Self {
        let wire = Wire::to(&drill.endpoint);
        let night = Self { drill, wire };
        for line in before {
            Ran::of(night.command(line).output().unwrap()).ended(0);
            night.drill.advance(90);
        }
        night
    }

    fn command(&self, line: &str) -> Command {
        let args: Vec<&str> = line.split_whitespace().collect();
        let mut command = self.drill.command("a", &args);
        command.env("TAPCTL_ENDPOINT_URL", &self.wire.endpoint);
        command
    }

    fn at_the_keyboard(&self, keys: &[Act]) {
        let mut cockpit = Terminal::open(&self.command(""));
        for act in keys {
            match act {
                Shown(words) => cockpit.until_shown(words),
                Press(keys) => cockpit.press(keys),
            }
        }
        cockpit.press("q");
        let (status, text) = cockpit.end();
        assert!(status.success(), "{text}");
    }

    /// How the name is answered, and with which weights.
    fn records(&self) -> [Value; 3] {
        let traffic = &self.drill.state()["traffic"];
        ["record", "legacy_weight", "new_weight"].map(|key| traffic[key].clone())
    }

    /// The journal without what differs between two nights.
    fn journal(&self) -> Vec<Value> {
        let journal = Ran::of(self.command("journal --json").output().unwrap()).ended(0).json();
        let mut entries = journal["entries"].as_array().unwrap().clone();
        entries.iter_mut().for_each(nameless);
        // What watching adds is no part of the change.
        entries.retain(|entry| entry["event"] != "seen" && entry["event"] != "insync");
        entries
    }
}

/// Takes instants, sequence numbers, hashes and names of changes out.
fn nameless(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for key in ["at", "aws_at", "id", "seq", "prev", "change", "submitted_at", "token", "run"] {
                fields.remove(key);
            }
            fields.values_mut().for_each(nameless);
        }
        Value::Array(values) => values.iter_mut().for_each(nameless),
        Value::String(text) => {
            let words: Vec<&str> =
                text.split(' ').map(|word| if word.starts_with("/change/") { "/change/" } else { word }).collect();
            *text = words.join(" ");
        }
        _ => {}
    }
}

fn is_the_same(change: &Change, by_keys: &Night, by_command: &Night, before: [usize; 2]) {
    let name = change.name;
    let writes = |night: &Night, before: usize| night.wire.writes().split_off(before);
    let (keys, command) = (writes(by_keys, before[0]), writes(by_command, before[1]));
    assert_eq!(keys, command, "{name}: calls");
    assert_eq!(keys.len(), 1, "{name}: one batch");
    assert_eq!(by_keys.records(), by_command.records(), "{name}: records");
    let (keys, command) = (by_keys.journal(), by_command.journal());
    assert_eq!(keys, command, "{name}: journal");
    let events: Vec<&str> = keys.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert!(events.ends_with(change.events), "{name}: {events:?}");
}

#[test]
fn every_change_of_weights_is_the_same_by_keys_and_by_its_command() {
    for change in OF_TRAFFIC {
        let nights = [Night::new(Drill::steady(), change.before), Night::new(Drill::steady(), change.before)];
        let before = [&nights[0], &nights[1]].map(|night| night.wire.writes().len());
        let [by_keys, by_command] = &nights;
        by_keys.at_the_keyboard(change.keys);
        Ran::of(by_command.command(change.command).output().unwrap()).ended(0);
        is_the_same(change, by_keys, by_command, before);
    }
}

const NAME_ASKED: Act = Shown("Esc leaves it");
const NAME_TYPED: Act = Press("app.example.com\r");

const OF_THE_ZONE: &[Change] = &[
    Change {
        name: "release",
        before: &[],
        keys: &[GO, Press("5E"), NAME_ASKED, NAME_TYPED, Shown("accepted")],
        command: "release --to legacy --yes",
        events: &["zone_intent", "outcome"],
    },
    Change {
        name: "adopt",
        before: &["release --to legacy --yes"],
        keys: &[Shown("simple record"), Press("5A"), NAME_ASKED, NAME_TYPED, Shown("accepted")],
        command: "adopt --yes",
        events: &["zone_intent", "outcome"],
    },
];

#[test]
fn every_change_of_the_zone_is_the_same_by_keys_and_by_its_command() {
    for change in OF_THE_ZONE {
        let nights = [Night::new(Drill::steady(), change.before), Night::new(Drill::steady(), change.before)];
        let before = [&nights[0], &nights[1]].map(|night| night.wire.writes().len());
        let [by_keys, by_command] = &nights;
        by_keys.at_the_keyboard(change.keys);
        Ran::of(by_command.command(change.command).output().unwrap()).ended(0);
        is_the_same(change, by_keys, by_command, before);
    }
}

/// Weights that somebody else has set are taken as the baseline by keys alone; no command does so yet.
#[test]
fn weights_that_are_taken_as_the_baseline_are_noted_and_nothing_is_sent() {
    let night = Night::new(Drill::steady(), &[]);
    Ran::of(night.drill.command("b", &["shift", "--to", "10", "--yes"]).output().unwrap()).ended(0);
    night.at_the_keyboard(&[Shown("not from here"), Press("a"), ASKED, SAID_YES, Shown("as confirmed")]);
    assert_eq!(night.wire.writes(), Vec::<String>::new());
    let journal = night.journal();
    assert_eq!(journal.last().unwrap()["event"], "accepted", "{journal:#?}");
}
