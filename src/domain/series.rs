//! A bounded time series of one-minute CloudWatch buckets, and how far the newest of them can be trusted.
//!
//! Pure. CloudWatch shows a bucket about two minutes late and may still correct it, so a bucket is *provisional*
//! until it has settled; a series whose newest settled bucket is old is *stale*. Neither passes a gate.

use std::time::Duration;

use serde::Serialize;

use super::units::Timestamp;

/// Length of a bucket.
pub const PERIOD: Duration = Duration::from_secs(60);
/// A bucket counts as settled when its end lay this far back as it was read: the same minute was seen to grow from 70k to 120k
/// requests when it was read earlier (yet-another-cloudwatch-exporter, issues 35 and 1796).
pub const SETTLE: Duration = Duration::from_secs(120);
/// Data whose newest bucket started longer ago than this is stale and blocks.
pub const STALE: Duration = Duration::from_secs(300);
/// Buckets kept: three hours of minutes, more than the widest chart shows.
pub const CAPACITY: usize = 180;

/// One bucket: the instant it starts at, and its value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Start of the bucket.
    pub at: Timestamp,
    /// The statistic that was asked for.
    pub value: f64,
}

/// How far the newest data of a series can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// The newest settled bucket is recent.
    Fresh,
    /// There are buckets, but the newest settled one is too old.
    Stale,
    /// Only buckets that may still change.
    Provisional,
    /// No bucket at all.
    Missing,
}

/// Buckets in ascending order of time, at most [`CAPACITY`].
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Series {
    points: Vec<Point>,
    /// Minutes for which no usable number came, oldest first, at most [`CAPACITY`].
    broken: Vec<Point>,
    /// When CloudWatch was last asked for it and answered.
    read_at: Option<Timestamp>,
}

/// Larger than any number of requests, rows, seconds or percents in one minute, and small enough to be written down.
pub const MOST: f64 = 1e12;

impl Series {
    /// A series without a bucket.
    pub const EMPTY: Self = Self { points: Vec::new(), broken: Vec::new(), read_at: None };

    /// A series of `points`; they are sorted, doubles keep the later value, the oldest above the bound are dropped.
    #[must_use]
    pub fn new(points: Vec<Point>) -> Self {
        let mut series = Self::default();
        series.merge(points);
        series
    }

    /// Takes an answer of CloudWatch's in, which came at `read_at`. A minute that may have been half full when it was
    /// read and that the answer does not confirm is dropped: growing old makes no value final.
    pub fn absorb(&mut self, answer: &Self, read_at: Timestamp) {
        if let Some(first) = answer.all().map(|p| p.at).min() {
            let settled = self.read_at;
            self.points.retain(|p| p.at < first || settled.is_some_and(|read_at| is_settled(p.at, read_at)));
            self.merge(answer.all().collect());
        } else if let Some(settled) = self.read_at {
            self.points.retain(|p| is_settled(p.at, settled));
        }
        self.read_at = Some(read_at);
    }

    /// Forgets when it was read, so that nothing in it is settled before it was read again.
    pub fn distrust(&mut self) {
        self.read_at = None;
    }

    /// When CloudWatch was last asked for it and answered.
    #[must_use]
    pub const fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }

    /// Takes newer readings in; a bucket that was read again replaces its earlier value. A value that is not finite,
    /// below 0 or above [`MOST`] is no value: nothing that is watched here can be negative, or as large as that. Its minute is kept as
    /// [broken](Self::broken), because a gap would let the minute before it count as the newest.
    fn merge(&mut self, points: Vec<Point>) {
        for point in points {
            let is_usable = point.value.is_finite() && (0.0..=MOST).contains(&point.value);
            let (into, out_of) =
                if is_usable { (&mut self.points, &mut self.broken) } else { (&mut self.broken, &mut self.points) };
            out_of.retain(|p| p.at != point.at);
            match into.binary_search_by_key(&point.at, |p| p.at) {
                Ok(at) => into[at] = point,
                Err(at) => into.insert(at, point),
            }
        }
        for points in [&mut self.points, &mut self.broken] {
            let over = points.len().saturating_sub(CAPACITY);
            points.drain(..over);
        }
    }

    /// Everything that was read, usable or not, as it came.
    pub fn all(&self) -> impl Iterator<Item = Point> {
        self.points.iter().chain(&self.broken).copied()
    }

    /// The newest minute whose number cannot be used, when no usable settled minute is newer.
    #[must_use]
    pub fn broken(&self) -> Option<Point> {
        let newest = self.broken.last().copied()?;
        self.last_settled().is_none_or(|settled| settled.at <= newest.at).then_some(newest)
    }

    /// The newest minute from `from` on whose number cannot be used.
    #[must_use]
    pub fn broken_since(&self, from: Timestamp) -> Option<Point> {
        self.broken.last().copied().filter(|p| p.at >= from)
    }

    /// All buckets, oldest first.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The newest bucket, settled or not.
    #[must_use]
    pub fn last(&self) -> Option<Point> {
        self.points.last().copied()
    }

    /// The newest bucket that no longer changes.
    #[must_use]
    pub fn last_settled(&self) -> Option<Point> {
        self.settled().last().copied()
    }

    /// The buckets that no longer change, oldest first.
    #[must_use]
    pub fn settled(&self) -> &[Point] {
        let Some(read_at) = self.read_at else { return &[] };
        let count = self.points.partition_point(|p| is_settled(p.at, read_at));
        &self.points[..count]
    }

    /// How far the newest data can be trusted.
    #[must_use]
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        match self.last_settled() {
            Some(point) if now.since(point.at) <= STALE => Freshness::Fresh,
            Some(_) => Freshness::Stale,
            None if self.points.is_empty() => Freshness::Missing,
            None => Freshness::Provisional,
        }
    }

    /// The value of the bucket that starts at `at`.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<f64> {
        self.points.binary_search_by_key(&at, |p| p.at).ok().map(|i| self.points[i].value)
    }
}

