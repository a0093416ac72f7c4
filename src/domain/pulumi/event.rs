//! One line of the engine's stream, read into a closed set of events.
//!
//! Pure and without failure: whatever a line holds, it becomes an [`Event`], or it is counted as debug noise, as a kind
//! that this version does not know, or as garbage. Property values are passed over unread, but for the two things that
//! are needed from them: the outputs of the stack and the weights of a routed record.
//!
//! The shapes are those of `sdk/go/common/apitype/events.go` in Pulumi.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::op::Operation;
use super::wire::{RawDiff, RawLine, RawMessage, RawMetadata, RawPolicy, RawStep, RawSummary};
use super::{MAX_DIFFS, MAX_NAME_BYTES, outputs};
use crate::domain::pulumi::text::{capped, clean};
use crate::domain::units::Timestamp;

/// Type of the resource that stands for the stack itself.
pub const STACK_TYPE: &str = "pulumi:pulumi:Stack";
/// Type of a Route 53 record.
pub const RECORD_TYPE: &str = "aws:route53/record:Record";

/// What a line came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// Something that happened.
    Event(Event),
    /// A debug diagnostic: two thirds of a real stream.
    Debug,
    /// An event of a kind that this version does not know.
    Unknown,
    /// No event at all.
    Garbage {
        /// Whether it was one before it was torn, as far as a look can tell.
        looks_like_an_event: bool,
    },
}

/// An event and when the engine wrote it, in whole seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Its number in the stream; recordings that were put together by hand have none.
    pub sequence: Option<u64>,
    /// What.
    pub kind: Kind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// The run begins. Two of them in one stream are a preview and the update after it.
    Prelude,
    /// A step began, ended or failed.
    Step {
        /// Which of the three.
        moment: Moment,
        /// What it is about.
        step: Box<EngineStep>,
        /// Whether it was only planned.
        planning: bool,
    },
    /// Words from the engine, the program, a provider or a policy.
    Message {
        /// Which resource it is about, if any.
        urn: Option<String>,
        /// How bad it is.
        severity: Severity,
        /// The words, cleaned.
        text: String,
    },
    /// A plug-in is being fetched or installed.
    Download {
        /// Which.
        id: String,
        /// What is said of it.
        text: String,
        /// Bytes so far.
        received: u64,
        /// Bytes in all, 0 when not known.
        total: u64,
        /// Whether it is through.
        done: bool,
    },
    /// The engine's count at the end.
    Summary {
        /// `succeeded`, `failed`, `canceled`; older CLIs do not say it.
        result: Option<String>,
        /// How long it took.
        duration: Duration,
        /// Steps by operation.
        changes: BTreeMap<Operation, u32>,
        /// Whether it was a preview.
        preview: bool,
        /// Whether the engine holds its state for possibly damaged.
        maybe_corrupt: bool,
    },
    /// The stream's last event, also of a run that went well.
    End,
}

/// Which moment of a step an event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It begins.
    Begins,
    /// It is done.
    Done,
    /// It failed.
    Failed,
}

/// How bad a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth reading.
    Info,
    /// Worth thinking about.
    Warning,
    /// It went wrong.
    Error,
}

/// One step as the engine describes it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, as the engine tells it")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineStep {
    /// The resource.
    pub urn: String,
    /// Its type.
    pub rtype: String,
    /// What is done to it.
    pub op: Operation,
    /// The resource above it.
    pub parent: Option<String>,
    /// The provider's identifier, where there is one already.
    pub id: Option<String>,
    /// Whether a provider holds it; a component only groups others.
    pub custom: bool,
    /// Whether Pulumi refuses to delete it.
    pub protect: bool,
    /// Whether a delete leaves it at the provider.
    pub retain: bool,
    /// Properties that change, at most [`MAX_DIFFS`].
    pub diffs: Vec<Diff>,
    /// Properties that change beyond those kept.
    pub more_diffs: usize,
    /// Complaints of the provider about a resource that exists but is not right.
    pub init_errors: Vec<String>,
    /// For a weighted Route 53 record.
    pub weighted: Option<WeightedRecord>,
    /// Whether its new declaration switches it off: a stream that is not to run any more, a service that is to have no task.
    pub halts: bool,
    /// For the stack itself: its outputs, secrets masked.
    pub outputs: Option<BTreeMap<String, String>>,
}

