//! The way of a weight change through the cockpit: proposal, confirmation, sending, outcome.

use crate::domain::change::Change;
use crate::domain::change::outcome::Outcome;
use crate::domain::change::preconditions::{Ground, check};
use crate::domain::change::propose::{self, NoShift};
use crate::domain::change::settle::{Settling, settle};
use crate::domain::change::turn::Stage;
use crate::domain::confirm::{Answer, Challenge, Confirmation, Confirmed, DialogKey};
use crate::domain::error::PortError;
use crate::domain::facts::{Fact, Source};
use crate::domain::model::{Dialog, Model, ShiftState};
use crate::domain::msg::{Effect, Request};
use crate::domain::record::{Entry, Event, History, OpenIntent, OpenRun};
use crate::domain::shift::{Direction, ShiftPlan};
use crate::domain::targets::sent_astray;
use crate::domain::traffic::RecordGroup;
use crate::domain::units::{Percent, WeightPair};

use super::{blocked, by_hand, list, next_request, note, notice, reread_records, toast, zone};

/// Proposes moving the new stack's share by `delta` percentage points.
pub(super) fn propose_step(model: &mut Model, delta: i16) {
    propose_share(model, |share| share.step(delta));
}

/// Opens the confirmation for `share`, or says why it cannot be proposed.
pub(super) fn propose(model: &mut Model, share: Percent) {
    propose_share(model, |_| share);
}

/// Opens the confirmation for all back, or says what can be done where it cannot be sent from here.
pub(super) fn propose_rollback(model: &mut Model) {
    match propose::shift(|_| Percent::ZERO, &model.live.facts, model.live.history.as_ref(), model.live.now) {
        Err(NoShift::Unknown(why)) => by_hand::tell(model, &why),
        Ok(plan) if model.watcher.read_only => {
            let why = lost_ground(model, &Change::Weights(plan)).unwrap_or_default();
            notice(model, "Read only", vec![why, by_hand::elsewhere()]);
        }
        _ => propose(model, Percent::ZERO),
    }
}

fn propose_share(model: &mut Model, wanted: impl FnOnce(Percent) -> Percent) {
    let history = model.live.history.as_ref();
    let plan = match propose::shift(wanted, &model.live.facts, history, model.live.now) {
        Ok(plan) => plan,
        Err(why) => return not_proposed(model, why),
    };
    let change = Change::Weights(plan.clone());
    if let Err(why) = check(&change, &Ground::of(model)) {
        return blocked(model, &format!("Blocked: {} not moved", share_text(&plan)), &why);
    }
    let challenge = change.challenge();
    model.frozen = None;
    model.dialog = Some(Dialog::Shift(Confirmation::new(plan, challenge, model.uptime)));
}

fn share_text(plan: &ShiftPlan) -> String {
    format!("{} → {}", plan.from().new_share(), plan.to.new_share())
}

pub(super) fn not_proposed(model: &mut Model, why: NoShift) {
    match why {
        NoShift::Unknown(why) => notice(model, "The weights are not known, so none is moved", vec![why]),
        NoShift::NothingToDo { weights, but } => {
            let (facts, endpoints) = (&model.live.facts, &model.stack.endpoints);
            let but = but.or_else(|| facts.shiftable().and_then(|group| sent_astray(group, endpoints)));
            let text = but.as_ref().map(|but| format!(", but {but}")).unwrap_or_default();
            toast(model, format!("the weights already are {weights}{text}"), but.is_some());
        }
    }
}

/// Proposes to take weights that somebody else set as the new base.
pub(super) fn propose_accept(model: &mut Model) {
    let found = match propose::baseline(&model.live.facts, model.live.history.as_ref()) {
        Ok(found) => found,
        Err(NoShift::NothingToDo { weights, .. }) => {
            return toast(
                model,
                format!("the weights {weights} are the confirmed ones; there is nothing to take"),
                false,
            );
        }
        Err(why) => return not_proposed(model, why),
    };
    if let Err(why) = check(&Change::AcceptBaseline(found), &Ground::of(model)) {
        return blocked(model, "The weights are not taken", &why);
    }
    model.frozen = None;
    model.dialog = Some(Dialog::Accept(Confirmation::new(found, Challenge::Yes, model.uptime)));
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
        Answer::Confirmed(plan) => {
            if let Some(plan) = propose::as_it_stands(plan, &model.live.gates, model.gate_inputs()) {
                send(model, plan, effects);
            }
        }
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
        Answer::Declined(_) => toast(model, "declined", false),
        Answer::Confirmed(weights) => {
            let Some(change) = weights.narrow(|weights| Some(Change::AcceptBaseline(weights))) else { return };
            match lost_ground(model, change.get()) {
                Some(why) => toast(model, why, true),
                None => execute(model, change, effects),
            }
        }
    }
}

pub(super) fn declined(model: &mut Model, plan: &ShiftPlan, why: &str, effects: &mut Vec<Effect>) {
    toast(model, format!("nothing was sent: {why}"), true);
    note(model, Event::Declined { what: share_text(plan), why: why.to_owned() }, effects);
}

