//! The two stacks side by side: legacy left, new right.
//!
//! Pure.

use ratatui::text::Line;

use crate::domain::metrics::Metric;
use crate::domain::reading::{self, ErrorRate, Window};
use crate::domain::series::{PERIOD, Series};
use crate::domain::service::Writer;
use crate::domain::traffic::Side;
use crate::domain::units::short_number;

use super::chart::BRAILLE;
use super::context::{Shown, ViewContext};
use super::text::Row;
use super::theme::Role;

/// Cells of a row's name.
const NAME: usize = 14;
/// Cells of a column that has room for full words.
const FULL: usize = 17;

/// The table in `width` cells: one line with the names of the stacks and at most `rows` rows, the most telling first.
pub(super) fn table(cx: &ViewContext<'_>, title: Row<'_>, width: usize, rows: usize) -> Vec<Line<'static>> {
    let column = (width.saturating_sub(NAME) / 2).min(34);
    let stack = &cx.model.stack;
    let name = |side: &str, region: &str| if column < FULL { side.to_owned() } else { format!("{side} {region}") };
    let head = cx.row().append(title).tab(NAME).num(Role::Legacy, name("legacy", &stack.legacy_region), column).num(
        Role::New,
        name("new", &stack.region),
        column,
    );
    let per_second = |v: f64| short_number((v / PERIOD.as_secs_f64() * 10.0).round() / 10.0);
    let millis = |v: f64| format!("{} ms", short_number((v * 1000.0).round()));
    let none = cx.theme.glyphs().none;
    let errors_name = format!("5xx in {} min", cx.model.policy.window);
    let count = |v: f64| short_number(v.round());
    let whole = |v: f64| format!("{} %", short_number(v.round()));
    let cells: [(&str, Cell, Cell); 9] = [
        ("requests/s", metric(cx, Metric::LegacyRequests, per_second), metric(cx, Metric::NewRequests, per_second)),
        (&errors_name, errors(cx, Side::Legacy), errors(cx, Side::New)),
        ("p99 latency", metric(cx, Metric::LegacyLatency, millis), metric(cx, Metric::NewLatency, millis)),
        ("healthy hosts", hosts(cx, Side::Legacy), hosts(cx, Side::New)),
        ("database", database(cx, Writer::Legacy, column), database(cx, Writer::Aurora, column)),
        ("database CPU", metric(cx, Metric::RdsCpu, whole), metric(cx, Metric::AuroraCpu, whole)),
        ("task CPU", Cell::plain(Role::Dim, none), metric(cx, Metric::ServiceCpu, whole)),
        ("task memory", Cell::plain(Role::Dim, none), metric(cx, Metric::ServiceMemory, whole)),
        ("connections", metric(cx, Metric::RdsConnections, count), metric(cx, Metric::AuroraConnections, count)),
    ];
    let mut lines = vec![head.line()];
    for (name, legacy, new) in cells.into_iter().take(rows) {
        let row = cx.row().cell(Role::Dim, name, NAME);
        lines.push(new.put(cx, legacy.put(cx, row, column), column).line());
    }
    lines
}

/// How old the table is: the newest settled minute of the requests, and the hosts.
pub(super) fn age_note<'a>(cx: &ViewContext<'a>) -> Row<'a> {
    match reading::requests(&cx.world.facts, cx.world.now).at {
        Some(at) => cx.row().put(Role::Dim, format!("at {} {}", at.hm(), cx.age(at))),
        None => cx.row().put(Role::Dim, "no minute yet"),
    }
}

/// One cell: text and a small history left of it.
struct Cell {
    role: Role,
    text: String,
    history: Vec<f64>,
}

impl Cell {
    fn plain(role: Role, text: impl Into<String>) -> Self {
        Self { role, text: text.into(), history: Vec::new() }
    }

