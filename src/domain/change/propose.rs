//! What was asked for becomes a change, or a word why it does not: the same for keys and commands.
//!
//! Pure. A proposal says what would be done; [`super::preconditions`] say whether it may be.

use crate::domain::confirm::Confirmed;
use crate::domain::facts::{Fact, Facts, Source};
use crate::domain::gate::{self, Gate, GateId, Inputs};
use crate::domain::provision::RunHead;
use crate::domain::pulumi::guard::{BlockedReason, RunKind};
use crate::domain::pulumi::pending::Pending;
use crate::domain::pulumi::{AskedBefore, ForceStop, Interrupt, Plan, PulumiChange, RunRequest, RunState};
use crate::domain::record::History;
use crate::domain::shift::{Evacuation, Override, PlanError, ShiftPlan};
use crate::domain::traffic::{GroupKey, RecordGroup, Side};
use crate::domain::units::{Percent, Timestamp, WeightPair};
use crate::domain::zone::{self, Endpoints, NameState, ZonePlan, ZoneRefusal, ZoneStep};

/// Why no change of the weights is proposed.
#[derive(Debug, Clone, PartialEq)]
pub enum NoShift {
    /// The records are not known, or are none that can be shifted, in words.
    Unknown(String),
    /// The weights are there already; what speaks against that, where something does.
    NothingToDo {
        /// The weights.
        weights: WeightPair,
        /// Why that may not be all, in words.
        but: Option<String>,
    },
}

/// The change that gives the new stack the share that `wanted` makes of the one that it has.
///
/// What is not known is not "already": where the last reading is in doubt, or a change may still land that takes
/// traffic away from the legacy stack, the way back is proposed all the same.
///
/// # Errors
/// [`NoShift`].
pub fn shift(
    wanted: impl FnOnce(Percent) -> Percent,
    facts: &Facts,
    history: Option<&History>,
    now: Timestamp,
) -> Result<ShiftPlan, NoShift> {
    let group = facts.shiftable().ok_or_else(|| NoShift::Unknown(unknown_text(facts)))?;
    let share = wanted(group.new_share());
    let doubt = facts.records_doubt(now);
    match ShiftPlan::new(group, share) {
        Ok(plan) => Ok(plan),
        Err(PlanError::NothingToDo(weights)) if share == Percent::ZERO => {
            match (history.and_then(|history| history.may_land(weights)), doubt) {
                (Some((landed, until)), _) => Ok(ShiftPlan::recall(group, landed, until)),
                (None, Some(_)) => Ok(ShiftPlan::back_in_doubt(group)),
                (None, None) => Err(NoShift::NothingToDo { weights, but: facts.seen_apart(now) }),
            }
        }
        Err(PlanError::NothingToDo(weights)) => {
            Err(NoShift::NothingToDo { weights, but: doubt.or_else(|| facts.seen_apart(now)) })
        }
    }
}

/// The change that takes all traffic out of a legacy region that fails, stepping over every gate that does not pass and
/// may be stepped over.
///
/// # Errors
/// [`NoShift`].
pub fn evacuate(stack: &str, reason: &str, gates: &[Gate], inputs: Inputs<'_>) -> Result<ShiftPlan, NoShift> {
    let (facts, now) = (inputs.facts, inputs.now);
    let group = facts.shiftable().ok_or_else(|| NoShift::Unknown(unknown_text(facts)))?;
    let evacuation = Evacuation { stack: stack.to_owned(), reason: reason.to_owned() };
    match ShiftPlan::evacuate(group, evacuation) {
        Ok(plan) => Ok(stepping_over(&plan, gates, inputs)),
        Err(PlanError::NothingToDo(weights)) => {
            Err(NoShift::NothingToDo { weights, but: facts.records_doubt(now).or_else(|| facts.seen_apart(now)) })
        }
    }
}

/// An evacuation with the gates that it steps over now; any other plan as it is. The size of its step is always among
/// them: an evacuation never counts as a step, and its reason gets into the journal whatever passes.
#[must_use]
pub fn stepping_over(plan: &ShiftPlan, gates: &[Gate], inputs: Inputs<'_>) -> ShiftPlan {
    let Some(evacuation) = &plan.evacuation else { return plan.clone() };
    let overrides = gate::for_step(gates, plan, inputs)
        .iter()
        .filter(|gate| gate.id == GateId::StepSize || (!gate.passes() && gate.id.can_be_overridden()))
        .map(|gate| Override { gate: gate.id.name().to_owned(), reason: evacuation.reason.clone() })
        .collect();
    ShiftPlan { overrides, ..plan.clone() }
}

/// A plan that was confirmed, without the gates that an evacuation has listed and that pass now: nothing is stepped over
/// there, and the journal is not to say so.
#[must_use]
pub fn as_it_stands(plan: Confirmed<ShiftPlan>, gates: &[Gate], inputs: Inputs<'_>) -> Option<Confirmed<ShiftPlan>> {
    let now = stepping_over(plan.get(), gates, inputs).overrides;
    plan.narrow(|mut plan| {
        if plan.evacuation.is_some() {
            plan.overrides.retain(|over| now.contains(over));
        }
        Some(plan)
    })
}

