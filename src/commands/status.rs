//! `status`: one snapshot, or one after another.

use std::time::Duration;

use crate::cli::StatusArgs;
use crate::compose::session::{Session, connect};
use crate::config::{Global, defaults};
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Facts, Source};
use crate::domain::reading::shared_causes;
use crate::domain::schedule::Polls;
use crate::domain::time::Moment;
use crate::runtime::collect::{Collected, collect, reconcile_journal};

use super::console::Console;
use super::failure::{Exit, Failure, nothing_answered};
use super::snapshot::Snapshot;
use super::text;

/// The fastest source changes no faster than this; the others are asked at their own pace.
const WATCH_STEP: Duration = Duration::from_secs(5);

/// Prints a snapshot, and with `--watch` one after another until it is interrupted.
///
/// # Errors
/// When the configuration cannot be used, or not one source of AWS has answered.
pub async fn run(args: StatusArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let session = connect(global).await?;
    let collected = look(&session, &Source::ALL, Facts::default(), out).await;
    if let Some(failure) = nothing_answered(&collected.facts) {
        return Err(failure);
    }
    print(&session, &collected, args, out)?;
    if !args.watch {
        return Ok(Exit::Done);
    }
    tokio::select! {
        end = watch(&session, collected, args, out) => end,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Done),
    }
}

/// Asks, and writes down what is news. What cannot be settled or written is said, and shows in the gates.
pub async fn look(session: &Session, sources: &[Source], facts: Facts, out: &mut Console) -> Collected {
    if let Err(error) = session.settle_open(out).await {
        out.say(&format!("an earlier change is still open: {error}; {}", error.hint()));
    }
    let told: Vec<PortError> = shared_causes(&facts).into_iter().cloned().collect();
    let mut collected = collect(&session.ports, sources, facts, defaults::COLLECT_DEADLINE).await;
    // Once for all that is not known for it, and once for as long as it stays so; where nothing is known at all whoever
    // asked says so.
    let causes =
        if nothing_answered(&collected.facts).is_none() { shared_causes(&collected.facts) } else { Vec::new() };
    for cause in causes {
        if !told.iter().any(|told| told.is_same_cause(cause)) && cause.kind != ErrorKind::NotProvisioned {
            out.say(&format!("{cause}; {}", cause.hint()));
        }
    }
    let operator = session.operator(&collected.facts);
    for error in reconcile_journal(&session.ports, &mut collected, &operator, &session.watcher.host).await {
        out.say(&format!("the journal is behind: {error}"));
    }
    if let Err(error) = &collected.journal {
        out.say(&format!("the journal cannot be read: {error}; {}", error.hint()));
    }
    collected
}

fn print(session: &Session, collected: &Collected, args: StatusArgs, out: &mut Console) -> Result<(), Failure> {
    let gates = session.gates(collected);
    let snapshot = Snapshot::of((&session.stack, &session.watcher), &session.policy, collected, &gates);
    if args.json { out.json(&snapshot) } else { out.data(&text::snapshot(&snapshot, &session.stack, &session.watcher)) }
}

async fn watch(
    session: &Session,
    mut collected: Collected,
    args: StatusArgs,
    out: &mut Console,
) -> Result<Exit, Failure> {
    let mut polls = Polls::default();
    let mut request = 0;
    note(&mut polls, &Source::ALL, &collected, session.ports.clock.moment(), &mut request);
    while !out.closed {
        tokio::time::sleep(session.pace.real(WATCH_STEP)).await;
        session.resync().await;
        let due = polls.due(session.ports.clock.moment());
        if due.is_empty() {
            continue;
        }
        collected = look(session, &due, collected.facts, out).await;
        note(&mut polls, &due, &collected, session.ports.clock.moment(), &mut request);
        print(session, &collected, args, out)?;
    }
    Ok(Exit::Done)
}

/// Tells the schedule what was asked and how it went.
fn note(polls: &mut Polls, asked: &[Source], collected: &Collected, now: Moment, request: &mut u64) {
    let moving = collected.history().is_some_and(|history| history.pending.is_some());
    for source in asked {
        *request += 1;
        let failures = collected.facts.sources.get(source).map_or(0, |health| health.failures);
        polls.sent(*source, *request, now);
        polls.answered(*source, *request, now, failures, moving);
    }
}
