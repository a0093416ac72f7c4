//! What of a plan is dangerous: what moves traffic, loses state or stops a stream.
//!
//! Pure. A [`Danger`] goes above everything else, and asks for the stack's name before the plan may run.

pub mod text;

use std::fmt;

use serde::Serialize;

use super::event::WeightedRecord;
use super::op::Operation;
use super::outage::Outage;
use super::planned::Planned;
use super::stream::{RUN_STATE, Streams, stops_for};

/// What would be lost with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stateful {
    /// RDS and Aurora: the data itself.
    Database,
    /// DMS: the replication and its checkpoint.
    Replication,
    /// Secrets Manager: credentials that both stacks may use.
    Secret,
}

/// Settings beside a database or a stream, which can be made again from the program at any time. An imported certificate
/// is a copy, and a new one stands before the old one goes.
const HOLD_NOTHING: [&str; 9] = [
    "aws:dms/certificate:",
    "aws:dms/eventSubscription:",
    "aws:dms/replicationSubnetGroup:",
    "aws:rds/clusterParameterGroup:",
    "aws:rds/eventSubscription:",
    "aws:rds/optionGroup:",
    "aws:rds/parameterGroup:",
    "aws:rds/subnetGroup:",
    "aws:secretsmanager/secretPolicy:",
];

impl Stateful {
    /// What a resource type holds, if it holds anything that cannot be made again.
    #[must_use]
    pub fn of(rtype: &str) -> Option<Self> {
        if HOLD_NOTHING.iter().any(|harmless| rtype.starts_with(harmless)) {
            return None;
        }
        [("aws:rds/", Self::Database), ("aws:dms/", Self::Replication), ("aws:secretsmanager/", Self::Secret)]
            .into_iter()
            .find_map(|(prefix, stateful)| rtype.starts_with(prefix).then_some(stateful))
    }

    /// What is lost, in words.
    #[must_use]
    pub const fn loss(self) -> &'static str {
        match self {
            Self::Database => "the database, with its data unless a snapshot is kept",
            Self::Replication => "the replication, with its checkpoint: it has to start over",
            Self::Secret => "the secret, with the credentials that the stacks use",
        }
    }
}

/// Something in a plan that must be seen before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "danger", rename_all = "kebab-case")]
pub enum Danger {
    /// The plan changes a record whose weight is the traffic share.
    WeightedRecord {
        /// What is done to it.
        op: Operation,
        /// The resource's name in the program.
        resource: String,
        /// The record and its weights.
        record: WeightedRecord,
    },
    /// The plan deletes something that holds state.
    Deletes {
        /// What kind.
        stateful: Stateful,
        /// Its type.
        #[serde(rename = "type")]
        rtype: String,
        /// The resource's name in the program.
        resource: String,
        /// Whether it stays at the provider all the same.
        retained: bool,
    },
    /// The plan replaces something that holds state: deletes it and makes an empty one.
    Replaces {
        /// What kind.
        stateful: Stateful,
        /// Its type.
        #[serde(rename = "type")]
        rtype: String,
        /// The resource's name in the program.
        resource: String,
        /// The properties that make it necessary.
        because: Vec<String>,
    },
    /// The plan modifies something under a replication stream, which stops for it and has to come back.
    StopsStream {
        /// Which streams.
        streams: Streams,
        /// Its type.
        #[serde(rename = "type")]
        rtype: String,
        /// The resource's name in the program.
        resource: String,
        /// The properties that make it necessary.
        because: Vec<String>,
    },
    /// The plan stops something of the new stack for a while.
    Stops {
        /// What stands still.
        outage: Outage,
        /// Its type.
        #[serde(rename = "type")]
        rtype: String,
        /// The resource's name in the program.
        resource: String,
        /// The properties that make it necessary.
        because: Vec<String>,
    },
    /// The plan does something that this version has no name for.
    UnknownOperation {
        /// Its type.
        #[serde(rename = "type")]
        rtype: String,
        /// The resource's name in the program.
        resource: String,
    },
}

