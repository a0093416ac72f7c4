//! Journal entries: what a line of the journal says happened.
//!
//! Pure. The file itself belongs to `adapters::journal`; [`history`] folds the entries.

mod carried;
mod history;
mod mark;
mod moves;
mod once;
mod open;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::shift::{Direction, Override};
use super::traffic::Record;
use super::units::{Timestamp, WeightPair};
use super::zone::ZonePlan;

pub use carried::{Carried, REMEMBERED, Span};
pub use history::{History, USUALLY_INSYNC_WITHIN};
pub use mark::{ChangeMark, Means, OpenChange, OpenRun, StopNoted};
pub use moves::{Move, moves};
pub use once::noted_once;
pub use open::{OpenIntent, Sent};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was written.
    pub at: Timestamp,
    /// The same by AWS's own clock, as its answers told it; nothing in an old journal, and before the first answer. What
    /// lies between two instants is measured with it: this host's clock may be set in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_at: Option<Timestamp>,
    /// Who: role and session, or the local user where AWS was not asked.
    pub operator: String,
    /// On which host.
    pub host: String,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A confirmed weight change is about to be sent. On disk and synced before the call.
    Intent {
        /// Ties the outcome to the intent.
        id: String,
        /// The record.
        record: String,
        /// Weights as seen.
        from: WeightPair,
        /// Weights wanted.
        to: WeightPair,
        /// Forward or back.
        direction: Direction,
        /// Gates overridden.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        overrides: Vec<Override>,
        /// Why all traffic leaves the legacy stack at once, where it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evacuation: Option<String>,
    },
    /// A confirmed batch that turns the name's records is about to be sent. On disk and synced before the call.
    ZoneIntent {
        /// Ties the outcome to the intent.
        id: String,
        /// The batch, with its zone and name.
        plan: Box<ZonePlan>,
    },
    /// The answer of a sent change did not come, and the records do not show that it was made: it stays open.
    Unsettled {
        /// The intent's id.
        id: String,
        /// Until when the request can be accepted.
        until: Timestamp,
        /// One line for people.
        detail: String,
    },
    /// How a sent change ended.
    Outcome {
        /// The intent's id.
        id: String,
        /// How.
        result: OutcomeKind,
        /// Weights after it, where they are known.
        weights: Option<WeightPair>,
        /// Route 53's change id, where it accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<String>,
        /// When Route 53 took it, by its own clock: of two changes the later one counts, whichever answer came later.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        submitted_at: Option<Timestamp>,
        /// One line for people.
        detail: String,
    },
    /// The change is on all authoritative servers, and the group was read back.
    Insync {
        /// The change.
        change: String,
        /// Weights read back.
        weights: WeightPair,
        /// Whether they are the confirmed ones.
        verified: bool,
        /// When it was last seen not to be INSYNC: it became so between that and the instant of this entry. Nothing when
        /// nobody looked in between.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pending_at: Option<Timestamp>,
    },
    /// The operator let a dialog be, or it died.
    Declined {
        /// What was asked.
        what: String,
        /// Why it ended.
        why: String,
    },
    /// Weights were seen that nobody here had set: somebody else's change, or the first sight of this record.
    Seen {
        /// The weights.
        weights: WeightPair,
    },
    /// The operator took weights that somebody else had set as the new base.
    Accepted {
        /// The weights.
        weights: WeightPair,
    },
    /// A Pulumi run began or ended.
    Run {
        /// Run id.
        id: String,
        /// `up`, `destroy` …
        operation: String,
        /// What happened to it.
        detail: String,
        /// The intent of the change that it was begun by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        intent: Option<String>,
    },
    /// Anything else worth keeping.
    Note {
        /// One line.
        text: String,
        /// The change around Pulumi that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<Box<ChangeMark>>,
    },
}

/// How a sent change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// Route 53 accepted it.
    Accepted,
    /// The records were not as expected; nothing was changed.
    Conflict,
    /// Refused; nothing was changed.
    Refused,
    /// The answer was lost and reading back showed that it was applied.
    SettledApplied,
    /// The answer was lost and reading back showed that it was not applied.
    SettledNotApplied,
    /// The answer was lost and nothing could be read back yet.
    Unknown,
}

impl OutcomeKind {
    /// Whether the change was made.
    #[must_use]
    pub const fn applied(self) -> bool {
        matches!(self, Self::Accepted | Self::SettledApplied)
    }

