//! Runs that were begun, or are seen to end, in other terminals and after a restart.

use std::time::Duration;

use super::desk::{Desk, PREVIEW, SMALL_UP, UP, asked, followed};
use crate::domain::facts::{Observation, Source};
use crate::domain::msg::{Effect, Msg};
use crate::domain::provision::{PulumiAnswer, PulumiQuery};
use crate::domain::pulumi::explain::ProcessEnd;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::{NewStack, PulumiChange};
use crate::domain::record::{Entry, Event};

#[test]
fn the_newest_run_is_found_and_followed_again() {
    let mut desk = Desk::new(100, 0, 0.0);
    let head = desk.head(RunKind::Up);
    let id = head.id.clone();
    let effects = desk.looked(|look| look.newest = Some(head.clone()));
    assert!(followed(&effects, &id));
    let effects = desk.looked(|look| look.newest = Some(head));
    assert!(!followed(&effects, &id), "once is enough: its events would be folded twice");
    desk.lines(&id, UP);
    assert_eq!(desk.model.provision.run.as_ref().unwrap().state.progress().failed, 0);
    assert!(desk.model.provision.run.as_ref().unwrap().state.progress().done > 100);
    desk.ended(&id, true);
    let other = desk.head(RunKind::Refresh);
    let id = other.id.clone();
    assert!(followed(&desk.looked(|look| look.newest = Some(other)), &id), "a newer one takes its place");
}

#[test]
fn an_end_is_booked_on_whoever_started_the_run_whoever_sees_it() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Up);
    let effects = desk.ended(&run, true);
    let booked = effects.iter().find_map(|effect| match effect {
        Effect::Append(entry) => Some((entry.operator.as_str(), entry.event.text())),
        _ => None,
    });
    let (operator, text) = booked.unwrap();
    assert!(operator == "maria" && text.starts_with("pulumi up: ended"), "{operator}: {text}");
}

#[test]
fn a_run_whose_file_was_cut_is_folded_again() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Up);
    desk.lines(&run, UP);
    desk.answer(PulumiAnswer::Restarted { run: run.clone() });
    assert_eq!(desk.model.provision.run.as_ref().unwrap().state.lines().events, 0);
    desk.lines("another", UP);
    assert_eq!(desk.model.provision.run.as_ref().unwrap().state.lines().events, 0);
}

#[test]
fn the_end_of_a_run_is_noted_by_one_of_all_who_follow_it() {
    let noted = |note| {
        let mut desk = Desk::new(100, 0, 0.0);
        desk.model.live.history = None;
        let run = desk.started(RunKind::Up);
        let (exit, text) = (ProcessEnd::Code(Some(0)), "succeeded".to_owned());
        let effects = desk.answer(PulumiAnswer::Ended { run, exit, text, note, stderr: String::new() });
        effects.iter().any(|effect| matches!(effect, Effect::Append(Entry { event: Event::Run { .. }, .. })))
    };
    assert_eq!((noted(true), noted(false)), (true, false));
}

#[test]
fn a_run_whose_exit_nobody_saw_succeeded_when_its_events_say_so() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Up);
    desk.lines(&run, SMALL_UP);
    let text = "it is gone, and nobody saw its exit code".to_owned();
    desk.answer(PulumiAnswer::Ended { run, exit: ProcessEnd::Unseen, text, note: true, stderr: String::new() });
    let ending = desk.model.provision.run.as_ref().unwrap().ending.clone().unwrap();
    assert!(ending.succeeded && ending.explanation.is_none(), "{ending:?}");
}

