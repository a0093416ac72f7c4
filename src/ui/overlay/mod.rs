//! Dialogs.
use super::cx::Cx;
use crate::domain::model::Dialog;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
pub(super) fn draw(_buf: &mut Buffer, _area: Rect, _dialog: &Dialog, _cx: &Cx<'_>) {}
