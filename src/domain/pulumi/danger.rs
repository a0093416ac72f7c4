//! What of a plan is dangerous: what moves traffic, loses state or stops a stream.
//!
//! Pure. A [`Danger`] goes above everything else, and asks for the stack's name before the plan may run.

use std::fmt;

use serde::Serialize;

use super::event::WeightedRecord;
use super::op::Operation;
use super::planned::Planned;
use super::stream::{Streams, stops_for};

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

impl Stateful {
    /// What a resource type holds, if it holds anything that cannot be made again.
    #[must_use]
    pub fn of(rtype: &str) -> Option<Self> {
        // An imported certificate is a copy; a new one stands before the old one goes.
        if rtype.starts_with("aws:dms/certificate") {
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
                let because = stops_for(&planned.diffs);
                let unseen = planned.more_diffs > 0 || planned.diffs.is_empty();
                let streams = Streams::of(&rtype, &resource).filter(|_| unseen || !because.is_empty())?;
                Some(Self::StopsStream { streams, rtype, resource, because })
            }
            _ => None,
        }
    }

    /// The worst first: traffic moves at once, a deleted database is gone, a replaced one is empty.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::WeightedRecord { .. } => 0,
            Self::Deletes { retained: false, .. } => 1,
            Self::Replaces { .. } => 2,
            Self::StopsStream { .. } => 3,
            Self::UnknownOperation { .. } => 4,
            Self::Deletes { retained: true, .. } => 5,
        }
    }
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WeightedRecord { op, resource, record } => {
                write!(f, "{op}s the weighted record {} {}", record.name, record.rtype)?;
                if !record.set_identifier.is_empty() {
                    write!(f, " ({})", record.set_identifier)?;
                }
                match (record.old_weight, record.new_weight) {
                    (Some(old), Some(new)) if old != new => write!(f, ", weight {old} → {new}")?,
                    (Some(weight), Some(_)) => write!(f, ", weight stays {weight}")?,
                    (None, Some(new)) => write!(f, ", weight {new}")?,
                    (Some(old), None) => write!(f, ", weight {old} → none")?,
                    (None, None) => {}
                }
                write!(f, ": live traffic follows it (resource {resource})")
            }
            Self::Deletes { stateful, rtype, resource, retained: false } => {
                write!(f, "deletes {resource} ({rtype}): {}", stateful.loss())
            }
            Self::Deletes { rtype, resource, .. } => {
                write!(f, "lets go of {resource} ({rtype}): it stays in AWS, and nobody looks after it any more")
            }
            Self::Replaces { stateful, rtype, resource, because } => {
                write!(f, "replaces {resource} ({rtype})")?;
                if !because.is_empty() {
                    write!(f, " because of {}", because.join(", "))?;
                }
                write!(f, ": a new one is made and the old one deleted, {}", stateful.loss())?;
                Streams::of(rtype, resource).map_or(Ok(()), |streams| write!(f, "; {}", streams.start_over()))
            }
            Self::StopsStream { streams, rtype, resource, because } => {
                write!(f, "stops {streams} while {resource} ({rtype}) is modified")?;
                if !because.is_empty() {
                    write!(f, ", because of {}", because.join(", "))?;
                }
                write!(f, ": {}: aws dms {}", super::stream::afterwards(rtype), streams.resume())
            }
            Self::UnknownOperation { rtype, resource } => {
                write!(f, "does something to {resource} ({rtype}) that this version has no name for")
            }
        }
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
            let update = Danger::of(&planned(rtype, Operation::Update));
            assert_eq!(update.is_some(), stateful == Stateful::Replication, "{update:?}");
        }
        assert_eq!(Danger::of(&planned("aws:dms/certificate:Certificate", Operation::Replace)), None);
        assert_eq!(Danger::of(&planned("aws:ecs/service:Service", Operation::Replace)), None);
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
        assert!(forward.starts_with("stops the forward stream (legacy to Aurora) while migration-dms-task-prod"));
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
        assert!(text.contains("updates the weighted record app.example.com A (new), weight 70 → 0"), "{text}");
        record.op = Operation::Import;
        assert_eq!(Danger::of(&record), None);
        record.op = Operation::Update;
        record.weighted = None;
        assert_eq!(Danger::of(&record), None);
    }
}
