//! The world: everything that the services tell of, moved forward in ticks of one virtual second.
//!
//! A tick plays the script, then demand, DNS, both fleets, the replication, and at last what of it is published and alarmed on.
//! Nothing here knows of HTTP or of AWS's protocols; services read the world; Route 53 changes it, and so
//! does the report of a Pulumi run.

pub(crate) mod alarms;
pub(crate) mod dms;
pub(crate) mod dns;
pub(crate) mod fargate;
mod gauges;
pub(crate) mod legacy;
pub(crate) mod metrics;
mod random;
pub(crate) mod stack;
mod state;
mod traffic;

use jiff::Timestamp;
use serde_json::Value;

use alarms::{Alarm, Alarms};
use dms::Dms;
use dns::{Dns, RecordKind};
use fargate::{Fargate, TargetState};
use gauges::Gauges;
use legacy::Legacy;
use metrics::Metrics;
use stack::{Part, Stack};
use traffic::{Clients, Demand};

use super::fault::Fault;
use super::names as n;
use super::scenario::{Script, ScriptedEvent, Start};

/// Seconds that the world has lived through before its start, so that an hour of history is there.
const HISTORY: i64 = 65 * 60;
/// Second of the minute at which alarms are evaluated.
const EVALUATION: i64 = 20;

/// The world at one second.
#[derive(Debug)]
pub(crate) struct World {
    /// Unix second that has been lived through.
    second: i64,
    start: i64,
    script: Script,
    /// Events of the script that have happened; they are in order.
    played: usize,
    seed: u64,
    pub(crate) stack: Stack,
    pub(crate) dns: Dns,
    pub(crate) legacy: Legacy,
    pub(crate) fargate: Fargate,
    pub(crate) dms: Dms,
    pub(crate) metrics: Metrics,
    alarms: Alarms,
    demand: Demand,
    clients: Clients,
    gauges: Gauges,
    /// Requests per second, and the part of them that went to the new stack.
    flow: (f64, f64),
    /// How far the clock of tapctl's host is ahead. The world goes by AWS's.
    pub(crate) host_ahead_s: i64,
}

impl World {
    /// A world that has lived for an hour; its next second is the first of the script.
    pub(crate) fn new(seed: u64, start: Timestamp, mut script: Script) -> Self {
        let start = start.as_second();
        let begin = start.saturating_sub(HISTORY);
        script.events.sort_by_key(|event| event.at_s);
        let dns = Dns::new(seed, script.start);
        let stands = script.start == Start::Provisioned;
        let share = dns.share(true, true).unwrap_or(0.0);
        let mut metrics = Metrics::default();
        let gauges = Gauges::new(seed, &mut metrics);
        let (full_load, requests_per_s) = (script.full_load_s, script.requests_per_s);
        let mut world = Self {
            second: begin,
            start,
            script,
            played: 0,
            seed,
            stack: if stands { Stack::standing(start) } else { Stack::nothing() },
            dns,
            legacy: Legacy::new(seed),
            fargate: if stands { Fargate::new(seed, begin) } else { Fargate::absent(seed) },
            dms: Dms::new(seed, start, full_load),
            metrics,
            alarms: Alarms::new(Timestamp::from_second(begin).unwrap_or_default()),
            demand: Demand::new(seed, requests_per_s),
            clients: Clients::new(seed, share),
            gauges,
            flow: (0.0, share),
            host_ahead_s: 0,
        };
        // Nothing of a script happens before the start, so there is no fault to hand on. The first second of the script is left
        // to the caller, who can take what begins in it.
        world.step_to(start - 1);
        world
    }

    /// The second that the world has reached.
    pub(crate) fn second(&self) -> i64 {
        self.second
    }

    /// Time zero of the script.
    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    /// Lives through every second up to this one; returns the faults that began, with their times.
    pub(crate) fn step_to(&mut self, second: i64) -> Vec<(Timestamp, Fault)> {
        let mut faults = Vec::new();
        while self.second < second {
            self.second += 1;
            self.tick(&mut faults);
        }
        faults
    }

    fn tick(&mut self, faults: &mut Vec<(Timestamp, Fault)>) {
        let now = self.second;
        self.play(now, faults);
        self.dns.tick(now);
        let [legacy, new] = self.healthy();
        let share = self.clients.tick(self.dns.share(legacy, new));
        let rate = self.demand.tick(now);
        self.flow = (rate, share);
        let legacy = self.legacy.tick(rate * (1.0 - share));
        let new = self.fargate.tick(now, rate * share);
        if self.stack.has(Part::Task) {
            self.dms.tick(now, rate);
        } else {
            self.dms.idle(rate);
        }
        gauges::publish(self, now, legacy, new);
        if now.rem_euclid(60) == EVALUATION {
            self.alarms.evaluate(&self.metrics, now);
        }
    }

