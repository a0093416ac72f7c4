//! Pulumi in the cockpit: looking, previewing, running what was read, stopping, and the zone's first and last day.

use crate::domain::confirm::{Answer, Confirmation, DialogKey, Need};
use crate::domain::deploy::config;
use crate::domain::deploy::explain::{Exit, failure};
use crate::domain::deploy::guard::{Refusal, RunKind, may_start};
use crate::domain::deploy::lock::ClearLocks;
use crate::domain::deploy::order::{RunOrder, Termination};
use crate::domain::deploy::{Deploy, FailureKind, Interrupt, NewStack, Plan, PulumiChange, Show};
use crate::domain::facts::{Fact, Source};
use crate::domain::model::{Dialog, Model, Question};
use crate::domain::msg::{Effect, Request};
use crate::domain::provision::{News, Order, PLAN_KEEPS, ReadyPlan, Run, RunEnding, RunHead, situation, standing};
use crate::domain::record::Event;
use crate::domain::traffic::Side;
use crate::domain::zone::{Standing, release};
use crate::keymap::View;

use super::{next_request, note, note_as, notice, operator, renewal, reread_records, toast, zone};

/// Sends an order.
pub(super) fn order(model: &mut Model, order: Order, effects: &mut Vec<Effect>) {
    let request = next_request(model);
    if !matches!(order, Order::Look | Order::Follow(_) | Order::Orphans { .. }) {
        model.provision.busy = Some(request);
    }
    effects.push(Effect::Provision { request, order });
}

/// The first look, once.
pub(super) fn look(model: &mut Model, effects: &mut Vec<Effect>) {
    if !model.provision.asked {
        model.provision.asked = true;
        order(model, Order::Look, effects);
    }
}

pub(super) fn cannot(model: &mut Model) -> bool {
    if cannot_change(model) {
        return true;
    }
    if let Some(Fact { value, .. }) = &model.provision.look
        && let Err(trouble) = &value.pulumi
    {
        let lines = vec![trouble.message.clone(), trouble.hint.clone()];
        notice(model, "Pulumi cannot be used", lines);
        return true;
    }
    false
}

/// The same for what needs no Pulumi.
pub(super) fn cannot_change(model: &mut Model) -> bool {
    if model.stack.read_only {
        notice(model, "Read only", vec!["this cockpit was started with --read-only and starts nothing".to_owned()]);
        return true;
    }
    if model.provision.busy.is_some() {
        toast(model, "Pulumi is being asked; wait for its answer", true);
        return true;
    }
    false
}

pub(super) fn refused(model: &mut Model, kind: RunKind, name: &str) -> bool {
    match may_begin(model, kind) {
        Ok(()) => false,
        Err(refusal) => {
            notice(model, format!("No {name} now"), vec![refusal.to_string()]);
            true
        }
    }
}

/// Whether a run may start, as things and the configuration stand.
fn may_begin(model: &Model, kind: RunKind) -> Result<(), Refusal> {
    may_start(kind, &situation(model))?;
    config::may_run(kind, model.provision.setup())
}

fn may_run(model: &Model, run: &RunOrder) -> Result<(), Refusal> {
    run.may_run(&situation(model))?;
    may_begin(model, run.kind())
}

/// Says what an `up` would do.
pub(super) fn preview(model: &mut Model, effects: &mut Vec<Effect>) {
    if cannot(model) || refused(model, RunKind::Preview, "preview") {
        return;
    }
    if model.provision.setup().is_some_and(|setup| !setup.exists) {
        let new = NewStack::new(&model.stack.name);
        return ask_change(model, PulumiChange::CreateStack(new));
    }
    order(model, Order::Preview { destroy: false }, effects);
}

/// Asks whether the plan that was read is to be run.
pub(super) fn up(model: &mut Model) {
    if cannot(model) {
        return;
    }
    match ready(model, RunKind::Preview) {
        Some(plan) if !refused(model, RunKind::Up, "up") => {
            confirm(model, RunOrder::up(&model.stack.name.clone(), &plan.run, plan.plan));
        }
        Some(_) => {}
        None => notice(
            model,
            "There is no plan to run",
            vec!["press p first: what runs is what was read, and no other".to_owned()],
        ),
    }
}

/// Leads to the end of the stack: release of the name, preview, confirmation.
pub(super) fn destroy(model: &mut Model, effects: &mut Vec<Effect>) {
    if cannot(model) {
        return;
    }
    match standing(model) {
        Some(Standing::Pair(group)) if group.weights().new_weight() == 0 => return ask_release(model),
        Some(Standing::Lone) => return ask_release(model),
        _ => {}
    }
    if refused(model, RunKind::Destroy, "destroy") {
        return;
    }
    match ready(model, RunKind::PreviewDestroy) {
        Some(plan) => confirm(model, RunOrder::destroy(&model.stack.name.clone(), &plan.run, plan.plan)),
        None => order(model, Order::Preview { destroy: true }, effects),
    }
}

