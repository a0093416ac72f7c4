//! CloudWatch's store: one-minute buckets that show themselves late.
//!
//! A bucket is visible in part [`FIRST_SEEN`] seconds after its minute began, from the samples of its first [`EARLY`] seconds, and in
//! full after [`SETTLED`]: who reads the newest minute reads a number that still changes. Metrics of one region are not seen in another.

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;

/// Length of a bucket in seconds.
pub(crate) const MINUTE: i64 = 60;
/// Age of a bucket's start at which a part of it is first visible.
const FIRST_SEEN: i64 = 75;
/// Age of a bucket's start at which it is complete.
const SETTLED: i64 = 140;
/// The part of the minute that the first visible value has seen.
const EARLY: i64 = 40;
/// Minutes that are kept: six hours, more than any chart shows.
const KEPT: usize = 360;

/// Bins of a latency histogram, each `RATIO` times wider than the one before, from one millisecond up to 43 s.
const BINS: usize = 72;
const RATIO: f64 = 1.16;
const FIRST_BIN: f64 = 0.001;

/// Identity of a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MetricId {
    pub(crate) region: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Sorted by name.
    pub(crate) dimensions: Vec<(String, String)>,
}

impl MetricId {
    pub(crate) fn new(region: &str, namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let mut dimensions: Vec<_> = dimensions.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        dimensions.sort();
        Self { region: region.to_owned(), namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }
}

/// Handle of a metric in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Metric(usize);

/// The statistics that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stat {
    Average,
    Sum,
    Minimum,
    Maximum,
    SampleCount,
    /// From 0 to 100.
    Percentile(f64),
}

impl Stat {
    /// Reads AWS's spelling.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "SampleCount" => Self::SampleCount,
            _ => {
                let digits = text.strip_prefix('p')?;
                let plain = digits.starts_with(|first: char| first.is_ascii_digit());
                Self::Percentile(digits.parse().ok().filter(|percent| plain && (0.0..=100.0).contains(percent))?)
            }
        })
    }
}

/// What a bucket has seen.
#[derive(Debug, Clone, Default)]
struct Sample {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
    bins: Option<Box<[f32; BINS]>>,
}

#[derive(Debug, Clone)]
struct Bucket {
    start: i64,
    early: Sample,
    full: Sample,
}

#[derive(Debug)]
struct Series {
    /// Seconds that this source is later than others.
    late: i64,
    buckets: VecDeque<Bucket>,
}

/// A spread of response times in one second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    /// Median in seconds.
    pub(crate) median: f64,
    /// Standard deviation of the logarithm.
    pub(crate) sigma: f64,
    /// Chance of this second, 0 to 1: where within each part of the spread its sample lies.
    pub(crate) chance: f64,
}

/// Bounds of the parts of a spread that are recorded as one value each; dense towards the slow end, where p99 lies.
const BOUNDS: [f64; 11] = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0];

/// Places within each part that a second's chance is rounded to.
const PLACES: usize = 16;

/// Normal quantiles of every part at every place: they are the same each second, and dear to work out.
static QUANTILES: LazyLock<[[f64; BOUNDS.len() - 1]; PLACES]> = LazyLock::new(|| {
    let place = |place: usize| (place as f64 + 0.5) / PLACES as f64;
    std::array::from_fn(|at| {
        std::array::from_fn(|part| quantile(BOUNDS[part] + (BOUNDS[part + 1] - BOUNDS[part]) * place(at)))
    })
});

/// The value of the standard normal distribution below which that part of it lies, by Tukey's approximation.
fn quantile(part: f64) -> f64 {
    4.91 * (part.powf(0.14) - (1.0 - part).powf(0.14))
}

/// The store.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    series: Vec<Series>,
    index: BTreeMap<MetricId, Metric>,
    stop: Option<(i64, i64)>,
}

impl Metrics {
    /// Makes a metric known; `late` seconds are added to its delay.
    pub(crate) fn register(&mut self, key: MetricId, late: i64) -> Metric {
        let metric = Metric(self.series.len());
        self.index.insert(key, metric);
        self.series.push(Series { late, buckets: VecDeque::new() });
        metric
    }

    /// Finds a metric.
    pub(crate) fn find(&self, key: &MetricId) -> Option<Metric> {
        self.index.get(key).copied()
    }

