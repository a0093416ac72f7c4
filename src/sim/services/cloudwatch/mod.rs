//! CloudWatch (rpc-v2-cbor, JSON 1.0 and Query, 2010-08-01): metric data, alarms, and which metrics there are.

mod data;

use serde_json::Value;

use crate::sim::wire::{ApiError, Call, Node, Protocol, json, map};
use crate::sim::world::World;
use crate::sim::world::alarms::Alarm;
use crate::sim::world::metrics::{MetricId, Stat};

pub(crate) const OPERATIONS: &[&str] = &["GetMetricData", "DescribeAlarms", "ListMetrics"];

/// Alarms in a page if nothing else is asked for, and at most.
const ALARMS: (i64, i64) = (50, 100);
const METRICS: usize = 500;

/// Answers a call.
pub(crate) fn handle(call: &Call, world: &World) -> Result<Node, ApiError> {
    match call.operation.as_str() {
        "GetMetricData" => data::get(call, world),
        "DescribeAlarms" => alarms(call, world),
        _ => metrics(call, world),
    }
}

/// An input that breaks a rule of the API.
fn invalid(protocol: Protocol, message: impl Into<String>) -> ApiError {
    ApiError::modelled(protocol, "InvalidParameterValueException", "InvalidParameterValue", message)
}

/// Reads a page token of this service: where the next page starts.
fn offset(call: &Call) -> Result<usize, ApiError> {
    let Some(token) = json::str_of(&call.input, "NextToken").filter(|token| !token.is_empty()) else { return Ok(0) };
    token.strip_prefix("page-").and_then(|offset| offset.parse().ok()).ok_or_else(|| {
        ApiError::modelled(
            call.protocol,
            "InvalidNextToken",
            "InvalidNextToken",
            "The next token specified is invalid.",
        )
    })
}

fn token(offset: usize) -> String {
    format!("page-{offset}")
}

fn alarms(call: &Call, world: &World) -> Result<Node, ApiError> {
    let input = &call.input;
    let names = json::strs_of(input, "AlarmNames");
    let prefix = json::str_of(input, "AlarmNamePrefix");
    if !names.is_empty() && prefix.is_some() {
        return Err(invalid(call.protocol, "AlarmNames and AlarmNamePrefix cannot be given together."));
    }
    let most = json::int_of(input, "MaxRecords").unwrap_or(ALARMS.0);
    if !(1..=ALARMS.1).contains(&most) {
        return Err(invalid(call.protocol, format!("MaxRecords must be between 1 and {}.", ALARMS.1)));
    }
    let state = json::str_of(input, "StateValue");
    let types = json::strs_of(input, "AlarmTypes");
    let from = offset(call)?;
    let metric_alarms = types.is_empty() || types.contains(&"MetricAlarm");
    let matches = |alarm: &&Alarm| {
        metric_alarms
            && alarm.rule.metric.region == call.region
            && (names.is_empty() || names.contains(&alarm.rule.name.as_str()))
            && prefix.is_none_or(|prefix| alarm.rule.name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state.name() == state)
    };
    let mut found: Vec<&Alarm> = world.alarms().filter(matches).collect();
    found.sort_by_key(|alarm| alarm.rule.name.as_str());
    let page = usize::try_from(most).unwrap_or(1);
    let shown = found.iter().skip(from).take(page).map(|alarm| alarm_node(alarm)).collect();
    let mut answer = map([("CompositeAlarms", Node::List(Vec::new())), ("MetricAlarms", Node::List(shown))]);
    let next = from.saturating_add(page);
    answer.push_some("NextToken", (next < found.len()).then(|| token(next)));
    Ok(answer)
}

fn alarm_node(alarm: &Alarm) -> Node {
    let rule = alarm.rule;
    let actions = |list: &'static [String]| Node::list(list.iter().map(String::as_str));
    let (statistic, stat) = &rule.statistic;
    let statistic_key = if matches!(stat, Stat::Percentile(_)) { "ExtendedStatistic" } else { "Statistic" };
    let mut node = map([
        ("AlarmName", rule.name.as_str().into()),
        ("AlarmArn", alarm.arn().into()),
        ("AlarmDescription", rule.description.as_str().into()),
        ("AlarmConfigurationUpdatedTimestamp", alarm.configured.into()),
        ("ActionsEnabled", rule.actions_enabled.into()),
        ("OKActions", actions(&rule.ok_actions)),
        ("AlarmActions", actions(&rule.alarm_actions)),
        ("InsufficientDataActions", actions(&rule.insufficient_data_actions)),
        ("StateValue", alarm.state.name().into()),
        ("StateReason", alarm.reason.as_str().into()),
        ("StateUpdatedTimestamp", alarm.since.into()),
        ("StateTransitionedTimestamp", alarm.since.into()),
        ("MetricName", rule.metric.name.as_str().into()),
        ("Namespace", rule.metric.namespace.as_str().into()),
        (statistic_key, statistic.as_str().into()),
        ("Dimensions", dimensions(&rule.metric)),
        ("Period", rule.period.into()),
        ("EvaluationPeriods", rule.periods.into()),
        ("DatapointsToAlarm", rule.needed.into()),
        ("Threshold", rule.threshold.into()),
        ("ComparisonOperator", rule.comparison.name().into()),
        ("TreatMissingData", rule.missing.name().into()),
    ]);
    if !alarm.reason_data.is_empty() {
        node.push("StateReasonData", alarm.reason_data.as_str());
    }
    node
}

fn dimensions(key: &MetricId) -> Node {
    let pair =
        |(name, value): &(String, String)| map([("Name", name.as_str().into()), ("Value", value.as_str().into())]);
    Node::List(key.dimensions.iter().map(pair).collect())
}

fn metrics(call: &Call, world: &World) -> Result<Node, ApiError> {
    let input = &call.input;
    let (namespace, name) = (json::str_of(input, "Namespace"), json::str_of(input, "MetricName"));
    let wanted = json::list_of(input, "Dimensions");
    let has = |key: &MetricId, filter: &Value| {
        let (name, value) = (json::str_of(filter, "Name"), json::str_of(filter, "Value"));
        key.dimensions.iter().any(|(n, v)| Some(n.as_str()) == name && value.is_none_or(|value| value == v))
    };
    let matches = |key: &&MetricId| {
        key.region == call.region
            && namespace.is_none_or(|namespace| namespace == key.namespace)
            && name.is_none_or(|name| name == key.name)
            && wanted.iter().all(|filter| has(key, filter))
    };
    let found: Vec<&MetricId> = world.metrics.keys().filter(matches).collect();
    let from = offset(call)?;
    let node = |key: &&MetricId| {
        map([
            ("Namespace", key.namespace.as_str().into()),
            ("MetricName", key.name.as_str().into()),
            ("Dimensions", dimensions(key)),
        ])
    };
    let mut answer = map([("Metrics", Node::List(found.iter().skip(from).take(METRICS).map(node).collect()))]);
    let next = from.saturating_add(METRICS);
    answer.push_some("NextToken", (next < found.len()).then(|| token(next)));
    Ok(answer)
}
