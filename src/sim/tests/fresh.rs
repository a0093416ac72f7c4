//! The world before provisioning, and how it comes and goes with what a Pulumi run makes.

use super::*;

/// Every resource of the recorded program that the services tell of.
const ALL: [&str; 17] = [
    "migration-legacy-prod",
    "migration-new-prod",
    "migration-alb-prod",
    "migration-tg-prod",
    "migration-cluster-prod",
    "migration-service-prod",
    "migration-aurora-instance-1-prod",
    "migration-db-secret-prod",
    "migration-dms-prod",
    "migration-dms-aurora-target-prod",
    "migration-dms-task-prod",
    "migration-dms-reverse-task-prod",
    "migration-dms-lag-prod",
    "migration-dms-source-lag-prod",
    "migration-alb-5xx-prod",
    "migration-unhealthy-targets-prod",
    "migration-task-count-prod",
];

fn stack(sim: &Sim, names: &[&str]) -> (u16, String) {
    let body = json!({"resources": names}).to_string();
    answer(sim, Request::post("/_sim/stack").body(Bytes::from(body)).unwrap())
}

fn adopted() -> Sim {
    sim(Scenario::UpFails)
}

/// What each service says of the stack's parts: the code of its refusal, or nothing.
fn refusals(sim: &Sim) -> Vec<(&'static str, String)> {
    const DMS: &str = "AmazonDMSv20160101";
    const ECS: &str = "AmazonEC2ContainerServiceV20141113";
    let filter = |name: &str, value: &str| json!({"Filters": [{"Name": name, "Values": [value]}]});
    let json_calls = [
        ("dms", format!("{DMS}.DescribeReplicationTasks"), filter("replication-task-arn", names::DMS_TASK_ARN)),
        (
            "dms",
            format!("{DMS}.DescribeReplicationInstances"),
            filter("replication-instance-arn", names::DMS_INSTANCE_ARN),
        ),
        ("dms", format!("{DMS}.DescribeTableStatistics"), json!({"ReplicationTaskArn": names::DMS_TASK_ARN})),
        (
            "ecs",
            format!("{ECS}.DescribeServices"),
            json!({"cluster": names::CLUSTER_NAME, "services": [names::SERVICE_NAME]}),
        ),
        ("secretsmanager", "secretsmanager.DescribeSecret".to_owned(), json!({"SecretId": names::SECRET_ARN})),
    ];
    let mut found = Vec::new();
    for (service, target, body) in json_calls {
        let (status, body) = answer(sim, json_call(service, "us-west-2", &target, &body));
        let code = serde_json::from_str::<Value>(&body).unwrap()["__type"].as_str().unwrap_or_default().to_owned();
        assert_eq!(status == 200, code.is_empty(), "{target}: {body}");
        found.push((service, code));
    }
    for query in [
        format!("Action=DescribeLoadBalancers&Version=2015-12-01&Names.member.1={}", names::ALB_NAME),
        format!("Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn={}", names::TARGET_GROUP_ARN),
    ] {
        let request = Request::post("/")
            .header("authorization", authorization("elasticloadbalancing", "us-west-2"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(query))
            .unwrap();
        let (status, body) = answer(sim, request);
        let body = if status == 200 { "" } else { &body };
        let code = body.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next()).unwrap_or_default();
        found.push(("elbv2", code.to_owned()));
    }
    found
}

