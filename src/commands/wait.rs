//! What `--wait` does after Route 53 has accepted a change: follow it, read back, say when it is in effect.
//!
//! An interrupt ends the waiting, never the change.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::domain::change::Change as Planned;
use crate::domain::change::outcome::{Found, Outcome};
use crate::domain::change::turn::Stage;
use crate::domain::confirm::Confirmed;
use crate::domain::provision::PulumiStatus;
use crate::domain::record::{Entry, Event, USUALLY_INSYNC_WITHIN};
use crate::domain::traffic::{Change, ChangeStatus, GroupError, RecordGroup};
use crate::domain::units::{Timestamp, WeightPair, age_text};
use crate::ports::PortError;
use crate::runtime::execute::{Executed, Tell, execute, settle};
use crate::runtime::follow::{read_back, until_insync};
use crate::runtime::ports_set::Ports;

use super::console::Console;
use super::failure::{Exit, Failure};
use super::text;
use crate::compose::host;
use crate::compose::session::Session;

/// How a followed change ended.
pub(super) struct Followed {
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
    out: &mut Console,
) -> Result<(Change, Option<Timestamp>), Failure> {
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
    let insync = insync.map_err(|error| stays(&change.id, error, hint))?;
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
    out: &mut Console,
) -> Result<Followed, Failure> {
    let hint = "`tapctl status` shows how far the change is and reads the records back; `tapctl rollback` sends all \
                traffic back";
    let insync = insync(session, change, interrupt, hint, out).await?;
    let read = read_back(&session.ports, insync, wanted, operator, &session.watcher.host).await;
    let read = read.map_err(|error| stays(&change.id, error, hint))?;
    if let (true, Ok(group)) = (read.verified, &read.found) {
        debug_assert_eq!(read.change.status, ChangeStatus::Insync);
        out.say(&format!(
            "read back as confirmed: {}; resolvers may cache the old answer for up to {}",
            group.weights(),
            age_text(group.ttl())
        ));
    }
    Ok(Followed { change: read.change, verified: read.verified, found: read.found })
}

/// The failure of what comes after a change was accepted: whatever fails then, it was made.
pub(super) fn stays(change: &str, error: PortError, hint: &str) -> Failure {
    let mut failure = Failure::from(error);
    failure.message = format!("{change} was accepted and stays; following it failed: {}", failure.message);
    hint.clone_into(&mut failure.hint);
    failure
}

/// Waits as long as a change usually takes to be on every name server: without its id nobody can be asked.
pub(super) async fn usual_time(session: &Session, mut interrupt: Interrupt, out: &mut Console) -> Result<(), Failure> {
    let wait = USUALLY_INSYNC_WITHIN;
    out.say(&format!("its answer was lost, and with it the id to ask for; waiting the usual {}", age_text(wait)));
    tokio::select! {
        () = tokio::time::sleep(session.pace.real(wait)) => {}
        () = interrupt.received() => {
            return Err(stopped_waiting("the change", "`tapctl status` reads the records back"));
        }
    }
    session.resync().await;
    Ok(())
}

/// What became of a change, as far as it can be known.
pub(super) enum End {
    /// The call said it.
    Known(Outcome),
    /// The records said it: whether it was made.
    Settled(bool),
}

/// Pause between two looks at the records while it is not known what came of a change.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The id of the change of the records among what was written on the way.
pub(super) fn intent_of(entries: &[Entry]) -> String {
    entries.iter().rev().find_map(|entry| entry.event.intent_id()).unwrap_or_default().to_owned()
}

