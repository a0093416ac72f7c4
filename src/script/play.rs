//! Plays scripts: the steps as the loop's input, and the looks at what comes of them.
//!
//! A step takes no time beyond its own: a key a tenth of a second, as from a quick typist, an expectation none. Each look
//! waits until nothing more happens at that instant and the screen is drawn anew, so that it sees what a person would.

use std::collections::VecDeque;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use ratatui::Terminal;
use tokio::time::{Instant, Sleep};

use crate::domain::model::Model;
use crate::domain::units::Timestamp;
use crate::keymap::Key;
use crate::runtime::input::Input;
use crate::runtime::reload::ReloadStack;
use crate::runtime::{Ports, run_reloading};
use crate::ui::{Palette, Theme};

use super::bastion::{Bastion, Setting};
use super::check::Check;
use super::language::{Command, Script, Step};
use super::screen::Screen;

/// Between two keys of a quick typist.
const TYPING: Duration = Duration::from_millis(100);
/// Between the two contacts of a key that bounces.
const BOUNCE: Duration = Duration::from_millis(30);
/// The shortest wait of tokio's timer. It ends only when nothing else can happen at this instant.
const AT_REST: Duration = Duration::from_millis(1);
/// Between two looks at what has some time to come true.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What is told while a script is played.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// A step is done, and held.
    Done(&'a Step, Timestamp),
    /// The screen, as the script wants it shown.
    Screen(&'a Screen),
}

/// Why a script came to an end before its last line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: `{text}`: {why}")]
pub struct Failed {
    /// The script.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
    /// What was expected, and what was found.
    pub why: String,
    /// The screen as it was.
    pub screen: String,
}

/// What a script leaves behind.
#[derive(Debug)]
pub struct Played {
    /// The model of the last cockpit.
    pub model: Model,
    /// The screen as it was drawn last.
    pub screen: Screen,
}

/// What is to be done when the present wait is over.
enum Next {
    /// Nothing more: the step is done.
    Nothing,
    Type(Input),
    /// The screen is to be drawn, and then looked at.
    Draw,
    Look,
}

/// The steps of a script as the loop's input.
pub struct Player<'a> {
    file: String,
    steps: VecDeque<Step>,
    bastion: Bastion,
    screen: Screen,
    tell: Box<dyn FnMut(Heard<'_>) + 'a>,
    /// The present step, when it is not done yet.
    now: Option<Step>,
    wait: Option<Pin<Box<Sleep>>>,
    queue: VecDeque<(Duration, Next)>,
    /// Until when the present expectation may come true.
    limit: Option<Instant>,
    /// Whether a cockpit is open.
    open: bool,
    /// Whether another cockpit is to be opened.
    reopen: bool,
    failed: Option<Failed>,
}

impl<'a> Player<'a> {
    /// A player of this script on that host; `tell` hears of every step.
    pub fn new(script: &Script, bastion: &Bastion, tell: impl FnMut(Heard<'_>) + 'a) -> Self {
        Self {
            file: script.file.clone(),
            steps: script.steps.clone().into(),
            bastion: bastion.clone(),
            screen: Screen::new(script.size),
            tell: Box::new(tell),
            now: None,
            wait: None,
            queue: VecDeque::new(),
            limit: None,
            open: false,
            reopen: false,
            failed: None,
        }
    }

    /// What the cockpit is drawn on.
    #[must_use]
    pub fn screen(&self) -> Screen {
        self.screen.clone()
    }

    fn fail(&mut self, why: String) -> Failed {
        let (line, text) = self.now.take().map_or_else(|| (1, String::new()), |step| (step.line, step.text));
        let failed = Failed { file: self.file.clone(), line, text, why, screen: self.screen.to_string() };
        self.failed = Some(failed.clone());
        self.queue.clear();
        self.wait = None;
        failed
    }

    fn done(&mut self) {
        if let Some(step) = self.now.take() {
            (self.tell)(Heard::Done(&step, self.bastion.clock.now()));
        }
        self.limit = None;
    }

    /// Begins the next step; false when the cockpit is to be left, since there is none, or it says so.
    fn begin(&mut self) -> bool {
        let Some(step) = self.steps.pop_front() else { return false };
        let command = step.command.clone();
        self.now = Some(step);
        let needs_cockpit = matches!(command, Command::Press(_) | Command::Double(_) | Command::Paste(_));
        if needs_cockpit && !self.open {
            self.fail("the cockpit has been left; `restart` opens another one".to_owned());
            return false;
        }
        let typed = |key: Key| Next::Type(Input::Key(key));
        match command {
            Command::Advance(time) => self.queue.push_back((time, Next::Nothing)),
            Command::Press(keys) => self.queue.extend(keys.into_iter().map(|key| (TYPING, typed(key)))),
            Command::Double(key) => self.queue.extend([(TYPING, typed(key)), (BOUNCE, typed(key))]),
            Command::Paste(text) => self.queue.push_back((TYPING, Next::Type(Input::Pasted(text)))),
            Command::Size(columns, rows) => {
                self.screen.resize((columns, rows));
                if self.open {
                    self.queue.push_back((Duration::ZERO, Next::Type(Input::Resize)));
                }
            }
            Command::Fault(fault) => {
                self.bastion.clock.now();
                self.bastion.sim.inject(*fault);
            }
            Command::ClearFaults => self.bastion.sim.clear_faults(),
            Command::Restart => {
                self.done();
                self.reopen = true;
                return false;
            }
            Command::Show => self.queue.push_back((AT_REST, Next::Draw)),
            Command::Expect(_, limit) => {
                self.limit = Some(Instant::now() + limit);
                self.queue.push_back((AT_REST, Next::Draw));
            }
        }
        true
    }

    /// Looks, and settles the present step or looks again later.
    fn look(&mut self) {
        let Some(step) = &self.now else { return };
        let Command::Expect(check, _) = &step.command else {
            (self.tell)(Heard::Screen(&self.screen));
            return self.done();
        };
        match self.holds(check) {
            Ok(()) => self.done(),
            Err(_) if self.limit.is_some_and(|limit| Instant::now() + LOOK_AGAIN <= limit) => {
                self.queue.push_back((LOOK_AGAIN, Next::Draw));
            }
            Err(why) => drop(self.fail(why)),
        }
    }

    fn holds(&self, check: &Check) -> Result<(), String> {
        let screen = self.open.then_some(&self.screen);
        check.holds(&self.bastion.look(&check.expectation, screen)?)
    }

    /// Goes on until something is typed or the input ends.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Input>> {
        loop {
            if let Some(wait) = &mut self.wait {
                if wait.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.wait = None;
                match self.queue.pop_front().map(|(_, next)| next) {
                    Some(Next::Type(input)) => return Poll::Ready(Some(input)),
                    Some(Next::Draw) => {
                        self.queue.push_front((Duration::ZERO, Next::Look));
                        if self.open {
                            return Poll::Ready(Some(Input::Resize));
                        }
                    }
                    Some(Next::Look) => self.look(),
                    Some(Next::Nothing) | None => {}
                }
            }
            if self.failed.is_some() {
                return Poll::Ready(None);
            }
            if let Some((pause, _)) = self.queue.front() {
                self.wait = Some(Box::pin(tokio::time::sleep(*pause)));
                continue;
            }
            self.done();
            if !self.begin() {
                return Poll::Ready(None);
            }
        }
    }
}

impl Stream for Player<'_> {
    type Item = Input;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Input>> {
        self.poll(context)
    }
}

