//! The executor of changes, with a world that fails on purpose.

use std::sync::atomic::Ordering;

use super::*;
use crate::domain::change::turn::Holder;
use crate::domain::confirm::YesFlag;
use crate::domain::facts::Source;
use crate::domain::record::OutcomeKind;
use crate::domain::shift::{Direction, ShiftPlan};
use crate::domain::units::{Percent, Timestamp, WeightPair};
use crate::runtime::fakes::{Fake, Fate, entry, pair};

fn plan(fake: &Fake, share: u8) -> Confirmed<Change> {
    let seen = crate::domain::shift::fixtures::group(fake.weights());
    let plan = ShiftPlan::new(&seen, Percent::new(share).unwrap()).unwrap();
    Confirmed::by_flag(Change::Weights(plan), YesFlag::from_cli(true).unwrap())
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
            evacuation: None,
        },
    )
}

fn last_outcome(fake: &Fake) -> (OutcomeKind, Option<WeightPair>) {
    match fake.events().pop() {
        Some(Event::Outcome { result, weights, .. }) => (result, weights),
        other => panic!("{other:?}"),
    }
}

async fn run(fake: &Fake, plan: Confirmed<Change>) -> Outcome {
    let (outcome, entries) = execute(&fake.ports(), plan, "me", "here", &quietly()).await.into_records();
    assert!(entries.iter().all(|e| e.operator == "me" && e.host == "here"));
    outcome
}

#[tokio::test]
async fn the_intent_is_on_disk_before_the_call_and_the_outcome_after_it() {
    let fake = Fake::new(pair(100, 0));
    let outcome = run(&fake, plan(&fake, 10)).await;
    assert!(matches!(outcome, Outcome::Accepted(_)));
    assert_eq!(fake.steps(), ["lock", "intent", "call", "outcome", "unlock"]);
    assert_eq!(last_outcome(&fake), (OutcomeKind::Accepted, Some(pair(90, 10))));
    assert_eq!(fake.weights(), pair(90, 10));
}

#[tokio::test]
async fn nothing_is_sent_when_the_intent_cannot_be_written() {
    let fake = Fake::new(pair(100, 0));
    fake.room_for(0);
    let outcome = run(&fake, plan(&fake, 10)).await;
    assert!(matches!(outcome, Outcome::Refused(error) if error.kind == ErrorKind::Storage));
    assert_eq!(fake.steps(), ["lock", "unlock"]);
    assert_eq!(fake.weights(), pair(100, 0));
}

#[tokio::test]
async fn an_outcome_that_cannot_be_written_leaves_the_intent_open() {
    let fake = Fake::new(pair(100, 0));
    fake.room_for(1);
    let (outcome, entries) = execute(&fake.ports(), plan(&fake, 10), "me", "here", &quietly()).await.into_records();
    assert!(matches!(outcome, Outcome::Accepted(_)));
    assert!(!outcome_written(&entries));
    assert!(History::of(&fake.ports().read_journal().await.unwrap().entries).unfinished().is_some());
}

#[tokio::test]
async fn records_that_changed_are_a_conflict_that_shows_what_is_there() {
    let fake = Fake::new(pair(100, 0));
    let plan = plan(&fake, 10);
    fake.set_weights(pair(70, 30));
    let outcome = run(&fake, plan).await;
    assert!(
        matches!(&outcome, Outcome::Conflict { .. })
            && outcome.group(&fake.ports().key).unwrap().weights() == pair(70, 30)
    );
    assert_eq!(fake.steps(), ["lock", "intent", "call", "records", "outcome", "unlock"]);
    assert_eq!(last_outcome(&fake), (OutcomeKind::Conflict, Some(pair(70, 30))));
    assert_eq!(fake.weights(), pair(70, 30));
}

#[tokio::test]
async fn a_refusal_because_of_somebody_elses_change_is_a_conflict_too() {
    let fake = Fake::new(pair(100, 0));
    let plan = plan(&fake, 10);
    fake.fate(Fate::Fails { kind: ErrorKind::Throttled, made: false });
    assert!(matches!(run(&fake, plan.clone()).await, Outcome::Refused(_)));
    fake.set_weights(pair(70, 30));
    assert!(matches!(run(&fake, plan).await, Outcome::Conflict { .. }));
}

