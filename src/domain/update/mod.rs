//! The one function that changes the model: a fact goes in, the model moves on, requests to the outside come out.
//!
//! Pure: the clocks enter with [`Msg::Tick`]; nothing here waits, reads or writes.

mod answers;
mod ask;
mod by_hand;
mod clock;
#[cfg(test)]
mod clock_tests;
mod configure;
#[cfg(test)]
mod destroy_tests;
mod details;
mod evacuate;
mod keys;
mod name_servers;
mod notify;
mod provision;
mod provision_answers;
#[cfg(test)]
mod provision_tests;
mod pulumi_answers;
mod stack_reload;
#[cfg(test)]
mod stack_reload_tests;
mod steps;
#[cfg(test)]
mod tests;
mod zone;

use std::time::Duration;

use super::change::preconditions::Blocked;
use super::confirm::Confirmation;
use super::error::PortError;
use super::facts::Source;
use super::gate;
use super::model::{Dialog, JOURNAL_KEPT, Model, SMALLEST_SCREEN, Shown, TOAST_TIME, Toast};
use super::msg::{Effect, Msg, Request};
use super::record::{Entry, Event, History};

/// Takes one fact in and says what the runtime has to do about it.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let before = notify::before(model);
    let mut effects = take_in(model, msg);
    notify::news(model, before, &mut effects);
    effects
}

fn take_in(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    let by_itself = !matches!(msg, Msg::Key(_)) && keys::is_asking(model);
    match msg {
        Msg::Tick { now, uptime } => clock::tick(model, now, uptime, &mut effects),
        Msg::Key(key) => keys::key(model, key, &mut effects),
        window @ (Msg::Wheel { .. } | Msg::Tab(_) | Msg::Focus(_)) => keys::window(model, &window),
        Msg::Continued => keys::continued(model),
        Msg::Pasted(text) => {
            configure::paste(model, &text);
            evacuate::paste(model, &text);
        }
        Msg::Drawn { uptime, listing, shown } => {
            model.uptime = model.uptime.max(uptime);
            model.screen.listing = listing;
            drawn(model, shown, &mut effects);
            return effects;
        }
        Msg::Answer { request, source, result, at, clock_skew_ms } => {
            answers::answer(model, request, source, result, at, &mut effects);
            model.live.facts.clock_skew_ms = clock_skew_ms;
        }
        Msg::JournalRead { result, stamp } => match result {
            // What is on its way to the disk is not in it, and counts already.
            Ok(_) if model.journal.appending > 0 && model.live.history.is_some() => journal_answered(model, None),
            Ok((entries, broken)) => journal_read(model, entries, broken, stamp, &mut effects),
            Err(error) => {
                journal_answered(model, None);
                model.live.journal_error = Some(format!("{error}; {}", error.hint()));
                toast(model, format!("the journal cannot be read: {}", error.message), true);
            }
        },
        Msg::JournalSame => {
            let stamp = model.journal.stamp;
            journal_answered(model, stamp);
            answers::records_arrived(model, &mut effects);
        }
        Msg::Appended { result } => line_appended(model, result),
        Msg::Stage { request, stage } => steps::staged(model, request, stage),
        Msg::Executed { request, outcome, entries } => {
            steps::executed(model, request, outcome, entries, &mut effects);
        }
        Msg::Pulumi { request, answer } => pulumi_answers::arrived(model, request, answer, &mut effects),
        Msg::StackReloaded { request, result } => stack_reload::arrived(model, request, result),
        Msg::NotSwitched => stack_reload::want(model),
        Msg::Settled { request, result } => steps::settled(model, request, result),
        Msg::NameServers { request, result } => name_servers::answered(model, request, result),
    }
    follow_up(model, &mut effects);
    if by_itself && !keys::is_asking(model) {
        model.quiet_until = Some(model.uptime + keys::QUIET_AFTER);
    }
    effects
}

/// A frame is on the screen. Only one that held the whole question lets it take an answer.
fn drawn(model: &mut Model, shown: Shown, effects: &mut Vec<Effect>) {
    model.screen.shown = shown;
    let (whole, uptime) = (shown == Shown::Whole, model.uptime);
    match &mut model.dialog {
        Some(Dialog::Shift(question)) => seen(question, whole, uptime),
        Some(Dialog::Accept(question)) => seen(question, whole, uptime),
        Some(Dialog::Ask(question)) => seen(question, whole, uptime),
        _ => {}
    }
    close_if_too_small(model, effects);
}

