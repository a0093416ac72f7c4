//! What a `destroy` has left in the zone. May use the ports only.

use crate::domain::facts::{Observation, Query};
use crate::domain::provision::PulumiProblem;
use crate::domain::traffic::GroupKey;
use crate::domain::zone::{Endpoints, Orphan, orphans};

use super::Ports;

/// What a `destroy` has left in the zone; the whole zone is looked through, within one deadline.
///
/// # Errors
/// Why it cannot be.
pub async fn left_behind(ports: &Ports, key: &GroupKey, endpoints: &Endpoints) -> Result<Vec<Orphan>, PulumiProblem> {
    match ports.observe.observe(Query::Zone).await {
        Ok(Observation::Zone(zone)) => Ok(orphans(key, endpoints, &zone)),
        Ok(_) => Err(PulumiProblem { message: "another question was answered".to_owned(), hint: String::new() }),
        Err(error) => Err(PulumiProblem { message: error.to_string(), hint: error.hint() }),
    }
}
