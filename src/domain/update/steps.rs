//! The way of a weight change through the cockpit: proposal, confirmation, sending, outcome.

use crate::domain::confirm::{Answer, Confirmation, Confirmed, DialogKey, Need};
use crate::domain::error::PortError;
use crate::domain::facts::{Fact, Source};
use crate::domain::gate::{self, Gate};
use crate::domain::model::{Dialog, Model, Moving};
use crate::domain::msg::{Effect, Request};
use crate::domain::record::{Entry, Event};
use crate::domain::shift::{Direction, PlanError, ShiftOutcome, ShiftPlan};
use crate::domain::traffic::RecordGroup;
use crate::domain::units::{Percent, WeightPair};

use super::{is_sending, list, next_request, note, notice, reread_records, toast};

/// Proposes moving the new stack's share by `delta` percentage points.
pub(super) fn propose_step(model: &mut Model, delta: i16) {
    match model.live.facts.shiftable().map(RecordGroup::new_share) {
        Some(share) => propose(model, share.step(delta)),
        None => no_group(model),
    }
}

/// Opens the confirmation for `share`, or says why it cannot be proposed.
pub(super) fn propose(model: &mut Model, share: Percent) {
    if model.stack.read_only {
        return notice(model, "Read only", vec![format!("nothing is sent from here: {}", model.stack.read_only_why)]);
    }
    if is_sending(model) {
        return toast(model, "a change is being sent; wait for its answer, then press again", true);
    }
    let Some(group) = model.live.facts.shiftable() else { return no_group(model) };
    let facts = &model.live.facts;
    let plan = match (ShiftPlan::new(group, share), facts.records_doubt(model.live.now)) {
        (Ok(plan), _) => plan,
        // What is not known is not "already": the batch can only fail, or find everything as it is to be.
        (Err(PlanError::NothingToDo(_)), Some(_)) if share == Percent::ZERO => ShiftPlan::back_in_doubt(group),
        (Err(PlanError::NothingToDo(weights)), doubt) => {
            let apart = doubt.or_else(|| facts.seen_apart(model.live.now));
            let but = apart.as_ref().map(|apart| format!(", but {apart}")).unwrap_or_default();
            return toast(model, format!("the weights already are {weights}{but}"), apart.is_some());
        }
    };
    if plan.direction() == Direction::Forward {
        let reasons = blocked_by(&gate::for_step(&model.live.gates, &plan, &model.policy));
        if !reasons.is_empty() {
            return notice(model, format!("Blocked: {} not moved", share_text(&plan)), reasons);
        }
    }
    let need = if plan.is_complete() { Need::Typed(plan.record_name().to_owned()) } else { Need::Yes };
    model.frozen = None;
    model.dialog = Some(Dialog::Shift(Confirmation::new(plan, need, model.uptime)));
}

fn share_text(plan: &ShiftPlan) -> String {
    format!("{} → {}", plan.from().new_share(), plan.to.new_share())
}

/// One line for each gate that blocks; all gates must have been asked.
fn blocked_by(gates: &[Gate]) -> Vec<String> {
    if gates.len() != gate::GateId::ALL.len() {
        return vec!["no gate has been asked yet".to_owned()];
    }
    gate::blocking(gates, &[]).map(|g| format!("{} {}: {}", g.verdict.word(), g.id, g.reason)).collect()
}

fn no_group(model: &mut Model) {
    let why = match (&model.live.facts.group, model.live.facts.error(Source::Records)) {
        (Some(Fact { value: Err(shape), .. }), _) => shape.to_string(),
        (_, Some(error)) => format!("{error}; {}", error.hint()),
        _ => "Route 53 has not answered yet".to_owned(),
    };
    notice(model, "The weights are not known, so none is moved", vec![why]);
}

