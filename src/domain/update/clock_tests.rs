//! A clock that is set under a running cockpit. The clock is an argument: these tests move it and wait for nothing.

use super::tests::Cockpit;
use crate::domain::gate::{GateId, Verdict};
use crate::domain::model::Dialog;
use crate::domain::msg::Effect;
use crate::domain::record::Event;
use crate::domain::time::Jump;
use crate::domain::units::WeightPair;

const JUMPS: [i64; 4] = [-600_000, 600_000, -3_000, 3_000];

/// What the cockpit asks at once.
fn asked(effects: &[Effect]) -> usize {
    effects.iter().filter(|e| matches!(e, Effect::Observe { .. })).count()
}

#[test]
fn a_clock_that_is_set_makes_everything_unknown_and_asks_all_of_it_anew() {
    for by in JUMPS {
        let mut cockpit = Cockpit::ready();
        assert!(cockpit.model.live.gates.iter().all(crate::domain::gate::Gate::passes));
        let effects = cockpit.set_clock(by);
        for gate in cockpit.model.live.gates.iter().filter(|g| rests_on_facts(g.id)) {
            assert_eq!(gate.verdict, Verdict::Unknown, "{gate:?} after {by} ms");
        }
        assert!(cockpit.press(']').is_empty() || matches!(cockpit.model.dialog, Some(Dialog::Notice { .. })));
        assert!(asked(&effects) >= 11, "{} questions after {by} ms", asked(&effects));
        assert_eq!(cockpit.model.live.facts.jump.map(|jump: Jump| jump.by_ms), Some(by));
    }
}

/// Gates whose answer is made of facts, not of the journal alone.
fn rests_on_facts(gate: GateId) -> bool {
    !matches!(gate, GateId::DnsSettled | GateId::Bake)
}

#[test]
fn questions_go_on_at_their_pace_whatever_the_clock_says() {
    for by in JUMPS {
        let mut cockpit = Cockpit::ready();
        cockpit.set_clock(by);
        cockpit.answer_all();
        let mut questions = 0;
        for _ in 0..30 {
            questions += asked(&cockpit.wait(1));
            cockpit.answer_all();
        }
        assert!((8..40).contains(&questions), "{questions} questions in 30 s after {by} ms");
        let open: Vec<_> = cockpit.model.live.gates.iter().filter(|g| !g.passes()).collect();
        assert!(open.is_empty(), "everything was read again after {by} ms: {open:?}");
        assert_eq!(cockpit.model.live.facts.jump, None);
    }
}

#[test]
fn an_answer_from_before_the_clock_was_set_changes_nothing() {
    let mut cockpit = Cockpit::ready();
    cockpit.wait(20);
    let old = std::mem::take(&mut cockpit.sent);
    assert!(asked(&old) > 0);
    cockpit.set_clock(-600_000);
    let before = cockpit.model.live.facts.clone();
    let new = std::mem::replace(&mut cockpit.sent, old);
    cockpit.answer_all();
    assert_eq!(cockpit.model.live.facts.sources, before.sources);
    cockpit.sent = new;
    cockpit.answer_all();
    assert_eq!(cockpit.model.live.facts.jump, None);
}

#[test]
fn a_step_that_is_being_asked_for_is_closed_and_nothing_is_sent() {
    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    cockpit.arm();
    let effects = cockpit.set_clock(-600_000);
    assert!(cockpit.notice().contains("this host's clock was set back by 10m00s"), "{}", cockpit.notice());
    assert!(
        effects.iter().any(|e| matches!(e, Effect::Append(entry) if matches!(entry.event, Event::Declined { .. })))
    );
    assert!(!cockpit.press('y').iter().any(|e| matches!(e, Effect::Execute { .. })));
}

/// A fifth of the traffic is on the new stack.
fn on_the_way() -> Cockpit {
    let mut cockpit = Cockpit::ready();
    cockpit.weights = WeightPair::new(80, 20).unwrap();
    cockpit.wait(20);
    cockpit.answer_all();
    cockpit
}

#[test]
fn the_way_back_is_open_while_the_clock_jumps() {
    for by in JUMPS {
        let mut cockpit = on_the_way();
        cockpit.press('R');
        cockpit.arm();
        cockpit.set_clock(by);
        let sent = cockpit.press('y');
        assert!(sent.iter().any(|e| matches!(e, Effect::Execute { .. })), "after {by} ms: {:?}", cockpit.model.dialog);
        let mut cockpit = on_the_way();
        cockpit.set_clock(by);
        cockpit.press('R');
        cockpit.arm();
        let sent = cockpit.press('y');
        assert!(sent.iter().any(|e| matches!(e, Effect::Execute { .. })), "after {by} ms: {:?}", cockpit.model.dialog);
    }
}

#[test]
fn a_clock_that_is_slewed_closes_nothing() {
    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    cockpit.slew(20, 100);
    assert!(matches!(cockpit.model.dialog, Some(Dialog::Shift(_))), "{:?}", cockpit.model.dialog);
    assert_eq!(cockpit.model.live.facts.jump, None);
}
