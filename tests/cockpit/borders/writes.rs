//! Only the executor calls a port that writes.

use std::collections::BTreeSet;

use super::reader::{Crate, WRITING_PORTS, planted, this_crate};

/// The executor: the only files that call a port that writes.
const EXECUTOR: [&str; 2] = ["runtime::execute", "runtime::pulumi"];
/// Where such a port is made, or put among the others; nobody else even names one.
const MAKERS: [&str; 5] = ["adapters", "compose", "ports", "runtime::ports_set", "script"];

/// Calls of ports that write, and names of such ports, where they do not belong.
fn unbidden_writes(all: &Crate) -> Vec<String> {
    let is_in = |at: &str, files: &[&str]| files.iter().any(|file| at == *file || at.starts_with(&format!("{file}::")));
    let mut found = Vec::new();
    for (module, uses) in all {
        let at = module.join("::");
        if !is_in(&at, &EXECUTOR) {
            found.extend(uses.writes.iter().map(|write| format!("{at} reaches for {write}")));
        }
        for port in WRITING_PORTS {
            let names = uses.inside.contains(&vec!["ports".to_owned(), port.named.to_owned()]);
            if names && !is_in(&at, &EXECUTOR) && !is_in(&at, &MAKERS) {
                found.push(format!("{at} names {}", port.named));
            }
        }
    }
    found
}

#[test]
fn nothing_but_the_executor_calls_a_port_that_writes() {
    let all = this_crate();
    let executor: BTreeSet<&String> = EXECUTOR
        .iter()
        .flat_map(|file| &all[&file.split("::").map(str::to_owned).collect::<Vec<_>>()].writes)
        .collect();
    for call in [".send()", ".carry_out()"] {
        assert!(executor.iter().any(|write| *write == call), "the executor's own {call} is seen: {executor:?}");
    }
    assert_eq!(unbidden_writes(&all), Vec::<String>::new());
}

#[test]
fn planted_writes_are_seen() {
    let of = |text: &str| {
        let ports = "pub trait Traffic {} pub trait PulumiControl {}";
        unbidden_writes(&planted(&[("lib.rs", "pub mod ports; pub mod ui;"), ("ports.rs", ports), ("ui.rs", text)]))
    };
    for (text, wanted) in [
        ("fn f(p: P) { p.traffic.send(b); }", "ui reaches for .send()"),
        ("fn f(traffic: T) { (&*traffic).send(b); }", "ui reaches for .send()"),
        ("fn f(p: P) { p.anything.carry_out(c, o); }", "ui reaches for .carry_out()"),
        ("fn f(s: S) { let t = s.ports.clone().traffic; }", "ui reaches for ports.traffic"),
        ("fn f(ports: P) { take(&ports.control); }", "ui reaches for ports.control"),
        ("fn f(p: P) { let Ports { traffic, .. } = p; }", "ui reaches for Ports { traffic }"),
        ("fn f(p: P) { crate::ports::Traffic::send(p, b); }", "ui reaches for Traffic::send"),
        ("fn f(p: P) { vec![PulumiControl::carry_out(p, c, o)]; }", "ui reaches for PulumiControl::carry_out"),
        ("use crate::ports::Traffic as T; fn f(p: &dyn T) {}", "ui names Traffic"),
        ("fn f(p: &dyn crate::ports::PulumiControl) {}", "ui names PulumiControl"),
    ] {
        assert!(of(text).iter().any(|line| line == wanted), "{text}: {:?}", of(text));
    }
    for harmless in [
        "fn f(queue: Q) { queue.send(msg); }",
        "fn f(o: Outputs) { o.traffic.hosted_zone_id.clone() }",
        "#[cfg(test)] mod tests { fn f(p: P) { p.control.carry_out(c, o); } }",
    ] {
        assert_eq!(of(harmless), Vec::<String>::new(), "{harmless}");
    }
}
