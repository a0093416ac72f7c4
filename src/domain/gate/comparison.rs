//! Gates that hold the new stack against the legacy one: errors and latency.
//!
//! Both are compared with the *concurrent* legacy stack, not with the new stack's own past: a control group tells a bad
//! release from a bad night (Google SRE workbook, "Canarying releases").

use crate::domain::facts::Source;
use crate::domain::metrics::Metric;
use crate::domain::reading::{self, ErrorRate, WIDEST, Window};
use crate::domain::traffic::{RecordGroup, Side};
use crate::domain::units::short_number;

use super::{Gate, GateId, Inputs, Policy, Verdict, fresh};

/// The pair, when it is known well enough to decide on.
fn pair(inputs: Inputs<'_>) -> Option<&RecordGroup> {
    fresh(inputs.facts.group.as_ref(), Source::Records, inputs).ok().and_then(|(group, _)| group.as_ref().ok())
}

/// The answer while the new stack has no weight, or while it is not known whether it has any.
fn without_traffic(id: GateId, limit: &str, inputs: Inputs<'_>) -> Option<Gate> {
    match pair(inputs).map(|group| group.weights().new_weight()) {
        Some(0) => {
            let reason = "the new stack has no weight, so there is nothing to compare yet";
            let at = inputs.facts.group.as_ref().map_or(inputs.now, |g| g.at);
            Some(Gate::new(id, Verdict::Pass, "no traffic yet", limit, reason).at(at))
        }
        Some(_) => None,
        None => Some(Gate::unknown(
            id,
            limit,
            "the weights are not known, so it is not known whether the new stack should have traffic",
        )),
    }
}

/// At 100 % the legacy stack has nothing left to compare with.
fn legacy_is_done(inputs: Inputs<'_>) -> bool {
    pair(inputs).is_some_and(|group| group.weights().legacy() == 0)
}

/// That CloudWatch says itself that it has not told all of what is compared.
fn in_part(inputs: Inputs<'_>, metrics: &[Metric]) -> Option<String> {
    let (metric, why) = inputs.facts.incomplete.iter().find(|(metric, _)| metrics.contains(metric))?;
    Some(format!("CloudWatch answered {metric:?} with partial data: {why}"))
}

/// The metrics of the error rates.
const ERRORS: [Metric; 6] = [
    Metric::NewRequests,
    Metric::NewTarget5xx,
    Metric::NewElb5xx,
    Metric::LegacyRequests,
    Metric::LegacyBackend5xx,
    Metric::LegacyElb5xx,
];

/// The minutes that both gates look at: as many as hold enough requests.
fn window(inputs: Inputs<'_>) -> Window {
    let Policy { window, min_requests, .. } = *inputs.policy;
    Window::wide_enough(window, min_requests, inputs.history, inputs.facts, inputs.now)
}

/// Resolvers keep the old answer for a minute, and the next few show how many have the new one.
const TOLD_AFTER: usize = 6;

/// Why so few requests decide nothing, and when there will be enough of them.
fn too_few(rate: ErrorRate, needed: f64) -> Option<String> {
    if rate.requests >= needed {
        return None;
    }
    let per_min = rate.requests / rate.span.max(1) as f64;
    let left = ((needed - rate.requests) / per_min).ceil();
    let when = if rate.span < TOLD_AFTER {
        format!("what it gets a minute is known {TOLD_AFTER} min after the step; wait")
    } else if left + rate.span as f64 <= WIDEST as f64 {
        format!("at this rate enough in about {left} min; wait")
    } else {
        format!(
            "at this rate {WIDEST} min have about {}, so waiting decides nothing: name fewer (`min_requests`), or override \
             it by name",
            short_number(per_min * WIDEST as f64)
        )
    };
    Some(format!(
        "not enough data: {} requests in {} min, {} needed; {when}",
        short_number(rate.requests),
        rate.span,
        short_number(needed)
    ))
}

