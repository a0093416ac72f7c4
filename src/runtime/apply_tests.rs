//! The executor of weight changes, with a world that fails on purpose.

use super::*;
use crate::domain::confirm::YesFlag;
use crate::domain::facts::Source;
use crate::domain::shift::Direction;
use crate::domain::units::Percent;
use crate::runtime::fakes::{Fake, Fate, entry, pair};

fn plan(fake: &Fake, share: u8) -> Confirmed<ShiftPlan> {
    let seen = crate::domain::shift::fixtures::group(fake.weights());
    let plan = ShiftPlan::new(&seen, Percent::new(share).unwrap()).unwrap();
    Confirmed::by_flag(plan, YesFlag::from_cli(true).unwrap())
}

fn intent(id: &str) -> Entry {
    entry(
        1,
        Event::Intent {
            id: id.into(),
            record: "app.example.com.".into(),
            from: pair(100, 0),
            to: pair(90, 10),
            direction: Direction::Forward,
            overrides: vec![],
        },
    )
}

fn last_outcome(fake: &Fake) -> (OutcomeKind, Option<WeightPair>) {
    match fake.events().pop() {
        Some(Event::Outcome { result, weights, .. }) => (result, weights),
        other => panic!("{other:?}"),
    }
}

async fn run(fake: &Fake, plan: Confirmed<ShiftPlan>) -> ShiftOutcome {
    let (outcome, entries) = apply(&fake.ports(), plan, "me", "here").await;
    assert!(entries.iter().all(|e| e.operator == "me" && e.host == "here"));
    outcome
}

#[tokio::test]
async fn the_intent_is_on_disk_before_the_call_and_the_outcome_after_it() {
    let fake = Fake::new(pair(100, 0));
    let outcome = run(&fake, plan(&fake, 10)).await;
    assert!(matches!(outcome, ShiftOutcome::Accepted(_)));
    assert_eq!(fake.steps(), ["lock", "intent", "call", "outcome", "unlock"]);
    assert_eq!(last_outcome(&fake), (OutcomeKind::Accepted, Some(pair(90, 10))));
    assert_eq!(fake.weights(), pair(90, 10));
}

#[tokio::test]
async fn nothing_is_sent_when_the_intent_cannot_be_written() {
    let fake = Fake::new(pair(100, 0));
    fake.room_for(0);
    let outcome = run(&fake, plan(&fake, 10)).await;
    assert!(matches!(outcome, ShiftOutcome::Refused(error) if error.kind == ErrorKind::Storage));
    assert_eq!(fake.steps(), ["lock", "unlock"]);
    assert_eq!(fake.weights(), pair(100, 0));
}

#[tokio::test]
async fn an_outcome_that_cannot_be_written_leaves_the_intent_open() {
    let fake = Fake::new(pair(100, 0));
    fake.room_for(1);
    let (outcome, entries) = apply(&fake.ports(), plan(&fake, 10), "me", "here").await;
    assert!(matches!(outcome, ShiftOutcome::Accepted(_)));
    assert!(!outcome_written(&entries));
    assert!(History::of(&fake.ports().read_journal().await.unwrap().entries).unfinished.is_some());
}

#[tokio::test]
async fn records_that_changed_are_a_conflict_that_shows_what_is_there() {
    let fake = Fake::new(pair(100, 0));
    let plan = plan(&fake, 10);
    fake.set_weights(pair(70, 30));
    let outcome = run(&fake, plan).await;
    assert!(matches!(&outcome, ShiftOutcome::Conflict { found: Ok(found), .. } if found.weights() == pair(70, 30)));
    assert_eq!(fake.steps(), ["lock", "intent", "call", "records", "outcome", "unlock"]);
    assert_eq!(last_outcome(&fake), (OutcomeKind::Conflict, Some(pair(70, 30))));
    assert_eq!(fake.weights(), pair(70, 30));
}

#[tokio::test]
async fn a_refusal_because_of_somebody_elses_change_is_a_conflict_too() {
    let fake = Fake::new(pair(100, 0));
    let plan = plan(&fake, 10);
    fake.fate(Fate::Fails { kind: ErrorKind::Throttled, made: false });
    assert!(matches!(run(&fake, plan.clone()).await, ShiftOutcome::Refused(_)));
    fake.set_weights(pair(70, 30));
    assert!(matches!(run(&fake, plan).await, ShiftOutcome::Conflict { .. }));
}

