//! What can happen ([`Msg`]) and what can be asked of the runtime ([`Effect`]). Both closed, both comparable.
//!
//! Pure. Every effect that is answered carries a request number; an answer with a number that is not under way changes
//! nothing.

use std::time::Duration;

use crate::keymap::{Key, View};

use super::change::outcome::Outcome;
use super::change::{Change, turn::Stage};
use super::confirm::Confirmed;
use super::error::PortError;
use super::evidence::servers::Sample;
use super::facts::{Observation, Query, Source};
use super::model::{Listing, Shown};
use super::provision::{PulumiAnswer, PulumiProblem, PulumiQuery};
use super::record::Entry;
pub use super::request::Request;
use super::stack_reload::StackReloaded;
use super::time::Moment;
use super::traffic::RecordGroup;
use super::units::Timestamp;

/// A fact for `update`.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// A key was typed.
    Key(Key),
    /// The wheel was turned.
    Wheel {
        /// Down.
        down: bool,
    },
    /// The tab of a view was clicked.
    Tab(View),
    /// The program was stopped, and goes on.
    Continued,
    /// The terminal has the focus again, or no longer.
    Focus(bool),
    /// Text was pasted. It is never an answer: only a line of text that is being typed takes it.
    Pasted(String),
    /// Time went on.
    Tick {
        /// The clock that the facts are dated with, beside one that nobody sets.
        now: Moment,
        /// A steady clock since the program started; dialogs live by it.
        uptime: Duration,
    },
    /// The frame for the present model is on the screen.
    Drawn {
        /// When.
        uptime: Duration,
        /// How the view's list came out on the screen.
        listing: Listing,
        /// How much of what is open the frame held.
        shown: Shown,
    },
    /// A question was answered, or failed, or ran into its deadline.
    Answer {
        /// Which question.
        request: Request,
        /// Its source.
        source: Source,
        /// What came.
        result: Result<Observation, PortError>,
        /// When it came.
        at: Timestamp,
        /// How far this host's clock is ahead of AWS's, in milliseconds, when it is known and was not corrected for.
        clock_skew_ms: Option<i64>,
    },
    /// The journal was read.
    JournalRead {
        /// Entries, oldest first, and the number of broken lines.
        result: Result<(Vec<Entry>, usize), PortError>,
        /// What changes with every append, as it was before the reading.
        stamp: Option<u64>,
    },
    /// Nothing was appended to the journal since it was last read.
    JournalSame,
    /// An entry that `update` asked for was written, or not.
    Appended {
        /// The entry as it is on disk, or why it is not.
        result: Result<Entry, PortError>,
    },
    /// How far a change is that is being carried out.
    Stage {
        /// Which request.
        request: Request,
        /// How far.
        stage: Stage,
    },
    /// A change was carried out to its end, whatever that was.
    Executed {
        /// Which request.
        request: Request,
        /// How it ended.
        outcome: Outcome,
        /// What was written to the journal on the way.
        entries: Vec<Entry>,
    },
    /// An answer of Pulumi, or of the zone.
    Pulumi {
        /// Which request.
        request: Request,
        /// What came.
        answer: PulumiAnswer,
    },
    /// The stack was read anew, or could not be.
    StackReloaded {
        /// Which request.
        request: Request,
        /// What it is now.
        result: Result<Box<StackReloaded>, PulumiProblem>,
    },
    /// The ports of a reading that the model has taken were not there: what it shows and what is asked may differ.
    NotSwitched,
    /// The zone's name servers were asked, or could not be.
    NameServers {
        /// Which request.
        request: Request,
        /// What they answered.
        result: Result<Sample, PortError>,
    },
    /// A change that an earlier process had left without an outcome was settled, or could not be.
    Settled {
        /// Which request.
        request: Request,
        /// Entries written; empty when another process had settled it.
        result: Result<Vec<Entry>, PortError>,
    },
}

/// A request to the runtime.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask the outside; answered by [`Msg::Answer`].
    Observe {
        /// Number.
        request: Request,
        /// Question.
        query: Query,
    },
    /// Read the whole journal, unless nothing was appended since it had that stamp; answered by [`Msg::JournalRead`] or
    /// [`Msg::JournalSame`].
    ReadJournal {
        /// What it had when it was last read; nothing to read it whatever it has.
        known: Option<u64>,
    },
    /// Write this to the journal; answered by [`Msg::Appended`].
    Append(Entry),
    /// Journal the intent, send the batch, journal the outcome; answered by [`Msg::Executed`], with [`Msg::Stage`] on
    /// the way.
    Execute {
        /// Number.
        request: Request,
        /// The change, confirmed by a person.
        change: Confirmed<Change>,
    },
    /// Settle a change that an earlier process left open; answered by [`Msg::Settled`].
    Settle {
        /// Number.
        request: Request,
    },
    /// Ask each of the zone's name servers for the record; answered by [`Msg::NameServers`].
    AskNameServers {
        /// Number.
        request: Request,
        /// What is asked for.
        group: Box<RecordGroup>,
    },
    /// Ask Pulumi; answered by [`Msg::Pulumi`], a followed run by many.
    AskPulumi {
        /// Number.
        request: Request,
        /// What to do.
        query: PulumiQuery,
    },
    /// Read anew what the stack is; answered by [`Msg::StackReloaded`].
    ReloadStack {
        /// Number.
        request: Request,
    },
    /// From now on, ask about the stack as that request read it.
    Switch {
        /// Number of the [`Effect::ReloadStack`].
        request: Request,
    },
    /// Ring the terminal's bell.
    Bell,
    /// Put this into the clipboard of the terminal.
    Copy(String),
    /// Tell this to whoever looks elsewhere.
    Notify(String),
    /// Take the reports of the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Draw the whole screen anew.
    Redraw,
    /// Give the terminal to the shell and stop, until the shell lets the program go on.
    Suspend,
    /// End the loop.
    Quit,
}
