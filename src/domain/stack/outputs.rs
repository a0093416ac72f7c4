//! The stack outputs: the one thing that Pulumi tells tapctl about what it built.
//!
//! Reads the JSON of `pulumi stack output --json` (or a file with the same JSON). Does no I/O itself. A broken file
//! is reported whole: every missing and every mistyped key in one error.

use serde_json::{Map, Value};

use crate::domain::service::Writer;
use crate::domain::text::Foreign;
use crate::domain::traffic::GroupKey;
use crate::domain::zone::{Endpoints, NewEndpoint};

/// Every output of the bundled Pulumi program, by tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackOutputs {
    /// Suffix of every resource name (`environmentSuffix`).
    pub suffix: String,
    /// Region of the new stack.
    pub region: String,
    /// Region of the legacy stack.
    pub legacy_region: String,
    /// VPC and subnets.
    pub network: NetworkOutputs,
    /// The ALB.
    pub balancer: BalancerOutputs,
    /// The ECS service.
    pub service: ServiceOutputs,
    /// Aurora, and which database takes the writes.
    pub database: DatabaseOutputs,
    /// DMS.
    pub replication: ReplicationOutputs,
    /// The weighted records and where they lead.
    pub traffic: TrafficOutputs,
    /// Alarms, logs, dashboard.
    pub monitoring: MonitoringOutputs,
    /// Accounts of both databases.
    pub identities: IdentityOutputs,
}

/// VPC and subnets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkOutputs {
    /// VPC of the new stack.
    pub vpc_id: String,
    /// Public subnets.
    pub public_subnet_ids: Vec<String>,
    /// Private subnets.
    pub private_subnet_ids: Vec<String>,
    /// Public addresses of the NAT gateways; empty where the program does not say.
    pub nat_addresses: Vec<String>,
}

/// The ALB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancerOutputs {
    /// ARN of the ALB; its tail is the metric dimension.
    pub arn: String,
    /// DNS name of the ALB.
    pub dns_name: String,
    /// Canonical hosted zone id of the ALB.
    pub zone_id: String,
    /// ARN of the target group; its tail is the metric dimension.
    pub target_group_arn: String,
}

/// The ECS service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOutputs {
    /// ARN of the ECS cluster.
    pub cluster_arn: String,
    /// Name of the ECS cluster.
    pub cluster_name: String,
    /// Name of the ECS service.
    pub service_name: String,
    /// Repository to push the image to.
    pub repository_url: String,
}

/// Aurora, and which database takes the writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseOutputs {
    /// ARN of the Aurora cluster.
    pub cluster_arn: String,
    /// Identifier of the Aurora cluster.
    pub cluster_id: String,
    /// Writer endpoint.
    pub writer_endpoint: String,
    /// Reader endpoint.
    pub reader_endpoint: String,
    /// ARN of the database secret. Never its value.
    pub secret_arn: String,
    /// Which database takes the writes, as the configuration says.
    pub writer: Writer,
}

/// DMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationOutputs {
    /// ARN of the replication instance.
    pub instance_arn: String,
    /// Identifier of the replication instance, the metric dimension.
    pub instance_id: String,
    /// ARN of the forward task; its last part is the metric dimension.
    pub task_arn: String,
    /// ARN of the reverse task.
    pub reverse_task_arn: String,
    /// Alarm on the lag of the forward stream, where the program makes it.
    pub forward_lag_alarm_name: Option<String>,
    /// Alarm on the lag of the way back, where the program makes it.
    pub reverse_lag_alarm_name: Option<String>,
}

/// The weighted records and where they lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficOutputs {
    /// Hosted zone of the record.
    pub hosted_zone_id: String,
    /// Name of the weighted records.
    pub record_name: String,
    /// Type of the weighted records.
    pub record_type: String,
    /// Set identifier of the legacy record.
    pub legacy_set_identifier: String,
    /// Set identifier of the new record.
    pub new_set_identifier: String,
    /// Name of the Classic ELB, the metric dimension.
    pub legacy_lb_name: String,
    /// DNS name of the Classic ELB.
    pub legacy_lb_dns_name: String,
}

