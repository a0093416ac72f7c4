//! Two processes on one state folder: one that holds the turn and does not go on, and every change beside it.
//!
//! The holder is stopped by SIGSTOP while its call is held, as a suspended terminal leaves it. Whoever comes second ends
//! within ten seconds and names the holder; the way back goes on; readers never wait.

use std::process::Command;
use std::time::Duration;

use crate::drill::{Drill, Ran};
use crate::support::process::Process;
use crate::support::wire::{Hold, Wire};

/// Any command beside a held turn ends within this time.
pub(crate) const BOUND: Duration = Duration::from_secs(10);
/// A machine under load may start a process late; the bound itself is tapctl's own.
pub(crate) const SLACK: Duration = Duration::from_secs(20);

/// A step that has the turn and is stopped in the middle of its call.
pub(crate) struct Holder {
    process: Process,
    wire: Wire,
}

impl Holder {
    fn start(drill: &Drill) -> Self {
        Self::with(drill.command("a", &["shift", "--step", "+10", "--yes"]), drill)
    }

    pub(crate) fn with(mut command: Command, drill: &Drill) -> Self {
        let wire = Wire::to(&drill.endpoint);
        wire.hold("<ChangeResourceRecordSetsRequest", Hold::Request);
        command.env("TAPCTL_ENDPOINT_URL", &wire.endpoint);
        let process = Process::start(command);
        wire.until_held();
        process.stop();
        Self { process, wire }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Killed, and its call reaches nobody.
    pub(crate) fn gone(self) {
        self.process.kill();
        self.wire.drop_it();
    }
}

/// A command and how long it took.
fn ran(drill: &Drill, line: &str) -> (Ran, Duration) {
    let args: Vec<&str> = line.split_whitespace().collect();
    Process::start(drill.command("a", &args)).ended()
}

#[test]
fn a_change_beside_a_stopped_holder_ends_in_time_and_names_it() {
    let drill = Drill::steady();
    let holder = Holder::start(&drill);
    let pid = holder.id().to_string();
    // The first two are refused by what is open; the last ones step over that, and wait for their turn.
    let over = "--override dns-settled --reason drill --override bake --reason drill --override drift --reason drill";
    let evacuate = "evacuate --reason drill --yes --confirm prod";
    for line in ["shift --to 5 --yes", "release --to legacy --yes", &format!("shift --to 5 --yes {over}"), evacuate] {
        let (ran, took) = ran(&drill, line);
        assert_ne!(ran.code, 0, "{line}: {}", ran.stdout);
        assert!(ran.stderr.contains(&pid) && ran.stderr.contains("stopped"), "{line}: {}", ran.stderr);
        assert!(took < BOUND + SLACK, "{line}: {took:?}");
    }
    assert_eq!(drill.weights(), (100, 0));
}

#[test]
fn the_way_back_goes_on_beside_a_stopped_holder() {
    let drill = Drill::steady();
    drill.run("shift --to 10 --yes").ended(0);
    drill.advance(45);
    drill.run("status").ended(0);
    drill.advance(3600);
    let holder = Holder::start(&drill);
    let (ran, took) = ran(&drill, "rollback --yes");
    let ran = ran.ended(0);
    assert!(took < BOUND + SLACK, "{took:?}: {}", ran.stderr);
    assert_eq!(drill.weights(), (100, 0));
    holder.gone();
    // What was noted beside the holder is part of the journal.
    let events = drill.events();
    assert!(events.iter().filter(|event| *event == "outcome").count() >= 2, "{events:?}");
}

#[test]
fn whoever_only_reads_never_waits() {
    let drill = Drill::steady();
    let _holder = Holder::start(&drill);
    for line in ["status", "gates", "journal", "report", "runbook", "iam-policy"] {
        let (ran, took) = ran(&drill, line);
        assert!(took < BOUND, "{line}: {took:?}");
        assert!(ran.code == 0 || ran.code == 3, "{line}: {}\n{}", ran.code, ran.stderr);
    }
}
