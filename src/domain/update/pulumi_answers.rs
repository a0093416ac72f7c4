//! Answers of Pulumi: what a look found, what a run says, how it ended.

use crate::domain::facts::{Fact, Source};
use crate::domain::model::{Dialog, Model};
use crate::domain::msg::{Effect, Request};
use crate::domain::provision::{
    PLAN_MAX_AGE, PulumiAnswer, PulumiProblem, PulumiQuery, PulumiStatus, ReadyPlan, Run, RunEnding, RunHead,
};
use crate::domain::pulumi::explain::{ProcessEnd, failure};
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::{FailureKind, Plan, PulumiChange, RunState};
use crate::domain::record::Event;
use crate::keymap::View;

use super::ask::ask_pulumi;
use super::provision::{preview, tail};
use super::{note, note_as, notice, reread_records, stack_reload, steps, toast, zone};

/// An answer of Pulumi.
pub(super) fn arrived(model: &mut Model, request: Request, answer: PulumiAnswer, effects: &mut Vec<Effect>) {
    let is_awaited = model.provision.busy == Some(request);
    if is_awaited
        && !matches!(
            answer,
            PulumiAnswer::Lines { .. } | PulumiAnswer::Restarted { .. } | PulumiAnswer::Expecting { .. }
        )
    {
        model.provision.busy = None;
    }
    match answer {
        PulumiAnswer::Looked(look) => looked(model, *look, effects),
        PulumiAnswer::Started(head) => started(model, head, effects),
        // Only the executor asks for it.
        PulumiAnswer::Runs { .. } => {}
        PulumiAnswer::Lines { run, lines, oversized } => {
            if let Some(followed) = followed(model, &run) {
                for line in lines {
                    followed.state.fold(line);
                }
                for _ in 0..oversized {
                    followed.state.skipped_line();
                }
            }
        }
        PulumiAnswer::Expecting { run, plan } => {
            // What is expected stands before the first event, or not at all.
            if let Some(followed) = followed(model, &run).filter(|followed| followed.state.lines().events == 0) {
                followed.state = RunState::expecting(&plan);
            }
        }
        PulumiAnswer::Restarted { run } => {
            if let Some(followed) = followed(model, &run) {
                followed.state = RunState::new();
            }
        }
        PulumiAnswer::Ended { run, exit, text, note, stderr } => {
            ended(model, &run, &exit, &text, note, &stderr, effects);
        }
        PulumiAnswer::AskedToStop(sent) => asked_to_stop(model, sent),
        PulumiAnswer::Done(text) => {
            note(model, Event::note(text.clone()), effects);
            toast(model, text, false);
            reread_records(model);
            ask_pulumi(model, PulumiQuery::Status, effects);
        }
        PulumiAnswer::Changed(text) => {
            toast(model, text, false);
            ask_pulumi(model, PulumiQuery::Status, effects);
        }
        PulumiAnswer::StackCreated(text) => {
            toast(model, text, false);
            ask_pulumi(model, PulumiQuery::Status, effects);
            ask_pulumi(model, PulumiQuery::Preview { destroy: false }, effects);
        }
        PulumiAnswer::Orphans(found) => model.provision.left = Some(zone::left_text(found)),
        PulumiAnswer::Failed(problem) => failed(model, problem, is_awaited, effects),
    }
}

/// A run that is new is followed; what was set may say which name is moved.
fn looked(model: &mut Model, look: PulumiStatus, effects: &mut Vec<Effect>) {
    let known = model.provision.run.as_ref().map(|run| run.head.id.clone());
    if model.provision.going_on().is_none()
        && let Some(head) = &look.newest
        && known.as_ref() != Some(&head.id)
    {
        let id = head.id.clone();
        begin(model, head.clone());
        ask_pulumi(model, PulumiQuery::Follow(id), effects);
    }
    // A key that was set, here or in another terminal, may say which name is moved.
    let before = model.provision.look.as_ref().map(|look| &look.value.setup);
    if !model.stack.is_provisioned() && before.is_some_and(|setup| *setup != look.setup) {
        stack_reload::want(model);
    }
    model.provision.look = Some(Fact { value: look, at: model.live.now });
    steps::settle_changes(model, effects);
    // Whoever has opened a question meanwhile wants something else.
    if std::mem::take(&mut model.provision.preview_wanted) && model.dialog.is_none() {
        preview(model, effects);
    }
}

/// What was asked was not done. A question that is open, such as that of a rollback, is never taken away by that.
fn failed(model: &mut Model, trouble: PulumiProblem, is_awaited: bool, effects: &mut Vec<Effect>) {
    // A question that is open, such as that of a rollback, is never taken away.
    if matches!(model.dialog, None | Some(Dialog::Notice { .. })) {
        notice(model, "Not done", vec![trouble.message, trouble.hint]);
    } else {
        toast(model, format!("not done: {}; {}", trouble.message, trouble.hint), true);
    }
    reread_records(model);
    // What failed may have got half of the way: a stack may be made although its preview was not started.
    if is_awaited {
        ask_pulumi(model, PulumiQuery::Status, effects);
    }
}

