//! The official Rust clients as judges: every operation they share with the simulator, over a real socket.

use aws_credential_types::Credentials;
use aws_sdk_route53::error::ProvideErrorMetadata;
use aws_sdk_route53::types as dns;
use aws_smithy_types::DateTime;
use aws_smithy_types::retry::RetryConfig;

use super::*;

/// A client of one of the SDK's crates, which are alike but share no trait.
macro_rules! client {
    ($sdk:ident, $region:expr, $endpoint:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version($sdk::config::BehaviorVersion::latest())
                .region($sdk::config::Region::new($region))
                .endpoint_url($endpoint)
                .credentials_provider(Credentials::for_tests())
                .retry_config(RetryConfig::disabled())
                .build(),
        )
    };
}

async fn serve(sim: &Sim) -> String {
    let server = Server::bind(sim.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let endpoint = server.endpoint();
    tokio::spawn(server.serve(std::future::pending()));
    endpoint
}

fn record(set: &str, weight: i64) -> dns::ResourceRecordSet {
    let (zone, name) = match set {
        names::LEGACY_SET => (names::LEGACY_LB_ZONE, format!("dualstack.{}.", names::LEGACY_LB_DNS)),
        _ => (names::ALB_ZONE, format!("{}.", names::ALB_DNS)),
    };
    let alias =
        dns::AliasTarget::builder().hosted_zone_id(zone).dns_name(name).evaluate_target_health(true).build().unwrap();
    dns::ResourceRecordSet::builder()
        .name(names::RECORD_NAME)
        .r#type(dns::RrType::A)
        .set_identifier(set)
        .weight(weight)
        .alias_target(alias)
        .build()
        .unwrap()
}

fn batch(seen: (i64, i64), wanted: (i64, i64)) -> dns::ChangeBatch {
    let change = |action, set| dns::Change::builder().action(action).resource_record_set(set).build().unwrap();
    dns::ChangeBatch::builder()
        .changes(change(dns::ChangeAction::Delete, record(names::LEGACY_SET, seen.0)))
        .changes(change(dns::ChangeAction::Delete, record(names::NEW_SET, seen.1)))
        .changes(change(dns::ChangeAction::Create, record(names::LEGACY_SET, wanted.0)))
        .changes(change(dns::ChangeAction::Create, record(names::NEW_SET, wanted.1)))
        .build()
        .unwrap()
}

#[tokio::test]
async fn route53_swaps_weights_and_refuses_stale_swaps() {
    let sim = sim(Scenario::Steady);
    let client = client!(aws_sdk_route53, "us-east-1", serve(&sim).await);
    let listed = client.list_resource_record_sets().hosted_zone_id(names::ZONE_ID).max_items(3).send().await.unwrap();
    assert!(listed.is_truncated() && listed.next_record_name().is_some());
    let send = |batch| client.change_resource_record_sets().hosted_zone_id(names::ZONE_ID).change_batch(batch).send();
    let taken = send(batch((100, 0), (90, 10))).await.unwrap();
    let info = taken.change_info().unwrap();
    assert_eq!(info.status(), &dns::ChangeStatus::Pending);
    let refused = send(batch((100, 0), (80, 20))).await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidChangeBatch"));
    assert!(refused.message().unwrap().contains("do not match the current values"));
    assert!(refused.into_service_error().is_invalid_change_batch());
    sim.advance(Duration::from_secs(60));
    let change = client.get_change().id(info.id()).send().await.unwrap();
    assert_eq!(change.change_info().unwrap().status(), &dns::ChangeStatus::Insync);
    let missing = client.get_change().id("CNONE").send().await.unwrap_err();
    assert!(missing.into_service_error().is_no_such_change());
    let zones = client.list_hosted_zones().send().await.unwrap();
    assert_eq!(zones.hosted_zones()[0].name(), "example.com.");
    let zones = client.list_hosted_zones_by_name().dns_name("example.com").send().await.unwrap();
    assert_eq!(zones.hosted_zones().len(), 1);
    sim.advance(Duration::from_secs(60));
    let missing = client.get_hosted_zone().id("ZNONE").send().await.unwrap_err();
    assert!(missing.into_service_error().is_no_such_hosted_zone());
    assert!(client.get_hosted_zone().id(names::ZONE_ID).send().await.is_ok());
}

#[tokio::test]
async fn cloudwatch_gives_data_alarms_and_names() {
    use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StateValue};
    let sim = sim(Scenario::Steady);
    let client = client!(aws_sdk_cloudwatch, "us-west-2", serve(&sim).await);
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace("AWS/DMS")
        .metric_name("CDCLatencyTarget")
        .dimensions(dimension("ReplicationInstanceIdentifier", names::DMS_INSTANCE))
        .dimensions(dimension("ReplicationTaskIdentifier", names::DMS_TASK_RESOURCE))
        .build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Maximum").build();
    let query = MetricDataQuery::builder().id("lag").metric_stat(stat).build();
    let end = DateTime::from_secs(sim.now().as_second());
    let from = DateTime::from_secs(sim.now().as_second() - 3_600);
    let ask = || client.get_metric_data().metric_data_queries(query.clone()).start_time(from).end_time(end);
    let data = ask().send().await.unwrap();
    let lag = &data.metric_data_results()[0];
    assert!(lag.values().len() >= 55 && lag.values().iter().all(|value| *value < 60.0));
    assert!(lag.timestamps()[0] > lag.timestamps()[1]);
    let refused = ask().next_token("nonsense").send().await.unwrap_err();
    assert!(refused.into_service_error().is_invalid_next_token());
    let alarms = client.describe_alarms().send().await.unwrap();
    let heard: Vec<_> = alarms.metric_alarms().iter().filter(|alarm| alarm.actions_enabled() == Some(true)).collect();
    assert_eq!(heard.len(), 7);
    assert!(heard.iter().all(|alarm| alarm.state_value() == Some(&StateValue::Ok)));
    assert!(!client.list_metrics().namespace("AWS/ECS").send().await.unwrap().metrics().is_empty());
    sim.inject(Fault { code: Some("Throttling".into()), ..Fault::on("cloudwatch") }.times(1));
    let throttled = ask().send().await.unwrap_err();
    assert_eq!(throttled.code(), Some("Throttling"));
}

