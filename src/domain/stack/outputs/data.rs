//! The tiers that keep data: database, replication, and the accounts on both databases.

use super::reader::OutputsReader;
use crate::domain::service::Writer;

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

impl DatabaseOutputs {
    pub(super) fn read(r: &mut OutputsReader) -> Self {
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

impl ReplicationOutputs {
    pub(super) fn read(r: &mut OutputsReader) -> Self {
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

impl IdentityOutputs {
    pub(super) fn read(r: &mut OutputsReader) -> Self {
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