#[tokio::test]
async fn a_lost_answer_is_made_or_stays_open_until_its_signature_is_too_old() {
    let lost = [ErrorKind::TimedOut, ErrorKind::Unreachable, ErrorKind::Garbled];
    for kind in lost {
        let fake = Fake::new(pair(100, 0));
        fake.fate(Fate::Fails { kind, made: true });
        assert!(matches!(run(&fake, plan(&fake, 10)).await, Outcome::Made { .. }), "{kind:?}");
        assert_eq!(fake.steps(), ["lock", "intent", "call", "records", "outcome", "unlock"]);
        assert_eq!(last_outcome(&fake).0, OutcomeKind::SettledApplied);

        for readable in [true, false] {
            let fake = Fake::new(pair(100, 0));
            fake.fate(Fate::Fails { kind, made: false });
            if !readable {
                fake.unreadable_after_the_call();
            }
            let Outcome::Unknown { until, .. } = run(&fake, plan(&fake, 10)).await else { panic!("{kind:?}") };
            let history = fake.ports().read_journal().await.unwrap().history;
            let open = history.unfinished().expect("it stays open");
            assert_eq!(open.until, until);
            assert!(until >= open.at.plus(SIGNATURE_LIFE.checked_sub(std::time::Duration::from_secs(5)).unwrap()));
        }
    }
}

#[tokio::test]
async fn while_a_change_may_still_be_made_nothing_goes_forward_and_the_way_back_is_open() {
    let fake = Fake::new(pair(90, 10));
    fake.fate(Fate::Fails { kind: ErrorKind::TimedOut, made: false });
    assert!(matches!(run(&fake, plan(&fake, 20)).await, Outcome::Unknown { .. }));
    fake.fate(Fate::Honest);
    let refused = run(&fake, plan(&fake, 20)).await;
    assert!(
        matches!(&refused, Outcome::Refused(e) if e.kind == ErrorKind::Busy && e.message.contains("may be made until"))
    );
    assert!(matches!(run(&fake, plan(&fake, 0)).await, Outcome::Accepted(_)));
    let history = fake.ports().read_journal().await.unwrap().history;
    assert!(history.open.is_empty(), "its batch can no longer find the records that it deletes");
    assert_eq!(history.confirmed, Some(pair(100, 0)));
}

