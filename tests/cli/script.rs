//! Golden scripts on the command line: what is printed, and how it ends.

use crate::drill::{Ran, tapctl};
use crate::support::folder::Folder;

fn demo(script: &str) -> (Ran, Folder) {
    let home = Folder::new();
    std::fs::write(home.path().join("night.script"), script).unwrap();
    let mut command = tapctl(home.path(), &["demo", "--script", "night.script"]);
    command.env("TMPDIR", home.path());
    (Ran::of(command.output().unwrap()), home)
}

#[test]
fn a_script_that_holds_prints_each_step_at_its_time_and_ends_with_0() {
    let (ran, home) = demo("advance 5\nexpect GO  # at once\npress ]\nadvance 10m\nexpect weights 100/0\nshow\n");
    let ran = ran.ended(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "2026-11-22T12:40:05Z    1  advance 5");
    assert!(lines[1].ends_with("2  expect GO") && lines[3].starts_with("2026-11-22T12:50:05Z"), "{}", ran.stdout);
    assert!(ran.stdout.contains("legacy 100 %") && ran.stdout.ends_with("all 6 steps held\n"), "{}", ran.stdout);
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["night.script"], "nothing is left behind");
}

#[test]
fn a_script_that_does_not_hold_names_the_line_what_was_expected_and_the_screen_and_ends_with_1() {
    let (ran, _home) = demo("advance 5\nexpect BLOCKED replication-lag\nadvance 5\n");
    let ran = ran.ended(1);
    for words in [
        "night.script:2: `expect BLOCKED replication-lag`",
        "expected \"BLOCKED replication-lag\" on the screen",
        "✓ GO",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
}

#[test]
fn a_script_that_is_not_understood_names_every_mistake_plays_nothing_and_ends_with_2() {
    let (ran, _home) = demo("scenario lag-spice\nadvnace 60\n");
    let ran = ran.ended(2);
    for words in ["night.script:1: `scenario lag-spice`", "lag-spike", "night.script:2: `advnace 60`", "advance, press"]
    {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_script_that_is_not_there_is_named() {
    let home = Folder::new();
    let ran = Ran::of(tapctl(home.path(), &["demo", "--script", "gone.script"]).output().unwrap()).ended(1);
    assert!(ran.stderr.contains("gone.script cannot be read"), "{}", ran.stderr);
}
