//! Rows of text: measured in cells, clipped with a sign, aligned in columns; ages in coarse and honest steps.
//!
//! Pure. Views build [`Row`]s and hand them to [`draw_lines`]; nothing is ever drawn outside the area that was given.

use std::borrow::Cow;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::theme::{Mark, Role, Theme};

/// The gaps of most rows; a wider one is made.
const SPACES: &str = "                                                                ";

/// One line under construction; columns are counted in cells from its start.
#[derive(Clone)]
pub(super) struct Row<'t> {
    theme: &'t Theme,
    spans: Vec<Span<'static>>,
    width: usize,
}

impl<'t> Row<'t> {
    /// An empty line.
    pub(super) fn new(theme: &'t Theme) -> Self {
        Self { theme, spans: Vec::new(), width: 0 }
    }

    /// Cells used so far.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Cells left before column `to`.
    pub(super) fn room(&self, to: usize) -> usize {
        to.saturating_sub(self.width)
    }

    /// Adds text.
    pub(super) fn put(self, role: Role, text: impl AsRef<str>) -> Self {
        let text = self.theme.clean(text.as_ref()).into_owned();
        self.put_clean(role, text)
    }

    /// Adds text that has been through [`Theme::clean`], or is only spaces: cleaning is most of the work of a frame.
    fn put_clean(mut self, role: Role, text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        self.width += text.width();
        self.spans.push(Span::styled(text, self.theme.style(role)));
        self
    }

    /// Adds text that is clipped to `room` cells.
    pub(super) fn clipped(self, role: Role, text: impl AsRef<str>, room: usize) -> Self {
        let text = clip(self.theme, text.as_ref(), room);
        self.put_clean(role, text)
    }

    /// Adds `count` spaces.
    pub(super) fn gap(self, count: usize) -> Self {
        match SPACES.get(..count) {
            Some("") => self,
            Some(spaces) => self.put_clean(Role::Text, spaces),
            None => self.put_clean(Role::Text, " ".repeat(count)),
        }
    }

    /// Adds spaces up to column `to`.
    pub(super) fn tab(self, to: usize) -> Self {
        let count = self.room(to);
        self.gap(count)
    }

    /// Adds text in a column of `width` cells, left-aligned and clipped.
    pub(super) fn cell(self, role: Role, text: impl AsRef<str>, width: usize) -> Self {
        let end = self.width + width;
        self.clipped(role, text, width).tab(end)
    }

    /// Adds text in a column of `width` cells, right-aligned and clipped.
    pub(super) fn num(self, role: Role, text: impl AsRef<str>, width: usize) -> Self {
        let text = clip(self.theme, text.as_ref(), width);
        let lead = width.saturating_sub(text.width());
        self.led(role, lead, text)
    }

    /// Adds text behind `lead` spaces of its own look: where it becomes shorter or longer, no other look is in between,
    /// which would cost more bytes than the text.
    fn led(self, role: Role, lead: usize, text: impl AsRef<str>) -> Self {
        self.put_clean(role, format!("{:lead$}{}", "", text.as_ref()))
    }

    /// Adds text so that it ends at column `to`; leaves it out when it does not fit with a space before it.
    pub(super) fn ending(self, role: Role, text: impl AsRef<str>, to: usize) -> Self {
        let text = self.theme.clean(text.as_ref()).into_owned();
        let width = text.width();
        if width == 0 || self.width + width >= to {
            return self;
        }
        let lead = self.room(to - width);
        self.led(role, lead, text)
    }

    /// Adds another row's text.
    pub(super) fn append(mut self, other: Row<'_>) -> Self {
        self.width += other.width;
        self.spans.extend(other.spans);
        self
    }

    /// Adds a glyph `count` times.
    pub(super) fn repeat(self, role: Role, glyph: &str, count: usize) -> Self {
        if count == 0 { self } else { self.put(role, glyph.repeat(count)) }
    }

    /// Adds the mark's glyph and a space.
    pub(super) fn mark(self, mark: Mark) -> Self {
        let glyph = self.theme.mark(mark);
        self.put(mark.role(), glyph).gap(1)
    }

    /// The finished line.
    pub(super) fn line(self) -> Line<'static> {
        Line::from(self.spans)
    }
}

/// Cells that a text takes once it is clean.
pub(super) fn cells(theme: &Theme, text: &str) -> usize {
    theme.clean(text).width()
}