impl Danger {
    pub(super) fn of(planned: &Planned) -> Option<Self> {
        let (rtype, resource) = (planned.rtype.clone(), planned.name().to_owned());
        if let Some(record) = planned.weighted.clone().filter(|_| planned.op.touches_cloud()) {
            return Some(Self::WeightedRecord { op: planned.op, resource, record });
        }
        match (planned.op, Stateful::of(&rtype)) {
            (Operation::Other, _) => Some(Self::UnknownOperation { rtype, resource }),
            (Operation::Delete | Operation::Discard, Some(stateful)) => {
                Some(Self::Deletes { stateful, rtype, resource, retained: planned.retain })
            }
            (Operation::Replace | Operation::ImportReplacement | Operation::ReadReplacement, Some(stateful)) => {
                let because = planned.diffs.iter().filter(|d| d.replaces).map(|d| d.path.clone()).collect();
                Some(Self::Replaces { stateful, rtype, resource, because })
            }
            (Operation::Update, Some(Stateful::Replication)) => {
                let because = stops_for(&planned.diffs, planned.halts);
                let unseen = planned.more_diffs > 0 || planned.diffs.is_empty();
                let streams = Streams::of(&rtype, &resource).filter(|_| unseen || !because.is_empty())?;
                Some(Self::StopsStream { streams, rtype, resource, because })
            }
            (op, _) => {
                let unseen = planned.more_diffs > 0 || planned.diffs.is_empty();
                if planned.retain && op == Operation::Delete {
                    return None;
                }
                let (outage, because) = Outage::of(op, &rtype, &planned.diffs, unseen, planned.halts)?;
                Some(Self::Stops { outage, rtype, resource, because })
            }
        }
    }

    /// Whether nobody misses it where nothing runs that needs a way.
    pub(super) const fn is_of_a_way(&self) -> bool {
        matches!(self, Self::Stops { outage, .. } if outage.is_of_a_way())
    }

    /// Whether it says what this step does to a way.
    pub(super) fn is_about(&self, step: &Planned) -> bool {
        matches!(self, Self::Stops { rtype, resource, .. } if *rtype == step.rtype && resource == step.name())
    }

    /// The worst first: traffic moves at once, a deleted database is gone, a replaced one is empty.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::WeightedRecord { .. } => 0,
            Self::Deletes { retained: false, .. } => 1,
            Self::Replaces { .. } => 2,
            Self::Stops { .. } => 3,
            Self::StopsStream { .. } => 4,
            Self::UnknownOperation { .. } => 5,
            Self::Deletes { retained: true, .. } => 6,
        }
    }
}

impl Danger {
    /// Which resource it is about.
    #[must_use]
    pub fn resource(&self) -> &str {
        match self {
            Self::WeightedRecord { resource, .. }
            | Self::Deletes { resource, .. }
            | Self::Replaces { resource, .. }
            | Self::StopsStream { resource, .. }
            | Self::Stops { resource, .. }
            | Self::UnknownOperation { resource, .. } => resource,
        }
    }

