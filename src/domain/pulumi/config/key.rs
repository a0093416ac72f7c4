//! One key of the bundled program.
//!
//! Pure.

use super::form::Form;

/// The program's name in `Pulumi.yaml`; its keys belong to this namespace.
pub const PROJECT: &str = "tap";

/// What holds when a key is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// The program refuses to run.
    Required,
    /// Nothing.
    None,
    /// This value.
    Value(&'static str),
    /// What these words say.
    Words(&'static str),
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigKey {
    /// Its name, without the program's namespace.
    pub name: &'static str,
    /// What holds without it.
    pub default: Default,
    /// What a value looks like.
    pub form: Form,
    /// A value as one would type it.
    pub example: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

impl ConfigKey {
    /// Whether the program refuses to run without it, whatever else is set.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.default == Default::Required
    }

    /// Its name with the namespace, as `pulumi config` lists it.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{PROJECT}:{}", self.name)
    }

    /// What holds without it, in a few words.
    #[must_use]
    pub fn default_text(&self) -> &'static str {
        match self.default {
            Default::Required => "required",
            Default::None => "none",
            Default::Value(text) | Default::Words(text) => text,
        }
    }
}

pub(super) const fn key(
    name: &'static str,
    default: Default,
    form: Form,
    example: &'static str,
    meaning: &'static str,
) -> ConfigKey {
    ConfigKey { name, default, form, example, meaning }
}
