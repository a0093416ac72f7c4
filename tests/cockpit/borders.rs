//! The map of the crate, enforced: which room may use which, and no circles between files.
//!
//! Every file under `src` is parsed with `syn`, along the `mod` declarations from `lib.rs` on, so that what only tests
//! see is left out item by item. A path counts as a use wherever it stands: in a `use`, a type, an expression or a macro
//! that the parser can read. String paths (`serde(with = "…")`) are not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

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
    Room {
        name: "fake_pulumi",
        may_use: &[],
        never: &["aws_config", "aws_sdk_*", "aws_smithy_*", "ratatui", "crossterm", "std::net"],
    },
    // The binary's one entry point.
    Room { name: "lib", may_use: &["adapters", "cli", "commands", "domain", "fake_pulumi"], never: NO_SDK },
    Room { name: "main", may_use: &["lib"], never: NO_SDK },
];

/// A file's module path (`domain::gate::weights`; `lib` for the root) and what it uses.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Uses {
    /// Absolute paths inside the crate, without `crate`.
    inside: BTreeSet<Vec<String>>,
    /// Paths that begin with another crate.
    outside: BTreeSet<Vec<String>>,
    /// Where it reaches for a port that writes: `.traffic`, `.carry_out()`, `Traffic::send`, …
    writes: BTreeSet<String>,
}

/// Every file of the crate that is not for tests only.
type Crate = BTreeMap<Vec<String>, Uses>;

/// Reads sources: a real folder, or a planted one.
trait Sources {
    /// The text at that path, if there is such a file.
    fn read(&self, path: &Path) -> Option<String>;
}

struct Disk;

impl Sources for Disk {
    fn read(&self, path: &Path) -> Option<String> {
        fs::read_to_string(path).ok()
    }
}

struct Planted(BTreeMap<PathBuf, String>);

impl Sources for Planted {
    fn read(&self, path: &Path) -> Option<String> {
        self.0.get(path).cloned()
    }
}

fn is_test_only(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|attr| {
        if attr.path().is_ident("test") {
            return true;
        }
        let syn::Meta::List(list) = &attr.meta else { return false };
        // `cfg(any(test, …))` also holds outside tests; only what needs `test` is left out.
        attr.path().is_ident("cfg") && matches!(list.tokens.to_string().as_str(), "test")
    })
}

/// Collects the paths of one module, and the modules that it declares.
struct Reader<'a> {
    sources: &'a dyn Sources,
    /// Module path of the item that is being read.
    at: Vec<String>,
    /// The file's module path: where uses are booked.
    file: Vec<String>,
    /// Folder in which the file's child modules lie.
    folder: PathBuf,
    /// Folder of the file itself, for `#[path]`.
    beside: PathBuf,
    uses: Uses,
    found: &'a mut Crate,
}

