//! Sending a confirmed step, and what became of it.

use crate::cli::GoArgs;
use crate::compose::session::Session;
use crate::domain::change::Change;
use crate::domain::change::outcome::Outcome;
use crate::domain::confirm::Confirmed;
use crate::domain::gate::Gate;
use crate::domain::shift::ShiftPlan;
use crate::domain::traffic::{Change as Change53, GroupKey, RecordGroup};
use crate::runtime::execute::outcome_written;

use super::super::console::Console;
use super::super::failure::{Exit, Failure};
use super::super::wait::{self, End, Followed};

use super::look::Base;
use super::{conflict, report};

pub(super) async fn send(
    session: &Session,
    base: &Base,
    plan: Confirmed<ShiftPlan>,
    gates: &[Gate],
    go: GoArgs,
    out: &mut Console,
) -> Result<Exit, Failure> {
    let interrupt = wait::Interrupt::listen();
    let wanted = plan.get().clone();
    let Some(change) = plan.narrow(|plan| Some(Change::Weights(plan))) else {
        return Err(Failure::new(Exit::Error, "other", "there is no change to send", "try again"));
    };
    let (outcome, entries) = wait::executed(session, change, &base.operator, out).await;
    if !outcome_written(&entries) {
        out.say("the outcome could not be written to the journal; the next start settles it from the records");
    }
    let outcome = match outcome {
        Outcome::Unknown { until, .. } if go.wait => {
            wait::until_known(session, &wait::intent_of(&entries), until, interrupt, out).await?
        }
        outcome => End::Known(outcome),
    };
    let change = match outcome {
        End::Known(outcome) => accepted(&wanted, outcome, &session.ports.key, out)?,
        End::Settled(true) => None,
        End::Settled(false) => {
            let text = "the records show that the change was not made, and its request is too old to be made any more";
            return Err(Failure::new(Exit::Access, "not_made", text, "look at what is there now, then decide again"));
        }
    };
    let Some(change) = change else {
        return settled(session, &wanted, gates, go, out).await;
    };
    let interrupt = wait::Interrupt::listen();
    out.say(&format!("Route 53 accepted it as {}: {}", change.id, change.status));
    if !go.wait {
        report(&wanted, gates, "accepted", Some(&change), None, go, out)?;
        return Ok(Exit::Done);
    }
    match wait::to_the_end(session, &change, wanted.to, &base.operator, interrupt, out).await? {
        Followed { change, verified: true, .. } => {
            report(&wanted, gates, "insync", Some(&change), Some(true), go, out)?;
            Ok(Exit::Done)
        }
        Followed { found, .. } => {
            let found = found.map_err(|shape| shape.to_string());
            Err(conflict(&wanted.target(), found.as_ref().map_err(String::as_str), "they are not what was confirmed"))
        }
    }
}

/// The batch was made and its answer was lost. With `--wait` the usual time passes before the records are read back.
pub(super) async fn settled(
    session: &Session,
    wanted: &ShiftPlan,
    gates: &[Gate],
    go: GoArgs,
    out: &mut Console,
) -> Result<Exit, Failure> {
    if !go.wait {
        report(wanted, gates, "settled", None, None, go, out)?;
        return Ok(Exit::Done);
    }
    wait::usual_time(session, wait::Interrupt::listen(), out).await?;
    let hint = "`tapctl status` reads the records back; `tapctl rollback` sends all traffic back";
    match session.ports.read_group().await.map_err(|error| wait::stays("the change", error, hint))? {
        Ok(found) if found == wanted.target() => {
            out.say(&format!("read back as confirmed: {}", found.weights()));
            report(wanted, gates, "settled", None, Some(true), go, out)?;
            Ok(Exit::Done)
        }
        Ok(found) => Err(conflict(&wanted.target(), Ok(&found), "they are not what was confirmed")),
        Err(shape) => Err(conflict(&wanted.target(), Err(&shape.to_string()), "they are not what was confirmed")),
    }
}

/// The change that Route 53 accepted, nothing when the answer was lost and the records show that it was made.
pub(super) fn accepted(
    plan: &ShiftPlan,
    outcome: Outcome,
    key: &GroupKey,
    out: &mut Console,
) -> Result<Option<Change53>, Failure> {
    match outcome {
        Outcome::Accepted(change) => Ok(Some(change)),
        Outcome::Made { error, .. } => {
            out.say(&format!("the answer was lost ({error}), but the records show {}: it was made", plan.to));
            Ok(None)
        }
        Outcome::Conflict { message, found } => {
            let found = found.and_then(|found| RecordGroup::from_records(key, &found).map_err(|e| e.to_string()));
            Err(conflict(&plan.expected, found.as_ref().map_err(String::as_str), &message))
        }
        Outcome::AlreadySo { message, found } => {
            let found = RecordGroup::from_records(key, &found).map_err(|error| error.to_string());
            let words = format!("already so, by somebody else, and not taken as the new base: {message}");
            Err(conflict(&plan.expected, found.as_ref().map_err(String::as_str), &words))
        }
        Outcome::Refused(error) => {
            let mut failure = Failure::from(error);
            failure.message = format!("nothing was changed: {}", failure.message);
            Err(failure)
        }
        Outcome::Unknown { error, until, found } => Err(wait::not_known(&error, until, &found)),
    }
}
