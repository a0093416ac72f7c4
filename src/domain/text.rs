//! The one door for text from outside: made harmless, without secrets, bounded.
//!
//! [`Foreign`] is text of AWS, Pulumi, files, arguments or the environment after it came in: one line, in which
//! everything that could steer a terminal, hide or turn words is written out where it can be seen. Adapters and the
//! parsing of arguments make it, nobody else. [`Printable`] is what terminal, title, log, report and headless output take,
//! and nothing else: whatever is printed has passed here once more. Pure; which values are secret is told once, by
//! whoever reads the environment ([`keep_secret`]).

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::sync::{LazyLock, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde_json::Value;

/// Longest text from outside in characters; Route 53's longest name has 1,020 when every byte is escaped.
pub const MAX_FOREIGN: usize = 1_024;
/// What stands in place of a secret.
const HIDDEN: &str = "[secret]";
/// Shorter values would eat ordinary words.
const SHORTEST_SECRET: usize = 4;
/// Values shorter than this are only replaced where they stand apart.
const LONG_SECRET: usize = 8;

/// Text from outside, on one line and fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Foreign(String);

impl Foreign {
    /// Takes text in. What is plain stays as it is.
    #[must_use]
    pub fn take(text: &str) -> Self {
        let text = hide(text);
        Self(bounded(visible(&text, false), MAX_FOREIGN).into_owned())
    }

    /// Takes every text of a value of JSON in, keys too.
    #[must_use]
    pub fn take_value(value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(Self::take(&text).into_string()),
            Value::Array(items) => items.into_iter().map(Self::take_value).collect(),
            Value::Object(map) => {
                map.into_iter().map(|(key, value)| (Self::take(&key).into_string(), Self::take_value(value))).collect()
            }
            other => other,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself, for a field of the domain.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text in the form in which it may be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printable<'a>(Cow<'a, str>);

impl<'a> Printable<'a> {
    /// Text of any number of lines.
    #[must_use]
    pub fn lines(text: &'a str) -> Self {
        Self(match hide(text) {
            Cow::Borrowed(text) => visible(text, true),
            Cow::Owned(text) => Cow::Owned(visible(&text, true).into_owned()),
        })
    }

    /// Text that has to stay on one line.
    #[must_use]
    pub fn line(text: &'a str) -> Self {
        Self(match hide(text) {
            Cow::Borrowed(text) => visible(text, false),
            Cow::Owned(text) => Cow::Owned(visible(&text, false).into_owned()),
        })
    }

    /// A document of JSON: what cannot be shown as it is becomes JSON's own escape, so that no value changes.
    #[must_use]
    pub fn json(text: &'a str) -> Self {
        let text = hide(text);
        if text.split('\n').all(is_plain) || !text.chars().any(|c| c != '\n' && is_unfit(c)) {
            return Self(text);
        }
        let mut escaped = String::with_capacity(text.len());
        for c in text.chars() {
            if c != '\n' && is_unfit(c) {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            } else {
                escaped.push(c);
            }
        }
        Self(Cow::Owned(escaped))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character is not shown but changes how others are: controls, direction, formats, tags, and what looks like
/// nothing at all (Unicode general category Cf and the invisible letters).
#[must_use]
pub fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}'
            | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether all of it is printable ASCII, as almost every text is: told byte by byte, many at once.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The text with every unfit character written out; `lines` keeps new lines and tabs.
fn visible(text: &str, lines: bool) -> Cow<'_, str> {
    let kept = |c: char| !is_unfit(c) || (lines && matches!(c, '\n' | '\t'));
    if is_plain(text) || text.chars().all(kept) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if kept(c) => shown.push(c),
            '\t' => shown.push(' '),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            c if c.is_control() => drop(write!(shown, "\\x{:02x}", c as u32)),
            c => drop(write!(shown, "\\u{{{:x}}}", c as u32)),
        }
    }
    Cow::Owned(shown)
}

