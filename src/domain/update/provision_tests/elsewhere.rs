//! Runs that were begun, or are seen to end, in other terminals and after a restart.

use std::time::Duration;

use super::desk::{Desk, PREVIEW, SMALL_UP, UP, asked, followed};
use crate::domain::facts::{Observation, Source};
use crate::domain::msg::{Effect, Msg};
use crate::domain::provision::{PulumiAnswer, PulumiQuery};
use crate::domain::pulumi::explain::ProcessEnd;
use crate::domain::pulumi::guard::RunKind;
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
