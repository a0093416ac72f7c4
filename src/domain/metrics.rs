//! The closed list of CloudWatch metrics that the cockpit watches, each with its place in AWS and its unit.
//!
//! Pure: [`Metric`] says what is wanted; which dimensions that takes is read from the stack outputs by the adapter.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::PortError;
use super::series::{PERIOD, Point, Series, is_settled, settled_until};
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

    /// The metric that counts the requests of one side.
    #[must_use]
    pub const fn requests(side: Side) -> Self {
        match side {
            Side::New => Self::NewRequests,
            Side::Legacy => Self::LegacyRequests,
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
    #[serde(skip)]
    past: BTreeMap<Side, (Past, Timestamp)>,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// Its first minute.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// What a side has counted in a stretch of time; nothing is known of any other minute.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    told: TimeRange,
    minutes: &'a [Point],
}

impl Counted<'_> {
    /// Requests in this minute: none where CloudWatch has no point for it, and nothing where it was not asked for it or may
    /// still change it.
    #[must_use]
    pub fn in_minute(&self, at: Timestamp) -> Option<f64> {
        let is_told = self.told.from <= at && at.plus(PERIOD) <= self.told.to;
        let point = self.minutes.binary_search_by_key(&at, |point| point.at);
        is_told.then(|| point.map_or(0.0, |index| self.minutes[index].value))
    }
}

/// Requests that a side's balancer has counted, minute by minute, in a window that may lie a day back.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// Whose.
    pub side: Side,
    /// When.
    pub window: TimeRange,
    /// The minutes in which there were any, or why nobody knows.
    pub counts: Result<Vec<Point>, PortError>,
}

/// The answer to one batched GetMetricData call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricReadings {
    /// What came back, by metric; a metric without a point is present with an empty series.
    pub series: Vec<(Metric, Series)>,
    /// Metrics that CloudWatch marked `PartialData` or `InternalError`, with its message.
    pub incomplete: Vec<(Metric, String)>,
    /// What was counted earlier, where that was asked for.
    pub past: Option<Past>,
}

impl Metrics {
    /// Takes an answer in that came at `read_at`.
    pub fn absorb(&mut self, readings: &MetricReadings, read_at: Timestamp) {
        for (metric, series) in &readings.series {
            self.series.entry(*metric).or_default().absorb(series, read_at);
        }
        if let Some(past) = &readings.past {
            self.past.insert(past.side, (past.clone(), read_at));
        }
    }

    /// What a side has counted earlier, as far as it no longer changes, or why nobody knows; nothing before it was asked.
    #[must_use]
    pub fn past(&self, side: Side) -> Option<Result<Counted<'_>, &PortError>> {
        let (past, read_at) = self.past.get(&side)?;
        let told = TimeRange { to: past.window.to.min(settled_until(*read_at)), ..past.window };
        Some(past.counts.as_ref().map(|minutes| Counted { told, minutes }))
    }

    /// Whether both sides have told all that they counted in the window.
    #[must_use]
    pub fn has_past(&self, window: TimeRange) -> bool {
        let has = |side| {
            self.past.get(&side).is_some_and(|(past, read_at)| {
                past.counts.is_ok() && past.window == window && is_settled(window.to, *read_at)
            })
        };
        has(Side::New) && has(Side::Legacy)
    }

    /// Drops all points of a metric.
    #[cfg(test)]
    pub fn forget(&mut self, metric: Metric) {
        self.series.remove(&metric);
    }

    /// Makes every minute provisional until it was read again. The points stay: they are dated by AWS.
    pub fn distrust(&mut self) {
        self.series.values_mut().for_each(Series::distrust);
        self.past.clear();
    }

    /// The series of a metric, empty when it was never read.
    #[must_use]
    pub fn series(&self, metric: Metric) -> &Series {
        static EMPTY: Series = Series::EMPTY;
        self.series.get(&metric).unwrap_or(&EMPTY)
    }
}
