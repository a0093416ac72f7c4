//! Makes inputs of inputs, and keeps those that are answered in a new way.
//!
//! No coverage is measured: what an input came to is told in a word by its target, and an input that comes to something new
//! is one to go on from. Numbers are the same on every machine for the same seed.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Inputs that are gone on from; more would only be gone on from more seldom.
const MAX_POOL: usize = 512;
/// Longer inputs are cut: what is bounded is tried on purpose elsewhere.
const MAX_BYTES: usize = 96 * 1024;
/// Tries to make an input that breaks something smaller.
const MAX_SHRINKS: usize = 600;

/// What came of an input: a word that tells it apart, or the promise that it broke.
pub(super) type Came = Result<String, String>;

/// Something that takes bytes from outside.
pub(super) trait Target {
    fn name(&self) -> &'static str;
    /// Good inputs, to begin with.
    fn seeds(&self) -> Vec<Vec<u8>>;
    /// Words that mean something to it.
    fn words(&self) -> &'static [&'static str];
    fn takes(&self, input: &[u8]) -> Came;
}

/// How long to go on.
#[derive(Clone, Copy)]
pub(super) enum Until {
    Cases(usize),
    Time(Duration),
}

pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one (SplitMix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Where the inputs of a target are kept: what once broke something, and what is worth beginning with.
pub(super) fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fuzz").join(name)
}

fn kept(name: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(corpus(name)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn taken(target: &dyn Target, input: &[u8]) -> Came {
    catch_unwind(AssertUnwindSafe(|| target.takes(input))).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(format!("it panicked: {}", words.unwrap_or("without words")))
    })
}

/// What a run came to.
pub(super) struct Tried {
    pub(super) cases: usize,
    pub(super) ways: usize,
}

/// Feeds a target; fails with the smallest input found that breaks a promise, which is kept beside the others.
pub(super) fn feed(target: &dyn Target, until: Until, seed: u64) -> Tried {
    let (mut numbers, began, mut ways) = (Numbers::new(seed), Instant::now(), BTreeSet::new());
    let mut pool = Vec::new();
    for input in kept(target.name()).into_iter().chain(target.seeds()) {
        match taken(target, &input) {
            Ok(way) => drop(ways.insert(way)),
            Err(why) => broken(target, &input, &why),
        }
        pool.push(input);
    }
    let (first, mut cases) = (pool.len(), 0);
    loop {
        let goes_on = match until {
            Until::Cases(most) => cases < most,
            Until::Time(most) => began.elapsed() < most,
        };
        if !goes_on {
            return Tried { cases, ways: ways.len() };
        }
        cases += 1;
        let input = altered(&mut numbers, &pool, target.words());
        match taken(target, &input) {
            Err(why) => broken(target, &input, &why),
            Ok(way) if ways.insert(way.clone()) => {
                if pool.len() >= MAX_POOL {
                    pool.remove(first);
                }
                pool.push(input);
            }
            Ok(_) => {}
        }
    }
}

fn broken(target: &dyn Target, input: &[u8], why: &str) {
    let small = shrunk(target, input.to_vec());
    let why = taken(target, &small).err().unwrap_or_else(|| why.to_owned());
    let mut hash = DefaultHasher::new();
    small.hash(&mut hash);
    let file = corpus(target.name()).join(format!("{:016x}", hash.finish()));
    fs::create_dir_all(corpus(target.name())).unwrap();
    fs::write(&file, &small).unwrap();
    panic!("{}: {why}\n{}\nkept as {}", target.name(), String::from_utf8_lossy(&small), file.display());
}

/// The input without whatever it does not need to break something.
fn shrunk(target: &dyn Target, mut input: Vec<u8>) -> Vec<u8> {
    let (mut part, mut tries) = (input.len() / 2, 0);
    while part > 0 && tries < MAX_SHRINKS {
        let mut at = 0;
        while at < input.len() && tries < MAX_SHRINKS {
            let mut less = input.clone();
            less.drain(at..(at + part).min(input.len()));
            tries += 1;
            if taken(target, &less).is_err() {
                input = less;
            } else {
                at += part;
            }
        }
        part /= 2;
    }
    input
}

