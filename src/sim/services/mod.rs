//! The AWS services: each turns a [`Call`] into an answer from the world, or changes the world.

pub(crate) mod route53;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::wire::{ApiError, Call, General, Node, Service};
use super::world::World;

/// The operations of a service.
const fn operations_of(service: Service) -> &'static [&'static str] {
    match service {
        Service::Route53 => route53::OPERATIONS,
        _ => &[],
    }
}

/// Whether an operation is served.
pub(crate) fn knows(service: Service, operation: &str) -> bool {
    operations_of(service).contains(&operation)
}

/// Every operation that is served, by service.
pub(crate) fn operations() -> Value {
    Service::ALL.into_iter().map(|service| (service.name().to_owned(), json!(operations_of(service)))).collect()
}

/// Lets the service answer. `instant` is true when time moves by hand, so that nothing can be waited for.
pub(crate) fn handle(call: &Call, world: &mut World, now: Timestamp, instant: bool) -> Result<Node, ApiError> {
    if !knows(call.service, &call.operation) {
        return Err(General::UnknownOperation(call.operation.clone()).spelt(call.protocol, None));
    }
    let _ = (world, now, instant);
    Err(General::Unavailable.spelt(call.protocol, None))
}
