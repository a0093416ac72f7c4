//! One metric of CloudWatch's.

use std::time::Duration;

use crate::domain::facts::{Facts, Source};
use crate::domain::metrics::Metric;
use crate::domain::series::{Freshness, STALE};
use crate::domain::traffic::Side;
use crate::domain::units::{Timestamp, age_text, short_number};

use super::{Quality, Reading, Unit, cause, not_known};

/// This host's clock may differ from AWS's by so much before the age of a minute is no longer believed.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(30);

/// The newest settled minute of a metric; the newest provisional one where none is settled.
#[must_use]
pub fn metric(facts: &Facts, metric: Metric, now: Timestamp) -> Reading<f64> {
    let series = facts.metrics.series(metric);
    let point = series.last_settled().or_else(|| series.last());
    Reading {
        value: point.map(|p| p.value),
        unit: unit(metric),
        at: point.map(|p| p.at),
        read_at: series.read_at(),
        quality: quality(facts, metric, now),
        source: source(metric),
    }
}

/// The source that a metric comes from.
pub(super) const fn source(metric: Metric) -> Source {
    match metric.side() {
        Side::New => Source::MetricsNew,
        Side::Legacy => Source::MetricsLegacy,
    }
}

/// How far the newest settled minute of a metric can be trusted.
pub(super) fn quality(facts: &Facts, metric: Metric, now: Timestamp) -> Quality {
    let source = source(metric);
    let name = name(metric);
    if let Some(why) = doubt(facts, metric, now) {
        return why;
    }
    let series = facts.metrics.series(metric);
    if let Some(broken) = series.broken() {
        return Quality::Unknown(format!(
            "CloudWatch gave {} for the {name} at {} UTC, which cannot be",
            short_number_or_word(broken.value),
            broken.at.hm()
        ));
    }
    let Some(point) = series.last_settled() else {
        return match (series.freshness(now), not_known(facts, source)) {
            (_, Some(why)) => Quality::Unknown(why),
            (Freshness::Provisional, _) => {
                Quality::Partial(format!("only a provisional point of the {name} so far; wait a minute"))
            }
            _ => Quality::Unknown(format!("CloudWatch has no {name}; are the names and ids in the outputs right?")),
        };
    };
    let age = now.since(point.at);
    if age > STALE {
        let why = cause(facts, source);
        let (age, limit) = (age_text(age), age_text(STALE));
        return Quality::Stale(format!("newest point of the {name} is {age} old, limit {limit}{why}"));
    }
    Quality::Fresh
}

/// Why nothing that CloudWatch says of a metric can be decided on, whatever it says.
pub(super) fn doubt(facts: &Facts, metric: Metric, now: Timestamp) -> Option<Quality> {
    if let Some(why) = facts.forgotten(source(metric)) {
        return Some(Quality::Unknown(why));
    }
    if let Some(skew) = facts.clock_skew_ms.filter(|ms| ms.unsigned_abs() > MAX_CLOCK_SKEW.as_millis() as u64) {
        return Some(Quality::Unknown(format!(
            "this host's clock is {} s off AWS's, so ages cannot be trusted; set the clock (chronyc makestep) and start again",
            skew / 1000
        )));
    }
    if let Some((_, why)) = facts.incomplete.iter().find(|(incomplete, _)| *incomplete == metric) {
        return Some(Quality::Partial(format!("CloudWatch answered the {} with partial data: {why}", name(metric))));
    }
    let future = facts.metrics.series(metric).last().filter(|p| p.at > now)?;
    Some(Quality::Unknown(format!(
        "the newest minute of the {} starts at {} UTC, which is in the future",
        name(metric),
        future.at.hm()
    )))
}

fn short_number_or_word(value: f64) -> String {
    if value.is_finite() { short_number(value) } else { value.to_string() }
}

const fn unit(metric: Metric) -> Unit {
    match metric {
        Metric::LagSource | Metric::LagTarget | Metric::NewLatency | Metric::LegacyLatency => Unit::Seconds,
        Metric::RowsSource | Metric::RowsTarget => Unit::PerSecond,
        Metric::ServiceCpu | Metric::ServiceMemory | Metric::AuroraCpu | Metric::RdsCpu => Unit::Percent,
        Metric::NewRequests
        | Metric::NewTarget5xx
        | Metric::NewElb5xx
        | Metric::LegacyRequests
        | Metric::LegacyBackend5xx
        | Metric::LegacyElb5xx => Unit::PerMinute,
        Metric::AuroraReplicaLag => Unit::Milliseconds,
        Metric::Backlog
        | Metric::NewHealthy
        | Metric::NewUnhealthy
        | Metric::LegacyHealthy
        | Metric::LegacyUnhealthy
        | Metric::AuroraConnections
        | Metric::RdsConnections => Unit::Count,
    }
}

/// What a metric is called in a sentence.
pub(super) const fn name(metric: Metric) -> &'static str {
    match metric {
        Metric::LagSource => "source latency",
        Metric::LagTarget => "lag",
        Metric::RowsSource => "rows read",
        Metric::RowsTarget => "rows applied",
        Metric::Backlog => "backlog",
        Metric::ServiceCpu => "task CPU",
        Metric::ServiceMemory => "task memory",
        Metric::NewRequests => "requests on the new stack",
        Metric::NewTarget5xx | Metric::NewElb5xx => "errors on the new stack",
        Metric::NewLatency => "latency on the new stack",
        Metric::NewHealthy => "healthy targets",
        Metric::NewUnhealthy => "unhealthy targets",
        Metric::AuroraCpu => "Aurora's CPU",
        Metric::AuroraConnections => "Aurora's connections",
        Metric::AuroraReplicaLag => "lag inside Aurora",
        Metric::LegacyRequests => "requests on the legacy stack",
        Metric::LegacyBackend5xx | Metric::LegacyElb5xx => "errors on the legacy stack",
        Metric::LegacyLatency => "latency on the legacy stack",
        Metric::LegacyHealthy => "healthy legacy instances",
        Metric::LegacyUnhealthy => "unhealthy legacy instances",
        Metric::RdsCpu => "RDS's CPU",
        Metric::RdsConnections => "RDS's connections",
    }
}
