//! What people do to the terminal, as the loop takes it: keys and resizes, free of any terminal library.

use futures_util::{Stream, StreamExt, stream};
use rustix::process::Signal as Number;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::typed::{Decoder, Mouse, Typed};
use crate::keymap::{Code, Key};

/// One thing that happened to the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted as a whole.
    Pasted(String),
    /// The mouse was used.
    Mouse(Mouse),
    /// The terminal has another size.
    Resize,
    /// The terminal has the focus again, or no longer.
    Focus(bool),
    /// The process was stopped, and goes on: whatever had the terminal meanwhile left it as it liked.
    Continued,
}

/// The keys and resizes of the real terminal. Pasted text stays apart from keys: a pasted `y` is not an answer. It ends
/// with the terminal.
pub fn from_terminal() -> impl Stream<Item = Input> + Unpin {
    let typed = from_bytes(tokio::io::stdin()).map(Some).chain(stream::iter([None]));
    let resized = on(Number::WINCH, Input::Resize).map(Some);
    let both = stream::select(typed, resized).take_while(|input| std::future::ready(input.is_some()));
    Box::pin(both.filter_map(std::future::ready))
}

/// What comes from a terminal, decoded, until it is gone: then a read gives nothing or fails, as when a connection
/// drops.
fn from_bytes(terminal: impl AsyncRead + Unpin) -> impl Stream<Item = Input> {
    let inputs = stream::unfold((terminal, Decoder::default()), |(mut terminal, mut decoder)| async move {
        let mut bytes = [0; 1024];
        let read = terminal.read(&mut bytes);
        let length = match decoder.patience() {
            None => Some(read.await),
            Some(patience) => tokio::time::timeout(patience, read).await.ok(),
        };
        let inputs = match length {
            None => decoder.give_up(),
            Some(Ok(0) | Err(_)) => return None,
            Some(Ok(length)) => decoder.take(&bytes[..length]),
        };
        Some((stream::iter(inputs), (terminal, decoder)))
    });
    inputs.flatten().map(|typed| match typed {
        Typed::Key(key) => Input::Key(key),
        Typed::Pasted(text) => Input::Pasted(text),
        Typed::Focus(is_here) => Input::Focus(is_here),
        Typed::Mouse(mouse) => Input::Mouse(mouse),
    })
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, DuplexStream};

    use super::*;

    fn terminal() -> (DuplexStream, impl Stream<Item = Input> + Unpin) {
        let (typist, terminal) = tokio::io::duplex(64);
        (typist, Box::pin(from_bytes(terminal)))
    }

    const fn key(c: char) -> Input {
        Input::Key(Key::char(c))
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_typed_comes_at_once_and_the_end_of_the_terminal_ends_it() {
        let (mut typist, mut inputs) = terminal();
        typist.write_all(b"]y").await.unwrap();
        assert_eq!((inputs.next().await, inputs.next().await), (Some(key(']')), Some(key('y'))));
        typist.write_all(b"R").await.unwrap();
        drop(typist);
        assert_eq!((inputs.next().await, inputs.next().await), (Some(key('R')), None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_after_half_a_sequence_is_not_lost() {
        let (mut typist, mut inputs) = terminal();
        typist.write_all(b"\x1b[").await.unwrap();
        assert_eq!(
            (inputs.next().await, inputs.next().await),
            (Some(Input::Key(Key::plain(Code::Esc))), Some(key('[')))
        );
        typist.write_all(b"R").await.unwrap();
        assert_eq!(inputs.next().await, Some(key('R')));
    }
}
