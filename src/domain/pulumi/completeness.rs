//! Whether a plan is the whole one: what was read of a preview, held against the engine's own count of it.
//!
//! Pure. A line can be lost on its way (a full disk, a line that is too long, a torn one), and the resource in it may be
//! the one that holds the data. So a plan counts as whole only when the engine's summary says the same, operation by
//! operation, and when nothing between the stream's first and last word was unreadable, doubled or unknown.
//!
//! What the engine counts (`pkg/engine/update.go` in Pulumi, `OnResourceStepPost`): logical steps, without those of
//! default providers. A replacement is one `replace`; `create-replacement` and `delete-replaced` are its parts. A refresh
//! before the plan and the clearing of marks count nothing. A `read` counts only when it finds another state than the one
//! that is kept, so that there may be more of them than the engine counts.

use std::collections::BTreeMap;
use std::fmt;

use super::event::{EngineStep, STACK_TYPE};
use super::op::Operation;
use super::resource::urn_name;
use super::text::capped;

/// Bytes of an error that are quoted as the reason why a plan is not whole.
const MAX_QUOTED: usize = 300;

/// One reason why a plan may not be the whole one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// The first event of a run is missing.
    NoBeginning,
    /// The engine's count is missing: the stream stops before its end.
    NoSummary,
    /// The preview says itself that it did not succeed.
    NotSucceeded(&'static str),
    /// The engine, the program, a provider or a policy reported an error, whatever the exit code says.
    Error(String),
    /// Lines that are no event.
    Torn(u32),
    /// Lines that are longer than is read.
    TooLong(u32),
    /// Lines that came twice, or out of their order.
    Repeated(u32),
    /// An operation that this version does not know.
    UnknownOperation(String),
    /// The engine counts other steps than were read.
    Count {
        /// Of this operation.
        op: Operation,
        /// By the engine.
        engine: u32,
        /// In the stream.
        read: u32,
    },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBeginning => f.write_str("the first of its events is missing"),
            Self::NoSummary => f.write_str("its events stop before the engine's summary"),
            Self::NotSucceeded(how) => write!(f, "it {how}"),
            Self::Error(text) => write!(f, "it reported an error: {text}"),
            Self::Torn(count) => write!(f, "{} of its events could not be read", lines(*count)),
            Self::TooLong(count) => write!(f, "{} of its events longer than is read", lines(*count)),
            Self::Repeated(count) => write!(f, "{} of its events came twice or out of order", lines(*count)),
            Self::UnknownOperation(what) => write!(f, "{what}, which this version of tapctl does not know"),
            Self::Count { op, engine, read } => write!(f, "the engine counts {engine} {op}, {read} were read"),
        }
    }
}

fn lines(count: u32) -> String {
    format!("{count} {}", if count == 1 { "line" } else { "lines" })
}

/// What was counted while one phase of a run was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tally {
    steps: BTreeMap<Operation, u32>,
    preludes: u32,
    summaries: u32,
    last_sequence: Option<u64>,
    repeated: u32,
    torn: u32,
    oversized: u32,
    cut: bool,
    unknown: Option<String>,
    error: Option<String>,
}

impl Tally {
    /// The run, or its next phase, begins.
    pub(super) fn prelude(&mut self) {
        self.preludes += 1;
    }

    /// The engine's count came.
    pub(super) fn summary(&mut self) {
        self.summaries += 1;
    }

    /// Every event's own number grows within a stream, with gaps where the CLI keeps an event to itself.
    pub(super) fn sequence(&mut self, sequence: Option<u64>) {
        if let Some(sequence) = sequence {
            self.repeated += u32::from(self.last_sequence.is_some_and(|last| sequence <= last));
            self.last_sequence = Some(sequence);
        }
    }

    /// A step begins; `again` when the same one has begun before.
    pub(super) fn step(&mut self, step: &EngineStep, again: bool) {
        self.repeated += u32::from(again);
        if step.op == Operation::Other {
            let what = || format!("something is done to {} ({})", urn_name(&step.urn), step.rtype);
            self.unknown.get_or_insert_with(what);
        }
        if is_counted(step) {
            *self.steps.entry(step.op).or_default() += 1;
        }
    }

    /// An error was reported.
    pub(super) fn error(&mut self, text: &str) {
        self.error.get_or_insert_with(|| {
            let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("without words");
            capped(line, MAX_QUOTED).into_owned()
        });
    }

    /// A line is no event. Words of the CLI before the first event are none of the stream's, but an event that was
    /// torn there is.
    pub(super) fn torn(&mut self, looks_like_an_event: bool) {
        self.torn += u32::from(self.preludes > 0 || looks_like_an_event);
    }

    /// Whether the newest line is an event that was cut.
    pub(super) fn ends_torn(&mut self, cut: bool) {
        self.cut = cut;
    }

    /// Whether the last line is an event that was cut.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// A line is longer than is read.
    pub(super) fn oversized(&mut self) {
        self.oversized += 1;
    }

    /// Whether the stream had its beginning and the engine's count.
    pub(super) fn has_both_ends(&self) -> bool {
        self.preludes > 0 && self.summaries > 0
    }

