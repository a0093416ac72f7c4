//! `GetMetricData`: many metrics in one call, newest first unless asked otherwise.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::{invalid, offset, token};
use crate::sim::wire::{ApiError, Call, Node, Protocol, json, map};
use crate::sim::world::World;
use crate::sim::world::metrics::{MINUTE, MetricId, Stat};

/// Queries in one call, and datapoints in one answer.
const MAX_QUERIES: usize = 500;
const MAX_POINTS: i64 = 100_800;

/// One validated query.
struct Query<'a> {
    id: &'a str,
    label: &'a str,
    returned: bool,
    key: MetricId,
    period: i64,
    stat: Stat,
}

fn broken(protocol: Protocol, message: impl Into<String>) -> ApiError {
    ApiError::modelled(protocol, "ValidationError", "ValidationError", message)
}

/// Answers a call.
pub(super) fn get(call: &Call, world: &World) -> Result<Node, ApiError> {
    let input = &call.input;
    let (from, to) = range(call)?;
    let oldest_first = match json::str_of(input, "ScanBy") {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => {
            return Err(broken(
                call.protocol,
                format!(
                    "Value '{other}' at 'scanBy' failed to satisfy constraint: Member must satisfy enum value set: [TimestampDescending, TimestampAscending]"
                ),
            ));
        }
    };
    let most = json::int_of(input, "MaxDatapoints").unwrap_or(MAX_POINTS);
    if !(1..=MAX_POINTS).contains(&most) {
        return Err(invalid(call.protocol, format!("The parameter MaxDatapoints must be between 1 and {MAX_POINTS}.")));
    }
    let queries = queries(call)?;
    let skip = offset(call)?;
    let page = skip.saturating_add(usize::try_from(most).unwrap_or(1));
    let mut results = Vec::new();
    let mut seen = 0usize;
    for query in queries.iter().filter(|query| query.returned) {
        let points = world.metrics.find(&query.key);
        let points =
            points.map(|metric| world.metrics.read(metric, world.second(), (from, to), query.period, query.stat));
        let mut points = points.unwrap_or_default();
        if !oldest_first {
            points.reverse();
        }
        let (start, end) = (seen, seen + points.len());
        seen = end;
        let (low, high) = (skip.clamp(start, end), page.clamp(start, end));
        if low == high && !(points.is_empty() && skip == 0) {
            continue;
        }
        let shown = &points[low - start..high - start];
        results.push(map([
            ("Id", query.id.into()),
            ("Label", query.label.into()),
            (
                "Timestamps",
                Node::list(shown.iter().map(|(second, _)| Timestamp::from_second(*second).unwrap_or_default())),
            ),
            ("Values", Node::list(shown.iter().map(|(_, value)| *value))),
            ("StatusCode", if high == end { "Complete" } else { "PartialData" }.into()),
        ]));
    }
    let mut answer = map([("MetricDataResults", Node::List(results)), ("Messages", Node::List(Vec::new()))]);
    answer.push_some("NextToken", (page < seen).then(|| token(page)));
    Ok(answer)
}

/// Start and end, the start rounded down to its minute as AWS does for recent data.
fn range(call: &Call) -> Result<(i64, i64), ApiError> {
    let time = |name: &str| {
        let time = json::time_of(&call.input, name);
        time.ok_or_else(|| {
            ApiError::modelled(
                call.protocol,
                "MissingRequiredParameterException",
                "MissingParameter",
                format!("The parameter {name} is required."),
            )
        })
    };
    // An instant beyond what a calendar holds is as good as its last second.
    let second = |time: f64| time.clamp(-9.0e9, 2.5e11) as i64;
    let (start, end) = (time("StartTime")?, time("EndTime")?);
    if start >= end {
        return Err(broken(call.protocol, "The parameter StartTime must be less than the parameter EndTime."));
    }
    let start = second(start);
    Ok((start - start.rem_euclid(MINUTE), second(end)))
}

fn queries(call: &Call) -> Result<Vec<Query<'_>>, ApiError> {
    let list = json::list_of(&call.input, "MetricDataQueries");
    let refuse = |message: String| Err(broken(call.protocol, message));
    if list.is_empty() {
        return refuse("The parameter MetricDataQueries is required.".to_owned());
    }
    if list.len() > MAX_QUERIES {
        return refuse(format!("The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."));
    }
    let queries = list.iter().map(|value| query(call, value)).collect::<Result<Vec<_>, _>>()?;
    let ids: BTreeSet<&str> = queries.iter().map(|query| query.id).collect();
    if ids.len() < queries.len() {
        return refuse("The values for parameter id in MetricDataQueries are not unique.".to_owned());
    }
    if queries.iter().all(|query| !query.returned) {
        return refuse("At least one element in MetricDataQueries must have ReturnData set to true.".to_owned());
    }
    Ok(queries)
}

fn query<'a>(call: &Call, value: &'a Value) -> Result<Query<'a>, ApiError> {
    let refuse = |message: String| broken(call.protocol, message);
    let id = json::str_of(value, "Id").unwrap_or_default();
    let mut characters = id.chars();
    let well_formed = characters.next().is_some_and(|first| first.is_ascii_lowercase())
        && characters.all(|next| next.is_ascii_alphanumeric() || next == '_');
    if !well_formed {
        return Err(refuse(format!(
            "The value {id} for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )));
    }
    let (stat, expression) =
        (value.get("MetricStat").filter(|stat| stat.is_object()), json::str_of(value, "Expression"));
    let stat = match (stat, expression) {
        (Some(stat), None) => stat,
        (None, Some(expression)) => {
            return Err(refuse(format!(
                "Error in expression '{id}' [{expression}]: the simulator evaluates no metric math"
            )));
        }
        _ => return Err(refuse(format!("Exactly one of MetricStat and Expression must be given for {id}."))),
    };
    let metric = stat.get("Metric").unwrap_or(&Value::Null);
    let (namespace, name) = (json::str_of(metric, "Namespace"), json::str_of(metric, "MetricName"));
    let (Some(namespace), Some(name)) = (namespace, name) else {
        return Err(refuse(format!("Namespace and MetricName are required for {id}.")));
    };
    let dimensions: Vec<(&str, &str)> = json::list_of(metric, "Dimensions")
        .iter()
        .filter_map(|dimension| Some((json::str_of(dimension, "Name")?, json::str_of(dimension, "Value")?)))
        .collect();
    let period = json::int_of(stat, "Period").unwrap_or(0);
    if !matches!(period, 1 | 5 | 10 | 30) && (period < MINUTE || period % MINUTE != 0 || period > 86_400) {
        return Err(refuse(format!("Invalid period {period} for {id}: it must be 1, 5, 10, 30 or a multiple of 60.")));
    }
    let text = json::str_of(stat, "Stat").unwrap_or_default();
    let parsed =
        Stat::parse(text).ok_or_else(|| refuse(format!("The value {text} for parameter Stat is not supported.")))?;
    Ok(Query {
        id,
        label: json::str_of(value, "Label").unwrap_or(name),
        returned: json::bool_of(value, "ReturnData").unwrap_or(true),
        key: MetricId::new(&call.region, namespace, name, &dimensions),
        period,
        stat: parsed,
    })
}
