//! What holds for any sequence of keys, answers and faults.

use proptest::prelude::*;

use super::cockpit::{Cockpit, weights};
use crate::domain::change::outcome::Outcome;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Observation, Query};
use crate::domain::gate::{self};
use crate::domain::model::Dialog;
use crate::domain::msg::{Effect, Msg};
use crate::domain::shift::Direction;
use crate::domain::shift::fixtures::record;
use crate::domain::units::WeightPair;
use crate::keymap::{Code, Key};

#[test]
fn no_single_key_press_sends_anything() {
    for binding in crate::keymap::KEYMAP.iter().filter(|b| b.action.is_mutating()) {
        for key in binding.keys {
            let mut cockpit = Cockpit::ready();
            let effects = cockpit.feed(Msg::Key(*key));
            assert!(!effects.iter().any(|e| matches!(e, Effect::Execute { .. } | Effect::Append(_))), "{binding:?}");
        }
    }
}

fn happening() -> impl Strategy<Value = Occurrence> {
    prop_oneof![
        5 => prop::sample::select("][+-=RVyYnapprod0159 qf/?gGjk".chars().collect::<Vec<_>>()).prop_map(Occurrence::Press),
        1 => Just(Occurrence::Enter),
        1 => Just(Occurrence::Esc),
        2 => (1u64..700).prop_map(Occurrence::Wait),
        2 => Just(Occurrence::Draw),
        3 => Just(Occurrence::Arm),
        4 => Just(Occurrence::Answer),
        1 => prop::sample::select(vec![ErrorKind::Throttled, ErrorKind::Unreachable, ErrorKind::Credentials]).prop_map(Occurrence::Fail),
        1 => (0u8..=255, 0u8..=255).prop_map(|(l, n)| Occurrence::Elsewhere(l, n)),
        1 => (0.0f64..200.0).prop_map(Occurrence::Lag),
        1 => (0u8..5).prop_map(Occurrence::Shape),
        3 => (0u8..5).prop_map(Occurrence::Outcome),
    ]
}

/// What can happen to a cockpit.
#[derive(Debug, Clone)]
enum Occurrence {
    Press(char),
    Enter,
    Esc,
    Wait(u64),
    Draw,
    Arm,
    Answer,
    Fail(ErrorKind),
    Elsewhere(u8, u8),
    Lag(f64),
    Shape(u8),
    Outcome(u8),
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// No sequence of keys, replies and faults sends a change that was not confirmed with a key, moves forward past a
    /// gate that does not pass, or deletes other records than those last seen.
    #[test]
    fn nothing_is_sent_that_must_not_be(happenings in prop::collection::vec(happening(), 1..120)) {
        let mut cockpit = Cockpit::ready();
        let mut sending = None;
        for happening in happenings {
            let dialog = cockpit.model.dialog.clone();
            let gates_before = cockpit.model.live.gates.clone();
            let group_before = cockpit.model.live.facts.shiftable().cloned();
            let is_key = matches!(happening, Occurrence::Press(_) | Occurrence::Enter);
            let before = cockpit.sent.len();
            match happening {
                Occurrence::Press(c) => { cockpit.press(c); }
                Occurrence::Enter => { cockpit.feed(Msg::Key(Key::plain(Code::Enter))); }
                Occurrence::Esc => { cockpit.feed(Msg::Key(Key::plain(Code::Esc))); }
                Occurrence::Wait(secs) => { cockpit.wait(secs); }
                Occurrence::Draw => cockpit.draw(),
                Occurrence::Arm => cockpit.arm(),
                Occurrence::Answer => cockpit.answer_all(),
                Occurrence::Fail(kind) => cockpit.answer_with(|_, _| Err(PortError::new(kind, "route53:X", "no"))),
                Occurrence::Elsewhere(legacy, new) => if let Some(weights) = WeightPair::new(legacy, new) { cockpit.weights = weights },
                Occurrence::Lag(lag) => cockpit.lag_s = lag,
                Occurrence::Shape(shape) => cockpit.answer_with(|c, query| Ok(match (query, shape) {
                    (Query::Records, 0) => Observation::Records(vec![]),
                    (Query::Records, 1) => Observation::Records(vec![record("A", "legacy", 0), record("A", "new", 0)]),
                    (Query::Records, 2) => Observation::Records(vec![record("A", "legacy", 1)]),
                    (Query::Records, 3) => Observation::Records(vec![record("A", "legacy", 1), record("A", "new", 1), record("A", "green", 1)]),
                    (other, _) => c.reply(other),
                })),
                Occurrence::Outcome(kind) => if let Some(Effect::Execute { request, change }) = sending.take() {
                    let effect = Effect::Execute { request, change: change.clone() };
                    match kind {
                        0 | 1 => cockpit.accept(effect),
                        2 => { cockpit.feed(Msg::Executed { request, entries: vec![], outcome: Outcome::Refused(PortError::new(ErrorKind::Throttled, "x", "")) }); }
                        3 => { cockpit.feed(Msg::Executed { request, entries: vec![], outcome: Outcome::Unknown { error: PortError::new(ErrorKind::TimedOut, "x", ""), until: cockpit.model.live.now, found: Err("no".into()) } }); }
                        _ => { cockpit.feed(Msg::Executed { request, entries: vec![], outcome: Outcome::Conflict { message: String::new(), found: Err("no".into()) } }); }
                    }
                },
            }
            let fresh: Vec<Effect> = cockpit.sent.iter().skip(before.min(cockpit.sent.len())).cloned().collect();
            for effect in fresh {
                if let Some(sent) = weights(&effect) {
                    prop_assert!(is_key, "only a key sends");
                    prop_assert!(matches!(dialog, Some(Dialog::Shift(_))), "only an open question can be answered");
                    prop_assert_eq!(Some(&sent.expected), group_before.as_ref());
                    prop_assert!(u16::from(sent.to.legacy()) + u16::from(sent.to.new_weight()) > 0);
                    prop_assert!(sent.direction() == Direction::Back || gate::all_pass(&gates_before));
                    prop_assert!(sending.is_none() || sent.direction() == Direction::Back, "one step forward at a time");
                    sending = Some(effect);
                }
            }
        }
    }
}
