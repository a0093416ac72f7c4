//! The stack outputs: the one thing that Pulumi tells tapctl about what it built.
//!
//! Reads the JSON of `pulumi stack output --json` (or a file with the same JSON). Does no I/O itself. A broken file
//! is reported whole: every missing and every mistyped key in one error.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::service::Writer;
use crate::domain::traffic::GroupKey;
use crate::domain::zone::{Endpoints, NewEndpoint};

/// Every output of the bundled Pulumi program, under the names that the program exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StackOutputs {
    /// Suffix of every resource name, and the stack's short name.
    pub environment_suffix: String,
    /// Region of the new stack.
    pub region: String,
    /// Region of the legacy stack.
    pub legacy_region: String,
    /// VPC of the new stack.
    pub vpc_id: String,
    /// Public subnets.
    pub public_subnet_ids: Vec<String>,
    /// Private subnets.
    pub private_subnet_ids: Vec<String>,
    /// ARN of the ALB; its tail is the metric dimension.
    pub alb_arn: String,
    /// DNS name of the ALB.
    pub alb_dns_name: String,
    /// Canonical hosted zone id of the ALB.
    pub alb_zone_id: String,
    /// ARN of the target group; its tail is the metric dimension.
    pub target_group_arn: String,
    /// ARN of the ECS cluster.
    pub ecs_cluster_arn: String,
    /// Name of the ECS cluster.
    pub ecs_cluster_name: String,
    /// Name of the ECS service.
    pub ecs_service_name: String,
    /// Repository to push the image to.
    pub ecr_repository_url: String,
    /// ARN of the Aurora cluster.
    pub aurora_cluster_arn: String,
    /// Identifier of the Aurora cluster.
    pub aurora_cluster_id: String,
    /// Writer endpoint.
    pub aurora_writer_endpoint: String,
    /// Reader endpoint.
    pub aurora_reader_endpoint: String,
    /// ARN of the DMS replication instance.
    pub dms_replication_instance_arn: String,
    /// Identifier of the DMS replication instance, the metric dimension.
    pub dms_replication_instance_id: String,
    /// ARN of the forward task; its last part is the metric dimension.
    pub dms_task_arn: String,
    /// ARN of the reverse task.
    pub dms_reverse_task_arn: String,
    /// ARN of the database secret. Never its value.
    pub db_secret_arn: String,
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
    /// Which database takes the writes.
    pub database_writer: Writer,
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
    /// What a stack has only where it is configured, or where a program of this version made it.
    #[serde(flatten)]
    pub identities: Identities,
}

/// Who logs in to which database, and from where; absent where it is not configured.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identities {
    /// Addresses that DMS and the tasks come from, for firewalls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nat_addresses: Vec<String>,
    /// `host:port` of every database that the tasks may write to, the expected writer first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub db_writer_hosts: Vec<String>,
    /// Host of the read-only endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_reader_host: Option<String>,
    /// Secret of the application's account on Aurora. Never its value; so for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_secret_arn: Option<String>,
    /// Secret of the application's read-only account on Aurora.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_read_only_secret_arn: Option<String>,
    /// Secret of DMS's account on Aurora.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dms_secret_arn: Option<String>,
    /// Secret of tapctl's account on Aurora.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tapctl_secret_arn: Option<String>,
    /// Secret of the application's account on the legacy database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legacy_app_secret_arn: Option<String>,
    /// Secret of tapctl's account on the legacy database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legacy_tapctl_secret_arn: Option<String>,
    /// Alarm on the lag of the forward stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dms_forward_lag_alarm_name: Option<String>,
    /// Alarm on the lag of the way back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dms_reverse_lag_alarm_name: Option<String>,
    /// Task definition of the one-off task that runs SQL on Aurora.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql_task_definition_arn: Option<String>,
    /// Security group that the SQL task runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
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

/// Reads keys one by one and remembers everything that is wrong on the way.
struct Reader {
    map: Map<String, Value>,
    error: OutputsError,
}

impl Reader {
    fn text(&mut self, key: &str) -> String {
        match self.map.remove(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => return text,
            Some(Value::String(_)) => self.error.mistyped.push(format!("{key} (empty)")),
            Some(_) => self.error.mistyped.push(format!("{key} (wants a string)")),
            None => self.error.missing.push(key.to_owned()),
        }
        String::new()
    }

