//! ECS (JSON 1.1, 2014-11-13): the cluster, its one service and the tasks.

use jiff::Timestamp;

use crate::sim::names as n;
use crate::sim::wire::{ApiError, Call, Node, json, map};
use crate::sim::world::World;
use crate::sim::world::fargate::{Deployment, Rollout, TargetState, Task};
use crate::sim::world::stack::Part;

pub(crate) const OPERATIONS: &[&str] = &["DescribeClusters", "DescribeServices", "ListTasks", "DescribeTasks"];

/// Most services and tasks that can be described in one call.
const MAX_SERVICES: usize = 10;
const MAX_TASKS: usize = 100;

/// Answers a call.
pub(crate) fn handle(call: &Call, world: &World) -> Result<Node, ApiError> {
    match call.operation.as_str() {
        "DescribeClusters" => Ok(clusters(call, world)),
        "DescribeServices" => services(call, world),
        "ListTasks" => list_tasks(call, world),
        _ => tasks(call, world),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

fn failure(region: &str, kind: &str, name: &str) -> Node {
    let arn = if name.starts_with("arn:") {
        name.to_owned()
    } else {
        format!("arn:aws:ecs:{region}:{}:{kind}/{name}", n::ACCOUNT)
    };
    map([("arn", arn.into()), ("reason", "MISSING".into())])
}

fn is_cluster(world: &World, region: &str, name: &str) -> bool {
    region == n::NEW_REGION && world.stack.has(Part::Cluster) && (name == n::CLUSTER_NAME || name == n::CLUSTER_ARN)
}

fn is_service(world: &World, name: &str) -> bool {
    world.stack.has(Part::Service) && (name == n::SERVICE_NAME || name == n::SERVICE_ARN)
}

fn cluster(call: &Call, world: &World) -> Result<(), ApiError> {
    let name = json::str_of(&call.input, "cluster").unwrap_or("default");
    if is_cluster(world, &call.region, name) {
        Ok(())
    } else {
        Err(ApiError::new("ClusterNotFoundException", "Cluster not found."))
    }
}

fn clusters(call: &Call, world: &World) -> Node {
    let names = json::strs_of(&call.input, "clusters");
    let names = if names.is_empty() { vec!["default"] } else { names };
    let (found, missing): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| is_cluster(world, &call.region, name));
    let now = world.second();
    let node = || {
        map([
            ("clusterArn", n::CLUSTER_ARN.into()),
            ("clusterName", n::CLUSTER_NAME.into()),
            ("status", "ACTIVE".into()),
            ("registeredContainerInstancesCount", 0.into()),
            ("runningTasksCount", world.fargate.running(now).into()),
            ("pendingTasksCount", world.fargate.pending(now).into()),
            ("activeServicesCount", usize::from(world.stack.has(Part::Service)).into()),
            ("statistics", Node::List(Vec::new())),
            ("tags", Node::List(Vec::new())),
            ("settings", Node::List(vec![map([("name", "containerInsights".into()), ("value", "enabled".into())])])),
            ("capacityProviders", Node::list(["FARGATE", "FARGATE_SPOT"])),
            ("defaultCapacityProviderStrategy", Node::List(Vec::new())),
        ])
    };
    let failures = missing.into_iter().map(|name| failure(&call.region, "cluster", name)).collect();
    map([("clusters", Node::List(found.iter().map(|_| node()).collect())), ("failures", Node::List(failures))])
}

fn services(call: &Call, world: &World) -> Result<Node, ApiError> {
    cluster(call, world)?;
    let names = json::strs_of(&call.input, "services");
    if names.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if names.len() > MAX_SERVICES {
        return Err(invalid(format!("Services cannot be more than {MAX_SERVICES}.")));
    }
    let (found, missing): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| is_service(world, name));
    let of = |name: &str| failure(&call.region, &format!("service/{}", n::CLUSTER_NAME), name);
    let failures = missing.into_iter().map(of).collect();
    Ok(map([
        ("services", Node::List(found.iter().map(|_| service(world)).collect())),
        ("failures", Node::List(failures)),
    ]))
}

fn network() -> Node {
    let vpc = map([
        ("subnets", Node::list(n::PRIVATE_SUBNETS)),
        ("securityGroups", Node::list(["sg-0c3d4e5f60718293a"])),
        ("assignPublicIp", "DISABLED".into()),
    ]);
    map([("awsvpcConfiguration", vpc)])
}

fn definition(revision: u32) -> String {
    format!("{}:{revision}", n::TASK_FAMILY_ARN)
}