    /// Every metric that has data, for listing.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &MetricId> {
        self.index
            .iter()
            .filter(|(_, metric)| self.series.get(metric.0).is_some_and(|s| !s.buckets.is_empty()))
            .map(|(key, _)| key)
    }

    /// Shows nothing newer than `from` until `until`.
    pub(crate) fn stop(&mut self, from: i64, until: i64) {
        self.stop = Some((from, until));
    }

    /// The time as far as arriving data is concerned.
    fn arrived(&self, now: i64) -> i64 {
        match self.stop {
            Some((from, until)) if (from..until).contains(&now) => from,
            _ => now,
        }
    }

    /// Adds one sample.
    pub(crate) fn record(&mut self, metric: Metric, second: i64, value: f64) {
        self.each(metric, second, |sample| sample.add(value, 1.0));
    }

    /// Adds a count, unless it is zero: such metrics are published only when something happened.
    pub(crate) fn count(&mut self, metric: Metric, second: i64, amount: f64) {
        if amount > 0.0 {
            self.record(metric, second, amount);
        }
    }

    /// Adds the response times of so many requests.
    pub(crate) fn record_spread(&mut self, metric: Metric, second: i64, spread: Spread, requests: f64) {
        if requests <= 0.0 {
            return;
        }
        let place = (spread.chance * PLACES as f64) as usize;
        let quantiles = &QUANTILES[place.min(PLACES - 1)];
        let median = spread.median.ln();
        self.each(metric, second, |sample| {
            for (bounds, quantile) in BOUNDS.windows(2).zip(quantiles) {
                let weight = (bounds[1] - bounds[0]) * requests;
                let logarithm = spread.sigma * quantile;
                sample.add(spread.median * logarithm.exp(), weight);
                let bins = sample.bins.get_or_insert_with(|| Box::new([0.0; BINS]));
                bins[bin(median + logarithm)] += weight as f32;
            }
        });
    }

    fn each(&mut self, metric: Metric, second: i64, add: impl Fn(&mut Sample)) {
        let Some(series) = self.series.get_mut(metric.0) else { return };
        let start = second - second.rem_euclid(MINUTE);
        if series.buckets.back().is_none_or(|bucket| bucket.start < start) {
            if series.buckets.len() >= KEPT {
                series.buckets.pop_front();
            }
            series.buckets.push_back(Bucket { start, early: Sample::default(), full: Sample::default() });
        }
        let Some(bucket) = series.buckets.back_mut() else { return };
        add(&mut bucket.full);
        if second - start < EARLY {
            add(&mut bucket.early);
        }
    }

    /// Reads the values visible at `now` in `[from, to)`, one for each period that has any data, oldest first.
    pub(crate) fn read(&self, metric: Metric, now: i64, range: (i64, i64), period: i64, stat: Stat) -> Vec<(i64, f64)> {
        let Some(series) = self.series.get(metric.0) else { return Vec::new() };
        let (from, to) = range;
        let period = period.max(MINUTE);
        let now = self.arrived(now) - series.late;
        let mut points: Vec<(i64, Sample)> = Vec::new();
        for bucket in series.buckets.iter().filter(|bucket| (from..to).contains(&bucket.start)) {
            let age = now - bucket.start;
            let sample = if age >= SETTLED {
                &bucket.full
            } else if age >= FIRST_SEEN {
                &bucket.early
            } else {
                continue;
            };
            if sample.count == 0.0 {
                continue;
            }
            let begin = from + (bucket.start - from) / period * period;
            match points.last_mut() {
                Some((last, merged)) if *last == begin => merged.merge(sample),
                _ => points.push((begin, sample.clone())),
            }
        }
        points.into_iter().map(|(start, sample)| (start, sample.value(stat))).collect()
    }
}

/// The bin of a value, by its natural logarithm.
fn bin(logarithm: f64) -> usize {
    let bin = (logarithm - FIRST_BIN.ln()) / RATIO.ln();
    (bin.max(0.0) as usize).min(BINS - 1)
}

