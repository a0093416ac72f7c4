//! The run's resources as a tree, and its log. Only the rows that are seen are made.
//!
//! Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::model::Listing;
use crate::domain::provision::Run;
use crate::domain::pulumi::{self, Resource, Severity, Show, State};
use crate::domain::units::{age_text, counted};

use super::super::context::ViewContext;
use super::super::list;
use super::super::text::{Row, draw_lines};
use super::super::theme::{Mark, Role};
use super::heading;

/// Levels of the tree that are indented; deeper ones stand under the last.
const LEVELS: usize = 8;

/// The tree.
pub(super) fn resources(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, run: &Run) -> Listing {
    if area.is_empty() {
        return Listing::default();
    }
    let width = usize::from(area.width);
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
    draw_lines(buf, Rect { height: 1, ..area }, &[heading(cx, title, &note, width)]);
    let page = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if rows.is_empty() {
        let why = if cx.model.screen.filter.is_empty() { "none" } else { "no resource matches the filter" };
        draw_lines(buf, page, &[cx.row().put(Role::Dim, why).line()]);
        return Listing::of(0, page.height);
    }
    list::draw(buf, page, cx, rows.len(), |index| resource(cx, run, &rows[index], width).line())
}

fn resource<'a>(cx: &ViewContext<'a>, run: &Run, row: &pulumi::TreeRow<'_>, width: usize) -> Row<'a> {
    let resource = row.resource;
    let (rtype, word, time) = (if width >= 100 { 30 } else { 18 }, 12, 7);
    let name = width.saturating_sub(2 + 3 + rtype + word + time + 3);
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
    let line = match resource.state {
        State::Pending => cx.row().put(Role::Dim, glyphs.none).gap(1),
        State::Running => cx.row().mark(Mark::Waiting),
        State::Done if !is_change => cx.row().gap(2),
        State::Done => cx.row().mark(Mark::Pass),
        State::Failed => cx.row().mark(Mark::Fail),
        State::Unfinished => cx.row().mark(Mark::Unknown),
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
pub(super) fn log(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, run: &Run) -> Listing {
    if area.is_empty() {
        return Listing::default();
    }
    let width = usize::from(area.width);
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
    draw_lines(buf, Rect { height: 1, ..area }, &[heading(cx, "Log", &note, width)]);
    let page = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if kept.is_empty() {
        let why = if all == 0 { "nothing was said yet" } else { "no line matches the filter" };
        draw_lines(buf, page, &[cx.row().put(Role::Dim, why).line()]);
        return Listing::of(0, page.height);
    }
    list::draw(buf, page, cx, kept.len(), |index| {
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
    })
}
