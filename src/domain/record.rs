//! Journal entries, and the folds over them: what was last confirmed, what is unfinished, when the weights last changed.
//!
//! Pure. The file itself belongs to `adapters::journal`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::shift::{Direction, Override};
use super::units::{Percent, Timestamp, WeightPair};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was written.
    pub at: Timestamp,
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

/// An intent that has no final outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The intent's id.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// Weights as seen then.
    pub from: WeightPair,
    /// Weights wanted.
    pub to: WeightPair,
}

impl Unfinished {
    /// What the weights found say about it: applied, not applied, or neither (somebody else changed them since).
    #[must_use]
    pub fn settle(&self, found: WeightPair) -> OutcomeKind {
        if found == self.to {
            OutcomeKind::SettledApplied
        } else if found == self.from {
            OutcomeKind::SettledNotApplied
        } else {
            OutcomeKind::Conflict
        }
    }
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
    /// The newest change of ours that is not known to be INSYNC, with its instant.
    pub pending: Option<(String, Timestamp)>,
    /// The newest change of ours, pending or not.
    pub last_change: Option<(String, Timestamp)>,
    /// An intent without a final outcome.
    pub unfinished: Option<Unfinished>,
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

    /// Folds one more entry in.
    pub fn add(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.event {
            Event::Intent { id, from, to, .. } => {
                self.unfinished = Some(Unfinished { id: id.clone(), at, from: *from, to: *to });
            }
            Event::Outcome { id, result, weights, change, .. } => {
                let ours = self.unfinished.as_ref().is_some_and(|u| u.id == *id);
                if *result == OutcomeKind::Unknown {
                    return;
                }
                if result.applied() {
                    let applied = weights.or(self.unfinished.as_ref().filter(|_| ours).map(|u| u.to));
                    if let Some(weights) = applied {
                        self.carries(weights);
                        self.confirmed = Some(weights);
                        self.known = Some((weights, at));
                    }
                    self.moved_at = Some(at);
                    self.pending = change.clone().map(|id| (id, at));
                    if self.pending.is_some() {
                        self.last_change.clone_from(&self.pending);
                    }
                }
                if ours {
                    self.unfinished = None;
                }
            }
            Event::Insync { change, .. } => {
                if self.pending.as_ref().is_some_and(|(id, _)| id == change) {
                    self.pending = None;
                    self.moved_at = Some(at);
                }
            }
            Event::Seen { weights } => {
                if self.known.is_some_and(|(known, _)| known != *weights)
                    || (self.known.is_none() && weights.new_weight() > 0)
                {
                    self.moved_at = Some(at);
                }
                self.known = Some((*weights, at));
                self.carries(*weights);
            }
            Event::Accepted { weights } => {
                self.confirmed = Some(*weights);
                self.known.get_or_insert((*weights, at));
            }
            Event::Declined { .. } | Event::Run { .. } | Event::Note { .. } => {}
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

    /// Whether weights that were just read are news that belongs into the journal.
    #[must_use]
    pub fn is_news(&self, weights: WeightPair) -> bool {
        self.unfinished.is_none() && self.known.is_none_or(|(known, _)| known != weights)
    }

    /// Time since the newest weight change came into effect.
    #[must_use]
    pub fn since_moved(&self, now: Timestamp) -> Option<Duration> {
        self.moved_at.map(|at| now.since(at))
    }
}

impl Event {
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
            Self::Insync { weights, verified, .. } => {
                let check = if *verified { "read back as confirmed" } else { "READ BACK DIFFERENT" };
                format!("INSYNC {weights}, {check}")
            }
            Self::Declined { what, why } => format!("left as it is: {what} ({why})"),
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
        Entry { at: Timestamp::from_millis(secs * 1000), operator: "oncall".into(), host: "bastion".into(), event }
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
    fn an_intent_without_an_outcome_is_found_and_settled_by_what_is_there() {
        let history = History::of(&[entry(1, intent("a", (100, 0), (90, 10)))]);
        let unfinished = history.unfinished.unwrap();
        assert_eq!(unfinished.settle(WeightPair::new(90, 10).unwrap()), OutcomeKind::SettledApplied);
        assert_eq!(unfinished.settle(WeightPair::new(100, 0).unwrap()), OutcomeKind::SettledNotApplied);
        assert_eq!(unfinished.settle(WeightPair::new(70, 30).unwrap()), OutcomeKind::Conflict);
    }

    #[test]
    fn an_unknown_outcome_keeps_the_intent_open() {
        let history =
            History::of(&[entry(1, intent("a", (100, 0), (90, 10))), entry(2, outcome("a", OutcomeKind::Unknown))]);
        assert!(history.unfinished.is_some());
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
                },
            ),
        ];
        let history = History::of(&entries);
        assert_eq!(history.confirmed, WeightPair::new(90, 10));
        assert_eq!(history.pending, None);
        assert_eq!(history.since_moved(Timestamp::from_millis(100_000)), Some(Duration::from_secs(60)));
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
    fn entries_survive_their_line() {
        let before = entry(1, intent("a", (100, 0), (90, 10)));
        let line = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), before);
        assert!(!line.contains('\n'));
    }
}