/// The text cut to `max` characters, with what is missing.
fn bounded(text: Cow<'_, str>, max: usize) -> Cow<'_, str> {
    // Bytes are never fewer than characters, so most texts need no counting.
    if text.len() <= max {
        return text;
    }
    let Some((end, _)) = text.char_indices().nth(max) else { return text };
    let more = text[end..].chars().count();
    Cow::Owned(format!("{}… ({more} more characters)", &text[..end]))
}

/// Values that must never be shown, in every spelling in which they turn up.
struct Secrets {
    values: Vec<String>,
    spellings: Option<AhoCorasick>,
}

static SECRETS: RwLock<Secrets> = RwLock::new(Secrets { values: Vec::new(), spellings: None });

/// Adds values that must never be shown by this process: passphrases, tokens, keys, passwords in addresses.
pub fn keep_secret(values: impl IntoIterator<Item = String>) {
    let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    let before = secrets.values.len();
    for value in values {
        let value = value.trim().to_owned();
        if value.chars().count() >= SHORTEST_SECRET && !secrets.values.contains(&value) {
            secrets.values.push(value);
        }
    }
    if secrets.values.len() > before {
        let spellings: Vec<String> = secrets.values.iter().flat_map(|value| spellings(value)).collect();
        secrets.spellings = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(spellings).ok();
    }
}

/// A value as it stands, in JSON, in XML, in an address, and as Rust and shells quote it.
fn spellings(value: &str) -> Vec<String> {
    let json = serde_json::to_string(value).unwrap_or_default();
    let json = json.get(1..json.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let xml = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let percent = |upper: bool, all: bool| {
        value.bytes().fold(String::new(), |text, byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text + &char::from(byte).to_string(),
            b'/' if !all => text + "/",
            _ if upper => text + &format!("%{byte:02X}"),
            _ => text + &format!("%{byte:02x}"),
        })
    };
    let mut all = vec![
        value.to_owned(),
        json.replace('/', "\\/"),
        json,
        xml.replace('"', "&quot;").replace('\'', "&#39;"),
        xml,
        percent(true, true),
        percent(false, true),
        percent(true, false),
        percent(true, true).replace("%20", "+"),
        value.escape_debug().to_string(),
        value.replace('\'', r"'\''"),
    ];
    all.sort_unstable();
    all.dedup();
    all
}

/// The text without secrets: values that are known to be secret, and whatever has the form of one.
#[must_use]
pub fn hide(text: &str) -> Cow<'_, str> {
    let text = hide_values(text);
    hide_forms(text)
}

fn hide_values(text: &str) -> Cow<'_, str> {
    let secrets = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    let Some(spellings) = &secrets.spellings else { return Cow::Borrowed(text) };
    let (mut hidden, mut done) = (String::new(), 0);
    for found in spellings.find_iter(text) {
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        let alone = || apart(text[..found.start()].chars().next_back()) && apart(text[found.end()..].chars().next());
        if found.len() >= LONG_SECRET || alone() {
            hidden.push_str(&text[done..found.start()]);
            hidden.push_str(HIDDEN);
            done = found.end();
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    hidden.push_str(&text[done..]);
    Cow::Owned(hidden)
}

/// One form of secrets: where it begins, and how much of what follows belongs to it.
struct Form {
    start: &'static str,
    /// Characters that stay in front, of `start`.
    keep: usize,
    length: fn(&str) -> usize,
}

fn while_chars(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !fits(c)).unwrap_or(text.len())
}

/// A token ends where a word of an address, of JSON or of a sentence ends.
fn token(text: &str) -> usize {
    let sign = while_chars(text, |c| matches!(c, '=' | ':' | '"' | ' ' | '\''));
    sign + while_chars(&text[sign..], |c| !c.is_whitespace() && !matches!(c, '&' | '"' | '\'' | ',' | ';' | '<'))
}

