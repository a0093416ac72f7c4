//! Work that waits for the disk, kept off the threads that serve everything else.

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::ports::{ErrorKind, PortError};

/// Runs something that waits for the disk beside everything else.
///
/// A runtime of one thread does it on that thread: another one would take real time while the runtime's own may stand
/// still, so that the same script would not give the same screen twice. The program itself always has several threads.
///
/// # Errors
/// What the work says, and [`ErrorKind::Storage`] when it panics.
pub(super) async fn on_disk<T: Send + 'static>(
    operation: &str,
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return work();
    }
    let panicked = |error: tokio::task::JoinError| {
        PortError::new(ErrorKind::Storage, operation, format!("tapctl itself failed here: {error}"))
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(panicked(error)))
}
