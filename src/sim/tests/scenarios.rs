//! What each scenario looks like through the services, which is all that an operator ever sees.

use super::*;

/// The sum of a world's facts that scenarios bend, read from the services.
fn look(sim: &Sim) -> Value {
    let state = sim.state();
    json!({
        "lag": state["replication"]["lag_s"].as_f64().unwrap_or(-1.0) > 60.0,
        "unhealthy": state["service"]["unhealthy_targets"],
        "rollout": state["service"]["rollout"],
        "tables_in_error": state["replication"]["tables_in_error"],
        "new_weight": state["traffic"]["new_weight"],
    })
}

fn after(scenario: Scenario, seconds: u64) -> (Sim, Value) {
    let sim = sim(scenario);
    sim.advance(Duration::from_secs(seconds));
    let seen = look(&sim);
    (sim, seen)
}

fn calm() -> Value {
    json!({"lag": false, "unhealthy": 0, "rollout": "COMPLETED", "tables_in_error": 0, "new_weight": 0})
}

fn with(changes: &Value) -> Value {
    let mut value = calm();
    for (name, change) in changes.as_object().unwrap() {
        value[name] = change.clone();
    }
    value
}

#[test]
fn every_scenario_starts_calm() {
    for scenario in Scenario::ALL.into_iter().filter(|scenario| scenario.script().start == Start::Provisioned) {
        assert_eq!(after(scenario, 0).1, calm(), "{scenario}");
    }
}

#[test]
fn each_bends_what_it_says_and_nothing_else() {
    let cases = [
        (Scenario::Steady, 600, json!({})),
        (Scenario::LagSpike, 180, json!({"lag": true})),
        (Scenario::LagSpike, 1_200, json!({})),
        (Scenario::TaskCrash, 120, json!({"unhealthy": 2})),
        (Scenario::TaskCrash, 1_200, json!({})),
        (Scenario::BadRelease, 200, json!({"rollout": "IN_PROGRESS"})),
        (Scenario::BadRelease, 300, json!({"rollout": "FAILED"})),
        (Scenario::StaleMetrics, 300, json!({})),
        (Scenario::TableError, 120, json!({"tables_in_error": 1})),
        (Scenario::ValidationMismatch, 120, json!({})),
        (Scenario::SecondOperator, 60, json!({"new_weight": 30})),
        (Scenario::Throttled, 120, json!({})),
        (Scenario::ControlPlaneDown, 120, json!({})),
        (Scenario::ExpiredCredentials, 120, json!({})),
    ];
    for (scenario, seconds, changes) in cases {
        assert_eq!(after(scenario, seconds).1, with(&changes), "{scenario} after {seconds} s");
    }
}

fn tables(sim: &Sim) -> Vec<Value> {
    let body = json!({"ReplicationTaskArn": names::DMS_TASK_ARN});
    let (status, body) =
        answer(sim, json_call("dms", "us-west-2", "AmazonDMSv20160101.DescribeTableStatistics", &body));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["TableStatistics"].as_array().unwrap().clone()
}

#[test]
fn a_failed_table_shows_in_the_statistics_while_the_task_runs_on() {
    let (sim, _) = after(Scenario::TableError, 120);
    let failed: Vec<Value> = tables(&sim).into_iter().filter(|table| table["TableState"] == "Table error").collect();
    assert_eq!((failed.len(), &failed[0]["TableName"]), (1, &json!("orders")));
    let (_, tasks) =
        answer(&sim, json_call("dms", "us-west-2", "AmazonDMSv20160101.DescribeReplicationTasks", &json!({})));
    let task = serde_json::from_str::<Value>(&tasks).unwrap()["ReplicationTasks"][0].clone();
    assert_eq!((&task["Status"], &task["ReplicationTaskStats"]["TablesErrored"]), (&json!("running"), &json!(1)));
}

#[test]
fn differing_rows_show_in_the_validation_state() {
    let (sim, _) = after(Scenario::ValidationMismatch, 120);
    let payments = tables(&sim).into_iter().find(|table| table["TableName"] == "payments").unwrap();
    assert_eq!(
        (&payments["ValidationState"], &payments["ValidationFailedRecords"]),
        (&json!("Mismatched records"), &json!(17))
    );
}