fn seen<T>(question: &mut Confirmation<T>, whole: bool, uptime: Duration) {
    if whole { question.drawn(uptime) } else { question.cut() }
}

/// Closes what takes answers on a screen that cannot show it.
fn close_if_too_small(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.screen.shown != Shown::TooSmall || !model.dialog.as_ref().is_some_and(Dialog::takes_answers) {
        return;
    }
    let (columns, rows) = SMALLEST_SCREEN;
    let why = format!("the window is too small to show a question: make it at least {columns}x{rows}");
    match model.dialog.take() {
        Some(Dialog::Shift(question)) => steps::declined(model, question.subject(), &why, effects),
        Some(Dialog::Ask(question)) => provision_answers::declined(model, question.subject(), &why, effects),
        _ => toast(model, why, true),
    }
}

/// What follows from any fact: gates, dialogs that have lost their ground, questions that are due.
fn follow_up(model: &mut Model, effects: &mut Vec<Effect>) {
    let mut gates = gate::evaluate(model.gate_inputs());
    if let Some(run) = model.provision.going_on() {
        gate::runs(&mut gates, &format!("pulumi {} by {}", run.head.kind, run.head.operator), model.live.now);
    }
    let watching = model.live.history.as_ref().is_some_and(|h| {
        h.since_moved(model.live.now, model.live.facts.aws_now(model.live.now)).is_some_and(|t| t < model.policy.bake)
    });
    if watching {
        let fell = |(new, old): &(&gate::Gate, &gate::Gate)| new.id == old.id && old.passes() && !new.passes();
        let stopped = gates.iter().zip(&model.live.gates).filter(fell).map(|(new, _)| new.id);
        let stopped: Vec<gate::GateId> = stopped.filter(|id| is_about_health(*id)).collect();
        if !stopped.is_empty() {
            effects.push(Effect::Bell);
            notify::stopped(model, &stopped, effects);
        }
    }
    model.live.gates = gates;
    close_if_too_small(model, effects);
    evacuate::keep_true(model);
    steps::guard_dialog(model, effects);
    provision_answers::guard(model, effects);
    if model.screen.toast.as_ref().is_some_and(|t| model.uptime.saturating_sub(t.at) >= TOAST_TIME) {
        model.screen.toast = None;
    }
    if model.quitting {
        return;
    }
    read_journal(model, effects);
    provision::look(model, effects);
    zone::show_left(model);
    stack_reload::go_on(model, effects);
    steps::settle_leftovers(model, effects);
    steps::watch(model, effects);
    name_servers::look(model, effects);
    ask(model, effects);
}

/// Pause between two looks whether somebody else on this host has written to the journal.
const JOURNAL_EVERY: Duration = Duration::from_secs(2);

/// Reads the journal when it is due: at the start, now and then, and before records are called news.
fn read_journal(model: &mut Model, effects: &mut Vec<Effect>) {
    let poll = &mut model.journal;
    let due = poll.read.is_none_or(|read| model.uptime.saturating_sub(read) >= JOURNAL_EVERY);
    if poll.asked.is_none() && due {
        poll.asked = Some(model.uptime);
        effects.push(Effect::ReadJournal { known: poll.stamp });
    }
}

/// The journal was read. Records that were asked for before it are no news beside it.
fn journal_read(model: &mut Model, entries: Vec<Entry>, broken: usize, stamp: Option<u64>, effects: &mut Vec<Effect>) {
    journal_answered(model, stamp);
    model.live.journal_error = None;
    let history = History::of(&entries);
    if model.live.history.as_ref().unwrap_or(&History::default()) != &history {
        model.journal.outran_records = true;
        reread_records(model);
    }
    model.live.history = Some(history);
    model.live.journal_broken = broken;
    let skip = entries.len().saturating_sub(JOURNAL_KEPT);
    model.live.journal = entries.into_iter().skip(skip).collect();
    // The first records may have come before the journal; they are news all the same.
    answers::records_arrived(model, effects);
}

/// The journal has answered; `stamp` is what it had, or nothing when it has to be read again whatever it has.
fn journal_answered(model: &mut Model, stamp: Option<u64>) {
    model.journal.read = model.journal.asked.take().or(Some(model.uptime));
    model.journal.stamp = stamp;
}

