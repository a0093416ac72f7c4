//! What an answer from outside means: news about the weights, a change that has arrived.

use crate::domain::error::PortError;
use crate::domain::facts::{Observation, Source};
use crate::domain::model::Model;
use crate::domain::msg::{Effect, Request};
use crate::domain::provision::Order;
use crate::domain::record::Event;
use crate::domain::traffic::ChangeStatus;
use crate::domain::units::Timestamp;

use super::{is_sending, note, provision, reread_records, toast};

pub(super) fn answer(
    model: &mut Model,
    request: Request,
    source: Source,
    result: Result<Observation, PortError>,
    at: Timestamp,
    effects: &mut Vec<Effect>,
) {
    let earlier = model.live.facts.sources.get(&source).map_or(0, |health| health.failures);
    let failures = if result.is_err() { earlier.saturating_add(1) } else { 0 };
    let moving = model.is_moving();
    if !model.polls.answered(source, request, model.moment(), failures, moving) {
        return;
    }
    let succeeded = result.is_ok();
    let ran = running(model);
    model.live.facts.absorb(&model.stack.group, source, result, at);
    match source {
        Source::Change if succeeded => change_arrived(model),
        Source::Records if succeeded => records_arrived(model, effects),
        Source::StackRun if succeeded => stack_run_arrived(model, ran, effects),
        _ => {}
    }
}

/// Whether a run goes on in the state folder; nothing before that was looked at.
fn running(model: &Model) -> Option<bool> {
    model.live.facts.stack_run.as_ref().map(|fact| fact.value.is_some())
}

/// A run that begins in another terminal is looked at and then followed; after an end, locks and what was left open are
/// looked at. Only the change counts, so that a run that goes on for an hour is looked at once.
fn stack_run_arrived(model: &mut Model, before: Option<bool>, effects: &mut Vec<Effect>) {
    let now = running(model);
    let followed = now == Some(true) && model.provision.going_on().is_some();
    if before.is_some() && before != now && !followed {
        provision::order(model, Order::Look, effects);
    }
}

/// INSYNC starts the reading back; the change counts as settled only after it.
fn change_arrived(model: &mut Model) {
    let Some(change) = model.live.facts.change.as_ref().map(|fact| &fact.value) else { return };
    let pending = model.live.history.as_ref().and_then(|h| h.pending.as_ref()).is_some_and(|(id, _)| *id == change.id);
    let begun = model.verifying.as_ref().is_some_and(|(id, _)| *id == change.id);
    if pending && !begun && change.status == ChangeStatus::Insync {
        model.verifying = Some((change.id.clone(), model.live.now));
        reread_records(model);
    }
}

/// What the records that were read say, held against the journal: nothing as long as one of the two is not known.
pub(super) fn records_arrived(model: &mut Model, effects: &mut Vec<Effect>) {
    if is_sending(model) {
        return;
    }
    let Some(weights) = model.live.facts.shiftable().map(super::super::traffic::RecordGroup::weights) else { return };
    let Some(history) = &model.live.history else { return };
    if let Some((change, _)) = model.verifying.clone() {
        let verified = history.confirmed == Some(weights);
        model.verifying = None;
        note(model, Event::Insync { change, weights, verified }, effects);
        if verified {
            toast(model, format!("INSYNC: {weights} on every name server, read back as confirmed"), false);
        } else {
            toast(model, format!("INSYNC, but the weights read back are {weights}: somebody else moved them"), true);
        }
        return;
    }
    if history.is_news(weights) {
        let ours = history.confirmed.or(history.known.map(|(known, _)| known));
        note(model, Event::Seen { weights }, effects);
        if let Some(before) = ours {
            toast(model, format!("somebody else moved the weights: {before} → {weights}"), true);
        }
    }
}
