//! The language of golden scripts: text in, steps out, or every mistake with its line.
//!
//! Pure.

use std::fmt;
use std::time::Duration;

use crate::keymap::{Code, Key};
use crate::sim::{Fault, Scenario};

use super::check::{Check, Expectation};

/// Lines of a script; a longer one is a mistake, and would be played for hours.
const MAX_LINES: usize = 10_000;
/// Virtual time of one line.
const MAX_WAIT: Duration = Duration::from_secs(86_400);
/// Columns and rows of the largest terminal.
const MAX_SIZE: (u16, u16) = (500, 200);
/// What can stand first in a line.
const COMMANDS: &str = "scenario, seed, read-only, size, advance, press, double, type, paste, fault, clear-faults, restart, \
                        expect, expect-not, within, show";

/// A script that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Where it is from, for people.
    pub file: String,
    /// The scenario.
    pub scenario: Scenario,
    /// Seed of all chance.
    pub seed: u64,
    /// The terminal's columns and rows at the start.
    pub size: (u16, u16),
    /// Whether no write is ever sent.
    pub read_only: bool,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One line of a script that does something.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its line, from 1.
    pub line: usize,
    /// The line as it was written, without its comment.
    pub text: String,
    /// What it does.
    pub command: Command,
}

/// What a line does.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// The terminal gets another size.
    Size(u16, u16),
    /// Virtual time passes.
    Advance(Duration),
    /// Keys are pressed.
    Press(Vec<Key>),
    /// A key bounces.
    Double(Key),
    /// Text is pasted.
    Paste(String),
    /// A fault begins.
    Fault(Box<Fault>),
    /// All faults end.
    ClearFaults,
    /// The cockpit is left, and another one opened.
    Restart,
    /// Something has to be so, or to become so within that time.
    Expect(Check, Duration),
    /// The screen is printed.
    Show,
}

/// A line that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: `{found}` is not understood: {why}")]
pub struct Mistake {
    /// The script.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub found: String,
    /// What would be understood.
    pub why: String,
}

impl Script {
    /// Reads a script; `file` is its name for people.
    ///
    /// # Errors
    /// Every line that is not understood.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Mistake>> {
        let mut script = Self {
            file: file.to_owned(),
            scenario: Scenario::Steady,
            seed: 7,
            size: (120, 36),
            read_only: false,
            steps: Vec::new(),
        };
        let mut mistakes = Vec::new();
        let mistake = |line: usize, found: &str, why: String| Mistake {
            file: file.to_owned(),
            line,
            found: found.chars().take(200).collect(),
            why,
        };
        for (index, raw) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = index + 1;
            if line > MAX_LINES {
                mistakes.push(mistake(line, raw, format!("a script has at most {MAX_LINES} lines")));
                break;
            }
            let said = without_comment(raw).trim();
            if said.is_empty() {
                continue;
            }
            match script.take(said) {
                Ok(None) => {}
                Ok(Some(command)) => script.steps.push(Step { line, text: said.to_owned(), command }),
                Err(why) => mistakes.push(mistake(line, said, why)),
            }
        }
        if mistakes.is_empty() && script.steps.is_empty() {
            mistakes.push(mistake(text.lines().count().max(1), "", "the script does nothing".to_owned()));
        }
        if mistakes.is_empty() { Ok(script) } else { Err(mistakes) }
    }

    /// Takes one line: a setting, or a command.
    fn take(&mut self, said: &str) -> Result<Option<Command>, String> {
        let (word, rest) = split(said);
        let early = self.steps.is_empty();
        match word {
            "scenario" | "seed" | "read-only" if !early => {
                Err(format!("`{word}` stands before everything that happens"))
            }
            "scenario" => {
                self.scenario = text(rest)?.parse().map_err(|error: crate::sim::UnknownScenario| error.to_string())?;
                Ok(None)
            }
            "seed" => {
                self.seed = rest.parse().map_err(|_| "a seed is a whole number, such as `seed 7`".to_owned())?;
                Ok(None)
            }
            "read-only" => {
                nothing_after(word, rest)?;
                self.read_only = true;
                Ok(None)
            }
            "size" if early => {
                self.size = size(rest)?;
                Ok(None)
            }
            _ => command(word, rest).map(Some),
        }
    }
}