/// Asks whether Pulumi is to read how everything stands.
pub(super) fn refresh(model: &mut Model) {
    if !cannot(model) && !refused(model, RunKind::Refresh, "refresh") {
        confirm(model, Ok(RunOrder::refresh(&model.stack.name.clone())));
    }
}

fn ready(model: &Model, kind: RunKind) -> Option<ReadyPlan> {
    let plan = model.provision.plan.as_ref()?;
    (plan.kind == kind && model.live.now.since(plan.at) <= PLAN_KEEPS).then(|| plan.clone())
}

fn confirm(model: &mut Model, run: Result<RunOrder, Refusal>) {
    match run {
        Ok(run) => match may_run(model, &run) {
            Ok(()) => {
                let open = model.provision.look.as_ref().map_or(&[][..], |look| look.value.pending.as_slice());
                let run = run.beside(open);
                ask_change(model, PulumiChange::Run(Box::new(run)));
            }
            Err(refusal) => {
                // Only another preview can see a release that this one has not seen.
                if matches!(refusal, Refusal::DeletesRecord(_)) {
                    model.provision.plan = None;
                }
                notice(model, "Nothing is started", vec![refusal.to_string()]);
            }
        },
        Err(refusal) => notice(model, "Nothing is started", vec![refusal.to_string()]),
    }
}

/// Asks whether something around Pulumi is to be done.
pub(super) fn ask_change(model: &mut Model, change: PulumiChange) {
    let need = change.need();
    ask(model, Question::Pulumi(change), need);
}

pub(super) fn ask(model: &mut Model, question: Question, need: Need) {
    model.frozen = None;
    model.dialog = Some(Dialog::Ask(Box::new(Confirmation::new(question, need, model.uptime))));
}

/// Proposes to turn the pair back into one record, so that `destroy` leaves the name with an answer.
pub(super) fn ask_release(model: &mut Model) {
    // The batch writes the same records as a run or a weight change does.
    if cannot_change(model) || refused(model, RunKind::Refresh, "release") {
        return;
    }
    let to = match standing(model) {
        Some(Standing::Pair(group)) if group.weights().legacy() == 0 => Side::New,
        _ => Side::Legacy,
    };
    match release(&model.stack.group, &model.stack.endpoints, &model.live.facts.records, to) {
        Ok(plan) => {
            let need = Need::Typed(plan.name.clone());
            ask(model, Question::Zone(plan), need);
        }
        Err(refusal) => notice(model, "The name is not released", vec![refusal.to_string()]),
    }
}

/// Asks whether the run is to be interrupted; the second time, whether it is to be ended by force.
pub(super) fn stop(model: &mut Model) {
    let Some(run) = model.provision.going_on() else {
        return toast(model, "no run goes on", false);
    };
    if model.stack.read_only {
        return toast(model, "read only: nothing is stopped from here", true);
    }
    let head = &run.head;
    let change = if head.asked_to_stop {
        PulumiChange::ForceStop(Termination::new(&head.id, &run.deploy))
    } else {
        let owner = (head.operator.as_str(), head.host.as_str());
        PulumiChange::Interrupt(Interrupt::new(&head.id, head.kind, owner, &operator(model), &run.deploy))
    };
    ask_change(model, change);
}

/// Proposes to clear the locks of processes that are gone.
pub(super) fn clear_locks(model: &mut Model) {
    if cannot(model) {
        return;
    }
    let locks = model.provision.look.as_ref().map_or(&[][..], |look| look.value.locks.as_slice());
    match ClearLocks::new(&model.stack.name, locks) {
        Ok(clear) => ask_change(model, PulumiChange::ClearLocks(clear)),
        Err(refusal) => notice(model, "No lock is cleared", vec![refusal.to_string()]),
    }
}

/// Shows the next selection of resources.
pub(super) fn cycle_show(model: &mut Model) {
    model.provision.show = match model.provision.show {
        Show::All => Show::Changes,
        Show::Changes => Show::Running,
        Show::Running => Show::Failed,
        Show::Failed => Show::All,
    };
}

/// Shows the log at its end, or the resources from the first one on.
pub(super) fn toggle_log(model: &mut Model) {
    model.provision.log = !model.provision.log;
    model.screen.scroll.remove(&View::Provision);
    if model.provision.log {
        tail(model);
    }
}

/// Holds the log at its end: the row behind every last one stays behind it when more lines come.
pub(super) fn tail(model: &mut Model) {
    model.screen.scroll.insert(View::Provision, usize::MAX);
}

