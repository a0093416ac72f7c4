//! CloudWatch alarms, evaluated once a minute from the data that has arrived by then.

use jiff::Timestamp;
use serde_json::json;

use super::metrics::{MINUTE, MetricId, Metrics, Stat};
use crate::sim::names as n;

/// Minutes before the newest evaluated one in which a late datapoint is still taken instead of a missing one.
const LOOK_BACK: i64 = 4;

/// State of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlarmState {
    Ok,
    Alarm,
    InsufficientData,
}

impl AlarmState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// What a missing datapoint counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Breaching,
    NotBreaching,
    Unknown,
}

impl Missing {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
            Self::Unknown => "missing",
        }
    }
}

/// An alarm on one metric.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) key: MetricId,
    pub(crate) stat: (&'static str, Stat),
    pub(crate) periods: usize,
    pub(crate) needed: usize,
    pub(crate) threshold: f64,
    /// Breaches below the threshold instead of above it.
    pub(crate) below: bool,
    pub(crate) missing: Missing,
    pub(crate) configured: Timestamp,
    pub(crate) state: AlarmState,
    pub(crate) reason: String,
    pub(crate) reason_data: String,
    pub(crate) since: Timestamp,
}

/// When an alarm is raised: so many of the newest minutes on the wrong side of the threshold.
#[derive(Clone, Copy)]
struct Rule {
    stat: &'static str,
    periods: usize,
    needed: usize,
    threshold: f64,
    below: bool,
    missing: Missing,
}

impl Alarm {
    /// An alarm that has not looked at anything yet.
    fn new(name: &'static str, description: &'static str, key: MetricId, rule: &Rule, now: Timestamp) -> Self {
        let Rule { stat, periods, needed, threshold, below, missing } = *rule;
        Self {
            name,
            description,
            key,
            stat: (stat, Stat::parse(stat).unwrap_or(Stat::Average)),
            periods,
            needed,
            threshold,
            below,
            missing,
            configured: now,
            state: AlarmState::InsufficientData,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: String::new(),
            since: now,
        }
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:cloudwatch:{}:{}:alarm:{}", self.key.region, n::ACCOUNT, self.name)
    }

    pub(crate) const fn comparison(&self) -> &'static str {
        if self.below { "LessThanThreshold" } else { "GreaterThanThreshold" }
    }

    fn breaches(&self, value: f64) -> bool {
        if self.below { value < self.threshold } else { value > self.threshold }
    }

    /// Looks at the newest datapoints and changes state if they say so.
    fn evaluate(&mut self, metrics: &Metrics, now: i64) {
        let wanted = i64::try_from(self.periods).unwrap_or(1);
        let end = now - now.rem_euclid(MINUTE);
        let start = end - (wanted + LOOK_BACK) * MINUTE;
        let points = metrics.find(&self.key).map(|metric| metrics.read(metric, now, (start, end), MINUTE, self.stat.1));
        let mut points = points.unwrap_or_default();
        points.drain(..points.len().saturating_sub(self.periods));
        let lacking = self.periods - points.len();
        let breaching = points.iter().filter(|(_, value)| self.breaches(*value)).count();
        let breaching = breaching + if self.missing == Missing::Breaching { lacking } else { 0 };
        let state = if points.is_empty() && self.missing == Missing::Unknown {
            AlarmState::InsufficientData
        } else if breaching >= self.needed {
            AlarmState::Alarm
        } else {
            AlarmState::Ok
        };
        if state != self.state {
            self.state = state;
            self.since = Timestamp::from_second(now).unwrap_or(self.since);
            self.reason = self.explain(&points, breaching);
            self.reason_data = self.data(&points);
        }
    }

    fn explain(&self, points: &[(i64, f64)], breaching: usize) -> String {
        if points.is_empty() {
            let treated = match self.missing {
                Missing::Unknown => return format!("Insufficient Data: {} datapoints were unknown.", self.periods),
                Missing::Breaching => "[Breaching]",
                Missing::NotBreaching => "[NonBreaching]",
            };
            return format!(
                "Threshold Crossed: no datapoints were received for {} periods and {} missing datapoints were treated as {treated}.",
                self.periods, self.periods
            );
        }
        let list = points
            .iter()
            .rev()
            .map(|(at, value)| format!("{value:.1} ({})", stamp(*at)))
            .collect::<Vec<_>>()
            .join(", ");
        let side = if self.below { "less" } else { "greater" };
        let threshold = self.threshold;
        if self.state == AlarmState::Alarm {
            let count = points.len();
            format!(
                "Threshold Crossed: {breaching} out of the last {count} datapoints [{list}] were {side} than the threshold ({threshold:.1}) (minimum {} datapoints for OK -> ALARM transition).",
                self.needed
            )
        } else {
            let calm = points.len() - points.iter().filter(|(_, value)| self.breaches(*value)).count();
            format!(
                "Threshold Crossed: {calm} out of the last {} datapoints [{list}] were not {side} than the threshold ({threshold:.1}) (minimum 1 datapoint for ALARM -> OK transition).",
                points.len()
            )
        }
    }

    fn data(&self, points: &[(i64, f64)]) -> String {
        let recent: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
        json!({
            "version": "1.0",
            "queryDate": self.since.to_string(),
            "statistic": self.stat.0,
            "period": MINUTE,
            "recentDatapoints": recent,
            "threshold": self.threshold,
        })
        .to_string()
    }
}

fn stamp(second: i64) -> String {
    Timestamp::from_second(second).map(|time| time.strftime("%d/%m/%y %H:%M:%S").to_string()).unwrap_or_default()
}

/// Raised by `needed` of `periods` minutes above the threshold.
const fn above(stat: &'static str, (needed, periods): (usize, usize), threshold: f64, missing: Missing) -> Rule {
    Rule { stat, periods, needed, threshold, below: false, missing }
}

