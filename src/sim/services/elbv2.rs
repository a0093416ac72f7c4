//! ELBv2 (Query, 2015-12-01): the Application Load Balancer, its target group and the health of its targets.

use jiff::Timestamp;

use crate::sim::names as n;
use crate::sim::wire::{ApiError, Call, Node, json, map};
use crate::sim::world::World;
use crate::sim::world::fargate::{TargetState, Task};
use crate::sim::world::stack::Part;

pub(crate) const OPERATIONS: &[&str] = &["DescribeLoadBalancers", "DescribeTargetGroups", "DescribeTargetHealth"];

/// Answers a call.
pub(crate) fn handle(call: &Call, world: &World) -> Result<Node, ApiError> {
    match call.operation.as_str() {
        "DescribeLoadBalancers" => balancers(call, world),
        "DescribeTargetGroups" => groups(call, world),
        _ => health(call, world),
    }
}

/// Whether something is asked for: everything is, unless it is named; a name that is not known is an error.
fn asked(
    call: &Call,
    exists: bool,
    lists: [(&str, &str); 2],
    missing: &dyn Fn(&str) -> ApiError,
) -> Result<bool, ApiError> {
    let here = exists && call.region == n::NEW_REGION;
    let mut named = false;
    for (member, known) in lists {
        for name in json::strs_of(&call.input, member) {
            if !here || name != known {
                return Err(missing(name));
            }
            named = true;
        }
    }
    Ok(named || here)
}

fn balancers(call: &Call, world: &World) -> Result<Node, ApiError> {
    let missing = |name: &str| ApiError::new("LoadBalancerNotFound", format!("Load balancers '[{name}]' not found"));
    let exists = world.stack.has(Part::Balancer);
    let asked = asked(call, exists, [("LoadBalancerArns", n::ALB_ARN), ("Names", n::ALB_NAME)], &missing)?;
    let zones = n::ZONES.iter().zip(n::PUBLIC_SUBNETS).map(|(zone, subnet)| {
        map([
            ("ZoneName", (*zone).into()),
            ("SubnetId", subnet.into()),
            ("LoadBalancerAddresses", Node::List(Vec::new())),
        ])
    });
    let node = map([
        ("LoadBalancerArn", n::ALB_ARN.into()),
        ("DNSName", n::ALB_DNS.into()),
        ("CanonicalHostedZoneId", n::ALB_ZONE.into()),
        ("CreatedTime", Timestamp::from_second(world.stack.since(Part::Balancer)).unwrap_or_default().into()),
        ("LoadBalancerName", n::ALB_NAME.into()),
        ("Scheme", "internet-facing".into()),
        ("VpcId", n::VPC_ID.into()),
        ("State", map([("Code", "active".into())])),
        ("Type", "application".into()),
        ("AvailabilityZones", Node::List(zones.collect())),
        ("SecurityGroups", Node::list(["sg-0b2c3d4e5f6071829"])),
        ("IpAddressType", "ipv4".into()),
    ]);
    Ok(map([("LoadBalancers", Node::List(if asked { vec![node] } else { Vec::new() }))]))
}

fn groups(call: &Call, world: &World) -> Result<Node, ApiError> {
    if let Some(arn) = json::str_of(&call.input, "LoadBalancerArn")
        && (call.region != n::NEW_REGION || arn != n::ALB_ARN || !world.stack.has(Part::Balancer))
    {
        return Err(ApiError::new("LoadBalancerNotFound", format!("Load balancer '{arn}' not found")));
    }
    let missing = |name: &str| group_missing(&format!("Target groups '{name}' not found"));
    let exists = world.stack.has(Part::TargetGroup);
    let asked =
        asked(call, exists, [("TargetGroupArns", n::TARGET_GROUP_ARN), ("Names", n::TARGET_GROUP_NAME)], &missing)?;
    let node = map([
        ("TargetGroupArn", n::TARGET_GROUP_ARN.into()),
        ("TargetGroupName", n::TARGET_GROUP_NAME.into()),
        ("Protocol", "HTTP".into()),
        ("Port", 8080.into()),
        ("VpcId", n::VPC_ID.into()),
        ("HealthCheckProtocol", "HTTP".into()),
        ("HealthCheckPort", "traffic-port".into()),
        ("HealthCheckEnabled", true.into()),
        ("HealthCheckIntervalSeconds", 30.into()),
        ("HealthCheckTimeoutSeconds", 5.into()),
        ("HealthyThresholdCount", 2.into()),
        ("UnhealthyThresholdCount", 2.into()),
        ("HealthCheckPath", "/health".into()),
        ("Matcher", map([("HttpCode", "200".into())])),
        ("LoadBalancerArns", Node::list(world.stack.has(Part::Balancer).then_some(n::ALB_ARN))),
        ("TargetType", "ip".into()),
        ("ProtocolVersion", "HTTP1".into()),
        ("IpAddressType", "ipv4".into()),
    ]);
    Ok(map([("TargetGroups", Node::List(if asked { vec![node] } else { Vec::new() }))]))
}

fn group_missing(message: &str) -> ApiError {
    ApiError::new("TargetGroupNotFound", message)
}

fn health(call: &Call, world: &World) -> Result<Node, ApiError> {
    let arn = json::str_of(&call.input, "TargetGroupArn").unwrap_or_default();
    if call.region != n::NEW_REGION || arn != n::TARGET_GROUP_ARN || !world.stack.has(Part::TargetGroup) {
        return Err(group_missing(&format!("Target groups '{arn}' not found")));
    }
    let now = world.second();
    let registered: Vec<(&Task, TargetState)> =
        world.fargate.tasks.iter().filter_map(|task| Some((task, task.target(now)?))).collect();
    let wanted: Vec<&str> =
        json::list_of(&call.input, "Targets").iter().filter_map(|target| json::str_of(target, "Id")).collect();
    let mut nodes: Vec<Node> = registered
        .iter()
        .filter(|(task, _)| wanted.is_empty() || wanted.contains(&task.ip.as_str()))
        .map(|(task, state)| target(&task.ip, Some(n::ZONES[task.zone % 3]), health_node(Some(*state))))
        .collect();
    // A target that was asked for by name and is not registered is answered as unused, not left out.
    for id in wanted.into_iter().filter(|id| !registered.iter().any(|(task, _)| task.ip == *id)) {
        nodes.push(target(id, None, health_node(None)));
    }
    Ok(map([("TargetHealthDescriptions", Node::List(nodes))]))
}

fn target(id: &str, zone: Option<&str>, health: Node) -> Node {
    let mut target = map([("Id", id.into()), ("Port", 8080.into())]);
    target.push_some("AvailabilityZone", zone);
    map([("Target", target), ("HealthCheckPort", "8080".into()), ("TargetHealth", health)])
}

fn health_node(state: Option<TargetState>) -> Node {
    let (state, reason) = match state {
        Some(TargetState::Healthy) => ("healthy", None),
        Some(TargetState::Initial) => {
            ("initial", Some(("Elb.RegistrationInProgress", "Target registration is in progress")))
        }
        Some(TargetState::Unhealthy) => ("unhealthy", Some(("Target.FailedHealthChecks", "Health checks failed"))),
        Some(TargetState::Draining) => {
            ("draining", Some(("Target.DeregistrationInProgress", "Target deregistration is in progress")))
        }
        None => ("unused", Some(("Target.NotRegistered", "Target is not registered to the target group"))),
    };
    let mut node = map([("State", state.into())]);
    if let Some((code, words)) = reason {
        node.push("Reason", code);
        node.push("Description", words);
    }
    node
}
