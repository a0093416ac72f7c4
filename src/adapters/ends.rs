//! How another process tells this one to end: by the signals that a terminal, a shell or a system sends.

use std::future::poll_fn;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for the signals that end a process, from when it is made; they end it no more by themselves from then on.
#[derive(Debug)]
pub struct Ends(Vec<(SignalKind, Signal)>);

impl Ends {
    /// Begins to listen: before there is anything that has to be taken away.
    #[must_use]
    pub fn listen() -> Self {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
        Self(kinds.into_iter().filter_map(|kind| Some((kind, signal(kind).ok()?))).collect())
    }

    /// Waits until this process is told to end; gives the signal's number.
    pub async fn told(&mut self) -> i32 {
        poll_fn(|context| {
            let told =
                self.0.iter_mut().find_map(|(kind, signal)| signal.poll_recv(context).is_ready().then_some(*kind));
            told.map_or(Poll::Pending, |kind| Poll::Ready(kind.as_raw_value()))
        })
        .await
    }
}

/// From now on this process does `last` when it is told to end, and ends as a shell reports such an end.
pub fn before_the_end(last: impl FnOnce() + Send + 'static) {
    let mut ends = Ends::listen();
    tokio::spawn(async move {
        let signal = ends.told().await;
        last();
        std::process::exit(128 + signal);
    });
}
