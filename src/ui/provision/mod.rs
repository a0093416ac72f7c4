//! Provision: whether Pulumi can be used, the run that is followed, the plan that waits; or what the keys would do.
//!
//! Pure. What must be seen first is drawn first: dangers, then what stands in the way, then the run, then its list. The
//! list scrolls and only its visible rows are made, so that 2,000 resources cost no more than 20.

mod configuration;
mod list;
mod plan;
mod run;
mod status;

pub(super) use configuration::key_row;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::model::Listing;
use crate::domain::provision::{ReadyPlan, Run};
use crate::domain::pulumi::guard::RunKind;
use crate::domain::run_preconditions::name_state;
use crate::domain::traffic::GroupError;
use crate::domain::zone::NameState;
use crate::keymap::{Action, key_for};

use super::context::ViewContext;
use super::text::{Row, draw_lines, wrap};
use super::theme::{Mark, Role};

/// Rows of the list that are kept free however much stands above it.
const LIST_ROWS: u16 = 5;
/// Below so many rows a failed run shows its message and leaves its command out.
const SHORT: u16 = 24;

pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let width = usize::from(inner.width);
    if inner.is_empty() {
        return Listing::default();
    }
    let foot = Rect { y: inner.bottom() - 1, height: 1, ..inner };
    draw_lines(buf, foot, &[keys(cx, width).line()]);
    let inner = Rect { height: inner.height - 1, ..inner };
    let provision = &cx.model.provision;
    let Some(run) = &provision.run else {
        let lines = without_run(cx, width);
        return super::list::draw(buf, inner, cx, lines.len(), |index| lines[index].clone());
    };
    let plan = ready_plan(cx, run);
    // Why it failed is worth more than the list of what it did: there it takes all the room that it needs.
    let kept = if has_failed(run) && !provision.log { 0 } else { LIST_ROWS.min(inner.height / 2) };
    let head_rows = inner.height - kept;
    let lines = above_the_list(cx, run, plan, (inner.height, head_rows), width);
    let rows = match plan {
        _ if provision.log => list::log(cx, run, width),
        Some(plan) => plan::steps(cx, plan, width),
        None => list::resources(cx, run, width),
    };
    if lines.len() > usize::from(head_rows) {
        // More than is pinned above a list: all of it scrolls as one.
        let above = lines.len();
        return super::list::draw(buf, inner, cx, above + 1 + rows.count, |index| match index {
            index if index < above => lines[index].clone(),
            index if index == above => rows.heading.clone(),
            index => (rows.row)(index - above - 1, false),
        });
    }
    draw_lines(buf, inner, &lines);
    let used = lines.len() as u16;
    let rest = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    let outputs = if provision.log || plan.is_some() { 0 } else { run::outputs_height(run, rest.height) };
    let upper = Rect { height: rest.height - outputs, ..rest };
    run::outputs(buf, Rect { y: upper.bottom(), height: outputs, ..rest }, cx, run);
    listed(buf, upper, cx, &rows, !provision.log)
}

/// A list as it is drawn: its heading, and its rows, of which only those that are seen are made.
struct Rows<'r> {
    heading: Line<'static>,
    count: usize,
    row: Box<dyn Fn(usize, bool) -> Line<'static> + 'r>,
    /// What is said where there is no row.
    empty: &'static str,
}

/// The list under what is pinned above it. A row of it can be chosen, unless they are lines of a log.
fn listed(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, rows: &Rows<'_>, chosen: bool) -> Listing {
    if area.is_empty() {
        return Listing::default();
    }
    draw_lines(buf, Rect { height: 1, ..area }, std::slice::from_ref(&rows.heading));
    let page = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if rows.count == 0 {
        draw_lines(buf, page, &[cx.row().put(Role::Dim, rows.empty).line()]);
    }
    if chosen {
        super::list::choose(buf, page, cx, rows.count, |index, is_chosen| (rows.row)(index, is_chosen))
    } else {
        super::list::draw(buf, page, cx, rows.count, |index| (rows.row)(index, false))
    }
}

/// What is said while there is no run.
fn without_run(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = status::lines(cx, width);
    let (configuration, keys) = (configuration::lines(cx, width), status::what_keys_do(cx, width));
    // What stands in the way comes first, and what only confirms last.
    let (first, last) =
        if configuration::stands_in_the_way(cx) { (configuration, keys) } else { (keys, configuration) };
    lines.extend(first);
    lines.extend(last);
    lines
}

