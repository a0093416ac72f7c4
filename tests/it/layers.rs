//! The map in the crate's documentation, enforced.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                // Tests may look further than the code does.
                let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if !name.ends_with("tests.rs") && name != "fixtures.rs" && name != "fakes.rs" {
                    found.push((path, code));
                }
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} holds no source");
    found
}

fn uses(code: &str, word: &str) -> Option<String> {
    code.lines().find(|line| !line.trim_start().starts_with("//") && line.contains(word)).map(str::to_owned)
}

#[track_caller]
fn forbids(folder: &str, words: &[&str]) {
    for (path, code) in sources(folder) {
        for word in words {
            if let Some(line) = uses(&code, word) {
                panic!("{} must not use {word}: {line}", path.display());
            }
        }
    }
}

#[test]
fn the_domain_has_no_clock_no_input_and_no_sdk() {
    forbids(
        "domain",
        &[
            "aws_",
            "tokio",
            "std::fs",
            "std::net",
            "std::io",
            "std::env",
            "std::process",
            "SystemTime",
            "Instant",
            "Timestamp::now",
            "async fn",
            "ratatui",
            "crossterm",
            "crate::adapters",
            "crate::runtime",
            "crate::ui",
            "crate::sim",
        ],
    );
}

#[test]
fn views_only_look() {
    forbids(
        "ui",
        &["&mut Model", "tokio", "aws_", "std::fs", "SystemTime", "Instant::now", "crate::adapters", "crate::runtime"],
    );
}

#[test]
fn the_simulator_knows_nothing_of_the_program_it_trains() {
    forbids("sim", &["crate::domain", "crate::adapters", "crate::runtime", "crate::ui", "crate::commands"]);
}

#[test]
fn every_file_says_what_it_is() {
    for (path, code) in sources("") {
        assert!(code.starts_with("//!"), "{} has no module documentation", path.display());
    }
}