/// The text cut to `room` cells, with a sign where something was cut.
pub(super) fn clip(theme: &Theme, text: &str, room: usize) -> String {
    let text = theme.clean(text);
    if text.width() <= room {
        return text.into_owned();
    }
    let sign = theme.glyphs().cut;
    let mut cut = String::new();
    let mut used = sign.width();
    if used > room {
        return cut;
    }
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        cut.push(c);
    }
    cut.push_str(sign);
    cut
}

/// The text broken at spaces into lines of at most `room` cells; a word that is longer is broken anywhere.
pub(super) fn wrap(theme: &Theme, text: &str, room: usize) -> Vec<String> {
    let text = theme.clean(text);
    let room = room.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let size = word.width();
        if used > 0 && used + 1 + size <= room {
            line.push(' ');
            line.push_str(word);
            used += 1 + size;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for c in word.chars() {
            let size = c.width().unwrap_or(0);
            if used + size > room && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += size;
        }
    }
    if used > 0 {
        lines.push(line);
    }
    lines
}

/// Draws the lines from the top of `area`; what does not fit is left out.
pub(super) fn draw_lines(buf: &mut Buffer, area: Rect, lines: &[Line<'_>]) {
    let area = area.intersection(buf.area);
    for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
        buf.set_line(area.x, y, line, area.width);
    }
}

/// An age, rounded up so that it is never understated: `15 s`, `3m40s`, `25m`, `2h05`. It goes on in steps, because every
/// step of every age on the screen is written to a line that may be slow.
pub(super) fn age_up(age: Duration) -> String {
    let secs = age.as_secs();
    let step = match secs {
        0..60 => 5,
        60..600 => 10,
        600..3600 => 60,
        3600..36_000 => 300,
        36_000..864_000 => 3600,
        _ => 86_400,
    };
    let secs = (secs / step + 1) * step;
    match step {
        5 if secs < 60 => format!("{secs} s"),
        5 | 10 if secs < 600 => format!("{}m{:02}s", secs / 60, secs % 60),
        86_400 => format!("{} d", secs / 86_400),
        _ if secs < 3600 => format!("{}m", secs / 60),
        3600 => format!("{}h", secs / 3600),
        _ => format!("{}h{:02}", secs / 3600, secs / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::super::theme::Palette;
    use super::*;

    /// What a person reads in an age, in seconds.
    fn read(text: &str) -> u64 {
        let number = |text: &str| text.trim().parse::<u64>().unwrap();
        match (text.split_once('h'), text.split_once('m')) {
            (Some((hours, "")), _) => number(hours) * 3600,
            (Some((hours, minutes)), _) => number(hours) * 3600 + number(minutes) * 60,
            (_, Some((minutes, ""))) => number(minutes) * 60,
            (_, Some((minutes, secs))) => number(minutes) * 60 + number(secs.trim_end_matches('s')),
            _ if text.ends_with('d') => number(text.trim_end_matches('d')) * 86_400,
            _ => number(text.trim_end_matches('s')),
        }
    }

    #[test]
    fn an_age_is_never_understated_and_never_a_tenth_too_much() {
        for secs in (0..20_000).chain((20_000..2_000_000).step_by(777)) {
            let text = age_up(Duration::from_secs(secs));
            let told = read(&text);
            assert!(told > secs && told <= secs + (secs / 6).max(10), "{secs} s as {text}");
            assert!(text.len() <= 6, "{text}");
        }
        for (secs, told) in [(0, "5 s"), (58, "1m00s"), (219, "3m40s"), (600, "11m"), (7_450, "2h05"), (90_000, "26h")]
        {
            assert_eq!(age_up(Duration::from_secs(secs)), told);
        }
    }

    #[test]
    fn wrapped_lines_fit_and_lose_no_word() {
        let theme = Theme::new(Palette::Mono, false);
        let text = "lag 74 s, limit 60 s; look for a long transaction on the source";
        for room in 1..70 {
            let lines = wrap(&theme, text, room);
            assert!(lines.iter().all(|l| l.width() <= room));
            let joined: String = lines.concat().chars().filter(|c| *c != ' ').collect();
            assert_eq!(joined, text.replace(' ', ""));
        }
    }

    #[test]
    fn a_cut_shows() {
        let theme = Theme::new(Palette::Mono, true);
        assert_eq!(clip(&theme, "replication", 6), "repli~");
        assert_eq!(clip(&theme, "replication", 0), "");
    }

    #[test]
    fn columns_line_up() {
        let theme = Theme::new(Palette::Mono, false);
        let row = Row::new(&theme).cell(Role::Text, "ab", 4).num(Role::Text, "7", 3).ending(Role::Dim, "end", 12);
        assert_eq!(row.line().to_string(), "ab    7  end");
    }
}
