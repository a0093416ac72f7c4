//! The way to the simulator: what a run made and deleted is told to it, and how the name is answered is asked of it.
//!
//! Plain HTTP over loopback, one short connection for each question. A simulator that does not answer is an error: a run whose
//! work nobody sees has failed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// How long an answer may take; the simulator works on loopback and answers at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// The world as data has some ten thousand bytes.
const MAX_ANSWER: u64 = 4 << 20;

/// A simulator, by its endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Simulator {
    endpoint: String,
}

impl Simulator {
    pub(super) fn at(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned() }
    }

    /// Tells it everything that the stack has now.
    ///
    /// # Errors
    /// The simulator's words when it refuses, as a provider would, or why it could not be told.
    pub(super) fn tell(&self, resources: &[String]) -> Result<(), String> {
        self.ask("POST", "/_sim/stack", &json!({"resources": resources}).to_string()).map(drop)
    }

    /// How the name is answered: `simple`, `weighted` or `absent`.
    ///
    /// # Errors
    /// Why it could not be asked.
    pub(super) fn record(&self) -> Result<String, String> {
        let state = self.ask("GET", "/_sim/state", "")?;
        Ok(state["traffic"]["record"].as_str().unwrap_or_default().to_owned())
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        let silent = |why: &dyn std::fmt::Display| format!("the simulator at {} does not answer: {why}", self.endpoint);
        let address: Option<SocketAddr> = self.endpoint.strip_prefix("http://").and_then(|rest| rest.parse().ok());
        let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
            return Err(format!("{} is no simulator: it is not an address on loopback", self.endpoint));
        };
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(|error| silent(&error))?;
        let timed = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        timed.map_err(|error| silent(&error))?;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        let mut answer = Vec::new();
        let asked =
            stream.write_all(request.as_bytes()).and_then(|()| stream.take(MAX_ANSWER).read_to_end(&mut answer));
        asked.map_err(|error| silent(&error))?;
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return Err(silent(&"it hung up")) };
        let body: Value = serde_json::from_str(body).map_err(|error| silent(&error))?;
        if head.split(' ').nth(1) == Some("200") {
            return Ok(body);
        }
        Err(body["error"].as_str().map_or_else(|| silent(&head.lines().next().unwrap_or_default()), str::to_owned))
    }
}

/// Pause between two looks whether the simulator is still there.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Ends when the simulator has: nobody sees any more what a run makes. Without a simulator, never.
pub(super) async fn is_gone(endpoint: Option<&str>) {
    let address = endpoint.and_then(|endpoint| endpoint.strip_prefix("http://")?.parse::<SocketAddr>().ok());
    let Some(address) = address else { return std::future::pending().await };
    loop {
        // A step that cannot be told fails by itself, and says so in the stream.
        tokio::time::sleep(LOOK_AGAIN).await;
        if tokio::net::TcpStream::connect(address).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_spoken_to_and_silence_is_told() {
        let refused = Simulator::at("http://192.0.2.1:80").record().unwrap_err();
        assert!(refused.contains("not an address on loopback"), "{refused}");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let silent = Simulator::at(&endpoint).tell(&[]).unwrap_err();
        assert!(silent.starts_with(&format!("the simulator at {endpoint} does not answer")), "{silent}");
    }
}
