//! The ports: everything that the program needs from outside, as small traits over domain values.
//!
//! The runtime and the commands use these and nothing else; `adapters` implement them. No trait here mentions an SDK,
//! a file or a process.

use std::pin::Pin;
use std::sync::Arc;

use crate::domain::confirm::Confirmed;
use crate::domain::facts::{Observation, Query};
use crate::domain::provision::{News, Order};
use crate::domain::record::Entry;
use crate::domain::shift::ShiftPlan;
use crate::domain::time::Moment;
use crate::domain::traffic::Change;
use crate::domain::units::Timestamp;
use crate::domain::zone::ZonePlan;

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

/// Changes the weights of the record group.
pub trait Traffic: Send + Sync {
    /// Sends the plan's batch once, without retries: DELETE the records as seen, CREATE the new ones.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when Route 53 says that the records are not as seen; then nothing was changed.
    /// [`PortError::outcome_unknown`] tells the failures after which the change may have been made all the same.
    fn apply(&self, plan: &Confirmed<ShiftPlan>) -> PortFuture<'_, Change>;

    /// Sends the batch that turns a simple record into the weighted pair, or back, under the same rules.
    ///
    /// # Errors
    /// As [`Traffic::apply`].
    fn turn(&self, plan: &Confirmed<ZonePlan>) -> PortFuture<'_, Change>;
}

/// Takes one piece of news; waits while the reader is busy.
pub type Tell = Arc<dyn Fn(News) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Runs Pulumi, in processes that outlive this one.
pub trait Provisioner: Send + Sync {
    /// Carries an order out and tells what comes of it. An order to follow a run tells until the run has ended; every
    /// other one tells at least once. [`Order::Zone`] and [`Order::Orphans`] are not for this port.
    fn carry_out(&self, order: Order, operator: String, tell: Tell) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The record of what was done. Appending is synchronous on purpose: the caller goes on only when the line is on disk.
pub trait Journal: Send + Sync {
    /// Appends one entry and syncs it to disk before it returns.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when it could not be written; then nothing may be sent.
    fn append(&self, entry: &Entry) -> Result<(), PortError>;

    /// All entries that can be read, oldest first, and the number of lines that could not be.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when the file exists and cannot be read.
    fn read(&self) -> Result<(Vec<Entry>, usize), PortError>;

    /// Keeps every other process on this host from starting a change until the guard is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when the lock cannot be taken at all. Waits while another holds it.
    fn exclusive(&self) -> Result<Box<dyn Send>, PortError>;
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
