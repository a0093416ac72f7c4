//! No file and no function longer than a head holds.
//!
//! What only tests see counts for nothing; documentation and comments count, for they are read too.

use super::holds;
use super::reader::{Crate, planted, this_crate};

/// Lines of a file.
const FILE: usize = 400;
/// Lines of a function.
const FUNCTION: usize = 60;

/// Files and functions past their limit, one line each.
fn too_long(all: &Crate) -> Vec<String> {
    let mut found = Vec::new();
    for (module, uses) in all {
        let at = if module.is_empty() { "lib".to_owned() } else { module.join("::") };
        if uses.size.lines > FILE {
            found.push(at.clone());
        }
        for (name, _) in uses.size.functions.iter().filter(|(_, lines)| *lines > FUNCTION) {
            found.push(format!("{at}::{name}()"));
        }
    }
    found
}

/// What is too long all the same: an end to be reached, never to be added to.
const OPEN: &[&str] = &[];

#[test]
fn no_file_and_no_function_is_too_long() {
    holds("too long", &too_long(&this_crate()), OPEN);
}

#[test]
fn planted_lengths_are_seen() {
    let of = |text: &str| {
        let all = planted(&[("lib.rs", "mod ui;"), ("ui.rs", text)]);
        too_long(&all)
    };
    let long = |lines: usize| "let a = 1;\n".repeat(lines);
    let file = |lines: usize| "struct A;\n".repeat(lines);
    for (text, wanted) in [
        (file(401), "ui"),
        (format!("{}#[cfg(test)]\nmod tests {{}}\n", file(401)), "ui"),
        (format!("fn f() {{\n{}}}", long(59)), "ui::f()"),
        (format!("mod inner {{ impl A {{ fn f() {{\n{}}} }} }}", long(59)), "ui::f()"),
        (format!("trait T {{ fn f() {{\n{}}} }}", long(59)), "ui::f()"),
        (format!("fn outer() {{ fn f() {{\n{}}} }}", long(59)), "ui::f()"),
        (format!("fn f() {{\n{}}}", "// why\n".repeat(59)), "ui::f()"),
    ] {
        assert!(of(&text).iter().any(|line| line == wanted), "{text}: {:?}", of(&text));
    }
    for harmless in [
        file(400),
        format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", file(399), file(400)),
        format!("/// What it does.\nfn f() {{\n{}}}", long(58)),
        format!("#[test]\nfn f() {{\n{}}}", long(80)),
        format!("#[cfg(test)]\nfn f() {{\n{}}}", long(80)),
        format!("struct A; impl A {{ #[cfg(test)] fn f() {{\n{}}} }}", long(80)),
    ] {
        assert_eq!(of(&harmless), Vec::<String>::new(), "{harmless}");
    }
}