    /// Why the plan may not be whole; `counted` is the engine's summary.
    pub(super) fn gaps(&self, counted: Option<&BTreeMap<Operation, u32>>) -> Vec<Gap> {
        let mut gaps = Vec::new();
        gaps.extend((self.preludes == 0).then_some(Gap::NoBeginning));
        gaps.extend(counted.is_none().then_some(Gap::NoSummary));
        gaps.extend(self.error.clone().map(Gap::Error));
        gaps.extend((self.torn > 0).then_some(Gap::Torn(self.torn)));
        gaps.extend((self.oversized > 0).then_some(Gap::TooLong(self.oversized)));
        let repeated = self.repeated + self.preludes.saturating_sub(1) + self.summaries.saturating_sub(1);
        gaps.extend((repeated > 0).then_some(Gap::Repeated(repeated)));
        gaps.extend(self.unknown.clone().map(Gap::UnknownOperation));
        if let Some(counted) = counted {
            gaps.extend(self.miscounts(counted));
        }
        gaps
    }

    fn miscounts<'a>(&'a self, counted: &'a BTreeMap<Operation, u32>) -> impl Iterator<Item = Gap> + 'a {
        let mut operations: Vec<Operation> = self.steps.keys().chain(counted.keys()).copied().collect();
        operations.sort_unstable();
        operations.dedup();
        operations.into_iter().filter_map(move |op| {
            let of = |counts: &BTreeMap<Operation, u32>| counts.get(&op).copied().unwrap_or_default();
            let (engine, read) = (of(counted), of(&self.steps));
            let right = if op == Operation::Read { engine <= read } else { engine == read };
            (!right).then_some(Gap::Count { op, engine, read })
        })
    }
}

/// Whether the engine's summary counts this step.
fn is_counted(step: &EngineStep) -> bool {
    let logical = matches!(
        step.op,
        Operation::Same
            | Operation::Create
            | Operation::Update
            | Operation::Delete
            | Operation::Replace
            | Operation::Read
            | Operation::Discard
            | Operation::Import
            | Operation::Other
    );
    logical && !is_default_provider(step)
}

