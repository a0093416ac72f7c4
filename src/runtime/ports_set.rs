//! The ports in one hand, as commands and cockpit pass them around, and the one pen that writes the journal.
//!
//! It may use the ports and the domain. It holds no state of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::domain::change::turn::{self, Holder};
use crate::domain::facts::{Observation, Query};
use crate::domain::record::{Entry, Event, History};
use crate::domain::traffic::{GroupError, GroupKey, Record, RecordGroup};
use crate::domain::units::Timestamp;
use crate::ports::{
    Clock, ErrorKind, Journal, NameServers, Observe, PortError, Provisioner, PulumiControl, Traffic, Turn,
};

use super::disk::on_disk;

/// Pause between two tries for the turn.
const TURN_PAUSE: Duration = Duration::from_millis(50);

/// Tells how far this host's clock is ahead of AWS's, in milliseconds, once that is known.
pub type Skew = Arc<dyn Fn() -> Option<i64> + Send + Sync>;

/// Everything that reaches outside.
#[derive(Clone)]
pub struct Ports {
    /// Asks.
    pub observe: Arc<dyn Observe>,
    /// Changes weights.
    pub traffic: Arc<dyn Traffic>,
    /// Remembers.
    pub journal: Arc<dyn Journal>,
    /// Tells the time that facts are dated with.
    pub clock: Arc<dyn Clock>,
    /// Asks Pulumi.
    pub provision: Arc<dyn Provisioner>,
    /// Changes something around Pulumi.
    pub control: Arc<dyn PulumiControl>,
    /// Asks the zone's own name servers.
    pub name_servers: Arc<dyn NameServers>,
    /// Which records are shifted.
    pub key: GroupKey,
    /// How far the clock is off.
    pub skew: Skew,
    /// Set when the program is being left: nobody waits for a turn any more.
    pub leaving: Arc<AtomicBool>,
}

/// The journal as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JournalRead {
    /// Entries, oldest first.
    pub entries: Vec<Entry>,
    /// Lines that could not be read.
    pub broken: usize,
    /// What they say together.
    pub history: History,
}

impl Ports {
    /// Runs something that waits for the disk where it may wait.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Journal) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let journal = Arc::clone(&self.journal);
        on_disk("journal", move || work(journal.as_ref())).await
    }

    /// The whole journal.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn read_journal(&self) -> Result<JournalRead, PortError> {
        let (entries, broken) = self.on_disk(|journal| journal.read()).await?;
        let history = History::of(&entries);
        Ok(JournalRead { entries, broken, history })
    }

    /// Keeps every other process on this host from starting a change until the guard is dropped; waits at most `bound`,
    /// and tells once for whom.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] with the holder after that; [`ErrorKind::Storage`].
    pub async fn turn(
        &self,
        holder: Holder,
        bound: Duration,
        waiting: &(dyn Fn(Option<Holder>) + Send + Sync),
    ) -> Result<Box<dyn Send>, PortError> {
        let end = Instant::now() + bound;
        let mut told = false;
        loop {
            let ours = holder.clone();
            let held = match self.on_disk(move |journal| journal.try_turn(&ours)).await? {
                Turn::Taken(turn) => return Ok(turn),
                Turn::Held(held) => held,
            };
            if Instant::now() >= end {
                return Err(turn::held(held.as_ref()));
            }
            if self.leaving.load(Ordering::Relaxed) {
                let text = "it was left before it was this change's turn; nothing was sent";
                return Err(PortError::new(ErrorKind::Busy, "turn", text));
            }
            if !told {
                waiting(held);
                told = true;
            }
            sleep(TURN_PAUSE).await;
        }
    }

    /// Now by AWS's own clock, as its newest answers told it; nothing before the first.
    #[must_use]
    pub fn aws_now(&self) -> Option<Timestamp> {
        (self.skew)().map(|ahead| self.clock.now().shifted(ahead.saturating_neg()))
    }

    /// The record group as Route 53 has it now, or the shape that keeps it from being shifted.
    ///
    /// # Errors
    /// What the call says.
    pub async fn read_group(&self) -> Result<Result<RecordGroup, GroupError>, PortError> {
        Ok(RecordGroup::from_records(&self.key, &self.read_records().await?))
    }

    /// All records of the name as Route 53 has them now.
    ///
    /// # Errors
    /// What the call says.
    pub async fn read_records(&self) -> Result<Vec<Record>, PortError> {
        match self.observe.observe(Query::Records).await? {
            Observation::Records(records) => Ok(records),
            _ => Err(PortError::new(ErrorKind::Garbled, "records", "another question was answered")),
        }
    }
}

/// An id that no other intent of this host has: the instant, the process, and a number within it.
pub(super) fn intent_id(now: Timestamp) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:x}-{:x}-{:x}", now.millis(), std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Writes entries in the name of one operator, and keeps what it wrote.
pub struct JournalWriter<'a> {
    ports: &'a Ports,
    journal: Arc<dyn Journal>,
    operator: &'a str,
    host: &'a str,
    goes_on: bool,
    /// What was written so far.
    pub entries: Vec<Entry>,
}

impl<'a> JournalWriter<'a> {
    /// A pen for `operator` on `host`.
    #[must_use]
    pub fn new(ports: &'a Ports, operator: &'a str, host: &'a str) -> Self {
        Self { ports, journal: Arc::clone(&ports.journal), operator, host, goes_on: false, entries: Vec::new() }
    }

    /// In whose name it writes.
    #[must_use]
    pub fn operator(&self) -> &'a str {
        self.operator
    }

    /// This process, as the holder of a turn from now on.
    #[must_use]
    pub fn holder(&self) -> Holder {
        Holder {
            pid: std::process::id(),
            host: self.host.to_owned(),
            operator: self.operator.to_owned(),
            since: self.ports.clock.now(),
            stopped: None,
        }
    }

    /// From now on goes on in a file of its own when the journal cannot be written, as another process that keeps it
    /// locked brings about: for what nobody may block, and for what was done already.
    pub fn goes_on_aside(&mut self) {
        self.goes_on = true;
    }

    /// Writes to a file of its own from now on.
    pub fn write_aside(&mut self) {
        self.journal = self.ports.journal.aside();
    }

    /// Writes one entry; it is on disk when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`]; then nothing was written.
    pub async fn append(&mut self, event: Event) -> Result<(), PortError> {
        self.append_as(self.operator, event).await
    }

    /// Writes one entry that belongs to somebody else.
    ///
    /// # Errors
    /// As [`JournalWriter::append`].
    pub async fn append_as(&mut self, operator: &str, event: Event) -> Result<(), PortError> {
        let now = self.ports.clock.now();
        let aws_at = self.ports.aws_now();
        let entry = Entry { at: now, aws_at, operator: operator.to_owned(), host: self.host.to_owned(), event };
        if let Err(error) = self.write(Arc::clone(&self.journal), &entry).await {
            if !self.goes_on {
                return Err(error);
            }
            // Where there is no room, or the folder is another stack's, this fails as well.
            let aside = self.ports.journal.aside();
            if self.write(Arc::clone(&aside), &entry).await.is_err() {
                return Err(error);
            }
            tracing::warn!(%error, "it goes on in a file of its own");
            self.journal = aside;
        }
        self.entries.push(entry);
        Ok(())
    }

    async fn write(&self, journal: Arc<dyn Journal>, entry: &Entry) -> Result<(), PortError> {
        let entry = entry.clone();
        self.ports.on_disk(move |_| journal.append(&entry)).await
    }
}