fn key_id(text: &str) -> usize {
    let length = while_chars(text, |c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if length >= 12 { length } else { 0 }
}

/// Up to the end of the block, or of the text; never beyond the end of a string of JSON.
fn pem(text: &str) -> usize {
    let room = text.find('"').unwrap_or(text.len());
    let Some(end) = text[..room].find("-----END ") else { return room };
    let tail = end + "-----END ".len();
    text[tail..room].find("-----").map_or(room, |close| tail + close + 5)
}

const FORMS: [Form; 10] = [
    Form { start: "AKIA", keep: 4, length: key_id },
    Form { start: "ASIA", keep: 4, length: key_id },
    Form { start: "-----BEGIN ", keep: 0, length: pem },
    Form { start: "pul-", keep: 4, length: |text| while_chars(text, |c| c.is_ascii_hexdigit()) / 20 * 40 },
    Form { start: "X-Amz-Security-Token", keep: 20, length: token },
    Form { start: "x-amz-security-token", keep: 20, length: token },
    Form { start: "X-Amz-Signature", keep: 15, length: token },
    Form { start: "x-amz-signature", keep: 15, length: token },
    Form { start: "Signature=", keep: 10, length: token },
    Form { start: "aws_secret_access_key", keep: 21, length: token },
];

/// Where any of the forms, or an address, can begin. Every text of every frame is looked through, and hardly one of them
/// holds a secret, so one pass has to be enough to say so. `None`, which these few words never give, means every text
/// is looked through form by form.
static BEGINNINGS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let starts = FORMS.iter().map(|form| form.start).chain([ADDRESS]);
    AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).prefilter(false).build(starts).ok()
});

