//! Which parts of the new stack exist, and since when: what a Pulumi run has made so far.
//!
//! A part exists when the bundled program's resource of that kind is in the list that a run reports. What follows from it, tasks
//! that start or a full load that begins, is the world's business.

use std::collections::BTreeMap;

use super::alarms;

/// Days for which a stack has stood that stands at the start.
const AGE: i64 = 3 * 86_400;
/// Seconds by which its replication instance is older than what runs on it.
const INSTANCE_FIRST: i64 = 900;

/// A part of the new stack that services tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    LegacyRecord,
    NewRecord,
    Balancer,
    TargetGroup,
    Cluster,
    Service,
    Database,
    Secret,
    Instance,
    Endpoints,
    Task,
    ReverseTask,
    /// An alarm, by its name.
    Alarm(&'static str),
}

/// Each part, the type and the name of the resource that makes it. Components bear the names of what they hold, so the type counts.
const PARTS: [(Part, &str, &str); 12] = [
    (Part::LegacyRecord, "aws:route53/record:Record", "migration-legacy-prod"),
    (Part::NewRecord, "aws:route53/record:Record", "migration-new-prod"),
    (Part::Balancer, "aws:lb/loadBalancer:LoadBalancer", "migration-alb-prod"),
    (Part::TargetGroup, "aws:lb/targetGroup:TargetGroup", "migration-tg-prod"),
    (Part::Cluster, "aws:ecs/cluster:Cluster", "migration-cluster-prod"),
    (Part::Service, "aws:ecs/service:Service", "migration-service-prod"),
    (Part::Database, "aws:rds/clusterInstance:ClusterInstance", "migration-aurora-instance-1-prod"),
    (Part::Secret, "aws:secretsmanager/secret:Secret", "migration-db-secret-prod"),
    (Part::Instance, "aws:dms/replicationInstance:ReplicationInstance", "migration-dms-prod"),
    (Part::Endpoints, "aws:dms/endpoint:Endpoint", "migration-dms-aurora-target-prod"),
    (Part::Task, "aws:dms/replicationTask:ReplicationTask", "migration-dms-task-prod"),
    (Part::ReverseTask, "aws:dms/replicationTask:ReplicationTask", "migration-dms-reverse-task-prod"),
];

/// What makes an alarm.
const ALARM: &str = "aws:cloudwatch/metricAlarm:MetricAlarm";

/// All parts, the alarms that the program makes among them.
fn parts() -> impl Iterator<Item = (Part, &'static str, &'static str)> {
    PARTS.into_iter().chain(alarms::names().map(|name| (Part::Alarm(name), ALARM, name)))
}

impl Part {
    /// As `/_sim/state` calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::LegacyRecord => "legacy-record",
            Self::NewRecord => "new-record",
            Self::Balancer => "balancer",
            Self::TargetGroup => "target-group",
            Self::Cluster => "cluster",
            Self::Service => "service",
            Self::Database => "database",
            Self::Secret => "secret",
            Self::Instance => "replication-instance",
            Self::Endpoints => "endpoints",
            Self::Task => "replication-task",
            Self::ReverseTask => "reverse-task",
            Self::Alarm(name) => name,
        }
    }
}

/// Whether a resource, by its URN or by its name alone, makes a part.
fn makes(resource: &str, kind: &str, name: &str) -> bool {
    resource == name
        || resource
            .strip_suffix(name)
            .is_some_and(|rest| rest.strip_suffix("::").is_some_and(|rest| rest.ends_with(kind)))
}

/// What there is of the new stack.
#[derive(Debug)]
pub(crate) struct Stack {
    since: BTreeMap<Part, i64>,
}

/// What a report changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) came: Vec<Part>,
    pub(crate) went: Vec<Part>,
}

impl Stack {
    /// A stack that has stood for some days.
    pub(crate) fn standing(start: i64) -> Self {
        let since = |part| start - AGE - if part == Part::Instance { INSTANCE_FIRST } else { 0 };
        Self { since: parts().map(|(part, ..)| (part, since(part))).collect() }
    }

    /// A stack of which nothing exists.
    pub(crate) const fn nothing() -> Self {
        Self { since: BTreeMap::new() }
    }

    pub(crate) fn has(&self, part: Part) -> bool {
        self.since.contains_key(&part)
    }

    /// The second at which it came to be; 0 for what does not exist.
    pub(crate) fn since(&self, part: Part) -> i64 {
        self.since.get(&part).copied().unwrap_or(0)
    }

    /// Everything that exists.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part> {
        self.since.keys().copied()
    }

    /// What would come and go if these were all resources of the stack.
    pub(crate) fn compare(&self, resources: &[String]) -> Changes {
        let wanted = |kind: &str, name: &str| resources.iter().any(|resource| makes(resource, kind, name));
        let mut changes = Changes { came: Vec::new(), went: Vec::new() };
        for (part, kind, name) in parts() {
            match (self.has(part), wanted(kind, name)) {
                (false, true) => changes.came.push(part),
                (true, false) => changes.went.push(part),
                _ => {}
            }
        }
        changes
    }

    /// Takes over what came and went.
    pub(crate) fn take(&mut self, changes: &Changes, now: i64) {
        self.since.retain(|part, _| !changes.went.contains(part));
        self.since.extend(changes.came.iter().map(|part| (*part, now)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_does_not_stand_for_what_it_is_to_hold() {
        let stack = Stack::nothing();
        let component = "urn:pulumi:prod::tap::tap:stack:TapStack$tap:service:Service::migration-service-prod";
        assert_eq!(stack.compare(&[component.to_owned()]).came, []);
        let service = format!("{component}$aws:ecs/service:Service::migration-service-prod");
        assert_eq!(stack.compare(&[service]).came, [Part::Service]);
        assert_eq!(stack.compare(&["migration-dms-task-prod".to_owned()]).came, [Part::Task]);
    }

    #[test]
    fn parts_come_and_go_with_the_list() {
        let mut stack = Stack::nothing();
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let came = stack.compare(&list(&["migration-alb-prod", "migration-tg-prod", "migration-vpc-prod"]));
        stack.take(&came, 70);
        assert_eq!(stack.parts().collect::<Vec<_>>(), [Part::Balancer, Part::TargetGroup]);
        assert_eq!((stack.since(Part::Balancer), stack.since(Part::Task)), (70, 0));
        let went = stack.compare(&list(&["migration-tg-prod"]));
        assert_eq!(went, Changes { came: vec![], went: vec![Part::Balancer] });
        stack.take(&went, 80);
        assert!(!stack.has(Part::Balancer) && stack.since(Part::TargetGroup) == 70);
    }

    #[test]
    fn what_stands_has_stood_for_days() {
        let stack = Stack::standing(1_000_000);
        assert_eq!(stack.parts().count(), parts().count());
        assert!(stack.parts().all(|part| stack.since(part) <= 1_000_000 - AGE));
        assert_eq!(stack.compare(&[]).went.len(), parts().count());
    }
}
