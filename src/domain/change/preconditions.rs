//! Whether a change may be asked about, and still be sent: one function over plain values.
//!
//! Pure. The cockpit asks it before the question, while the question is open and when it is answered; every command
//! before its question and once more after the answer, on facts that were read anew. Nothing else decides. The way back
//! has two preconditions only: the right to write at all, and the records that it names.

use std::fmt;

use crate::domain::facts::Facts;
use crate::domain::gate::{self, Gate, GateId, Inputs, Policy};
use crate::domain::model::Model;
use crate::domain::provision::PulumiProblem;
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::config::{self, Setup};
use crate::domain::pulumi::guard::{BlockedReason, RunKind, RunPreconditions, check_preconditions};
use crate::domain::reading;
use crate::domain::run_preconditions::preconditions;
use crate::domain::shift::{Direction, ShiftPlan};
use crate::domain::traffic::{GroupKey, RecordGroup, Side};
use crate::domain::units::{Timestamp, WeightPair};
use crate::domain::zone::{Endpoints, ZonePlan};

use super::Change;

/// What a change stands on: all that was learned, by whoever asks.
#[derive(Debug, Clone)]
pub struct Ground<'a> {
    /// What the gates look at.
    pub inputs: Inputs<'a>,
    /// Every gate's answer.
    pub gates: &'a [Gate],
    /// The name and the members that are moved.
    pub key: &'a GroupKey,
    /// Why nothing may be changed from here, where nothing may.
    pub read_only: Option<&'a str>,
    /// Whether another change of the records is being sent from here.
    pub is_sending: bool,
    /// Whether Pulumi is being asked from here and has not answered yet.
    pub is_asking_pulumi: bool,
    /// Why Pulumi cannot be used, where it was looked at and cannot.
    pub pulumi_problem: Option<&'a PulumiProblem>,
    /// The stack's configuration, where Pulumi told it.
    pub setup: Option<&'a Setup>,
    /// The run that is followed and goes on.
    pub followed: Option<&'a str>,
    /// What has to be known before a run may start.
    pub run: RunPreconditions,
    /// A change that another process of this host has sent since this one began to decide, in words.
    pub overtaken_by: Option<String>,
}

impl<'a> Ground<'a> {
    /// What a change stands on, as the model knows it.
    #[must_use]
    pub fn of(model: &'a Model) -> Self {
        let pulumi = &model.provision;
        Self {
            inputs: model.gate_inputs(),
            gates: &model.live.gates,
            key: &model.stack.group,
            read_only: model.watcher.read_only.then_some(model.watcher.read_only_why.as_str()),
            is_sending: model.is_sending(),
            is_asking_pulumi: pulumi.busy.is_some(),
            pulumi_problem: pulumi.look.as_ref().and_then(|look| look.value.pulumi.as_ref().err()),
            setup: pulumi.setup(),
            followed: pulumi.going_on().map(|run| run.head.id.as_str()),
            run: preconditions(model),
            overtaken_by: None,
        }
    }
}

/// Why a change may not, or no longer, be carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum Blocked {
    /// Nothing is changed from here, for this reason.
    ReadOnly(String),
    /// Another change of the records is being sent from here.
    Sending,
    /// Pulumi has not answered yet what it was asked from here.
    AskingPulumi,
    /// Pulumi cannot be used.
    Pulumi(PulumiProblem),
    /// Another process of this host was faster, in words.
    Overtaken(String),
    /// The records are not the ones that were decided on.
    RecordsChanged,
    /// No gate has been asked yet.
    GatesUnknown,
    /// These gates do not pass, and are not overridden.
    Gates(Vec<Gate>),
    /// The new stack has so many targets, and none that answers: all traffic would find nobody.
    NobodyAnswers(usize),
    /// Whether anybody answers on the new stack is not known.
    AnswersUnknown,
    /// A guard of Pulumi's runs says no.
    Run(BlockedReason),
    /// The run that was to be stopped has ended.
    RunEnded,
    /// The stack that was to be made exists.
    StackExists,
    /// The weights to be taken as the baseline are not the ones that are there.
    OtherWeights,
}

impl From<BlockedReason> for Blocked {
    fn from(reason: BlockedReason) -> Self {
        Self::Run(reason)
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOnly(why) => write!(f, "nothing is changed from here: {why}"),
            Self::Sending => f.write_str("another change is under way; wait for its outcome"),
            Self::AskingPulumi => f.write_str("Pulumi is being asked; wait for its answer"),
            Self::Pulumi(problem) => write!(f, "Pulumi cannot be used: {}; {}", problem.message, problem.hint),
            Self::Overtaken(by) => f.write_str(by),
            Self::RecordsChanged => f.write_str("the records changed while this was being decided"),
            Self::GatesUnknown => f.write_str("no gate has been asked yet"),
            Self::Gates(gates) => match gates.first() {
                Some(first) => write!(f, "{} no longer passes: {}", first.id, first.reason),
                None => f.write_str("the gates are not known"),
            },
            Self::NobodyAnswers(all) => write!(
                f,
                "none of the new stack's {all} targets is healthy, so all traffic would find nobody; this cannot be stepped \
                 over: bring tasks up first (`tapctl status`)"
            ),
            Self::AnswersUnknown => f.write_str(
                "whether any target of the new stack is healthy is not known, so all traffic might find nobody; this cannot be \
                 stepped over: let the load balancer of the new stack be read first (`tapctl doctor`)",
            ),
            Self::Run(reason) => reason.fmt(f),
            Self::RunEnded => f.write_str("the run has ended"),
            Self::StackExists => f.write_str("the stack exists by now"),
            Self::OtherWeights => f.write_str("the weights are not the ones that the question is about"),
        }
    }
}

