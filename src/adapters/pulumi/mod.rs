//! Pulumi as a child process: finds it, starts runs that outlive the terminal, follows, interrupts and re-attaches.
//!
//! ```text
//! find ──> command ──> run ──spawns──> supervisor (our own binary, own session) ──spawns──> pulumi
//!                       │                   │ state.json, atomically                │ events.jsonl, stderr.log
//!                       └──────────── folder: STATE_DIR/runs/ID/ ───────────────────┘
//!                                           │
//!                           follow · interrupt · stack_run (read it, from any process)
//! ```
//!
//! Never kills anything by itself, never shows the value of an environment variable, and never reads a file into memory
//! whole that another process writes.

pub mod ask;
pub mod capture;
pub mod cockpit;
pub mod command;
pub mod find;
pub mod folder;
pub mod follow;
pub mod headless;
pub mod interrupt;
pub mod locks;
pub mod plan_file;
pub mod process;
pub mod project;
pub mod refusing;
pub mod run;
pub mod stack;
mod stop_mark;
pub mod supervisor;

pub use crate::domain::pulumi::ended::{RunEnd, RunStatus};
pub use crate::domain::pulumi::problem::PulumiError;
pub use command::{Invocation, Pulumi};
pub use folder::{RunRecord, Runs};
pub use follow::{Follower, Update};
pub use interrupt::{ForceStop, Interrupted};
pub use run::{Started, StartedBy};

use std::path::Path;

use crate::domain::error::PortError;

/// What the gate `stack-idle` asks: the run that goes on in this state folder, in a few words, or nothing.
///
/// Reads at most [`KEPT_RUNS`](crate::domain::pulumi::KEPT_RUNS) small files, and starts no process.
///
/// # Errors
/// `Storage` when the folder or a run's state cannot be read: then it is not known, and unknown is no.
pub fn stack_run(state_dir: &Path) -> Result<Option<String>, PortError> {
    Ok(Runs::new(state_dir).going_on()?.map(|record| record.summary()))
}
