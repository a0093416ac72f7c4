//! Journal: what was done, by whom, newest first; the entry at the pointer with all it holds.
//!
//! Pure.

use crate::domain::units::counted;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::model::Listing;
use crate::domain::record::{Entry, Event, OutcomeKind};

use super::context::ViewContext;
use super::list;
use super::text::{Row, draw_lines, wrap};
use super::theme::{Mark, Role};

pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    let inner = Rect { x: area.x + 1, width: area.width - 2, ..area };
    let width = usize::from(inner.width);
    let all = &cx.world.journal;
    let kept: Vec<&Entry> = cx.model.entries().collect();
    let mut note = cx.row().put(Role::Dim, cx.filter_note(kept.len(), all.len())).gap(1);
    if cx.world.journal_broken > 0 {
        note =
            note.put(Role::Unknown, format!("cannot be read: {}  ", counted(cx.world.journal_broken, "line", "lines")));
    }
    let rest =
        cx.heading(buf, inner, "Journal, newest first", note.put(Role::Dim, counted(all.len(), "entry", "entries")));
    if let Some(error) = &cx.world.journal_error {
        let lines: Vec<_> = wrap(cx.theme, error, width.saturating_sub(2))
            .into_iter()
            .map(|line| cx.row().mark(Mark::Fail).put(Role::Fail, line).line())
            .collect();
        draw_lines(buf, rest, &lines);
        return Listing::default();
    }
    if kept.is_empty() {
        let why = if all.is_empty() { "nothing was done yet" } else { "no entry matches the filter" };
        draw_lines(buf, rest, &[cx.row().put(Role::Dim, why).line()]);
        return Listing::default();
    }
    let detail_rows = if rest.height >= 12 { 7 } else { 0 };
    let page = Rect { height: rest.height - detail_rows, ..rest };
    let chosen = cx.model.scroll().min(kept.len() - 1);
    // The pointer, and not the page, is scrolled: every entry can be looked at.
    let listing =
        list::choose(buf, page, cx, kept.len(), |index, is_chosen| entry_row(cx, kept[index], is_chosen, width).line());
    if detail_rows > 0 {
        let below = Rect { y: page.bottom(), height: detail_rows, ..rest };
        let rest =
            cx.heading(buf, below, "Entry", cx.row().put(Role::Dim, format!("{} of {}", chosen + 1, kept.len())));
        draw_lines(buf, rest, &detail(cx, kept[chosen], width));
    }
    listing
}

fn entry_row<'a>(cx: &ViewContext<'a>, entry: &Entry, chosen: bool, width: usize) -> Row<'a> {
    let sign = if chosen { cx.theme.glyphs().pointer } else { " " };
    let stamp = entry.at.to_string();
    // The date is told where it is not today's.
    let today = stamp.get(..10) == cx.world.now.to_string().get(..10);
    let time = if today { entry.at.hms() } else { stamp.get(5..16).unwrap_or_default().replace('T', " ") };
    let (mark, role) = look(&entry.event);
    let mut row =
        cx.row().put(Role::Strong, sign).gap(1).cell(Role::Dim, time, 12).cell(Role::Text, &entry.operator, 20);
    row = match mark {
        Some(mark) => row.mark(mark),
        None => row.gap(2),
    };
    let room = row.room(width);
    row.clipped(role, entry.event.text(), room)
}

/// The sign of an entry, where it says how something ended.
const fn look(event: &Event) -> (Option<Mark>, Role) {
    match event {
        Event::Outcome { result, .. } => match result {
            OutcomeKind::Accepted | OutcomeKind::SettledApplied => (Some(Mark::Pass), Role::Text),
            OutcomeKind::Unknown => (Some(Mark::Unknown), Role::Unknown),
            OutcomeKind::Conflict | OutcomeKind::Refused | OutcomeKind::SettledNotApplied => {
                (Some(Mark::Fail), Role::Text)
            }
        },
        Event::Unsettled { .. } => (Some(Mark::Unknown), Role::Unknown),
        Event::Insync { verified: true, .. } => (Some(Mark::Pass), Role::Text),
        Event::Insync { verified: false, .. } => (Some(Mark::Fail), Role::Fail),
        Event::Declined { .. } => (None, Role::Dim),
        _ => (None, Role::Text),
    }
}

/// All that an entry holds.
fn detail(cx: &ViewContext<'_>, entry: &Entry, width: usize) -> Vec<Line<'static>> {
    let whole = entry.at.to_string();
    let stamp = format!("{}.{:03}Z", whole.trim_end_matches('Z'), entry.at.millis().rem_euclid(1000));
    let mut lines = vec![
        cx.row()
            .put(Role::Strong, stamp)
            .put(Role::Dim, format!("  {} ago", cx.age(entry.at)))
            .put(Role::Text, format!("  {} on {}", entry.operator, entry.host))
            .line(),
    ];
    let facts = match &entry.event {
        Event::Intent { id, record, from, to, .. } => format!("intent {id}: {record} weights {from} → {to}"),
        Event::ZoneIntent { id, plan } => format!("intent {id}: {} in the zone {}", plan.name, plan.zone_id),
        Event::Unsettled { id, until, .. } => format!("intent {id} may be carried out until {until}"),
        Event::Outcome { id, change, .. } => match change {
            Some(change) => format!("outcome of intent {id}, change {change}"),
            None => format!("outcome of intent {id}, no change was made or its id is not known"),
        },
        Event::Insync { change, .. } => format!("change {change}"),
        Event::Run { id, .. } => format!("run {id}"),
        Event::Declined { .. } | Event::Seen { .. } | Event::Accepted { .. } | Event::Note { .. } => String::new(),
    };
    for text in [facts, entry.event.text()] {
        lines.extend(wrap(cx.theme, &text, width).into_iter().map(|line| cx.row().put(Role::Text, line).line()));
    }
    lines
}
