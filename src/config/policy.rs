//! The gates' limits as they can be configured: one row for each, read from the file and from the environment alike.
//!
//! Pure, but for the look-ups in the environment that is handed in. The defaults are [`Policy::default`].

use std::time::Duration;

use crate::domain::gate::Policy;

use super::Env;

/// One limit.
pub(super) struct Limit {
    /// Key in `[policy]`; `TAPCTL_` and the same in capitals in the environment.
    pub(super) key: &'static str,
    min: f64,
    max: f64,
    set: fn(&mut Policy, f64),
}

/// Every limit that is a number. The ranges keep typing mistakes out: a bake of a month, a lag limit of nothing.
pub(super) const LIMITS: [Limit; 8] = [
    Limit { key: "lag_limit_s", min: 1.0, max: 86_400.0, set: |p, v| p.lag_limit = Duration::from_secs_f64(v) },
    Limit { key: "bake_s", min: 0.0, max: 604_800.0, set: |p, v| p.bake = Duration::from_secs_f64(v) },
    Limit { key: "min_requests", min: 0.0, max: 1e9, set: |p, v| p.min_requests = v },
    Limit { key: "max_error_excess", min: 0.0, max: 100.0, set: |p, v| p.max_error_excess = v },
    Limit { key: "latency_factor", min: 1.0, max: 100.0, set: |p, v| p.latency_factor = v },
    Limit { key: "latency_floor_s", min: 0.0, max: 60.0, set: |p, v| p.latency_floor = v },
    Limit { key: "unused_per_min", min: 0.0, max: 1e6, set: |p, v| p.unused_per_min = v },
    Limit { key: "window_minutes", min: 1.0, max: 60.0, set: |p, v| p.window = v.round() as usize },
];

/// The key of the only limit that is a list.
pub(super) const ALARMS_KEY: &str = "expected_alarms";

impl Limit {
    /// Takes a value in, or says what is wrong with it.
    pub(super) fn take(&self, policy: &mut Policy, value: f64) -> Result<(), String> {
        if (self.min..=self.max).contains(&value) {
            (self.set)(policy, value);
            Ok(())
        } else {
            Err(format!("wants a number from {} to {}", self.min, self.max))
        }
    }
}

/// Takes the limits of the environment in, and tells every one that cannot be used.
pub(super) fn from_environment(policy: &mut Policy, env: Env<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    for limit in &LIMITS {
        let name = variable(limit.key);
        let Some(text) = env(&name) else { continue };
        let value = text.trim().parse::<f64>().unwrap_or(f64::NAN);
        if let Err(why) = limit.take(policy, value) {
            problems.push(format!("{name} {why}"));
        }
    }
    if let Some(list) = env(&variable(ALARMS_KEY)) {
        policy.expected_alarms =
            list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    }
    problems
}

fn variable(key: &str) -> String {
    format!("TAPCTL_{}", key.to_ascii_uppercase())
}
