//! What is wrong: everything that is out of order outside of the gates, each as one line and the next thing to do.
//!
//! Pure. The cockpit lists them, and `status --json` tells them; no key is named in them.

use super::error::{ErrorKind, PortError};
use super::facts::{Source, SourceHealth};
use super::gate::{FACT_STALE, MAX_CLOCK_SKEW};
use super::metrics::Metric;
use super::readiness::{Mark, Picture, readiness};
use super::reading;
use super::replication::TaskStatus;
use super::schedule::interval;
use super::series::STALE;
use super::service::AlarmState;
use super::traffic::Side;
use super::units::{Timestamp, age_text};
use crate::domain::units::counted;
use crate::keymap::View;

/// The first thing to do about it, as a value: the cockpit shows it as a key, or as a command where only a shell has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Look where it is shown.
    See(View),
    /// Ask again; it is asked by itself, too.
    AskAgain,
    /// Let the commands say what is missing, and what mends it.
    Doctor,
    /// Read the journal.
    Journal,
    /// Read all of it.
    Details,
}

impl Remedy {
    /// What mends a source that fails so.
    const fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Credentials
            | ErrorKind::Denied
            | ErrorKind::NotFound
            | ErrorKind::Garbled
            | ErrorKind::Storage => Self::Doctor,
            _ => Self::AskAgain,
        }
    }
}

/// Something that is out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub mark: Mark,
    /// One line.
    pub text: String,
    /// What to do.
    pub hint: String,
    /// The first thing to do.
    pub remedy: Remedy,
}

impl Problem {
    fn new(mark: Mark, text: impl Into<String>, hint: impl Into<String>, remedy: Remedy) -> Self {
        Self { mark, text: text.into(), hint: hint.into(), remedy }
    }
}

/// All of it, the worst first.
#[must_use]
pub fn find(picture: &Picture<'_>) -> Vec<Problem> {
    let facts = picture.facts;
    let mut found = Vec::new();
    if !picture.stack.is_provisioned() {
        let answered = picture.answered().map(|text| format!("; {text}")).unwrap_or_default();
        let text = format!("the new stack is not provisioned yet{answered}");
        found.push(Problem::new(Mark::Waiting, text, readiness(picture).sentence, Remedy::See(View::Provision)));
    } else if let Some(Err(shape)) = facts.group.as_ref().map(|g| &g.value) {
        found.push(Problem::new(
            Mark::Fail,
            shape.to_string(),
            "no weight is changed while this holds",
            Remedy::See(View::Traffic),
        ));
    }
    if let Some(error) = picture.journal_error {
        found.push(Problem::new(
            Mark::Fail,
            format!("journal: {error}"),
            "nothing is sent before its intent is on disk; check space and rights of the state folder",
            Remedy::Doctor,
        ));
    }
    for alarm in facts.alarms().filter(|a| a.state == AlarmState::Alarm) {
        found.push(Problem::new(
            Mark::Fail,
            format!("ALARM {}: {}", alarm.name, alarm.reason),
            "",
            Remedy::See(View::Service),
        ));
    }
    found.extend(half_a_way_back(picture));
    found.extend(sources(picture));
    found.extend([Side::New, Side::Legacy].into_iter().filter_map(|side| old_minutes(picture, side)));
    found.extend(clocks(picture));
    found.extend(known_in_part(picture));
    if let Some(run) = facts.stack_run.as_ref().and_then(|run| run.value.as_ref()) {
        found.push(Problem::new(
            Mark::Waiting,
            run.clone(),
            "no weight moves until it has ended",
            Remedy::See(View::Provision),
        ));
    }
    found.sort_by_key(|p| match p.mark {
        Mark::Fail => 0,
        Mark::Unknown | Mark::Stale => 1,
        _ => 2,
    });
    found
}