/// Sends a confirmed plan, after one more look whether its ground still holds. A plan that takes back what may still
/// land is kept until that has.
fn send(model: &mut Model, plan: Confirmed<ShiftPlan>, effects: &mut Vec<Effect>) {
    if let Some(why) = lost_ground(model, &Change::Weights(plan.get().clone())) {
        return declined(model, plan.get(), &why, effects);
    }
    let waits = plan.get().lands_until.is_some() && model.live.facts.shiftable() != Some(&plan.get().expected);
    if waits {
        toast(model, "watching: all traffic is sent back as soon as the change lands", false);
        model.watch = Some(plan);
        return;
    }
    if let Some(change) = plan.narrow(|plan| Some(Change::Weights(plan))) {
        execute(model, change, effects);
    }
}

/// Hands a confirmed change to the executor.
pub(super) fn execute(model: &mut Model, change: Confirmed<Change>, effects: &mut Vec<Effect>) {
    let request = next_request(model);
    match change.get() {
        Change::Weights(_) | Change::Zone(_) => {
            let sent = Box::new(change.get().clone());
            model.shift_state = ShiftState::Sending { request, change: sent, since: model.uptime, stage: None };
        }
        Change::Pulumi(_) => model.provision.busy = Some(request),
        Change::AcceptBaseline(_) => model.journal.appending += 1,
    }
    effects.push(Effect::Execute { request, change });
}

/// Sends the way back that was confirmed for a change that has landed now; drops it when that change never will.
pub(super) fn watch(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(plan) = &model.watch else { return };
    if model.live.facts.shiftable() == Some(&plan.get().expected) {
        if let Some(plan) = model.watch.take() {
            send(model, plan, effects);
        }
        return;
    }
    let Some(history) = model.live.history.as_ref().filter(|history| history.open.is_empty()) else { return };
    // Somebody has settled it. What it was settled as is told by records that were read after that, and by no older ones.
    let landed = history.known.map(|(weights, _)| weights) == Some(plan.get().from());
    if landed || model.journal.outran_records {
        return;
    }
    model.watch = None;
    let weights =
        model.live.facts.shiftable().map_or_else(|| "not known".to_owned(), |group| group.weights().to_string());
    toast(model, format!("there is nothing to send back any more: the weights are {weights}"), false);
}

/// Why a change may no longer be carried out.
pub(super) fn lost_ground(model: &Model, change: &Change) -> Option<String> {
    check(change, &Ground::of(model)).err().map(|why| why.to_string())
}

