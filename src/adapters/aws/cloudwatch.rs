//! CloudWatch: one batched `GetMetricData` per region, and the stack's alarms.
//!
//! A bucket is one minute. What is missing stays missing here: only the domain says when that means 0.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_cloudwatch::types as cw;

use super::errors::{garbled, one_line};
use super::iam::AwsOperation;
use super::{Aws, stamp};
use crate::domain::metrics::{Metric, MetricReadings, Past, TimeRange};
use crate::domain::series::{CAPACITY, MOST, PERIOD, Point, Series};
use crate::domain::service::{Alarm, AlarmState};
use crate::domain::traffic::Side;
use crate::domain::units::Timestamp;
use crate::ports::{ErrorKind, PortError};

/// What the first call reads, so that a chart has a past: all that is kept. A metric costs the same whatever its length.
const FIRST_WINDOW: Duration = PERIOD.saturating_mul(CAPACITY as u32);
/// What later calls read again: CloudWatch still corrects a bucket for up to ten minutes (prometheus/cloudwatch_exporter,
/// issue 396).
const NEXT_WINDOW: Duration = Duration::from_secs(15 * 60);
/// Pages that are followed; two dozen metrics of one hour are far below the 100,800 points of a single page.
const MAX_PAGES: usize = 10;
/// What was counted earlier is waited for so long, which is less than any call may take as a whole.
const PAST_DEADLINE: Duration = Duration::from_secs(4);
/// Names that one `DescribeAlarms` call takes (API reference).
const MAX_NAMES: usize = 100;

/// Where CloudWatch keeps a metric, and which statistic of it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spec {
    namespace: &'static str,
    name: &'static str,
    stat: &'static str,
    dimensions: Vec<(&'static str, String)>,
}

impl Aws {
    pub(super) async fn metrics(&self, side: Side, past: Option<TimeRange>) -> Result<MetricReadings, PortError> {
        match side {
            Side::New => {
                self.built()?;
            }
            Side::Legacy => {
                self.legacy_lb()?;
            }
        }
        let now = self.clock.now();
        let end = now.floor_to(PERIOD);
        let start = end.minus(self.window(side, end));
        let wanted: Vec<Metric> = Metric::of(side).filter(|metric| self.spec(*metric).is_some()).collect();
        let (found, past) =
            tokio::join!(self.metric_data(side, &wanted, TimeRange { from: start, to: end }), self.counted(side, past));
        let found = found?;
        self.last_window(side).store(end.millis(), Ordering::Relaxed);
        Ok(MetricReadings { past, ..found.readings(&wanted) })
    }

    /// The requests that the side's balancer has counted then, by a call of its own: what is watched does not wait for it.
    async fn counted(&self, side: Side, window: Option<TimeRange>) -> Option<Past> {
        let window = window?;
        let metric = Metric::requests(side);
        let operation = AwsOperation::GetMetricData;
        let asked = tokio::time::timeout(PAST_DEADLINE, self.metric_data(side, &[metric], window)).await;
        let late = |_| Err(PortError::new(ErrorKind::TimedOut, operation.action(), "no answer in time"));
        let counts = asked.unwrap_or_else(late).and_then(|found| {
            found.points(metric).map_err(|why| garbled(operation, &format!("requests of {}: {why}", window.from)))
        });
        Some(Past { side, window, counts })
    }

