//! Pulumi's part of a change, between its turn and its end: the intent on disk, the call, the outcome on disk; and a look.
//!
//! It may use the ports and the domain. Changes come here from [`execute`](super::execute::execute) alone, which has the
//! turn; guards and confirmation lie before it, in the domain.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::change::settle_pulumi::settle;
use crate::domain::confirm::Confirmed;
use crate::domain::provision::{Carried, PulumiAnswer, PulumiQuery, PulumiStatus};
use crate::domain::pulumi::guard::BlockedReason;
use crate::domain::pulumi::{PulumiChange, PulumiError};
use crate::ports::{PortError, Provisioner, Tell};

use super::ports_set::{JournalWriter, Ports, intent_id};

/// What a look at Pulumi finds; nothing when the port tells nothing.
pub async fn look(port: &dyn Provisioner, operator: &str) -> Option<PulumiStatus> {
    match told(port, PulumiQuery::Status, operator).await? {
        PulumiAnswer::Looked(look) => Some(*look),
        _ => None,
    }
}

/// The only answer to a query; nothing when the port tells nothing.
async fn told(port: &dyn Provisioner, query: PulumiQuery, operator: &str) -> Option<PulumiAnswer> {
    let found = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&found);
    let tell: Tell = Arc::new(move |answer| {
        let kept = Arc::clone(&kept);
        Box::pin(async move { *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer) })
    });
    port.ask(query, operator.to_owned(), tell).await;
    found.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Settles the changes around Pulumi that earlier processes left open, and notes the ends of runs that nobody noted. Only
/// for whoever has the turn: what is begun meanwhile would be taken for what never was.
///
/// # Errors
/// When the journal cannot be read or written; then they stay open.
pub(super) async fn settle_in_turn(
    ports: &Ports,
    look: Option<&PulumiStatus>,
    writer: &mut JournalWriter<'_>,
) -> Result<(), PortError> {
    let history = ports.read_journal().await?.history;
    if history.changes.is_empty() && history.runs.is_empty() {
        return Ok(());
    }
    let unended = history.runs.iter().map(|run| run.id.clone()).collect();
    let Some(PulumiAnswer::Runs { seen: runs, may_lack }) =
        told(ports.provision.as_ref(), PulumiQuery::Runs { unended }, writer.operator()).await
    else {
        return Ok(());
    };
    for open in &history.changes {
        if let Some(event) = settle(open, &runs, may_lack, look, ports.clock.now()) {
            writer.append(event).await?;
        }
    }
    for run in &history.runs {
        let seen = runs.iter().find(|seen| seen.head.id == run.id && seen.end_is_ours);
        if let Some((seen, end)) = seen.and_then(|seen| Some((seen, seen.end.as_ref()?))) {
            // The end belongs to whoever started it, whoever sees it.
            writer.append_as(&run.operator, PulumiChange::ended(seen.head.kind, &run.id, end)).await?;
        }
    }
    Ok(())
}

/// Does what was confirmed; tells also why the outcome is not in the journal. Without an intent on disk nothing is done, but
/// for what stops a run: a folder that takes no file, or no lock, keeps nobody from that.
pub(super) async fn carry_out(
    ports: &Ports,
    change: &Confirmed<PulumiChange>,
    writer: &mut JournalWriter<'_>,
) -> (Result<Carried, PulumiError>, Option<PortError>) {
    if let Err(error) = stands(ports, change.get()).await {
        return (Err(error), None);
    }
    let id = intent_id(ports.clock.now());
    // Until the outcome is noted: nobody else says meanwhile what came of it.
    let stops = change.get().stops().is_some();
    let _held = match ports.control.hold(change.get(), &id).await {
        Ok(held) => held,
        Err(error) if stops => {
            tracing::warn!(%error, "how far the request to stop comes cannot be kept; it is sent all the same");
            None
        }
        Err(error) => return (Err(error), None),
    };
    let unnoted = match writer.append(change.get().intent(id.clone())).await {
        Err(error) if !stops => return (Err(PulumiError::Storage(error)), None),
        noted => noted.err(),
    };
    let result = ports.control.carry_out(change, writer.operator(), &id).await;
    let outcome = match &result {
        Ok(carried) => carried.event(change.get(), id),
        Err(error) => change.get().not_done(id, &error.to_string()),
    };
    writer.goes_on_aside();
    let unwritten = writer.append(outcome).await.err();
    (result, unnoted.or(unwritten))
}

/// A run writes the records too: it does not start while it is not known what came of a change of them, which another
/// process of this host may have sent since the guards looked.
async fn stands(ports: &Ports, change: &PulumiChange) -> Result<(), PulumiError> {
    if !matches!(change, PulumiChange::Run(_)) {
        return Ok(());
    }
    match ports.read_journal().await?.history.unfinished() {
        Some(open) => Err(BlockedReason::WeightChange(open.text()).into()),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "pulumi_tests.rs"]
mod tests;
