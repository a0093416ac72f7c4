//! Tells a simulator on loopback from everything else, and keeps its time.
//!
//! It may open one connection to a loopback address and ask `GET /_sim/state`. Whatever goes wrong means that there is no
//! simulator; nothing else is ever asked so, and no other host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::domain::text::Foreign;
use crate::domain::time::Moment;
use crate::domain::units::Timestamp;
use crate::ports::Clock;

/// A simulator's state has some ten thousand bytes; what is longer is something else.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;

/// A simulator, as it was at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulator {
    /// Its time.
    pub now: Timestamp,
    /// Virtual seconds per second, once it follows the clock.
    pub speed: f64,
    /// Whether its time passes by itself.
    pub following: bool,
    /// The scenario it plays.
    pub scenario: String,
    /// By how many seconds this host's clock is to be ahead of it, as the scenario plays it.
    pub host_ahead_s: i64,
    /// The zone's name servers by name, and where on this host they answer.
    pub name_servers: Vec<(String, SocketAddr)>,
}

/// What an endpoint turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Probed {
    /// A simulator on this host.
    Simulator(Simulator),
    /// Nobody listens on this host there.
    Nobody,
    /// Anything else, and whatever is not on this host.
    Other,
}

/// Asks the endpoint whether it is a simulator, within `deadline`. Only this host is ever asked.
pub async fn probe(endpoint: &str, deadline: Duration) -> Probed {
    let Some(address) = local_address(endpoint, deadline).await else { return Probed::Other };
    if !endpoint.starts_with("http://") {
        return Probed::Other;
    }
    let asked = tokio::time::timeout(deadline, async {
        match TcpStream::connect(address).await {
            Ok(stream) => Ok(get_state(stream, address).await),
            Err(error) => Err(error),
        }
    });
    match asked.await {
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => Probed::Nobody,
        Ok(Ok(Some(body))) => {
            let state = serde_json::from_slice(&body).ok();
            state.and_then(|state| read(&state)).map_or(Probed::Other, Probed::Simulator)
        }
        _ => Probed::Other,
    }
}

/// Host and port of an endpoint, in one spelling for all that means this host: `localhost`, `[::1]`, `127.1` and
/// `0.0.0.0` are the same place.
pub async fn place(endpoint: &str, deadline: Duration) -> String {
    if let Some(address) = local_address(endpoint, deadline).await {
        return address.to_string();
    }
    let Some(uri) = endpoint.parse::<Uri>().ok() else { return "?".to_owned() };
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    format!("{}:{port}", uri.host().unwrap_or("?"))
}

