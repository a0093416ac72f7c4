//! Provision: says what will be here, and whether a Pulumi run goes on now.
//!
//! Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::cx::Cx;
use super::text::{draw_lines, wrap};
use super::theme::{Mark, Role};

pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: &Cx<'_>) -> u16 {
    let inner = Rect { x: area.x + 1, width: area.width - 2, ..area };
    let fact = cx.world.facts.stack_run.as_ref();
    let rest = cx.heading(buf, inner, "Pulumi", cx.row().put(Role::Dim, cx.fact_age(fact)));
    let width = usize::from(rest.width).min(90);
    let (mark, now) = match fact.map(|f| &f.value) {
        Some(None) => (Mark::Pass, "no run goes on from this host".to_owned()),
        Some(Some(run)) => (Mark::Waiting, format!("{run}: no weight moves until it has ended")),
        None => (Mark::Unknown, "it is not known whether a run goes on".to_owned()),
    };
    let stack = &cx.model.stack;
    let coming = [
        format!(
            "Not in this version: preview, up, refresh and destroy of the stack {} in {} from here, with live progress, \
             a list of what changes, and a typed confirmation for everything that deletes.",
            stack.name, stack.region
        ),
        "A run will outlive this terminal: whoever opens tapctl next will see it and can follow it.".to_owned(),
        "Until then run pulumi in another terminal, always with --refresh, because the weights are moved from here and \
         not by Pulumi. Move no weight while it runs."
            .to_owned(),
    ];
    let mut lines = vec![cx.row().mark(mark).put(mark.role(), now).line()];
    for paragraph in &coming {
        lines.push(Line::default());
        lines.extend(wrap(cx.theme, paragraph, width).into_iter().map(|l| cx.row().put(Role::Text, l).line()));
    }
    draw_lines(buf, rest, &lines);
    rest.height
}
