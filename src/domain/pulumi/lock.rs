//! Who holds a stack's lock, and whether it may be cleared.
//!
//! Pure. Reads lock files (`{pid, username, hostname, timestamp}`) and the CLI's own message about them, as the DIY
//! backends of Pulumi write both (`pkg/backend/diy/lock.go`). `pulumi cancel` deletes every lock of the stack and
//! stops nobody, so it is offered only when every holder is known to be dead on this host.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::clean;
use crate::domain::units::Timestamp;

/// Locks that are listed; more than a few at once means that something is badly wrong already.
const MAX_LOCKS: usize = 20;

/// One lock on a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// Process that took it.
    pub pid: u32,
    /// On which host.
    pub host: String,
    /// Whose.
    pub user: String,
    /// Since when; nothing when the text could not be read.
    pub since: Option<Timestamp>,
}

#[derive(Deserialize)]
struct LockFile {
    pid: u32,
    username: String,
    hostname: String,
    timestamp: String,
}

impl Lock {
    /// Reads a lock file.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let file: LockFile = serde_json::from_str(text).ok()?;
        Some(Self {
            pid: file.pid,
            host: clean(&file.hostname).into_owned(),
            user: clean(&file.username).into_owned(),
            since: Timestamp::parse(&file.timestamp).ok(),
        })
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} (pid {})", self.user, self.host, self.pid)?;
        self.since.map_or(Ok(()), |since| write!(f, " since {since}"))
    }
}

/// The locks that the CLI's message names; nothing when the message is about something else.
#[must_use]
pub fn from_message(text: &str) -> Option<Vec<Lock>> {
    let (_, rest) = text.split_once("the stack is currently locked by")?;
    Some(rest.lines().filter_map(from_line).take(MAX_LOCKS).collect())
}

/// `  file:///…/ID.json: created by USER@HOST (pid N) at TIME`. A user may hold an `@`, a host cannot.
fn from_line(line: &str) -> Option<Lock> {
    let (_, holder) = line.split_once(": created by ")?;
    let (who, rest) = holder.rsplit_once(" (pid ")?;
    let (pid, at) = rest.split_once(") at ")?;
    let (user, host) = who.rsplit_once('@')?;
    Some(Lock {
        pid: pid.trim().parse().ok()?,
        host: clean(host).into_owned(),
        user: clean(user).into_owned(),
        since: Timestamp::parse(at.trim()).ok(),
    })
}

/// What is known of a lock's holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// It is dead, and it was on this host.
    DeadHere,
    /// It lives on this host.
    AliveHere,
    /// A process with its number lives on this host; whether it is the one that took the lock cannot be told.
    Unknown,
    /// No process with its number is seen from here; one of another PID namespace may live, as a container that has its
    /// host's name.
    Unseen,
    /// It is on another host, where nobody here can look.
    Elsewhere,
}

impl Holder {
    /// What is known, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::DeadHere => "it is dead; `tapctl unlock` clears stale locks",
            Self::AliveHere => "it is still running on this host",
            Self::Unknown => "a process with this number lives, and may be another by now",
            Self::Unseen => "no such process is seen from here; in another container of this host it may live",
            Self::Elsewhere => "whether it still runs can only be seen on that host",
        }
    }
}

/// Clearing the locks of a stack whose holders are all dead. Only made by [`ClearLocks::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearLocks {
    stack: String,
    locks: Vec<Lock>,
}

/// Why locks are not cleared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockRefusal {
    /// There is no lock.
    #[error("the stack is not locked")]
    NotLocked,
    /// The holder works on.
    #[error("{0} is still running on this host: wait for it, or attach to it with `tapctl attach`")]
    Alive(Lock),
    /// The number may have been given away again, or not.
    #[error(
        "a process with the number of {0} lives on this host, and whether it is the one that took the lock cannot be told: \
         look at it with `ps -fp {pid}`; clearing the lock under a running update lets two of them write the same state",
        pid = .0.pid
    )]
    Unknown(Lock),
    /// It may live where nobody here looks.
    #[error(
        "no process of {0} is seen from here, but not all processes of this host are: in a container that has its host's \
         name it may live. Look on the host and in its containers for a running `pulumi`; clearing the lock under a running \
         update lets two of them write the same state. Where none runs: `pulumi cancel`"
    )]
    Unseen(Lock),
    /// Nobody here can tell.
    #[error(
        "{0} is on another host: look there whether the process still runs; clearing the lock under a running update \
         lets two of them write the same state"
    )]
    Elsewhere(Lock),
}

