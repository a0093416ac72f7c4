//! View.
use super::cx::Cx;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
pub(super) fn draw(_buf: &mut Buffer, area: Rect, _cx: &Cx<'_>) -> u16 {
    area.height
}
