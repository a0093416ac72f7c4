//! Overview: is it safe to move, what moves now, what is wrong.
//!
//! ```text
//!  what is wrong, in one line
//!  what moves          │ gates, with the reasons
//!  replication lag     │
//!  the two stacks      │
//!  tasks, alarms       │ journal
//! ```
//!
//! Pure. A screen below 100×28 gets one column, the gates in two. From 160 columns on the left one belongs to the charts,
//! and the two stacks stand at the right.

use crate::domain::units::counted;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::model::Listing;
use crate::domain::problems::{self, Problem, Remedy};
use crate::domain::reading::{self, Quality};
use crate::domain::service::Service;

use super::context::ViewContext;
use super::text::{Row, draw_lines, wrap};
use super::theme::{Mark, Role};
use super::trends::Trend;
use super::{gates, lag, stacks, timeline, trends, verdict};

/// From this size on there are two columns.
const WIDE: (u16, u16) = (100, 23);
/// From this width on the charts have a column of their own.
const ROOMY: u16 = 160;

pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    match area.height >= WIDE.1 {
        true if area.width >= ROOMY => roomy(buf, area, cx),
        true if area.width >= WIDE.0 => wide(buf, area, cx),
        _ => narrow(buf, area, cx),
    }
}

fn roomy(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    let wrong = wrong_lines(cx, area.width.into(), if area.height > 40 { 6 } else { 3 });
    let body = take(buf, area, &wrong);
    let right_width = (body.width * 2 / 5).clamp(76, 100);
    let left = Rect { x: body.x + 1, width: body.width - right_width - 4, ..body };
    let middle = Rect { x: left.right() + 1, width: 1, ..body };
    let right = Rect { x: middle.x + 2, width: right_width, ..body };
    cx.upright(buf, middle);
    let rest = cx.heading(buf, left, "What moves", cx.row());
    let rest = take(buf, rest, &timeline::lines(cx, left.width.into()));
    trends::draw(buf, rest, cx, trends::OVERVIEW);
    let width = usize::from(right.width);
    // The stacks, their heading, tasks and alarms keep their place; a few entries of the journal do, too.
    let table = stacks::table(cx, cx.row(), width, if right.height > 30 { 9 } else { 5 });
    let kept = table.len() + 3 + if right.height > 30 { 6 } else { 2 };
    let rest = cx.heading(buf, right, "Gates", gates::count(cx));
    let rest = take(buf, rest, &gates::panel(cx, width, usize::from(rest.height).saturating_sub(kept)));
    let rest = cx.heading(buf, rest, "Two stacks", stacks::age_note(cx));
    let rest = take(buf, rest, &table);
    let rest = take(buf, rest, &service_lines(cx, width));
    let rest = cx.heading(buf, rest, "Journal", cx.row());
    take(buf, rest, &journal_lines(cx, width, rest.height.into()));
    Listing::default()
}

fn wide(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    let wrong = wrong_lines(cx, area.width.into(), if area.height > 40 { 6 } else { 3 });
    draw_lines(buf, area, &wrong);
    let used = wrong.len() as u16;
    let body = Rect { y: area.y + used, height: area.height - used, ..area };
    let left_width = (body.width * 21 / 50).clamp(46, 84);
    let left = Rect { x: body.x + 1, width: left_width - 1, ..body };
    let middle = Rect { x: body.x + left_width + 1, width: 1, ..body };
    let right = Rect { x: middle.x + 2, width: body.width.saturating_sub(left_width + 4), ..body };
    cx.upright(buf, middle);
    left_column(buf, left, cx);
    right_column(buf, right, cx)
}

fn left_column(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) {
    let width = usize::from(area.width);
    let mut rest = cx.heading(buf, area, "What moves", cx.row());
    rest = take(buf, rest, &timeline::lines(cx, width));
    let below = service_lines(cx, width);
    let table_rows = usize::from(rest.height).saturating_sub(below.len() + 15).clamp(5, 9);
    let table = stacks::table(cx, cx.row(), width, table_rows);
    let chart_rows = rest.height.saturating_sub((table.len() + below.len() + 2) as u16);
    let charts = Rect { height: chart_rows, ..rest };
    if chart_rows > lag::MOST && trends::fits(chart_rows) {
        let left_over = trends::draw(buf, charts, cx, trends::OVERVIEW).height;
        rest = Rect { y: charts.bottom() - left_over, height: rest.height - chart_rows + left_over, ..rest };
    } else if chart_rows >= 5 {
        trends::alone(buf, charts, cx, Trend::Lag);
        rest = Rect { y: rest.y + chart_rows, height: rest.height - chart_rows, ..rest };
    } else {
        rest = take(buf, rest, &[lag::line(cx, width).line()]);
    }
    rest = take(buf, rest, &[lag::throughput(cx, width).line()]);
    rest = cx.heading(buf, rest, "Two stacks", stacks::age_note(cx));
    rest = take(buf, rest, &table);
    take(buf, rest, &below);
}

