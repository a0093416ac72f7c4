//! What has to be known before a Pulumi run may start, as the model knows it.
//!
//! Pure.

use std::time::Duration;

use super::facts::Source;
use super::metrics::Metric;
use super::model::Model;
use super::pulumi::guard::RunPreconditions;
use super::pulumi::used::NewRequests;
use super::reading;
use super::replication::TaskStatus;
use super::series::{PERIOD, STALE, Series, settled_until};
use super::traffic::Side;
use super::zone::{Endpoints, NameState};

/// Time whose busiest minute says how much the new stack is used: clients that left have left for minutes, one quiet
/// minute is no proof, and a client of a small service comes by every few minutes.
const USE_WINDOW: Duration = Duration::from_secs(15 * 60);

/// What has to be known before a run may start.
#[must_use]
pub fn preconditions(model: &Model) -> RunPreconditions {
    let facts = &model.live.facts;
    let running = match (model.provision.going_on(), facts.stack_run.as_ref().and_then(|f| f.value.clone())) {
        (Some(run), _) => Some(format!("pulumi {} by {}", run.head.kind, run.head.operator)),
        (None, other) => other,
    };
    let weight_change = match &model.live.history {
        None => Some("the journal is not read yet".to_owned()),
        Some(history) if let Some(open) = history.unfinished() => Some(open.unknown_text()),
        Some(history) => history.pending.as_ref().map(|(id, _)| id.clone()),
    };
    RunPreconditions {
        running,
        weight_change,
        name_state: name_state(model),
        new_requests: new_requests(model),
        unused_per_min: model.policy.unused_per_min,
        ways_used: ways_used(model),
        provisioned: model.stack.is_provisioned(),
    }
}

/// Whether requests or a replication stream may take the ways between the networks: not where the name gives the new stack
/// nothing, none has reached it of late, and both streams stand still. What is not known is no proof.
fn ways_used(model: &Model) -> bool {
    let has_share = match name_state(model) {
        Some(NameState::Pair(group)) => group.weights().new_weight() > 0,
        Some(NameState::LegacyOnly | NameState::Absent | NameState::Simple(Some(Side::Legacy))) => false,
        Some(NameState::Simple(_) | NameState::Other(_)) | None => true,
    };
    let is_asked = new_requests(model).is_none_or(|requests| requests.per_min > 0.0);
    let (facts, now) = (&model.live.facts, model.live.now);
    let stands = |task: &TaskStatus| matches!(task, TaskStatus::Ready | TaskStatus::Stopped | TaskStatus::Failed);
    let streams = reading::fact(facts.replication.as_ref(), Source::Replication, facts, now);
    let stand =
        streams.fresh().is_some_and(|found| stands(&found.task.status) && found.reverse.as_ref().is_none_or(stands));
    has_share || is_asked || !stand
}

/// What reaches the new stack. Nothing when it is not known: CloudWatch was not read, has no recent minute of either balancer,
/// or gave a number that cannot be.
fn new_requests(model: &Model) -> Option<NewRequests> {
    let (facts, now) = (&model.live.facts, model.live.now);
    let new = facts.metrics.series(Metric::NewRequests);
    if !facts.is_read(Metric::NewRequests, now) {
        return None;
    }
    let legacy = facts.metrics.series(Metric::LegacyRequests);
    // A balancer without a request publishes nothing: where CloudWatch has the legacy one's minutes and none of the new
    // one's, there were none.
    let is_recent = |series: &Series| series.last_settled().is_some_and(|point| now.since(point.at) <= STALE);
    if !is_recent(new) && !is_recent(legacy) {
        return None;
    }
    let until = settled_until(new.read_at()?);
    let from = until.minus(USE_WINDOW);
    if new.broken_since(from).is_some() {
        return None;
    }
    let busiest = |series: &Series| {
        let recent = series.settled().iter().rev().take_while(|point| point.at >= from);
        recent.map(|point| point.value).reduce(f64::max)
    };
    Some(NewRequests {
        per_min: busiest(new).unwrap_or(0.0),
        minutes: (USE_WINDOW.as_secs() / PERIOD.as_secs()) as u32,
        until,
        legacy_per_min: busiest(legacy),
    })
}

/// How the name is answered, when Route 53 was read.
#[must_use]
pub fn name_state(model: &Model) -> Option<NameState> {
    let facts = &model.live.facts;
    let fresh = facts.group.as_ref().is_some_and(|g| model.live.now.since(g.at) <= super::reading::FACT_STALE);
    let endpoints: &Endpoints = &model.stack.endpoints;
    fresh.then(|| NameState::of(&model.stack.group, endpoints, &facts.records))
}
