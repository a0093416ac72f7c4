//! What `state.json` holds.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::adapters::pulumi::process::{Life, ProcessId, host};
use crate::domain::pulumi::ended::{RunEnd, RunStatus, Unseen};
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
    /// Whether the stream was locked before Pulumi got it, whose end of it then keeps the lock for as long as it lives.
    #[serde(default)]
    pub locks_stream: bool,
    /// Whether that lock is held; nothing where there was none, or it cannot be looked at.
    #[serde(skip)]
    pub is_written: Option<bool>,
}

impl RunRecord {
    /// How the run is doing now.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        if let Some(end) = &self.end {
            return RunStatus::Ended(end.clone());
        }
        let supervisor = self.supervisor.as_ref().or(self.starter.as_ref());
        // The supervisor lives longer than Pulumi by the moment in which it writes down the end.
        let known = || [self.child.as_ref(), supervisor].into_iter().flatten();
        // One kernel knows of every process that has the file open, whatever the names and numbers of its containers are.
        let is_gone_for_sure = || self.is_written == Some(false) && known().all(ProcessId::is_of_this_boot);
        if self.host != host() {
            return if is_gone_for_sure() { RunStatus::Lost } else { RunStatus::Elsewhere };
        }
        let lives: Vec<Life> = known().map(ProcessId::life).collect();
        let unseen = lives.iter().find_map(|life| match life {
            Life::Unknown(why) => Some(*why),
            Life::Lives | Life::Gone => None,
        });
        match unseen {
            _ if lives.contains(&Life::Lives) && self.child.is_some() => RunStatus::Running,
            _ if lives.contains(&Life::Lives) => RunStatus::Starting,
            None => RunStatus::Lost,
            Some(_) if is_gone_for_sure() => RunStatus::Lost,
            Some(Unseen::OtherContainer) if self.is_written == Some(true) => RunStatus::Unseen(Unseen::HeldElsewhere),
            Some(why) => RunStatus::Unseen(why),
        }
    }

    /// In a few words, for the gate and for a refusal.
    #[must_use]
    pub fn summary(&self) -> String {
        let pid = self.child.as_ref().map(|child| format!(", pid {}", child.pid)).unwrap_or_default();
        let Self { kind, stack, started_at, operator, host, id, .. } = self;
        let run = format!("pulumi {kind} on {stack} since {started_at} (by {operator} on {host}{pid})");
        match self.status() {
            RunStatus::Unseen(why) => format!(
                "{run}, unless it has ended unseen ({}; where no `pulumi` runs any more, remove `runs/{id}` from the state \
                 folder),",
                why.words()
            ),
            _ => run,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(child: &ProcessId, is_written: Option<bool>) -> RunRecord {
        let state = serde_json::json!({
            "schema": 1, "id": "r1", "kind": "up", "stack": "prod", "line": "pulumi up", "argv": [], "cwd": "/",
            "env": [], "operator": "ops", "host": host(), "started_at": "2026-11-22T12:40:31Z", "starter": null, "supervisor": null,
            "child": child, "end": null, "locks_stream": is_written.is_some(),
        });
        RunRecord { is_written, ..serde_json::from_value(state).unwrap() }
    }

    #[test]
    fn a_run_of_a_container_that_was_rebuilt_is_lost_only_where_that_is_proved() {
        let own = ProcessId::own().unwrap();
        let (boot, _) = own.identity.split_once(':').unwrap();
        let there = |boot: &str| ProcessId {
            pid: 7,
            identity: format!("{boot}:1"),
            namespace: Some("pid:[4026532999]".into()),
        };
        let unseen = RunStatus::Unseen;
        for (case, child, is_written, status) in [
            ("nothing is locked", there(boot), None, unseen(Unseen::OtherContainer)),
            ("the kernel knows of nobody who writes", there(boot), Some(false), RunStatus::Lost),
            ("somebody writes", there(boot), Some(true), unseen(Unseen::HeldElsewhere)),
            ("another boot", there("earlier"), None, unseen(Unseen::OtherBoot)),
            ("another kernel may know more", there("earlier"), Some(false), unseen(Unseen::OtherBoot)),
            ("this process", own.clone(), Some(false), RunStatus::Running),
        ] {
            assert_eq!(record(&child, is_written).status(), status, "{case}");
        }
        let summary = record(&there(boot), None).summary();
        assert!(summary.contains("unless it has ended unseen (it was started in another container"), "{summary}");
        // A container that was made anew without a name of its own has another one.
        let renamed = |is_written| RunRecord { host: "4be1".into(), ..record(&there(boot), is_written) };
        assert_eq!(renamed(Some(false)).status(), RunStatus::Lost);
        assert_eq!(renamed(Some(true)).status(), RunStatus::Elsewhere);
        assert_eq!(renamed(None).status(), RunStatus::Elsewhere);
    }
}
