//! The configuration file: TOML, all keys optional, every wrong key named in one error.
//!
//! Reads the one file it is given and nothing else. Paths in it start at the file's own folder.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use toml::{Table, Value};

use crate::domain::gate::Policy;

use super::ConfigError;
use super::policy::{ALARMS_KEY, LIMITS};
use super::typed::{ColorWhen, LogLevel, NotifyWhen, ThemeFor, endpoint_url};

/// A larger file is no configuration.
const MAX_BYTES: u64 = 1024 * 1024;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct FileConfig {
    pub(super) outputs: Option<PathBuf>,
    pub(super) stack: Option<String>,
    pub(super) region: Option<String>,
    pub(super) legacy_region: Option<String>,
    pub(super) profile: Option<String>,
    pub(super) endpoint_url: Option<String>,
    pub(super) legacy_db_instance: Option<String>,
    pub(super) pulumi: Option<PathBuf>,
    pub(super) pulumi_dir: Option<PathBuf>,
    pub(super) read_only: bool,
    pub(super) ascii: bool,
    pub(super) color: Option<ColorWhen>,
    pub(super) mouse: bool,
    pub(super) notify: Option<NotifyWhen>,
    pub(super) theme: Option<ThemeFor>,
    pub(super) log_level: Option<LogLevel>,
    pub(super) policy: Policy,
}

const TOP_KEYS: [&str; 16] = [
    "outputs",
    "stack",
    "region",
    "legacy_region",
    "profile",
    "endpoint_url",
    "legacy_db_instance",
    "pulumi",
    "pulumi_dir",
    "read_only",
    "ascii",
    "color",
    "mouse",
    "notify",
    "theme",
    "log_level",
];

/// Every key that the file may hold.
#[must_use]
pub fn known_keys() -> Vec<String> {
    let limits = LIMITS.iter().map(|limit| limit.key).chain([ALARMS_KEY]).map(|key| format!("policy.{key}"));
    TOP_KEYS.iter().map(|key| (*key).to_owned()).chain(limits).collect()
}

impl FileConfig {
    /// Reads the file.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let unreadable = |why: String| ConfigError::Unreadable { file: file.clone(), why };
        let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if size > MAX_BYTES {
            return Err(unreadable(format!("it has {size} bytes, more than {MAX_BYTES}")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let base = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, base).map_err(|problems| ConfigError::File { file, problems })
    }

    /// Reads the text of a file that lies in the folder `base`.
    fn parse(text: &str, base: &Path) -> Result<Self, Vec<String>> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| vec![one_line(&error)])?;
        let mut reader = TableReader { table, problems: Vec::new() };
        let policy_table = reader.sub_table("policy");
        let config = Self {
            outputs: reader.text("outputs").map(|path| base.join(path)),
            stack: reader.text("stack"),
            region: reader.text("region"),
            legacy_region: reader.text("legacy_region"),
            profile: reader.text("profile"),
            endpoint_url: reader.checked("endpoint_url", endpoint_url),
            legacy_db_instance: reader.text("legacy_db_instance"),
            pulumi: reader.text("pulumi").map(|path| base.join(path)),
            pulumi_dir: reader.text("pulumi_dir").map(|path| base.join(path)),
            read_only: reader.switch("read_only"),
            ascii: reader.switch("ascii"),
            color: reader.checked("color", |text| ColorWhen::from_str(text, false)),
            mouse: reader.switch("mouse"),
            notify: reader.checked("notify", |text| NotifyWhen::from_str(text, false)),
            theme: reader.checked("theme", |text| ThemeFor::from_str(text, false)),
            log_level: reader.checked("log_level", |text| LogLevel::from_str(text, false)),
            policy: policy(policy_table, &mut reader.problems),
        };
        reader.problems.extend(reader.table.keys().map(|key| format!("unknown key {key}")));
        if reader.problems.is_empty() { Ok(config) } else { Err(reader.problems) }
    }
}

