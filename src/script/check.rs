//! What a script expects, and what is said when it is not so.
//!
//! Pure.

/// Something that has to be so, or must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub expectation: Expectation,
    /// Whether it has to be so.
    pub wanted: bool,
}

/// What can be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// Text in one line of the screen.
    Screen(String),
    /// Text in an entry of the journal.
    Journal(String),
    /// The weights that Route 53 has, of the legacy and of the new stack.
    Weights((u64, u64)),
    /// How often AWS was asked something, as `service:Operation`.
    Calls(String, u64),
    /// The cockpit has been left.
    ProcessEnd,
}

/// What there is to look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The lines of the screen; nothing once the cockpit has been left.
    pub screen: Option<Vec<String>>,
    /// The journal's entries, a line for each.
    pub journal: Vec<String>,
    /// The weights that Route 53 has; nothing while the name is no pair.
    pub weights: Option<(u64, u64)>,
    /// How often the operation that is asked about was called.
    pub calls: u64,
}

impl Check {
    /// Whether it is as it has to be; else what was expected and what is there.
    ///
    /// # Errors
    /// Both, in a sentence.
    pub fn holds(&self, seen: &Seen) -> Result<(), String> {
        let (is_so, found) = match &self.expectation {
            Expectation::Screen(text) => match &seen.screen {
                Some(lines) => {
                    let line = lines.iter().find(|line| stands_in(text, line));
                    (line.is_some(), line.map_or_else(|| "it is not on the screen".to_owned(), |l| on(l)))
                }
                None => return Err(format!("expected {}; the cockpit has been left", self.said())),
            },
            Expectation::Journal(text) => {
                let line = seen.journal.iter().find(|line| stands_in(text, line));
                let all = || format!("the journal says:\n  {}", seen.journal.join("\n  "));
                (line.is_some(), line.map_or_else(all, |l| on(l)))
            }
            Expectation::Weights(wanted) => {
                let found =
                    seen.weights.map_or_else(|| "the name is no pair".to_owned(), |(l, n)| format!("they are {l}/{n}"));
                (seen.weights == Some(*wanted), found)
            }
            Expectation::Calls(_, count) => (seen.calls == *count, format!("there were {}", seen.calls)),
            Expectation::ProcessEnd => (seen.screen.is_none(), "the cockpit is open".to_owned()),
        };
        if is_so == self.wanted { Ok(()) } else { Err(format!("expected {}; {found}", self.said())) }
    }

    /// What is expected, in a few words.
    #[must_use]
    pub fn said(&self) -> String {
        let not = if self.wanted { "" } else { "not " };
        match &self.expectation {
            Expectation::Screen(text) => format!("{not}{text:?} on the screen"),
            Expectation::Journal(text) => format!("{not}{text:?} in the journal"),
            Expectation::Weights((legacy, new)) => format!("{not}the weights {legacy}/{new}"),
            Expectation::Calls(operation, count) => format!("{not}{count} calls of {operation}"),
            Expectation::ProcessEnd => format!("the cockpit {not}to have been left"),
        }
    }
}

fn on(line: &str) -> String {
    format!("there is: {}", line.trim())
}

/// Whether the text stands in the line: its pieces between `…` in this order, any run of spaces as one.
fn stands_in(text: &str, line: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = plain(line);
    let mut rest = line.as_str();
    for piece in text.split(['…']).flat_map(|piece| piece.split("...")) {
        let piece = plain(piece);
        match rest.find(&piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_whatever_the_spaces_and_with_anything_for_three_dots() {
        let line = "│ BLOCKED   replication-lag: 157 s, at most 60 s │";
        for text in ["BLOCKED replication-lag", "BLOCKED … 157 s", "BLOCKED ... at most", "… 60 s"] {
            assert!(stands_in(text, line), "{text}");
        }
        for text in ["replication-lag BLOCKED", "BLOCKED … GO", "157s"] {
            assert!(!stands_in(text, line), "{text}");
        }
    }

    #[test]
    fn what_does_not_hold_says_what_was_expected_and_what_is_there() {
        let seen = Seen { screen: Some(vec!["GO".to_owned()]), weights: Some((90, 10)), calls: 2, ..Seen::default() };
        let said = |expectation, wanted| Check { expectation, wanted }.holds(&seen);
        assert_eq!(said(Expectation::Screen("GO".to_owned()), true), Ok(()));
        let error = said(Expectation::Screen("GO".to_owned()), false).unwrap_err();
        assert_eq!(error, "expected not \"GO\" on the screen; there is: GO");
        let error = said(Expectation::Weights((100, 0)), true).unwrap_err();
        assert_eq!(error, "expected the weights 100/0; they are 90/10");
        let error = said(Expectation::Calls("sts:GetCallerIdentity".to_owned(), 1), true).unwrap_err();
        assert_eq!(error, "expected 1 calls of sts:GetCallerIdentity; there were 2");
        assert_eq!(said(Expectation::ProcessEnd, false), Ok(()));
        let left = Seen::default();
        let check = Check { expectation: Expectation::Screen("GO".to_owned()), wanted: false };
        assert!(check.holds(&left).unwrap_err().contains("has been left"));
    }
}
