//! The replication lag: in words, in one line, and as a chart with its limit.
//!
//! Pure.

use crate::domain::gate::GateId;
use crate::domain::metrics::Metric;
use crate::domain::reading;
use crate::domain::units::{age_text, short_number};

use super::chart::Curve;
use super::context::ViewContext;
use super::text::Row;
use super::theme::{Mark, Role};

/// The lag of the target in words: verdict, value, limit, age.
fn note<'a>(cx: &ViewContext<'a>) -> Row<'a> {
    let reading = reading::lag(&cx.world.facts, cx.world.now);
    let reading = cx.shown(&reading, |v| format!("{} s", short_number(*v)));
    let gate = cx.world.gates.iter().find(|g| g.id == GateId::ReplicationLag);
    let mark = gate.map_or(Mark::Unknown, |g| cx.picture.mark(g));
    let role = if mark == Mark::Pass { Role::Strong } else { mark.role() };
    let row = cx
        .row()
        .mark(mark)
        .put(role, reading.text)
        .put(Role::Dim, format!(" of {}", age_text(cx.model.policy.lag_limit)));
    match reading.at {
        Some(at) => row.put(Role::Dim, format!("  {}", cx.age(at))),
        None => row.put(Role::Dim, "  not known"),
    }
}

/// Both values with their names, as far as there is room.
pub(super) fn words<'a>(cx: &ViewContext<'a>, room: usize) -> Row<'a> {
    let source = cx.reading(Metric::LagSource, |v| format!("{} s", short_number(v)));
    let words = cx
        .row()
        .put(Role::Legacy, "S source ")
        .put(source.role, source.text)
        .put(Role::New, "  T target ")
        .append(note(cx));
    if words.width() > room { note(cx) } else { words }
}

/// Source and target over time.
pub(super) fn curves<'p>(cx: &ViewContext<'p>) -> [Curve<'p>; 2] {
    let metrics = &cx.world.facts.metrics;
    [
        Curve::of(metrics.series(Metric::LagSource), Role::Legacy).tagged("S"),
        Curve::of(metrics.series(Metric::LagTarget), Role::New).tagged("T"),
    ]
}

/// The limit with its name.
pub(super) fn limit(cx: &ViewContext<'_>) -> (f64, String) {
    let limit = cx.model.policy.lag_limit;
    (limit.as_secs_f64(), format!("limit {}", age_text(limit)))
}

/// Rows of the panel at most: more of them show no more.
pub(super) const MOST: u16 = 12;

/// The lag in one line, with its history against the limit.
pub(super) fn line<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let points = cx.world.facts.metrics.series(Metric::LagTarget).points();
    let row = cx.row().put(Role::Strong, "Lag ").append(note(cx)).gap(1);
    let room = width.saturating_sub(row.width()).min(30);
    let limit = cx.model.policy.lag_limit.as_secs_f64();
    let most = points.iter().map(|p| p.value).fold(limit, f64::max);
    let steps = &cx.theme.glyphs().spark;
    let history: String = points[points.len().saturating_sub(room)..]
        .iter()
        .map(|p| steps[((p.value / most * 7.0).round() as usize + 1).min(8)])
        .collect();
    row.put(Role::New, history)
}

/// Throughput on both sides and what waits between them.
pub(super) fn throughput<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let rows = |metric| cx.reading(metric, |v| short_number(v.round()));
    let (source, target, backlog) = (rows(Metric::RowsSource), rows(Metric::RowsTarget), rows(Metric::Backlog));
    let row = cx
        .row()
        .put(Role::Dim, "rows/s in ")
        .put(source.role, source.text)
        .put(Role::Dim, " out ")
        .put(target.role, target.text)
        .put(Role::Dim, "  waiting ")
        .put(backlog.role, backlog.text);
    match target.at {
        Some(at) => row.ending(Role::Dim, cx.age(at), width),
        None => row,
    }
}
