//! The ports: everything that the program needs from outside, as small traits over domain values.
//!
//! The runtime and the commands use these and nothing else; `adapters` implement them. No trait here mentions an SDK,
//! a file or a process.

use std::pin::Pin;
use std::sync::Arc;

use crate::domain::change::Batch;
use crate::domain::change::outcome::SendError;
use crate::domain::change::turn::Holder;
use crate::domain::confirm::Confirmed;
use crate::domain::evidence::answers::Answer;
use crate::domain::facts::{Observation, Query};
use crate::domain::provision::{Carried, PulumiAnswer, PulumiQuery, RunHead};
use crate::domain::pulumi::{Finished, Observer, PulumiChange, PulumiError, RunState, Setup};
use crate::domain::record::Entry;
use crate::domain::time::Moment;
use crate::domain::traffic::{Change, RecordGroup};
use crate::domain::units::Timestamp;

pub use crate::domain::error::{ErrorKind, PortError};

/// A boxed answer, so that the traits can be used as objects.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, PortError>> + Send + 'a>>;

/// Asks the outside world. Never changes anything.
pub trait Observe: Send + Sync {
    /// Answers one question, within the adapter's own deadline.
    ///
    /// # Errors
    /// [`PortError`] with the IAM name of the operation that failed.
    fn observe(&self, query: Query) -> PortFuture<'_, Observation>;
}

/// What came of one query to a name server.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Asks the zone's own name servers, as resolvers do. Uses no quota of AWS's but for the look-up. Never changes anything.
pub trait NameServers: Send + Sync {
    /// Learns which servers answer for the zone, and which addresses each member of the group leads to; the servers' names.
    ///
    /// # Errors
    /// [`PortError`] when AWS does not say, and for a zone whose servers cannot be asked from here.
    fn look_up<'a>(&'a self, group: &'a RecordGroup) -> PortFuture<'a, Vec<String>>;

    /// Asks one of the servers that were looked up once, within the adapter's own deadline.
    fn ask<'a>(&'a self, server: &'a str) -> Asked<'a>;
}

/// The end of one sending of a batch.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = Result<Change, SendError>> + Send + 'a>>;

/// Changes the records of the zone.
pub trait Traffic: Send + Sync {
    /// Sends the batch: DELETE the records as seen, CREATE the new ones. Once, but for answers that say that Route 53 did
    /// not look at it; within a long deadline of its own
    /// ([`SEND_DEADLINE`](crate::domain::change::settle::SEND_DEADLINE)).
    ///
    /// # Errors
    /// [`SendError`] with the last answer, and whether the batch was sent before it. The answer alone does not say
    /// whether the change was made; `domain::change::outcome` does.
    fn send(&self, batch: &Confirmed<Batch>) -> SendFuture<'_>;
}

/// Takes one answer; waits while the reader is busy.
pub type Tell = Arc<dyn Fn(PulumiAnswer) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Asks Pulumi, in processes that outlive this one. Never changes anything but the state folder of `tapctl`.
pub trait Provisioner: Send + Sync {
    /// Looks, previews or follows, and tells what comes of it. A query that follows a run tells until the run has ended;
    /// every other one tells at least once. No other query is for this port.
    fn ask(&self, query: PulumiQuery, operator: String, tell: Tell) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A boxed answer of Pulumi.
pub type PulumiFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, PulumiError>> + Send + 'a>>;

/// Runs of one stack, one after the other, as commands go through them. Never changes anything but the state folder of
/// `tapctl`.
pub trait PulumiRuns: Send + Sync {
    /// Pulumi's stack.
    fn stack(&self) -> &str;

    /// Whether the stack exists and how it is configured.
    ///
    /// # Errors
    /// [`PulumiError`] when Pulumi cannot be used or does not say.
    fn setup(&self) -> PulumiFuture<'_, Setup>;

