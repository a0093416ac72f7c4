//! What a terminal sends, byte by byte, as keys and pasted text (ECMA-48, xterm's control sequences).
//!
//! Pure: it knows no clock. Whoever reads says when nothing came for [`Decoder::patience`]: what is unfinished then was
//! typed, key by key. Bytes may be cut anywhere, as a slow line cuts them.

use std::time::Duration;

use crate::keymap::{Code, Key};

/// How long the rest of a key's sequence may take: longer than a terminal needs for it, shorter than a person does.
const KEY: Duration = Duration::from_millis(50);
/// How long the rest of a pasted text may take. Cut short, its rest would be taken for keys.
const PASTE: Duration = Duration::from_secs(3);
/// Pasted text beyond this is dropped; nothing that is asked for is longer.
const PASTE_BYTES: usize = 64 * 1024;
/// A sequence that is longer is none.
const SEQUENCE_BYTES: usize = 32;

const ESC: u8 = 0x1b;
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// What was done at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted as a whole.
    Pasted(String),
    /// The window has the focus again, or no longer.
    Focus(bool),
    /// The mouse was used, where it is reported.
    Mouse(Mouse),
}

/// What the mouse did. Whatever else it may do means nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    /// The wheel was turned up, or down.
    Wheel {
        /// Down.
        down: bool,
    },
    /// The first button was pressed on this cell, counted from 0.
    Click {
        /// From the left.
        column: u16,
        /// From the top.
        row: u16,
    },
}

/// Makes keys of bytes.
#[derive(Debug, Default)]
pub struct Decoder {
    /// What is no key yet: part of a sequence or of a character, or what was pasted so far.
    held: Vec<u8>,
    pastes: bool,
    /// How much of the sequence that begins a pasted text was taken for keys, since its rest was late.
    given_up: usize,
    /// Whether a pasted text was late, so that its rest may still come.
    is_rest: bool,
}

impl Decoder {
    /// Takes the next bytes, and gives what they complete.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let mut inputs = Vec::new();
        // A person types no such rest in one packet, and what follows it is an answer to nothing.
        let given_up = std::mem::take(&mut self.given_up);
        let late = bytes.strip_prefix(&PASTE_BEGINS[given_up..]).filter(|_| given_up > 0);
        self.pastes |= late.is_some();
        let bytes = self.behind_rest(late.unwrap_or(bytes));
        for byte in bytes {
            self.held.push(*byte);
            if self.pastes {
                self.pasted(&mut inputs);
            } else {
                self.typed(&mut inputs);
            }
        }
        inputs
    }

    /// What is behind the rest of a pasted text that was late: the rest is neither keys nor an answer. It has its end with
    /// it, so that a byte alone was typed, and is the way out where the end never comes.
    fn behind_rest<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if !std::mem::take(&mut self.is_rest) || bytes.len() == 1 {
            return bytes;
        }
        let end = bytes.windows(PASTE_ENDS.len()).position(|part| part == PASTE_ENDS);
        self.is_rest = end.is_none();
        end.map_or(&[], |at| &bytes[at + PASTE_ENDS.len()..])
    }

    /// How long to wait for the rest of what is unfinished; nothing when nothing is.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        let pastes = self.pastes || (self.held.len() > 2 && PASTE_BEGINS.starts_with(&self.held));
        (pastes || !self.held.is_empty()).then_some(if pastes { PASTE } else { KEY })
    }

    /// The rest did not come: it will not come any more.
    pub fn give_up(&mut self) -> Vec<Typed> {
        self.is_rest = self.pastes;
        self.given_up = if !self.pastes && PASTE_BEGINS.starts_with(&self.held) { self.held.len() } else { 0 };
        self.keys_held()
    }

    fn keys_held(&mut self) -> Vec<Typed> {
        let held = std::mem::take(&mut self.held);
        if std::mem::take(&mut self.pastes) {
            return vec![text(&held)];
        }
        held.into_iter().filter_map(of_one_byte).map(Typed::Key).collect()
    }

    fn pasted(&mut self, inputs: &mut Vec<Typed>) {
        if self.held.ends_with(PASTE_ENDS) {
            self.held.truncate(self.held.len() - PASTE_ENDS.len());
            inputs.push(text(&std::mem::take(&mut self.held)));
            self.pastes = false;
        } else if self.held.len() > PASTE_BYTES + PASTE_ENDS.len() {
            self.held.remove(PASTE_BYTES);
        }
    }

    /// Looks at what is held, of which all but the last byte was unfinished.
    fn typed(&mut self, inputs: &mut Vec<Typed>) {
        let last = *self.held.last().unwrap_or(&0);
        match self.held.as_slice() {
            [ESC] | [ESC, b'[' | b'O'] | [ESC, b'[', b'['] => {}
            // F1 to F5 of Linux's own console.
            [ESC, b'[', b'[', b'A'..=b'E'] => self.held.clear(),
            [ESC, b'[', b'[', ..] => self.no_sequence(inputs, last),
            [ESC, b'O', _] => self.sequence(inputs, of_single_shift(last)),
            [ESC, b'[', .., 0x20..=0x3f] if self.held.len() <= SEQUENCE_BYTES => {}
            [ESC, b'[', parameters @ .., 0x40..=0x7e] => {
                let what = of_sequence(parameters, last);
                self.pastes = self.held == PASTE_BEGINS;
                self.sequence(inputs, what);
            }
            [ESC, ..] => self.no_sequence(inputs, last),
            [0..=0x7f] => inputs.extend(self.keys_held()),
            [0xc2..=0xf4, ..] => self.character(inputs),
            // Begins no character.
            _ => self.held.clear(),
        }
    }

    /// No sequence after all: Esc was typed, and so was what follows.
    fn no_sequence(&mut self, inputs: &mut Vec<Typed>, last: u8) {
        self.held.pop();
        inputs.extend(self.keys_held());
        self.held.push(last);
        self.typed(inputs);
    }

    fn sequence(&mut self, inputs: &mut Vec<Typed>, what: Option<Typed>) {
        self.held.clear();
        inputs.extend(what);
    }

    /// A character of more than one byte (UTF-8).
    fn character(&mut self, inputs: &mut Vec<Typed>) {
        match std::str::from_utf8(&self.held) {
            Ok(character) => {
                inputs.extend(character.chars().filter(|c| !c.is_control()).map(Key::char).map(Typed::Key));
                self.held.clear();
            }
            Err(error) if error.error_len().is_none() => {}
            // What breaks a character may begin another one.
            Err(_) => {
                let last = self.held.pop();
                self.held.clear();
                if let Some(last) = last.filter(|last| last.is_ascii() || *last >= 0xc2) {
                    self.held.push(last);
                    self.typed(inputs);
                }
            }
        }
    }
}