pub(super) fn errors(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Errors;
    let limit = format!("≤ legacy + {} points", short_number(inputs.policy.max_error_excess));
    if let Some(why) = in_part(inputs, &ERRORS) {
        return Gate::unknown(ID, &limit, why);
    }
    if let Some(gate) = without_traffic(ID, &limit, inputs) {
        return gate;
    }
    let window = window(inputs);
    let of = |side| reading::errors(inputs.facts, side, window, inputs.now);
    let new = of(Side::New);
    let at = new.at;
    let unknown = |why: String| Gate { at, ..Gate::unknown(ID, &limit, why) };
    let Some(&rate) = new.fresh() else { return unknown(new.quality.why().to_owned()) };
    if let Some(why) = too_few(rate, inputs.policy.min_requests) {
        return unknown(why);
    }
    let legacy = of(Side::Legacy);
    let beside = match legacy.fresh().copied().and_then(ErrorRate::percent) {
        Some(percent) => percent,
        None if legacy_is_done(inputs) => 0.0,
        None => {
            let why = legacy.quality.why();
            let why = if why.is_empty() { "it had no request" } else { why };
            return unknown(format!("there is nothing to compare with on the legacy stack: {why}"));
        }
    };
    let own = rate.percent().unwrap_or(100.0);
    let value = format!(
        "{} % vs {} % legacy ({} requests in {} min)",
        short_number(own),
        short_number(beside),
        short_number(rate.requests),
        rate.minutes
    );
    let gate = if own > beside + inputs.policy.max_error_excess {
        let reason = format!(
            "the new stack answers {} % errors, the legacy stack {} %; roll back and look at the release",
            short_number(own),
            short_number(beside)
        );
        Gate::new(ID, Verdict::Fail, value, &limit, reason)
    } else {
        Gate::new(ID, Verdict::Pass, value, &limit, "no more errors than on the legacy stack")
    };
    Gate { at, ..gate }
}

pub(super) fn latency(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Latency;
    let limit = format!("≤ {} × legacy p99", short_number(inputs.policy.latency_factor));
    if let Some(why) = in_part(inputs, &[Metric::NewLatency, Metric::LegacyLatency]) {
        return Gate::unknown(ID, &limit, why);
    }
    if let Some(gate) = without_traffic(ID, &limit, inputs) {
        return gate;
    }
    let window = window(inputs);
    let of = |side| reading::latency(inputs.facts, side, window, inputs.now);
    let (new, legacy) = (of(Side::New), of(Side::Legacy));
    let at = new.at;
    let unknown = |why: String| Gate { at, ..Gate::unknown(ID, &limit, why) };
    let ms = |s: f64| format!("{} ms", short_number(s * 1000.0));
    let Some(&own) = new.fresh() else { return unknown(new.quality.why().to_owned()) };
    // The slowest of a few requests says as little as the share of them that failed.
    let counted = reading::errors(inputs.facts, Side::New, window, inputs.now);
    if let Some(why) =
        counted.value.map_or(Some(counted.quality.why().to_owned()), |rate| too_few(rate, inputs.policy.min_requests))
    {
        return unknown(why);
    }
    let Some(&beside) = legacy.fresh() else {
        if legacy_is_done(inputs) {
            let reason = "the legacy stack has no traffic left to compare with";
            return Gate { at, ..Gate::new(ID, Verdict::Pass, ms(own), &limit, reason) };
        }
        return unknown(format!("there is nothing to compare with on the legacy stack: {}", legacy.quality.why()));
    };
    let allowed = (beside * inputs.policy.latency_factor).max(inputs.policy.latency_floor);
    let value = format!("p99 {} vs {} legacy, {} min", ms(own), ms(beside), window.minutes);
    let gate = if own > allowed {
        let reason = format!(
            "the new stack's p99 is {}, allowed are {}; look at CPU and at the way to the database",
            ms(own),
            ms(allowed)
        );
        Gate::new(ID, Verdict::Fail, value, &limit, reason)
    } else {
        Gate::new(ID, Verdict::Pass, value, &limit, "not slower than the legacy stack")
    };
    Gate { at, ..gate }
}