/// Proposes to take weights that somebody else set as the new base.
pub(super) fn propose_accept(model: &mut Model) {
    let (Some(group), Some(history)) = (model.live.facts.shiftable(), &model.live.history) else {
        return no_group(model);
    };
    let found = group.weights();
    if history.confirmed == Some(found) {
        return toast(model, format!("the weights {found} are the confirmed ones; there is nothing to take"), false);
    }
    if model.stack.read_only || is_sending(model) {
        return toast(model, "not now: read only, or a change is being sent", true);
    }
    model.frozen = None;
    model.dialog = Some(Dialog::Accept(Confirmation::new(found, Need::Yes, model.uptime)));
}

/// A key for an open confirmation of a shift.
pub(super) fn answer_shift(
    model: &mut Model,
    question: Confirmation<ShiftPlan>,
    key: DialogKey,
    effects: &mut Vec<Effect>,
) {
    match question.key(key, model.uptime) {
        Answer::Open(question) => model.dialog = Some(Dialog::Shift(question)),
        Answer::Declined(plan) => declined(model, &plan, "not confirmed", effects),
        Answer::Confirmed(plan) => send(model, plan, effects),
    }
}

/// A key for an open question about found weights.
pub(super) fn answer_accept(
    model: &mut Model,
    question: Confirmation<WeightPair>,
    key: DialogKey,
    effects: &mut Vec<Effect>,
) {
    match question.key(key, model.uptime) {
        Answer::Open(question) => model.dialog = Some(Dialog::Accept(question)),
        Answer::Declined(_) => toast(model, "left as it is", false),
        Answer::Confirmed(weights) => note(model, Event::Accepted { weights: weights.into_inner() }, effects),
    }
}

pub(super) fn declined(model: &mut Model, plan: &ShiftPlan, why: &str, effects: &mut Vec<Effect>) {
    toast(model, format!("nothing was sent: {why}"), false);
    note(model, Event::Declined { what: share_text(plan), why: why.to_owned() }, effects);
}

/// Sends a confirmed plan, after one more look whether its ground still holds.
fn send(model: &mut Model, plan: Confirmed<ShiftPlan>, effects: &mut Vec<Effect>) {
    if let Some(why) = lost_ground(model, plan.get()) {
        return declined(model, plan.get(), &why, effects);
    }
    let request = next_request(model);
    model.moving = Moving::Sending { request, plan: plan.get().clone(), since: model.uptime };
    effects.push(Effect::Shift { request, plan });
}

/// Why a plan may no longer be carried out.
fn lost_ground(model: &Model, plan: &ShiftPlan) -> Option<String> {
    if model.stack.read_only {
        return Some("read only".to_owned());
    }
    if is_sending(model) {
        return Some("another change is being sent".to_owned());
    }
    if model.live.facts.shiftable() != Some(&plan.expected) {
        return Some("the records changed while you looked at the question".to_owned());
    }
    let gates = gate::for_step(&model.live.gates, plan, &model.policy);
    if plan.direction() == Direction::Forward && !gate::all_pass(&gates) {
        let first = gate::blocking(&gates, &[]).next();
        return Some(first.map_or_else(
            || "the gates are not known".to_owned(),
            |g| format!("{} no longer passes: {}", g.id, g.reason),
        ));
    }
    None
}

/// Closes a dialog whose time is over or whose ground is gone.
pub(super) fn guard_dialog(model: &mut Model, effects: &mut Vec<Effect>) {
    let why = match &model.dialog {
        Some(Dialog::Shift(question)) if question.is_expired(model.uptime) => Some("nobody answered".to_owned()),
        Some(Dialog::Shift(question)) => lost_ground(model, question.subject()),
        Some(Dialog::Accept(question)) => {
            let gone = model.live.facts.shiftable().map(RecordGroup::weights) != Some(*question.subject());
            (gone || question.is_expired(model.uptime)).then(|| "the question is out of date".to_owned())
        }
        _ => None,
    };
    let Some(why) = why else { return };
    match model.dialog.take() {
        Some(Dialog::Shift(question)) => {
            declined(model, question.subject(), &why, effects);
            notice(model, "The question was closed, nothing was sent", vec![why]);
        }
        _ => toast(model, why, false),
    }
}

