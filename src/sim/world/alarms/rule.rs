//! What an alarm watches and when it is raised, as the recorded program declares it.

use serde_json::{Map, Value};

use crate::sim::world::metrics::{MINUTE, MetricId, Stat};

/// What a missing datapoint counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Breaching,
    NotBreaching,
    /// The alarm stays in the state that it has.
    Ignore,
    Unknown,
}

impl Missing {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
            Self::Ignore => "ignore",
            Self::Unknown => "missing",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Breaching, Self::NotBreaching, Self::Ignore, Self::Unknown].into_iter().find(|one| one.name() == text)
    }
}

/// On which side of the threshold a value breaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Comparison {
    const ALL: [Self; 4] = [Self::Above, Self::AtLeast, Self::Below, Self::AtMost];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Above => "GreaterThanThreshold",
            Self::AtLeast => "GreaterThanOrEqualToThreshold",
            Self::Below => "LessThanThreshold",
            Self::AtMost => "LessThanOrEqualToThreshold",
        }
    }

    /// As CloudWatch puts it in a reason, before "the threshold".
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Above => "greater than",
            Self::AtLeast => "greater than or equal to",
            Self::Below => "less than",
            Self::AtMost => "less than or equal to",
        }
    }

    pub(crate) fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Above => value > threshold,
            Self::AtLeast => value >= threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }
}

/// An alarm on one metric, as it is declared.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) metric: MetricId,
    /// As AWS spells it, and what it means.
    pub(crate) statistic: (String, Stat),
    /// Seconds.
    pub(crate) period: i64,
    pub(crate) periods: usize,
    pub(crate) needed: usize,
    pub(crate) threshold: f64,
    pub(crate) comparison: Comparison,
    pub(crate) missing: Missing,
    pub(crate) actions_enabled: bool,
    pub(crate) alarm_actions: Vec<String>,
    pub(crate) ok_actions: Vec<String>,
    pub(crate) insufficient_data_actions: Vec<String>,
}

/// What the simulator evaluates, or what changes nothing in when an alarm rings.
const KNOWN: [&str; 19] = [
    "name",
    "alarmDescription",
    "namespace",
    "metricName",
    "dimensions",
    "region",
    "statistic",
    "extendedStatistic",
    "period",
    "evaluationPeriods",
    "datapointsToAlarm",
    "threshold",
    "comparisonOperator",
    "treatMissingData",
    "actionsEnabled",
    "alarmActions",
    "okActions",
    "insufficientDataActions",
    "tags",
];

impl Rule {
    /// Reads the state of one `aws:cloudwatch/metricAlarm:MetricAlarm`.
    ///
    /// # Errors
    /// What the simulator could not evaluate as CloudWatch does; leaving it out would change when the alarm rings.
    pub(crate) fn read(state: &Value) -> Result<Self, String> {
        let nothing = Map::new();
        let inputs = state["inputs"].as_object().unwrap_or(&nothing);
        if let Some(key) = inputs.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(format!("the simulator evaluates no `{key}`"));
        }
        let get = |key: &str| inputs.get(key).unwrap_or(&Value::Null);
        let text = |key: &str| get(key).as_str().map(str::to_owned).ok_or_else(|| format!("`{key}` is no text"));
        let whole = |key: &str| get(key).as_i64().filter(|n| *n > 0).ok_or_else(|| format!("`{key}` is no number"));
        let list = |key: &str| -> Vec<String> {
            get(key).as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let period = whole("period")?;
        if period % MINUTE != 0 {
            return Err(format!("a period of {period} s is no whole minute"));
        }
        let statistic = text("statistic").or_else(|_| text("extendedStatistic"))?;
        let stat = Stat::parse(&statistic).ok_or_else(|| format!("there is no statistic `{statistic}`"))?;
        let periods = usize::try_from(whole("evaluationPeriods")?).map_err(|error| error.to_string())?;
        let needed = get("datapointsToAlarm").as_u64().and_then(|needed| usize::try_from(needed).ok());
        let (comparison, missing) = (text("comparisonOperator")?, text("treatMissingData")?);
        // Where the provider put it: the program names a region only where it is not the stack's own.
        let region = state["outputs"]["region"].as_str().ok_or("no region")?;
        let dimensions = get("dimensions").as_object().unwrap_or(&nothing);
        let dimensions: Vec<(&str, &str)> =
            dimensions.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
        Ok(Self {
            name: text("name")?,
            description: text("alarmDescription").unwrap_or_default(),
            metric: MetricId::new(region, &text("namespace")?, &text("metricName")?, &dimensions),
            statistic: (statistic, stat),
            period,
            periods,
            needed: needed.unwrap_or(periods),
            threshold: get("threshold").as_f64().ok_or("`threshold` is no number")?,
            comparison: Comparison::ALL
                .into_iter()
                .find(|one| one.name() == comparison)
                .ok_or_else(|| format!("there is no comparison `{comparison}`"))?,
            missing: Missing::parse(&missing)
                .ok_or_else(|| format!("missing data cannot be treated as `{missing}`"))?,
            actions_enabled: get("actionsEnabled").as_bool().unwrap_or(true),
            alarm_actions: list("alarmActions"),
            ok_actions: list("okActions"),
            insufficient_data_actions: list("insufficientDataActions"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state() -> Value {
        json!({
            "inputs": {
                "name": "a", "namespace": "N", "metricName": "M", "dimensions": {"D": "1"}, "statistic": "Sum",
                "period": 60, "evaluationPeriods": 3, "datapointsToAlarm": 2, "threshold": 10,
                "comparisonOperator": "GreaterThanThreshold", "treatMissingData": "missing",
            },
            "outputs": {"region": "us-west-2"},
        })
    }

    #[test]
    fn what_cannot_be_evaluated_as_declared_is_refused_by_name() {
        assert_eq!(Rule::read(&state()).map(|rule| (rule.needed, rule.periods)), Ok((2, 3)));
        let cases = [
            ("metricQueries", json!([{}]), "`metricQueries`"),
            ("thresholdMetricId", json!("ad1"), "`thresholdMetricId`"),
            ("period", json!(10), "10 s"),
            ("statistic", json!("tm99"), "`tm99`"),
            ("comparisonOperator", json!("GreaterThanUpperThreshold"), "`GreaterThanUpperThreshold`"),
            ("treatMissingData", json!("zero"), "`zero`"),
            ("evaluationPeriods", json!(0), "`evaluationPeriods`"),
        ];
        for (key, value, word) in cases {
            let mut state = state();
            state["inputs"][key] = value;
            let refused = Rule::read(&state).err();
            assert!(refused.as_ref().is_some_and(|why| why.contains(word)), "{key}: {refused:?}");
        }
    }

    #[test]
    fn each_comparison_knows_the_side_and_the_edge() {
        let breaching = |value| Comparison::ALL.map(|one| one.breaches(value, 10.0));
        assert_eq!(breaching(9.0), [false, false, true, true]);
        assert_eq!(breaching(10.0), [false, true, false, true]);
        assert_eq!(breaching(11.0), [true, true, false, false]);
    }
}
