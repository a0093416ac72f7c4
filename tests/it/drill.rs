//! A cockpit at work: the real loop, the real AWS clients and the simulator, in one process and on paused time.
//!
//! A drill is a script of keys and waits; what it gives back is the last screen, the last model and the world.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use tapctl::adapters::aws::in_process::{InProcessReply, http_client};
use tapctl::adapters::aws::{Aws, AwsSettings};
use tapctl::adapters::journal::FileJournal;
use tapctl::adapters::pulumi::cockpit::NoPulumi;
use tapctl::domain::gate::{GateId, Policy, Verdict};
use tapctl::domain::model::{Model, Simulation, Stack};
use tapctl::domain::stack::StackInfo;
use tapctl::domain::stack::StackOutputs;
use tapctl::domain::units::Timestamp;
use tapctl::keymap::{Code, Key};
use tapctl::ports::Clock;
use tapctl::runtime::input::Input;
use tapctl::runtime::{Ports, run};
use tapctl::sim::{Scenario, Sim, SimConfig};
use tapctl::ui::{Palette, Theme};
use tokio::time::{Instant, Sleep};

/// Virtual time zero of every drill, so that screens can be compared.
const START: &str = "2026-11-22T12:40:00Z";

/// The simulator's time, moved along with tokio's.
struct DrillClock {
    sim: Sim,
    start: Instant,
    origin: Timestamp,
}

impl Clock for DrillClock {
    fn now(&self) -> Timestamp {
        let wanted = self.origin.plus(self.start.elapsed());
        let now = Timestamp::from_millis(self.sim.now().as_millisecond());
        self.sim.advance(wanted.since(now));
        wanted.max(now)
    }
}

/// What happens at the keyboard.
#[derive(Debug)]
enum Step {
    Press(Key),
    Wait(Duration),
}

/// Reads `]`, `<y>`, `<enter>`, `<5s>` … as people write keys down. A pause of a tenth of a second, in which a frame is
/// drawn, lies between two keys, as between those of a quick typist.
fn steps(script: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = script;
    while let Some(c) = rest.chars().next() {
        if c == '<'
            && let Some(end) = rest.find('>')
        {
            let word = &rest[1..end];
            rest = &rest[end + 1..];
            let code = match word {
                "enter" => Code::Enter,
                "esc" => Code::Esc,
                "tab" => Code::Tab,
                "down" => Code::Down,
                other => {
                    let secs: f64 = other.trim_end_matches('s').parse().expect("a wait like <5s>");
                    steps.push(Step::Wait(Duration::from_secs_f64(secs)));
                    continue;
                }
            };
            steps.push(Step::Press(Key::plain(code)));
        } else {
            steps.push(Step::Press(Key::char(c)));
            rest = &rest[c.len_utf8()..];
        }
    }
    steps
}

/// The script as the loop's input.
pub(crate) struct Keyboard {
    steps: std::vec::IntoIter<Step>,
    waiting: Option<Pin<Box<Sleep>>>,
    key: Option<Key>,
}

/// A script as the loop's input.
pub(crate) fn keyboard(script: &str) -> Keyboard {
    Keyboard { steps: steps(script).into_iter(), waiting: None, key: None }
}

impl Stream for Keyboard {
    type Item = Input;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Input>> {
        loop {
            if let Some(wait) = &mut self.waiting {
                if wait.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.waiting = None;
                if let Some(key) = self.key.take() {
                    return Poll::Ready(Some(Input::Key(key)));
                }
            }
            let pause = match self.steps.next() {
                None => return Poll::Ready(None),
                Some(Step::Press(key)) => {
                    self.key = Some(key);
                    Duration::from_millis(100)
                }
                Some(Step::Wait(pause)) => pause,
            };
            self.waiting = Some(Box::pin(tokio::time::sleep(pause)));
        }
    }
}

/// A bastion: a state folder and a world, in which one cockpit after the other can be opened.
pub(crate) struct Drill {
    pub(crate) sim: Sim,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) size: (u16, u16),
    pub(crate) read_only: bool,
}

/// What a drill left behind.
pub(crate) struct Seen {
    pub(crate) screen: String,
    pub(crate) model: Model,
}

