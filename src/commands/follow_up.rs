//! What `--wait` does after Route 53 has accepted a change: follow it, read back, say when it is in effect.
//!
//! An interrupt ends the waiting, never the change.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::domain::traffic::{Change, ChangeStatus, GroupError, RecordGroup};
use crate::domain::units::{WeightPair, age_text};
use crate::runtime::follow::{read_back, until_insync};

use super::compose::Session;
use super::failure::{Exit, Failure};
use super::out::Out;

/// How a followed change ended.
pub(super) struct Ending {
    /// INSYNC.
    pub(super) change: Change,
    /// Whether the records are what was confirmed.
    pub(super) verified: bool,
    /// What they are.
    pub(super) found: Result<RecordGroup, GroupError>,
}

/// Listens for an interrupt from before the call on, so that none falls between the call and its outcome.
pub(super) struct Interrupt(Option<Signal>);

impl Interrupt {
    /// Begins to listen.
    pub(super) fn listen() -> Self {
        Self(signal(SignalKind::interrupt()).ok())
    }

    /// Waits for Ctrl-C.
    pub(super) async fn received(&mut self) {
        match &mut self.0 {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}

/// Follows the change to INSYNC; `hint` says how to go on when that could not be waited for.
pub(super) async fn insync(
    session: &Session,
    change: &Change,
    mut interrupt: Interrupt,
    hint: &str,
    out: &mut Out,
) -> Result<Change, Failure> {
    let mut said = None;
    let mut progress = |change: &Change, at| {
        if said != Some(change.status) {
            out.say(&format!("{at}  {} {}", change.id, change.status));
        }
        said = Some(change.status);
    };
    let insync = tokio::select! {
        insync = until_insync(&session.ports, &change.id, session.pace, &mut progress) => insync,
        () = interrupt.received() => return Err(stopped_waiting(&change.id, hint)),
    };
    let insync = insync.map_err(|error| {
        let mut failure = Failure::from(error);
        failure.message = format!("{} was accepted and stays; following it failed: {}", change.id, failure.message);
        hint.clone_into(&mut failure.hint);
        failure
    })?;
    session.resync().await;
    Ok(insync)
}

/// Follows the change to INSYNC and reads the records back.
pub(super) async fn to_the_end(
    session: &Session,
    change: &Change,
    wanted: WeightPair,
    operator: &str,
    interrupt: Interrupt,
    out: &mut Out,
) -> Result<Ending, Failure> {
    let hint = "`tapctl status` shows how far the change is and reads the records back; `tapctl rollback` sends all \
                traffic back";
    let insync = insync(session, change, interrupt, hint, out).await?;
    let read = read_back(&session.ports, insync, wanted, operator, &session.stack.host).await?;
    if let (true, Ok(group)) = (read.verified, &read.found) {
        debug_assert_eq!(read.change.status, ChangeStatus::Insync);
        out.say(&format!(
            "read back as confirmed: {}; resolvers may hold the old answer for {} more",
            group.weights(),
            age_text(group.ttl())
        ));
    }
    Ok(Ending { change: read.change, verified: read.verified, found: read.found })
}

fn stopped_waiting(id: &str, hint: &str) -> Failure {
    Failure::new(
        Exit::Declined,
        "interrupted",
        format!("the waiting was interrupted; the change {id} was accepted and stays"),
        hint,
    )
}
