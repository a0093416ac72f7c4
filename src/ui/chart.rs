//! A line chart over time with a limit drawn, and a mark where the weights changed: Braille dots where the terminal has
//! them, ASCII where it has not.
//!
//! Pure. The time axis ends at the present minute and moves once a minute, so that a chart at rest costs nothing. Cells
//! are written straight into the buffer: a wide screen has thousands of them.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::record::{Move, moves};
use crate::domain::series::{PERIOD, Point, Series};
use crate::domain::units::{Timestamp, short_number};

use super::context::ViewContext;
use super::text::draw_lines;
use super::theme::Role;

/// Points that are further apart than this are not joined: what lies between them is not known.
const GAP: Duration = Duration::from_secs(150);
/// Cells of the numbers left of the axis.
pub(super) const GUTTER: u16 = 6;
/// Cells right of the grid, for the letters that say which line is which.
const TAGS: u16 = 2;

/// Points over time.
pub(super) struct Curve<'p> {
    /// Oldest first.
    points: &'p [Point],
    /// How many of them, from the first on, no longer change; the others are drawn dim.
    settled: usize,
    /// What each value is multiplied with.
    scale: f64,
    role: Role,
    /// A letter at its right end, where no colour tells it from the others; empty for none.
    tag: &'static str,
}

impl<'p> Curve<'p> {
    /// All of a series.
    pub(super) fn of(series: &'p Series, role: Role) -> Self {
        Self { settled: series.settled().len(), ..Self::settled(series.points(), role) }
    }

    /// Points that no longer change.
    pub(super) fn settled(points: &'p [Point], role: Role) -> Self {
        Self { points, settled: points.len(), scale: 1.0, role, tag: "" }
    }

    /// The same in another unit.
    pub(super) fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The same with a letter at its end.
    pub(super) fn tagged(self, tag: &'static str) -> Self {
        Self { tag, ..self }
    }

    /// Its letter, its value in this minute, and how that is to be shown; nothing where it has none.
    pub(super) fn at(&self, minute: Timestamp) -> (&'static str, Role, Option<f64>) {
        let found = self.since(minute).next().filter(|(_, point)| point.at < minute.plus(PERIOD));
        let role = if found.is_some_and(|(index, _)| index >= self.settled) { Role::Dim } else { self.role };
        (self.tag, role, found.map(|(_, point)| point.value))
    }

    fn since(&self, start: Timestamp) -> impl Iterator<Item = (usize, Point)> {
        let points = self.points.iter().enumerate().filter(move |(_, point)| point.at >= start);
        points.map(|(index, point)| (index, Point { at: point.at, value: point.value * self.scale }))
    }
}

/// What is drawn.
pub(super) struct Plot<'p> {
    /// Curves, the most important last: it is drawn over the others.
    pub(super) lines: &'p [Curve<'p>],
    /// A value with its name that is drawn across.
    pub(super) limit: Option<(f64, String)>,
    /// The axis reaches at least this value.
    pub(super) least_top: f64,
    /// The axis never reaches above this value.
    pub(super) most_top: f64,
}

/// The time that all charts show.
pub(super) fn span(cx: &ViewContext<'_>) -> (Timestamp, Duration) {
    let span = cx.model.screen.zoom.span();
    (cx.world.now.floor_to(PERIOD).minus(span), span)
}

/// The minute whose values are asked for, where the charts show it.
pub(super) fn cursor(cx: &ViewContext<'_>) -> Option<Timestamp> {
    cx.model.screen.cursor.filter(|at| *at >= span(cx).0)
}

/// The changes of the weights on that axis.
pub(super) fn marks(cx: &ViewContext<'_>) -> Vec<Move> {
    let start = span(cx).0;
    moves(&cx.world.journal).into_iter().filter(|mark| mark.at >= start).collect()
}

/// The column of a grid of so many cells in which an instant lies.
pub(super) fn column_of(cx: &ViewContext<'_>, at: Timestamp, width: u16) -> u16 {
    let (start, span) = span(cx);
    let share = at.since(start).as_secs_f64() / span.as_secs_f64();
    ((share * f64::from(width)) as u16).min(width.saturating_sub(1))
}

/// The grid of an area.
pub(super) fn grid_of(area: Rect) -> Rect {
    Rect { x: area.x + GUTTER, width: area.width.saturating_sub(GUTTER + TAGS), ..area }
}

