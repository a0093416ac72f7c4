//! Tells a simulator on loopback from everything else, and keeps its time.
//!
//! It may open one connection to a loopback address and ask `GET /_sim/state`. Whatever goes wrong means that there is no
//! simulator; nothing else is ever asked so, and no other host.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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
    /// The drill it plays.
    pub scenario: String,
}

/// Whether all of an endpoint is on this host.
#[must_use]
pub fn is_loopback(endpoint: &str) -> bool {
    authority(endpoint).is_some()
}

/// Asks the endpoint whether it is a simulator; nothing when it is not on loopback, is silent for `deadline`, or says
/// anything else.
pub async fn probe(endpoint: &str, deadline: Duration) -> Option<Simulator> {
    let (host, port) = authority(endpoint)?;
    let body = tokio::time::timeout(deadline, get_state(&host, port)).await.ok()??;
    read(&serde_json::from_slice(&body).ok()?)
}

/// Host and port of an endpoint that is reached without TLS on loopback.
fn authority(endpoint: &str) -> Option<(String, u16)> {
    let uri: Uri = endpoint.parse().ok()?;
    if uri.scheme_str() != Some("http") {
        return None;
    }
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let local = host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    local.then_some((host, uri.port_u16().unwrap_or(80)))
}

async fn get_state(host: &str, port: u16) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect((host, port)).await.ok()?;
    let request = format!("GET /_sim/state HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
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
        scenario: simulator.get("scenario")?.as_str()?.to_owned(),
    })
}

/// A clock that was set at one instant and goes on from there, at a speed of its own.
#[derive(Debug)]
pub struct OffsetClock {
    set: Mutex<(Timestamp, Instant)>,
    speed: f64,
}

impl OffsetClock {
    /// The simulator's clock. It stands still when the simulator's does.
    #[must_use]
    pub fn of(simulator: &Simulator) -> Self {
        let speed = if simulator.following { simulator.speed } else { 0.0 };
        Self { set: Mutex::new((simulator.now, Instant::now())), speed }
    }

    /// Sets it anew, after somebody has moved the simulator's time. It never goes back.
    pub fn set(&self, now: Timestamp) {
        let later = self.now().max(now);
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = (later, Instant::now());
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        let (at, since) = *self.set.lock().unwrap_or_else(PoisonError::into_inner);
        at.plus(since.elapsed().mul_f64(self.speed))
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
        let simulator = probe(&endpoint, SHORT).await.unwrap();
        assert_eq!((simulator.speed, simulator.scenario.as_str()), (20.0, "steady"));
        let clock = OffsetClock::of(&simulator);
        assert!(clock.now() >= simulator.now && clock.now() < simulator.now.plus(Duration::from_secs(60)));
        clock.set(simulator.now.plus(Duration::from_secs(3600)));
        assert!(clock.now() >= simulator.now.plus(Duration::from_secs(3600)));
    }

    #[tokio::test]
    async fn anything_else_is_no_simulator() {
        for answer in ["HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n{}", "nonsense", ""] {
            assert_eq!(probe(&serve(answer).await, SHORT).await, None, "{answer}");
        }
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", silent.local_addr().unwrap());
        assert_eq!(probe(&endpoint, Duration::from_millis(20)).await, None);
        drop(silent);
        assert_eq!(probe(&endpoint, SHORT).await, None);
    }

    #[test]
    fn only_loopback_is_ever_asked() {
        for local in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://127.9.9.9"] {
            assert!(is_loopback(local), "{local}");
        }
        for other in ["http://10.0.0.1:1", "https://127.0.0.1:1", "http://localhost.example.com", "", "x"] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