/// A key for an open question about Pulumi or the zone.
pub(super) fn answer(model: &mut Model, question: Confirmation<Question>, key: DialogKey, effects: &mut Vec<Effect>) {
    match question.key(key, model.uptime) {
        Answer::Open(question) => model.dialog = Some(Dialog::Ask(Box::new(question))),
        Answer::Declined(question) => declined(model, &question, "not confirmed", effects),
        Answer::Confirmed(question) => {
            if let Some(why) = lost_ground(model, question.get()) {
                return declined(model, question.get(), &why, effects);
            }
            if matches!(question.get(), Question::Pulumi(PulumiChange::Config(_))) {
                // The plan was read with the old value; what runs is what was read.
                model.provision.plan = None;
            }
            let confirmed = match question.get() {
                Question::Pulumi(_) => question.narrow(Question::into_pulumi).map(Order::Change),
                Question::Zone(_) => {
                    question.narrow(|q| if let Question::Zone(z) = q { Some(z) } else { None }).map(Order::Zone)
                }
            };
            if let Some(confirmed) = confirmed {
                order(model, confirmed, effects);
            }
        }
    }
}

pub(super) fn declined(model: &mut Model, question: &Question, why: &str, effects: &mut Vec<Effect>) {
    toast(model, format!("nothing was started: {why}"), false);
    note(model, Event::Declined { what: question.title(), why: why.to_owned() }, effects);
}