    /// Whether the same sentence tells both: the same thing happens to both resources, with the same consequence.
    #[must_use]
    pub(super) fn is_told_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::WeightedRecord { op, record, .. }, Self::WeightedRecord { op: o, record: r, .. }) => {
                (op, &record.name) == (o, &r.name)
            }
            (Self::Deletes { stateful, retained, .. }, Self::Deletes { stateful: s, retained: r, .. }) => {
                retained == r && (*retained || stateful == s)
            }
            (Self::Replaces { stateful, .. }, Self::Replaces { stateful: s, .. }) => stateful == s,
            (Self::StopsStream { streams, rtype, .. }, Self::StopsStream { streams: s, rtype: r, .. }) => {
                let ends = |rtype: &str, danger: &Self| super::stream::afterwards(rtype, danger.stays_stopped());
                streams == s && ends(rtype, self) == ends(r, other)
            }
            (Self::Stops { outage, .. }, Self::Stops { outage: o, .. }) => outage == o,
            (Self::UnknownOperation { .. }, Self::UnknownOperation { .. }) => true,
            _ => false,
        }
    }

    /// Whether a stream that is stopped is declared as one that does not run.
    pub(super) fn stays_stopped(&self) -> bool {
        matches!(self, Self::StopsStream { because, .. } if because.iter().any(|path| path == RUN_STATE))
    }

    /// The properties that make it necessary.
    #[must_use]
    pub(super) fn because(&self) -> &[String] {
        match self {
            Self::Replaces { because, .. } | Self::StopsStream { because, .. } | Self::Stops { because, .. } => because,
            Self::WeightedRecord { .. } | Self::Deletes { .. } | Self::UnknownOperation { .. } => &[],
        }
    }
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::sentence(&[self]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pulumi::event::{Diff, RECORD_TYPE};

    fn planned(rtype: &str, op: Operation) -> Planned {
        Planned {
            urn: format!("urn:pulumi:prod::tap::{rtype}::thing"),
            rtype: rtype.to_owned(),
            parent: None,
            op,
            diffs: vec![Diff { path: "engine".into(), replaces: true }, Diff { path: "tags".into(), replaces: false }],
            more_diffs: 0,
            weighted: None,
            halts: false,
            custom: true,
            protect: false,
            retain: false,
        }
    }

    #[test]
    fn deleting_or_replacing_what_holds_state_is_a_danger() {
        for (rtype, stateful) in [
            ("aws:rds/cluster:Cluster", Stateful::Database),
            ("aws:dms/replicationTask:ReplicationTask", Stateful::Replication),
            ("aws:secretsmanager/secret:Secret", Stateful::Secret),
        ] {
            let found = Danger::of(&planned(rtype, Operation::Replace));
            let Some(Danger::Replaces { stateful: s, because, .. }) = found else { panic!("{found:?}") };
            assert_eq!((s, because), (stateful, vec!["engine".to_owned()]));
            assert!(matches!(Danger::of(&planned(rtype, Operation::Delete)), Some(Danger::Deletes { .. })));
            for harmless in [Operation::Create, Operation::Import] {
                assert_eq!(Danger::of(&planned(rtype, harmless)), None);
            }
            let mut tagged = planned(rtype, Operation::Update);
            tagged.diffs = vec![Diff { path: "tags.Owner".into(), replaces: false }];
            assert_eq!(Danger::of(&tagged), None, "tags stop nothing");
        }
        let listener = |op, retain| {
            let mut listener = planned("aws:lb/listener:Listener", op);
            listener.retain = retain;
            Danger::of(&listener).map(|danger| danger.to_string())
        };
        let gone = listener(Operation::Delete, false).unwrap();
        assert!(
            gone.starts_with("deletes thing (aws:lb/listener:Listener): ") && gone.contains("from then on"),
            "{gone}"
        );
        assert_eq!(listener(Operation::Delete, true), None, "it stays in AWS");
        let mut idle = planned("aws:ecs/service:Service", Operation::Update);
        idle.diffs = vec![Diff { path: "desiredCount".into(), replaces: false }];
        assert_eq!(Danger::of(&idle), None, "another number of tasks");
        idle.halts = true;
        let idle = Danger::of(&idle).unwrap().to_string();
        assert!(
            idle.starts_with("stops thing (aws:ecs/service:Service) because of desiredCount: no task is left"),
            "{idle}"
        );
        for harmless in HOLD_NOTHING {
            for op in [Operation::Replace, Operation::Delete, Operation::Update] {
                assert_eq!(Danger::of(&planned(&format!("{harmless}X"), op)), None, "{harmless}");
            }
        }
        let service = Danger::of(&planned("aws:ecs/service:Service", Operation::Replace)).unwrap().to_string();
        assert!(service.starts_with("replaces thing (aws:ecs/service:Service) because of engine"), "{service}");
        assert!(service.contains("answered by nobody") && service.contains("some minutes"), "{service}");
    }

    #[test]
    fn a_change_under_a_stream_says_which_one_stops_and_how_it_comes_back() {
        let task = |name: &str, op, paths: &[&str]| {
            let mut task = planned("aws:dms/replicationTask:ReplicationTask", op);
            task.urn = format!("urn:pulumi:prod::tap::{}::{name}", task.rtype);
            task.diffs = paths.iter().map(|path| Diff { path: (*path).to_owned(), replaces: false }).collect();
            Danger::of(&task).map(|danger| danger.to_string())
        };
        let forward = task("migration-dms-task-prod", Operation::Update, &["tableMappings", "tags.Owner"]).unwrap();
        let begins =
            "stops the forward stream (legacy to Aurora), for how long is not known, while migration-dms-task-prod";
        assert!(forward.starts_with(begins), "{forward}");
        assert!(forward.contains("because of tableMappings:") && forward.contains("from its checkpoint"), "{forward}");
        assert!(
            forward.ends_with("aws dms start-replication-task with resume-processing (output dmsTaskArn)"),
            "{forward}"
        );
        let back = task("migration-dms-reverse-task-prod", Operation::Update, &["replicationTaskSettings"]).unwrap();
        assert!(
            back.contains("the way back") && back.ends_with("resume-processing (output dmsReverseTaskArn)"),
            "{back}"
        );
        assert_eq!(task("migration-dms-task-prod", Operation::Update, &["tags.Owner", "startReplicationTask"]), None);
        let mut halted = planned("aws:dms/replicationTask:ReplicationTask", Operation::Update);
        halted.urn = format!("urn:pulumi:prod::tap::{}::migration-dms-reverse-task-prod", halted.rtype);
        halted.diffs = vec![Diff { path: "startReplicationTask".into(), replaces: false }];
        halted.halts = true;
        let halted = Danger::of(&halted).unwrap().to_string();
        assert!(halted.starts_with("stops the way back (Aurora to legacy), until somebody resumes it"), "{halted}");
        assert!(
            halted.contains("because of startReplicationTask: it is declared as one that does not run"),
            "{halted}"
        );
        let unseen = task("migration-dms-task-prod", Operation::Update, &[]).unwrap();
        assert!(unseen.starts_with("stops the forward stream"), "what is not known is not harmless: {unseen}");
        let new = task("migration-dms-task-prod", Operation::Replace, &["sourceEndpointArn"]).unwrap();
        assert!(new.ends_with("a new task loads every table again"), "{new}");
        let mut endpoint = planned("aws:dms/endpoint:Endpoint", Operation::Update);
        endpoint.urn = format!("urn:pulumi:prod::tap::{}::migration-dms-legacy-source-prod", endpoint.rtype);
        let endpoint = Danger::of(&endpoint).unwrap().to_string();
        assert!(endpoint.contains("normally stays stopped"), "it is not promised to come back: {endpoint}");
        assert!(endpoint.ends_with("resume-processing (output dmsTaskArn)"), "{endpoint}");
        let instance = Danger::of(&planned("aws:dms/replicationInstance:ReplicationInstance", Operation::Update));
        assert!(instance.unwrap().to_string().contains("stops both replication streams"));
    }

    #[test]
    fn a_weighted_record_is_a_danger_unless_only_the_state_changes() {
        let mut record = planned(RECORD_TYPE, Operation::Update);
        record.weighted = Some(WeightedRecord {
            name: "app.example.com".into(),
            rtype: "A".into(),
            set_identifier: "new".into(),
            old_weight: Some(70),
            new_weight: Some(0),
        });
        let text = Danger::of(&record).unwrap().to_string();
        assert!(text.starts_with("updates the weighted record app.example.com: A (new), weight 70 → 0"), "{text}");
        record.op = Operation::Import;
        assert_eq!(Danger::of(&record), None);
        record.op = Operation::Update;
        record.weighted = None;
        assert_eq!(Danger::of(&record), None);
    }
}