fn text(bytes: &[u8]) -> Typed {
    Typed::Pasted(String::from_utf8_lossy(bytes).into_owned())
}

/// A key that is sent as one byte: Control and a letter are the letter's place in the alphabet.
fn of_one_byte(byte: u8) -> Option<Key> {
    Some(match byte {
        b'\r' => Key::plain(Code::Enter),
        b'\t' => Key::plain(Code::Tab),
        ESC => Key::plain(Code::Esc),
        0x7f | 0x08 => Key::plain(Code::Backspace),
        0x01..=0x1a => Key { code: Code::Char(char::from(byte - 1 + b'a')), ctrl: true },
        b' '..=b'~' => Key::char(char::from(byte)),
        _ => return None,
    })
}

/// A key as SS3 sends it: arrows, Home and End of a terminal in application mode.
fn of_single_shift(last: u8) -> Option<Typed> {
    moves(last).map(Key::plain).map(Typed::Key)
}

fn moves(last: u8) -> Option<Code> {
    Some(match last {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'F' => Code::End,
        b'H' => Code::Home,
        b'Z' => Code::BackTab,
        _ => return None,
    })
}

/// A key as CSI sends it: `1;5A` is Up with Control, `5~` Page up. The focus that is back draws anew.
fn of_sequence(parameters: &[u8], last: u8) -> Option<Typed> {
    let parameters = std::str::from_utf8(parameters).ok()?;
    if let Some(mouse) = parameters.strip_prefix('<') {
        return of_mouse(mouse, last).map(Typed::Mouse);
    }
    let (number, modifiers) = parameters.split_once(';').unwrap_or((parameters, ""));
    let code = match (last, number) {
        (b'I' | b'O', "") => return Some(Typed::Focus(last == b'I')),
        (b'~', "1" | "7") => Code::Home,
        (b'~', "4" | "8") => Code::End,
        (b'~', "5") => Code::PageUp,
        (b'~', "6") => Code::PageDown,
        (b'~', _) => return None,
        (_, "" | "1") => moves(last)?,
        _ => return None,
    };
    // One more than the sum of Shift 1, Alt 2, Control 4 and Super 8. No binding has Alt or Super.
    let held = if modifiers.is_empty() { 0 } else { modifiers.parse::<u8>().ok()?.checked_sub(1)? };
    (held & !0b101 == 0).then_some(Typed::Key(Key { code, ctrl: held & 0b100 != 0 }))
}

