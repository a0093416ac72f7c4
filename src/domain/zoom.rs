//! How much time the charts show: all of them the same, so that what happened at once stands below each other.
//!
//! Pure.

use std::time::Duration;

use super::series::{CAPACITY, PERIOD};
use super::units::Timestamp;

/// The length of the time axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zoom {
    /// A quarter of an hour: one bake.
    Quarter,
    /// An hour: several steps beside each other.
    #[default]
    Hour,
    /// All that is kept, three hours.
    All,
}

impl Zoom {
    /// How far back the axis begins.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        match self {
            Self::Quarter => 15,
            Self::Hour => 60,
            Self::All => CAPACITY as u32,
        }
    }

    /// The same as a duration.
    #[must_use]
    pub const fn span(self) -> Duration {
        PERIOD.saturating_mul(self.minutes())
    }

    /// The next one, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Quarter => Self::Hour,
            Self::Hour => Self::All,
            Self::All => Self::Quarter,
        }
    }

    /// The minute at which the cursor is after a move of so many: within what the charts show, and at first the newest one.
    #[must_use]
    pub fn moved(self, cursor: Option<Timestamp>, by: i16, now: Timestamp) -> Timestamp {
        let newest = now.floor_to(PERIOD);
        let Some(at) = cursor else { return newest };
        let step = PERIOD * u32::from(by.unsigned_abs());
        let at = if by < 0 { at.minus(step) } else { at.plus(step) };
        at.clamp(newest.minus(self.span()), newest)
    }

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quarter => "15 min",
            Self::Hour => "1 h",
            Self::All => "3 h",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_turns_and_never_shows_more_than_is_kept() {
        let turned = [Zoom::default(), Zoom::default().next(), Zoom::default().next().next()];
        assert_eq!(turned.map(Zoom::name), ["1 h", "3 h", "15 min"]);
        assert_eq!(turned[2].next(), Zoom::default());
        for zoom in turned {
            assert!(zoom.span() <= PERIOD * CAPACITY as u32);
            let secs = zoom.span().as_secs();
            assert_eq!(
                zoom.name(),
                if secs < 3600 { format!("{} min", secs / 60) } else { format!("{} h", secs / 3600) }
            );
        }
    }

    #[test]
    fn the_cursor_stays_within_what_the_charts_show() {
        let now = Timestamp::from_millis(1_795_000_020_000);
        let newest = now.floor_to(PERIOD);
        let first = Zoom::Quarter.moved(None, -1, now);
        assert_eq!(first, newest);
        assert_eq!(Zoom::Quarter.moved(Some(first), -1, now), newest.minus(PERIOD));
        assert_eq!(Zoom::Quarter.moved(Some(first), 1, now), newest);
        assert_eq!(Zoom::Quarter.moved(Some(first), -99, now), newest.minus(Zoom::Quarter.span()));
        let later = now.plus(Zoom::Hour.span());
        assert_eq!(Zoom::Quarter.moved(Some(first), 1, later), later.floor_to(PERIOD).minus(Zoom::Quarter.span()));
    }
}
