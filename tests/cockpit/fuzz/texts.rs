//! Stack outputs, the configuration file, and foreign text as such.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tapctl::config::{Global, Settings};
use tapctl::domain::stack::StackOutputs;
use tapctl::domain::text::{self, Printable, is_unfit};

use super::driver::{Came, Target, kind_of, unfit_in};

pub(super) struct Outputs;

impl Target for Outputs {
    fn name(&self) -> &'static str {
        "outputs"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/outputs.json");
        let whole: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        vec![whole.to_string().into_bytes(), serde_json::to_vec_pretty(&whole).unwrap()]
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "\"[secret]\"",
            "\"04da6b54-80e4-46f7-96ec-b56ff0331ba9\"",
            "null",
            "\"recordName\":",
            "\"\"",
            "[]",
            "{}",
            "\\u0000",
        ]
    }

    fn takes(&self, input: &[u8]) -> Came {
        let Ok(text) = std::str::from_utf8(input) else { return Ok("no text".to_owned()) };
        let json: Option<Value> = serde_json::from_str(text).ok();
        match StackOutputs::parse(text) {
            Ok(outputs) => {
                let json = json.ok_or("outputs of what is no JSON")?;
                let shown = format!("{outputs:?}");
                if let Some(found) = unfit_in(&shown) {
                    return Err(format!("{found:?} would be on the screen"));
                }
                for never in ["\"[secret]\"", "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "\"\""] {
                    if shown.contains(never) {
                        return Err(format!("{never} counts as known: {shown}"));
                    }
                }
                let said = [
                    ("region", &outputs.region),
                    ("recordName", &outputs.traffic.record_name),
                    ("hostedZoneId", &outputs.traffic.hosted_zone_id),
                    ("newSetIdentifier", &outputs.traffic.new_set_identifier),
                    ("albDnsName", &outputs.balancer.dns_name),
                ];
                for (key, value) in said {
                    let there = json[key].as_str().map(text_of).unwrap_or_default();
                    if there != *value {
                        return Err(format!("{key} is {value:?}, and {there:?} stands there"));
                    }
                }
                Ok("read".to_owned())
            }
            Err(error) => {
                if error.syntax.is_none() && error.missing.is_empty() && error.mistyped.is_empty() {
                    return Err("refused without a reason".to_owned());
                }
                if let Some(there) =
                    error.missing.iter().find(|key| json.as_ref().is_some_and(|json| !json[key.as_str()].is_null()))
                {
                    return Err(format!("{there} is called missing and stands there"));
                }
                let words: Vec<String> =
                    error.mistyped.iter().take(3).map(|why| why.split('(').skip(1).map(kind_of).collect()).collect();
                Ok(format!("{} {} {words:?}", error.syntax.is_some(), error.missing.len().min(2)))
            }
        }
    }
}

fn text_of(text: &str) -> String {
    text::Foreign::take(text).into_string()
}

/// The configuration file: what it says counts, or nobody goes on.
pub(super) struct Configuration {
    folder: tempfile::TempDir,
}

impl Configuration {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }
}

impl Target for Configuration {
    fn name(&self) -> &'static str {
        "configuration"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let whole = "outputs = 'outputs.json'\nstack = 'prod'\nregion = 'us-west-2'\nendpoint_url = 'http://127.0.0.1:1'\n\
                     read_only = true\nascii = false\ncolor = 'never'\nlog_level = 'info'\n[policy]\nlag_limit_s = 60\n\
                     bake_s = 600\nmin_requests = 100\nmax_error_excess = 0.01\nlatency_factor = 1.5\nlatency_floor_s = 0.2\n\
                     unused_per_min = 1\nwindow_minutes = 5\nexpected_alarms = ['a']\n";
        vec![whole.into(), "read_only = true\n".into(), "[policy]\nbake_s = 600\n".into()]
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "read_only = true\n",
            "[policy]\n",
            "bake_s = nan\n",
            "lag_limit_s = inf\n",
            "= -inf",
            "'''",
            "\"\"\"",
            "#",
            "[[policy]]\n",
            "policy.bake_s = 0\n",
        ]
    }

    fn takes(&self, input: &[u8]) -> Came {
        let path = self.folder.path().join("config.toml");
        fs::write(&path, input).unwrap();
        let global = Global { config: Some(path), ..Global::default() };
        let toml = std::str::from_utf8(input).ok().and_then(|text| text.parse::<toml::Table>().ok());
        match Settings::load(&global, &|_| None) {
            Ok(settings) => {
                let toml = toml.ok_or("settings of what is no TOML")?;
                let says = toml.get("read_only").and_then(toml::Value::as_bool).unwrap_or(false);
                if settings.read_only != says {
                    return Err(format!("read_only is {says} there and {} here", settings.read_only));
                }
                let policy = format!("{:?}", settings.policy);
                if ["NaN", "inf", ": -"].iter().any(|odd| policy.contains(odd)) {
                    return Err(format!("a limit that is none: {policy}"));
                }
                if let Some(key) = toml.keys().find(|key| {
                    !tapctl::config::file::known_keys().iter().any(|known| known.split('.').next() == Some(key))
                }) {
                    return Err(format!("{key} is passed over"));
                }
                Ok(format!("read {}", toml.len().min(9)))
            }
            Err(error) => {
                let (words, hint) = (error.to_string(), error.hint());
                if words.is_empty() || hint.is_empty() {
                    return Err("refused without a word or a next step".to_owned());
                }
                let why = words.split(": ").skip(1).map(kind_of).collect::<Vec<_>>();
                Ok(format!("refused {why:?}"))
            }
        }
    }
}

/// Whatever text comes from outside: what is printed steers no terminal, and says the same twice.
pub(super) struct Foreign;

impl Target for Foreign {
    fn name(&self) -> &'static str {
        "foreign-text"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        [
            "migration-new-prod",
            "\x1b]52;c;eA==\x07",
            "a\u{202e}b\u{200b}c",
            "user:pass@host https://a:b@c/",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ]
        .map(Into::into)
        .into()
    }

    fn words(&self) -> &'static [&'static str] {
        &["\x1b[", "\x1b]0;", "\x07", "\u{9b}", "\u{2066}", "\u{e0041}", "\\x1b", "AKIAIOSFODNN7EXAMPLE", "://a:b@"]
    }

    fn takes(&self, input: &[u8]) -> Came {
        let text = String::from_utf8_lossy(input);
        let once = text::Foreign::take(&text).into_string();
        if let Some(found) = once.chars().find(|c| is_unfit(*c)) {
            return Err(format!("{found:?} comes in"));
        }
        let twice = text::Foreign::take(&once).into_string();
        if twice != once && !twice.contains("[secret]") {
            return Err(format!("taken twice it is another text: {once:?}, {twice:?}"));
        }
        for printed in
            [Printable::line(&text).as_str(), Printable::lines(&text).as_str(), Printable::json(&text).as_str()]
        {
            if let Some(found) = printed.chars().find(|c| is_unfit(*c) && !matches!(c, '\n' | '\t')) {
                return Err(format!("{found:?} is printed"));
            }
        }
        if Printable::line(&text).as_str().contains('\n') {
            return Err("a line of two lines".to_owned());
        }
        let size = once.len().checked_ilog2().unwrap_or(0);
        Ok(format!("{} {} {size}", once == text, once.matches("[secret]").count().min(3)))
    }
}
