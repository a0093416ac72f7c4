//! The closed list of CloudWatch metrics that the cockpit watches, each with its place in AWS and its unit.
//!
//! Pure: [`Metric`] says what is wanted; which dimensions that takes is read from the stack outputs by the adapter.

use std::collections::BTreeMap;

use serde::Serialize;

use super::series::Series;
use super::traffic::Side;
use super::units::Timestamp;

/// A metric of one of the two stacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// DMS `CDCLatencySource`, seconds, maximum: age of the last change read from the source. 0 also when nothing new was read.
    LagSource,
    /// DMS `CDCLatencyTarget`, seconds, maximum: age of the oldest change not yet on the target. Already contains the source lag.
    LagTarget,
    /// DMS `CDCThroughputRowsSource`, rows per second.
    RowsSource,
    /// DMS `CDCThroughputRowsTarget`, rows per second.
    RowsTarget,
    /// DMS `CDCIncomingChanges`, changes that wait to be applied.
    Backlog,
    /// ECS service `CPUUtilization`, percent of what is reserved.
    ServiceCpu,
    /// ECS service `MemoryUtilization`, percent of what is reserved.
    ServiceMemory,
    /// ALB `RequestCount`, requests per minute.
    NewRequests,
    /// ALB `HTTPCode_Target_5XX_Count`, answers per minute made by the tasks; published only when not zero.
    NewTarget5xx,
    /// ALB `HTTPCode_ELB_5XX_Count`, answers per minute made by the balancer; published only when not zero.
    NewElb5xx,
    /// ALB `TargetResponseTime` p99, seconds.
    NewLatency,
    /// ALB target group `HealthyHostCount`, minimum.
    NewHealthy,
    /// ALB target group `UnHealthyHostCount`, maximum.
    NewUnhealthy,
    /// Aurora writer `CPUUtilization`, percent.
    AuroraCpu,
    /// Aurora writer `DatabaseConnections`.
    AuroraConnections,
    /// Aurora `AuroraReplicaLagMaximum`, milliseconds, inside the cluster; says nothing about DMS.
    AuroraReplicaLag,
    /// Classic ELB `RequestCount`, requests per minute.
    LegacyRequests,
    /// Classic ELB `HTTPCode_Backend_5XX`, answers per minute; published only when not zero.
    LegacyBackend5xx,
    /// Classic ELB `HTTPCode_ELB_5XX`, answers per minute; published only when not zero.
    LegacyElb5xx,
    /// Classic ELB `Latency` p99, seconds.
    LegacyLatency,
    /// Classic ELB `HealthyHostCount`, minimum.
    LegacyHealthy,
    /// Classic ELB `UnHealthyHostCount`, maximum.
    LegacyUnhealthy,
    /// RDS instance `CPUUtilization`, percent.
    RdsCpu,
    /// RDS instance `DatabaseConnections`.
    RdsConnections,
}

impl Metric {
    /// Every metric, in the order of the panels.
    pub const ALL: [Self; 24] = [
        Self::LagSource,
        Self::LagTarget,
        Self::RowsSource,
        Self::RowsTarget,
        Self::Backlog,
        Self::ServiceCpu,
        Self::ServiceMemory,
        Self::NewRequests,
        Self::NewTarget5xx,
        Self::NewElb5xx,
        Self::NewLatency,
        Self::NewHealthy,
        Self::NewUnhealthy,
        Self::AuroraCpu,
        Self::AuroraConnections,
        Self::AuroraReplicaLag,
        Self::LegacyRequests,
        Self::LegacyBackend5xx,
        Self::LegacyElb5xx,
        Self::LegacyLatency,
        Self::LegacyHealthy,
        Self::LegacyUnhealthy,
        Self::RdsCpu,
        Self::RdsConnections,
    ];

    /// The stack, and so the region, that publishes it.
    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Self::LegacyRequests
            | Self::LegacyBackend5xx
            | Self::LegacyElb5xx
            | Self::LegacyLatency
            | Self::LegacyHealthy
            | Self::LegacyUnhealthy
            | Self::RdsCpu
            | Self::RdsConnections => Side::Legacy,
            _ => Side::New,
        }
    }

    /// The metrics of one side.
    pub fn of(side: Side) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |metric| metric.side() == side)
    }
}

