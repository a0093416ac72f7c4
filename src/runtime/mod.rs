//! The shell around the pure core: the loop, the effects, the terminal, and what commands share with the cockpit.
//!
//! The loop takes a message, computes, spawns, draws. It never awaits an answer: a Route 53 that hangs leaves every
//! key working. Terminal and input are arguments, so the real loop runs in tests on paused time.

pub mod clipboard;
pub mod collect;
mod disk;
mod effects;
pub mod execute;
#[cfg(test)]
pub(crate) mod fakes;
pub mod follow;
pub mod input;
pub mod ports_set;
pub mod pulumi;
pub mod reload;
pub mod sample;
pub mod terminal;
pub mod terse;
pub mod typed;
#[cfg(test)]
mod window_tests;
pub mod zone;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::{Position, Rect, Size};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use crate::domain::model::{Dialog, Listing, Model, ShiftState, Shown};
use crate::domain::msg::{Effect, Msg, Request};
use crate::domain::stack_reload::StackReloaded;
use crate::domain::update::update;
use crate::ui::{self, Theme};

use effects::Runner;
use input::Input;
pub use ports_set::{Ports, Skew};
use reload::ReloadStack;
use typed::Mouse;

/// Messages that may wait: far more than all sources, keys and journal lines of one turn together.
const QUEUE: usize = 1024;
/// Pause between two looks at the clock while nothing moves: ages are shown in seconds.
const REST_TICK: Duration = Duration::from_secs(1);
/// The same while a countdown is on the screen.
const MOVING_TICK: Duration = Duration::from_millis(250);
/// The same until the first answers have come, so that the first picture fills quickly.
const START_TICK: Duration = Duration::from_millis(100);
/// How long the start lasts.
const START_TIME: Duration = Duration::from_secs(3);
/// Answers that come closer together than this share a frame. Keys never wait.
const FRAME_GAP: Duration = Duration::from_millis(100);

/// The loop's state beside the model.
struct Loop<'a, B: Backend> {
    terminal: &'a mut Terminal<B>,
    theme: Theme,
    model: Model,
    runner: Runner,
    started: Instant,
    last_frame: Option<Instant>,
    /// Of the last frame.
    size: Size,
    dirty: bool,
    /// Whether something else wrote on the screen, so that the next frame is drawn whole.
    overwritten: bool,
    title: String,
    tell: Box<dyn FnMut(&Notice<'_>) + 'a>,
}

