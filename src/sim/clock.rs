//! The simulator's virtual clock.
//!
//! It stands still until someone moves it (`advance`) or lets it follow the machine's monotonic clock at a chosen speed.
//! It uses nothing but the standard library and `jiff`; it never reads the wall clock after it was made.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// The slowest and the fastest speed that is accepted; beyond them a scenario makes no sense and arithmetic gets close to its limits.
const SPEEDS: (f64, f64) = (0.01, 10_000.0);

/// Virtual time: an origin, what has passed since, and perhaps a monotonic instant that it follows.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Timestamp,
    passed: Duration,
    speed: f64,
    following: Option<Following>,
}

/// From which real instant, and from which virtual age, time has been following.
#[derive(Debug)]
struct Following {
    since: Instant,
    passed_then: Duration,
}

impl Clock {
    pub(crate) fn new(origin: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() { speed.clamp(SPEEDS.0, SPEEDS.1) } else { 1.0 };
        Self { origin, passed: Duration::ZERO, speed, following: None }
    }

    pub(crate) fn origin(&self) -> Timestamp {
        self.origin
    }

    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }

    pub(crate) fn is_following(&self) -> bool {
        self.following.is_some()
    }

    /// Starts to follow the monotonic clock; a second call changes nothing.
    pub(crate) fn follow(&mut self, at: Instant) {
        if self.following.is_none() {
            self.following = Some(Following { since: at, passed_then: self.passed });
        }
    }

    /// Moves virtual time forward on top of whatever it follows.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.passed = self.passed.saturating_add(by);
        if let Some(following) = &mut self.following {
            following.passed_then = following.passed_then.saturating_add(by);
        }
    }

    /// Brings the virtual time up to the real instant `at`, if it follows.
    pub(crate) fn catch_up(&mut self, at: Instant) {
        if let Some(following) = &self.following {
            let real = at.saturating_duration_since(following.since).as_secs_f64() * self.speed;
            let virtual_part = Duration::try_from_secs_f64(real).unwrap_or(Duration::ZERO);
            self.passed = self.passed.max(following.passed_then.saturating_add(virtual_part));
        }
    }

    /// The virtual time, as of the last `catch_up` or `advance`.
    pub(crate) fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.passed).unwrap_or(SignedDuration::MAX);
        self.origin.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// Seconds of virtual time since the origin.
    pub(crate) fn passed(&self) -> Duration {
        self.passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_still_until_moved_and_multiplies_when_it_follows() {
        let origin = Timestamp::UNIX_EPOCH;
        let mut clock = Clock::new(origin, 20.0);
        let real = Instant::now();
        clock.catch_up(real + Duration::from_secs(5));
        assert_eq!(clock.now(), origin);
        clock.advance(Duration::from_secs(10));
        clock.follow(real);
        clock.catch_up(real + Duration::from_secs(2));
        assert_eq!(clock.passed(), Duration::from_secs(50));
        clock.advance(Duration::from_secs(1));
        clock.catch_up(real + Duration::from_secs(3));
        assert_eq!(clock.passed(), Duration::from_secs(71));
    }

    #[test]
    fn never_runs_backwards_and_survives_absurd_speeds() {
        for speed in [f64::NAN, f64::INFINITY, -3.0, 0.0, 1e300] {
            let mut clock = Clock::new(Timestamp::UNIX_EPOCH, speed);
            let real = Instant::now();
            clock.follow(real);
            clock.catch_up(real + Duration::from_secs(100));
            let first = clock.now();
            clock.catch_up(real);
            assert_eq!(clock.now(), first);
        }
    }
}
