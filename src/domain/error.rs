//! The one closed error that every port answers with, and what each kind means for the migration.
//!
//! Pure: adapters translate SDK errors into this, commands and panels only read it.

use std::fmt;

use serde::Serialize;

/// Why a call to AWS (or to the disk) did not give an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The account's request rate is used up; asking again later is right.
    Throttled,
    /// The credentials are good but not allowed to do this.
    Denied,
    /// There are no credentials, or AWS no longer accepts them.
    Credentials,
    /// What was asked about does not exist.
    NotFound,
    /// It is about the new stack, which was not provisioned yet, or is gone again; nobody was asked.
    NotProvisioned,
    /// A compare-and-swap found something else than was expected.
    Conflict,
    /// No answer within the deadline; a write may or may not have happened.
    TimedOut,
    /// The endpoint could not be reached, or the connection broke; a write may or may not have happened.
    Unreachable,
    /// An answer came that could not be understood.
    Garbled,
    /// The request itself was refused as wrong.
    Invalid,
    /// tapctl itself refuses: read-only, or services in different worlds. Nothing was sent.
    Refused,
    /// Another change of this host has the turn, or is not settled yet.
    Busy,
    /// A local file could not be read or written.
    Storage,
    /// Everything else, in AWS's own words.
    Other,
}

/// A failed call: what was asked, how it failed, and AWS's own words for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct PortError {
    /// How it failed.
    pub kind: ErrorKind,
    /// What was asked, as IAM names it: `route53:ListResourceRecordSets`.
    pub operation: String,
    /// One line in AWS's own words, or the transport's; never holds a secret.
    pub message: String,
    /// The next thing to do, where the cause is known better than its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl PortError {
    /// An error of `kind` from `operation`.
    pub fn new(kind: ErrorKind, operation: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, operation: operation.into(), message: message.into(), next: None }
    }

    /// The same with the next thing to do that belongs to this very cause.
    #[must_use]
    pub fn with_next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// Whether a write that failed so may have been carried out all the same.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        matches!(self.kind, ErrorKind::TimedOut | ErrorKind::Unreachable | ErrorKind::Garbled)
    }

    /// Whether this is of the family of exit code 6: AWS not reached, credentials refused, or throttled to the end.
    #[must_use]
    pub fn is_access(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Throttled
                | ErrorKind::Denied
                | ErrorKind::Credentials
                | ErrorKind::TimedOut
                | ErrorKind::Unreachable
                | ErrorKind::Garbled
        )
    }

    /// Whether this is the same cause as another's: then it is told once, and not for everything that it keeps from
    /// answering. Keys that AWS refuses are refused by each service in its own words.
    #[must_use]
    pub fn is_same_cause(&self, other: &Self) -> bool {
        let alike = self.kind == other.kind && self.next == other.next;
        match self.kind {
            ErrorKind::Credentials => alike,
            ErrorKind::Unreachable | ErrorKind::TimedOut => alike && self.message == other.message,
            _ => self == other,
        }
    }

    /// Two or three words for a table cell.
    #[must_use]
    pub fn short(&self) -> &'static str {
        match self.kind {
            ErrorKind::Throttled => "throttled",
            ErrorKind::Denied => "access denied",
            // A cause with a next step of its own was found here, before AWS was asked.
            ErrorKind::Credentials if self.next.is_some() => "no usable credentials",
            ErrorKind::Credentials => "credentials refused",
            ErrorKind::NotFound => "not found",
            ErrorKind::NotProvisioned => "not provisioned",
            ErrorKind::Conflict => "conflict",
            ErrorKind::TimedOut => "no answer",
            ErrorKind::Unreachable => "unreachable",
            ErrorKind::Garbled => "garbled answer",
            ErrorKind::Invalid => "refused",
            ErrorKind::Refused => "not sent",
            ErrorKind::Busy => "not now",
            ErrorKind::Storage => "disk error",
            ErrorKind::Other => "failed",
        }
    }

    /// The next thing for the operator to do.
    #[must_use]
    pub fn hint(&self) -> String {
        if let Some(next) = &self.next {
            return next.clone();
        }
        match self.kind {
            ErrorKind::Throttled => {
                "the account's API rate is used up by this and other tools; tapctl slows down by itself, \
                 look for other tools that poll the same API"
                    .to_owned()
            }
            ErrorKind::Denied => format!(
                "allow the IAM action {} for this identity (tapctl iam-policy prints all it needs)",
                self.operation
            ),
            ErrorKind::Credentials => "get new credentials (aws sso login, or a new role session) and try again; \
                 `aws sts get-caller-identity` shows whether they work"
                .to_owned(),
            ErrorKind::NotFound => "check the stack outputs against the account and region (tapctl doctor)".to_owned(),
            ErrorKind::NotProvisioned => {
                "`tapctl adopt` makes the name a weighted record, `tapctl up` the stack; both are in the cockpit's \
                 Provision view, too"
                    .to_owned()
            }
            ErrorKind::Conflict => {
                "look at who changed the records, then decide again from what is there now".to_owned()
            }
            ErrorKind::TimedOut | ErrorKind::Unreachable => {
                "check the network from this bastion and the AWS health page; \
                 the weights stay as they are until a change is confirmed"
                    .to_owned()
            }
            ErrorKind::Garbled => "check for a proxy or a wrong --endpoint-url between here and AWS".to_owned(),
            ErrorKind::Invalid => "read the message; the request was refused whole and nothing was changed".to_owned(),
            ErrorKind::Refused => "nothing was sent; read why, and start tapctl so that it may write".to_owned(),
            ErrorKind::Busy => {
                "wait for it, or end it, then try again; `tapctl rollback` goes on all the same".to_owned()
            }
            ErrorKind::Storage => {
                "check space and rights of the state folder; nothing is sent before its intent is on disk".to_owned()
            }
            ErrorKind::Other => "read the message; nothing is retried blindly".to_owned(),
        }
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.short())?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for PortError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_is_one_whatever_was_asked() {
        let error = |kind, operation: &str, message: &str| PortError::new(kind, operation, message);
        let refused = error(ErrorKind::Credentials, "dms:A", "ExpiredTokenException: expired");
        assert!(refused.is_same_cause(&error(ErrorKind::Credentials, "route53:B", "ExpiredToken: expired")));
        assert!(!refused.is_same_cause(&refused.clone().with_next("log in")), "none at all is another cause");
        let silent = error(ErrorKind::Unreachable, "dms:A", "connection refused");
        assert!(silent.is_same_cause(&error(ErrorKind::Unreachable, "route53:B", "connection refused")));
        assert!(!silent.is_same_cause(&error(ErrorKind::Unreachable, "route53:B", "no such host")));
        let denied = error(ErrorKind::Denied, "dms:A", "no");
        assert!(
            !denied.is_same_cause(&error(ErrorKind::Denied, "route53:B", "no")),
            "each action is asked for by name"
        );
    }
}