impl Blocked {
    /// One line for each cause.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Gates(gates) => {
                gates.iter().map(|g| format!("{} {}: {}", g.verdict.word(), g.id, g.reason)).collect()
            }
            Self::Pulumi(problem) => vec![problem.message.clone(), problem.hint.clone()],
            other => vec![other.to_string()],
        }
    }
}

/// Whether `change` may be carried out on this ground.
///
/// # Errors
/// The first thing that forbids it.
pub fn check(change: &Change, ground: &Ground<'_>) -> Result<(), Blocked> {
    may_write(ground)?;
    match change {
        Change::Weights(plan) => weights(plan, ground),
        Change::Zone(plan) => zone(plan, ground),
        Change::AcceptBaseline(found) => baseline(*found, ground),
        Change::Pulumi(change) => pulumi(change, ground),
    }
}

/// Whether a change around Pulumi may be made by whoever has asked nothing of AWS, as nothing of it depends on that: a
/// key of the configuration, or a stack that is empty.
///
/// # Errors
/// The first thing that forbids it.
pub fn check_unseen(change: &Change, running: Option<String>, setup: Option<&Setup>) -> Result<(), Blocked> {
    unseen(running, setup, |ground| check(change, ground))
}

/// Whether what stops a run may be sent by whoever has asked nothing of AWS, while this run goes on.
///
/// # Errors
/// The first thing that forbids it.
pub fn check_stop(change: &Change, goes_on: Option<&str>) -> Result<(), Blocked> {
    unseen(None, None, |ground| check(change, &Ground { followed: goes_on, ..ground.clone() }))
}

/// Whether a preview may begin for whoever has asked nothing of AWS.
///
/// # Errors
/// The first thing that forbids it.
pub fn may_preview_unseen(running: Option<String>) -> Result<(), Blocked> {
    unseen(running, None, |ground| may_begin(RunKind::Preview, ground))
}

