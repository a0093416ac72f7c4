//! What can go wrong around a run, each with the way out and the exit code that it means.

use std::path::PathBuf;

use super::explain::{Explanation, FailureKind, next_step};
use super::guard::BlockedReason;
use crate::domain::error::PortError;

/// Why Pulumi could not be used, or how a run failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PulumiError {
    /// There is no `pulumi`.
    #[error("pulumi was not found: {0}")]
    Missing(String),
    /// It is older than what the events are known from.
    #[error("{} is version {found}; tapctl needs {minimum} or newer", path.display())]
    TooOld {
        /// Where it is.
        path: PathBuf,
        /// Its version.
        found: String,
        /// What is needed.
        minimum: String,
    },
    /// It is there and does not work.
    #[error("{} does not work: {message}", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
        /// What it said.
        message: String,
    },
    /// The program's folder has no `Pulumi.yaml`, or it cannot be read.
    #[error("{} is not a Pulumi program: {message}", dir.display())]
    Project {
        /// The folder.
        dir: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The program's Python packages are not installed.
    #[error("the program's Python packages are missing: {missing}")]
    Dependencies {
        /// Which, in words.
        missing: String,
        /// The command that mends it.
        fix: String,
    },
    /// A guard says no.
    #[error("{0}")]
    Refused(#[from] BlockedReason),
    /// A run failed.
    #[error("{}", .0.sentence)]
    Failed(Box<Explanation>),
    /// A question to Pulumi was not answered in time.
    #[error("`{line}` gave no answer within {seconds} s")]
    NoAnswer {
        /// The command.
        line: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A question to Pulumi was answered with an error.
    #[error("`{line}` failed: {message}")]
    Refusing {
        /// The command.
        line: String,
        /// What it said.
        message: String,
    },
    /// The run could not be started.
    #[error("the run could not be started: {0}")]
    NotStarted(String),
    /// No run of this name.
    #[error("there is no run {0}")]
    NoSuchRun(String),
    /// No stack of this name.
    #[error("there is no stack {0}: nothing was started, and none was made")]
    NoSuchStack(String),
    /// The run is on another host.
    #[error("the run is on {0}: it can only be interrupted there")]
    Elsewhere(String),
    /// Nobody here can tell whether the run goes on.
    #[error("nothing was sent: it is not known whether the run still goes on: {0}")]
    Unseen(&'static str),
    /// Nothing proves that a request to stop the run is the first one.
    #[error(
        "nothing was sent: that the run is asked to stop cannot be kept in its folder ({0}), so that nothing proves that it \
         was not asked before, and a second request ends it by force, without its state"
    )]
    MayBeSecond(String),
    /// The run has ended, so there is nothing to interrupt.
    #[error("the run has ended: nothing is left to interrupt")]
    NotRunning,
    /// The outputs that the guards look at are not those of the stack that would be changed.
    #[error(
        "nothing was started: the outputs file says {output} = {expected}, and Pulumi's stack {stack} hands out {found}: \
         the guards would look at one stack and the run change another"
    )]
    OtherStack {
        /// Pulumi's stack.
        stack: String,
        /// The output that differs.
        output: String,
        /// What the file says.
        expected: String,
        /// What the stack hands out.
        found: String,
    },
    /// A local file.
    #[error("{0}")]
    Storage(#[from] PortError),
}

impl PulumiError {
    /// The next thing to do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Missing(_) => {
                "install the Pulumi CLI (https://www.pulumi.com/docs/install/), or name it with TAPCTL_PULUMI, \
                 or with `pulumi` in the configuration file"
                    .to_owned()
            }
            Self::TooOld { .. } => "install a newer Pulumi CLI: `curl -fsSL https://get.pulumi.com | sh`".to_owned(),
            Self::Unusable { .. } => "run `pulumi version` by hand to see what is wrong with it".to_owned(),
            Self::Project { .. } => "set the program's folder in the configuration".to_owned(),
            Self::Dependencies { fix, .. } => format!("run `{fix}`"),
            Self::Refused(BlockedReason::RunGoesOn(_)) => "`tapctl attach` shows the run".to_owned(),
            Self::Refused(BlockedReason::NotConfigured(_)) => {
                "`tapctl config` lists every key with its meaning; `tapctl config set KEY VALUE` sets one".to_owned()
            }
            Self::Refused(BlockedReason::ReadOnly) => {
                "leave it out to change something; preview works with it".to_owned()
            }
            Self::Refused(_) => "do what the sentence says, then try again".to_owned(),
            Self::Failed(explanation) => explanation.next_step.clone(),
            Self::NoAnswer { .. } => "check the state's backend and the network from this host".to_owned(),
            Self::Refusing { message, .. } => {
                next_step(message).unwrap_or("read the message; nothing was changed").to_owned()
            }
            Self::NotStarted(_) => {
                "look into the run's folder, and check space and rights of the state folder".to_owned()
            }
            Self::NoSuchStack(_) => "`pulumi stack ls` shows them; name one with --stack".to_owned(),
            Self::NoSuchRun(_) => "`tapctl attach` without a name takes the newest run".to_owned(),
            Self::Elsewhere(host) => format!("open tapctl on {host}"),
            Self::Unseen(_) => {
                "look where it was started for a running `pulumi`, as the user who started it, and interrupt it there".to_owned()
            }
            Self::MayBeSecond(_) => {
                "make room on the disk of the state folder, or make it writable, then ask again; `tapctl interrupt --force` \
                 sends the request all the same, and asks for its word"
                    .to_owned()
            }
            Self::NotRunning => "`tapctl attach` shows how it ended".to_owned(),
            Self::OtherStack { .. } => {
                "leave --outputs out, so that Pulumi's own outputs are taken, or write the file anew".to_owned()
            }
            Self::Storage(error) => error.hint(),
        }
    }

    /// The process exit code: 3 for a guard, 1 for configuration that is missing (waiting does not help), 5 for a run that was interrupted, 1 for the local disk, 7 for Pulumi.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(BlockedReason::ReadOnly) => 5,
            Self::Refused(BlockedReason::IncompletePlan(_) | BlockedReason::OtherPlan(_)) => 7,
            Self::Refused(refusal) if !matches!(refusal, BlockedReason::NotConfigured(_)) => 3,
            Self::OtherStack { .. } => 3,
            Self::Failed(explanation) if explanation.kind == FailureKind::Interrupted => 5,
            Self::Refused(_)
            | Self::Storage(_)
            | Self::NoSuchRun(_)
            | Self::NoSuchStack(_)
            | Self::NotRunning
            | Self::MayBeSecond(_)
            | Self::Elsewhere(_)
            | Self::Unseen(_) => 1,
            _ => 7,
        }
    }
}
