//! How many connections there are at once, and which one goes when there are too many.
//!
//! A connection whose client is being waited for costs a slot and does nothing: silent ones, slow ones, those that are
//! kept for later. When all slots are taken, the one of them that matters least goes, so that nobody is shut out by
//! clients that only hold connections. What is being answered is never cut off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// More connections than these are not kept: a status snapshot opens about ten.
const MAX_CONNECTIONS: usize = 256;

/// What a connection does. Those that matter least come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doing {
    /// Its client has not said anything whole so far.
    Silent,
    /// Its client has had its answer, or has not fetched all of it.
    Idle,
    /// Its client is sending a body.
    Sending,
    /// It is being answered.
    Answering,
}

/// All connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    /// The newest has the highest number.
    taken: BTreeMap<u64, Entry>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    doing: Doing,
    go: Arc<Notify>,
}

/// The place of one connection; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    number: u64,
    go: Arc<Notify>,
}

impl Slots {
    /// A place for a new connection; the one that matters least has to go where there is none. `None` where all are
    /// being answered.
    pub(super) fn take(&self) -> Option<Slot> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.taken.len() >= MAX_CONNECTIONS {
            let least = table.taken.iter().filter(|(_, entry)| entry.doing < Doing::Answering);
            let (&number, _) = least.min_by_key(|(number, entry)| (entry.doing, **number))?;
            if let Some(entry) = table.taken.remove(&number) {
                entry.go.notify_one();
            }
        }
        let (number, go) = (table.next, Arc::new(Notify::new()));
        table.next += 1;
        table.taken.insert(number, Entry { doing: Doing::Silent, go: Arc::clone(&go) });
        drop(table);
        Some(Slot { slots: self.clone(), number, go })
    }
}

impl Slot {
    /// What the connection does from now on.
    pub(super) fn is(&self, doing: Doing) {
        let mut table = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = table.taken.get_mut(&self.number) {
            entry.doing = doing;
        }
    }

    /// Whether the client has said nothing whole so far.
    pub(super) fn is_silent(&self) -> bool {
        let table = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.taken.get(&self.number).is_none_or(|entry| entry.doing == Doing::Silent)
    }

    /// Ends when the place is wanted for somebody else.
    pub(super) async fn has_to_go(&self) {
        self.go.notified().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.0.lock().unwrap_or_else(PoisonError::into_inner).taken.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(slot: &Slot) -> bool {
        !slot.slots.0.lock().unwrap().taken.contains_key(&slot.number)
    }

    #[test]
    fn who_matters_least_goes_first_and_what_is_answered_stays() {
        let slots = Slots::default();
        let all: Vec<Slot> = (0..MAX_CONNECTIONS).map(|_| slots.take().unwrap()).collect();
        for slot in &all {
            slot.is(Doing::Answering);
        }
        assert!(slots.take().is_none(), "nothing that is being answered is cut off");
        all[7].is(Doing::Sending);
        all[5].is(Doing::Idle);
        all[9].is(Doing::Idle);
        all[3].is(Doing::Silent);
        let mut newer = Vec::new();
        for least in [3, 5, 9, 7] {
            let slot = slots.take().unwrap();
            slot.is(Doing::Answering);
            newer.push(slot);
            assert!(gone(&all[least]), "{least}");
        }
        assert!(slots.take().is_none());
        drop(newer.pop());
        assert!(slots.take().is_some());
    }
}
