//! The configuration of the fake Pulumi's stack: a small file beside the settings, and what the bundled program wants of it.
//!
//! Keys stand under their full names (`tap:recordName`), as the CLI keeps them. A secret is kept and never shown.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::file::read_or_default;
use crate::sim::configuration;

/// The project's namespace: keys without one belong to it.
const PROJECT: &str = "tap";

/// Keys that the bundled program cannot do without, in its order, each with the example that its message gives
/// (`pulumi/lib/keys`).
const REQUIRED: [(&str, &str); 6] = [
    ("owner", "platform-team"),
    ("sourceDbEndpoint", "legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com"),
    ("sourceDbNames", "shop,billing"),
    ("sourceDbSecretArn", "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-db-a1B2c3"),
    ("legacyLbName", "legacy-web"),
    ("recordName", "app.example.com"),
];
const ZONE_EXAMPLE: &str = "Z0123456789ABCDEFGHIJ";

/// One configured value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    value: String,
    secret: bool,
}

/// The configuration of the stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Config(BTreeMap<String, Entry>);

impl Default for Config {
    /// Everything that the program needs, with values that fit the simulated account.
    fn default() -> Self {
        let plain = |(key, value): (String, String)| (key, Entry { value, secret: false });
        Self(configuration().into_iter().map(plain).collect())
    }
}

/// The key under its full name.
pub(super) fn full(key: &str) -> String {
    if key.contains(':') { key.to_owned() } else { format!("{PROJECT}:{key}") }
}

impl Config {
    fn file(settings: &Path) -> PathBuf {
        settings.with_extension("config.json")
    }

    /// Reads it; what nobody wrote is complete.
    ///
    /// # Errors
    /// Says which file cannot be read.
    pub fn read(settings: &Path) -> Result<Self, String> {
        let file = Self::file(settings);
        read_or_default(&file)
    }

    /// Writes it, for its owner's eyes only.
    ///
    /// # Errors
    /// Says which file cannot be written.
    pub fn write(&self, settings: &Path) -> Result<(), String> {
        let file = Self::file(settings);
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        let written = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut open| open.write_all(text.as_bytes()));
        written.map_err(|error| format!("{}: {error}", file.display()))
    }

    /// The value of a key, secret or not.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(&full(key)).map(|entry| entry.value.as_str())
    }

    /// Sets a key.
    pub fn set(&mut self, key: &str, value: &str, secret: bool) {
        self.0.insert(full(key), Entry { value: value.to_owned(), secret });
    }

    /// The same without a key.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.0.remove(&full(key));
        self
    }

    /// As `pulumi config --json` shows it: a secret has no value there.
    #[must_use]
    pub fn shown(&self) -> Value {
        let one = |entry: &Entry| {
            if entry.secret { json!({"secret": true}) } else { json!({"value": entry.value, "secret": false}) }
        };
        self.0.iter().map(|(key, entry)| (key.clone(), one(entry))).collect()
    }

    /// As the engine's prelude shows it.
    #[must_use]
    pub fn prelude(&self) -> Value {
        let one = |entry: &Entry| if entry.secret { "[secret]".to_owned() } else { entry.value.clone() };
        self.0.iter().map(|(key, entry)| (key.clone(), Value::from(one(entry)))).collect()
    }

    /// Why the program would stop before its first resource, in its own words (`pulumi/lib/settings.py`).
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let problem = |key: &str, sentence: &str, example: &str| {
            format!("{PROJECT}:{key} {sentence}\n    set it with: pulumi config set {key} '{example}'")
        };
        let missing: Vec<String> = REQUIRED
            .iter()
            .filter(|(key, _)| self.get(key).is_none())
            .map(|(key, example)| problem(key, "is not set", example))
            .collect();
        if !missing.is_empty() {
            return missing;
        }
        let zone = |sentence| vec![problem("hostedZoneId", sentence, ZONE_EXAMPLE)];
        match (self.get("hostedZoneId"), self.get("hostedZoneName")) {
            (None, None) => zone("is not set, and neither is hostedZoneName"),
            (Some(_), Some(_)) => zone("and hostedZoneName are both set; keep one"),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_from_the_start_satisfies_the_program() {
        assert_eq!(Config::default().problems(), Vec::<String>::new());
        let without = Config::default().without("owner").without("tap:recordName");
        let problems = without.problems();
        assert_eq!(problems[0], "tap:owner is not set\n    set it with: pulumi config set owner 'platform-team'");
        assert_eq!(problems.len(), 2);
        let nowhere = Config::default().without("hostedZoneId").problems();
        assert!(nowhere[0].starts_with("tap:hostedZoneId is not set, and neither is hostedZoneName"), "{nowhere:?}");
    }

    #[test]
    fn keys_have_a_namespace_and_secrets_are_kept_but_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fake_pulumi.json");
        let mut config = Config::read(&file).unwrap();
        config.set("owner", "night-shift", false);
        config.set("tap:token", "swordfish", true);
        config.set("aws:region", "us-west-2", false);
        config.write(&file).unwrap();
        let config = Config::read(&file).unwrap();
        let shown = config.shown();
        assert_eq!(shown["tap:owner"], json!({"value": "night-shift", "secret": false}));
        assert_eq!(shown["tap:token"], json!({"secret": true}));
        assert_eq!((&shown["aws:region"]["value"], config.get("token")), (&json!("us-west-2"), Some("swordfish")));
        assert!(!config.prelude().to_string().contains("swordfish"));
    }

    /// The table of the program's own keys, so that neither can forget the other.
    #[test]
    fn what_is_required_is_what_the_program_requires() {
        let readme = include_str!("../../pulumi/README.md");
        let required: Vec<&str> = readme
            .lines()
            .filter(|line| line.contains("| **required** |"))
            .filter_map(|line| line.split('`').nth(1))
            .collect();
        assert_eq!(REQUIRED.map(|(key, _)| key).to_vec(), required);
    }
}
