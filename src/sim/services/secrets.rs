//! Secrets Manager (JSON 1.1, 2017-10-17): what is known of the database secret, never its value.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::sim::names as n;
use crate::sim::wire::{ApiError, Call, Node, json, map};
use crate::sim::world::World;
use crate::sim::world::stack::Part;

pub(crate) const OPERATIONS: &[&str] = &["DescribeSecret"];

/// Answers `DescribeSecret`, the only operation.
pub(crate) fn handle(call: &Call, world: &World) -> Result<Node, ApiError> {
    let id = json::str_of(&call.input, "SecretId").unwrap_or_default();
    // The six characters after the name may be left out of the ARN.
    let partial = n::SECRET_ARN.rsplit_once('-').map_or("", |(partial, _)| partial);
    let known = call.region == n::NEW_REGION && world.stack.has(Part::Secret);
    if !known || ![n::SECRET_ARN, n::SECRET_NAME, partial].contains(&id) {
        let message = "Secrets Manager can't find the specified secret.";
        return Err(ApiError::new("ResourceNotFoundException", message));
    }
    let created = Timestamp::from_second(world.stack.since(Part::Secret)).unwrap_or_default();
    let stages = Node::Map(vec![(Cow::Borrowed("8f2c7c5e-6a1f-4d8e-9b3a-2f6d0c1e4b7a"), Node::list(["AWSCURRENT"]))]);
    Ok(map([
        ("ARN", n::SECRET_ARN.into()),
        ("Name", n::SECRET_NAME.into()),
        ("Description", "Credentials of the migrated database".into()),
        ("RotationEnabled", false.into()),
        ("LastChangedDate", created.into()),
        ("Tags", Node::List(vec![map([("Key", "Environment".into()), ("Value", n::SUFFIX.into())])])),
        ("VersionIdsToStages", stages),
        ("CreatedDate", created.into()),
    ]))
}
