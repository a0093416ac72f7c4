//! DMS: the forward task with its instance, the reverse task, and the statistics of all tables.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_databasemigration::types::{Filter, ReplicationTask as SdkTask, ReplicationTaskStats, TableStatistics};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde::Deserialize;

use super::errors::{garbled, one_line};
use super::iam::AwsOperation;
use super::{Aws, stamp};
use crate::domain::replication::{Replication, ReplicationInstance, ReplicationTask, TableStat, TaskStatus};
use crate::ports::{ErrorKind, PortError};

/// Tables per page; DMS takes 20 to 500 (API reference), and 8 calls a second for the whole account.
const PAGE: i32 = 500;
/// Pages that are followed: 20,000 tables are far more than one task replicates well, and end a marker that never ends.
const MAX_PAGES: usize = 40;

impl Aws {
    pub(super) async fn replication(&self) -> Result<Replication, PortError> {
        let outputs = self.built()?;
        let (tasks, instance) = tokio::try_join!(self.replication_tasks(), self.replication_instance())?;
        let mut forward = None;
        let mut reverse = None;
        for task in tasks {
            let arn = task.replication_task_arn.clone().unwrap_or_default();
            if arn == outputs.replication.task_arn {
                forward = Some(task);
            } else if arn == outputs.replication.reverse_task_arn {
                reverse = task.status.as_deref().map(TaskStatus::parse);
            }
        }
        let Some(forward) = forward else {
            let text = format!("no replication task {}", outputs.replication.task_arn);
            return Err(PortError::new(ErrorKind::NotFound, AwsOperation::DescribeReplicationTasks.action(), text));
        };
        Ok(Replication { task: task_of(forward)?, instance, reverse })
    }

    async fn replication_tasks(&self) -> Result<Vec<SdkTask>, PortError> {
        let operation = AwsOperation::DescribeReplicationTasks;
        let outputs = self.built()?;
        let filter = filter_of(
            operation,
            "replication-task-arn",
            vec![outputs.replication.task_arn.clone(), outputs.replication.reverse_task_arn.clone()],
        )?;
        let answer = self
            .clients
            .dms
            .describe_replication_tasks()
            .filters(filter)
            .without_settings(true)
            .max_records(100)
            .send()
            .await
            .map_err(|e| self.failed(operation, &e))?;
        Ok(answer.replication_tasks.unwrap_or_default())
    }

    /// The instance; none when it is gone, which is no reason to know nothing of the task.
    async fn replication_instance(&self) -> Result<Option<ReplicationInstance>, PortError> {
        let operation = AwsOperation::DescribeReplicationInstances;
        let arn = self.built()?.replication.instance_arn.clone();
        let filter = filter_of(operation, "replication-instance-arn", vec![arn])?;
        let sent = self.clients.dms.describe_replication_instances().filters(filter).max_records(100).send().await;
        let instances = match sent {
            Ok(answer) => answer.replication_instances.unwrap_or_default(),
            Err(error) => {
                let error = self.failed(operation, &error);
                return if error.kind == ErrorKind::NotFound { Ok(None) } else { Err(error) };
            }
        };
        let arn = &self.built()?.replication.instance_arn;
        let ours = instances.into_iter().find(|found| found.replication_instance_arn.as_ref().is_none_or(|a| a == arn));
        Ok(ours.map(|instance| ReplicationInstance {
            id: instance.replication_instance_identifier.unwrap_or_default(),
            status: instance.replication_instance_status.unwrap_or_default(),
            class: instance.replication_instance_class.unwrap_or_default(),
        }))
    }

    pub(super) async fn tables(&self) -> Result<Vec<TableStat>, PortError> {
        let operation = AwsOperation::DescribeTableStatistics;
        let mut tables = Vec::new();
        let mut marker = None;
        for _ in 0..MAX_PAGES {
            let raw = Raw::default();
            let answer = self
                .clients
                .dms
                .describe_table_statistics()
                .replication_task_arn(&self.built()?.replication.task_arn)
                .max_records(PAGE)
                .set_marker(marker)
                .customize()
                .interceptor(raw.clone())
                .send()
                .await
                .map_err(|e| self.failed(operation, &e))?;
            let counters = raw.counters();
            for (index, table) in answer.table_statistics.unwrap_or_default().into_iter().enumerate() {
                let counters = counters.get(index).copied().unwrap_or_default();
                tables.push(
                    table_of(table, counters).ok_or_else(|| {
                        garbled(operation, "a table without its name or state, or with a count below 0")
                    })?,
                );
            }
            marker = answer.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(tables);
            }
        }
        Err(garbled(operation, &format!("more than {MAX_PAGES} pages of table statistics")))
    }
}

