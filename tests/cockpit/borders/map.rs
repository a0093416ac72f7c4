//! Which room may use which: the table, and what is off it.

use super::holds;
use super::reader::{Crate, file_of, planted, room_of, this_crate};

/// One row: a room and the rooms of this crate that it may use, beside itself.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    /// Crates and paths from outside that it must not touch.
    never: &'static [&'static str],
}

/// What has I/O, a clock, a runtime or a screen.
const OUTSIDE: &[&str] = &[
    "aws_config",
    "aws_sdk_*",
    "aws_smithy_*",
    "aws_credential_types",
    "tokio",
    "hyper",
    "hyper_util",
    "ratatui",
    "crossterm",
    "rustix",
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::time::SystemTime",
    "std::time::Instant",
    "jiff::Timestamp::now",
    "tracing",
];
const NO_SDK: &[&str] = &["aws_config", "aws_sdk_*", "aws_smithy_*", "aws_credential_types"];
const NO_SCREEN: &[&str] = &["ratatui", "crossterm"];

/// The map. A room that is not in it fails the test.
const ROOMS: &[Room] = &[
    Room { name: "domain", may_use: &["keymap"], never: OUTSIDE },
    Room { name: "keymap", may_use: &[], never: OUTSIDE },
    Room { name: "ports", may_use: &["domain"], never: OUTSIDE },
    Room { name: "adapters", may_use: &["domain", "ports"], never: NO_SCREEN },
    Room { name: "runtime", may_use: &["domain", "keymap", "ports", "ui"], never: NO_SDK },
    Room {
        name: "ui",
        may_use: &["domain", "keymap"],
        never: &[
            "aws_config",
            "aws_sdk_*",
            "aws_smithy_*",
            "tokio",
            "crossterm",
            "std::fs",
            "std::net",
            "std::io",
            "std::env",
            "std::process",
            "std::thread",
            "std::time::SystemTime",
            "std::time::Instant",
        ],
    },
    Room {
        name: "commands",
        may_use: &[
            "cli",
            "compose",
            "config",
            "domain",
            "keymap",
            "ports",
            "runtime",
            "script",
            "sim",
            "fake_pulumi",
            "ui",
        ],
        never: NO_SDK,
    },
    // The composition root: the only room that names an adapter.
    Room { name: "compose", may_use: &["adapters", "config", "domain", "ports", "runtime"], never: NO_SDK },
    // Command-line arguments, as typed: it fills in what `config` then reads, and shows its defaults.
    Room { name: "cli", may_use: &["config", "domain"], never: NO_SDK },
    Room {
        name: "config",
        may_use: &["domain", "ports"],
        never: &[
            "aws_config",
            "aws_sdk_*",
            "aws_smithy_*",
            "tokio",
            "ratatui",
            "crossterm",
            "std::net",
            "std::process",
        ],
    },
    // The player of golden scripts: a cockpit on a simulator in this process. Its bastion puts the ports together.
    Room {
        name: "script",
        may_use: &["adapters", "domain", "keymap", "ports", "runtime", "sim", "fake_pulumi", "ui"],
        never: &["aws_config", "aws_sdk_*", "aws_smithy_*", "crossterm", "std::net", "std::process"],
    },
    Room { name: "sim", may_use: &[], never: &["aws_config", "aws_sdk_*", "aws_smithy_*", "ratatui", "crossterm"] },
    // The stand-in for Pulumi begins as the simulator's scenario begins, and tells it over loopback what a run made. It
    // knows nothing of what starts and reads it, so that both are held against a Pulumi that is not theirs.
    Room {
        name: "fake_pulumi",
        may_use: &["domain", "sim"],
        never: &["aws_config", "aws_sdk_*", "aws_smithy_*", "ratatui", "crossterm"],
    },
    // The binary's one entry point.
    Room { name: "lib", may_use: &["adapters", "cli", "commands", "domain", "fake_pulumi"], never: NO_SDK },
    Room { name: "main", may_use: &["lib"], never: NO_SDK },
];

