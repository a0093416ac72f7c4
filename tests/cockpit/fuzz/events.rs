//! The engine's events: a plan is offered only when it is all that the engine counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use tapctl::domain::pulumi::{Filter, Plan, RunState, explain};

use super::driver::{Came, Target, kind_of, unfit_in};

pub(super) struct Events;

fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engine").join(name)).unwrap()
}

/// Resources by operation.
type Steps = BTreeMap<String, BTreeSet<String>>;

/// The steps that begin, and the engine's own count, by operation; read without the fold.
fn counted(input: &[u8]) -> (Steps, Option<BTreeMap<String, u64>>) {
    let (mut steps, mut summary) = (Steps::new(), None);
    for line in input.split(|byte| *byte == b'\n') {
        let Ok(event) = serde_json::from_slice::<Value>(line) else { continue };
        let metadata = &event["resourcePreEvent"]["metadata"];
        if let (Some(op), Some(urn)) = (metadata["op"].as_str(), metadata["urn"].as_str()) {
            steps.entry(op.to_owned()).or_default().insert(urn.to_owned());
        }
        if let Some(changes) = event["summaryEvent"]["resourceChanges"].as_object() {
            summary = Some(changes.iter().map(|(op, count)| (op.clone(), count.as_u64().unwrap_or(0))).collect());
        }
    }
    (steps, summary)
}

impl Target for Events {
    fn name(&self) -> &'static str {
        "events"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        ["preview.jsonl", "noop.jsonl", "up.jsonl", "destroy.jsonl", "fail.jsonl", "sigint.jsonl"].map(recorded).into()
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "\"create\"",
            "\"delete\"",
            "\"replace\"",
            "\"summaryEvent\":{}",
            "\"resourcePreEvent\":",
            "\"sequence\":1",
            "\"op\":\"same\"",
        ]
    }

    fn takes(&self, input: &[u8]) -> Came {
        let mut run = RunState::new();
        input.split(|byte| *byte == b'\n').for_each(|line| run.fold_line(line));
        run.process_ended();
        let plan = Plan::of(&run);
        if plan.is_whole() {
            let (steps, summary) = counted(input);
            let summary = summary.ok_or("a whole plan of a stream without the engine's count")?;
            for op in ["create", "update", "delete"] {
                let (engine, read) = (summary.get(op).copied().unwrap_or(0), steps.get(op).map_or(0, BTreeSet::len));
                if engine != read as u64 {
                    return Err(format!("a whole plan, and the engine counts {engine} {op} where {read} were read"));
                }
            }
            let changes = ["create", "update", "delete", "replace", "import"];
            let engine: u64 = changes.iter().filter_map(|op| summary.get(*op)).sum();
            if u64::from(plan.total()) < engine {
                return Err(format!("a whole plan of {} where the engine counts {engine}", plan.total()));
            }
        }
        let rows = run.rows(&Filter::default()).len();
        let explained = explain::explain(&run, Some(1), "");
        let shown = format!("{:?} {:?} {:?} {}", plan, run.failures(), explained, plan.text());
        if let Some(found) = unfit_in(&shown) {
            return Err(format!("{found:?} would be on the screen"));
        }
        let gaps: Vec<String> = plan.missing.iter().map(|gap| kind_of(gap)).collect();
        Ok(format!("{} {gaps:?} {:?} {}", plan.is_whole(), explained.kind, rows.min(4)))
    }
}
