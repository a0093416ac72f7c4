//! The legacy stack: six EC2 instances behind a Classic Load Balancer in us-east-1.

use super::metrics::Spread;
use super::random::{Random, RandomWalk};

/// Requests per second at which one instance is fully busy.
const CAPACITY: f64 = 118.0;
/// Part of the requests that fail even on a good day.
const BASE_ERRORS: f64 = 0.000_3;
/// Median response time at low load, in seconds.
const MEDIAN: f64 = 0.046;

/// Instances of the fleet.
pub(crate) const INSTANCES: [&str; 6] = [
    "i-0a11f6c2d3e4b5a01",
    "i-0a11f6c2d3e4b5a02",
    "i-0b22f6c2d3e4b5a03",
    "i-0b22f6c2d3e4b5a04",
    "i-0c33f6c2d3e4b5a05",
    "i-0c33f6c2d3e4b5a06",
];

/// What a stack did in one second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Served {
    pub(crate) requests: f64,
    /// 5xx answers of the application.
    pub(crate) target_errors: f64,
    /// 5xx answers made by the load balancer itself.
    pub(crate) balancer_errors: f64,
    pub(crate) spread: Spread,
}

/// The fleet.
#[derive(Debug)]
pub(crate) struct Legacy {
    /// Instances in service.
    pub(crate) healthy: usize,
    /// Per cent.
    pub(crate) cpu: f64,
    /// Requests that wait at the load balancer.
    pub(crate) queue: f64,
    /// Requests that were turned away in the last second.
    pub(crate) spilled: f64,
    noise: RandomWalk,
    random: Random,
}

impl Legacy {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            healthy: INSTANCES.len(),
            cpu: 55.0,
            queue: 0.0,
            spilled: 0.0,
            noise: RandomWalk::new(40.0),
            random: Random::new(seed, 4),
        }
    }

    /// Serves one second of requests.
    pub(crate) fn tick(&mut self, rate: f64) -> Served {
        let capacity = CAPACITY * self.healthy as f64;
        let noise = self.noise.step(&mut self.random);
        let requests = self.random.poisson(rate);
        let (queue, spilled) = overflow(self.queue + requests - capacity);
        (self.queue, self.spilled) = (queue, spilled);
        let load = requests / capacity;
        let busy = (5.0 + 92.0 * load + 1.5 * noise).clamp(1.0, 100.0);
        self.cpu += (busy - self.cpu) / 8.0;
        Served {
            requests,
            target_errors: self.random.poisson(requests * BASE_ERRORS),
            balancer_errors: self.spilled,
            spread: Spread {
                median: MEDIAN * slowdown(load) * (1.0 + 0.03 * noise),
                sigma: 0.62,
                chance: self.random.unit(),
            },
        }
    }
}

/// What a Classic Load Balancer does with requests beyond capacity: 1024 of them wait, the rest is turned away.
fn overflow(waiting: f64) -> (f64, f64) {
    const QUEUE: f64 = 1_024.0;
    (waiting.clamp(0.0, QUEUE), (waiting - QUEUE).max(0.0))
}

/// How much slower requests get as servers fill up.
pub(crate) fn slowdown(load: f64) -> f64 {
    1.0 + 0.8 * load.powi(4) + 12.0 * (load - 1.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_shows_in_cpu_latency_and_errors() {
        let mut legacy = Legacy::new(1);
        let run = |legacy: &mut Legacy, rate: f64| (0..120).map(|_| legacy.tick(rate)).last().unwrap();
        let calm = run(&mut legacy, 100.0);
        let calm_cpu = legacy.cpu;
        let usual = run(&mut legacy, 412.0);
        assert!(legacy.cpu > calm_cpu + 20.0);
        assert!(usual.spread.median > calm.spread.median);
        assert!(usual.balancer_errors == 0.0);
        let swamped = run(&mut legacy, 900.0);
        assert!(swamped.balancer_errors > 0.0 && legacy.queue > 1_000.0);
    }
}
