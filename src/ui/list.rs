//! Lists that scroll and say so: what is above and below the page stands under it, in a row of its own.
//!
//! Pure. Only the rows that are seen are made, so that a list of thousands costs no more than a page.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::model::Listing;

use super::context::ViewContext;
use super::text::{Row, draw_lines};
use super::theme::Role;

/// Draws the page of a list that begins with row `wanted`, held so that the last page stays full.
pub(super) fn draw(
    buf: &mut Buffer,
    area: Rect,
    cx: &ViewContext<'_>,
    count: usize,
    row: impl FnMut(usize) -> Line<'static>,
) -> Listing {
    let (rows, _) = page(buf, area, cx, count, cx.model.scroll(), row);
    Listing::of(count, rows)
}

/// The same for a list in which a row is chosen, and not a page.
pub(super) fn choose(
    buf: &mut Buffer,
    area: Rect,
    cx: &ViewContext<'_>,
    count: usize,
    mut row: impl FnMut(usize, bool) -> Line<'static>,
) -> Listing {
    let chosen = cx.model.scroll().min(count.saturating_sub(1));
    let (page_rows, _) = page(buf, area, cx, count, chosen, |index| row(index, index == chosen));
    Listing { page_rows, last_row: count.saturating_sub(1), chosen: (count > 0).then_some(chosen) }
}

fn page(
    buf: &mut Buffer,
    area: Rect,
    cx: &ViewContext<'_>,
    count: usize,
    wanted: usize,
    row: impl FnMut(usize) -> Line<'static>,
) -> (u16, usize) {
    let over = count > usize::from(area.height);
    let rows = if over && area.height > 1 { area.height - 1 } else { area.height };
    let first = wanted.min(count.saturating_sub(rows.into()));
    let lines: Vec<Line<'_>> = (first..count).take(rows.into()).map(row).collect();
    draw_lines(buf, area, &lines);
    if rows < area.height {
        let last = Rect { y: area.y + rows, height: 1, ..area };
        draw_lines(buf, last, &[marks(cx, first, count - first - lines.len()).line()]);
    }
    (rows, first)
}

/// How many rows are above the page, and how many below.
pub(super) fn marks<'a>(cx: &ViewContext<'a>, above: usize, below: usize) -> Row<'a> {
    let glyphs = cx.theme.glyphs();
    let mut row = cx.row();
    if below > 0 {
        row = row.put(Role::Key, format!("{} {below} more", glyphs.below)).gap(2);
    }
    if above > 0 {
        row = row.put(if below > 0 { Role::Dim } else { Role::Key }, format!("{} {above} above", glyphs.above));
    }
    row
}