impl Drill {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let start = START.parse().unwrap();
        let sim = Sim::new(SimConfig { scenario, seed: 7, speed: 1.0, start: Some(start) });
        Self { sim, folder: tempfile::tempdir().unwrap(), size: (120, 36), read_only: false }
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) async fn ports(&self) -> Ports {
        self.ports_on(self.outputs().into()).await
    }

    /// Ports on a stack of which so much is known.
    pub(crate) async fn ports_on(&self, known: StackInfo) -> Ports {
        let origin = Timestamp::from_millis(self.sim.now().as_millisecond());
        let clock: Arc<dyn Clock> = Arc::new(DrillClock { sim: self.sim.clone(), start: Instant::now(), origin });
        let (sim, paced) = (self.sim.clone(), clock.clone());
        let handler = Arc::new(move |request| {
            paced.now();
            let reply = sim.handle(request);
            InProcessReply { response: reply.response, delay: reply.delay, drop_connection: reply.drop_connection }
        });
        let settings =
            AwsSettings { test_credentials: true, http_client: Some(http_client(handler)), ..AwsSettings::default() };
        let aws = Arc::new(Aws::connect(settings, known.clone(), clock.clone(), Arc::new(|| Ok(None))).await);
        let journal = Arc::new(FileJournal::new(self.state_dir()));
        let key = known.group_key().unwrap();
        let skewed = aws.clone();
        let skew = Arc::new(move || skewed.clock_skew());
        Ports { observe: aws.clone(), traffic: aws, journal, clock, provision: Arc::new(NoPulumi), key, skew }
    }

    pub(crate) fn outputs(&self) -> StackOutputs {
        StackOutputs::parse(&self.sim.outputs().to_string()).unwrap()
    }

    pub(crate) fn model(&self, ports: &Ports) -> Model {
        let outputs = self.outputs();
        let stack = Stack {
            name: outputs.suffix.clone(),
            region: outputs.region.clone(),
            legacy_region: outputs.legacy_region.clone(),
            group: outputs.group_key(),
            writer: outputs.database.writer,
            legacy_lb: outputs.traffic.legacy_lb_name.clone(),
            aurora: outputs.database.cluster_id.clone(),
            endpoints: outputs.endpoints(),
            unset: Vec::new(),
            read_only: self.read_only,
            simulation: Some(Simulation { speed: 1.0, scenario: "drill".into() }),
            operator: "local".into(),
            host: "bastion".into(),
        };
        let policy = Policy { expected_alarms: outputs.monitoring.alarm_names.clone(), ..Policy::default() };
        Model::new(stack, policy, ports.clock.now())
    }

    /// Opens a cockpit, plays the script and closes it.
    pub(crate) async fn play(&self, script: &str) -> Seen {
        self.play_in(script, Theme::new(Palette::Mono, false)).await.0
    }

    /// The same in full colour, as a picture of the last screen.
    pub(crate) async fn picture(&self, script: &str) -> String {
        let (seen, buffer) = self.play_in(script, Theme::new(Palette::Full, false)).await;
        tapctl::ui::svg::document(&buffer, &tapctl::ui::title(&seen.model))
    }

    async fn play_in(&self, script: &str, theme: Theme) -> (Seen, Buffer) {
        let ports = self.ports().await;
        let model = self.model(&ports);
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        let model = run(&mut terminal, theme, keyboard(script), model, ports, |_| {}).await.unwrap();
        let buffer = terminal.backend().buffer().clone();
        (Seen { screen: terminal.backend().to_string(), model }, buffer)
    }

    /// Whether the simulator was asked this, `service:Operation`.
    pub(crate) fn was_asked(&self, operation: &str) -> bool {
        self.sim.state()["requests"][operation].as_u64().is_some_and(|count| count > 0)
    }

    /// The weights as the world has them, legacy and new.
    pub(crate) fn weights(&self) -> (u8, u8) {
        let traffic = &self.sim.state()["traffic"];
        let weight = |key: &str| traffic[key].as_f64().unwrap() as u8;
        (weight("legacy_weight"), weight("new_weight"))
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
