//! What Pulumi would tell of the simulated stack: its outputs, as `pulumi stack output --json` prints them, and the configuration
//! that leads to them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::names as n;

/// Every key that the program reads.
pub(crate) fn outputs() -> Value {
    let aurora = |part: &str| format!("{}.{part}-c1x2y3z4a5b6.us-west-2.rds.amazonaws.com", n::AURORA_CLUSTER);
    json!({
        "environmentSuffix": n::SUFFIX,
        "region": n::NEW_REGION,
        "legacyRegion": n::LEGACY_REGION,
        "vpcId": n::VPC_ID,
        "publicSubnetIds": n::PUBLIC_SUBNETS,
        "privateSubnetIds": n::PRIVATE_SUBNETS,
        "albArn": n::ALB_ARN,
        "albDnsName": n::ALB_DNS,
        "albZoneId": n::ALB_ZONE,
        "targetGroupArn": n::TARGET_GROUP_ARN,
        "ecsClusterArn": n::CLUSTER_ARN,
        "ecsClusterName": n::CLUSTER_NAME,
        "ecsServiceName": n::SERVICE_NAME,
        "ecrRepositoryUrl": n::REPOSITORY_URL,
        "auroraClusterArn": format!("arn:aws:rds:us-west-2:{}:cluster:{}", n::ACCOUNT, n::AURORA_CLUSTER),
        "auroraClusterId": n::AURORA_CLUSTER,
        "auroraWriterEndpoint": aurora("cluster"),
        "auroraReaderEndpoint": aurora("cluster-ro"),
        "dmsReplicationInstanceArn": n::DMS_INSTANCE_ARN,
        "dmsReplicationInstanceId": n::DMS_INSTANCE,
        "dmsTaskArn": n::DMS_TASK_ARN,
        "dmsReverseTaskArn": n::DMS_REVERSE_TASK_ARN,
        "dbSecretArn": n::SECRET_ARN,
        "hostedZoneId": n::ZONE_ID,
        "recordName": n::RECORD_NAME.trim_end_matches('.'),
        "recordType": "A",
        "legacySetIdentifier": n::LEGACY_SET,
        "newSetIdentifier": n::NEW_SET,
        "legacyLbName": n::LEGACY_LB_NAME,
        "legacyLbDnsName": n::LEGACY_LB_DNS,
        "databaseWriter": "legacy",
        "dashboardName": n::DASHBOARD,
        "dashboardUrl": format!(
            "https://us-west-2.console.aws.amazon.com/cloudwatch/home?region=us-west-2#dashboards:name={}",
            n::DASHBOARD
        ),
        "lagAlarmName": n::LAG_ALARM,
        "alarmNames": [n::LAG_ALARM, n::SOURCE_LAG_ALARM, n::ALB_5XX_ALARM, n::UNHEALTHY_ALARM, n::TASKS_ALARM],
        "logGroupNames": [format!("/ecs/migration-app-{}", n::SUFFIX), format!("dms-tasks-{}", n::DMS_INSTANCE)],
    })
}

/// The configuration of the bundled program that leads to this account's names, by full key: every key that is required, and
/// those whose defaults do not fit.
#[must_use]
pub fn configuration() -> BTreeMap<String, String> {
    [
        ("environmentSuffix", n::SUFFIX.to_owned()),
        ("owner", "platform-team".to_owned()),
        ("vpcCidr", "10.20.0.0/16".to_owned()),
        ("sourceDbEndpoint", format!("{}.c1x2y3z4a5b6.{}.rds.amazonaws.com", n::LEGACY_DB_ID, n::LEGACY_REGION)),
        ("sourceDbPort", "3306".to_owned()),
        ("sourceDbNames", "shop".to_owned()),
        (
            "sourceDbSecretArn",
            format!("arn:aws:secretsmanager:{}:{}:secret:{}-a1B2c3", n::NEW_REGION, n::ACCOUNT, n::LEGACY_DB_ID),
        ),
        ("legacyLbName", n::LEGACY_LB_NAME.to_owned()),
        ("legacyLbDnsName", n::LEGACY_LB_DNS.to_owned()),
        ("hostedZoneId", n::ZONE_ID.to_owned()),
        ("recordName", n::RECORD_NAME.trim_end_matches('.').to_owned()),
        ("imageTag", "2026-11-23-1a2b3c4".to_owned()),
        ("taskCpu", "1024".to_owned()),
        ("taskMemory", "2048".to_owned()),
        ("startReplication", "true".to_owned()),
        ("alarmEmail", "on-call@example.com".to_owned()),
    ]
    .map(|(key, value)| (format!("tap:{key}"), value))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_there_and_no_other() {
        let keys = "environmentSuffix region legacyRegion vpcId publicSubnetIds privateSubnetIds albArn albDnsName albZoneId \
            targetGroupArn ecsClusterArn ecsClusterName ecsServiceName ecrRepositoryUrl auroraClusterArn auroraClusterId \
            auroraWriterEndpoint auroraReaderEndpoint dmsReplicationInstanceArn dmsReplicationInstanceId dmsTaskArn \
            dmsReverseTaskArn dbSecretArn hostedZoneId recordName recordType legacySetIdentifier newSetIdentifier legacyLbName \
            legacyLbDnsName databaseWriter dashboardName dashboardUrl lagAlarmName alarmNames logGroupNames";
        let mut expected: Vec<_> = keys.split_whitespace().collect();
        expected.sort_unstable();
        let outputs = outputs();
        let found: Vec<_> = outputs.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found, expected);
    }
}
