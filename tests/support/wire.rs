//! The way between tapctl and the simulator: calls that change something are recorded, and held when a test says so.
//!
//! One connection carries one call, and one thread serves it. A held call waits until the test lets it go; one that is
//! let go after its caller has died still reaches the simulator, as a packet on its way would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::PATIENCE;

/// On which side of the simulator a call is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Before it reaches the simulator.
    Request,
    /// When the simulator has done its work, before the answer reaches the caller.
    Answer,
}

#[derive(Default)]
struct State {
    writes: Vec<String>,
    hold: Option<(String, Hold)>,
    /// A call has come to where it is held.
    arrived: bool,
    /// What becomes of it.
    verdict: Option<bool>,
    /// It has gone through, or was dropped.
    gone: bool,
}

/// A proxy on loopback. Clones are handles to the same one.
#[derive(Clone)]
pub(crate) struct Wire {
    /// Where it listens.
    pub(crate) endpoint: String,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Wire {
    /// A proxy in front of this endpoint. Its threads end with the test process.
    pub(crate) fn to(endpoint: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            shared: Arc::new((Mutex::new(State::default()), Condvar::new())),
        };
        let (target, served) = (endpoint.trim_start_matches("http://").to_owned(), wire.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (target, wire) = (target.clone(), served.clone());
                // A caller that dies in the middle is what these tests are about.
                thread::spawn(move || wire.serve(&client, &target));
            }
        });
        wire
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let done = f(&mut self.shared.0.lock().unwrap());
        self.shared.1.notify_all();
        done
    }

    /// Waits until `f` has something; what does not come within [`PATIENCE`] does not come at all.
    fn wait<T>(&self, f: impl FnMut(&mut State) -> Option<T>) -> T {
        self.wait_for(PATIENCE, f).unwrap_or_else(|| panic!("no call came to where it is held, or went on from there"))
    }

    fn wait_for<T>(&self, patience: Duration, mut f: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let mut found = None;
        let state = self.shared.0.lock().unwrap();
        let waited = self.shared.1.wait_timeout_while(state, patience, |state| {
            found = f(state);
            found.is_none()
        });
        drop(waited.unwrap());
        found
    }

    /// Holds the next call whose first line or body holds this text.
    pub(crate) fn hold(&self, text: &str, hold: Hold) {
        let hold = Some((text.to_owned(), hold));
        self.with(|state| *state = State { writes: std::mem::take(&mut state.writes), hold, ..State::default() });
    }

    /// Waits until a call is held.
    pub(crate) fn until_held(&self) {
        self.wait(|state| state.arrived.then_some(()));
    }

    /// Lets the held call go on, and waits until the simulator has answered it.
    pub(crate) fn let_go(&self) {
        self.with(|state| state.verdict = Some(true));
        self.wait(|state| state.gone.then_some(()));
    }

    /// Drops the held call: it reaches nobody.
    pub(crate) fn drop_it(&self) {
        self.with(|state| state.verdict = Some(false));
        self.wait(|state| state.gone.then_some(()));
    }

    /// The bodies of all calls that change records, without the comment, which names an instant.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.with(|state| state.writes.clone())
    }

    /// Waits where the call is to be held; says whether it goes on, and whether it was held.
    fn gate(&self, call: &str, side: Hold) -> (bool, bool) {
        let held = self.with(|state| {
            let held = state.hold.take_if(|(text, hold)| *hold == side && call.contains(text.as_str())).is_some();
            state.arrived |= held;
            held
        });
        // A test that forgets its call lets the caller wait; the end of the process ends both.
        (!held || self.wait_for(Duration::MAX, |state| state.verdict) == Some(true), held)
    }

    fn serve(&self, client: &TcpStream, target: &str) -> Option<()> {
        let mut reader = BufReader::new(client.try_clone().ok()?);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let (name, value) = line.split_once(':').unwrap_or((line.trim_end(), ""));
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().ok()?,
                "host" => line = format!("Host: {target}\r\n"),
                "connection" => continue,
                "" => break,
                _ => {}
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let text = String::from_utf8_lossy(&body).into_owned();
        let call = format!("{}\n{text}", head.lines().next().unwrap_or_default());
        if text.contains("<ChangeResourceRecordSetsRequest") {
            self.with(|state| state.writes.push(without_comment(&text)));
        }
        // Other calls may come and go beside the held one.
        let marks = |held: bool| self.with(|state| state.gone |= held);
        let (goes_on, held_before) = self.gate(&call, Hold::Request);
        if !goes_on {
            marks(held_before);
            return None;
        }
        let mut server = TcpStream::connect(target).ok()?;
        server.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).ok()?;
        server.write_all(&body).ok()?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).ok()?;
        // A call that was throttled comes again, and it is the one that counts.
        let throttled = !answer.starts_with(b"HTTP/1.1 200");
        let (goes_on, held_after) = if throttled { (true, false) } else { self.gate(&call, Hold::Answer) };
        marks(held_before || held_after);
        if goes_on {
            let mut client = client;
            client.write_all(&answer).ok()?;
        }
        Some(())
    }
}

/// A batch without its comment.
fn without_comment(body: &str) -> String {
    match (body.find("<Comment>"), body.find("</Comment>")) {
        (Some(start), Some(end)) if start < end => format!("{}{}", &body[..start], &body[end + "</Comment>".len()..]),
        _ => body.to_owned(),
    }
}
