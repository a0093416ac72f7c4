//! Gates that hold the new stack against the legacy one: errors and latency.
//!
//! Both are compared with the *concurrent* legacy stack, not with the new stack's own past: a control group tells a bad
//! release from a bad night (Google SRE workbook, "Canarying releases").

use crate::domain::facts::Source;
use crate::domain::metrics::{ErrorRate, Metric};
use crate::domain::series::{Freshness, Point, STALE};
use crate::domain::traffic::Side;
use crate::domain::units::{Timestamp, age_text, short_number};

use super::{Gate, GateId, Inputs, Verdict};

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
