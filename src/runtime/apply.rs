//! The one place that sends a weight change: journal the intent, call once, journal the outcome.
//!
//! Cockpit and commands both come through here. It may use the ports and the domain. It never sends anything twice,
//! never sends anything before its intent is on disk, and never waits for INSYNC while it keeps others waiting.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::confirm::Confirmed;
use crate::domain::record::Entry;
use crate::domain::record::{Event, History, OutcomeKind, Unfinished};
use crate::domain::shift::{ShiftOutcome, ShiftPlan};
use crate::domain::traffic::{Change, RecordGroup};
use crate::domain::units::{Timestamp, WeightPair};
use crate::ports::{ErrorKind, PortError};

use super::ports_set::{Ports, Scribe};

/// Carries a confirmed plan out to its end, whatever that is, and tells what was written to the journal on the way.
///
/// A change that an earlier process left open is settled first. When the outcome could not be written, the last entry
/// is the intent, and the next start settles it.
pub async fn apply(
    ports: &Ports,
    plan: Confirmed<ShiftPlan>,
    operator: &str,
    host: &str,
) -> (ShiftOutcome, Vec<Entry>) {
    let mut scribe = Scribe::new(ports, operator, host);
    let outcome = match ports.exclusive().await {
        Ok(_turn) => apply_in_turn(ports, &plan, &mut scribe).await,
        Err(error) => ShiftOutcome::Refused(error),
    };
    (outcome, scribe.entries)
}

/// Settles a change that an earlier process left without an outcome. Gives no entry when there is none, or another
/// process has settled it meanwhile.
///
/// # Errors
/// When the journal or the records cannot be read, or the outcome cannot be written; then the change stays open.
pub async fn settle(ports: &Ports, operator: &str, host: &str) -> Result<Vec<Entry>, PortError> {
    let mut scribe = Scribe::new(ports, operator, host);
    let _turn = ports.exclusive().await?;
    settle_in_turn(ports, &mut scribe).await?;
    Ok(scribe.entries)
}

async fn settle_in_turn(ports: &Ports, scribe: &mut Scribe<'_>) -> Result<(), PortError> {
    let journal = ports.read_journal().await?;
    let Some(open) = journal.history.unfinished else { return Ok(()) };
    let found = ports.read_group().await?;
    let (result, weights, detail) = match found {
        Ok(group) => {
            let weights = group.weights();
            let result = open.settle(weights);
            (result, Some(weights), settled_words(&open, result, weights))
        }
        Err(shape) => (OutcomeKind::Conflict, None, format!("somebody changed the records since: {shape}")),
    };
    scribe.append(Event::Outcome { id: open.id, result, weights, change: None, detail }).await
}

fn settled_words(open: &Unfinished, result: OutcomeKind, found: WeightPair) -> String {
    let left = format!("the change {} → {} was left open at {}", open.from, open.to, open.at);
    match result {
        OutcomeKind::SettledApplied => format!("{left}; the records show that it was made"),
        OutcomeKind::SettledNotApplied => format!("{left}; the records show that it was not made"),
        _ => format!("{left}; somebody has set {found} since"),
    }
}

async fn apply_in_turn(ports: &Ports, plan: &Confirmed<ShiftPlan>, scribe: &mut Scribe<'_>) -> ShiftOutcome {
    if let Err(error) = settle_in_turn(ports, scribe).await {
        return ShiftOutcome::Refused(error);
    }
    let wanted = plan.get();
    let id = intent_id(ports.clock.now());
    let intent = Event::Intent {
        id: id.clone(),
        record: wanted.record_name().to_owned(),
        from: wanted.from(),
        to: wanted.to,
        direction: wanted.direction(),
        overrides: wanted.overrides.clone(),
    };
    if let Err(error) = scribe.append(intent).await {
        return ShiftOutcome::Refused(error);
    }
    let (outcome, result, weights, change, detail) = match ports.traffic.apply(plan).await {
        Ok(change) => accepted(wanted, change),
        Err(error) => failed(ports, wanted, error).await,
    };
    if let Err(error) = scribe.append(Event::Outcome { id, result, weights, change, detail }).await {
        tracing::error!(%error, "the outcome could not be written; the next start settles it");
    }
    outcome
}