/// Why the weights are not known, in words.
#[must_use]
pub fn unknown_text(facts: &Facts) -> String {
    match (&facts.group, facts.error(Source::Records)) {
        (Some(Fact { value: Err(shape), .. }), _) => shape.to_string(),
        (_, Some(error)) => format!("{error}; {}", error.hint()),
        _ => "Route 53 has not answered yet".to_owned(),
    }
}

/// The overrides that a plan needs: of gates that do not pass. One that passes anyway needs no reason in the journal.
#[must_use]
pub fn needed(overrides: &[Override], gates: &[Gate]) -> Vec<Override> {
    let needed = |o: &&Override| gates.iter().any(|gate| !gate.passes() && gate.id.name() == o.gate);
    overrides.iter().filter(needed).cloned().collect()
}

/// What stops a run: the first time it is asked to, the second time it is ended by force; so it is where nothing proves that
/// it was not asked before, since Pulumi takes a second request for that order. The question says which of the two it is.
#[must_use]
pub fn stop(head: &RunHead, operator: &str, run_state: &RunState, history: Option<&History>) -> PulumiChange {
    if let Some(before) = asked_before(head, history) {
        return PulumiChange::ForceStop(ForceStop::new(&head.id, run_state, before));
    }
    let owner = (head.operator.as_str(), head.host.as_str());
    PulumiChange::Interrupt(Interrupt::new(&head.id, head.kind, owner, operator, run_state))
}

/// Whether a run was asked to stop before, as its folder and Pulumi say, or else what is known of it; nothing where it is
/// proved that it was not.
#[must_use]
pub fn asked_before(head: &RunHead, history: Option<&History>) -> Option<AskedBefore> {
    let noted = || {
        let Some(history) = history else { return "the journal could not be read".to_owned() };
        match history.stops.iter().find(|stop| stop.run == head.id) {
            Some(stop) => format!("the journal has {}", stop.text()),
            None => "the journal has no such request".to_owned(),
        }
    };
    match head.asked_to_stop {
        Some(false) => None,
        Some(true) => Some(AskedBefore::Proved),
        None => Some(AskedBefore::NotKnown(noted())),
    }
}

/// The weights that are taken as the baseline, or that they are it already.
///
/// # Errors
/// [`NoShift`].
pub fn baseline(facts: &Facts, history: Option<&History>) -> Result<WeightPair, NoShift> {
    let (Some(group), Some(history)) = (facts.shiftable().map(RecordGroup::weights), history) else {
        return Err(NoShift::Unknown(unknown_text(facts)));
    };
    if history.confirmed == Some(group) {
        return Err(NoShift::NothingToDo { weights: group, but: None });
    }
    Ok(group)
}

/// Why no batch for the name is proposed.
#[derive(Debug, Clone, PartialEq)]
pub enum NoZoneChange {
    /// The name is answered like that already, in words.
    Done(String),
    /// It would move traffic, or lose the name.
    Refused(ZoneRefusal),
}

/// The batch that adopts or releases the name.
///
/// # Errors
/// [`NoZoneChange`].
pub fn zone(step: ZoneStep, key: &GroupKey, endpoints: &Endpoints, facts: &Facts) -> Result<ZonePlan, NoZoneChange> {
    let plan = match step {
        ZoneStep::Adopt => zone::adopt(key, endpoints, &facts.records),
        ZoneStep::Release(to) => zone::release(key, endpoints, &facts.records, to),
    };
    plan.map_err(|refusal| match (step, &refusal) {
        (ZoneStep::Adopt, ZoneRefusal::AlreadyPair { .. } | ZoneRefusal::AlreadyAdopted { .. }) => {
            NoZoneChange::Done(refusal.to_string())
        }
        (ZoneStep::Release(to), _) if NameState::of(key, endpoints, &facts.records) == NameState::Simple(Some(to)) => {
            NoZoneChange::Done(format!("the name is one simple record to the {} stack already", to.name()))
        }
        _ => NoZoneChange::Refused(refusal),
    })
}

/// Where the name is released to when nobody says it: to the stack that has all the traffic.
#[must_use]
pub fn release_to(name_state: Option<&NameState>) -> Side {
    match name_state {
        Some(NameState::Pair(group)) if group.weights().legacy() == 0 => Side::New,
        _ => Side::Legacy,
    }
}

/// The run of `kind` of what was read in the preview of this name, beside what earlier runs left open.
///
/// # Errors
/// [`BlockedReason`] when the plan is not whole, or has nothing to do.
pub fn run(
    kind: RunKind,
    stack: &str,
    read: Option<(&str, Plan)>,
    open: &[Pending],
) -> Result<RunRequest, BlockedReason> {
    let run = match (kind, read) {
        (RunKind::Refresh, _) => RunRequest::refresh(stack),
        (RunKind::Destroy, Some((preview, plan))) => RunRequest::destroy(stack, preview, plan)?,
        (RunKind::Up, Some((preview, plan))) => RunRequest::up(stack, preview, plan)?,
        // What was not read cannot be run, and a preview is no change.
        (RunKind::Up | RunKind::Destroy | RunKind::Preview | RunKind::PreviewDestroy, _) => {
            return Err(BlockedReason::NothingToDo);
        }
    };
    Ok(run.beside(open))
}

#[cfg(test)]
#[path = "propose_tests.rs"]
mod tests;
