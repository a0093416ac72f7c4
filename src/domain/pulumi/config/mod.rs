//! The stack's configuration: what the bundled program needs, what is set, what is missing, and the setting of one key.
//!
//! Pure. [`keys`] is the table of the program's keys, [`form`] what their values look like. Pulumi keeps the values, and
//! does not say those that are secret.

pub mod form;
mod key;
pub mod keys;

use crate::domain::units::counted;
use std::collections::BTreeMap;
use std::fmt;

use super::guard::{BlockedReason, RunKind};
use super::text::{clean, shell_quoted};
use crate::domain::confirm::Challenge;

pub use form::Form;
pub use key::{ConfigKey, Default, PROJECT};
pub use keys::KEYS;

/// Bytes of a value that is set from here: far more than the certificates of every region.
pub const MAX_VALUE_BYTES: usize = 256 << 10;
/// Cells of a value that a question and the journal show.
const SHOWN_VALUE: usize = 160;

/// One configured key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConfigValue {
    /// Its value; nothing for a secret.
    pub value: Option<String>,
    /// Whether it is kept encrypted.
    pub secret: bool,
}

/// How the stack is set up, as Pulumi says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Whether the stack exists in the state's backend.
    pub exists: bool,
    /// Whether it is a stack of the bundled program, whose keys are known.
    pub bundled: bool,
    /// What is set, by full name; nothing when Pulumi cannot say, which it does not for a stack that is not made yet
    /// and has a settings file already.
    pub values: Option<BTreeMap<String, ConfigValue>>,
}

/// How a key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyStatus {
    /// The program needs it, and it is not set.
    Missing,
    /// It is set to what the program refuses, for this reason.
    Wrong(String),
    /// It is set.
    Set,
    /// It is not set, and need not be.
    Unset,
    /// Pulumi cannot say before the stack exists.
    Unknown,
}

/// One key of the table with what is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigRow<'a> {
    /// The key.
    pub key: &'static ConfigKey,
    /// How it stands.
    pub status: KeyStatus,
    /// What is set.
    pub value: Option<&'a ConfigValue>,
}

impl Setup {
    /// What is set for a key of the program.
    #[must_use]
    pub fn value(&self, key: &ConfigKey) -> Option<&ConfigValue> {
        self.values.as_ref()?.get(&key.full_name())
    }

    fn is_set(&self, name: &str) -> bool {
        ConfigKey::named(name).is_some_and(|key| self.value(key).is_some())
    }

    /// Keys without which the program would only fail, in the order of the table. Nothing for another program, or
    /// while Pulumi cannot say.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static ConfigKey> {
        if !self.bundled || self.values.is_none() {
            return Vec::new();
        }
        let any = |names: &[&str]| names.iter().any(|name| self.is_set(name));
        let no_zone = !any(&keys::ZONE);
        let peers = any(&keys::PEERING);
        let needed = |key: &ConfigKey| {
            key.is_required() || (no_zone && key.name == keys::ZONE[0]) || (peers && keys::PEERING.contains(&key.name))
        };
        KEYS.iter().filter(|key| needed(key) && !self.is_set(key.name)).collect()
    }

    /// How a key stands.
    #[must_use]
    pub fn status(&self, key: &'static ConfigKey) -> KeyStatus {
        match self.value(key) {
            None if self.values.is_none() => KeyStatus::Unknown,
            None if self.missing().contains(&key) => KeyStatus::Missing,
            None => KeyStatus::Unset,
            Some(ConfigValue { value: Some(text), .. }) => match key.form.check(text) {
                Ok(()) => KeyStatus::Set,
                Err(why) => KeyStatus::Wrong(why),
            },
            Some(_) => KeyStatus::Set,
        }
    }

    /// Every key of the program: what is missing or wrong first, then what is required or set, then the rest.
    #[must_use]
    pub fn rows(&self) -> Vec<ConfigRow<'_>> {
        if !self.bundled {
            return Vec::new();
        }
        let row = |key| ConfigRow { key, status: self.status(key), value: self.value(key) };
        let mut rows: Vec<ConfigRow<'_>> = KEYS.iter().map(row).collect();
        rows.sort_by_key(|row| match row.status {
            KeyStatus::Missing => 0,
            KeyStatus::Wrong(_) => 1,
            _ if row.key.is_required() => 2,
            KeyStatus::Set => 3,
            KeyStatus::Unset | KeyStatus::Unknown => 4,
        });
        rows
    }
}

