//! What the charts show beside readings: rates minute by minute, and where the limits lie that move with the legacy stack.
//!
//! Pure. The gates decide; these lines only show where they would.

use super::facts::Facts;
use super::gate::Inputs;
use super::metrics::Metric;
use super::reading::{self, ErrorRate, Window};
use super::series::Point;
use super::traffic::Side;

/// The 5xx of a stack in percent of its requests, in each settled minute that had any, oldest first.
#[must_use]
pub fn error_rates(facts: &Facts, side: Side) -> Vec<Point> {
    let errors = match side {
        Side::New => [Metric::NewTarget5xx, Metric::NewElb5xx],
        Side::Legacy => [Metric::LegacyBackend5xx, Metric::LegacyElb5xx],
    };
    let requests = facts.metrics.series(Metric::requests(side)).settled().iter().filter(|point| point.value > 0.0);
    requests
        .map(|point| {
            // Both balancers publish 5xx only where there were any.
            let count: f64 = errors.iter().filter_map(|metric| facts.metrics.series(*metric).at(point.at)).sum();
            Point { at: point.at, value: count * 100.0 / point.value }
        })
        .collect()
}

/// The rate of errors, in percent, above which the new stack would not pass now.
#[must_use]
pub fn error_limit(inputs: Inputs<'_>) -> Option<f64> {
    let legacy = reading::errors(inputs.facts, Side::Legacy, window(inputs), inputs.now);
    let percent = legacy.fresh().copied().and_then(ErrorRate::percent)?;
    Some(percent + inputs.policy.max_error_excess)
}

/// The p99 latency, in seconds, above which the new stack would not pass now.
#[must_use]
pub fn latency_limit(inputs: Inputs<'_>) -> Option<f64> {
    let legacy = reading::latency(inputs.facts, Side::Legacy, window(inputs), inputs.now);
    legacy.fresh().map(|seconds| (seconds * inputs.policy.latency_factor).max(inputs.policy.latency_floor))
}

fn window(inputs: Inputs<'_>) -> Window {
    let policy = inputs.policy;
    Window::wide_enough(policy.window, policy.min_requests, inputs.history, inputs.facts, inputs.now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::fixtures::healthy;
    use crate::domain::gate::{GateId, Policy, Verdict, evaluate};
    use crate::domain::metrics::MetricReadings;
    use crate::domain::record::History;
    use crate::domain::series::{PERIOD, Series};
    use crate::domain::units::Timestamp;
    use crate::domain::zone::Endpoints;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_020_000);

    fn told(facts: &mut Facts, metric: Metric, value: f64) {
        let start = NOW.floor_to(PERIOD);
        let points = (3..12).map(|ago| Point { at: start.minus(PERIOD * ago), value }).collect();
        let readings = MetricReadings { series: vec![(metric, Series::new(points))], incomplete: vec![], past: None };
        facts.metrics.absorb(&readings, NOW);
    }

    /// What a gate says when the new stack is just below, and just above the limit that is drawn.
    #[test]
    fn the_limits_that_are_drawn_are_those_that_the_gates_keep() {
        let (policy, history, endpoints) = (Policy::default(), History::default(), Endpoints::unset());
        let verdict = |facts: &Facts, id: GateId| {
            let inputs = Inputs { facts, history: Some(&history), policy: &policy, endpoints: &endpoints, now: NOW };
            let limits = (error_limit(inputs), latency_limit(inputs));
            (evaluate(inputs).into_iter().find(|gate| gate.id == id).unwrap().verdict, limits)
        };
        let mut facts = healthy(NOW);
        told(&mut facts, Metric::NewRequests, 10_000.0);
        told(&mut facts, Metric::LegacyRequests, 10_000.0);
        told(&mut facts, Metric::LegacyBackend5xx, 100.0);
        told(&mut facts, Metric::LegacyElb5xx, 0.0);
        told(&mut facts, Metric::NewElb5xx, 0.0);
        told(&mut facts, Metric::LegacyLatency, 0.2);
        let (_, (errors, latency)) = verdict(&facts, GateId::Errors);
        let (errors, latency) = (errors.unwrap(), latency.unwrap());
        for (beside, wanted) in [(0.99, Verdict::Pass), (1.01, Verdict::Fail)] {
            told(&mut facts, Metric::NewTarget5xx, errors * beside * 100.0);
            told(&mut facts, Metric::NewLatency, latency * beside);
            assert_eq!(verdict(&facts, GateId::Errors).0, wanted, "{errors} %");
            assert_eq!(verdict(&facts, GateId::Latency).0, wanted, "{latency} s");
        }
        assert_eq!(error_rates(&facts, Side::Legacy).last().map(|p| p.value), Some(1.0));
    }
}
