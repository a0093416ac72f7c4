//! The terminal that this process may have: whether it can be asked on, drawn on, and how large it is.

use std::io::{IsTerminal, stderr, stdin, stdout};

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
pub fn flush_stdin() {
    // Where that fails there is no terminal, and then nothing is asked.
    let _ = rustix::termios::tcflush(stdin(), rustix::termios::QueueSelector::IFlush);
}
