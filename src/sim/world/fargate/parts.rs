//! What the service is made of: tasks, deployments, events. They answer questions about themselves; the service moves them.

/// Seconds that an ill task still gets requests, until health checks notice.
const UNNOTICED: i64 = 15;

/// One task.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) id: String,
    /// Index of its availability zone.
    pub(crate) zone: usize,
    pub(crate) ip: String,
    pub(crate) revision: u32,
    pub(crate) created: i64,
    pub(crate) running: i64,
    pub(super) healthy: i64,
    pub(super) ill: Option<i64>,
    /// When it is told to stop, and why.
    pub(crate) stopping: Option<(i64, &'static str)>,
    pub(crate) stopped: Option<i64>,
    pub(super) error_rate: f64,
    /// Per cent.
    pub(crate) cpu: f64,
    pub(crate) memory: f64,
}

/// How a target looks to the load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetState {
    Initial,
    Healthy,
    Unhealthy,
    Draining,
}

impl Task {
    pub(crate) fn is_running(&self, now: i64) -> bool {
        now >= self.running && self.stopped.is_none()
    }

    /// As `DescribeTasks` calls it.
    pub(crate) fn last_status(&self, now: i64) -> &'static str {
        if self.stopped.is_some() {
            "STOPPED"
        } else if self.stopping.is_some_and(|(since, _)| now >= since) {
            "DEACTIVATING"
        } else if now >= self.running {
            "RUNNING"
        } else if now >= self.created + 8 {
            "PENDING"
        } else {
            "PROVISIONING"
        }
    }

    pub(crate) fn desired_status(&self, now: i64) -> &'static str {
        if self.stopped.is_some() || self.stopping.is_some_and(|(since, _)| now >= since) {
            "STOPPED"
        } else {
            "RUNNING"
        }
    }

    /// None while it is not registered.
    pub(crate) fn target(&self, now: i64) -> Option<TargetState> {
        if !self.is_running(now) {
            None
        } else if self.desired_status(now) == "STOPPED" {
            Some(TargetState::Draining)
        } else if self.ill.is_some_and(|since| now >= since + UNNOTICED) {
            Some(TargetState::Unhealthy)
        } else if now < self.healthy {
            Some(TargetState::Initial)
        } else {
            Some(TargetState::Healthy)
        }
    }
}

/// A deployment of the service.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) revision: u32,
    pub(super) error_rate: f64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) rollout: Rollout,
    pub(crate) failed_tasks: usize,
    pub(super) fails: Option<i64>,
}

/// State of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rollout {
    InProgress,
    Completed,
    Failed,
}

impl Rollout {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// Something the service tells about itself.
#[derive(Debug, Clone)]
pub(crate) struct ServiceEvent {
    pub(crate) id: String,
    pub(crate) at: i64,
    pub(crate) message: String,
}
