//! The quantities a migration is made of, as types that cannot hold nonsense.
//!
//! May use: the standard library and `jiff` for calendar text. Never reads a clock.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant, in milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant `secs` seconds after the Unix epoch; fractions below a millisecond are dropped.
    #[must_use]
    pub fn from_secs_f64(secs: f64) -> Self {
        Self((secs * 1000.0).round() as i64)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// How long this is after `earlier`; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }

    /// How far apart two instants are, whichever comes first.
    #[must_use]
    pub fn distance(self, other: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(other.0).unsigned_abs())
    }

    /// This instant moved into the future.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This instant moved into the past.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This instant moved by so many milliseconds, either way.
    #[must_use]
    pub const fn shifted(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The start of the whole `step` that this instant lies in, counted from the epoch; CloudWatch aligns its buckets so.
    #[must_use]
    pub fn floor_to(self, step: Duration) -> Self {
        let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
        Self(self.0 - self.0.rem_euclid(step))
    }

    /// `HH:MM:SS` in UTC.
    #[must_use]
    pub fn hms(self) -> String {
        let secs = self.0.div_euclid(1000).rem_euclid(86_400);
        format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
    }

    /// `HH:MM` in UTC.
    #[must_use]
    pub fn hm(self) -> String {
        self.hms()[..5].to_owned()
    }

    /// Reads RFC 3339 text such as `2026-11-22T12:40:31Z`.
    ///
    /// # Errors
    /// Says why the text is not an instant.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse::<jiff::Timestamp>().map(|t| Self(t.as_millisecond())).map_err(|error| error.to_string())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with whole seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0.div_euclid(1000)) {
            Ok(stamp) => write!(f, "{stamp}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(stamp) => serializer.collect_str(&stamp),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A share of the traffic in whole percent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    /// No traffic at all.
    pub const ZERO: Self = Self(0);
    /// All traffic.
    pub const FULL: Self = Self(100);

    /// `value` percent, or nothing above 100.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value <= 100 { Some(Self(value)) } else { None }
    }

    /// The number, 0 to 100.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// This share moved by `delta` percentage points, held within 0 and 100.
    #[must_use]
    pub fn step(self, delta: i16) -> Self {
        Self((i16::from(self.0) + delta).clamp(0, 100) as u8)
    }
}

impl TryFrom<u8> for Percent {
    type Error = String;
    fn try_from(value: u8) -> Result<Self, String> {
        Self::new(value).ok_or_else(|| format!("{value} is not a percentage between 0 and 100"))
    }
}

