//! What a key does, depending on what is open.

use std::time::Duration;

use crate::domain::confirm::DialogKey;
use crate::domain::facts::Source;
use crate::domain::model::{Dialog, Model, ShiftState, Shown};
use crate::domain::msg::{Effect, Msg};
use crate::domain::screen::Watched;
use crate::domain::units::Percent;
use crate::keymap::{Action, Code, Key, View, lookup};

use super::{configure, details, evacuate, provision, provision_answers, stack_reload, steps, toast, zone};

/// Longest filter text.
const MAX_FILTER: usize = 60;

/// A question that has closed by itself swallows what is typed for it for so long: nobody sees a screen change between
/// two letters, and a letter that was meant for a line must not become a command.
pub(super) const QUIET_AFTER: Duration = Duration::from_millis(300);

/// Whether a dialog is open that takes answers or text, and so letters that mean nothing else.
pub(super) fn is_asking(model: &Model) -> bool {
    !matches!(model.dialog, None | Some(Dialog::Notice { .. } | Dialog::Conflict { .. } | Dialog::Help))
}

pub(super) fn key(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    // About the terminal alone: no answer to a question, no letter of a line.
    match lookup(key) {
        Some(Action::Redraw) => return effects.push(Effect::Redraw),
        Some(Action::Suspend) => return suspend(model, effects),
        _ => {}
    }
    // What is typed into is seen by whoever types; only leaving it needs no sight of it.
    let unseen = model.screen.shown != Shown::Whole
        && matches!(model.dialog, Some(Dialog::Configure(_) | Dialog::Prompt { .. } | Dialog::Reason { .. }))
        && key.code != Code::Esc
        && !(key.ctrl && key.code == Code::Char('c'));
    if unseen {
        return;
    }
    if model.quiet_until.is_some_and(|until| model.uptime < until) {
        return;
    }
    model.quiet_until = None;
    let typing = model.screen.filtering
        || matches!(model.dialog, Some(Dialog::Configure(_) | Dialog::Prompt { .. } | Dialog::Reason { .. }));
    if typing && key.code == Code::Esc {
        // Alt and a letter is Esc and that letter: whoever edits a line by it gives no command.
        model.quiet_until = Some(model.uptime + QUIET_AFTER);
    }
    match model.dialog.take() {
        Some(Dialog::Shift(question)) => steps::answer_shift(model, question, dialog_key(key), effects),
        Some(Dialog::Accept(question)) => steps::answer_accept(model, question, dialog_key(key), effects),
        Some(Dialog::Ask(question)) => provision_answers::answer(model, *question, dialog_key(key), effects),
        Some(Dialog::Configure(dialog)) => configure::key(model, dialog, key),
        Some(Dialog::Prompt { typed, error }) => prompt_key(model, typed, error, key),
        Some(Dialog::Reason { typed, since, .. }) => evacuate::reason_key(model, typed, since, key),
        Some(dialog) => reading_key(model, dialog, key),
        None if model.screen.filtering => filter_key(model, key),
        None => {
            if let Some(action) = at_cursor(model, key).or_else(|| lookup(key)) {
                act(model, action, effects);
            }
        }
    }
}

/// Stops the program, unless that would hold up a change or leave nobody who could let it go on.
fn suspend(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.shift_state != ShiftState::Idle || model.provision.busy.is_some() {
        toast(model, "a change is under way; the program can be stopped when its outcome is known", true);
    } else if model.has_shell {
        continued(model);
        effects.push(Effect::Suspend);
    } else {
        toast(model, "no shell started this program that could let it go on; q leaves", true);
    }
}

/// The screen was somebody else's for a while: what is open is read anew before it takes an answer.
pub(super) fn continued(model: &mut Model) {
    match &mut model.dialog {
        Some(Dialog::Shift(question)) => question.cut(),
        Some(Dialog::Accept(question)) => question.cut(),
        Some(Dialog::Ask(question)) => question.cut(),
        _ => {}
    }
}

fn dialog_key(key: Key) -> DialogKey {
    match key {
        Key { ctrl: true, code: Code::Char('u') } => DialogKey::Clear,
        Key { ctrl: true, .. } => DialogKey::Other,
        Key { code: Code::Char(c), .. } => DialogKey::Char(c),
        Key { code: Code::Enter, .. } => DialogKey::Enter,
        Key { code: Code::Backspace, .. } => DialogKey::Backspace,
        _ => DialogKey::Other,
    }
}

