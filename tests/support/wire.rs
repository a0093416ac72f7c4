//! The way between tapctl and the simulator: calls that change something are recorded, and held when a test says so.
//!
//! One connection carries one call, and one thread serves it. A held call waits until the test lets it go; one that is
//! let go after its caller has died still reaches the simulator, as a packet on its way would.

use std::io::{Read, Write};
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
        let request = Request::read(client, target)?;
        if request.body.windows(WRITE.len()).any(|part| part == WRITE) {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            self.with(|state| state.writes.push(without_comment(&text)));
        }
        let call = request.text();
        // Other calls may come and go beside the held one.
        let marks = |held: bool| self.with(|state| state.gone |= held);
        let (goes_on, held_before) = self.gate(&call, Hold::Request);
        if !goes_on {
            marks(held_before);
            return None;
        }
        let answer = request.forward(target)?;
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

const WRITE: &[u8] = b"<ChangeResourceRecordSetsRequest";

/// A request as it came, for the simulator.
pub(crate) struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    /// Reads one; nothing when the caller went away in the middle.
    fn read(client: &TcpStream, target: &str) -> Option<Self> {
        let (mut client, mut bytes, mut buffer) = (client, Vec::new(), [0; 16 * 1024]);
        loop {
            if let Some((request, _)) = Self::parse(&bytes, target) {
                return Some(request);
            }
            let length = client.read(&mut buffer).ok().filter(|length| *length > 0)?;
            bytes.extend_from_slice(&buffer[..length]);
        }
    }

    /// The request that these bytes begin with, and its length; nothing while it is not whole.
    pub(crate) fn parse(bytes: &[u8], target: &str) -> Option<(Self, usize)> {
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
        let (mut head, mut length) = (String::new(), 0);
        for line in String::from_utf8_lossy(&bytes[..end]).trim_end().lines() {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            match name.to_ascii_lowercase().as_str() {
                "connection" => continue,
                "host" => {
                    head.push_str("Host: ");
                    head.push_str(target);
                }
                "content-length" => {
                    length = value.trim().parse().unwrap_or(0);
                    head.push_str(line);
                }
                _ => head.push_str(line),
            }
            head.push_str("\r\n");
        }
        let body = bytes.get(end..end + length)?.to_vec();
        Some((Self { head, body }, end + length))
    }

    /// Its first line and its body.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}", self.head.lines().next().unwrap_or_default(), String::from_utf8_lossy(&self.body))
    }

    /// What the simulator answers.
    pub(crate) fn forward(&self, target: &str) -> Option<Vec<u8>> {
        let mut server = TcpStream::connect(target).ok()?;
        server.write_all(format!("{}Connection: close\r\n\r\n", self.head).as_bytes()).ok()?;
        server.write_all(&self.body).ok()?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).ok()?;
        Some(answer)
    }

    /// What is asked: the service and the region that it is signed for, and the operation. Nothing of what is no call of AWS.
    pub(crate) fn call(&self) -> Option<(String, String, String)> {
        let header = |name: &str| {
            let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
        };
        let authorization = header("authorization")?;
        let mut scope = authorization.split("Credential=").nth(1)?.split('/').skip(2);
        let (region, service) = (scope.next()?.to_owned(), scope.next()?.to_owned());
        let first = self.head.lines().next()?;
        let path = first.split(' ').nth(1)?;
        let action = || {
            let text = std::str::from_utf8(&self.body).ok()?;
            text.split('&').find_map(|part| part.strip_prefix("Action=")).map(str::to_owned)
        };
        let operation = match header("x-amz-target") {
            Some(target) => target.rsplit('.').next()?.to_owned(),
            None if path.contains("/operation/") => path.rsplit('/').next()?.to_owned(),
            None if path.contains("/rrset") && first.starts_with("POST") => "ChangeResourceRecordSets".to_owned(),
            None if path.contains("/rrset") => "ListResourceRecordSets".to_owned(),
            None if path.contains("/change/") => "GetChange".to_owned(),
            None => action()?,
        };
        Some((service, region, operation))
    }
}

/// A batch without its comment.
fn without_comment(body: &str) -> String {
    match (body.find("<Comment>"), body.find("</Comment>")) {
        (Some(start), Some(end)) if start < end => format!("{}{}", &body[..start], &body[end + "</Comment>".len()..]),
        _ => body.to_owned(),
    }
}