/// Alarms, logs, dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitoringOutputs {
    /// Dashboard.
    pub dashboard_name: String,
    /// Where to open it.
    pub dashboard_url: String,
    /// Alarm on replication lag.
    pub lag_alarm_name: String,
    /// All alarms of the stack.
    pub alarm_names: Vec<String>,
    /// Log groups of the stack.
    pub log_group_names: Vec<String>,
}

/// Who logs in to which database, and what runs SQL there; absent where it is not configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityOutputs {
    /// `host:port` of every database that the tasks may write to, the expected writer first.
    pub db_writer_hosts: Vec<String>,
    /// Host of the read-only endpoint.
    pub db_reader_host: Option<String>,
    /// Secret of the application's account on Aurora. Never its value; so for all of them.
    pub app_secret_arn: Option<String>,
    /// Secret of the application's read-only account on Aurora.
    pub app_read_only_secret_arn: Option<String>,
    /// Secret of DMS's account on Aurora.
    pub dms_secret_arn: Option<String>,
    /// Secret of tapctl's account on Aurora.
    pub tapctl_secret_arn: Option<String>,
    /// Secret of the application's account on the legacy database.
    pub legacy_app_secret_arn: Option<String>,
    /// Secret of tapctl's account on the legacy database.
    pub legacy_tapctl_secret_arn: Option<String>,
    /// Task definition of the one-off task that runs SQL on Aurora.
    pub sql_task_definition_arn: Option<String>,
    /// Security group that the SQL task runs in.
    pub sql_security_group_id: Option<String>,
}

/// What is wrong with an outputs file, every key of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stack outputs cannot be used: {}", self.lines().join("; "))]
pub struct OutputsError {
    /// Set when the text is no JSON object at all.
    pub syntax: Option<String>,
    /// Keys that are not there.
    pub missing: Vec<String>,
    /// Keys with a value of another type, with what was wanted.
    pub mistyped: Vec<String>,
}

impl OutputsError {
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.syntax.iter().cloned().collect();
        if !self.missing.is_empty() {
            lines.push(format!("missing {}", self.missing.join(", ")));
        }
        if !self.mistyped.is_empty() {
            lines.push(format!("mistyped {}", self.mistyped.join(", ")));
        }
        lines
    }
}

/// What Pulumi writes in the place of a secret value (`pulumi stack output` without `--show-secrets`).
const MASKED: &str = "[secret]";

/// Reads keys one by one and remembers everything that is wrong on the way.
struct OutputsReader {
    map: Map<String, Value>,
    error: OutputsError,
}

impl OutputsReader {
    fn text(&mut self, key: &str) -> String {
        match self.map.remove(key) {
            Some(Value::String(text)) if text == MASKED => self.masked(key),
            Some(Value::String(text)) if !text.trim().is_empty() => return text,
            Some(Value::String(_)) => self.error.mistyped.push(format!("{key} (empty)")),
            Some(_) => self.error.mistyped.push(format!("{key} (wants a string)")),
            None => self.error.missing.push(key.to_owned()),
        }
        String::new()
    }

    fn masked(&mut self, key: &str) {
        self.error.mistyped.push(format!("{key} (is [secret]: export with --show-secrets)"));
    }

    fn list(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.map.remove(key) else {
            self.error.missing.push(key.to_owned());
            return Vec::new();
        };
        if value == MASKED {
            self.masked(key);
            return Vec::new();
        }
        let texts: Option<Vec<String>> =
            value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        texts.unwrap_or_else(|| {
            self.error.mistyped.push(format!("{key} (wants a list of strings)"));
            Vec::new()
        })
    }

    /// A list that older programs do not export.
    fn optional_list(&mut self, key: &str) -> Vec<String> {
        self.optional(key, Self::list).unwrap_or_default()
    }

    /// A key that may be absent; when it is there, it has to be right.
    fn optional<T>(&mut self, key: &str, read: impl FnOnce(&mut Self, &str) -> T) -> Option<T> {
        self.map.contains_key(key).then(|| read(self, key))
    }

