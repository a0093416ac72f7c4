//! A kill before the intent and after the outcome of a change, and what the next start knows of it.
//!
//! The way to AWS is held, so that the process dies where the test says and not where time leads. The truth is what the
//! simulated Route 53 has; no start may ever tell the contrary, and what cannot be known yet stays open.

use std::process::Child;

use serde_json::Value;

use crate::drill::{Drill, Ran};
use crate::support::wire::{Hold, Wire};

/// A change, what it makes of the records, and what brings the world to where it is possible.
struct Change {
    line: &'static str,
    before: &'static [&'static str],
}

const CHANGES: &[Change] = &[
    Change { line: "shift --step +10 --yes", before: &[] },
    Change { line: "shift --to 5 --yes", before: &[] },
    Change { line: "rollback --yes", before: &["shift --to 10 --yes"] },
    Change { line: "release --to legacy --yes", before: &[] },
    Change { line: "adopt --yes", before: &["release --to legacy --yes"] },
];

struct Night {
    drill: Drill,
    wire: Wire,
}

impl Night {
    fn new(change: &Change) -> Self {
        let drill = Drill::steady();
        for line in change.before {
            drill.run(line).ended(0);
            drill.advance(90);
        }
        let wire = Wire::to(&drill.endpoint);
        Self { drill, wire }
    }

    /// The change, killed while the call that holds this text is held.
    fn killed_at(&self, change: &Change, text: &str, side: Hold) {
        self.wire.hold(text, side);
        let args: Vec<&str> = change.line.split_whitespace().collect();
        let mut command = self.drill.command("a", &args);
        let mut child: Child = command.env("TAPCTL_ENDPOINT_URL", &self.wire.endpoint).spawn().unwrap();
        self.wire.until_held();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The records of the name, as they are.
    fn records(&self) -> Value {
        let traffic = &self.drill.state()["traffic"];
        serde_json::json!([traffic["record"], traffic["legacy_weight"], traffic["new_weight"]])
    }

    /// The next start, which looks and tells.
    fn next_start(&self) -> Ran {
        self.drill.run("status --json").ended(0)
    }

    /// What the journal says of how changes ended, newest last.
    fn outcomes(&self) -> Vec<String> {
        let journal = self.drill.run("journal --json").ended(0).json();
        let outcomes = journal["entries"].as_array().unwrap().iter().filter(|entry| entry["event"] == "outcome");
        outcomes.map(|entry| entry["result"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn killed_before_the_intent_nothing_is_noted_and_nothing_is_made() {
    for change in CHANGES {
        let night = Night::new(change);
        let (records, outcomes) = (night.records(), night.outcomes());
        night.killed_at(change, "/rrset", Hold::Answer);
        night.wire.drop_it();
        assert_eq!(night.records(), records, "{}", change.line);
        night.next_start();
        assert_eq!(night.outcomes(), outcomes, "{}", change.line);
        // And the change can be made after all.
        night.drill.run(change.line).ended(0);
    }
}

#[test]
fn killed_after_the_outcome_the_next_start_follows_the_change() {
    for change in CHANGES.iter().filter(|change| change.line.starts_with("shift") || change.line.starts_with("roll")) {
        let night = Night::new(change);
        let waiting = Change { line: Box::leak(format!("{} --wait", change.line).into_boxed_str()), before: &[] };
        night.killed_at(&waiting, "/change/", Hold::Request);
        night.wire.drop_it();
        assert!(night.outcomes().last().is_some_and(|outcome| outcome == "accepted"), "{:?}", night.outcomes());
        let status = night.next_start().json();
        assert_eq!(status["traffic"]["change"]["status"], "PENDING", "{}", change.line);
    }
}
