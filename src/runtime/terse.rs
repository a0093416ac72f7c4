//! A writer between what draws and the terminal, which leaves out what says nothing.
//!
//! What draws ends each frame with four sequences where the last one says it all, and hides a cursor that is hidden
//! already. On a screen at rest that is a quarter of all bytes, on a bastion's line at the other end of the world.

use std::io::{self, Write};

/// Every look is plain again: colours of text, ground and underline one by one, and then all of it.
const PLAIN: (&[u8], &[u8]) = (b"\x1b[39m\x1b[49m\x1b[59m\x1b[0m", b"\x1b[0m");
/// The cursor is hidden for as long as the cockpit has the terminal, by whoever takes it.
const HIDDEN: (&[u8], &[u8]) = (b"\x1b[?25l", b"");

/// Gathers what is written until it is flushed, and writes it in one piece. What the terminal did not take goes before the
/// next frame: whoever draws takes it for drawn.
#[derive(Debug)]
pub struct Terse<W: Write> {
    out: W,
    frame: Vec<u8>,
    unwritten: Vec<u8>,
}

impl<W: Write> Terse<W> {
    /// A writer to this one.
    pub fn new(out: W) -> Self {
        Self { out, frame: Vec::new(), unwritten: Vec::new() }
    }
}

impl<W: Write> Write for Terse<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let frame = terse(&std::mem::take(&mut self.frame));
        // A frame in which nothing changed says at most that all is plain, as it was left.
        if !frame.is_empty() && frame != PLAIN.1 {
            self.unwritten.extend(frame);
        }
        if self.unwritten.is_empty() {
            return Ok(());
        }
        while !self.unwritten.is_empty() {
            match self.out.write(&self.unwritten) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => drop(self.unwritten.drain(..taken)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.flush()
    }
}

fn terse(frame: &[u8]) -> Vec<u8> {
    let mut short = Vec::with_capacity(frame.len());
    let mut rest = frame;
    while let Some(at) = rest.iter().position(|byte| *byte == 0x1b) {
        let (before, sequences) = rest.split_at(at);
        short.extend_from_slice(before);
        let known = [PLAIN, HIDDEN].into_iter().find(|(long, _)| sequences.starts_with(long));
        let (long, said) = known.unwrap_or((&sequences[..1], &sequences[..1]));
        short.extend_from_slice(said);
        rest = &sequences[long.len()..];
    }
    short.extend_from_slice(rest);
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::backend::CrosstermBackend;
    use ratatui::style::{Color, Style};
    use ratatui::text::Span;
    use ratatui::{Terminal, TerminalOptions, Viewport};

    use super::*;

    const AREA: (u16, u16) = (20, 4);

    /// What a terminal shows after these bytes: each cell with its look.
    fn shown(bytes: &[u8]) -> Vec<String> {
        let size = |cells| std::num::NonZero::new(cells).unwrap();
        let mut screen = vt100::Parser::new(size(AREA.1), size(AREA.0), 0);
        screen.process(b"\x1b[?25l");
        screen.process(bytes);
        let cells = (0..AREA.1).flat_map(|row| (0..AREA.0).map(move |column| (row, column)));
        let cells = cells.map(|(row, column)| format!("{:?}", screen.screen().cell(row, column)));
        cells.chain([format!("{:?}", screen.screen().hide_cursor())]).collect()
    }

    /// A terminal that takes so many bytes at once, and none where it says 0: one for each time it is written to.
    struct Hesitant<'a> {
        taken: &'a mut Vec<u8>,
        takes: std::vec::IntoIter<usize>,
    }

    impl Write for Hesitant<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let most = self.takes.next().unwrap_or(usize::MAX).min(bytes.len());
            if most == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.taken.extend(&bytes[..most]);
            Ok(most)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The bytes of these frames: what stands where, in which colour. A frame that was not taken whole is drawn again.
    fn drawn<W: Write>(out: W, frames: &[Vec<(u16, u16, String, u8)>]) {
        let viewport = Viewport::Fixed(ratatui::layout::Rect::new(0, 0, AREA.0, AREA.1));
        let mut terminal = Terminal::with_options(CrosstermBackend::new(out), TerminalOptions { viewport }).unwrap();
        for frame in frames {
            let draw = |drawing: &mut ratatui::Frame<'_>| {
                for (x, y, text, colour) in frame {
                    let look = Style::new().fg(Color::Indexed(*colour)).underline_color(Color::Indexed(*colour));
                    drawing.buffer_mut().set_span(*x, *y, &Span::styled(text, look), AREA.0);
                }
            };
            while terminal.draw(draw).is_err() {}
        }
    }

    proptest! {
        #[test]
        fn the_screen_is_the_same(
            frames in proptest::collection::vec(
                proptest::collection::vec((0..AREA.0, 0..AREA.1, "[a-z ]{1,12}", any::<u8>()), 0..4),
                1..4,
            )
        ) {
            let (mut all, mut short) = (Vec::new(), Vec::new());
            drawn(&mut all, &frames);
            drawn(Terse::new(&mut short), &frames);
            prop_assert!(short.len() < all.len());
            prop_assert_eq!(shown(&short), shown(&all));
        }

        #[test]
        fn nothing_is_lost_of_what_the_terminal_did_not_take_at_once(
            frames in proptest::collection::vec(
                proptest::collection::vec((0..AREA.0, 0..AREA.1, "[a-z ]{1,12}", any::<u8>()), 0..4),
                1..4,
            ),
            takes in proptest::collection::vec(0_usize..40, 0..12),
        ) {
            let (mut all, mut taken) = (Vec::new(), Vec::new());
            drawn(&mut all, &frames);
            drawn(Terse::new(Hesitant { taken: &mut taken, takes: takes.into_iter() }), &frames);
            // The cursor is given back by the last word, for which nobody asks a second time.
            let cells = usize::from(AREA.0 * AREA.1);
            prop_assert_eq!(&shown(&taken)[..cells], &shown(&all)[..cells]);
        }
    }

    #[test]
    fn a_frame_in_which_nothing_changed_is_not_written() {
        let frame = vec![(0, 0, "lag 4 s".to_owned(), 3)];
        let (mut once, mut twice) = (Vec::new(), Vec::new());
        drawn(Terse::new(&mut once), std::slice::from_ref(&frame));
        drawn(Terse::new(&mut twice), &[frame.clone(), frame]);
        assert_eq!(once, twice);
    }
}
