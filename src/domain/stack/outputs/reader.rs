//! Takes keys out of the JSON one by one, and remembers every one that is missing or mistyped.

use serde_json::{Map, Value};

use crate::domain::service::Writer;

/// What is wrong with an outputs file, every key of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stack outputs cannot be used: {}", self.lines().join("; "))]
pub struct OutputsError {
    /// Set when the text is no JSON object at all.
    pub syntax: Option<String>,
    /// Keys that are not there.
    pub missing: Vec<String>,
    /// Keys with a value of another type, with what was wanted.
    pub mistyped: Vec<String>,
}

/// What is said of a value that Pulumi has masked.
const IS_MASKED: &str = "is [secret]: export with --show-secrets";

impl OutputsError {
    /// Whether a value was left out because it is a secret.
    #[must_use]
    pub fn has_masked(&self) -> bool {
        self.mistyped.iter().any(|key| key.contains(IS_MASKED))
    }

    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.syntax.iter().cloned().collect();
        if !self.missing.is_empty() {
            lines.push(format!("missing {}", self.missing.join(", ")));
        }
        if !self.mistyped.is_empty() {
            lines.push(format!("mistyped {}", self.mistyped.join(", ")));
        }
        lines
    }
}

/// What Pulumi writes in the place of a secret value (`pulumi stack output` without `--show-secrets`).
const MASKED: &str = "[secret]";

/// Reads keys one by one and remembers everything that is wrong on the way.
pub(super) struct OutputsReader {
    pub(super) map: Map<String, Value>,
    pub(super) error: OutputsError,
}

impl OutputsReader {
    pub(super) fn text(&mut self, key: &str) -> String {
        match self.map.remove(key) {
            Some(Value::String(text)) if text == MASKED => self.masked(key),
            Some(Value::String(text)) if !text.trim().is_empty() => return text,
            Some(Value::String(_)) => self.error.mistyped.push(format!("{key} (empty)")),
            Some(_) => self.error.mistyped.push(format!("{key} (wants a string)")),
            None => self.error.missing.push(key.to_owned()),
        }
        String::new()
    }

    fn masked(&mut self, key: &str) {
        self.error.mistyped.push(format!("{key} ({IS_MASKED})"));
    }

    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.map.remove(key) else {
            self.error.missing.push(key.to_owned());
            return Vec::new();
        };
        if value == MASKED {
            self.masked(key);
            return Vec::new();
        }
        let texts: Option<Vec<String>> =
            value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        texts.unwrap_or_else(|| {
            self.error.mistyped.push(format!("{key} (wants a list of strings)"));
            Vec::new()
        })
    }

    /// A list that older programs do not export.
    pub(super) fn optional_list(&mut self, key: &str) -> Vec<String> {
        self.optional(key, Self::list).unwrap_or_default()
    }

    /// A key that may be absent; when it is there, it has to be right.
    pub(super) fn optional<T>(&mut self, key: &str, read: impl FnOnce(&mut Self, &str) -> T) -> Option<T> {
        self.map.contains_key(key).then(|| read(self, key))
    }

    pub(super) fn arn(&mut self, key: &str) -> String {
        let text = self.text(key);
        if !text.is_empty() && text.splitn(6, ':').count() < 6 {
            self.error.mistyped.push(format!("{key} (wants an ARN)"));
        }
        text
    }

    pub(super) fn writer(&mut self, key: &str) -> Writer {
        match self.text(key).as_str() {
            "aurora" => Writer::Aurora,
            "legacy" | "" => Writer::Legacy,
            _ => {
                self.error.mistyped.push(format!("{key} (wants legacy or aurora)"));
                Writer::Legacy
            }
        }
    }

    pub(super) fn record_type(&mut self, key: &str) -> String {
        let text = self.text(key);
        if !text.is_empty() && !matches!(text.as_str(), "A" | "AAAA" | "CNAME") {
            self.error.mistyped.push(format!("{key} (wants A, AAAA or CNAME)"));
        }
        text
    }
}