fn service(world: &World) -> Node {
    let (fargate, now) = (&world.fargate, world.second());
    let primary = fargate.deployments.first();
    let created = fargate.deployments.last().map_or(now, |deployment| deployment.created);
    let balancer = map([
        ("targetGroupArn", n::TARGET_GROUP_ARN.into()),
        ("containerName", "app".into()),
        ("containerPort", 8080.into()),
    ]);
    let events = fargate.events.iter().map(|event| {
        map([
            ("id", event.id.as_str().into()),
            ("createdAt", time(event.at).into()),
            ("message", event.message.as_str().into()),
        ])
    });
    let breaker = map([("enable", true.into()), ("rollback", false.into())]);
    let configuration = map([
        ("deploymentCircuitBreaker", breaker),
        ("maximumPercent", 200.into()),
        ("minimumHealthyPercent", 100.into()),
    ]);
    map([
        ("serviceArn", n::SERVICE_ARN.into()),
        ("serviceName", n::SERVICE_NAME.into()),
        ("clusterArn", n::CLUSTER_ARN.into()),
        ("loadBalancers", Node::List(vec![balancer])),
        ("serviceRegistries", Node::List(Vec::new())),
        ("status", "ACTIVE".into()),
        ("desiredCount", fargate.desired.into()),
        ("runningCount", fargate.running(now).into()),
        ("pendingCount", fargate.pending(now).into()),
        ("launchType", "FARGATE".into()),
        ("platformVersion", "LATEST".into()),
        ("platformFamily", "Linux".into()),
        ("taskDefinition", definition(primary.map_or(1, |primary| primary.revision)).into()),
        ("deploymentConfiguration", configuration),
        (
            "deployments",
            Node::List(
                fargate.deployments.iter().enumerate().map(|(index, one)| deployment(world, one, index == 0)).collect(),
            ),
        ),
        (
            "roleArn",
            format!("arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", n::ACCOUNT).into(),
        ),
        ("events", Node::List(events.collect())),
        ("createdAt", time(created).into()),
        ("placementConstraints", Node::List(Vec::new())),
        ("placementStrategy", Node::List(Vec::new())),
        ("networkConfiguration", network()),
        ("healthCheckGracePeriodSeconds", 60.into()),
        ("schedulingStrategy", "REPLICA".into()),
        ("deploymentController", map([("type", "ECS".into())])),
        ("enableECSManagedTags", true.into()),
        ("propagateTags", "SERVICE".into()),
        ("enableExecuteCommand", false.into()),
    ])
}

fn deployment(world: &World, deployment: &Deployment, primary: bool) -> Node {
    let now = world.second();
    let mine = |task: &&Task| task.revision == deployment.revision;
    let running = world.fargate.live().filter(mine).filter(|task| task.is_running(now)).count();
    let pending = world.fargate.live().filter(mine).filter(|task| !task.is_running(now)).count();
    let rollout = if primary { deployment.rollout } else { Rollout::Completed };
    let reason = match rollout {
        Rollout::InProgress => format!("ECS deployment {} in progress.", deployment.id),
        Rollout::Completed => format!("ECS deployment {} completed.", deployment.id),
        Rollout::Failed => format!("ECS deployment {} failed: alarm detected.", deployment.id),
    };
    map([
        ("id", deployment.id.as_str().into()),
        ("status", if primary { "PRIMARY" } else { "ACTIVE" }.into()),
        ("taskDefinition", definition(deployment.revision).into()),
        ("desiredCount", if primary { world.fargate.desired } else { 0 }.into()),
        ("pendingCount", pending.into()),
        ("runningCount", running.into()),
        ("failedTasks", deployment.failed_tasks.into()),
        ("createdAt", time(deployment.created).into()),
        ("updatedAt", time(deployment.updated).into()),
        ("launchType", "FARGATE".into()),
        ("platformVersion", "1.4.0".into()),
        ("platformFamily", "Linux".into()),
        ("networkConfiguration", network()),
        ("rolloutState", rollout.name().into()),
        ("rolloutStateReason", reason.into()),
    ])
}

fn task_arn(task: &Task) -> String {
    format!("arn:aws:ecs:{}:{}:task/{}/{}", n::NEW_REGION, n::ACCOUNT, n::CLUSTER_NAME, task.id)
}

fn list_tasks(call: &Call, world: &World) -> Result<Node, ApiError> {
    cluster(call, world)?;
    let input = &call.input;
    if let Some(name) = json::str_of(input, "serviceName")
        && !is_service(world, name)
    {
        return Err(ApiError::new("ServiceNotFoundException", "Service not found."));
    }
    let status = json::str_of(input, "desiredStatus").unwrap_or("RUNNING");
    if !["RUNNING", "PENDING", "STOPPED"].contains(&status) {
        return Err(invalid(format!("Unknown desired status: {status}")));
    }
    let size = json::int_of(input, "maxResults").unwrap_or(100);
    if !(1..=100).contains(&size) {
        return Err(invalid("maxResults must be between 1 and 100."));
    }
    let start = match json::str_of(input, "nextToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => token
            .strip_prefix("tasks-")
            .and_then(|start| start.parse::<usize>().ok())
            .ok_or_else(|| invalid("Invalid token."))?,
    };
    let now = world.second();
    let found: Vec<&Task> = world.fargate.tasks.iter().filter(|task| task.desired_status(now) == status).collect();
    let size = usize::try_from(size).unwrap_or(1);
    let next = start.saturating_add(size);
    let mut answer = map([(
        "taskArns",
        Node::List(found.iter().skip(start).take(size).map(|task| task_arn(task).into()).collect()),
    )]);
    answer.push_some("nextToken", (next < found.len()).then(|| format!("tasks-{next}")));
    Ok(answer)
}

