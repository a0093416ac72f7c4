//! The fold over the journal: what was last confirmed, what is unfinished, when the weights last changed.

use std::collections::BTreeSet;
use std::time::Duration;

use super::carried::Carried;
use super::mark::{ChangeMark, Means, OpenChange, OpenRun, StopNoted};
use super::open::{Left, OpenIntent, Sent};
use super::{Entry, Event, OutcomeKind};
use crate::domain::change::deadline::{SEND_DEADLINE, SIGNATURE_LIFE};
use crate::domain::units::{Timestamp, WeightPair};

/// A change is on all authoritative name servers within this time as a rule (Route 53 API reference, `GetChange`).
pub const USUALLY_INSYNC_WITHIN: Duration = Duration::from_secs(60);

/// What the journal says about the state of the migration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// Weights that were last confirmed here and applied, or accepted as found.
    pub confirmed: Option<WeightPair>,
    /// Newest weights that the journal knows at all, and since when.
    pub known: Option<(WeightPair, Timestamp)>,
    /// Weights with the greatest share of the new stack that the journal knows of, whoever set them.
    pub most_carried: Option<WeightPair>,
    /// What the new stack has carried of late, and for how long.
    pub carried: Carried,
    /// When the newest weight change came into effect on the authoritative servers: INSYNC, or first sight of somebody
    /// else's weights. Nothing before the first change.
    pub moved_at: Option<Timestamp>,
    /// The same by AWS's own clock, where it was known.
    pub moved_at_aws: Option<Timestamp>,
    /// The newest change of ours that is not known to be INSYNC, with its instant.
    pub pending: Option<(String, Timestamp)>,
    /// The newest change of ours, pending or not.
    pub last_change: Option<(String, Timestamp)>,
    /// When Route 53 took the newest change of ours that it dated, by its own clock.
    pub last_submitted: Option<Timestamp>,
    /// When weights that were not set by a change of ours with a known id are on the name servers as a rule: a change that
    /// was settled from the records, or somebody else's.
    pub settles_at: Option<Timestamp>,
    /// Intents without a final outcome, oldest first.
    pub open: Vec<OpenIntent>,
    /// Changes around Pulumi without an outcome, oldest first.
    pub changes: Vec<OpenChange>,
    /// Runs of Pulumi that have begun and are not known to have ended, oldest first.
    pub runs: Vec<OpenRun>,
    /// Runs whose end is noted.
    pub ended: BTreeSet<String>,
    /// The newest request to stop each run whose end is not noted.
    pub stops: Vec<StopNoted>,
}

