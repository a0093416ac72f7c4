//! Every fault at every moment of every change: what came of it, and that no promise was broken.
//!
//! Faults are what a network, AWS, a disk, a clock, a process or a colleague does ([`table`]); moments are the calls of a
//! change. A cell is the real binary with its SDK clients in a world of its own, one fault at one moment; then the next
//! start, and the way back ([`cell`], [`judge`]). `make faults` plays all cells and writes `docs/faults.md` ([`document`]);
//! the tests play a sample, and hold it against that document.

#![expect(clippy::print_stdout, reason = "whoever waits for some minutes sees how far it is")]

mod cell;
mod cockpit;
mod document;
mod judge;
mod others;
mod soak;
mod table;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cell::Cell;
use judge::Outcome;
use others::Section;
use table::{CHANGES, MOMENTS, faults};

/// Cells that are played side by side when all are: most of the time each waits.
const SIDE_BY_SIDE: usize = 24;

/// Every cell there is.
fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for change in &CHANGES {
        for fault in faults() {
            let moments = MOMENTS.iter().filter(|moment| moment.is_in(change) && fault.can_be_at(moment));
            cells.extend(moments.map(|moment| Cell { change, fault, moment }));
        }
    }
    cells
}

/// Does this with each, so many at once, and hears what came of it as it comes.
fn each<T: Sync, R: Send>(all: &[T], at_once: usize, play: impl Fn(&T) -> R + Sync, hear: impl FnMut(&T, R) + Send) {
    let (next, hear) = (AtomicUsize::new(0), Mutex::new(hear));
    thread::scope(|scope| {
        for _ in 0..at_once.min(all.len()) {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let came = play(one);
                    hear.lock().unwrap()(one, came);
                }
            });
        }
    });
}

/// Numbers that are the same on every machine for the same seed (SplitMix64).
fn numbers(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// What is played, and how much of it at once.
struct Order {
    only: String,
    at_once: usize,
    broken: Vec<String>,
}

impl Order {
    fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }

    fn heard(&mut self, done: usize, of: usize, what: &str) {
        if done.is_multiple_of(100) || done == of {
            println!("{done} of {of} {what}, {} broken so far", self.broken.len());
        }
    }

    fn commands(&mut self) -> BTreeMap<String, Outcome> {
        let cells: Vec<Cell> = cells().into_iter().filter(|cell| self.wants(&cell.name())).collect();
        let mut outcomes = BTreeMap::new();
        each(
            &cells,
            self.at_once,
            |cell| cell::play(*cell),
            |cell, seen| {
                outcomes.insert(cell.name(), seen.outcome());
                if seen.outcome() == Outcome::Broken {
                    println!("BROKEN {}", seen.told());
                    self.broken.push(cell.name());
                } else if !self.only.is_empty() {
                    println!("{} {} {:.1?}", seen.outcome().letter(), cell.name(), seen.took);
                }
                self.heard(outcomes.len(), cells.len(), "cells of commands");
            },
        );
        outcomes
    }

    fn cockpit(&mut self) -> BTreeMap<String, char> {
        // Some minutes: who was interrupted goes on from what was printed.
        let mut letters = printed(&std::env::var("FAULTS_PRINTED").unwrap_or_default());
        let is_to_play = |cell: &cockpit::Cell| self.wants(&cell.name()) && !letters.contains_key(&cell.name());
        let cells: Vec<cockpit::Cell> = cockpit::cells().into_iter().filter(is_to_play).collect();
        each(
            &cells,
            self.at_once.min(12),
            |cell| cockpit::play(*cell),
            |cell, came| {
                letters.insert(cell.name(), came.letter());
                if !came.broken.is_empty() {
                    println!("BROKEN {}: {}\n{}", cell.name(), came.broken.join("\n    "), came.screen);
                    self.broken.push(cell.name());
                } else if !self.only.is_empty() {
                    println!("{} {}: {} asked, {} made", came.letter(), cell.name(), came.asked, came.made);
                }
                self.heard(letters.len(), cells.len(), "cells of the cockpit");
            },
        );
        letters
    }

    fn others(&mut self) -> Vec<Section> {
        let mut sections = Vec::new();
        if self.wants("kills") {
            for change in &CHANGES {
                let after: Vec<u64> = (0..KILLS).map(|nth| nth * KILLED_WITHIN_MS / KILLS).collect();
                let mut broken = Vec::new();
                let kill = |after: &u64| others::killed_after(change.line, change.before, *after);
                each(&after, self.at_once.min(8), kill, |_, came| broken.extend(came));
                let name = format!("{} killed at any instant of its first {KILLED_WITHIN_MS} ms", change.name);
                sections.push(Section { name, tried: after.len(), what_held: TRUTH, broken });
            }
        }
        if self.wants("races") {
            let (races, mut broken) = (others::races(), Vec::new());
            each(&races, self.at_once.min(8), others::Race::play, |_, came| broken.extend(came));
            let name = "Two commands at once, on one host and on two".to_owned();
            sections.push(Section { name, tried: races.len(), what_held: RACED, broken });
        }
        if self.wants("hostile") {
            sections.push(others::hostile());
        }
        for section in &sections {
            println!("{}: {} of {} broken", section.name, section.broken.len(), section.tried);
            section.broken.iter().for_each(|why| println!("BROKEN {why}"));
            self.broken.extend(section.broken.iter().cloned());
        }
        sections
    }
}

