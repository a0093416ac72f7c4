//! Tasks come and go: one step of a rolling update, the number that is wanted, what is due to stop.

use super::Rollout;
use super::TargetState;
use super::Task;

use super::Fargate;
use crate::sim::names as n;

/// Seconds from the decision to start a task until it runs; then until its target is healthy.
const STARTING: (f64, f64) = (26.0, 36.0);
const WARMING: i64 = 12;
/// Seconds a stopping task drains.
const DRAINING: i64 = 30;
/// Seconds between two steps of a rolling update.
const ROLLING: i64 = 20;
/// Stopped tasks that are kept.
const KEPT_STOPPED: usize = 20;

impl Fargate {
    /// Drains and stops what is due.
    pub(super) fn stop_due(&mut self, now: i64) {
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
    pub(super) fn roll(&mut self, now: i64) {
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
    pub(super) fn schedule(&mut self, now: i64) {
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

    pub(super) fn launch(&mut self, now: i64) {
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
}
