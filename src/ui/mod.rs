//! The screen: plain functions from the model to cells.
//!
//! May use the domain, the key table and `ratatui`. Reads no clock, keeps no state and changes nothing: two frames of
//! the same model are the same frame.
//!
//! ```text
//!  header   who, where, how old                 chrome
//!           the weights, wanted and seen
//!           may the next step be made?          verdict
//!  tabs
//!  body     one file for each view, drawn over by a dialog (overlay)
//!  footer   keys, from KEYMAP
//! ```

mod chart;
mod chrome;
mod context;
mod gates;
mod journal;
mod lag;
mod list;
mod overlay;
mod overview;
mod provision;
mod replication;
mod service;
mod stacks;
pub mod svg;
mod text;
mod theme;
mod timeline;
mod traffic;
mod trends;
mod verdict;

#[cfg(test)]
mod answers_tests;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod one_value_tests;
#[cfg(test)]
mod provision_tests;
#[cfg(test)]
mod question_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unprovisioned_tests;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};

use crate::domain::model::{Dialog, Listing, Model, SMALLEST_SCREEN, Shown};
use crate::domain::readiness::{Picture, readiness};
use crate::domain::text::Printable;
use crate::keymap::View;

pub use theme::{Ground, Palette, Theme};

use context::ViewContext;
use text::{draw_lines, wrap};
use theme::Role;

/// Draws the whole screen. Gives back how the view's list came out, and how much of what is open was drawn.
pub fn draw(frame: &mut Frame<'_>, model: &Model, theme: &Theme) -> (Listing, Shown) {
    let area = frame.area();
    paint(frame.buffer_mut(), area, model, theme)
}

/// Draws the screen into `area` of a buffer.
fn paint(buf: &mut Buffer, area: Rect, model: &Model, theme: &Theme) -> (Listing, Shown) {
    let cx = ViewContext::new(model, theme);
    if area.width < SMALLEST_SCREEN.0 || area.height < SMALLEST_SCREEN.1 {
        too_small(buf, area, &cx);
        return (Listing::default(), Shown::TooSmall);
    }
    let body = chrome::draw(buf, area, &cx);
    let listing = match model.screen.view {
        View::Overview => overview::draw(buf, body, &cx),
        View::Traffic => traffic::draw(buf, body, &cx),
        View::Replication => replication::draw(buf, body, &cx),
        View::Service => service::draw(buf, body, &cx),
        View::Provision => provision::draw(buf, body, &cx),
        View::Journal => journal::draw(buf, body, &cx),
    };
    let open = model.dialog.as_ref().map(|dialog| overlay::draw(buf, area, dialog, &cx));
    let (whole, read) = open.unwrap_or((true, None));
    (read.unwrap_or(listing), if whole { Shown::Whole } else { Shown::Cut })
}

/// The view whose tab is there, on a screen of that size.
#[must_use]
pub fn tab_at(model: &Model, theme: &Theme, size: Size, on: Position) -> Option<View> {
    let fits = size.width >= SMALLEST_SCREEN.0 && size.height >= SMALLEST_SCREEN.1 && on.y == chrome::TABS;
    let cx = ViewContext::new(model, theme);
    fits.then(|| chrome::tab_in(&cx, size.width.into(), on.x.into())).flatten()
}

/// Longer titles are cut by every terminal.
const MAX_TITLE: usize = 120;

/// The terminal's title: stack, share, verdict; ASCII, because titles are shown by programs that tapctl does not know.
#[must_use]
pub fn title(model: &Model) -> String {
    let share = model.live.facts.shiftable().map_or_else(|| "? %".to_owned(), |group| group.new_share().to_string());
    let ready = readiness(&Picture::of(model, &model.live));
    let simulated = if model.watcher.simulation.is_some() { "SIM " } else { "" };
    let title = format!("{simulated}{} {share} {} - tapctl", model.stack.name, ready.word);
    let shown = Printable::line(&title);
    shown.as_str().chars().take(MAX_TITLE).map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect()
}

/// Too small for a view: the wanted share, the verdict, and the size that is needed.
fn too_small(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) {
    let ready = readiness(&cx.picture);
    let width = usize::from(area.width);
    let weights = match cx.world.facts.shiftable() {
        Some(group) => format!("legacy {} % new {}", 100 - group.new_share().get(), group.new_share()),
        None => "weights not known".to_owned(),
    };
    let mut lines = vec![
        cx.row().put(ready.mark.badge(), format!(" {} {} ", cx.theme.mark(ready.mark), ready.word)).line(),
        cx.row().clipped(Role::Strong, format!("{} {weights}", cx.model.stack.name), width).line(),
    ];
    lines.extend(
        wrap(cx.theme, &verdict::line(cx, &ready, usize::MAX), width)
            .into_iter()
            .map(|l| cx.row().put(Role::Text, l).line()),
    );
    // What was closed because it could not be shown says so here, where it cannot be asked.
    let told = match (&cx.model.screen.toast, &cx.model.dialog) {
        (Some(toast), _) => Some(toast.text.clone()),
        (None, Some(Dialog::Notice { title, .. })) => Some(title.clone()),
        _ => None,
    };
    let told = told.map(|text| wrap(cx.theme, &text, width)).unwrap_or_default();
    lines.splice(2..2, told.into_iter().map(|l| cx.row().put(Role::Fail, l).line()));
    let (columns, rows) = SMALLEST_SCREEN;
    let size = format!("needs {columns}x{rows}, has {}x{}", area.width, area.height);
    lines.truncate(usize::from(area.height.saturating_sub(1)));
    lines.push(cx.row().clipped(Role::Dim, size, width).line());
    draw_lines(buf, area, &lines);
}
