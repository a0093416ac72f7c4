//! Opens the cockpit on the stack that the configuration names.
//!
//! It checks that there is a terminal to draw on before anything else.

use crate::cli::Global;

use super::compose::{Session, connect};
use super::failure::{Exit, Failure};
use super::host;

/// Says why a cockpit cannot be drawn, when it cannot.
///
/// # Errors
/// [`Failure`] without a terminal.
pub fn check_terminal() -> Result<(), Failure> {
    if host::can_draw() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Error,
        "no_terminal",
        "the cockpit needs a terminal on stdin and stdout",
        "run it in a terminal (ssh -t), or use `tapctl status`, `gates`, `shift` and `rollback` in scripts",
    ))
}

/// Opens it on the configured stack.
///
/// # Errors
/// [`Failure`] without a terminal, or when the configuration cannot be used.
pub async fn run(global: &Global) -> Result<Exit, Failure> {
    check_terminal()?;
    open(connect(global).await?).await
}

/// Opens it on a session.
///
/// # Errors
/// [`Failure`]: this build draws nothing.
#[expect(clippy::unused_async, reason = "drawing is asynchronous, refusing to is not")]
pub async fn open(_session: Session) -> Result<Exit, Failure> {
    Err(Failure::new(
        Exit::Error,
        "no_cockpit",
        "this build has no cockpit",
        "use `tapctl status --watch`, `shift` and `rollback`",
    ))
}
