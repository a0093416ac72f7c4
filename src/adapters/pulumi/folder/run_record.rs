//! What `state.json` holds.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::adapters::pulumi::process::{ProcessId, host};
use crate::domain::pulumi::ended::{RunEnd, RunStatus};
use crate::domain::pulumi::guard::RunKind;
use crate::domain::units::Timestamp;

/// What `state.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Shape of this file.
    pub schema: u8,
    /// The run's name: when it began, and what it is.
    pub id: String,
    /// What Pulumi was asked to do.
    pub kind: RunKind,
    /// On which stack.
    pub stack: String,
    /// The preview that was read before it was confirmed.
    #[serde(default)]
    pub preview: Option<String>,
    /// The intent in the journal by which it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// The command as it was shown.
    pub line: String,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// Variables that are added to the environment that is passed through; never a secret.
    pub env: Vec<(String, String)>,
    /// Who asked.
    pub operator: String,
    /// On which host.
    pub host: String,
    /// When.
    pub started_at: Timestamp,
    /// The process that asked; only counts until the supervisor is there.
    pub starter: Option<ProcessId>,
    /// The process that waits for the end.
    pub supervisor: Option<ProcessId>,
    /// Pulumi.
    pub child: Option<ProcessId>,
    /// How it ended.
    pub end: Option<RunEnd>,
}

impl RunRecord {
    /// How the run is doing now.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        let alive = |process: &Option<ProcessId>| process.as_ref().is_some_and(ProcessId::is_alive);
        if let Some(end) = &self.end {
            RunStatus::Ended(end.clone())
        } else if self.host != host() {
            RunStatus::Elsewhere
        } else if alive(&self.child) {
            RunStatus::Running
        } else if alive(&self.supervisor) || (self.supervisor.is_none() && alive(&self.starter)) {
            // The supervisor lives longer than Pulumi by the moment in which it writes down the end.
            if self.child.is_some() { RunStatus::Running } else { RunStatus::Starting }
        } else {
            RunStatus::Lost
        }
    }

    /// In a few words, for the gate and for a refusal.
    #[must_use]
    pub fn summary(&self) -> String {
        let pid = self.child.as_ref().map(|child| format!(", pid {}", child.pid)).unwrap_or_default();
        let Self { kind, stack, started_at, operator, host, .. } = self;
        format!("pulumi {kind} on {stack} since {started_at} (by {operator} on {host}{pid})")
    }
}
