//! One quantity as everybody gets it: gate, cell, header, chart, JSON and report read the same value.
//!
//! Pure. A [`Reading`] is made from facts in this folder and nowhere else, so that what blocks a step and what a person
//! sees beside it cannot differ. Only a reading that is [fresh](Reading::fresh) decides anything; every other quality
//! says why it does not.

mod lag;

use serde::Serialize;

use super::facts::Source;
use super::units::Timestamp;

pub use lag::lag;

/// What a value is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Seconds,
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
    /// Where it comes from.
    pub source: Source,
    /// How far to trust it.
    pub quality: Quality,
}

impl<T> Reading<T> {
    /// The value, when it can be decided on.
    #[must_use]
    pub fn fresh(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| self.quality == Quality::Fresh)
    }
}

/// That a source failed, and what to do; of a stack that does not exist yet that alone.
#[must_use]
pub fn not_known(error: &super::error::PortError) -> String {
    match error.kind {
        super::error::ErrorKind::NotProvisioned => format!("not known: {}", error.message),
        _ => format!("not known: {error}; {}", error.hint()),
    }
}
