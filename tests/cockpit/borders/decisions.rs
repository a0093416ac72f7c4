//! What may be asked about and sent is decided in one place.

use super::reader::{Crate, Uses, planted, this_crate};

/// A rule of the domain, and who may ask it: whoever puts the rules together, the rooms that own them, and the port that
/// looks once more at what it is about to start.
const RULES: [(&str, &[&str]); 4] = [
    ("domain::pulumi::guard::check_preconditions", &["domain::change::preconditions", "domain::pulumi"]),
    (
        "domain::pulumi::config::may_run",
        &["domain::change::preconditions", "domain::pulumi", "adapters::pulumi::stack", "script::pulumi"],
    ),
    ("domain::zone::adopt", &["domain::change::propose", "domain::zone"]),
    ("domain::zone::release", &["domain::change::propose", "domain::zone"]),
];

fn words(path: &str) -> Vec<String> {
    path.split("::").map(str::to_owned).collect()
}

/// Whether a file names the rule: by its whole path, or through its module.
fn asks(uses: &Uses, rule: &str) -> bool {
    let path = words(rule);
    let (module, through) = (path[..path.len() - 1].to_vec(), path[path.len() - 2..].to_vec());
    uses.inside.contains(&path) || (uses.inside.contains(&module) && uses.outside.contains(&through))
}

/// Rules that are asked where nothing is decided.
fn decided_elsewhere(all: &Crate) -> Vec<String> {
    let mut found = Vec::new();
    for (module, uses) in all {
        let at = module.join("::");
        for (rule, owners) in RULES {
            let owns = owners.iter().any(|owner| at == *owner || at.starts_with(&format!("{owner}::")));
            if !owns && asks(uses, rule) {
                found.push(format!("{at} asks {rule}"));
            }
        }
    }
    found
}

#[test]
fn nothing_but_the_preconditions_decides_what_may_be_asked_and_sent() {
    let all = this_crate();
    for (rule, owners) in RULES {
        assert!(asks(&all[&words(owners[0])], rule), "{} asks {rule}", owners[0]);
    }
    assert_eq!(decided_elsewhere(&all), Vec::<String>::new());
}

#[test]
fn planted_decisions_are_seen() {
    let of = |text: &str| {
        let zone = "pub fn adopt() {} pub fn release() {}";
        let files = [
            ("lib.rs", "pub mod domain; pub mod commands;"),
            ("domain/mod.rs", "pub mod zone;"),
            ("domain/zone.rs", zone),
            ("commands.rs", text),
        ];
        decided_elsewhere(&planted(&files))
    };
    for text in [
        "use crate::domain::zone::adopt; fn f() { adopt(); }",
        "use crate::domain::zone; fn f() { zone::adopt(); }",
        "fn f() { crate::domain::zone::adopt(); }",
    ] {
        assert_eq!(of(text), ["commands asks domain::zone::adopt"], "{text}");
    }
    assert_eq!(of("use crate::domain::zone; fn f() { zone::other(); }"), Vec::<String>::new());
}