/// One property that changes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Diff {
    /// The property's path.
    pub path: String,
    /// Whether this change alone makes a replacement necessary.
    pub replaces: bool,
}

/// A weighted record in a step.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WeightedRecord {
    /// The record's name.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`.
    pub rtype: String,
    /// Which member of the group.
    pub set_identifier: String,
    /// Weight in Pulumi's state.
    pub old_weight: Option<i64>,
    /// Weight that the program asks for.
    pub new_weight: Option<i64>,
}

/// How every debug diagnostic ends: Go writes the fields in the order of the struct, and the ones after this one are
/// left out when they are empty.
const DEBUG_TAIL: &[u8] = br#""severity":"debug"}}"#;
/// How every event begins.
const HEAD: &[u8] = br#"{"sequence":"#;

/// Reads one line, without its line end.
#[must_use]
pub fn parse(line: &[u8]) -> Parsed {
    // Two thirds of a stream are debug lines: they are known by their ends, and not worth a look inside.
    if line.ends_with(DEBUG_TAIL) && line.starts_with(HEAD) {
        return Parsed::Debug;
    }
    let garbage = Parsed::Garbage { looks_like_an_event: line.starts_with(b"{") || line.ends_with(b"}") };
    let Ok(raw) = serde_json::from_slice::<RawLine<'_>>(line) else { return garbage };
    let Some(timestamp) = raw.timestamp else { return garbage };
    let sequence = raw.sequence;
    let kind = match raw {
        RawLine { diagnostic_event: Some(message), .. } => match message_of(message) {
            Some(kind) => kind,
            None => return Parsed::Debug,
        },
        RawLine { resource_pre_event: Some(step), .. } => step_of(Moment::Begins, step, line),
        RawLine { res_outputs_event: Some(step), .. } => step_of(Moment::Done, step, line),
        RawLine { res_op_failed_event: Some(step), .. } => step_of(Moment::Failed, step, line),
        RawLine { stdout_event: Some(stdout), .. } => message(None, Severity::Info, &stdout.message),
        RawLine { policy_event: Some(policy), .. } => policy_of(policy),
        RawLine { error_event: Some(error), .. } => message(None, Severity::Error, &error.error),
        RawLine { progress_event: Some(progress), .. } => Kind::Download {
            id: name(&progress.id),
            text: name(&progress.message),
            received: progress.received.max(0).unsigned_abs(),
            total: progress.total.max(0).unsigned_abs(),
            done: progress.done,
        },
        RawLine { summary_event: Some(summary), .. } => summary_of(summary),
        RawLine { prelude_event: Some(_), .. } => Kind::Prelude,
        RawLine { cancel_event: Some(_), .. } => Kind::End,
        _ => return Parsed::Unknown,
    };
    Parsed::Event(Event { at: Timestamp::from_secs_f64(timestamp), sequence, kind })
}

fn name(text: &str) -> String {
    capped(&clean(text), MAX_NAME_BYTES).into_owned()
}

fn message(urn: Option<String>, severity: Severity, text: &str) -> Kind {
    Kind::Message { urn, severity, text: clean(text).trim_end().to_owned() }
}

/// `None` for debug noise, and for the dots that only keep a terminal busy.
fn message_of(raw: RawMessage<'_>) -> Option<Kind> {
    let severity = match raw.severity.as_ref() {
        "debug" => return None,
        "error" => Severity::Error,
        "warning" => Severity::Warning,
        // `info#err` is what a program wrote to its stderr.
        _ if raw.ephemeral && !raw.message.contains(char::is_alphanumeric) => return None,
        _ => Severity::Info,
    };
    // The severity says the same as the usual prefixes do; any other prefix is part of the words.
    let usual = matches!(clean(&raw.prefix).trim(), "error:" | "warning:" | "info:" | "debug:" | "");
    let text = if usual { raw.message } else { Cow::Owned(format!("{}{}", raw.prefix, raw.message)) };
    Some(message(raw.urn.filter(|urn| !urn.is_empty()), severity, &text))
}

fn policy_of(raw: RawPolicy) -> Kind {
    let severity = if raw.enforcement_level == "mandatory" { Severity::Error } else { Severity::Warning };
    message(
        raw.resource_urn.filter(|urn| !urn.is_empty()),
        severity,
        &format!("policy {} ({}): {}", raw.policy_name, raw.enforcement_level, raw.message),
    )
}

