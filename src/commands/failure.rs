//! How a command ends: the exit codes, and a failure with its words and the next step.
//!
//! Pure.

use serde_json::{Map, Value, json};

use crate::compose::ComposeError;
use crate::config::ConfigError;
use crate::config::find::FindError;
use crate::domain::change::preconditions::Blocked;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Facts, Source};
use crate::domain::pulumi::PulumiError;

/// The exit codes, which scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// An error that is none of the following.
    Error = 1,
    /// What was typed makes no sense.
    Usage = 2,
    /// A gate blocked it.
    Gate = 3,
    /// The records changed under us.
    Conflict = 4,
    /// Declined or cancelled.
    Declined = 5,
    /// AWS could not be reached, refused the credentials, or throttled to the end of the retries.
    Access = 6,
    /// Pulumi failed.
    Pulumi = 7,
}

/// Why a command did not do what it was asked to.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// A word for scripts; it does not change.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// The next thing to do.
    pub hint: String,
    /// More for scripts, beside code, message and hint.
    pub details: Map<String, Value>,
}

impl Failure {
    /// A failure without details.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit, code, message: message.into(), hint: hint.into(), details: Map::new() }
    }

    /// What was typed makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message, "see `tapctl help` and the command's own --help")
    }

    /// The same with one more detail.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.details.insert(key.to_owned(), value);
        self
    }

    /// The object that `--json` prints.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut error = self.details.clone();
        error.insert("code".to_owned(), self.code.into());
        error.insert("message".to_owned(), self.message.clone().into());
        error.insert("hint".to_owned(), self.hint.clone().into());
        json!({"schema": 1, "error": error})
    }
}

impl From<PulumiError> for Failure {
    fn from(error: PulumiError) -> Self {
        let error = match error {
            // It was not this change's turn; the same as for a change of the records.
            PulumiError::Storage(held) if held.kind == ErrorKind::Busy => return held.into(),
            other => other,
        };
        let (exit, code) = match error.exit_code() {
            1 if matches!(error, PulumiError::Refused(_)) => (Exit::Error, "configuration"),
            3 => (Exit::Gate, "blocked"),
            5 => (Exit::Declined, "interrupted"),
            7 => (Exit::Pulumi, "pulumi"),
            _ => (Exit::Error, "storage"),
        };
        Self::new(exit, code, error.to_string(), error.hint())
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        if error.kind == ErrorKind::Refused {
            let (exit, code) = match error.operation.as_str() {
                "read-only" => (Exit::Declined, "read_only"),
                _ => (Exit::Error, "endpoints"),
            };
            return Self::new(exit, code, format!("nothing was changed: {}", error.message), error.hint());
        }
        let exit = match error.kind {
            ErrorKind::Conflict => Exit::Conflict,
            _ if error.is_access() => Exit::Access,
            _ => Exit::Error,
        };
        let code = match error.kind {
            ErrorKind::Throttled => "throttled",
            ErrorKind::Denied => "denied",
            ErrorKind::Credentials => "credentials",
            ErrorKind::NotFound => "not_found",
            ErrorKind::NotProvisioned => "not_provisioned",
            ErrorKind::Conflict => "conflict",
            ErrorKind::TimedOut => "timed_out",
            ErrorKind::Unreachable => "unreachable",
            ErrorKind::Garbled => "garbled",
            ErrorKind::Invalid => "invalid",
            ErrorKind::Refused => "refused",
            ErrorKind::Busy => "busy",
            ErrorKind::Storage => "storage",
            ErrorKind::Other => "other",
        };
        Self::new(exit, code, error.to_string(), error.hint()).with("operation", error.operation.clone().into())
    }
}

