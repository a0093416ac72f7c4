//! Traffic: every record exactly as Route 53 holds it, the share that is wanted beside the share that is seen, and the
//! change on its way.
//!
//! Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::evidence::interval::percent_of;
use crate::domain::facts::Source;
use crate::domain::model::Listing;
use crate::domain::readiness::STEP;
use crate::domain::reading;
use crate::domain::record::{Entry, Event, History};
use crate::domain::shift::USUAL_INSYNC;
use crate::domain::targets::leads;
use crate::domain::traffic::{Record, RecordGroup, Routing, Side, Target, beside};
use crate::domain::units::{age_text, short_number};
use crate::keymap::{Action, key_for};

use super::chrome::{leads_mark, percent, share_bar};
use super::context::ViewContext;
use super::text::{Row, draw_lines, wrap};
use super::theme::{Mark, Role};
use super::trends::Trend;
use super::{list, timeline, trends};

pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    let inner = Rect { x: area.x + 1, width: area.width - 2, ..area };
    let width = usize::from(inner.width);
    let facts = &cx.world.facts;
    let zone = cx
        .row()
        .put(Role::Dim, format!("zone {}  {}", cx.model.stack.group.zone_id, cx.fact_age(facts.group.as_ref())));
    let mut rest = cx.heading(buf, inner, &format!("Records of {}", cx.model.stack.group.name), zone);
    rest = take(buf, rest, &record_lines(cx, width, inner.height < 16));
    rest = cx.heading(buf, rest, "Share of the new stack", cx.row());
    rest = take(buf, rest, &share_lines(cx, width));
    rest = cx.heading(buf, rest, "Change", cx.row());
    rest = take(buf, rest, &change_lines(cx, width));
    let moves: Vec<&Entry> = cx.world.journal.iter().rev().filter(|e| is_move(&e.event)).collect();
    let below = (moves.len() as u16 + 1).clamp(3, (rest.height / 3).max(3));
    let room = rest.height.saturating_sub(below);
    if trends::fits(room) {
        let (top, _) = split(rest, room.min(trends::most(trends::TRAFFIC)));
        let left_over = trends::draw(buf, top, cx, trends::TRAFFIC).height;
        rest = split(rest, top.height - left_over).1;
    } else if room >= 5 {
        let (top, below) = split(rest, room);
        trends::alone(buf, top, cx, Trend::Share);
        rest = below;
    }
    if rest.height < 2 {
        return Listing::default();
    }
    let rest = cx.heading(buf, rest, "Moves", cx.row());
    list::draw(buf, rest, cx, moves.len(), |index| {
        let row = cx.row().put(Role::Dim, moves[index].at.hms()).gap(2);
        let room = row.room(width);
        row.clipped(Role::Text, moves[index].event.text(), room).line()
    })
}

