//! When the stack is read anew, when that takes effect, and what is shown of a zone after `destroy`.

use std::time::Duration;

use super::provision_tests::Desk;
use crate::domain::change::Change;
use crate::domain::facts::Source;
use crate::domain::model::{Dialog, PendingAction};
use crate::domain::msg::{Effect, Msg, Request};
use crate::domain::provision::{PulumiAnswer, PulumiProblem, PulumiQuery};
use crate::domain::pulumi::config::tests::{complete, setup};
use crate::domain::pulumi::guard::RunKind;
use crate::domain::run_preconditions::preconditions;
use crate::domain::shift::fixtures::record;
use crate::domain::stack_reload::{MAX_TRIES, StackReload, StackReloaded};
use crate::domain::traffic::{Record, Routing};
use crate::domain::zone::{NewEndpoint, Orphan};
use crate::keymap::View;

fn stack_reload(effects: &[Effect]) -> Option<Request> {
    effects.iter().find_map(|effect| match effect {
        Effect::ReloadStack { request } => Some(*request),
        _ => None,
    })
}

fn switches(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Switch { .. }))
}

/// A cockpit on a stack that nobody has provisioned, whose name is one simple record.
fn first_night() -> Desk {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.model.stack.endpoints.new = None;
    desk.zone(simple());
    desk
}

fn simple() -> Vec<Record> {
    vec![Record { set_identifier: None, routing: Routing::Simple, ..record("A", "legacy", 0) }]
}

/// The stack as it is after the first `up`.
fn built(desk: &Desk) -> Box<StackReloaded> {
    let mut reloaded = unchanged(desk);
    reloaded.stack.endpoints.new = Some(NewEndpoint { dns: "new.elb.amazonaws.com".into(), zone_id: "Z1".into() });
    reloaded
}

fn unchanged(desk: &Desk) -> Box<StackReloaded> {
    let Desk { model, .. } = desk;
    let (stack, watcher, policy) = (model.stack.clone(), model.watcher.clone(), model.policy.clone());
    Box::new(StackReloaded { stack, watcher, policy })
}

/// An `up` to its good end; gives the request that reads the stack anew.
fn up(desk: &mut Desk) -> Request {
    let run = desk.started(RunKind::Up);
    stack_reload(&desk.ended(&run, true)).expect("the stack is read anew")
}

#[test]
fn after_an_up_the_stack_is_read_anew_and_everything_is_asked_about_it() {
    let mut desk = first_night();
    desk.model.screen.view = View::Provision;
    desk.model.screen.filter = "dms".into();
    assert!(!preconditions(&desk.model).provisioned);
    let request = up(&mut desk);
    let result = Ok(built(&desk));
    let effects = desk.feed(Msg::StackReloaded { request, result });
    let switch = effects.iter().position(|effect| matches!(effect, Effect::Switch { .. }));
    let ask = effects.iter().position(|effect| matches!(effect, Effect::Observe { .. }));
    assert!(switch.is_some() && switch < ask, "the new ports are there before the first question: {effects:?}");
    assert!(desk.model.stack.is_provisioned() && preconditions(&desk.model).provisioned);
    assert_eq!(desk.model.live.facts.records, [], "what was learned of another stack does not count");
    assert_eq!((desk.model.screen.view, desk.model.screen.filter.as_str()), (View::Provision, "dms"));
    assert!(desk.model.provision.run.is_some(), "the run stays on the screen");
}

#[test]
fn a_question_that_is_open_keeps_its_ground_until_it_is_answered() {
    let mut desk = first_night();
    let request = up(&mut desk);
    desk.press('A');
    assert!(matches!(&desk.model.dialog, Some(Dialog::Ask(_))));
    let result = Ok(built(&desk));
    let effects = desk.feed(Msg::StackReloaded { request, result });
    assert!(!switches(&effects) && !desk.model.stack.is_provisioned());
    desk.arm();
    let name = desk.model.stack.group.name.clone();
    let effects = desk.type_in(&name);
    assert!(effects.iter().any(|e| matches!(e, Effect::Execute { .. })), "{effects:?}");
    assert!(!switches(&effects), "nor while the batch is being sent");
    assert!(switches(&desk.accepted(&effects)));
    assert!(desk.model.stack.is_provisioned());
}

