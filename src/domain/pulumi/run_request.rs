//! What the operator is asked to confirm: a run that changes something, or the end of one by force.
//!
//! Pure. A run that changes something only starts with a `Confirmed<RunRequest>`.

use serde::Serialize;

use super::danger::Danger;
use super::fold::RunState;
use super::guard::{BlockedReason, RunKind, RunPreconditions, check_preconditions};
use super::op::Operation;
use super::pending::Pending;
use super::plan::Plan;
use super::used::Used;
use crate::domain::confirm::Challenge;
use crate::domain::zone::NameState;

/// The word that has to be typed to end a run by force.
pub const TERMINATE: &str = "terminate";
/// Resources that are named in the warning about orphans; the rest is counted.
const NAMED_ORPHANS: usize = 20;

/// What nobody has read of a run that is to start without a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Unread {
    /// An operation that an earlier run left open, in words: what it began may be made again.
    OpenOperation(String),
    /// What the plan moves, deletes or replaces.
    Danger(Box<Danger>),
}

/// A run that changes something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRequest {
    kind: RunKind,
    stack: String,
    preview: Option<String>,
    plan: Plan,
    open: Vec<String>,
    #[serde(skip)]
    used: Option<Used>,
}

impl RunRequest {
    /// Does what the plan of the preview run `preview` says.
    ///
    /// # Errors
    /// [`BlockedReason::IncompletePlan`] when it may not be the whole plan, [`BlockedReason::NothingToDo`] when it found no change.
    pub fn up(stack: &str, preview: &str, plan: Plan) -> Result<Self, BlockedReason> {
        if !plan.is_whole() {
            return Err(BlockedReason::incomplete(&plan));
        }
        if plan.is_empty() {
            return Err(BlockedReason::NothingToDo);
        }
        Ok(Self {
            kind: RunKind::Up,
            stack: stack.to_owned(),
            preview: Some(preview.to_owned()),
            plan,
            open: Vec::new(),
            used: None,
        })
    }

    /// Deletes what the preview run `preview` found.
    ///
    /// # Errors
    /// As [`RunRequest::up`].
    pub fn destroy(stack: &str, preview: &str, plan: Plan) -> Result<Self, BlockedReason> {
        Ok(Self { kind: RunKind::Destroy, ..Self::up(stack, preview, plan)? })
    }

    /// Reads how everything stands into Pulumi's state; changes nothing in AWS.
    #[must_use]
    pub fn refresh(stack: &str) -> Self {
        let plan = Plan::default();
        Self { kind: RunKind::Refresh, stack: stack.to_owned(), preview: None, plan, open: Vec::new(), used: None }
    }

    /// The same run beside operations that an earlier one left open: what they began may exist without Pulumi knowing, and
    /// be made a second time.
    #[must_use]
    pub fn beside(self, open: &[Pending]) -> Self {
        let open = open.iter().take(NAMED_ORPHANS).map(Pending::text).collect();
        Self { open, ..self }
    }

    /// The same run where the new stack is used so much; only a `destroy` asks.
    #[must_use]
    pub fn used(self, used: Option<Used>) -> Self {
        Self { used: used.filter(|_| self.kind == RunKind::Destroy), ..self }
    }

    /// How much the new stack is used, for the question of a `destroy`.
    #[must_use]
    pub fn in_use(&self) -> Option<Used> {
        self.used
    }

    /// The preconditions with the limit that the question sets: as many requests as were read in it, and no more.
    #[must_use]
    pub fn preconditions(&self, preconditions: &RunPreconditions) -> RunPreconditions {
        let mut preconditions = preconditions.clone();
        if let Some(used) = self.used.filter(|used| used.is_over()) {
            preconditions.unused_per_min = preconditions.unused_per_min.max(f64::from(used.per_min));
        }
        preconditions
    }

    /// Operations that an earlier run left open, in words.
    #[must_use]
    pub fn open_operations(&self) -> &[String] {
        &self.open
    }

    /// What is done.
    #[must_use]
    pub fn kind(&self) -> RunKind {
        self.kind
    }

    /// On which stack.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The preview that was read before the confirmation; an `up` does exactly what its plan says.
    #[must_use]
    pub fn preview(&self) -> Option<&str> {
        self.preview.as_deref()
    }

    /// What was read before the confirmation.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The command as Pulumi is given it, but for where the program lies. The plan of an `up` is the preview's own file.
    #[must_use]
    pub fn call_text(&self) -> String {
        let stack = &self.stack;
        match (self.kind, &self.preview) {
            (RunKind::Up, Some(preview)) => {
                format!("pulumi up --stack {stack} --plan runs/{preview}/plan --refresh --yes --skip-preview --json")
            }
            (RunKind::Destroy, _) => {
                format!("pulumi destroy --stack {stack} --refresh --yes --skip-preview --json")
            }
            _ => format!("pulumi {} --stack {stack} --yes --skip-preview --json", self.kind.name()),
        }
    }