    fn arn(&mut self, key: &str) -> String {
        let text = self.text(key);
        if !text.is_empty() && text.splitn(6, ':').count() < 6 {
            self.error.mistyped.push(format!("{key} (wants an ARN)"));
        }
        text
    }

    fn writer(&mut self, key: &str) -> Writer {
        match self.text(key).as_str() {
            "aurora" => Writer::Aurora,
            "legacy" | "" => Writer::Legacy,
            _ => {
                self.error.mistyped.push(format!("{key} (wants legacy or aurora)"));
                Writer::Legacy
            }
        }
    }

    fn record_type(&mut self, key: &str) -> String {
        let text = self.text(key);
        if !text.is_empty() && !matches!(text.as_str(), "A" | "AAAA" | "CNAME") {
            self.error.mistyped.push(format!("{key} (wants A, AAAA or CNAME)"));
        }
        text
    }
}

impl StackOutputs {
    /// The outputs that tell this stack from any other: whose name, and which load balancer.
    #[must_use]
    pub fn identity_outputs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("hostedZoneId", self.traffic.hosted_zone_id.clone()),
            ("recordName", self.traffic.record_name.clone()),
            ("newSetIdentifier", self.traffic.new_set_identifier.clone()),
            ("albDnsName", self.balancer.dns_name.clone()),
        ]
    }

    /// Reads the JSON of `pulumi stack output --json`. Keys that are not known are passed over.
    ///
    /// # Errors
    /// [`OutputsError`] names every key that is missing or mistyped.
    pub fn parse(text: &str) -> Result<Self, OutputsError> {
        let mut error = OutputsError { syntax: None, missing: Vec::new(), mistyped: Vec::new() };
        let map = match serde_json::from_str::<Value>(text).map(Foreign::take_value) {
            Ok(Value::Object(map)) => map,
            Ok(_) => {
                error.syntax = Some("the file holds JSON, but not an object with the outputs as keys".to_owned());
                return Err(error);
            }
            Err(broken) => {
                error.syntax = Some(format!("the file is not JSON ({broken})"));
                return Err(error);
            }
        };
        Self::read(&mut OutputsReader { map, error })
    }

    /// Takes every key out of the map; what is left in it is not known.
    fn read(r: &mut OutputsReader) -> Result<Self, OutputsError> {
        let outputs = Self {
            suffix: r.text("environmentSuffix"),
            region: r.text("region"),
            legacy_region: r.text("legacyRegion"),
            network: NetworkOutputs::read(r),
            balancer: BalancerOutputs::read(r),
            service: ServiceOutputs::read(r),
            database: DatabaseOutputs::read(r),
            replication: ReplicationOutputs::read(r),
            traffic: TrafficOutputs::read(r),
            monitoring: MonitoringOutputs::read(r),
            identities: IdentityOutputs::read(r),
        };
        let (legacy, new) = (&outputs.traffic.legacy_set_identifier, &outputs.traffic.new_set_identifier);
        if legacy == new && !new.is_empty() {
            r.error.mistyped.push("newSetIdentifier (is the same as legacySetIdentifier)".to_owned());
        }
        if r.error.missing.is_empty() && r.error.mistyped.is_empty() { Ok(outputs) } else { Err(r.error.clone()) }
    }

    /// The record group that these outputs name.
    #[must_use]
    pub fn group_key(&self) -> GroupKey {
        let zone = self.traffic.hosted_zone_id.rsplit('/').next().unwrap_or(&self.traffic.hosted_zone_id);
        GroupKey {
            zone_id: zone.to_owned(),
            name: format!("{}.", self.traffic.record_name.trim_end_matches('.')),
            rtype: self.traffic.record_type.clone(),
            legacy_id: self.traffic.legacy_set_identifier.clone(),
            new_id: self.traffic.new_set_identifier.clone(),
        }
    }

    /// Where the two stacks can be reached.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            legacy_dns: self.traffic.legacy_lb_dns_name.clone(),
            new: Some(NewEndpoint { dns: self.balancer.dns_name.clone(), zone_id: self.balancer.zone_id.clone() }),
            // After the write cutover a record that fails over by health would open the old stack for writes again.
            evaluate_health: self.database.writer == Writer::Legacy,
        }
    }
}

