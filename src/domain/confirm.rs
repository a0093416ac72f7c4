//! The confirmation: the only place where a [`Confirmed`] value is made, and so the only way to a write.
//!
//! Pure. Times here are *uptime* (a steady clock since the program started), never the time of day, so that a clock
//! that is set or a simulator that runs fast cannot arm or outlive a dialog.
//!
//! A key counts only when it was typed after the *whole* dialog had been on the screen for [`ARMS_AFTER`]. A frame that
//! holds only a part of it, because the window is small or became so, takes that back. The dialog dies after
//! [`EXPIRES_AFTER`] and whenever what it asked about changes.

use std::time::Duration;

/// A dialog takes no answer before it was visible for this long, so that a doubled keypress cannot answer it.
pub const ARMS_AFTER: Duration = Duration::from_millis(700);
/// A dialog that nobody answers closes by itself: what it shows grows old.
pub const EXPIRES_AFTER: Duration = Duration::from_secs(30);
/// Longest text that can be typed into a dialog; a DNS name has at most 255 characters.
pub const MAX_TYPED: usize = 255;

/// Proof that a person (or `--yes` on a command line) said yes to exactly this value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed<T>(T);

impl<T> Confirmed<T> {
    /// What was confirmed.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// What was confirmed, by value.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// The part of a confirmed question that `pick` takes out of it; it must only take apart, never make up.
    pub(crate) fn narrow<U>(self, pick: impl FnOnce(T) -> Option<U>) -> Option<Confirmed<U>> {
        pick(self.0).map(Confirmed)
    }

    /// Takes a confirmed value apart into its kind; `by` must only take apart, never make up.
    pub(crate) fn split<R>(self, by: impl FnOnce(T, Seal) -> R) -> R {
        by(self.0, Seal(()))
    }

    /// A confirmation given on the command line.
    pub fn by_flag(subject: T, _yes: YesFlag) -> Self {
        Self(subject)
    }
}

/// Says that what is taken out of a confirmed value is confirmed too. Only [`Confirmed::split`] hands one out, and it
/// serves once.
#[derive(Debug)]
pub(crate) struct Seal(());

impl Seal {
    /// The confirmed part.
    pub(crate) fn on<U>(self, part: U) -> Confirmed<U> {
        let Self(()) = self;
        Confirmed(part)
    }
}

/// `--yes` as it was typed. Only made where the command line is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YesFlag(());

impl YesFlag {
    /// The flag, when it was given.
    #[must_use]
    pub fn from_cli(given: bool) -> Option<Self> {
        given.then_some(Self(()))
    }

    /// The answer to a question on a plain terminal (no cockpit): the word `yes`, or the text that had to be typed.
    #[must_use]
    pub fn from_answer(answer: &str, challenge: &Challenge) -> Option<Self> {
        let answer = answer.trim();
        let given = match challenge {
            Challenge::Yes => answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"),
            Challenge::Typed(text) => answer.trim_end_matches('.') == text.trim_end_matches('.'),
        };
        given.then_some(Self(()))
    }
}

/// What the operator has to do to say yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Press `y`.
    Yes,
    /// Type this text and press Enter.
    Typed(String),
}

/// A key as a dialog understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogKey {
    /// A printable character.
    Char(char),
    /// Enter.
    Enter,
    /// Backspace.
    Backspace,
    /// Ctrl-U, which empties a line wherever one is typed.
    Clear,
    /// Escape, Ctrl-C, or any other key that is no text.
    Other,
}

/// What a key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// The dialog stays.
    Open(Confirmation<T>),
    /// The operator let it be.
    Declined(T),
    /// The operator said yes.
    Confirmed(Confirmed<T>),
}

/// An open question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation<T> {
    subject: T,
    challenge: Challenge,
    /// Since when every frame held the whole of it.
    drawn_at: Option<Duration>,
    /// Whether a frame held it or a part of it.
    was_seen: bool,
    opened_at: Duration,
    typed: String,
}

impl<T> Confirmation<T> {
    /// Asks about `subject`.
    pub fn new(subject: T, challenge: Challenge, uptime: Duration) -> Self {
        Self { subject, challenge, drawn_at: None, was_seen: false, opened_at: uptime, typed: String::new() }
    }

    /// What is asked about.
    pub fn subject(&self) -> &T {
        &self.subject
    }

    /// What is asked about has become this. What says more than before has to be read first, so it arms anew, and has all
    /// of its time.
    pub fn amend(&mut self, subject: T, says_more: bool, uptime: Duration) {
        self.subject = subject;
        if says_more {
            (self.drawn_at, self.opened_at) = (None, uptime);
        }
    }

    /// What has to be done to say yes.
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// What was typed so far.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The whole dialog is on the screen now; of several calls in a row only the first counts.
    pub fn drawn(&mut self, uptime: Duration) {
        self.was_seen = true;
        self.drawn_at.get_or_insert(uptime);
    }

    /// Only a part of the dialog is on the screen: it takes no answer until the whole of it was there for long enough.
    pub fn cut(&mut self) {
        self.was_seen = true;
        self.drawn_at = None;
    }

    /// Whether it takes answers.
    pub fn is_armed(&self, uptime: Duration) -> bool {
        self.drawn_at.is_some_and(|drawn| uptime.saturating_sub(drawn) >= ARMS_AFTER)
    }

    /// Time until it closes by itself.
    pub fn left(&self, uptime: Duration) -> Duration {
        EXPIRES_AFTER.saturating_sub(uptime.saturating_sub(self.drawn_at.unwrap_or(self.opened_at)))
    }

    /// Whether it has outlived its time.
    pub fn is_expired(&self, uptime: Duration) -> bool {
        self.left(uptime).is_zero()
    }

