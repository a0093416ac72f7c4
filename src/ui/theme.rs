//! Roles, not colours: what a piece of text means, and how each palette and glyph set shows that meaning.
//!
//! Pure. Views ask for a [`Role`] or a [`Mark`]; only [`palette`] names colours. Text enters the screen
//! only through [`Theme::clean`], so that a terminal without Unicode never gets a byte that it cannot show.

mod palette;

use std::borrow::Cow;

use crate::domain::text::{hide, is_unfit};
use ratatui::style::Style;

/// How much colour the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// 256 colours.
    Full,
    /// The sixteen that every colour terminal has.
    Sixteen,
    /// None: bold, dim, underlined and reversed text alone.
    Mono,
}

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Plain text.
    Text,
    /// Headings and the values that matter most.
    Strong,
    /// Old, provisional, or beside the point.
    Dim,
    /// Rules, frames, axes.
    Rule,
    /// The legacy stack; used for nothing else.
    Legacy,
    /// The new stack; used for nothing else.
    New,
    /// Passes.
    Pass,
    /// Needs a hand now; the only red.
    Fail,
    /// Cannot tell.
    Unknown,
    /// Passes by itself with time.
    Waiting,
    /// A key that can be pressed.
    Key,
    /// The view that is shown.
    Tab,
    /// A state of the whole program: SIMULATION, READ-ONLY, FROZEN.
    Badge,
    /// The verdict: go.
    GoBadge,
    /// The verdict: something fails.
    StopBadge,
    /// The verdict: something is not known.
    AskBadge,
    /// The verdict: wait.
    WaitBadge,
}

pub(super) use crate::domain::readiness::Mark;

/// In the order of trust: glyph, then word, then colour.
impl Mark {
    /// The role of text under this mark.
    pub(super) const fn role(self) -> Role {
        match self {
            Self::Pass => Role::Pass,
            Self::Fail => Role::Fail,
            Self::Unknown | Self::Stale => Role::Unknown,
            Self::Waiting => Role::Waiting,
        }
    }

    /// The role of the verdict's badge under this mark.
    pub(super) const fn badge(self) -> Role {
        match self {
            Self::Pass => Role::GoBadge,
            Self::Fail => Role::StopBadge,
            Self::Unknown | Self::Stale => Role::AskBadge,
            Self::Waiting => Role::WaitBadge,
        }
    }
}

/// The characters that are drawn, once with Unicode and once without.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyphs {
    pub(super) pass: &'static str,
    pub(super) fail: &'static str,
    pub(super) unknown: &'static str,
    pub(super) waiting: &'static str,
    pub(super) stale: &'static str,
    pub(super) rule: &'static str,
    pub(super) upright: &'static str,
    pub(super) limit: &'static str,
    /// Upper left, upper right, lower left, lower right.
    pub(super) corners: [&'static str; 4],
    pub(super) bar_legacy: &'static str,
    pub(super) bar_new: &'static str,
    pub(super) bar_done: &'static str,
    pub(super) bar_left: &'static str,
    pub(super) bar_open: &'static str,
    pub(super) bar_close: &'static str,
    pub(super) seen: &'static str,
    pub(super) running: &'static str,
    pub(super) starting: &'static str,
    pub(super) cut: &'static str,
    pub(super) cursor: &'static str,
    pub(super) pointer: &'static str,
    pub(super) corner: &'static str,
    pub(super) none: &'static str,
    /// Where the weights changed, on a chart.
    pub(super) mark: &'static str,
    /// Rows above and below the page of a list.
    pub(super) above: &'static str,
    pub(super) below: &'static str,
    /// Nine heights of a sparkline, the lowest first.
    pub(super) spark: [&'static str; 9],
}

const UNICODE: Glyphs = Glyphs {
    pass: "✓",
    fail: "✗",
    unknown: "?",
    waiting: "…",
    stale: "◌",
    rule: "─",
    upright: "│",
    limit: "┄",
    corners: ["┌", "┐", "└", "┘"],
    bar_legacy: "━",
    bar_new: "┅",
    bar_done: "█",
    bar_left: "░",
    bar_open: "▕",
    bar_close: "▏",
    seen: "◆",
    running: "●",
    starting: "○",
    cut: "…",
    cursor: "▏",
    pointer: "▸",
    corner: "└",
    none: "–",
    mark: "┆",
    above: "▲",
    below: "▼",
    spark: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
};

const ASCII: Glyphs = Glyphs {
    pass: "+",
    fail: "x",
    unknown: "?",
    waiting: ".",
    stale: "o",
    rule: "-",
    upright: "|",
    limit: "-",
    corners: ["+", "+", "+", "+"],
    bar_legacy: "#",
    bar_new: "=",
    bar_done: "#",
    bar_left: ".",
    bar_open: "[",
    bar_close: "]",
    seen: "^",
    running: "o",
    starting: ".",
    cut: "~",
    cursor: "_",
    pointer: ">",
    corner: "`",
    none: "-",
    mark: "|",
    above: "^",
    below: "v",
    spark: [" ", "_", "_", ".", "-", "=", "+", "*", "#"],
};

/// What the terminal's own ground is like. It is left as it is: whoever has chosen it sees it all day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ground {
    /// Light text on dark.
    #[default]
    Dark,
    /// Dark text on light.
    Light,
}

