//! One host in a world of its own, and the way from it to AWS, on which calls are recorded and held.

use std::process::Command;

use serde_json::Value;

use super::drill::{Drill, Ran};
use super::process::Process;
use super::terminal::{Act, Terminal};
use super::wire::{Hold, Wire};

/// Host `a` of a drill, which reaches AWS through a wire.
pub(crate) struct Night {
    pub(crate) drill: Drill,
    pub(crate) wire: Wire,
}

impl Night {
    /// A night on which these commands were run already, each long before the next.
    pub(crate) fn after(before: &[&str]) -> Self {
        let drill = Drill::steady();
        let wire = Wire::to(&drill.endpoint);
        let night = Self { drill, wire };
        for line in before {
            night.run(line).ended(0);
            night.drill.advance(90);
        }
        night
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let args: Vec<&str> = line.split_whitespace().collect();
        let mut command = self.drill.command("a", &args);
        command.env("TAPCTL_ENDPOINT_URL", &self.wire.endpoint);
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        Ran::of(self.command(line).output().unwrap())
    }

    /// A cockpit in which somebody does this, and leaves.
    pub(crate) fn at_the_keyboard(&self, keys: &[Act]) {
        let mut cockpit = Terminal::open(&self.command(""));
        cockpit.does(keys);
        cockpit.leaves();
    }

    /// A command, killed while the call that holds this text is held.
    pub(crate) fn killed_at(&self, line: &str, text: &str, side: Hold) {
        self.wire.hold(text, side);
        let process = Process::start(self.command(line));
        self.wire.until_held();
        process.kill();
    }

    /// How the name is answered, and with which weights.
    pub(crate) fn records(&self) -> [Value; 3] {
        let traffic = &self.drill.state()["traffic"];
        ["record", "legacy_weight", "new_weight"].map(|key| traffic[key].clone())
    }

    /// The journal of host `a`, oldest first; nothing of it goes through the wire.
    pub(crate) fn journal(&self) -> Vec<Value> {
        let journal = self.drill.run("journal --json").ended(0).json();
        journal["entries"].as_array().unwrap().clone()
    }
}
