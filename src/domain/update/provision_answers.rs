//! Answers to open questions about Pulumi and the zone, and what closes them by itself.

use crate::domain::confirm::{Answer, Confirmation, DialogKey};
use crate::domain::model::{Dialog, Model, PendingAction};
use crate::domain::msg::Effect;
use crate::domain::pulumi::PulumiChange;
use crate::domain::record::Event;

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
            if let Some(why) = steps::lost_ground(model, &question.get().clone().into_change()) {
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
    toast(model, format!("nothing was started: {why}"), true);
    note(model, Event::Declined { what: question.title(), why: why.to_owned() }, effects);
}

/// Closes a question whose time is over or whose ground is gone.
pub(super) fn guard(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(Dialog::Ask(question)) = &model.dialog else { return };
    let why = if question.is_expired(model.uptime) {
        Some("nobody answered".to_owned())
    } else {
        steps::lost_ground(model, &question.subject().clone().into_change())
    };
    if let Some(why) = why
        && let Some(Dialog::Ask(question)) = model.dialog.take()
    {
        declined(model, question.subject(), &why, effects);
        notice(model, "The question was closed, nothing was started", vec![why]);
    }
}
