//! What a preview says will be done, and what of it is dangerous.
//!
//! Pure. A [`Danger`] goes above everything else, and asks for the stack's name before the plan may run.

use crate::domain::units::counted;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::event::{Diff, EngineStep, WeightedRecord};
use super::op::Operation;
use super::resource::{Resource, State, urn_name};
use super::stream::{Streams, stops_for};
use crate::domain::confirm::Challenge;

/// One planned change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The resource.
    pub urn: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// The resource above it.
    pub parent: Option<String>,
    /// What is done to it.
    pub op: Operation,
    /// Properties that change.
    pub diffs: Vec<Diff>,
    /// Properties that change beyond those kept.
    pub more_diffs: usize,
    /// For a weighted record.
    pub weighted: Option<WeightedRecord>,
    /// Whether a provider holds it.
    pub custom: bool,
    /// Whether Pulumi refuses to delete it.
    pub protect: bool,
    /// Whether a delete leaves it at the provider.
    pub retain: bool,
}

impl Planned {
    fn of(resource: &Resource) -> Self {
        Self {
            urn: resource.urn.to_string(),
            rtype: resource.rtype.to_string(),
            parent: resource.parent.as_deref().map(str::to_owned),
            op: resource.planned_op(),
            diffs: resource.diffs.clone(),
            more_diffs: resource.more_diffs,
            weighted: resource.weighted.clone(),
            custom: resource.custom,
            protect: resource.protect,
            retain: resource.retain,
        }
    }

