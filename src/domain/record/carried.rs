//! Shares that the new stack has carried, and for how long, by AWS's own clock.
//!
//! Pure. A span counts only between two instants at which the weights are proved: it begins when a change is in effect,
//! and ends when the next batch of ours deletes exactly these records, or else where they were read last. A run of Pulumi that
//! may change the stack ends every span, since the journal does not say what it changed. What an old journal has without
//! AWS's time proves no span. That nobody took the share away in between is proved by the balancers' counts, which the
//! gate `step-size` asks for.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::metrics::TimeRange;
use crate::domain::series::PERIOD;
use crate::domain::units::{Percent, Timestamp, WeightPair, age_text};

/// What was carried longer ago than this says nothing about tonight.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// Spans that are kept: a day of changes, one every five minutes.
const MOST: usize = 288;
/// No earlier minute is asked for. Of two metrics these are 5,760 data points, of 100,800 that one call may give; minutes
/// are kept for 15 days (CloudWatch API reference, `GetMetricData`).
const ASKED: Duration = Duration::from_secs(48 * 3600);

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

    fn is_of_late(self, aws_now: Timestamp) -> bool {
        self.until <= aws_now && aws_now.since(self.until) <= REMEMBERED
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
    is_changing: bool,
    /// What is in effect while the stack may be changing.
    held: Option<WeightPair>,
}

impl Carried {
    /// These weights are in effect from then on; nothing where AWS's time is not known.
    pub(super) fn begins(&mut self, weights: WeightPair, at: Option<Timestamp>) {
        self.is_open = false;
        self.held = Some(weights).filter(|_| self.is_changing);
        if self.is_changing {
            return;
        }
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

    /// A run of Pulumi may change the new stack until it ends: what it carried before says nothing about it, and what it
    /// carries meanwhile neither.
    pub(super) fn stack_changes(&mut self) {
        self.held = self.open_weights().or(self.held);
        self.spans.clear();
        self.is_open = false;
        self.is_changing = true;
    }

    /// That run has ended.
    pub(super) fn stack_changed(&mut self, at: Option<Timestamp>) {
        self.stack_changes();
        self.is_changing = false;
        if let Some(weights) = self.held.take() {
            self.begins(weights, at);
        }
    }

    fn open_weights(&self) -> Option<WeightPair> {
        self.spans.back().filter(|_| self.is_open).map(|span| span.weights)
    }

    /// Nothing more is known of what is there.
    pub(super) fn ends(&mut self) {
        self.is_open = false;
        self.held = None;
    }

    /// From the first to the last minute of all spans that may count, as far back as the balancers' counts are asked for.
    #[must_use]
    pub fn window(&self, aws_now: Timestamp) -> Option<TimeRange> {
        let spans = || self.spans.iter().filter(|span| span.is_of_late(aws_now) && span.length() >= PERIOD);
        let from = spans().map(|span| span.since).min()?.max(aws_now.minus(ASKED));
        let to = spans().map(|span| span.until).max()?;
        Some(TimeRange { from: from.floor_to(PERIOD), to: to.floor_to(PERIOD) })
    }

    /// The spans within [`REMEMBERED`] in which the new stack carried this share, or more, for so long; the newest first.
    pub fn for_long(&self, share: Percent, long: Duration, aws_now: Timestamp) -> impl Iterator<Item = Span> {
        self.spans
            .iter()
            .rev()
            .copied()
            .filter(move |span| span.weights.new_share() >= share && span.length() >= long && span.is_of_late(aws_now))
    }
}
