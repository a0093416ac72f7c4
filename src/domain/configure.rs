//! The dialog that sets the stack's configuration: a list of keys, then one line to type a value into.
//!
//! Pure. Nothing is set here: what was typed becomes a question, and only its yes sets it. A secret is never shown.

use std::fmt;

use crate::keymap::{Code, Key as Typed};

use super::pulumi::config::{ConfigKey, ConfigRow, SetConfig, SetConfigError, Setup};
use super::pulumi::text::clean;

/// Longest filter text; no key has more letters.
const MAX_FILTER: usize = 40;
/// Longest value that is typed here; a longer one comes from a file (`tapctl config set KEY -`).
pub const MAX_TYPED: usize = 4 << 10;
/// Keys that a page key moves by.
const PAGE: usize = 8;

/// What the dialog shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Configure {
    /// A key is being chosen.
    Choose {
        /// Only keys with this in their name.
        filter: String,
        /// The one that Enter takes, counted in the list.
        at: usize,
    },
    /// A value is being typed.
    Edit(Editor),
}

/// A line that is being typed.
#[derive(Clone, PartialEq, Eq)]
pub struct Editor {
    /// The key.
    pub key: &'static ConfigKey,
    /// The value so far.
    pub typed: String,
    /// Characters before the cursor.
    pub cursor: usize,
    /// Whether it is kept encrypted, and so never shown.
    pub secret: bool,
    /// Why what was typed cannot be taken.
    pub error: Option<SetConfigError>,
}

impl fmt::Debug for Editor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = if self.secret { "[secret]" } else { self.typed.as_str() };
        write!(f, "Editor({} = {typed:?} at {}, {:?})", self.key.name, self.cursor, self.error)
    }
}

/// What a key came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialogStep {
    /// The dialog stays.
    Stay(Configure),
    /// It closes.
    Close,
    /// What was typed can be asked about.
    Ask(SetConfig),
}

/// The keys whose name, or meaning, holds the filter.
#[must_use]
pub fn matching<'a>(setup: &'a Setup, filter: &str) -> Vec<ConfigRow<'a>> {
    let wanted = filter.to_lowercase();
    let mut rows = setup.rows();
    rows.retain(|row| row.key.name.to_lowercase().contains(&wanted));
    rows
}

impl Configure {
    /// The list, at its first key: the first that is missing, when one is.
    #[must_use]
    pub fn new() -> Self {
        Self::Choose { filter: String::new(), at: 0 }
    }

    /// Takes a key.
    #[must_use]
    pub fn key(self, typed: Typed, stack: &str, setup: &Setup) -> DialogStep {
        if typed.code == Code::Esc || (typed.ctrl && typed.code == Code::Char('c')) {
            return match self {
                Self::Choose { .. } => DialogStep::Close,
                Self::Edit(_) => DialogStep::Stay(Self::new()),
            };
        }
        match self {
            Self::Choose { filter, at } => choose(filter, at, typed, setup),
            Self::Edit(editor) => editor.key(typed, stack, setup),
        }
    }

    /// Takes pasted text: into the line, and nowhere else. Its last line's end goes, others stand for a mistake.
    #[must_use]
    pub fn paste(mut self, text: &str) -> Self {
        if let Self::Edit(editor) = &mut self {
            editor.insert(text.trim_end_matches(['\n', '\r']));
        }
        self
    }
}

impl Default for Configure {
    fn default() -> Self {
        Self::new()
    }
}

fn choose(mut filter: String, at: usize, typed: Typed, setup: &Setup) -> DialogStep {
    let rows = matching(setup, &filter);
    let last = rows.len().saturating_sub(1);
    let at = match typed.code {
        Code::Up => at.saturating_sub(1),
        Code::Down => (at + 1).min(last),
        Code::PageUp => at.saturating_sub(PAGE),
        Code::PageDown => (at + PAGE).min(last),
        Code::Home => 0,
        Code::End => last,
        Code::Enter => {
            let row = rows.get(at.min(last));
            return DialogStep::Stay(
                row.map_or(Configure::Choose { filter, at }, |row| Configure::Edit(Editor::of(row))),
            );
        }
        Code::Backspace => {
            filter.pop();
            0
        }
        Code::Char(c) if !typed.ctrl && filter.chars().count() < MAX_FILTER => {
            filter.push(c);
            0
        }
        _ => at,
    };
    DialogStep::Stay(Configure::Choose { filter, at })
}