/// An entry of ours is on disk, or could not be written.
fn line_appended(model: &mut Model, result: Result<Entry, PortError>) {
    match appended(model, result) {
        Ok(entry) => {
            // A new base counts from when it is on disk; whatever else is noted counted when it was asked for.
            if let (Event::Accepted { .. }, Some(history)) = (&entry.event, &mut model.live.history) {
                history.add(&entry);
            }
            list(model, entry);
        }
        Err(error) => {
            toast(model, format!("the journal cannot be written: {}", error.message), true);
            model.live.journal_error = Some(format!("{error}; {}", error.hint()));
        }
    }
}

/// One entry of ours less is on its way to the disk.
fn appended(model: &mut Model, result: Result<Entry, PortError>) -> Result<Entry, PortError> {
    model.journal.appending = model.journal.appending.saturating_sub(1);
    result
}

/// The bell is for what goes wrong by itself, not for the bake that every step begins anew.
fn is_about_health(id: gate::GateId) -> bool {
    use gate::GateId;
    !matches!(id, GateId::Bake | GateId::DnsSettled | GateId::StackIdle)
}

/// Sends every question that is due.
fn ask(model: &mut Model, effects: &mut Vec<Effect>) {
    let change = model.live.history.as_ref().and_then(|h| h.pending.as_ref()).map(|(id, _)| id.clone());
    let aws_now = model.live.facts.aws_now(model.live.now);
    let past = aws_now.zip(model.live.history.as_ref()).and_then(|(now, h)| model.live.facts.past_wanted(h, now));
    for source in model.polls.due(model.moment()) {
        if let Some(query) = source.query(change.as_deref(), past) {
            let request = next_request(model);
            model.polls.sent(source, request, model.moment());
            effects.push(Effect::Observe { request, query });
        }
    }
}

fn next_request(model: &mut Model) -> Request {
    let request = model.next_request;
    model.next_request += 1;
    request
}

/// Notes an event: it counts at once, and is listed when it is on disk.
fn note(model: &mut Model, event: Event, effects: &mut Vec<Effect>) {
    let operator = operator(model);
    note_as(model, operator, event, effects);
}

/// Notes an event in the name of whoever it belongs to.
fn note_as(model: &mut Model, operator: String, event: Event, effects: &mut Vec<Effect>) {
    let aws_at = model.live.facts.aws_now(model.live.now);
    let entry = Entry { at: model.live.now, aws_at, operator, host: model.watcher.host.clone(), event };
    if let Some(history) = &mut model.live.history {
        history.add(&entry);
    }
    model.journal.appending += 1;
    effects.push(Effect::Append(entry));
}

/// Who operates: the AWS role and session once STS has answered, the local user before.
#[must_use]
pub fn operator(model: &Model) -> String {
    model
        .live
        .facts
        .identity
        .as_ref()
        .map_or_else(|| model.watcher.operator.clone(), |fact| fact.value.short().to_owned())
}

fn list(model: &mut Model, entry: Entry) {
    if model.live.journal.len() == JOURNAL_KEPT {
        model.live.journal.pop_front();
    }
    model.live.journal.push_back(entry);
}

fn toast(model: &mut Model, text: impl Into<String>, is_bad: bool) {
    model.screen.toast = Some(Toast { text: text.into(), is_bad, at: model.uptime });
}

fn notice(model: &mut Model, title: impl Into<String>, lines: Vec<String>) {
    model.screen.reading_from = 0;
    model.dialog = Some(Dialog::Notice { title: title.into(), lines });
}

/// Says why something may not be done: what passes by itself in a line, what has to be read in a notice.
fn blocked(model: &mut Model, title: &str, why: &Blocked) {
    match why {
        Blocked::Sending | Blocked::AskingPulumi => toast(model, why.to_string(), true),
        Blocked::ReadOnly(_) => notice(model, "Read only", why.lines()),
        Blocked::Pulumi(_) => notice(model, "Pulumi cannot be used", why.lines()),
        _ => notice(model, title, why.lines()),
    }
}

/// Asks for the records anew and drops an answer that is under way: it may show what was before.
fn reread_records(model: &mut Model) {
    model.polls.invalidate(Source::Records);
}
