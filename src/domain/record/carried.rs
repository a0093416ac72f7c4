//! Shares that the new stack has carried, and for how long, by AWS's own clock.
//!
//! Pure. A span counts only between two instants at which the weights are proved: it begins when a change is in effect,
//! and ends when the next batch of ours deletes exactly these records, or else where they were read last. What an old
//! journal has without AWS's time proves no span. That nobody took the share away in between is proved by the balancers'
//! counts, which the gate `step-size` asks for.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::units::{Percent, Timestamp, WeightPair, age_text};

/// What was carried longer ago than this says nothing about tonight.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// Spans that are kept: a day of changes, one every five minutes.
const MOST: usize = 288;

/// A share that was carried without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The weights.
    pub weights: WeightPair,
    /// Since when they were in effect.
    pub since: Timestamp,
    /// Until when that is proved.
    pub until: Timestamp,
}

impl Span {
    /// How long it is.
    #[must_use]
    pub fn length(self) -> Duration {
        self.until.since(self.since)
    }

    /// In a few words.
    #[must_use]
    pub fn text(self) -> String {
        format!("{} for {}, until {} UTC", self.weights.new_share(), age_text(self.length()), self.until.hms())
    }
}

/// All that was carried of late.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    spans: VecDeque<Span>,
    is_open: bool,
}

impl Carried {
    /// These weights are in effect from then on; nothing where AWS's time is not known.
    pub(super) fn begins(&mut self, weights: WeightPair, at: Option<Timestamp>) {
        self.is_open = false;
        let Some(since) = at.filter(|_| weights.new_weight() > 0) else { return };
        self.spans.push_back(Span { weights, since, until: since });
        self.is_open = true;
        while self.spans.len() > MOST {
            self.spans.pop_front();
        }
    }

    /// These weights were there at this instant.
    pub(super) fn proved(&mut self, weights: WeightPair, at: Option<Timestamp>) {
        let Some(at) = at.filter(|_| self.is_open) else { return };
        if let Some(span) = self.spans.back_mut().filter(|span| span.weights == weights) {
            span.until = span.until.max(at);
        }
    }

    /// Nothing more is known of what is there.
    pub(super) fn ends(&mut self) {
        self.is_open = false;
    }

    /// The newest span within [`REMEMBERED`] in which the new stack carried this share, or more, for so long.
    #[must_use]
    pub fn for_long(&self, share: Percent, long: Duration, aws_now: Timestamp) -> Option<Span> {
        self.spans.iter().rev().copied().find(|span| {
            span.weights.new_share() >= share
                && span.length() >= long
                && span.until <= aws_now
                && aws_now.since(span.until) <= REMEMBERED
        })
    }
}