fn command(word: &str, rest: &str) -> Result<Command, String> {
    match word {
        "size" => size(rest).map(|(columns, rows)| Command::Size(columns, rows)),
        "advance" => duration(rest).map(Command::Advance),
        "press" => keys(rest).map(Command::Press),
        "double" => match keys(rest)?.as_slice() {
            [key] => Ok(Command::Double(*key)),
            _ => Err("one key bounces, such as `double y`".to_owned()),
        },
        "type" => Ok(Command::Press(text(rest)?.chars().map(Key::char).collect())),
        "paste" => text(rest).map(Command::Paste),
        "fault" => fault(rest).map(|fault| Command::Fault(Box::new(fault))),
        "clear-faults" => nothing_after(word, rest).map(|()| Command::ClearFaults),
        "restart" => nothing_after(word, rest).map(|()| Command::Restart),
        "show" => nothing_after(word, rest).map(|()| Command::Show),
        "expect" => Ok(Command::Expect(check(rest, true)?, Duration::ZERO)),
        "expect-not" => Ok(Command::Expect(check(rest, false)?, Duration::ZERO)),
        "within" => {
            let (limit, rest) = split(rest);
            let limit = duration(limit)?;
            match split(rest) {
                ("expect", rest) => Ok(Command::Expect(check(rest, true)?, limit)),
                ("expect-not", rest) => Ok(Command::Expect(check(rest, false)?, limit)),
                _ => Err("a time is given to an expectation, such as `within 60 expect INSYNC`".to_owned()),
            }
        }
        _ => Err(format!("no command is called `{word}`; there are: {COMMANDS}")),
    }
}

/// The line up to a `#` that stands first or after a space, outside of quotes.
fn without_comment(line: &str) -> &str {
    let (mut quoted, mut before) = (false, ' ');
    for (index, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted && before.is_whitespace() => return &line[..index],
            _ => {}
        }
        before = c;
    }
    line
}

/// The first word, and what follows it.
fn split(said: &str) -> (&str, &str) {
    let said = said.trim_start();
    let (word, rest) = said.split_once(char::is_whitespace).unwrap_or((said, ""));
    (word, rest.trim())
}

fn nothing_after(word: &str, rest: &str) -> Result<(), String> {
    if rest.is_empty() { Ok(()) } else { Err(format!("nothing stands after `{word}`")) }
}

/// What stands in the quotes, or the text as it is.
fn text(rest: &str) -> Result<String, String> {
    match rest.strip_prefix('"') {
        Some(inner) => match inner.strip_suffix('"') {
            Some(inner) if !inner.is_empty() && !inner.contains('"') => Ok(inner.to_owned()),
            _ => Err("a quoted text ends with a quote, is not empty and holds no other quote".to_owned()),
        },
        None if rest.is_empty() => Err("the text is missing".to_owned()),
        None => Ok(rest.to_owned()),
    }
}

fn size(rest: &str) -> Result<(u16, u16), String> {
    let parts = rest.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    parts.filter(|(columns, rows)| (1..=MAX_SIZE.0).contains(columns) && (1..=MAX_SIZE.1).contains(rows)).ok_or_else(
        || format!("a size is columns and rows, such as `size 120x36`, at most {}x{}", MAX_SIZE.0, MAX_SIZE.1),
    )
}

fn duration(rest: &str) -> Result<Duration, String> {
    let wrong = || "a time is seconds, or a number with s, m or h, such as `60` or `10m`, at most a day".to_owned();
    let (number, unit) = match rest.char_indices().next_back() {
        Some((at, 's')) => (&rest[..at], 1.0),
        Some((at, 'm')) => (&rest[..at], 60.0),
        Some((at, 'h')) => (&rest[..at], 3600.0),
        _ => (rest, 1.0),
    };
    // Digits and a point alone: what else reads as a number, such as `inf` or `1e3`, is a typing mistake here.
    if number.is_empty() || !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(wrong());
    }
    let seconds: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds * unit).ok().filter(|time| *time <= MAX_WAIT).ok_or_else(wrong)
}

/// Names of keys that are not characters, as the help writes them and as people do.
const NAMES: &[(&str, Code)] = &[
    ("space", Code::Char(' ')),
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("s-tab", Code::BackTab),
    ("bksp", Code::Backspace),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("pgup", Code::PageUp),
    ("pgdn", Code::PageDown),
    ("home", Code::Home),
    ("end", Code::End),
];

