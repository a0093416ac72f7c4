//! The simulator: a small AWS on loopback, and a migration that lives in it.
//!
//! [`Sim`] is the whole of it: a world with physics on virtual time, the AWS services that tell of it and change it, and faults.
//! It turns a request into a [`Reply`] without a socket; [`Server`] puts it on loopback for clients of any kind.
//!
//! ```text
//! request ──> wire (dialect, credential scope) ──> faults, rate limits ──> services ──> world
//!                                                                             │           │ ticks of one virtual second
//! reply <──── wire (the same dialect) <──────────────── answer or error ──────┘           │ scenario, traffic, fleets, DMS,
//!                                                                                         └ metrics, alarms
//! ```
//!
//! It may use `jiff`, the wire formats' crates and a seeded random generator. It depends on no other part of the program, opens no
//! connection, reads no file, and never looks at the wall clock except for the start when none is given.
//! Its stack is the bundled program's: names, outputs and alarms are those of one recorded `up`.
//! The same seed, script and start give the same run, whenever requests arrive, as long as they change nothing.

mod clock;
mod control;
mod fault;
mod limits;
mod name_servers;
mod names;
mod outputs;
mod recorded;
mod scenario;
mod server;
mod services;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use fault::Fault;
pub use names::LEGACY_DB_ID;
pub use outputs::configuration;
pub use scenario::{Event, Scenario, Script, ScriptedEvent, Start, UnknownScenario};
pub use server::Server;

use clock::Clock;
use fault::{Effect, Faults, Target};
use limits::Limits;
use wire::{ApiError, Call, General};
use world::World;

/// Who every caller is.
const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/oncall-role/bastion";

/// Calls that may wait to be carried out.
const MAX_LATE: usize = 64;

/// How a simulator is set up.
#[derive(Debug, Clone, PartialEq)]
pub struct SimConfig {
    /// The scenario.
    pub scenario: Scenario,
    /// Seed of all chance.
    pub seed: u64,
    /// Virtual seconds for each real one, once it follows the clock.
    pub speed: f64,
    /// Virtual time zero; `None` for now.
    pub start: Option<Timestamp>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self { scenario: Scenario::Steady, seed: 1, speed: 1.0, start: None }
    }
}

/// A simulator. Clones are handles to the same world.
#[derive(Clone)]
pub struct Sim {
    inner: Arc<Mutex<Inner>>,
}

/// What comes of a request.
#[derive(Debug)]
pub struct Reply {
    /// The answer.
    pub response: Response<Bytes>,
    /// Real time that passes before the answer is sent.
    pub delay: Duration,
    /// The connection is closed instead of answering.
    pub drop_connection: bool,
}

pub(crate) struct Inner {
    config: SimConfig,
    clock: Clock,
    world: World,
    faults: Faults,
    limits: Limits,
    /// Calls whose work is still to be done, and when; in order.
    late: Vec<(Timestamp, Call)>,
    /// Calls by `service:Operation`, only for operations that exist, so that it stays small.
    requests: BTreeMap<String, u64>,
    serial: u64,
    /// Where the zone's name servers listen, in their order.
    name_servers: Vec<SocketAddr>,
}

impl Sim {
    /// A world in which the named scenario is about to be played; an hour of it has already passed.
    #[must_use]
    pub fn new(config: SimConfig) -> Self {
        let script = config.scenario.script();
        Self::with_script(config, script)
    }

    /// A world in which a script of one's own is played instead of the scenario's.
    #[must_use]
    pub fn with_script(config: SimConfig, script: Script) -> Self {
        let start = config.start.unwrap_or_else(Timestamp::now);
        let clock = Clock::new(start, config.speed);
        let world = World::new(config.seed, start, script);
        let mut inner = Inner {
            config,
            clock,
            world,
            faults: Faults::default(),
            limits: Limits::default(),
            late: Vec::new(),
            requests: BTreeMap::new(),
            serial: 0,
            name_servers: Vec::new(),
        };
        inner.settle();
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Handles one HTTP request of an AWS client, or one to `/_sim/...`, without a socket.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a request is answered once; who sends it has no use for it afterwards"
    )]
    pub fn handle(&self, request: Request<Bytes>) -> Reply {
        self.lock().handle(&request)
    }

    /// Moves virtual time; the world lives through every second of it.
    pub fn advance(&self, by: Duration) {
        self.lock().advance(by);
    }

    /// Virtual time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.lock().clock.now()
    }

    /// By how many seconds the clock of tapctl's host is ahead of virtual time, which is AWS's; below 0 when it is behind.
    #[must_use]
    pub fn host_ahead_s(&self) -> i64 {
        self.lock().world.host_ahead_s
    }

    /// Lets virtual time pass by itself from now on: each real second moves it by the configured speed.
    pub fn follow(&self) {
        self.lock().clock.follow(Instant::now());
    }

    /// Starts a fault. One that [`Fault::check`] would refuse has no effect.
    pub fn inject(&self, fault: Fault) {
        self.lock().inject(fault);
    }

    /// Ends all faults, the same as `DELETE /_sim/fault`.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Which resources of the bundled program exist from now on, by URN or by name: services tell of those, and of no others.
    /// The same as `POST /_sim/stack`.
    ///
    /// # Errors
    /// In the provider's words, when a weighted record is to stand beside a simple one; nothing changes then.
    pub fn set_stack(&self, resources: &[String]) -> Result<(), String> {
        self.lock().set_stack(resources)
    }

    /// The scenario that is played.
    #[must_use]
    pub fn scenario(&self) -> Scenario {
        self.lock().config.scenario
    }

    /// The world as data, the same as `GET /_sim/state`.
    #[must_use]
    pub fn state(&self) -> Value {
        self.lock().state()
    }

    /// The stack outputs of this world, as `pulumi stack output --json` prints them.
    #[must_use]
    pub fn outputs(&self) -> Value {
        outputs::outputs()
    }

    /// The world, brought up to the present. A panic in another thread leaves it readable: each tick is complete in itself.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock.catch_up(Instant::now());
        inner.settle();
        inner
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("now", &self.now()).finish_non_exhaustive()
    }
}