fn tasks(call: &Call, world: &World) -> Result<Node, ApiError> {
    cluster(call, world)?;
    let names = json::strs_of(&call.input, "tasks");
    if names.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if names.len() > MAX_TASKS {
        return Err(invalid(format!("Tasks cannot be more than {MAX_TASKS}.")));
    }
    let find = |name: &&str| world.fargate.tasks.iter().find(|task| task.id == **name || task_arn(task) == **name);
    let found = names.iter().filter_map(find).map(|task| task_node(task, world.second())).collect();
    let missing = names.iter().filter(|name| find(name).is_none());
    let failures = missing.map(|name| failure(&call.region, &format!("task/{}", n::CLUSTER_NAME), name)).collect();
    Ok(map([("tasks", Node::List(found)), ("failures", Node::List(failures))]))
}

/// A task's network interface.
fn interface_node(task: &Task, status: &str) -> Node {
    let details = [("subnetId", n::PRIVATE_SUBNETS[task.zone % 3]), ("privateIPv4Address", task.ip.as_str())];
    let details = details.map(|(name, value)| map([("name", name.into()), ("value", value.into())]));
    map([
        ("id", format!("eni-{}", &task.id[..17.min(task.id.len())]).into()),
        ("type", "ElasticNetworkInterface".into()),
        ("status", if status == "STOPPED" { "DELETED" } else { "ATTACHED" }.into()),
        ("details", Node::List(details.to_vec())),
    ])
}

/// A task's one container.
fn container_node(task: &Task, now: i64, status: &str, health: &'static str) -> Node {
    let arn = task_arn(task);
    let mut container = map([
        ("containerArn", format!("{}/app", arn.replace(":task/", ":container/")).into()),
        ("taskArn", arn.as_str().into()),
        ("name", "app".into()),
        ("image", format!("{}:r{}", n::REPOSITORY_URL, task.revision).into()),
        (
            "lastStatus",
            if status == "STOPPED" {
                "STOPPED"
            } else if now >= task.running {
                "RUNNING"
            } else {
                "PENDING"
            }
            .into(),
        ),
        ("healthStatus", health.into()),
        ("networkInterfaces", Node::List(vec![map([("privateIpv4Address", task.ip.as_str().into())])])),
    ]);
    if status == "STOPPED" {
        container.push("exitCode", 137);
    }
    container
}

fn task_node(task: &Task, now: i64) -> Node {
    let arn = task_arn(task);
    let status = task.last_status(now);
    let health = match task.target(now) {
        Some(TargetState::Healthy | TargetState::Draining) => "HEALTHY",
        Some(TargetState::Unhealthy) => "UNHEALTHY",
        _ => "UNKNOWN",
    };
    let mut node = map([
        ("taskArn", arn.as_str().into()),
        ("clusterArn", n::CLUSTER_ARN.into()),
        ("taskDefinitionArn", definition(task.revision).into()),
        ("group", format!("service:{}", n::SERVICE_NAME).into()),
        ("availabilityZone", n::ZONES[task.zone % 3].into()),
        ("lastStatus", status.into()),
        ("desiredStatus", task.desired_status(now).into()),
        ("healthStatus", health.into()),
        ("launchType", "FARGATE".into()),
        ("platformVersion", "1.4.0".into()),
        ("cpu", "1024".into()),
        ("memory", "2048".into()),
        ("createdAt", time(task.created).into()),
        ("containers", Node::List(vec![container_node(task, now, status, health)])),
        ("attachments", Node::List(vec![interface_node(task, status)])),
        ("tags", Node::List(Vec::new())),
        ("version", 3.into()),
    ]);
    if now >= task.running {
        node.push("connectivity", "CONNECTED");
        node.push("startedAt", time(task.running));
    }
    if let Some((since, reason)) = task.stopping.filter(|(since, _)| now >= *since) {
        node.push("stopCode", "ServiceSchedulerInitiated");
        node.push("stoppedReason", reason);
        node.push("stoppingAt", time(since));
    }
    node.push_some("stoppedAt", task.stopped.map(time));
    node
}
