//! Seeded chance: every part of the world draws from its own stream, so that a change in one leaves the others' noise alone.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

/// A stream of chance.
#[derive(Debug, Clone)]
pub(crate) struct Random(Pcg32);

/// Above this mean a normal distribution stands in for Poisson's: the difference cannot be seen in a chart.
const NORMAL_FROM: f64 = 30.0;

impl Random {
    /// The stream of that number under that seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(Pcg32::new(seed ^ 0x9e37_79b9_7f4a_7c15, stream))
    }

    /// Evenly between 0 and 1, without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    /// Evenly between two bounds.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Standard normal, by the sum of four even numbers: cheap, and without far outliers.
    pub(crate) fn normal(&mut self) -> f64 {
        let sum: f64 = (0..4).map(|_| self.unit()).sum();
        (sum - 2.0) * 3f64.sqrt()
    }

    /// How often something happens that happens `mean` times on average.
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        if mean > NORMAL_FROM {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let limit = (-mean).exp();
        let mut product = self.unit();
        let mut count = 0.0;
        while product > limit {
            product *= self.unit();
            count += 1.0;
        }
        count
    }

    /// Hexadecimal digits, as in the names AWS makes up.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        (0..digits).filter_map(|_| char::from_digit(self.0.next_u32() >> 28, 16)).collect()
    }

    /// Decimal digits that do not start with 0, as in ids of deployments.
    pub(crate) fn decimal(&mut self, digits: usize) -> String {
        let digit = |low: u32, random: &mut Self| char::from_digit(low + random.0.next_u32() % (10 - low), 10);
        (0..digits).filter_map(|place| digit(u32::from(place == 0), self)).collect()
    }

    /// Capital letters and digits, as in Route 53's change ids.
    pub(crate) fn capitals(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        (0..length).map(|_| char::from(ALPHABET[(self.0.next_u32() >> 27) as usize])).collect()
    }
}

/// Noise that wanders around zero with standard deviation 1 and forgets itself over `memory` seconds.
#[derive(Debug, Clone)]
pub(crate) struct RandomWalk {
    value: f64,
    keep: f64,
    push: f64,
}

impl RandomWalk {
    pub(crate) fn new(memory: f64) -> Self {
        let keep = (-1.0 / memory).exp();
        Self { value: 0.0, keep, push: (1.0 - keep * keep).sqrt() }
    }

    /// The value one second later.
    pub(crate) fn step(&mut self, random: &mut Random) -> f64 {
        self.value = self.value * self.keep + self.push * random.normal();
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_stream_and_streams_differ() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..8).map(|_| random.unit()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }

    #[test]
    fn means_and_spreads_are_about_right() {
        let mut random = Random::new(7, 1);
        let n = 20_000;
        for mean in [0.3, 5.0, 400.0] {
            let sum: f64 = (0..n).map(|_| random.poisson(mean)).sum();
            assert!((sum / f64::from(n) - mean).abs() < mean.sqrt() * 0.05, "{mean}");
        }
        let squares: f64 = (0..n).map(|_| random.normal().powi(2)).sum();
        assert!((squares / f64::from(n) - 1.0).abs() < 0.05);
        let mut wander = RandomWalk::new(20.0);
        let squares: f64 = (0..n).map(|_| wander.step(&mut random).powi(2)).sum();
        assert!((squares / f64::from(n) - 1.0).abs() < 0.25);
    }
}