/// A provider that the engine makes by itself; named `default`, or `default_` with its version.
fn is_default_provider(step: &EngineStep) -> bool {
    step.rtype != STACK_TYPE && step.rtype.starts_with("pulumi:providers:") && {
        let name = urn_name(&step.urn);
        name == "default" || name.starts_with("default_")
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::pulumi::{Plan, RunState};

    const BUNDLED: &str = include_str!("../../../tests/fixtures/engine/bundled-preview.jsonl");
    const NOTHING_TO_DO: &str = include_str!("../../../tests/fixtures/engine/preview.jsonl");

    fn plan_of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Plan {
        let mut run_state = RunState::new();
        lines.into_iter().for_each(|line| run_state.fold_line(line.as_bytes()));
        run_state.process_ended();
        Plan::of(&run_state)
    }

    /// A preview with these steps, each `op NAME`, and this count.
    fn preview(steps: &[&str], count: &str) -> Vec<String> {
        let mut lines = vec![r#"{"sequence":0,"timestamp":1,"preludeEvent":{"config":{}}}"#.to_owned()];
        for step in steps {
            let (op, name) = step.split_once(' ').unwrap();
            let state = r#"{"custom":true,"id":"","parent":""}"#;
            lines.push(format!(
                r#"{{"sequence":{},"timestamp":1,"resourcePreEvent":{{"metadata":{{"op":"{op}","urn":"urn:pulumi:p::t::{name}","type":"{}","old":{state},"new":{state}}},"planning":true}}}}"#,
                lines.len(),
                name.split("::").next().unwrap()
            ));
        }
        let at = lines.len();
        lines.push(format!(
            r#"{{"sequence":{at},"timestamp":1,"summaryEvent":{{"resourceChanges":{count},"isPreview":true,"result":"succeeded"}}}}"#
        ));
        lines.push(format!(r#"{{"sequence":{},"timestamp":1,"cancelEvent":{{}}}}"#, at + 1));
        lines
    }

    fn gaps(lines: &[String]) -> String {
        plan_of(lines.iter().map(String::as_str)).missing.join("; ")
    }

    #[test]
    fn a_recorded_preview_is_whole() {
        for recording in [BUNDLED, NOTHING_TO_DO] {
            let plan = plan_of(recording.lines());
            assert!(plan.is_whole(), "{:?}", plan.missing);
        }
    }

    #[test]
    fn a_preview_that_lost_any_of_its_steps_is_not_whole() {
        let lines: Vec<&str> = BUNDLED.lines().collect();
        let whole = plan_of(lines.iter().copied());
        let steps = |line: &str| line.contains("resourcePreEvent") && !line.contains("::default_");
        for lost in (0..lines.len()).filter(|index| steps(lines[*index])) {
            let plan = plan_of(lines.iter().enumerate().filter(|(index, _)| *index != lost).map(|(_, line)| *line));
            assert!(!plan.is_whole() && !plan.missing.is_empty(), "line {lost} of {}", whole.text());
            let torn = lines.iter().enumerate().map(|(i, line)| if i == lost { &line[40..] } else { line });
            assert!(!plan_of(torn).is_whole(), "line {lost}, torn");
        }
    }

    #[test]
    fn a_preview_cut_after_any_line_is_not_whole() {
        let lines: Vec<&str> = NOTHING_TO_DO.lines().collect();
        let summary = lines.iter().position(|line| line.contains("summaryEvent")).unwrap();
        for kept in 0..=summary {
            assert!(!plan_of(lines[..kept].iter().copied()).is_whole(), "after {kept} lines");
        }
    }

    #[test]
    fn a_lost_delete_is_named_with_its_count() {
        let lines = preview(&["create a::alb"], r#"{"create":1,"delete":1}"#);
        assert_eq!(gaps(&lines), "the engine counts 1 delete, 0 were read");
        let mut torn = preview(&["create a::alb", "delete c::aurora"], r#"{"create":1,"delete":1}"#);
        assert_eq!(gaps(&torn), "");
        torn[2].drain(..40);
        assert_eq!(gaps(&torn), "1 line of its events could not be read; the engine counts 1 delete, 0 were read");
    }

    #[test]
    fn a_step_that_came_as_another_one_is_found() {
        let lines = preview(&["create a::alb", "same c::aurora"], r#"{"create":1,"delete":1}"#);
        assert!(gaps(&lines).contains("1 delete, 0 were read"), "{}", gaps(&lines));
        let unknown = preview(&["create a::alb", "teleport c::aurora"], r#"{"create":1,"teleport":1}"#);
        assert!(gaps(&unknown).contains("something is done to aurora"), "{}", gaps(&unknown));
    }

    #[test]
    fn a_line_that_came_twice_is_found_whatever_its_number() {
        let lines = preview(&["create a::alb", "create a::alb"], r#"{"create":2}"#);
        assert!(gaps(&lines).contains("twice"), "{}", gaps(&lines));
        let mut lines = preview(&["create a::alb"], r#"{"create":1}"#);
        lines.insert(2, lines[1].clone());
        assert!(gaps(&lines).contains("twice"), "{}", gaps(&lines));
        let mut lines = preview(&["create a::alb"], r#"{"create":1}"#);
        lines.insert(0, lines[0].clone());
        assert!(gaps(&lines).contains("twice"), "{}", gaps(&lines));
    }

    #[test]
    fn a_replacement_counts_once_and_what_a_dead_run_left_not_at_all() {
        let parts = ["create-replacement a::alb", "replace a::alb", "delete-replaced a::alb"];
        assert_eq!(gaps(&preview(&parts, r#"{"replace":1}"#)), "");
        assert!(gaps(&preview(&parts, r#"{"replace":1,"delete":1}"#)).contains("1 delete, 0 were read"));
        assert!(gaps(&preview(&parts[..1], r#"{"replace":1}"#)).contains("1 replace, 0 were read"));
        // An old copy that a broken replacement left behind is deleted, and the plan says so.
        let left = preview(
            &["same aws:rds/cluster:Cluster::db", "delete-replaced aws:rds/cluster:Cluster::db"],
            r#"{"same":1}"#,
        );
        let plan = plan_of(left.iter().map(String::as_str));
        assert!(plan.is_whole(), "{:?}", plan.missing);
        assert_eq!(plan.text(), "delete 1");
        assert!(plan.dangers[0].to_string().starts_with("deletes db"), "{:?}", plan.dangers);
    }

    #[test]
    fn providers_of_the_engine_s_own_and_refreshes_do_not_count() {
        let steps = ["create pulumi:providers:aws::default_7_51_1", "refresh a::alb", "same a::alb", "read a::ami"];
        assert_eq!(gaps(&preview(&steps, r#"{"same":1}"#)), "");
        let own = ["create pulumi:providers:aws::legacy", "same a::alb"];
        assert!(gaps(&preview(&own, r#"{"same":1}"#)).contains("0 create, 1 were read"));
    }

    #[test]
    fn an_error_keeps_a_plan_from_being_whole_whatever_the_summary_says() {
        let mut lines = preview(&["create a::alb"], r#"{"create":1}"#);
        lines.insert(
            2,
            r#"{"timestamp":1,"diagnosticEvent":{"message":"no access\nto it","severity":"error"}}"#.to_owned(),
        );
        assert_eq!(gaps(&lines), "it reported an error: no access");
    }

    #[test]
    fn words_around_the_stream_are_not_part_of_it() {
        let mut lines = preview(&["create a::alb"], r#"{"create":1}"#);
        lines.insert(0, "Installing dependencies...".to_owned());
        lines.push("Permalink: https://app.pulumi.com/x".to_owned());
        assert_eq!(gaps(&lines), "");
        lines.insert(2, "Collecting".to_owned());
        assert!(gaps(&lines).contains("could not be read"));
        let lines = preview(&["create a::alb"], r#"{"create":1}"#);
        assert!(gaps(&lines[1..]).contains("the first of its events is missing"));
    }
}