    fn list(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.map.remove(key) else {
            self.error.missing.push(key.to_owned());
            return Vec::new();
        };
        let texts: Option<Vec<String>> =
            value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        texts.unwrap_or_else(|| {
            self.error.mistyped.push(format!("{key} (wants a list of strings)"));
            Vec::new()
        })
    }

    /// A key that may be absent; when it is there, it has to be right.
    fn optional<T>(&mut self, key: &str, read: impl FnOnce(&mut Self, &str) -> T) -> Option<T> {
        self.map.contains_key(key).then(|| read(self, key))
    }

    fn identities(&mut self) -> Identities {
        Identities {
            nat_addresses: self.optional("natAddresses", Self::list).unwrap_or_default(),
            db_writer_hosts: self.optional("dbWriterHosts", Self::list).unwrap_or_default(),
            db_reader_host: self.optional("dbReaderHost", Self::text),
            app_secret_arn: self.optional("appSecretArn", Self::arn),
            app_read_only_secret_arn: self.optional("appReadOnlySecretArn", Self::arn),
            dms_secret_arn: self.optional("dmsSecretArn", Self::arn),
            tapctl_secret_arn: self.optional("tapctlSecretArn", Self::arn),
            legacy_app_secret_arn: self.optional("legacyAppSecretArn", Self::arn),
            legacy_tapctl_secret_arn: self.optional("legacyTapctlSecretArn", Self::arn),
            dms_forward_lag_alarm_name: self.optional("dmsForwardLagAlarmName", Self::text),
            dms_reverse_lag_alarm_name: self.optional("dmsReverseLagAlarmName", Self::text),
            sql_task_definition_arn: self.optional("sqlTaskDefinitionArn", Self::arn),
            sql_security_group_id: self.optional("sqlSecurityGroupId", Self::text),
        }
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
    pub fn landmarks(&self) -> Vec<(&'static str, String)> {
        vec![
            ("hostedZoneId", self.hosted_zone_id.clone()),
            ("recordName", self.record_name.clone()),
            ("newSetIdentifier", self.new_set_identifier.clone()),
            ("albDnsName", self.alb_dns_name.clone()),
        ]
    }

    /// Reads the JSON of `pulumi stack output --json`. Keys that are not known are passed over.
    ///
    /// # Errors
    /// [`OutputsError`] names every key that is missing or mistyped.
    pub fn parse(text: &str) -> Result<Self, OutputsError> {
        let mut error = OutputsError { syntax: None, missing: Vec::new(), mistyped: Vec::new() };
        let map = match serde_json::from_str::<Value>(text) {
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
        let mut r = Reader { map, error };
        let outputs = Self {
            environment_suffix: r.text("environmentSuffix"),
            region: r.text("region"),
            legacy_region: r.text("legacyRegion"),
            vpc_id: r.text("vpcId"),
            public_subnet_ids: r.list("publicSubnetIds"),
            private_subnet_ids: r.list("privateSubnetIds"),
            alb_arn: r.arn("albArn"),
            alb_dns_name: r.text("albDnsName"),
            alb_zone_id: r.text("albZoneId"),
            target_group_arn: r.arn("targetGroupArn"),
            ecs_cluster_arn: r.arn("ecsClusterArn"),
            ecs_cluster_name: r.text("ecsClusterName"),
            ecs_service_name: r.text("ecsServiceName"),
            ecr_repository_url: r.text("ecrRepositoryUrl"),
            aurora_cluster_arn: r.arn("auroraClusterArn"),
            aurora_cluster_id: r.text("auroraClusterId"),
            aurora_writer_endpoint: r.text("auroraWriterEndpoint"),
            aurora_reader_endpoint: r.text("auroraReaderEndpoint"),
            dms_replication_instance_arn: r.arn("dmsReplicationInstanceArn"),
            dms_replication_instance_id: r.text("dmsReplicationInstanceId"),
            dms_task_arn: r.arn("dmsTaskArn"),
            dms_reverse_task_arn: r.arn("dmsReverseTaskArn"),
            db_secret_arn: r.arn("dbSecretArn"),
            hosted_zone_id: r.text("hostedZoneId"),
            record_name: r.text("recordName"),
            record_type: r.record_type("recordType"),
            legacy_set_identifier: r.text("legacySetIdentifier"),
            new_set_identifier: r.text("newSetIdentifier"),
            legacy_lb_name: r.text("legacyLbName"),
            legacy_lb_dns_name: r.text("legacyLbDnsName"),
            database_writer: r.writer("databaseWriter"),
            dashboard_name: r.text("dashboardName"),
            dashboard_url: r.text("dashboardUrl"),
            lag_alarm_name: r.text("lagAlarmName"),
            alarm_names: r.list("alarmNames"),
            log_group_names: r.list("logGroupNames"),
            identities: r.identities(),
        };
        if outputs.legacy_set_identifier == outputs.new_set_identifier && !outputs.new_set_identifier.is_empty() {
            r.error.mistyped.push("newSetIdentifier (is the same as legacySetIdentifier)".to_owned());
        }
        if r.error.missing.is_empty() && r.error.mistyped.is_empty() { Ok(outputs) } else { Err(r.error) }
    }

    /// The record group that these outputs name.
    #[must_use]
    pub fn group_key(&self) -> GroupKey {
        let zone = self.hosted_zone_id.rsplit('/').next().unwrap_or(&self.hosted_zone_id);
        GroupKey {
            zone_id: zone.to_owned(),
            name: format!("{}.", self.record_name.trim_end_matches('.')),
            rtype: self.record_type.clone(),
            legacy_id: self.legacy_set_identifier.clone(),
            new_id: self.new_set_identifier.clone(),
        }
    }

    /// Where the two stacks can be reached.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            legacy_dns: self.legacy_lb_dns_name.clone(),
            new: Some(NewEndpoint { dns: self.alb_dns_name.clone(), zone_id: self.alb_zone_id.clone() }),
            // After the write cutover a record that fails over by health would open the old stack for writes again.
            evaluate_health: self.database_writer == Writer::Legacy,
        }
    }

