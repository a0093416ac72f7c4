//! What a run says of itself: its ending, the engine's count, messages, log lines, how far it is.
//!
//! Pure. Made by [`fold`](super::fold) from events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::event::Severity;
use super::op::Operation;
use super::resource::Resource;
use crate::domain::units::Timestamp;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// All that was planned is done.
    Succeeded,
    /// Something failed.
    Failed,
    /// It was interrupted, and ended in good order.
    Canceled,
    /// It stopped without its own ending: killed, crashed, or the disk was full.
    Broken,
}

impl RunOutcome {
    /// A word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Broken => "broken off",
        }
    }
}

/// The engine's own count at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How it ended, by the engine's word or, with an older CLI, by what failed.
    pub ending: RunOutcome,
    /// How long it took.
    pub duration: Duration,
    /// Steps by operation.
    pub changes: BTreeMap<Operation, u32>,
    /// Whether it was a preview.
    pub preview: bool,
    /// Whether the engine holds its state for possibly damaged.
    pub maybe_corrupt: bool,
}

/// A message that is kept in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// When.
    pub at: Timestamp,
    /// How bad.
    pub severity: Severity,
    /// About which resource.
    pub urn: Option<Arc<str>>,
    /// The words, several lines maybe.
    pub text: String,
}

/// Something that went wrong, ready to be shown above everything else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Failure<'a> {
    /// The resource that it is about, where there is one.
    pub resource: Option<&'a Resource>,
    /// The message in full.
    pub text: &'a str,
    /// When.
    pub at: Timestamp,
}

/// One line of the log pane.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// How bad.
    pub severity: Severity,
    /// The line.
    pub text: String,
}

/// How far the run is, in resources that change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Done.
    pub done: u32,
    /// Under way.
    pub running: u32,
    /// Failed.
    pub failed: u32,
    /// All that the plan says; nothing without a plan, since the engine finds its work as it goes.
    pub total: Option<u32>,
    /// Resources that were looked at and needed nothing.
    pub unchanged: u32,
}

/// A plug-in on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// What is said of it.
    pub text: String,
    /// Bytes so far.
    pub received: u64,
    /// Bytes in all, 0 when not known.
    pub total: u64,
}

/// Lines by what they came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineCounts {
    /// Events.
    pub events: u64,
    /// Debug noise, left in the file.
    pub debug: u64,
    /// Kinds that this version does not know.
    pub unknown: u64,
    /// No events at all.
    pub garbage: u64,
    /// Longer than is read.
    pub oversized: u64,
}
