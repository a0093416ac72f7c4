//! The words of the run commands, for people and for programs.
//!
//! Writes to what it is given, so that the caller decides between stdout and stderr.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::domain::pulumi::pending::Pending;
use crate::domain::pulumi::{Finished, LogLine, Plan, Previewed, PulumiError, RunState, RunStatus};
use crate::domain::units::{age_text, counted};

/// Prints the log of a run as it grows, each line once, and the progress when it changes.
#[derive(Debug, Default)]
pub struct Progress {
    printed: u64,
    last: String,
}

impl Progress {
    /// Prints what is new.
    ///
    /// # Errors
    /// When nothing can be written any more.
    pub fn print(&mut self, run_state: &RunState, out: &mut impl Write) -> io::Result<()> {
        let total = run_state.log_total();
        if total < self.printed {
            // The stream started over.
            self.printed = 0;
        }
        let new = usize::try_from(total - self.printed).unwrap_or(usize::MAX);
        let kept = run_state.log().len();
        let lost = new.saturating_sub(kept);
        if lost > 0 {
            writeln!(out, "… only in the run's file: {}", counted(lost, "line", "lines"))?;
        }
        for LogLine { at, text, .. } in run_state.log().skip(kept.saturating_sub(new)) {
            writeln!(out, "{} {text}", at.hms())?;
        }
        self.printed = total;
        let line = progress_text(run_state);
        if line != self.last && new > 0 {
            writeln!(out, "         {line}")?;
            self.last = line;
        }
        Ok(())
    }
}

/// `12/40 done, 3 under way`.
#[must_use]
pub fn progress_text(run_state: &RunState) -> String {
    let progress = run_state.progress();
    let of = progress.total.map(|total| format!("/{total}")).unwrap_or_default();
    let running = if progress.running > 0 { format!(", {} under way", progress.running) } else { String::new() };
    let failed = if progress.failed > 0 { format!(", {} FAILED", progress.failed) } else { String::new() };
    format!("{}{of} done{running}{failed}", progress.done)
}

/// Prints a plan: what is dangerous first, then every change.
///
/// # Errors
/// When nothing can be written any more.
pub fn plan(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    for danger in plan.danger_lines() {
        writeln!(out, "!! this plan {danger}")?;
    }
    for drift in &plan.drift {
        writeln!(out, "changed behind Pulumi's back: {drift}")?;
    }
    for step in &plan.steps {
        writeln!(out, "{:>2} {} {} ({})", step.op.sign(), step.op, step.name(), step.rtype)?;
        for diff in &step.diffs {
            writeln!(out, "       {}{}", diff.path, if diff.replaces { " (forces replacement)" } else { "" })?;
        }
        if step.more_diffs > 0 {
            writeln!(out, "       and {} more", step.more_diffs)?;
        }
    }
    if plan.hidden > 0 {
        writeln!(out, "   not listed: {}", counted(plan.hidden, "resource", "resources"))?;
    }
    writeln!(out, "{}; {} unchanged", plan.text(), plan.unchanged)
}

/// Prints how a run ended: failures first, with their message in full, then outputs and counts.
///
/// # Errors
/// When nothing can be written any more.
pub fn finished(run: &Finished, out: &mut impl Write) -> io::Result<()> {
    if let Some(failure) = &run.failure {
        writeln!(out, "pulumi {} did not succeed: {}", run.kind, failure.sentence)?;
        writeln!(out, "Next step: {}", failure.next_step)?;
        for failure in run.state.failures() {
            match failure.resource {
                Some(resource) => writeln!(out, "-- {} ({})", resource.name(), resource.rtype)?,
                None => writeln!(out, "--")?,
            }
            writeln!(out, "{}", failure.text)?;
        }
        for open in run.state.unfinished() {
            let open = Pending::of(open);
            writeln!(
                out,
                "-- {} {} ({}) when the run ended: {}",
                open.operation,
                open.name(),
                open.rtype,
                open.look_for()
            )?;
        }
    }
    if let Some(missing) = &run.missing {
        writeln!(out, "not all is known: {missing}")?;
    }
    if !run.kind.is_preview() {
        for (key, value) in run.state.outputs() {
            writeln!(out, "{key}: {value}")?;
        }
    }
    let took = run.state.summary().map(|summary| format!(" in {}", age_text(summary.duration))).unwrap_or_default();
    writeln!(out, "pulumi {} {}{took}: {}", run.kind, status_text(&run.status), progress_text(&run.state))
}

fn status_text(status: &RunStatus) -> String {
    match status {
        RunStatus::Starting => "is starting".to_owned(),
        RunStatus::Running => "goes on".to_owned(),
        RunStatus::Elsewhere => "goes on elsewhere".to_owned(),
        RunStatus::Unseen(why) => format!("may go on or not: {}", why.words()),
        RunStatus::Ended(end) => end.text(),
        RunStatus::Lost => "is gone, and nobody saw how it ended".to_owned(),
    }
}

/// A plan as one JSON object.
#[must_use]
pub fn plan_json(previewed: &Previewed) -> Value {
    let plan = &previewed.plan;
    let dangers: Vec<Value> = plan
        .dangers
        .iter()
        .map(|danger| {
            let mut value = json!(danger);
            value["text"] = json!(danger.to_string());
            value
        })
        .collect();
    json!({
        "schema": 1,
        "run": previewed.run.id,
        "command": previewed.run.line,
        "changes": plan.changes,
        "unchanged": plan.unchanged,
        "drift": plan.drift,
        "dangers": dangers,
        "steps": plan.steps,
        "whole": plan.is_whole(),
        "missing": plan.missing,
        "not_listed": plan.hidden,
    })
}

/// The outputs, lists as lists. A preview has none: what it tells is not known before the run.
fn outputs_json(run: &Finished) -> Value {
    if run.kind.is_preview() {
        return Value::Null;
    }
    let told = |text: &String| {
        let composed = text.starts_with(['[', '{']);
        composed.then(|| serde_json::from_str(text).ok()).flatten().unwrap_or_else(|| json!(text))
    };
    run.state.outputs().iter().map(|(key, text)| (key.clone(), told(text))).collect::<serde_json::Map<_, _>>().into()
}

/// An ended run as one JSON object.
#[must_use]
pub fn finished_json(run: &Finished) -> Value {
    let failures: Vec<Value> = run
        .state
        .failures()
        .iter()
        .map(|failure| json!({"urn": failure.resource.map(|r| &*r.urn), "message": failure.text}))
        .collect();
    let summary = run.state.summary();
    json!({
        "schema": 1,
        "run": run.id,
        "operation": run.kind.name(),
        "command": run.line,
        "result": run.state.ending().map(crate::domain::pulumi::RunOutcome::word),
        "status": status_text(&run.status),
        "changes": summary.map(|summary| &summary.changes),
        "duration_s": summary.map(|summary| summary.duration.as_secs()),
        "outputs": outputs_json(run),
        "failures": failures,
        "failure": run.failure,
        "missing": run.missing,
    })
}

/// A failure as the one JSON object that a program reads.
#[must_use]
pub fn error_json(error: &PulumiError) -> Value {
    let mut value =
        json!({"schema": 1, "error": {"code": error.exit_code(), "message": error.to_string(), "hint": error.hint()}});
    if let PulumiError::Failed(explanation) = error {
        value["error"]["kind"] = json!(explanation.kind);
    }
    value
}