/// Cells of the cockpit that an earlier call has printed to this file.
fn printed(file: &str) -> BTreeMap<String, char> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let cell = |line: &str| {
        let (letter, rest) = line.split_once(' ')?;
        let name = rest.split(": ").next().filter(|name| name.starts_with("cockpit × "))?;
        Some((name.to_owned(), letter.chars().next().filter(|letter| matches!(letter, '✓' | 'K'))?))
    };
    text.lines().filter_map(cell).collect()
}

/// Instants at which each change is killed, and how long it is until the last one.
const KILLS: u64 = 60;
const KILLED_WITHIN_MS: u64 = 900;
const TRUTH: &str = "the next start told the truth, and the way back was open";
const RACED: &str = "as many changes were made as were said to be, by commands and journals, and the way back was open";

/// `FAULTS_ONLY=text` plays what has it in its name, and writes that anew.
#[test]
#[ignore = "some minutes; `make faults` plays all and writes the document"]
fn every_fault_at_every_moment() {
    let told = |name: &str| std::env::var(name).unwrap_or_default();
    let at_once = told("FAULTS_AT_ONCE").parse().unwrap_or(SIDE_BY_SIDE);
    let mut order = Order { only: told("FAULTS_ONLY"), at_once, broken: Vec::new() };
    let (commands, cockpit, others) = (order.commands(), order.cockpit(), order.others());
    document::write(&commands, &cockpit, &others);
    assert!(order.broken.is_empty(), "{} broke a promise: {:#?}", order.broken.len(), order.broken);
}

/// Cells that the tests play each time.
const SAMPLE: usize = 16;
const SEED: u64 = 11;

#[test]
fn a_sample_of_all_cells_comes_to_what_the_document_says() {
    let quick: Vec<Cell> = cells().into_iter().filter(|cell| !cell.fault.is_slow()).collect();
    let mut number = numbers(SEED);
    let sample: Vec<Cell> = (0..SAMPLE).map(|_| quick[(number() % quick.len() as u64) as usize]).collect();
    let (written, mut wrong) = (document::written(), Vec::new());
    each(
        &sample,
        4,
        |cell| cell::play(*cell),
        |cell, seen| {
            let (found, wanted) = (seen.outcome().letter(), written.get(&cell.name()).copied());
            if found == '!' || wanted.is_some_and(|wanted| wanted != found) {
                wrong.push(format!("{found} where the document has {wanted:?}: {}", seen.told()));
            }
        },
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_document_has_the_cells_that_there_are_and_no_promise_is_broken() {
    let (written, wanted): (BTreeMap<String, char>, Vec<String>) = (document::written(), document::names());
    let known: Vec<&String> = written.keys().collect();
    let mut names: Vec<&String> = wanted.iter().collect();
    names.sort();
    assert_eq!(known, names, "`make faults` writes docs/faults.md anew");
    let odd: Vec<_> = written.iter().filter(|(_, letter)| matches!(letter, '!' | '?')).collect();
    assert!(odd.is_empty(), "{odd:?}");
}