/// Draws the plot without the axis of the time.
pub(super) fn plot(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, plot: &Plot<'_>, marks: &[Move]) {
    if area.height < 2 || area.width < GUTTER + TAGS + 8 {
        return;
    }
    let grid = grid_of(area);
    let start = span(cx).0;
    let top = top_of(plot, start);
    let canvas = Canvas::of(cx, plot, grid, top);
    let limit_row = plot.limit.as_ref().filter(|(value, _)| *value <= top).map(|(value, _)| canvas.row_of(*value, top));
    numbers(buf, area, cx, plot, (top, limit_row));
    let glyphs = cx.theme.glyphs();
    let at_cursor = cursor(cx).map(|at| column_of(cx, at, grid.width));
    let at_mark: Vec<u16> = marks.iter().map(|mark| column_of(cx, mark.at, grid.width)).collect();
    for y in 0..grid.height {
        let is_limit = limit_row == Some(usize::from(y));
        for x in 0..grid.width {
            let Some(cell) = buf.cell_mut((grid.x + x, grid.y + y)) else { continue };
            if let Some((glyph, role)) = canvas.cell(x.into(), y.into()) {
                cell.set_char(glyph).set_style(cx.theme.style(role));
            } else if at_cursor == Some(x) {
                cell.set_symbol(glyphs.upright).set_style(cx.theme.style(Role::Key));
            } else if is_limit {
                cell.set_symbol(glyphs.limit).set_style(cx.theme.style(Role::Dim));
            } else if at_mark.contains(&x) {
                cell.set_symbol(glyphs.mark).set_style(cx.theme.style(Role::Rule));
            }
        }
    }
    if let (Some(row), Some((_, name))) = (limit_row, &plot.limit) {
        limit_name(buf, grid, cx, &canvas, (row, name));
    }
    tags(buf, grid, cx, plot, &canvas, top);
}

/// The numbers left of the grid, and its left edge.
fn numbers(
    buf: &mut Buffer,
    area: Rect,
    cx: &ViewContext<'_>,
    plot: &Plot<'_>,
    (top, limit_row): (f64, Option<usize>),
) {
    for y in 0..area.height {
        let is_limit = limit_row == Some(y.into());
        let number = match &plot.limit {
            Some((value, _)) if is_limit => Some(*value),
            _ if y == 0 => Some(top),
            _ if y + 1 == area.height => Some(0.0),
            _ => None,
        };
        let label = number.map(short_number).unwrap_or_default();
        let role = if is_limit { Role::Strong } else { Role::Dim };
        let row = cx.row().num(role, label, usize::from(GUTTER) - 1).put(Role::Rule, cx.theme.glyphs().upright);
        draw_lines(buf, Rect { y: area.y + y, height: 1, ..area }, &[row.line()]);
    }
}

/// The limit's name, where no line crosses it, as far right as it can be.
fn limit_name(buf: &mut Buffer, grid: Rect, cx: &ViewContext<'_>, canvas: &Canvas, (row, name): (usize, &str)) {
    let name = format!(" {name} ");
    let cells = cx.cells(&name);
    let places = usize::from(grid.width).saturating_sub(cells + 1);
    if let Some(x) = (0..places).rev().find(|x| canvas.is_clear(*x, row, cells)) {
        let place = Rect { x: grid.x + x as u16, y: grid.y + row as u16, width: cells as u16, height: 1 };
        draw_lines(buf, place, &[cx.row().put(Role::Strong, name).line()]);
    }
}

/// A letter at the right end of each line. Lines that end in the same row share its two cells, the last one first.
fn tags(buf: &mut Buffer, grid: Rect, cx: &ViewContext<'_>, plot: &Plot<'_>, canvas: &Canvas, top: f64) {
    let mut taken: Vec<usize> = Vec::new();
    for curve in plot.lines.iter().rev().filter(|curve| !curve.tag.is_empty()) {
        let Some(last) = curve.points.last() else { continue };
        let row = canvas.row_of(last.value * curve.scale, top);
        let beside = taken.iter().filter(|taken| **taken == row).count() as u16;
        taken.push(row);
        let place = Rect { x: grid.right() + beside.min(TAGS - 1), y: grid.y + row as u16, width: 1, height: 1 };
        draw_lines(buf, place, &[cx.row().put(curve.role, curve.tag).line()]);
    }
}