#[test]
fn a_stack_that_cannot_be_read_leaves_the_cockpit_as_it_is_and_is_tried_again() {
    let mut desk = first_night();
    let mut request = up(&mut desk);
    let trouble = || PulumiProblem { message: "the backend is away".into(), hint: "look at it".into() };
    for _ in 1..MAX_TRIES {
        desk.feed(Msg::StackReloaded { request, result: Err(trouble()) });
        assert!(!desk.model.stack.is_provisioned() && desk.model.dialog.is_none());
        assert_eq!(stack_reload(&desk.wait(Duration::from_secs(1))), None, "not at once");
        request = stack_reload(&desk.wait(Duration::from_secs(60))).expect("it is tried again");
    }
    desk.feed(Msg::StackReloaded { request, result: Err(trouble()) });
    assert!(desk.notice().contains("the backend is away"), "{}", desk.notice());
    desk.press('q');
    assert_eq!(stack_reload(&desk.wait(Duration::from_secs(600))), None, "in the end it is left to the operator");
    let request = stack_reload(&desk.press('r')).expect("r reads it again");
    let result = Ok(built(&desk));
    assert!(switches(&desk.feed(Msg::StackReloaded { request, result })));
}

#[test]
fn only_what_was_read_after_the_newest_run_counts_and_one_reading_is_under_way_at_a_time() {
    let mut desk = first_night();
    let first = up(&mut desk);
    let run = desk.started(RunKind::Refresh);
    assert_eq!(stack_reload(&desk.ended(&run, true)), None, "one is under way already");
    let result = Ok(built(&desk));
    let effects = desk.feed(Msg::StackReloaded { request: first, result });
    assert!(!switches(&effects), "that was read before the refresh");
    let second = stack_reload(&effects).expect("it is read once more");
    let result = Ok(built(&desk));
    assert!(switches(&desk.feed(Msg::StackReloaded { request: second, result })));
}

#[test]
fn a_key_that_is_held_reads_the_stack_once_and_then_once_more() {
    let mut desk = first_night();
    let mut asked: Vec<Request> = (0..50).filter_map(|_| stack_reload(&desk.press('r'))).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let request = asked.remove(0);
    let result = Ok(built(&desk));
    let request = stack_reload(&desk.feed(Msg::StackReloaded { request, result })).expect("r was pressed since");
    let result = Ok(built(&desk));
    let effects = desk.feed(Msg::StackReloaded { request, result });
    assert!(switches(&effects) && stack_reload(&effects).is_none());
}

#[test]
fn a_failed_reading_need_not_wait_for_its_pause_when_the_operator_asks() {
    let mut desk = first_night();
    let request = stack_reload(&desk.press('r')).unwrap();
    let trouble = PulumiProblem { message: "the backend is away".into(), hint: "look at it".into() };
    assert_eq!(stack_reload(&desk.feed(Msg::StackReloaded { request, result: Err(trouble) })), None);
    assert!(stack_reload(&desk.press('r')).is_some());
}

#[test]
fn a_setup_that_changes_again_and_again_has_one_reading_under_way() {
    let mut desk = first_night();
    let mut asked = 0;
    for n in 0..20 {
        let setup = if n % 2 == 0 { setup(&["owner"]) } else { complete() };
        asked += usize::from(stack_reload(&desk.looked(|look| look.setup = Some(setup))).is_some());
    }
    assert_eq!(asked, 1);
}

#[test]
fn a_stack_that_is_as_it_was_keeps_what_is_known() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Refresh);
    let request = stack_reload(&desk.ended(&run, true)).unwrap();
    let records = desk.model.live.facts.records.clone();
    let same = unchanged(&desk);
    assert!(switches(&desk.feed(Msg::StackReloaded { request, result: Ok(same) })));
    assert_eq!(desk.model.live.facts.records, records);
    assert!(desk.model.live.facts.sources.contains_key(&Source::MetricsNew));
}

