//! Every change by keys and by its command: the same calls, the same journal, the same sentences.
//!
//! The keys go through the real cockpit on a terminal, the command through a pipe, each on a host and in a world of its
//! own that begin alike. What differs between two nights is left out: instants, names of runs and of changes. A change
//! that has keys alone says why, and a key or a command that is in no table fails the last test here.

mod pulumi;
mod records;

use std::collections::BTreeSet;

use serde_json::Value;
use tapctl::keymap::{Action, KEYMAP};

use crate::drill::{Ran, tapctl};
use crate::support::terminal::Act;

/// What brings a change about beside its keys.
enum Other {
    /// This command.
    Command(&'static str),
    /// Nothing, and why.
    Nothing(&'static str),
}

/// What is waited for before a key counts, and what answers a question.
const GO: Act = Act::Shown("✓ GO");
/// Whoever presses a key before STS has answered is noted by the name on this host.
const WHO: Act = Act::Shown("oncall-role");
const ASKED: Act = Act::Shown("any other key");
const SAID_YES: Act = Act::Press("y");
const NAME_ASKED: Act = Act::Shown("Esc leaves it");

/// Takes instants, sequence numbers, hashes and names of changes out.
fn nameless(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for key in ["at", "aws_at", "id", "seq", "prev", "change", "intent", "submitted_at", "token", "run"] {
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

/// Commands that change nothing outside the state folder.
const ONLY_LOOK: [&str; 16] = [
    "demo",
    "sim",
    "status",
    "gates",
    "attach",
    "journal",
    "report",
    "runbook",
    "doctor",
    "dns",
    "iam-policy",
    "completions",
    "man",
    "help",
    // Of all that it does only making a stack changes something, which is a row of the table.
    "preview",
    "config",
];

/// Names of all commands, as the help lists them.
fn commands() -> BTreeSet<String> {
    let home = tempfile::tempdir().unwrap();
    let help = Ran::of(tapctl(home.path(), &["--help"]).output().unwrap()).ended(0).stdout;
    let listed = help.split_once("Commands:").unwrap().1.split("\n\n").next().unwrap();
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn every_key_and_every_command_that_changes_something_is_in_a_table() {
    let rows: Vec<(&[Act], &Other)> = pulumi::rows().chain(records::rows()).collect();
    let pressed: String = rows
        .iter()
        .flat_map(|(keys, _)| *keys)
        .map(|act| if let Act::Press(keys) = act { *keys } else { "" })
        .collect();
    for binding in KEYMAP.iter().filter(|binding| binding.action.is_mutating() || binding.action == Action::Stop) {
        let is_pressed = binding.keys.iter().any(|key| pressed.contains(&key.label()));
        assert!(is_pressed, "{}: no row presses {}", binding.help, binding.keys[0].label());
    }
    let mut typed: BTreeSet<String> = ONLY_LOOK.map(str::to_owned).into();
    for (_, other) in rows {
        match other {
            Other::Command(line) => {
                typed.insert(line.split(' ').next().unwrap().to_owned());
            }
            Other::Nothing(why) => assert!(why.len() > 20, "a change without a command says why"),
        }
    }
    assert_eq!(commands(), typed, "a command that is in no table, or a table with a command that is none");
}