impl ClearLocks {
    /// The clearing of these locks.
    ///
    /// # Errors
    /// Names the first holder that is not known to be dead.
    pub fn new(stack: &str, holders: &[(Lock, Holder)]) -> Result<Self, LockRefusal> {
        for (lock, holder) in holders {
            match holder {
                Holder::AliveHere => return Err(LockRefusal::Alive(lock.clone())),
                Holder::Unknown => return Err(LockRefusal::Unknown(lock.clone())),
                Holder::Unseen => return Err(LockRefusal::Unseen(lock.clone())),
                Holder::Elsewhere => return Err(LockRefusal::Elsewhere(lock.clone())),
                Holder::DeadHere => {}
            }
        }
        if holders.is_empty() {
            return Err(LockRefusal::NotLocked);
        }
        Ok(Self { stack: stack.to_owned(), locks: holders.iter().map(|(lock, _)| lock.clone()).collect() })
    }

    /// The stack; also what has to be typed.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The locks.
    #[must_use]
    pub fn locks(&self) -> &[Lock] {
        &self.locks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to \
                           end or delete the lock file with `pulumi cancel`.\n  \
                           s3://state/.pulumi/locks/organization/tap/prod/a1.json: created by bob@bastion-1 (pid 999) at 2026-11-22T12:40:31Z\n  \
                           file:///st/x.json: created by ops@corp@bastion-2 (pid 7) at 2026-11-22T13:40:31+01:00";

    fn lock() -> Lock {
        Lock {
            pid: 999,
            host: "bastion-1".into(),
            user: "bob".into(),
            since: Timestamp::parse("2026-11-22T12:40:31Z").ok(),
        }
    }

    #[test]
    fn the_cli_s_words_and_the_files_tell_the_same() {
        let locks = from_message(MESSAGE).unwrap();
        assert_eq!(locks[0], lock());
        assert_eq!((locks[1].user.as_str(), locks[1].host.as_str()), ("ops@corp", "bastion-2"));
        assert_eq!(locks[1].since, lock().since);
        let file = r#"{"pid":999,"username":"bob","hostname":"bastion-1","timestamp":"2026-11-22T12:40:31Z"}"#;
        assert_eq!(Lock::from_json(file), Some(lock()));
        assert_eq!(from_message("error: update failed"), None);
        assert_eq!(from_message("the stack is currently locked by 1 lock(s).\n garbled"), Some(vec![]));
        assert_eq!(lock().to_string(), "bob@bastion-1 (pid 999) since 2026-11-22T12:40:31Z");
    }

    #[test]
    fn only_the_dead_of_this_host_are_cleared() {
        let holder = |holder| ClearLocks::new("prod", &[(lock(), Holder::DeadHere), (lock(), holder)]);
        assert!(holder(Holder::DeadHere).is_ok());
        assert_eq!(holder(Holder::AliveHere), Err(LockRefusal::Alive(lock())));
        assert_eq!(holder(Holder::Elsewhere), Err(LockRefusal::Elsewhere(lock())));
        assert_eq!(holder(Holder::Unseen), Err(LockRefusal::Unseen(lock())));
        let unknown = holder(Holder::Unknown).unwrap_err();
        assert_eq!(unknown, LockRefusal::Unknown(lock()));
        assert!(unknown.to_string().contains("ps -fp 999"), "{unknown}");
        assert_eq!(ClearLocks::new("prod", &[]), Err(LockRefusal::NotLocked));
    }
}
