//! What is known of the machines that answer requests: the ECS service and its targets, the legacy fleet, alarms.
//!
//! Pure.

use serde::{Deserialize, Serialize};

use super::traffic::Side;
use super::units::Timestamp;

/// One deployment of the ECS service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// `COMPLETED`, `IN_PROGRESS` or `FAILED`.
    pub rollout: String,
    /// ECS's reason for the rollout state.
    pub reason: String,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks running.
    pub running: u32,
    /// Tasks being started.
    pub pending: u32,
    /// Tasks that failed to start.
    pub failed: u32,
    /// Task definition, family and revision.
    pub task_definition: String,
    /// When it was created.
    pub created: Option<Timestamp>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Short id, the last part of the ARN.
    pub id: String,
    /// Its address in the network, by which its balancer knows it.
    pub address: Option<String>,
    /// Availability zone.
    pub zone: String,
    /// `PROVISIONING`, `PENDING`, `RUNNING`, `STOPPED` …
    pub status: String,
    /// `HEALTHY`, `UNHEALTHY` or `UNKNOWN`.
    pub health: String,
    /// When it started running.
    pub started: Option<Timestamp>,
}

/// The ECS service (ECS API, `DescribeServices` and `DescribeTasks`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Service name.
    pub name: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks running.
    pub running: u32,
    /// Tasks being started.
    pub pending: u32,
    /// Deployments, the primary first.
    pub deployments: Vec<Deployment>,
    /// Newest service events, newest first: instant and ECS's sentence. At most 20.
    pub events: Vec<(Timestamp, String)>,
    /// Tasks, at most 100.
    pub tasks: Vec<Task>,
}

impl Service {
    /// The deployment that the service is to end up with.
    #[must_use]
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|d| d.status == "PRIMARY")
    }

    /// The rollout state of the primary deployment; nothing where ECS gives none.
    #[must_use]
    pub fn rollout(&self) -> Option<&str> {
        self.primary().map(|d| d.rollout.as_str()).filter(|word| !word.is_empty())
    }
}

/// Health of one host behind a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Address or instance id.
    pub id: String,
    /// Availability zone, when the balancer tells it.
    pub zone: Option<String>,
    /// The balancer's word: `healthy`, `unhealthy`, `initial`, `draining`, `unused`; for Classic ELB `InService`, `OutOfService`.
    pub state: String,
    /// The balancer's reason.
    pub reason: Option<String>,
}

impl Host {
    /// Whether requests are sent to it.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        matches!(self.state.as_str(), "healthy" | "InService")
    }

    /// Whether it should answer and does not; a host that is being registered or drained is neither healthy nor unhealthy.
    #[must_use]
    pub fn is_unhealthy(&self) -> bool {
        !self.is_healthy() && !matches!(self.state.as_str(), "initial" | "draining" | "unused")
    }
}

/// The hosts behind one load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Hosts {
    /// Every registered host.
    pub hosts: Vec<Host>,
}

impl Hosts {
    /// Hosts that take requests.
    #[must_use]
    pub fn healthy(&self) -> usize {
        self.hosts.iter().filter(|h| h.is_healthy()).count()
    }

    /// Hosts that should and do not.
    #[must_use]
    pub fn unhealthy(&self) -> usize {
        self.hosts.iter().filter(|h| h.is_unhealthy()).count()
    }
}

/// A task beside the target that its balancer knows by the same address; one of them may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served<'a> {
    /// The task.
    pub task: Option<&'a Task>,
    /// The target.
    pub target: Option<&'a Host>,
}

/// Every task with its target, and after them the targets that no task is known for.
#[must_use]
pub fn served<'a>(tasks: &'a [Task], targets: &'a [Host]) -> Vec<Served<'a>> {
    let address = |host: &Host| host.id.rsplit_once(':').map_or(host.id.clone(), |(address, _)| address.to_owned());
    let of = |task: &Task| targets.iter().find(|host| task.address.as_ref().is_some_and(|own| *own == address(host)));
    let mut rows: Vec<Served<'a>> = tasks.iter().map(|task| Served { task: Some(task), target: of(task) }).collect();
    let alone = targets.iter().filter(|host| !rows.iter().any(|row| row.target == Some(host)));
    let alone: Vec<Served<'a>> = alone.map(|host| Served { task: None, target: Some(host) }).collect();
    rows.extend(alone);
    rows
}