    /// The minutes of these metrics.
    async fn metric_data(&self, side: Side, wanted: &[Metric], window: TimeRange) -> Result<Found, PortError> {
        let operation = AwsOperation::GetMetricData;
        let queries: Vec<cw::MetricDataQuery> =
            wanted.iter().filter_map(|metric| Some(query_of(*metric, self.spec(*metric)?))).collect();
        let mut found = Found::default();
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let answer = self
                .cloudwatch(side)
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(date(window.from))
                .end_time(date(window.to))
                .scan_by(cw::ScanBy::TimestampAscending)
                .set_next_token(token)
                .send()
                .await
                .map_err(|e| self.failed(operation, &e))?;
            let results = answer.metric_data_results.ok_or_else(|| garbled(operation, "an answer without results"))?;
            for result in results {
                found.take(result);
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
        Err(garbled(operation, &format!("more than {MAX_PAGES} pages of metric data")))
    }

    /// How far back to read: all that is kept at first and after a long gap, otherwise only what can still change.
    pub(super) fn window(&self, side: Side, end: Timestamp) -> Duration {
        match self.last_window(side).load(Ordering::Relaxed) {
            0 => FIRST_WINDOW,
            last => (end.since(Timestamp::from_millis(last)) + NEXT_WINDOW).min(FIRST_WINDOW),
        }
    }

    /// Where a metric is found; nothing for what the outputs and settings do not name.
    fn spec(&self, metric: Metric) -> Option<Spec> {
        let (place, name, stat) = published(metric);
        let (namespace, dimensions) = self.place(place)?;
        let dimensions = dimensions.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        Some(Spec { namespace, name, stat, dimensions })
    }

    /// The namespace and the dimensions of what publishes; nothing while it is not known.
    fn place(&self, place: Place) -> Option<(&'static str, Vec<(&'static str, &str)>)> {
        let outputs = || self.known.outputs();
        Some(match place {
            // The instance goes by its identifier, the task by the resource id of its ARN and not by its name.
            Place::Dms => {
                let replication = &outputs()?.replication;
                let instance = ("ReplicationInstanceIdentifier", replication.instance_id.as_str());
                ("AWS/DMS", vec![instance, ("ReplicationTaskIdentifier", replication.task_dimension())])
            }
            Place::Ecs => {
                let service = &outputs()?.service;
                let cluster = ("ClusterName", service.cluster_name.as_str());
                ("AWS/ECS", vec![cluster, ("ServiceName", &service.service_name)])
            }
            Place::Alb => ("AWS/ApplicationELB", vec![("LoadBalancer", outputs()?.balancer.dimension())]),
            Place::TargetGroup => {
                let balancer = &outputs()?.balancer;
                let group = ("TargetGroup", balancer.target_group_dimension());
                ("AWS/ApplicationELB", vec![group, ("LoadBalancer", balancer.dimension())])
            }
            Place::Aurora => {
                let cluster = ("DBClusterIdentifier", outputs()?.database.cluster_id.as_str());
                ("AWS/RDS", vec![cluster, ("Role", "WRITER")])
            }
            Place::Elb => ("AWS/ELB", vec![("LoadBalancerName", self.known.legacy_lb_name()?)]),
            Place::Rds => ("AWS/RDS", vec![("DBInstanceIdentifier", self.legacy_db_instance.as_deref()?)]),
        })
    }

    /// The alarms of the stack that live in the side's region. No names is no question: without names CloudWatch would
    /// answer with every alarm of the account.
    pub(super) async fn alarms(&self, side: Side) -> Result<Vec<Alarm>, PortError> {
        let mut alarms = Vec::new();
        for names in self.built()?.monitoring.alarm_names.chunks(MAX_NAMES) {
            self.named_alarms(side, names, &mut alarms).await?;
        }
        Ok(alarms)
    }