impl From<Percent> for u8 {
    fn from(value: Percent) -> Self {
        value.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

/// The weights of the two records of a weighted pair, each 0 to 255 as Route 53 has them.
///
/// The sum is never 0: Route 53 answers with *every* record, each as often as the other, when all weights are 0
/// (Route 53 developer guide, "Values specific for weighted records").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawWeights", into = "RawWeights")]
pub struct WeightPair {
    legacy: u8,
    new: u8,
}

#[derive(Serialize, Deserialize)]
struct RawWeights {
    legacy: u8,
    new: u8,
}

impl TryFrom<RawWeights> for WeightPair {
    type Error = &'static str;
    fn try_from(raw: RawWeights) -> Result<Self, Self::Error> {
        Self::new(raw.legacy, raw.new).ok_or("both weights are 0")
    }
}

impl From<WeightPair> for RawWeights {
    fn from(pair: WeightPair) -> Self {
        Self { legacy: pair.legacy, new: pair.new }
    }
}

impl WeightPair {
    /// The pair, or nothing when both are 0.
    #[must_use]
    pub const fn new(legacy: u8, new: u8) -> Option<Self> {
        if legacy == 0 && new == 0 { None } else { Some(Self { legacy, new }) }
    }

    /// The pair that gives `share` of the traffic to the new stack; its sum is 100.
    #[must_use]
    pub const fn for_new_share(share: Percent) -> Self {
        Self { legacy: 100 - share.0, new: share.0 }
    }

    /// The legacy record's weight.
    #[must_use]
    pub const fn legacy(self) -> u8 {
        self.legacy
    }

    /// The new record's weight.
    #[must_use]
    pub const fn new_weight(self) -> u8 {
        self.new
    }

    /// The share of DNS answers that name the new stack, in percent: `weight / sum of weights`.
    #[must_use]
    pub fn new_percent(self) -> f64 {
        f64::from(self.new) * 100.0 / (f64::from(self.legacy) + f64::from(self.new))
    }

    /// [`Self::new_percent`] rounded to a whole percent.
    #[must_use]
    pub fn new_share(self) -> Percent {
        Percent((self.new_percent().round() as u8).min(100))
    }
}

impl fmt::Display for WeightPair {
    /// `legacy/new`, as `80/20`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.legacy, self.new)
    }
}

/// A number with its noun, which has two forms: `1 entry`, `2 entries`.
#[must_use]
pub fn counted<N: fmt::Display + PartialEq + From<u8> + Copy>(n: N, one: &str, many: &str) -> String {
    format!("{n} {}", if n == N::from(1) { one } else { many })
}

/// An age or a wait for people: `8 s`, `3m12s`, `2h05`.
#[must_use]
pub fn age_text(age: Duration) -> String {
    let secs = age.as_secs();
    if secs < 100 {
        format!("{secs} s")
    } else if secs < 3600 {
        format!("{}m{:02}s", secs / 60, secs % 60)
    } else if secs < 100 * 3600 {
        format!("{}h{:02}", secs / 3600, secs / 60 % 60)
    } else {
        format!("{} d", secs / 86_400)
    }
}

/// A countdown for people: `4:48`.
#[must_use]
pub fn countdown_text(left: Duration) -> String {
    let secs = left.as_millis().div_ceil(1000);
    format!("{}:{:02}", secs / 60, secs % 60)
}

/// A number with three significant digits and without noise: `0.02`, `3.1`, `412`, `5.1k`.
#[must_use]
pub fn short_number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "–".to_owned()
    } else if size >= 1e12 {
        format!("{value:.1e}")
    } else if size >= 1_000_000.0 {
        format!("{:.1}M", value / 1_000_000.0)
    } else if size >= 10_000.0 {
        format!("{:.1}k", value / 1000.0)
    } else if size >= 100.0 || (size.fract() == 0.0 && size >= 1.0) || size == 0.0 {
        format!("{value:.0}")
    } else if size >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// A number as it was measured, to the thousandth: for one that is looked up.
#[must_use]
pub fn exact_number(value: f64) -> String {
    if !value.is_finite() {
        return short_number(value);
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_up_is_not_rounded_to_a_few_digits() {
        let told = [0.0, 10.0, 100.0, 12_345.678_9, 0.0004, f64::NAN].map(exact_number);
        assert_eq!(told, ["0", "10", "100", "12345.679", "0", "–"]);
    }

    #[test]
    fn weights_that_sum_to_zero_cannot_exist() {
        assert_eq!(WeightPair::new(0, 0), None);
        assert!(serde_json::from_str::<WeightPair>(r#"{"legacy":0,"new":0}"#).is_err());
        for share in 0..=100 {
            let pair = WeightPair::for_new_share(Percent::new(share).unwrap());
            assert_eq!(u16::from(pair.legacy()) + u16::from(pair.new_weight()), 100);
            assert_eq!(pair.new_share().get(), share);
        }
    }

    #[test]
    fn steps_stop_at_the_ends() {
        assert_eq!(Percent::new(95).unwrap().step(10), Percent::FULL);
        assert_eq!(Percent::new(5).unwrap().step(-10), Percent::ZERO);
    }

    #[test]
    fn ages_read_as_people_say_them() {
        let texts: Vec<_> = [8, 99, 192, 7500].map(|s| age_text(Duration::from_secs(s))).into();
        assert_eq!(texts, ["8 s", "99 s", "3m12s", "2h05"]);
        assert_eq!(countdown_text(Duration::from_secs(288)), "4:48");
    }

    #[test]
    fn no_number_takes_more_than_a_few_signs() {
        for value in [1e300, -1e300, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 999_999_999_999.0, f64::NAN, f64::INFINITY]
        {
            assert!(short_number(value).chars().count() <= 11, "{}", short_number(value));
        }
        assert_eq!(short_number(1e300), "1.0e300");
    }

    #[test]
    fn an_instant_survives_its_text() {
        let at = Timestamp::parse("2026-11-22T12:40:31Z").unwrap();
        assert_eq!(at.to_string(), "2026-11-22T12:40:31Z");
        assert_eq!(at.hms(), "12:40:31");
        assert_eq!(at.floor_to(Duration::from_secs(60)).hms(), "12:40:00");
    }
}