    /// The resource's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        urn_name(&self.urn)
    }

    /// The planned change as a step that has not begun.
    #[must_use]
    pub fn as_step(&self) -> EngineStep {
        EngineStep {
            urn: self.urn.clone(),
            rtype: self.rtype.clone(),
            op: self.op,
            parent: self.parent.clone(),
            id: None,
            custom: self.custom,
            protect: self.protect,
            retain: self.retain,
            diffs: self.diffs.clone(),
            more_diffs: self.more_diffs,
            init_errors: Vec::new(),
            weighted: self.weighted.clone(),
            outputs: None,
        }
    }
}

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
    fn of(planned: &Planned) -> Option<Self> {
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
    const fn rank(&self) -> u8 {
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

/// What the operator is asked to let happen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Plan {
    /// Every change, in the engine's order.
    pub steps: Vec<Planned>,
    /// Changes by operation; the steps of a replacement are one replacement.
    pub changes: BTreeMap<Operation, u32>,
    /// Resources that stay as they are.
    pub unchanged: u32,
    /// What a refresh found changed behind Pulumi's back, as `updated NAME` or `deleted NAME`.
    pub drift: Vec<String>,
    /// What must be seen first, worst first.
    pub dangers: Vec<Danger>,
    /// Resources beyond those kept, which are counted here and listed in the run's file.
    pub hidden: u32,
    /// Why it may not be the whole plan, in words; none when it is.
    pub missing: Vec<String>,
    pub(super) whole: bool,
}

impl Plan {
    /// The dangers as a question tells them, worst first: what is deleted is told once for each kind of loss, with the
    /// names, so that the whole question fits on a screen.
    #[must_use]
    pub fn danger_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut told: Vec<Stateful> = Vec::new();
        for danger in &self.dangers {
            let Danger::Deletes { stateful, retained: false, .. } = danger else {
                lines.push(danger.to_string());
                continue;
            };
            let names: Vec<&str> = self
                .dangers
                .iter()
                .filter_map(|other| match other {
                    Danger::Deletes { stateful: kind, resource, retained: false, .. } if kind == stateful => {
                        Some(resource.as_str())
                    }
                    _ => None,
                })
                .collect();
            if names.len() == 1 {
                lines.push(danger.to_string());
            } else if !told.contains(stateful) {
                told.push(*stateful);
                lines.push(format!(
                    "deletes {}, {}: {}",
                    stateful.loss(),
                    counted(names.len(), "resource", "resources"),
                    names.join(", ")
                ));
            }
        }
        lines
    }

    /// The plan that these resources make, with those that were not kept, and why it may not be the whole one.
    pub(super) fn made_of<'a>(
        resources: impl IntoIterator<Item = &'a Resource>,
        hidden: u32,
        missing: Vec<String>,
    ) -> Self {
        let mut plan = Self { hidden, whole: missing.is_empty(), missing, ..Self::default() };
        for resource in resources {
            if let Some(drift) = resource.drift {
                plan.drift.push(format!("{} {}", drift.done(), resource.name()));
            }
            if !resource.op.is_change() {
                plan.unchanged += u32::from(resource.state == State::Done && resource.op == Operation::Same);
                continue;
            }
            *plan.changes.entry(resource.planned_op()).or_default() += 1;
            let planned = Planned::of(resource);
            plan.dangers.extend(Danger::of(&planned));
            plan.steps.push(planned);
        }
        plan.dangers.sort_by_key(Danger::rank);
        plan
    }

    /// Whether it is the whole plan of a preview that went well: its counts are the engine's own, and nothing of it was
    /// lost on the way. No other plan may run.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The same plan, taken for whole: for tests that make one by hand.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn made_whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// Resources that change.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.changes.values().sum::<u32>().saturating_add(self.hidden)
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// Whether it changes a weighted record.
    #[must_use]
    pub fn touches_weights(&self) -> bool {
        self.dangers.iter().any(|danger| matches!(danger, Danger::WeightedRecord { .. }))
    }

    /// What the operator has to do to let it run: type the stack's name when anything is dangerous, deleted or unseen.
    #[must_use]
    pub fn challenge(&self, stack: &str) -> Challenge {
        let deletes = self.changes.keys().any(|op| matches!(op, Operation::Delete | Operation::Replace));
        if self.dangers.is_empty() && !deletes && self.hidden == 0 {
            Challenge::Yes
        } else {
            Challenge::Typed(stack.to_owned())
        }
    }

    /// The changes in a line: `create 112, update 3`.
    #[must_use]
    pub fn text(&self) -> String {
        if self.is_empty() {
            return "no changes".to_owned();
        }
        let parts: Vec<String> = self.changes.iter().map(|(op, count)| format!("{op} {count}")).collect();
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pulumi::event::RECORD_TYPE;

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
    fn what_is_deleted_is_told_once_for_each_kind_of_loss_and_names_everything() {
        let deletes = |stateful, resource: &str| Danger::Deletes {
            stateful,
            rtype: "aws:t".into(),
            resource: resource.into(),
            retained: false,
        };
        let dangers = vec![
            deletes(Stateful::Database, "one"),
            deletes(Stateful::Secret, "alone"),
            deletes(Stateful::Database, "two"),
        ];
        let plan = Plan { dangers, ..Plan::default() };
        let lines = plan.danger_lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].starts_with("deletes the database") && lines[0].ends_with("2 resources: one, two"),
            "{lines:?}"
        );
        assert!(lines[1].starts_with("deletes alone"), "{lines:?}");
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

    #[test]
    fn only_a_harmless_plan_takes_a_plain_yes() {
        let plan = |op| Plan { changes: BTreeMap::from([(op, 1)]), ..Plan::default() }.made_whole();
        assert_eq!(plan(Operation::Create).challenge("prod"), Challenge::Yes);
        assert_eq!(plan(Operation::Delete).challenge("prod"), Challenge::Typed("prod".into()));
        let mut dangerous = plan(Operation::Update);
        dangerous.dangers.push(Danger::UnknownOperation { rtype: "t".into(), resource: "r".into() });
        assert_eq!(dangerous.challenge("prod"), Challenge::Typed("prod".into()));
        assert_eq!(Plan { hidden: 1, ..plan(Operation::Create) }.challenge("prod"), Challenge::Typed("prod".into()));
    }
}
