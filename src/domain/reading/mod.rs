//! One quantity as everybody gets it: gate, cell, header, chart, JSON and text read the same value.
//!
//! Pure. A [`Reading`] is made from facts in this folder and nowhere else, so that what blocks a step and what a person
//! sees beside it cannot differ. Only a reading that is [fresh](Reading::fresh) decides anything; every other quality
//! says why it does not.

mod comparison;
mod counts;
mod lag;
mod metric;
mod records;
mod share;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Serialize;

use super::error::{ErrorKind, PortError};
use super::facts::{Fact, Facts, Source};
use super::time::TOLERANCE;
use super::units::{Timestamp, age_text};

pub use comparison::{ErrorRate, WIDEST, Window, errors, latency};
pub use counts::{AlarmCount, HostCount, TaskCount, alarms, hosts, tasks};
pub use lag::lag;
pub use metric::{MAX_CLOCK_SKEW, metric};
pub use share::{Requests, requests, share, shares};

/// A fact from a Describe call that is older than this no longer passes a gate: eight polls in a row gave nothing.
pub const FACT_STALE: Duration = Duration::from_secs(120);

/// What a value is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Of a hundred.
    Percent,
    /// Requests, answers or rows in a second.
    PerSecond,
    /// Requests or answers in a minute.
    PerMinute,
    /// How many there are.
    Count,
}

/// How far a value can be trusted, and why no further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "quality", content = "why")]
pub enum Quality {
    /// Read of late, whole, and in agreement with what else is known.
    Fresh,
    /// It was true once, and that is too long ago.
    Stale(String),
    /// It may still change, or the source says itself that it is not whole.
    Partial(String),
    /// What else is known speaks against it.
    Contradicting(String),
    /// There is no value.
    Unknown(String),
}

impl Quality {
    /// Why the value decides nothing; empty when it does.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::Fresh => "",
            Self::Stale(why) | Self::Partial(why) | Self::Contradicting(why) | Self::Unknown(why) => why,
        }
    }
}

/// A value with all that has to be known about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading<T> {
    /// The value, also where it decides nothing; nothing when there is none.
    pub value: Option<T>,
    /// What it is counted in.
    pub unit: Unit,
    /// The instant it was true: the start of its minute where it comes from CloudWatch.
    pub at: Option<Timestamp>,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// How far to trust it.
    pub quality: Quality,
    /// Where it comes from.
    pub source: Source,
}

impl<T> Reading<T> {
    /// A reading without a value.
    fn unknown(unit: Unit, source: Source, quality: Quality) -> Self {
        Self { value: None, unit, at: None, read_at: None, quality, source }
    }

    /// The value, when it can be decided on.
    #[must_use]
    pub fn fresh(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| self.quality == Quality::Fresh)
    }

    /// Whether there is a value that is too old to decide on.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        matches!(self.quality, Quality::Stale(_))
    }

    /// The same reading of what `get` makes of the value.
    fn map<U>(self, get: impl FnOnce(T) -> U) -> Reading<U> {
        let Self { value, unit, at, read_at, quality, source } = self;
        Reading { value: value.map(get), unit, at, read_at, quality, source }
    }
}

/// What a Describe call told, as a reading.
#[must_use]
pub fn fact<'a, T>(fact: Option<&'a Fact<T>>, source: Source, facts: &Facts, now: Timestamp) -> Reading<&'a T> {
    let quality = match fact {
        None => Quality::Unknown(
            not_known(facts, source)
                .unwrap_or_else(|| format!("not known yet: {} has not answered so far", source.name())),
        ),
        Some(fact) => quality_of_age(fact.at, FACT_STALE, now, &cause(facts, source), facts.forgotten(source)),
    };
    let at = fact.map(|fact| fact.at);
    Reading { value: fact.map(|fact| &fact.value), unit: Unit::Count, at, read_at: at, quality, source }
}

fn quality_of_age(at: Timestamp, limit: Duration, now: Timestamp, cause: &str, forgotten: Option<String>) -> Quality {
    if let Some(why) = forgotten {
        return Quality::Unknown(why);
    }
    if at > now.plus(TOLERANCE) {
        let ahead = age_text(at.since(now));
        return Quality::Unknown(format!("it is dated {ahead} in the future, so its age is not known"));
    }
    let age = now.since(at);
    if age > limit {
        return Quality::Stale(format!("last seen {} ago, limit {}{cause}", age_text(age), age_text(limit)));
    }
    Quality::Fresh
}

/// The failures that keep more than one source from answering, each once.
#[must_use]
pub fn shared_causes(facts: &Facts) -> Vec<&PortError> {
    let mut causes: Vec<&PortError> = Vec::new();
    for error in facts.sources.keys().filter_map(|source| shared_cause(facts, *source)) {
        if !causes.iter().any(|cause| cause.is_same_cause(error)) {
            causes.push(error);
        }
    }
    causes
}

/// The newest failure of a source, where another one has not answered for the same cause.
fn shared_cause(facts: &Facts, source: Source) -> Option<&PortError> {
    let error = facts.error(source)?;
    let is_same = |other: &Source| facts.error(*other).is_some_and(|other| error.is_same_cause(other));
    facts.sources.keys().any(|other| *other != source && is_same(other)).then_some(error)
}

/// That a source failed, and what to do; of a stack that does not exist yet that alone, and in short what keeps others from
/// answering, too: that is said once, for all of them. Nothing where it did not fail.
#[must_use]
pub fn not_known(facts: &Facts, source: Source) -> Option<String> {
    let error = facts.error(source)?;
    Some(match error.kind {
        ErrorKind::NotProvisioned => format!("not known: {}", error.message),
        _ if shared_cause(facts, source).is_some() => format!("not known: {}", error.short()),
        _ => format!("not known: {error}; {}", error.hint()),
    })
}

/// Why a source does not answer any more, to follow what was last known of it; empty where it does.
#[must_use]
pub fn cause(facts: &Facts, source: Source) -> String {
    match (shared_cause(facts, source), facts.error(source)) {
        (Some(error), _) => format!(": {}", error.short()),
        (None, Some(error)) => format!(": {error}"),
        (None, None) => String::new(),
    }
}
