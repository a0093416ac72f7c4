//! What records and change say that the journal does not know yet: the one rule for cockpit and commands.
//!
//! Pure. Both read the journal *after* the records before they ask this, since another process on the host may have
//! written there what the records show.

use super::facts::Facts;
use super::record::{Event, History};
use super::traffic::{Change, ChangeStatus};
use super::units::WeightPair;

/// The entry that has to be written for the weights that were found; nothing when they are no news.
///
/// `read_after` is a change that was INSYNC before the records were read.
#[must_use]
pub fn reconcile(history: &History, found: WeightPair, read_after: Option<&str>, facts: &Facts) -> Option<Event> {
    let pending = history.pending.as_ref().map(|(id, _)| id);
    if let Some(change) = read_after.filter(|id| pending.is_some_and(|pending| pending == id)) {
        let verified = history.confirmed == Some(found);
        return Some(Event::Insync {
            change: change.to_owned(),
            weights: found,
            verified,
            pending_at: facts.last_pending(change),
        });
    }
    history.is_news(found).then_some(Event::Seen { weights: found })
}

/// The change of ours that is known to be INSYNC and not yet written down.
#[must_use]
pub fn arrived<'h>(history: &'h History, change: Option<&Change>) -> Option<&'h str> {
    let (id, _) = history.pending.as_ref()?;
    change.filter(|change| change.id == *id && change.status == ChangeStatus::Insync).map(|_| id.as_str())
}
