//! What the tests of the real binary share: a simulator as a process, a host with its folders, a terminal, a made-up
//! Pulumi, and a way between tapctl and AWS on which calls are recorded and held.
//!
//! Tests inside one process, on virtual time, stand on `tapctl::script::Bastion` instead.

pub(crate) mod drill;
pub(crate) mod locks;
pub(crate) mod process;
pub(crate) mod pulumi;
pub(crate) mod stack;
pub(crate) mod terminal;
pub(crate) mod wire;

/// What does not come within this time does not come at all. Long, because a machine may be busy; a test that goes well
/// never waits for it.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
