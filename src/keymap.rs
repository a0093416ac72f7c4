//! The one table of keys: dispatch, footer, help and the README's table all read it.
//!
//! Pure: a [`Key`] is what was typed, free of any terminal library. Adding a binding is one row of [`KEYMAP`].

/// What was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A printable character.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
}

/// A key with its Control modifier; Shift is part of the character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: Code,
    /// Whether Control was held.
    pub ctrl: bool,
}

impl Key {
    /// A key without Control.
    #[must_use]
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false }
    }

    /// A character without Control.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// How the key is written in help texts.
    #[must_use]
    pub fn label(self) -> String {
        let name = match self.code {
            Code::Char(' ') => "Space".to_owned(),
            Code::Char(c) => c.to_string(),
            Code::Enter => "Enter".to_owned(),
            Code::Esc => "Esc".to_owned(),
            Code::Tab => "Tab".to_owned(),
            Code::BackTab => "S-Tab".to_owned(),
            Code::Backspace => "Bksp".to_owned(),
            Code::Up => "Up".to_owned(),
            Code::Down => "Down".to_owned(),
            Code::Left => "Left".to_owned(),
            Code::Right => "Right".to_owned(),
            Code::PageUp => "PgUp".to_owned(),
            Code::PageDown => "PgDn".to_owned(),
            Code::Home => "Home".to_owned(),
            Code::End => "End".to_owned(),
        };
        if self.ctrl { format!("C-{name}") } else { name }
    }
}

/// The views, in the order of their number keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum View {
    /// Is it safe to move, what moves now, what is wrong.
    #[default]
    Overview,
    /// Weights, wanted and observed share, the change on its way.
    Traffic,
    /// Lag, throughput, tables, validation.
    Replication,
    /// Tasks, rollout, targets, legacy hosts, databases, alarms.
    Service,
    /// Pulumi.
    Provision,
    /// What was done.
    Journal,
}

impl View {
    /// Every view.
    pub const ALL: [Self; 6] =
        [Self::Overview, Self::Traffic, Self::Replication, Self::Service, Self::Provision, Self::Journal];

    /// Its title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Traffic => "Traffic",
            Self::Replication => "Replication",
            Self::Service => "Service",
            Self::Provision => "Provision",
            Self::Journal => "Journal",
        }
    }

    /// Its place, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|v| *v == self).unwrap_or(0)
    }

    /// The view `by` places further, round and round.
    #[must_use]
    pub fn turned(self, by: i8) -> Self {
        let count = Self::ALL.len() as i8;
        Self::ALL[(self.index() as i8 + by).rem_euclid(count) as usize]
    }
}

/// What the operator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Show a view.
    Go(View),
    /// Show the next view.
    NextView,
    /// Show the previous view.
    PreviousView,
    /// Propose moving the share of the new stack by so many percentage points.
    ProposeStep(i16),
    /// Ask for any share.
    PromptShare,
    /// Propose sending all traffic back.
    ProposeRollback,
    /// Ask for the reason of an evacuation.
    Evacuate,
    /// Take weights that somebody else set as the new base.
    AcceptFound,
    /// Hold the display still, or let it go.
    Freeze,
    /// Show another length of time on the charts.
    Zoom,
    /// Move the cursor on the charts by so many minutes; the first time it comes at the present.
    Cursor(i16),
    /// Ask every source again now.
    Refresh,
    /// Show or hide the help.
    Help,
    /// Type a filter for the list.
    Filter,
    /// Move the list by so many rows.
    Scroll(i16),
    /// Move the list by a page, down or up.
    Page(i16),
    /// First row.
    Top,
    /// Last row.
    Bottom,
    /// Say all that is known of the row at the pointer, or of the gates.
    Details,
    /// Give the terminal the row at the pointer, or how it all stands, to be pasted elsewhere.
    Copy,
    /// Take the mouse, or leave it to the terminal.
    Mouse,
    /// Close what is open, or drop the filter.
    Back,
    /// Say what `pulumi up` would do.
    Preview,
    /// Run the plan that was read.
    Up,
    /// Lead to the end of the stack.
    Destroy,
    /// Show and set the stack's configuration.
    Configure,
    /// Read how everything stands into Pulumi's state.
    RefreshState,
    /// Ask the run to stop.
    Stop,
    /// Turn the weighted pair back into one record.
    Release,
    /// Turn the simple record into the weighted pair.
    Adopt,
    /// Clear locks of the dead.
    ClearLocks,
    /// Show the next selection of resources.
    CycleShow,
    /// Show the run's log, or its resources.
    ToggleLog,
    /// Draw the whole screen anew: something else wrote on it.
    Redraw,
    /// Stop as any job does, and leave the terminal to the shell meanwhile.
    Suspend,
    /// Leave the program.
    Quit,
}

impl Action {
    /// Whether this proposes something that changes the world outside the terminal once it is confirmed.
    #[must_use]
    pub const fn is_mutating(self) -> bool {
        matches!(
            self,
            Self::ProposeStep(_)
                | Self::PromptShare
                | Self::ProposeRollback
                | Self::Evacuate
                | Self::AcceptFound
                | Self::Up
                | Self::Destroy
                | Self::Configure
                | Self::RefreshState
                | Self::Release
                | Self::Adopt
                | Self::ClearLocks
                | Self::Stop
                | Self::Preview
        )
    }

    /// Whether this only makes sense in the Provision view.
    #[must_use]
    pub const fn is_about_pulumi(self) -> bool {
        matches!(
            self,
            Self::Preview
                | Self::Up
                | Self::Destroy
                | Self::Configure
                | Self::RefreshState
                | Self::Stop
                | Self::Release
                | Self::ClearLocks
                | Self::CycleShow
                | Self::ToggleLog
        )
    }
}

