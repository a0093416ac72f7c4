//! The gate on the size of a step: little at once, or back to what the new stack has carried of late for a whole bake.
//!
//! What it has carried is proved three times: the journal has the two ends of the span, the balancers' counts have the
//! minutes between them, and ECS says that the same release runs since. What cannot be known of these is not proved, and
//! the gate says which.

use std::time::Duration;

use crate::domain::facts::{Facts, Source};
use crate::domain::record::Span;
use crate::domain::series::PERIOD;
use crate::domain::shift::ShiftPlan;
use crate::domain::traffic::Side;
use crate::domain::units::{Percent, age_text, countdown_text};

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

/// A span in which the new stack, as it is now, has carried the share for a whole bake within a day; or what of the newest
/// one is not proved, where nothing proves any other either.
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
    let mut newest = None;
    for span in history.carried.for_long(share, bake, now) {
        match is_proved(span, share, inputs) {
            Ok(()) => return Ok(span),
            Err(what) => newest = newest.or_else(|| Some(format!("the journal has {}, but {what}", span.text()))),
        }
    }
    Err(newest.unwrap_or_else(nothing))
}

fn is_proved(span: Span, share: Percent, inputs: Inputs<'_>) -> Result<(), String> {
    same_release(span, inputs)?;
    let longest = counted(inputs.facts, span, share)?;
    if longest.is_some_and(|longest| longest >= inputs.policy.bake) {
        return Ok(());
    }
    let longest = longest.map_or_else(|| "no minute".to_owned(), age_text);
    Err(format!("the requests that both balancers counted show it for {longest} without a break"))
}

/// How long the share was carried without a break by the balancers' own counts; nothing where no whole minute shows it.
/// The journal proves the two ends of the span; between them somebody may have taken the share away and given it back.
/// The two minutes that the ends cut go with the whole minutes beside them.
fn counted(facts: &Facts, span: Span, share: Percent) -> Result<Option<Duration>, String> {
    let past = |side| match facts.metrics.past(side) {
        Some(Ok(counts)) => Ok(counts),
        Some(Err(error)) => Err(format!("what was counted then could not be read: {error}")),
        None => Err("CloudWatch has not told yet what was counted then".to_owned()),
    };
    let (new, legacy) = (past(Side::New)?, past(Side::Legacy)?);
    let least = f64::from(share.get().saturating_sub(COUNTED_BELOW)) / 100.0;
    let carried = |at| {
        let minute = new.in_minute(at).zip(legacy.in_minute(at));
        minute.is_some_and(|(new, legacy)| new > 0.0 && new >= (new + legacy) * least)
    };
    let (mut longest, mut begun) = (None, Some(span.since));
    let mut at = span.since.plus(PERIOD.saturating_sub(Duration::from_millis(1))).floor_to(PERIOD);
    while at.plus(PERIOD) <= span.until {
        let next = at.plus(PERIOD);
        if carried(at) {
            let since = *begun.get_or_insert(at);
            let until = if next.plus(PERIOD) > span.until { span.until } else { next };
            longest = longest.max(Some(until.since(since)));
        } else {
            begun = None;
        }
        at = next;
    }
    Ok(longest)
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
