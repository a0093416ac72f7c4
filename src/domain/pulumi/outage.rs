//! What of a stack stands still while a planned change is made, and for how long.
//!
//! Pure. How long comes from AWS: an Aurora cluster serves again in less than 120 seconds after a failover or a restart,
//! often in less than 60, and a version upgrade takes the whole cluster down (AWS re:Post, "Why does downtime occur for my
//! Amazon Aurora DB clusters?"). What has a name of its own in AWS cannot stand beside its successor, so a replaced
//! listener, target group or service is gone before the new one serves.

use serde::Serialize;

use super::event::Diff;
use super::op::Operation;

/// What stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outage {
    /// The whole Aurora cluster restarts with another version.
    AuroraUpgrade,
    /// An instance of Aurora restarts; where it is the writer, another one takes over.
    AuroraInstance,
    /// The new stack answers nobody until what is replaced serves again.
    Serving,
    /// The new stack answers nobody any more.
    Gone,
    /// No task is left to answer.
    NoTask,
    /// Requests go another way, or are let in by another rule.
    Rerouted,
}

const CLUSTER: &str = "aws:rds/cluster:Cluster";
const INSTANCE: &str = "aws:rds/clusterInstance:ClusterInstance";
const SERVICE: &str = "aws:ecs/service:Service";
const ECS_CLUSTER: &str = "aws:ecs/cluster:Cluster";
/// What requests pass on their way through the new stack; without any one of them nobody is answered.
const SERVING: [&str; 9] = [
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:alb/loadBalancer:LoadBalancer",
    "aws:lb/listener:Listener",
    "aws:alb/listener:Listener",
    "aws:lb/listenerRule:ListenerRule",
    "aws:lb/targetGroup:TargetGroup",
    "aws:alb/targetGroup:TargetGroup",
    ECS_CLUSTER,
    SERVICE,
];

/// Properties of it that decide where requests go, and who is let in; a health check decides which tasks get any.
const ROUTES: [&str; 9] = [
    "defaultActions",
    "actions",
    "conditions",
    "port",
    "protocol",
    "mutualAuthentication",
    "securityGroups",
    "subnets",
    "healthCheck",
];

impl Outage {
    /// What a change of this resource stops, with the properties that make it so. `unseen` says that not every property
    /// that changes is known, `halts` that the resource is switched off.
    #[must_use]
    pub fn of(op: Operation, rtype: &str, diffs: &[Diff], unseen: bool, halts: bool) -> Option<(Self, Vec<String>)> {
        let root = |path: &str| path.split(['.', '[']).next().unwrap_or(path).to_owned();
        let (outage, names): (Self, &[&str]) = match (op, rtype) {
            (Operation::Update, CLUSTER) => (Self::AuroraUpgrade, &["engineVersion", "port"]),
            (Operation::Update, INSTANCE) => {
                (Self::AuroraInstance, &["instanceClass", "engineVersion", "caCertIdentifier"])
            }
            (Operation::Replace | Operation::ImportReplacement, rtype) if SERVING.contains(&rtype) => {
                let because = diffs.iter().filter(|diff| diff.replaces).map(|diff| diff.path.clone()).collect();
                return Some((Self::Serving, because));
            }
            (Operation::Delete, rtype) if SERVING.contains(&rtype) => {
                return Some((Self::Gone, Vec::new()));
            }
            (Operation::Update, SERVICE) if halts => return Some((Self::NoTask, vec!["desiredCount".to_owned()])),
            // A service rolls its tasks over, and goes back by itself where the new ones do not answer.
            (Operation::Update, SERVICE | ECS_CLUSTER) => return None,
            (Operation::Update, rtype) if SERVING.contains(&rtype) => (Self::Rerouted, &ROUTES),
            _ => return None,
        };
        let mut because: Vec<String> = diffs.iter().map(|diff| root(&diff.path)).collect();
        because.retain(|path| names.contains(&path.as_str()));
        because.dedup();
        (unseen || !because.is_empty()).then_some((outage, because))
    }

    /// What is done to what it is about.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::AuroraUpgrade | Self::AuroraInstance => "restarts",
            Self::Serving => "replaces",
            Self::Gone => "deletes",
            Self::NoTask => "stops",
            Self::Rerouted => "updates",
        }
    }

    /// What stops, and for how long.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::AuroraUpgrade => {
                "Aurora takes no connection while the whole cluster restarts, for how long is not known, at once or in the \
                 maintenance window, as applyImmediately says"
            }
            Self::AuroraInstance => {
                "that instance of Aurora restarts; where it is the writer, writes fail until a reader has taken over, less \
                 than 120 s and often less than 60"
            }
            Self::Serving => {
                "whoever is sent to the new stack is answered by nobody from when the old one goes until the new one is \
                 healthy, some minutes"
            }
            Self::Gone => "whoever is sent to the new stack is answered by nobody from then on",
            Self::NoTask => "no task is left, so whoever is sent to the new stack is answered by nobody from then on",
            Self::Rerouted => {
                "requests that are sent to the new stack pass it, and go another way or fail from then on where the new \
                 setting is wrong"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(op: Operation, rtype: &str, paths: &[&str]) -> Option<(Outage, Vec<String>)> {
        let diffs: Vec<Diff> = paths.iter().map(|path| Diff { path: (*path).to_owned(), replaces: true }).collect();
        Outage::of(op, rtype, &diffs, paths.is_empty(), false)
    }

    #[test]
    fn what_restarts_says_so_and_what_does_not_is_silent() {
        let upgrade = of(Operation::Update, CLUSTER, &["engineVersion", "tags.Owner"]);
        assert_eq!(upgrade, Some((Outage::AuroraUpgrade, vec!["engineVersion".to_owned()])));
        assert_eq!(of(Operation::Update, INSTANCE, &["instanceClass"]).unwrap().0, Outage::AuroraInstance);
        for (rtype, path) in [
            (CLUSTER, "backupRetentionPeriod"),
            (CLUSTER, "tags.Owner"),
            (INSTANCE, "performanceInsightsEnabled"),
            ("aws:ecs/service:Service", "taskDefinition"),
            ("aws:lb/listener:Listener", "certificateArn"),
        ] {
            assert_eq!(of(Operation::Update, rtype, &[path]), None, "{rtype} {path}");
        }
        assert!(of(Operation::Update, CLUSTER, &[]).is_some(), "what is not known is not harmless");
        for rtype in SERVING {
            assert_eq!(of(Operation::Replace, rtype, &["port"]), Some((Outage::Serving, vec!["port".to_owned()])));
            assert_eq!(of(Operation::Create, rtype, &["port"]), None);
            assert_eq!(of(Operation::Delete, rtype, &[]), Some((Outage::Gone, vec![])), "{rtype}");
            let is_rolled = [SERVICE, ECS_CLUSTER].contains(&rtype);
            let rerouted = (!is_rolled).then(|| (Outage::Rerouted, vec!["healthCheck".to_owned()]));
            assert_eq!(of(Operation::Update, rtype, &["healthCheck.path", "tags.Owner"]), rerouted, "{rtype}");
        }
        assert_eq!(of(Operation::Replace, "aws:ecs/taskDefinition:TaskDefinition", &["cpu"]), None, "every release");
    }
}