    async fn named_alarms(&self, side: Side, names: &[String], alarms: &mut Vec<Alarm>) -> Result<(), PortError> {
        let operation = AwsOperation::DescribeAlarms;
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let answer = self
                .cloudwatch(side)
                .describe_alarms()
                .set_alarm_names(Some(names.to_vec()))
                .alarm_types(cw::AlarmType::MetricAlarm)
                .alarm_types(cw::AlarmType::CompositeAlarm)
                .set_next_token(token)
                .send()
                .await
                .map_err(|e| self.failed(operation, &e))?;
            if answer.metric_alarms.is_none() && answer.composite_alarms.is_none() {
                return Err(garbled(operation, "an answer without a list of alarms"));
            }
            for alarm in answer.metric_alarms.unwrap_or_default() {
                alarms.push(metric_alarm(side, alarm)?);
            }
            for alarm in answer.composite_alarms.unwrap_or_default() {
                alarms.push(composite_alarm(side, alarm)?);
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
        Err(garbled(operation, &format!("more than {MAX_PAGES} pages of alarms")))
    }
}

/// What publishes a metric.
#[derive(Clone, Copy)]
enum Place {
    Dms,
    Ecs,
    Alb,
    TargetGroup,
    Aurora,
    Elb,
    Rds,
}

/// Under which name a metric is published, by what, and the statistic that is read of it.
const fn published(metric: Metric) -> (Place, &'static str, &'static str) {
    match metric {
        Metric::LagSource => (Place::Dms, "CDCLatencySource", "Maximum"),
        Metric::LagTarget => (Place::Dms, "CDCLatencyTarget", "Maximum"),
        Metric::RowsSource => (Place::Dms, "CDCThroughputRowsSource", "Average"),
        Metric::RowsTarget => (Place::Dms, "CDCThroughputRowsTarget", "Average"),
        Metric::Backlog => (Place::Dms, "CDCIncomingChanges", "Maximum"),
        Metric::ServiceCpu => (Place::Ecs, "CPUUtilization", "Average"),
        Metric::ServiceMemory => (Place::Ecs, "MemoryUtilization", "Average"),
        Metric::NewRequests => (Place::Alb, "RequestCount", "Sum"),
        Metric::NewTarget5xx => (Place::Alb, "HTTPCode_Target_5XX_Count", "Sum"),
        Metric::NewElb5xx => (Place::Alb, "HTTPCode_ELB_5XX_Count", "Sum"),
        Metric::NewLatency => (Place::Alb, "TargetResponseTime", "p99"),
        Metric::NewHealthy => (Place::TargetGroup, "HealthyHostCount", "Minimum"),
        Metric::NewUnhealthy => (Place::TargetGroup, "UnHealthyHostCount", "Maximum"),
        Metric::AuroraCpu => (Place::Aurora, "CPUUtilization", "Average"),
        Metric::AuroraConnections => (Place::Aurora, "DatabaseConnections", "Average"),
        Metric::AuroraReplicaLag => (Place::Aurora, "AuroraReplicaLagMaximum", "Maximum"),
        Metric::LegacyRequests => (Place::Elb, "RequestCount", "Sum"),
        Metric::LegacyBackend5xx => (Place::Elb, "HTTPCode_Backend_5XX", "Sum"),
        Metric::LegacyElb5xx => (Place::Elb, "HTTPCode_ELB_5XX", "Sum"),
        Metric::LegacyLatency => (Place::Elb, "Latency", "p99"),
        Metric::LegacyHealthy => (Place::Elb, "HealthyHostCount", "Minimum"),
        Metric::LegacyUnhealthy => (Place::Elb, "UnHealthyHostCount", "Maximum"),
        Metric::RdsCpu => (Place::Rds, "CPUUtilization", "Average"),
        Metric::RdsConnections => (Place::Rds, "DatabaseConnections", "Average"),
    }
}

fn metric_alarm(side: Side, alarm: cw::MetricAlarm) -> Result<Alarm, PortError> {
    Ok(Alarm {
        name: named(alarm.alarm_name)?,
        side,
        state: state_of(alarm.state_value.as_ref()),
        since: alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp).as_ref().map(stamp),
        reason: one_line(&alarm.state_reason.unwrap_or_default()),
        silenced: disabled(alarm.actions_enabled),
        evaluation: alarm.evaluation_state.map(|state| state.as_str().to_owned()),
    })
}

fn composite_alarm(side: Side, alarm: cw::CompositeAlarm) -> Result<Alarm, PortError> {
    let suppressed = alarm.actions_suppressed_by.map(|by| {
        let why = alarm.actions_suppressed_reason.map(|why| format!(": {why}")).unwrap_or_default();
        one_line(&format!("its actions are suppressed by {}{why}", by.as_str()))
    });
    Ok(Alarm {
        name: named(alarm.alarm_name)?,
        side,
        state: state_of(alarm.state_value.as_ref()),
        since: alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp).as_ref().map(stamp),
        reason: one_line(&alarm.state_reason.unwrap_or_default()),
        silenced: disabled(alarm.actions_enabled).or(suppressed),
        evaluation: None,
    })
}

fn named(name: Option<String>) -> Result<String, PortError> {
    name.ok_or_else(|| garbled(AwsOperation::DescribeAlarms, "an alarm without a name"))
}

fn state_of(state: Option<&cw::StateValue>) -> AlarmState {
    match state {
        Some(cw::StateValue::Ok) => AlarmState::Ok,
        Some(cw::StateValue::Alarm) => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    }
}

/// Why an alarm's actions do not happen.
fn disabled(actions_enabled: Option<bool>) -> Option<String> {
    match actions_enabled {
        Some(true) => None,
        Some(false) => Some("its actions are disabled".to_owned()),
        None => Some("CloudWatch does not say whether its actions are enabled".to_owned()),
    }
}

/// What came back so far, by query id. A series may be spread over pages, and only its last status counts.
#[derive(Default)]
struct Found(BTreeMap<String, (Vec<Point>, Option<String>)>);

