//! The real binary against the simulator: what scripts rely on.
//!
//! Every test starts its own `tapctl sim` on a free port and works in its own folders. Nothing here sleeps: the
//! simulator's clock is moved instead, and what has to be waited for is asked for until it is there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by a panic")]

mod broken;
mod contradictions;
mod crashes;
mod destroy;
mod dns;
mod endpoints;
mod faults;
mod foreign;
mod job;
mod looking;
mod moving;
mod names;
mod nothing_left;
mod parity;
mod profiles;
mod promises;
mod runbook;
mod script;
mod state_folder;
mod terminal;
mod two_processes;
mod two_processes_pulumi;
mod zone;

#[path = "../pulumi_runs/mod.rs"]
mod pulumi_runs;
#[path = "../support/mod.rs"]
mod support;

use support::drill;
