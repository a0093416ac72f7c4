//! An intent that has no final outcome yet, and what it can still do.

use crate::domain::traffic::Record;
use crate::domain::units::{Timestamp, WeightPair};
use crate::domain::zone::ZonePlan;

/// What an intent sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// Weights of the pair.
    Weights {
        /// Weights as seen then.
        from: WeightPair,
        /// Weights wanted.
        to: WeightPair,
    },
    /// The name's records are turned.
    Zone(Box<ZonePlan>),
}

/// An intent that has no final outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIntent {
    /// The intent's id.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// Until when its request can be carried out.
    pub until: Timestamp,
    /// The same by AWS's own clock, where it was known when the intent was written.
    pub until_aws: Option<Timestamp>,
    /// What it sends.
    pub sent: Sent,
}

impl OpenIntent {
    /// Whether its request can no longer be carried out: by AWS's own clock where both instants are known by it, since
    /// this host's may have been set in between.
    #[must_use]
    pub fn is_too_old(&self, now: Timestamp, aws_now: Option<Timestamp>) -> bool {
        match (self.until_aws, aws_now) {
            (Some(until), Some(now)) => now >= until,
            _ => now >= self.until,
        }
    }

    /// What it is about, in a few words.
    #[must_use]
    pub fn what(&self) -> String {
        match &self.sent {
            Sent::Weights { from, to } => format!("the change {from} → {to}"),
            Sent::Zone(plan) => format!("\u{201c}{}\u{201d}", plan.title()),
        }
    }

    /// That nobody knows what came of it, in a sentence.
    #[must_use]
    pub fn unknown_text(&self) -> String {
        let (at, until) = (self.at.hms(), self.until.hms());
        format!("it is not known yet what came of {} of {at} UTC, which may be made until {until} UTC", self.what())
    }

    /// That it may still be carried out, in a sentence.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} of {} UTC may be made until {} UTC", self.what(), self.at.hms(), self.until.hms())
    }

    /// Whether its batch can still find the records that it deletes after a batch of ours that left these.
    pub(super) fn can_follow(&self, left: &Left<'_>) -> bool {
        match (&self.sent, left) {
            (Sent::Weights { from, .. }, Left::Weights(weights)) => from == weights,
            (Sent::Weights { from, .. }, Left::Records(records)) => {
                let weight = |w: u8| records.iter().any(|record| record.weight() == Some(w));
                weight(from.legacy()) && weight(from.new_weight())
            }
            (Sent::Zone(plan), Left::Weights(weights)) => plan
                .deletes
                .iter()
                .all(|record| record.weight().is_some_and(|w| w == weights.legacy() || w == weights.new_weight())),
            (Sent::Zone(plan), Left::Records(records)) => {
                plan.deletes.iter().all(|record| records.iter().any(|left| record.eq_normalized(left)))
            }
        }
    }
}

/// What a batch of ours has left behind.
pub(super) enum Left<'a> {
    Weights(WeightPair),
    Records(&'a [Record]),
}
