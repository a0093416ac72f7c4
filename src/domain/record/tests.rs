//! Journals folded into what they say about the migration.

use super::*;
use std::time::Duration;

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
        evacuation: None,
    }
}

fn outcome(id: &str, result: OutcomeKind) -> Event {
    Event::Outcome {
        id: id.into(),
        result,
        weights: None,
        change: Some("/change/C1".into()),
        submitted_at: None,
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
        submitted_at: None,
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
    let entries = [entry(1, intent("a", (100, 0), (90, 10))), entry(2, outcome("a", OutcomeKind::Accepted)), arrived];
    let history = History::of(&entries);
    // Somebody sets this host's clock forward by half an hour; AWS's own says that one minute has passed.
    let (now, aws_now) = (minutes(71), minutes(41));
    assert_eq!(history.since_moved(now, Some(aws_now)), Some(Duration::from_secs(60)));
    assert_eq!(history.since_moved(now, None), Some(Duration::from_secs(31 * 60)), "without it the host's has to do");
    assert_eq!(history.moved_for_metrics(), Some(minutes(40)));
}

#[test]
fn entries_survive_their_line() {
    let before = entry(1, intent("a", (100, 0), (90, 10)));
    let line = serde_json::to_string(&before).unwrap();
    assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), before);
    assert!(!line.contains('\n'));
}

#[test]
fn the_late_answer_of_a_change_that_was_overtaken_changes_nothing() {
    let accepted = |id: &str, to: (u8, u8), submitted: i64| Event::Outcome {
        id: id.into(),
        result: OutcomeKind::Accepted,
        weights: WeightPair::new(to.0, to.1),
        change: Some(format!("/change/{id}")),
        submitted_at: Some(Timestamp::from_millis(submitted * 1000)),
        detail: String::new(),
    };
    // A step is slow, the way back is sent and accepted meanwhile, and then the step's own answer comes.
    let entries = [
        entry(1, intent("step", (100, 0), (90, 10))),
        entry(18, intent("back", (90, 10), (100, 0))),
        entry(19, accepted("back", (100, 0), 18)),
        entry(36, accepted("step", (90, 10), 2)),
    ];
    let history = History::of(&entries);
    assert_eq!(history.confirmed, WeightPair::new(100, 0));
    assert_eq!(history.pending.as_ref().map(|(id, _)| id.as_str()), Some("/change/back"));
    assert!(history.open.is_empty());
}