/// Draws lines at the top of `area` and gives back what is below them.
fn take(buf: &mut Buffer, area: Rect, lines: &[Line<'_>]) -> Rect {
    draw_lines(buf, area, lines);
    split(area, lines.len() as u16).1
}

/// The first `rows` rows, and the rest.
fn split(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    (Rect { height: rows, ..area }, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

const fn is_move(event: &Event) -> bool {
    matches!(
        event,
        Event::Intent { .. }
            | Event::ZoneIntent { .. }
            | Event::Unsettled { .. }
            | Event::Outcome { .. }
            | Event::Insync { .. }
            | Event::Seen { .. }
            | Event::Accepted { .. }
    )
}

/// The records as a table, whatever shape the group has; where each leads has a line of its own where it does not fit.
fn record_lines(cx: &ViewContext<'_>, width: usize, short: bool) -> Vec<Line<'static>> {
    let facts = &cx.world.facts;
    let mut lines = Vec::new();
    if let Some(Err(shape)) = facts.group.as_ref().map(|g| &g.value) {
        let unprovisioned = if cx.model.stack.is_provisioned() { None } else { cx.picture.answered() };
        let (mark, role) = if unprovisioned.is_some() { (Mark::Waiting, Role::Text) } else { (Mark::Fail, Role::Fail) };
        for text in wrap(cx.theme, &unprovisioned.unwrap_or_else(|| shape.to_string()), width.saturating_sub(2)) {
            lines.push(cx.row().mark(mark).put(role, text).line());
        }
    }
    if facts.group.is_none() {
        let why =
            facts.error(Source::Records).map_or_else(|| "not read yet".to_owned(), |e| format!("{e}; {}", e.hint()));
        lines.push(cx.row().mark(Mark::Unknown).clipped(Role::Unknown, why, width.saturating_sub(2)).line());
    }
    let sum = facts.shiftable().map(|g| f64::from(g.weights().legacy()) + f64::from(g.weights().new_weight()));
    if facts.records.is_empty() {
        return lines;
    }
    let ids = facts.records.iter().filter_map(|r| r.set_identifier.as_ref()).map(|id| cx.cells(id)).max().unwrap_or(0);
    let ids = ids.clamp(6, 24) + 1;
    let target = facts.records.iter().map(|record| cx.cells(&record.target_text())).max().unwrap_or(0);
    // Where a target has no room beside its record it stands below; where rows are few, its beginning does.
    let beside = FIXED + ids + target <= width;
    let target = if beside || short { target.min(width.saturating_sub(FIXED + ids)) } else { 0 };
    lines.push(record_head(cx, ids, target).line());
    let text = cx.fact_role(facts.group.as_ref());
    for record in &facts.records {
        lines.push(record_row(cx, record, sum, (ids, target)).line());
        if target == 0 {
            for part in wrap(cx.theme, &record.target_text(), width.saturating_sub(6)) {
                lines.push(cx.row().gap(6).put(text, part).line());
            }
        }
    }
    lines
}

/// Cells of all columns but the identifier and the target.
const FIXED: usize = 6 + 2 + 7 + 8 + 7 + 9 + 3;

fn record_head<'a>(cx: &ViewContext<'a>, ids: usize, target: usize) -> Row<'a> {
    let row = cx.row().cell(Role::Dim, "type", 6).cell(Role::Dim, "id", ids).gap(2);
    let row = row.cell(Role::Dim, if target > 0 { "leads to" } else { "" }, target);
    row.num(Role::Dim, "weight", 7).num(Role::Dim, "share", 8).num(Role::Dim, "TTL", 7).num(Role::Dim, "health", 9)
}

fn record_row<'a>(cx: &ViewContext<'a>, record: &Record, sum: Option<f64>, (ids, target): (usize, usize)) -> Row<'a> {
    let facts = &cx.world.facts;
    let (text, none) = (cx.fact_role(facts.group.as_ref()), cx.theme.glyphs().none);
    let (role, id) = side_of(cx, record);
    let share = match (record.weight(), sum) {
        (Some(weight), Some(sum)) => percent(f64::from(weight) * 100.0 / sum),
        _ => none.to_owned(),
    };
    let weight = match &record.routing {
        Routing::Weighted(weight) => weight.to_string(),
        Routing::Simple => "simple".to_owned(),
        Routing::Other(other) => other.policy.clone(),
    };
    let health = match (&record.target, &record.health_check_id) {
        (_, Some(_)) => "check",
        (Target::Alias { evaluate_health: true, .. }, _) => "target",
        (Target::Alias { .. }, _) => "ignored",
        _ => none,
    };
    let row = cx.row().cell(Role::Strong, &record.rtype, 6).cell(role, id, ids);
    let row = match member_side(cx, record).map(|side| leads(side, record, &cx.model.stack.endpoints)) {
        Some(leads) => row.mark(cx.mark_of(facts.group.as_ref(), leads_mark(leads))),
        None if beside(&record.name, std::slice::from_ref(record)).next().is_some() => row.mark(Mark::Fail),
        None => row.gap(2),
    };
    row.cell(text, record.target_text(), target)
        .num(Role::Strong, weight, 7)
        .num(text, share, 8)
        .num(Role::Dim, age_text(record.ttl()), 7)
        .num(Role::Dim, health, 9)
}

/// Whose record it is meant to be, by its identifier.
fn member_side(cx: &ViewContext<'_>, record: &Record) -> Option<Side> {
    let (id, key) = (record.set_identifier.as_deref()?, &cx.model.stack.group);
    if id == key.legacy_id { Some(Side::Legacy) } else { (id == key.new_id).then_some(Side::New) }
}

fn side_of<'r>(cx: &ViewContext<'_>, record: &'r Record) -> (Role, &'r str) {
    let key = &cx.model.stack.group;
    match record.set_identifier.as_deref() {
        Some(id) if id == key.legacy_id => (Role::Legacy, id),
        Some(id) if id == key.new_id => (Role::New, id),
        Some(id) => (Role::Fail, id),
        None => (Role::Dim, "-"),
    }
}