#[test]
fn what_is_expected_of_a_run_is_known_after_a_restart() {
    let mut desk = Desk::new(100, 0, 0.0);
    let head = desk.head(RunKind::Up);
    let run = head.id.clone();
    desk.looked(|look| look.newest = Some(head));
    let mut preview = crate::domain::pulumi::RunState::new();
    PREVIEW.lines().for_each(|line| preview.fold_line(line.as_bytes()));
    let plan = crate::domain::pulumi::Plan::of(&preview);
    let total = plan.total();
    desk.answer(PulumiAnswer::Expecting { run: run.clone(), plan: Box::new(plan.clone()) });
    desk.lines(&run, UP);
    let progress = |desk: &Desk| desk.model.provision.run.as_ref().unwrap().state.progress();
    assert_eq!(progress(&desk).total, Some(total));
    let before = progress(&desk);
    desk.answer(PulumiAnswer::Expecting { run, plan: Box::new(plan) });
    assert_eq!(progress(&desk), before, "what was folded is not thrown away");
}

#[test]
fn a_run_from_another_terminal_is_looked_at_once_when_it_begins_and_once_when_it_ends() {
    let mut desk = Desk::new(100, 0, 0.0);
    let looks = |desk: &mut Desk, run: Option<&str>| {
        let at = desk.model.live.now;
        desk.model.polls.invalidate(Source::StackRun);
        let effects = desk.wait(Duration::from_secs(1));
        let request = effects.iter().find_map(|effect| match effect {
            Effect::Observe { request, query } if query.source() == Source::StackRun => Some(*request),
            _ => None,
        });
        let result = Ok(Observation::StackRun(run.map(str::to_owned)));
        let answer =
            Msg::Answer { request: request.unwrap(), source: Source::StackRun, result, at, clock_skew_ms: None };
        asked(&desk.feed(answer), |query| *query == PulumiQuery::Status)
    };
    assert!(!looks(&mut desk, None));
    assert!(looks(&mut desk, Some("pulumi up by bob")), "it has begun");
    assert!(!looks(&mut desk, Some("pulumi up by bob")), "it goes on");
    assert!(looks(&mut desk, None), "it has ended");
    assert!(!looks(&mut desk, None));
}

#[test]
fn a_change_that_was_left_open_is_settled_after_a_look_and_its_end_is_told() {
    let mut desk = Desk::new(90, 10, 100.0);
    let settles = |effects: &[Effect]| {
        effects.iter().find_map(|effect| if let Effect::Settle { request } = effect { Some(*request) } else { None })
    };
    assert_eq!(settles(&desk.looked(|_| {})), None, "nothing is open");
    let change = PulumiChange::CreateStack(NewStack::new("prod"));
    desk.journal(vec![change.intent("i1".into())]);
    let request = settles(&desk.looked(|_| {})).expect("it is settled");
    let done = PulumiChange::outcome("i1".into(), "done: Create the stack prod".into());
    let at = desk.model.live.now;
    let entry = |event| Entry { aws_at: None, at, operator: "kim".into(), host: "bastion".into(), event };
    desk.feed(Msg::Settled { request, result: Ok(vec![entry(done)]) });
    let said = desk.model.screen.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default();
    assert!(said.contains("done: Create the stack prod"), "{said}");
    assert_eq!(settles(&desk.looked(|_| {})), None, "once");
    // What was not done, or is not known, has a next step that nobody is to miss.
    desk.journal(vec![change.intent("i2".into())]);
    let request = settles(&desk.looked(|_| {})).expect("it is settled");
    let lost = PulumiChange::outcome("i2".into(), "not known: Create the stack prod. Next step: look".into());
    desk.feed(Msg::Settled { request, result: Ok(vec![entry(lost)]) });
    assert!(desk.notice().contains("Next step: look"), "{}", desk.notice());
}

#[test]
fn a_run_that_is_followed_needs_no_settling_and_one_that_nobody_follows_does() {
    let mut desk = Desk::new(90, 10, 100.0);
    let run = desk.started(RunKind::Up);
    desk.journal(vec![PulumiChange::started(RunKind::Up, &run, "pulumi up", None)]);
    let settles = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Settle { .. }));
    assert!(!settles(&desk.looked(|_| {})));
    desk.journal(vec![PulumiChange::started(RunKind::Up, "another", "pulumi up", None)]);
    assert!(settles(&desk.looked(|_| {})));
}
