//! What this process can say about itself: its host, its user, when it was started, its terminal.
//!
//! It asks the system, and nothing outside of it.

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::sync::OnceLock;
use std::time::Instant;

use crate::config::Env;
use crate::domain::text::Foreign;

static STARTED: OnceLock<Instant> = OnceLock::new();

/// When this process began its work; the first call sets it.
pub fn started() -> Instant {
    *STARTED.get_or_init(Instant::now)
}

/// The host's name.
#[must_use]
pub fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "unknown-host".to_owned() } else { Foreign::take(&name).into_string() }
}

/// The local user, who stands in as the operator until STS has answered.
#[must_use]
pub fn local_user(env: Env<'_>) -> String {
    let named = env("USER").or_else(|| env("LOGNAME")).map(|name| Foreign::take(&name).into_string());
    named.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}

/// Whether a question can be asked on the terminal and answered there.
#[must_use]
pub fn can_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Whether a cockpit can be drawn.
#[must_use]
pub fn can_draw() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// Columns and rows of the terminal behind stdout.
#[must_use]
pub fn terminal_size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Throws away what was typed before a question was asked.
pub fn forget_typed() {
    // Where that fails there is no terminal, and then nothing is asked.
    let _ = rustix::termios::tcflush(stdin(), rustix::termios::QueueSelector::IFlush);
}
