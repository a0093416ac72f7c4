//! Small multiples: one chart below the other on one axis of time, with a mark through all of them wherever the weights
//! changed, so that what a step did is seen at a glance.
//!
//! Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::metrics::Metric;
use crate::domain::reading;
use crate::domain::record::Move;
use crate::domain::series::{PERIOD, Point};
use crate::domain::traffic::Side;
use crate::domain::trends::{error_limit, error_rates, latency_limit};
use crate::domain::units::{Timestamp, exact_number, short_number};
use crate::keymap::{Action, key_for};

use super::chart::{self, Curve, Plot};
use super::chrome::percent;
use super::context::ViewContext;
use super::lag;
use super::text::{Row, draw_lines};
use super::theme::Role;

/// Rows of a chart with its heading: fewer show no line, more show no more.
const LEAST: u16 = 4;
const MOST: u16 = 12;
/// Rows from which a chart beyond the first six is worth its place.
const GOOD: u16 = 7;
/// Charts that are shown wherever they fit; the others where there is room to spare.
const FIRST: u16 = 6;

/// One of the charts.
#[derive(Clone, Copy)]
pub(super) enum Trend {
    Share,
    Requests,
    Errors,
    Latency,
    Lag,
    Backlog,
    TaskCpu,
    DatabaseCpu,
    Rows,
    Connections,
}

/// What each view shows, the most telling first.
pub(super) const OVERVIEW: &[Trend] = &[
    Trend::Requests,
    Trend::Errors,
    Trend::Latency,
    Trend::Lag,
    Trend::Backlog,
    Trend::TaskCpu,
    Trend::DatabaseCpu,
    Trend::Rows,
    Trend::Connections,
];
pub(super) const TRAFFIC: &[Trend] = &[Trend::Share, Trend::Requests, Trend::Errors, Trend::Latency];
pub(super) const REPLICATION: &[Trend] = &[Trend::Lag, Trend::Backlog, Trend::Rows, Trend::DatabaseCpu];
pub(super) const SERVICE: &[Trend] = &[Trend::TaskCpu, Trend::DatabaseCpu, Trend::Connections, Trend::Latency];

/// Where an axis may end: at least here, and nowhere above there.
const ANY: (f64, f64) = (1.0, f64::MAX);
const SHARE: (f64, f64) = (10.0, 100.0);

/// Rows that the heading, the labels of the marks and the axis take.
const AROUND: u16 = 3;

/// Whether so many rows hold more than one chart.
pub(super) const fn fits(rows: u16) -> bool {
    rows >= AROUND + 3 * LEAST
}

/// Rows that so many charts take at most.
pub(super) const fn most(set: &[Trend]) -> u16 {
    AROUND + MOST * set.len() as u16
}

/// Draws one chart alone, with its axis.
pub(super) fn alone(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, trend: Trend) {
    if area.height >= LEAST {
        one(buf, Rect { height: area.height - 1, ..area }, cx, trend, &chart::marks(cx));
        chart::axis(buf, Rect { y: area.bottom() - 1, height: 1, ..area }, cx);
    }
}

/// Draws as many of these charts as the area holds; gives back what is below them.
pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, set: &[Trend]) -> Rect {
    let zoom = cx.model.screen.zoom.name();
    let note =
        cx.row().put(Role::Dim, format!("{zoom}, ")).put(Role::Key, key_for(Action::Zoom)).put(Role::Dim, " zooms");
    let note = match chart::cursor(cx) {
        Some(at) => note.put(Role::Dim, format!(", values of {} UTC, ", at.hm())).put(Role::Key, key_for(Action::Back)),
        None => note.put(Role::Dim, ", ").put(Role::Key, key_for(Action::Cursor(-1))).put(Role::Dim, " reads a minute"),
    };
    let mut rest = cx.heading(buf, area, "Trends", note);
    let marks = chart::marks(cx);
    labels(buf, rest, cx, &marks);
    rest = below(rest, 1);
    let room = rest.height.saturating_sub(1);
    let all = set.len() as u16;
    let count = (room / LEAST).min(FIRST).max(room / GOOD).clamp(1, all);
    let rows = (room / count).min(MOST);
    // What is left over goes to the first ones, a row each.
    let spare = if rows < MOST { room - rows * count } else { 0 };
    for (index, trend) in (0..count).zip(set) {
        let height = rows + u16::from(index < spare);
        one(buf, Rect { height, ..rest }, cx, *trend, &marks);
        rest = below(rest, height);
    }
    chart::axis(buf, Rect { height: rest.height.min(1), ..rest }, cx);
    below(rest, 1)
}

fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

/// What the weights became at each mark, above the first chart.
fn labels(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, marks: &[Move]) {
    let grid = chart::grid_of(area);
    let mut row = cx.row().gap(chart::GUTTER.into());
    if marks.is_empty() {
        row = row.put(Role::Dim, "no weight was moved in this time");
    }
    for mark in marks {
        let column = usize::from(chart::GUTTER + chart::column_of(cx, mark.at, grid.width));
        let (sign, share) = (cx.theme.glyphs().mark, percent(mark.to.new_percent()));
        let right = format!("{sign} new {share}");
        let left = format!("new {share} {sign}");
        // Near the end it stands left of its line. A label that would run into another one leaves its line alone.
        if column >= row.width() && column + cx.cells(&right) <= usize::from(area.width) {
            row = row.tab(column).put(Role::New, right).gap(1);
        } else if column + 1 >= row.width() + cx.cells(&left) {
            row = row.tab(column + 1 - cx.cells(&left)).put(Role::New, left).gap(1);
        }
    }
    draw_lines(buf, Rect { height: area.height.min(1), ..area }, &[row.line()]);
}

fn one(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, trend: Trend, marks: &[Move]) {
    let facts = &cx.world.facts;
    let series = |metric| facts.metrics.series(metric);
    let legacy = |metric| Curve::of(series(metric), Role::Legacy).tagged("L");
    let new = |metric| Curve::of(series(metric), Role::New).tagged("N");
    let per_second = 1.0 / PERIOD.as_secs_f64();
    let inputs = cx.inputs();
    let mut plot = |lines: &[Curve<'_>], limit, tops: (f64, f64)| {
        Drawn { area, cx, marks }.plot(buf, trend, &Plot { lines, limit, least_top: tops.0, most_top: tops.1 });
    };
    match trend {
        Trend::Share => {
            let seen = reading::shares(facts);
            let wanted = facts.shiftable().map(|group| group.weights().new_percent()).filter(|wanted| *wanted > 0.0);
            let limit = wanted.map(|wanted| (wanted, format!("wanted {}", percent(wanted))));
            plot(&[Curve::settled(&seen, Role::New)], limit, SHARE);
        }
        Trend::Requests => {
            let lines = [Metric::LegacyRequests, Metric::NewRequests];
            let [a, b] = lines;
            plot(&[legacy(a).scaled(per_second), new(b).scaled(per_second)], None, ANY);
        }
        Trend::Errors => {
            let (l, n): (Vec<Point>, Vec<Point>) = (error_rates(facts, Side::Legacy), error_rates(facts, Side::New));
            let lines = [Curve::settled(&l, Role::Legacy).tagged("L"), Curve::settled(&n, Role::New).tagged("N")];
            plot(&lines, error_limit(inputs).map(|limit| (limit, "limit for new".to_owned())), (0.1, 100.0));
        }
        Trend::Latency => {
            let lines = [legacy(Metric::LegacyLatency).scaled(1000.0), new(Metric::NewLatency).scaled(1000.0)];
            let limit = latency_limit(inputs).map(|limit| (limit * 1000.0, "limit for new".to_owned()));
            plot(&lines, limit, (10.0, f64::MAX));
        }
        Trend::Lag => plot(&lag::curves(cx), Some(lag::limit(cx)), ANY),
        Trend::Backlog => plot(&[Curve::of(series(Metric::Backlog), Role::New)], None, ANY),
        Trend::TaskCpu => {
            let memory = Curve::of(series(Metric::ServiceMemory), Role::Dim).tagged("M");
            plot(&[memory, Curve::of(series(Metric::ServiceCpu), Role::New).tagged("C")], None, SHARE);
        }
        Trend::DatabaseCpu => plot(&[legacy(Metric::RdsCpu), new(Metric::AuroraCpu)], None, SHARE),
        Trend::Rows => {
            let read = Curve::of(series(Metric::RowsSource), Role::Legacy).tagged("S");
            plot(&[read, Curve::of(series(Metric::RowsTarget), Role::New).tagged("T")], None, ANY);
        }
        Trend::Connections => plot(&[legacy(Metric::RdsConnections), new(Metric::AuroraConnections)], None, ANY),
    }
}

