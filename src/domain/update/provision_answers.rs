//! Answers to open questions about Pulumi and the zone, and what closes them by itself.

use crate::domain::confirm::{Answer, Confirmation, DialogKey};
use crate::domain::model::{Dialog, Model, PendingAction};
use crate::domain::msg::Effect;
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::guard::{BlockedReason, RunKind, check_preconditions};
use crate::domain::record::Event;
use crate::domain::run_preconditions::preconditions;

use super::provision::{may_begin, may_run};
use super::{note, notice, steps, toast};

/// A key for an open question about Pulumi or the zone.
pub(super) fn answer(
    model: &mut Model,
    question: Confirmation<PendingAction>,
    key: DialogKey,
    effects: &mut Vec<Effect>,
) {
    match question.key(key, model.uptime) {
        Answer::Open(question) => model.dialog = Some(Dialog::Ask(Box::new(question))),
        Answer::Declined(question) => declined(model, &question, "not confirmed", effects),
        Answer::Confirmed(question) => {
            if let Some(why) = lost_ground(model, question.get()) {
                return declined(model, question.get(), &why, effects);
            }
            if matches!(question.get(), PendingAction::Pulumi(PulumiChange::Config(_))) {
                // The plan was read with the old value; what runs is what was read.
                model.provision.plan = None;
            }
            if let Some(change) = question.narrow(|question| Some(question.into_change())) {
                steps::execute(model, change, effects);
            }
        }
    }
}

pub(super) fn declined(model: &mut Model, question: &PendingAction, why: &str, effects: &mut Vec<Effect>) {
    toast(model, format!("nothing was started: {why}"), false);
    note(model, Event::Declined { what: question.title(), why: why.to_owned() }, effects);
}

/// Why a question may no longer be answered with yes.
fn lost_ground(model: &Model, question: &PendingAction) -> Option<String> {
    let why = |refused: Result<(), BlockedReason>| refused.err().map(|refusal| refusal.to_string());
    let ended = |run: &str| {
        let going = model.provision.going_on().is_some_and(|going| going.head.id == run);
        (!going).then(|| "the run has ended".to_owned())
    };
    match question {
        PendingAction::Pulumi(PulumiChange::Config(_)) => {
            why(check_preconditions(RunKind::Preview, &preconditions(model)))
        }
        PendingAction::Pulumi(PulumiChange::CreateStack(_)) => {
            let exists = model.provision.setup().is_some_and(|setup| setup.exists);
            if exists { Some("the stack exists by now".to_owned()) } else { why(may_begin(model, RunKind::Preview)) }
        }
        PendingAction::Pulumi(PulumiChange::Run(run)) => why(may_run(model, run)),
        PendingAction::Pulumi(PulumiChange::Interrupt(interrupt)) => ended(interrupt.run()),
        PendingAction::Pulumi(PulumiChange::ForceStop(termination)) => ended(termination.run()),
        PendingAction::Pulumi(PulumiChange::ClearLocks(_)) => None,
        PendingAction::Zone(plan) => {
            let there = plan.is_as_seen(&model.stack.group, &model.live.facts.records);
            let started = why(check_preconditions(RunKind::Refresh, &preconditions(model)));
            if there { started } else { Some("the records changed while you looked at the question".to_owned()) }
        }
    }
}

/// Closes a question whose time is over or whose ground is gone.
pub(super) fn guard(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(Dialog::Ask(question)) = &model.dialog else { return };
    let why = if question.is_expired(model.uptime) {
        Some("nobody answered".to_owned())
    } else {
        lost_ground(model, question.subject())
    };
    if let Some(why) = why
        && let Some(Dialog::Ask(question)) = model.dialog.take()
    {
        declined(model, question.subject(), &why, effects);
        notice(model, "The question was closed, nothing was started", vec![why]);
    }
}