/// The axis of the time: its beginning, its middle, now.
pub(super) fn axis(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) {
    let (start, span) = span(cx);
    let grid = grid_of(area);
    let end = usize::from(GUTTER + grid.width);
    let row = cx
        .row()
        .gap(GUTTER.into())
        .put(Role::Dim, start.hm())
        .tab(usize::from(GUTTER + grid.width / 2).saturating_sub(2))
        .put(Role::Dim, start.plus(span / 2).hm())
        .ending(Role::Dim, format!("{} UTC", start.plus(span).hm()), end);
    draw_lines(buf, area, &[row.line()]);
}

fn top_of(plot: &Plot<'_>, start: Timestamp) -> f64 {
    let values = plot.lines.iter().flat_map(|curve| curve.since(start)).map(|(_, point)| point.value);
    let most = values.fold(0.0, f64::max);
    let limit = plot.limit.as_ref().map_or(0.0, |(value, _)| value * 1.15);
    let top = (most * 1.05).max(limit).max(plot.least_top);
    let step = 10f64.powf(top.max(1e-9).log10().floor()) / 2.0;
    ((top / step).ceil() * step).min(plot.most_top)
}

/// Dots on a grid of cells.
struct Canvas {
    ascii: bool,
    cells: Vec<(u8, Option<Role>)>,
    width: usize,
    height: usize,
}

impl Canvas {
    fn of(cx: &ViewContext<'_>, plot: &Plot<'_>, grid: Rect, top: f64) -> Self {
        let (width, height) = (usize::from(grid.width), usize::from(grid.height));
        let mut canvas = Self { ascii: cx.theme.is_ascii(), cells: vec![(0, None); width * height], width, height };
        let (start, span) = span(cx);
        let (dots_x, dots_y) = canvas.dots();
        let scale = (dots_x.saturating_sub(1)) as f64 / span.as_secs_f64();
        for curve in plot.lines {
            let mut before: Option<(Point, (i32, i32))> = None;
            for (index, point) in curve.since(start) {
                let x = (point.at.since(start).as_secs_f64() * scale).round() as i32;
                let share = (point.value / top.max(1e-9)).clamp(0.0, 1.0);
                let y = ((1.0 - share) * (dots_y.saturating_sub(1)) as f64).round() as i32;
                let role = if index < curve.settled { curve.role } else { Role::Dim };
                let from = before.filter(|(p, _)| point.at.since(p.at) <= GAP).map_or((x, y), |(_, at)| at);
                canvas.stroke(from, (x, y), role);
                before = Some((point, (x, y)));
            }
        }
        canvas
    }

    /// Dots across and down.
    const fn dots(&self) -> (usize, usize) {
        if self.ascii { (self.width, self.height * 2) } else { (self.width * 2, self.height * 4) }
    }

    /// The row of cells in which a value lies.
    fn row_of(&self, value: f64, top: f64) -> usize {
        let dots = self.dots().1;
        let dot = ((1.0 - (value / top.max(1e-9)).clamp(0.0, 1.0)) * (dots.saturating_sub(1)) as f64).round() as usize;
        (dot * self.height / dots.max(1)).min(self.height.saturating_sub(1))
    }

    /// A straight line of dots.
    fn stroke(&mut self, from: (i32, i32), to: (i32, i32), role: Role) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).max(1);
        for step in 0..=steps {
            let at = |a: i32, b: i32| a + (f64::from(b - a) * f64::from(step) / f64::from(steps)).round() as i32;
            self.dot(at(from.0, to.0), at(from.1, to.1), role);
        }
    }

    fn dot(&mut self, x: i32, y: i32, role: Role) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        let (cell, bit) = if self.ascii { ((x, y / 2), 1 << (y % 2)) } else { ((x / 2, y / 4), BRAILLE[y % 4][x % 2]) };
        if cell.0 < self.width
            && let Some((bits, owner)) = self.cells.get_mut(cell.1 * self.width + cell.0)
        {
            *bits |= bit;
            *owner = Some(role);
        }
    }

    fn cell(&self, x: usize, y: usize) -> Option<(char, Role)> {
        let (bits, role) = self.cells.get(y * self.width + x)?;
        let role = (*role)?;
        let glyph = if self.ascii {
            [' ', '\'', '.', ':'][usize::from(*bits & 3)]
        } else {
            char::from_u32(0x2800 + u32::from(*bits)).unwrap_or('*')
        };
        Some((glyph, role))
    }

    fn is_clear(&self, x: usize, y: usize, cells: usize) -> bool {
        (x..x + cells).all(|x| self.cells.get(y * self.width + x).is_none_or(|(_, role)| role.is_none()))
    }
}

/// The bit of each dot in a Braille cell, by row and column (Unicode 16, block U+2800).
pub(super) const BRAILLE: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
