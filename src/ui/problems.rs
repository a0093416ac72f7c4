//! What is wrong: everything that is out of order outside of the gates, each as one line and the next thing to do.
//!
//! Pure.

use crate::domain::error::ErrorKind;
use crate::domain::facts::Source;
use crate::domain::gate::{FACT_STALE, MAX_CLOCK_SKEW};
use crate::domain::metrics::Metric;
use crate::domain::model::{Model, World};
use crate::domain::replication::TaskStatus;
use crate::domain::schedule::interval;
use crate::domain::series::STALE;
use crate::domain::service::AlarmState;
use crate::domain::traffic::Side;
use crate::domain::units::Timestamp;

use super::first_day;
use super::text::at_most;
use super::theme::Mark;
use super::verdict::gate_mark;

/// Something that is out of order.
pub(super) struct Problem {
    /// How bad.
    pub(super) mark: Mark,
    /// One line.
    pub(super) text: String,
    /// What to do.
    pub(super) hint: String,
}

impl Problem {
    fn new(mark: Mark, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { mark, text: text.into(), hint: hint.into() }
    }
}

/// All of it, the worst first.
pub(super) fn find(model: &Model, world: &World) -> Vec<Problem> {
    let facts = &world.facts;
    let mut found = Vec::new();
    if !model.stack.is_provisioned() {
        let answered = first_day::answered(model, world).map(|text| format!("; {text}")).unwrap_or_default();
        let text = format!("the new stack is not provisioned yet{answered}");
        found.push(Problem::new(Mark::Waiting, text, first_day::next(model, world)));
    } else if let Some(Err(shape)) = facts.group.as_ref().map(|g| &g.value) {
        found.push(Problem::new(Mark::Fail, shape.to_string(), "no weight is changed while this holds"));
    }
    if let Some(error) = &world.journal_error {
        found.push(Problem::new(
            Mark::Fail,
            format!("journal: {error}"),
            "nothing is sent before its intent is on disk; check space and rights of the state folder",
        ));
    }
    for alarm in facts.alarms().filter(|a| a.state == AlarmState::Alarm) {
        found.push(Problem::new(Mark::Fail, format!("ALARM {}: {}", alarm.name, alarm.reason), ""));
    }
    found.extend(half_a_way_back(world));
    found.extend(sources(world));
    found.extend([Side::New, Side::Legacy].into_iter().filter_map(|side| old_minutes(world, side)));
    if let Some(jump) = facts.jump {
        let text = format!("this host's clock was {} at {}", jump.text(), jump.at.hms());
        let hint = "what was read before is not known; it is being asked again. The way back is open";
        found.push(Problem::new(Mark::Unknown, text, hint));
    }
    if let Some(skew) = facts.clock_skew_ms.filter(|ms| ms.unsigned_abs() > MAX_CLOCK_SKEW.as_millis() as u64) {
        let side = if skew > 0 { "ahead of" } else { "behind" };
        found.push(Problem::new(
            Mark::Unknown,
            format!("this host's clock is {} s {side} AWS's, so no age can be trusted", skew.unsigned_abs() / 1000),
            "set the clock (chronyc makestep) and start again",
        ));
    }
    if let Some((metric, why)) = facts.incomplete.first() {
        found.push(Problem::new(
            Mark::Unknown,
            format!("CloudWatch answered {} metrics in part: {metric:?}: {why}", facts.incomplete.len()),
            "a metric that is not whole passes no gate; it is asked again each minute",
        ));
    }
    if world.journal_broken > 0 {
        found.push(Problem::new(
            Mark::Unknown,
            format!("{} lines of the journal cannot be read", world.journal_broken),
            "they are kept as they are; look at the file with a text editor",
        ));
    }
    if let Some(open) = world.history.as_ref().and_then(|h| h.unfinished.as_ref()) {
        found.push(Problem::new(
            Mark::Unknown,
            format!(
                "the change {} → {} was sent at {} and its outcome is not known",
                open.from,
                open.to,
                open.at.hms()
            ),
            "it is settled from what Route 53 says as soon as that answers",
        ));
    }
    if let Some(run) = facts.stack_run.as_ref().and_then(|run| run.value.as_ref()) {
        found.push(Problem::new(Mark::Waiting, run.clone(), "no weight moves until it has ended"));
    }
    found.sort_by_key(|p| match p.mark {
        Mark::Fail => 0,
        Mark::Unknown | Mark::Stale => 1,
        _ => 2,
    });
    found
}

