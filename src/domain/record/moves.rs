//! When the weights changed: the marks on every chart.

use super::{Entry, Event};
use crate::domain::units::{Timestamp, WeightPair};

/// A change of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// When it was accepted, or first seen where somebody else made it.
    pub at: Timestamp,
    /// The weights since then.
    pub to: WeightPair,
}

/// Every change of the weights that the journal tells of, oldest first. The first sight of a record is none.
#[must_use]
pub fn moves<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Vec<Move> {
    let (mut found, mut known) = (Vec::new(), None);
    for entry in entries {
        let to = match &entry.event {
            Event::Outcome { result, weights: Some(weights), .. } if result.applied() => *weights,
            Event::Seen { weights } => *weights,
            _ => continue,
        };
        let is_first_sight = known.is_none() && matches!(entry.event, Event::Seen { .. });
        if known.replace(to) != Some(to) && !is_first_sight {
            found.push(Move { at: entry.at, to });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::OutcomeKind;
    use super::*;

    fn pair(new: u8) -> WeightPair {
        WeightPair::new(100 - new, new).unwrap()
    }

    fn entry(secs: i64, event: Event) -> Entry {
        Entry {
            at: Timestamp::from_millis(secs * 1000),
            aws_at: None,
            operator: String::new(),
            host: String::new(),
            event,
        }
    }

    fn outcome(result: OutcomeKind, new: u8) -> Event {
        let (id, detail) = (String::new(), String::new());
        Event::Outcome { id, result, weights: Some(pair(new)), change: None, submitted_at: None, detail }
    }

    #[test]
    fn only_what_changed_the_weights_is_a_mark() {
        let entries = [
            entry(1, Event::Seen { weights: pair(0) }),
            entry(2, outcome(OutcomeKind::Refused, 10)),
            entry(3, outcome(OutcomeKind::Accepted, 10)),
            entry(4, Event::Seen { weights: pair(10) }),
            entry(5, Event::Seen { weights: pair(30) }),
            entry(6, Event::note("something")),
            entry(7, outcome(OutcomeKind::SettledApplied, 0)),
        ];
        let found: Vec<_> = moves(&entries).iter().map(|m| (m.at.millis() / 1000, m.to.new_weight())).collect();
        assert_eq!(found, [(3, 10), (5, 30), (7, 0)]);
    }
}
