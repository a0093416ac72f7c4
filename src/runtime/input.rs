//! What people do to the terminal, as the loop takes it: keys and resizes, free of any terminal library.

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::{Stream, StreamExt, stream};
use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::keymap::{Code, Key};

/// One thing that happened to the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted as a whole.
    Pasted(String),
    /// The terminal has another size, or has the focus again.
    Resize,
    /// The process was stopped, and goes on: whatever had the terminal meanwhile left it as it liked.
    Continued,
}

/// The keys and resizes of the real terminal. Pasted text stays apart from keys: a pasted `y` is not an answer.
pub fn from_terminal() -> impl Stream<Item = Input> + Unpin {
    let events = EventStream::new().take_while(|event| std::future::ready(event.is_ok()));
    Box::pin(events.flat_map(|event| {
        stream::iter(match event {
            Ok(Event::Key(key)) => to_keys(key).into_iter().map(Input::Key).collect(),
            Ok(Event::Paste(text)) => vec![Input::Pasted(text)],
            Ok(Event::Resize(..) | Event::FocusGained) => vec![Input::Resize],
            _ => vec![],
        })
    }))
}

/// Esc and a key that come in one packet, as over a slow line, look like Alt and that key. No binding has Alt, so both
/// are what was typed.
fn to_keys(mut event: KeyEvent) -> Vec<Key> {
    let mut keys = Vec::new();
    if event.modifiers.contains(KeyModifiers::ALT) && event.kind != KeyEventKind::Release {
        event.modifiers.remove(KeyModifiers::ALT);
        keys.push(Key::plain(Code::Esc));
    }
    keys.extend(to_key(event));
    keys
}

fn to_key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release || event.modifiers.intersects(KeyModifiers::SUPER) {
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

/// The same input, with what other processes say by signals. It ends when this one is told to end (SIGTERM, SIGINT,
/// SIGQUIT) or loses its terminal (SIGHUP), so that the loop comes to its own end: the terminal is given back, and a
/// change that is being sent gets its outcome into the journal.
pub fn with_signals(input: impl Stream<Item = Input> + Unpin) -> impl Stream<Item = Input> + Unpin {
    let mut ends: Vec<Signal> =
        [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit(), SignalKind::hangup()]
            .into_iter()
            .filter_map(|kind| signal(kind).ok())
            .collect();
    let told_to_end = std::future::poll_fn(move |context| {
        let told = ends.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if told { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    let said = stream::select(
        on(Number::TSTP, Input::Key(Key { code: Code::Char('z'), ctrl: true })),
        on(Number::CONT, Input::Continued),
    );
    // The terminal's end is the end, whatever else there is to wait for.
    let typed = input.map(Some).chain(stream::iter([None]));
    let both = stream::select(typed, said.map(Some)).take_while(|input| std::future::ready(input.is_some()));
    Box::pin(both.filter_map(std::future::ready).take_until(told_to_end))
}

/// The input once for every time that the signal comes.
fn on(number: Number, input: Input) -> impl Stream<Item = Input> + Unpin {
    let signals = signal(SignalKind::from_raw(number.as_raw())).ok();
    Box::pin(stream::unfold(signals, move |signals| {
        let input = input.clone();
        async move {
            let mut signals = signals?;
            signals.recv().await?;
            Some((input, Some(signals)))
        }
    }))
}
