//! The map of the crate, enforced: which room may use which, no circles between files, none too long.
//!
//! Every file under `src` is parsed with `syn`, along the `mod` declarations from `lib.rs` on, so that what only tests
//! see is left out item by item. A path counts as a use wherever it stands: in a `use`, a type, an expression or a macro
//! that the parser can read. String paths (`serde(with = "…")`) are not seen.

mod circles;
mod decisions;
mod map;
mod measure;
mod reader;
mod sizes;
mod writes;

use std::fs;
use std::path::Path;

use reader::this_crate;

/// Holds what was found against what is known to stand: nothing new, and nothing listed that is gone.
#[track_caller]
fn holds(what: &str, found: &[String], open: &[&str]) {
    let new: Vec<&String> = found.iter().filter(|line| !open.contains(&line.as_str())).collect();
    let gone: Vec<&&str> = open.iter().filter(|line| !found.iter().any(|found| found == **line)).collect();
    assert!(new.is_empty() && gone.is_empty(), "{what} that are new: {new:#?}\nlisted, but gone: {gone:#?}");
}

/// Files that may take text from outside in: where bytes come in, and nowhere else.
const DOORS: [&[&str]; 4] = [&["adapters"], &["cli"], &["domain", "stack", "outputs"], &["domain", "text"]];

#[test]
fn text_from_outside_comes_in_by_its_doors_alone() {
    let all = this_crate();
    let door = |module: &[String]| {
        DOORS.iter().any(|door| module.iter().zip(*door).filter(|(a, b)| a == *b).count() == door.len())
    };
    let takes = |uses: &reader::Uses| {
        uses.inside.iter().any(|path| path.iter().take(3).eq(["domain", "text", "Foreign"].iter()))
    };
    let taking: Vec<String> = all.iter().filter(|(_, uses)| takes(uses)).map(|(module, _)| module.join("::")).collect();
    assert!(taking.len() > 3, "the doors themselves are seen: {taking:?}");
    let elsewhere: Vec<&String> =
        taking.iter().filter(|module| !door(&module.split("::").map(str::to_owned).collect::<Vec<_>>())).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn every_file_says_what_it_is() {
    fn walk(folder: &Path, silent: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, silent);
            } else if path.extension().is_some_and(|e| e == "rs")
                && !fs::read_to_string(&path).unwrap().starts_with("//!")
            {
                silent.push(path.display().to_string());
            }
        }
    }
    let mut silent = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut silent);
    assert!(silent.is_empty(), "no module documentation: {silent:#?}");
}
