//! How the fake Pulumi plays, and what its stack holds: two small files of the demo's folder. A run writes the second after each
//! step, so that one that is killed leaves what it made.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file::read_or_default;
use crate::domain::units::Timestamp;

/// How it plays. Written by the demo, read anew by every command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Name of the stack.
    pub stack: String,
    /// How many seconds of the demo pass in one of this host.
    pub speed: f64,
    /// How many seconds of the demo one recorded second lasts. The recorded runs took seconds, since no cloud had to be
    /// waited for; with 120 an `up` takes the ten minutes that a database cluster needs.
    pub stretch: f64,
    /// An instant of the demo's clock …
    pub demo_at: Timestamp,
    /// … and of this host's clock at the same time.
    pub wall_at: Timestamp,
    /// The first resource whose name holds this text fails.
    pub fail: Option<String>,
    /// What the provider says then; a refusal of rights when left out.
    pub fail_says: Option<String>,
    /// How many runs fail so; every one when left out.
    pub fail_runs: Option<u32>,
    /// Endpoint of the simulator that is told what a run makes and deletes; nobody is told when left out.
    pub simulator: Option<String>,
    /// File with the outputs of the stack once it stands.
    pub outputs: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        let now = wall_now();
        Self {
            stack: "demo".to_owned(),
            speed: 1.0,
            stretch: 1.0,
            demo_at: now,
            wall_at: now,
            fail: None,
            fail_says: None,
            fail_runs: None,
            simulator: None,
            outputs: None,
        }
    }
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Says which file cannot be read.
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let settings: Raw = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(settings.into())
    }

    /// Writes them.
    ///
    /// # Errors
    /// Says which file cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), String> {
        let text = serde_json::to_string(&Raw::from(self.clone())).map_err(|error| error.to_string())?;
        fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
    }

    /// The demo's clock at an instant of this host's clock.
    #[must_use]
    pub fn demo_time(&self, wall: Timestamp) -> Timestamp {
        let since = wall.since(self.wall_at);
        let scaled = since.as_secs_f64() * if self.speed.is_finite() { self.speed } else { 1.0 };
        self.demo_at.plus(std::time::Duration::try_from_secs_f64(scaled).unwrap_or_default())
    }

    /// The stack's outputs.
    ///
    /// # Errors
    /// Says which file cannot be read.
    pub fn outputs(&self, stack: &FakeStack) -> Result<String, String> {
        if stack.outputs { self.outputs_of_whole() } else { Ok("{}".to_owned()) }
    }

    /// The outputs of a stack that stands, whether it does or not.
    ///
    /// # Errors
    /// Says which file cannot be read.
    pub fn outputs_of_whole(&self) -> Result<String, String> {
        let Some(file) = &self.outputs else { return Ok("{}".to_owned()) };
        fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
    }
}

/// This host's clock.
pub(super) fn wall_now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_secs_f64(since.as_secs_f64())
}

fn unstretched() -> f64 {
    1.0
}

/// JSON has no infinity: a speed of 0 stands for it.
#[derive(Serialize, Deserialize)]
struct Raw {
    stack: String,
    speed: f64,
    #[serde(default = "unstretched")]
    stretch: f64,
    demo_at: Timestamp,
    wall_at: Timestamp,
    fail: Option<String>,
    #[serde(default)]
    fail_says: Option<String>,
    #[serde(default)]
    fail_runs: Option<u32>,
    #[serde(default)]
    simulator: Option<String>,
    outputs: Option<PathBuf>,
}

impl From<Raw> for Settings {
    fn from(raw: Raw) -> Self {
        let speed = if raw.speed > 0.0 { raw.speed } else { f64::INFINITY };
        let Raw { stack, stretch, demo_at, wall_at, fail, fail_says, fail_runs, simulator, outputs, .. } = raw;
        Self { stack, speed, stretch, demo_at, wall_at, fail, fail_says, fail_runs, simulator, outputs }
    }
}

impl From<Settings> for Raw {
    fn from(settings: Settings) -> Self {
        let speed = if settings.speed.is_finite() { settings.speed } else { 0.0 };
        let Settings { stack, stretch, demo_at, wall_at, fail, fail_says, fail_runs, simulator, outputs, .. } =
            settings;
        Self { stack, speed, stretch, demo_at, wall_at, fail, fail_says, fail_runs, simulator, outputs }
    }
}

/// What the stack holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FakeStack {
    /// Whether it was made.
    pub exists: bool,
    /// URNs of its resources.
    pub resources: Vec<String>,
    /// Whether an `up` went through, which is when the program's outputs are handed out.
    #[serde(default)]
    pub outputs: bool,
    /// Runs that failed because they were told to.
    #[serde(default)]
    pub failures: u32,
}

impl FakeStack {
    fn file(settings: &Path) -> PathBuf {
        settings.with_extension("stack.json")
    }

    /// Reads it; a stack that nobody wrote is empty.
    ///
    /// # Errors
    /// Says which file cannot be read.
    pub fn read(settings: &Path) -> Result<Self, String> {
        let file = Self::file(settings);
        read_or_default(&file)
    }

    /// Writes it.
    ///
    /// # Errors
    /// Says which file cannot be written.
    pub fn write(&self, settings: &Path) -> Result<(), String> {
        let file = Self::file(settings);
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
    }

    /// The same with one resource more.
    #[must_use]
    pub fn with(&self, urn: &str) -> Self {
        let mut stack = self.clone();
        if !stack.resources.iter().any(|known| known == urn) {
            stack.resources.push(urn.to_owned());
        }
        stack
    }

    /// The same without one resource.
    #[must_use]
    pub fn without(&self, urn: &str) -> Self {
        let mut stack = self.clone();
        stack.resources.retain(|known| known != urn);
        stack
    }

    /// Makes it hold everything that the recorded program makes, for a demo that begins after provisioning.
    ///
    /// # Errors
    /// Only if the recording that is built in cannot be read.
    pub fn provisioned() -> Result<Self, String> {
        Ok(Self { exists: true, resources: super::script::Script::resources()?, outputs: true, failures: 0 })
    }
}