    /// Whether Route 53 holds each balancer for healthy: the legacy one, the new one.
    pub(crate) fn healthy(&self) -> [bool; 2] {
        [self.legacy.healthy > 0, self.fargate.targets(self.second, TargetState::Healthy) > 0]
    }

    /// Takes over which resources a Pulumi run has made; they are all that the stack has now.
    ///
    /// # Errors
    /// As the provider says it, when a weighted record is to stand beside a simple one; nothing is taken over then.
    pub(crate) fn set_stack(&mut self, resources: &[String], time: Timestamp) -> Result<(), String> {
        let now = self.second;
        let changes = self.stack.compare(resources);
        let weighted = |part: &Part| matches!(part, Part::LegacyRecord | Part::NewRecord);
        if self.dns.standing() == RecordKind::Simple && changes.came.iter().any(weighted) {
            let name = n::RECORD_NAME;
            return Err(format!(
                "RRSet {name} cannot be created as a non-weighted set exists with the same name and type."
            ));
        }
        for part in &changes.came {
            match part {
                Part::LegacyRecord => self.dns.declare(n::LEGACY_SET, time),
                Part::NewRecord => self.dns.declare(n::NEW_SET, time),
                Part::Service => self.fargate.create(now),
                Part::Task => {
                    // Each replication has chance of its own, and the same one in the same night.
                    let seed = self.seed ^ now.unsigned_abs();
                    self.dms = Dms::begin(seed, now, self.script.full_load_s);
                }
                Part::Alarm(name) => self.alarms.create(name, time),
                _ => {}
            }
        }
        for part in &changes.went {
            match part {
                Part::LegacyRecord => self.dns.withdraw(n::LEGACY_SET, time),
                Part::NewRecord => self.dns.withdraw(n::NEW_SET, time),
                Part::Service => self.fargate.delete(),
                _ => {}
            }
        }
        self.stack.take(&changes, now);
        Ok(())
    }