/// Opens one cockpit on these parts and plays until it is left: by a key, by `restart`, or at the end of the script. Needs
/// a runtime whose time stands still, as everything here does.
///
/// # Errors
/// The first line that does not hold.
pub async fn one_cockpit(
    player: &mut Player<'_>,
    theme: &Theme,
    (model, ports, reload): (Model, Ports, ReloadStack),
) -> Result<Played, Failed> {
    let screen = player.screen();
    let Ok(mut terminal) = Terminal::new(screen.clone());
    player.open = true;
    let Ok(model) =
        Box::pin(run_reloading(&mut terminal, theme.clone(), &mut *player, model, ports, reload, |_| {})).await;
    player.open = false;
    player.wait = None;
    if player.queue.iter().any(|(_, next)| matches!(next, Next::Type(_))) {
        return Err(player.fail("a key has left the cockpit before the last one was pressed".to_owned()));
    }
    // Without a cockpit only looks go on, up to a `restart` or the end.
    if !player.reopen {
        player.next().await;
    }
    player.failed.take().map_or(Ok(Played { model, screen }), Err)
}

/// Plays a script to its end: opens a cockpit, and another one at each `restart`.
///
/// # Errors
/// The first line that does not hold.
pub async fn play(player: &mut Player<'_>, theme: &Theme) -> Result<Played, Failed> {
    loop {
        let parts = match Box::pin(player.bastion.cockpit()).await {
            Ok(parts) => parts,
            Err(why) => return Err(player.fail(format!("the cockpit cannot be opened: {why}"))),
        };
        let end = Box::pin(one_cockpit(player, theme, parts)).await?;
        if !std::mem::take(&mut player.reopen) {
            return Ok(end);
        }
    }
}

/// Plays a script on a thread and a runtime of its own, whose time stands still unless the script lets it pass. The
/// state goes to `folder`.
///
/// # Errors
/// The first line that does not hold, or what kept the script from being played.
pub fn alone(script: &Script, folder: &Path, mut tell: impl FnMut(Heard<'_>) + Send) -> Result<(), Failed> {
    let broken = |why: String| {
        let (file, text) = (script.file.clone(), String::new());
        Failed { file, line: 1, text, why, screen: String::new() }
    };
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .map_err(|error| broken(error.to_string()))?;
        runtime.block_on(async {
            let bastion = Bastion::new(Setting::from(script), folder).map_err(broken)?;
            let mut player = Player::new(script, &bastion, &mut tell);
            play(&mut player, &Theme::new(Palette::Mono, false)).await.map(drop)
        })
    };
    std::thread::scope(|scope| {
        scope.spawn(work).join().unwrap_or_else(|_| Err(broken("tapctl itself failed here".to_owned())))
    })
}