/// Why a question may no longer be answered with yes.
fn lost_ground(model: &Model, question: &Question) -> Option<String> {
    let why = |refused: Result<(), Refusal>| refused.err().map(|refusal| refusal.to_string());
    let ended = |run: &str| {
        let going = model.provision.going_on().is_some_and(|going| going.head.id == run);
        (!going).then(|| "the run has ended".to_owned())
    };
    match question {
        Question::Pulumi(PulumiChange::Config(_)) => why(may_start(RunKind::Preview, &situation(model))),
        Question::Pulumi(PulumiChange::CreateStack(_)) => {
            let exists = model.provision.setup().is_some_and(|setup| setup.exists);
            if exists { Some("the stack exists by now".to_owned()) } else { why(may_begin(model, RunKind::Preview)) }
        }
        Question::Pulumi(PulumiChange::Run(run)) => why(may_run(model, run)),
        Question::Pulumi(PulumiChange::Interrupt(interrupt)) => ended(interrupt.run()),
        Question::Pulumi(PulumiChange::ForceStop(termination)) => ended(termination.run()),
        Question::Pulumi(PulumiChange::ClearLocks(_)) => None,
        Question::Zone(plan) => {
            let there = plan.is_as_seen(&model.stack.group, &model.live.facts.records);
            let started = why(may_start(RunKind::Refresh, &situation(model)));
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

/// News of Pulumi.
pub(super) fn news(model: &mut Model, request: Request, news: News, effects: &mut Vec<Effect>) {
    let is_awaited = model.provision.busy == Some(request);
    if is_awaited && !matches!(news, News::Lines { .. } | News::Restarted { .. } | News::Expecting { .. }) {
        model.provision.busy = None;
    }
    match news {
        News::Looked(look) => {
            let known = model.provision.run.as_ref().map(|run| run.head.id.clone());
            if model.provision.going_on().is_none()
                && let Some(head) = &look.newest
                && known.as_ref() != Some(&head.id)
            {
                let id = head.id.clone();
                begin(model, head.clone());
                order(model, Order::Follow(id), effects);
            }
            // A key that was set, here or in another terminal, may say which name is moved.
            let before = model.provision.look.as_ref().map(|look| &look.value.setup);
            if !model.stack.is_provisioned() && before.is_some_and(|setup| *setup != look.setup) {
                renewal::want(model);
            }
            model.provision.look = Some(Fact { value: *look, at: model.live.now });
        }
        News::Started(head) => {
            // Whatever changes something is in the journal already, from before it was done.
            if head.kind.is_preview() {
                note(model, PulumiChange::started(head.kind, &head.id, &head.line), effects);
            }
            let id = head.id.clone();
            begin(model, head);
            order(model, Order::Follow(id), effects);
            model.polls.hurry(Source::StackRun);
        }
        News::Lines { run, lines, oversized } => {
            if let Some(followed) = followed(model, &run) {
                for line in lines {
                    followed.deploy.fold(line);
                }
                for _ in 0..oversized {
                    followed.deploy.skipped_line();
                }
            }
        }
        News::Expecting { run, plan } => {
            // What is expected stands before the first event, or not at all.
            if let Some(followed) = followed(model, &run).filter(|followed| followed.deploy.lines().events == 0) {
                followed.deploy = Deploy::expecting(&plan);
            }
        }
        News::Restarted { run } => {
            if let Some(followed) = followed(model, &run) {
                followed.deploy = Deploy::new();
            }
        }
        News::Ended { run, exit, text, note, stderr } => {
            ended(model, &run, &exit, &text, note, &stderr, effects);
        }
        News::AskedToStop(sent) => {
            if let Some(run) = &mut model.provision.run {
                run.head.asked_to_stop = true;
            }
            let text = if sent {
                "Pulumi was asked to stop: it finishes what is under way, which takes as long as a database takes"
            } else {
                "it was asked before; press x again to end it by force"
            };
            toast(model, text, false);
        }
        News::Done(text) => {
            note(model, Event::Note { text: text.clone() }, effects);
            toast(model, text, false);
            reread_records(model);
            order(model, Order::Look, effects);
        }
        News::Changed(text) => {
            toast(model, text, false);
            order(model, Order::Look, effects);
        }
        News::StackCreated(text) => {
            toast(model, text, false);
            order(model, Order::Look, effects);
            order(model, Order::Preview { destroy: false }, effects);
        }
        News::Orphans(found) => model.provision.left = Some(zone::left_text(found)),
        News::Failed(trouble) => {
            // A question that is open, such as that of a rollback, is never taken away.
            if matches!(model.dialog, None | Some(Dialog::Notice { .. })) {
                notice(model, "Not done", vec![trouble.message, trouble.hint]);
            } else {
                toast(model, format!("not done: {}; {}", trouble.message, trouble.hint), true);
            }
            reread_records(model);
            // What failed may have got half of the way: a stack may be made although its preview was not started.
            if is_awaited {
                order(model, Order::Look, effects);
            }
        }
    }
}

fn begin(model: &mut Model, head: RunHead) {
    let expected = model.provision.plan.as_ref().filter(|plan| {
        matches!((plan.kind, head.kind), (RunKind::Preview, RunKind::Up) | (RunKind::PreviewDestroy, RunKind::Destroy))
    });
    let deploy = expected.map_or_else(Deploy::new, |ready| Deploy::expecting(&ready.plan));
    // The plan that can be run is always the one on the screen.
    model.provision.plan = None;
    model.screen.scroll.remove(&View::Provision);
    if model.provision.log {
        tail(model);
    }
    model.provision.run = Some(Run { head, deploy, ending: None });
}

fn followed<'a>(model: &'a mut Model, id: &str) -> Option<&'a mut Run> {
    model.provision.run.as_mut().filter(|run| run.head.id == id)
}

fn ended(
    model: &mut Model,
    id: &str,
    exit: &Exit,
    text: &str,
    is_ours_to_note: bool,
    stderr: &str,
    effects: &mut Vec<Effect>,
) {
    let now = model.live.now;
    let Some(run) = followed(model, id).filter(|run| run.ending.is_none()) else { return };
    run.deploy.process_ended();
    let explanation = failure(run.head.kind, &run.deploy, exit, stderr);
    let unknown = explanation.as_ref().is_some_and(|why| why.kind == FailureKind::OutcomeUnknown);
    let succeeded = explanation.is_none();
    run.ending = Some(RunEnding { text: text.to_owned(), succeeded, explanation });
    let (kind, started, owner) = (run.head.kind, run.head.started_at, run.head.operator.clone());
    let plan = kind.is_preview().then(|| Plan::of(&run.deploy)).filter(|plan| succeeded && plan.is_whole());
    if let Some(plan) = plan {
        let ready = ReadyPlan { run: id.to_owned(), kind, plan, at: started };
        // A preview that is found again at the start may be hours old; its plan then only counts while it keeps.
        model.provision.plan = (now.since(started) <= PLAN_KEEPS).then_some(ready);
    }
    let known = model.live.journal.iter().any(
        |entry| matches!(&entry.event, Event::Run { id: known, detail, .. } if known == id && detail.starts_with("ended")),
    );
    if is_ours_to_note && !known {
        // The end belongs to whoever started it, whoever sees it.
        note_as(model, owner, PulumiChange::ended(kind, id, text), effects);
    }
    toast(model, format!("pulumi {kind}: {text}"), !succeeded);
    // One that had ended before this cockpit was opened has nothing to tell it.
    if !known {
        if succeeded && kind == RunKind::Destroy {
            let (key, endpoints) = (model.stack.group.clone(), model.stack.endpoints.clone());
            order(model, Order::Orphans { key, endpoints }, effects);
        }
        // Before the first `up` even a preview that fails has made the stack, whose configuration can be read then.
        if !model.stack.is_provisioned() || ((succeeded || unknown) && !kind.is_preview()) {
            renewal::want(model);
        }
    }
    model.polls.hurry(Source::StackRun);
    reread_records(model);
}
