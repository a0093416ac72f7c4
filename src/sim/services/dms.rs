//! DMS (JSON 1.1, 2016-01-01): tasks, the instance, table statistics, endpoints and their connections.

use jiff::Timestamp;
use serde_json::{Value, json as literal};

use crate::sim::names as n;
use crate::sim::wire::{ApiError, Call, Node, json, map};
use crate::sim::world::World;
use crate::sim::world::dms::{Table, TableState};
use crate::sim::world::stack::Part;

pub(crate) const OPERATIONS: &[&str] = &[
    "DescribeReplicationTasks",
    "DescribeReplicationInstances",
    "DescribeTableStatistics",
    "DescribeConnections",
    "DescribeEndpoints",
];

/// The schema that is replicated.
const SCHEMA: &str = "shop";

/// Answers a call.
pub(crate) fn handle(call: &Call, world: &World) -> Result<Node, ApiError> {
    let has = |part| call.region == n::NEW_REGION && world.stack.has(part);
    match call.operation.as_str() {
        "DescribeReplicationTasks" => {
            let tasks = [(Part::Task, forward as fn(&World, &Call) -> Item), (Part::ReverseTask, reverse)];
            let tasks = tasks.into_iter().filter(|(part, _)| has(*part)).map(|(_, item)| item(world, call)).collect();
            list(call, "ReplicationTasks", tasks, 100, "No Tasks found matching filter")
        }
        "DescribeReplicationInstances" => {
            let instances = if has(Part::Instance) { vec![instance(world)] } else { Vec::new() };
            list(call, "ReplicationInstances", instances, 100, "No Instances found matching filter")
        }
        "DescribeConnections" => {
            let connections = if has(Part::Endpoints) { vec![connection(true), connection(false)] } else { Vec::new() };
            list(call, "Connections", connections, 100, "No Connections found matching filter")
        }
        "DescribeEndpoints" => {
            let endpoints = if has(Part::Endpoints) { vec![endpoint(true), endpoint(false)] } else { Vec::new() };
            list(call, "Endpoints", endpoints, 100, "No Endpoints found matching filter")
        }
        _ => statistics(call, world, &has),
    }
}

/// An answer's item with the texts by which filters find it.
struct Item {
    filters: Vec<(&'static str, String)>,
    node: Node,
}

fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceNotFoundFault", message)
}

/// Filters and pages. Only a filter that finds nothing is an error; an account without resources lists none.
fn list(call: &Call, member: &'static str, items: Vec<Item>, most: i64, nothing: &str) -> Result<Node, ApiError> {
    let filters = json::list_of(&call.input, "Filters");
    let mut found = Vec::new();
    for item in items {
        if matches(filters, &item)? {
            found.push(item.node);
        }
    }
    if found.is_empty() && !filters.is_empty() {
        return Err(not_found(nothing));
    }
    let (page, marker) = page(call, found, most)?;
    let mut answer = map([(member, Node::List(page))]);
    answer.push_some("Marker", marker);
    Ok(answer)
}