    /// Whether it may start as things stand: the guards of its kind, and no run that takes a weighted record from the name.
    /// A released name's plan holds none, since the preview has read that they are gone. An `up` takes one when the name or
    /// the zone in the configuration is another one, and the record that is live goes with the old one.
    ///
    /// # Errors
    /// The first [`BlockedReason`] that holds.
    pub fn may_run(&self, preconditions: &RunPreconditions) -> Result<(), BlockedReason> {
        check_preconditions(self.kind, &self.preconditions(preconditions))?;
        if preconditions.ways_used && self.plan.needs_unused_ways() {
            let why = "it was read while nobody took the ways that it changes, and by now somebody may";
            return Err(BlockedReason::OtherPlan(why.to_owned()));
        }
        if preconditions.name_state == Some(NameState::Absent) {
            return Ok(());
        }
        let taken = self.plan.dangers.iter().find_map(|danger| match danger {
            Danger::WeightedRecord { op, resource, .. } if self.kind == RunKind::Destroy || takes_away(*op) => {
                Some(resource.clone())
            }
            _ => None,
        });
        let way_out = match (self.kind, &preconditions.name_state) {
            (_, Some(NameState::Simple(_))) => {
                "it was made before the name was released, and is no plan for what stands now; preview again"
            }
            (RunKind::Destroy, _) => {
                "nothing else is known to answer the name; turn the pair into one record first (`tapctl release --to \
                 legacy`), then preview again"
            }
            _ => {
                "nothing else is known to answer the name; an `up` does that when recordName, hostedZoneId or hostedZoneName is another one than the stack was made \
                 with: set it back (`tapctl config set`), or hand the name back first (`tapctl release --to legacy`), then \
                 preview again"
            }
        };
        taken.map_or(Ok(()), |record| Err(BlockedReason::DeletesRecord(record, way_out)))
    }

    /// Whether it may run although nobody reads its question: no plan that moves weights, or deletes or replaces what
    /// holds state, and none beside what an earlier run left open. A `destroy` is what its guards have let through.
    ///
    /// # Errors
    /// [`Unread`], what somebody has to read first.
    pub fn unattended(&self) -> Result<(), Unread> {
        if self.kind == RunKind::Destroy {
            return Ok(());
        }
        if self.kind == RunKind::Up
            && let Some(open) = self.open.first()
        {
            return Err(Unread::OpenOperation(open.clone()));
        }
        let harmless = |danger: &Danger| matches!(danger, Danger::WeightedRecord { op: Operation::Create, .. });
        match self.plan.dangers.iter().find(|danger| !harmless(danger)) {
            Some(danger) => Err(Unread::Danger(Box::new(danger.clone()))),
            None => Ok(()),
        }
    }

    /// What the operator has to do to let it run.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        match self.kind {
            RunKind::Destroy => Challenge::Typed(match self.used {
                Some(used) if used.is_over() => format!("{} {}", self.stack, used.per_min),
                _ => self.stack.clone(),
            }),
            RunKind::Up if !self.open.is_empty() => Challenge::Typed(self.stack.clone()),
            _ => self.plan.challenge(&self.stack),
        }
    }

    /// The title of the confirmation.
    #[must_use]
    pub fn title(&self) -> String {
        match self.kind {
            RunKind::Destroy => {
                let nobodys = self.used.and_then(Used::nobodys).map(|used| format!("; {used}")).unwrap_or_default();
                format!("DESTROY the stack {}: {}{nobodys}", self.stack, self.plan.text())
            }
            RunKind::Refresh => format!("Refresh the Pulumi state of {}", self.stack),
            _ => format!("Run the plan on {}: {}", self.stack, self.plan.text()),
        }
    }
}

/// Whether what stands under the resource's name is gone afterwards, in whatever order a replacement is carried out.
const fn takes_away(op: Operation) -> bool {
    matches!(
        op,
        Operation::Delete
            | Operation::Replace
            | Operation::CreateReplacement
            | Operation::DeleteReplaced
            | Operation::ImportReplacement
    )
}

/// What is known of an earlier request to stop a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum AskedBefore {
    /// There was one.
    Proved,
    /// Nothing proves that there was none; this is what the journal has.
    NotKnown(String),
}

impl AskedBefore {
    /// Why the next request may be the one that ends the run by force, in a sentence.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Proved => "the run was asked to stop before, so this request ends it by force".to_owned(),
            Self::NotKnown(noted) => format!(
                "nothing proves that the run was not asked to stop before: its folder takes no mark, and Pulumi has not said \
                 that it heard one; {noted}. A second request ends it by force"
            ),
        }
    }
}

