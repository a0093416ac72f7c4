//! What an answer from outside means: news about the weights, a change that has arrived.

use crate::domain::change::deadline::SEND_DEADLINE;
use crate::domain::error::PortError;
use crate::domain::facts::{Observation, Source};
use crate::domain::model::Model;
use crate::domain::msg::{Effect, Request};
use crate::domain::provision::PulumiQuery;
use crate::domain::reconcile::{arrived, reconcile};
use crate::domain::record::Event;
use crate::domain::units::Timestamp;

use super::{ask, note, reread_records, toast};

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
        Source::Records if succeeded => {
            model.journal.records = model.uptime;
            model.journal.outran_records = false;
            records_arrived(model, effects);
        }
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
    let changed = before.is_some() && before != now && !followed;
    if changed || is_left_open(model) {
        ask::ask_pulumi(model, PulumiQuery::Status, effects);
    }
}

/// Whether somebody has confirmed a change around Pulumi long ago, whose outcome is not known, and Pulumi has not been
/// looked at for as long.
fn is_left_open(model: &Model) -> bool {
    let is_old = |at| model.live.now.since(at) >= SEND_DEADLINE;
    let looked = model.provision.look.as_ref().is_some_and(|look| is_old(look.at));
    looked && model.live.history.iter().flat_map(|history| &history.changes).any(|open| is_old(open.at))
}

/// INSYNC starts the reading back; the change counts as settled only after it.
fn change_arrived(model: &mut Model) {
    let change = model.live.facts.change.as_ref().map(|fact| &fact.value);
    let Some(id) = model.live.history.as_ref().and_then(|history| arrived(history, change)).map(str::to_owned) else {
        return;
    };
    if model.verifying.as_ref().is_none_or(|(begun, _)| *begun != id) {
        model.verifying = Some((id, model.live.now));
        reread_records(model);
    }
}

/// What the records that were read say, held against the journal: nothing as long as one of the two is not known, and
/// nothing before the journal was read after them, since another process of this host may have written what they show, nor
/// while they are older than what the journal says.
pub(super) fn records_arrived(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.is_sending() {
        return;
    }
    let Some(weights) = model.live.facts.shiftable().map(super::super::traffic::RecordGroup::weights) else { return };
    let Some(history) = &model.live.history else { return };
    let read_after = model.verifying.as_ref().map(|(change, _)| change.as_str());
    let Some(event) = reconcile(history, weights, read_after, &model.live.facts) else { return };
    let is_insync = matches!(event, Event::Insync { .. });
    if !is_insync && model.journal.outran_records {
        return;
    }
    if !is_insync && model.journal.read.is_none_or(|read| read < model.journal.records) {
        model.journal.read = None;
        return;
    }
    let ours = history.confirmed.or(history.known.map(|(known, _)| known));
    let verified = matches!(event, Event::Insync { verified: true, .. });
    model.verifying = None;
    note(model, event, effects);
    match (is_insync, ours) {
        (true, _) if verified => {
            toast(model, format!("INSYNC: {weights} on every name server, read back as confirmed"), false);
        }
        (true, _) => {
            toast(model, format!("INSYNC, but the weights read back are {weights}: somebody else moved them"), true);
        }
        (false, Some(before)) => toast(model, format!("somebody else moved the weights: {before} → {weights}"), true),
        (false, None) => {}
    }
}