fn somebody() -> Holder {
    Holder {
        pid: 7,
        host: "bastion".into(),
        operator: "maria".into(),
        since: Timestamp::default(),
        stopped: Some(true),
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_not_given_back_is_waited_for_within_a_bound_and_its_holder_named() {
    let fake = Fake::new(pair(90, 10));
    fake.held_by(somebody());
    let began = tokio::time::Instant::now();
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = Arc::clone(&told);
    let tell: Tell = Arc::new(move |stage| hears.lock().unwrap().push(stage));
    let (outcome, entries) = execute(&fake.ports(), plan(&fake, 20), "me", "here", &tell).await.into_records();
    let Outcome::Refused(error) = outcome else { panic!("{outcome:?}") };
    assert!(
        error.message.contains("process 7 of maria on bastion") && error.message.contains("kill -CONT 7"),
        "{error}"
    );
    assert!(began.elapsed() >= TURN_BOUND && began.elapsed() < TURN_BOUND * 2, "{:?}", began.elapsed());
    assert_eq!((entries.len(), fake.steps().len()), (0, 0), "nothing was sent");
    assert_eq!(*told.lock().unwrap(), [Stage::Waiting(Some(somebody()))]);
}

#[tokio::test(start_paused = true)]
async fn the_way_back_goes_on_without_the_turn_and_writes_aside() {
    let fake = Fake::new(pair(90, 10));
    fake.held_by(somebody());
    assert!(matches!(run(&fake, plan(&fake, 0)).await, Outcome::Accepted(_)));
    assert_eq!(fake.steps(), ["aside", "intent", "call", "outcome"]);
    assert_eq!(fake.weights(), pair(100, 0));
    assert!(settle(&fake.ports(), None, "me", "here").await.unwrap().is_empty(), "who only reads does not wait");
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_a_change_waits_for_its_turn_leaves_at_once_and_only_the_way_back_is_sent() {
    for (share, sent) in [(20, false), (0, true)] {
        let fake = Fake::new(pair(90, 10));
        fake.held_by(somebody());
        let ports = fake.ports();
        let leaving = Arc::clone(&ports.leaving);
        // The operator presses q as soon as the screen says for whom it waits.
        let tell: Tell = Arc::new(move |_| leaving.store(true, Ordering::Relaxed));
        let began = tokio::time::Instant::now();
        let (outcome, _) = execute(&ports, plan(&fake, share), "me", "here", &tell).await.into_records();
        assert!(began.elapsed() < TURN_BOUND / 10, "{:?}", began.elapsed());
        assert_eq!(matches!(outcome, Outcome::Accepted(_)), sent, "{outcome:?}");
        assert_eq!(fake.weights(), if sent { pair(100, 0) } else { pair(90, 10) });
    }
}

#[tokio::test]
async fn the_way_back_goes_on_although_somebody_keeps_the_journal_locked_and_forward_does_not() {
    let fake = Fake::new(pair(90, 10));
    fake.lock_journal(0);
    assert!(matches!(run(&fake, plan(&fake, 20)).await, Outcome::Refused(error) if error.kind == ErrorKind::Storage));
    assert_eq!(fake.steps(), ["lock", "unlock"], "nothing is sent forward");
    let done = execute(&fake.ports(), plan(&fake, 0), "me", "here", &quietly()).await;
    assert!(matches!(done.came, Came::Records(Outcome::Accepted(_))) && done.unwritten.is_none(), "{done:?}");
    assert_eq!(fake.steps()[2..], ["lock", "aside", "intent", "call", "outcome", "unlock"]);
    assert_eq!(fake.weights(), pair(100, 0));
}

#[tokio::test]
async fn where_nothing_can_be_written_the_way_back_ends_with_why() {
    let fake = Fake::new(pair(90, 10));
    fake.room_for(0);
    let outcome = run(&fake, plan(&fake, 0)).await;
    assert!(matches!(outcome, Outcome::Refused(error) if error.message.contains("no space left")));
    assert!(!fake.steps().contains(&"call"));
}

#[tokio::test]
async fn what_was_sent_is_noted_although_somebody_has_locked_the_journal_meanwhile() {
    for share in [0, 20] {
        let fake = Fake::new(pair(90, 10));
        fake.lock_journal(1);
        let done = execute(&fake.ports(), plan(&fake, share), "me", "here", &quietly()).await;
        assert!(done.unwritten.is_none() && outcome_written(&done.entries), "{done:?}");
        assert_eq!(fake.steps(), ["lock", "intent", "call", "aside", "outcome", "unlock"]);
    }
}

fn released(fake: &Fake) -> Confirmed<Change> {
    use crate::domain::traffic::Side;
    use crate::domain::zone::{Endpoints, release};
    let unset = Endpoints { legacy_dns: String::new(), new: None, evaluate_health: true };
    let plan = release(&fake.ports().key, &unset, &fake.records(), Side::Legacy).unwrap();
    Confirmed::by_flag(Change::Zone(plan), YesFlag::from_cli(true).unwrap())
}

#[tokio::test]
async fn adopt_and_release_are_settled_as_weights_are() {
    let fake = Fake::new(pair(100, 0));
    assert!(matches!(run(&fake, released(&fake)).await, Outcome::Accepted(_)));
    assert_eq!(fake.steps(), ["lock", "intent", "call", "outcome", "unlock"]);
    assert_eq!(fake.records().len(), 1);

    // A process that died between the call and the outcome leaves an intent, which the next one settles.
    for made in [true, false] {
        let fake = Fake::new(pair(100, 0));
        let change = released(&fake);
        let before = fake.records();
        if made {
            fake.set_records(change.get().batch().unwrap().creates);
        }
        fake.remember(entry(1, change.get().intent("z".into())));
        assert_eq!(settle(&fake.ports(), None, "me", "here").await.unwrap().len(), 1);
        let expected = if made { OutcomeKind::SettledApplied } else { OutcomeKind::SettledNotApplied };
        assert_eq!(last_outcome(&fake).0, expected);
        assert_eq!(fake.records() == before, !made);
    }
}

#[tokio::test]
async fn a_conflict_with_its_own_records_is_made_and_one_with_somebody_elses_is_not() {
    for sent_before in [true, false] {
        let fake = Fake::new(pair(100, 0));
        let plan = plan(&fake, 10);
        fake.set_weights(pair(90, 10));
        if sent_before {
            fake.sent_before();
        }
        let outcome = run(&fake, plan).await;
        assert_eq!(matches!(outcome, Outcome::Made { .. }), sent_before, "{outcome:?}");
        let confirmed = fake.ports().read_journal().await.unwrap().history.confirmed;
        assert_eq!(confirmed, sent_before.then(|| pair(90, 10)), "no base is taken from somebody else");
    }
}

#[tokio::test]
async fn a_refusal_says_that_nothing_was_changed_only_when_the_records_agree() {
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
        assert!(matches!(run(&fake, plan(&fake, 10)).await, Outcome::Refused(e) if e.kind == kind));
        assert_eq!(last_outcome(&fake).0, OutcomeKind::Refused);
        assert_eq!(fake.steps().iter().filter(|step| **step == "call").count(), 1);
    }
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
        assert_eq!(settle(&fake.ports(), None, "me", "here").await.unwrap().len(), 1);
        assert_eq!(last_outcome(&fake), (expected, Some(found)));
        assert_eq!(settle(&fake.ports(), None, "me", "here").await.unwrap(), []);
        assert_eq!(fake.steps(), ["lock", "records", "outcome", "unlock", "lock", "unlock"]);
    }
}

#[tokio::test]
async fn an_open_change_stays_open_while_the_records_cannot_be_read() {
    let fake = Fake::new(pair(90, 10));
    fake.remember(intent("a"));
    fake.fail(Source::Records, ErrorKind::Credentials, 1);
    assert_eq!(settle(&fake.ports(), None, "me", "here").await.unwrap_err().kind, ErrorKind::Credentials);
    assert_eq!(fake.events().len(), 1);
    let outcome = run(&fake, plan(&fake, 20)).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    let kinds: Vec<_> = fake.steps().into_iter().skip(2).collect();
    assert_eq!(kinds, ["lock", "records", "outcome", "intent", "call", "outcome", "unlock"], "settled before the next");
}

#[tokio::test]
async fn of_two_plans_from_the_same_sight_one_wins() {
    let fake = Fake::new(pair(100, 0));
    let (first, second) = (plan(&fake, 10), plan(&fake, 20));
    let (ports, quiet) = (fake.ports(), quietly());
    let (a, b) =
        tokio::join!(execute(&ports, first, "me", "here", &quiet), execute(&ports, second, "you", "there", &quiet));
    let (a, b) = (a.into_records(), b.into_records());
    let accepted = [&a.0, &b.0].iter().filter(|o| matches!(o, Outcome::Accepted(_))).count();
    let conflicts = [&a.0, &b.0].iter().filter(|o| matches!(o, Outcome::Conflict { .. })).count();
    assert_eq!((accepted, conflicts), (1, 1));
    assert!(fake.weights() == pair(90, 10) || fake.weights() == pair(80, 20));
}

#[tokio::test]
async fn a_new_base_is_in_the_journal_under_whoever_took_it_or_is_not_taken() {
    let accept = || Confirmed::by_flag(Change::AcceptBaseline(pair(70, 30)), YesFlag::from_cli(true).unwrap());
    let fake = Fake::new(pair(70, 30));
    let done = execute(&fake.ports(), accept(), "me", "here", &quietly()).await;
    assert!(matches!(done.came, Came::Baseline(Ok(()))), "{done:?}");
    assert_eq!(fake.steps(), ["lock", "entry", "unlock"], "nothing is sent");
    assert_eq!(fake.ports().read_journal().await.unwrap().history.confirmed, Some(pair(70, 30)));
    fake.room_for(0);
    let done = execute(&fake.ports(), accept(), "me", "here", &quietly()).await;
    assert!(matches!(done.came, Came::Baseline(Err(_))), "{done:?}");
}
