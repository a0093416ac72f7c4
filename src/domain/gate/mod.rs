//! The gates: questions that all have to be answered with a pass before traffic moves to the new stack.
//!
//! Pure. A gate is a row: id, verdict, value, limit, a sentence for the operator and the age of what it looked at.
//! Data that is missing, old or partial gives [`Verdict::Unknown`], which blocks exactly as a failure does. Moving
//! back to the legacy stack asks none of them.

mod comparison;
mod health;
mod replication;
mod service;
mod step_size;
#[cfg(test)]
mod tests;
mod weights;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::facts::{Fact, Facts, Source};
use super::reading::fact;
pub use super::reading::{FACT_STALE, MAX_CLOCK_SKEW};
use super::record::History;
use super::shift::{Override, ShiftPlan};
use super::units::Timestamp;
use super::zone::Endpoints;

/// The gates, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateId {
    /// The DMS task runs on an instance that is available, its full load is done, and nothing it says speaks against it.
    ReplicationTask,
    /// The target is less than the limit behind the source, and something moves.
    ReplicationLag,
    /// Every table is loaded and none is in error.
    Tables,
    /// Every table was compared and found equal.
    Validation,
    /// No alarm of the stack is on, and every one can be heard.
    Alarms,
    /// The ECS service runs what it wants and its rollout is complete.
    Service,
    /// The ALB has as many healthy targets as the service wants and none unhealthy, and the way back leads to somebody.
    Targets,
    /// The new stack does not answer more errors than the legacy stack does at the same time.
    Errors,
    /// The new stack is not slower than the legacy stack at the same time.
    Latency,
    /// No weight change is on its way to the name servers.
    DnsSettled,
    /// The newest weight change was watched for long enough.
    Bake,
    /// The weights are the ones last confirmed here.
    Drift,
    /// No Pulumi run goes on.
    StackIdle,
    /// Every member leads to the load balancer that the stack outputs name, and that the other gates watch.
    RecordTargets,
    /// The step is no larger than the policy allows at once.
    StepSize,
}

impl GateId {
    /// Every gate.
    pub const ALL: [Self; 15] = [
        Self::ReplicationTask,
        Self::ReplicationLag,
        Self::Tables,
        Self::Validation,
        Self::Alarms,
        Self::Service,
        Self::Targets,
        Self::Errors,
        Self::Latency,
        Self::DnsSettled,
        Self::Bake,
        Self::Drift,
        Self::StackIdle,
        Self::RecordTargets,
        Self::StepSize,
    ];

    /// The name used on the command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReplicationTask => "replication-task",
            Self::ReplicationLag => "replication-lag",
            Self::Tables => "tables",
            Self::Validation => "validation",
            Self::Alarms => "alarms",
            Self::Service => "service",
            Self::Targets => "targets",
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::DnsSettled => "dns-settled",
            Self::Bake => "bake",
            Self::Drift => "drift",
            Self::StackIdle => "stack-idle",
            Self::RecordTargets => "record-targets",
            Self::StepSize => "step-size",
        }
    }

    /// Whether an operator may override it by name. Where a member leads elsewhere, the other gates watch another
    /// balancer than the one that would get the traffic, and no reason mends that.
    #[must_use]
    pub const fn can_be_overridden(self) -> bool {
        !matches!(self, Self::RecordTargets)
    }

    /// The gate of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.name() == name)
    }
}

impl fmt::Display for GateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Go.
    Pass,
    /// Do not go; the value is past its limit.
    Fail,
    /// Cannot tell, so do not go.
    Unknown,
}

impl Verdict {
    /// `pass`, `fail` or `unknown`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// One gate's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Which gate.
    pub id: GateId,
    /// Its answer.
    pub verdict: Verdict,
    /// What was found, short: `3.1 s`, `4/4`; nothing when it is not known.
    pub value: Option<String>,
    /// What it has to be, short: `< 60 s`.
    pub limit: String,
    /// Cause, limit and the next thing to do, in one sentence.
    pub reason: String,
    /// The instant of the fact that decided.
    pub at: Option<Timestamp>,
}

impl Gate {
    fn new(id: GateId, verdict: Verdict, value: impl Into<String>, limit: &str, reason: impl Into<String>) -> Self {
        Self { id, verdict, value: Some(value.into()), limit: limit.to_owned(), reason: reason.into(), at: None }
    }

    fn unknown(id: GateId, limit: &str, reason: impl Into<String>) -> Self {
        Self { id, verdict: Verdict::Unknown, value: None, limit: limit.to_owned(), reason: reason.into(), at: None }
    }

    fn at(self, at: Timestamp) -> Self {
        Self { at: Some(at), ..self }
    }

    /// Whether it lets traffic move.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.verdict == Verdict::Pass
    }
}