/// The run was asked to stop, now or before.
fn asked_to_stop(model: &mut Model, sent: bool) {
    if let Some(run) = &mut model.provision.run {
        run.head.asked_to_stop = Some(true);
    }
    let text = if sent {
        "Pulumi was asked to stop: it finishes what is under way, which takes as long as a database takes"
    } else {
        "it was asked before; press x again to end it by force"
    };
    toast(model, text, false);
}

/// A run that was asked for here has begun.
fn started(model: &mut Model, head: RunHead, effects: &mut Vec<Effect>) {
    // Whatever changes something is in the journal already, from before it was done.
    if head.kind.is_preview() {
        note_as(model, head.operator.clone(), PulumiChange::started(head.kind, &head.id, &head.line, None), effects);
    }
    let id = head.id.clone();
    begin(model, head);
    ask_pulumi(model, PulumiQuery::Follow(id), effects);
    model.polls.poll_now(Source::StackRun);
}

fn begin(model: &mut Model, head: RunHead) {
    let expected = model.provision.plan.as_ref().filter(|plan| {
        matches!((plan.kind, head.kind), (RunKind::Preview, RunKind::Up) | (RunKind::PreviewDestroy, RunKind::Destroy))
    });
    let run_state = expected.map_or_else(RunState::new, |ready| RunState::expecting(&ready.plan));
    // The plan that can be run is always the one on the screen.
    model.provision.plan = None;
    model.screen.scroll.remove(&View::Provision);
    if model.provision.log {
        tail(model);
    }
    let was_over = has_end(model, &head.id);
    model.provision.run = Some(Run { head, state: run_state, ending: None, was_over });
}

/// Whether the journal has the end of this run.
fn has_end(model: &Model, run: &str) -> bool {
    let ends =
        |event: &Event| matches!(event, Event::Run { id, detail, .. } if id == run && detail.starts_with("ended"));
    model.live.journal.iter().any(|entry| ends(&entry.event))
}

fn followed<'a>(model: &'a mut Model, id: &str) -> Option<&'a mut Run> {
    model.provision.run.as_mut().filter(|run| run.head.id == id)
}

fn ended(
    model: &mut Model,
    id: &str,
    exit: &ProcessEnd,
    text: &str,
    is_ours_to_note: bool,
    stderr: &str,
    effects: &mut Vec<Effect>,
) {
    let now = model.live.now;
    let Some(run) = followed(model, id).filter(|run| run.ending.is_none()) else { return };
    run.state.process_ended();
    let explanation = failure(run.head.kind, &run.state, exit, stderr);
    let unknown = explanation.as_ref().is_some_and(|why| why.kind == FailureKind::OutcomeUnknown);
    let succeeded = explanation.is_none();
    run.ending = Some(RunEnding { text: text.to_owned(), succeeded, explanation });
    let (kind, started, owner, was_over) =
        (run.head.kind, run.head.started_at, run.head.operator.clone(), run.was_over);
    let plan = kind.is_preview().then(|| Plan::of(&run.state)).filter(|plan| succeeded && plan.is_whole());
    if let Some(plan) = plan {
        let ready = ReadyPlan { run: id.to_owned(), kind, plan, at: started };
        // A preview that is found again at the start may be hours old; its plan then only counts while it keeps.
        model.provision.plan = (now.since(started) <= PLAN_MAX_AGE).then_some(ready);
    }
    if is_ours_to_note && !has_end(model, id) {
        // The end belongs to whoever started it, whoever sees it.
        note_as(model, owner, PulumiChange::ended(kind, id, text), effects);
    }
    toast(model, format!("pulumi {kind}: {text}"), !succeeded);
    // One that had ended before this cockpit was opened has nothing to tell it.
    if !was_over {
        if succeeded && kind == RunKind::Destroy {
            let (key, endpoints) = (model.stack.group.clone(), model.stack.endpoints.clone());
            ask_pulumi(model, PulumiQuery::Orphans { key, endpoints }, effects);
        }
        // Before the first `up` even a preview that fails has made the stack, whose configuration can be read then.
        if !model.stack.is_provisioned() || ((succeeded || unknown) && !kind.is_preview()) {
            stack_reload::want(model);
        }
    }
    // What was read of this host's runs before names the one that has just ended.
    if let Some(fact) = &mut model.live.facts.stack_run {
        *fact = Fact { value: None, at: now };
    }
    model.polls.invalidate(Source::StackRun);
    reread_records(model);
}