/// Raised by `needed` of `periods` minutes below the threshold.
const fn below(stat: &'static str, of: (usize, usize), threshold: f64, missing: Missing) -> Rule {
    Rule { below: true, ..above(stat, of, threshold, missing) }
}

/// A metric of the replication task.
fn dms(name: &str) -> MetricId {
    let task = ("ReplicationTaskIdentifier", n::DMS_TASK_RESOURCE);
    MetricId::new(n::NEW_REGION, "AWS/DMS", name, &[("ReplicationInstanceIdentifier", n::DMS_INSTANCE), task])
}

/// A metric of the new load balancer, or of something behind it.
fn on_balancer(name: &str, more: &[(&str, &str)]) -> MetricId {
    let dimensions = [&[("LoadBalancer", n::ALB_DIMENSION)], more].concat();
    MetricId::new(n::NEW_REGION, "AWS/ApplicationELB", name, &dimensions)
}

/// All alarms of the account.
#[derive(Debug)]
pub(crate) struct Alarms(Vec<Alarm>);

impl Alarms {
    pub(crate) fn new(now: Timestamp) -> Self {
        let alarm = |name, description, key, rule| Alarm::new(name, description, key, &rule, now);
        let hosts = on_balancer("UnHealthyHostCount", &[("TargetGroup", n::TARGET_GROUP_DIMENSION)]);
        let service = [("ClusterName", n::CLUSTER_NAME), ("ServiceName", n::SERVICE_NAME)];
        let cpu = MetricId::new(n::NEW_REGION, "AWS/ECS", "CPUUtilization", &service);
        let name = [("LoadBalancerName", n::LEGACY_LB_NAME)];
        let legacy = MetricId::new(n::LEGACY_REGION, "AWS/ELB", "HTTPCode_Backend_5XX", &name);
        let alb = on_balancer("HTTPCode_Target_5XX_Count", &[]);
        Self(vec![
            alarm(
                n::LAG_ALARM,
                "Changes reach Aurora more than 60 s late",
                dms("CDCLatencyTarget"),
                above("Maximum", (2, 2), 60.0, Missing::Unknown),
            ),
            alarm(
                n::SOURCE_LAG_ALARM,
                "Changes are read from RDS more than 60 s late",
                dms("CDCLatencySource"),
                above("Maximum", (2, 2), 60.0, Missing::Unknown),
            ),
            alarm(
                n::ALB_5XX_ALARM,
                "The new stack answers 5xx",
                alb,
                above("Sum", (2, 3), 10.0, Missing::NotBreaching),
            ),
            alarm(
                n::UNHEALTHY_ALARM,
                "Targets of the new stack are unhealthy",
                hosts,
                above("Minimum", (1, 2), 0.0, Missing::NotBreaching),
            ),
            alarm(
                n::TASKS_ALARM,
                "Fewer than four tasks run",
                cpu,
                below("SampleCount", (3, 3), 4.0, Missing::Breaching),
            ),
            alarm(
                n::LEGACY_5XX_ALARM,
                "The legacy stack answers 5xx",
                legacy,
                above("Sum", (2, 3), 100.0, Missing::NotBreaching),
            ),
        ])
    }

    /// An alarm that was just made knows nothing yet.
    pub(crate) fn create(&mut self, name: &str, now: Timestamp) {
        let fresh = Self::new(now).0.into_iter().find(|alarm| alarm.name == name);
        if let (Some(alarm), Some(fresh)) = (self.0.iter_mut().find(|alarm| alarm.name == name), fresh) {
            *alarm = fresh;
        }
    }

    pub(crate) fn all(&self) -> &[Alarm] {
        &self.0
    }

    /// Evaluates every alarm.
    pub(crate) fn evaluate(&mut self, metrics: &Metrics, now: i64) {
        self.0.iter_mut().for_each(|alarm| alarm.evaluate(metrics, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(values: &[f64], now: i64) -> Alarm {
        let mut alarms = Alarms::new(Timestamp::UNIX_EPOCH);
        let mut metrics = Metrics::default();
        let metric = metrics.register(alarms.0[0].key.clone(), 0);
        for (minute, value) in (0..).zip(values) {
            metrics.record(metric, minute * 60, *value);
        }
        alarms.evaluate(&metrics, now);
        alarms.0[0].clone()
    }

    #[test]
    fn two_minutes_above_the_limit_raise_the_alarm_and_its_reason_names_them() {
        assert_eq!(lag(&[3.0, 3.0, 80.0], 300).state, AlarmState::Ok);
        let raised = lag(&[3.0, 80.0, 91.0], 320);
        assert_eq!(raised.state, AlarmState::Alarm);
        assert!(raised.reason.contains("91.0 (01/01/70 00:02:00)"), "{}", raised.reason);
        assert_eq!(raised.since.as_second(), 320);
    }

    #[test]
    fn data_that_stops_is_insufficient() {
        assert_eq!(lag(&[3.0, 3.0], 2_000).state, AlarmState::InsufficientData);
    }

    #[test]
    fn missing_counts_as_each_alarm_says() {
        let mut alarms = Alarms::new(Timestamp::UNIX_EPOCH);
        alarms.evaluate(&Metrics::default(), 600);
        let states: Vec<_> = alarms.all().iter().map(|alarm| (alarm.name, alarm.state)).collect();
        assert!(states.contains(&(n::TASKS_ALARM, AlarmState::Alarm)));
        assert!(states.contains(&(n::ALB_5XX_ALARM, AlarmState::Ok)));
        assert!(states.contains(&(n::LAG_ALARM, AlarmState::InsufficientData)));
    }
}