impl Editor {
    /// The line for a key, with what is set; a secret's line begins empty.
    #[must_use]
    pub fn of(row: &ConfigRow<'_>) -> Self {
        let secret = row.value.is_some_and(|value| value.secret);
        let typed = row.value.and_then(|value| value.value.clone()).unwrap_or_default();
        let typed = if typed.contains('\n') { String::new() } else { clean(&typed).into_owned() };
        Self { key: row.key, cursor: typed.chars().count(), typed, secret, error: None }
    }

    fn byte(&self, at: usize) -> usize {
        self.typed.char_indices().nth(at).map_or(self.typed.len(), |(byte, _)| byte)
    }

    fn insert(&mut self, text: &str) {
        self.error = None;
        if self.typed.len() + text.len() > MAX_TYPED {
            self.error = Some(SetConfigError::TooLong(self.typed.len() + text.len()));
            return;
        }
        if clean(text) != text || text.contains('\n') {
            self.error = Some(SetConfigError::Unfit);
            return;
        }
        let byte = self.byte(self.cursor);
        self.typed.insert_str(byte, text);
        self.cursor += text.chars().count();
    }

    fn remove(&mut self, at: usize) {
        let byte = self.byte(at);
        if byte < self.typed.len() {
            self.typed.remove(byte);
        }
    }

    fn key(mut self, typed: Typed, stack: &str, setup: &Setup) -> DialogStep {
        let length = self.typed.chars().count();
        self.error = None;
        match typed.code {
            Code::Enter => match SetConfig::new(stack, setup.bundled, self.key.name, &self.typed, self.secret) {
                Ok(set) => return DialogStep::Ask(set),
                Err(error) => self.error = Some(error),
            },
            Code::Tab if self.secret && setup.value(self.key).is_some_and(|value| value.secret) => {
                self.error = Some(SetConfigError::KeptEncrypted);
            }
            Code::Tab => self.secret = !self.secret,
            Code::Left => self.cursor = self.cursor.saturating_sub(1),
            Code::Right => self.cursor = (self.cursor + 1).min(length),
            Code::Home => self.cursor = 0,
            Code::End => self.cursor = length,
            Code::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                let at = self.cursor;
                self.remove(at);
            }
            Code::Char('u') if typed.ctrl => {
                self.typed.clear();
                self.cursor = 0;
            }
            Code::Char(c) if !typed.ctrl => self.insert(c.encode_utf8(&mut [0; 4])),
            _ => {}
        }
        DialogStep::Stay(Configure::Edit(self))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::pulumi::config::ConfigValue;
    use crate::domain::pulumi::config::tests::{complete, setup};

    fn play(dialog: Configure, setup: &Setup, keys: &[Typed]) -> DialogStep {
        let mut step = DialogStep::Stay(dialog);
        for key in keys {
            let DialogStep::Stay(dialog) = step else { panic!("over before {key:?}: {step:?}") };
            step = dialog.key(*key, "prod", setup);
        }
        step
    }

    fn text(text: &str) -> Vec<Typed> {
        text.chars().map(Typed::char).collect()
    }

    const ENTER: Typed = Typed::plain(Code::Enter);

    #[test]
    fn a_missing_key_is_one_enter_away_and_typed_into_a_question() {
        let bare = setup(&["owner"]);
        let keys = [vec![ENTER], text("db.example.com"), vec![ENTER]].concat();
        let DialogStep::Ask(set) = play(Configure::new(), &bare, &keys) else { panic!() };
        assert_eq!((set.key(), set.value()), ("sourceDbEndpoint", "db.example.com"));
    }

