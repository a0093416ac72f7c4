//! A proportion that was counted, with the bounds between which the true one lies.

use serde::Serialize;

/// The quantile of the normal distribution that leaves 2.5 % on either side: a two-sided interval of 95 %.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// A proportion: what was counted, and its bounds. All from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Hits by tries.
    pub value: f64,
    /// The true proportion is hardly lower.
    pub low: f64,
    /// The true proportion is hardly higher.
    pub high: f64,
    /// How many were counted.
    pub n: u64,
}

impl Interval {
    /// How far it reaches to the side on which it reaches further: the `± 1.9` behind a number.
    #[must_use]
    pub fn reach(&self) -> f64 {
        (self.high - self.value).max(self.value - self.low)
    }

    /// Whether the true proportion may be this one.
    #[must_use]
    pub fn may_be(&self, proportion: f64) -> bool {
        (self.low..=self.high).contains(&proportion)
    }
}

/// A part from 0 to 1 as percent with one decimal, as it is shown.
#[must_use]
pub fn percent_of(part: f64) -> f64 {
    (part * 1000.0).round() / 10.0
}

/// Wilson's score interval for `hits` of `n`, `z` standard deviations wide on either side; `None` where nothing was counted.
///
/// It holds for few tries and for proportions near 0 and 1, where the usual `p ± z·σ` does not (E. B. Wilson, "Probable
/// inference", JASA 22, 1927; R. G. Newcombe, Statistics in Medicine 17, 1998, method 3).
#[must_use]
pub fn wilson(hits: u64, n: u64, z: f64) -> Option<Interval> {
    if n == 0 || hits > n {
        return None;
    }
    let (count, p, z2) = (n as f64, hits as f64 / n as f64, z * z);
    let middle = (p + z2 / (2.0 * count)) / (1.0 + z2 / count);
    let reach = z / (1.0 + z2 / count) * (p * (1.0 - p) / count + z2 / (4.0 * count * count)).sqrt();
    // At the ends the bound is the proportion itself; rounding would put it a hair beside it.
    let low = if hits == 0 { 0.0 } else { (middle - reach).max(0.0) };
    let high = if hits == n { 1.0 } else { (middle + reach).min(1.0) };
    Some(Interval { value: p, low, high, n })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_pcg::Pcg32;
    use rand_pcg::rand_core::Rng;

    use super::*;

    #[test]
    fn bounds_are_those_of_scipy() {
        // scipy.stats.binomtest(k, n).proportion_ci(0.95, method="wilson"), scipy 1.17.1.
        for (hits, n, low, high) in [
            (0, 10, 0.0, 0.277_532_799_862_889_26),
            (1, 10, 0.017_876_213_095_072_896, 0.404_150_026_795_238_5),
            (10, 10, 0.722_467_200_137_110_9, 1.0),
            (29, 100, 0.210_148_357_491_222_68, 0.385_388_911_755_711_16),
            (118, 400, 0.252_428_991_672_337_57, 0.341_471_049_004_724),
        ] {
            let found = wilson(hits, n, Z_95).unwrap();
            assert!((found.low - low).abs() < 1e-12, "{hits}/{n}: {found:?}");
            assert!((found.high - high).abs() < 1e-12, "{hits}/{n}: {found:?}");
        }
    }

    #[test]
    fn nothing_counted_is_no_proportion() {
        assert_eq!((wilson(0, 0, Z_95), wilson(2, 1, Z_95)), (None, None));
    }

    #[test]
    fn it_covers_the_true_proportion_in_at_least_93_of_100_runs() {
        let mut chance = Pcg32::new(400, 1);
        for share in [0.02, 0.1, 0.3, 0.5, 0.9] {
            let limit = (share * f64::from(u32::MAX)) as u32;
            let covered = (0..2_000).filter(|_| {
                let hits = (0..400).filter(|_| chance.next_u32() < limit).count() as u64;
                wilson(hits, 400, Z_95).unwrap().may_be(share)
            });
            let covered = covered.count();
            assert!(covered >= 1_860, "{share}: {covered} of 2,000");
        }
    }

    proptest! {
        #[test]
        fn the_counted_proportion_is_within_and_more_tries_tell_more(n in 1u64..10_000, part in 0.0..=1.0f64) {
            let hits = (n as f64 * part) as u64;
            let (some, more) = (wilson(hits, n, Z_95).unwrap(), wilson(4 * hits, 4 * n, Z_95).unwrap());
            prop_assert!(0.0 <= some.low && some.low <= some.value && some.value <= some.high && some.high <= 1.0);
            prop_assert!(more.reach() < some.reach());
            prop_assert!(some.may_be(some.value));
        }
    }
}
