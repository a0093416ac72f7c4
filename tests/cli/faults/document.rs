//! `docs/faults.md`: made from what was played, and never by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::cell::Cell;
use super::cockpit;
use super::judge::Outcome;
use super::others::Section;
use super::table::{CHANGES, Change, MOMENTS, Moment, faults};

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md")
}

/// The moments that a change has.
fn moments(change: &'static Change) -> impl Iterator<Item = &'static Moment> {
    MOMENTS.iter().filter(|moment| moment.is_in(change))
}

/// What each letter of the cockpit's table means.
const NIGHTS: [(char, &str); 3] = [
    ('✓', "every promise was kept, however far the night came"),
    ('K', "the process was ended from outside; the next start told the truth"),
    ('!', "a promise was broken"),
];

/// A table: its title, what stands above it, its columns, and its rows with a letter for each cell, by the cell's name.
struct Table {
    title: String,
    above: String,
    columns: Vec<&'static str>,
    rows: Vec<(&'static str, Vec<Option<String>>)>,
}

fn tables() -> Vec<Table> {
    let of_change = |change: &'static Change| {
        let row = |fault: &'static super::table::Fault| {
            let cell = |moment| fault.can_be_at(moment).then(|| Cell { change, fault, moment }.name());
            (fault.name, moments(change).map(cell).collect())
        };
        Table {
            title: change.name.to_owned(),
            above: format!("`tapctl {}`", change.line),
            columns: moments(change).map(|moment| moment.name).collect(),
            rows: faults().map(row).collect(),
        }
    };
    let mut tables: Vec<Table> = CHANGES.iter().map(of_change).collect();
    let row = |fault: &'static cockpit::Fault| {
        let cell = |moment| Some(cockpit::Cell { fault, moment }.name());
        (fault.name, (0..cockpit::MOMENTS.len()).map(cell).collect())
    };
    tables.push(Table {
        title: "cockpit".to_owned(),
        above: "On a terminal of 120×36: `]` `y`, INSYNC, `R` `y`, INSYNC, `q`; the fault lasts from its moment on. A batch \
                is sent only for a question that stood there and was answered; `q` leaves within 30 s; the rest is as above."
            .to_owned(),
        columns: cockpit::MOMENTS.to_vec(),
        rows: cockpit::FAULTS.iter().map(row).collect(),
    });
    tables
}

/// Names of all cells.
pub(super) fn names() -> Vec<String> {
    tables().into_iter().flat_map(|table| table.rows).flat_map(|(_, cells)| cells).flatten().collect()
}

/// What the document has in each cell.
pub(super) fn written() -> BTreeMap<String, char> {
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    let mut found = BTreeMap::new();
    for table in tables() {
        let part = text.split(&format!("\n## {}\n", table.title)).nth(1).unwrap_or_default();
        let part = part.split("\n## ").next().unwrap_or_default();
        for (name, cells) in table.rows {
            let line = part.lines().find_map(|line| line.strip_prefix(&format!("| {name} | ")));
            let letters = line.into_iter().flat_map(|line| line.trim_end_matches(" |").split(" | "));
            for (cell, letter) in cells.into_iter().zip(letters) {
                found.extend(cell.zip(letter.chars().find(|c| *c != ' ')));
            }
        }
    }
    found
}

/// Beside the tables: what was tried, and how it went.
const BESIDE: &str = "Beside the tables:\n\n| what | how it went |\n|---|---|\n";

/// Writes the document; what was not played this time stays as it was written.
pub(super) fn write(commands: &BTreeMap<String, Outcome>, nights: &BTreeMap<String, char>, others: &[Section]) {
    let mut letters = written();
    letters.extend(nights.iter().map(|(name, letter)| (name.clone(), *letter)));
    letters.extend(commands.iter().map(|(name, outcome)| (name.clone(), outcome.letter())));
    let is_night = |name: &&String| name.starts_with("cockpit × ");
    let (nights, commands): (Vec<&String>, Vec<&String>) = names_of(&letters).partition(is_night);
    let count = |of: &[&String], letter: char| of.iter().filter(|name| letters[**name] == letter).count();
    let mut text = String::from(include_str!("preface.md"));
    writeln!(text, "\n| letter | what it means | cells |\n|---|---|---|").unwrap();
    for outcome in Outcome::ALL {
        let (letter, words, all) = (outcome.letter(), outcome.words(), commands.len());
        writeln!(text, "| {letter} | {words} | {} of {all} |", count(&commands, letter)).unwrap();
    }
    writeln!(text, "\nIn the table of the cockpit:\n\n| letter | what it means | cells |\n|---|---|---|").unwrap();
    for (letter, words) in NIGHTS {
        writeln!(text, "| {letter} | {words} | {} of {} |", count(&nights, letter), nights.len()).unwrap();
    }
    write!(text, "\n{BESIDE}{}", beside(others)).unwrap();
    for table in tables() {
        writeln!(text, "\n## {}\n\n{}\n", table.title, table.above).unwrap();
        for (number, column) in table.columns.iter().enumerate() {
            writeln!(text, "{}. {column}", number + 1).unwrap();
        }
        let numbers: Vec<String> = (1..=table.columns.len()).map(|number| number.to_string()).collect();
        writeln!(text, "\n| fault | {} |\n|---|{}", numbers.join(" | "), "---|".repeat(numbers.len())).unwrap();
        for (name, cells) in table.rows {
            let letter = |cell: Option<String>| cell.map_or(' ', |cell| letters.get(&cell).copied().unwrap_or('?'));
            let line: Vec<String> = cells.into_iter().map(|cell| letter(cell).to_string()).collect();
            writeln!(text, "| {name} | {} |", line.join(" | ")).unwrap();
        }
    }
    std::fs::write(path(), text).unwrap();
}

/// Names of the cells that there are, of those that have a letter.
fn names_of(letters: &BTreeMap<String, char>) -> impl Iterator<Item = &String> {
    let there: BTreeSet<String> = names().into_iter().collect();
    letters.keys().filter(move |name| there.contains(*name))
}

/// The lines of what stands beside the tables, with those that were played this time.
fn beside(others: &[Section]) -> String {
    let before = std::fs::read_to_string(path()).unwrap_or_default();
    let before = before.split(BESIDE).nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for line in before.lines().filter(|line| line.starts_with("| ")) {
        lines.insert(line.split(" | ").next().unwrap_or_default().to_owned(), line.to_owned());
    }
    for Section { name, tried, what_held, broken } in others {
        let line = format!("| {name} | {} of {tried}: {what_held} |", tried - broken.len().min(*tried));
        lines.insert(format!("| {name}"), line);
    }
    lines.into_values().map(|line| line + "\n").collect()
}
