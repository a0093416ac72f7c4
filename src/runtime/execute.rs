//! The one executor of changes: the turn, the intent on disk, the call, once, what the records say, the outcome on disk.
//!
//! Cockpit and commands both come through here, whatever is changed, and nothing else calls a writing port
//! (`tests/cockpit/borders/`). It may use the ports and the domain. It never sends anything before its intent is on
//! disk, waits for nobody without a bound, and does not wait for INSYNC while it keeps others waiting.

use std::sync::Arc;

use crate::domain::change::Change;
use crate::domain::change::outcome::{Outcome, decide};
use crate::domain::change::settle::{SEND_DEADLINE, SIGNATURE_LIFE, Settling, settle as judge};
use crate::domain::change::turn::{Stage, TURN_BOUND};
use crate::domain::confirm::Confirmed;
use crate::domain::provision::{Carried, PulumiStatus};
use crate::domain::pulumi::PulumiError;
use crate::domain::record::{Entry, Event, History};
use crate::ports::{ErrorKind, PortError};

use super::ports_set::{JournalWriter, Ports, intent_id};
use super::pulumi;

/// Hears how far a change is.
pub type Tell = Arc<dyn Fn(Stage) + Send + Sync>;

/// Tells nobody.
#[must_use]
pub fn quietly() -> Tell {
    Arc::new(|_| {})
}

/// What a change came to, by what it changes.
#[derive(Debug)]
pub enum Came {
    /// The records.
    Records(Outcome),
    /// Something around Pulumi: what was done, or why it was not.
    Pulumi(Result<Carried, PulumiError>),
    /// What the next step stands on: nothing when it is in the journal, or why it is not.
    Baseline(Result<(), PortError>),
}

impl Came {
    /// The end of a change that was not begun.
    fn refused(change: &Change, error: PortError) -> Self {
        match change {
            Change::Weights(_) | Change::Zone(_) => Self::Records(Outcome::Refused(error)),
            Change::Pulumi(_) => Self::Pulumi(Err(PulumiError::Storage(error))),
            Change::AcceptBaseline(_) => Self::Baseline(Err(error)),
        }
    }
}

/// The end of a change.
#[derive(Debug)]
pub struct Executed {
    /// What it came to.
    pub came: Came,
    /// What was written to the journal on the way.
    pub entries: Vec<Entry>,
    /// Why the outcome is not in the journal, where it is not.
    pub unwritten: Option<PortError>,
}

impl Executed {
    /// What became of the records; another change than one of them has changed none.
    #[must_use]
    pub fn into_records(self) -> (Outcome, Vec<Entry>) {
        match self.came {
            Came::Records(outcome) => (outcome, self.entries),
            _ => (Outcome::Refused(another_kind()), self.entries),
        }
    }

    /// What was done around Pulumi.
    ///
    /// # Errors
    /// [`PulumiError`]; what it says of itself tells whether anything was done.
    pub fn into_carried(self) -> Result<Carried, PulumiError> {
        match self.came {
            Came::Pulumi(result) => result,
            _ => Err(PulumiError::Storage(another_kind())),
        }
    }
}

fn another_kind() -> PortError {
    PortError::new(ErrorKind::Invalid, "change", "another kind of change was carried out than was asked for")
}

/// Carries a confirmed change out to its end, whatever that is, and tells what was written to the journal on the way.
///
/// A change of the records that an earlier process left open is settled before the next one. When the outcome could not
/// be written, the last entry is the intent, and the next start settles it.
pub async fn execute(ports: &Ports, change: Confirmed<Change>, operator: &str, host: &str, tell: &Tell) -> Executed {
    let mut writer = JournalWriter::new(ports, operator, host);
    if change.get().goes_on_without_turn() {
        writer.goes_on_aside();
    }
    let (came, unwritten) = match turn(ports, &change, &mut writer, tell).await {
        Ok(_turn) => in_turn(ports, change, &mut writer, tell).await,
        Err(error) => (Came::refused(change.get(), error), None),
    };
    Executed { came, entries: writer.entries, unwritten }
}

/// What is done by whoever has the turn.
async fn in_turn(
    ports: &Ports,
    change: Confirmed<Change>,
    writer: &mut JournalWriter<'_>,
    tell: &Tell,
) -> (Came, Option<PortError>) {
    match change.get() {
        Change::Weights(_) | Change::Zone(_) => {
            let (outcome, unwritten) = send(ports, &change, writer, tell).await;
            (Came::Records(outcome), unwritten)
        }
        Change::AcceptBaseline(_) => {
            let written = writer.append(change.get().intent(String::new())).await;
            (Came::Baseline(written), None)
        }
        Change::Pulumi(_) => {
            let (result, unwritten) = match change.narrow(Change::into_pulumi) {
                Some(change) => pulumi::carry_out(ports, &change, writer).await,
                None => (Err(PulumiError::Storage(another_kind())), None),
            };
            (Came::Pulumi(result), unwritten)
        }
    }
}

