//! How much time the charts show: all of them the same, so that what happened at once stands below each other.
//!
//! Pure.

use std::time::Duration;

use super::series::{CAPACITY, PERIOD};

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
}