/// The mouse as xterm's SGR mode sends it: the button with its modifiers, column and row from 1; `M` for pressed. With a
/// modifier held it means nothing: that is how a terminal is asked to select text all the same.
fn of_mouse(parameters: &str, last: u8) -> Option<Mouse> {
    let mut numbers = parameters.split(';').map(|number| number.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    if last != b'M' || numbers.next().is_some() {
        return None;
    }
    match button {
        0 => Some(Mouse::Click { column: column.checked_sub(1)?, row: row.checked_sub(1)? }),
        64 => Some(Mouse::Wheel { down: false }),
        65 => Some(Mouse::Wheel { down: true }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes of these packets, each of which is there before the rest of a sequence could be late.
    fn of(packets: &[&str]) -> String {
        let mut decoder = Decoder::default();
        let mut inputs: Vec<Typed> = packets.iter().flat_map(|packet| decoder.take(packet.as_bytes())).collect();
        inputs.extend(decoder.patience().map(|_| decoder.give_up()).unwrap_or_default());
        said(&inputs)
    }

    fn said(inputs: &[Typed]) -> String {
        let words = inputs.iter().map(|input| match input {
            Typed::Key(Key { code: Code::Char(c), ctrl }) => format!("{}{c}", if *ctrl { "^" } else { "" }),
            Typed::Key(Key { code, ctrl }) => format!("{}{code:?}", if *ctrl { "^" } else { "" }),
            other => format!("{other:?}"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn keys_are_known_as_terminals_send_them() {
        for (sent, typed) in [
            ("yR[]é€😀", "y R [ ] é € 😀"),
            ("\r\t\x7f\x08\x1b", "Enter Tab Backspace Backspace Esc"),
            ("\x03\x15\x1a", "^c ^u ^z"),
            ("\x1b[A\x1b[B\x1b[C\x1b[D", "Up Down Right Left"),
            ("\x1bOA\x1bOB\x1bOH\x1bOF", "Up Down Home End"),
            ("\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~", "Home End Home End Home End"),
            ("\x1b[5~\x1b[6~\x1b[Z", "PageUp PageDown BackTab"),
            ("\x1b[1;5A\x1b[1;2B", "^Up Down"),
            ("\x1b[I", "Focus(true)"),
            ("\x1b[O", "Focus(false)"),
            ("\x1b[<0;3;4My", "Mouse(Click { column: 2, row: 3 }) y"),
            ("\x1b[<64;9;9M\x1b[<65;9;9M", "Mouse(Wheel { down: false }) Mouse(Wheel { down: true })"),
            ("\x1b[200~y\x1b[A\r\x1b[201~n", "Pasted(\"y\\u{1b}[A\\r\") n"),
        ] {
            assert_eq!(of(&[sent]), typed, "{sent:?}");
        }
    }

    #[test]
    fn what_no_binding_has_is_no_key() {
        // Function keys, Delete, Alt, Super, mouse, answers of a terminal; control characters.
        for sent in [
            "\x1b[11~",
            "\x1bOP",
            "\x1b[3~",
            "\x1b[1;3A",
            "\x1b[1;9A",
            "\x1b[<0;1;1m",
            "\x1b[<2;1;1M",
            "\x1b[<16;1;1M",
            "\x1b[<66;1;1M",
            "\x1b[<0;0;1M",
            "\x1b[<0;1M",
            "\x1b[<0;1;1;1M",
            "\x1b[<0;99999;1M",
            "\x1b[1;1R",
            "\0\x1c\x1f",
        ] {
            assert_eq!(of(&[sent]), "", "{sent:?}");
        }
    }

    #[test]
    fn esc_and_what_follows_it_are_both_typed() {
        for (sent, typed) in [
            ("\x1b]", "Esc ]"),
            ("\x1bR", "Esc R"),
            ("\x1b\x1b", "Esc Esc"),
            ("\x1b\x1b[A", "Esc Up"),
            ("\x1b[", "Esc ["),
            ("\x1bO", "Esc O"),
            ("\x1b[[R", "Esc [ [ R"),
            ("\x1b[\x1b", "Esc [ Esc"),
            ("\x1b[\r", "Esc [ Enter"),
            ("\x1bé", "Esc é"),
        ] {
            assert_eq!(of(&[sent]), typed, "{sent:?}");
        }
    }

    #[test]
    fn the_rest_of_a_sequence_that_does_not_come_costs_no_key() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.take(b"\x1b["), []);
        assert_eq!(decoder.patience(), Some(KEY));
        assert_eq!(said(&decoder.give_up()), "Esc [");
        assert_eq!(said(&decoder.take(b"R")), "R");
        assert_eq!(decoder.patience(), None);
    }

    #[test]
    fn a_pasted_text_is_waited_for_and_ends_all_the_same() {
        let mut decoder = Decoder::default();
        for part in ["\x1b[2", "00~yes", "\x1b[201"] {
            assert_eq!(decoder.take(part.as_bytes()), []);
            assert_eq!(decoder.patience(), Some(PASTE), "{part:?}");
        }
        assert_eq!(decoder.give_up(), [Typed::Pasted("yes\x1b[201".to_owned())]);
        assert_eq!(said(&decoder.take(b"R")), "R");
        // The rest of a text that was late is no key either, and what is behind it is.
        decoder.take(b"\x1b[200~hello ");
        assert_eq!(decoder.give_up(), [Typed::Pasted("hello ".to_owned())]);
        assert_eq!(said(&decoder.take(b"q y")), "");
        assert_eq!(said(&decoder.take(b"q rest\x1b[201~n")), "n");
        let long = "y".repeat(3 * PASTE_BYTES);
        let [Typed::Pasted(text)] = &decoder.take(format!("\x1b[200~{long}\x1b[201~").as_bytes())[..] else { panic!() };
        assert!((PASTE_BYTES..PASTE_BYTES + 2 * PASTE_ENDS.len()).contains(&text.len()), "{}", text.len());
    }

    /// Bytes of keyboards, of their sequences cut and joined, and of anything.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            4 => "[yR\\[\\]a-z]".prop_map(String::into_bytes),
            4 => proptest::sample::select(vec![
                "\x1b", "\x1b[", "\x1bO", "\x1b[A", "\x1b[1;5A", "\x1b[200~", "\x1b[201~", "\x1b[2", "\x1b[<0;3;4M", "\x1b[<6", "é", "€", "\r", "\x1b]",
            ]).prop_map(|text| text.as_bytes().to_vec()),
            1 => proptest::collection::vec(any::<u8>(), 0..8),
        ];
        proptest::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_arrive(bytes in bytes(), cuts in proptest::collection::vec(0usize..64, 0..6)) {
            let mut whole = Decoder::default();
            let mut expected = whole.take(&bytes);
            expected.extend(whole.give_up());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let mut decoder = Decoder::default();
            let mut found: Vec<Typed> =
                cuts.windows(2).flat_map(|cut| decoder.take(&bytes[cut[0]..cut[1]])).collect();
            found.extend(decoder.give_up());
            prop_assert_eq!(found, expected);
            prop_assert!(decoder.patience().is_none());
        }

        #[test]
        fn what_is_typed_alone_is_always_typed(before in bytes(), key in "[yR\\[\\]qn1-6]") {
            let mut decoder = Decoder::default();
            decoder.take(&before);
            decoder.give_up();
            prop_assert_eq!(said(&decoder.take(key.as_bytes())), key);
        }

        #[test]
        fn nothing_that_is_pasted_is_a_key(pasted in "[^\x1b]{0,40}", cut in 0usize..60) {
            let sent = format!("\x1b[200~{pasted}\x1b[201~");
            let (first, rest) = sent.as_bytes().split_at(cut.min(sent.len()));
            let mut decoder = Decoder::default();
            let mut found = decoder.take(first);
            // Esc and `[` may have been typed: when nothing follows, that is what they are.
            let late = if decoder.patience() == Some(KEY) { decoder.give_up() } else { Vec::new() };
            prop_assert!(["", "Esc", "Esc ["].contains(&said(&late).as_str()));
            found.extend(decoder.take(rest));
            prop_assert_eq!(found, [Typed::Pasted(pasted)]);
        }
    }
}