/// What weakens the ways back without closing them: instances of the legacy fleet that do not answer, and a reverse task
/// that failed. No step is blocked by it.
fn half_a_way_back(world: &World) -> Vec<Problem> {
    let facts = &world.facts;
    let mut found = Vec::new();
    if let Some(fleet) = facts.legacy_hosts.as_ref().map(|fact| &fact.value).filter(|fleet| fleet.unhealthy() > 0) {
        let why = fleet.hosts.iter().find(|h| h.is_unhealthy()).and_then(|h| h.reason.as_deref());
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let text = format!("{} of {} legacy instances are out of service{why}", fleet.unhealthy(), fleet.hosts.len());
        found.push(Problem::new(Mark::Unknown, text, "the way back leads to them; look at their health checks"));
    }
    let reverse = facts.replication.as_ref().and_then(|fact| fact.value.reverse.as_ref());
    if reverse == Some(&TaskStatus::Failed) {
        let hint = "no weight needs it, but there is no way back for the writes before it is ready again";
        found.push(Problem::new(Mark::Unknown, "the reverse replication task has failed", hint));
    }
    found
}

/// Sources whose newest answer was a failure.
fn sources(world: &World) -> Vec<Problem> {
    let mut found = Vec::new();
    for source in Source::ALL {
        let Some(health) = world.facts.sources.get(&source) else { continue };
        // Said once, above all sources.
        if health.error.as_ref().is_some_and(|error| error.kind == ErrorKind::NotProvisioned) {
            continue;
        }
        let Some(error) = &health.error else {
            found.extend(health.last_ok.and_then(|at| gone_quiet(source, at, world)));
            continue;
        };
        let times = if health.failures > 1 { format!(" {}×", health.failures) } else { String::new() };
        let passing = match error.kind {
            ErrorKind::Throttled => true,
            ErrorKind::TimedOut | ErrorKind::Unreachable => health.failures < 3,
            _ => false,
        };
        let mark = if passing { Mark::Unknown } else { Mark::Fail };
        let text = format!("{}: {}{times}, {}", source.name(), error.short(), last_answer(health.last_ok, world.now));
        found.push(Problem::new(mark, text, format!("{error}; {}", error.hint())));
    }
    found
}

/// A source that neither answers nor fails for much longer than its interval.
fn gone_quiet(source: Source, at: Timestamp, world: &World) -> Option<Problem> {
    let allowed = FACT_STALE.max(interval(source, false) * 2);
    // A change that is settled is not asked about any more.
    let asked = source != Source::Change || world.history.as_ref().is_some_and(|h| h.pending.is_some());
    (asked && world.now.since(at) > allowed).then(|| {
        let text = format!("{}: {}", source.name(), last_answer(Some(at), world.now));
        Problem::new(Mark::Stale, text, "it is asked again by itself; r asks at once")
    })
}

/// Metrics of one side whose newest minute is too old, although CloudWatch answers.
fn old_minutes(world: &World, side: Side) -> Option<Problem> {
    let newest = Metric::of(side).filter_map(|m| world.facts.metrics.series(m).last()).map(|p| p.at).max()?;
    let age = world.now.since(newest);
    let text =
        format!("the newest metrics of the {} stack are of {} UTC, {} ago", side.name(), newest.hm(), at_most(age));
    let hint = "their gates stay closed until CloudWatch shows newer minutes; see the AWS health page";
    (age > STALE).then(|| Problem::new(Mark::Stale, text, hint))
}

/// `last answer <2m ago`, or that there was none.
fn last_answer(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(|| "no answer yet".to_owned(), |at| format!("last answer {} ago", at_most(now.since(at))))
}

/// A gate that keeps traffic from moving, as a problem: what is said where nothing else is wrong.
pub(super) fn of_gates(world: &World) -> Option<Problem> {
    let marked = world.gates.iter().map(|gate| (gate, gate_mark(gate, world)));
    let (gate, mark) = marked
        .filter(|(_, mark)| !matches!(mark, Mark::Pass | Mark::Waiting))
        .min_by_key(|(_, mark)| *mark != Mark::Fail)?;
    Some(Problem::new(mark, format!("{}: {}", gate.id, gate.reason), ""))
}

/// All problems in one line.
pub(super) fn one_line(found: &[Problem]) -> String {
    found.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join(" · ")
}