    /// The `LoadBalancer` dimension of the ALB's metrics: `app/name/id`, the tail of its ARN.
    #[must_use]
    pub fn alb_dimension(&self) -> &str {
        self.alb_arn.split_once(":loadbalancer/").map_or(&self.alb_arn, |(_, tail)| tail)
    }

    /// The `TargetGroup` dimension: `targetgroup/name/id`, the tail of its ARN.
    #[must_use]
    pub fn target_group_dimension(&self) -> &str {
        self.target_group_arn.rsplit(':').next().unwrap_or(&self.target_group_arn)
    }

    /// The `ReplicationTaskIdentifier` *dimension* of the forward task: the resource id at the end of its ARN, which is
    /// not the task's name (DMS user guide, "Monitoring").
    #[must_use]
    pub fn dms_task_dimension(&self) -> &str {
        self.dms_task_arn.rsplit(':').next().unwrap_or(&self.dms_task_arn)
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

    const FIXTURE: &str = include_str!("../../tests/fixtures/outputs.json");

    #[test]
    fn the_example_of_the_program_parses_and_nothing_of_it_is_passed_over() {
        let outputs = StackOutputs::parse(FIXTURE).unwrap();
        let read = serde_json::to_value(&outputs).unwrap();
        assert_eq!(read, serde_json::from_str::<Value>(FIXTURE).unwrap());
    }

    #[test]
    fn what_is_not_configured_may_be_absent_but_not_wrong() {
        let mut map: Map<String, Value> = serde_json::from_str(FIXTURE).unwrap();
        let known: Map<String, Value> = serde_json::to_value(StackOutputs::parse(FIXTURE).unwrap().identities)
            .unwrap()
            .as_object()
            .unwrap()
            .clone();
        assert_eq!(known.len(), 13, "the fixture shows every key once");
        map.retain(|key, _| !known.contains_key(key));
        let text = Value::Object(map.clone()).to_string();
        assert_eq!(StackOutputs::parse(&text).unwrap().identities, Identities::default());
        map.insert("dmsSecretArn".to_owned(), Value::from("no-arn"));
        map.insert("natAddresses".to_owned(), Value::from("54.200.0.1"));
        let error = StackOutputs::parse(&Value::Object(map).to_string()).unwrap_err();
        assert_eq!(error.mistyped, ["natAddresses (wants a list of strings)", "dmsSecretArn (wants an ARN)"]);
    }

    #[test]
    fn text_that_is_no_object_is_told_apart() {
        assert!(StackOutputs::parse("[]").unwrap_err().syntax.is_some());
        assert!(StackOutputs::parse("{").unwrap_err().syntax.is_some());
    }
}
