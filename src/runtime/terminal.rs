//! The real terminal: taken over, drawn on, and given back whatever happens.

use std::io::{self, IsTerminal, Stdout, Write, stdin, stdout};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::Notice;

/// The terminal while the cockpit has it. Dropping it gives the terminal back, also when a panic unwinds.
pub struct Taken {
    /// What is drawn on. Output is buffered, so that a frame is one write.
    pub terminal: Terminal<CrosstermBackend<io::BufWriter<Stdout>>>,
}

impl Taken {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When standard input or output is no terminal, or the terminal refuses.
    pub fn take() -> io::Result<Self> {
        if !(stdin().is_terminal() && stdout().is_terminal()) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "standard input and output are not both a terminal",
            ));
        }
        enable_raw_mode()?;
        let taken = Terminal::new(CrosstermBackend::new(io::BufWriter::with_capacity(64 * 1024, stdout())));
        if execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide).is_err() || taken.is_err() {
            give_back();
        }
        Ok(Self { terminal: taken? })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back. Safe to call more than once, and from a panic hook.
pub fn give_back() {
    let _cooked = disable_raw_mode();
    let _restored = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
}

/// Makes every panic give the terminal back before anything is printed about it.
pub fn restore_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        give_back();
        report(panic);
    }));
}

/// Carries out what the loop tells beside frames.
pub fn tell(notice: &Notice<'_>) {
    let mut out = stdout();
    // A terminal that takes no title or bell loses nothing that is not also on the screen.
    let _shown = match notice {
        Notice::Title(title) => execute!(out, SetTitle(title)),
        Notice::Bell => out.write_all(b"\x07").and_then(|()| out.flush()),
    };
}
