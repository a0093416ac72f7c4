//! What every view shows: three header lines, the tabs, the footer.
//!
//! Pure. The footer is read from the key table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::endpoint::elsewhere;
use crate::domain::error::ErrorKind;
use crate::domain::evidence::interval::percent_of;
use crate::domain::facts::Source;
use crate::domain::model::TOAST_TIME;
use crate::domain::readiness::readiness;
use crate::domain::reading::{self, Quality, Requests};
use crate::domain::schedule::cost_per_hour;
use crate::domain::series::PERIOD;
use crate::domain::targets::{Leads, members};
use crate::domain::traffic::{RecordGroup, Side};
use crate::domain::units::{Timestamp, age_text, short_number};
use crate::keymap::{KEYMAP, View};

use super::context::ViewContext;
use super::text::{Row, draw_lines};
use super::theme::{Mark, Role};
use super::verdict;

/// Rows above and below the view.
const ROWS: u16 = 5;
/// The row of the tabs.
pub(super) const TABS: u16 = 3;

/// Draws header, tabs and footer; gives back the area between them.
pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Rect {
    let width = usize::from(area.width);
    let lines =
        [who(cx, width).line(), weights(cx, width).line(), verdict_row(cx, width).line(), tabs(cx, width).line()];
    draw_lines(buf, area, &lines);
    let last = Rect { y: area.bottom() - 1, height: 1, ..area };
    draw_lines(buf, last, &[footer(cx, width).line()]);
    Rect { y: area.y + 4, height: area.height.saturating_sub(ROWS), ..area }
}

/// Stack, regions, account, identity; what is unusual about this program; the clock.
fn who<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let (stack, watcher) = (&cx.model.stack, &cx.model.watcher);
    let mut right = cx.row();
    if let Some(simulation) = &watcher.simulation {
        right = right.put(Role::Badge, format!(" SIMULATION ×{} ", short_number(simulation.speed))).gap(1);
    }
    if watcher.simulation.is_none() {
        let hosts = elsewhere(&watcher.api_endpoints);
        if let Some(host) = hosts.first() {
            let more = if hosts.len() > 1 { format!("+{} ", hosts.len() - 1) } else { String::new() };
            right = right.put(Role::Badge, format!(" ENDPOINT {host} {more}")).gap(1);
        }
    }
    if watcher.read_only {
        right = right.put(Role::Badge, " READ-ONLY ").gap(1);
    }
    let zone = if width < 100 { "Z" } else { " UTC" };
    right = right.put(Role::Text, format!("{}{zone}", cx.world.now.hms())).gap(1);

    let room = width.saturating_sub(right.width() + 1);
    let mut left = cx.row().gap(1);
    if width >= 100 {
        left = left.put(Role::Dim, "tapctl").gap(2);
    }
    for (role, text) in [
        (Role::Strong, stack.name.as_str()),
        (Role::Text, "  "),
        (Role::Legacy, &stack.legacy_region),
        (Role::Dim, " → "),
        (Role::New, &stack.region),
        (Role::Text, "  "),
    ] {
        let rest = left.room(room);
        left = left.clipped(role, text, rest);
    }
    let (account, name) = match &cx.world.facts.identity {
        Some(fact) => (fact.value.account.as_str(), fact.value.short()),
        None => ("account ?", watcher.operator.as_str()),
    };
    let rest = left.room(room);
    let with_host = format!("{name}@{}", watcher.host);
    let name = if account.len() + 1 + cx.cells(&with_host) <= rest { with_host.as_str() } else { name };
    let last_four = account.get(account.len().saturating_sub(4)..).unwrap_or(account);
    let account =
        if account.len() + 1 + cx.cells(name) <= rest { account.to_owned() } else { format!("..{last_four}") };
    left = left.clipped(Role::Text, account, rest);
    if left.room(room) > 1 {
        left = left.gap(1);
    }
    let rest = left.room(room);
    left.clipped(Role::Text, name, rest).tab(room + 1).append(right)
}

