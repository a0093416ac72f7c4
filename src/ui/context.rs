//! What every view gets: the model, the world that is shown, the theme, and the few words that all views share.
//!
//! Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::facts::Fact;
use crate::domain::gate::Inputs;
use crate::domain::metrics::Metric;
use crate::domain::model::{LiveState, Model};
use crate::domain::readiness::Picture;
use crate::domain::reading::{self, FACT_STALE, Quality, Reading};
use crate::domain::time::TOLERANCE;
use crate::domain::units::Timestamp;

use super::text::{Row, age_up, cells, draw_lines};
use super::theme::{Mark, Role, Theme};

/// What a view draws from.
pub(super) struct ViewContext<'a> {
    /// Everything.
    pub(super) model: &'a Model,
    /// The world that is shown: the frozen one while the display is frozen.
    pub(super) world: &'a LiveState,
    /// What the verdict and the problems are made of.
    pub(super) picture: Picture<'a>,
    /// How it looks.
    pub(super) theme: &'a Theme,
}

/// A reading as text, with the role that tells how far to trust it.
pub(super) struct Shown {
    /// The role.
    pub(super) role: Role,
    /// The number with its unit; a sign before it when it decides nothing.
    pub(super) text: String,
    /// The start of its minute.
    pub(super) at: Option<Timestamp>,
}

impl<'a> ViewContext<'a> {
    /// For this model.
    pub(super) fn new(model: &'a Model, theme: &'a Theme) -> Self {
        let world = model.shown();
        Self { model, world, picture: Picture::of(model, world), theme }
    }

    /// What the gates of the world that is shown look at.
    pub(super) fn inputs(&self) -> Inputs<'a> {
        let world = self.world;
        Inputs {
            facts: &world.facts,
            history: world.history.as_ref(),
            policy: &self.model.policy,
            endpoints: &self.model.stack.endpoints,
            now: world.now,
        }
    }

    /// An empty row.
    pub(super) fn row(&self) -> Row<'a> {
        Row::new(self.theme)
    }

    /// How long ago something was true, rounded up.
    pub(super) fn age(&self, at: Timestamp) -> String {
        age_up(self.world.now.since(at))
    }

    /// Since when something is so, with its date where that is not today's: exact, and nothing that grows.
    pub(super) fn since(&self, at: Timestamp) -> String {
        let (stamp, today) = (at.to_string(), self.world.now.to_string());
        if stamp.get(..10) == today.get(..10) {
            format!("since {}", at.hm())
        } else {
            format!("since {}", stamp.get(5..16).unwrap_or_default().replace('T', " "))
        }
    }

    /// The age of a fact, with a sign once it is too old to decide on; a dash when there is none.
    pub(super) fn fact_age<T>(&self, fact: Option<&Fact<T>>) -> String {
        match fact {
            Some(fact) if self.is_old(fact.at) => format!("{} {}", self.theme.glyphs().stale, self.age(fact.at)),
            Some(fact) => self.age(fact.at),
            None => "not known".to_owned(),
        }
    }

    /// Whether a fact of that instant is too old to decide on, or of an instant that is still to come.
    pub(super) fn is_old(&self, at: Timestamp) -> bool {
        self.world.now.since(at) > FACT_STALE || at.since(self.world.now) > TOLERANCE
    }

    /// The role of text that tells a fact: dim once it is too old.
    pub(super) fn fact_role<T>(&self, fact: Option<&Fact<T>>) -> Role {
        if fact.is_some_and(|f| !self.is_old(f.at)) { Role::Text } else { Role::Dim }
    }

    /// A reading: dim and with a sign before it where it decides nothing, a dash where there is none.
    pub(super) fn shown<T>(&self, reading: &Reading<T>, show: impl Fn(&T) -> String) -> Shown {
        let glyphs = self.theme.glyphs();
        match &reading.value {
            Some(value) if reading.quality == Quality::Fresh => {
                Shown { role: Role::Text, text: show(value), at: reading.at }
            }
            Some(value) => Shown { role: Role::Dim, text: format!("{} {}", glyphs.stale, show(value)), at: reading.at },
            None => Shown { role: Role::Dim, text: glyphs.none.to_owned(), at: None },
        }
    }

    /// A metric as a reading.
    pub(super) fn reading(&self, metric: Metric, show: impl Fn(f64) -> String) -> Shown {
        self.shown(&reading::metric(&self.world.facts, metric, self.world.now), |value| show(*value))
    }

    /// The mark of something that a fact tells: stale, whatever it says, once the fact is too old to decide on.
    pub(super) fn mark_of<T>(&self, fact: Option<&Fact<T>>, mark: Mark) -> Mark {
        match fact {
            Some(fact) if !self.is_old(fact.at) => mark,
            Some(_) => Mark::Stale,
            None => Mark::Unknown,
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