fn right_column(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    let width = usize::from(area.width);
    let rest = cx.heading(buf, area, "Gates", gates::count(cx));
    let room = usize::from(rest.height).saturating_sub(if rest.height > 20 { 5 } else { 3 });
    let lines = gates::panel(cx, width, room);
    let rest = take(buf, rest, &lines);
    let rest = cx.heading(buf, rest, "Journal", cx.row());
    take(buf, rest, &journal_lines(cx, width, rest.height.into()));
    Listing::default()
}

fn narrow(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    let inner = Rect { x: area.x + 1, width: area.width - 2, ..area };
    let width = usize::from(inner.width);
    let mut rest = take(buf, area, &wrong_lines(cx, area.width.into(), 1));
    rest = Rect { x: inner.x, width: inner.width, ..rest };
    rest = take(buf, rest, &[timeline::short(cx, width).line(), lag::line(cx, width).line()]);
    rest = cx.heading(buf, rest, "Gates", gates::oldest(cx).append(gates::count(cx)));
    let half = width.saturating_sub(1) / 2;
    let all = &cx.world.gates;
    let rows = all.len().div_ceil(2);
    let lines: Vec<Line<'_>> = (0..rows)
        .map(|i| {
            let mut row = gates::short_row(cx, &all[i], half).gap(1);
            if let Some(second) = all.get(i + rows) {
                row = row.append(gates::short_row(cx, second, half));
            }
            row.line()
        })
        .collect();
    rest = take(buf, rest, &lines);
    let table_rows = if rest.height < 12 { 5 } else { usize::from(rest.height).saturating_sub(4).min(9) };
    rest = take(buf, rest, &stacks::table(cx, stacks::age_note(cx), width, table_rows));
    let tasks = tasks_row(cx, width / 2);
    let alarms = alarms_row(cx, width - width / 2 - 2);
    rest = take(buf, rest, &[tasks.tab(width / 2 + 2).append(alarms).line()]);
    take(buf, rest, &journal_lines(cx, width, rest.height.into()));
    Listing::default()
}