/// The turn; the way back, and what stops a run, goes on without it when somebody else does not give it back, and writes
/// aside.
async fn turn(
    ports: &Ports,
    change: &Confirmed<Change>,
    writer: &mut JournalWriter<'_>,
    tell: &Tell,
) -> Result<Option<Box<dyn Send>>, PortError> {
    match ports.turn(writer.holder(), TURN_BOUND, &|holder| tell(Stage::Waiting(holder))).await {
        Ok(turn) => Ok(Some(turn)),
        Err(error) if change.get().goes_on_without_turn() => {
            tracing::warn!(%error, "it goes on without the turn");
            writer.write_aside();
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Settles what earlier processes left open, as far as the records, the folders of the runs and the newest `look` at
/// Pulumi tell. Gives no entry when there is nothing to settle,
/// when it is still open, or when another process is at it.
///
/// # Errors
/// When the journal or the records cannot be read, or the outcome cannot be written; then it stays open.
pub async fn settle(
    ports: &Ports,
    look: Option<&PulumiStatus>,
    operator: &str,
    host: &str,
) -> Result<Vec<Entry>, PortError> {
    let mut writer = JournalWriter::new(ports, operator, host);
    match ports.turn(writer.holder(), std::time::Duration::ZERO, &|_| {}).await {
        Ok(_turn) => {
            // The records may not be readable from here; what is around Pulumi is settled all the same.
            let records = settle_in_turn(ports, &mut writer).await;
            pulumi::settle_in_turn(ports, look, &mut writer).await?;
            records?;
        }
        // Whoever holds it settles it, or the next who looks.
        Err(error) if error.kind == ErrorKind::Busy => {}
        Err(error) => return Err(error),
    }
    Ok(writer.entries)
}

/// Settles what can be; tells what stays open.
async fn settle_in_turn(ports: &Ports, writer: &mut JournalWriter<'_>) -> Result<(), PortError> {
    let open = ports.read_journal().await?.history.open;
    if open.is_empty() {
        return Ok(());
    }
    let records = ports.read_records().await?;
    let (now, aws_now) = (ports.clock.now(), ports.aws_now());
    for intent in open {
        if let Settling::Settled(result, weights, detail) = judge(&intent, &ports.key, &records, now, aws_now) {
            writer
                .append(Event::Outcome { id: intent.id, result, weights, change: None, submitted_at: None, detail })
                .await?;
        }
    }
    Ok(())
}

/// Sends the batch of a change of the records; tells also why the outcome is not in the journal.
async fn send(
    ports: &Ports,
    change: &Confirmed<Change>,
    writer: &mut JournalWriter<'_>,
    tell: &Tell,
) -> (Outcome, Option<PortError>) {
    let refused = |error| (Outcome::Refused(error), None);
    let back = change.get().is_way_back();
    if let Err(error) = settle_in_turn(ports, writer).await
        && !back
    {
        return refused(error);
    }
    if !back {
        match stands(ports, change.get()).await {
            Ok(None) => {}
            Ok(Some(outcome)) => return (outcome, None),
            Err(error) => return refused(error),
        }
    }
    let began = ports.clock.now();
    let id = intent_id(began);
    let Some(batch) = change.clone().narrow(|change| change.batch()) else { return refused(another_kind()) };
    if let Err(error) = writer.append(change.get().intent(id.clone())).await {
        return refused(error);
    }
    tell(Stage::Sent(began));
    let outcome = match ports.traffic.send(&batch).await {
        Ok(accepted) => Outcome::Accepted(accepted),
        Err(failed) => {
            // Of one sending the signature is that of its beginning; of several, that of the last, which is not told.
            let slack = if failed.sent_before { SEND_DEADLINE } else { std::time::Duration::ZERO };
            let until = began.plus(slack + SIGNATURE_LIFE);
            decide(batch.get(), failed, ports.read_records().await, &ports.key, until)
        }
    };
    writer.goes_on_aside();
    let unwritten = writer.append(written(id, change.get(), &outcome, ports)).await.err();
    if let Some(error) = &unwritten {
        tracing::error!(%error, "the outcome could not be written; the next start settles it");
    }
    (outcome, unwritten)
}

/// The entry after the call.
fn written(id: String, change: &Change, outcome: &Outcome, ports: &Ports) -> Event {
    let (result, weights, detail) = outcome.for_journal(&ports.key);
    match outcome {
        Outcome::Unknown { until, .. } => Event::Unsettled { id, until: *until, detail },
        Outcome::Accepted(accepted) => {
            let weights = match change {
                Change::Weights(plan) => Some(plan.to),
                _ => None,
            };
            Event::Outcome {
                id,
                result,
                weights,
                change: Some(accepted.id.clone()),
                submitted_at: Some(accepted.at),
                detail,
            }
        }
        _ => Event::Outcome { id, result, weights, change: None, submitted_at: None, detail },
    }
}

/// What keeps a change from going forward, now that it has its turn: one that may still be made, or one of another
/// process on this host that was faster. Its records can equal the wanted ones, so the compare-and-swap does not tell it.
async fn stands(ports: &Ports, change: &Change) -> Result<Option<Outcome>, PortError> {
    let history = ports.read_journal().await?.history;
    if let Some(open) = history.unfinished() {
        return Err(PortError::new(ErrorKind::Busy, "journal:open", open.unknown_text()));
    }
    let Change::Weights(plan) = change else { return Ok(None) };
    match history.known {
        Some((known, at)) if known != plan.from() => {
            let message = format!("another process of this host has left the weights at {known} at {at}");
            let found = ports.read_records().await.map_err(|error| error.to_string());
            Ok(Some(Outcome::Conflict { message, found }))
        }
        _ => Ok(None),
    }
}

/// Whether the outcome of the newest intent among `entries` was written, too.
#[must_use]
pub fn outcome_written(entries: &[Entry]) -> bool {
    let unsettled = entries.iter().any(|entry| matches!(entry.event, Event::Unsettled { .. }));
    unsettled || History::of(entries).open.is_empty()
}

#[cfg(test)]
#[path = "execute_tests.rs"]
mod tests;