/// A dialog that only wants to be read: the usual keys close it, the rollback works from it, all else is ignored so
/// that a key meant for the view cannot hide it unread.
fn reading_key(model: &mut Model, dialog: Dialog, key: Key) {
    let closes = matches!(key.code, Code::Esc | Code::Enter | Code::Char(' ' | 'q'))
        || (dialog == Dialog::Help && lookup(key) == Some(Action::Help))
        || (key.ctrl && key.code == Code::Char('c'));
    if lookup(key) == Some(Action::ProposeRollback) {
        steps::propose_rollback(model);
    } else if closes {
        model.screen.reading_from = 0;
    } else {
        model.dialog = Some(dialog);
        read_on(model, lookup(key));
    }
}

/// Rows that one notch of the wheel scrolls.
const NOTCH: i16 = 3;

/// The wheel scrolls what is read, or the view's list; a click on a tab shows its view, unless something is open; the
/// terminal says whether it has the focus. Nothing of it answers anything.
pub(super) fn window(model: &mut Model, msg: &Msg) {
    let is_free = model.dialog.is_none() && !model.screen.filtering;
    match (msg, &model.dialog) {
        (Msg::Focus(_), _) if model.screen.watched == Watched::NotAsked => {}
        (Msg::Focus(is_here), _) => model.screen.watched = if *is_here { Watched::Here } else { Watched::Away },
        (Msg::Tab(view), _) if is_free => go(model, *view),
        (Msg::Wheel { down }, dialog) => {
            let by = if *down { NOTCH } else { -NOTCH };
            if is_free {
                scroll(model, isize::from(by));
            } else if dialog.as_ref().is_some_and(|dialog| !dialog.takes_answers()) {
                read_on(model, Some(Action::Scroll(by)));
            }
        }
        _ => {}
    }
}

/// Takes the mouse, or leaves it to the terminal.
fn whose_mouse(model: &mut Model, effects: &mut Vec<Effect>) {
    model.screen.mouse = !model.screen.mouse;
    let ours = "the mouse scrolls and changes views; m gives it back";
    toast(model, if model.screen.mouse { ours } else { "the mouse is the terminal's" }, false);
    effects.push(Effect::Mouse(model.screen.mouse));
}

/// Scrolls what is open and only wants to be read.
fn read_on(model: &mut Model, action: Option<Action>) {
    let listing = model.screen.listing;
    let page = isize::try_from(listing.page_rows.max(1)).unwrap_or(1);
    let by = match action {
        Some(Action::Scroll(by)) => isize::from(by),
        Some(Action::Page(by)) => isize::from(by).saturating_mul(page),
        Some(Action::Top) => isize::MIN,
        Some(Action::Bottom) => isize::MAX,
        _ => return,
    };
    let from = model.screen.reading_from.min(listing.last_row);
    model.screen.reading_from = from.saturating_add_signed(by).min(listing.last_row);
}

fn prompt_key(model: &mut Model, mut typed: String, error: Option<String>, key: Key) {
    match key.code {
        Code::Char(c) if c.is_ascii_digit() && !key.ctrl => {
            if typed.len() < 3 {
                typed.push(c);
            }
            model.dialog = Some(Dialog::Prompt { typed, error: None });
        }
        Code::Backspace => {
            typed.pop();
            model.dialog = Some(Dialog::Prompt { typed, error: None });
        }
        Code::Enter => {
            if typed.parse() == Ok(0u8) {
                steps::propose_rollback(model);
            } else if let Some(share) = typed.parse::<u8>().ok().and_then(Percent::new) {
                steps::propose(model, share);
            } else {
                let error = Some("a whole percentage from 0 to 100 is needed".to_owned());
                model.dialog = Some(Dialog::Prompt { typed, error });
            }
        }
        Code::Esc => {}
        Code::Char('c') if key.ctrl => {}
        _ => model.dialog = Some(Dialog::Prompt { typed, error }),
    }
}

fn filter_key(model: &mut Model, key: Key) {
    match key.code {
        Code::Esc => {
            model.screen.filter.clear();
            model.screen.filtering = false;
        }
        Code::Enter => model.screen.filtering = false,
        Code::Backspace => {
            model.screen.filter.pop();
        }
        Code::Char('c') if key.ctrl => model.screen.filtering = false,
        Code::Char(c) if !key.ctrl && model.screen.filter.chars().count() < MAX_FILTER => {
            model.screen.filter.push(c);
            model.screen.scroll.remove(&model.screen.view);
        }
        _ => {}
    }
}