#[test]
fn a_stack_that_stands_is_read_anew_only_after_what_may_have_changed_it() {
    let mut desk = Desk::new(100, 0, 0.0);
    for (kind, succeeded) in [(RunKind::Up, false), (RunKind::Preview, true)] {
        let run = desk.started(kind);
        assert_eq!(stack_reload(&desk.ended(&run, succeeded)), None, "{kind}");
    }
    assert_eq!(desk.model.stack_reload, StackReload::Idle);
    let mut desk = first_night();
    let run = desk.started(RunKind::Preview);
    assert!(
        stack_reload(&desk.ended(&run, false)).is_some(),
        "it has made the stack, and its configuration can be read"
    );
}

#[test]
fn after_a_destroy_the_zone_is_looked_through_and_what_is_left_is_shown_until_it_is_closed() {
    let mut desk = Desk::new(100, 0, 0.0);
    let before = desk.model.stack.endpoints.clone();
    let run = desk.started(RunKind::Destroy);
    let effects = desk.ended(&run, true);
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::AskPulumi { query: PulumiQuery::Orphans { endpoints, .. }, .. } => Some(endpoints.clone()),
        _ => None,
    });
    assert_eq!(asked, Some(before), "the load balancers from before it");
    let left = Orphan { record: record("A", "new", 0), reason: "points to nothing".into() };
    desk.press('?');
    desk.answer(PulumiAnswer::Orphans(Ok(vec![left])));
    assert!(matches!(desk.model.dialog, Some(Dialog::Help)), "what is being read is not taken away");
    desk.press('?');
    desk.wait(Duration::from_secs(600));
    assert!(desk.notice().contains("1 of its records") && desk.notice().contains("points to nothing"));
    desk.press('q');
    desk.wait(Duration::from_secs(1));
    assert!(desk.model.dialog.is_none(), "once is enough");
    desk.answer(PulumiAnswer::Orphans(Ok(vec![])));
    assert!(desk.notice().contains("no records of this stack remain in the hosted zone"));
}

#[test]
fn the_name_is_adopted_only_by_its_typed_name_and_needs_no_pulumi() {
    let mut desk = first_night();
    desk.model.provision.look = None;
    desk.model.screen.view = View::Overview;
    desk.press('A');
    assert!(desk.model.dialog.is_none(), "the key belongs to two views");
    desk.model.screen.view = View::Traffic;
    desk.press('A');
    desk.arm();
    let name = desk.model.stack.group.name.clone();
    let effects = desk.type_in(&name);
    let sent = effects.iter().find_map(|effect| match effect {
        Effect::Execute { change, .. } => match change.get() {
            Change::Zone(plan) => Some(plan.clone()),
            _ => None,
        },
        _ => None,
    });
    let sent = sent.expect("the batch is sent");
    assert_eq!(sent.creates, [record("A", "legacy", 100)], "nothing stands beside it before the first up");
}

#[test]
fn an_adopted_name_is_released_before_a_destroy() {
    let mut desk = first_night();
    desk.zone(vec![record("A", "legacy", 100)]);
    desk.press('A');
    assert!(desk.model.dialog.is_none(), "there is nothing to adopt");
    desk.press('D');
    match &desk.model.dialog {
        Some(Dialog::Ask(question)) => assert!(matches!(question.subject(), PendingAction::Zone(_))),
        other => panic!("not asked: {other:?}"),
    }
}

#[test]
fn a_failure_takes_no_open_question_away() {
    let mut desk = first_night();
    desk.press('A');
    let trouble =
        || PulumiProblem { message: "the run's files cannot be read".into(), hint: "look at their rights".into() };
    desk.answer(PulumiAnswer::Failed(trouble()));
    assert!(matches!(&desk.model.dialog, Some(Dialog::Ask(_))), "{:?}", desk.model.dialog);
    assert!(
        desk.model.screen.toast.as_ref().is_some_and(|toast| toast.is_bad && toast.text.contains("cannot be read"))
    );
    desk.press('q');
    desk.model.dialog = None;
    desk.answer(PulumiAnswer::Failed(trouble()));
    assert!(desk.notice().contains("look at their rights"));
}
