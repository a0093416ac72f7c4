//! CloudWatch alarms: those of the recorded program, evaluated once a minute from the data that has arrived by then.

mod rule;

use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::json;

use super::metrics::Metrics;
use crate::sim::names as n;
use crate::sim::recorded::RECORDED;
pub(crate) use rule::{Missing, Rule};

const ALARM_TYPE: &str = "aws:cloudwatch/metricAlarm:MetricAlarm";

/// Periods before the newest evaluated one in which a late datapoint is still taken instead of a missing one.
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

/// Every alarm that the recorded program makes.
pub(crate) static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| RECORDED.of_type(ALARM_TYPE).filter_map(|state| Rule::read(state).ok()).collect());

/// The alarms by name, as the program calls them: the resource and the alarm have one name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.name.as_str())
}

/// An alarm and the state that it is in.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(crate) rule: &'static Rule,
    pub(crate) configured: Timestamp,
    pub(crate) state: AlarmState,
    pub(crate) reason: String,
    pub(crate) reason_data: String,
    pub(crate) since: Timestamp,
}

impl Alarm {
    /// An alarm that has not looked at anything yet.
    fn new(rule: &'static Rule, now: Timestamp) -> Self {
        Self {
            rule,
            configured: now,
            state: AlarmState::InsufficientData,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: String::new(),
            since: now,
        }
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:cloudwatch:{}:{}:alarm:{}", self.rule.metric.region, n::ACCOUNT, self.rule.name)
    }

    fn breaches(&self, value: f64) -> bool {
        self.rule.comparison.breaches(value, self.rule.threshold)
    }

    /// Looks at the newest datapoints and changes state if they say so.
    fn evaluate(&mut self, metrics: &Metrics, now: i64) {
        let Rule { periods, period, needed, missing, .. } = *self.rule;
        let wanted = i64::try_from(periods).unwrap_or(1);
        let end = now - now.rem_euclid(period);
        let start = end - (wanted + LOOK_BACK) * period;
        let points = metrics.find(&self.rule.metric);
        let points = points.map(|metric| metrics.read(metric, now, (start, end), period, self.rule.statistic.1));
        let mut points = points.unwrap_or_default();
        points.drain(..points.len().saturating_sub(periods));
        let lacking = periods - points.len();
        let breaching = points.iter().filter(|(_, value)| self.breaches(*value)).count();
        let breaching = breaching + if missing == Missing::Breaching { lacking } else { 0 };
        let state = match missing {
            Missing::Unknown if points.is_empty() => AlarmState::InsufficientData,
            Missing::Ignore if points.is_empty() => self.state,
            _ if breaching >= needed => AlarmState::Alarm,
            _ => AlarmState::Ok,
        };
        if state != self.state {
            self.state = state;
            self.since = Timestamp::from_second(now).unwrap_or(self.since);
            self.reason = self.explain(&points, breaching);
            self.reason_data = self.data(&points);
        }
    }

    fn explain(&self, points: &[(i64, f64)], breaching: usize) -> String {
        let Rule { periods, threshold, needed, comparison, .. } = self.rule;
        if points.is_empty() {
            let treated = match self.rule.missing {
                Missing::Unknown | Missing::Ignore => {
                    return format!("Insufficient Data: {periods} datapoints were unknown.");
                }
                Missing::Breaching => "[Breaching]",
                Missing::NotBreaching => "[NonBreaching]",
            };
            return format!(
                "Threshold Crossed: no datapoints were received for {periods} periods and {periods} missing datapoints were treated as {treated}."
            );
        }
        let list = points
            .iter()
            .rev()
            .map(|(at, value)| format!("{value:.1} ({})", stamp(*at)))
            .collect::<Vec<_>>()
            .join(", ");
        let side = comparison.words();
        if self.state == AlarmState::Alarm {
            let count = points.len();
            format!(
                "Threshold Crossed: {breaching} out of the last {count} datapoints [{list}] were {side} the threshold ({threshold:.1}) (minimum {needed} datapoints for OK -> ALARM transition)."
            )
        } else {
            let calm = points.len() - points.iter().filter(|(_, value)| self.breaches(*value)).count();
            format!(
                "Threshold Crossed: {calm} out of the last {} datapoints [{list}] were not {side} the threshold ({threshold:.1}) (minimum 1 datapoint for ALARM -> OK transition).",
                points.len()
            )
        }
    }

    fn data(&self, points: &[(i64, f64)]) -> String {
        let recent: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
        json!({
            "version": "1.0",
            "queryDate": self.since.to_string(),
            "statistic": self.rule.statistic.0,
            "period": self.rule.period,
            "recentDatapoints": recent,
            "threshold": self.rule.threshold,
        })
        .to_string()
    }
}

fn stamp(second: i64) -> String {
    Timestamp::from_second(second).map(|time| time.strftime("%d/%m/%y %H:%M:%S").to_string()).unwrap_or_default()
}

/// All alarms of the account.
#[derive(Debug)]
pub(crate) struct Alarms(Vec<Alarm>);

impl Alarms {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self(RULES.iter().map(|rule| Alarm::new(rule, now)).collect())
    }

    /// An alarm that was just made knows nothing yet.
    pub(crate) fn create(&mut self, name: &str, now: Timestamp) {
        for alarm in self.0.iter_mut().filter(|alarm| alarm.rule.name == name) {
            *alarm = Alarm::new(alarm.rule, now);
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
    use crate::sim::recorded::tests::whole;

    fn named<'a>(alarms: &'a Alarms, name: &str) -> &'a Alarm {
        alarms.0.iter().find(|alarm| alarm.rule.name == name).unwrap()
    }

    fn lag(values: &[f64], now: i64) -> Alarm {
        let mut alarms = Alarms::new(Timestamp::UNIX_EPOCH);
        let mut metrics = Metrics::default();
        let metric = metrics.register(named(&alarms, "migration-dms-lag-prod").rule.metric.clone(), 0);
        for (minute, value) in (0..).zip(values) {
            metrics.record(metric, minute * 60, *value);
        }
        alarms.evaluate(&metrics, now);
        named(&alarms, "migration-dms-lag-prod").clone()
    }

    #[test]
    fn every_recorded_alarm_is_evaluated_and_no_other() {
        let recorded = whole();
        let declared: Vec<_> =
            recorded.of_type(ALARM_TYPE).map(|state| Rule::read(state).map(|rule| rule.name)).collect();
        let evaluated: Vec<_> = names().map(|name| Ok(name.to_owned())).collect();
        assert_eq!(evaluated, declared);
        assert!(declared.len() > 8, "{declared:?}");
    }

    #[test]
    fn two_minutes_of_three_above_the_limit_raise_the_alarm_and_its_reason_names_them() {
        assert_eq!(lag(&[3.0, 3.0, 80.0], 300).state, AlarmState::Ok);
        let raised = lag(&[80.0, 3.0, 91.0], 320);
        assert_eq!(raised.state, AlarmState::Alarm);
        assert!(
            raised.reason.contains("2 out of the last 3 datapoints [91.0 (01/01/70 00:02:00)"),
            "{}",
            raised.reason
        );
        assert!(raised.reason.contains("were greater than the threshold (60.0)"), "{}", raised.reason);
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
        let states = ["migration-task-count-prod", "migration-alb-5xx-prod", "migration-dms-lag-prod"];
        let states = states.map(|name| named(&alarms, name).state);
        assert_eq!(states, [AlarmState::Alarm, AlarmState::Ok, AlarmState::InsufficientData]);
    }
}