/// Where a chart is drawn.
struct Drawn<'a, 'c> {
    area: Rect,
    cx: &'c ViewContext<'a>,
    marks: &'c [Move],
}

impl Drawn<'_, '_> {
    fn plot(&self, buf: &mut Buffer, trend: Trend, plot: &Plot<'_>) {
        let (title, mut note) = heading(self.cx, trend, usize::from(self.area.width.saturating_sub(6)));
        if let Some(minute) = chart::cursor(self.cx) {
            note = at_cursor(self.cx, plot, minute);
        }
        let rest = self.cx.heading(buf, self.area, title, note);
        chart::plot(buf, rest, self.cx, plot, self.marks);
    }
}

/// What a chart says of the minute at the cursor.
fn at_cursor<'a>(cx: &ViewContext<'a>, plot: &Plot<'_>, minute: Timestamp) -> Row<'a> {
    let mut row = cx.row().put(Role::Key, minute.hm());
    for (tag, role, value) in plot.lines.iter().map(|curve| curve.at(minute)) {
        let value = value.map_or_else(|| "none".to_owned(), exact_number);
        row = row.gap(2).put(role, if tag.is_empty() { value } else { format!("{tag} {value}") });
    }
    row
}

/// A chart's name, and what it says now.
fn heading<'a>(cx: &ViewContext<'a>, trend: Trend, room: usize) -> (&'static str, Row<'a>) {
    let pair = |one: (&str, Role, Metric), other: (&str, Role, Metric), show: &dyn Fn(f64) -> String| {
        let mut row = cx.row();
        for (name, role, metric) in [one, other] {
            let reading = cx.reading(metric, show);
            row = row.put(role, format!("{name} ")).put(reading.role, format!("{:<8}", reading.text));
        }
        row
    };
    let sides = |legacy, new, show: &dyn Fn(f64) -> String| {
        pair(("L legacy", Role::Legacy, legacy), ("N new", Role::New, new), show)
    };
    let whole = |v: f64| short_number(v.round());
    let share = |v: f64| format!("{} %", short_number(v.round()));
    match trend {
        Trend::Share => {
            let seen = cx.shown(&reading::share(&cx.world.facts, cx.world.now), |v| format!("{} %", short_number(*v)));
            let age = seen.at.map(|at| format!("  {}", cx.age(at))).unwrap_or_default();
            let row = cx.row().put(seen.role, format!("seen {}", seen.text)).put(Role::Dim, age);
            ("Share of the new stack, %", row)
        }
        Trend::Requests => {
            let rate = |v: f64| short_number((v / PERIOD.as_secs_f64() * 10.0).round() / 10.0);
            ("Requests/s", sides(Metric::LegacyRequests, Metric::NewRequests, &rate))
        }
        Trend::Errors => ("5xx, % of requests", cx.row().put(Role::Legacy, "L legacy  ").put(Role::New, "N new")),
        Trend::Latency => {
            let millis = |v: f64| format!("{} ms", short_number((v * 1000.0).round()));
            ("p99, ms", sides(Metric::LegacyLatency, Metric::NewLatency, &millis))
        }
        Trend::Lag => ("Lag", lag::words(cx, room)),
        Trend::Backlog => {
            let waiting = cx.reading(Metric::Backlog, whole);
            ("Changes waiting for Aurora", cx.row().put(waiting.role, waiting.text))
        }
        Trend::TaskCpu => {
            let memory = ("M memory", Role::Dim, Metric::ServiceMemory);
            ("Tasks, %", pair(("C CPU", Role::New, Metric::ServiceCpu), memory, &share))
        }
        Trend::DatabaseCpu => ("Database CPU, %", sides(Metric::RdsCpu, Metric::AuroraCpu, &share)),
        Trend::Rows => {
            let source = ("S read", Role::Legacy, Metric::RowsSource);
            ("Replicated rows/s", pair(source, ("T written", Role::New, Metric::RowsTarget), &whole))
        }
        Trend::Connections => ("Connections", sides(Metric::RdsConnections, Metric::AuroraConnections, &whole)),
    }
}