/// The weights as Route 53 has them beside the share that was seen, and the age of all this.
fn weights<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let facts = &cx.world.facts;
    let Some(group) = facts.shiftable() else { return no_weights(cx, width) };
    let known = reading::fact(facts.group.as_ref(), Source::Records, facts, cx.world.now);
    let sign = if known.quality == Quality::Fresh { "" } else { cx.theme.glyphs().stale };
    let weights = group.weights();
    let (new, legacy) = (weights.new_percent(), 100.0 - weights.new_percent());
    let seen = reading::share(facts, cx.world.now).fresh().copied();
    let tail = seen_and_age(cx, width);
    let [legacy_mark, new_mark] = [Side::Legacy, Side::New].map(|side| target_mark(cx, group, side));
    let head = cx
        .row()
        .gap(1)
        .mark(legacy_mark)
        .put(Role::Legacy, "legacy ")
        .put(Role::Strong, format!("{sign}{}", percent(legacy)))
        .gap(1);
    let after = cx
        .row()
        .gap(1)
        .put(Role::Strong, format!("{sign}{}", percent(new)))
        .put(Role::New, " new ")
        .mark(new_mark)
        .gap(1);
    let room = width.saturating_sub(head.width() + after.width() + tail.width());
    head.append(share_bar(cx, new, room, seen)).append(after).append(tail)
}

/// From this width on there is room for what the name servers answer.
const WIDE: usize = 110;
/// Cells for the age of the data, `data <10 s`.
const DATA: usize = 10;

/// What stands behind the share: what was seen of it, the requests, and how old the facts are.
fn seen_and_age<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let (data, data_role) = data_age(cx);
    let mut tail = cx.row();
    // What is wanted stands before it: wanted, answered, seen.
    if let Some((answered, _)) = cx.world.answered().filter(|_| width >= WIDE) {
        let value = short_number(percent_of(answered.value));
        tail = tail.put(Role::Dim, "dns ").put(Role::Text, format!("{value} %")).gap(2);
    }
    let share = reading::share(&cx.world.facts, cx.world.now);
    if let (Some(seen), Some(at)) = (share.fresh().copied(), share.at) {
        tail =
            tail.put(Role::Text, format!("seen {} %", short_number(seen))).put(Role::Dim, format!(" {}", cx.age(at)));
    } else {
        tail = tail.put(Role::Dim, "seen ? %");
    }
    if width >= 100 {
        tail = tail.gap(2).put(Role::Text, requests_text(cx)).gap(2);
    } else {
        tail = tail.gap(1);
    }
    tail = if let Some(held) = frozen_for(cx) {
        tail.put(Role::Badge, format!(" FROZEN {held} "))
    } else {
        // As wide as it is most of the time, so that the share's bar does not change with it.
        let width = cx.cells(&data).max(DATA);
        tail.num(data_role, data, width)
    };
    tail.gap(1)
}

/// Why no weights are shown.
fn no_weights<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let facts = &cx.world.facts;
    let (data, data_role) = data_age(cx);
    let unprovisioned = if cx.model.stack.is_provisioned() { None } else { cx.picture.answered() };
    let calm = unprovisioned.is_some() || !cx.model.stack.unset.is_empty();
    let why = match facts.group.as_ref().map(|g| &g.value) {
        _ if !cx.model.stack.unset.is_empty() => "it is not configured yet which record is moved".to_owned(),
        _ if let Some(text) = unprovisioned => text,
        Some(Err(shape)) => shape.to_string(),
        _ => match facts.error(Source::Records) {
            Some(error) => format!("the weights are not known: {error}"),
            None => "the weights are not known yet".to_owned(),
        },
    };
    let room = width.saturating_sub(cx.cells(&data) + 4);
    let role = if calm {
        Role::Text
    } else if facts.group.is_some() {
        Role::Fail
    } else {
        Role::Unknown
    };
    let row = cx.row().gap(1).clipped(role, why, room);
    match frozen_for(cx) {
        Some(held) => row.ending(Role::Badge, format!(" FROZEN {held} "), width - 1),
        None => row.ending(data_role, data, width - 1),
    }
}

/// Whether the side's members lead to its own load balancer: the share beside it is that stack's only then.
pub(super) fn target_mark(cx: &ViewContext<'_>, group: &RecordGroup, side: Side) -> Mark {
    let worst = members(group, &cx.model.stack.endpoints)
        .into_iter()
        .filter(|member| member.side == side)
        .map(|member| member.leads)
        .max_by_key(|leads| match leads {
            Leads::Home => 0,
            Leads::Unknown => 1,
            Leads::Across | Leads::Elsewhere => 2,
        });
    cx.mark_of(cx.world.facts.group.as_ref(), leads_mark(worst.unwrap_or(Leads::Unknown)))
}