/// What the loop tells the terminal beside frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// The terminal's title is to be this.
    Title(&'a str),
    /// Ring the bell.
    Bell,
    /// Put this into the terminal's clipboard.
    Copy(&'a str),
    /// Show this to whoever looks elsewhere.
    Notify(&'a str),
    /// Report the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Give the terminal to the shell, and come back when it lets this job go on.
    Suspend,
    /// This process was stopped without being asked, and goes on.
    Continued,
}

/// [`run_reloading`] on a stack that stays as it is.
///
/// # Errors
/// As [`run_reloading`].
pub async fn run<B: Backend>(
    terminal: &mut Terminal<B>,
    theme: Theme,
    input: impl Stream<Item = Input> + Unpin,
    model: Model,
    ports: Ports,
    tell: impl FnMut(&Notice<'_>),
) -> Result<Model, B::Error> {
    let (stack, watcher, policy) = (model.stack.clone(), model.watcher.clone(), model.policy.clone());
    let same = ports.clone();
    let reload: ReloadStack = Arc::new(move || {
        let (stack, watcher, policy) = (stack.clone(), watcher.clone(), policy.clone());
        let (reloaded, ports) = (StackReloaded { stack, watcher, policy }, same.clone());
        Box::pin(async move { Ok((reloaded, ports)) })
    });
    // Boxed, because a model is large, and this would hold it once more.
    Box::pin(run_reloading(terminal, theme, input, model, ports, reload, tell)).await
}

/// Runs the cockpit until the operator leaves or the input ends, and gives the last model back.
///
/// A change that is being sent when the operator leaves, or the terminal goes away, is waited for, so that its outcome
/// gets into the journal.
///
/// `reload` is asked what the stack is after Pulumi has changed it; while that is read, and when it cannot be, the
/// cockpit goes on with the stack as it was.
///
/// # Errors
/// The terminal's, when it can no longer be drawn on.
pub async fn run_reloading<B: Backend>(
    terminal: &mut Terminal<B>,
    theme: Theme,
    input: impl Stream<Item = Input> + Unpin,
    model: Model,
    ports: Ports,
    reload: ReloadStack,
    tell: impl FnMut(&Notice<'_>),
) -> Result<Model, B::Error> {
    let (sender, mut answers) = mpsc::channel(QUEUE);
    let mut input = input;
    let mut state = Loop {
        terminal,
        theme,
        model,
        runner: Runner::new(ports, reload, sender),
        started: Instant::now(),
        last_frame: None,
        size: Size::default(),
        dirty: true,
        overwritten: false,
        title: String::new(),
        tell: Box::new(tell),
    };
    let gone = state.go_on(&mut input, &mut answers).await;
    let Loop { mut model, runner, .. } = state;
    let left = match &model.shift_state {
        ShiftState::Sending { request, change, .. } => Some((*request, change.title())),
        _ => None,
    };
    runner.finish().await;
    if let Some((request, title)) = left {
        let came = what_came(request, &mut answers, &model);
        model.parting = Some(format!("{title}: {came}"));
    }
    gone.map(|()| model)
}

/// What came of a change that was under way when the program was left. Whether it was sent after all is told by whoever
/// sent it, and by nothing that the screen said.
fn what_came(request: Request, answers: &mut mpsc::Receiver<Msg>, model: &Model) -> String {
    let mut told = None;
    while let Ok(answer) = answers.try_recv() {
        if let Msg::Executed { request: of, outcome, .. } = answer
            && of == request
        {
            told = Some(outcome.for_journal(&model.stack.group).2);
        }
    }
    told.unwrap_or_else(|| {
        "it is not known yet what came of it; `tapctl status` settles it from the records".to_owned()
    })
}

impl<B: Backend> Loop<'_, B> {
    /// Takes message after message until the operator leaves, the input ends, or there is nothing to draw on any more.
    async fn go_on(
        &mut self,
        input: &mut (impl Stream<Item = Input> + Unpin),
        answers: &mut mpsc::Receiver<Msg>,
    ) -> Result<(), B::Error> {
        self.draw()?;
        let mut ticks = tokio::time::interval(START_TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.model.quitting {
            // Biased, so that a flood of answers never keeps a key waiting.
            tokio::select! {
                biased;
                typed = input.next() => self.typed(typed)?,
                answer = answers.recv() => {
                    if let Some(answer) = answer {
                        self.answered(answer, answers)?;
                    }
                }
                _ = ticks.tick() => {
                    self.tick();
                    self.dirty = true;
                    self.draw()?;
                }
            }
            let period = self.tick_period();
            if ticks.period() != period {
                ticks = tokio::time::interval_at(Instant::now() + period, period);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            }
        }
        Ok(())
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// What the terminal says; nothing when it is gone.
    fn typed(&mut self, typed: Option<Input>) -> Result<(), B::Error> {
        self.tick();
        self.look_at_size()?;
        match typed {
            Some(Input::Key(key)) => self.feed(Msg::Key(key)),
            Some(Input::Pasted(text)) => self.feed(Msg::Pasted(text)),
            Some(Input::Mouse(Mouse::Wheel { down })) => self.feed(Msg::Wheel { down }),
            Some(Input::Mouse(Mouse::Click { column, row })) => {
                let on = Position::new(column, row);
                if let Some(view) = ui::tab_at(&self.model, &self.theme, self.size, on) {
                    self.feed(Msg::Tab(view));
                }
            }
            Some(Input::Resize) => {}
            Some(Input::Focus(is_here)) => self.feed(Msg::Focus(is_here)),
            Some(Input::Continued) => {
                (self.tell)(&Notice::Continued);
                self.overwritten = true;
                self.feed(Msg::Continued);
            }
            None => self.model.quitting = true,
        }
        self.dirty = true;
        self.draw()
    }

    /// An answer, and whatever else has come in by now: one frame shows them all.
    fn answered(&mut self, answer: Msg, answers: &mut mpsc::Receiver<Msg>) -> Result<(), B::Error> {
        self.tick();
        let mut next = Some(answer);
        while let Some(answer) = next {
            // A look at the journal that found nothing is nothing to see, and comes every other second.
            self.dirty |= answer != Msg::JournalSame;
            self.feed(answer);
            next = answers.try_recv().ok();
        }
        self.draw_unless_crowded()
    }

    fn tick(&mut self) {
        let msg = Msg::Tick { now: self.runner.moment(), uptime: self.uptime() };
        self.feed(msg);
    }

    fn feed(&mut self, msg: Msg) {
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Bell => (self.tell)(&Notice::Bell),
                Effect::Mouse(on) => (self.tell)(&Notice::Mouse(on)),
                Effect::Copy(text) => (self.tell)(&Notice::Copy(&text)),
                Effect::Notify(text) => (self.tell)(&Notice::Notify(&text)),
                Effect::Redraw => self.overwritten = true,
                Effect::Suspend => {
                    (self.tell)(&Notice::Suspend);
                    self.overwritten = true;
                }
                Effect::Quit => self.model.quitting = true,
                other => self.runner.run(other, &self.model),
            }
        }
    }

    fn tick_period(&self) -> Duration {
        let counting = matches!(self.model.dialog, Some(Dialog::Shift(_) | Dialog::Accept(_) | Dialog::Ask(_)))
            || self.model.shift_state != ShiftState::Idle
            || self.dirty;
        if self.uptime() < START_TIME {
            START_TICK
        } else if counting {
            MOVING_TICK
        } else {
            REST_TICK
        }
    }

    /// A window that has become another since the last frame no longer shows that frame: before a key can answer a
    /// question, the question is drawn where it is to be seen.
    fn look_at_size(&mut self) -> Result<(), B::Error> {
        let asks = self.model.dialog.as_ref().is_some_and(Dialog::takes_answers);
        if asks && self.last_frame.is_some() && self.terminal.size()? != self.size {
            self.dirty = true;
            self.draw()?;
        }
        Ok(())
    }

    fn draw_unless_crowded(&mut self) -> Result<(), B::Error> {
        if self.last_frame.is_some_and(|last| last.elapsed() < FRAME_GAP) { Ok(()) } else { self.draw() }
    }

    fn draw(&mut self) -> Result<(), B::Error> {
        if !self.dirty || self.model.quitting {
            return Ok(());
        }
        if std::mem::take(&mut self.overwritten) {
            // What `clear` does, but without asking the terminal where its cursor is: the answer would come among the keys.
            let whole = self.terminal.size()?;
            self.terminal.resize(Rect::from((Position::ORIGIN, whole)))?;
            self.title.clear();
        }
        let (mut listing, mut shown) = (Listing::default(), Shown::default());
        let (model, theme) = (&self.model, &self.theme);
        let frame = self.terminal.draw(|frame| (listing, shown) = ui::draw(frame, model, theme))?;
        self.size = frame.area.as_size();
        self.dirty = false;
        self.last_frame = Some(Instant::now());
        let uptime = self.uptime();
        self.feed(Msg::Drawn { uptime, listing, shown });
        let title = ui::title(&self.model);
        if title != self.title {
            (self.tell)(&Notice::Title(&title));
            self.title = title;
        }
        Ok(())
    }
}
