//! Classic ELB (Query, 2012-06-01): the legacy load balancer and the health of its instances.

use jiff::Timestamp;

use crate::sim::names as n;
use crate::sim::wire::{ApiError, Call, Node, json, map};
use crate::sim::world::World;
use crate::sim::world::legacy::INSTANCES;

pub(crate) const OPERATIONS: &[&str] = &["DescribeLoadBalancers", "DescribeInstanceHealth"];

/// Days for which the legacy stack has existed.
const AGE: i64 = 2_100;

/// Answers a call.
pub(crate) fn handle(call: &Call, world: &World) -> Result<Node, ApiError> {
    if call.operation == "DescribeLoadBalancers" { balancers(call, world) } else { health(call) }
}

fn known(call: &Call, name: &str) -> Result<(), ApiError> {
    if call.region == n::LEGACY_REGION && name == n::LEGACY_LB_NAME {
        return Ok(());
    }
    Err(ApiError::new("LoadBalancerNotFound", format!("There is no ACTIVE Load Balancer named '{name}'")))
}

fn balancers(call: &Call, world: &World) -> Result<Node, ApiError> {
    let names = json::strs_of(&call.input, "LoadBalancerNames");
    for name in &names {
        known(call, name)?;
    }
    let listener = map([
        ("Protocol", "HTTP".into()),
        ("LoadBalancerPort", 80.into()),
        ("InstanceProtocol", "HTTP".into()),
        ("InstancePort", 8080.into()),
    ]);
    let check = map([
        ("Target", "HTTP:8080/health".into()),
        ("Interval", 30.into()),
        ("Timeout", 5.into()),
        ("UnhealthyThreshold", 2.into()),
        ("HealthyThreshold", 2.into()),
    ]);
    let node = map([
        ("LoadBalancerName", n::LEGACY_LB_NAME.into()),
        ("DNSName", n::LEGACY_LB_DNS.into()),
        ("CanonicalHostedZoneName", n::LEGACY_LB_DNS.into()),
        ("CanonicalHostedZoneNameID", n::LEGACY_LB_ZONE.into()),
        (
            "ListenerDescriptions",
            Node::List(vec![map([("Listener", listener), ("PolicyNames", Node::List(Vec::new()))])]),
        ),
        ("AvailabilityZones", Node::list(["us-east-1a", "us-east-1b", "us-east-1c"])),
        ("VPCId", n::LEGACY_VPC_ID.into()),
        ("Instances", Node::List(INSTANCES.iter().map(|id| map([("InstanceId", (*id).into())])).collect())),
        ("HealthCheck", check),
        ("SecurityGroups", Node::list(["sg-0f1e2d3c4b5a69788"])),
        ("CreatedTime", Timestamp::from_second(world.start() - AGE * 86_400).unwrap_or_default().into()),
        ("Scheme", "internet-facing".into()),
    ]);
    let here = call.region == n::LEGACY_REGION;
    Ok(map([("LoadBalancerDescriptions", Node::List(if here { vec![node] } else { Vec::new() }))]))
}

fn health(call: &Call) -> Result<Node, ApiError> {
    known(call, json::str_of(&call.input, "LoadBalancerName").unwrap_or_default())?;
    let wanted: Vec<&str> = json::list_of(&call.input, "Instances")
        .iter()
        .filter_map(|instance| json::str_of(instance, "InstanceId"))
        .collect();
    if let Some(stranger) = wanted.iter().find(|id| !INSTANCES.contains(id)) {
        return Err(ApiError::new("InvalidInstance", format!("Could not find EC2 instance {stranger}.")));
    }
    let states = INSTANCES.iter().filter(|id| wanted.is_empty() || wanted.contains(id)).map(|id| {
        map([
            ("InstanceId", (*id).into()),
            ("State", "InService".into()),
            ("ReasonCode", "N/A".into()),
            ("Description", "N/A".into()),
        ])
    });
    Ok(map([("InstanceStates", Node::List(states.collect()))]))
}
