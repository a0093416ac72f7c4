//! Who asks: the rate of requests, and which stack the clients' resolvers lead them to.

use super::random::{Random, RandomWalk};

/// Requests per second on an average day, where a script says nothing else.
const MEAN: f64 = 412.0;
/// How far the daily wave goes up and down.
const WAVE: f64 = 0.14;
/// Second of the day (UTC) at which most people are awake.
const PEAK: f64 = 19.0 * 3_600.0;
const DAY: f64 = 86_400.0;

/// Kinds of clients: which part of the traffic, and how many seconds until they follow a new answer.
///
/// Most resolvers keep to the TTL of 60 s; clients with long-lived connections come later; a few old ones cache far beyond it.
const COHORTS: [(f64, f64); 3] = [(0.85, 30.0), (0.12, 150.0), (0.03, 1_500.0)];
/// Resolvers of equal size that would scatter as much as the real ones do.
const RESOLVERS: f64 = 900.0;

/// The wish for requests.
#[derive(Debug)]
pub(crate) struct Demand {
    mean: f64,
    drift: RandomWalk,
    jitter: RandomWalk,
    random: Random,
}

impl Demand {
    pub(crate) fn new(seed: u64, mean: Option<f64>) -> Self {
        Self {
            mean: mean.unwrap_or(MEAN),
            drift: RandomWalk::new(900.0),
            jitter: RandomWalk::new(3.0),
            random: Random::new(seed, 2),
        }
    }

    /// Requests per second, at this second.
    pub(crate) fn tick(&mut self, second: i64) -> f64 {
        let phase = ((second.rem_euclid(86_400)) as f64 - PEAK) / DAY * std::f64::consts::TAU;
        let wave = 1.0 + WAVE * phase.cos();
        let drift = 1.0 + 0.02 * self.drift.step(&mut self.random);
        let jitter = 1.0 + 0.03 * self.jitter.step(&mut self.random);
        (self.mean * wave * drift * jitter).max(0.0)
    }
}

/// Clients and their resolvers' caches.
#[derive(Debug)]
pub(crate) struct Clients {
    /// The part of each cohort that goes to the new stack.
    new: [f64; COHORTS.len()],
    scatter: RandomWalk,
    random: Random,
}

impl Clients {
    pub(crate) fn new(seed: u64, share: f64) -> Self {
        Self { new: [share; COHORTS.len()], scatter: RandomWalk::new(60.0), random: Random::new(seed, 3) }
    }

    /// The part of requests that goes to the new stack, one second after the last.
    ///
    /// `answered` is what the name servers answer now; without an answer, clients stay where they are.
    pub(crate) fn tick(&mut self, answered: Option<f64>) -> f64 {
        for (new, (part, memory)) in self.new.iter_mut().zip(COHORTS) {
            let answered = answered.unwrap_or(*new);
            *new += (answered - *new) / memory;
            // Where one stack gets no answer any more, clients are counted in whole resolvers: the last one leaves, too.
            let is_all = answered <= 0.0 || answered >= 1.0;
            if is_all && (answered - *new).abs() * part * RESOLVERS < 1.0 {
                *new = answered;
            }
        }
        let mean: f64 = self.new.iter().zip(COHORTS).map(|(new, (part, _))| new * part).sum();
        let deviation = (mean * (1.0 - mean) / RESOLVERS).max(0.0).sqrt();
        (mean + deviation * self.scatter.step(&mut self.random)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daily_wave_is_there_and_the_mean_is_right() {
        let mut demand = Demand::new(1, None);
        let rates: Vec<f64> = (0..86_400).map(|second| demand.tick(second)).collect();
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        assert!((mean(&rates) - MEAN).abs() < 15.0);
        assert!(mean(&rates[68_000..69_000]) > 1.15 * mean(&rates[25_000..26_000]));
    }

    #[test]
    fn the_observed_share_trails_the_answers_and_keeps_a_tail() {
        let mut clients = Clients::new(1, 0.0);
        let at = |clients: &mut Clients, seconds: usize| (0..seconds).map(|_| clients.tick(Some(1.0))).last().unwrap();
        let after_ttl = at(&mut clients, 60);
        assert!((0.6..0.9).contains(&after_ttl), "{after_ttl}");
        let later = at(&mut clients, 540);
        assert!((0.95..0.995).contains(&later), "{later}");
    }

    #[test]
    fn the_last_client_leaves_after_an_hour_and_a_half() {
        let mut clients = Clients::new(1, 1.0);
        let last = (1..14_400).filter(|_| clients.tick(Some(0.0)) > 0.0).last();
        assert!(last.is_some_and(|second| (3_600..5_400).contains(&second)), "{last:?}");
    }

    #[test]
    fn without_an_answer_nobody_moves() {
        let mut clients = Clients::new(1, 1.0);
        assert!((0..600).all(|_| clients.tick(None) > 0.999));
    }
}