fn summary_of(raw: RawSummary) -> Kind {
    let mut changes = BTreeMap::new();
    for (op, count) in raw.resource_changes.unwrap_or_default() {
        let counted: &mut u32 = changes.entry(Operation::parse(&op)).or_default();
        *counted = counted.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }
    Kind::Summary {
        result: raw.result,
        duration: Duration::try_from_secs_f64(raw.duration_seconds).unwrap_or_default(),
        changes,
        preview: raw.is_preview,
        maybe_corrupt: raw.maybe_corrupt,
    }
}

fn step_of(moment: Moment, raw: RawStep<'_>, line: &[u8]) -> Kind {
    let RawStep { metadata, planning } = raw;
    let (diffs, more_diffs) = diffs_of(&metadata);
    let states = || metadata.new.iter().chain(metadata.old.iter());
    let parent = states().map(|state| state.parent.as_ref()).find(|text| !text.is_empty());
    let id = states().map(|state| state.id.as_ref()).find(|text| !text.is_empty());
    let has_switch = SWITCHES.iter().any(|(rtype, _)| *rtype == metadata.rtype);
    let wants_values =
        has_switch || metadata.rtype == RECORD_TYPE || (metadata.rtype == STACK_TYPE && moment == Moment::Done);
    let values: Option<Value> = if wants_values { serde_json::from_slice(line).ok() } else { None };
    let values = values.as_ref().and_then(|value| {
        let key = match moment {
            Moment::Begins => "resourcePreEvent",
            Moment::Done => "resOutputsEvent",
            Moment::Failed => "resOpFailedEvent",
        };
        value.get(key)?.get("metadata")
    });
    let step = EngineStep {
        parent: parent.map(name),
        id: id.map(name),
        custom: states().any(|state| state.custom),
        protect: states().any(|state| state.protect),
        retain: states().any(|state| state.retain_on_delete),
        diffs,
        more_diffs,
        init_errors: states()
            .flat_map(|state| state.init_errors.iter().flatten())
            .take(MAX_DIFFS)
            .map(|text| clean(text).into_owned())
            .collect(),
        weighted: values.filter(|_| metadata.rtype == RECORD_TYPE).and_then(weighted_of),
        halts: metadata.op == "update" && values.is_some_and(|values| halts(&metadata.rtype, values)),
        outputs: values
            .filter(|_| metadata.rtype == STACK_TYPE)
            .and_then(|value| value.get("new")?.get("outputs")?.as_object())
            .map(outputs::texts),
        op: Operation::parse(&metadata.op),
        urn: name(&metadata.urn),
        rtype: name(&metadata.rtype),
    };
    Kind::Step { moment, step: Box::new(step), planning }
}

fn diffs_of(metadata: &RawMetadata<'_>) -> (Vec<Diff>, usize) {
    let (list, count): (Vec<Diff>, usize) = match &metadata.detailed_diff {
        Some(detailed) if !detailed.is_empty() => {
            let diff = |(path, raw): (&String, &RawDiff)| Diff {
                path: name(path),
                replaces: raw.diff_kind.ends_with("-replace"),
            };
            (detailed.iter().take(MAX_DIFFS).map(diff).collect(), detailed.len())
        }
        _ => {
            let replaces = |path: &String| metadata.keys.as_ref().is_some_and(|keys| keys.contains(path));
            let paths = metadata.diffs.as_deref().filter(|d| !d.is_empty()).or(metadata.keys.as_deref()).unwrap_or(&[]);
            let diff = |path: &String| Diff { path: name(path), replaces: replaces(path) };
            (paths.iter().take(MAX_DIFFS).map(diff).collect(), paths.len())
        }
    };
    let more = count.saturating_sub(list.len());
    (list, more)
}

/// What switches a resource off: its type, and the input that says so with `false` or 0.
const SWITCHES: [(&str, &str); 3] = [
    ("aws:dms/replicationTask:ReplicationTask", "startReplicationTask"),
    ("aws:ecs/service:Service", "desiredCount"),
    ("aws:appautoscaling/target:Target", "maxCapacity"),
];