fn alarms(sim: &Sim) -> Vec<String> {
    let state = sim.state();
    state["alarms"].as_array().unwrap().iter().map(|alarm| alarm["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn before_provisioning_every_service_says_that_there_is_nothing() {
    let sim = sim(Scenario::Fresh);
    sim.advance(Duration::from_secs(600));
    let codes: Vec<String> = refusals(&sim).into_iter().map(|(_, code)| code).collect();
    let expected = [
        "ResourceNotFoundFault",
        "ResourceNotFoundFault",
        "ResourceNotFoundFault",
        "ClusterNotFoundException",
        "ResourceNotFoundException",
        "LoadBalancerNotFound",
        "TargetGroupNotFound",
    ];
    assert_eq!(codes, expected);
    let body = json!({"clusters": [names::CLUSTER_NAME]});
    let clusters = json_call("ecs", "us-west-2", "AmazonEC2ContainerServiceV20141113.DescribeClusters", &body);
    assert!(answer(&sim, clusters).1.contains("MISSING"));
    assert_eq!(alarms(&sim), Vec::<String>::new());
    let metrics = json_call("monitoring", "us-west-2", "GraniteServiceVersion20100801.ListMetrics", &json!({}));
    assert!(answer(&sim, metrics).1.contains("\"Metrics\":[]"));
}

#[test]
fn before_provisioning_the_legacy_stack_lives_and_its_name_is_one_simple_record() {
    let sim = sim(Scenario::Fresh);
    sim.advance(Duration::from_secs(600));
    let state = sim.state();
    assert_eq!((&state["stack"], &state["replication"], &state["service"]), (&json!([]), &Value::Null, &Value::Null));
    let traffic = &state["traffic"];
    assert!(traffic["requests_per_s"].as_f64().unwrap() > 300.0);
    assert_eq!((&traffic["record"], &traffic["observed_new_percent"]), (&json!("simple"), &json!(0.0)));
    assert_eq!((&traffic["legacy_weight"], &traffic["new_weight"]), (&Value::Null, &Value::Null));
    let (_, zone) = answer(&sim, route53("GET", &format!("hostedzone/{}/rrset", names::ZONE_ID), ""));
    let of_the_name: Vec<&str> =
        zone.split("<ResourceRecordSet>").filter(|set| set.contains("<Name>app.example.com.</Name>")).collect();
    assert!(of_the_name.len() == 1 && !of_the_name[0].contains("SetIdentifier"), "{of_the_name:?}");
    let metrics = json_call("monitoring", "us-east-1", "GraniteServiceVersion20100801.ListMetrics", &json!({}));
    assert!(answer(&sim, metrics).1.contains("RequestCount"));
}

#[test]
fn beside_a_simple_record_no_weighted_one_can_be_made() {
    let sim = sim(Scenario::Fresh);
    let (status, body) = stack(&sim, &ALL);
    assert!(status == 400 && body.contains("a non-weighted set exists"), "{body}");
    assert_eq!(sim.state()["stack"], json!([]));
    assert_eq!(stack(&sim, &ALL[2..]).0, 200, "all but the records");
}

#[test]
fn what_a_run_makes_comes_to_life_and_can_be_shifted_to() {
    let sim = adopted();
    assert_eq!(sim.state()["traffic"]["legacy_weight"], json!(100));
    assert_eq!(stack(&sim, &ALL).0, 200);
    let traffic = sim.state()["traffic"].clone();
    assert_eq!((&traffic["legacy_weight"], &traffic["new_weight"]), (&json!(100), &json!(0)));
    assert!(refusals(&sim).iter().all(|(_, code)| code.is_empty()), "{:?}", refusals(&sim));
    assert_eq!(alarms(&sim).len(), 5);
    sim.advance(Duration::from_secs(20));
    let state = sim.state();
    assert_eq!((&state["service"]["pending"], &state["service"]["healthy_targets"]), (&json!(4), &json!(0)));
    sim.advance(Duration::from_secs(100));
    let state = sim.state();
    assert_eq!((&state["service"]["healthy_targets"], &state["service"]["rollout"]), (&json!(4), &json!("COMPLETED")));
    assert!(state["replication"]["lag_s"].is_null(), "the full load still runs");
    sim.advance(Duration::from_secs(310));
    let lag = sim.state()["replication"]["lag_s"].as_f64().unwrap();
    assert!(lag > 30.0, "what was cached during the load takes its time: {lag}");
    sim.advance(Duration::from_secs(600));
    let state = sim.state();
    assert!(state["replication"]["lag_s"].as_f64().unwrap() < 8.0);
    let tables = state["replication"]["tables"].as_array().unwrap();
    assert!(tables.iter().all(|table| table["validation"] == "Validated"));
    let calm = |alarm: &Value| alarm["state"] == "OK";
    assert!(state["alarms"].as_array().unwrap().iter().all(calm), "{}", state["alarms"]);
    assert_eq!(answer(&sim, swap((100, 0), (90, 10))).0, 200);
    sim.advance(Duration::from_secs(600));
    assert!(sim.state()["traffic"]["observed_new_percent"].as_f64().unwrap() > 6.0);
}

#[test]
fn of_a_run_that_failed_in_the_middle_only_what_was_made_exists() {
    let sim = adopted();
    assert_eq!(stack(&sim, &["migration-cluster-prod", "migration-tg-prod", "migration-legacy-prod"]).0, 200);
    let found = refusals(&sim);
    assert_eq!(found[0].1, "ResourceNotFoundFault");
    assert_eq!(found[3].1, "", "the cluster is there, its service is a failure in the answer");
    assert_eq!((found[5].1.as_str(), found[6].1.as_str()), ("LoadBalancerNotFound", ""));
    assert_eq!(sim.state()["traffic"]["new_weight"], Value::Null);
    assert_eq!(sim.state()["stack"], json!(["legacy-record", "target-group", "cluster"]));
}

#[test]
fn destroying_takes_all_of_it_away_and_leaves_a_simple_record() {
    let sim = sim(Scenario::Steady);
    let alias = |action: &str, set: &str, target: &str, zone: &str| {
        format!(
            "<Change><Action>{action}</Action><ResourceRecordSet><Name>{}</Name><Type>A</Type>{set}<AliasTarget>\
             <HostedZoneId>{zone}</HostedZoneId><DNSName>{target}</DNSName><EvaluateTargetHealth>true\
             </EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change>",
            names::RECORD_NAME
        )
    };
    let weighted = |set: &str, weight: u8| format!("<SetIdentifier>{set}</SetIdentifier><Weight>{weight}</Weight>");
    let legacy = format!("dualstack.{}.", names::LEGACY_LB_DNS);
    let changes = [
        alias("DELETE", &weighted(names::LEGACY_SET, 100), &legacy, names::LEGACY_LB_ZONE),
        alias("DELETE", &weighted(names::NEW_SET, 0), names::ALB_DNS, names::ALB_ZONE),
        alias("CREATE", "", &legacy, names::LEGACY_LB_ZONE),
    ]
    .concat();
    let batch = format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"{}\"><ChangeBatch><Changes>{changes}</Changes></ChangeBatch>\
         </ChangeResourceRecordSetsRequest>",
        wire::ROUTE53_NAMESPACE
    );
    let path = format!("hostedzone/{}/rrset", names::ZONE_ID);
    let (status, body) = answer(&sim, route53("POST", &path, &batch));
    assert_eq!(status, 200, "{body}");
    sim.advance(Duration::from_secs(120));
    assert_eq!(stack(&sim, &[]).0, 200);
    sim.advance(Duration::from_secs(60));
    let state = sim.state();
    assert_eq!((&state["stack"], &state["traffic"]["record"]), (&json!([]), &json!("simple")));
    assert!(refusals(&sim).iter().all(|(_, code)| !code.is_empty()));
    assert_eq!(alarms(&sim), Vec::<String>::new());
}

#[test]
fn destroying_the_weighted_pair_takes_the_pair() {
    let sim = sim(Scenario::Steady);
    assert_eq!(stack(&sim, &[]).0, 200);
    assert_eq!(sim.state()["traffic"]["record"], json!("absent"));
    assert_eq!(sim.state()["traffic"]["changes"][0]["comment"], json!("Managed by Terraform"));
}

#[test]
fn the_same_reports_in_the_same_night_give_the_same_world() {
    let night = || {
        let sim = adopted();
        for count in [3, 9, ALL.len()] {
            sim.advance(Duration::from_secs(40));
            assert_eq!(stack(&sim, &ALL[..count]).0, 200);
        }
        sim.advance(Duration::from_secs(900));
        sim.state()
    };
    assert_eq!(night(), night());
}

#[test]
fn a_report_that_makes_no_sense_is_refused() {
    let sim = adopted();
    for body in ["", "[]", "{}", "{\"resources\":[1]}", "{\"resources\":[],\"more\":1}"] {
        let request = Request::post("/_sim/stack").body(Bytes::from(body)).unwrap();
        assert_eq!(answer(&sim, request).0, 400, "{body}");
    }
}
