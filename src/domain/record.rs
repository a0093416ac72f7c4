//! Journal entries, and the folds over them: what was last confirmed, what is unfinished, when the weights last changed.
//!
//! Pure. The file itself belongs to `adapters::journal`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::change::deadline::{SEND_DEADLINE, SIGNATURE_LIFE};
use super::shift::{Direction, Override};
use super::traffic::Record;
use super::units::{Percent, Timestamp, WeightPair};
use super::zone::ZonePlan;

/// A change is on all authoritative name servers within this time as a rule (Route 53 API reference, `GetChange`).
pub const USUALLY_INSYNC_WITHIN: Duration = Duration::from_secs(60);

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
        /// Gates stepped over.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        overrides: Vec<Override>,
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
    },
    /// Anything else worth keeping.
    Note {
        /// One line.
        text: String,
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
    /// What it sends.
    pub sent: Sent,
}

impl OpenIntent {
    /// What it is about, in a few words.
    #[must_use]
    pub fn what(&self) -> String {
        match &self.sent {
            Sent::Weights { from, to } => format!("the change {from} → {to}"),
            Sent::Zone(plan) => format!("\u{201c}{}\u{201d}", plan.title()),
        }
    }

    /// That it may still be carried out, in a sentence.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} of {} UTC may be made until {} UTC", self.what(), self.at.hms(), self.until.hms())
    }

    /// Whether its batch can still find the records that it deletes after a batch of ours that left these.
    fn can_follow(&self, left: &Left<'_>) -> bool {
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
enum Left<'a> {
    Weights(WeightPair),
    Records(&'a [Record]),
}

/// What the journal says about the state of the migration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// Weights that were last confirmed here and applied, or accepted as found.
    pub confirmed: Option<WeightPair>,
    /// Newest weights that the journal knows at all, and since when.
    pub known: Option<(WeightPair, Timestamp)>,
    /// Weights with the greatest share of the new stack that the journal knows of, whoever set them.
    pub most_carried: Option<WeightPair>,
    /// When the newest weight change came into effect on the authoritative servers: INSYNC, or first sight of somebody
    /// else's weights. Nothing before the first change.
    pub moved_at: Option<Timestamp>,
    /// The same by AWS's own clock, where it was known.
    pub moved_at_aws: Option<Timestamp>,
    /// The newest change of ours that is not known to be INSYNC, with its instant.
    pub pending: Option<(String, Timestamp)>,
    /// The newest change of ours, pending or not.
    pub last_change: Option<(String, Timestamp)>,
    /// When weights that were not set by a change of ours with a known id are on the name servers as a rule: a change that
    /// was settled from the records, or somebody else's.
    pub settles_at: Option<Timestamp>,
    /// Intents without a final outcome, oldest first.
    pub open: Vec<OpenIntent>,
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

    /// The newest intent without a final outcome.
    #[must_use]
    pub fn unfinished(&self) -> Option<&OpenIntent> {
        self.open.last()
    }

    fn opens(&mut self, id: &str, at: Timestamp, sent: Sent) {
        // A process that died may have sent it until its deadline, and it can be accepted for as long as it is signed.
        let until = at.plus(SEND_DEADLINE + SIGNATURE_LIFE);
        self.open.push(OpenIntent { id: id.to_owned(), at, until, sent });
    }

    /// A change was made: it counts, and what was open and can no longer find its records is settled by it.
    fn made(&mut self, own: Option<&OpenIntent>, weights: Option<WeightPair>, change: Option<&String>, entry: &Entry) {
        let at = entry.at;
        let sent = own.map(|own| &own.sent);
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
        self.pending = change.cloned().map(|id| (id, at));
        self.last_change.clone_from(&self.pending);
    }

    /// Folds one more entry in.
    pub fn add(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.event {
            Event::Intent { id, from, to, .. } => self.opens(id, at, Sent::Weights { from: *from, to: *to }),
            Event::ZoneIntent { id, plan } => self.opens(id, at, Sent::Zone(plan.clone())),
            Event::Unsettled { id, until, .. } => {
                for open in self.open.iter_mut().filter(|open| open.id == *id) {
                    open.until = *until;
                }
            }
            // What is not known yet settles nothing.
            Event::Outcome { id, result, weights, change, .. } if *result != OutcomeKind::Unknown => {
                let own = self.open.iter().position(|open| open.id == *id).map(|index| self.open.remove(index));
                if result.applied() {
                    self.made(own.as_ref(), *weights, change.as_ref(), entry);
                }
            }
            Event::Insync { change, .. } => {
                if self.pending.as_ref().is_some_and(|(id, _)| id == change) {
                    self.pending = None;
                    (self.moved_at, self.moved_at_aws) = (Some(at), entry.aws_at);
                }
            }
            Event::Seen { weights } => {
                if self.known.is_some_and(|(known, _)| known != *weights)
                    || (self.known.is_none() && weights.new_weight() > 0)
                {
                    (self.moved_at, self.moved_at_aws) = (Some(at), entry.aws_at);
                    self.settles_at = Some(at.plus(USUALLY_INSYNC_WITHIN));
                }
                self.known = Some((*weights, at));
                self.carries(*weights);
            }
            Event::Accepted { weights } => {
                self.confirmed = Some(*weights);
                self.known.get_or_insert((*weights, at));
            }
            Event::Outcome { .. } | Event::Declined { .. } | Event::Run { .. } | Event::Note { .. } => {}
        }
    }

    fn carries(&mut self, weights: WeightPair) {
        if self.most_carried.is_none_or(|most| weights.new_percent() > most.new_percent()) {
            self.most_carried = Some(weights);
        }
    }

    /// What the new stack has carried so far, as a sentence for the question about a step.
    #[must_use]
    pub fn carried_text(&self) -> String {
        match self.most_carried.map(WeightPair::new_share) {
            None | Some(Percent::ZERO) => "the new stack has carried nothing so far".to_owned(),
            Some(share) => format!("the new stack has carried {share} at most so far"),
        }
    }

    /// The weights that a change would leave which may still be made, and until when; nothing where it would give the new
    /// stack nothing, or would not find its records where the weights are `found`.
    #[must_use]
    pub fn may_land(&self, found: WeightPair) -> Option<(WeightPair, Timestamp)> {
        self.open.iter().rev().find_map(|open| match open.sent {
            Sent::Weights { from, to } if from == found && to.new_weight() > 0 => Some((to, open.until)),
            _ => None,
        })
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

    /// Whether it is about the records, so that what stands follows from it.
    #[must_use]
    pub const fn is_about_records(&self) -> bool {
        !matches!(self, Self::Declined { .. } | Self::Run { .. } | Self::Note { .. })
    }

    /// One line for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Intent { from, to, direction, overrides, .. } => {
                let arrow = if *direction == Direction::Back { "back " } else { "" };
                let stepped = if overrides.is_empty() {
                    String::new()
                } else {
                    let list: Vec<_> = overrides.iter().map(|o| format!("{} ({})", o.gate, o.reason)).collect();
                    format!(", stepping over {}", list.join(", "))
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
            Self::Note { text } => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(secs: i64, event: Event) -> Entry {
        Entry {
            aws_at: None,
            at: Timestamp::from_millis(secs * 1000),
            operator: "oncall".into(),
            host: "bastion".into(),
            event,
        }
    }

    fn intent(id: &str, from: (u8, u8), to: (u8, u8)) -> Event {
        Event::Intent {
            id: id.into(),
            record: "app.example.com.".into(),
            from: WeightPair::new(from.0, from.1).unwrap(),
            to: WeightPair::new(to.0, to.1).unwrap(),
            direction: Direction::Forward,
            overrides: vec![],
        }
    }

    fn outcome(id: &str, result: OutcomeKind) -> Event {
        Event::Outcome {
            id: id.into(),
            result,
            weights: None,
            change: Some("/change/C1".into()),
            detail: String::new(),
        }
    }

    #[test]
    fn an_intent_without_an_outcome_is_found_and_can_land_until_its_signature_is_too_old() {
        let history = History::of(&[entry(1, intent("a", (100, 0), (90, 10)))]);
        let open = history.unfinished().unwrap();
        assert_eq!((open.id.as_str(), open.until), ("a", Timestamp::from_millis(361_000)));
        let until = Timestamp::from_millis(310_000);
        let told = entry(61, Event::Unsettled { id: "a".into(), until, detail: String::new() });
        let history = History::of(&[entry(1, intent("a", (100, 0), (90, 10))), told]);
        assert_eq!(history.unfinished().unwrap().until, until);
    }

    #[test]
    fn an_own_batch_that_leaves_other_records_than_an_open_one_deletes_settles_it() {
        let open = entry(1, intent("a", (90, 10), (80, 20)));
        let back = [entry(2, intent("b", (90, 10), (100, 0))), entry(3, outcome("b", OutcomeKind::Accepted))];
        let history = History::of(&[vec![open.clone()], back.to_vec()].concat());
        assert_eq!((history.open.len(), history.confirmed), (0, WeightPair::new(100, 0)));
        // The same weights again leave what the open batch deletes: it can still be made.
        let again = [entry(2, intent("b", (90, 10), (90, 10))), entry(3, outcome("b", OutcomeKind::Accepted))];
        let history = History::of(&[vec![open], again.to_vec()].concat());
        assert_eq!(history.unfinished().map(|open| open.id.as_str()), Some("a"));
    }

    #[test]
    fn what_was_settled_from_the_records_is_not_insync_at_once() {
        let made = Event::Outcome {
            id: "a".into(),
            result: OutcomeKind::SettledApplied,
            weights: None,
            change: None,
            detail: String::new(),
        };
        let history = History::of(&[entry(1, intent("a", (100, 0), (90, 10))), entry(2, made)]);
        assert_eq!((history.confirmed, &history.pending), (WeightPair::new(90, 10), &None));
        assert_eq!(history.settles_at, Some(Timestamp::from_millis(62_000)));
        assert_eq!(history.since_moved(Timestamp::from_millis(50_000), None), Some(Duration::ZERO));
        assert_eq!(history.since_moved(Timestamp::from_millis(72_000), None), Some(Duration::from_secs(10)));
    }

    #[test]
    fn an_unknown_outcome_keeps_the_intent_open() {
        let history =
            History::of(&[entry(1, intent("a", (100, 0), (90, 10))), entry(2, outcome("a", OutcomeKind::Unknown))]);
        assert!(history.unfinished().is_some());
    }

    #[test]
    fn bake_counts_from_insync() {
        let entries = [
            entry(1, intent("a", (100, 0), (90, 10))),
            entry(2, outcome("a", OutcomeKind::Accepted)),
            entry(
                40,
                Event::Insync {
                    change: "/change/C1".into(),
                    weights: WeightPair::new(90, 10).unwrap(),
                    verified: true,
                    pending_at: None,
                },
            ),
        ];
        let history = History::of(&entries);
        assert_eq!(history.confirmed, WeightPair::new(90, 10));
        assert_eq!(history.pending, None);
        assert_eq!(history.since_moved(Timestamp::from_millis(100_000), None), Some(Duration::from_secs(60)));
        assert!(History::of(&entries[..2]).pending.is_some());
    }

    #[test]
    fn somebody_elses_weights_start_a_new_bake() {
        let seen = |secs, legacy, new| entry(secs, Event::Seen { weights: WeightPair::new(legacy, new).unwrap() });
        assert_eq!(History::of(&[seen(5, 100, 0)]).moved_at, None);
        assert_eq!(History::of(&[seen(5, 80, 20)]).moved_at, Some(Timestamp::from_millis(5000)));
        assert_eq!(History::of(&[seen(5, 100, 0), seen(9, 70, 30)]).moved_at, Some(Timestamp::from_millis(9000)));
    }

    #[test]
    fn the_bake_is_measured_with_the_clock_of_aws_where_it_is_known() {
        let minutes = |n: i64| Timestamp::from_millis(n * 60_000);
        let mut arrived = entry(
            0,
            Event::Insync {
                change: "/change/C1".into(),
                weights: WeightPair::new(90, 10).unwrap(),
                verified: true,
                pending_at: None,
            },
        );
        arrived.at = minutes(40);
        arrived.aws_at = Some(minutes(40));
        let entries =
            [entry(1, intent("a", (100, 0), (90, 10))), entry(2, outcome("a", OutcomeKind::Accepted)), arrived];
        let history = History::of(&entries);
        // Somebody sets this host's clock forward by half an hour; AWS's own says that one minute has passed.
        let (now, aws_now) = (minutes(71), minutes(41));
        assert_eq!(history.since_moved(now, Some(aws_now)), Some(Duration::from_secs(60)));
        assert_eq!(
            history.since_moved(now, None),
            Some(Duration::from_secs(31 * 60)),
            "without it the host's has to do"
        );
        assert_eq!(history.moved_for_metrics(), Some(minutes(40)));
    }

    #[test]
    fn entries_survive_their_line() {
        let before = entry(1, intent("a", (100, 0), (90, 10)));
        let line = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), before);
        assert!(!line.contains('\n'));
    }
}
