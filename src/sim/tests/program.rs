//! The simulator's stack is the bundled program's: what the services tell, beside what the recorded `up` made.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::sim::recorded::tests::whole;
use crate::sim::world::alarms::RULES;

const ALARM: &str = "aws:cloudwatch/metricAlarm:MetricAlarm";

/// Each key of the program's alarm beside CloudWatch's word for it.
const KEYS: [(&str, &str); 16] = [
    ("alarmDescription", "AlarmDescription"),
    ("namespace", "Namespace"),
    ("metricName", "MetricName"),
    ("statistic", "Statistic"),
    ("extendedStatistic", "ExtendedStatistic"),
    ("period", "Period"),
    ("evaluationPeriods", "EvaluationPeriods"),
    ("datapointsToAlarm", "DatapointsToAlarm"),
    ("threshold", "Threshold"),
    ("comparisonOperator", "ComparisonOperator"),
    ("treatMissingData", "TreatMissingData"),
    ("actionsEnabled", "ActionsEnabled"),
    ("alarmActions", "AlarmActions"),
    ("okActions", "OKActions"),
    ("insufficientDataActions", "InsufficientDataActions"),
    ("dimensions", "Dimensions"),
];

/// The alarms of a region, by name, as `DescribeAlarms` tells of them.
fn told(sim: &Sim, region: &str) -> BTreeMap<String, Value> {
    let call = json_call("monitoring", region, "GraniteServiceVersion20100801.DescribeAlarms", &json!({}));
    let body: Value = serde_json::from_str(&answer(sim, call).1).unwrap();
    let alarms = body["MetricAlarms"].as_array().unwrap().iter();
    alarms.map(|alarm| (alarm["AlarmName"].as_str().unwrap().to_owned(), alarm.clone())).collect()
}

/// Numbers by their value, and dimensions as a map, however they are spelt.
fn plain(value: &Value) -> Value {
    if let Some(number) = value.as_f64() {
        return json!(number);
    }
    let pair = |pair: &Value| Some((pair.get("Name")?.as_str()?.to_owned(), pair.get("Value")?.clone()));
    match value.as_array().map(|list| list.iter().map(pair).collect::<Option<BTreeMap<_, _>>>()) {
        Some(Some(map)) if !map.is_empty() => json!(map),
        _ => value.clone(),
    }
}

#[test]
fn every_alarm_is_told_as_the_program_declared_it_key_by_key_and_there_is_no_other() {
    let (sim, recorded) = (sim(Scenario::Steady), whole());
    for region in [names::NEW_REGION, names::LEGACY_REGION] {
        let told = told(&sim, region);
        let made = recorded.of_type(ALARM).filter(|state| state["outputs"]["region"] == region);
        let made: BTreeMap<&str, &Value> =
            made.map(|state| (state["inputs"]["name"].as_str().unwrap(), state)).collect();
        let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) =
            (told.keys().map(String::as_str).collect(), made.keys().copied().collect());
        assert_eq!(ours, theirs, "{region}");
        assert!(!ours.is_empty(), "{region}");
        for (name, state) in made {
            assert_eq!(told[name]["AlarmArn"], state["outputs"]["arn"], "{name}");
            for (key, word) in KEYS {
                assert_eq!(plain(&told[name][word]), plain(&state["inputs"][key]), "{name}: {key}");
            }
        }
    }
}

#[test]
fn the_outputs_name_the_alarms_that_are_there_and_heard() {
    let (sim, outputs) = (sim(Scenario::Steady), sim(Scenario::Steady).outputs());
    let told = [names::NEW_REGION, names::LEGACY_REGION].map(|region| told(&sim, region));
    let all = told.iter().flatten();
    let heard: BTreeSet<&str> =
        all.filter(|(_, alarm)| alarm["ActionsEnabled"] == true).map(|(name, _)| name.as_str()).collect();
    assert!(told.iter().all(|region| region.keys().any(|name| heard.contains(name.as_str()))), "{heard:?}");
    let named: BTreeSet<&str> =
        outputs["alarmNames"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(heard, named);
    assert!(named.contains(outputs["lagAlarmName"].as_str().unwrap()));
}

#[test]
fn every_alarm_watches_a_metric_that_this_world_publishes_dimension_by_dimension() {
    let sim = sim(Scenario::Steady);
    let inner = sim.lock();
    for rule in RULES.iter() {
        assert!(inner.world.metrics.find(&rule.metric).is_some(), "{}: nothing publishes {:?}", rule.name, rule.metric);
    }
}

/// The alarms in `ALARM` after so many seconds of a world in which all traffic has been sent to the new stack at once.
fn ringing(script: Script, seconds: u64) -> BTreeSet<String> {
    let config = SimConfig { start: Some(start()), ..SimConfig::default() };
    let sim = Sim::with_script(config, script);
    assert_eq!(answer(&sim, swap((100, 0), (0, 100))).0, 200);
    sim.advance(Duration::from_secs(seconds));
    let told = told(&sim, names::NEW_REGION).into_iter();
    told.filter(|(_, alarm)| alarm["StateValue"] == "ALARM").map(|(name, _)| name).collect()
}

#[test]
fn the_outage_of_a_leap_to_all_rings_the_alarm_that_it_would_ring_on_aws() {
    let calm = Script::default();
    assert!(ringing(calm, 420).contains("migration-alb-5xx-prod"), "four tasks cannot carry everything");
    let errors = ScriptedEvent::Release { error_rate: 1.0, fails_after_s: None };
    let broken = Script { events: vec![Event::at(1, errors)], ..Script::default() };
    let rings = ringing(broken, 900);
    assert!(rings.contains("migration-target-5xx-prod"), "{rings:?}");
    let ill = ScriptedEvent::TasksFail { tasks: 4, ill_for_s: 600 };
    let ill = Script { events: vec![Event::at(30, ill)], ..Script::default() };
    let rings = ringing(ill, 420);
    assert!(rings.contains("migration-unhealthy-targets-prod"), "{rings:?}");
}