    #[test]
    fn letters_narrow_the_list_and_the_line_can_be_mended() {
        let full = complete();
        let at = |code| Typed::plain(code);
        let keys = [
            text("recordn"),
            vec![ENTER, at(Code::Home), Typed::char('x'), at(Code::Right), at(Code::Backspace)],
            vec![at(Code::End), at(Code::Backspace), Typed::char('m'), ENTER],
        ]
        .concat();
        let DialogStep::Ask(set) = play(Configure::new(), &full, &keys) else { panic!() };
        assert_eq!(set.value(), "xpp.example.com");
    }

    #[test]
    fn what_the_program_refuses_is_told_at_once_and_escape_leads_back() {
        let full = complete();
        let keys = [text("sourceDbPort"), vec![ENTER], text("x"), vec![ENTER]].concat();
        let DialogStep::Stay(Configure::Edit(editor)) = play(Configure::new(), &full, &keys) else { panic!() };
        assert!(editor.error.is_some_and(|error| error.to_string().contains("1 to 65535")));
        let back = play(Configure::new(), &full, &[ENTER, Typed::plain(Code::Esc)]);
        assert_eq!(back, DialogStep::Stay(Configure::new()));
        assert_eq!(play(Configure::new(), &full, &[Typed::plain(Code::Esc)]), DialogStep::Close);
    }

    #[test]
    fn a_secret_stays_one_and_is_never_shown() {
        let mut full = complete();
        full.values.as_mut().unwrap().insert("tap:owner".into(), ConfigValue { value: None, secret: true });
        let keys = [text("owner"), vec![ENTER], text("trout")].concat();
        let DialogStep::Stay(dialog) = play(Configure::new(), &full, &keys) else { panic!() };
        assert!(!format!("{dialog:?}").contains("trout"), "{dialog:?}");
        let DialogStep::Ask(set) = dialog.key(ENTER, "prod", &full) else { panic!() };
        assert!(set.is_secret() && !format!("{set:?}").contains("trout"));
    }

    #[test]
    fn what_is_kept_encrypted_is_not_turned_into_plain_text() {
        let mut full = complete();
        full.values.as_mut().unwrap().insert("tap:owner".into(), ConfigValue { value: None, secret: true });
        let keys = [text("owner"), vec![ENTER], text("trout"), vec![Typed::plain(Code::Tab)]].concat();
        let DialogStep::Stay(Configure::Edit(editor)) = play(Configure::new(), &full, &keys) else { panic!() };
        assert!(editor.secret && editor.error == Some(SetConfigError::KeptEncrypted), "{editor:?}");
        let DialogStep::Ask(set) = play(Configure::Edit(editor), &full, &[ENTER]) else { panic!() };
        assert!(set.is_secret());
    }

    #[test]
    fn pasted_text_goes_into_the_line_whole_or_not_at_all() {
        let full = complete();
        let DialogStep::Stay(dialog) = play(Configure::new(), &full, &[text("owner"), vec![ENTER]].concat()) else {
            panic!()
        };
        let Configure::Edit(editor) = dialog.clone().paste(" of the night\r\n") else { panic!() };
        assert_eq!((editor.typed.as_str(), editor.cursor), ("platform-team of the night", 26));
        let Configure::Edit(editor) = dialog.paste("two\nlines") else { panic!() };
        assert_eq!((editor.typed.as_str(), editor.error), ("platform-team", Some(SetConfigError::Unfit)));
        assert_eq!(Configure::new().paste("y"), Configure::new(), "a list takes no pasted text");
    }

    proptest! {
        #[test]
        fn the_cursor_stays_within_the_line(keys in prop::collection::vec(0usize..9, 0..60), words in "\\PC{0,9}") {
            let full = complete();
            let mut dialog = Configure::Edit(Editor::of(&full.rows()[0]));
            for key in keys {
                let code = [Code::Left, Code::Right, Code::Home, Code::End, Code::Backspace, Code::Tab, Code::Char('ä'),
                    Code::Up, Code::PageUp][key];
                dialog = match dialog.key(Typed::plain(code), "prod", &full) {
                    DialogStep::Stay(dialog) => dialog.paste(&words),
                    other => panic!("{other:?}"),
                };
                let Configure::Edit(editor) = &dialog else { panic!() };
                prop_assert!(editor.cursor <= editor.typed.chars().count());
            }
        }
    }
}
