//! The new stack: an ECS service on Fargate behind an Application Load Balancer in us-west-2.
//!
//! Tasks take time to start and to turn healthy, fall ill, stop and are replaced; autoscaling follows their CPU; releases roll out.

mod parts;

use std::collections::VecDeque;

use super::legacy::{Served, slowdown};
use super::metrics::Spread;
use super::random::{Random, RandomWalk};
use crate::sim::names as n;

pub(crate) use parts::{Deployment, Rollout, ServiceEvent, TargetState, Task};

/// Requests per second at which one task is fully busy.
const CAPACITY: f64 = 62.0;
const BASE_ERRORS: f64 = 0.000_2;
/// Median response time at low load, in seconds.
const MEDIAN: f64 = 0.043;

/// Bounds of autoscaling, and the CPU that it aims at, in per cent.
const SMALLEST: usize = 4;
const LARGEST: usize = 12;
const AIM: f64 = 70.0;
/// Minutes above the aim before tasks are added, and below nine tenths of it before one is taken away, as target tracking does it.
const HOT_MINUTES: u32 = 3;
const CALM_MINUTES: u32 = 15;

/// Seconds from the decision to start a task until it runs; then until its target is healthy.
const STARTING: (f64, f64) = (26.0, 36.0);
const WARMING: i64 = 12;
/// Seconds a stopping task drains.
const DRAINING: i64 = 30;
/// Seconds between two steps of a rolling update.
const ROLLING: i64 = 20;
/// Stopped tasks and service events that are kept.
const KEPT_STOPPED: usize = 20;
const KEPT_EVENTS: usize = 100;

/// The service.
#[derive(Debug)]
pub(crate) struct Fargate {
    pub(crate) desired: usize,
    /// Newest first, the primary one at the front.
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) tasks: Vec<Task>,
    /// Newest first.
    pub(crate) events: VecDeque<ServiceEvent>,
    minute_cpu: (f64, u32),
    hot: u32,
    calm: u32,
    next_roll: i64,
    steady: bool,
    noise: RandomWalk,
    random: Random,
}

impl Fargate {
    /// The service as it has been running for a day.
    pub(crate) fn new(seed: u64, now: i64) -> Self {
        let mut random = Random::new(seed, 5);
        let day = 86_400;
        let deployment = Deployment {
            id: format!("ecs-svc/{}", random.decimal(19)),
            revision: 7,
            error_rate: 0.0,
            created: now - day,
            updated: now - day + 190,
            rollout: Rollout::Completed,
            failed_tasks: 0,
            fails: None,
        };
        let mut fargate = Self {
            desired: SMALLEST,
            deployments: vec![deployment],
            tasks: Vec::new(),
            events: VecDeque::new(),
            minute_cpu: (0.0, 0),
            hot: 0,
            calm: 0,
            next_roll: 0,
            steady: true,
            noise: RandomWalk::new(30.0),
            random,
        };
        for _ in 0..SMALLEST {
            fargate.launch(now - day);
        }
        fargate.say(now - day + 190, format!("(service {}) has reached a steady state.", n::SERVICE_NAME));
        fargate
    }

    /// No service at all.
    pub(crate) fn absent(seed: u64) -> Self {
        Self {
            desired: 0,
            deployments: Vec::new(),
            tasks: Vec::new(),
            events: VecDeque::new(),
            minute_cpu: (0.0, 0),
            hot: 0,
            calm: 0,
            next_roll: 0,
            steady: true,
            noise: RandomWalk::new(30.0),
            random: Random::new(seed, 5),
        }
    }

    /// The service comes to be, and its first deployment begins.
    pub(crate) fn create(&mut self, now: i64) {
        self.release(now, 0.0, None);
        self.desired = SMALLEST;
    }

    /// The service and its tasks are gone.
    pub(crate) fn delete(&mut self) {
        (self.desired, self.steady, self.minute_cpu) = (0, true, (0.0, 0));
        (self.hot, self.calm) = (0, 0);
        self.deployments.clear();
        self.tasks.clear();
        self.events.clear();
    }