/// How roles and glyphs look on this terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    palette: Palette,
    ground: Ground,
    ascii: bool,
}

impl Theme {
    /// A theme for a terminal with so much colour; `ascii` keeps every character below 128.
    #[must_use]
    pub fn new(palette: Palette, ascii: bool) -> Self {
        Self { palette, ground: Ground::Dark, ascii }
    }

    /// The same on another ground.
    #[must_use]
    pub fn on(self, ground: Ground) -> Self {
        Self { ground, ..self }
    }

    /// The terminal's ground.
    pub(super) const fn ground(&self) -> Ground {
        self.ground
    }

    /// Whether only ASCII may be drawn.
    pub(super) const fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// The glyph set.
    pub(super) const fn glyphs(&self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &UNICODE }
    }

    /// The glyph of a mark.
    pub(super) const fn mark(&self, mark: Mark) -> &'static str {
        let glyphs = self.glyphs();
        match mark {
            Mark::Pass => glyphs.pass,
            Mark::Fail => glyphs.fail,
            Mark::Unknown => glyphs.unknown,
            Mark::Waiting => glyphs.waiting,
            Mark::Stale => glyphs.stale,
        }
    }

    /// The style of a role.
    pub(super) fn style(&self, role: Role) -> Style {
        palette::style(self.palette, self.ground, role)
    }

    /// Text that this terminal can show: control and direction characters become spaces, so that nothing that came
    /// from outside can move the cursor or turn a sentence round, and without Unicode everything becomes ASCII.
    pub(super) fn clean<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let is_plain = |c: char| (' '..='~').contains(&c);
        let text = hide(text);
        if text.chars().all(is_plain) {
            return text;
        }
        let mut clean = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                c if is_plain(c) => clean.push(c),
                c if is_unfit(c) => clean.push(' '),
                c if self.ascii => clean.push_str(in_ascii(c)),
                c => clean.push(c),
            }
        }
        Cow::Owned(clean)
    }
}

fn in_ascii(c: char) -> &'static str {
    match c {
        '→' => "->",
        '←' => "<-",
        '≤' => "<=",
        '≥' => ">=",
        '≈' => "~",
        '×' => "x",
        '±' => "+-",
        '–' | '—' | '−' => "-",
        '…' => "...",
        '·' => "|",
        '▲' => "^",
        '▼' => "v",
        '“' | '”' => "\"",
        '‘' | '’' => "'",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_can_move_the_cursor() {
        let theme = Theme::new(Palette::Full, false);
        assert_eq!(theme.clean("a\u{1b}[2J\nb\u{202e}c"), "a [2J b c");
    }

    #[test]
    fn without_unicode_signs_keep_their_meaning() {
        let theme = Theme::new(Palette::Full, true);
        assert_eq!(theme.clean("80 → 70, ≤ 2 × p99, step −10"), "80 -> 70, <= 2 x p99, step -10");
    }

    #[test]
    fn every_mark_has_its_own_glyph_in_both_sets() {
        let marks = [Mark::Pass, Mark::Fail, Mark::Unknown, Mark::Waiting, Mark::Stale];
        for ascii in [false, true] {
            let theme = Theme::new(Palette::Mono, ascii);
            let glyphs: std::collections::HashSet<_> = marks.iter().map(|m| theme.mark(*m)).collect();
            assert_eq!(glyphs.len(), marks.len());
        }
    }
}