/// The limits, all of which can be configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Replication lag has to be below this.
    pub lag_limit: Duration,
    /// A weight change has to be watched for this long after INSYNC before the next one: one TTL (60 s), CloudWatch's
    /// delay (180 s) and four settled minutes of data.
    pub bake: Duration,
    /// Requests on the new stack within the window, below which its error rate means nothing.
    pub min_requests: f64,
    /// How many percentage points the new stack's error rate may lie above the legacy stack's.
    pub max_error_excess: f64,
    /// How many times the legacy stack's p99 latency the new stack's may be.
    pub latency_factor: f64,
    /// Seconds of p99 latency that are never held against the new stack.
    pub latency_floor: f64,
    /// So many requests a minute on the new load balancer are nobody's before a `destroy`: scanners, checks of one's own.
    /// There is no number that is safe by itself, so nothing is until somebody names one.
    pub unused_per_min: f64,
    /// Points of share that go to the new stack in one step at most.
    pub max_step: u8,
    /// Settled minutes that make up the window of the error and latency comparison.
    pub window: usize,
    /// Alarms that have to exist.
    pub expected_alarms: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lag_limit: Duration::from_secs(60),
            bake: Duration::from_secs(480),
            min_requests: 300.0,
            max_error_excess: 0.5,
            latency_factor: 2.0,
            latency_floor: 0.050,
            unused_per_min: 0.0,
            max_step: 10,
            window: 3,
            expected_alarms: Vec::new(),
        }
    }
}

/// What the gates look at.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// All that was learned.
    pub facts: &'a Facts,
    /// What the journal says; nothing while it could not be read.
    pub history: Option<&'a History>,
    /// The limits.
    pub policy: &'a Policy,
    /// The load balancers of the stack outputs.
    pub endpoints: &'a Endpoints,
    /// Now.
    pub now: Timestamp,
}

impl Inputs<'_> {
    /// Now by AWS's own clock, as its newest answers told it; nothing before the first. What lies between two instants
    /// that AWS dated is measured with it, because this host's clock may be set in between.
    #[must_use]
    pub fn aws_now(&self) -> Option<Timestamp> {
        self.facts.aws_now(self.now)
    }
}

/// Answers every gate, in the order of [`GateId::ALL`].
#[must_use]
pub fn evaluate(inputs: Inputs<'_>) -> Vec<Gate> {
    GateId::ALL
        .into_iter()
        .map(|id| match id {
            GateId::ReplicationTask => replication::task(inputs),
            GateId::ReplicationLag => replication::lag(inputs),
            GateId::Tables => replication::tables(inputs),
            GateId::Validation => replication::validation(inputs),
            GateId::Alarms => health::alarms(inputs),
            GateId::Service => service::service(inputs),
            GateId::Targets => service::targets(inputs),
            GateId::Errors => comparison::errors(inputs),
            GateId::Latency => comparison::latency(inputs),
            GateId::DnsSettled => weights::dns_settled(inputs),
            GateId::Bake => weights::bake(inputs),
            GateId::Drift => weights::drift(inputs),
            GateId::StackIdle => weights::stack_idle(inputs),
            GateId::RecordTargets => weights::record_targets(inputs),
            GateId::StepSize => step_size::next_step_size(inputs),
        })
        .collect()
}

/// Answers the gate stack-idle for a run that is being followed: that is newer than the last look at the state folder.
pub fn runs(gates: &mut [Gate], run: &str, now: Timestamp) {
    for gate in gates.iter_mut().filter(|gate| gate.id == GateId::StackIdle) {
        *gate = weights::stack_busy(run, now);
    }
}

/// The gates for this very step: what they say of the stack, and whether the step is small enough or leads to what was
/// carried before.
#[must_use]
pub fn for_step(gates: &[Gate], plan: &ShiftPlan, inputs: Inputs<'_>) -> Vec<Gate> {
    let mut gates = gates.to_vec();
    for gate in gates.iter_mut().filter(|gate| gate.id == GateId::StepSize) {
        *gate = step_size::step_size(plan, inputs);
    }
    gates
}

/// The gates that do not pass and are not overridden by name.
pub fn blocking<'a>(gates: &'a [Gate], overridden: &'a [Override]) -> impl Iterator<Item = &'a Gate> {
    let over = move |gate: &Gate| gate.id.can_be_overridden() && overridden.iter().any(|o| o.gate == gate.id.name());
    gates.iter().filter(move |gate| !gate.passes() && !over(gate))
}

/// Whether every gate passes. An empty list passes nothing.
#[must_use]
pub fn all_pass(gates: &[Gate]) -> bool {
    gates.len() == GateId::ALL.len() && gates.iter().all(Gate::passes)
}

/// The value of a fact that can be decided on, or why there is none.
fn fresh<'a, T>(told: Option<&'a Fact<T>>, source: Source, inputs: Inputs<'_>) -> Result<(&'a T, Timestamp), String> {
    let reading = fact(told, source, inputs.facts, inputs.now);
    match (reading.fresh(), reading.at) {
        (Some(value), Some(at)) => Ok((*value, at)),
        _ => Err(reading.quality.why().to_owned()),
    }
}
