//! The run's resources as a tree, and its log. Only the rows that are seen are made.
//!
//! Pure.

use crate::domain::provision::Run;
use crate::domain::pulumi::{self, Resource, Severity, Show, State};
use crate::domain::units::{age_text, counted};

use super::super::context::ViewContext;
use super::super::text::Row;
use super::super::theme::{Mark, Role};
use super::{Rows, heading};

/// Levels of the tree that are indented; deeper ones stand under the last.
const LEVELS: usize = 8;

/// The tree.
pub(super) fn resources<'r>(cx: &'r ViewContext<'_>, run: &'r Run, width: usize) -> Rows<'r> {
    let filter = cx.model.resource_filter();
    let rows = run.state.rows(&filter);
    let title = match filter.show {
        Show::All => "Resources",
        Show::Changes => "Resources that change",
        Show::Running => "Resources under way",
        Show::Failed => "Resources that failed",
    };
    let matching = rows.iter().filter(|row| row.matches).count();
    let mut note = cx.filter_note(matching, run.state.tree().resources().len());
    if note.is_empty() {
        note = format!("{matching}");
    }
    if run.state.hidden_resources() > 0 {
        note = format!("{note}, {} more are counted and not shown", run.state.hidden_resources());
    }
    let empty = if cx.model.screen.filter.is_empty() { "none" } else { "no resource matches the filter" };
    let count = rows.len();
    let row = move |index: usize, chosen: bool| resource(cx, run, &rows[index], chosen, width).line();
    Rows { heading: heading(cx, title, &note, width), count, row: Box::new(row), empty }
}

fn resource<'a>(cx: &ViewContext<'a>, run: &Run, row: &pulumi::TreeRow<'_>, chosen: bool, width: usize) -> Row<'a> {
    let resource = row.resource;
    let (rtype, word, time) = (if width >= 100 { 30 } else { 18 }, 12, 7);
    let name = width.saturating_sub(1 + 2 + 3 + rtype + word + time + 3);
    let is_change = resource.op.is_change();
    let role = match resource.state {
        _ if !row.matches => Role::Dim,
        State::Failed => Role::Fail,
        State::Unfinished => Role::Unknown,
        State::Pending => Role::Dim,
        State::Done if !is_change => Role::Dim,
        State::Running | State::Done => Role::Text,
    };
    let glyphs = cx.theme.glyphs();
    let line = cx.row().put(Role::Strong, if chosen { glyphs.pointer } else { " " });
    let line = match resource.state {
        State::Pending => line.put(Role::Dim, glyphs.none).gap(1),
        State::Running => line.mark(Mark::Waiting),
        State::Done if !is_change => line.gap(2),
        State::Done => line.mark(Mark::Pass),
        State::Failed => line.mark(Mark::Fail),
        State::Unfinished => line.mark(Mark::Unknown),
    };
    let indent = (row.depth.min(LEVELS) * 2).min(name / 2);
    let took = resource.elapsed(cx.model.live.now).filter(|_| is_change || resource.state == State::Running);
    line.cell(role, resource.op.sign(), 3)
        .gap(indent)
        .cell(role, resource.name(), name - indent)
        .gap(1)
        .cell(Role::Dim, resource.short_type(), rtype)
        .gap(1)
        .cell(role, operation(run, resource), word)
        .gap(1)
        .num(Role::Dim, took.map(age_text).unwrap_or_default(), time)
}

/// What is done to it, in the tense that its state asks for.
fn operation(run: &Run, resource: &Resource) -> &'static str {
    match resource.state {
        _ if run.state.is_planning() && resource.state != State::Failed => resource.op.name(),
        State::Pending => resource.op.name(),
        State::Running => resource.step.doing(),
        State::Done => resource.op.done(),
        State::Failed => "failed",
        State::Unfinished => "unfinished",
    }
}

/// The log, oldest first.
pub(super) fn log<'r>(cx: &'r ViewContext<'_>, run: &'r Run, width: usize) -> Rows<'r> {
    let run_state = &run.state;
    let kept: Vec<_> = run_state.log().filter(|line| cx.model.matches_filter(&[&line.text])).collect();
    let all = run_state.log().len();
    let mut note = cx.filter_note(kept.len(), all);
    if note.is_empty() {
        note = counted(run_state.log_total(), "line", "lines");
    }
    if run_state.log_total() > all as u64 {
        note = format!("{note}, the newest {all} of them; the run's file has all");
    }
    let empty = if all == 0 { "nothing was said yet" } else { "no line matches the filter" };
    let count = kept.len();
    let row = move |index: usize, _: bool| {
        let line = kept[index];
        let (mark, role) = match line.severity {
            Severity::Error => (Some(Mark::Fail), Role::Fail),
            Severity::Warning => (Some(Mark::Unknown), Role::Text),
            Severity::Info => (None, Role::Text),
        };
        let row = cx.row().put(Role::Dim, line.at.hms()).gap(1);
        let row = if let Some(mark) = mark { row.mark(mark) } else { row.gap(2) };
        let room = row.room(width);
        row.clipped(role, &line.text, room).line()
    };
    Rows { heading: heading(cx, "Log", &note, width), count, row: Box::new(row), empty }
}
