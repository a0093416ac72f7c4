//! A terminal in memory that the loop draws on while somebody else looks at it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Size};

/// The screen. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Screen {
    inner: Arc<Mutex<TestBackend>>,
}

impl Screen {
    /// An empty screen of so many columns and rows.
    #[must_use]
    pub fn new((columns, rows): (u16, u16)) -> Self {
        Self { inner: Arc::new(Mutex::new(TestBackend::new(columns, rows))) }
    }

    fn lock(&self) -> MutexGuard<'_, TestBackend> {
        // Each cell is whole in itself, so a panic elsewhere leaves it readable.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives it another size; what is on it stays until it is drawn anew.
    pub fn resize(&self, (columns, rows): (u16, u16)) {
        self.lock().resize(columns, rows);
    }

    /// What is on it, with its colours.
    #[must_use]
    pub fn buffer(&self) -> Buffer {
        self.lock().buffer().clone()
    }

    /// Its lines, without the spaces at their ends.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let inner = self.lock();
        let buffer = inner.buffer();
        let width = usize::from(buffer.area.width).max(1);
        let line = |cells: &[Cell]| {
            let mut line = String::new();
            let mut hidden = 0;
            for cell in cells {
                // The cell after a wide character is hidden by it.
                if hidden == 0 {
                    line.push_str(cell.symbol());
                    hidden = unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1);
                }
                hidden -= 1;
            }
            line.trim_end().to_owned()
        };
        buffer.content.chunks(width).map(line).collect()
    }
}

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

impl Backend for Screen {
    type Error = std::convert::Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.lock().draw(content)
    }

    fn append_lines(&mut self, n: u16) -> Result<(), Self::Error> {
        self.lock().append_lines(n)
    }

    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        self.lock().hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        self.lock().show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        self.lock().get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.lock().set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Self::Error> {
        self.lock().clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Self::Error> {
        self.lock().clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Self::Error> {
        self.lock().size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        self.lock().window_size()
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        self.lock().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_they_are_seen_also_with_wide_characters() {
        let mut terminal = ratatui::Terminal::new(Screen::new((10, 2))).unwrap();
        terminal.draw(|frame| frame.render_widget("日本 a", frame.area())).unwrap();
        assert_eq!(terminal.backend().lines(), ["日本 a", ""]);
    }
}