    /// A word for a list.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::SettledApplied => "applied",
            Self::SettledNotApplied => "not applied",
            Self::Unknown => "unknown",
        }
    }
}

/// The records that batches of the name have deleted or made, newest first.
pub fn remembered(entries: &[Entry]) -> impl Iterator<Item = &Record> {
    entries.iter().rev().flat_map(|entry| match &entry.event {
        Event::ZoneIntent { plan, .. } => plan.deletes.iter().chain(&plan.creates),
        _ => [].iter().chain(&[]),
    })
}

/// The newest step that Route 53 is known to have taken: the weights before it, and those that it set.
#[must_use]
pub fn newest_step(entries: &[Entry]) -> Option<(WeightPair, WeightPair)> {
    let made = |id: &String| {
        entries
            .iter()
            .any(|entry| matches!(&entry.event, Event::Outcome { id: of, result, .. } if of == id && result.applied()))
    };
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Intent { id, from, to, .. } if made(id) => Some((*from, *to)),
        _ => None,
    })
}

/// The ids of all changes of the records that were about to be sent.
#[must_use]
pub fn intents(entries: &[Entry]) -> BTreeSet<String> {
    entries.iter().filter_map(|entry| entry.event.intent_id()).map(str::to_owned).collect()
}

/// The newest change of the records that is not among those known `before`. By what the journal holds and never by its
/// instants: a clock that was ahead would make an old change look new for as long.
#[must_use]
pub fn sent_since<'a>(entries: &'a [Entry], before: &BTreeSet<String>) -> Option<&'a Entry> {
    entries.iter().rev().find(|entry| entry.event.intent_id().is_some_and(|id| !before.contains(id)))
}

impl Event {
    /// The id of a change of the records that is about to be sent; nothing for any other event.
    #[must_use]
    pub fn intent_id(&self) -> Option<&str> {
        match self {
            Self::Intent { id, .. } | Self::ZoneIntent { id, .. } => Some(id),
            _ => None,
        }
    }

    /// A line that belongs to no change.
    #[must_use]
    pub fn note(text: impl Into<String>) -> Self {
        Self::Note { text: text.into(), change: None }
    }

    /// Whether it is about the records, so that what stands follows from it.
    #[must_use]
    pub const fn is_about_records(&self) -> bool {
        !matches!(self, Self::Declined { .. } | Self::Run { .. } | Self::Note { .. })
    }

    /// One line for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Intent { from, to, evacuation: Some(reason), overrides, .. } => {
                let gates: Vec<_> = overrides.iter().map(|over| over.gate.as_str()).collect();
                let over = if gates.is_empty() { "no gate".to_owned() } else { gates.join(", ") };
                format!(
                    "confirmed EVACUATION {} → {}: {reason}; stepping over {over}",
                    from.new_share(),
                    to.new_share()
                )
            }
            Self::Intent { from, to, direction, overrides, .. } => {
                let arrow = if *direction == Direction::Back { "back " } else { "" };
                let stepped = if overrides.is_empty() {
                    String::new()
                } else {
                    let list: Vec<_> = overrides.iter().map(|o| format!("{} ({})", o.gate, o.reason)).collect();
                    format!(", overriding {}", list.join(", "))
                };
                format!("confirmed {arrow}{} → {}{stepped}", from.new_share(), to.new_share())
            }
            Self::Outcome { result, weights, detail, .. } => {
                let at = weights.map(|w| format!(" at {w}")).unwrap_or_default();
                format!("{}{at}: {detail}", result.word())
            }
            Self::ZoneIntent { plan, .. } => format!("confirmed: {}; {}", plan.title(), plan.call_text()),
            Self::Unsettled { detail, .. } => format!("not known: {detail}"),
            Self::Insync { weights, verified, .. } => {
                let check = if *verified { "read back as confirmed" } else { "READ BACK DIFFERENT" };
                format!("INSYNC {weights}, {check}")
            }
            Self::Declined { what, why } => format!("declined: {what} ({why})"),
            Self::Seen { weights } => format!("weights found at {weights}"),
            Self::Accepted { weights } => format!("weights {weights} taken as the new base"),
            Self::Run { operation, detail, .. } => format!("pulumi {operation}: {detail}"),
            Self::Note { text, .. } => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
