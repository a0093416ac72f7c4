//! Pulumi from the cockpit, in the operator's words: plans, questions and runs of this terminal.

mod configuration;
mod desk;
mod elsewhere;
mod names;
mod properties;

use std::time::Duration;

use super::keys::QUIET_AFTER;
use crate::domain::confirm::EXPIRES_AFTER;
use crate::domain::facts::Fact;
use crate::domain::model::{Dialog, PendingAction};
use crate::domain::provision::{PLAN_MAX_AGE, PulumiAnswer, PulumiProblem, PulumiQuery};
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::lock::Holder;
use crate::domain::shift::fixtures::record;
use desk::{LISTING, PREVIEW, SMALL_UP, UP, dead_lock};
use names::without_records;

pub(super) use desk::{Desk, LEGACY_DNS, asked, change, simple};
pub(super) use names::destroy_of_released;

#[test]
fn what_runs_is_what_was_read_and_confirmed() {
    let mut desk = Desk::new(90, 10, 100.0);
    assert!(asked(&desk.press('p'), |query| *query == PulumiQuery::Preview { destroy: false }));
    assert!(!asked(&desk.press('p'), |_| true), "one request at a time");
    desk.press('u');
    assert!(desk.model.dialog.is_none(), "there is nothing to run yet");
    desk.preview(RunKind::Preview, PREVIEW);
    let plan = desk.model.provision.plan.clone().expect("a plan is ready");
    assert!(change(&desk.press('u')).is_none());
    assert!(
        matches!(desk.question(), PendingAction::Pulumi(PulumiChange::Run(run)) if run.plan().steps == plan.plan.steps)
    );
    desk.press('y');
    assert!(
        matches!(desk.question(), PendingAction::Pulumi(PulumiChange::Run(_))),
        "before it was seen, no key counts"
    );
    desk.arm();
    assert!(change(&desk.type_in("y")).is_none(), "it touches the weighted records, so the stack's name is needed");
    let effects = desk.type_in("prod");
    let Some(PulumiChange::Run(run)) = change(&effects) else { panic!("{effects:?}") };
    assert_eq!((run.kind(), run.preview()), (RunKind::Up, Some(plan.run.as_str())));
    desk.started(RunKind::Up);
    let run = desk.model.provision.run.as_ref().unwrap();
    assert_eq!(run.state.progress().total, Some(plan.plan.total()), "the plan is the total");
    assert!(desk.model.provision.plan.is_none(), "a plan runs once");
}

#[test]
fn a_plan_can_be_run_as_soon_as_its_preview_has_ended() {
    let mut desk = Desk::new(90, 10, 100.0);
    let run = desk.started(RunKind::Preview);
    desk.lines(&run, PREVIEW);
    let busy = Fact { value: Some("pulumi preview by maria".to_owned()), at: desk.model.live.now };
    desk.model.live.facts.stack_run = Some(busy);
    desk.ended(&run, true);
    desk.press('u');
    assert!(matches!(desk.question(), PendingAction::Pulumi(PulumiChange::Run(_))));
}

#[test]
fn a_harmless_plan_takes_a_plain_yes() {
    let mut desk = Desk::new(90, 10, 100.0);
    let harmless = without_records(SMALL_UP, "create");
    desk.preview(RunKind::Preview, &harmless);
    desk.press('u');
    desk.arm();
    let effects = desk.press('y');
    assert!(matches!(change(&effects), Some(PulumiChange::Run(_))), "{:?}", desk.model.dialog);
}

#[test]
fn a_plan_that_lost_a_line_is_not_offered_and_says_what_is_missing() {
    let mut desk = Desk::new(100, 0, 0.0);
    for (what, told) in [
        (SMALL_UP.replacen("{\"sequence\":43,", "", 1), "1 line of its events could not be read"),
        (
            SMALL_UP.lines().filter(|line| !line.contains("\"sequence\":43,")).collect::<Vec<_>>().join("\n"),
            "the engine counts 9 create, 8 were read",
        ),
        (SMALL_UP.replace("\"create\":9", "\"create\":9,\"delete\":1"), "the engine counts 1 delete, 0 were read"),
        (SMALL_UP.replace("\"op\":\"create\"", "\"op\":\"teleport\""), "does not know"),
        (SMALL_UP.lines().take(40).collect::<Vec<_>>().join("\n"), "events stop before the engine's summary"),
        (String::new(), "outcome is not known"),
    ] {
        desk.preview_to_exit_0(RunKind::Preview, &what);
        assert_eq!(desk.model.provision.plan, None, "{told}");
        let ending = desk.model.provision.run.as_ref().unwrap().ending.clone().unwrap();
        assert!(!ending.succeeded && ending.explanation.unwrap().sentence.contains(told), "{told}");
        assert!(change(&desk.press('u')).is_none() && desk.notice().contains("no plan to run"));
        desk.enter();
    }
}

#[test]
fn a_plan_that_failed_or_grew_old_is_not_run() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Preview);
    desk.lines(&run, PREVIEW);
    desk.ended(&run, false);
    desk.press('u');
    assert!(desk.notice().contains("press p first"), "{}", desk.notice());
    desk.enter();
    desk.preview(RunKind::Preview, PREVIEW);
    desk.wait(PLAN_MAX_AGE + Duration::from_secs(1));
    desk.press('u');
    assert!(desk.notice().contains("press p first"), "{}", desk.notice());
    desk.enter();
    desk.preview(RunKind::Preview, PREVIEW);
    desk.started(RunKind::Preview);
    assert!(desk.model.provision.plan.is_none(), "the plan that can be run is the one on the screen");
}

