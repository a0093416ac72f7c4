//! What the screen shows beside the migration: the view, how far its list is scrolled, what fades.
//!
//! Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::keymap::View;

use super::units::Timestamp;
use super::zoom::Zoom;

/// A line that says what just happened; it fades by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Toast {
    /// Text.
    pub text: String,
    /// Whether it needs a hand.
    pub is_bad: bool,
    /// When it came, uptime.
    pub at: Duration,
}

/// How long a toast stays.
pub const TOAST_TIME: Duration = Duration::from_secs(8);

/// How a view's list came out on the screen: only the view knows how many rows its facts take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listing {
    /// Rows that could be shown, for paging.
    pub page_rows: u16,
    /// The last row that the list can be scrolled to.
    pub last_row: usize,
    /// The row at the pointer, in a list that has one.
    pub chosen: Option<usize>,
}

impl Listing {
    /// A list of `count` rows of which `page_rows` are shown at a time; its last page stays full.
    #[must_use]
    pub fn of(count: usize, page_rows: u16) -> Self {
        Self { page_rows, last_row: count.saturating_sub(page_rows.into()), chosen: None }
    }
}

/// The smallest screen, in columns and rows, that shows more than the verdict. On a smaller one no question is open.
pub const SMALLEST_SCREEN: (u16, u16) = (60, 15);

/// How much of what is open a frame held. A question that is not wholly on the screen takes no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// All lines of the dialog, when one is open.
    #[default]
    Whole,
    /// A dialog of which lines are missing.
    Cut,
    /// The screen is smaller than [`SMALLEST_SCREEN`]: the verdict, and no dialog at all.
    TooSmall,
}

/// Whether somebody looks at the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Watched {
    /// Nobody asks: whoever looks elsewhere is not to be told.
    #[default]
    NotAsked,
    /// The terminal has the focus, or has not said otherwise.
    Here,
    /// The terminal has said that it has no focus.
    Away,
}

/// State of the screen that is not about the migration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Screen {
    /// The view.
    pub view: View,
    /// First visible row of each view's list.
    pub scroll: BTreeMap<View, usize>,
    /// How much time the charts show.
    pub zoom: Zoom,
    /// The minute whose values the charts say, in place of the newest ones.
    pub cursor: Option<Timestamp>,
    /// First visible line of what is open and only wants to be read.
    pub reading_from: usize,
    /// Whether the mouse is ours, and not the terminal's.
    pub mouse: bool,
    /// Whether somebody looks at it, where that is asked.
    pub watched: Watched,
    /// Filter of the lists.
    pub filter: String,
    /// Whether the filter is being typed.
    pub filtering: bool,
    /// How the view's list came out when it was last drawn.
    pub listing: Listing,
    /// How much of what is open the last frame held.
    pub shown: Shown,
    /// What just happened.
    pub toast: Option<Toast>,
}