    fn put<'a>(&self, cx: &ViewContext<'a>, row: Row<'a>, width: usize) -> Row<'a> {
        let text = cx.cells(&self.text);
        let room = width.saturating_sub(text.max(8) + 2).min(12);
        if self.history.len() < 2 || room < 4 {
            return row.num(self.role, &self.text, width);
        }
        let spark = spark(cx, &self.history, room);
        let spark_cells = cx.cells(&spark);
        row.gap(width.saturating_sub(text.max(8) + spark_cells)).put(Role::Dim, spark).num(
            self.role,
            &self.text,
            text.max(8),
        )
    }
}

/// The newest values as a small line. It spans at least a quarter of the largest value, so that noise stays small.
fn spark(cx: &ViewContext<'_>, values: &[f64], width: usize) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    let least = values.iter().copied().fold(most, f64::min);
    let spare = (most * 0.25 - (most - least)).max(0.0) / 2.0;
    let (low, high) = (least - spare, most + spare);
    let level = |v: f64, levels: f64| if high > low { ((v - low) / (high - low) * levels).round() as usize } else { 0 };
    if cx.theme.is_ascii() {
        let steps = &cx.theme.glyphs().spark;
        return values[values.len().saturating_sub(width)..].iter().map(|v| steps[level(*v, 7.0) + 1]).collect();
    }
    let values = &values[values.len().saturating_sub(width * 2)..];
    let dots = |pair: &[f64]| {
        let bits = pair.iter().enumerate().map(|(column, v)| u32::from(BRAILLE[3 - level(*v, 3.0).min(3)][column]));
        char::from_u32(0x2800 + bits.sum::<u32>()).unwrap_or(' ')
    };
    values.chunks(2).map(dots).collect()
}

fn settled(series: &Series) -> Vec<f64> {
    let points = series.settled();
    points[points.len().saturating_sub(24)..].iter().map(|p| p.value).collect()
}

fn metric(cx: &ViewContext<'_>, metric: Metric, show: impl Fn(f64) -> String) -> Cell {
    let Shown { role, text, .. } = cx.reading(metric, show);
    Cell { role, text, history: settled(cx.world.facts.metrics.series(metric)) }
}

fn errors(cx: &ViewContext<'_>, side: Side) -> Cell {
    let (policy, world) = (&cx.model.policy, cx.world);
    let history = world.history.as_ref();
    let window = Window::wide_enough(policy.window, policy.min_requests, history, &world.facts, world.now);
    let reading = reading::errors(&world.facts, side, window, world.now);
    let none = cx.theme.glyphs().none;
    let percent =
        |rate: &ErrorRate| rate.percent().map_or_else(|| none.to_owned(), |p| format!("{} %", short_number(p)));
    let Shown { role, text, .. } = cx.shown(&reading, percent);
    Cell::plain(role, text)
}

fn hosts(cx: &ViewContext<'_>, side: Side) -> Cell {
    let reading = reading::hosts(&cx.world.facts, side, cx.world.now);
    let sick = reading.fresh().is_some_and(|hosts| hosts.unhealthy > 0);
    let Shown { role, text, .. } = cx.shown(&reading, |hosts| format!("{}/{}", hosts.healthy, hosts.all));
    if sick { Cell::plain(Role::Fail, format!("{} {text}", cx.theme.glyphs().fail)) } else { Cell::plain(role, text) }
}

/// Which database takes the writes, and how far behind the other one is.
fn database(cx: &ViewContext<'_>, side: Writer, column: usize) -> Cell {
    let word = if column < FULL { "+" } else { "lag " };
    let name = if side == Writer::Legacy { "RDS" } else { "Aurora" };
    if cx.model.stack.writer == side {
        return Cell::plain(Role::Strong, format!("{name} WRITES"));
    }
    let lag = reading::lag(&cx.world.facts, cx.world.now);
    match (side, lag.fresh()) {
        (Writer::Aurora, Some(&lag)) => {
            let lag = if lag >= 10.0 { lag.round() } else { lag };
            Cell::plain(Role::Text, format!("{name} {word}{} s", short_number(lag)))
        }
        (Writer::Aurora, None) => Cell::plain(Role::Dim, format!("{name} {word}? s")),
        (Writer::Legacy, _) => Cell::plain(Role::Dim, format!("{name} left behind")),
    }
}
