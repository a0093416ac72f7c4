//! View.
use super::cx::Cx;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
pub(super) fn draw(_buf: &mut Buffer, area: Rect, _cx: &Cx<'_>) -> u16 {
    area.height
}
pub(super) fn zones(service: &crate::domain::service::Service) -> Vec<(String, usize)> {
    let mut count = std::collections::BTreeMap::<&str, usize>::new();
    for task in service.tasks.iter().filter(|t| t.status == "RUNNING") {
        *count.entry(&task.zone).or_default() += 1;
    }
    count.into_iter().map(|(zone, count)| (zone.to_owned(), count)).collect()
}