fn unseen(
    running: Option<String>,
    setup: Option<&Setup>,
    ask: impl FnOnce(&Ground<'_>) -> Result<(), Blocked>,
) -> Result<(), Blocked> {
    let (facts, policy, key, endpoints) = (Facts::default(), Policy::default(), GroupKey::unset(), Endpoints::unset());
    let inputs =
        Inputs { facts: &facts, history: None, policy: &policy, endpoints: &endpoints, now: Timestamp::from_millis(0) };
    ask(&Ground {
        inputs,
        gates: &[],
        key: &key,
        read_only: None,
        is_sending: false,
        is_asking_pulumi: false,
        pulumi_problem: None,
        setup,
        followed: None,
        run: RunPreconditions {
            running,
            weight_change: None,
            name_state: None,
            new_requests: None,
            unused_per_min: policy.unused_per_min,
            ways_used: true,
            provisioned: false,
        },
        overtaken_by: None,
    })
}

/// Whether a run of `kind` may begin at all, before anybody knows what it would do. A preview changes nothing, and is
/// possible where nothing may be changed.
///
/// # Errors
/// The first thing that forbids it.
pub fn may_begin(kind: RunKind, ground: &Ground<'_>) -> Result<(), Blocked> {
    if !kind.is_preview() {
        may_write(ground)?;
    }
    idle(ground)?;
    pulumi_works(ground)?;
    check_preconditions(kind, &ground.run)?;
    is_configured(kind, ground.setup)
}

/// Whether the program has what a run of `kind` needs, as far as Pulumi told.
///
/// # Errors
/// [`Blocked::Run`] with the keys that are missing.
pub fn is_configured(kind: RunKind, setup: Option<&Setup>) -> Result<(), Blocked> {
    Ok(config::may_run(kind, setup)?)
}

/// Whether a batch that adopts or releases the name may be planned: it writes the same records as a run, or a change of
/// the weights, does.
///
/// # Errors
/// The first thing that forbids it.
pub fn may_change_zone(ground: &Ground<'_>) -> Result<(), Blocked> {
    may_write(ground)?;
    idle(ground)?;
    not_overtaken(ground)?;
    Ok(check_preconditions(RunKind::Refresh, &ground.run)?)
}

/// Whether a key of the configuration may be set: what is set while a run goes on would be another configuration than
/// the one that it read.
///
/// # Errors
/// The first thing that forbids it.
pub fn may_configure(ground: &Ground<'_>) -> Result<(), Blocked> {
    may_write(ground)?;
    idle(ground)?;
    pulumi_works(ground)?;
    Ok(check_preconditions(RunKind::PreviewDestroy, &ground.run)?)
}

/// Whether anything may be changed from here.
///
/// # Errors
/// [`Blocked::ReadOnly`].
pub fn may_write(ground: &Ground<'_>) -> Result<(), Blocked> {
    ground.read_only.map_or(Ok(()), |why| Err(Blocked::ReadOnly(why.to_owned())))
}

fn idle(ground: &Ground<'_>) -> Result<(), Blocked> {
    match ground {
        ground if ground.is_sending => Err(Blocked::Sending),
        ground if ground.is_asking_pulumi => Err(Blocked::AskingPulumi),
        _ => Ok(()),
    }
}

/// Whether Pulumi can be used, as far as it was looked at.
///
/// # Errors
/// [`Blocked::Pulumi`].
pub fn pulumi_works(ground: &Ground<'_>) -> Result<(), Blocked> {
    ground.pulumi_problem.map_or(Ok(()), |problem| Err(Blocked::Pulumi(problem.clone())))
}

/// Whether nobody else of this host was faster.
///
/// # Errors
/// [`Blocked::Overtaken`].
pub fn not_overtaken(ground: &Ground<'_>) -> Result<(), Blocked> {
    ground.overtaken_by.as_ref().map_or(Ok(()), |by| Err(Blocked::Overtaken(by.clone())))
}

fn weights(plan: &ShiftPlan, ground: &Ground<'_>) -> Result<(), Blocked> {
    let back = plan.direction() == Direction::Back;
    if ground.is_sending && !back {
        return Err(Blocked::Sending);
    }
    // What waits for a change to land names records that are not there yet.
    if plan.lands_until.is_none() && ground.inputs.facts.shiftable() != Some(&plan.expected) {
        return Err(Blocked::RecordsChanged);
    }
    if back {
        return Ok(());
    }
    not_overtaken(ground)?;
    if plan.evacuation.is_some() {
        somebody_answers(ground)?;
    }
    let gates = gate::for_step(ground.gates, plan, ground.inputs);
    if gates.len() != GateId::ALL.len() {
        return Err(Blocked::GatesUnknown);
    }
    let blocking: Vec<Gate> = gate::blocking(&gates, &plan.overrides).cloned().collect();
    if blocking.is_empty() { Ok(()) } else { Err(Blocked::Gates(blocking)) }
}

/// Whether somebody is known to answer on the new stack: no reason mends that, also when the legacy region fails. Its
/// load balancer is in the region that is left.
fn somebody_answers(ground: &Ground<'_>) -> Result<(), Blocked> {
    let Inputs { facts, now, .. } = ground.inputs;
    match reading::hosts(facts, Side::New, now).fresh() {
        Some(hosts) if hosts.healthy == 0 => Err(Blocked::NobodyAnswers(hosts.all)),
        Some(_) => Ok(()),
        None => Err(Blocked::AnswersUnknown),
    }
}

fn zone(plan: &ZonePlan, ground: &Ground<'_>) -> Result<(), Blocked> {
    if !plan.is_as_seen(ground.key, &ground.inputs.facts.records) {
        return Err(Blocked::RecordsChanged);
    }
    may_change_zone(ground)
}

fn baseline(found: WeightPair, ground: &Ground<'_>) -> Result<(), Blocked> {
    if ground.is_sending {
        return Err(Blocked::Sending);
    }
    let there = ground.inputs.facts.shiftable().map(RecordGroup::weights);
    if there == Some(found) { Ok(()) } else { Err(Blocked::OtherWeights) }
}

fn pulumi(change: &PulumiChange, ground: &Ground<'_>) -> Result<(), Blocked> {
    let goes_on = |run: &str| if ground.followed == Some(run) { Ok(()) } else { Err(Blocked::RunEnded) };
    match change {
        // What stops a run waits for nothing else.
        PulumiChange::Interrupt(interrupt) => goes_on(interrupt.run()),
        PulumiChange::ForceStop(force) => goes_on(force.run()),
        PulumiChange::Config(_) => may_configure(ground),
        PulumiChange::CreateStack(_) if ground.setup.is_some_and(|setup| setup.exists) => Err(Blocked::StackExists),
        PulumiChange::CreateStack(_) => may_begin(RunKind::Preview, ground),
        PulumiChange::Run(run) => {
            run.may_run(&ground.run)?;
            may_begin(run.kind(), &Ground { run: run.preconditions(&ground.run), ..ground.clone() })
        }
        PulumiChange::ClearLocks(_) => {
            idle(ground)?;
            pulumi_works(ground)
        }
    }
}

#[cfg(test)]
#[path = "preconditions_tests.rs"]
mod tests;
