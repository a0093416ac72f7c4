//! Reading anew what the stack is, after Pulumi has changed it: before the first `up` it has no load balancer, no task
//! and no cluster to ask about, after it there are all of them, and after `destroy` none again.
//!
//! Pure. The runtime reads; the model says when that is due, and when what was read may take effect: not under an open
//! question, and not while something is being sent.

use std::time::Duration;

use super::gate::Policy;
use super::request::Request;
use super::stack::watched::Stack;
use super::stack::watcher::Watcher;

/// Tries in a row before it is left to the operator; with the pauses between them some five minutes.
pub const MAX_TRIES: u32 = 8;
/// Pause after the first failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct StackReloaded {
    /// The stack as it is now.
    pub stack: Stack,
    /// Who watches it, with the ports that were made for it.
    pub watcher: Watcher,
    /// The limits, with the alarms that the stack has now.
    pub policy: Policy,
}

/// How far the reading is.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum StackReload {
    /// None is due.
    #[default]
    Idle,
    /// It is due.
    Wanted {
        /// From this uptime on.
        from: Duration,
        /// Tries that failed.
        tries: u32,
    },
    /// It goes on.
    Asked {
        /// Which request.
        request: Request,
        /// Tries that failed.
        tries: u32,
        /// It became due again meanwhile: what comes may be older than the reason, and is read once more. Each reading
        /// starts Pulumi, so two are never under way.
        again: bool,
    },
    /// It was read and waits until nothing stands in its way.
    Ready {
        /// Which request.
        request: Request,
        /// What was read.
        reloaded: Box<StackReloaded>,
    },
    /// It failed too often.
    GivenUp,
}

/// The pause after so many failures in a row.
#[must_use]
pub fn pause(tries: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(8)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute() {
        let secs: Vec<u64> = (1..7).map(|tries| pause(tries).as_secs()).collect();
        assert_eq!(secs, [5, 10, 20, 40, 60, 60]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