/// Whether the new inputs switch off what the old ones did not. What the old ones do not say may have been on.
fn halts(rtype: &str, metadata: &Value) -> bool {
    let Some((_, input)) = SWITCHES.iter().find(|(of, _)| *of == rtype) else { return false };
    let is_off = |side: &str| {
        let value = metadata.get(side).and_then(|state| state.get("inputs")?.get(*input));
        value.is_some_and(|value| value.as_bool() == Some(false) || value.as_f64() == Some(0.0))
    };
    is_off("new") && !is_off("old")
}

fn weighted_of(metadata: &Value) -> Option<WeightedRecord> {
    let state = |side: &str| metadata.get(side).filter(|state| state.is_object());
    let part = |side: &str, part: &str, key: &str| state(side)?.get(part)?.get(key).cloned();
    let value = |side: &str, key: &str| {
        part(side, "inputs", key)
            .filter(|v| !v.is_null())
            .or_else(|| part(side, "outputs", key))
            .filter(|v| !v.is_null())
    };
    let policy =
        |side: &str| value(side, "weightedRoutingPolicies").filter(|v| v.as_array().is_none_or(|a| !a.is_empty()));
    let weight = |side: &str| policy(side)?.get(0)?.get("weight")?.as_i64();
    if policy("old").is_none() && policy("new").is_none() {
        return None;
    }
    let text = |key: &str| {
        let value = value("new", key).or_else(|| value("old", key))?;
        value.as_str().map(name)
    };
    Some(WeightedRecord {
        name: text("name").unwrap_or_else(|| "(name not known yet)".to_owned()),
        rtype: text("type").unwrap_or_default(),
        set_identifier: text("setIdentifier").unwrap_or_default(),
        old_weight: weight("old"),
        new_weight: weight("new"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(line: &str) -> Event {
        match parse(line.as_bytes()) {
            Parsed::Event(event) => event,
            other => panic!("{other:?}: {line}"),
        }
    }

    #[test]
    fn noise_unknown_kinds_and_garbage_are_told_apart() {
        let debug =
            r#"{"sequence":2,"timestamp":1,"diagnosticEvent":{"prefix":"debug: ","message":"x","severity":"debug"}}"#;
        assert_eq!(parse(debug.as_bytes()), Parsed::Debug);
        assert_eq!(parse(br#"{"sequence":3,"timestamp":1,"teleportEvent":{"where":1}}"#), Parsed::Unknown);
        for garbage in ["", "}", "null", "42", "[]", "{}", r#"{"timestamp":"soon"}"#, "Previewing update", "\u{0}"] {
            assert!(matches!(parse(garbage.as_bytes()), Parsed::Garbage { .. }), "{garbage:?}");
        }
        assert_eq!(parse(&[0xff, 0xfe, b'{']), Parsed::Garbage { looks_like_an_event: false });
        assert_eq!(parse(br#"{"sequence":4,"times"#), Parsed::Garbage { looks_like_an_event: true });
    }

    #[test]
    fn a_message_is_cleaned_and_keeps_an_unusual_prefix() {
        let line = r#"{"timestamp":5,"diagnosticEvent":{"urn":"u","prefix":"<{%red%}>error: <{%reset%}>","message":"<{%reset%}>no\n","severity":"error"}}"#;
        let wanted = Kind::Message { urn: Some("u".into()), severity: Severity::Error, text: "no".into() };
        assert_eq!(event(line).kind, wanted);
        let line =
            r#"{"timestamp":5,"diagnosticEvent":{"prefix":"plugin aws: ","message":"hm","severity":"info#err"}}"#;
        let wanted = Kind::Message { urn: None, severity: Severity::Info, text: "plugin aws: hm".into() };
        assert_eq!(event(line).kind, wanted);
    }

    #[test]
    fn replacing_properties_are_marked() {
        let line = r#"{"timestamp":5,"resourcePreEvent":{"metadata":{"op":"replace","urn":"u","type":"t","old":null,"new":null,
            "detailedDiff":{"tags.Owner":{"diffKind":"update","inputDiff":false},"engine":{"diffKind":"update-replace","inputDiff":false}}}}}"#;
        let Kind::Step { step, moment: Moment::Begins, planning: false } = event(line).kind else { panic!() };
        let replacing: Vec<_> = step.diffs.iter().filter(|d| d.replaces).map(|d| d.path.as_str()).collect();
        assert_eq!((step.diffs.len(), replacing), (2, vec!["engine"]));
        let line = r#"{"timestamp":5,"resourcePreEvent":{"metadata":{"op":"replace","urn":"u","type":"t","old":null,"new":null,
            "keys":["engine"],"diffs":["engine","tags"],"detailedDiff":null}}}"#;
        let Kind::Step { step, .. } = event(line).kind else { panic!() };
        assert_eq!(step.diffs.iter().map(|d| d.replaces).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_weighted_record_tells_both_weights_and_a_plain_one_none() {
        let line = |old: &str, new: &str| {
            format!(
                r#"{{"timestamp":5,"resourcePreEvent":{{"metadata":{{"op":"update","urn":"u","type":"{RECORD_TYPE}",
                "old":{old},"new":{new}}},"planning":true}}}}"#
            )
        };
        let state = |weight: &str| {
            format!(
                r#"{{"inputs":{{"name":"app.example.com","type":"A","setIdentifier":"new","weightedRoutingPolicies":{weight}}},"outputs":{{}}}}"#
            )
        };
        let Kind::Step { step, planning: true, .. } =
            event(&line(&state(r#"[{"weight":20}]"#), &state(r#"[{"weight":0}]"#))).kind
        else {
            panic!()
        };
        let record = step.weighted.unwrap();
        assert_eq!((record.old_weight, record.new_weight), (Some(20), Some(0)));
        assert_eq!((record.name.as_str(), record.set_identifier.as_str()), ("app.example.com", "new"));
        let Kind::Step { step, .. } = event(&line("null", &state("[]"))).kind else { panic!() };
        assert_eq!(step.weighted, None);
        let unknown = state("\"04da6b54-80e4-46f7-96ec-b56ff0331ba9\"");
        let Kind::Step { step, .. } = event(&line("null", &unknown)).kind else { panic!() };
        assert_eq!(step.weighted.unwrap().new_weight, None);
    }

    #[test]
    fn what_is_switched_off_says_so_and_what_was_off_or_is_switched_on_does_not() {
        const TASK: &str = "aws:dms/replicationTask:ReplicationTask";
        const SERVICE: &str = "aws:ecs/service:Service";
        const SCALING: &str = "aws:appautoscaling/target:Target";
        let halts = |rtype: &str, old: &str, new: &str| {
            let line = format!(
                r#"{{"timestamp":5,"resourcePreEvent":{{"metadata":{{"op":"update","urn":"u","type":"{rtype}",
                "old":{{"inputs":{old}}},"new":{{"inputs":{new}}}}},"planning":true}}}}"#
            );
            let Kind::Step { step, .. } = event(&line).kind else { panic!() };
            step.halts
        };
        let (on, off) = (r#"{"startReplicationTask":true}"#, r#"{"startReplicationTask":false}"#);
        assert!(halts(TASK, on, off) && halts(TASK, "{}", off), "what is not said may have been on");
        assert!(!halts(TASK, off, on) && !halts(TASK, off, off) && !halts(TASK, on, on) && !halts(TASK, on, "{}"));
        let count = |n: &str| format!(r#"{{"desiredCount":{n}}}"#);
        assert!(halts(SERVICE, &count("2"), &count("0")) && halts(SERVICE, "{}", &count("0.0")));
        assert!(!halts(SERVICE, &count("0"), &count("0")) && !halts(SERVICE, &count("2"), &count("1")));
        let most = |n: &str| format!(r#"{{"minCapacity":0,"maxCapacity":{n}}}"#);
        assert!(halts(SCALING, &most("4"), &most("0")) && !halts(SCALING, &most("4"), &most("2")));
        assert!(!halts("aws:ecs/taskSet:TaskSet", &count("2"), &count("0")));
    }

    #[test]
    fn a_summary_of_an_older_cli_has_no_result() {
        let line = r#"{"timestamp":5,"summaryEvent":{"maybeCorrupt":false,"durationSeconds":3,"resourceChanges":{"create":2,"teleport":1}}}"#;
        let Kind::Summary { result, changes, .. } = event(line).kind else { panic!() };
        assert_eq!(result, None);
        assert_eq!((changes[&Operation::Create], changes[&Operation::Other]), (2, 1));
    }
}
