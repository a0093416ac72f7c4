//! Carries out the zone's first and last day: a simple record becomes the weighted pair, or the pair one record.
//!
//! The same order as for a weight change: the intent on disk, one batch, the outcome on disk. May use the ports only.

use crate::domain::confirm::Confirmed;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Observation, Query};
use crate::domain::provision::{News, Trouble};
use crate::domain::record::Event;
use crate::domain::traffic::{Change, GroupKey};
use crate::domain::zone::{Endpoints, Orphan, ZonePlan, orphans};

use super::Ports;
use super::ports_set::Scribe;

/// Turns the zone's records as confirmed, and says what came of it.
///
/// A lost answer is not sent again: the next reading of the records shows whether the batch was carried out.
pub async fn turn(ports: &Ports, plan: &Confirmed<ZonePlan>, operator: &str, host: &str) -> News {
    match turned(ports, plan, operator, host).await {
        Ok(change) => News::Done(accepted(plan.get(), &change)),
        Err(error) => News::Failed(Trouble { message: error.to_string(), hint: error.hint() }),
    }
}

/// What a `destroy` has left in the zone; the whole zone is looked through, within one deadline.
///
/// # Errors
/// Why it cannot be.
pub async fn left_behind(ports: &Ports, key: &GroupKey, endpoints: &Endpoints) -> Result<Vec<Orphan>, Trouble> {
    match ports.observe.observe(Query::Zone).await {
        Ok(Observation::Zone(zone)) => Ok(orphans(key, endpoints, &zone)),
        Ok(_) => Err(Trouble { message: "another question was answered".to_owned(), hint: String::new() }),
        Err(error) => Err(Trouble { message: error.to_string(), hint: error.hint() }),
    }
}

/// [`turn`], for callers that need the error itself.
///
/// # Errors
/// The failure of the journal, in which case nothing was sent, or of the batch.
pub async fn turned(
    ports: &Ports,
    plan: &Confirmed<ZonePlan>,
    operator: &str,
    host: &str,
) -> Result<Change, PortError> {
    let _one_at_a_time = ports.exclusive().await?;
    let mut scribe = Scribe::new(ports, operator, host);
    scribe.append(Event::Note { text: format!("about to send: {}", plan.get().call_text()) }).await?;
    let sent = ports.traffic.turn(plan).await;
    let text = match &sent {
        Ok(change) => accepted(plan.get(), change),
        Err(error) if error.outcome_unknown() => {
            format!("{}: it is not known whether it was made: {error}", plan.get().title())
        }
        Err(error) if error.kind == ErrorKind::Conflict => {
            format!("{}: the records were not as seen, nothing was changed: {error}", plan.get().title())
        }
        Err(error) => format!("{}: refused, nothing was changed: {error}", plan.get().title()),
    };
    let written = scribe.append(Event::Note { text }).await;
    match (sent, written) {
        // What was done is done, whether or not it could be written down: the intent is on disk.
        (Ok(change), Err(error)) => {
            tracing::error!(%error, "the outcome could not be written");
            Ok(change)
        }
        (sent, _) => sent,
    }
}

fn accepted(plan: &ZonePlan, change: &Change) -> String {
    format!("{}: accepted as {}", plan.title(), change.id)
}
