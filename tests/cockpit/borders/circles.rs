//! Files that use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::holds;
use super::reader::{Crate, file_of, planted, this_crate};

/// Groups of files that use each other in a circle. A module and the modules inside it are one family: a `mod.rs` may
/// use its children and they may use it.
fn circles(all: &Crate) -> Vec<Vec<String>> {
    let family = |a: &[String], b: &[String]| a.starts_with(b) || b.starts_with(a);
    let edges: BTreeMap<&Vec<String>, BTreeSet<Vec<String>>> = all
        .iter()
        .map(|(module, uses)| {
            let to = uses.inside.iter().map(|path| file_of(all, path)).filter(|to| !family(module, to));
            (module, to.collect())
        })
        .collect();
    let reaches = |from: &Vec<String>| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = next.pop() {
            for to in edges.get(&module).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    next.push(to.clone());
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&Vec<String>, BTreeSet<Vec<String>>> =
        all.keys().map(|module| (module, reaches(module))).collect();
    let mut found: Vec<Vec<String>> = Vec::new();
    for (module, seen) in &reach {
        if !seen.contains(*module) {
            continue;
        }
        let circle: Vec<String> = reach
            .iter()
            .filter(|(other, back)| seen.contains(**other) && back.contains(*module))
            .map(|(other, _)| other.join("::"))
            .collect();
        if !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// Circles that stand all the same.
const OPEN_CIRCLES: &[&str] = &[];

#[test]
fn no_files_use_each_other_in_a_circle() {
    let lines: Vec<String> = circles(&this_crate()).iter().map(|circle| circle.join(" ↔ ")).collect();
    holds("circles", &lines, OPEN_CIRCLES);
}

#[test]
fn planted_circles_are_seen() {
    let lib = "pub mod a; pub mod b; pub mod c;";
    let of = |a: &str, b: &str, c: &str| circles(&planted(&[("lib.rs", lib), ("a.rs", a), ("b.rs", b), ("c.rs", c)]));
    assert_eq!(of("use crate::b::X;", "use crate::a::Y;", ""), [vec!["a".to_owned(), "b".to_owned()]]);
    assert_eq!(of("use crate::b::X;", "fn f() { crate::c::g() }", "use super::a::Y;").len(), 1);
    assert_eq!(of("use crate::b::X;", "use crate::c::Z;", ""), Vec::<Vec<String>>::new());
    assert_eq!(
        of("use crate::b::X;", "#[cfg(test)] mod tests { use crate::a::Y; }", ""),
        Vec::<Vec<String>>::new(),
        "what only tests use closes no circle"
    );
}