/// A clock that jumped, or that is not AWS's.
fn clocks(picture: &Picture<'_>) -> Vec<Problem> {
    let facts = picture.facts;
    let mut found = Vec::new();
    if let Some(jump) = facts.jump {
        let text = format!("this host's clock was {} at {}", jump.text(), jump.at.hms());
        let hint = "what was read before is not known; it is being asked again. The way back is open";
        found.push(Problem::new(Mark::Unknown, text, hint, Remedy::AskAgain));
    }
    if let Some(skew) = facts.clock_skew_ms.filter(|ms| ms.unsigned_abs() > MAX_CLOCK_SKEW.as_millis() as u64) {
        let side = if skew > 0 { "ahead of" } else { "behind" };
        found.push(Problem::new(
            Mark::Unknown,
            format!("this host's clock is {} s {side} AWS's, so no age can be trusted", skew.unsigned_abs() / 1000),
            "set the clock (chronyc makestep) and start again",
            Remedy::Doctor,
        ));
    }
    found
}

/// What was read in part, and what is not known yet.
fn known_in_part(picture: &Picture<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    let incomplete = &picture.facts.incomplete;
    if let Some((metric, why)) = incomplete.first() {
        found.push(Problem::new(
            Mark::Unknown,
            format!("CloudWatch answered {} metrics in part: {metric:?}: {why}", incomplete.len()),
            "a metric that is not whole passes no gate; it is asked again each minute",
            Remedy::AskAgain,
        ));
    }
    if picture.journal_broken > 0 {
        found.push(Problem::new(
            Mark::Unknown,
            format!("{} of the journal cannot be read", counted(picture.journal_broken, "line", "lines")),
            "they are kept as they are; look at the file with a text editor",
            Remedy::Journal,
        ));
    }
    if let Some(open) = picture.history.and_then(|h| h.unfinished()) {
        found.push(Problem::new(
            Mark::Unknown,
            open.unknown_text(),
            "the records are read until it is known; the way back is open",
            Remedy::See(View::Journal),
        ));
    }
    found
}

const LOOK_AT_CHECKS: &str = "the way back leads to them; look at their health checks";

/// What weakens the ways back without closing them: instances of the legacy fleet that do not answer, and a reverse task
/// that failed. No step is blocked by it.
fn half_a_way_back(picture: &Picture<'_>) -> Vec<Problem> {
    let facts = picture.facts;
    let mut found = Vec::new();
    if let Some(fleet) = facts.legacy_hosts.as_ref().map(|fact| &fact.value).filter(|fleet| fleet.unhealthy() > 0) {
        let why = fleet.hosts.iter().find(|h| h.is_unhealthy()).and_then(|h| h.reason.as_deref());
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let text = format!("{} of {} legacy instances are out of service{why}", fleet.unhealthy(), fleet.hosts.len());
        found.push(Problem::new(Mark::Unknown, text, LOOK_AT_CHECKS, Remedy::See(View::Service)));
    }
    let counted = |metric| reading::metric(facts, metric, picture.now);
    let (healthy, unhealthy) = (counted(Metric::LegacyHealthy), counted(Metric::LegacyUnhealthy));
    let none = healthy.fresh().is_some_and(|count| *count < 1.0);
    if found.is_empty() && (none || unhealthy.fresh().is_some_and(|count| *count > 0.0)) {
        let at = healthy.at.or(unhealthy.at).map(|at| format!(" at {} UTC", at.hm())).unwrap_or_default();
        let text = format!("CloudWatch counted legacy instances out of service{at}");
        found.push(Problem::new(Mark::Unknown, text, LOOK_AT_CHECKS, Remedy::See(View::Service)));
    }
    let reverse = facts.replication.as_ref().and_then(|fact| fact.value.reverse.as_ref());
    if reverse == Some(&TaskStatus::Failed) {
        let hint = "no weight needs it, but there is no way back for the writes before it is ready again";
        found.push(Problem::new(
            Mark::Unknown,
            "the reverse replication task has failed",
            hint,
            Remedy::See(View::Replication),
        ));
    }
    found
}