/// Whether the program has what it needs for `kind`. A `refresh` and a `destroy` do not run the program.
///
/// # Errors
/// [`BlockedReason::NotConfigured`] with the keys that are missing.
pub fn may_run(kind: RunKind, setup: Option<&Setup>) -> Result<(), BlockedReason> {
    if !matches!(kind, RunKind::Preview | RunKind::Up) {
        return Ok(());
    }
    let missing = setup.map(Setup::missing).unwrap_or_default();
    if missing.is_empty() { Ok(()) } else { Err(BlockedReason::NotConfigured(missing_text(&missing))) }
}

/// The keys by name, with the one that another can stand for.
#[must_use]
pub fn missing_text(missing: &[&ConfigKey]) -> String {
    let name = |key: &&ConfigKey| {
        if key.name == keys::ZONE[0] { format!("{} or {}", keys::ZONE[0], keys::ZONE[1]) } else { key.name.to_owned() }
    };
    missing.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Why a key is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetConfigError {
    /// The program does not know the key.
    #[error("the program has no configuration key {0}")]
    UnknownKey(String),
    /// Pulumi would not take the name.
    #[error("{0:?} is no name of a configuration key")]
    BadKey(String),
    /// Nothing was given.
    #[error("the value is empty")]
    Empty,
    /// The value cannot be shown, and would be a surprise in a file.
    #[error("the value holds a control character or a line's end")]
    Unfit,
    /// It would be turned from encrypted into plain text.
    #[error("it is kept encrypted, and stays so")]
    KeptEncrypted,
    /// The value is too long.
    #[error("the value has {0} bytes; {MAX_VALUE_BYTES} are taken")]
    TooLong(usize),
    /// The program would refuse it.
    #[error("{key} {wanted}")]
    Malformed {
        /// The key.
        key: String,
        /// What it must be.
        wanted: String,
    },
}

/// One key that is to be set to one value. Made only of what can be set; never shows a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SetConfig {
    stack: String,
    key: String,
    value: String,
    secret: bool,
    in_table: bool,
}

impl fmt::Debug for SetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetConfig({})", self.call_text())
    }
}