/// The address of an endpoint on this host, whichever way it is spelt; a name is looked up.
async fn local_address(endpoint: &str, deadline: Duration) -> Option<SocketAddr> {
    let uri: Uri = endpoint.parse().ok()?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let ip = if let Some(ip) = spelt(host) {
        ip
    } else {
        let found = tokio::time::timeout(deadline, tokio::net::lookup_host((host, port))).await.ok()?.ok()?;
        let ips: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        *ips.first().filter(|_| ips.iter().all(IpAddr::is_loopback))?
    };
    let ip = match ip.to_canonical() {
        ip if ip.is_unspecified() || ip == IpAddr::V6(Ipv6Addr::LOCALHOST) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    ip.is_loopback().then_some(SocketAddr::new(ip, port))
}

/// Whether a host is spelt as an address of this one, without looking up any name.
#[must_use]
pub fn is_spelt_local(host: &str) -> bool {
    spelt(host.trim_end_matches('.')).is_some_and(|ip| ip.to_canonical().is_loopback() || ip.is_unspecified())
}

/// The address that a host is spelt as: any way in which the C library reads numbers, or the one name that always means
/// this host (RFC 6761).
fn spelt(host: &str) -> Option<IpAddr> {
    let lower = host.to_ascii_lowercase();
    if lower == "localhost" || lower.ends_with(".localhost") {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    if let Ok(ip) = lower.parse() {
        return Some(ip);
    }
    let number = |part: &str| match part.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(part, 8).ok(),
        None => part.parse().ok(),
    };
    let parts: Vec<u32> = lower.split('.').map(number).collect::<Option<_>>()?;
    let (last, heads) = parts.split_last()?;
    if heads.len() > 3 || heads.iter().any(|part| *part > 255) {
        return None;
    }
    // The last number fills all bytes that are left: 127.1 is 127.0.0.1.
    let room = 32 - 8 * heads.len() as u32;
    if room < 32 && *last >= 1 << room {
        return None;
    }
    let head = heads.iter().zip([24, 16, 8]).fold(0, |all, (part, shift)| all | (part << shift));
    Some(IpAddr::V4(Ipv4Addr::from(head | last)))
}

async fn get_state(mut stream: TcpStream, address: SocketAddr) -> Option<Vec<u8>> {
    let request = format!("GET /_sim/state HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await.ok()?;
    if !answer.starts_with(b"HTTP/1.1 200") {
        return None;
    }
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(answer.split_off(head + 4))
}

fn read(state: &Value) -> Option<Simulator> {
    let simulator = state.get("simulator")?;
    Some(Simulator {
        now: Timestamp::parse(simulator.get("now")?.as_str()?).ok()?,
        speed: simulator.get("speed")?.as_f64().filter(|speed| speed.is_finite() && *speed > 0.0)?,
        following: simulator.get("following")?.as_bool()?,
        scenario: Foreign::take(simulator.get("scenario")?.as_str()?).as_str().to_owned(),
        host_ahead_s: simulator.get("host_ahead_s").and_then(Value::as_i64).unwrap_or(0),
        name_servers: name_servers(simulator.get("name_servers")).unwrap_or_default(),
    })
}

/// The simulator's name servers; those that are not on this host are none.
fn name_servers(told: Option<&Value>) -> Option<Vec<(String, SocketAddr)>> {
    let server = |told: &Value| {
        let name = Foreign::take(told.get("name")?.as_str()?).into_string();
        let at: SocketAddr = told.get("at")?.as_str()?.parse().ok()?;
        at.ip().is_loopback().then_some((name, at))
    };
    Some(told?.as_array()?.iter().filter_map(server).collect())
}

/// A clock that was set at one instant and goes on from there, at a speed of its own.
#[derive(Debug)]
pub struct OffsetClock {
    set: Mutex<(Timestamp, Instant)>,
    speed: f64,
    /// How far the time of day is ahead of the simulator's, in seconds: a scenario may set it, both ways.
    ahead: AtomicI64,
}

impl OffsetClock {
    /// The simulator's clock. It stands still when the simulator's does.
    #[must_use]
    pub fn of(simulator: &Simulator) -> Self {
        let speed = if simulator.following { simulator.speed } else { 0.0 };
        let ahead = AtomicI64::new(simulator.host_ahead_s);
        Self { set: Mutex::new((simulator.now, Instant::now())), speed, ahead }
    }

    fn ahead_ms(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed).saturating_mul(1_000)
    }

    /// The simulator's time.
    fn simulated(&self) -> Timestamp {
        let (at, since) = *self.set.lock().unwrap_or_else(PoisonError::into_inner);
        at.plus(since.elapsed().mul_f64(self.speed))
    }

    /// Sets it anew, after somebody has moved the simulator's time, which never goes back.
    pub fn set(&self, now: Timestamp) {
        let later = self.simulated().max(now);
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = (later, Instant::now());
    }

    /// Sets the time of day so many seconds ahead of the simulator's, as an operator of this host might.
    pub fn put_ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        self.simulated().shifted(self.ahead_ms())
    }

    fn moment(&self) -> Moment {
        let simulated = self.simulated();
        Moment { wall: simulated.shifted(self.ahead_ms()), ..Moment::alone(simulated) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const SHORT: Duration = Duration::from_millis(300);

    async fn serve(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /_sim/state HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        endpoint
    }

    #[tokio::test]
    async fn a_simulator_tells_its_time() {
        let endpoint = serve(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n\
             {\"simulator\":{\"scenario\":\"steady\",\"speed\":20.0,\"following\":true,\"now\":\"2026-11-22T12:00:00Z\"}}",
        )
        .await;
        let Probed::Simulator(simulator) = probe(&endpoint, SHORT).await else { panic!("no simulator") };
        assert_eq!((simulator.speed, simulator.scenario.as_str()), (20.0, "steady"));
        let clock = OffsetClock::of(&simulator);
        assert!(clock.now() >= simulator.now && clock.now() < simulator.now.plus(Duration::from_secs(60)));
        clock.set(simulator.now.plus(Duration::from_secs(3600)));
        assert!(clock.now() >= simulator.now.plus(Duration::from_secs(3600)));
        // A scenario sets the time of day, both ways; what only counts goes on.
        let before = clock.moment();
        clock.put_ahead(600);
        assert!(clock.now() >= before.wall.plus(Duration::from_secs(600)));
        clock.put_ahead(-600);
        assert!(clock.now() < before.wall);
        assert!(clock.moment().steady >= before.steady);
    }

    #[tokio::test]
    async fn anything_else_is_no_simulator() {
        for answer in ["HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n{}", "nonsense", ""] {
            assert_eq!(probe(&serve(answer).await, SHORT).await, Probed::Other, "{answer}");
        }
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", silent.local_addr().unwrap());
        assert_eq!(probe(&endpoint, Duration::from_millis(20)).await, Probed::Other);
        // Bound and not listening: nobody answers there, and nobody else can take the port meanwhile.
        let closed = tokio::net::TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let endpoint = format!("http://{}", closed.local_addr().unwrap());
        assert_eq!(probe(&endpoint, SHORT).await, Probed::Nobody);
    }

    #[tokio::test]
    async fn this_host_is_known_in_every_spelling_and_nobody_else_is_taken_for_it() {
        let place_of = |endpoint: &'static str| place(endpoint, SHORT);
        for local in [
            "http://127.0.0.1:1",
            "http://localhost:1",
            "http://LOCALHOST.:1/",
            "http://sim.localhost:1",
            "http://[::1]:1",
            "http://[::ffff:127.0.0.1]:1",
            "http://127.1:1",
            "http://2130706433:1",
            "http://0x7f000001:1",
            "http://0177.0.0.1:1",
            "http://0.0.0.0:1",
            "http://[::]:1",
            "https://127.0.0.1:1",
        ] {
            assert_eq!(place_of(local).await, "127.0.0.1:1", "{local}");
        }
        assert_eq!(place_of("http://127.9.9.9").await, "127.9.9.9:80");
        for other in ["http://10.0.0.1:1", "http://127.0.0.1.5:1", "http://192.168.1:1", "http://1.2.3.256:1", "", "x"]
        {
            assert_eq!(local_address(other, SHORT).await, None, "{other}");
        }
        assert_eq!(place_of("https://10.0.0.1").await, "10.0.0.1:443");
        assert_eq!(place_of("").await, "?");
    }
}