/// The end of the last bucket of which what was read at `read_at` no longer changes.
#[must_use]
pub fn settled_until(read_at: Timestamp) -> Timestamp {
    read_at.minus(SETTLE).floor_to(PERIOD)
}

/// Whether what was read at `read_at` of the bucket that starts at `at` no longer changes.
#[must_use]
pub fn is_settled(at: Timestamp, read_at: Timestamp) -> bool {
    read_at >= at.plus(PERIOD).plus(SETTLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_millis(n * 60_000)
    }

    fn read(points: &[(i64, f64)], read_at: i64) -> Series {
        let mut series = Series::EMPTY;
        again(&mut series, points, read_at);
        series
    }

    fn again(series: &mut Series, points: &[(i64, f64)], read_at: i64) {
        let points = points.iter().map(|(n, value)| Point { at: minute(*n), value: *value }).collect();
        series.absorb(&Series::new(points), minute(read_at));
    }

    #[test]
    fn a_bucket_settles_by_being_read_late_and_not_by_growing_old() {
        let mut series = read(&[(10, 315.0)], 12);
        assert_eq!(series.freshness(minute(12)), Freshness::Provisional);
        assert_eq!(series.freshness(minute(14)), Freshness::Provisional, "half a minute stays half a minute");
        again(&mut series, &[(10, 474.0)], 13);
        assert_eq!(series.last_settled().map(|p| p.value), Some(474.0));
        assert_eq!(series.freshness(minute(13)), Freshness::Fresh);
        assert_eq!(series.freshness(minute(16)), Freshness::Stale);
        assert_eq!(Series::default().freshness(minute(1)), Freshness::Missing);
    }

    #[test]
    fn a_provisional_bucket_that_a_later_answer_leaves_out_is_no_point_any_more() {
        let mut series = read(&[(8, 1.0), (9, 2.0), (10, 315.0)], 12);
        again(&mut series, &[(8, 1.0), (9, 2.0), (11, 5.0)], 13);
        assert_eq!(series.points().iter().map(|p| p.at).collect::<Vec<_>>(), [minute(8), minute(9), minute(11)]);
        again(&mut series, &[], 16);
        assert_eq!(series.points().iter().map(|p| p.at).collect::<Vec<_>>(), [minute(8), minute(9)]);
    }

    #[test]
    fn what_was_settled_before_the_answers_window_stays() {
        let mut series = read(&[(1, 1.0), (2, 2.0), (3, 3.0)], 10);
        again(&mut series, &[(9, 9.0)], 20);
        assert_eq!(series.settled().len(), 4);
        series.distrust();
        assert!(series.settled().is_empty());
        again(&mut series, &[(9, 9.0), (10, 10.0)], 21);
        assert_eq!(series.settled().len(), 5);
    }

    #[test]
    fn a_number_that_cannot_be_is_no_point_and_is_not_forgotten_either() {
        for value in [f64::NAN, f64::INFINITY, -1.0, 1e300, f64::MAX] {
            let mut series = read(&[(1, 1.0), (2, value)], 9);
            assert_eq!(series.points().len(), 1);
            assert_eq!(series.broken().map(|p| p.at), Some(minute(2)), "{value}");
            again(&mut series, &[(3, 1.0)], 9);
            assert_eq!(series.broken(), None, "a later minute that is good counts");
            assert_eq!(series.broken_since(minute(2)).map(|p| p.at), Some(minute(2)));
            again(&mut series, &[(2, 4.0)], 9);
            assert_eq!(series.broken_since(minute(0)), None, "the minute was read again");
        }
    }

    #[test]
    fn the_series_never_grows_beyond_its_bound() {
        let points = (0..1000).map(|n| Point { at: minute(n), value: 0.0 }).collect();
        let series = Series::new(points);
        assert_eq!(series.points().len(), CAPACITY);
        assert_eq!(series.last().unwrap().at, minute(999));
    }
}