/// What is wanted and what is seen, one bar below the other.
fn share_lines(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let facts = &cx.world.facts;
    let bar = |name: &str, new: f64, note: String, role: Role| {
        let head = cx.row().cell(Role::Dim, name, 8).num(Role::Legacy, percent(100.0 - new), 7).gap(1);
        let tail = cx.row().gap(1).cell(Role::New, percent(new), 8).put(role, note);
        let room = width.saturating_sub(head.width() + tail.width()).min(100);
        head.append(share_bar(cx, new, room, None)).append(tail).line()
    };
    let wanted = facts.shiftable().map(|g| g.weights().new_percent());
    let mut lines = Vec::new();
    lines.push(match wanted {
        Some(new) => bar("wanted", new, format!("{:<9}", cx.fact_age(facts.group.as_ref())), Role::Dim),
        None => cx.row().cell(Role::Dim, "wanted", 8).put(Role::Unknown, "not known").line(),
    });
    let share = reading::share(facts, cx.world.now);
    let seen = share.fresh().copied();
    lines.push(if let (Some(new), Some(at)) = (seen, share.at) {
        bar("seen", (new * 10.0).round() / 10.0, format!("{:<9}", cx.age(at)), Role::Dim)
    } else {
        let row = cx.row().cell(Role::Dim, "seen", 8);
        let room = row.room(width);
        row.clipped(Role::Dim, share.quality.why(), room).line()
    });
    let answers = answer_lines(cx, width, &bar);
    lines.splice(1..1, answers);
    let apart = wanted.zip(seen).map(|(wanted, seen)| seen - wanted);
    let note = match apart {
        Some(by) => format!(
            "seen is {} points {} wanted; old answers live for up to {}",
            short_number(by.abs()),
            if by < 0.0 { "below" } else { "above" },
            age_text(facts.shiftable().map_or(crate::domain::traffic::ALIAS_TTL, RecordGroup::ttl)),
        ),
        None => "the share that is seen comes from the request counts of both load balancers".to_owned(),
    };
    lines.push(cx.row().gap(8).clipped(Role::Dim, note, width.saturating_sub(8)).line());
    lines
}

/// What the zone's name servers answer, between what is wanted and what is seen; nothing before they were asked.
fn answer_lines(
    cx: &ViewContext<'_>,
    width: usize,
    bar: &dyn Fn(&str, f64, String, Role) -> Line<'static>,
) -> Vec<Line<'static>> {
    let answers = &cx.world.answers;
    let Some((share, at)) = cx.world.answered() else {
        let Some(why) = answers.silent() else { return Vec::new() };
        let row = cx.row().cell(Role::Dim, "answered", 9);
        let room = row.room(width);
        return vec![row.clipped(Role::Dim, why, room).line()];
    };
    let reach = short_number(percent_of(share.reach()));
    let note = format!("{:<9}±{reach} by {} name servers", cx.age(at), answers.servers());
    let note = if width < 100 { format!("{:<9}", cx.age(at)) } else { note };
    let mut lines = vec![bar("answered", percent_of(share.value), note, Role::Dim)];
    let settled = cx.world.history.as_ref().is_some_and(History::is_settled);
    for remark in answers.remarks(settled) {
        let (mark, role) = if remark.is_bad { (Mark::Unknown, Role::Unknown) } else { (Mark::Waiting, Role::Dim) };
        lines.push(cx.row().gap(9).mark(mark).clipped(role, remark.text, width.saturating_sub(11)).line());
    }
    lines
}

/// The change: its phases, its id, and what may come next.
fn change_lines(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = timeline::lines(cx, width).into();
    let facts = &cx.world.facts;
    let history = cx.world.history.as_ref();
    let mut row = cx.row();
    row = match history.and_then(|h| h.last_change.as_ref()) {
        Some((id, sent)) => {
            let status = facts.change.as_ref().filter(|c| c.value.id == *id);
            let settled = history.is_some_and(|h| h.pending.is_none());
            let word = match status {
                _ if settled => "INSYNC".to_owned(),
                Some(change) => format!("{} {}", change.value.status, cx.age(change.at)),
                None => "status not known yet".to_owned(),
            };
            row.put(Role::Text, id).gap(2).put(Role::Strong, word).put(Role::Dim, format!("  sent {}", sent.hms()))
        }
        None => row.put(Role::Dim, "no change of ours is known"),
    };
    if let Some(confirmed) = history.and_then(|h| h.confirmed) {
        let found = facts.shiftable().map(RecordGroup::weights);
        row = row.put(Role::Dim, format!("  confirmed {confirmed}")).gap(1);
        row = match found {
            Some(found) if found == confirmed => {
                row.mark(cx.mark_of(facts.group.as_ref(), Mark::Pass)).put(Role::Dim, "as found")
            }
            Some(found) => row.mark(Mark::Fail).put(Role::Fail, format!("found {found}")),
            None => row,
        };
    }
    lines.push(row.line());
    if let Some(group) = facts.shiftable() {
        let share = group.new_share();
        let after = age_text(USUAL_INSYNC + group.ttl());
        let text = format!(
            "next  {} → {}   {} → {}   {} → 0 %, no gate   in effect after about {after}",
            key_for(Action::ProposeStep(STEP)),
            share.step(STEP),
            key_for(Action::ProposeStep(-STEP)),
            share.step(-STEP),
            key_for(Action::ProposeRollback),
        );
        lines.push(cx.row().clipped(Role::Dim, text, width).line());
    }
    lines
}