type Ending = (ShiftOutcome, OutcomeKind, Option<WeightPair>, Option<String>, String);

fn accepted(plan: &ShiftPlan, change: Change) -> Ending {
    let detail = format!("Route 53 accepted it as {}, {}", change.id, change.status);
    let id = change.id.clone();
    (ShiftOutcome::Accepted(change), OutcomeKind::Accepted, Some(plan.to), Some(id), detail)
}

/// What a failed call means, as far as reading the group back can tell.
async fn failed(ports: &Ports, plan: &ShiftPlan, error: PortError) -> Ending {
    let detail = error.to_string();
    if error.kind == ErrorKind::Conflict {
        let found = read_words(ports).await;
        let weights = found.as_ref().ok().map(RecordGroup::weights);
        let outcome = ShiftOutcome::Conflict { message: error.message, found };
        return (outcome, OutcomeKind::Conflict, weights, None, detail);
    }
    if error.outcome_unknown() {
        return settled(ports, plan, error).await;
    }
    // Route 53 also refuses a batch because somebody else's is being carried out; then the records tell of it.
    if matches!(error.kind, ErrorKind::Throttled | ErrorKind::Invalid | ErrorKind::Other)
        && let Ok(Ok(found)) = ports.read_group().await
        && found != plan.expected
    {
        let weights = Some(found.weights());
        let outcome = ShiftOutcome::Conflict { message: error.message, found: Ok(found) };
        return (outcome, OutcomeKind::Conflict, weights, None, detail);
    }
    (ShiftOutcome::Refused(error), OutcomeKind::Refused, None, None, detail)
}

/// The answer was lost: the records say whether the change was made.
async fn settled(ports: &Ports, plan: &ShiftPlan, error: PortError) -> Ending {
    let detail = error.to_string();
    let found = match ports.read_group().await {
        Ok(Ok(found)) => found,
        Ok(Err(shape)) => {
            let outcome = ShiftOutcome::Conflict { message: detail.clone(), found: Err(shape.to_string()) };
            return (outcome, OutcomeKind::Conflict, None, None, format!("{detail}; read back: {shape}"));
        }
        Err(second) => {
            let detail = format!("{detail}; reading back failed too: {second}");
            return (ShiftOutcome::Unknown(error), OutcomeKind::Unknown, None, None, detail);
        }
    };
    let weights = found.weights();
    let (applied, result, words) = if weights == plan.to {
        (true, OutcomeKind::SettledApplied, "the records show that it was made")
    } else if weights == plan.from() {
        (false, OutcomeKind::SettledNotApplied, "the records show that it was not made")
    } else {
        let outcome = ShiftOutcome::Conflict { message: detail.clone(), found: Ok(found) };
        return (outcome, OutcomeKind::Conflict, Some(weights), None, format!("{detail}; somebody else set {weights}"));
    };
    let outcome = ShiftOutcome::Settled { error, applied, found };
    (outcome, result, Some(weights), None, format!("{detail}; {words}"))
}

async fn read_words(ports: &Ports) -> Result<RecordGroup, String> {
    match ports.read_group().await {
        Ok(Ok(group)) => Ok(group),
        Ok(Err(shape)) => Err(shape.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// An id that no other intent of this host has: the instant, the process, and a number within it.
fn intent_id(now: Timestamp) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:x}-{:x}-{:x}", now.millis(), std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Whether the outcome of the newest intent among `entries` was written, too.
#[must_use]
pub fn outcome_written(entries: &[Entry]) -> bool {
    History::of(entries).unfinished.is_none()
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