fn keys(rest: &str) -> Result<Vec<Key>, String> {
    let keys: Vec<Key> = rest.split_whitespace().map(key).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err("the key is missing, such as `press ]`".to_owned()) } else { Ok(keys) }
}

fn key(name: &str) -> Result<Key, String> {
    let code = |name: &str| {
        let mut chars = name.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Some(Code::Char(c)),
            _ => NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, code)| *code),
        }
    };
    let held = name.strip_prefix("C-").or_else(|| name.strip_prefix("ctrl-")).filter(|rest| !rest.is_empty());
    let key = match held {
        Some(rest) => code(rest).map(|code| Key { code, ctrl: true }),
        None => code(name).map(Key::plain),
    };
    key.ok_or_else(|| {
        let known: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
        format!(
            "no key is called `{name}`; a key is one character, C- and a character, or one of: {}",
            known.join(", ")
        )
    })
}

fn check(rest: &str, wanted: bool) -> Result<Check, String> {
    let (word, after) = split(rest);
    let expectation = match word {
        "weights" => Expectation::Weights(weights(after)?),
        "calls" => {
            let (operation, count) = split(after);
            let count = count.parse().ok().filter(|_| operation.contains(':'));
            let count = count.ok_or("calls are counted, such as `expect calls route53:GetChange 2`")?;
            Expectation::Calls(operation.to_owned(), count)
        }
        "journal" => Expectation::Journal(text(after)?),
        "exit" => nothing_after(word, after).map(|()| Expectation::ProcessEnd)?,
        _ => Expectation::Screen(text(rest)?),
    };
    Ok(Check { expectation, wanted })
}

fn weights(rest: &str) -> Result<(u64, u64), String> {
    let pair = rest.split_once('/').and_then(|(legacy, new)| Some((legacy.parse().ok()?, new.parse().ok()?)));
    pair.filter(|(legacy, new)| *legacy <= 255 && *new <= 255).ok_or_else(|| {
        "weights are those of the legacy and of the new stack, such as `expect weights 90/10`".to_owned()
    })
}

/// A fault: its JSON, or the service, with the operation where one is meant, and its fields.
fn fault(rest: &str) -> Result<Fault, String> {
    let fault = if rest.starts_with('{') {
        serde_json::from_str(rest).map_err(|error| format!("this is no fault: {error}"))?
    } else {
        let (target, fields) = split(rest);
        if target.is_empty() {
            return Err("the service is missing, such as `fault route53 drop`".to_owned());
        }
        let (service, operation) = target.split_once(':').map_or((target, None), |(s, o)| (s, Some(o.to_owned())));
        let mut fault = Fault { operation, ..Fault::on(service) };
        for field in fields.split_whitespace() {
            with_field(&mut fault, field)?;
        }
        fault
    };
    fault.check()?;
    Ok(fault)
}

fn with_field(fault: &mut Fault, field: &str) -> Result<(), String> {
    fn number<T: std::str::FromStr>(field: &str, value: &str) -> Result<T, String> {
        value.parse().map_err(|_| format!("`{field}` holds no number that fits"))
    }
    match field.split_once('=').unwrap_or((field, "")) {
        ("drop", "") => fault.drop = true,
        ("after", "") => fault.after = true,
        ("garbage", "") => fault.garbage = true,
        ("code", value) if !value.is_empty() => fault.code = Some(value.to_owned()),
        ("region", value) if !value.is_empty() => fault.region = Some(value.to_owned()),
        ("status", value) => fault.status = Some(number(field, value)?),
        ("latency_ms", value) => fault.latency_ms = number(field, value)?,
        ("count", value) => fault.count = Some(number(field, value)?),
        ("duration_s", value) => fault.duration_s = Some(number(field, value)?),
        _ => {
            return Err(format!(
                "a fault has no `{field}`; it has code=, region=, status=, latency_ms=, count=, duration_s=, drop, after \
                 and garbage (a message of its own needs the JSON form)"
            ));
        }
    }
    Ok(())
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4}  {}", self.line, self.text)
    }
}

#[cfg(test)]
#[path = "language_tests.rs"]
mod tests;
