//! How far a request to stop a run has come, as the run's folder tells.
//!
//! Pure. Whoever makes such a request needs no turn, so that others may look while he is at it: he holds his own mark from
//! before his intent is noted until its outcome is, and nobody else says meanwhile what came of it.

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was sent.
    NotBegun,
    /// The signal was about to be sent: it may have been, or not.
    About,
    /// The run was asked before, and nothing was sent.
    AskedBefore,
    /// The signal could not be sent.
    NotSent,
    /// The signal was sent.
    Sent,
}

/// All of them, with the words that a run's folder has for them.
const WORDS: &[(Stage, &str)] = &[
    (Stage::About, "about to send"),
    (Stage::AskedBefore, "asked before"),
    (Stage::NotSent, "not sent"),
    (Stage::Sent, "sent"),
];

impl Stage {
    /// What the run's folder has of it.
    #[must_use]
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(stage, _)| *stage == self).map_or("", |(_, word)| word)
    }

    /// What the lines of a mark say; what cannot be read may have been about to send it.
    #[must_use]
    pub fn of(lines: &str) -> Self {
        let Some(last) = lines.lines().last() else { return Self::NotBegun };
        WORDS.iter().find(|(_, word)| *word == last).map_or(Self::About, |(stage, _)| *stage)
    }
}

/// One request to stop a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopSeen {
    /// The intent of its change.
    pub intent: String,
    /// Whether whoever made it lives and has not noted its outcome yet.
    pub is_held: bool,
    /// How far it has come.
    pub stage: Stage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_read_as_it_was_written_and_half_a_line_proves_nothing() {
        assert_eq!(Stage::of(""), Stage::NotBegun);
        for (stage, word) in WORDS {
            assert_eq!(Stage::of(&format!("about to send\n{word}\n")), *stage);
            assert_eq!(stage.word(), *word);
        }
        assert_eq!(Stage::of("about to send\nse"), Stage::About);
    }
}