/// Reads the records until it is known whether the change of this id was made; every reading settles what it can, in the journal
/// too.
pub(super) async fn until_known(
    session: &Session,
    id: &str,
    until: Timestamp,
    mut interrupt: Interrupt,
    out: &mut Console,
) -> Result<End, Failure> {
    out.say(&format!("it is not known whether it was made; it may land until {} UTC; looking", until.hms()));
    loop {
        let wait = session.pace.real(LOOK_AGAIN);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = interrupt.received() => return Err(stopped_looking(until)),
        }
        session.resync().await;
        match settle(&session.ports, None, &session.watcher.operator, &session.watcher.host).await {
            Ok(entries) => {
                for entry in &entries {
                    out.say(&format!("settled: {}", text::entry(entry)));
                }
            }
            Err(error) => out.say(&format!("the records could not be read: {error}")),
        }
        // Another process may have settled it; the journal says what it found.
        let journal = session.ports.read_journal().await?;
        if journal.history.open.iter().all(|open| open.id != id) {
            let made = journal.entries.iter().rev().find_map(|entry| match &entry.event {
                Event::Outcome { id: of, result, .. } if of == id => Some(result.applied()),
                _ => None,
            });
            return Ok(End::Settled(made.unwrap_or(false)));
        }
    }
}

/// Settles what earlier processes left open around Pulumi, from the folders of the runs and the newest look, and says
/// what came of it. Nobody is kept from anything by what cannot be settled.
pub(super) async fn settle_pulumi(ports: &Ports, look: Option<&PulumiStatus>, operator: &str, out: &mut Console) {
    match settle(ports, look, operator, &host::host_name()).await {
        Ok(entries) => {
            for entry in &entries {
                out.say(&format!("settled: {}", text::entry(entry)));
            }
        }
        Err(error) => out.say(&format!("the journal is behind: {error}")),
    }
}

/// Whether the journal holds a change around Pulumi without its outcome, or a run without its end.
pub(super) async fn is_pulumi_open(ports: &Ports) -> bool {
    let read = ports.read_journal().await;
    read.is_ok_and(|read| !read.history.changes.is_empty() || !read.history.runs.is_empty())
}

/// The failure that says that nobody knows, and until when.
pub(super) fn not_known(error: &PortError, until: Timestamp, found: &Found) -> Failure {
    let records = match found {
        Ok(_) => "the records show that it was not made so far".to_owned(),
        Err(why) => format!("the records could not be read: {why}"),
    };
    let mut failure = Failure::from(error.clone());
    failure.exit = Exit::Access;
    failure.code = "not_known";
    failure.message = format!("not known: the change may be made until {} UTC ({error}); {records}", until.hms());
    "`tapctl status` settles it from the records, --wait goes on looking; `tapctl rollback` is open all the while"
        .clone_into(&mut failure.hint);
    failure.with("until", until.to_string().into())
}

fn stopped_looking(until: Timestamp) -> Failure {
    Failure::new(
        Exit::Declined,
        "interrupted",
        format!("the waiting was interrupted; the change may be made until {} UTC", until.hms()),
        "`tapctl status` settles it from the records; `tapctl rollback` is open all the while",
    )
    .with("until", until.to_string().into())
}

/// Carries a change of the records out, and says when it has to wait for its turn.
pub(super) async fn executed(
    session: &Session,
    change: Confirmed<Planned>,
    operator: &str,
    out: &mut Console,
) -> (Outcome, Vec<Entry>) {
    carried_out(&session.ports, change, (operator, &session.watcher.host), out).await.into_records()
}

/// Carries any change out in the name of an operator on a host, and says when it has to wait for its turn.
pub(super) async fn carried_out(
    ports: &Ports,
    change: Confirmed<Planned>,
    (operator, host): (&str, &str),
    out: &mut Console,
) -> Executed {
    let (sender, mut stages) = tokio::sync::mpsc::unbounded_channel();
    let tell: Tell = Arc::new(move |stage| drop(sender.send(stage)));
    let run = execute(ports, change, operator, host, &tell);
    tokio::pin!(run);
    loop {
        tokio::select! {
            Some(stage) = stages.recv() => {
                if let Stage::Waiting(holder) = stage {
                    let holder = holder.map_or_else(|| "another process".to_owned(), |holder| holder.text());
                    out.say(&format!("waiting for the turn, nothing was sent; it is held by {holder}"));
                }
            }
            ended = &mut run => return ended,
        }
    }
}

fn stopped_waiting(id: &str, hint: &str) -> Failure {
    Failure::new(
        Exit::Declined,
        "interrupted",
        format!("the waiting was interrupted; the change {id} was accepted and stays"),
        hint,
    )
}
