//! The two clocks of this host, and whether they agree.
//!
//! Pure. The wall clock can be set; the steady one only counts. What was read, and when, is told by the wall clock,
//! because that is what AWS's own instants are compared with; but an age is only true as long as both clocks have gone
//! on by the same amount since. [`Watch`] compares them look by look. A clock that is slewed stays within the tolerance
//! of each look; one that is set does not, and from then on nothing that was read before is known.

use std::time::Duration;

use serde::Serialize;

use super::units::{Timestamp, age_text};

/// The increments of both clocks may differ by so much between two looks: a slewing time daemon stays far below it, and
/// no age that is decided on is that fine.
pub const TOLERANCE: Duration = Duration::from_secs(2);

/// What both clocks say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time of day, as this host has it.
    pub wall: Timestamp,
    /// A clock that nobody sets, since an instant of its own; in the same seconds as the wall clock, which on a
    /// simulator are virtual ones.
    pub steady: Duration,
}

impl Moment {
    /// The moment of a clock that is its own measure: a simulator's, whose time is moved as a whole.
    #[must_use]
    pub fn alone(wall: Timestamp) -> Self {
        Self { wall, steady: Duration::from_millis(u64::try_from(wall.millis()).unwrap_or_default()) }
    }
}

/// The wall clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Jump {
    /// By how many milliseconds; above 0 when it was set ahead.
    pub by_ms: i64,
    /// The time of day right after it.
    pub at: Timestamp,
}

impl Jump {
    /// `set back by 10m00s`.
    #[must_use]
    pub fn text(self) -> String {
        let by = age_text(Duration::from_millis(self.by_ms.unsigned_abs()));
        format!("set {} by {by}", if self.by_ms < 0 { "back" } else { "ahead" })
    }
}

/// Compares both clocks, look by look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watch {
    last: Option<Moment>,
}

impl Watch {
    /// Takes a look, and says whether the wall clock was set since the look before. Each look is the anchor of the next.
    pub fn look(&mut self, now: Moment) -> Option<Jump> {
        let before = self.last.replace(now)?;
        let steady = now.steady.saturating_sub(before.steady);
        let expected = before.wall.plus(steady);
        (now.wall.distance(expected) > TOLERANCE)
            .then(|| Jump { by_ms: now.wall.millis().saturating_sub(expected.millis()), at: now.wall })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wall_ms: i64, steady_ms: u64) -> Moment {
        Moment { wall: Timestamp::from_millis(wall_ms), steady: Duration::from_millis(steady_ms) }
    }

    #[test]
    fn a_clock_that_is_set_is_told_once_by_how_much() {
        for by in [600_000, -600_000, 2_001, -2_001] {
            let mut watch = Watch::default();
            assert_eq!(watch.look(at(1_000_000, 0)), None);
            let jump = watch.look(at(1_001_000 + by, 1_000)).expect("both clocks went apart");
            assert_eq!(jump.by_ms, by);
            assert_eq!(watch.look(at(1_002_000 + by, 2_000)), None, "the new reading is the new anchor");
        }
        assert_eq!(Jump { by_ms: -600_000, at: Timestamp::default() }.text(), "set back by 10m00s");
    }

    #[test]
    fn a_clock_that_is_slewed_has_not_jumped() {
        let mut watch = Watch::default();
        for look in 0..7200 {
            // 500 ppm for two hours: 3.6 s in all, half a millisecond at each look.
            assert_eq!(watch.look(at(1_000_000 + look * 1000 + look / 2, look.unsigned_abs() * 1000)), None);
        }
    }

    #[test]
    fn a_host_that_slept_has_jumped() {
        let mut watch = Watch::default();
        watch.look(at(0, 0));
        assert_eq!(watch.look(at(3_600_000, 1_000)).map(|jump| jump.by_ms), Some(3_599_000));
    }
}
