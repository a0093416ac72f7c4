//! What the tests of the real binary share; what does the same thing stands here once.
//!
//! | here | for |
//! |---|---|
//! | `drill` | a simulator as a process, hosts with their folders, one command and how it ended |
//! | `stack` | Pulumi's stack beside a simulator: the scenarios' fake Pulumi, its calls recorded and held |
//! | `terminal` | a cockpit or a question on a terminal: keys, and what stands on the screen |
//! | `process` | a process beside the test: stopped, killed, waited for |
//! | `wire` | the way to AWS: writes recorded, a call held before or after it is carried out |
//! | `rows` | a table whose rows are a test each, so that they run side by side |
//! | `locks` | files that are locked, so that a process stands still right before it writes |
//! | `pulumi` | the adapter alone, inside the test's process, with a shell script as Pulumi |
//!
//! Tests inside one process, on virtual time, stand on `tapctl::script::Bastion` (`tests/cockpit`); unit tests of the
//! executor on the ports of `src/runtime/fakes.rs`; tests with the real engine on `tests/pulumi_runs/workspace.rs`.

pub(crate) mod drill;
pub(crate) mod locks;
pub(crate) mod process;
pub(crate) mod pulumi;
pub(crate) mod rows;
pub(crate) mod stack;
pub(crate) mod terminal;
pub(crate) mod wire;

/// What does not come within this time does not come at all. Long, because a machine may be busy; a test that goes well
/// never waits for it.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