impl Found {
    fn take(&mut self, result: cw::MetricDataResult) {
        let (points, trouble) = self.0.entry(result.id.unwrap_or_default()).or_default();
        let times = result.timestamps.unwrap_or_default();
        let values = result.values.unwrap_or_default();
        *trouble = match &result.status_code {
            Some(cw::StatusCode::Complete) if times.len() == values.len() => None,
            Some(cw::StatusCode::Complete) => Some("as many values as instants are missing".to_owned()),
            Some(status) => Some(status.as_str().to_owned()),
            None => Some("no status".to_owned()),
        };
        if let Some(words) = trouble {
            for message in result.messages.unwrap_or_default().into_iter().filter_map(|m| m.value) {
                *words = one_line(&format!("{words}: {message}"));
            }
        }
        if times.len() == values.len() {
            points.extend(times.iter().zip(values).map(|(at, value)| Point { at: stamp(at), value }));
        }
    }

    /// All points of one metric, oldest first.
    fn points(mut self, metric: Metric) -> Result<Vec<Point>, String> {
        match self.0.remove(&id_of(metric)) {
            Some((mut points, None)) => {
                // A count that is left out would read as no requests.
                if let Some(odd) = points.iter().find(|point| !(0.0..=MOST).contains(&point.value)) {
                    return Err(format!("{} is no count", odd.value));
                }
                points.sort_by_key(|point| point.at);
                Ok(points)
            }
            Some((_, Some(trouble))) => Err(trouble),
            None => Err("CloudWatch did not answer for this metric".to_owned()),
        }
    }

    fn readings(mut self, wanted: &[Metric]) -> MetricReadings {
        let mut readings = MetricReadings::default();
        for metric in wanted {
            match self.0.remove(&id_of(*metric)) {
                Some((points, trouble)) => {
                    readings.series.push((*metric, Series::new(points)));
                    readings.incomplete.extend(trouble.map(|words| (*metric, words)));
                }
                None => readings.incomplete.push((*metric, "CloudWatch did not answer for this metric".to_owned())),
            }
        }
        readings
    }
}

/// The query's id: CloudWatch wants a small letter first.
fn id_of(metric: Metric) -> String {
    format!("m{}", metric as usize)
}

fn query_of(metric: Metric, spec: Spec) -> cw::MetricDataQuery {
    let dimensions =
        spec.dimensions.into_iter().map(|(name, value)| cw::Dimension::builder().name(name).value(value).build());
    let what = cw::Metric::builder()
        .namespace(spec.namespace)
        .metric_name(spec.name)
        .set_dimensions(Some(dimensions.collect()))
        .build();
    // No unit: with one that does not match, CloudWatch answers with nothing.
    let stat = cw::MetricStat::builder().metric(what).period(60).stat(spec.stat).build();
    cw::MetricDataQuery::builder().id(id_of(metric)).metric_stat(stat).return_data(true).build()
}

fn date(at: Timestamp) -> aws_smithy_types::DateTime {
    aws_smithy_types::DateTime::from_millis(at.millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these values of a count, under this status.
    fn points(values: &[f64], status: cw::StatusCode) -> Result<Vec<f64>, String> {
        let at = |n: usize| aws_sdk_cloudwatch::primitives::DateTime::from_secs(6_000 - 60 * i64::try_from(n).unwrap());
        let result = cw::MetricDataResult::builder()
            .id(id_of(Metric::NewRequests))
            .set_timestamps(Some((0..values.len()).map(at).collect()))
            .set_values(Some(values.to_vec()))
            .status_code(status)
            .build();
        let mut found = Found::default();
        found.take(result);
        found.points(Metric::NewRequests).map(|points| points.iter().map(|point| point.value).collect())
    }

    #[test]
    fn a_count_that_cannot_be_is_an_error_and_no_minute_that_is_left_out() {
        assert_eq!(points(&[3.0, 0.0, MOST], cw::StatusCode::Complete), Ok(vec![MOST, 0.0, 3.0]), "oldest first");
        for odd in [-1.0, f64::NAN, f64::INFINITY, MOST * 2.0] {
            let why = points(&[3.0, odd], cw::StatusCode::Complete).unwrap_err();
            assert!(why.ends_with("is no count"), "{why}");
        }
        assert_eq!(points(&[3.0], cw::StatusCode::PartialData), Err("PartialData".to_owned()));
        assert!(Found::default().points(Metric::NewRequests).unwrap_err().contains("did not answer"));
    }
}
