//! Gates on the machines that answer: alarms, service, targets, and the new stack beside the legacy one.
//!
//! Errors and latency are compared with the *concurrent* legacy stack, not with the new stack's own past: a control
//! group tells a bad release from a bad night (Google SRE workbook, "Canarying releases").

use crate::domain::facts::Source;
use crate::domain::metrics::{ErrorRate, Metric};
use crate::domain::series::{Freshness, Point, STALE};
use crate::domain::service::AlarmState;
use crate::domain::traffic::Side;
use crate::domain::units::{Timestamp, age_text, short_number};

use super::{Gate, GateId, Inputs, Verdict, fresh};

pub(super) fn alarms(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Alarms;
    const LIMIT: &str = "all OK";
    let mut at = inputs.now;
    for (fact, source) in
        [(&inputs.facts.alarms_new, Source::AlarmsNew), (&inputs.facts.alarms_legacy, Source::AlarmsLegacy)]
    {
        match fresh(fact.as_ref(), source, inputs) {
            Ok((_, seen)) => at = at.min(seen),
            Err(why) => return Gate::unknown(ID, LIMIT, why),
        }
    }
    let all: Vec<_> = inputs.facts.alarms().collect();
    let on: Vec<_> = all.iter().filter(|a| a.state == AlarmState::Alarm).collect();
    let gate = if let Some(first) = on.first() {
        Gate::new(
            ID,
            Verdict::Fail,
            format!("{} in ALARM", on.len()),
            LIMIT,
            format!("{}: {}", first.name, first.reason),
        )
    } else if let Some(missing) =
        inputs.policy.expected_alarms.iter().find(|name| !all.iter().any(|a| a.name == **name))
    {
        Gate::unknown(
            ID,
            LIMIT,
            format!("the alarm {missing} does not exist in either region; run tapctl up, or check the outputs"),
        )
    } else if all.is_empty() {
        Gate::unknown(ID, LIMIT, "no alarm is known: the outputs name none, so nobody watches the stack")
    } else if let Some(blind) = all.iter().find(|a| a.state == AlarmState::InsufficientData) {
        let mut gate = Gate::unknown(ID, LIMIT, format!("{} has INSUFFICIENT_DATA: {}", blind.name, blind.reason));
        gate.value = Some("INSUFFICIENT_DATA".to_owned());
        gate
    } else {
        Gate::new(ID, Verdict::Pass, format!("{} OK", all.len()), LIMIT, "every alarm of the stack is OK")
    };
    gate.at(at)
}

pub(super) fn service(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Service;
    const LIMIT: &str = "running = desired, COMPLETED";
    let (service, at) = match fresh(inputs.facts.service.as_ref(), Source::Service, inputs) {
        Ok(known) => known,
        Err(why) => return Gate::unknown(ID, LIMIT, why),
    };
    let count = format!("{}/{}", service.running, service.desired);
    let rollout = service.rollout().unwrap_or("unknown");
    let gate = if service.status != "ACTIVE" {
        Gate::new(
            ID,
            Verdict::Fail,
            service.status.clone(),
            LIMIT,
            format!("the service is {}, not ACTIVE", service.status),
        )
    } else if service.desired == 0 {
        Gate::new(
            ID,
            Verdict::Fail,
            count,
            LIMIT,
            "the service wants no task: traffic would find nobody; set the desired count",
        )
    } else if rollout == "FAILED" {
        let why = service.deployments.first().map_or("", |d| d.reason.as_str());
        Gate::new(ID, Verdict::Fail, format!("{count}, FAILED"), LIMIT, format!("the rollout failed: {why}"))
    } else if service.running != service.desired || service.pending > 0 {
        let newest = service.events.first().map_or("", |(_, text)| text.as_str());
        Gate::new(
            ID,
            Verdict::Fail,
            format!("{count} running, {} pending", service.pending),
            LIMIT,
            format!("tasks are missing; newest event: {newest}"),
        )
    } else if rollout == "unknown" {
        Gate::unknown(ID, LIMIT, "ECS names no primary deployment")
    } else if rollout != "COMPLETED" {
        Gate::new(
            ID,
            Verdict::Fail,
            format!("{count}, {rollout}"),
            LIMIT,
            "a deployment is being rolled out; wait until it is COMPLETED",
        )
    } else {
        Gate::new(
            ID,
            Verdict::Pass,
            format!("{count} running, rollout completed"),
            LIMIT,
            "the service runs what it wants",
        )
    };
    gate.at(at)
}