/// The end of a run by force: a second interrupt, after which Pulumi neither waits nor writes its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForceStop {
    run: String,
    before: AskedBefore,
    orphans: Vec<String>,
    more: usize,
}

impl ForceStop {
    /// The end of the run `run`, which stands as `run_state` says, after what is known of an earlier request.
    #[must_use]
    pub fn new(run: &str, run_state: &RunState, before: AskedBefore) -> Self {
        let under_way = run_state.under_way();
        let orphans: Vec<String> =
            under_way.iter().take(NAMED_ORPHANS).map(|r| format!("{} ({})", r.name(), r.short_type())).collect();
        Self { run: run.to_owned(), before, more: under_way.len() - orphans.len(), orphans }
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// What is known of an earlier request.
    #[must_use]
    pub const fn before(&self) -> &AskedBefore {
        &self.before
    }

    /// What may be left in AWS without Pulumi knowing of it.
    #[must_use]
    pub fn orphans(&self) -> &[String] {
        &self.orphans
    }

    /// What the operator has to type.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        Challenge::Typed(TERMINATE.to_owned())
    }

    /// What the question says, and why it is this one.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        vec![format!("DANGER: {}", self.warning()), self.before.text()]
    }

    /// The signal, as a person would send it.
    #[must_use]
    pub fn call_text(&self) -> String {
        match self.before {
            AskedBefore::Proved => "a second SIGINT to the run's pulumi".to_owned(),
            AskedBefore::NotKnown(_) => "a SIGINT to the run's pulumi, which may be its second".to_owned(),
        }
    }

    /// The warning.
    #[must_use]
    pub fn warning(&self) -> String {
        if self.orphans.is_empty() {
            return "Pulumi stops at once and does not write its state; nothing is known to be under way".to_owned();
        }
        let more = if self.more > 0 { format!(" and {} more", self.more) } else { String::new() };
        format!(
            "Pulumi stops at once and does not write its state; these may be left in AWS without it knowing: {}{more}",
            self.orphans.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::pulumi::event::WeightedRecord;
    use crate::domain::pulumi::used::fixtures::requests;
    use crate::domain::traffic::Side;

    fn plan(op: Operation) -> Plan {
        Plan { changes: BTreeMap::from([(op, 2)]), ..Plan::default() }.made_whole()
    }

    fn plan_of_the_legacy_record(op: Operation) -> Plan {
        let record = WeightedRecord {
            name: "app.example.com".into(),
            rtype: "A".into(),
            set_identifier: "migration-legacy-prod".into(),
            old_weight: Some(100),
            new_weight: None,
        };
        let danger = Danger::WeightedRecord { op, resource: "migration-legacy-prod".into(), record };
        Plan { dangers: vec![danger], ..plan(op) }
    }

    fn preconditions(name_state: Option<NameState>, provisioned: bool) -> RunPreconditions {
        RunPreconditions {
            running: None,
            weight_change: None,
            name_state,
            new_requests: Some(requests(0.0)),
            unused_per_min: 0.0,
            ways_used: true,
            provisioned,
        }
    }

    #[test]
    fn a_plan_that_holds_to_unused_ways_does_not_run_where_somebody_may_take_them() {
        let route = Danger::Stops {
            outage: crate::domain::pulumi::outage::Outage::WayReplaced,
            rtype: "aws:ec2/route:Route".into(),
            resource: "route".into(),
            because: vec![],
        };
        let read = Plan { dangers: vec![route], ..plan(Operation::Replace) };
        let run = RunRequest::up("prod", "p1", read.beside("app.example.com.", None, false)).unwrap();
        let standing = preconditions(None, true);
        let moved = run.may_run(&standing).unwrap_err().to_string();
        assert!(moved.contains("by now somebody may") && moved.contains("preview again"), "{moved}");
        assert_eq!(run.may_run(&RunPreconditions { ways_used: false, ..standing }), Ok(()));
        assert_eq!(run.unattended(), Ok(()));
    }

    #[test]
    fn no_up_takes_a_weighted_record_from_a_name_that_may_need_it() {
        // A corrected name after a first `up` that failed: nothing is asked of AWS yet, and the old name may be live.
        for op in [Operation::Delete, Operation::Replace, Operation::CreateReplacement, Operation::DeleteReplaced] {
            let run_request = RunRequest::up("prod", "p1", plan_of_the_legacy_record(op)).unwrap();
            for (name_state, provisioned) in [(None, false), (Some(NameState::Simple(Some(Side::Legacy))), true)] {
                let refused = run_request.may_run(&preconditions(name_state, provisioned)).unwrap_err();
                assert!(matches!(&refused, BlockedReason::DeletesRecord(..)), "{op:?}: {refused}");
                let words =
                    if provisioned { "made before the name was released" } else { "set it back (`tapctl config set`)" };
                assert!(refused.to_string().contains(words), "{refused}");
            }
            assert_eq!(run_request.may_run(&preconditions(Some(NameState::Absent), true)), Ok(()));
        }
        for op in [Operation::Create, Operation::Update, Operation::Import] {
            let run_request = RunRequest::up("prod", "p1", plan_of_the_legacy_record(op)).unwrap();
            assert_eq!(run_request.may_run(&preconditions(None, false)), Ok(()), "{op:?}");
        }
    }

    #[test]
    fn the_limit_of_a_destroy_is_shown_and_set_in_its_question() {
        let destroy = || RunRequest::destroy("prod", "p1", plan(Operation::Delete)).unwrap();
        let released = |rate| {
            let name = Some(NameState::Simple(Some(Side::Legacy)));
            RunPreconditions { new_requests: Some(requests(rate)), ..preconditions(name, true) }
        };
        let quiet = destroy().used(released(0.0).used());
        assert_eq!(quiet.challenge(), Challenge::Typed("prod".into()));
        assert!(!quiet.title().contains("requests"), "{}", quiet.title());
        let busy = destroy().used(released(39.5).used());
        assert_eq!(busy.challenge(), Challenge::Typed("prod 40".into()));
        assert!(busy.title().ends_with("40 requests/min are taken for nobody's"), "{}", busy.title());
        assert_eq!(busy.may_run(&released(39.5)), Ok(()));
        assert_eq!(busy.may_run(&released(40.0)), Ok(()));
        assert!(matches!(busy.may_run(&released(41.0)), Err(BlockedReason::StillUsed(_))), "more than was read");
        assert!(matches!(destroy().may_run(&released(39.5)), Err(BlockedReason::StillUsed(_))), "nobody was asked");
        assert_eq!(
            RunRequest::up("prod", "p", plan(Operation::Create)).unwrap().used(released(39.5).used()).in_use(),
            None
        );
    }

    #[test]
    fn no_destroy_takes_a_weighted_record_from_a_name_that_may_need_it() {
        let run_request = RunRequest::destroy("prod", "p1", plan_of_the_legacy_record(Operation::Delete)).unwrap();
        // Before an `up` went through nothing is asked of AWS, and the record may be the live one all the same.
        for (name_state, provisioned) in [(None, false), (Some(NameState::Simple(Some(Side::Legacy))), true)] {
            let refused = run_request.may_run(&preconditions(name_state, provisioned)).unwrap_err();
            assert!(
                matches!(&refused, BlockedReason::DeletesRecord(name, _) if name == "migration-legacy-prod"),
                "{refused}"
            );
            let words = if provisioned { "preview again" } else { "turn the pair into one record first" };
            assert!(refused.to_string().contains(words), "{refused}");
        }
        assert_eq!(run_request.may_run(&preconditions(Some(NameState::Absent), true)), Ok(()));
        let others = RunRequest::destroy("prod", "p1", plan(Operation::Delete)).unwrap();
        assert_eq!(others.may_run(&preconditions(None, false)), Ok(()));
    }

    #[test]
    fn only_a_finished_preview_with_changes_makes_an_order() {
        let lost = Plan { missing: vec!["its events stop".to_owned()], ..Plan::default() };
        let refused = RunRequest::up("prod", "p1", lost).unwrap_err().to_string();
        assert!(refused.contains("incomplete plan") && refused.contains("its events stop"), "{refused}");
        let empty = Plan::default().made_whole();
        assert_eq!(RunRequest::up("prod", "p1", empty), Err(BlockedReason::NothingToDo));
        let run_request = RunRequest::up("prod", "p1", plan(Operation::Create)).unwrap();
        assert_eq!((run_request.challenge(), run_request.preview()), (Challenge::Yes, Some("p1")));
        let open = Pending {
            urn: "urn:pulumi:p::t::a::task".into(),
            rtype: "a".into(),
            operation: "creating".into(),
            id: None,
        };
        let beside = run_request.beside(&[open]);
        assert_eq!(beside.challenge(), Challenge::Typed("prod".into()), "what was left open may be made a second time");
        assert!(beside.open_operations()[0].starts_with("creating task (a): "), "{:?}", beside.open_operations());
        let run_request = RunRequest::destroy("prod", "p2", plan(Operation::Delete)).unwrap();
        assert_eq!(run_request.challenge(), Challenge::Typed("prod".into()));
        assert!(run_request.title().starts_with("DESTROY the stack prod: delete 2"));
    }
}