impl From<Blocked> for Failure {
    fn from(blocked: Blocked) -> Self {
        let again = "look at what is there now, then decide again";
        match blocked {
            Blocked::Run(reason) => PulumiError::from(reason).into(),
            Blocked::ReadOnly(why) => {
                let message = format!("nothing was changed: {why}");
                Self::new(Exit::Declined, "read_only", message, "start it without to change anything")
            }
            Blocked::Pulumi(problem) => Self::new(Exit::Pulumi, "pulumi", problem.message, problem.hint),
            Blocked::Gates(_) | Blocked::GatesUnknown | Blocked::NobodyAnswers(_) | Blocked::AnswersUnknown => {
                Self::new(Exit::Gate, "gate", format!("nothing was sent: {blocked}"), "`tapctl gates` shows each")
            }
            Blocked::RunEnded | Blocked::StackExists => {
                Self::new(Exit::Error, "out_of_date", format!("nothing was done: {blocked}"), again)
            }
            _ => Self::new(Exit::Conflict, "conflict", format!("nothing was changed: {blocked}"), again),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Error, "configuration", error.to_string(), error.hint())
    }
}

impl From<FindError> for Failure {
    fn from(error: FindError) -> Self {
        let (exit, code) = match &error {
            FindError::Nowhere { .. } | FindError::NoPulumi { .. } | FindError::Untrusted { .. } => {
                (Exit::Error, "configuration")
            }
            FindError::NotProvisioned => (Exit::Error, "not_provisioned"),
            FindError::Unreadable { .. } | FindError::Broken { .. } => (Exit::Error, "outputs"),
            FindError::PulumiFailed { .. } => (Exit::Pulumi, "pulumi"),
        };
        let failure = Self::new(exit, code, error.to_string(), error.hint());
        match error {
            FindError::Broken { error, .. } => {
                failure.with("missing", error.missing.into()).with("mistyped", error.mistyped.into())
            }
            _ => failure,
        }
    }
}

impl From<ComposeError> for Failure {
    fn from(error: ComposeError) -> Self {
        match error {
            ComposeError::Config(error) => error.into(),
            ComposeError::Find(error) => error.into(),
            ComposeError::Pulumi(error) => error.into(),
            ComposeError::State { .. } => Self::new(
                Exit::Error,
                "storage",
                error.to_string(),
                "check its rights and the space on its disk, or set TAPCTL_STATE_DIR to another folder",
            ),
        }
    }
}

/// The failure that stands for all of AWS, when not one of its sources has answered.
#[must_use]
pub fn nothing_answered(facts: &Facts) -> Option<Failure> {
    let aws = || facts.sources.iter().filter(|(source, _)| **source != Source::StackRun);
    if aws().count() == 0 || aws().any(|(_, health)| health.error.is_none()) {
        return None;
    }
    // Credentials say more than the silence of a single service.
    let error = aws().filter_map(|(_, health)| health.error.as_ref()).min_by_key(|error| match error.kind {
        ErrorKind::Credentials => 0,
        ErrorKind::NotProvisioned => 2,
        _ => 1,
    })?;
    let failures: Vec<_> = aws()
        .filter_map(|(source, health)| {
            health.error.as_ref().map(|error| json!({"name": source.name(), "error": error.to_string()}))
        })
        .collect();
    Some(Failure::from(error.clone()).with("sources", failures.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_port_error_has_its_exit_code() {
        let exit = |kind| Failure::from(PortError::new(kind, "x:Y", "words")).exit;
        for kind in [
            ErrorKind::Throttled,
            ErrorKind::Denied,
            ErrorKind::Credentials,
            ErrorKind::TimedOut,
            ErrorKind::Unreachable,
            ErrorKind::Garbled,
        ] {
            assert_eq!(exit(kind), Exit::Access, "{kind:?}");
        }
        assert_eq!(exit(ErrorKind::Conflict), Exit::Conflict);
        for kind in
            [ErrorKind::NotFound, ErrorKind::NotProvisioned, ErrorKind::Invalid, ErrorKind::Storage, ErrorKind::Other]
        {
            assert_eq!(exit(kind), Exit::Error, "{kind:?}");
        }
    }

    #[test]
    fn a_failure_is_one_object_with_code_message_and_hint() {
        let json = Failure::usage("no").with("more", 1.into()).json();
        assert_eq!(json["schema"], 1);
        assert_eq!(json["error"]["code"], "usage");
        assert_eq!(json["error"]["message"], "no");
        assert!(json["error"]["hint"].is_string());
        assert_eq!(json["error"]["more"], 1);
    }
}