    /// Checks that the stack hands out these values: what is known of it from a file may be of another one.
    ///
    /// # Errors
    /// [`PulumiError::OtherStack`], and what Pulumi says.
    fn check_same<'a>(&'a self, outputs: &'a [(&'static str, String)]) -> PulumiFuture<'a, ()>;

    /// The run that goes on in the state folder, in a few words.
    ///
    /// # Errors
    /// [`PulumiError::Storage`] when that cannot be known.
    fn going_on(&self) -> Result<Option<String>, PulumiError>;

    /// The run that goes on in the state folder.
    ///
    /// # Errors
    /// [`PulumiError::Storage`] when that cannot be known.
    fn running(&self) -> Result<Option<RunHead>, PulumiError>;

    /// How a run stands, by what it has written so far.
    ///
    /// # Errors
    /// [`PulumiError::NoSuchRun`], and [`PulumiError::Storage`] when its files cannot be read.
    fn state(&self, run: &str) -> Result<RunState, PulumiError>;

    /// Begins to say what an `up`, or a `destroy`, would do.
    ///
    /// # Errors
    /// [`PulumiError::Refused`] while another run goes on, and whatever keeps it from beginning.
    fn preview<'a>(&'a self, destroy: bool, operator: &'a str, at: Timestamp) -> PulumiFuture<'a, RunHead>;

    /// Follows a run from its first event to its end.
    ///
    /// # Errors
    /// [`PulumiError::NoSuchRun`], and [`PulumiError::Storage`] when its files cannot be read.
    fn follow<'a>(&'a self, run: &'a str, seen: Observer<'a>) -> PulumiFuture<'a, Finished>;

    /// Follows the run that is named, the one that goes on, or the newest.
    ///
    /// # Errors
    /// As [`PulumiRuns::follow`].
    fn attach<'a>(&'a self, run: Option<&'a str>, seen: Observer<'a>) -> PulumiFuture<'a, Finished>;

    /// Whether this caller is the one who notes the end of the run in the journal.
    fn claim_end(&self, run: &str) -> bool;
}

/// Changes something around Pulumi: the stack, its configuration, its locks, a run.
pub trait PulumiControl: Send + Sync {
    /// Holds on to a change that goes on without the turn, from before its intent is noted: nobody else says what came of
    /// it until the guard is dropped, or this process ends. What needs the turn is held by the turn.
    ///
    /// # Errors
    /// [`PulumiError::Storage`] when that cannot be kept.
    fn hold<'a>(&'a self, _change: &'a PulumiChange, _intent: &'a str) -> PulumiFuture<'a, Option<Box<dyn Send>>> {
        Box::pin(async { Ok(None) })
    }

    /// Carries out what was confirmed, once, in the name of `operator`. A run is followed through the other port, and keeps
    /// the `intent` that the journal has of it, so that another process can settle it.
    ///
    /// # Errors
    /// [`PulumiError`]; what it says of itself tells whether anything was done.
    fn carry_out<'a>(
        &'a self,
        change: &'a Confirmed<PulumiChange>,
        operator: &'a str,
        intent: &'a str,
    ) -> PulumiFuture<'a, Carried>;
}

/// The record of what was done. Appending is synchronous on purpose: the caller goes on only when the line is on disk.
pub trait Journal: Send + Sync {
    /// Appends one entry and syncs it to disk before it returns.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when it could not be written; then nothing may be sent.
    fn append(&self, entry: &Entry) -> Result<(), PortError>;

    /// All entries that can be read, oldest first, and the number of lines that could not be, or are not this journal's.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when the file exists and cannot be read, or is another stack's.
    fn read(&self) -> Result<(Vec<Entry>, usize), PortError>;

    /// Takes the turn for a change of this host, when nobody has it, until the guard is dropped. Never waits.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when the lock cannot be taken at all.
    fn try_turn(&self, holder: &Holder) -> Result<Turn, PortError>;

    /// A journal that is read together with this one and written to a file of its own, which is begun with its first
    /// entry: for the way back, when somebody else does not give the turn back.
    fn aside(&self) -> Arc<dyn Journal>;

    /// What changes whenever anything was appended by anybody; nothing when that cannot be told.
    fn stamp(&self) -> Option<u64>;
}

/// What came of asking for the turn.
pub enum Turn {
    /// It is ours until this is dropped.
    Taken(Box<dyn Send>),
    /// Somebody else has it.
    Held(Option<Holder>),
}

/// A function that tells the time is a clock: a scenario's, or a test's.
impl<F: Fn() -> Timestamp + Send + Sync> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// Tells the time: of the day for all that is compared with AWS.
pub trait Clock: Send + Sync {
    /// Now, by the clock that the facts are dated with.
    fn now(&self) -> Timestamp;

    /// Now, by that clock and by one that nobody sets. A clock that is moved only as a whole is its own measure.
    fn moment(&self) -> Moment {
        Moment::alone(self.now())
    }
}
