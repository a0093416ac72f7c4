//! The two clocks of this host: the time of day, and one that only counts.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::Moment;
use crate::domain::units::Timestamp;
use crate::ports::Clock;

/// Where the steady clock begins: when it was first looked at.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The host's clock, as it is set. A cockpit on a simulator has another one: the simulator's.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn moment(&self) -> Moment {
        Moment { wall: self.now(), steady: BEGAN.elapsed() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Watch;

    #[test]
    fn time_is_after_this_was_written_and_both_clocks_go_on_together() {
        assert!(SystemClock.now() > Timestamp::parse("2026-11-22T00:00:00Z").unwrap());
        let mut watch = Watch::default();
        assert_eq!(watch.look(SystemClock.moment()), None);
        assert_eq!(watch.look(SystemClock.moment()), None);
    }
}
