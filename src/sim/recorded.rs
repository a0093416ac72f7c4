//! The stack that the simulator is: what one recorded `up` of the bundled program made.
//!
//! The outputs and the alarms are read out of the engine's stream as it was recorded, the same stream that the fake Pulumi
//! plays. Nothing here is written down a second time, so nothing can drift from the program but with a new recording.

use std::sync::LazyLock;

use serde_json::Value;

/// The recorded `up`.
const UP: &str = include_str!("recordings/bundled-up.jsonl");

/// What was made, by the type of the resource.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// The outputs, as `pulumi stack output --json` prints them.
    pub(crate) outputs: Value,
    /// Every resource of AWS: type, name, and its state.
    resources: Vec<(String, String, Value)>,
}

/// Only what the simulator takes over is kept: the stack's own line, and its alarms.
pub(crate) static RECORDED: LazyLock<Recorded> = LazyLock::new(|| {
    Recorded::read(UP, |urn| urn.contains("::pulumi:pulumi:Stack::") || urn.contains(":MetricAlarm::"))
});

impl Recorded {
    fn read(stream: &str, wanted: impl Fn(&str) -> bool) -> Self {
        let mut recorded = Self::default();
        // Most lines are the engine's own talk, and parsing is what takes time.
        for line in stream.lines().filter(|line| line.contains("resOutputsEvent") && wanted(line)) {
            let Ok(mut event) = serde_json::from_str::<Value>(line) else { continue };
            let mut state = event["resOutputsEvent"]["metadata"]["new"].take();
            let urn = state["urn"].as_str().unwrap_or_default().to_owned();
            let mut parts = urn.rsplit("::");
            let (name, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let kind = kind.rsplit('$').next().unwrap_or_default();
            if kind == "pulumi:pulumi:Stack" {
                recorded.outputs = state["outputs"].take();
            } else {
                recorded.resources.push((kind.to_owned(), name.to_owned(), state));
            }
        }
        recorded
    }

    /// The states of the resources of one type.
    pub(crate) fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.resources.iter().filter(move |(of, ..)| of == kind).map(|(.., state)| state)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::sim::names as n;

    /// All of it.
    pub(crate) fn whole() -> Recorded {
        Recorded::read(UP, |_| true)
    }

    /// The same run's outputs, as `pulumi stack output --json` printed them.
    const FIXTURE: &str = include_str!("../../tests/fixtures/outputs.json");

    #[test]
    fn the_outputs_are_those_that_pulumi_printed_after_the_recorded_run_key_by_key() {
        let printed: BTreeMap<String, Value> = serde_json::from_str(FIXTURE).unwrap();
        let told = RECORDED.outputs.as_object().unwrap();
        for (key, value) in &printed {
            assert_eq!(told.get(key), Some(value), "{key}");
        }
        assert_eq!(told.len(), printed.len(), "{told:?}");
    }

    #[test]
    fn every_name_of_the_account_is_the_one_that_the_program_made() {
        let recorded = whole();
        let state = |kind: &str, name: &str| {
            let found = recorded.resources.iter().find(|(of, called, _)| of.ends_with(kind) && called == name);
            found.unwrap_or_else(|| panic!("the program makes no {kind} called {name}")).2["outputs"].clone()
        };
        let out = |key: &str| recorded.outputs[key].clone();
        let (alb, group) =
            (state("loadBalancer:LoadBalancer", n::ALB_NAME), state("targetGroup:TargetGroup", "migration-tg-prod"));
        let (task, reverse) = (
            state("replicationTask:ReplicationTask", n::DMS_TASK),
            state("replicationTask:ReplicationTask", n::DMS_REVERSE_TASK),
        );
        let secret = state("secret:Secret", n::SECRET_NAME);
        let app = state("taskDefinition:TaskDefinition", "migration-app-prod");
        let source = state("endpoint:Endpoint", "migration-dms-legacy-source-prod");
        let target = state("endpoint:Endpoint", "migration-dms-aurora-target-prod");
        let record = |set: &str| state("record:Record", set)["aliases"][0].clone();
        let last = |arn: &Value| arn.as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        let host = recorded.outputs["dbWriterHosts"][0].as_str().unwrap().split('.').next().unwrap();
        let table = [
            ("ACCOUNT", json!(n::ACCOUNT), json!(out("albArn").as_str().unwrap().split(':').nth(4).unwrap())),
            ("SUFFIX", json!(n::SUFFIX), out("environmentSuffix")),
            ("NEW_REGION", json!(n::NEW_REGION), out("region")),
            ("LEGACY_REGION", json!(n::LEGACY_REGION), out("legacyRegion")),
            ("ZONE_ID", json!(n::ZONE_ID), out("hostedZoneId")),
            ("RECORD_NAME", json!(n::RECORD_NAME.trim_end_matches('.')), out("recordName")),
            ("LEGACY_SET", json!(n::LEGACY_SET), out("legacySetIdentifier")),
            ("NEW_SET", json!(n::NEW_SET), out("newSetIdentifier")),
            ("LEGACY_LB_NAME", json!(n::LEGACY_LB_NAME), out("legacyLbName")),
            ("LEGACY_LB_DNS", json!(n::LEGACY_LB_DNS), out("legacyLbDnsName")),
            ("LEGACY_LB_ZONE", json!(n::LEGACY_LB_ZONE), record(n::LEGACY_SET)["zoneId"].clone()),
            ("LEGACY_DB_ID", json!(n::LEGACY_DB_ID), json!(host)),
            ("ALB_ARN", json!(n::ALB_ARN), alb["arn"].clone()),
            ("ALB_ARN of the outputs", json!(n::ALB_ARN), out("albArn")),
            ("ALB_NAME", json!(n::ALB_NAME), alb["name"].clone()),
            ("ALB_DNS", json!(n::ALB_DNS), out("albDnsName")),
            ("ALB_DNS of the record", json!(n::ALB_DNS), record(n::NEW_SET)["name"].clone()),
            ("ALB_ZONE", json!(n::ALB_ZONE), out("albZoneId")),
            ("ALB_DIMENSION", json!(n::ALB_DIMENSION), alb["arnSuffix"].clone()),
            ("TARGET_GROUP_ARN", json!(n::TARGET_GROUP_ARN), out("targetGroupArn")),
            ("TARGET_GROUP_NAME", json!(n::TARGET_GROUP_NAME), group["name"].clone()),
            ("TARGET_GROUP_DIMENSION", json!(n::TARGET_GROUP_DIMENSION), group["arnSuffix"].clone()),
            ("VPC_ID", json!(n::VPC_ID), out("vpcId")),
            ("PUBLIC_SUBNETS", json!(n::PUBLIC_SUBNETS), out("publicSubnetIds")),
            ("PRIVATE_SUBNETS", json!(n::PRIVATE_SUBNETS), out("privateSubnetIds")),
            ("CLUSTER_NAME", json!(n::CLUSTER_NAME), out("ecsClusterName")),
            ("CLUSTER_ARN", json!(n::CLUSTER_ARN), out("ecsClusterArn")),
            ("SERVICE_NAME", json!(n::SERVICE_NAME), out("ecsServiceName")),
            ("SERVICE_ARN", json!(n::SERVICE_ARN), state("ecs/service:Service", n::SERVICE_NAME)["arn"].clone()),
            ("TASK_FAMILY_ARN", json!(format!("{}:1", n::TASK_FAMILY_ARN)), app["arn"].clone()),
            ("REPOSITORY_URL", json!(n::REPOSITORY_URL), out("ecrRepositoryUrl")),
            ("AURORA_CLUSTER", json!(n::AURORA_CLUSTER), out("auroraClusterId")),
            ("DMS_INSTANCE", json!(n::DMS_INSTANCE), out("dmsReplicationInstanceId")),
            ("DMS_INSTANCE_ARN", json!(n::DMS_INSTANCE_ARN), out("dmsReplicationInstanceArn")),
            ("DMS_TASK_ARN", json!(n::DMS_TASK_ARN), out("dmsTaskArn")),
            ("DMS_TASK", json!(n::DMS_TASK), task["replicationTaskId"].clone()),
            ("DMS_TASK_RESOURCE", json!(n::DMS_TASK_RESOURCE), json!(last(&out("dmsTaskArn")))),
            ("DMS_REVERSE_TASK_ARN", json!(n::DMS_REVERSE_TASK_ARN), out("dmsReverseTaskArn")),
            ("DMS_REVERSE_TASK", json!(n::DMS_REVERSE_TASK), reverse["replicationTaskId"].clone()),
            ("DMS_REVERSE_TASK_RESOURCE", json!(n::DMS_REVERSE_TASK_RESOURCE), json!(last(&out("dmsReverseTaskArn")))),
            ("DMS_SOURCE_ARN", json!(n::DMS_SOURCE_ARN), source["endpointArn"].clone()),
            ("DMS_SOURCE", json!(n::DMS_SOURCE), source["endpointId"].clone()),
            ("DMS_TARGET_ARN", json!(n::DMS_TARGET_ARN), target["endpointArn"].clone()),
            ("DMS_TARGET", json!(n::DMS_TARGET), target["endpointId"].clone()),
            ("SECRET_ARN", json!(n::SECRET_ARN), secret["arn"].clone()),
            ("SECRET_ARN of the outputs", json!(n::SECRET_ARN), out("dbSecretArn")),
        ];
        for (name, ours, made) in table {
            assert_eq!(ours, made, "{name}");
        }
        let instances = recorded.of_type("aws:rds/clusterInstance:ClusterInstance");
        let mut instances: Vec<_> = instances.map(|state| state["outputs"]["identifier"].clone()).collect();
        instances.sort_by_key(ToString::to_string);
        assert_eq!(json!(n::AURORA_INSTANCES), json!(instances));
    }
}
