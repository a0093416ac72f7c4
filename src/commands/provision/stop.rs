//! `interrupt` and `unlock`: what stops a run, and what clears the locks of dead processes, for whoever has no cockpit.
//!
//! Neither needs AWS to answer: a run is a process of this host, and the locks are Pulumi's own.

use serde_json::json;

use crate::cli::{InterruptArgs, RunArgs};
use crate::config::Global;
use crate::domain::change::Change;
use crate::domain::change::preconditions::{check_stop, check_unseen};
use crate::domain::change::propose;
use crate::domain::confirm::YesFlag;
use crate::domain::provision::{Carried, RunHead};
use crate::domain::pulumi::lock::{ClearLocks, LockRefusal};
use crate::domain::pulumi::{AskedBefore, PulumiChange, PulumiError};

use super::super::console::Console;
use super::super::failure::{Exit, Failure};
use super::super::prompt::{Declined, ask};
use super::place::{Purpose, place};

/// Asks the run that goes on to stop; once it was asked, and only then, ends it by force.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn interrupt(args: &InterruptArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let place = place(global, Purpose::Attach).await?;
    place.warn(out);
    place.may_write()?;
    let Some(head) = place.runs.running()? else {
        return told("nothing_to_do", None, "no run goes on; nothing was sent", args.json, out);
    };
    let again = "it was asked before, and nothing was sent; `tapctl interrupt --force` ends it by force";
    let history = place.ports.read_journal().await.ok().map(|journal| journal.history);
    match (args.force, propose::asked_before(&head, history.as_ref())) {
        (false, Some(AskedBefore::Proved)) => return told("already_asked", Some(&head), again, args.json, out),
        (false, Some(AskedBefore::NotKnown(noted))) => {
            return Err(PulumiError::MayBeSecond(format!("its mark cannot be made; {noted}")).into());
        }
        (true, None) => return Err(not_asked_yet()),
        (false, None) | (true, Some(_)) => {}
    }
    let operator = place.who().await;
    let change = propose::stop(&head, &operator, &place.runs.state(&head.id)?, history.as_ref());
    let challenge = change.challenge();
    if let Some(given) = args.confirm.as_ref().filter(|given| YesFlag::from_answer(given, &challenge).is_none()) {
        return Err(Declined(format!("--confirm {given} is not what the question asks for")).into());
    }
    out.say(&format!("{}: {}", change.title(), change.call_text()));
    for line in change.lines() {
        out.say(&format!("  {line}"));
    }
    let yes = match YesFlag::from_cli(args.yes) {
        Some(yes) => yes,
        None => ask(out, &challenge).await?,
    };
    let goes_on = place.runs.running()?.map(|head| head.id);
    check_stop(&Change::Pulumi(change.clone()), goes_on.as_deref())?;
    match place.changed(change, yes, &operator, out).await? {
        Carried::Interrupted(true) => {
            let words =
                "Pulumi was asked to stop: it finishes what is under way, which takes as long as a database takes";
            told("asked", Some(&head), words, args.json, out)
        }
        Carried::Interrupted(false) => told("already_asked", Some(&head), again, args.json, out),
        Carried::Done(text) => told("ended", Some(&head), &text, args.json, out),
        other => Err(PulumiError::NotStarted(format!("another thing was done than to stop a run: {other:?}")).into()),
    }
}

fn not_asked_yet() -> Failure {
    Failure::new(
        Exit::Error,
        "not_asked",
        "nothing was sent: the run was not asked to stop yet, and by force Pulumi does not write its state",
        "`tapctl interrupt` asks it; `tapctl attach` shows how far it is",
    )
}

fn told(result: &str, run: Option<&RunHead>, words: &str, json: bool, out: &mut Console) -> Result<Exit, Failure> {
    if json {
        out.json(&json!({"schema": 1, "result": result, "run": run.map(|head| &head.id)}))?;
    }
    out.say(words);
    Ok(Exit::Done)
}

/// Clears the stack's locks when every holder is known to be dead.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn unlock(args: RunArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let place = place(global, Purpose::PulumiStatus).await?;
    place.may_write()?;
    let operator = place.who().await;
    let look = place.look(out).await?;
    let clear = match ClearLocks::new(&place.stack, &look.locks) {
        Ok(clear) => clear,
        Err(LockRefusal::NotLocked) => return cleared("nothing_to_do", &[], "the stack is not locked", args.json, out),
        Err(refusal) => {
            let hint = "`tapctl attach` follows a run of this host; whoever holds it elsewhere has to be asked";
            return Err(Failure::new(Exit::Gate, "locked", format!("no lock is cleared: {refusal}"), hint));
        }
    };
    let locks: Vec<String> = clear.locks().iter().map(ToString::to_string).collect();
    let change = PulumiChange::ClearLocks(clear);
    check_unseen(&Change::Pulumi(change.clone()), place.runs.going_on()?, look.setup.as_ref())?;
    out.say(&format!("{}: {}", change.title(), change.call_text()));
    let yes = match YesFlag::from_cli(args.yes) {
        Some(yes) => yes,
        None => ask(out, &change.challenge()).await?,
    };
    match place.changed(change, yes, &operator, out).await? {
        Carried::Done(text) => cleared("cleared", &locks, &text, args.json, out),
        other => Err(PulumiError::NotStarted(format!("another thing was done than clearing: {other:?}")).into()),
    }
}

fn cleared(result: &str, locks: &[String], words: &str, json: bool, out: &mut Console) -> Result<Exit, Failure> {
    if json {
        out.json(&json!({"schema": 1, "result": result, "locks": locks}))?;
    }
    out.say(words);
    Ok(Exit::Done)
}
