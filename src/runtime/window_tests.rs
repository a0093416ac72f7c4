//! The real loop in a window that becomes another one, or goes away, while a question or a change is open.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use super::*;
use crate::domain::change::turn::Holder;
use crate::domain::gate::Policy;
use crate::domain::model::fixtures::{stack, watcher};
use crate::domain::units::Timestamp;
use crate::keymap::Key;
use crate::runtime::fakes::{Fake, pair};
use crate::ui::Palette;

/// A screen whose size is set from outside, as a window's is, without a word to the program. One of no size is gone.
struct Window {
    screen: TestBackend,
    size: Arc<Mutex<Size>>,
}

impl Window {
    fn there(&mut self) -> Result<&mut TestBackend, Gone> {
        let gone = *self.size.lock().unwrap() == Size::ZERO;
        if gone { Err(Gone) } else { Ok(&mut self.screen) }
    }
}

/// There is nothing to draw on any more.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the window is gone")
    }
}

impl std::error::Error for Gone {}

impl Backend for Window {
    type Error = Gone;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Gone>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let Ok(()) = self.there()?.draw(content);
        Ok(())
    }
    fn hide_cursor(&mut self) -> Result<(), Gone> {
        let Ok(()) = self.there()?.hide_cursor();
        Ok(())
    }
    fn show_cursor(&mut self) -> Result<(), Gone> {
        let Ok(()) = self.there()?.show_cursor();
        Ok(())
    }
    fn get_cursor_position(&mut self) -> Result<Position, Gone> {
        let Ok(position) = self.there()?.get_cursor_position();
        Ok(position)
    }
    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Gone> {
        let Ok(()) = self.there()?.set_cursor_position(position);
        Ok(())
    }
    fn clear(&mut self) -> Result<(), Gone> {
        let size = *self.size.lock().unwrap();
        let screen = self.there()?;
        screen.resize(size.width, size.height);
        let Ok(()) = screen.clear();
        Ok(())
    }
    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Gone> {
        let size = *self.size.lock().unwrap();
        let screen = self.there()?;
        screen.resize(size.width, size.height);
        let Ok(()) = screen.clear_region(clear_type);
        Ok(())
    }
    fn size(&self) -> Result<Size, Gone> {
        Some(*self.size.lock().unwrap()).filter(|size| *size != Size::ZERO).ok_or(Gone)
    }
    fn window_size(&mut self) -> Result<WindowSize, Gone> {
        let Ok(size) = self.there()?.window_size();
        Ok(size)
    }
    fn flush(&mut self) -> Result<(), Gone> {
        let Ok(()) = self.there()?.flush();
        Ok(())
    }
}

/// What the operator does: waits for so many milliseconds, makes the window so large, types a key.
#[derive(Clone, Copy)]
enum Act {
    Wait(u64),
    Size(u16, u16),
    Type(char),
}

async fn sent_after(acts: &'static [Act]) -> bool {
    let fake = Fake::new(pair(90, 10));
    left_after(&fake, acts).await.unwrap();
    fake.steps().contains(&"call")
}

/// The cockpit as it is left.
async fn left_after(fake: &Fake, acts: &'static [Act]) -> Result<Model, Gone> {
    let size = Arc::new(Mutex::new(Size::new(80, 24)));
    let window = Window { screen: TestBackend::new(80, 24), size: Arc::clone(&size) };
    let mut terminal = Terminal::new(window).unwrap();
    let input = futures_util::stream::unfold(acts.iter(), move |mut acts| {
        let size = Arc::clone(&size);
        async move {
            loop {
                match acts.next()? {
                    Act::Wait(millis) => tokio::time::sleep(Duration::from_millis(*millis)).await,
                    Act::Size(columns, rows) => *size.lock().unwrap() = Size::new(*columns, *rows),
                    Act::Type(key) => return Some((Input::Key(Key::char(*key)), acts)),
                }
            }
        }
    });
    let model = Model::new(stack(), watcher(), Policy::default(), fake.ports().clock.now());
    let theme = Theme::new(Palette::Full, false);
    run(&mut terminal, theme, Box::pin(input), model, fake.ports(), |_| {}).await
}

/// AWS beside a process that has the turn, so that a change waits for it first.
fn waiting_for_its_turn() -> Fake {
    let fake = Fake::new(pair(90, 10));
    let holder = Holder {
        pid: 7,
        host: "bastion".into(),
        operator: "maria".into(),
        since: Timestamp::default(),
        stopped: Some(true),
    };
    fake.held_by(holder);
    fake
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_confirmed_gets_its_outcome_although_there_is_nothing_to_draw_on_any_more() {
    use Act::{Size, Type, Wait};
    let fake = waiting_for_its_turn();
    let acts = &[Wait(2000), Type('R'), Wait(1500), Type('y'), Wait(300), Size(0, 0), Wait(60_000)];
    assert_eq!(left_after(&fake, acts).await.err(), Some(Gone));
    assert_eq!(fake.weights(), pair(100, 0));
    assert!(fake.steps().ends_with(&["intent", "call", "outcome"]), "{:?}", fake.steps());
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_the_way_back_waits_for_its_turn_is_told_what_came_of_it() {
    use Act::{Type, Wait};
    let fake = waiting_for_its_turn();
    let left = left_after(&fake, &[Wait(2000), Type('R'), Wait(1500), Type('y'), Wait(300), Type('q')]).await.unwrap();
    assert_eq!(fake.weights(), pair(100, 0), "it was confirmed, and is sent without its turn");
    let told = left.parting.unwrap();
    assert!(told.contains("Send ALL traffic back") && told.contains("Route 53 accepted it"), "{told}");
    let calm = left_after(&Fake::new(pair(90, 10)), &[Wait(2000), Type('q')]).await.unwrap();
    assert_eq!(calm.parting, None);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_shrinks_without_a_word_takes_no_answer_to_its_question() {
    use Act::{Size, Type, Wait};
    assert!(
        sent_after(&[Wait(2000), Type('R'), Wait(1500), Type('y'), Wait(500)]).await,
        "the question as it should be"
    );
    let unseen: [&[Act]; 3] = [
        &[Wait(2000), Type('R'), Wait(1500), Size(40, 10), Type('y'), Wait(500)],
        &[Wait(2000), Type('R'), Wait(1500), Size(80, 14), Type('y'), Wait(500)],
        &[Wait(2000), Type('R'), Wait(1500), Size(59, 24), Type('y'), Wait(500)],
    ];
    for acts in unseen {
        assert!(!sent_after(acts).await, "answered unseen");
    }
}