/// Sources whose newest answer was a failure.
fn sources(picture: &Picture<'_>) -> Vec<Problem> {
    let (mut found, mut told) = (Vec::new(), Vec::new());
    for source in Source::ALL {
        let Some(health) = picture.facts.sources.get(&source) else { continue };
        // Said once, above all sources.
        if health.error.as_ref().is_some_and(|error| error.kind == ErrorKind::NotProvisioned) {
            continue;
        }
        let Some(error) = &health.error else {
            found.extend(health.last_ok.and_then(|at| gone_quiet(source, at, picture)));
            continue;
        };
        if told.iter().any(|told: &&PortError| told.is_same_cause(error)) {
            continue;
        }
        told.push(error);
        let alike = |health: &&SourceHealth| health.error.as_ref().is_some_and(|other| error.is_same_cause(other));
        let many = picture.facts.sources.values().filter(alike).count();
        let name = if many > 1 { format!("{many} sources") } else { source.name().to_owned() };
        let times = if health.failures > 1 { format!(" {}×", health.failures) } else { String::new() };
        let passing = match error.kind {
            ErrorKind::Throttled => true,
            ErrorKind::TimedOut | ErrorKind::Unreachable => health.failures < 3,
            _ => false,
        };
        let mark = if passing { Mark::Unknown } else { Mark::Fail };
        let text = format!("{name}: {}{times}, {}", error.short(), last_answer(health.last_ok, picture.now));
        found.push(Problem::new(mark, text, format!("{error}; {}", error.hint()), Remedy::of(error.kind)));
    }
    found
}

/// A source that neither answers nor fails for much longer than its interval.
fn gone_quiet(source: Source, at: Timestamp, picture: &Picture<'_>) -> Option<Problem> {
    let allowed = FACT_STALE.max(interval(source, false) * 2);
    // A change that is settled is not asked about any more.
    let asked = source != Source::Change || picture.history.is_some_and(|h| h.pending.is_some());
    (asked && picture.now.since(at) > allowed).then(|| {
        let text = format!("{}: {}", source.name(), last_answer(Some(at), picture.now));
        Problem::new(Mark::Stale, text, "it is asked again by itself", Remedy::AskAgain)
    })
}

/// Metrics of one side whose newest minute is too old, although CloudWatch answers.
fn old_minutes(picture: &Picture<'_>, side: Side) -> Option<Problem> {
    let newest = Metric::of(side).filter_map(|m| picture.facts.metrics.series(m).last()).map(|p| p.at).max()?;
    let age = picture.now.since(newest);
    let text =
        format!("the newest metrics of the {} stack are of {} UTC, {} ago", side.name(), newest.hm(), age_text(age));
    let hint = "their gates stay closed until CloudWatch shows newer minutes; see the AWS health page";
    (age > STALE).then(|| Problem::new(Mark::Stale, text, hint, Remedy::AskAgain))
}

/// `last answer <2m ago`, or that there was none.
fn last_answer(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(|| "no answer yet".to_owned(), |at| format!("last answer {} ago", age_text(now.since(at))))
}

/// A gate that keeps traffic from moving, as a problem: what is said where nothing else is wrong.
#[must_use]
pub fn of_gates(picture: &Picture<'_>) -> Option<Problem> {
    let marked = picture.gates.iter().map(|gate| (gate, picture.mark(gate)));
    let (gate, mark) = marked
        .filter(|(_, mark)| !matches!(mark, Mark::Pass | Mark::Waiting))
        .min_by_key(|(_, mark)| *mark != Mark::Fail)?;
    Some(Problem::new(mark, format!("{}: {}", gate.id, gate.reason), "", Remedy::Details))
}

/// All problems in one line.
#[must_use]
pub fn one_line(found: &[Problem]) -> String {
    found.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Facts;
    use crate::domain::model::{Model, fixtures};
    use crate::domain::shift::fixtures::key;

    #[test]
    fn what_fails_says_what_to_do_first_and_once_for_one_cause() {
        use ErrorKind::{Credentials, Denied, Throttled};
        let now = Timestamp::from_millis(1_795_000_020_000);
        let said = |failures: &[(Source, ErrorKind)]| {
            let mut facts = Facts::default();
            for (source, kind) in failures {
                facts.absorb(&key(), *source, Err(PortError::new(*kind, "aws:Call", "no")), now);
            }
            let mut model =
                Model::new(fixtures::stack(), fixtures::watcher(), crate::domain::gate::Policy::default(), now);
            model.live.facts = facts;
            let found = find(&Picture::of(&model, &model.live));
            found.into_iter().map(|problem| problem.remedy).collect::<Vec<_>>()
        };
        assert_eq!(said(&[(Source::Tables, Credentials), (Source::Service, Credentials)]), [Remedy::Doctor]);
        assert_eq!(said(&[(Source::Tables, Denied), (Source::Service, Throttled)]), [Remedy::Doctor, Remedy::AskAgain]);
    }
}