impl Inner {
    fn handle(&mut self, request: &Request<Bytes>) -> Reply {
        let path = request.uri().path();
        let mut reply = if path == "/_sim" || path.starts_with("/_sim/") {
            Reply { response: control::handle(self, request), delay: Duration::ZERO, drop_connection: false }
        } else {
            self.aws(request)
        };
        if let Ok(date) = HeaderValue::try_from(http_date(self.clock.now())) {
            reply.response.headers_mut().insert(header::DATE, date);
        }
        reply
    }

    fn aws(&mut self, request: &Request<Bytes>) -> Reply {
        let request_id = self.request_id();
        let call = match wire::read(request) {
            Ok(call) => call,
            Err(refusal) => {
                let response = wire::refuse(refusal.protocol, refusal.service, &refusal.error, &request_id);
                return Reply { response, delay: Duration::ZERO, drop_connection: false };
            }
        };
        self.count(&call);
        let now = self.clock.now();
        let target = Target { service: Some(call.service), operation: &call.operation, region: &call.region };
        let verdict = self.faults.judge(&target, now);
        let refuse = |error: &ApiError| wire::refuse(call.protocol, Some(call.service), error, &request_id);
        if verdict.after {
            // Nobody hears how it went.
            let _lost = self.serve(&call, now);
        }
        if let Some(seconds) = verdict.late_s {
            self.put_off(&call, now, seconds);
        }
        let response = match verdict.effect {
            Some(Effect::Drop) => {
                return Reply { response: Response::new(Bytes::new()), delay: verdict.delay, drop_connection: true };
            }
            Some(Effect::Garbage) => garbage(),
            Some(Effect::Error { code, status, message }) => refuse(&injected(&call, &code, status, message)),
            None => match self.serve(&call, now) {
                Ok(node) => wire::answer(&call, &node, &request_id),
                Err(error) => refuse(&error),
            },
        };
        Reply { response, delay: verdict.delay, drop_connection: false }
    }

    /// Lets the service do its work, unless it gets more calls than AWS takes.
    fn serve(&mut self, call: &Call, now: Timestamp) -> Result<wire::Node, ApiError> {
        if !self.limits.admit(call.service, &call.region, now) {
            return Err(General::Throttling.spelt(call.protocol, None));
        }
        services::handle(call, &mut self.world, now, !self.clock.is_following())
    }

    fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.settle();
    }

    /// Keeps a call whose work is to be done later.
    fn put_off(&mut self, call: &Call, now: Timestamp, seconds: f64) {
        if self.late.len() < MAX_LATE {
            let by = SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
            self.late.push((now.saturating_add(by).unwrap_or(now), call.clone()));
            self.late.sort_by_key(|(at, _)| *at);
        }
    }

    /// Lets the world live through every whole second up to the present; what was put off happens at its time.
    fn settle(&mut self) {
        let now = self.clock.now();
        while self.late.first().is_some_and(|(at, _)| *at <= now) {
            let (at, call) = self.late.remove(0);
            self.live_to(at);
            // Nobody hears how it went.
            let _lost = services::handle(&call, &mut self.world, at, false);
        }
        self.live_to(now);
    }

    fn live_to(&mut self, now: Timestamp) {
        for (at, fault) in self.world.step_to(now.as_second()) {
            self.faults.add(fault, at);
        }
    }

    fn set_stack(&mut self, resources: &[String]) -> Result<(), String> {
        self.world.set_stack(resources, self.clock.now())
    }

    fn inject(&mut self, fault: Fault) {
        if fault.check().is_ok() {
            self.faults.add(fault, self.clock.now());
        }
    }

    fn count(&mut self, call: &Call) {
        let known = services::knows(call.service, &call.operation);
        let operation = if known { call.operation.as_str() } else { "unknown" };
        *self.requests.entry(format!("{}:{operation}", call.service.name())).or_default() += 1;
    }

    fn request_id(&mut self) -> String {
        self.serial += 1;
        format!("{:08x}-51a0-4000-8000-{:012x}", self.config.seed & 0xffff_ffff, self.serial)
    }

    fn state(&mut self) -> Value {
        let now = self.clock.now();
        self.faults.expire(now);
        let mut state = self.world.state();
        state["simulator"] = json!({
            "scenario": self.config.scenario.name(),
            "seed": self.config.seed,
            "speed": self.clock.speed(),
            "following": self.clock.is_following(),
            "start": self.clock.origin().to_string(),
            "now": now.to_string(),
            "elapsed_s": self.clock.passed().as_secs_f64(),
            "host_ahead_s": self.world.host_ahead_s,
            "name_servers": name_servers::state(&self.name_servers),
        });
        state["faults"] = self.faults.to_json();
        state["requests"] = json!(self.requests);
        state
    }
}

fn injected(call: &Call, code: &str, status: Option<u16>, message: Option<String>) -> ApiError {
    let action = format!("{}:{}", call.service.iam_prefix(), call.operation);
    let mut error = match General::from_code(code, CALLER, &action) {
        Some(general) => general.spelt(call.protocol, None),
        None => ApiError::new(code, "The request was refused by an injected fault"),
    };
    error.status = status.unwrap_or(error.status);
    error.message = message.unwrap_or(error.message);
    error
}

fn garbage() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"\x00\x9f<html>\xff\xfe}{ 502 Bad Gateway"));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

/// A time as HTTP writes it.
fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests;
