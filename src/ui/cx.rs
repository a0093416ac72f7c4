//! What every view gets: the model, the world that is shown, the theme, and the few words that all views share.
//!
//! Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::facts::Fact;
use crate::domain::gate::FACT_STALE;
use crate::domain::metrics::Metric;
use crate::domain::model::{Model, World};
use crate::domain::series::Freshness;
use crate::domain::units::Timestamp;

use super::text::{Row, at_most, cells, draw_lines};
use super::theme::{Role, Theme};

/// What a view draws from.
pub(super) struct Cx<'a> {
    /// Everything.
    pub(super) model: &'a Model,
    /// The world that is shown: the frozen one while the display is frozen.
    pub(super) world: &'a World,
    /// How it looks.
    pub(super) theme: &'a Theme,
}

/// A number of a metric, as text, with the role that tells how far to trust it.
pub(super) struct Reading {
    /// The role.
    pub(super) role: Role,
    /// The number with its unit; a sign before it when it is old or may still change.
    pub(super) text: String,
    /// The start of its minute.
    pub(super) at: Option<Timestamp>,
}

impl<'a> Cx<'a> {
    /// For this model.
    pub(super) fn new(model: &'a Model, theme: &'a Theme) -> Self {
        Self { model, world: model.shown(), theme }
    }

    /// An empty row.
    pub(super) fn row(&self) -> Row<'a> {
        Row::new(self.theme)
    }

    /// How long ago something was true, at most.
    pub(super) fn age(&self, at: Timestamp) -> String {
        at_most(self.world.now.since(at))
    }

    /// The age of a fact, with a sign once it is too old to decide on; a dash when there is none.
    pub(super) fn fact_age<T>(&self, fact: Option<&Fact<T>>) -> String {
        match fact {
            Some(fact) if self.is_old(fact.at) => format!("{} {}", self.theme.glyphs().stale, self.age(fact.at)),
            Some(fact) => self.age(fact.at),
            None => "not known".to_owned(),
        }
    }

    /// Whether a fact of that instant is too old to decide on.
    pub(super) fn is_old(&self, at: Timestamp) -> bool {
        self.world.now.since(at) > FACT_STALE
    }

    /// The role of text that tells a fact: dim once it is too old.
    pub(super) fn fact_role<T>(&self, fact: Option<&Fact<T>>) -> Role {
        if fact.is_some_and(|f| !self.is_old(f.at)) { Role::Text } else { Role::Dim }
    }

    /// The newest settled value of a metric; a value that may still change when there is no settled one.
    pub(super) fn reading(&self, metric: Metric, show: impl Fn(f64) -> String) -> Reading {
        let series = self.world.facts.metrics.series(metric);
        let glyphs = self.theme.glyphs();
        let (role, sign, point) = match series.freshness(self.world.now) {
            Freshness::Fresh => (Role::Text, "", series.last_settled(self.world.now)),
            Freshness::Stale | Freshness::Provisional => {
                (Role::Dim, glyphs.stale, series.last_settled(self.world.now).or(series.last()))
            }
            Freshness::Missing => (Role::Dim, "", None),
        };
        match point {
            Some(p) if sign.is_empty() => Reading { role, text: show(p.value), at: Some(p.at) },
            Some(p) => Reading { role, text: format!("{sign} {}", show(p.value)), at: Some(p.at) },
            None => Reading { role, text: glyphs.none.to_owned(), at: None },
        }
    }

    /// Draws a heading with a rule to the right end and `note` on it; gives back what is left of the area.
    pub(super) fn heading(&self, buf: &mut Buffer, area: Rect, title: &str, note: Row<'_>) -> Rect {
        if area.is_empty() {
            return area;
        }
        let width = usize::from(area.width);
        let row = self.row().clipped(Role::Strong, title, width).gap(1);
        let tail = if note.width() == 0 || row.width() + note.width() + 2 > width { None } else { Some(note) };
        let ruled = row.room(width).saturating_sub(tail.as_ref().map_or(0, |t| t.width() + 1));
        let mut row = row.repeat(Role::Rule, self.theme.glyphs().rule, ruled);
        if let Some(tail) = tail {
            row = row.gap(1).append(tail);
        }
        draw_lines(buf, Rect { height: 1, ..area }, &[row.line()]);
        Rect { y: area.y + 1, height: area.height - 1, ..area }
    }

    /// Draws an upright rule over the whole height of `area`.
    pub(super) fn upright(&self, buf: &mut Buffer, area: Rect) {
        let line = self.row().put(Role::Rule, self.theme.glyphs().upright).line();
        draw_lines(buf, area, &vec![line; area.height.into()]);
    }

    /// Cells of a text.
    pub(super) fn cells(&self, text: &str) -> usize {
        cells(self.theme, text)
    }

    /// `filter: orders (3 of 12)`, while there is a filter.
    pub(super) fn filter_note(&self, kept: usize, all: usize) -> String {
        if self.model.screen.filter.is_empty() {
            String::new()
        } else {
            format!("filter {}: {kept} of {all}", self.model.screen.filter)
        }
    }
}