fn matches(filters: &[Value], item: &Item) -> Result<bool, ApiError> {
    for filter in filters {
        let name = json::str_of(filter, "Name").unwrap_or_default();
        let values = json::strs_of(filter, "Values");
        let mut known = item.filters.iter().filter(|(known, _)| *known == name).peekable();
        if known.peek().is_none() {
            return Err(ApiError::new("InvalidParameterValueException", format!("Unsupported filter name: {name}")));
        }
        if !known.any(|(_, text)| values.contains(&text.as_str())) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// One page: `MaxRecords` is 100 unless given, at least 20 and at most what the operation allows.
fn page<T>(call: &Call, items: Vec<T>, most: i64) -> Result<(Vec<T>, Option<String>), ApiError> {
    let size = json::int_of(&call.input, "MaxRecords").unwrap_or(100);
    if !(20..=most).contains(&size) {
        let message = format!("Invalid value for MaxRecords: {size}. It must be between 20 and {most}");
        return Err(ApiError::new("InvalidParameterValueException", message));
    }
    let start = match json::str_of(&call.input, "Marker").filter(|marker| !marker.is_empty()) {
        None => 0,
        Some(marker) => marker
            .strip_prefix("marker-")
            .and_then(|start| start.parse::<usize>().ok())
            .ok_or_else(|| ApiError::new("InvalidParameterValueException", "The marker is not valid"))?,
    };
    let total = items.len();
    let size = usize::try_from(size).unwrap_or(20);
    let next = start.saturating_add(size);
    let page = items.into_iter().skip(start).take(size).collect();
    Ok((page, (next < total).then(|| format!("marker-{next}"))))
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

fn task_filters(name: &str, arn: &str, kind: &str) -> Vec<(&'static str, String)> {
    vec![
        ("replication-task-id", name.to_owned()),
        ("replication-task-arn", arn.to_owned()),
        ("migration-type", kind.to_owned()),
        ("endpoint-arn", n::DMS_SOURCE_ARN.to_owned()),
        ("endpoint-arn", n::DMS_TARGET_ARN.to_owned()),
        ("replication-instance-arn", n::DMS_INSTANCE_ARN.to_owned()),
    ]
}

fn forward(world: &World, call: &Call) -> Item {
    let (dms, now) = (&world.dms, world.second());
    let count = |state| dms.count(state);
    let mut stats = map([
        ("FullLoadProgressPercent", (dms.progress(now) as i64).into()),
        ("ElapsedTimeMillis", ((dms.load.finished.min(now) - dms.load.started) * 1_000).into()),
        ("TablesLoaded", count(TableState::Completed).into()),
        ("TablesLoading", count(TableState::Loading).into()),
        ("TablesQueued", count(TableState::BeforeLoad).into()),
        ("TablesErrored", count(TableState::Error).into()),
        ("FreshStartDate", time(dms.load.started).into()),
        ("StartDate", time(dms.load.started).into()),
        ("FullLoadStartDate", time(dms.load.started).into()),
    ]);
    if !dms.is_loading(now) {
        stats.push("FullLoadFinishDate", time(dms.load.finished));
    }
    let mut node =
        task(n::DMS_TASK, n::DMS_TASK_ARN, "full-load-and-cdc", (n::DMS_SOURCE_ARN, n::DMS_TARGET_ARN), world, call);
    node.push("Status", "running");
    node.push("ReplicationTaskStartDate", time(dms.load.started));
    node.push(
        "RecoveryCheckpoint",
        format!(
            "checkpoint:V1#27#mysql-bin-changelog.{:06}:{}:-1:0:0:0",
            now / 300 % 1_000_000,
            4 + now % 300 * 41_327
        ),
    );
    node.push("ReplicationTaskStats", stats);
    Item { filters: task_filters(n::DMS_TASK, n::DMS_TASK_ARN, "full-load-and-cdc"), node }
}

/// The way back: made, but never started.
fn reverse(world: &World, call: &Call) -> Item {
    let mut node =
        task(n::DMS_REVERSE_TASK, n::DMS_REVERSE_TASK_ARN, "cdc", (n::DMS_TARGET_ARN, n::DMS_SOURCE_ARN), world, call);
    node.push("Status", "ready");
    let zero = [
        "FullLoadProgressPercent",
        "ElapsedTimeMillis",
        "TablesLoaded",
        "TablesLoading",
        "TablesQueued",
        "TablesErrored",
    ];
    node.push("ReplicationTaskStats", map(zero.map(|name| (name, 0.into()))));
    Item { filters: task_filters(n::DMS_REVERSE_TASK, n::DMS_REVERSE_TASK_ARN, "cdc"), node }
}

fn task(name: &str, arn: &str, kind: &str, ends: (&str, &str), world: &World, call: &Call) -> Node {
    let mappings = literal!({"rules": [{
        "rule-type": "selection", "rule-id": "1", "rule-name": "1", "rule-action": "include",
        "object-locator": {"schema-name": SCHEMA, "table-name": "%"},
    }]});
    let settings = literal!({
        "TargetMetadata": {"SupportLobs": true, "FullLobMode": true, "BatchApplyEnabled": false},
        "FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING", "MaxFullLoadSubTasks": 8},
        "Logging": {"EnableLogging": true},
        "ControlTablesSettings": {"StatusTableEnabled": true, "SuspendedTablesTableEnabled": true, "historyTimeslotInMinutes": 5},
        "ValidationSettings": {"EnableValidation": true, "ThreadCount": 5},
        "ErrorBehavior": {"DataErrorPolicy": "SUSPEND_TABLE", "TableErrorPolicy": "SUSPEND_TABLE", "ApplyErrorInsertPolicy": "LOG_ERROR"},
    });
    let mut node = map([
        ("ReplicationTaskIdentifier", name.into()),
        ("ReplicationTaskArn", arn.into()),
        ("SourceEndpointArn", ends.0.into()),
        ("TargetEndpointArn", ends.1.into()),
        ("ReplicationInstanceArn", n::DMS_INSTANCE_ARN.into()),
        ("MigrationType", kind.into()),
        (
            "ReplicationTaskCreationDate",
            time(world.stack.since(if name == n::DMS_TASK { Part::Task } else { Part::ReverseTask })).into(),
        ),
        ("LastFailureMessage", "".into()),
    ]);
    if json::bool_of(&call.input, "WithoutSettings") != Some(true) {
        node.push("TableMappings", mappings.to_string());
        node.push("ReplicationTaskSettings", settings.to_string());
    }
    node
}

fn instance(world: &World) -> Item {
    let subnets = n::PRIVATE_SUBNETS.iter().zip(n::ZONES).map(|(subnet, zone)| {
        map([
            ("SubnetIdentifier", (*subnet).into()),
            ("SubnetAvailabilityZone", map([("Name", zone.into())])),
            ("SubnetStatus", "Active".into()),
        ])
    });
    let group = map([
        ("ReplicationSubnetGroupIdentifier", format!("migration-dms-subnets-{}", n::SUFFIX).into()),
        ("ReplicationSubnetGroupDescription", "Private subnets of the migration".into()),
        ("VpcId", n::VPC_ID.into()),
        ("SubnetGroupStatus", "Complete".into()),
        ("Subnets", Node::List(subnets.collect())),
    ]);
    let security = map([("VpcSecurityGroupId", "sg-0d4e5f60718293a4b".into()), ("Status", "active".into())]);
    let node = map([
        ("ReplicationInstanceIdentifier", n::DMS_INSTANCE.into()),
        ("ReplicationInstanceArn", n::DMS_INSTANCE_ARN.into()),
        ("ReplicationInstanceClass", "dms.t3.medium".into()),
        ("ReplicationInstanceStatus", "available".into()),
        ("AllocatedStorage", 100.into()),
        ("InstanceCreateTime", time(world.stack.since(Part::Instance)).into()),
        ("VpcSecurityGroups", Node::List(vec![security])),
        ("AvailabilityZone", n::ZONES[0].into()),
        ("ReplicationSubnetGroup", group),
        ("PreferredMaintenanceWindow", "sun:06:00-sun:14:00".into()),
        ("PendingModifiedValues", map([])),
        ("MultiAZ", false.into()),
        ("EngineVersion", "3.5.4".into()),
        ("AutoMinorVersionUpgrade", false.into()),
        ("ReplicationInstancePrivateIpAddress", "10.20.10.77".into()),
        ("ReplicationInstancePrivateIpAddresses", Node::list(["10.20.10.77"])),
        ("PubliclyAccessible", false.into()),
    ]);
    let filters = vec![
        ("replication-instance-id", n::DMS_INSTANCE.to_owned()),
        ("replication-instance-arn", n::DMS_INSTANCE_ARN.to_owned()),
        ("replication-instance-class", "dms.t3.medium".to_owned()),
        ("engine-version", "3.5.4".to_owned()),
    ];
    Item { filters, node }
}

/// Name and ARN of the source's or the target's endpoint.
const fn end(source: bool) -> (&'static str, &'static str) {
    if source { (n::DMS_SOURCE, n::DMS_SOURCE_ARN) } else { (n::DMS_TARGET, n::DMS_TARGET_ARN) }
}

fn connection(source: bool) -> Item {
    let (name, arn) = end(source);
    let node = map([
        ("ReplicationInstanceArn", n::DMS_INSTANCE_ARN.into()),
        ("ReplicationInstanceIdentifier", n::DMS_INSTANCE.into()),
        ("EndpointArn", arn.into()),
        ("EndpointIdentifier", name.into()),
        ("Status", "successful".into()),
    ]);
    let filters = vec![("endpoint-arn", arn.to_owned()), ("replication-instance-arn", n::DMS_INSTANCE_ARN.to_owned())];
    Item { filters, node }
}

fn endpoint(source: bool) -> Item {
    let (name, arn) = end(source);
    let (kind, engine, display) =
        if source { ("source", "mysql", "MySQL") } else { ("target", "aurora", "Amazon Aurora MySQL") };
    let secret = map([
        ("SecretsManagerSecretId", n::SECRET_ARN.into()),
        (
            "SecretsManagerAccessRoleArn",
            format!("arn:aws:iam::{}:role/migration-dms-secret-{}", n::ACCOUNT, n::SUFFIX).into(),
        ),
    ]);
    let node = map([
        ("EndpointIdentifier", name.into()),
        ("EndpointArn", arn.into()),
        ("EndpointType", kind.into()),
        ("EngineName", engine.into()),
        ("EngineDisplayName", display.into()),
        ("Status", "active".into()),
        ("SslMode", "none".into()),
        ("MySQLSettings", secret),
    ]);
    let filters = vec![
        ("endpoint-arn", arn.to_owned()),
        ("endpoint-id", name.to_owned()),
        ("endpoint-type", kind.to_owned()),
        ("engine-name", engine.to_owned()),
    ];
    Item { filters, node }
}

fn statistics(call: &Call, world: &World, has: &dyn Fn(Part) -> bool) -> Result<Node, ApiError> {
    let arn = json::str_of(&call.input, "ReplicationTaskArn").unwrap_or_default();
    let tables = match arn {
        n::DMS_TASK_ARN if has(Part::Task) => world.dms.tables.iter().map(|table| table_item(table, world)).collect(),
        n::DMS_REVERSE_TASK_ARN if has(Part::ReverseTask) => Vec::new(),
        _ => return Err(not_found(format!("Replication task {arn} not found"))),
    };
    let filters = json::list_of(&call.input, "Filters");
    let mut found = Vec::new();
    for item in tables {
        if matches(filters, &item)? {
            found.push(item.node);
        }
    }
    let (page, marker) = page(call, found, 500)?;
    let mut answer = map([("ReplicationTaskArn", arn.into()), ("TableStatistics", Node::List(page))]);
    answer.push_some("Marker", marker);
    Ok(answer)
}

fn table_item(table: &Table, world: &World) -> Item {
    let count = |value: f64| Node::Int(value as i64);
    let ([inserts, updates, deletes], [applied_inserts, applied_updates, applied_deletes]) =
        (table.captured, table.applied);
    let state = table.state.name();
    let mut node = map([
        ("SchemaName", SCHEMA.into()),
        ("TableName", table.name.into()),
        ("Inserts", count(inserts)),
        ("Updates", count(updates)),
        ("Deletes", count(deletes)),
        ("Ddls", 0.into()),
        ("AppliedInserts", count(applied_inserts)),
        ("AppliedUpdates", count(applied_updates)),
        ("AppliedDeletes", count(applied_deletes)),
        ("AppliedDdls", 0.into()),
        ("FullLoadRows", table.loaded.into()),
        ("FullLoadCondtnlChkFailedRows", 0.into()),
        ("FullLoadErrorRows", 0.into()),
        ("FullLoadReloaded", false.into()),
        ("LastUpdateTime", time(world.second() - world.second().rem_euclid(30)).into()),
        ("TableState", state.into()),
        ("ValidationPendingRecords", table.unchecked.into()),
        ("ValidationFailedRecords", table.mismatched.into()),
        ("ValidationSuspendedRecords", 0.into()),
        ("ValidationState", table.validation().into()),
    ]);
    if table.state != TableState::BeforeLoad {
        node.push("FullLoadStartTime", time(world.dms.load.started));
    }
    if table.state == TableState::Completed {
        node.push("FullLoadEndTime", time(world.dms.load.finished.min(world.second())));
    }
    if table.mismatched > 0 {
        node.push("ValidationStateDetails", "Some records in the table don't match between the source and target.");
    }
    let filters = vec![
        ("schema-name", SCHEMA.to_owned()),
        ("table-name", table.name.to_owned()),
        ("table-state", state.to_owned()),
    ];
    Item { filters, node }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::sim::wire::{Protocol, Service};

    fn call(input: Value) -> Call {
        let (service, protocol) = (Service::Dms, Protocol::Json11);
        let (region, operation) = (n::NEW_REGION.to_owned(), String::new());
        Call { service, region, protocol, operation, input, body: Bytes::new() }
    }

    #[test]
    fn pages_follow_each_other_without_loss() {
        let items: Vec<usize> = (0..45).collect();
        let (first, marker) = page(&call(literal!({"MaxRecords": 20})), items.clone(), 500).unwrap();
        let (second, marker) =
            page(&call(literal!({"MaxRecords": 20, "Marker": marker.unwrap()})), items.clone(), 500).unwrap();
        let (third, marker) =
            page(&call(literal!({"MaxRecords": 20, "Marker": marker.unwrap()})), items.clone(), 500).unwrap();
        assert_eq!([first, second, third].concat(), items);
        assert_eq!(marker, None);
    }

    #[test]
    fn page_sizes_and_markers_have_bounds() {
        for input in [literal!({"MaxRecords": 19}), literal!({"MaxRecords": 501}), literal!({"Marker": "x"})] {
            assert!(page(&call(input.clone()), vec![0], 500).is_err(), "{input}");
        }
    }
}