impl Reader<'_> {
    fn path(&mut self, segments: Vec<String>) {
        let Some(first) = segments.first().map(String::as_str) else { return };
        match first {
            "crate" => drop(self.uses.inside.insert(segments[1..].to_vec())),
            "self" | "super" => {
                let mut base = self.at.clone();
                let mut rest = segments.as_slice();
                while let Some((word, tail)) = rest.split_first() {
                    match word.as_str() {
                        "self" => {}
                        "super" => drop(base.pop()),
                        _ => break,
                    }
                    rest = tail;
                }
                base.extend(rest.iter().cloned());
                self.uses.inside.insert(base);
            }
            // One word alone is a local name; `std::fs` and the like are from outside, or a child of this module.
            _ if segments.len() > 1 => drop(self.uses.outside.insert(segments)),
            _ => {}
        }
    }

    fn tree(&mut self, tree: &syn::UseTree, prefix: &[String]) {
        let with = |ident: &syn::Ident| prefix.iter().cloned().chain([ident.to_string()]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) if name.ident == "self" => self.path(prefix.to_vec()),
            syn::UseTree::Name(name) => self.path(with(&name.ident)),
            syn::UseTree::Rename(rename) => self.path(with(&rename.ident)),
            syn::UseTree::Glob(_) => self.path(prefix.to_vec()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item, prefix)),
        }
    }

    fn module(&mut self, item: &syn::ItemMod) {
        if is_test_only(&item.attrs) {
            return;
        }
        let name = item.ident.to_string();
        if let Some((_, items)) = &item.content {
            self.at.push(name.clone());
            let folder = self.folder.clone();
            self.folder.push(&name);
            for item in items {
                self.visit_item(item);
            }
            self.folder = folder;
            self.at.pop();
            return;
        }
        let explicit = item.attrs.iter().find_map(|attr| match &attr.meta {
            syn::Meta::NameValue(value) if value.path.is_ident("path") => match &value.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
        let mut module = self.at.clone();
        module.push(name.clone());
        let candidates = match explicit {
            Some(path) => vec![(self.beside.join(&path), self.folder.join(&name))],
            None => vec![
                (self.folder.join(format!("{name}.rs")), self.folder.join(&name)),
                (self.folder.join(&name).join("mod.rs"), self.folder.join(&name)),
            ],
        };
        for (path, folder) in candidates {
            if let Some(text) = self.sources.read(&path) {
                return read_file(self.sources, &path, &text, module, folder, self.found);
            }
        }
        panic!("module {} has no file", module.join("::"));
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_test_only(attributes(item)) {
            return;
        }
        match item {
            syn::Item::Mod(item) => self.module(item),
            syn::Item::Use(item) => self.tree(&item.tree, &[]),
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test_only(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !is_test_only(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let [.., of, method] = segments.as_slice()
            && WRITING_PORTS.iter().any(|port| (port.named, port.method) == (of.as_str(), method.as_str()))
        {
            self.uses.writes.insert(format!("{of}::{method}"));
        }
        self.path(segments);
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let (method, of) = (call.method.to_string(), last_name(&call.receiver));
        for port in WRITING_PORTS {
            // `carry_out` is no other method's name; `send` is, so there it counts on what it is called.
            if method == port.method && (port.method != "send" || of == port.field) {
                self.uses.writes.insert(format!(".{method}()"));
            }
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_field(&mut self, field: &'ast syn::ExprField) {
        if let syn::Member::Named(name) = &field.member
            && WRITING_PORTS.iter().any(|port| name == port.field)
            && last_name(&field.base) == "ports"
        {
            self.uses.writes.insert(format!("ports.{name}"));
        }
        visit::visit_expr_field(self, field);
    }

    fn visit_pat_struct(&mut self, pattern: &'ast syn::PatStruct) {
        let of = pattern.path.segments.last().map(|segment| segment.ident.to_string());
        for field in &pattern.fields {
            if let (syn::Member::Named(name), Some("Ports")) = (&field.member, of.as_deref())
                && WRITING_PORTS.iter().any(|port| name == port.field)
            {
                self.uses.writes.insert(format!("Ports {{ {name} }}"));
            }
        }
        visit::visit_pat_struct(self, pattern);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        // Most macros take expressions; one that does not is read word by word.
        let arguments =
            item.parse_body_with(syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated);
        match arguments {
            Ok(arguments) => arguments.iter().for_each(|argument| self.visit_expr(argument)),
            Err(_) => self.words(item.tokens.clone()),
        }
        visit::visit_path(self, &item.path);
    }
}

impl Reader<'_> {
    /// Paths in tokens that are no expressions: idents with `::` between them.
    fn words(&mut self, tokens: proc_macro2::TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.path(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                proc_macro2::TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                proc_macro2::TokenTree::Group(group) => {
                    self.path(std::mem::take(&mut path));
                    self.words(group.stream());
                    colons = 0;
                }
                _ => {
                    self.path(std::mem::take(&mut path));
                    colons = 0;
                }
            }
        }
        self.path(path);
    }
}

/// A port that writes: its trait, its one method, and its name among the ports.
struct WritingPort {
    named: &'static str,
    method: &'static str,
    field: &'static str,
}

const WRITING_PORTS: [WritingPort; 2] = [
    WritingPort { named: "Traffic", method: "send", field: "traffic" },
    WritingPort { named: "PulumiControl", method: "carry_out", field: "control" },
];

/// The name of what an expression is about: of `self.ports.clone()` it is `ports`.
fn last_name(expression: &syn::Expr) -> String {
    match expression {
        syn::Expr::Path(path) => path.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default(),
        syn::Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => name.to_string(),
            syn::Member::Unnamed(_) => last_name(&field.base),
        },
        syn::Expr::MethodCall(call) => last_name(&call.receiver),
        syn::Expr::Reference(inner) => last_name(&inner.expr),
        syn::Expr::Paren(inner) => last_name(&inner.expr),
        syn::Expr::Try(inner) => last_name(&inner.expr),
        syn::Expr::Await(inner) => last_name(&inner.base),
        syn::Expr::Unary(inner) => last_name(&inner.expr),
        _ => String::new(),
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(i) => &i.attrs,
        syn::Item::Enum(i) => &i.attrs,
        syn::Item::Fn(i) => &i.attrs,
        syn::Item::Impl(i) => &i.attrs,
        syn::Item::Macro(i) => &i.attrs,
        syn::Item::Mod(i) => &i.attrs,
        syn::Item::Static(i) => &i.attrs,
        syn::Item::Struct(i) => &i.attrs,
        syn::Item::Trait(i) => &i.attrs,
        syn::Item::Type(i) => &i.attrs,
        syn::Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

fn read_file(sources: &dyn Sources, path: &Path, text: &str, module: Vec<String>, folder: PathBuf, found: &mut Crate) {
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let beside = path.parent().unwrap_or(Path::new("")).to_owned();
    let mut reader = Reader { sources, at: module.clone(), file: module, folder, beside, uses: Uses::default(), found };
    for item in &parsed.items {
        reader.visit_item(item);
    }
    let (uses, file) = (std::mem::take(&mut reader.uses), reader.file.clone());
    found.insert(file, uses);
}

fn read(sources: &dyn Sources, root: &Path) -> Crate {
    let mut found = Crate::new();
    let text = sources.read(&root.join("lib.rs")).expect("lib.rs is there");
    read_file(sources, &root.join("lib.rs"), &text, Vec::new(), root.to_owned(), &mut found);
    found
}

fn room_of(module: &[String]) -> &str {
    module.first().map_or("lib", String::as_str)
}

/// The file in which a path ends: the longest part of it that is a module.
fn file_of(all: &Crate, path: &[String]) -> Vec<String> {
    (0..=path.len()).rev().map(|n| path[..n].to_vec()).find(|part| all.contains_key(part)).unwrap_or_default()
}

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

/// Files that may take text from outside in: where bytes come in, and nowhere else.
const DOORS: [&[&str]; 4] = [&["adapters"], &["cli"], &["domain", "stack", "outputs"], &["domain", "text"]];

#[test]
fn text_from_outside_comes_in_by_its_doors_alone() {
    let all = read(&Disk, &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let door = |module: &[String]| {
        DOORS.iter().any(|door| module.iter().zip(*door).filter(|(a, b)| a == *b).count() == door.len())
    };
    let takes =
        |uses: &Uses| uses.inside.iter().any(|path| path.iter().take(3).eq(["domain", "text", "Foreign"].iter()));
    let taking: Vec<String> = all.iter().filter(|(_, uses)| takes(uses)).map(|(module, _)| module.join("::")).collect();
    assert!(taking.len() > 3, "the doors themselves are seen: {taking:?}");
    let elsewhere: Vec<&String> =
        taking.iter().filter(|module| !door(&module.split("::").map(str::to_owned).collect::<Vec<_>>())).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

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

/// What the map does not allow and stands all the same: an end to be reached, never to be added to.
const OPEN: &[&str] = &[
    "config::find uses std::process",
    "config::find uses tokio",
    "fake_pulumi::config uses sim",
    "fake_pulumi::play uses adapters::pulumi::process",
    "fake_pulumi::play uses domain::units",
    "fake_pulumi::report uses std::net",
    "fake_pulumi::settings uses adapters::pulumi::process",
    "fake_pulumi::settings uses domain::units",
    "fake_pulumi::setup uses adapters::pulumi",
    "fake_pulumi::setup uses domain::units",
    "fake_pulumi::setup uses sim",
];

/// Circles that stand all the same.
const OPEN_CIRCLES: &[&str] = &[];

/// Holds what was found against what is known to stand: nothing new, and nothing listed that is gone.
#[track_caller]
fn holds(what: &str, found: &[String], open: &[&str]) {
    let new: Vec<&String> = found.iter().filter(|line| !open.contains(&line.as_str())).collect();
    let gone: Vec<&&str> = open.iter().filter(|line| !found.iter().any(|found| found == **line)).collect();
    assert!(new.is_empty() && gone.is_empty(), "{what} that are new: {new:#?}\nlisted, but gone: {gone:#?}");
}

fn this_crate() -> Crate {
    read(&Disk, &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn every_room_uses_only_what_the_map_allows() {
    holds("uses off the map", &breaches(&this_crate(), ROOMS), OPEN);
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let lines: Vec<String> = circles(&this_crate()).iter().map(|circle| circle.join(" ↔ ")).collect();
    holds("circles", &lines, OPEN_CIRCLES);
}

fn planted(files: &[(&str, &str)]) -> Crate {
    let files = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    read(&Planted(files), Path::new(""))
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
