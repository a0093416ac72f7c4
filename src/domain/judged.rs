//! Who judges what is read: every fact that an adapter brings, and the gate that does not pass when it is bad.
//!
//! Pure. A fact that is in hand and that nobody judges is how a full disk of the replication instance once stood beside
//! a green tick. Tests hold this table against the facts themselves, in both directions, and against the gates.

use super::gate::GateId;

/// Who judges a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judge {
    /// This gate does not pass when the fact is bad.
    Gate(GateId),
    /// A bad value is told among the problems and blocks no step.
    Problem,
    /// No value of it is bad by itself; why.
    Shown(&'static str),
}

use Judge::{Gate, Problem, Shown};

const NAME: Judge = Shown("a name");
const AGE: Judge = Shown("an instant that is told beside the state it belongs to");
const LOAD: Judge = Shown("a load; what is too much is judged by the errors and the latency that it makes");
const WORDS: Judge = Shown("words that stand in the sentence about the state they explain");

/// Every fact and its judge. A fact goes by its field, a metric by its name.
pub const TABLE: &[(&str, Judge)] = &[
    ("task.name", NAME),
    ("task.status", Gate(GateId::ReplicationTask)),
    ("task.migration_type", Gate(GateId::ReplicationTask)),
    ("task.stop_reason", Gate(GateId::ReplicationTask)),
    ("task.failure", Gate(GateId::ReplicationTask)),
    ("task.full_load_percent", Gate(GateId::ReplicationTask)),
    ("task.tables_loaded", Gate(GateId::ReplicationTask)),
    ("task.tables_loading", Gate(GateId::ReplicationTask)),
    ("task.tables_queued", Gate(GateId::ReplicationTask)),
    ("task.tables_errored", Gate(GateId::ReplicationTask)),
    ("task.started", Shown("tells whether a stop or a failure is over")),
    ("task.stopped", Shown("tells whether a stop or a failure is over")),
    ("instance.id", NAME),
    ("instance.status", Gate(GateId::ReplicationTask)),
    ("instance.class", NAME),
    ("reverse", Gate(GateId::ReplicationTask)),
    ("table.schema", NAME),
    ("table.table", NAME),
    ("table.state", Gate(GateId::Tables)),
    ("table.full_load_rows", Shown("nobody here knows how many rows there should be")),
    ("table.load_errors", Gate(GateId::Tables)),
    ("table.captured", Shown("what waits to be applied is judged by the lag that it makes")),
    ("table.applied", Shown("what waits to be applied is judged by the lag that it makes")),
    ("table.validation", Gate(GateId::Validation)),
    ("table.validation_pending", Gate(GateId::Validation)),
    ("table.validation_failed", Gate(GateId::Validation)),
    ("table.validation_suspended", Gate(GateId::Validation)),
    ("table.validation_details", WORDS),
    (
        "table.updated",
        Shown("the API reference says of the table, the guide of its statistics: its age proves nothing"),
    ),
    ("service.name", NAME),
    ("service.status", Gate(GateId::Service)),
    ("service.desired", Gate(GateId::Service)),
    ("service.running", Gate(GateId::Service)),
    ("service.pending", Gate(GateId::Service)),
    ("service.deployments", Gate(GateId::Service)),
    ("service.events", WORDS),
    ("service.tasks", Gate(GateId::Service)),
    ("deployment.status", Gate(GateId::Service)),
    ("deployment.rollout", Gate(GateId::Service)),
    ("deployment.reason", Gate(GateId::Service)),
    ("deployment.desired", Gate(GateId::Service)),
    ("deployment.running", Gate(GateId::Service)),
    ("deployment.pending", Gate(GateId::Service)),
    ("deployment.failed", Gate(GateId::Service)),
    ("deployment.task_definition", NAME),
    ("deployment.created", AGE),
    ("ecs_task.id", NAME),
    ("ecs_task.address", NAME),
    ("ecs_task.zone", NAME),
    ("ecs_task.status", Gate(GateId::Service)),
    ("ecs_task.health", Gate(GateId::Service)),
    ("ecs_task.started", AGE),
    ("target.id", NAME),
    ("target.zone", NAME),
    ("target.state", Gate(GateId::Targets)),
    ("target.reason", WORDS),
    ("legacy_host.id", NAME),
    ("legacy_host.zone", NAME),
    ("legacy_host.state", Gate(GateId::Targets)),
    ("legacy_host.reason", WORDS),
    ("alarm.name", NAME),
    ("alarm.side", NAME),
    ("alarm.state", Gate(GateId::Alarms)),
    ("alarm.since", AGE),
    ("alarm.reason", WORDS),
    ("alarm.silenced", Gate(GateId::Alarms)),
    ("alarm.evaluation", Gate(GateId::Alarms)),
    ("change.id", NAME),
    ("change.status", Gate(GateId::DnsSettled)),
    ("change.at", AGE),
    ("identity.account", NAME),
    ("identity.arn", NAME),
    ("lag_source", Gate(GateId::ReplicationLag)),
    ("lag_target", Gate(GateId::ReplicationLag)),
    ("rows_source", Gate(GateId::ReplicationLag)),
    ("rows_target", Gate(GateId::ReplicationLag)),
    ("backlog", Gate(GateId::ReplicationLag)),
    ("service_cpu", LOAD),
    ("service_memory", LOAD),
    ("new_requests", Gate(GateId::Errors)),
    ("new_target5xx", Gate(GateId::Errors)),
    ("new_elb5xx", Gate(GateId::Errors)),
    ("new_latency", Gate(GateId::Latency)),
    ("new_healthy", Gate(GateId::Targets)),
    ("new_unhealthy", Gate(GateId::Targets)),
    ("aurora_cpu", LOAD),
    ("aurora_connections", LOAD),
    ("aurora_replica_lag", Shown("inside the cluster; it says nothing about DMS")),
    ("legacy_requests", Gate(GateId::Errors)),
    ("legacy_backend5xx", Gate(GateId::Errors)),
    ("legacy_elb5xx", Gate(GateId::Errors)),
    ("legacy_latency", Gate(GateId::Latency)),
    ("legacy_healthy", Problem),
    ("legacy_unhealthy", Problem),
    ("rds_cpu", LOAD),
    ("rds_connections", LOAD),
];

#[cfg(test)]
#[path = "judged_tests.rs"]
mod tests;
