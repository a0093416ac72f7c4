//! A line chart over time with a limit drawn: Braille dots where the terminal has them, ASCII where it has not.
//!
//! Pure. The time axis ends at the present minute and moves once a minute, so that a chart at rest costs nothing.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::series::{PERIOD, Point, Series};
use crate::domain::units::short_number;

use super::context::ViewContext;
use super::text::draw_lines;
use super::theme::Role;

/// Points that are further apart than this are not joined: what lies between them is not known.
const GAP: Duration = Duration::from_secs(150);
/// Lengths of the time axis in minutes.
const SPANS: [u32; 5] = [15, 30, 60, 120, 180];

/// Points over time.
pub(super) struct Curve<'p> {
    /// Oldest first.
    pub(super) points: &'p [Point],
    /// How many of them, from the first on, no longer change; the others are drawn dim.
    pub(super) settled: usize,
    /// What it shows.
    pub(super) role: Role,
}

impl<'p> Curve<'p> {
    /// All of a series.
    pub(super) fn of(series: &'p Series, role: Role) -> Self {
        Self { points: series.points(), settled: series.settled().len(), role }
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

/// Cells of the numbers left of the axis.
const GUTTER: u16 = 6;

/// Draws the plot with its axes.
pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, plot: &Plot<'_>) {
    if area.height < 3 || area.width < GUTTER + 8 {
        return;
    }
    let grid = Rect { x: area.x + GUTTER, width: area.width - GUTTER, height: area.height - 1, ..area };
    let top = top_of(plot);
    let span = span_of(cx, plot);
    let canvas = Canvas::of(cx, plot, grid, top, span);
    let limit_row = plot.limit.as_ref().map(|(value, _)| canvas.row_of(*value, top));
    let glyphs = cx.theme.glyphs();
    for y in 0..usize::from(grid.height) {
        let is_limit = limit_row == Some(y);
        let number = match &plot.limit {
            Some((value, _)) if is_limit => Some(*value),
            _ if y == 0 => Some(top),
            _ if y + 1 == usize::from(grid.height) => Some(0.0),
            _ => None,
        };
        let label = number.map(short_number).unwrap_or_default();
        let role = if is_limit { Role::Strong } else { Role::Dim };
        let mut row = cx.row().num(role, label, usize::from(GUTTER) - 1).put(Role::Rule, glyphs.upright);
        let name = plot.limit.as_ref().filter(|_| is_limit).map(|(_, name)| format!(" {name} ")).unwrap_or_default();
        let name_cells = cx.cells(&name);
        // The name stands where no line crosses it, as far right as it can.
        let places = if is_limit { usize::from(grid.width).saturating_sub(name_cells + 1) } else { 0 };
        let name_from = (0..places).rev().find(|x| canvas.is_clear(*x, y, name_cells));
        let mut x = 0;
        while x < usize::from(grid.width) {
            if name_cells > 0 && name_from == Some(x) {
                row = row.put(Role::Strong, &name);
                x += name_cells;
                continue;
            }
            let cell = canvas.cell(x, y);
            row = match cell {
                Some((glyph, role)) => row.put(role, glyph),
                None if is_limit => row.put(Role::Dim, glyphs.limit),
                None => row.gap(1),
            };
            x += 1;
        }
        draw_lines(buf, Rect { y: area.y + y as u16, height: 1, ..area }, &[row.line()]);
    }
    let now = cx.world.now.floor_to(PERIOD);
    let minutes = |n: u32| PERIOD.saturating_mul(n);
    let middle = now.minus(minutes(span / 2)).hm();
    let axis = cx
        .row()
        .gap(GUTTER.into())
        .put(Role::Dim, now.minus(minutes(span)).hm())
        .tab(usize::from(GUTTER + grid.width / 2).saturating_sub(2))
        .put(Role::Dim, middle)
        .ending(Role::Dim, format!("{} UTC", now.hm()), usize::from(area.width));
    draw_lines(buf, Rect { y: area.bottom() - 1, height: 1, ..area }, &[axis.line()]);
}

fn top_of(plot: &Plot<'_>) -> f64 {
    let most = plot.lines.iter().flat_map(|curve| curve.points).map(|p| p.value).fold(0.0, f64::max);
    let limit = plot.limit.as_ref().map_or(0.0, |(value, _)| value * 1.15);
    let top = (most * 1.05).max(limit).max(plot.least_top);
    let step = 10f64.powf(top.max(1e-9).log10().floor()) / 2.0;
    ((top / step).ceil() * step).min(plot.most_top)
}

/// The shortest axis that shows all there is.
fn span_of(cx: &ViewContext<'_>, plot: &Plot<'_>) -> u32 {
    let oldest = plot.lines.iter().filter_map(|curve| curve.points.first()).map(|p| p.at).min();
    let age = oldest.map_or(0, |at| cx.world.now.since(at).as_secs() / 60);
    SPANS.into_iter().find(|span| u64::from(*span) >= age).unwrap_or(60).min(60)
}

/// Dots on a grid of cells.
struct Canvas {
    ascii: bool,
    cells: Vec<(u8, Option<Role>)>,
    width: usize,
    height: usize,
}

impl Canvas {
    fn of(cx: &ViewContext<'_>, plot: &Plot<'_>, grid: Rect, top: f64, span: u32) -> Self {
        let (width, height) = (usize::from(grid.width), usize::from(grid.height));
        let mut canvas = Self { ascii: cx.theme.is_ascii(), cells: vec![(0, None); width * height], width, height };
        let start = cx.world.now.floor_to(PERIOD).minus(PERIOD.saturating_mul(span));
        let (dots_x, dots_y) = canvas.dots();
        let scale = (dots_x.saturating_sub(1)) as f64 / f64::from(span * 60);
        for curve in plot.lines {
            let mut before: Option<(Point, (i32, i32))> = None;
            for (index, point) in curve.points.iter().enumerate().filter(|(_, p)| p.at >= start) {
                let x = (point.at.since(start).as_secs_f64() * scale).round() as i32;
                let share = (point.value / top.max(1e-9)).clamp(0.0, 1.0);
                let y = ((1.0 - share) * (dots_y.saturating_sub(1)) as f64).round() as i32;
                let role = if index < curve.settled { curve.role } else { Role::Dim };
                let from = before.filter(|(p, _)| point.at.since(p.at) <= GAP).map_or((x, y), |(_, at)| at);
                canvas.stroke(from, (x, y), role);
                before = Some((*point, (x, y)));
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

    fn cell(&self, x: usize, y: usize) -> Option<(String, Role)> {
        let (bits, role) = self.cells.get(y * self.width + x)?;
        let role = (*role)?;
        let glyph = if self.ascii {
            [' ', '\'', '.', ':'][usize::from(*bits & 3)]
        } else {
            char::from_u32(0x2800 + u32::from(*bits)).unwrap_or('*')
        };
        Some((glyph.to_string(), role))
    }

    fn is_clear(&self, x: usize, y: usize, cells: usize) -> bool {
        (x..x + cells).all(|x| self.cells.get(y * self.width + x).is_none_or(|(_, role)| role.is_none()))
    }
}

/// The bit of each dot in a Braille cell, by row and column (Unicode 16, block U+2800).
pub(super) const BRAILLE: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
