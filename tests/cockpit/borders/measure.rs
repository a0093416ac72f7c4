//! What of a file only tests see, and how long the rest is.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// How long a file is, and each of its functions, without what only tests see.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Size {
    /// Lines of the file.
    pub(super) lines: usize,
    /// Its functions by name, from `fn` to the closing brace.
    pub(super) functions: Vec<(String, usize)>,
}

pub(super) fn is_test_only(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|attr| {
        if attr.path().is_ident("test") {
            return true;
        }
        let syn::Meta::List(list) = &attr.meta else { return false };
        // `cfg(any(test, …))` also holds outside tests; only what needs `test` is left out.
        attr.path().is_ident("cfg") && matches!(list.tokens.to_string().as_str(), "test")
    })
}

pub(super) fn attributes(item: &syn::Item) -> &[syn::Attribute] {
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

fn lines_of(span: proc_macro2::Span) -> usize {
    span.end().line - span.start().line + 1
}

/// Counts a file.
pub(super) fn measure(file: &syn::File, text: &str) -> Size {
    let mut counter = Counter::default();
    counter.visit_file(file);
    Size { lines: text.lines().count() - counter.for_tests, functions: counter.functions }
}

#[derive(Default)]
struct Counter {
    for_tests: usize,
    functions: Vec<(String, usize)>,
}

impl Counter {
    /// Books what only tests see, and says whether it was that.
    fn left_out(&mut self, attributes: &[syn::Attribute], span: proc_macro2::Span) -> bool {
        let out = is_test_only(attributes);
        if out {
            self.for_tests += lines_of(span);
        }
        out
    }

    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let lines = body.brace_token.span.close().end().line - signature.span().start().line + 1;
        self.functions.push((signature.ident.to_string(), lines));
    }
}

impl<'ast> Visit<'ast> for Counter {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !self.left_out(attributes(item), item.span()) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !self.left_out(&item.attrs, item.span()) {
            self.function(&item.sig, &item.block);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !self.left_out(&local.attrs, local.span()) {
            visit::visit_local(self, local);
        }
    }
}
