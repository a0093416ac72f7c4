//! Whose turn it is: one change at a time on a host.
//!
//! Pure. Waiting has a bound, and whoever waits is told who holds it. The turn only keeps two changes of one host apart;
//! what keeps the records whole is Route 53's compare-and-swap, so the way back goes on without it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::error::{ErrorKind, PortError};
use crate::domain::units::Timestamp;

/// A change waits for so long for its turn.
pub const TURN_BOUND: Duration = Duration::from_secs(5);

/// Who holds the turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Its host.
    pub host: String,
    /// Who started it.
    pub operator: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether it is stopped (Ctrl-Z, SIGSTOP); nothing when that cannot be seen from here.
    #[serde(default, skip)]
    pub stopped: Option<bool>,
}

impl Holder {
    /// In a few words.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { pid, host, operator, since, stopped } = self;
        let state = match stopped {
            Some(true) => format!(", which is stopped: `kill -CONT {pid}` lets it go on"),
            Some(false) => ", which runs".to_owned(),
            None => String::new(),
        };
        format!("process {pid} of {operator} on {host} since {} UTC{state}", since.hms())
    }
}

/// How far a change is that is being carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// It waits for its turn; nothing was sent.
    Waiting(Option<Holder>),
    /// It is being sent since then.
    Sent(Timestamp),
}

/// The failure of a change that did not get its turn.
#[must_use]
pub fn held(holder: Option<&Holder>) -> PortError {
    let by = holder.map_or_else(|| "a process that did not say its name".to_owned(), Holder::text);
    PortError::new(ErrorKind::Busy, "journal:turn", format!("another change of this host has the turn: {by}"))
}