    /// The alarms that exist.
    pub(crate) fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.alarms.all().iter().filter(|alarm| self.stack.has(Part::Alarm(&alarm.rule.name)))
    }

    /// Lets the events of the script happen whose time has come.
    fn play(&mut self, now: i64, faults: &mut Vec<(Timestamp, Fault)>) {
        while let Some(event) = self.script.events.get(self.played) {
            let at = self.start.saturating_add_unsigned(event.at_s);
            if at > now {
                break;
            }
            self.played += 1;
            let until = |seconds: u64| now.saturating_add_unsigned(seconds);
            match event.happening.clone() {
                ScriptedEvent::BulkWrites { rows_per_s, for_s } => self.dms.bulk(until(for_s), rows_per_s),
                ScriptedEvent::TasksFail { tasks, ill_for_s } => {
                    self.fargate.fall_ill(now, tasks, until(ill_for_s) - now);
                }
                ScriptedEvent::Release { error_rate, fails_after_s } => {
                    let fails = fails_after_s.map(|seconds| until(seconds) - now);
                    self.fargate.release(now, error_rate.clamp(0.0, 1.0), fails);
                }
                ScriptedEvent::MetricsStop { for_s } => self.metrics.stop(now, until(for_s)),
                ScriptedEvent::TableFails { table } => self.dms.fail_table(&table),
                ScriptedEvent::RowsDiffer { table, rows } => self.dms.mismatch(&table, rows),
                ScriptedEvent::WeightsMoved { legacy, new, comment } => {
                    let time = Timestamp::from_second(now).unwrap_or_default();
                    self.dns.move_weights(legacy, new, &comment, time);
                }
                ScriptedEvent::ClockSet { by_s } => self.host_ahead_s += by_s,
                ScriptedEvent::TargetsSwapped { comment } => {
                    self.dns.swap_targets(&comment, Timestamp::from_second(now).unwrap_or_default());
                }
                ScriptedEvent::Fault(fault) => faults.push((Timestamp::from_second(now).unwrap_or_default(), fault)),
            }
        }
    }

    /// The world as data.
    pub(crate) fn state(&self) -> Value {
        state::state(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Scenario;

    fn world(seed: u64, scenario: Scenario) -> World {
        World::new(seed, Timestamp::from_second(1_795_435_200).unwrap(), scenario.script())
    }

    #[test]
    fn the_same_seed_gives_the_same_run_however_it_is_stepped() {
        let (mut one, mut two) = (world(3, Scenario::LagSpike), world(3, Scenario::LagSpike));
        let end = one.second() + 400;
        one.step_to(end);
        for second in two.second()..=end {
            let _ = two.state();
            two.step_to(second);
        }
        assert_eq!(one.state(), two.state());
        let mut other = world(4, Scenario::LagSpike);
        other.step_to(end);
        assert_ne!(one.state(), other.state());
    }

    #[test]
    fn every_scenario_runs_for_an_hour_within_sane_bounds() {
        for scenario in Scenario::ALL {
            let mut world = world(1, scenario);
            let start = world.second();
            world.step_to(start + 3_600);
            let (rate, share) = world.flow;
            let mean = scenario.script().requests_per_s.unwrap_or(412.0);
            assert!((0.7 * mean..1.5 * mean).contains(&rate), "{scenario}: {rate}");
            assert!((0.0..=1.0).contains(&share), "{scenario}: {share}");
            assert!(world.dms.target_lag < 10.0, "{scenario}: {}", world.dms.target_lag);
            let stands = world.stack.has(Part::Service);
            assert_eq!((4..=12).contains(&world.fargate.desired), stands, "{scenario}");
        }
    }

    #[test]
    fn steady_is_calm_from_the_first_second() {
        let world = world(1, Scenario::Steady);
        // The way back is made and not started: its alarms know nothing, and tell nobody.
        for alarm in world.alarms().filter(|alarm| alarm.rule.actions_enabled) {
            assert_eq!(alarm.state.name(), "OK", "{}: {}", alarm.rule.name, alarm.reason);
        }
        assert_eq!(world.fargate.targets(world.second(), TargetState::Healthy), 4);
    }

    #[test]
    fn a_step_of_ten_per_cent_arrives_at_the_new_stack() {
        let mut world = world(1, Scenario::Steady);
        let start = world.second();
        world.dns.move_weights(90, 10, "", Timestamp::from_second(start).unwrap());
        world.step_to(start + 30);
        assert!(world.flow.1 < 0.08, "{}", world.flow.1);
        world.step_to(start + 600);
        assert!((0.06..0.14).contains(&world.flow.1), "{}", world.flow.1);
    }

    /// Requests in each minute of the newest `minutes` that have settled by now; none where nothing was published.
    fn requests_at_the_new_balancer(world: &World, minutes: i64) -> Vec<f64> {
        let key = metrics::MetricId::new(
            n::NEW_REGION,
            "AWS/ApplicationELB",
            "RequestCount",
            &[("LoadBalancer", n::ALB_DIMENSION)],
        );
        let (metric, now) = (world.metrics.find(&key).unwrap(), world.second());
        let points = world.metrics.read(metric, now, (now - 120 - minutes * 60, now), 60, metrics::Stat::Sum);
        points.into_iter().map(|(_, requests)| requests).collect()
    }

    #[test]
    fn a_stack_without_weight_gets_no_request_from_the_start() {
        let world = world(1, Scenario::Steady);
        assert_eq!(requests_at_the_new_balancer(&world, 60), Vec::<f64>::new());
        assert!(world.alarms().all(|alarm| alarm.state.name() != "ALARM"));
    }

    #[test]
    fn two_minutes_after_the_last_client_has_left_nothing_is_measured_any_more() {
        let mut world = world(1, Scenario::Steady);
        let start = world.second();
        let at = |second| Timestamp::from_second(second).unwrap();
        world.dns.move_weights(0, 100, "", at(start));
        world.step_to(start + 3_600);
        assert!(requests_at_the_new_balancer(&world, 5).iter().all(|requests| *requests > 10_000.0));
        world.dns.move_weights(100, 0, "", at(start + 3_600));
        world.step_to(start + 4_200);
        let slow = requests_at_the_new_balancer(&world, 1);
        assert!(slow.iter().all(|requests| (60.0..3_000.0).contains(requests)), "slow resolvers drain: {slow:?}");
        let with_clients = |second: &i64| {
            world.step_to(start + 3_600 + second);
            world.flow.1 > 0.0
        };
        let last = (601..5_400).filter(with_clients).last().unwrap();
        assert!(last > 3_600, "{last}");
        // The minute in which the last client left has settled by then, and is not the newest any more.
        world.step_to((start + 3_600 + last + 180).max(world.second()));
        for _ in 0..30 {
            let rate: f64 = requests_at_the_new_balancer(&world, 1).iter().sum();
            assert!(rate < 1.0, "{rate} requests a minute");
            world.step_to(world.second() + 20);
        }
    }

    #[test]
    fn the_alarms_of_each_scenario_ring() {
        let cases = [
            (Scenario::LagSpike, "migration-dms-lag-prod"),
            (Scenario::TaskCrash, "migration-unhealthy-targets-prod"),
            (Scenario::BadRelease, "migration-target-5xx-prod"),
        ];
        for (scenario, name) in cases {
            let mut world = world(1, scenario);
            let start = world.second();
            // Nobody notices a bad release that nobody uses.
            world.dns.move_weights(90, 10, "", Timestamp::from_second(start).unwrap());
            let rings = (1..=10).any(|minute| {
                world.step_to(start + minute * 60 + 30);
                world.alarms().any(|alarm| alarm.rule.name == name && alarm.state.name() == "ALARM")
            });
            assert!(rings, "{scenario}");
        }
    }
}