/// State of a CloudWatch alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmState {
    /// Within its threshold.
    #[serde(rename = "OK")]
    Ok,
    /// Past its threshold.
    #[serde(rename = "ALARM")]
    Alarm,
    /// CloudWatch cannot tell.
    #[serde(rename = "INSUFFICIENT_DATA")]
    InsufficientData,
}

impl AlarmState {
    /// CloudWatch's own word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// One alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// Name.
    pub name: String,
    /// The side whose region it lives in.
    pub side: Side,
    /// State.
    pub state: AlarmState,
    /// When it came into that state.
    pub since: Option<Timestamp>,
    /// CloudWatch's reason.
    pub reason: String,
    /// Why nobody hears of it: its actions are disabled or suppressed.
    pub silenced: Option<String>,
    /// CloudWatch's word when it did not evaluate all of the alarm's data: `PARTIAL_DATA`, `EVALUATION_FAILURE` …
    pub evaluation: Option<String>,
}

/// Who is asking (STS `GetCallerIdentity`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
}

impl Identity {
    /// `role/session` or `user`, short for a header.
    #[must_use]
    pub fn short(&self) -> &str {
        let tail = self.arn.rsplit(':').next().unwrap_or(&self.arn);
        tail.split_once('/').map_or(tail, |(_, rest)| rest)
    }
}

/// Which database takes the application's writes, as the stack was told (`databaseWriter` output).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Writer {
    /// The RDS MySQL instance in the legacy region.
    Legacy,
    /// The Aurora cluster.
    Aurora,
}

#[cfg(test)]
mod tests {
    use super::fixtures::{hosts, service};
    use super::*;

    #[test]
    fn a_task_stands_beside_its_target_and_who_has_none_alone() {
        let (service, mut targets) = (service(3), hosts(&["healthy", "draining", "initial"]));
        targets.hosts[0].id = "10.0.0.0:8080".into();
        targets.hosts[2].id = "10.0.0.9:8080".into();
        let rows: Vec<_> = served(&service.tasks, &targets.hosts)
            .iter()
            .map(|row| (row.task.map(|task| task.id.as_str()), row.target.map(|host| host.state.as_str())))
            .collect();
        let wanted = [
            (Some("0c9e1f20"), Some("healthy")),
            (Some("0c9e1f21"), Some("draining")),
            (Some("0c9e1f22"), None),
            (None, Some("initial")),
        ];
        assert_eq!(rows, wanted);
    }
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! A service, hosts and an alarm at rest.

    use super::{Alarm, AlarmState, Deployment, Host, Hosts, Service, Task};
    use crate::domain::traffic::Side;

    /// A service that runs what it wants.
    pub(crate) fn service(count: u32) -> Service {
        let deployment = Deployment {
            status: "PRIMARY".into(),
            rollout: "COMPLETED".into(),
            reason: String::new(),
            desired: count,
            running: count,
            pending: 0,
            failed: 0,
            task_definition: "app:7".into(),
            created: None,
        };
        let task = |n| Task {
            id: format!("0c9e1f2{n}"),
            address: Some(format!("10.0.0.{n}")),
            zone: "us-west-2a".into(),
            status: "RUNNING".into(),
            health: "HEALTHY".into(),
            started: None,
        };
        Service {
            name: "migration-service-prod".into(),
            status: "ACTIVE".into(),
            desired: count,
            running: count,
            pending: 0,
            deployments: vec![deployment],
            events: vec![],
            tasks: (0..count).map(task).collect(),
        }
    }

    /// Hosts in these states.
    pub(crate) fn hosts(states: &[&str]) -> Hosts {
        let host = |(n, state): (usize, &&str)| Host {
            id: format!("10.0.0.{n}"),
            zone: None,
            state: (*state).into(),
            reason: None,
        };
        Hosts { hosts: states.iter().enumerate().map(host).collect() }
    }

    /// An alarm in this state whose actions are enabled.
    pub(crate) fn alarm(side: Side, state: AlarmState) -> Alarm {
        Alarm {
            name: format!("lag-{}", side.name()),
            side,
            state,
            since: None,
            reason: "Threshold Crossed".into(),
            silenced: None,
            evaluation: None,
        }
    }
}
