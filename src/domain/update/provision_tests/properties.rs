//! What holds for any sequence of keys and news.

use std::time::Duration;

use proptest::prelude::*;

use super::desk::{DESTROY, Desk, LEGACY_DNS, LISTING, PREVIEW, SMALL_UP, change, dead_lock, simple};
use super::names::destroy_of_released;
use crate::domain::model::{Dialog, PendingAction, Shown};
use crate::domain::msg::{Effect, Msg};
use crate::domain::provision::{PulumiAnswer, PulumiProblem};
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::shift::fixtures::record;
use crate::keymap::{Code, KEYMAP, Key};

/// Every state from which a key could do something.
fn desks() -> Vec<Desk> {
    let mut ready = Desk::new(100, 0, 0.0);
    ready.preview(RunKind::Preview, PREVIEW);
    let mut destroying = Desk::new(100, 0, 0.0);
    destroying.zone(simple(LEGACY_DNS));
    destroying.preview(RunKind::PreviewDestroy, &destroy_of_released());
    let mut stopping = Desk::new(100, 0, 0.0);
    stopping.started(RunKind::Up);
    stopping.answer(PulumiAnswer::AskedToStop(true));
    let mut locked = Desk::new(100, 0, 0.0);
    locked.looked(|look| look.locks = vec![dead_lock()]);
    let mut configuring = Desk::new(100, 0, 0.0);
    configuring.press('e');
    configuring.enter();
    vec![configuring, Desk::new(100, 0, 0.0), ready, destroying, stopping, locked]
}

#[test]
fn no_single_key_changes_anything() {
    for index in 0..desks().len() {
        for key in KEYMAP.iter().flat_map(|binding| binding.keys) {
            let mut desk = desks().swap_remove(index);
            let effects = desk.feed(Msg::Key(*key));
            assert!(change(&effects).is_none(), "{key:?} in state {index}: {effects:?}");
        }
    }
}

fn happening() -> impl Strategy<Value = Occurrence> {
    prop_oneof![
        6 => prop::sample::select("puDxEcsoyn5eS".chars().collect::<Vec<_>>()).prop_map(Occurrence::Press),
        2 => prop::sample::select(vec!["prod", "terminate", "app.example.com"]).prop_map(Occurrence::Type),
        2 => Just(Occurrence::Enter),
        1 => Just(Occurrence::Esc),
        1 => Just(Occurrence::Draw),
        4 => Just(Occurrence::Arm),
        1 => (1u64..3000).prop_map(Occurrence::Wait),
        2 => (0u8..4).prop_map(Occurrence::Zone),
        1 => (0.0f64..5.0).prop_map(Occurrence::Requests),
        1 => (0u8..4).prop_map(Occurrence::PulumiStatus),
        2 => (0u8..5).prop_map(Occurrence::Start),
        2 => any::<bool>().prop_map(Occurrence::Lines),
        2 => any::<bool>().prop_map(Occurrence::End),
        1 => any::<bool>().prop_map(Occurrence::Stopped),
        1 => Just(Occurrence::Done),
        1 => Just(Occurrence::Failed),
    ]
}

#[expect(clippy::needless_pass_by_value, reason = "each one happens once")]
fn happen(desk: &mut Desk, happening: Occurrence) -> Vec<Effect> {
    let run = desk.model.provision.run.as_ref().map_or_else(String::new, |run| run.head.id.clone());
    match happening {
        Occurrence::Press(c) => desk.press(c),
        Occurrence::Type(text) => text.chars().flat_map(|c| desk.press(c)).collect(),
        Occurrence::Enter => desk.enter(),
        Occurrence::Esc => desk.feed(Msg::Key(Key::plain(Code::Esc))),
        Occurrence::Draw => {
            let uptime = desk.model.uptime;
            desk.feed(Msg::Drawn { uptime, listing: LISTING, shown: Shown::Whole })
        }
        Occurrence::Arm => {
            desk.arm();
            vec![]
        }
        Occurrence::Wait(secs) => desk.wait(Duration::from_secs(secs)),
        Occurrence::Zone(kind) => {
            desk.zone(match kind {
                0 => vec![record("A", "legacy", 90), record("A", "new", 10)],
                1 => vec![record("A", "legacy", 100), record("A", "new", 0)],
                2 => simple(LEGACY_DNS),
                _ => vec![],
            });
            vec![]
        }
        Occurrence::Requests(rate) => {
            desk.requests(rate);
            vec![]
        }
        Occurrence::PulumiStatus(kind) => {
            let head = desk.head(RunKind::Up);
            desk.looked(|look| match kind {
                0 => look.newest = Some(head),
                1 => look.locks = vec![dead_lock()],
                2 => look.pulumi = Err(PulumiProblem { message: "no".into(), hint: "no".into() }),
                _ => {}
            })
        }
        Occurrence::Start(kind) => {
            let kinds = [RunKind::Preview, RunKind::Up, RunKind::Refresh, RunKind::PreviewDestroy, RunKind::Destroy];
            let head = desk.head(kinds[usize::from(kind)]);
            desk.answer(PulumiAnswer::Started(head))
        }
        Occurrence::Lines(destroy) => {
            desk.lines(&run, if destroy { DESTROY } else { SMALL_UP });
            vec![]
        }
        Occurrence::End(well) => desk.ended(&run, well),
        Occurrence::Stopped(sent) => desk.answer(PulumiAnswer::AskedToStop(sent)),
        Occurrence::Done => desk.answer(PulumiAnswer::Changed("done".into())),
        Occurrence::Failed => {
            desk.answer(PulumiAnswer::Failed(PulumiProblem { message: "no".into(), hint: "no".into() }))
        }
    }
}

/// What can happen to the desk.
#[derive(Debug, Clone)]
enum Occurrence {
    Press(char),
    Type(&'static str),
    Enter,
    Esc,
    Draw,
    Arm,
    Wait(u64),
    Zone(u8),
    Requests(f64),
    PulumiStatus(u8),
    Start(u8),
    Lines(bool),
    End(bool),
    Stopped(bool),
    Done,
    Failed,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Nothing that changes the world is asked for but by a key, out of a question that was seen for long enough; and
    /// what is asked for is what the question was about, on ground that still held.
    #[test]
    fn nothing_is_done_without_a_yes(happenings in prop::collection::vec(happening(), 1..80)) {
        let mut desk = Desk::new(100, 0, 0.0);
        for happening in happenings {
            // A text is typed letter by letter, so that each key meets its own dialog.
            let steps = match happening {
                Occurrence::Type(text) => text.chars().map(Occurrence::Press).collect(),
                other => vec![other],
            };
            for step in steps {
                let is_key = matches!(step, Occurrence::Press(_) | Occurrence::Enter);
                let uptime = desk.model.uptime;
                let before = desk.model.dialog.clone();
                let going_on = desk.model.provision.going_on().is_some();
                let effects = happen(&mut desk, step);
                let Some(change) = change(&effects) else { continue };
                prop_assert!(is_key, "only a key: {change:?}");
                let Some(Dialog::Ask(question)) = before else { panic!("no question was open: {change:?}") };
                prop_assert!(question.is_armed(uptime));
                let ends = matches!(change, PulumiChange::ForceStop(_) | PulumiChange::Interrupt(_));
                let clears = matches!(change, PulumiChange::ClearLocks(_));
                prop_assert!(going_on == ends || clears);
                match question.subject() {
                    PendingAction::Pulumi(asked) => prop_assert_eq!(change, asked),
                    other @ PendingAction::Zone(_) => panic!("another thing than was asked: {other:?}"),
                }
            }
        }
    }
}