pub(super) fn targets(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Targets;
    const LIMIT: &str = "all healthy";
    let (hosts, at) = match fresh(inputs.facts.targets.as_ref(), Source::Targets, inputs) {
        Ok(known) => known,
        Err(why) => return Gate::unknown(ID, LIMIT, why),
    };
    let desired = inputs.facts.service.as_ref().map_or(1, |s| s.value.desired.max(1)) as usize;
    let (healthy, unhealthy) = (hosts.healthy(), hosts.unhealthy());
    let gate = if unhealthy > 0 {
        let why = hosts.hosts.iter().find(|h| h.is_unhealthy()).and_then(|h| h.reason.clone()).unwrap_or_default();
        Gate::new(
            ID,
            Verdict::Fail,
            format!("{healthy} healthy, {unhealthy} unhealthy"),
            LIMIT,
            format!("the ALB finds unhealthy targets ({why}); look at the tasks' logs"),
        )
    } else if healthy < desired {
        Gate::new(
            ID,
            Verdict::Fail,
            format!("{healthy} of {desired} healthy"),
            LIMIT,
            "fewer healthy targets than wanted tasks; wait until the new ones pass their health check",
        )
    } else {
        Gate::new(ID, Verdict::Pass, format!("{healthy} healthy"), LIMIT, "every target answers its health check")
    };
    gate.at(at)
}

/// Whether the new stack is supposed to have traffic; nothing when that is not known.
fn new_has_weight(inputs: Inputs<'_>) -> Option<bool> {
    inputs.facts.shiftable().map(|group| group.weights().new_weight() > 0)
}

/// The start of the window: never before the newest weight change, which would compare another split.
fn window_start(inputs: Inputs<'_>) -> Timestamp {
    inputs.history.and_then(|h| h.moved_at).unwrap_or_default()
}

fn no_traffic_yet(id: GateId, limit: &str, inputs: Inputs<'_>) -> Option<Gate> {
    match new_has_weight(inputs) {
        Some(false) => Some(
            Gate::new(
                id,
                Verdict::Pass,
                "no traffic yet",
                limit,
                "the new stack has no weight, so there is nothing to compare yet",
            )
            .at(inputs.facts.group.as_ref().map_or(inputs.now, |g| g.at)),
        ),
        Some(true) => None,
        None => Some(Gate::unknown(
            id,
            limit,
            "the weights are not known, so it is not known whether the new stack should have traffic",
        )),
    }
}

fn broken(inputs: Inputs<'_>, metrics: &[Metric]) -> Option<String> {
    let (metric, why) = inputs.facts.incomplete.iter().find(|(metric, _)| metrics.contains(metric))?;
    Some(format!("CloudWatch answered {metric:?} with partial data: {why}"))
}