/// Draws lines at the top of `area` and gives back what is below them.
fn take(buf: &mut Buffer, area: Rect, lines: &[Line<'_>]) -> Rect {
    let used = area.height.min(lines.len() as u16);
    draw_lines(buf, area, lines);
    Rect { y: area.y + used, height: area.height - used, ..area }
}

/// What is wrong: one line, and the hints below it while there is room.
fn wrong_lines(cx: &ViewContext<'_>, width: usize, rows: usize) -> Vec<Line<'static>> {
    let mut found = problems::find(&cx.picture);
    if found.is_empty() {
        found.extend(problems::of_gates(&cx.picture));
    }
    let Some(worst) = found.first() else {
        let (silent, asked) = cx.picture.unheard();
        let row = cx.row().gap(1);
        let row = if silent > 0 {
            row.mark(Mark::Waiting).put(Role::Dim, format!("{} of {asked} sources have answered", asked - silent))
        } else {
            let alarms = cx.world.facts.alarms().count();
            row.mark(Mark::Pass).put(
                Role::Dim,
                format!(
                    "nothing is wrong: {}, {}, none on",
                    counted(asked, "source answers", "sources answer"),
                    counted(alarms, "alarm", "alarms")
                ),
            )
        };
        return vec![row.line()];
    };
    if rows == 1 || found.len() == 1 {
        let mut lines = vec![wrong_line(cx, worst, &problems::one_line(&found), "", width)];
        for hint in wrap(cx.theme, &worst.hint, width.saturating_sub(6)).into_iter().take(rows - 1) {
            lines.push(cx.row().gap(3).put(Role::Dim, hint).line());
        }
        return lines;
    }
    let more = found.len() - rows.min(found.len());
    let note = if more > 0 { format!("  and {more} more") } else { String::new() };
    let last = rows.min(found.len()) - 1;
    let note = |index: usize| if index == last { note.as_str() } else { "" };
    found.iter().enumerate().take(rows).map(|(at, wrong)| wrong_line(cx, wrong, &wrong.text, note(at), width)).collect()
}

/// A line of what is wrong, with what to do about it first at its end, whatever is cut.
fn wrong_line(cx: &ViewContext<'_>, wrong: &Problem, text: &str, note: &str, width: usize) -> Line<'static> {
    let remedy = format!(" · {}{note}", verdict::remedy(wrong.remedy));
    // A gate's own sentence ends in what to do, and the header has the key for it.
    let is_cut = cx.cells(text) + cx.cells(&remedy) + 4 > width;
    let remedy = if wrong.remedy == Remedy::Details && is_cut { String::new() } else { remedy };
    let room = width.saturating_sub(4 + cx.cells(&remedy));
    cx.row().gap(1).mark(wrong.mark).clipped(wrong.mark.role(), text, room).put(Role::Dim, remedy).line()
}

/// Tasks by zone, rollout, alarms.
fn service_lines(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    vec![tasks_row(cx, width).line(), alarms_row(cx, width).line()]
}

fn tasks_row<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let glyphs = cx.theme.glyphs();
    let row = cx.row().put(Role::Dim, "Tasks  ");
    let Some(fact) = &cx.world.facts.service else { return row.put(Role::Dim, "not known") };
    let service = &fact.value;
    let role = cx.fact_role(Some(fact));
    let rollout = service.rollout().unwrap_or("rollout ?");
    let running = if cx.is_old(fact.at) { Role::Dim } else { Role::New };
    let mut row = row
        .repeat(running, glyphs.running, service.running.min(24) as usize)
        .repeat(Role::Dim, glyphs.starting, service.desired.saturating_sub(service.running).min(24) as usize)
        .put(role, format!(" {}/{} ", service.running, service.desired))
        .put(if rollout == "COMPLETED" { role } else { Role::Unknown }, rollout);
    let zones = zones_text(&cx.model.stack.region, service);
    if row.room(width) > zones.len() + 10 {
        row = row.put(Role::Dim, format!("  {zones}"));
    }
    row.ending(Role::Dim, cx.fact_age(Some(fact)), width)
}

/// Running tasks by zone, the zones without their region: `a 2 b 1 c 1`.
fn zones_text(region: &str, service: &Service) -> String {
    let zones = super::service::zones(service);
    zones
        .iter()
        .map(|(zone, count)| format!("{} {count}", zone.strip_prefix(region).unwrap_or(zone)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn alarms_row<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let row = cx.row().put(Role::Dim, "Alarms ");
    let reading = reading::alarms(&cx.world.facts, cx.world.now);
    let Some(count) = reading.value else { return row.put(Role::Dim, "not known") };
    let known = reading.quality == Quality::Fresh;
    let mark = |mark| match known {
        true => mark,
        false if reading.is_stale() => Mark::Stale,
        false => Mark::Unknown,
    };
    let mut row = row;
    if count.all() == 0 {
        row = row.mark(mark(Mark::Unknown)).put(Role::Unknown, "none exist");
    }
    for (number, words, what) in [
        (count.on, "ON", Mark::Fail),
        (count.silenced, "silenced", Mark::Fail),
        (count.blind, "no data", Mark::Unknown),
        (count.ok, "OK", Mark::Pass),
    ] {
        if number > 0 {
            let what = mark(what);
            let role = if what == Mark::Pass { Role::Text } else { what.role() };
            row = row.mark(what).put(role, format!("{number} {words} "));
        }
    }
    if !known && !reading.is_stale() {
        row = row.put(Role::Unknown, "not all known ");
    }
    match reading.at {
        Some(at) if reading.is_stale() => {
            row.ending(Role::Dim, format!("{} {}", cx.theme.glyphs().stale, cx.age(at)), width)
        }
        Some(at) => row.ending(Role::Dim, cx.age(at), width),
        None => row,
    }
}

/// The newest entries, newest first.
fn journal_lines(cx: &ViewContext<'_>, width: usize, rows: usize) -> Vec<Line<'static>> {
    if let Some(error) = &cx.world.journal_error {
        return vec![cx.row().mark(Mark::Fail).clipped(Role::Fail, error, width.saturating_sub(2)).line()];
    }
    if cx.world.journal.is_empty() {
        return vec![cx.row().put(Role::Dim, "no entry yet").line()];
    }
    let newest = cx.world.journal.iter().rev().take(rows);
    newest
        .map(|entry| {
            let row = cx.row().put(Role::Dim, entry.at.hms()).gap(2);
            let room = row.room(width);
            row.clipped(Role::Text, entry.event.text(), room).line()
        })
        .collect()
}