impl SetConfig {
    /// Sets `key` of `stack` to `value`. With `bundled` the key has to be one of the table, or of another namespace.
    ///
    /// # Errors
    /// [`SetConfigError`] says why it cannot be set.
    pub fn new(stack: &str, bundled: bool, key: &str, value: &str, secret: bool) -> Result<Self, SetConfigError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
        if key.is_empty() || key.starts_with('-') || !key.chars().all(plain) || key.matches(':').count() > 1 {
            return Err(SetConfigError::BadKey(clean(key).into_owned()));
        }
        let known = ConfigKey::named(key).filter(|_| bundled);
        let foreign = key.split_once(':').is_some_and(|(namespace, _)| namespace != PROJECT);
        if bundled && known.is_none() && !foreign {
            return Err(SetConfigError::UnknownKey(key.to_owned()));
        }
        if value.trim().is_empty() {
            return Err(SetConfigError::Empty);
        }
        if value.len() > MAX_VALUE_BYTES {
            return Err(SetConfigError::TooLong(value.len()));
        }
        let lines = known.is_none_or(|key| key.form.has_lines());
        if clean(value) != value || (value.contains('\n') && !lines) {
            return Err(SetConfigError::Unfit);
        }
        if let Some(known) = known {
            let malformed = |wanted| SetConfigError::Malformed { key: known.name.to_owned(), wanted };
            known.form.check(value).map_err(malformed)?;
        }
        let key = known.map_or(key, |known| known.name).to_owned();
        Ok(Self { stack: stack.to_owned(), key, value: value.to_owned(), secret, in_table: known.is_some() })
    }

    /// On which stack.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// Which key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value itself. Only for Pulumi: see [`SetConfig::shown`].
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether it is kept encrypted.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// How Pulumi is told to keep it. Plain text is asked for only where the table says that the key holds no secret:
    /// without a word, Pulumi refuses a plain value whose key or form looks like a secret to it.
    #[must_use]
    pub fn kept(&self) -> &'static [&'static str] {
        match (self.secret, self.in_table) {
            (true, _) => &["--secret"],
            (false, true) => &["--plaintext"],
            (false, false) => &[],
        }
    }

    /// The value as a screen and the journal may hold it.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.secret {
            return "[secret]".to_owned();
        }
        if self.value.contains('\n') {
            return counted(self.value.lines().count(), "line", "lines");
        }
        let cut: String = self.value.chars().take(SHOWN_VALUE).collect();
        if cut.len() < self.value.len() { format!("{cut}…") } else { cut }
    }

    /// The command as a person would type it.
    #[must_use]
    pub fn call_text(&self) -> String {
        let Self { stack, key, .. } = self;
        let kept = self.kept().first().map_or_else(String::new, |word| format!("{word} "));
        let stack = shell_quoted(stack);
        if self.secret {
            return format!("pulumi config set {kept}--stack {stack} {key}   (the value through a pipe)");
        }
        if self.value.contains('\n') {
            return format!("pulumi config set {kept}--stack {stack} {key}   ({} through a pipe)", self.shown());
        }
        format!("pulumi config set {kept}--stack {stack} -- {key} {}", shell_quoted(&self.value))
    }

    /// What the operator has to do to set it.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        Challenge::Yes
    }

    /// What was done, in a sentence for the screen and the journal.
    #[must_use]
    pub fn done_text(&self) -> String {
        format!("configuration of {}: {} was set to {}", self.stack, self.key, self.shown())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A stack of the bundled program with these keys set to their examples.
    pub(crate) fn setup(names: &[&str]) -> Setup {
        let values = names.iter().map(|name| {
            let key = ConfigKey::named(name).expect("a key of the program");
            (key.full_name(), ConfigValue { value: Some(key.example.to_owned()), secret: false })
        });
        Setup { exists: true, bundled: true, values: Some(values.collect()) }
    }

    /// Everything that the program needs.
    pub(crate) fn complete() -> Setup {
        let required: Vec<&str> = KEYS.iter().filter(|key| key.is_required()).map(|key| key.name).collect();
        setup(&[required.as_slice(), &["hostedZoneId"]].concat())
    }

    fn names(keys: &[&ConfigKey]) -> Vec<&'static str> {
        keys.iter().map(|key| key.name).collect()
    }

    #[test]
    fn what_the_program_needs_is_missing_until_it_is_set() {
        assert_eq!(names(&complete().missing()), Vec::<&str>::new());
        assert_eq!(setup(&[]).missing().len(), 7, "six required ones, and one of the two for the zone");
        let mut without = complete();
        without.values.as_mut().unwrap().remove("tap:recordName");
        assert_eq!(names(&without.missing()), ["recordName"]);
        assert_eq!(without.rows()[0].key.name, "recordName", "what is missing stands first");
    }

    #[test]
    fn either_key_names_the_zone_and_peering_needs_all_four() {
        let mut by_name = complete();
        let values = by_name.values.as_mut().unwrap();
        values.remove("tap:hostedZoneId");
        values.insert("tap:hostedZoneName".into(), ConfigValue { value: Some("example.com".into()), secret: false });
        assert_eq!(names(&by_name.missing()), Vec::<&str>::new());
        let mut peered = complete();
        let vpc = ConfigValue { value: Some("vpc-0a1b2c3d4e5f60718".into()), secret: false };
        peered.values.as_mut().unwrap().insert("tap:legacyVpcId".into(), vpc);
        assert_eq!(names(&peered.missing()), ["legacyVpcCidr", "legacyRouteTableIds", "legacyDbSecurityGroupId"]);
    }

    #[test]
    fn only_what_runs_the_program_needs_its_configuration() {
        let bare = setup(&["owner"]);
        for kind in [RunKind::Preview, RunKind::Up] {
            let refusal = may_run(kind, Some(&bare)).unwrap_err().to_string();
            assert!(refusal.contains("hostedZoneId or hostedZoneName") && !refusal.contains("owner"), "{refusal}");
            assert_eq!(may_run(kind, Some(&complete())), Ok(()));
            assert_eq!(may_run(kind, None), Ok(()), "what Pulumi could not say, the program says itself");
        }
        for kind in [RunKind::Refresh, RunKind::Destroy, RunKind::PreviewDestroy] {
            assert_eq!(may_run(kind, Some(&bare)), Ok(()));
        }
        let other = Setup { bundled: false, ..bare };
        assert_eq!(may_run(RunKind::Up, Some(&other)), Ok(()), "another program has other keys");
    }

    #[test]
    fn a_value_that_the_program_refuses_stands_out() {
        let mut wrong = complete();
        let port = ConfigValue { value: Some("mysql".into()), secret: false };
        wrong.values.as_mut().unwrap().insert("tap:sourceDbPort".into(), port);
        let rows = wrong.rows();
        assert_eq!(rows[0].key.name, "sourceDbPort");
        assert!(matches!(&rows[0].status, KeyStatus::Wrong(why) if why.contains("1 to 65535")));
    }

    #[test]
    fn a_set_key_shows_its_exact_command_and_a_secret_shows_nothing() {
        let set = SetConfig::new("prod", true, "tap:recordName", "app.example.com", false).unwrap();
        assert_eq!(set.call_text(), "pulumi config set --plaintext --stack prod -- recordName app.example.com");
        let set = SetConfig::new("prod", false, "dbPassword", "trout fish", true).unwrap();
        for text in [set.call_text(), set.shown(), set.done_text(), format!("{set:?}")] {
            assert!(!text.contains("trout"), "{text}");
        }
        assert_eq!(set.value(), "trout fish");
        let set = SetConfig::new("prod", true, "owner", "it is - mine", false).unwrap();
        assert!(set.call_text().ends_with("-- owner 'it is - mine'"));
    }

    #[test]
    fn what_cannot_be_set_is_refused_with_its_reason() {
        let refused = |key: &str, value: &str| SetConfig::new("prod", true, key, value, false).unwrap_err();
        assert_eq!(refused("nonsense", "x"), SetConfigError::UnknownKey("nonsense".into()));
        assert!(matches!(refused("--stack", "x"), SetConfigError::BadKey(_)));
        assert!(matches!(refused("a:b:c", "x"), SetConfigError::BadKey(_)));
        assert_eq!(refused("owner", "  "), SetConfigError::Empty);
        for value in ["a\nb", "a\u{1b}[2Jb", "a\u{202e}b", "a\tb", "a\0b"] {
            assert_eq!(refused("owner", value), SetConfigError::Unfit, "{value:?}");
        }
        assert!(matches!(refused("sourceDbPort", "mysql"), SetConfigError::Malformed { .. }));
        assert!(matches!(refused("owner", &"x".repeat(MAX_VALUE_BYTES + 1)), SetConfigError::TooLong(_)));
        assert!(SetConfig::new("prod", true, "aws:region", "us-west-2", false).is_ok());
        let pem = ConfigKey::named("sourceDbCaCertificate").unwrap();
        let set = SetConfig::new("prod", true, pem.name, pem.example, false).unwrap();
        assert!(set.call_text().contains("3 lines"), "{}", set.call_text());
    }
}