/// One binding.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Keys that do it; the first one is shown in the footer.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// Two words for the footer; empty keeps the row out of it.
    pub short: &'static str,
    /// One sentence for the help.
    pub help: &'static str,
}

const fn row(keys: &'static [Key], action: Action, short: &'static str, help: &'static str) -> Binding {
    Binding { keys, action, short, help }
}

const fn ctrl(c: char) -> Key {
    Key { code: Code::Char(c), ctrl: true }
}

const fn ch(c: char) -> Key {
    Key::char(c)
}

const fn k(code: Code) -> Key {
    Key::plain(code)
}

/// Every binding outside of dialogs and text fields.
pub const KEYMAP: &[Binding] = &[
    row(&[ch(']'), ch('+')], Action::ProposeStep(10), "step +10", "propose 10 % more for new"),
    row(&[ch('['), ch('-')], Action::ProposeStep(-10), "step −10", "propose 10 % less for new"),
    row(&[ch('=')], Action::PromptShare, "", "propose a share: type it"),
    row(&[ch('R')], Action::ProposeRollback, "rollback", "propose all back to legacy"),
    row(&[ch('V')], Action::Evacuate, "", "evacuate the legacy region"),
    row(&[ch('a')], Action::AcceptFound, "", "accept weights as baseline"),
    row(&[ch('f')], Action::Freeze, "freeze", "freeze the display"),
    row(&[ch('/')], Action::Filter, "filter", "filter the list"),
    row(&[ch('z')], Action::Zoom, "", "zoom: 15 min, 1 h, 3 h"),
    row(&[ch('<')], Action::Cursor(-1), "", "charts: a minute back"),
    row(&[ch('>')], Action::Cursor(1), "", "charts: a minute on"),
    row(&[ch('r')], Action::Refresh, "", "ask every source again"),
    row(&[ch('e')], Action::Configure, "", "show and set configuration"),
    row(&[ch('p')], Action::Preview, "", "preview: what up would do"),
    row(&[ch('u')], Action::Up, "", "up: run the plan as read"),
    row(&[ch('D')], Action::Destroy, "", "release, preview, destroy"),
    row(&[ch('S')], Action::RefreshState, "", "refresh Pulumi's state"),
    row(&[ch('x')], Action::Stop, "", "stop the run; again: force"),
    row(&[ch('A')], Action::Adopt, "", "adopt: make it weighted"),
    row(&[ch('E')], Action::Release, "", "release: make it simple"),
    row(&[ch('c')], Action::ClearLocks, "", "clear stale locks"),
    row(&[ch('s')], Action::CycleShow, "", "which resources to list"),
    row(&[ch('o')], Action::ToggleLog, "", "the log, or the resources"),
    row(&[ch('1')], Action::Go(View::Overview), "", "Overview"),
    row(&[ch('2')], Action::Go(View::Traffic), "", "Traffic"),
    row(&[ch('3')], Action::Go(View::Replication), "", "Replication"),
    row(&[ch('4')], Action::Go(View::Service), "", "Service"),
    row(&[ch('5')], Action::Go(View::Provision), "", "Provision"),
    row(&[ch('6')], Action::Go(View::Journal), "", "Journal"),
    row(&[k(Code::Tab), k(Code::Right), ch('l')], Action::NextView, "", "next view"),
    row(&[k(Code::BackTab), k(Code::Left), ch('h')], Action::PreviousView, "", "previous view"),
    row(&[k(Code::Down), ch('j')], Action::Scroll(1), "", "a row down"),
    row(&[k(Code::Up), ch('k')], Action::Scroll(-1), "", "a row up"),
    row(&[k(Code::PageDown), ctrl('f')], Action::Page(1), "", "one page down"),
    row(&[k(Code::PageUp), ctrl('b')], Action::Page(-1), "", "one page up"),
    row(&[ch('g'), k(Code::Home)], Action::Top, "", "first row"),
    row(&[ch('G'), k(Code::End)], Action::Bottom, "", "last row"),
    row(&[k(Code::Enter)], Action::Details, "", "details of the row"),
    row(&[ch('y')], Action::Copy, "", "copy the row"),
    row(&[ch('m')], Action::Mouse, "", "mouse: ours, or to select"),
    row(&[k(Code::Esc)], Action::Back, "", "close, unfilter, unfreeze"),
    row(&[ch('?')], Action::Help, "help", "show or hide this help"),
    row(&[ctrl('l')], Action::Redraw, "", "draw all anew"),
    row(&[ctrl('z')], Action::Suspend, "", "stop, until fg"),
    row(&[ch('q'), ctrl('c')], Action::Quit, "quit", "leave; nothing is undone"),
];

/// What a key does outside of dialogs and text fields.
#[must_use]
pub fn lookup(key: Key) -> Option<Action> {
    KEYMAP.iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

/// The first key bound to an action, as help texts write it.
#[must_use]
pub fn key_for(action: Action) -> String {
    KEYMAP.iter().find(|b| b.action == action).and_then(|b| b.keys.first()).map_or_else(String::new, |key| key.label())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_is_bound_twice_and_every_row_says_what_it_does() {
        let mut seen = HashSet::new();
        for binding in KEYMAP {
            assert!(!binding.help.is_empty());
            for key in binding.keys {
                assert!(seen.insert(*key), "{} is bound twice", key.label());
            }
        }
    }

    #[test]
    fn every_view_has_its_number() {
        for (index, view) in View::ALL.into_iter().enumerate() {
            let digit = char::from_digit(index as u32 + 1, 10).unwrap();
            assert_eq!(lookup(Key::char(digit)), Some(Action::Go(view)));
        }
    }
}
