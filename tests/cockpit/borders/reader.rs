//! Reads a crate along its `mod` declarations: every file's uses, and what of it is only for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

use super::measure::{Size, attributes, is_test_only, measure};

/// A file's module path (`domain::gate::weights`; `lib` for the root) and what it uses.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Uses {
    /// Absolute paths inside the crate, without `crate`.
    pub(super) inside: BTreeSet<Vec<String>>,
    /// Paths that begin with another crate.
    pub(super) outside: BTreeSet<Vec<String>>,
    /// Where it reaches for a port that writes: `.traffic`, `.carry_out()`, `Traffic::send`, …
    pub(super) writes: BTreeSet<String>,
    /// How long it is, without what only tests see.
    pub(super) size: Size,
}

/// Every file of the crate that is not for tests only.
pub(super) type Crate = BTreeMap<Vec<String>, Uses>;

/// Reads sources: a real folder, or a planted one.
pub(super) trait Sources {
    /// The text at that path, if there is such a file.
    fn read(&self, path: &Path) -> Option<String>;
}

pub(super) struct Disk;

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
pub(super) struct WritingPort {
    pub(super) named: &'static str,
    pub(super) method: &'static str,
    pub(super) field: &'static str,
}

pub(super) const WRITING_PORTS: [WritingPort; 2] = [
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

fn read_file(sources: &dyn Sources, path: &Path, text: &str, module: Vec<String>, folder: PathBuf, found: &mut Crate) {
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let beside = path.parent().unwrap_or(Path::new("")).to_owned();
    let uses = Uses { size: measure(&parsed, text), ..Uses::default() };
    let mut reader = Reader { sources, at: module.clone(), file: module, folder, beside, uses, found };
    for item in &parsed.items {
        reader.visit_item(item);
    }
    let (uses, file) = (std::mem::take(&mut reader.uses), reader.file.clone());
    found.insert(file, uses);
}

pub(super) fn read(sources: &dyn Sources, root: &Path) -> Crate {
    let mut found = Crate::new();
    let text = sources.read(&root.join("lib.rs")).expect("lib.rs is there");
    read_file(sources, &root.join("lib.rs"), &text, Vec::new(), root.to_owned(), &mut found);
    found
}

pub(super) fn room_of(module: &[String]) -> &str {
    module.first().map_or("lib", String::as_str)
}

/// The file in which a path ends: the longest part of it that is a module.
pub(super) fn file_of(all: &Crate, path: &[String]) -> Vec<String> {
    (0..=path.len()).rev().map(|n| path[..n].to_vec()).find(|part| all.contains_key(part)).unwrap_or_default()
}

pub(super) fn this_crate() -> Crate {
    read(&Disk, &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

pub(super) fn planted(files: &[(&str, &str)]) -> Crate {
    let files = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    read(&Planted(files), Path::new(""))
}