/// The sign of a member that leads so.
pub(super) const fn leads_mark(leads: Leads) -> Mark {
    match leads {
        Leads::Home => Mark::Pass,
        Leads::Across | Leads::Elsewhere => Mark::Fail,
        Leads::Unknown => Mark::Unknown,
    }
}

/// How long the display has been held still.
fn frozen_for(cx: &ViewContext<'_>) -> Option<String> {
    cx.model.frozen.as_ref().map(|world| age_text(cx.model.live.now.since(world.now)))
}

/// `20 %`, with a digit behind the point only where there is one.
pub(super) fn percent(value: f64) -> String {
    if (value - value.round()).abs() < 0.05 { format!("{value:.0} %") } else { format!("{value:.1} %") }
}

/// A bar whose left part is the legacy share and whose right part is the new one; `seen` sets a sign where the
/// traffic really splits.
pub(super) fn share_bar<'a>(cx: &ViewContext<'a>, new_percent: f64, width: usize, seen: Option<f64>) -> Row<'a> {
    let glyphs = cx.theme.glyphs();
    let at = |new: f64| ((100.0 - new.clamp(0.0, 100.0)) * width as f64 / 100.0).round() as usize;
    let mut edge = at(new_percent);
    // A share that is not 0 is seen, however narrow the bar.
    if new_percent > 0.0 {
        edge = edge.min(width.saturating_sub(1));
    }
    if new_percent < 100.0 {
        edge = edge.max(1.min(width));
    }
    let sign = seen.filter(|_| width > 0).map(|seen| at(seen).min(width - 1));
    let mut row = cx.row();
    let mut from = 0;
    for (to, role, glyph) in [(edge, Role::Legacy, glyphs.bar_legacy), (width, Role::New, glyphs.bar_new)] {
        match sign {
            Some(sign) if (from..to).contains(&sign) => {
                row = row.repeat(role, glyph, sign - from).put(Role::Strong, glyphs.seen);
                row = row.repeat(role, glyph, to - sign - 1);
            }
            _ => row = row.repeat(role, glyph, to.saturating_sub(from)),
        }
        from = to;
    }
    row
}

/// Requests per second of both stacks together; of one alone under its name, where the other counts none.
fn requests_text(cx: &ViewContext<'_>) -> String {
    let reading = reading::requests(&cx.world.facts, cx.world.now);
    let rate = |sum: f64| format!("{} req/s", short_number((sum / PERIOD.as_secs_f64()).round()));
    match reading.fresh() {
        Some(Requests { legacy: Some(legacy), new: Some(new) }) => rate(legacy + new),
        Some(Requests { legacy: Some(legacy), new: None }) => format!("legacy {}", rate(*legacy)),
        Some(Requests { legacy: None, new: Some(new) }) => format!("new {}", rate(*new)),
        _ => "req/s ?".to_owned(),
    }
}

/// The age of the oldest of the facts that come from Describe calls; metrics carry their own minutes.
fn data_age(cx: &ViewContext<'_>) -> (String, Role) {
    let counted = Source::ALL
        .into_iter()
        .filter(|s| !matches!(s, Source::Identity | Source::Change | Source::MetricsNew | Source::MetricsLegacy));
    let mut oldest: Option<Timestamp> = None;
    let (mut silent, mut count) = (0, 0);
    for source in counted {
        // What does not exist yet is not waited for.
        if cx.world.facts.error(source).is_some_and(|error| error.kind == ErrorKind::NotProvisioned) {
            continue;
        }
        count += 1;
        match cx.world.facts.sources.get(&source).and_then(|h| h.last_ok) {
            Some(at) => oldest = Some(oldest.map_or(at, |o| o.min(at))),
            None => silent += 1,
        }
    }
    match oldest {
        None => ("no data yet".to_owned(), Role::Unknown),
        Some(at) if silent > 0 => (format!("data {}/{count} {}", count - silent, cx.age(at)), Role::Unknown),
        Some(at) if cx.is_old(at) => (format!("data {} {}", cx.theme.glyphs().stale, cx.age(at)), Role::Unknown),
        Some(at) => (format!("data {}", cx.age(at)), Role::Dim),
    }
}