#[tokio::test]
async fn dms_tells_of_tasks_tables_and_the_instance() {
    let sim = sim(Scenario::Steady);
    let endpoint = serve(&sim).await;
    let client = client!(aws_sdk_databasemigration, "us-west-2", &endpoint);
    let tasks = client.describe_replication_tasks().without_settings(true).send().await.unwrap();
    assert_eq!(tasks.replication_tasks().len(), 2);
    assert!(tasks.replication_tasks()[0].replication_task_start_date().is_some());
    let tables = client.describe_table_statistics().replication_task_arn(names::DMS_TASK_ARN).send().await.unwrap();
    assert_eq!(tables.table_statistics().len(), 12);
    assert!(client.describe_replication_instances().send().await.is_ok());
    assert_eq!(client.describe_connections().send().await.unwrap().connections().len(), 2);
    assert_eq!(client.describe_endpoints().send().await.unwrap().endpoints().len(), 2);
    let elsewhere = client!(aws_sdk_databasemigration, "us-east-1", &endpoint);
    let missing =
        elsewhere.describe_table_statistics().replication_task_arn(names::DMS_TASK_ARN).send().await.unwrap_err();
    assert!(missing.into_service_error().is_resource_not_found_fault());
}

#[tokio::test]
async fn ecs_tells_of_the_service_and_its_tasks() {
    use aws_sdk_ecs::types::DeploymentRolloutState;
    let sim = sim(Scenario::Steady);
    let client = client!(aws_sdk_ecs, "us-west-2", serve(&sim).await);
    let answer =
        client.describe_services().cluster(names::CLUSTER_NAME).services(names::SERVICE_NAME).send().await.unwrap();
    let service = &answer.services()[0];
    assert_eq!((service.desired_count(), service.running_count()), (4, 4));
    assert_eq!(service.deployments()[0].rollout_state(), Some(&DeploymentRolloutState::Completed));
    let tasks = client.list_tasks().cluster(names::CLUSTER_NAME).send().await.unwrap();
    let described = client
        .describe_tasks()
        .cluster(names::CLUSTER_NAME)
        .set_tasks(Some(tasks.task_arns().to_vec()))
        .send()
        .await
        .unwrap();
    assert_eq!(described.tasks().len(), 4);
    assert_eq!(client.describe_clusters().clusters(names::CLUSTER_ARN).send().await.unwrap().clusters().len(), 1);
    let missing = client.describe_services().cluster("other").services("x").send().await.unwrap_err();
    assert!(missing.into_service_error().is_cluster_not_found_exception());
}

#[tokio::test]
async fn both_load_balancers_tell_of_their_health() {
    use aws_sdk_elasticloadbalancingv2::types::TargetHealthStateEnum;
    let sim = sim(Scenario::Steady);
    let endpoint = serve(&sim).await;
    let new = client!(aws_sdk_elasticloadbalancingv2, "us-west-2", &endpoint);
    let health = new.describe_target_health().target_group_arn(names::TARGET_GROUP_ARN).send().await.unwrap();
    let states =
        health.target_health_descriptions().iter().map(|target| target.target_health().unwrap().state().unwrap());
    assert!(states.clone().count() == 4 && states.into_iter().all(|state| *state == TargetHealthStateEnum::Healthy));
    assert_eq!(new.describe_load_balancers().send().await.unwrap().load_balancers().len(), 1);
    assert_eq!(new.describe_target_groups().send().await.unwrap().target_groups().len(), 1);
    let legacy = client!(aws_sdk_elasticloadbalancing, "us-east-1", &endpoint);
    let health = legacy.describe_instance_health().load_balancer_name(names::LEGACY_LB_NAME).send().await.unwrap();
    assert_eq!(health.instance_states().len(), 6);
    assert_eq!(legacy.describe_load_balancers().send().await.unwrap().load_balancer_descriptions().len(), 1);
    let wrong = client!(aws_sdk_elasticloadbalancing, "us-west-2", &endpoint);
    let missing = wrong.describe_instance_health().load_balancer_name(names::LEGACY_LB_NAME).send().await.unwrap_err();
    assert!(missing.into_service_error().is_access_point_not_found_exception());
}

#[tokio::test]
async fn sts_names_the_caller_until_the_token_expires() {
    let sim = sim(Scenario::Steady);
    let client = client!(aws_sdk_sts, "us-west-2", serve(&sim).await);
    let identity = client.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some(names::ACCOUNT));
    sim.inject(Fault { code: Some("ExpiredToken".into()), ..Fault::on("sts") });
    let expired = client.get_caller_identity().send().await.unwrap_err();
    assert_eq!(expired.code(), Some("ExpiredToken"));
}
