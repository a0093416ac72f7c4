//! A cockpit at work, for tests that look at more than a script can: the model, its gates, a picture of the screen.

use std::path::PathBuf;
use std::time::Duration;

use tapctl::domain::gate::{GateId, Verdict};
use tapctl::domain::model::Model;
use tapctl::domain::stack::{StackInfo, StackOutputs};
use tapctl::keymap::{Code, Key};
use tapctl::runtime::Ports;
use tapctl::runtime::reload::ReloadStack;
use tapctl::script::{Bastion, Command, Player, Script, Setting, Step, one_cockpit, play};
use tapctl::sim::{Scenario, Sim};
use tapctl::ui::{Palette, Theme};

/// Reads `]`, `<enter>`, `<5s>` … as people write keys down in one line.
fn script(keys: &str, drill: &Drill) -> Script {
    let mut steps = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let word = rest.strip_prefix('<').and_then(|inner| inner.split_once('>'));
        let command = if let Some((word, after)) = word {
            rest = after;
            match word {
                "enter" => Command::Press(vec![Key::plain(Code::Enter)]),
                "esc" => Command::Press(vec![Key::plain(Code::Esc)]),
                "tab" => Command::Press(vec![Key::plain(Code::Tab)]),
                "down" => Command::Press(vec![Key::plain(Code::Down)]),
                wait => {
                    let secs: f64 = wait.trim_end_matches('s').parse().expect("a wait like <5s>");
                    Command::Advance(Duration::from_secs_f64(secs))
                }
            }
        } else {
            rest = &rest[c.len_utf8()..];
            Command::Press(vec![Key::char(c)])
        };
        steps.push(Step { line: 1, text: keys.to_owned(), command });
    }
    let scenario = drill.bastion.sim.scenario();
    Script { file: "keys".to_owned(), scenario, seed: 7, size: drill.size, read_only: false, steps }
}

/// A bastion: a state folder and a world, in which one cockpit after the other can be opened.
pub(crate) struct Drill {
    pub(crate) bastion: Bastion,
    pub(crate) sim: Sim,
    pub(crate) size: (u16, u16),
    _folder: tempfile::TempDir,
}

/// What a scenario left behind.
pub(crate) struct Seen {
    pub(crate) screen: String,
    pub(crate) model: Model,
}

impl Drill {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bastion = Bastion::new(Setting { scenario, seed: 7, read_only: false }, folder.path()).unwrap();
        Self { sim: bastion.sim.clone(), bastion, size: (120, 36), _folder: folder }
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.bastion.state_dir.clone()
    }

    /// Ports on a stack of which so much is known.
    pub(crate) async fn ports_on(&self, info: &StackInfo) -> Ports {
        self.bastion.ports(info).await
    }

    pub(crate) fn outputs(&self) -> StackOutputs {
        self.bastion.outputs().unwrap()
    }

    /// Opens a cockpit, plays the keys and closes it.
    pub(crate) async fn play(&self, keys: &str) -> Seen {
        self.play_in(keys, &Theme::new(Palette::Mono, false)).await.0
    }

    /// The same on these parts in place of the bastion's own.
    pub(crate) async fn play_on(&self, keys: &str, parts: (Model, Ports, ReloadStack)) -> Seen {
        let mut player = Player::new(&script(keys, self), &self.bastion, |_| ());
        let end = one_cockpit(&mut player, &Theme::new(Palette::Mono, false), parts).await;
        let end = end.unwrap_or_else(|failed| panic!("{failed}"));
        Seen { screen: end.screen.to_string(), model: end.model }
    }

    /// The same with this look, as a picture of the last screen.
    pub(crate) async fn picture(&self, keys: &str, theme: &Theme) -> String {
        let (seen, buffer) = self.play_in(keys, theme).await;
        tapctl::ui::svg::document(&buffer, &tapctl::ui::title(&seen.model), theme)
    }

    async fn play_in(&self, keys: &str, theme: &Theme) -> (Seen, ratatui::buffer::Buffer) {
        let mut player = Player::new(&script(keys, self), &self.bastion, |_| ());
        let end = play(&mut player, theme).await.unwrap_or_else(|failed| panic!("{failed}"));
        let buffer = end.screen.buffer();
        (Seen { screen: end.screen.to_string(), model: end.model }, buffer)
    }

    /// Whether the simulator was asked this, `service:Operation`.
    pub(crate) fn was_asked(&self, operation: &str) -> bool {
        self.bastion.calls(operation) > 0
    }

    /// The weights as the world has them, legacy and new.
    pub(crate) fn weights(&self) -> (u64, u64) {
        self.bastion.weights().unwrap()
    }
}

impl Seen {
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        assert!(self.screen.contains(text), "{text:?} is not on the screen:\n{}", self.screen);
    }

    #[track_caller]
    pub(crate) fn gate(&self, id: GateId, verdict: Verdict) {
        let gate = self.model.live.gates.iter().find(|g| g.id == id).expect("every gate is asked");
        assert_eq!(gate.verdict, verdict, "{gate:?}");
    }

    #[track_caller]
    pub(crate) fn all_gates_pass(&self) {
        let open: Vec<_> = self.model.live.gates.iter().filter(|g| !g.passes()).collect();
        assert!(open.is_empty(), "{open:#?}");
    }
}
