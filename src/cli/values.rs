//! Values as they are typed: shares, steps, gates, sides, instants and times ago.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::domain::gate::GateId;
use crate::domain::text::is_unfit;
use crate::domain::traffic::Side;
use crate::domain::units::{Percent, Timestamp};

/// A point in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// An instant.
    At(Timestamp),
    /// So long ago.
    Ago(Duration),
}

impl Since {
    /// The instant, when it is `now`.
    #[must_use]
    pub fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now.minus(ago),
        }
    }
}

/// A name is written in characters that can be seen.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.chars().any(is_unfit) {
        return Err("this holds characters that cannot be seen".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn percent(text: &str) -> Result<Percent, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    number.parse::<u8>().ok().and_then(Percent::new).ok_or_else(|| "a share is a whole number from 0 to 100".to_owned())
}

pub(super) fn step(text: &str) -> Result<i16, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    match number.strip_prefix('+').unwrap_or(number).parse::<i16>() {
        Ok(0) => Err("a step of 0 moves nothing".to_owned()),
        Ok(points) if (-100..=100).contains(&points) => Ok(points),
        _ => Err("a step is a whole number of percentage points from -100 to +100".to_owned()),
    }
}

pub(super) fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.01..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("a speed is a number from 0.01 to 10000".to_owned()),
    }
}

pub(super) fn gate_parser() -> impl TypedValueParser<Value = GateId> {
    PossibleValuesParser::new(GateId::ALL.map(GateId::name))
        .try_map(|name| GateId::parse(&name).ok_or("no gate is called that"))
}

pub(super) fn side_parser() -> impl TypedValueParser<Value = Side> {
    PossibleValuesParser::new([Side::Legacy.name(), Side::New.name()])
        .map(|name| if name == Side::New.name() { Side::New } else { Side::Legacy })
}

pub(super) fn since(text: &str) -> Result<Since, String> {
    if let Ok(at) = Timestamp::parse(text) {
        return Ok(Since::At(at));
    }
    ago(text).map(Since::Ago).ok_or_else(|| {
        "give an instant such as 2026-11-22T12:00:00Z, or a time ago such as 45m, 2h or 1d12h".to_owned()
    })
}

/// Reads `1d12h`, `2h`, `45m`, `30s`: whole numbers, each with its unit.
fn ago(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
        let (number, tail) = rest.split_at(digits);
        let mut chars = tail.chars();
        let unit = match chars.next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(unit)?))?;
        rest = chars.as_str();
    }
    (!text.is_empty()).then_some(total)
}
