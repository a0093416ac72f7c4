//! Keys: it does not matter how the bytes arrive, and nothing that is pasted is a key.

use tapctl::runtime::typed::{Decoder, Typed};

use super::driver::{Came, Target};

pub(super) struct Keys;

impl Target for Keys {
    fn name(&self) -> &'static str {
        "keys"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        ["yR[]é", "\x1b[A\x1b[1;5A", "\x1b[200~yes\x1b[201~n", "\x1bOA\x1b]", "\x1b[[A\x1b[<0;1;1M"]
            .map(Into::into)
            .into()
    }

    fn words(&self) -> &'static [&'static str] {
        &["\x1b", "\x1b[", "\x1bO", "\x1b[200~", "\x1b[201~", "\x1b[1;", "y", "R", "\r"]
    }

    fn takes(&self, input: &[u8]) -> Came {
        let whole = |parts: &[&[u8]]| {
            let mut decoder = Decoder::default();
            let mut typed: Vec<Typed> = parts.iter().flat_map(|part| decoder.take(part)).collect();
            typed.extend(decoder.give_up());
            (typed, decoder)
        };
        let (typed, mut decoder) = whole(&[input]);
        if decoder.patience().is_some() {
            return Err("it waits for more after it has given up".to_owned());
        }
        for cut in [1, input.len() / 3, input.len() / 2] {
            let (first, rest) = input.split_at(cut.min(input.len()));
            if whole(&[first, rest]).0 != typed {
                return Err(format!("cut at {cut} other keys come of it"));
            }
        }
        // Who presses a key alone is heard, whatever came before.
        if decoder.take(b"R").len() != 1 {
            return Err("the next key is lost".to_owned());
        }
        let kinds: String = typed
            .iter()
            .take(6)
            .map(|typed| match typed {
                Typed::Key(_) => 'k',
                Typed::Pasted(_) => 'p',
                Typed::Focus(true) => 'f',
                Typed::Focus(false) => 'o',
                Typed::Mouse(_) => 'm',
            })
            .collect();
        Ok(format!("{kinds} {}", typed.len().min(9)))
    }
}