    /// Tasks that are not stopped.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(|task| task.stopped.is_none())
    }

    pub(crate) fn running(&self, now: i64) -> usize {
        self.live().filter(|task| task.is_running(now)).count()
    }

    pub(crate) fn pending(&self, now: i64) -> usize {
        self.live().filter(|task| !task.is_running(now)).count()
    }

    /// Registered targets in a state.
    pub(crate) fn targets(&self, now: i64, state: TargetState) -> usize {
        self.tasks.iter().filter(|task| task.target(now) == Some(state)).count()
    }

    /// Averages over running tasks: CPU and memory in per cent.
    pub(crate) fn usage(&self, now: i64) -> Option<(f64, f64)> {
        let running: Vec<_> = self.live().filter(|task| task.is_running(now)).collect();
        let count = running.len() as f64;
        let sum = running.iter().fold((0.0, 0.0), |(cpu, memory), task| (cpu + task.cpu, memory + task.memory));
        (count > 0.0).then(|| (sum.0 / count, sum.1 / count))
    }

    /// Lets so many tasks fall ill; after `ill_for` seconds they stop.
    pub(crate) fn fall_ill(&mut self, now: i64, tasks: usize, ill_for: i64) {
        let well =
            self.tasks.iter_mut().filter(|task| task.target(now) == Some(TargetState::Healthy) && task.ill.is_none());
        for task in well.take(tasks) {
            task.ill = Some(now);
            task.stopping = Some((now + ill_for, "Task failed ELB health checks"));
        }
    }

    /// Starts a rolling update.
    pub(crate) fn release(&mut self, now: i64, error_rate: f64, fails_after: Option<i64>) {
        let revision = self.deployments.first().map_or(1, |deployment| deployment.revision + 1);
        let id = format!("ecs-svc/{}", self.random.decimal(19));
        self.say(now, format!("(service {}) has started a deployment (deployment {id}).", n::SERVICE_NAME));
        let fails = fails_after.map(|seconds| now + seconds);
        let rollout = Rollout::InProgress;
        let deployment =
            Deployment { id, revision, error_rate, created: now, updated: now, rollout, failed_tasks: 0, fails };
        self.deployments.insert(0, deployment);
        self.next_roll = now;
        self.steady = false;
    }

    /// Serves one second of requests, then lets the scheduler, the rollout and autoscaling do their work.
    pub(crate) fn tick(&mut self, now: i64, rate: f64) -> Served {
        let served = self.serve(now, rate);
        self.stop_due(now);
        self.roll(now);
        self.schedule(now);
        if now.rem_euclid(60) == 0 {
            self.autoscale(now);
        }
        served
    }

    fn serve(&mut self, now: i64, rate: f64) -> Served {
        let noise = self.noise.step(&mut self.random);
        let requests = self.random.poisson(rate);
        let healthy = self.targets(now, TargetState::Healthy);
        // With no healthy target at all, the load balancer sends requests to every registered one.
        let open = healthy == 0;
        let takes = |task: &Task| match task.target(now) {
            Some(TargetState::Healthy) => true,
            Some(TargetState::Initial | TargetState::Unhealthy) => open,
            _ => false,
        };
        let serving = self.tasks.iter().filter(|task| takes(task)).count();
        if serving == 0 {
            return Served {
                requests,
                target_errors: 0.0,
                balancer_errors: requests,
                spread: Spread { median: 0.001, sigma: 0.1, chance: 0.5 },
            };
        }
        let each = requests / serving as f64;
        let load = each / CAPACITY;
        let mut failing = 0.0;
        for task in self.tasks.iter_mut().filter(|task| task.is_running(now)) {
            let gets = takes(task);
            let busy = if gets { 92.0 * load } else { 0.0 };
            let busy = (6.0 + busy + 1.2 * self.random.normal()).clamp(0.5, 100.0);
            task.cpu += (busy - task.cpu) / 8.0;
            let filled = 34.0 + if gets { 9.0 * load.min(2.0) } else { 0.0 };
            task.memory += (filled - task.memory) / 60.0;
            if gets {
                let ill = if task.ill.is_some() { 0.5 } else { 0.0 };
                failing += each * (BASE_ERRORS + task.error_rate + ill).min(1.0);
            }
        }
        let refused = (requests - CAPACITY * 1.25 * serving as f64).max(0.0);
        let cpu = self.usage(now).map_or(0.0, |(cpu, _)| cpu);
        self.minute_cpu = (self.minute_cpu.0 + cpu, self.minute_cpu.1 + 1);
        Served {
            requests,
            target_errors: self.random.poisson(failing).min(requests),
            balancer_errors: self.random.poisson(refused),
            spread: Spread {
                median: MEDIAN * slowdown(load) * (1.0 + 0.03 * noise),
                sigma: 0.58,
                chance: self.random.unit(),
            },
        }
    }

    /// Drains and stops what is due.
    fn stop_due(&mut self, now: i64) {
        let mut said = Vec::new();
        for task in &mut self.tasks {
            let Some((since, reason)) = task.stopping else { continue };
            if now == since {
                said.push(format!("(service {}) has stopped 1 running tasks: (task {}).", n::SERVICE_NAME, task.id));
                if task.ill.is_some() {
                    let target = format!(
                        "(service {}) (port 8080) is unhealthy in (target-group {})",
                        n::SERVICE_NAME,
                        n::TARGET_GROUP_ARN
                    );
                    said.push(format!("{target} due to (reason {reason})."));
                    if let Some(primary) =
                        self.deployments.first_mut().filter(|primary| primary.rollout == Rollout::InProgress)
                    {
                        primary.failed_tasks += 1;
                    }
                }
            }
            if now >= since + DRAINING && task.stopped.is_none() {
                task.stopped = Some(now);
            }
        }
        for message in said {
            self.steady = false;
            self.say(now, message);
        }
        let stopped = self.tasks.iter().filter(|task| task.stopped.is_some()).count();
        let mut surplus = stopped.saturating_sub(KEPT_STOPPED);
        self.tasks.retain(|task| {
            let forget = task.stopped.is_some() && surplus > 0;
            surplus -= usize::from(forget);
            !forget
        });
    }

    /// One step of a rolling update: start a new task, or stop an old one that a healthy new one replaces.
    fn roll(&mut self, now: i64) {
        let Some(primary) = self.deployments.first_mut() else { return };
        if primary.rollout != Rollout::InProgress {
            return;
        }
        let revision = primary.revision;
        if primary.fails.is_some_and(|fails| now >= fails) {
            primary.rollout = Rollout::Failed;
            primary.updated = now;
            let id = primary.id.clone();
            self.say(
                now,
                format!("(service {}) (deployment {id}) deployment failed: alarm detected.", n::SERVICE_NAME),
            );
            return;
        }
        let staying = |task: &&Task| task.desired_status(now) == "RUNNING";
        let new: Vec<&Task> = self.live().filter(staying).filter(|task| task.revision == revision).collect();
        let healthy = new.iter().filter(|task| task.target(now) == Some(TargetState::Healthy)).count();
        let (new, old) = (new.len(), self.live().filter(staying).filter(|task| task.revision != revision).count());
        if old == 0 && healthy >= self.desired {
            // A release that is watched by alarms stays in progress until its bake time is over.
            if let Some(primary) = self.deployments.first_mut().filter(|primary| primary.fails.is_none()) {
                primary.rollout = Rollout::Completed;
                primary.updated = now;
                let id = primary.id.clone();
                self.deployments.truncate(1);
                self.say(now, format!("(service {}) (deployment {id}) deployment completed.", n::SERVICE_NAME));
            }
        } else if now >= self.next_roll {
            self.next_roll = now + ROLLING;
            if new < self.desired {
                self.launch(now);
            }
            if healthy + old > self.desired
                && let Some(task) =
                    self.tasks.iter_mut().find(|task| task.revision != revision && task.stopping.is_none())
            {
                task.stopping = Some((now + 1, "Scaling activity initiated by deployment"));
            }
        }
    }

    /// Keeps the number of tasks at what is wanted.
    fn schedule(&mut self, now: i64) {
        let staying = self.live().filter(|task| task.desired_status(now) == "RUNNING").count();
        for _ in staying..self.desired {
            self.launch(now);
        }
        let rolling = self.deployments.first().is_some_and(|primary| primary.rollout == Rollout::InProgress);
        if staying > self.desired && !rolling {
            let surplus = staying - self.desired;
            let candidates = self.tasks.iter_mut().rev().filter(|task| task.stopping.is_none());
            for task in candidates.take(surplus) {
                task.stopping = Some((now + 1, "Scaling activity initiated by (deployment)"));
            }
        }
        let settled = self.live().count() == self.desired
            && self.targets(now, TargetState::Healthy) == self.desired
            && self.live().all(|task| task.ill.is_none());
        if settled && !self.steady && !rolling {
            self.steady = true;
            self.say(now, format!("(service {}) has reached a steady state.", n::SERVICE_NAME));
        }
    }

    /// Target tracking on average CPU, once a minute.
    fn autoscale(&mut self, now: i64) {
        let (sum, count) = std::mem::take(&mut self.minute_cpu);
        if count == 0 {
            return;
        }
        let cpu = sum / f64::from(count);
        let running = self.running(now).max(1);
        self.hot = if cpu > AIM { self.hot + 1 } else { 0 };
        self.calm = if cpu < AIM * 0.9 && self.desired > SMALLEST { self.calm + 1 } else { 0 };
        if self.hot >= HOT_MINUTES && running >= self.desired.min(LARGEST) {
            let wanted = (running as f64 * cpu / AIM).ceil() as usize;
            self.scale(now, wanted.clamp(self.desired, LARGEST));
            self.hot = 0;
        } else if self.calm >= CALM_MINUTES {
            let wanted = (running as f64 * cpu / (AIM * 0.9)).ceil() as usize;
            self.scale(now, wanted.clamp(SMALLEST, self.desired));
            self.calm = 0;
        }
    }

    fn scale(&mut self, now: i64, wanted: usize) {
        if wanted != self.desired {
            self.desired = wanted;
            self.steady = false;
            self.say(
                now,
                format!("Message: Successfully set desired count to {wanted}. Change successfully fulfilled by ecs."),
            );
        }
    }

    fn launch(&mut self, now: i64) {
        let Some(primary) = self.deployments.first() else { return };
        let (revision, error_rate) = (primary.revision, primary.error_rate);
        let per_zone = |zone| self.live().filter(|task| task.zone == zone && task.stopping.is_none()).count();
        let zone = (0..n::ZONES.len()).min_by_key(|zone| per_zone(*zone)).unwrap_or(0);
        let id = self.random.hex(32);
        let host = 10 + (self.random.unit() * 230.0) as u32;
        let running = now + self.random.between(STARTING.0, STARTING.1) as i64;
        self.say(now, format!("(service {}) has started 1 tasks: (task {id}).", n::SERVICE_NAME));
        self.tasks.push(Task {
            id,
            zone,
            ip: format!("10.20.{}.{host}", 10 + zone),
            revision,
            created: now,
            running,
            healthy: running + WARMING,
            ill: None,
            stopping: None,
            stopped: None,
            error_rate,
            cpu: 6.0,
            memory: 30.0,
        });
    }

    fn say(&mut self, at: i64, message: String) {
        let hex = self.random.hex(32);
        let id = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        self.events.push_front(ServiceEvent { id, at, message });
        self.events.truncate(KEPT_EVENTS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(fargate: &mut Fargate, from: i64, seconds: i64, rate: f64) -> Vec<Served> {
        (from..from + seconds).map(|now| fargate.tick(now, rate)).collect()
    }

    #[test]
    fn it_rests_on_four_tasks_in_three_zones() {
        let mut fargate = Fargate::new(1, 0);
        run(&mut fargate, 0, 3_600, 40.0);
        assert_eq!((fargate.desired, fargate.running(3_600), fargate.tasks.len()), (4, 4, 4));
        assert!((0..3).all(|zone| fargate.live().any(|task| task.zone == zone)));
        assert_eq!(fargate.targets(3_600, TargetState::Healthy), 4);
    }

    #[test]
    fn autoscaling_follows_cpu_up_within_bounds_and_down_again() {
        let mut fargate = Fargate::new(1, 0);
        run(&mut fargate, 0, 1_800, 412.0);
        assert!((8..=12).contains(&fargate.desired), "{}", fargate.desired);
        let (cpu, _) = fargate.usage(1_800).unwrap();
        assert!(cpu < 75.0, "{cpu}");
        run(&mut fargate, 1_800, 3_600, 5_000.0);
        assert_eq!(fargate.desired, LARGEST);
        run(&mut fargate, 5_400, 7_200, 10.0);
        assert_eq!(fargate.desired, SMALLEST);
        assert_eq!(fargate.running(12_600), SMALLEST);
    }

    #[test]
    fn ill_tasks_are_seen_stopped_and_replaced() {
        let mut fargate = Fargate::new(1, 0);
        run(&mut fargate, 0, 60, 40.0);
        fargate.fall_ill(60, 2, 75);
        run(&mut fargate, 60, 30, 40.0);
        assert_eq!(fargate.targets(90, TargetState::Unhealthy), 2);
        run(&mut fargate, 90, 60, 40.0);
        assert_eq!(fargate.targets(149, TargetState::Healthy), 2);
        assert!(fargate.pending(149) == 2);
        run(&mut fargate, 150, 120, 40.0);
        assert_eq!(fargate.targets(269, TargetState::Healthy), 4);
        assert_eq!(fargate.tasks.iter().filter(|task| task.stopped.is_some()).count(), 2);
    }

    #[test]
    fn a_bad_release_answers_errors_and_its_rollout_fails() {
        let mut fargate = Fargate::new(1, 0);
        fargate.release(0, 0.25, Some(240));
        run(&mut fargate, 0, 200, 40.0);
        assert_eq!(fargate.deployments[0].rollout, Rollout::InProgress);
        let served = run(&mut fargate, 200, 60, 40.0);
        let requests: f64 = served.iter().map(|served| served.requests).sum();
        let errors: f64 = served.iter().map(|served| served.target_errors).sum();
        assert!((0.15..0.35).contains(&(errors / requests)), "{}", errors / requests);
        assert_eq!(fargate.deployments[0].rollout, Rollout::Failed);
        assert_eq!(fargate.running(260), 4);
    }

    #[test]
    fn a_good_release_replaces_every_task_without_loss() {
        let mut fargate = Fargate::new(1, 0);
        fargate.release(0, 0.0, None);
        for now in 0..600 {
            fargate.tick(now, 40.0);
            assert!(fargate.targets(now, TargetState::Healthy) >= 4, "{now}");
        }
        assert_eq!((fargate.deployments.len(), fargate.deployments[0].rollout), (1, Rollout::Completed));
        assert!(fargate.live().all(|task| task.revision == 8));
    }

    #[test]
    fn a_service_that_comes_to_be_is_steady_within_two_minutes_and_can_go_again() {
        let mut fargate = Fargate::absent(1);
        run(&mut fargate, 0, 60, 0.0);
        assert_eq!((fargate.desired, fargate.tasks.len(), fargate.events.len()), (0, 0, 0));
        fargate.create(60);
        run(&mut fargate, 60, 20, 0.0);
        assert_eq!((fargate.running(79), fargate.pending(79)), (0, 4));
        assert_eq!(fargate.deployments[0].rollout, Rollout::InProgress);
        run(&mut fargate, 80, 100, 0.0);
        assert_eq!(fargate.targets(180, TargetState::Healthy), 4);
        assert_eq!((fargate.deployments[0].rollout, fargate.deployments[0].revision), (Rollout::Completed, 1));
        fargate.delete();
        run(&mut fargate, 180, 120, 0.0);
        assert_eq!((fargate.tasks.len(), fargate.deployments.len()), (0, 0));
    }

    #[test]
    fn without_any_task_the_balancer_answers_errors() {
        let mut fargate = Fargate::new(1, 0);
        fargate.fall_ill(0, 4, 5);
        let served = run(&mut fargate, 0, 10, 40.0);
        assert!(served.last().unwrap().balancer_errors > 10.0);
    }
}