fn hide_forms(text: Cow<'_, str>) -> Cow<'_, str> {
    if BEGINNINGS.as_ref().is_some_and(|beginnings| !beginnings.is_match(text.as_ref())) {
        return text;
    }
    let mut text = hide_users(text);
    for form in &FORMS {
        let mut from = 0;
        while let Some(at) = text[from..].find(form.start).map(|at| from + at) {
            let body = at + form.start.len();
            let length = (form.length)(&text[body..]).min(text.len() - body);
            let kept = at + form.keep;
            from = if length == 0 || !text.is_char_boundary(body + length) {
                body
            } else {
                text = Cow::Owned(format!("{}{HIDDEN}{}", &text[..kept], &text[body + length..]));
                kept + HIDDEN.len()
            };
        }
    }
    text
}

/// What every address has; one slash is enough, as in one that nobody could use.
const ADDRESS: &str = ":/";

/// Name and password in an address: `https://name:password@host` goes on as `https://[secret]@host`, also where a
/// slash is missing, as in an address that nobody could use.
fn hide_users(mut text: Cow<'_, str>) -> Cow<'_, str> {
    let mut from = 0;
    while let Some(colon) = text[from..].find(ADDRESS).map(|at| from + at + 1) {
        let at = colon + while_chars(&text[colon..], |c| c == '/');
        let end =
            at + while_chars(&text[at..], |c| !c.is_whitespace() && !matches!(c, '/' | '?' | '#' | '"' | '<' | '>'));
        from = match text[at..end].rfind('@').filter(|users| *users > 0) {
            Some(users) if &text[at..at + users] != HIDDEN => {
                text = Cow::Owned(format!("{}{HIDDEN}{}", &text[..at], &text[at + users..]));
                at + HIDDEN.len()
            }
            _ => at,
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "s3cr3t \"pass\"/with&odd<chars>";

    #[test]
    fn what_could_steer_a_terminal_is_written_out() {
        for (raw, seen) in [
            ("plain → text, ä", "plain → text, ä"),
            ("\u{1b}]52;c;aGk=\u{7}", "\\x1b]52;c;aGk=\\x07"),
            ("a\nb\r\tc\0", "a\\nb\\r c\\x00"),
            ("\u{9b}31m", "\\x9b31m"),
            ("pass\u{202e}liaf", "pass\\u{202e}liaf"),
            ("a\u{200b}b\u{e0041}c\u{2028}d\u{feff}", "a\\u{200b}b\\u{e0041}c\\u{2028}d\\u{feff}"),
        ] {
            assert_eq!(Foreign::take(raw).as_str(), seen);
            assert_eq!(Printable::line(raw).as_str(), seen);
        }
        assert_eq!(Printable::lines("a\tb\n\u{1b}[0m\r").as_str(), "a\tb\n\\x1b[0m\\r");
    }

    #[test]
    fn text_from_outside_has_an_end() {
        let long = Foreign::take(&"ä".repeat(10_000));
        assert_eq!(long.as_str().chars().count(), MAX_FOREIGN + "… (8976 more characters)".chars().count());
        assert!(long.as_str().ends_with("… (8976 more characters)"));
    }

    #[test]
    fn json_keeps_its_values_and_shows_nothing_unfit() {
        let value = serde_json::json!({"a\u{202e}": "\u{1b}[2J\u{9b}x\u{e0041}\n", "b": "plain"});
        let text = value.to_string();
        let shown = Printable::json(&text);
        assert!(!shown.as_str().chars().any(is_unfit), "{}", shown.as_str());
        assert_eq!(serde_json::from_str::<serde_json::Value>(shown.as_str()).unwrap(), value);
    }

    #[test]
    fn known_secrets_go_in_every_spelling() {
        keep_secret([SECRET.to_owned(), "tiny".to_owned(), "no".to_owned()]);
        for text in [
            SECRET.to_owned(),
            format!("--{SECRET}--"),
            serde_json::to_string(SECRET).unwrap(),
            format!("{SECRET:?}"),
            SECRET.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
            "s3cr3t%20%22pass%22%2Fwith%26odd%3Cchars%3E".to_owned(),
            "s3cr3t%20%22pass%22/with%26odd%3Cchars%3E".to_owned(),
            "s3cr3t%20%22pass%22%2fwith%26odd%3cchars%3e".to_owned(),
        ] {
            let shown = hide(&text).into_owned();
            assert!(shown.contains(HIDDEN) && !shown.contains("s3cr3t"), "{text}: {shown}");
        }
        assert_eq!(hide("tiny destiny no"), "[secret] destiny no", "a short one only where it stands apart");
    }

    #[test]
    fn forms_of_secrets_go_whoever_they_belong_to() {
        for (text, shown) in [
            ("key AKIAIOSFODNN7EXAMPLE is", "key AKIA[secret] is"),
            ("ASIAIOSFODNN7EXAMPLE", "ASIA[secret]"),
            ("AKIA short", "AKIA short"),
            ("http://user:p%40ss@proxy:3128/x failed", "http://[secret]@proxy:3128/x failed"),
            ("htp:/u:pass@x to request", "htp:/[secret]@x to request"),
            ("https:///u:pass@x", "https:///[secret]@x"),
            ("postgres://u:p@h/db and s3://bucket?x=a@b", "postgres://[secret]@h/db and s3://bucket?x=a@b"),
            (
                "?X-Amz-Security-Token=IQoJb3&X-Amz-Signature=ab12",
                "?X-Amz-Security-Token[secret]&X-Amz-Signature[secret]",
            ),
            ("a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", "a [secret] b"),
            ("-----BEGIN X-----\nMII and no end", "[secret]"),
            ("{\"a\":\"-----BEGIN X----- MII\",\"b\":1}", "{\"a\":\"[secret]\",\"b\":1}"),
        ] {
            assert_eq!(hide(text), shown);
            assert_eq!(hide(&hide(text)), shown, "nothing more goes the second time");
        }
    }

    proptest! {
        #[test]
        fn nothing_unfit_and_no_secret_is_ever_shown(
            before in "(\\PC|[\u{0}-\u{9f}\u{202a}-\u{202e}]|AKIA|://|@|-----BEGIN ){0,40}",
            after in "(\\PC|[\u{0}-\u{9f}]|-----END |[A-Z]){0,40}",
        ) {
            keep_secret([SECRET.to_owned()]);
            let text = format!("{before}{SECRET}{after}");
            for shown in [Foreign::take(&text).into_string(), Printable::line(&text).as_str().to_owned()] {
                prop_assert!(!shown.chars().any(is_unfit));
                prop_assert!(!shown.contains("s3cr3t"));
            }
            let lines = Printable::lines(&text);
            prop_assert!(!lines.as_str().chars().any(|c| is_unfit(c) && c != '\n' && c != '\t'));
        }
    }
}
