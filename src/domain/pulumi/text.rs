//! Text of the engine, of providers and of programs, made fit for a screen and a log.
//!
//! Pure. Colour directives (`<{%bold%}>`), terminal escapes, control characters and bidirectional overrides go; what
//! is left cannot move a cursor or hide a word.

use std::borrow::Cow;
use std::fmt;

/// Longest inside of a colour directive; Pulumi's own have at most twenty characters.
const MAX_DIRECTIVE: usize = 32;

/// `text` without directives, escapes and control characters. New lines stay, tabs become spaces.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains("<{%") && !text.chars().any(is_unfit) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = skip_directive(rest).or_else(|| skip_escape(rest, c)) {
            rest = after;
            continue;
        }
        match c {
            '\t' => out.push_str("    "),
            _ if is_unfit(c) => {}
            _ => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    // What stood apart may have come together to a directive; each round makes the text shorter.
    loop {
        let stripped = without_directives(&out);
        if stripped.len() == out.len() {
            return Cow::Owned(out);
        }
        out = stripped;
    }
}

fn without_directives(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = skip_directive(rest) {
            rest = after;
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn is_unfit(c: char) -> bool {
    c != '\n' && crate::domain::text::is_unfit(c)
}

fn skip_directive(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("<{%")?;
    let end = inside.find("%}>").filter(|end| *end <= MAX_DIRECTIVE)?;
    let plain = inside[..end].chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | ':' | ';' | '-' | '_'));
    plain.then(|| &inside[end + 3..])
}

/// What follows an escape sequence that starts here (ECMA-48: CSI, OSC and other strings, two-character escapes).
fn skip_escape(text: &str, first: char) -> Option<&str> {
    let (introducer, body) = match first {
        '\u{1b}' => {
            let body = &text[1..];
            let Some(kind) = body.chars().next() else { return Some(body) };
            (kind, &body[kind.len_utf8()..])
        }
        '\u{9b}' => ('[', &text[first.len_utf8()..]),
        '\u{9d}' => (']', &text[first.len_utf8()..]),
        _ => return None,
    };
    Some(match introducer {
        '[' => match body.find(|c: char| ('\u{40}'..='\u{7e}').contains(&c)) {
            Some(end) => &body[end + 1..],
            None => "",
        },
        ']' | 'P' | 'X' | '^' | '_' => match body.find(['\u{07}', '\u{1b}', '\u{9c}']) {
            Some(end) if body[end..].starts_with("\u{1b}\\") => &body[end + 2..],
            Some(end) if body[end..].starts_with('\u{1b}') => &body[end..],
            Some(end) => &body[end + body[end..].chars().next().map_or(0, char::len_utf8)..],
            None => "",
        },
        _ => body,
    })
}

/// `text` cut to at most `max` bytes at a character, with the number of bytes that were left out.
#[must_use]
pub fn capped(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}… ({} more bytes in the run's file)", &text[..end], text.len() - end))
}

/// The JSON in an answer: some plug-ins warn on stdout before Pulumi answers, or say more behind it. It begins a line.
#[must_use]
pub fn json_part(answer: &str) -> &str {
    let answer = answer.trim_start_matches('\u{feff}');
    let lines = std::iter::once(0).chain(answer.match_indices('\n').map(|(at, _)| at + 1));
    let mut found = lines.filter_map(|at| {
        let rest = answer[at..].trim_start_matches([' ', '\t', '\r', '\u{feff}']);
        let value = serde_json::Deserializer::from_str(rest).into_iter::<serde::de::IgnoredAny>();
        rest.starts_with(['{', '[']).then(|| whole_value(rest, value)).flatten()
    });
    found.next().unwrap_or(answer)
}

fn whole_value<'a>(
    text: &'a str,
    mut values: serde_json::StreamDeserializer<'a, serde_json::de::StrRead<'a>, serde::de::IgnoredAny>,
) -> Option<&'a str> {
    values.next()?.ok()?;
    text.get(..values.byte_offset())
}

/// An argument as a shell takes it.
#[must_use]
pub fn shell_quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@,+%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

/// Values that must never be shown (a passphrase, a session token), replaced wherever they turn up.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Redactor(Vec<String>);

impl Redactor {
    /// A redactor for these values; empty and very short ones are left out, since they would eat ordinary words.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values.into_iter().filter(|value| value.len() >= 4).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values)
    }

    /// `text` with every such value as `[secret]`.
    #[must_use]
    pub fn apply<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        self.0.iter().fold(text, |text, value| {
            if text.contains(value.as_str()) { Cow::Owned(text.replace(value.as_str(), "[secret]")) } else { text }
        })
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} values)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn directives_and_escapes_go_and_words_stay() {
        for (dirty, plain) in [
            ("<{%reset%}><{%fg 13%}>+ create<{%reset%}>", "+ create"),
            ("\u{1b}[1;31merror\u{1b}[0m: no", "error: no"),
            ("\u{1b}]0;title\u{07}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("a\rb\u{08}c\td", "abc    d"),
            ("\u{9b}31mred", "red"),
            ("rtl \u{202e}gnp.exe", "rtl gnp.exe"),
            ("line one\nline two", "line one\nline two"),
            ("<{% not a directive, far too long to be one %}>", "<{% not a directive, far too long to be one %}>"),
            ("ends in \u{1b}", "ends in "),
        ] {
            assert_eq!(clean(dirty), plain);
        }
    }

    #[test]
    fn a_cut_says_how_much_is_missing() {
        assert_eq!(capped("äöü", 3), "ä… (4 more bytes in the run's file)");
        assert_eq!(capped("äöü", 6), "äöü");
    }

    #[test]
    fn words_before_an_answer_are_passed_over() {
        for answer in [
            "warning: a plug-in\n{\"a\":1}\n",
            "[resource plugin aws-7.1.0] installing\n{\"a\":1}",
            "\u{feff}{\"a\":1}",
            "\n {\"a\":1}\r\nPermalink: https://app.pulumi.com/x\n",
            "Installing {x}\r\n{half\r\n{\"a\":1}",
        ] {
            assert_eq!(json_part(answer), "{\"a\":1}", "{answer}");
        }
        assert_eq!(json_part("words\n{\"a\":\n{\"b\":1}}"), "{\"a\":\n{\"b\":1}}");
        for none in ["no answer", "", "{half", "[1, 2"] {
            assert_eq!(json_part(none), none);
        }
    }

    #[test]
    fn quotes_survive_a_shell() {
        assert_eq!(shell_quoted("it's"), r"'it'\''s'");
        assert_eq!(shell_quoted(""), "''");
    }

    #[test]
    fn known_secrets_are_replaced_and_never_printed() {
        let redactor = Redactor::new(["hunter2hunter2".to_owned(), "a".to_owned()]);
        assert_eq!(redactor.apply("pass=hunter2hunter2 and a".into()), "pass=[secret] and a");
        assert!(!format!("{redactor:?}").contains("hunter"));
    }

    proptest! {
        #[test]
        fn what_is_left_cannot_steer_a_terminal(text in "(\\PC|[\u{0}-\u{9f}]|<\\{%[a-z ]*%\\}>){0,60}") {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(is_unfit));
            prop_assert_eq!(clean(&cleaned), cleaned.clone());
        }
    }
}
