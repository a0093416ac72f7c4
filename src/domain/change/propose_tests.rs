//! What is proposed for what was asked, in the operator's words.

use std::time::Duration;

use super::*;
use crate::domain::facts::Observation;
use crate::domain::gate::{GateId, Verdict};
use crate::domain::model::fixtures::stack;
use crate::domain::record::{Entry, Event};
use crate::domain::shift::Direction;
use crate::domain::shift::fixtures::{key, record};

const NOW: Timestamp = Timestamp::from_millis(1_795_000_020_000);

fn percent(share: u8) -> Percent {
    Percent::new(share).unwrap()
}

fn facts(legacy: u8, new: u8) -> Facts {
    let mut facts = Facts::default();
    let records = vec![record("A", "legacy", legacy), record("A", "new", new)];
    facts.absorb(&key(), Source::Records, Ok(Observation::Records(records)), NOW);
    facts
}

#[test]
fn a_step_is_counted_from_the_share_that_is_there() {
    let plan = shift(|share| share.step(10), &facts(80, 20), None, NOW).unwrap();
    assert_eq!((plan.from().new_share(), plan.to.new_share()), (percent(20), percent(30)));
    assert_eq!(plan.direction(), Direction::Forward);
}

#[test]
fn what_is_there_already_is_nothing_to_do_and_what_is_not_known_is_no_share() {
    let done = shift(|_| percent(20), &facts(80, 20), None, NOW);
    assert!(matches!(done, Err(NoShift::NothingToDo { but: None, .. })), "{done:?}");
    let unread = shift(|_| percent(20), &Facts::default(), None, NOW);
    assert_eq!(unread, Err(NoShift::Unknown("Route 53 has not answered yet".into())));
}

#[test]
fn all_back_is_proposed_again_while_the_reading_is_in_doubt_or_a_change_may_land() {
    let later = NOW.plus(Duration::from_secs(600));
    let doubted = shift(|_| Percent::ZERO, &facts(100, 0), None, later).unwrap();
    assert_eq!((doubted.direction(), doubted.lands_until), (Direction::Back, None));

    let (from, to) = (WeightPair::new(100, 0).unwrap(), WeightPair::new(90, 10).unwrap());
    let intent = Event::Intent {
        id: "i1".into(),
        record: "app.example.com.".into(),
        from,
        to,
        direction: Direction::Forward,
        overrides: Vec::new(),
        evacuation: None,
    };
    let history =
        History::of(&[Entry { aws_at: None, at: NOW, operator: "kim".into(), host: "b1".into(), event: intent }]);
    let recall = shift(|_| Percent::ZERO, &facts(100, 0), Some(&history), NOW).unwrap();
    assert_eq!(recall.from(), to, "it takes back what that change would leave");
    assert!(recall.lands_until.is_some_and(|until| until > NOW));
    // Forward it stays nothing to do.
    let forward = shift(|share| share, &facts(90, 10), Some(&history), NOW);
    assert!(matches!(forward, Err(NoShift::NothingToDo { .. })), "{forward:?}");
}

#[test]
fn only_gates_that_do_not_pass_need_their_override() {
    let gate = |id, verdict| Gate { id, verdict, value: None, limit: String::new(), reason: String::new(), at: None };
    let gates = [gate(GateId::Bake, Verdict::Fail), gate(GateId::Alarms, Verdict::Pass)];
    let over = |name: &str| Override { gate: name.into(), reason: "seen".into() };
    assert_eq!(needed(&[over("bake"), over("alarms")], &gates), [over("bake")]);
}

#[test]
fn a_name_that_is_adopted_or_released_already_is_done_and_no_refusal() {
    let stack = stack();
    let pair = facts(100, 0);
    let of = |step, facts: &Facts| zone(step, &key(), &stack.endpoints, facts);
    assert!(matches!(of(ZoneStep::Adopt, &pair), Err(NoZoneChange::Done(_))));
    let plan = of(ZoneStep::Release(Side::Legacy), &pair).unwrap();
    assert_eq!((plan.deletes.len(), plan.creates.len()), (2, 1));
    let mut simple = Facts::default();
    let records = Observation::Records(plan.creates.clone());
    simple.absorb(&key(), Source::Records, Ok(records), NOW);
    let done = of(ZoneStep::Release(Side::Legacy), &simple);
    assert!(matches!(&done, Err(NoZoneChange::Done(text)) if text.contains("legacy stack already")), "{done:?}");
    let other = of(ZoneStep::Release(Side::New), &pair);
    assert!(matches!(other, Err(NoZoneChange::Refused(ZoneRefusal::OtherHasWeight { .. }))), "{other:?}");
}

#[test]
fn the_name_goes_to_the_stack_that_has_all_the_traffic() {
    let pair = |legacy, new| NameState::of(&key(), &stack().endpoints, &facts(legacy, new).records);
    assert_eq!(release_to(Some(&pair(0, 100))), Side::New);
    for state in [Some(pair(100, 0)), Some(pair(50, 50)), None] {
        assert_eq!(release_to(state.as_ref()), Side::Legacy);
    }
}

#[test]
fn what_was_not_read_is_not_run() {
    assert_eq!(run(RunKind::Up, "prod", None, &[]), Err(BlockedReason::NothingToDo));
    assert!(run(RunKind::Refresh, "prod", None, &[]).is_ok());
}

#[test]
fn what_ends_a_run_by_force_says_why_it_is_no_first_request() {
    let head = |asked_to_stop| RunHead {
        id: "r1".into(),
        kind: crate::domain::pulumi::RunKind::Up,
        line: String::new(),
        operator: "maria".into(),
        host: "bastion".into(),
        started_at: NOW,
        asked_to_stop,
    };
    let proposed = |asked, history: Option<&History>| stop(&head(asked), "kim", &RunState::new(), history);
    assert!(matches!(proposed(Some(false), None), PulumiChange::Interrupt(_)));
    let says = |asked, history: Option<&History>, words: &str| {
        let change = proposed(asked, history);
        assert!(matches!(change, PulumiChange::ForceStop(_)));
        assert!(change.lines().iter().any(|line| line.contains(words)), "{words}: {:?}", change.lines());
    };
    says(Some(true), None, "was asked to stop before");
    says(None, None, "nothing proves that the run was not asked to stop before");
    says(None, None, "the journal could not be read");
    let mut history = History::default();
    says(None, Some(&history), "the journal has no such request");
    let mut note = |event| {
        history.add(&Entry { at: NOW, aws_at: None, operator: "maria".into(), host: "bastion".into(), event });
        history.clone()
    };
    let interrupt = proposed(Some(false), None);
    let open = note(interrupt.intent("a1".into()));
    says(None, Some(&open), "by maria (what came of it is not noted)");
    let unsent = note(interrupt.not_done("a1".into(), "the disk is full"));
    says(None, Some(&unsent), "the disk is full)");
    let over = note(PulumiChange::ended(crate::domain::pulumi::RunKind::Up, "r1", "succeeded"));
    assert!(over.stops.is_empty());
}
