//! What people do to the terminal, as the loop takes it: keys and resizes, free of any terminal library.

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::{Stream, StreamExt};

use tokio::signal::unix::{SignalKind, signal};

use crate::keymap::{Code, Key};

/// One thing that happened to the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted as a whole.
    Pasted(String),
    /// The terminal has another size, or has to be drawn anew.
    Resize,
}

/// The keys and resizes of the real terminal. Pasted text stays apart from keys: a pasted `y` is not an answer.
pub fn from_terminal() -> impl Stream<Item = Input> + Unpin {
    Box::pin(EventStream::new().take_while(|event| std::future::ready(event.is_ok())).filter_map(|event| {
        std::future::ready(match event {
            Ok(Event::Key(key)) => to_key(key).map(Input::Key),
            Ok(Event::Paste(text)) => Some(Input::Pasted(text)),
            Ok(Event::Resize(..) | Event::FocusGained) => Some(Input::Resize),
            _ => None,
        })
    }))
}

fn to_key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release || event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER) {
        return None;
    }
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        _ => return None,
    };
    Some(Key { code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) })
}

/// The same input, ended when the process is told to end (SIGTERM) or loses its terminal (SIGHUP), so that the loop
/// comes to its own end: a change that is being sent gets its outcome into the journal.
pub fn until_told_to_end(input: impl Stream<Item = Input> + Unpin) -> impl Stream<Item = Input> + Unpin {
    Box::pin(input.take_until(told_to_end()))
}

async fn told_to_end() {
    let (Ok(mut term), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = hang_up.recv() => {}
    }
}