impl History {
    /// Folds the journal, oldest entry first.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut history = Self::default();
        for entry in entries {
            history.add(entry);
        }
        history
    }

    /// Whether no weight change is on its way: none waits for INSYNC, and the outcome of each is known.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.pending.is_none() && self.unfinished().is_none()
    }

    /// The newest intent without a final outcome.
    #[must_use]
    pub fn unfinished(&self) -> Option<&OpenIntent> {
        self.open.last()
    }

    fn opens(&mut self, id: &str, entry: &Entry, sent: Sent) {
        let at = entry.at;
        // A process that died may have sent it until its deadline, and it can be accepted for as long as it is signed.
        let lives = SEND_DEADLINE + SIGNATURE_LIFE;
        let (until, until_aws) = (at.plus(lives), entry.aws_at.map(|at| at.plus(lives)));
        self.open.push(OpenIntent { id: id.to_owned(), at, until, until_aws, sent });
    }

    /// A change was made: it counts, and what was open and can no longer find its records is settled by it.
    fn made(&mut self, own: Option<&OpenIntent>, weights: Option<WeightPair>, change: Option<&String>, entry: &Entry) {
        let at = entry.at;
        let sent = own.map(|own| &own.sent);
        if let Some(Sent::Weights { from, .. }) = sent {
            // The batch has deleted exactly these records.
            self.carried.proved(*from, entry.aws_at);
        }
        self.carried.ends();
        let applied = weights.or(match sent {
            Some(Sent::Weights { to, .. }) => Some(*to),
            _ => None,
        });
        if let Some(Sent::Zone(plan)) = sent {
            self.open.retain(|open| open.can_follow(&Left::Records(&plan.creates)));
            return;
        }
        if let Some(weights) = applied {
            self.open.retain(|open| open.can_follow(&Left::Weights(weights)));
            self.carries(weights);
            self.confirmed = Some(weights);
            self.known = Some((weights, at));
        }
        // Without an id nobody can be asked, so it counts as in effect when that is usual.
        self.settles_at = if change.is_some() { None } else { Some(at.plus(USUALLY_INSYNC_WITHIN)) };
        let usual = if change.is_some() { Duration::ZERO } else { USUALLY_INSYNC_WITHIN };
        self.moved_at = Some(at.plus(usual));
        self.moved_at_aws = entry.aws_at.map(|at| at.plus(usual));
        if let (None, Some(weights)) = (change, applied) {
            self.carried.begins(weights, self.moved_at_aws);
        }
        self.pending = change.cloned().map(|id| (id, at));
        self.last_change.clone_from(&self.pending);
    }

    /// Folds one more entry in.
    pub fn add(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.event {
            Event::Intent { id, from, to, .. } => self.opens(id, entry, Sent::Weights { from: *from, to: *to }),
            Event::ZoneIntent { id, plan } => self.opens(id, entry, Sent::Zone(plan.clone())),
            Event::Unsettled { id, until, .. } => {
                for open in self.open.iter_mut().filter(|open| open.id == *id) {
                    open.until = *until;
                    open.until_aws = entry.aws_at.map(|aws| aws.plus(until.since(at)));
                }
            }
            // What is not known yet settles nothing.
            Event::Outcome { id, result, weights, change, submitted_at, .. } if *result != OutcomeKind::Unknown => {
                let own = self.open.iter().position(|open| open.id == *id).map(|index| self.open.remove(index));
                // The answer of a change that a later one has overtaken changes nothing any more.
                let is_overtaken = submitted_at.zip(self.last_submitted).is_some_and(|(this, last)| this < last);
                if result.applied() && !is_overtaken {
                    self.last_submitted = submitted_at.or(self.last_submitted);
                    self.made(own.as_ref(), *weights, change.as_ref(), entry);
                }
            }
            Event::Insync { change, weights, verified, .. } => {
                if self.pending.as_ref().is_some_and(|(id, _)| id == change) {
                    self.pending = None;
                    (self.moved_at, self.moved_at_aws) = (Some(at), entry.aws_at);
                    if *verified {
                        self.carried.begins(*weights, entry.aws_at);
                    }
                }
            }
            Event::Seen { weights } => {
                if self.known.is_some_and(|(known, _)| known != *weights)
                    || (self.known.is_none() && weights.new_weight() > 0)
                {
                    (self.moved_at, self.moved_at_aws) = (Some(at), entry.aws_at);
                    self.settles_at = Some(at.plus(USUALLY_INSYNC_WITHIN));
                }
                if self.known.is_some_and(|(known, _)| known == *weights) {
                    self.carried.proved(*weights, entry.aws_at);
                } else {
                    self.carried.begins(*weights, entry.aws_at.map(|at| at.plus(USUALLY_INSYNC_WITHIN)));
                }
                self.known = Some((*weights, at));
                self.carries(*weights);
            }
            Event::Accepted { weights } => {
                self.carried.proved(*weights, entry.aws_at);
                self.confirmed = Some(*weights);
                self.known.get_or_insert((*weights, at));
            }
            Event::Run { id, operation, detail, intent } => {
                self.ran(id, operation, detail, intent.as_ref(), entry);
            }
            Event::Note { change: Some(mark), text } => self.marked(mark, text, entry),
            Event::Outcome { .. } | Event::Declined { .. } | Event::Note { change: None, .. } => {}
        }
    }

    fn ran(&mut self, id: &str, operation: &str, detail: &str, intent: Option<&String>, entry: &Entry) {
        match (may_change_the_stack(operation), detail.starts_with("ended")) {
            (true, true) => self.carried.stack_changed(entry.aws_at),
            (true, false) => self.carried.stack_changes(),
            (false, _) => {}
        }
        self.changes.retain(|open| Some(&open.id) != intent);
        self.runs.retain(|run| run.id != id);
        // That a run has begun may be noted after its end, by whoever settles it.
        if detail.starts_with("ended") {
            self.ended.insert(id.to_owned());
            self.stops.retain(|stop| stop.run != id);
        } else if detail.starts_with("started") && !self.ended.contains(id) {
            self.runs.push(OpenRun { id: id.to_owned(), operator: entry.operator.clone() });
        }
    }

    fn marked(&mut self, mark: &ChangeMark, text: &str, entry: &Entry) {
        let at = entry.at;
        match mark {
            ChangeMark::Intent { id, title, means } => {
                if let Means::Interrupt { run } | Means::ForceStop { run } = means {
                    let (id, run, operator) = (id.clone(), run.clone(), entry.operator.clone());
                    self.stops.retain(|stop| stop.run != run);
                    self.stops.push(StopNoted { id, run, at, operator, came: None });
                }
                let (id, title, means) = (id.clone(), title.clone(), means.clone());
                self.changes.push(OpenChange { id, at, title, means });
            }
            ChangeMark::Outcome { id } => {
                self.changes.retain(|open| open.id != *id);
                for stop in self.stops.iter_mut().filter(|stop| stop.id == *id) {
                    stop.came = Some(text.to_owned());
                }
            }
        }
    }

    fn carries(&mut self, weights: WeightPair) {
        if self.most_carried.is_none_or(|most| weights.new_percent() > most.new_percent()) {
            self.most_carried = Some(weights);
        }
    }

    /// The change that may still be made where the weights are `found`, and would give the new stack some.
    #[must_use]
    pub fn landing(&self, found: WeightPair) -> Option<&OpenIntent> {
        self.open
            .iter()
            .rev()
            .find(|open| matches!(open.sent, Sent::Weights { from, to } if from == found && to.new_weight() > 0))
    }

    /// The weights that a change would leave which may still be made, and until when; nothing where it would give the new
    /// stack nothing, or would not find its records where the weights are `found`.
    #[must_use]
    pub fn may_land(&self, found: WeightPair) -> Option<(WeightPair, Timestamp)> {
        let landing = self.landing(found)?;
        match landing.sent {
            Sent::Weights { to, .. } => Some((to, landing.until)),
            Sent::Zone(_) => None,
        }
    }

    /// Whether weights that were just read are news that belongs into the journal.
    #[must_use]
    pub fn is_news(&self, weights: WeightPair) -> bool {
        self.open.is_empty() && self.known.is_none_or(|(known, _)| known != weights)
    }

    /// Time since the newest weight change came into effect, by AWS's own clock where both instants are known by it.
    #[must_use]
    pub fn since_moved(&self, now: Timestamp, aws_now: Option<Timestamp>) -> Option<Duration> {
        match (self.moved_at_aws, aws_now) {
            (Some(at), Some(now)) => Some(now.since(at)),
            _ => self.moved_at.map(|at| now.since(at)),
        }
    }

    /// When the newest weight change came into effect, in the clock that AWS dates its metrics with, as far as it is
    /// known.
    #[must_use]
    pub fn moved_for_metrics(&self) -> Option<Timestamp> {
        self.moved_at_aws.or(self.moved_at)
    }
}

/// Whether a run of Pulumi may change what answers requests. Its journal lines do not say what it changed.
fn may_change_the_stack(operation: &str) -> bool {
    !operation.starts_with("preview") && operation != "refresh"
}