#[test]
fn an_open_question_closes_by_itself() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.preview(RunKind::Preview, PREVIEW);
    desk.press('u');
    desk.arm();
    desk.wait(EXPIRES_AFTER);
    assert!(desk.notice().contains("nobody answered"));
    desk.wait(QUIET_AFTER);
    desk.enter();
    desk.press('u');
    desk.arm();
    desk.started(RunKind::Refresh);
    assert!(desk.notice().contains("going on"), "another run took the ground away: {}", desk.notice());
}

#[test]
fn a_run_is_asked_once_and_ended_by_force_only_with_a_word() {
    let mut desk = Desk::new(100, 0, 0.0);
    assert!(!asked(&desk.press('x'), |_| true), "there is nothing to stop");
    let run = desk.started(RunKind::Up);
    assert!(!asked(&desk.press('x'), |_| true), "one key interrupts nothing");
    assert_eq!(desk.question().title(), "Interrupt your pulumi up on bastion");
    desk.esc();
    desk.model.watcher.operator = "kim".into();
    desk.press('x');
    assert_eq!(desk.question().title(), "Interrupt maria's pulumi up on bastion");
    desk.arm();
    let effects = desk.press('y');
    assert!(matches!(change(&effects), Some(PulumiChange::Interrupt(asked)) if asked.run() == run));
    desk.answer(PulumiAnswer::AskedToStop(true));
    assert!(!asked(&desk.press('x'), |_| true));
    assert!(
        matches!(desk.question(), PendingAction::Pulumi(PulumiChange::ForceStop(termination)) if termination.run() == run)
    );
    assert!(
        matches!(desk.question(), PendingAction::Pulumi(change) if change.lines()[1].contains("was asked to stop before")),
        "it says why"
    );
    desk.arm();
    assert!(change(&desk.type_in("yes")).is_none());
    assert!(matches!(change(&desk.type_in("terminate")), Some(PulumiChange::ForceStop(_))));
    desk.press('x');
    desk.arm();
    desk.ended(&run, true);
    assert!(desk.notice().contains("the run has ended"), "{}", desk.notice());
}

#[test]
fn keys_typed_just_after_a_question_has_closed_by_itself_do_nothing() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.press('E');
    desk.arm();
    desk.press('a');
    desk.zone(vec![record("A", "legacy", 90), record("A", "new", 10)]);
    desk.wait(Duration::from_millis(1));
    let closed = desk.notice();
    for key in "pp.example.com q".chars() {
        desk.press(key);
    }
    desk.enter();
    assert_eq!(desk.notice(), closed, "what was meant for the question neither closes the notice nor acts");
    desk.wait(QUIET_AFTER);
    desk.enter();
    assert!(desk.model.dialog.is_none());
}

#[test]
fn only_locks_of_the_dead_are_cleared() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.looked(|look| look.locks = vec![(dead_lock().0, Holder::AliveHere)]);
    desk.press('c');
    assert!(desk.notice().contains("still running"), "{}", desk.notice());
    desk.enter();
    desk.looked(|look| look.locks = vec![dead_lock()]);
    assert!(change(&desk.press('c')).is_none());
    desk.arm();
    assert!(matches!(change(&desk.type_in("prod")), Some(PulumiChange::ClearLocks(_))));
}

#[test]
fn without_pulumi_or_the_right_to_write_nothing_is_started() {
    let mut desk = Desk::new(100, 0, 0.0);
    let trouble = PulumiProblem { message: "pulumi was not found".into(), hint: "install it".into() };
    desk.looked(|look| look.pulumi = Err(trouble));
    for key in ['p', 'u', 'D', 'c', 'S'] {
        assert!(!asked(&desk.press(key), |_| true));
        assert!(desk.notice().contains("pulumi was not found; install it"));
        desk.enter();
    }
    desk.press('E');
    assert!(matches!(desk.model.dialog, Some(Dialog::Ask(_))), "a bastion without Pulumi can hand the name back");
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Up);
    desk.answer(PulumiAnswer::AskedToStop(true));
    desk.model.watcher.read_only = true;
    for key in ['p', 'u', 'D', 'E', 'A', 'c', 'S', 'x'] {
        assert!(!asked(&desk.press(key), |_| true), "{key} {run}");
        assert!(!matches!(desk.model.dialog, Some(Dialog::Ask(_))), "{key}");
        desk.enter();
    }
}

#[test]
fn the_log_stays_at_its_end_until_the_operator_looks_back() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Up);
    desk.lines(&run, UP);
    desk.arm();
    desk.press('o');
    assert_eq!(desk.model.scroll(), usize::MAX);
    desk.press('k');
    assert_eq!(desk.model.scroll(), LISTING.last_row - 1);
    desk.press('G');
    assert_eq!(desk.model.scroll(), usize::MAX);
    desk.press('o');
    assert_eq!(desk.model.scroll(), 0);
}

#[test]
fn refresh_is_asked_about_and_started() {
    let mut desk = Desk::new(100, 0, 0.0);
    assert!(change(&desk.press('S')).is_none());
    desk.arm();
    let effects = desk.press('y');
    let Some(PulumiChange::Run(run)) = change(&effects) else { panic!("{effects:?}") };
    assert_eq!((run.kind(), run.preview()), (RunKind::Refresh, None));
    let mut desk = Desk::new(100, 0, 0.0);
    desk.started(RunKind::Up);
    desk.press('S');
    assert!(desk.notice().contains("going on"), "{}", desk.notice());
}
