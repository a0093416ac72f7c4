//! Golden scripts: a night at the cockpit as text that an engineer can read and write, and the machine that plays it.
//!
//! A script is played through the real loop, with the real AWS clients, on a simulator in this very process. Its time is
//! virtual: an hour of it takes seconds, and the same script gives the same night. `tapctl demo --script FILE` plays one;
//! those under `tests/golden` are played by the tests.
//!
//! One command a line; `#` begins a comment where it stands first or after a space.
//!
//! | command | what it does |
//! |---|---|
//! | `scenario NAME`, `seed N`, `read-only` | the world that is played; before anything else |
//! | `size 120x36` | the terminal's size, from then on |
//! | `advance 60`, `advance 10m` | lets virtual time pass; seconds, or with `s`, `m` or `h` |
//! | `press ] y`, `press esc` | presses keys, a tenth of a second apart, named as the help names them |
//! | `double y` | the same key twice within 30 ms, as a key that bounces sends it |
//! | `type TEXT`, `paste TEXT` | types text key by key, or pastes it as a whole |
//! | `fault SERVICE[:OPERATION] drop count=1` | a fault on the way to AWS, with the fields that `POST /_sim/fault` takes; or its JSON |
//! | `clear-faults` | ends all faults |
//! | `restart` | leaves the cockpit and opens another one on the same state folder |
//! | `expect TEXT`, `expect-not TEXT` | whether the text stands in one line of the screen; `…` stands for anything, spaces count as one |
//! | `expect weights 90/10` | the weights that Route 53 has |
//! | `expect calls route53:GetChange 2` | how often AWS was asked something |
//! | `expect journal TEXT` | whether the text stands in an entry of the journal; also `expect-not` |
//! | `expect exit` | that the cockpit has been left |
//! | `within 60 expect …` | the same, given so many seconds to come true |
//! | `show` | prints the screen |
//!
//! Text may stand in double quotes, which keeps its spaces and takes every special meaning away.

mod bastion;
mod check;
mod language;
mod play;
mod pulumi;
mod screen;

pub use bastion::{Bastion, Setting};
pub use check::{Check, Expectation};
pub use language::{Command, Mistake, Script, Step};
pub use play::{Failed, Heard, Played, Player, alone, one_cockpit, play};
pub use screen::Screen;
