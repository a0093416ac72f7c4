//! What came of a cell, and which promise it broke.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::cell::Cell;
use super::table::{Deed, Does};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Code(i32),
    ByForce,
    Never,
}

/// How a cell ended, as the document names it by a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Done,
    Found,
    Followed,
    ReadOtherwise,
    AlreadySo,
    Unknown,
    NotMade,
    Refused,
    Ended,
    Broken,
}

impl Outcome {
    pub(super) const ALL: [Self; 10] = [
        Self::Done,
        Self::Found,
        Self::Followed,
        Self::ReadOtherwise,
        Self::AlreadySo,
        Self::Unknown,
        Self::NotMade,
        Self::Refused,
        Self::Ended,
        Self::Broken,
    ];

    pub(super) const fn letter(self) -> char {
        match self {
            Self::Done => 'D',
            Self::Found => 'F',
            Self::Followed => 'A',
            Self::ReadOtherwise => 'O',
            Self::AlreadySo => 'S',
            Self::Unknown => 'U',
            Self::NotMade => 'N',
            Self::Refused => '–',
            Self::Ended => 'K',
            Self::Broken => '!',
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Done => "done, and said to be done; exit 0",
            Self::Found => "its answer was lost, the records showed that it was made; exit 0",
            Self::Followed => {
                "made and said to be accepted; it could not be followed to INSYNC or read back, exit 1, 5 or 6"
            }
            Self::ReadOtherwise => "made, and read back as something else, which is said; exit 4",
            Self::AlreadySo => {
                "refused, and the records are as wanted: called somebody else's, and no baseline; exit 4"
            }
            Self::Unknown => "sent, not known and said so with its end, exit 6; the next start settled it",
            Self::NotMade => "sent, not made, and said not to be made; exit 4 or 6",
            Self::Refused => "refused, nothing was sent; exit 1, 3, 4, 5 or 6",
            Self::Ended => "the process was ended from outside; the next start told the truth",
            Self::Broken => "a promise was broken",
        }
    }
}

/// What was seen of a cell.
pub(super) struct Seen {
    pub(super) cell: Cell,
    pub(super) ended: Ended,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) took: Duration,
    /// How often the fault came.
    pub(super) happened: usize,
    pub(super) counts: BTreeMap<(String, String), usize>,
    /// Batches on their way.
    pub(super) sent: usize,
    /// Batches of this command that Route 53 made.
    pub(super) made: usize,
    /// Batches of a colleague's.
    pub(super) colleague: usize,
    /// Whether the records are others than before.
    pub(super) moved: bool,
    pub(super) broken: Vec<String>,
}

impl Seen {
    /// What the command said, as far as it is one object.
    fn said(&self) -> Option<Value> {
        serde_json::from_str(self.stdout.trim_end()).ok()
    }

    pub(super) fn outcome(&self) -> Outcome {
        if !self.broken.is_empty() {
            return Outcome::Broken;
        }
        match self.ended {
            Ended::ByForce | Ended::Never => Outcome::Ended,
            Ended::Code(code) => self.by_words(code),
        }
    }

    fn by_words(&self, code: i32) -> Outcome {
        let said = self.said().unwrap_or_default();
        let result = said["result"].as_str().unwrap_or_default();
        let error = said["error"]["code"].as_str().unwrap_or_default();
        let message = said["error"]["message"].as_str().unwrap_or_default();
        match (code, result) {
            (0, "settled") => Outcome::Found,
            (0, "nothing_to_do") => Outcome::Refused,
            (0, _) => Outcome::Done,
            _ if error == "not_known" || message.contains("may be made until") => Outcome::Unknown,
            _ if message.contains("was accepted and stays") => Outcome::Followed,
            _ if message.contains("are not what was confirmed") => Outcome::ReadOtherwise,
            _ if message.contains("already so, by somebody else") => Outcome::AlreadySo,
            _ if self.sent > 0 => Outcome::NotMade,
            _ => Outcome::Refused,
        }
    }

    /// Whether the records are as wanted, and were called somebody else's.
    pub(super) fn is_called_somebody_elses(&self) -> bool {
        matches!(self.ended, Ended::Code(code) if self.by_words(code) == Outcome::AlreadySo)
    }

    /// Holds the end of the command against what happened.
    pub(super) fn judge_end(&mut self, bound: Duration) {
        let mut broken = Vec::new();
        let is_ending = matches!(self.cell.fault.does, Does::Host(deed) if deed.ends_it());
        let is_endpoint = matches!(self.cell.fault.does, Does::Endpoint(_));
        if self.happened == 0 && !is_endpoint {
            broken.push(format!("the moment never came: {:?}", self.counts));
        }
        if self.stderr.contains("panicked") {
            broken.push("it panicked".to_owned());
        }
        if self.stderr.chars().chain(self.stdout.chars()).any(|c| c.is_control() && c != '\n') {
            broken.push("it printed a control character".to_owned());
        }
        if self.stderr.contains("tracing-subscriber") {
            broken.push("it printed words of a library".to_owned());
        }
        if self.made > 1 {
            broken.push(format!("{} batches were made", self.made));
        }
        if self.moved && self.made == 0 && self.colleague == 0 {
            broken.push("the records are others, and nobody made a batch".to_owned());
        }
        match self.ended {
            Ended::Never => broken.push(format!("it did not end within {} s", bound.as_secs())),
            Ended::ByForce if !is_ending => broken.push("it ended by a signal that nobody sent".to_owned()),
            Ended::ByForce => {}
            Ended::Code(code) => self.judge_words(code, &mut broken),
        }
        self.broken.extend(broken);
    }

    fn judge_words(&self, code: i32, broken: &mut Vec<String>) {
        let Some(said) = self.said() else {
            return broken.push(format!("exit {code}, and no object on stdout: {}", self.stdout));
        };
        let error = said["error"]["code"].as_str().unwrap_or_default();
        let right = match error {
            "" => 0,
            "gate" | "refused" | "blocked" => 3,
            "conflict" => 4,
            "declined" | "interrupted" | "read_only" => 5,
            "throttled" | "denied" | "credentials" | "timed_out" | "unreachable" | "garbled" | "not_known"
            | "not_made" => 6,
            _ => 1,
        };
        if right != code {
            broken.push(format!("exit {code} for `{error}`"));
        }
        let (outcome, made) = (self.by_words(code), self.made > 0);
        match outcome {
            Outcome::Done | Outcome::Found | Outcome::Followed | Outcome::ReadOtherwise if !made => {
                broken.push("it is said to be made and was not".to_owned());
            }
            Outcome::NotMade | Outcome::Refused if made => {
                broken.push("it was made and is not said to be".to_owned());
            }
            _ => {}
        }
        let lost = matches!(self.cell.fault.does, Does::Host(Deed::WrittenBefore)) && self.cell.moment.is_sending();
        if lost && made {
            broken.push("a colleague's write was lost".to_owned());
        }
    }

    /// Everything that whoever mends it wants to see.
    pub(super) fn told(&self) -> String {
        format!(
            "{}: {:?} after {:.1?}, the fault came {} times, {} sent, {} made, {} by a colleague\n    {}\n    stdout: {}\n    \
             stderr: {}",
            self.cell.name(),
            self.ended,
            self.took,
            self.happened,
            self.sent,
            self.made,
            self.colleague,
            self.broken.join("\n    "),
            self.stdout.trim_end(),
            self.stderr.trim_end().replace('\n', "\n            "),
        )
    }
}