fn one_line(error: &toml::de::Error) -> String {
    format!("it is not TOML: {}", error.message())
}

/// Takes keys out one by one; what is left at the end is unknown.
struct TableReader {
    table: Table,
    problems: Vec<String>,
}

impl TableReader {
    fn text(&mut self, key: &str) -> Option<String> {
        match self.table.remove(key)? {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            _ => {
                self.problems.push(format!("{key} wants a text"));
                None
            }
        }
    }

    fn checked<T>(&mut self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(key)?;
        read(&text).map_err(|why| self.problems.push(format!("{key}: {why}"))).ok()
    }

    fn switch(&mut self, key: &str) -> bool {
        match self.table.remove(key) {
            None => false,
            Some(Value::Boolean(on)) => on,
            Some(_) => {
                self.problems.push(format!("{key} wants true or false"));
                false
            }
        }
    }

    fn sub_table(&mut self, key: &str) -> Table {
        match self.table.remove(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.problems.push(format!("{key} wants a table"));
                Table::new()
            }
        }
    }
}

fn policy(mut table: Table, problems: &mut Vec<String>) -> Policy {
    let mut policy = Policy::default();
    for limit in &LIMITS {
        let value = match table.remove(limit.key) {
            None => continue,
            Some(Value::Integer(number)) => number as f64,
            Some(Value::Float(number)) => number,
            Some(_) => f64::NAN,
        };
        if let Err(why) = limit.take(&mut policy, value) {
            problems.push(format!("policy.{} {why}", limit.key));
        }
    }
    if let Some(value) = table.remove(ALARMS_KEY) {
        let names = value.as_array().map(|list| list.iter().map(|v| v.as_str().map(str::to_owned)).collect());
        match names {
            Some(Some(names)) => policy.expected_alarms = names,
            _ => problems.push(format!("policy.{ALARMS_KEY} wants a list of texts")),
        }
    }
    problems.extend(table.keys().map(|key| format!("unknown key policy.{key}")));
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_key_is_named_at_once() {
        let text = "stak = \"x\"\nregion = 7\ncolor = \"pink\"\nread_only = \"yes\"\nendpoint_url = \"nowhere\"\n\
                    [policy]\nbake = 5\nlag_limit_s = \"soon\"\nexpected_alarms = [1]\n";
        let problems = FileConfig::parse(text, Path::new("/etc")).unwrap_err().join("; ");
        for part in [
            "unknown key stak",
            "region wants a text",
            "color",
            "read_only wants",
            "endpoint_url",
            "unknown key policy.bake",
            "policy.lag_limit_s wants",
            "policy.expected_alarms wants",
        ] {
            assert!(problems.contains(part), "{part}: {problems}");
        }
    }

    #[test]
    fn text_that_is_no_toml_is_told_apart() {
        let problems = FileConfig::parse("stack = = 1", Path::new("/")).unwrap_err();
        assert!(problems[0].starts_with("it is not TOML"), "{problems:?}");
    }

    #[test]
    fn every_known_key_is_read() {
        let text = "outputs='a'\nstack='a'\nregion='a'\nlegacy_region='a'\nprofile='a'\nendpoint_url='http://h'\n\
                    legacy_db_instance='a'\npulumi='a'\npulumi_dir='a'\nread_only=true\nascii=true\ncolor='never'\nmouse=true\nnotify='away'\ntheme='light'\nlog_level='info'\n\
                    [policy]\nlag_limit_s=1\nbake_s=1\nmin_requests=1\nmax_error_excess=1\nlatency_factor=1\n\
                    latency_floor_s=1\nunused_per_min=1\nwindow_minutes=1\nexpected_alarms=['a']\n";
        let lines = text.lines().filter(|line| line.contains('=')).count();
        assert_eq!(lines, known_keys().len());
        assert!(FileConfig::parse(text, Path::new("/")).unwrap().read_only);
    }
}
