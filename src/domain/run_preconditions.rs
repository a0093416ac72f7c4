//! What has to be known before a Pulumi run may start, as the model knows it.
//!
//! Pure.

use super::metrics::Metric;
use super::model::Model;
use super::pulumi::guard::RunPreconditions;
use super::series::STALE;
use super::zone::{Endpoints, NameState};

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
        new_requests_per_min: new_requests_per_min(model),
        unused_below_per_min: model.policy.unused_per_min,
        provisioned: model.stack.is_provisioned(),
    }
}

/// Requests in the busiest of the new stack's settled minutes of late: clients that left have left for minutes, and one
/// quiet minute is no proof. Nothing when it is not known.
fn new_requests_per_min(model: &Model) -> Option<f64> {
    let (facts, now) = (&model.live.facts, model.live.now);
    if !facts.is_read(Metric::NewRequests, now) {
        return None;
    }
    let recent = |metric| {
        let points = facts.metrics.series(metric).settled().iter();
        points.rev().take_while(|point| now.since(point.at) <= STALE).map(|point| point.value).reduce(f64::max)
    };
    // A balancer without a request publishes nothing: where CloudWatch has the legacy one's minutes and none of the new
    // one's, there were none.
    recent(Metric::NewRequests).or_else(|| recent(Metric::LegacyRequests).map(|_| 0.0))
}

/// How the name is answered, when Route 53 was read.
#[must_use]
pub fn name_state(model: &Model) -> Option<NameState> {
    let facts = &model.live.facts;
    let fresh = facts.group.as_ref().is_some_and(|g| model.live.now.since(g.at) <= super::reading::FACT_STALE);
    let endpoints: &Endpoints = &model.stack.endpoints;
    fresh.then(|| NameState::of(&model.stack.group, endpoints, &facts.records))
}