/// What DMS counts of a table's validation. The SDK reads a count that is missing as 0, which no validation may pass on.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Counters {
    #[serde(rename = "ValidationPendingRecords")]
    pending: Option<i64>,
    #[serde(rename = "ValidationFailedRecords")]
    failed: Option<i64>,
    #[serde(rename = "ValidationSuspendedRecords")]
    suspended: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Page {
    table_statistics: Vec<Counters>,
}

/// The body of an answer, as it came.
#[derive(Debug, Clone, Default)]
struct Raw(Arc<Mutex<Vec<u8>>>);

impl Raw {
    fn counters(&self) -> Vec<Counters> {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice::<Page>(&body).unwrap_or_default().table_statistics
    }
}

#[dyn_dispatch_hint]
impl Intercept for Raw {
    fn name(&self) -> &'static str {
        "raw table statistics"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}

fn filter_of(operation: AwsOperation, name: &str, values: Vec<String>) -> Result<Filter, PortError> {
    Filter::builder()
        .name(name)
        .set_values(Some(values))
        .build()
        .map_err(|e| PortError::new(ErrorKind::Other, operation.action(), one_line(&e.to_string())))
}

fn task_of(task: SdkTask) -> Result<ReplicationTask, PortError> {
    let Some(status) = task.status else {
        return Err(garbled(AwsOperation::DescribeReplicationTasks, "a replication task without a status"));
    };
    let operation = AwsOperation::DescribeReplicationTasks;
    let load = task.replication_task_stats;
    let of = |get: fn(&ReplicationTaskStats) -> i32| {
        let number = load.as_ref().map_or(0, get);
        u32::try_from(number).map_err(|_| garbled(operation, &format!("{number} tables")))
    };
    let said = |text: Option<String>| text.map(|words| one_line(&words)).filter(|words| !words.is_empty());
    // Beyond 0 to 100 it says nothing, least of all that the load is done.
    let percent =
        |load: &ReplicationTaskStats| u8::try_from(load.full_load_progress_percent).ok().filter(|p| *p <= 100);
    Ok(ReplicationTask {
        name: task.replication_task_identifier.unwrap_or_default(),
        status: TaskStatus::parse(&status),
        migration_type: task.migration_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        stop_reason: said(task.stop_reason),
        failure: said(task.last_failure_message),
        full_load_percent: load.as_ref().and_then(percent),
        tables_loaded: of(|l| l.tables_loaded)?,
        tables_loading: of(|l| l.tables_loading)?,
        tables_queued: of(|l| l.tables_queued)?,
        tables_errored: of(|l| l.tables_errored)?,
        started: load.as_ref().and_then(|l| l.start_date.as_ref()).map(stamp),
        stopped: load.as_ref().and_then(|l| l.stop_date.as_ref()).map(stamp),
    })
}

/// One table. A table that DMS does not validate has no validation state; the domain counts such a word as not proved.
fn table_of(table: TableStatistics, counters: Counters) -> Option<TableStat> {
    let sum = |parts: [i64; 3]| parts.into_iter().fold(0i64, i64::saturating_add);
    let applied = [table.applied_inserts, table.applied_updates, table.applied_deletes];
    let details = table.validation_state_details.map(|words| one_line(&words)).filter(|words| !words.is_empty());
    let counts = [
        table.full_load_rows,
        table.full_load_error_rows,
        table.inserts,
        table.updates,
        table.deletes,
        table.validation_pending_records,
        table.validation_failed_records,
        table.validation_suspended_records,
    ];
    if counts.into_iter().chain(applied.into_iter().flatten()).any(i64::is_negative) {
        return None;
    }
    Some(TableStat {
        schema: table.schema_name?,
        table: table.table_name?,
        state: table.table_state?,
        full_load_rows: table.full_load_rows,
        load_errors: table.full_load_error_rows,
        captured: sum([table.inserts, table.updates, table.deletes]),
        applied: applied.iter().any(Option::is_some).then(|| sum(applied.map(Option::unwrap_or_default))),
        validation: table.validation_state.unwrap_or_else(|| "Not enabled".to_owned()),
        validation_pending: counters.pending,
        validation_failed: counters.failed,
        validation_suspended: counters.suspended,
        validation_details: details,
        updated: table.last_update_time.as_ref().map(stamp),
    })
}
