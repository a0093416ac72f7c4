//! Whatever bytes come from outside: nothing breaks, and nothing is made up.
//!
//! Each target takes bytes as the code takes them and holds what comes of them against what it reads out of the same bytes
//! by itself. Inputs are made by [`driver`] of those in `tests/fixtures/fuzz`, of recorded ones, and of each other. The tests
//! feed each target a number of inputs, always the same; `make fuzz` goes on for `FUZZ_SECONDS` with another seed each time.

mod answers;
mod driver;
mod events;
mod journal;
mod keys;
mod texts;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use driver::{Target, Until, feed};

/// The seed of the tests.
const SEED: u64 = 0x7461_7063_746c;

/// All targets, and how many inputs of each are a second's work.
fn targets() -> Vec<(Box<dyn Target>, usize)> {
    vec![
        (Box::new(events::Events), 200),
        (Box::new(answers::Answers::new()), 2_000),
        (Box::new(texts::Outputs), 4_000),
        (Box::new(texts::Configuration::new()), 2_000),
        (Box::new(texts::Foreign), 10_000),
        (Box::new(journal::Lines::new()), 1_500),
        (Box::new(keys::Keys), 10_000),
    ]
}

#[test]
fn whatever_bytes_come_nothing_breaks_and_nothing_is_made_up() {
    for (target, cases) in targets() {
        let tried = feed(&*target, Until::Cases(cases), SEED);
        assert!(tried.ways > 3, "{}: {} ways to be answered are no search", target.name(), tried.ways);
    }
}

/// `FUZZ_SECONDS` in all, `FUZZ_ONLY` a target, `FUZZ_SEED` a seed that was printed.
#[test]
#[ignore = "goes on for as long as it is told; `make fuzz`"]
fn for_as_long_as_it_is_told() {
    let told = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let seconds: u64 = told("FUZZ_SECONDS").map_or(3_600, |seconds| seconds.parse().unwrap());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
    let seed = told("FUZZ_SEED").map_or(now, |seed| seed.parse().unwrap());
    let only = told("FUZZ_ONLY");
    let targets: Vec<_> =
        targets().into_iter().filter(|(target, _)| only.as_ref().is_none_or(|only| only == target.name())).collect();
    let each = Duration::from_secs(seconds) / targets.len() as u32;
    for (target, _) in &targets {
        let tried = feed(&**target, Until::Time(each), seed);
        println!("{:14} {:9} inputs, {:4} ways to be answered, seed {seed}", target.name(), tried.cases, tried.ways);
    }
}
