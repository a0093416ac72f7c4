//! What became of a change, told once: a way back that goes on without the turn can be settled by another process while
//! its own answer is on the way.
//!
//! Pure.

use std::collections::BTreeMap;

use super::{Entry, Event, OutcomeKind};

/// The entries with one outcome for each change. What Route 53 itself has answered counts before what was read off the
/// records; of several such the first one does.
#[must_use]
pub fn noted_once(entries: Vec<Entry>) -> Vec<Entry> {
    let mut counts: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some((id, is_answer)) = outcome(&entry.event) else { continue };
        match counts.get(id) {
            Some((_, was_answer)) if *was_answer || !is_answer => {}
            _ => drop(counts.insert(id.to_owned(), (index, is_answer))),
        }
    }
    let is_told = |index: usize, entry: &Entry| {
        outcome(&entry.event).is_none_or(|(id, _)| counts.get(id).is_some_and(|(told, _)| *told == index))
    };
    entries.into_iter().enumerate().filter(|(index, entry)| is_told(*index, entry)).map(|(_, entry)| entry).collect()
}

/// The change whose end this is, and whether Route 53 itself has said so.
fn outcome(event: &Event) -> Option<(&str, bool)> {
    match event {
        Event::Outcome { id, result, .. } => match result {
            OutcomeKind::Accepted | OutcomeKind::Refused => Some((id, true)),
            OutcomeKind::Conflict | OutcomeKind::SettledApplied | OutcomeKind::SettledNotApplied => Some((id, false)),
            // What is not known yet is no end.
            OutcomeKind::Unknown => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::History;
    use crate::domain::units::{Timestamp, WeightPair};

    fn at(second: i64, event: Event) -> Entry {
        Entry {
            at: Timestamp::from_millis(second * 1000),
            aws_at: None,
            operator: "oncall".into(),
            host: "bastion".into(),
            event,
        }
    }

    fn pair(legacy: u8, new: u8) -> WeightPair {
        WeightPair::new(legacy, new).unwrap()
    }

    fn end(result: OutcomeKind, change: Option<&str>) -> Event {
        let (weights, change) = (Some(pair(100, 0)), change.map(str::to_owned));
        Event::Outcome { id: "a".into(), result, weights, change, submitted_at: None, detail: String::new() }
    }

    #[test]
    fn what_another_process_has_settled_is_not_told_beside_the_answer_of_its_sender() {
        let intent = Event::Intent {
            id: "a".into(),
            record: "app.example.com.".into(),
            from: pair(90, 10),
            to: pair(100, 0),
            direction: crate::domain::shift::Direction::Back,
            overrides: vec![],
            evacuation: None,
        };
        let (intent, answer) = (at(0, intent), at(2, end(OutcomeKind::Accepted, Some("C1"))));
        let settled = at(5, end(OutcomeKind::SettledApplied, None));
        // A segment's lines come before what was written meanwhile; its answer may also be the later one.
        for entries in [
            vec![intent.clone(), answer.clone(), settled.clone()],
            vec![intent.clone(), settled.clone(), answer.clone()],
        ] {
            let told = noted_once(entries);
            assert_eq!(told, [intent.clone(), answer.clone()]);
            let history = History::of(&told);
            assert_eq!(
                history.pending.map(|(id, _)| id).as_deref(),
                Some("C1"),
                "it is still asked whether it is INSYNC"
            );
            assert_eq!(history.moved_at, Some(answer.at), "and the bake does not begin again");
        }
        let twice = vec![intent.clone(), settled.clone(), at(9, end(OutcomeKind::SettledApplied, None))];
        assert_eq!(noted_once(twice), [intent.clone(), settled.clone()]);
        let open = vec![intent, at(1, end(OutcomeKind::Unknown, None)), settled];
        assert_eq!(noted_once(open.clone()), open);
    }
}
