//! The new stack: an ECS service on Fargate behind an Application Load Balancer in us-west-2.
//!
//! Tasks take time to start and to turn healthy, fall ill, stop and are replaced; autoscaling follows their CPU; releases roll out.

mod parts;
mod rolling;
mod scaling;

use std::collections::VecDeque;

use super::legacy::{Served, slowdown};
use super::metrics::Spread;
use super::random::{Random, RandomWalk};
use crate::sim::names as n;
use scaling::SMALLEST;

pub(crate) use parts::{Deployment, Rollout, ServiceEvent, TargetState, Task};

/// Requests per second at which one task is fully busy.
const CAPACITY: f64 = 62.0;
const BASE_ERRORS: f64 = 0.000_2;
/// Median response time at low load, in seconds.
const MEDIAN: f64 = 0.043;

/// Service events that are kept.
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

    fn say(&mut self, at: i64, message: String) {
        let hex = self.random.hex(32);
        let id = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        self.events.push_front(ServiceEvent { id, at, message });
        self.events.truncate(KEPT_EVENTS);
    }
}

#[cfg(test)]
mod tests;