const BYTES: [u8; 20] = [
    0, 1, 0x1b, 0x7f, 0x80, 0x9b, 0xc2, 0xff, b'\n', b'\r', b'"', b'\\', b'<', b'>', b'{', b'}', b',', b'-', b'9', b' ',
];
const NUMBERS: [&str; 14] = [
    "-1",
    "0",
    "1",
    "255",
    "256",
    "2147483648",
    "-2147483649",
    "9223372036854775808",
    "18446744073709551616",
    "1e400",
    "0.5",
    "NaN",
    "null",
    "01",
];
const TEXTS: [&str; 8] =
    ["\u{1b}[2J", "\u{9b}2J", "\u{202e}", "\\u001b]52;c;eA==\\u0007", "\u{feff}", "é€😀", "\0", "\r\n"];

/// Another input, made of one or two of the pool.
fn altered(numbers: &mut Numbers, pool: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = pool[numbers.below(pool.len())].clone();
    for _ in 0..=numbers.below(3) {
        alter(numbers, &mut input, pool, words);
    }
    input.truncate(MAX_BYTES);
    input
}

fn alter(numbers: &mut Numbers, input: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str]) {
    let at = numbers.below(input.len() + 1);
    let stretch = |numbers: &mut Numbers, most: usize| at..(at + 1 + numbers.below(most)).min(input.len()).max(at);
    match numbers.below(14) {
        0 => input.truncate(at),
        1 => drop(input.drain(stretch(numbers, 16))),
        2 => drop(input.drain(stretch(numbers, 2048))),
        3 => {
            let copied = input[stretch(numbers, 512)].to_vec();
            let to = numbers.below(input.len() + 1);
            input.splice(to..to, copied);
        }
        4 if at < input.len() => input[at] = BYTES[numbers.below(BYTES.len())],
        5 if at < input.len() => input[at] ^= 1 << numbers.below(8),
        6 => input.insert(at, BYTES[numbers.below(BYTES.len())]),
        7 if !words.is_empty() => drop(input.splice(at..at, words[numbers.below(words.len())].bytes())),
        8 => drop(input.splice(at..at, TEXTS[numbers.below(TEXTS.len())].bytes())),
        9 => {
            // A number becomes another one.
            let digit = |byte: &u8| byte.is_ascii_digit();
            if let Some(from) = input[at..].iter().position(digit).map(|from| at + from) {
                let to = input[from..].iter().position(|byte| !digit(byte)).map_or(input.len(), |to| from + to);
                input.splice(from..to, NUMBERS[numbers.below(NUMBERS.len())].bytes());
            }
        }
        10 | 11 => lines(numbers, input),
        12 => {
            let other = &pool[numbers.below(pool.len())];
            let from = numbers.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        _ => {
            // One thing that stands between quotes or tags is left out, or is what another one is.
            let ends = |byte: &u8| matches!(byte, b'"' | b'<' | b',' | b'>');
            let from = input[at..].iter().position(ends).map_or(input.len(), |from| at + from);
            let to = input[from..].iter().skip(1).position(ends).map_or(input.len(), |to| from + 1 + to);
            input.drain(from..to);
        }
    }
}

/// A line is lost, doubled, or comes elsewhere.
fn lines(numbers: &mut Numbers, input: &mut Vec<u8>) {
    let mut lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.len() < 2 {
        return;
    }
    let line = lines.remove(numbers.below(lines.len()));
    match numbers.below(3) {
        0 => {}
        1 => lines.insert(numbers.below(lines.len() + 1), line),
        _ => {
            let at = numbers.below(lines.len() + 1);
            lines.splice(at..at, [line, line]);
        }
    }
    *input = lines.concat();
}

/// Whether what `Debug` wrote holds a character that changes how others are shown; new lines and tabs count for nothing.
pub(super) fn unfit_in(debug: &str) -> Option<char> {
    let bytes = debug.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        if bytes.get(at + 1) == Some(&b'u') {
            let hex = debug[at + 2..].strip_prefix('{').and_then(|rest| rest.split('}').next()).unwrap_or_default();
            let found = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
            if let Some(found) = found.filter(|c| tapctl::domain::text::is_unfit(*c)) {
                return Some(found);
            }
        }
        at += 2;
    }
    None
}

/// A sentence without what differs between two inputs of one kind: numbers, names, quotes.
pub(super) fn kind_of(sentence: &str) -> String {
    let word = |word: &str| {
        let letters: String = word.chars().take_while(char::is_ascii_alphabetic).collect();
        letters
    };
    sentence.split_whitespace().take(12).map(word).collect::<Vec<_>>().join(" ")
}