/// Uses that the map does not allow, one line each: `room: file uses what`.
fn breaches(all: &Crate, rooms: &[Room]) -> Vec<String> {
    let mut found = Vec::new();
    for (module, uses) in all {
        let name = room_of(module);
        let at = if module.is_empty() { "lib".to_owned() } else { module.join("::") };
        let Some(room) = rooms.iter().find(|room| room.name == name) else {
            found.push(format!("{at}: the room {name} is not on the map"));
            continue;
        };
        for path in &uses.inside {
            let used = room_of(path);
            let is_module = all.keys().any(|module| room_of(module) == used && !module.is_empty());
            if is_module && used != name && !room.may_use.contains(&used) {
                found.push(format!("{at} uses {}", file_of(all, path).join("::")));
            }
        }
        for path in &uses.outside {
            let text = path.join("::");
            let touches = |never: &&&str| match never.strip_suffix('*') {
                Some(start) => path[0].starts_with(start),
                None => text == **never || text.starts_with(&format!("{never}::")),
            };
            if let Some(never) = room.never.iter().find(|never| touches(never)) {
                found.push(format!("{at} uses {never}"));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_room_uses_only_what_the_map_allows() {
    holds("uses off the map", &breaches(&this_crate(), ROOMS), &[]);
}

#[test]
fn planted_violations_are_seen() {
    let lib = "pub mod domain; pub mod adapters; pub mod ui; pub mod ports; pub mod commands;";
    let seen = |domain: &str| {
        let all = planted(&[
            ("lib.rs", lib),
            ("domain.rs", domain),
            ("adapters.rs", "pub fn write() {}"),
            ("ui.rs", ""),
            ("ports.rs", ""),
            ("commands.rs", ""),
        ]);
        breaches(&all, ROOMS)
    };
    for (domain, wanted) in [
        ("use crate::adapters::write;", "domain uses adapters"),
        ("use crate::{ui, adapters as a};", "domain uses adapters"),
        ("fn f() { crate::adapters::write() }", "domain uses adapters"),
        ("fn f() { vec![super::adapters::write()]; }", "domain uses adapters"),
        ("fn f() { if let Some(()) = Some(crate::adapters::write()) {} }", "domain uses adapters"),
        ("mod inner { pub fn f() { super::super::adapters::write() } }", "domain uses adapters"),
        ("fn f() -> std::time::Instant { std::time::Instant::now() }", "domain uses std::time::Instant"),
        ("use std::fs; fn f() {}", "domain uses std::fs"),
        ("use aws_sdk_route53::Client;", "domain uses aws_sdk_*"),
        ("#[cfg(test)] mod tests {} fn f() { crate::adapters::write() }", "domain uses adapters"),
        ("fn f() { #[cfg(test)] let a = 1; crate::adapters::write(); }", "domain uses adapters"),
        ("matches!(x, crate::adapters::Y if true);", "domain uses adapters"),
    ] {
        assert!(seen(domain).iter().any(|line| line == wanted), "{domain}: {:?}", seen(domain));
    }
    for harmless in [
        "#[cfg(test)] mod tests { use crate::adapters::write; }",
        "#[cfg(test)] use crate::adapters::write;",
        "#[test] fn t() { crate::adapters::write() }",
        "impl X { #[cfg(test)] fn t() { crate::adapters::write() } } struct X;",
        "fn f() { #[cfg(test)] let a = crate::adapters::write(); }",
        "/// `crate::adapters::write`\nfn f() {}",
    ] {
        assert_eq!(seen(harmless), Vec::<String>::new(), "{harmless}");
    }
    let all = planted(&[("lib.rs", "pub mod cellar;"), ("cellar.rs", "")]);
    assert_eq!(breaches(&all, ROOMS), ["cellar: the room cellar is not on the map"]);
}