impl NetworkOutputs {
    fn read(r: &mut OutputsReader) -> Self {
        Self {
            vpc_id: r.text("vpcId"),
            public_subnet_ids: r.list("publicSubnetIds"),
            private_subnet_ids: r.list("privateSubnetIds"),
            nat_addresses: r.optional_list("natAddresses"),
        }
    }
}

impl BalancerOutputs {
    fn read(r: &mut OutputsReader) -> Self {
        Self {
            arn: r.arn("albArn"),
            dns_name: r.text("albDnsName"),
            zone_id: r.text("albZoneId"),
            target_group_arn: r.arn("targetGroupArn"),
        }
    }

    /// The `LoadBalancer` dimension of the ALB's metrics: `app/name/id`, the tail of its ARN.
    #[must_use]
    pub fn dimension(&self) -> &str {
        self.arn.split_once(":loadbalancer/").map_or(&self.arn, |(_, tail)| tail)
    }

    /// The `TargetGroup` dimension: `targetgroup/name/id`, the tail of its ARN.
    #[must_use]
    pub fn target_group_dimension(&self) -> &str {
        self.target_group_arn.rsplit(':').next().unwrap_or(&self.target_group_arn)
    }
}

impl ServiceOutputs {
    fn read(r: &mut OutputsReader) -> Self {
        Self {
            cluster_arn: r.arn("ecsClusterArn"),
            cluster_name: r.text("ecsClusterName"),
            service_name: r.text("ecsServiceName"),
            repository_url: r.text("ecrRepositoryUrl"),
        }
    }
}

impl DatabaseOutputs {
    fn read(r: &mut OutputsReader) -> Self {
        Self {
            cluster_arn: r.arn("auroraClusterArn"),
            cluster_id: r.text("auroraClusterId"),
            writer_endpoint: r.text("auroraWriterEndpoint"),
            reader_endpoint: r.text("auroraReaderEndpoint"),
            secret_arn: r.arn("dbSecretArn"),
            writer: r.writer("databaseWriter"),
        }
    }
}

impl ReplicationOutputs {
    fn read(r: &mut OutputsReader) -> Self {
        Self {
            instance_arn: r.arn("dmsReplicationInstanceArn"),
            instance_id: r.text("dmsReplicationInstanceId"),
            task_arn: r.arn("dmsTaskArn"),
            reverse_task_arn: r.arn("dmsReverseTaskArn"),
            forward_lag_alarm_name: r.optional("dmsForwardLagAlarmName", OutputsReader::text),
            reverse_lag_alarm_name: r.optional("dmsReverseLagAlarmName", OutputsReader::text),
        }
    }

    /// The `ReplicationTaskIdentifier` *dimension* of the forward task: the resource id at the end of its ARN, which is
    /// not the task's name (DMS user guide, "Monitoring").
    #[must_use]
    pub fn task_dimension(&self) -> &str {
        self.task_arn.rsplit(':').next().unwrap_or(&self.task_arn)
    }
}

impl TrafficOutputs {
    fn read(r: &mut OutputsReader) -> Self {
        Self {
            hosted_zone_id: r.text("hostedZoneId"),
            record_name: r.text("recordName"),
            record_type: r.record_type("recordType"),
            legacy_set_identifier: r.text("legacySetIdentifier"),
            new_set_identifier: r.text("newSetIdentifier"),
            legacy_lb_name: r.text("legacyLbName"),
            legacy_lb_dns_name: r.text("legacyLbDnsName"),
        }
    }
}

impl MonitoringOutputs {
    fn read(r: &mut OutputsReader) -> Self {
        Self {
            dashboard_name: r.text("dashboardName"),
            dashboard_url: r.text("dashboardUrl"),
            lag_alarm_name: r.text("lagAlarmName"),
            alarm_names: r.list("alarmNames"),
            log_group_names: r.list("logGroupNames"),
        }
    }
}