    /// Takes a key. Before the dialog is armed every key is thrown away, but for those that close it after it was seen.
    pub fn key(mut self, key: DialogKey, uptime: Duration) -> Answer<T> {
        if self.is_expired(uptime) {
            return Answer::Declined(self.subject);
        }
        if !self.is_armed(uptime) {
            let closes = self.was_seen && key == DialogKey::Other;
            return if closes { Answer::Declined(self.subject) } else { Answer::Open(self) };
        }
        match (&self.challenge, key) {
            (Challenge::Yes, DialogKey::Char('y' | 'Y')) => Answer::Confirmed(Confirmed(self.subject)),
            (Challenge::Yes, _) | (Challenge::Typed(_), DialogKey::Other) => Answer::Declined(self.subject),
            (Challenge::Typed(_), DialogKey::Char(c)) => {
                if self.typed.chars().count() < MAX_TYPED {
                    self.typed.push(c);
                }
                Answer::Open(self)
            }
            (Challenge::Typed(_), DialogKey::Clear) => {
                self.typed.clear();
                Answer::Open(self)
            }
            (Challenge::Typed(_), DialogKey::Backspace) => {
                self.typed.pop();
                Answer::Open(self)
            }
            (Challenge::Typed(_), DialogKey::Enter) => {
                if YesFlag::from_answer(&self.typed, &self.challenge).is_some() {
                    Answer::Confirmed(Confirmed(self.subject))
                } else {
                    self.typed.clear();
                    Answer::Open(self)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(100);

    fn shown(challenge: Challenge) -> Confirmation<u8> {
        let mut question = Confirmation::new(7, challenge, START);
        question.drawn(START);
        question
    }

    #[test]
    fn a_line_can_be_emptied_and_typed_again() {
        let mut question = shown(Challenge::Typed("prod".into()));
        let armed = START + ARMS_AFTER;
        for key in [DialogKey::Char('p'), DialogKey::Char('x'), DialogKey::Clear] {
            let Answer::Open(open) = question.key(key, armed) else { panic!("it stays open") };
            question = open;
        }
        assert_eq!(question.typed(), "");
        let question = shown(Challenge::Yes);
        assert!(matches!(question.key(DialogKey::Clear, armed), Answer::Declined(_)), "there is no line to empty");
    }

    #[test]
    fn a_key_typed_before_the_dialog_was_drawn_is_thrown_away() {
        let question = Confirmation::new(7, Challenge::Yes, START);
        assert!(matches!(question.key(DialogKey::Char('y'), START + ARMS_AFTER), Answer::Open(_)));
    }

    #[test]
    fn a_doubled_keypress_does_not_answer() {
        let early = START + ARMS_AFTER.saturating_sub(Duration::from_millis(1));
        assert!(matches!(shown(Challenge::Yes).key(DialogKey::Char('y'), early), Answer::Open(_)));
        assert!(matches!(shown(Challenge::Yes).key(DialogKey::Char('y'), START + ARMS_AFTER), Answer::Confirmed(_)));
    }

    #[test]
    fn a_dialog_that_is_no_longer_whole_on_the_screen_takes_no_answer_until_it_is_again() {
        let mut question = shown(Challenge::Yes);
        question.cut();
        let later = START + ARMS_AFTER * 2;
        assert!(!question.is_armed(later));
        let Answer::Open(mut question) = question.key(DialogKey::Char('y'), later) else { panic!("a hidden yes") };
        question.drawn(later);
        assert!(!question.is_armed(later), "it arms anew");
        assert!(question.is_armed(later + ARMS_AFTER));
        question.cut();
        assert!(
            matches!(question.key(DialogKey::Other, later), Answer::Declined(7)),
            "Escape leaves what is half seen"
        );
    }

    #[test]
    fn what_says_more_than_before_is_read_for_as_long_as_if_it_were_asked_now() {
        let mut question = shown(Challenge::Typed("prod".into()));
        let late = START + EXPIRES_AFTER.saturating_sub(Duration::from_millis(1));
        question.amend(8, true, late);
        assert!(!question.is_expired(late + ARMS_AFTER) && !question.is_armed(late + ARMS_AFTER));
        question.drawn(late);
        assert!(question.is_armed(late + ARMS_AFTER) && question.is_expired(late + EXPIRES_AFTER));
        question.amend(9, false, late + ARMS_AFTER);
        assert!(question.is_armed(late + ARMS_AFTER) && question.is_expired(late + EXPIRES_AFTER));
    }

    #[test]
    fn any_other_key_leaves_things_as_they_are() {
        for key in [DialogKey::Char('n'), DialogKey::Char(']'), DialogKey::Enter, DialogKey::Other] {
            assert!(matches!(shown(Challenge::Yes).key(key, START + ARMS_AFTER), Answer::Declined(7)));
        }
    }

    #[test]
    fn it_dies_of_age() {
        assert!(matches!(shown(Challenge::Yes).key(DialogKey::Char('y'), START + EXPIRES_AFTER), Answer::Declined(7)));
    }

    #[test]
    fn the_name_has_to_be_typed_in_full() {
        let mut question = shown(Challenge::Typed("app.example.com.".into()));
        let later = START + ARMS_AFTER;
        for c in "app.example.co".chars() {
            question = match question.key(DialogKey::Char(c), later) {
                Answer::Open(open) => open,
                other => panic!("closed early: {other:?}"),
            };
        }
        let Answer::Open(question) = question.key(DialogKey::Enter, later) else { panic!("half a name was taken") };
        assert_eq!(question.typed(), "");
        let mut question = question;
        for c in "app.example.com".chars() {
            let Answer::Open(open) = question.key(DialogKey::Char(c), later) else { panic!() };
            question = open;
        }
        assert!(matches!(question.key(DialogKey::Enter, later), Answer::Confirmed(_)));
    }
}