/// All series that were read, by metric.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Metrics {
    series: BTreeMap<Metric, Series>,
}

/// The answer to one batched GetMetricData call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricReadings {
    /// What came back, by metric; a metric without a point is present with an empty series.
    pub series: Vec<(Metric, Series)>,
    /// Metrics that CloudWatch marked `PartialData` or `InternalError`, with its message.
    pub incomplete: Vec<(Metric, String)>,
}

/// Requests and server errors of one stack over a window of settled buckets.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct ErrorRate {
    /// Requests in the window.
    pub requests: f64,
    /// 5xx answers in the window, those of the balancer and those of the hosts behind it.
    pub errors: f64,
    /// Start of the newest bucket that was counted.
    pub at: Timestamp,
}

impl ErrorRate {
    /// Errors in percent of requests; nothing without requests.
    #[must_use]
    pub fn percent(self) -> Option<f64> {
        (self.requests > 0.0).then(|| self.errors * 100.0 / self.requests)
    }
}

impl Metrics {
    /// Takes new readings in.
    pub fn absorb(&mut self, readings: &MetricReadings) {
        for (metric, series) in &readings.series {
            self.series.entry(*metric).or_default().merge(series.all().collect());
        }
    }

    /// The series of a metric, empty when it was never read.
    #[must_use]
    pub fn series(&self, metric: Metric) -> &Series {
        static EMPTY: Series = Series::EMPTY;
        self.series.get(&metric).unwrap_or(&EMPTY)
    }

    /// Requests and 5xx of a stack over its `buckets` newest settled request buckets that start at or after `from`.
    ///
    /// A missing 5xx bucket counts as 0 where the request bucket exists, because both load balancers publish 5xx only
    /// when it is not zero (ELB user guides, "CloudWatch metrics"). No fresh request bucket gives nothing.
    #[must_use]
    pub fn error_rate(&self, side: Side, buckets: usize, from: Timestamp, now: Timestamp) -> Option<ErrorRate> {
        let (requests, errors) = match side {
            Side::New => (Metric::NewRequests, [Metric::NewTarget5xx, Metric::NewElb5xx]),
            Side::Legacy => (Metric::LegacyRequests, [Metric::LegacyBackend5xx, Metric::LegacyElb5xx]),
        };
        let settled = self.series(requests).settled(now);
        let newest = settled.last().filter(|p| now.since(p.at) <= super::series::STALE && p.at >= from)?;
        let mut rate = ErrorRate { at: newest.at, ..ErrorRate::default() };
        for point in settled.iter().rev().take(buckets).filter(|p| p.at >= from) {
            rate.requests += point.value;
            rate.errors += errors.iter().filter_map(|m| self.series(*m).at(point.at)).sum::<f64>();
        }
        Some(rate)
    }

    /// The share of all requests that reached the new stack in the newest minute that both balancers have settled, in
    /// percent, with the start of that minute. A balancer that was idle publishes nothing, so a minute that only one
    /// of them has counts as 0 for the other; whether the other's metrics were read is known to
    /// [`Facts`](super::facts::Facts::observed_new_percent), which has to be asked.
    #[must_use]
    pub(super) fn observed_new_percent(&self, now: Timestamp) -> Option<(f64, Timestamp)> {
        let (new, legacy) = (self.series(Metric::NewRequests), self.series(Metric::LegacyRequests));
        let at = match (new.last_settled(now), legacy.last_settled(now)) {
            (Some(n), Some(l)) => n.at.max(l.at),
            (Some(p), None) | (None, Some(p)) => p.at,
            (None, None) => return None,
        };
        if now.since(at) > super::series::STALE {
            return None;
        }
        let (n, l) = (new.at(at).unwrap_or(0.0), legacy.at(at).unwrap_or(0.0));
        (n + l > 0.0).then(|| (n * 100.0 / (n + l), at))
    }
}