/// A sent change has ended, one way or another.
pub(super) fn shifted(
    model: &mut Model,
    request: Request,
    outcome: ShiftOutcome,
    entries: Vec<Entry>,
    effects: &mut Vec<Effect>,
) {
    let Moving::Sending { request: expected, plan, .. } = &model.moving else { return };
    if *expected != request {
        return;
    }
    let plan = plan.clone();
    model.moving = Moving::No;
    for entry in entries {
        if let Some(history) = &mut model.live.history {
            history.add(&entry);
        }
        list(model, entry);
    }
    reread_records(model);
    let now = model.live.now;
    let known = |model: &mut Model, group: RecordGroup| {
        model.live.facts.group = Some(Fact { value: Ok(group), at: now });
    };
    match outcome {
        ShiftOutcome::Accepted(change) => {
            toast(model, format!("accepted: {} → {}, PENDING", plan.from(), plan.to), false);
            known(model, plan.target());
            model.live.facts.change = Some(Fact { value: change, at: now });
            model.verifying = None;
        }
        ShiftOutcome::Conflict { message, found } => {
            if let Ok(group) = &found {
                known(model, group.clone());
            }
            effects.push(Effect::Bell);
            model.dialog = Some(Dialog::Conflict { expected: plan.expected.clone(), found, wanted: plan.to, message });
        }
        ShiftOutcome::Refused(error) => {
            notice(model, "Nothing was changed", vec![error.to_string(), error.hint()]);
        }
        ShiftOutcome::Settled { error, applied, found } => {
            let weights = found.weights();
            known(model, found);
            let what = if applied { "the change was made all the same" } else { "the change was not made" };
            notice(
                model,
                "The answer was lost; the records were read back",
                vec![error.to_string(), format!("{what}: the weights are {weights}")],
            );
        }
        ShiftOutcome::Unknown(error) => {
            effects.push(Effect::Bell);
            notice(
                model,
                "It is not known whether the weights moved",
                vec![
                    error.to_string(),
                    "no step is possible until Route 53 answers; it is asked again by itself".to_owned(),
                ],
            );
        }
    }
}

/// Starts settling a change that an earlier process, or a lost answer, left open.
pub(super) fn settle_leftovers(model: &mut Model, effects: &mut Vec<Effect>) {
    let open = model.live.history.as_ref().is_some_and(|h| h.unfinished.is_some());
    let answering = model.live.facts.group.is_some() && model.live.facts.error(Source::Records).is_none();
    if open && answering && model.moving == Moving::No {
        let request = next_request(model);
        model.moving = Moving::Settling { request };
        effects.push(Effect::Settle { request });
    }
}

/// A leftover was settled, or could not be.
pub(super) fn settled(model: &mut Model, request: Request, result: Result<Vec<Entry>, PortError>) {
    if model.moving != (Moving::Settling { request }) {
        return;
    }
    model.moving = Moving::No;
    reread_records(model);
    match result {
        Ok(entries) => {
            if let Some(Entry { event: Event::Outcome { detail, .. }, .. }) = entries.last() {
                let detail = detail.clone();
                notice(model, "A change that was left without an outcome is settled", vec![detail]);
            }
            let nothing_new = entries.is_empty();
            for entry in entries {
                if let Some(history) = &mut model.live.history {
                    history.add(&entry);
                }
                list(model, entry);
            }
            if nothing_new {
                // Another process on this host settled it; its entries are in the file.
                model.journal_asked = false;
            }
        }
        Err(error) => {
            // The source's own failure keeps this from being tried again before Route 53 answers.
            model.live.facts.sources.entry(Source::Records).or_default().error = Some(error);
        }
    }
}