#[tokio::test]
async fn every_failure_ends_as_what_the_records_show() {
    let lost = [ErrorKind::TimedOut, ErrorKind::Unreachable, ErrorKind::Garbled];
    for kind in lost {
        for made in [true, false] {
            let fake = Fake::new(pair(100, 0));
            fake.fate(Fate::Fails { kind, made });
            let outcome = run(&fake, plan(&fake, 10)).await;
            assert!(matches!(outcome, ShiftOutcome::Settled { applied, .. } if applied == made), "{kind:?} {made}");
            assert_eq!(fake.steps(), ["lock", "intent", "call", "records", "outcome", "unlock"]);
            let expected = if made { OutcomeKind::SettledApplied } else { OutcomeKind::SettledNotApplied };
            assert_eq!(last_outcome(&fake).0, expected);
        }
        let fake = Fake::new(pair(100, 0));
        fake.fate(Fate::Fails { kind, made: true });
        fake.fail(Source::Records, ErrorKind::Unreachable, 1);
        assert!(matches!(run(&fake, plan(&fake, 10)).await, ShiftOutcome::Unknown(_)));
        assert_eq!(last_outcome(&fake), (OutcomeKind::Unknown, None));
        let history = History::of(&fake.ports().read_journal().await.unwrap().entries);
        assert!(history.unfinished.is_some(), "an unknown outcome stays open");
    }
    let refused = [
        ErrorKind::Throttled,
        ErrorKind::Denied,
        ErrorKind::Credentials,
        ErrorKind::NotFound,
        ErrorKind::Invalid,
        ErrorKind::Storage,
        ErrorKind::Other,
    ];
    for kind in refused {
        let fake = Fake::new(pair(100, 0));
        fake.fate(Fate::Fails { kind, made: false });
        assert!(matches!(run(&fake, plan(&fake, 10)).await, ShiftOutcome::Refused(e) if e.kind == kind));
        assert_eq!(last_outcome(&fake).0, OutcomeKind::Refused);
        assert_eq!(fake.steps().iter().filter(|step| **step == "call").count(), 1);
    }
}

#[tokio::test]
async fn a_lost_answer_and_strange_weights_are_a_conflict() {
    let fake = Fake::new(pair(100, 0));
    let plan = plan(&fake, 10);
    fake.fate(Fate::Fails { kind: ErrorKind::TimedOut, made: false });
    fake.set_weights(pair(60, 40));
    assert!(matches!(run(&fake, plan).await, ShiftOutcome::Conflict { found: Ok(_), .. }));
    assert_eq!(last_outcome(&fake), (OutcomeKind::Conflict, Some(pair(60, 40))));
}

#[tokio::test]
async fn an_open_change_is_settled_from_the_records_once() {
    for (found, expected) in [
        (pair(90, 10), OutcomeKind::SettledApplied),
        (pair(100, 0), OutcomeKind::SettledNotApplied),
        (pair(50, 50), OutcomeKind::Conflict),
    ] {
        let fake = Fake::new(found);
        fake.remember(intent("a"));
        assert_eq!(settle(&fake.ports(), "me", "here").await.unwrap().len(), 1);
        assert_eq!(last_outcome(&fake), (expected, Some(found)));
        assert_eq!(settle(&fake.ports(), "me", "here").await.unwrap(), []);
        assert_eq!(fake.steps(), ["lock", "records", "outcome", "unlock", "lock", "unlock"]);
    }
}

#[tokio::test]
async fn an_open_change_stays_open_while_the_records_cannot_be_read() {
    let fake = Fake::new(pair(90, 10));
    fake.remember(intent("a"));
    fake.fail(Source::Records, ErrorKind::Credentials, 1);
    assert_eq!(settle(&fake.ports(), "me", "here").await.unwrap_err().kind, ErrorKind::Credentials);
    assert_eq!(fake.events().len(), 1);
    let outcome = run(&fake, plan(&fake, 20)).await;
    assert!(matches!(outcome, ShiftOutcome::Accepted(_)), "{outcome:?}");
    let kinds: Vec<_> = fake.steps().into_iter().skip(2).collect();
    assert_eq!(kinds, ["lock", "records", "outcome", "intent", "call", "outcome", "unlock"], "settled before the next");
}

#[tokio::test]
async fn of_two_plans_from_the_same_sight_one_wins() {
    let fake = Fake::new(pair(100, 0));
    let (first, second) = (plan(&fake, 10), plan(&fake, 20));
    let ports = fake.ports();
    let (a, b) = tokio::join!(apply(&ports, first, "me", "here"), apply(&ports, second, "you", "there"));
    let accepted = [&a.0, &b.0].iter().filter(|o| matches!(o, ShiftOutcome::Accepted(_))).count();
    let conflicts = [&a.0, &b.0].iter().filter(|o| matches!(o, ShiftOutcome::Conflict { .. })).count();
    assert_eq!((accepted, conflicts), (1, 1));
    assert!(fake.weights() == pair(90, 10) || fake.weights() == pair(80, 20));
}