/// What stands above the list, in so many of all `rows`.
fn above_the_list(
    cx: &ViewContext<'_>,
    run: &Run,
    plan: Option<&ReadyPlan>,
    (rows, head_rows): (u16, u16),
    width: usize,
) -> Vec<Line<'static>> {
    let provision = &cx.model.provision;
    let failed = has_failed(run);
    // Where rows are few, the message of a failure is worth more than the command.
    let short = plan.is_some() || provision.log || (failed && rows < SHORT);
    let mut around = status::lines(cx, width);
    around.extend(configuration::missing(cx, width));
    let mut lines = run::lines(cx, run, short, width);
    if failed {
        if !provision.log {
            lines.extend(run::failures(cx, run, width));
        }
        lines.extend(around);
    } else {
        lines.splice(..0, around);
    }
    if let Some(plan) = plan {
        lines.extend(plan::counts(cx, plan, width));
        // At most a third of the screen: the plan that they are about has to be seen, too.
        let room = usize::from(head_rows).saturating_sub(lines.len()).min(usize::from(rows / 3).max(3));
        lines.splice(..0, plan::dangers(cx, plan, width, room));
    }
    if !failed && !provision.log && plan.is_none() {
        lines.extend(run::failures(cx, run, width));
    }
    lines
}

fn has_failed(run: &Run) -> bool {
    run.ending.as_ref().is_some_and(|ending| !ending.succeeded)
}

/// The plan that waits, when it is that of the run that is shown.
fn ready_plan<'a>(cx: &ViewContext<'a>, run: &Run) -> Option<&'a ReadyPlan> {
    cx.model.provision.plan.as_ref().filter(|plan| run.ending.is_some() && plan.run == run.head.id)
}

/// The keys that mean something now.
fn keys<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let provision = &cx.model.provision;
    let locked = provision.look.as_ref().is_some_and(|look| !look.value.locks.is_empty());
    let going_on = provision.going_on().is_some();
    let mut keys = vec![];
    if going_on {
        keys.push((Action::Stop, "stop"));
    } else {
        let planned = provision.plan.as_ref().map(|plan| plan.kind);
        let needs = provision.setup().is_some_and(|setup| !setup.missing().is_empty());
        if needs {
            keys.push((Action::Configure, "set what is missing"));
        } else {
            keys.push((Action::Preview, "preview"));
        }
        if planned == Some(RunKind::Preview) {
            keys.push((Action::Up, "run the plan"));
        }
        let destroys = planned == Some(RunKind::PreviewDestroy);
        keys.push((Action::Destroy, if destroys { "run the destroy" } else { "destroy" }));
        if !needs {
            keys.push((Action::Configure, "configure"));
        }
        match name_state(cx.model) {
            Some(NameState::Simple(_)) => keys.push((Action::Adopt, "adopt the name")),
            Some(NameState::Pair(_) | NameState::LegacyOnly | NameState::Other(GroupError::Mixed { .. })) => {
                keys.push((Action::Release, "release the name"));
            }
            _ => {}
        }
    }
    if locked {
        keys.push((Action::ClearLocks, "clear locks"));
    }
    if provision.run.is_some() {
        keys.push((Action::ToggleLog, if provision.log { "resources" } else { "log" }));
        keys.push((Action::CycleShow, "which"));
        keys.push((Action::Filter, "filter"));
    }
    let mut row = cx.row();
    for (action, word) in keys {
        let label = key_for(action);
        if row.room(width) < cx.cells(&label) + word.len() + 3 {
            break;
        }
        row = row.put(Role::Key, label).put(Role::Dim, format!(" {word}")).gap(2);
    }
    row
}

/// A wrapped paragraph.
fn paragraph(cx: &ViewContext<'_>, out: &mut Vec<Line<'static>>, role: Role, text: &str, width: usize) {
    for line in text.lines() {
        out.extend(wrap(cx.theme, line, width).into_iter().map(|line| cx.row().put(role, line).line()));
    }
}

/// A wrapped paragraph behind a mark; its other lines stand under its first.
fn marked(cx: &ViewContext<'_>, out: &mut Vec<Line<'static>>, mark: Mark, role: Role, text: &str, width: usize) {
    let mut first = true;
    for line in text.lines() {
        for line in wrap(cx.theme, line, width.saturating_sub(2)) {
            let row = if std::mem::take(&mut first) { cx.row().mark(mark) } else { cx.row().gap(2) };
            out.push(row.put(role, line).line());
        }
    }
}

/// A heading as a line of a list, with a rule to the right end.
fn heading(cx: &ViewContext<'_>, title: &str, note: &str, width: usize) -> Line<'static> {
    let row = cx.row().clipped(Role::Strong, title, width).gap(1);
    let note_cells = cx.cells(note);
    let fits = note_cells > 0 && note_cells + 2 < row.room(width);
    let rule = row.room(width).saturating_sub(if fits { note_cells + 1 } else { 0 });
    let row = row.repeat(Role::Rule, cx.theme.glyphs().rule, rule);
    if fits { row.gap(1).put(Role::Dim, note).line() } else { row.line() }
}
