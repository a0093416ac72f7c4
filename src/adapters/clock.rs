//! The time of day of this host.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::units::Timestamp;
use crate::ports::Clock;

/// The host's clock, as it is set. A cockpit on a simulator has another one: the simulator's.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_after_this_was_written() {
        assert!(SystemClock.now() > Timestamp::parse("2026-11-22T00:00:00Z").unwrap());
    }
}
