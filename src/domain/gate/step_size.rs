//! The gate on the size of a step: little at once, or back to what the new stack has carried of late for a whole bake.
//!
//! What it has carried is proved three times: the journal has the two ends of the span, the balancers' counts have the
//! minutes between them, and ECS says that the same release runs since. What cannot be known of these is not proved, and
//! the gate says which.

use crate::domain::facts::{Facts, Source};
use crate::domain::record::Span;
use crate::domain::series::{PERIOD, Point};
use crate::domain::shift::ShiftPlan;
use crate::domain::traffic::Side;
use crate::domain::units::{Percent, countdown_text};

use super::{Gate, GateId, Inputs, Policy, Verdict, fresh};

/// What the next step of the policy's size says, as long as it is known from where it would go.
pub(super) fn next_step_size(inputs: Inputs<'_>) -> Gate {
    let most = inputs.policy.max_step;
    let limit = step_limit(inputs.policy);
    match fresh(inputs.facts.group.as_ref(), Source::Records, inputs) {
        Ok((Ok(group), at)) => small_enough(most.min(100 - group.new_share().get()), inputs.policy).at(at),
        Ok((Err(shape), at)) => {
            let why = format!("the weights are not known: {shape}");
            Gate::unknown(GateId::StepSize, &limit, why).at(at)
        }
        Err(why) => Gate::unknown(GateId::StepSize, &limit, why),
    }
}

fn step_limit(policy: &Policy) -> String {
    format!("≤ {} points", policy.max_step)
}

fn small_enough(points: u8, policy: &Policy) -> Gate {
    let reason = format!("no step moves more than {} points at once", policy.max_step);
    Gate::new(GateId::StepSize, Verdict::Pass, format!("{points} points"), &step_limit(policy), reason)
}

/// Points by which a minute's share of requests may lie below the weights: resolvers keep answers, and requests are few.
const COUNTED_BELOW: u8 = 10;

/// Whether so much of the share may go to the new stack at once.
pub(super) fn step_size(plan: &ShiftPlan, inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::StepSize;
    let (points, policy) = (plan.points_forward(), inputs.policy);
    if points <= policy.max_step {
        return small_enough(points, policy);
    }
    let (limit, value) = (step_limit(policy), format!("{points} points"));
    match proved(plan.to.new_share(), inputs) {
        Ok(span) => {
            let reason = format!("back to what the new stack has carried within a day: {}", span.text());
            Gate::new(ID, Verdict::Pass, value, &limit, reason)
        }
        Err(why) => {
            let reason = format!(
                "{points} points at once, and {why}: go in steps of {}, or override it by name, with a reason, on the \
                 command line",
                policy.max_step
            );
            Gate::new(ID, Verdict::Fail, value, &limit, reason)
        }
    }
}

/// The span in which the new stack, as it is now, has carried the share for a whole bake within a day; or what of it is
/// not proved.
fn proved(share: Percent, inputs: Inputs<'_>) -> Result<Span, String> {
    let bake = inputs.policy.bake;
    let nothing = || {
        format!(
            "by the journal of this host the new stack, as it is now, has not carried {share} for a whole bake ({}) \
             within a day",
            countdown_text(bake)
        )
    };
    let (history, now) = inputs.history.zip(inputs.aws_now()).ok_or_else(nothing)?;
    let span = history.carried.for_long(share, bake, now).ok_or_else(nothing)?;
    let says = |what: String| format!("the journal has {}, but {what}", span.text());
    same_release(span, inputs).map_err(says)?;
    let minutes = counted(inputs.facts, span, share).map_err(says)?;
    // The two minutes that the ends of the span cut are not looked at.
    if PERIOD.saturating_mul(minutes.saturating_add(2)) >= bake {
        return Ok(span);
    }
    Err(says(format!("the requests that both balancers counted show it in only {minutes} min")))
}

/// How many whole minutes of the span show the share in the balancers' own counts. The journal proves the two ends of it;
/// between them somebody may have taken the share away and given it back.
fn counted(facts: &Facts, span: Span, share: Percent) -> Result<u32, String> {
    let past = |side| match facts.metrics.past(side) {
        Some(Ok(counts)) => Ok(counts),
        Some(Err(error)) => Err(format!("what was counted then could not be read: {error}")),
        None => Err("CloudWatch has not told yet what was counted then".to_owned()),
    };
    let (new, legacy): (Vec<Point>, Vec<Point>) = (past(Side::New)?, past(Side::Legacy)?);
    let least = f64::from(share.get().saturating_sub(COUNTED_BELOW)) / 100.0;
    let whole = new.iter().filter(|minute| minute.at >= span.since && minute.at.plus(PERIOD) <= span.until);
    let carried = whole.filter(|minute| {
        // Both sides have answered: where there is no minute there was nothing to count.
        let beside = legacy.binary_search_by_key(&minute.at, |point| point.at).map_or(0.0, |index| legacy[index].value);
        minute.value > 0.0 && minute.value >= (minute.value + beside) * least
    });
    Ok(u32::try_from(carried.count()).unwrap_or(u32::MAX))
}

/// That what runs now is what ran then: another release has carried nothing yet.
fn same_release(span: Span, inputs: Inputs<'_>) -> Result<(), String> {
    let (service, _) = fresh(inputs.facts.service.as_ref(), Source::Service, inputs)
        .map_err(|why| format!("it is not known whether the same release runs: {why}"))?;
    let Some((release, created)) = service.primary().and_then(|d| Some((&d.task_definition, d.created?))) else {
        return Err("ECS does not say since when its release runs".to_owned());
    };
    if created <= span.since {
        return Ok(());
    }
    Err(format!("{release} was deployed at {} UTC, after that had begun", created.hms()))
}