/// Age in seconds of the newest lag datapoint, as a client sees it.
fn age_of_newest(sim: &Sim) -> f64 {
    let now = sim.now().as_second();
    let dimension = |name: &str, value: &str| json!({"Name": name, "Value": value});
    let dimensions = [
        dimension("ReplicationInstanceIdentifier", names::DMS_INSTANCE),
        dimension("ReplicationTaskIdentifier", names::DMS_TASK_RESOURCE),
    ];
    let metric = json!({"Namespace": "AWS/DMS", "MetricName": "CDCLatencyTarget", "Dimensions": dimensions});
    let query = json!({"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}});
    let body = json!({"MetricDataQueries": [query], "StartTime": now - 3_600, "EndTime": now});
    let (status, body) =
        answer(sim, json_call("monitoring", "us-west-2", "GraniteServiceVersion20100801.GetMetricData", &body));
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    now as f64 - answer["MetricDataResults"][0]["Timestamps"][0].as_f64().unwrap()
}

#[test]
fn stale_metrics_grow_old_and_recover() {
    let (sim, _) = after(Scenario::StaleMetrics, 0);
    assert!(age_of_newest(&sim) < 180.0);
    sim.advance(Duration::from_secs(600));
    assert!(age_of_newest(&sim) > 600.0);
    assert_eq!(sim.state()["alarms"][0]["state"], json!("INSUFFICIENT_DATA"));
    sim.advance(Duration::from_secs(700));
    assert!(age_of_newest(&sim) < 180.0);
}

#[test]
fn steady_metrics_are_about_two_minutes_late_at_any_second() {
    let sim = sim(Scenario::Steady);
    for _ in 0..60 {
        sim.advance(Duration::from_secs(1));
        assert!((75.0..=135.0).contains(&age_of_newest(&sim)), "{}", age_of_newest(&sim));
    }
}

#[test]
fn throttling_meets_three_services_and_ends() {
    let (sim, _) = after(Scenario::Throttled, 60);
    let dms = || json_call("dms", "us-west-2", "AmazonDMSv20160101.DescribeReplicationTasks", &json!({}));
    let (status, body) = answer(&sim, dms());
    assert!(status == 400 && body.contains("ThrottlingException"), "{body}");
    let (status, body) = answer(&sim, route53("GET", "hostedzone", ""));
    assert!(status == 400 && body.contains("<Code>Throttling</Code>"), "{body}");
    let ecs = json_call("ecs", "us-west-2", "AmazonEC2ContainerServiceV20141113.DescribeClusters", &json!({}));
    assert_eq!(answer(&sim, ecs).0, 200);
    sim.advance(Duration::from_secs(600));
    assert_eq!(answer(&sim, dms()).0, 200);
}

#[test]
fn without_its_control_plane_route_53_hangs_up_and_dns_goes_on() {
    let (sim, _) = after(Scenario::ControlPlaneDown, 60);
    assert!(sim.handle(swap((100, 0), (90, 10))).drop_connection);
    assert_eq!(sim.state()["traffic"]["answered_new_percent"], json!(0.0));
    sim.advance(Duration::from_secs(1_200));
    assert_eq!(answer(&sim, swap((100, 0), (90, 10))).0, 200);
}

#[test]
fn expired_credentials_are_refused_by_every_service_in_its_words() {
    let (sim, _) = after(Scenario::ExpiredCredentials, 60);
    let (status, body) = answer(&sim, route53("GET", "hostedzone", ""));
    assert!(status == 403 && body.contains("<Code>ExpiredToken</Code>"), "{body}");
    let dms = json_call("dms", "us-west-2", "AmazonDMSv20160101.DescribeReplicationTasks", &json!({}));
    let (status, body) = answer(&sim, dms);
    assert!(status == 400 && body.contains("ExpiredTokenException"), "{body}");
}

#[test]
fn a_second_operator_makes_the_first_ones_swap_fail() {
    let (sim, _) = after(Scenario::SecondOperator, 60);
    let (status, body) = answer(&sim, swap((100, 0), (90, 10)));
    assert!(status == 400 && body.contains("do not match the current values"), "{body}");
    assert_eq!(answer(&sim, swap((70, 30), (60, 40))).0, 200);
}