impl IdentityOutputs {
    fn read(r: &mut OutputsReader) -> Self {
        Self {
            db_writer_hosts: r.optional_list("dbWriterHosts"),
            db_reader_host: r.optional("dbReaderHost", OutputsReader::text),
            app_secret_arn: r.optional("appSecretArn", OutputsReader::arn),
            app_read_only_secret_arn: r.optional("appReadOnlySecretArn", OutputsReader::arn),
            dms_secret_arn: r.optional("dmsSecretArn", OutputsReader::arn),
            tapctl_secret_arn: r.optional("tapctlSecretArn", OutputsReader::arn),
            legacy_app_secret_arn: r.optional("legacyAppSecretArn", OutputsReader::arn),
            legacy_tapctl_secret_arn: r.optional("legacyTapctlSecretArn", OutputsReader::arn),
            sql_task_definition_arn: r.optional("sqlTaskDefinitionArn", OutputsReader::arn),
            sql_security_group_id: r.optional("sqlSecurityGroupId", OutputsReader::text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_key_is_named_at_once() {
        let error = StackOutputs::parse(r#"{"region": 7, "albArn": "nope", "alarmNames": "x"}"#).unwrap_err();
        assert!(error.missing.contains(&"recordName".to_owned()) && error.missing.len() > 25, "{error}");
        assert_eq!(
            error.mistyped,
            ["region (wants a string)", "albArn (wants an ARN)", "alarmNames (wants a list of strings)"]
        );
    }

    const FIXTURE: &str = include_str!("../../../tests/fixtures/outputs.json");
    /// Keys of the program that are absent where they are not configured.
    const OPTIONAL: [&str; 13] = [
        "natAddresses",
        "dbWriterHosts",
        "dbReaderHost",
        "appSecretArn",
        "appReadOnlySecretArn",
        "dmsSecretArn",
        "tapctlSecretArn",
        "legacyAppSecretArn",
        "legacyTapctlSecretArn",
        "dmsForwardLagAlarmName",
        "dmsReverseLagAlarmName",
        "sqlTaskDefinitionArn",
        "sqlSecurityGroupId",
    ];

    fn fixture() -> Map<String, Value> {
        serde_json::from_str(FIXTURE).unwrap()
    }

    #[test]
    fn the_example_of_the_program_parses_and_nothing_of_it_is_passed_over() {
        let error = OutputsError { syntax: None, missing: Vec::new(), mistyped: Vec::new() };
        let mut reader = OutputsReader { map: fixture(), error };
        StackOutputs::read(&mut reader).unwrap();
        assert_eq!(reader.map.keys().collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn what_is_not_configured_may_be_absent_but_not_wrong() {
        let mut map = fixture();
        assert!(OPTIONAL.iter().all(|key| map.contains_key(*key)), "the fixture shows every key once");
        map.retain(|key, _| !OPTIONAL.contains(&key.as_str()));
        let bare = StackOutputs::parse(&Value::Object(map.clone()).to_string()).unwrap();
        assert_eq!((bare.identities, bare.network.nat_addresses), (IdentityOutputs::default(), Vec::new()));
        map.insert("dmsSecretArn".to_owned(), Value::from("no-arn"));
        map.insert("natAddresses".to_owned(), Value::from("54.200.0.1"));
        let error = StackOutputs::parse(&Value::Object(map).to_string()).unwrap_err();
        assert_eq!(error.mistyped, ["natAddresses (wants a list of strings)", "dmsSecretArn (wants an ARN)"]);
    }

    #[test]
    fn a_masked_value_is_told_with_the_way_to_read_it_and_taken_for_nothing_else() {
        let text = r#"{"dbSecretArn":"[secret]","alarmNames":"[secret]","region":"[secret]"}"#;
        let error = StackOutputs::parse(text).unwrap_err();
        let masked: Vec<&String> = error.mistyped.iter().filter(|line| line.contains("--show-secrets")).collect();
        assert_eq!(masked.len(), 3, "{:?}", error.mistyped);
        assert!(!error.mistyped.iter().any(|line| line.contains("wants an ARN")), "{:?}", error.mistyped);
    }

    #[test]
    fn text_that_is_no_object_is_told_apart() {
        assert!(StackOutputs::parse("[]").unwrap_err().syntax.is_some());
        assert!(StackOutputs::parse("{").unwrap_err().syntax.is_some());
    }
}