/// Closes a dialog whose time is over or whose ground is gone.
pub(super) fn guard_dialog(model: &mut Model, effects: &mut Vec<Effect>) {
    let why = match &model.dialog {
        Some(Dialog::Shift(question)) if question.is_expired(model.uptime) => Some("nobody answered".to_owned()),
        Some(Dialog::Shift(question)) => lost_ground(model, &Change::Weights(question.subject().clone())),
        Some(Dialog::Accept(question)) => {
            let gone = lost_ground(model, &Change::AcceptBaseline(*question.subject())).is_some();
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

/// A change has got further.
pub(super) fn staged(model: &mut Model, request: Request, now: Stage) {
    if let ShiftState::Sending { request: sent, stage, .. } = &mut model.shift_state
        && *sent == request
    {
        *stage = Some(now);
    } else if let Stage::Waiting(holder) = now
        && model.provision.busy == Some(request)
    {
        let by = holder.map_or_else(|| "a process that did not say its name".to_owned(), |holder| holder.text());
        toast(model, format!("WAITING for its turn, which {by} holds; nothing was done yet"), true);
    }
}

/// A change has ended, one way or another. What it wrote counts whether or not anybody still waits for it: the way back
/// may have overtaken it.
pub(super) fn executed(
    model: &mut Model,
    request: Request,
    outcome: Outcome,
    entries: Vec<Entry>,
    effects: &mut Vec<Effect>,
) {
    for entry in entries {
        if let Some(history) = &mut model.live.history {
            history.add(&entry);
        }
        list(model, entry);
    }
    // The file says it in its order, and whatever else was written meanwhile.
    (model.journal.read, model.journal.stamp) = (None, None);
    reread_records(model);
    let sent = match &model.shift_state {
        ShiftState::Sending { request: expected, change, .. } if *expected == request => (**change).clone(),
        _ => return,
    };
    model.shift_state = ShiftState::Idle;
    match sent {
        Change::Weights(plan) => moved(model, &plan, outcome, effects),
        Change::Zone(plan) => zone::turned(model, &plan, outcome, effects),
        // These change no record, and have their own ends.
        Change::Pulumi(_) | Change::AcceptBaseline(_) => {}
    }
}

/// What became of a weight change.
fn moved(model: &mut Model, plan: &ShiftPlan, outcome: Outcome, effects: &mut Vec<Effect>) {
    let now = model.live.now;
    if let Some(group) = outcome.group(&model.stack.group) {
        model.live.facts.group = Some(Fact { value: Ok(group), at: now });
    }
    let key = model.stack.group.clone();
    match outcome {
        Outcome::Accepted(change) => {
            toast(model, format!("accepted: {} → {}, PENDING", plan.from(), plan.to), false);
            model.live.facts.group = Some(Fact { value: Ok(plan.target()), at: now });
            model.live.facts.change = Some(Fact { value: change, at: now });
            model.verifying = None;
        }
        Outcome::Conflict { message, found } => {
            effects.push(Effect::Bell);
            let found = found.and_then(|found| RecordGroup::from_records(&key, &found).map_err(|e| e.to_string()));
            model.dialog = Some(Dialog::Conflict { expected: plan.expected.clone(), found, wanted: plan.to, message });
        }
        Outcome::AlreadySo { message, .. } => {
            effects.push(Effect::Bell);
            let why = "nothing was changed by this step: find out who did it, then take the weights as the new base";
            notice(model, "Already so, by somebody else", vec![message, why.to_owned()]);
        }
        Outcome::Refused(error) => {
            let mut lines = vec![error.to_string(), error.hint()];
            if plan.direction() == Direction::Back {
                lines.push(by_hand::after(&error));
            }
            notice(model, "Nothing was changed", lines);
        }
        Outcome::Made { error, .. } => notice(
            model,
            "The answer was lost; the records were read back",
            vec![error.to_string(), format!("the change was made all the same: the weights are {}", plan.to)],
        ),
        Outcome::Unknown { error, until, .. } => {
            effects.push(Effect::Bell);
            notice(
                model,
                "It is not known whether the weights move",
                vec![
                    error.to_string(),
                    format!(
                        "the request may be carried out until {} UTC; the records are read until then",
                        until.hms()
                    ),
                    "no step forward is possible meanwhile; the way back is open".to_owned(),
                ],
            );
        }
    }
}

/// Starts settling a change that an earlier process, or a lost answer, left open, once the records tell what came of it.
pub(super) fn settle_leftovers(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(history) = &model.live.history else { return };
    let facts = &model.live.facts;
    let answering = facts.group.is_some() && facts.error(Source::Records).is_none();
    if history.open.is_empty() || !answering || model.shift_state != ShiftState::Idle {
        return;
    }
    let told = |open: &OpenIntent| {
        let said = settle(open, &model.stack.group, &facts.records, model.live.now, facts.aws_now(model.live.now));
        matches!(said, Settling::Settled(..))
    };
    if history.open.iter().any(told) {
        settle_now(model, effects);
    }
}

/// Starts settling changes around Pulumi that an earlier process left open, after a look at Pulumi.
pub(super) fn settle_changes(model: &mut Model, effects: &mut Vec<Effect>) {
    let followed = model.provision.going_on().map(|run| &run.head.id);
    let is_over = |run: &OpenRun| Some(&run.id) != followed;
    let is_open = |history: &History| !history.changes.is_empty() || history.runs.iter().any(is_over);
    if model.live.history.as_ref().is_some_and(is_open) && model.shift_state == ShiftState::Idle {
        settle_now(model, effects);
    }
}

fn settle_now(model: &mut Model, effects: &mut Vec<Effect>) {
    let request = next_request(model);
    model.shift_state = ShiftState::Settling { request };
    effects.push(Effect::Settle { request });
}

/// What is said of a change that was settled: of what was done around Pulumi in passing, of all else so that nobody
/// misses it. The end of a run is told where runs are shown.
fn tell_settled(model: &mut Model, entries: &[Entry]) {
    let (mut passing, mut said) = (Vec::new(), Vec::new());
    for entry in entries {
        match &entry.event {
            Event::Outcome { detail, .. } => said.push(detail.clone()),
            Event::Note { text, .. } if !text.starts_with("done: ") => said.push(text.clone()),
            Event::Note { .. } | Event::Run { intent: Some(_), .. } => passing.push(entry.event.text()),
            _ => {}
        }
    }
    // An open question, such as that of a rollback, is never taken away.
    if !said.is_empty() && matches!(model.dialog, None | Some(Dialog::Notice { .. })) {
        return notice(model, "A change that was left without an outcome is settled", [said, passing].concat());
    }
    // What was done in passing covers nothing that somebody may be reading; the journal lists it too.
    let shown = !said.is_empty() || model.screen.toast.is_none();
    said.append(&mut passing);
    if shown && !said.is_empty() {
        toast(model, format!("settled: {}", said.join("; ")), false);
    }
}

/// A leftover was settled, or could not be.
pub(super) fn settled(model: &mut Model, request: Request, result: Result<Vec<Entry>, PortError>) {
    if model.shift_state != (ShiftState::Settling { request }) {
        return;
    }
    model.shift_state = ShiftState::Idle;
    reread_records(model);
    match result {
        Ok(entries) => {
            tell_settled(model, &entries);
            let nothing_new = entries.is_empty();
            for entry in entries {
                if let Some(history) = &mut model.live.history {
                    history.add(&entry);
                }
                list(model, entry);
            }
            if nothing_new {
                // Another process on this host settled it; its entries are in the file.
                (model.journal.read, model.journal.stamp) = (None, None);
            }
        }
        Err(error) => {
            // The source's own failure keeps this from being tried again before Route 53 answers.
            model.live.facts.sources.entry(Source::Records).or_default().error = Some(error);
        }
    }
}