/// While there is a cursor on the charts the arrows move it, in place of the views.
fn at_cursor(model: &Model, key: Key) -> Option<Action> {
    model.screen.cursor?;
    match key.code {
        Code::Left if !key.ctrl => Some(Action::Cursor(-1)),
        Code::Right if !key.ctrl => Some(Action::Cursor(1)),
        _ => None,
    }
}

fn act(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Go(view) => go(model, view),
        Action::NextView => go(model, model.screen.view.turned(1)),
        Action::PreviousView => go(model, model.screen.view.turned(-1)),
        Action::ProposeStep(delta) => steps::propose_step(model, delta),
        Action::PromptShare => model.dialog = Some(Dialog::Prompt { typed: String::new(), error: None }),
        Action::ProposeRollback => steps::propose_rollback(model),
        Action::Evacuate => evacuate::ask_reason(model),
        Action::AcceptFound => steps::propose_accept(model),
        Action::Freeze => {
            model.frozen = if model.frozen.is_some() { None } else { Some(Box::new(model.live.clone())) };
        }
        Action::Refresh => {
            stack_reload::want_by_hand(model);
            for source in Source::ALL {
                model.polls.poll_now(source);
            }
        }
        Action::Zoom => model.screen.zoom = model.screen.zoom.next(),
        Action::Cursor(by) => {
            let now = model.shown().now;
            model.screen.cursor = Some(model.screen.zoom.moved(model.screen.cursor, by, now));
        }
        Action::Details => details::open(model),
        Action::Copy => details::copy(model, effects),
        Action::Mouse => whose_mouse(model, effects),
        Action::Help => model.dialog = Some(Dialog::Help),
        Action::Filter => model.screen.filtering = true,
        Action::Scroll(by) => scroll(model, isize::from(by)),
        Action::Page(by) => scroll(
            model,
            isize::from(by).saturating_mul(isize::try_from(model.screen.listing.page_rows.max(1)).unwrap_or(1)),
        ),
        Action::Top => scroll(model, isize::MIN),
        Action::Bottom if model.screen.view == View::Provision && model.provision.log => provision::tail(model),
        Action::Bottom => scroll(model, isize::MAX),
        Action::Back if model.screen.cursor.take().is_some() => {}
        Action::Back => {
            if model.screen.filter.is_empty() {
                model.frozen = None;
            }
            model.screen.filter.clear();
            model.screen.toast = None;
        }
        _ if action.is_about_pulumi() && model.screen.view != View::Provision => {
            toast(model, "that key belongs to Provision: press 5 first", true);
        }
        Action::Adopt if matches!(model.screen.view, View::Provision | View::Traffic) => zone::ask_adopt(model),
        Action::Adopt => toast(model, "that key belongs to Provision and Traffic: press 5 or 2 first", true),
        Action::Quit => {
            model.quitting = true;
            effects.push(Effect::Quit);
        }
        _ => act_on_pulumi(model, action, effects),
    }
}

/// What is pressed in the Provision view alone.
fn act_on_pulumi(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Preview => provision::preview(model, effects),
        Action::Up => provision::up(model),
        Action::Destroy => provision::destroy(model, effects),
        Action::Configure => configure::open(model),
        Action::RefreshState => provision::refresh(model),
        Action::Stop => provision::stop(model),
        Action::Release => zone::ask_release(model),
        Action::ClearLocks => provision::clear_locks(model),
        Action::CycleShow => provision::cycle_show(model),
        Action::ToggleLog => provision::toggle_log(model),
        // All else is done before: what is about the terminal alone, before anything that is open gets the key.
        _ => {}
    }
}

fn go(model: &mut Model, view: View) {
    if model.screen.view != view {
        model.screen.filter.clear();
        // Not known before the view was drawn, and a key may come earlier; the view holds its list within bounds anyway.
        model.screen.listing.last_row = usize::MAX;
        model.screen.listing.chosen = None;
    }
    model.screen.view = view;
}

fn scroll(model: &mut Model, by: isize) {
    let last = model.screen.listing.last_row;
    let row = model.scroll().min(last).saturating_add_signed(by).min(last);
    model.screen.scroll.insert(model.screen.view, row);
}
