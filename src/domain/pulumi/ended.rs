//! How the process of a run is doing or how it ended, and what a run came to that was followed to its end.
//!
//! Pure. What a folder holds of it is read by `adapters::pulumi`.

use serde::{Deserialize, Serialize};

use super::explain::{Explanation, ProcessEnd};
use super::fold::RunState;
use super::guard::RunKind;
use super::plan::Plan;
use super::problem::PulumiError;
use crate::domain::units::Timestamp;

/// What a file is like, as far as tells whether anybody wrote it since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    /// Which file.
    pub inode: u64,
    /// How long it is.
    pub bytes: u64,
    /// When it was written last, in seconds and nanoseconds of its file system.
    pub written: (i64, i64),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnd {
    /// When, by this host's clock.
    pub at: Timestamp,
    /// Exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Why it could not even be started.
    pub error: Option<String>,
    /// What the plan file was like then, where a preview wrote one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<FileMark>,
}

impl RunEnd {
    /// Whether Pulumi says that all went well.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// In a few words.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.code, self.signal, &self.error) {
            (_, _, Some(error)) => format!("not started: {error}"),
            (Some(0), ..) => "succeeded".to_owned(),
            (Some(code), ..) => format!("ended with exit code {code}"),
            (None, Some(signal), _) => format!("ended by signal {signal}"),
            (None, None, None) => "ended".to_owned(),
        }
    }
}

/// Why nobody here can tell whether a process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// It may not be looked at, or the system does not answer.
    Hidden,
    /// It is one of another container of this host, which still has the run's file open.
    HeldElsewhere,
    /// It is one of another container of this host, whose processes are not seen from here.
    OtherContainer,
    /// It was started in a container of another boot: of this host before it was started again, or of another host.
    OtherBoot,
}

impl Unseen {
    /// In words that follow the name of what is not known.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Hidden => "its process may not be looked at by this user (`/proc` does not show it)",
            Self::HeldElsewhere => "its process has the run's file still open, in another container of this host",
            Self::OtherContainer => "it was started in another container, whose processes are not seen from here",
            Self::OtherBoot => {
                "it was started in a container of another boot, of this host or of another one: look where it was started"
            }
        }
    }
}

/// How a run is doing, as far as this host can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunStatus {
    /// It was asked for, and Pulumi is not there yet.
    Starting,
    /// Pulumi works.
    Running,
    /// It ended.
    Ended(RunEnd),
    /// It was started on another host that shares this folder, and has no end yet: nobody here can tell.
    Elsewhere,
    /// Whether it goes on cannot be told from here.
    Unseen(Unseen),
    /// Pulumi is gone and nobody saw how: the host went down, or both processes were killed.
    Lost,
}

impl RunStatus {
    /// How it ended; nothing while it goes on.
    #[must_use]
    pub fn exit(&self) -> Option<ProcessEnd> {
        match self {
            Self::Ended(RunEnd { error: Some(error), .. }) => Some(ProcessEnd::NotStarted(error.clone())),
            Self::Ended(end) => Some(ProcessEnd::Code(end.code)),
            Self::Lost => Some(ProcessEnd::Unseen),
            Self::Starting | Self::Running | Self::Elsewhere | Self::Unseen(_) => None,
        }
    }

    /// Whether it goes on, as far as is known: unknown is no reason to start another one.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Elsewhere | Self::Unseen(_))
    }
}

/// A run that has ended, or was ended already.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Its name.
    pub id: String,
    /// What it was.
    pub kind: RunKind,
    /// The command as it ran.
    pub line: String,
    /// Who started it.
    pub owner: String,
    /// How it ended.
    pub status: RunStatus,
    /// Everything that it did.
    pub state: RunState,
    /// Why it did not succeed.
    pub failure: Option<Explanation>,
    /// What is missing in the picture of a run that succeeded.
    pub missing: Option<String>,
}

impl Finished {
    /// The run, when it succeeded.
    ///
    /// # Errors
    /// [`PulumiError::Failed`] with the explanation.
    pub fn ok(self) -> Result<Self, PulumiError> {
        match self.failure {
            Some(failure) => Err(PulumiError::Failed(Box::new(failure))),
            None => Ok(self),
        }
    }
}

/// What a preview came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Previewed {
    /// The run; its plan is the one that can be confirmed.
    pub run: Finished,
    /// What would be done.
    pub plan: Plan,
}

/// Called after every change of a run that is followed.
pub type Observer<'a> = &'a mut (dyn FnMut(&RunState) + Send);