impl Sample {
    fn add(&mut self, value: f64, weight: f64) {
        if self.count == 0.0 {
            (self.min, self.max) = (value, value);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count += weight;
        self.sum += value * weight;
    }

    fn merge(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum += other.sum;
        match (&mut self.bins, &other.bins) {
            (Some(mine), Some(theirs)) => mine.iter_mut().zip(theirs.iter()).for_each(|(a, b)| *a += b),
            (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
            _ => {}
        }
    }

    fn value(&self, stat: Stat) -> f64 {
        match stat {
            Stat::Average => self.sum / self.count,
            Stat::Sum => self.sum,
            Stat::Minimum => self.min,
            Stat::Maximum => self.max,
            Stat::SampleCount => self.count.round(),
            Stat::Percentile(percent) => self.percentile(percent / 100.0),
        }
    }

    /// The value below which that part of the samples lies. Metrics without a histogram are taken as evenly spread.
    fn percentile(&self, part: f64) -> f64 {
        let Some(bins) = &self.bins else { return self.min + (self.max - self.min) * part };
        let total: f64 = bins.iter().map(|count| f64::from(*count)).sum();
        let mut left = total * part;
        for (index, count) in bins.iter().enumerate() {
            let count = f64::from(*count);
            if count > 0.0 && left <= count {
                let low = FIRST_BIN * RATIO.powi(i32::try_from(index).unwrap_or(i32::MAX));
                return (low * RATIO.powf(left / count)).clamp(self.min, self.max);
            }
            left -= count;
        }
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> (Metrics, Metric) {
        let mut metrics = Metrics::default();
        let metric = metrics.register(MetricId::new("us-west-2", "N", "M", &[("b", "2"), ("a", "1")]), 0);
        (metrics, metric)
    }

    #[test]
    fn a_bucket_is_absent_then_partial_then_complete() {
        let (mut metrics, metric) = one();
        (0..60).for_each(|second| metrics.count(metric, second, 10.0));
        let read = |now| metrics.read(metric, now, (0, 600), 60, Stat::Sum);
        assert_eq!(read(74), []);
        assert_eq!(read(75), [(0, 400.0)]);
        assert_eq!(read(139), [(0, 400.0)]);
        assert_eq!(read(140), [(0, 600.0)]);
    }

    #[test]
    fn nothing_new_arrives_while_it_is_stopped_and_all_of_it_afterwards() {
        let (mut metrics, metric) = one();
        (0..600).for_each(|second| metrics.record(metric, second, 1.0));
        metrics.stop(200, 500);
        assert_eq!(metrics.read(metric, 499, (0, 600), 60, Stat::Sum).len(), 3);
        assert_eq!(metrics.read(metric, 500, (0, 600), 60, Stat::Sum).len(), 8);
    }

    #[test]
    fn zero_is_not_published_as_a_count() {
        let (mut metrics, metric) = one();
        metrics.count(metric, 0, 0.0);
        assert_eq!(metrics.read(metric, 1_000, (0, 600), 60, Stat::Sum), []);
        assert_eq!(metrics.keys().count(), 0);
    }

    #[test]
    fn periods_merge_minutes_and_the_end_is_exclusive() {
        let (mut metrics, metric) = one();
        (0..600).for_each(|second| metrics.record(metric, second, f64::from(i32::try_from(second / 60).unwrap())));
        assert_eq!(metrics.read(metric, 2_000, (0, 300), 300, Stat::Average), [(0, 2.0)]);
        assert_eq!(metrics.read(metric, 2_000, (0, 120), 60, Stat::Maximum), [(0, 0.0), (60, 1.0)]);
        assert_eq!(metrics.read(metric, 2_000, (0, 60), 60, Stat::SampleCount), [(0, 60.0)]);
    }

    #[test]
    fn percentiles_come_from_the_spread() {
        let (mut metrics, metric) = one();
        let spread = |second: i64| Spread { median: 0.05, sigma: 0.6, chance: (second % 10) as f64 / 10.0 };
        (0..60).for_each(|second| metrics.record_spread(metric, second, spread(second), 400.0));
        let read = |stat| metrics.read(metric, 2_000, (0, 60), 60, stat)[0].1;
        let (p50, p99) = (read(Stat::Percentile(50.0)), read(Stat::Percentile(99.0)));
        assert!((0.04..0.065).contains(&p50), "{p50}");
        assert!((0.16..0.26).contains(&p99), "{p99}");
        assert!(read(Stat::Maximum) >= p99 && read(Stat::Minimum) <= p50);
    }

    #[test]
    fn statistics_are_read_as_aws_spells_them() {
        assert_eq!(Stat::parse("p99.9"), Some(Stat::Percentile(99.9)));
        assert_eq!(Stat::parse("SampleCount"), Some(Stat::SampleCount));
        for text in ["average", "p", "p101", "p-1", "pNaN", "px", "tm90"] {
            assert_eq!(Stat::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (mut metrics, metric) = one();
        (0..1_000).for_each(|minute| metrics.record(metric, minute * 60, 1.0));
        assert_eq!(metrics.read(metric, 100_000, (0, 100_000), 60, Stat::Sum).len(), KEPT);
    }
}
