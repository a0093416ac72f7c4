//! The real terminal: taken over, drawn on, and given back whatever happens.

use std::io::{self, IsTerminal, Stdout, Write, stdin, stdout};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::terse::Terse;
use super::{Notice, clipboard};

/// Keeps the title that the terminal has, and gives it back (xterm's window operations 22 and 23).
const KEEP_TITLE: &[u8] = b"\x1b[22;0t";
const TITLE_AGAIN: &[u8] = b"\x1b[23;0t";

/// The terminal while the cockpit has it. Dropping it gives the terminal back, also when a panic unwinds.
pub struct Taken {
    /// What is drawn on. Output is buffered, so that a frame is one write. Never dropped: it would complain on stderr about
    /// a terminal that is gone, and over that end the process (`tests/cli/job.rs`).
    pub terminal: ManuallyDrop<Terminal<CrosstermBackend<Terse<Stdout>>>>,
}

impl Taken {
    /// Takes the terminal over, with its mouse and with what it says of its focus where that is wanted.
    ///
    /// # Errors
    /// When standard input or output is no terminal, or the terminal refuses.
    pub fn take(mouse: bool, focus: bool) -> io::Result<Self> {
        if !(stdin().is_terminal() && stdout().is_terminal()) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "standard input and output are not both a terminal",
            ));
        }
        enable_raw_mode()?;
        WANTS_MOUSE.store(mouse, Ordering::Relaxed);
        WANTS_FOCUS.store(focus, Ordering::Relaxed);
        let taken = Terminal::new(CrosstermBackend::new(Terse::new(stdout())));
        if set_up().is_err() || taken.is_err() {
            give_back();
        }
        Ok(Self { terminal: ManuallyDrop::new(taken?) })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

/// Whether the terminal keeps its own title for us: it keeps as many as it is told to, and gives back the last one.
static HAS_TITLE: AtomicBool = AtomicBool::new(false);

/// Whether the mouse is wanted: then it is reported for as long as the terminal is ours, and never longer.
static WANTS_MOUSE: AtomicBool = AtomicBool::new(false);

/// Reports buttons and the wheel, in decimal numbers (xterm's modes 1000 and 1006); and no longer. Without it terminals
/// select text as ever, and most of them send the wheel as arrow keys by themselves.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const NO_MOUSE: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Whether it is wanted that the terminal says when it has the focus (xterm's mode 1004).
static WANTS_FOCUS: AtomicBool = AtomicBool::new(false);
const FOCUS: &[u8] = b"\x1b[?1004h";
const NO_FOCUS: &[u8] = b"\x1b[?1004l";

/// Reports the mouse from now on, or leaves it to the terminal.
fn report_mouse(wanted: bool) -> io::Result<()> {
    WANTS_MOUSE.store(wanted, Ordering::Relaxed);
    let mut out = stdout();
    out.write_all(if wanted { MOUSE } else { NO_MOUSE })?;
    out.flush()
}

fn set_up() -> io::Result<()> {
    if !HAS_TITLE.swap(true, Ordering::Relaxed) {
        stdout().write_all(KEEP_TITLE)?;
    }
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
    if WANTS_FOCUS.load(Ordering::Relaxed) {
        stdout().write_all(FOCUS).and_then(|()| stdout().flush())?;
    }
    if WANTS_MOUSE.load(Ordering::Relaxed) { report_mouse(true) } else { Ok(()) }
}

/// Gives the terminal back. Safe to call more than once, and from a panic hook.
pub fn give_back() {
    let _cooked = disable_raw_mode();
    let _restored = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let mut out = stdout();
    if WANTS_FOCUS.load(Ordering::Relaxed) {
        let _untold = out.write_all(NO_FOCUS).and_then(|()| out.flush());
    }
    if WANTS_MOUSE.load(Ordering::Relaxed) {
        let _quiet = out.write_all(NO_MOUSE).and_then(|()| out.flush());
    }
    if HAS_TITLE.swap(false, Ordering::Relaxed) {
        let _titled = out.write_all(TITLE_AGAIN).and_then(|()| out.flush());
    }
}

/// Takes the terminal again after somebody else had it. Raw mode is left first: this process believes to have it.
fn take_again() {
    let _cooked = disable_raw_mode();
    // A terminal that is gone meanwhile shows it with the next frame.
    let _raw = enable_raw_mode();
    let _set = set_up();
}

/// Stops as a job, with whatever started it in the same job, until a shell lets it go on.
fn stop() {
    give_back();
    let _stopped = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
    take_again();
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
        Notice::Mouse(wanted) => report_mouse(*wanted),
        Notice::Copy(text) => out.write_all(&clipboard::sequence(text)).and_then(|()| out.flush()),
        // A text that ends the sequence was made printable before.
        Notice::Notify(text) => write!(out, "\x1b]9;{text}\x07").and_then(|()| out.flush()),
        Notice::Bell => out.write_all(b"\x07").and_then(|()| out.flush()),
        Notice::Suspend => {
            stop();
            Ok(())
        }
        Notice::Continued => {
            take_again();
            Ok(())
        }
    };
}
