//! The AWS services: each turns a [`Call`] into an answer from the world. Only Route 53 changes the world.

mod cloudwatch;
mod dms;
mod ecs;
mod elb;
mod elbv2;
pub(crate) mod route53;
mod secrets;
mod sts;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::wire::{ApiError, Call, General, Node, Service};
use super::world::World;

/// The operations of a service.
const fn operations_of(service: Service) -> &'static [&'static str] {
    match service {
        Service::Route53 => route53::OPERATIONS,
        Service::CloudWatch => cloudwatch::OPERATIONS,
        Service::Dms => dms::OPERATIONS,
        Service::Ecs => ecs::OPERATIONS,
        Service::Elbv2 => elbv2::OPERATIONS,
        Service::Elb => elb::OPERATIONS,
        Service::Sts => sts::OPERATIONS,
        Service::SecretsManager => secrets::OPERATIONS,
    }
}

/// Whether an operation is served.
pub(crate) fn knows(service: Service, operation: &str) -> bool {
    operations_of(service).contains(&operation)
}

/// Every operation that is served, by service.
pub(crate) fn operations() -> Value {
    Value::Object(
        Service::ALL.into_iter().map(|service| (service.name().to_owned(), json!(operations_of(service)))).collect(),
    )
}

/// Lets the service answer. `instant` is true when time moves by hand, so that nothing can be waited for.
pub(crate) fn handle(call: &Call, world: &mut World, now: Timestamp, instant: bool) -> Result<Node, ApiError> {
    if !knows(call.service, &call.operation) {
        return Err(General::UnknownOperation(call.operation.clone()).spelt(call.protocol, call.service.version()));
    }
    match call.service {
        Service::Route53 => route53::handle(call, world, now, instant),
        Service::CloudWatch => cloudwatch::handle(call, world),
        Service::Dms => dms::handle(call, world),
        Service::Ecs => ecs::handle(call, world),
        Service::Elbv2 => elbv2::handle(call, world),
        Service::Elb => elb::handle(call, world),
        Service::Sts => Ok(sts::handle()),
        Service::SecretsManager => secrets::handle(call, world),
    }
}
