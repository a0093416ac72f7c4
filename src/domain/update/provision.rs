//! Keys about Pulumi: looking, previewing, running what was read, stopping, and the zone's last day. Each asks; answers are
//! taken by `provision_answers`, and what comes of them by `pulumi_answers`.

use crate::domain::change::preconditions::{Blocked, Ground, may_begin, pulumi_works};
use crate::domain::change::propose;
use crate::domain::model::Model;
use crate::domain::msg::Effect;
use crate::domain::provision::{PLAN_MAX_AGE, PulumiQuery, ReadyPlan};
use crate::domain::pulumi::guard::{BlockedReason, RunKind};
use crate::domain::pulumi::lock::ClearLocks;
use crate::domain::pulumi::{NewStack, Plan, PulumiChange, Show};
use crate::domain::run_preconditions::{name_state, preconditions};
use crate::domain::zone::NameState;
use crate::keymap::View;

use super::ask::{ask_change, ask_pulumi};
use super::{blocked, notice, operator, toast, zone};

/// The first look, once.
pub(super) fn look(model: &mut Model, effects: &mut Vec<Effect>) {
    if !model.provision.asked {
        model.provision.asked = true;
        ask_pulumi(model, PulumiQuery::Status, effects);
    }
}

/// Whether a run of `kind` may begin; says why not when it may not.
pub(super) fn refused(model: &mut Model, kind: RunKind, name: &str) -> bool {
    match may_begin(kind, &Ground::of(model)) {
        Ok(()) => false,
        Err(why) => {
            blocked(model, &format!("No {name} now"), &why);
            true
        }
    }
}

/// Says what an `up` would do.
pub(super) fn preview(model: &mut Model, effects: &mut Vec<Effect>) {
    if refused(model, RunKind::Preview, "preview") {
        return;
    }
    if model.provision.look.is_none() {
        // Whether it exists decides what p means: a question, or a preview.
        model.provision.preview_wanted = true;
        look(model, effects);
        let text =
            format!("whether the stack {} exists is not known yet: Pulumi is being asked first", model.stack.name);
        return toast(model, text, false);
    }
    if model.provision.setup().is_some_and(|setup| !setup.exists) {
        let new = NewStack::new(&model.stack.name);
        return ask_change(model, PulumiChange::CreateStack(new), "The stack is not created");
    }
    ask_pulumi(model, PulumiQuery::Preview { destroy: false }, effects);
}

/// Asks whether the plan that was read is to be run.
pub(super) fn up(model: &mut Model) {
    if refused(model, RunKind::Up, "up") {
        return;
    }
    match ready(model, RunKind::Preview) {
        Some(plan) => confirm(model, RunKind::Up, Some(&plan)),
        None => notice(
            model,
            "There is no plan to run",
            vec!["press p first: what runs is what was read, and no other".to_owned()],
        ),
    }
}

/// Leads to the end of the stack: release of the name, preview, confirmation.
pub(super) fn destroy(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Err(why) = pulumi_works(&Ground::of(model)) {
        return blocked(model, "No destroy now", &why);
    }
    match name_state(model) {
        Some(NameState::Pair(group)) if group.weights().new_weight() == 0 => return zone::ask_release(model),
        Some(NameState::LegacyOnly) => return zone::ask_release(model),
        _ => {}
    }
    match may_begin(RunKind::Destroy, &Ground::of(model)) {
        // Whether these are clients is for the question, which names their number.
        Ok(()) | Err(Blocked::Run(BlockedReason::StillUsed(..))) => {}
        Err(why) => return blocked(model, "No destroy now", &why),
    }
    match ready(model, RunKind::PreviewDestroy) {
        Some(plan) => confirm(model, RunKind::Destroy, Some(&plan)),
        None => ask_pulumi(model, PulumiQuery::Preview { destroy: true }, effects),
    }
}

/// Asks whether Pulumi is to read how everything stands.
pub(super) fn refresh(model: &mut Model) {
    if !refused(model, RunKind::Refresh, "refresh") {
        confirm(model, RunKind::Refresh, None);
    }
}

fn ready(model: &Model, kind: RunKind) -> Option<ReadyPlan> {
    let plan = model.provision.plan.as_ref()?;
    (plan.kind == kind && model.live.now.since(plan.at) <= PLAN_MAX_AGE).then(|| plan.clone())
}

/// Asks whether what was read is to be run.
fn confirm(model: &mut Model, kind: RunKind, read: Option<&ReadyPlan>) {
    let open = model.provision.look.as_ref().map_or(&[][..], |look| look.value.pending.as_slice());
    let name = name_state(model);
    let preconditions = preconditions(model);
    let seen = |plan: &Plan| plan.clone().beside(&model.stack.group.name, name.as_ref(), preconditions.ways_used);
    let read = read.map(|ready| (ready.run.as_str(), seen(&ready.plan)));
    let used = preconditions.used();
    match propose::run(kind, &model.stack.name, read, open).map(|run| run.used(used)) {
        Ok(run) => ask_change(model, PulumiChange::Run(Box::new(run)), "Nothing is started"),
        Err(why) => notice(model, "Nothing is started", vec![why.to_string()]),
    }
}

/// Asks whether the run is to be interrupted; the second time, whether it is to be ended by force.
pub(super) fn stop(model: &mut Model) {
    let Some(run) = model.provision.going_on() else {
        return toast(model, "no run goes on", false);
    };
    let change = propose::stop(&run.head, &operator(model), &run.state, model.live.history.as_ref());
    ask_change(model, change, "The run is not stopped");
}

/// Proposes to clear the locks of processes that are gone.
pub(super) fn clear_locks(model: &mut Model) {
    if let Err(why) = pulumi_works(&Ground::of(model)) {
        return blocked(model, "No lock is cleared", &why);
    }
    if model.provision.look.is_none() {
        return toast(model, "Pulumi has not been looked at yet; wait a moment, then press again", true);
    }
    let locks = model.provision.look.as_ref().map_or(&[][..], |look| look.value.locks.as_slice());
    match ClearLocks::new(&model.stack.name, locks) {
        Ok(clear) => ask_change(model, PulumiChange::ClearLocks(clear), "No lock is cleared"),
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