pub(super) fn errors(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Errors;
    let limit = format!("≤ legacy + {} points", short_number(inputs.policy.max_error_excess));
    if let Some(why) = broken(
        inputs,
        &[
            Metric::NewRequests,
            Metric::NewTarget5xx,
            Metric::NewElb5xx,
            Metric::LegacyRequests,
            Metric::LegacyBackend5xx,
            Metric::LegacyElb5xx,
        ],
    ) {
        return Gate::unknown(ID, &limit, why);
    }
    // Errors that the balancer or idle tasks answer without weight are worth knowing too, so a fresh rate decides first.
    let from = window_start(inputs);
    let rate = |side| inputs.facts.metrics.error_rate(side, inputs.policy.window, from, inputs.now);
    if let Some(gate) = no_traffic_yet(ID, &limit, inputs) {
        return gate;
    }
    let Some(new) = rate(Side::New) else {
        let why = inputs.facts.error(Source::MetricsNew).map(|e| format!(": {e}")).unwrap_or_default();
        return Gate::unknown(
            ID,
            &limit,
            format!("no settled minute of requests on the new stack since the last change; wait{why}"),
        );
    };
    if new.requests < inputs.policy.min_requests {
        return Gate::unknown(
            ID,
            &limit,
            format!(
                "not enough data: {} requests in the window, {} needed; wait",
                short_number(new.requests),
                short_number(inputs.policy.min_requests)
            ),
        )
        .at(new.at);
    }
    let Some(legacy) = rate(Side::Legacy).and_then(ErrorRate::percent).or_else(|| legacy_is_done(inputs)) else {
        return Gate::unknown(
            ID,
            &limit,
            "the legacy stack's requests are not known, so there is nothing to compare with",
        )
        .at(new.at);
    };
    let own = new.percent().unwrap_or(100.0);
    let value = format!(
        "{} % vs {} % legacy ({} requests)",
        short_number(own),
        short_number(legacy),
        short_number(new.requests)
    );
    if own > legacy + inputs.policy.max_error_excess {
        let reason = format!(
            "the new stack answers {} % errors, the legacy stack {} %; roll back (R) and look at the release",
            short_number(own),
            short_number(legacy)
        );
        Gate::new(ID, Verdict::Fail, value, &limit, reason).at(new.at)
    } else {
        Gate::new(ID, Verdict::Pass, value, &limit, "no more errors than on the legacy stack").at(new.at)
    }
}

/// At 100 % the legacy stack has nothing left to compare with; its error rate then counts as 0.
fn legacy_is_done(inputs: Inputs<'_>) -> Option<f64> {
    inputs.facts.shiftable().filter(|group| group.weights().legacy() == 0).map(|_| 0.0)
}

fn newest(inputs: Inputs<'_>, metric: Metric) -> Option<Point> {
    let series = inputs.facts.metrics.series(metric);
    if series.freshness(inputs.now) != Freshness::Fresh {
        return None;
    }
    series.last_settled(inputs.now).filter(|p| p.at >= window_start(inputs))
}

pub(super) fn latency(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Latency;
    let limit = format!("≤ {} × legacy p99", short_number(inputs.policy.latency_factor));
    if let Some(why) = broken(inputs, &[Metric::NewLatency, Metric::LegacyLatency]) {
        return Gate::unknown(ID, &limit, why);
    }
    if let Some(gate) = no_traffic_yet(ID, &limit, inputs) {
        return gate;
    }
    let Some(new) = newest(inputs, Metric::NewLatency) else {
        return Gate::unknown(
            ID,
            &limit,
            format!(
                "no settled minute of latency on the new stack since the last change, and none older than {} counts; wait",
                age_text(STALE)
            ),
        );
    };
    let legacy = newest(inputs, Metric::LegacyLatency);
    let ms = |s: f64| format!("{} ms", short_number(s * 1000.0));
    let Some(legacy) = legacy else {
        if legacy_is_done(inputs).is_some() {
            return Gate::new(
                ID,
                Verdict::Pass,
                ms(new.value),
                &limit,
                "the legacy stack has no traffic left to compare with",
            )
            .at(new.at);
        }
        return Gate::unknown(
            ID,
            &limit,
            "the legacy stack's latency is not known, so there is nothing to compare with",
        )
        .at(new.at);
    };
    let allowed = (legacy.value * inputs.policy.latency_factor).max(inputs.policy.latency_floor);
    let value = format!("p99 {} vs {} legacy", ms(new.value), ms(legacy.value));
    if new.value > allowed {
        let reason = format!(
            "the new stack's p99 is {}, allowed are {}; look at CPU and at the way to the database",
            ms(new.value),
            ms(allowed)
        );
        Gate::new(ID, Verdict::Fail, value, &limit, reason).at(new.at)
    } else {
        Gate::new(ID, Verdict::Pass, value, &limit, "not slower than the legacy stack").at(new.at)
    }
}
