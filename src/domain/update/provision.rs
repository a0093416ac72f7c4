//! Keys about Pulumi: looking, previewing, running what was read, stopping, and the zone's last day. Each asks; answers are
//! taken by `provision_answers`, and what comes of them by `pulumi_answers`.

use crate::domain::confirm::{Challenge, Confirmation};
use crate::domain::facts::Fact;
use crate::domain::model::{Dialog, Model, PendingAction};
use crate::domain::msg::Effect;
use crate::domain::provision::{PLAN_MAX_AGE, PulumiQuery, ReadyPlan};
use crate::domain::pulumi::config;
use crate::domain::pulumi::guard::{BlockedReason, RunKind, check_preconditions};
use crate::domain::pulumi::lock::ClearLocks;
use crate::domain::pulumi::run_request::{ForceStop, RunRequest};
use crate::domain::pulumi::{Interrupt, NewStack, PulumiChange, Show};
use crate::domain::run_preconditions::{name_state, preconditions};
use crate::domain::traffic::Side;
use crate::domain::zone::{NameState, release};
use crate::keymap::View;

use super::{is_sending, next_request, notice, operator, toast};

/// Asks Pulumi.
pub(super) fn ask_pulumi(model: &mut Model, query: PulumiQuery, effects: &mut Vec<Effect>) {
    let request = next_request(model);
    if !matches!(query, PulumiQuery::Status | PulumiQuery::Follow(_) | PulumiQuery::Orphans { .. }) {
        model.provision.busy = Some(request);
    }
    effects.push(Effect::AskPulumi { request, query });
}

/// The first look, once.
pub(super) fn look(model: &mut Model, effects: &mut Vec<Effect>) {
    if !model.provision.asked {
        model.provision.asked = true;
        ask_pulumi(model, PulumiQuery::Status, effects);
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
        notice(model, "Read only", vec![format!("nothing is started from here: {}", model.stack.read_only_why)]);
        return true;
    }
    if is_sending(model) {
        toast(model, "a change is being sent; wait for its answer", true);
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
pub(super) fn may_begin(model: &Model, kind: RunKind) -> Result<(), BlockedReason> {
    check_preconditions(kind, &preconditions(model))?;
    config::may_run(kind, model.provision.setup())
}

/// Whether what was planned may run, as things and the configuration stand.
pub(super) fn may_run(model: &Model, run: &RunRequest) -> Result<(), BlockedReason> {
    run.may_run(&preconditions(model))?;
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
    ask_pulumi(model, PulumiQuery::Preview { destroy: false }, effects);
}

/// Asks whether the plan that was read is to be run.
pub(super) fn up(model: &mut Model) {
    if cannot(model) {
        return;
    }
    match ready(model, RunKind::Preview) {
        Some(plan) if !refused(model, RunKind::Up, "up") => {
            confirm(model, RunRequest::up(&model.stack.name.clone(), &plan.run, plan.plan));
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
    match name_state(model) {
        Some(NameState::Pair(group)) if group.weights().new_weight() == 0 => return ask_release(model),
        Some(NameState::LegacyOnly) => return ask_release(model),
        _ => {}
    }
    if refused(model, RunKind::Destroy, "destroy") {
        return;
    }
    match ready(model, RunKind::PreviewDestroy) {
        Some(plan) => confirm(model, RunRequest::destroy(&model.stack.name.clone(), &plan.run, plan.plan)),
        None => ask_pulumi(model, PulumiQuery::Preview { destroy: true }, effects),
    }
}

/// Asks whether Pulumi is to read how everything stands.
pub(super) fn refresh(model: &mut Model) {
    if !cannot(model) && !refused(model, RunKind::Refresh, "refresh") {
        confirm(model, Ok(RunRequest::refresh(&model.stack.name.clone())));
    }
}

fn ready(model: &Model, kind: RunKind) -> Option<ReadyPlan> {
    let plan = model.provision.plan.as_ref()?;
    (plan.kind == kind && model.live.now.since(plan.at) <= PLAN_MAX_AGE).then(|| plan.clone())
}

fn confirm(model: &mut Model, run: Result<RunRequest, BlockedReason>) {
    match run {
        Ok(run) => match may_run(model, &run) {
            Ok(()) => {
                let open = model.provision.look.as_ref().map_or(&[][..], |look| look.value.pending.as_slice());
                let run = run.beside(open);
                ask_change(model, PulumiChange::Run(Box::new(run)));
            }
            Err(refusal) => {
                // Only another preview can see a release that this one has not seen.
                if matches!(refusal, BlockedReason::DeletesRecord(..)) {
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
    let challenge = change.challenge();
    ask(model, PendingAction::Pulumi(change), challenge);
}

pub(super) fn ask(model: &mut Model, question: PendingAction, challenge: Challenge) {
    model.frozen = None;
    model.dialog = Some(Dialog::Ask(Box::new(Confirmation::new(question, challenge, model.uptime))));
}

/// Proposes to turn the pair back into one record, so that `destroy` leaves the name with an answer.
pub(super) fn ask_release(model: &mut Model) {
    // The batch writes the same records as a run or a weight change does.
    if cannot_change(model) || refused(model, RunKind::Refresh, "release") {
        return;
    }
    let to = match name_state(model) {
        Some(NameState::Pair(group)) if group.weights().legacy() == 0 => Side::New,
        _ => Side::Legacy,
    };
    match release(&model.stack.group, &model.stack.endpoints, &model.live.facts.records, to) {
        Ok(plan) => {
            let challenge = Challenge::Typed(plan.name.clone());
            ask(model, PendingAction::Zone(plan), challenge);
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
        PulumiChange::ForceStop(ForceStop::new(&head.id, &run.state))
    } else {
        let owner = (head.operator.as_str(), head.host.as_str());
        PulumiChange::Interrupt(Interrupt::new(&head.id, head.kind, owner, &operator(model), &run.state))
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
