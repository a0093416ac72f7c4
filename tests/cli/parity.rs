//! Every change by keys and by its command: the same calls to Route 53 and Pulumi, the same journal, the same sentences.
//!
//! The keys go through the real cockpit on a terminal, the command through a pipe, each on a host and in a world of its
//! own that begin alike. What differs between two nights is left out: instants, names of runs and of changes.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::drill::{Drill, Ran};
use crate::support::terminal::Terminal;
use crate::support::wire::Wire;
use crate::zone::{on_it, stand_in};

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
        keys: &[GO, Press("="), Shown("share"), Press("5\r"), ASKED, SAID_YES, Shown("PENDING")],
        command: "shift --to 5 --yes",
        events: &["intent", "outcome"],
    },
];

/// One host in a world of its own.
struct Night {
    drill: Drill,
    wire: Wire,
    has_pulumi: bool,
}

impl Night {
    fn new(drill: Drill, before: &[&str]) -> Self {
        let wire = Wire::to(&drill.endpoint);
        let night = Self { drill, wire, has_pulumi: false };
        for line in before {
            Ran::of(night.command(line).output().unwrap()).ended(0);
            night.drill.advance(90);
        }
        night
    }

    fn command(&self, line: &str) -> Command {
        let args: Vec<&str> = line.split_whitespace().collect();
        let mut command = if self.has_pulumi { on_it(&self.drill, line) } else { self.drill.command("a", &args) };
        command.env("TAPCTL_ENDPOINT_URL", &self.wire.endpoint).env("TAPCTL_STACK", "prod");
        command.env("TAPCTL_UNUSED_PER_MIN", "90");
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

    /// What Pulumi was asked to do, without the questions, and without the names of runs.
    fn changing_calls(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.drill.folder.path().join("bin/calls")).unwrap();
        let changes = ["preview", "up ", "refresh", "destroy", "config set", "stack init", "cancel"];
        let of_a_run =
            |word: &str| if word.contains("/runs/") { word.rsplit('/').next().unwrap_or("") } else { word }.to_owned();
        let changing = calls.lines().filter(|line| changes.iter().any(|change| line.starts_with(change)));
        changing.map(|line| line.split(' ').map(of_a_run).collect::<Vec<_>>().join(" ")).collect()
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
            for key in ["at", "id", "seq", "prev", "change", "submitted_at", "token", "run"] {
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
        events: &[],
    },
    Change {
        name: "adopt",
        before: &["release --to legacy --yes"],
        keys: &[Shown("simple record"), Press("5A"), NAME_ASKED, NAME_TYPED, Shown("accepted")],
        command: "adopt --yes",
        events: &[],
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

/// A host with a Pulumi program and the stand-in for Pulumi, whose calls are written down.
fn with_pulumi(scenario: &str, lines: &[&str]) -> Night {
    let drill = Drill::start(&["--scenario", scenario]);
    stand_in(&drill, lines);
    if lines.len() > 1 {
        // What was made anew has to be loaded and compared.
        drill.advance(3600);
    }
    let bin = drill.folder.path().join("bin");
    std::fs::rename(bin.join("pulumi"), bin.join("real-pulumi")).unwrap();
    let (real, log) = (bin.join("real-pulumi"), bin.join("calls"));
    let script = format!("#!/bin/sh\necho \"$*\" >>'{}'\nexec '{}' \"$@\"\n", log.display(), real.display());
    std::fs::write(bin.join("pulumi"), script).unwrap();
    std::fs::set_permissions(bin.join("pulumi"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let wire = Wire::to(&drill.endpoint);
    Night { drill, wire, has_pulumi: true }
}

const STANDS: &[&str] = &["stack init prod", "up --json --stack prod"];
const MADE: &[&str] = &["stack init prod"];

/// One row of the table of what goes through Pulumi.
struct Run {
    name: &'static str,
    scenario: &'static str,
    /// What the stand-in has done before.
    made: &'static [&'static str],
    before: &'static [&'static str],
    keys: &'static [Act],
    command: &'static str,
}

const READY: Act = Shown("Pulumi 3.255.0");

const OF_PULUMI: &[Run] = &[
    Run {
        name: "preview",
        scenario: "steady",
        made: STANDS,
        before: &[],
        keys: &[Press("5"), READY, Press("p"), Shown("preview: succeeded")],
        command: "preview",
    },
    Run {
        name: "refresh",
        scenario: "steady",
        made: STANDS,
        before: &[],
        keys: &[Press("5"), READY, Press("S"), ASKED, SAID_YES, Shown("refresh: succeeded")],
        command: "refresh --yes",
    },
    Run {
        name: "up",
        scenario: "up-fails",
        made: MADE,
        before: &[],
        keys: &[
            Press("5"),
            READY,
            Press("p"),
            Shown("plan: create"),
            Press("u"),
            NAME_ASKED,
            Press("prod\r"),
            Shown("up: succeeded"),
        ],
        command: "up --yes",
    },
    Run {
        name: "destroy",
        scenario: "steady",
        made: STANDS,
        before: &["release --to legacy --yes"],
        keys: &[
            Press("5"),
            READY,
            Press("D"),
            Shown("plan: delete"),
            Press("D"),
            NAME_ASKED,
            Press("prod\r"),
            Shown("destroy: succeeded"),
        ],
        command: "destroy --yes",
    },
    Run {
        name: "a key of the configuration",
        scenario: "steady",
        made: STANDS,
        before: &[],
        keys: &[
            Press("5"),
            READY,
            Press("e"),
            Shown("Configuration of"),
            Press("owner\r"),
            Shown("Enter shows"),
            Press("\u{15}team-b\r"),
            ASKED,
            SAID_YES,
            Shown("was set to"),
        ],
        command: "config set owner team-b --yes",
    },
];

#[test]
fn whatever_goes_through_pulumi_is_the_same_by_keys_and_by_its_command() {
    for run in OF_PULUMI {
        let name = run.name;
        let nights = [(); 2].map(|()| with_pulumi(run.scenario, run.made));
        for night in &nights {
            for line in run.before {
                Ran::of(night.command(line).output().unwrap()).ended(0);
                night.drill.advance(7200);
            }
        }
        let [by_keys, by_command] = &nights;
        by_keys.at_the_keyboard(run.keys);
        Ran::of(by_command.command(run.command).output().unwrap()).ended(0);
        assert_eq!(by_keys.changing_calls(), by_command.changing_calls(), "{name}: calls of Pulumi");
        assert!(!by_keys.changing_calls().is_empty(), "{name}");
        assert_eq!(by_keys.wire.writes(), by_command.wire.writes(), "{name}: calls of AWS");
        assert_eq!(by_keys.journal(), by_command.journal(), "{name}: journal");
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
