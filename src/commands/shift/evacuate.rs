//! `evacuate`: all traffic to the new stack because the legacy region fails.
//!
//! One question lists every gate that is stepped over, and wants the stack's name and a reason. A gate that stops
//! passing while it is read is asked about anew.

use crate::cli::EvacuateArgs;
use crate::compose::session::connect;
use crate::config::Global;
use crate::domain::change::propose::{self, NoShift};
use crate::domain::confirm::{Challenge, Confirmed, YesFlag};
use crate::domain::gate::{Gate, for_step};
use crate::domain::model::Model;
use crate::domain::shift::{Evacuation, ShiftPlan};

use super::super::console::Console;
use super::super::failure::{Exit, Failure};
use super::super::prompt::Declined;
use super::look::{look_again, look_first, may_be_sent};
use super::send::send;
use super::{confirm, describe, nothing_to_do, report, wrong_shape};

/// Sends all traffic to the new stack.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn evacuate(args: &EvacuateArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    if args.reason.is_empty() {
        return Err(Failure::usage("the --reason says nothing; the journal keeps it for whoever asks later"));
    }
    let session = connect(global).await?;
    let go = args.go;
    if !go.dry_run {
        session.may_change()?;
    }
    let stack = session.stack.name.clone();
    let named = Challenge::Typed(stack.clone());
    if let Some(given) = args.confirm.as_ref().filter(|given| YesFlag::from_answer(given, &named).is_none()) {
        return Err(Declined(format!("--confirm {given} is not the name of this stack, {stack}")).into());
    }
    if let Err(error) = session.settle_open(out).await {
        out.say(&format!("what was left open is not settled: {error}"));
    }
    let base = look_first(&session, out).await.map_err(without_control_plane)?;
    let evacuation = Evacuation { stack, reason: args.reason.clone() };
    let Ok(plan) = ShiftPlan::evacuate(&base.group, evacuation) else {
        let words = format!("the weights already are {}: nothing is left to evacuate", base.group.weights());
        return nothing_to_do(&session, base, go, &words, out).await;
    };
    let (mut base, mut model) = Box::pin(look_again(&session, base, &plan, out)).await?;
    loop {
        let (plan, gates) = now(&plan, &model)?;
        describe(&session, &base, &plan, &gates, out);
        may_be_sent(&session, &base, &plan, &model)?;
        if go.dry_run {
            report(&plan, &gates, "dry_run", None, None, go, out)?;
            return Ok(Exit::Done);
        }
        let yes = confirm(&session, &base, &plan, go, out).await?;
        if !go.yes {
            // Somebody has read the question and typed: what it listed may not be all by now.
            (base, model) = Box::pin(look_again(&session, base, &plan, out)).await?;
            if says_more(&plan, &model)? {
                out.say("another gate has stopped passing since that question was asked:");
                continue;
            }
            may_be_sent(&session, &base, &plan, &model)?;
        }
        return send(&session, &base, Confirmed::by_flag(plan, yes), &gates, go, out).await;
    }
}

/// What is left where Route 53 takes no change: its control plane is in us-east-1, its answers are not (Route 53
/// developer guide, "Amazon Route 53 concepts", "Health checks and DNS failover").
fn without_control_plane(failure: Failure) -> Failure {
    // Credentials that have expired, a right that is missing and a rate that is used up say nothing about it.
    if !matches!(failure.code, "unreachable" | "timed_out") {
        return failure;
    }
    let still = "Route 53 takes changes through us-east-1 alone; while it does not, records that evaluate the health of \
                 their target still move: once the legacy balancer has no healthy instance, the name is answered with the \
                 new stack";
    Failure { hint: format!("{}; {still}", failure.hint), ..failure }
}

/// The plan with what it steps over now, and the gates as they stand for it.
fn now(plan: &ShiftPlan, model: &Model) -> Result<(ShiftPlan, Vec<Gate>), Failure> {
    let reason = plan.evacuation.as_ref().map_or("", |evacuation| evacuation.reason.as_str());
    match propose::evacuate(&model.stack.name, reason, &model.live.gates, model.gate_inputs()) {
        Ok(plan) => {
            let gates = for_step(&model.live.gates, &plan, model.gate_inputs());
            Ok((plan, gates))
        }
        Err(NoShift::Unknown(why)) => Err(wrong_shape(&why)),
        // Somebody else has done it meanwhile, which the check of the records tells.
        Err(NoShift::NothingToDo { .. }) => Ok((plan.clone(), Vec::new())),
    }
}

/// Whether more is stepped over now than the question has listed.
fn says_more(asked: &ShiftPlan, model: &Model) -> Result<bool, Failure> {
    let (plan, _) = now(asked, model)?;
    Ok(plan.overrides.iter().any(|over| !asked.overrides.contains(over)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::{ErrorKind, PortError};

    #[test]
    fn what_is_left_without_the_control_plane_is_said_where_it_does_not_answer_and_nowhere_else() {
        let hint = |kind| {
            let error = PortError::new(kind, "route53:ListResourceRecordSets", "no");
            without_control_plane(error.into()).hint
        };
        for kind in [ErrorKind::TimedOut, ErrorKind::Unreachable] {
            assert!(hint(kind).contains("through us-east-1 alone"), "{kind:?}");
        }
        for kind in [ErrorKind::Credentials, ErrorKind::Denied, ErrorKind::Throttled, ErrorKind::NotFound] {
            assert!(!hint(kind).contains("us-east-1"), "{kind:?}: {}", hint(kind));
        }
    }
}