/// The most prominent line of the screen: may the next step be made?
fn verdict_row<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let ready = readiness(&cx.picture);
    let row = cx.row().gap(1).put(ready.mark.badge(), format!(" {} {} ", cx.theme.mark(ready.mark), ready.word)).gap(1);
    let room = row.room(width - 1);
    row.clipped(Role::Strong, verdict::line(cx, &ready, room), room)
}

/// The views with their numbers; a view where a gate does not pass carries that gate's sign.
fn tabs<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let row = View::ALL.into_iter().fold(tab_start(cx), |row, view| tab(cx, row, view, width));
    let rest = row.room(width);
    row.repeat(Role::Rule, cx.theme.glyphs().rule, rest)
}

/// The view whose tab is in this column.
pub(super) fn tab_in(cx: &ViewContext<'_>, width: usize, column: usize) -> Option<View> {
    let mut row = tab_start(cx);
    for view in View::ALL {
        let from = row.width();
        row = tab(cx, row, view, width);
        if (from..row.width()).contains(&column) {
            return Some(view);
        }
    }
    None
}

fn tab_start<'a>(cx: &ViewContext<'a>) -> Row<'a> {
    cx.row().put(Role::Rule, cx.theme.glyphs().rule)
}

fn tab<'a>(cx: &ViewContext<'a>, row: Row<'a>, view: View, width: usize) -> Row<'a> {
    let shown = cx.model.screen.view;
    let names = if width >= 76 { usize::MAX } else { 4 };
    let title: String = view.title().chars().take(if view == shown { usize::MAX } else { names }).collect();
    let own = cx.world.gates.iter().filter(|gate| verdict::home(gate.id) == view && !gate.passes());
    let worst = own.map(|gate| cx.picture.mark(gate)).max_by_key(|mark| match mark {
        Mark::Fail => 2,
        Mark::Unknown | Mark::Stale => 1,
        _ => 0,
    });
    // A run that goes on is no fault: it ends by itself, and until then no weight moves.
    let runs = view == View::Provision && cx.model.provision.going_on().is_some();
    let worst = if runs { Some(Mark::Waiting) } else { worst };
    let number = view.index() + 1;
    let row = if view == shown {
        row.put(Role::Tab, format!("[{number} {title}]"))
    } else {
        row.gap(1).put(Role::Key, format!("{number}")).put(Role::Text, format!(" {title}"))
    };
    match worst {
        Some(mark) if view != View::Overview => row.put(mark.role(), cx.theme.mark(mark)),
        _ if view == shown => row,
        _ => row.gap(1),
    }
}

/// What just happened, the filter being typed, or the keys.
fn footer<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let screen = &cx.model.screen;
    let row = cx.row().gap(1);
    if screen.filtering {
        return row
            .put(Role::Key, "/")
            .put(Role::Strong, &screen.filter)
            .put(Role::Strong, cx.theme.glyphs().cursor)
            .put(Role::Dim, "  Enter keeps the filter, Esc drops it");
    }
    if let Some(toast) = screen.toast.as_ref().filter(|t| cx.model.uptime.saturating_sub(t.at) < TOAST_TIME) {
        let (mark, role) = if toast.is_bad { (Mark::Fail, Role::Fail) } else { (Mark::Pass, Role::Strong) };
        return row.mark(mark).clipped(role, &toast.text, width - 4);
    }
    let mut row = row;
    if !screen.filter.is_empty() {
        row = row
            .put(Role::Badge, format!(" /{} ", screen.filter))
            .put(Role::Key, " Esc")
            .put(Role::Dim, " drops it")
            .gap(2);
    }
    for binding in KEYMAP.iter().filter(|b| !b.short.is_empty()) {
        let Some(key) = binding.keys.first() else { continue };
        let label = key.label();
        if row.width() + cx.cells(&label) + 1 + cx.cells(binding.short) >= width {
            break;
        }
        row = row.put(Role::Key, label).put(Role::Dim, format!(" {}", binding.short)).gap(2);
    }
    row.ending(Role::Dim, cost_text(), width - 1)
}

/// What watching costs.
pub(super) fn cost_text() -> String {
    format!("watching costs ${:.3}/h", cost_per_hour())
}
