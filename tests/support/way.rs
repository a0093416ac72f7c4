//! The way to AWS, on which a call is refused, lost, cut, doubled, slowed down or answered by somebody else.
//!
//! A hook hears of every call of AWS and says what becomes of it. One connection carries one call, as in
//! [`super::wire`], whose requests these are.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::drill::{answered, http};
use super::pulumi::EVERY;
use super::wire::Request;

pub(crate) const WRITE: &str = "ChangeResourceRecordSets";
pub(crate) const LIST: &str = "ListResourceRecordSets";

/// A call of AWS on its way.
pub(crate) struct Call {
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) operation: String,
    /// The how manieth of its operation and region, from 1.
    pub(crate) nth: usize,
    /// The how manieth of its operation since a batch was sent, from 1; 0 before.
    pub(crate) since: usize,
}

/// What becomes of a call.
pub(crate) enum Fate {
    /// It goes its way.
    Goes,
    /// AWS answers with this code; after it was carried out, or instead.
    Coded { code: &'static str, after: bool },
    /// Somebody on the way answers; after it was carried out, or instead.
    Answered { status: &'static str, kind: &'static str, body: &'static [u8], after: bool },
    /// The connection is closed without an answer.
    Closed { after: bool },
    /// The connection is reset.
    Reset { after: bool },
    /// Nobody ever answers.
    Silent { after: bool },
    /// Half of the answer comes; framed as a whole one, or not.
    Cut { framed: bool },
    /// It takes this long.
    Slow(Duration),
    /// The answer comes in small pieces.
    Drips,
    /// The network delivers it twice, and the second answer comes back.
    Twice,
    /// The first answer to this operation comes once more.
    Old,
    /// The answer has this text in place of that.
    Altered(&'static str, &'static str),
    /// The answer has that text behind this one, each of its characters as its format writes it.
    Soiled(&'static str, &'static str, fn(char) -> String),
    /// The answer has another body.
    Edited(fn(&[u8]) -> Vec<u8>),
    /// AWS's clock is so many seconds ahead in the answer.
    Dated(i64),
    /// It arrives when its caller has long given up.
    Late,
    /// Something is done between its work and its answer.
    Then(Box<dyn FnOnce() + Send>),
}

type Hook = Arc<dyn Fn(&Call) -> Fate + Send + Sync>;

#[derive(Default)]
struct Seen {
    counts: BTreeMap<(String, String), usize>,
    since: BTreeMap<String, usize>,
    writes: usize,
    first: BTreeMap<(String, String), Vec<u8>>,
    late: Vec<Request>,
}

/// A proxy on loopback. Clones are handles to the same one.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) endpoint: String,
    target: String,
    hook: Hook,
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
}

impl Way {
    /// A proxy in front of this endpoint. It ends with the value, the connections that it holds with their callers.
    pub(crate) fn to(endpoint: &str, hook: Hook) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            target: endpoint.trim_start_matches("http://").to_owned(),
            hook,
            seen: Arc::default(),
            over: Arc::default(),
        };
        let served = way.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if served.over.load(Ordering::Relaxed) {
                    break;
                }
                let way = served.clone();
                thread::spawn(move || way.serve(client));
            }
        });
        way
    }

    /// Ends it.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
        let _woken = TcpStream::connect(self.endpoint.trim_start_matches("http://"));
    }

    /// Batches that were sent so far, whatever became of them.
    pub(crate) fn writes(&self) -> usize {
        self.seen.lock().unwrap().writes
    }

    /// How often each operation was called.
    pub(crate) fn counts(&self) -> BTreeMap<(String, String), usize> {
        self.seen.lock().unwrap().counts.clone()
    }

    /// Lets what is late arrive; says how much that was.
    pub(crate) fn arrive(&self) -> usize {
        let late = std::mem::take(&mut self.seen.lock().unwrap().late);
        late.iter().filter_map(|request| request.forward(&self.target)).count()
    }

    fn note(&self, request: &Request) -> Option<Call> {
        let (service, region, operation) = request.call()?;
        let mut seen = self.seen.lock().unwrap();
        let nth = seen.counts.entry((operation.clone(), region.clone())).or_default();
        *nth += 1;
        let nth = *nth;
        if operation == WRITE {
            seen.writes += 1;
            seen.since.clear();
        }
        let since = if seen.writes == 0 || operation == WRITE {
            seen.writes
        } else {
            let since = seen.since.entry(operation.clone()).or_default();
            *since += 1;
            *since
        };
        Some(Call { service, region, operation, nth, since })
    }

    fn serve(&self, mut client: TcpStream) -> Option<()> {
        let (request, length) = peeked(&client, &self.target)?;
        let mut all = vec![0; length - 1];
        // The last byte stays: a connection that is closed over it is reset.
        client.read_exact(&mut all).ok()?;
        let call = self.note(&request);
        let fate = call.as_ref().map_or(Fate::Goes, |call| (self.hook)(call));
        if !matches!(fate, Fate::Reset { .. }) {
            client.read_exact(&mut [0]).ok()?;
        }
        if let (Fate::Coded { code, after }, Some(call)) = (&fate, &call) {
            let fault = json!({"service": sim_name(&call.service), "operation": call.operation, "region": call.region,
                               "code": code, "after": after, "count": 1});
            http(&format!("http://{}", self.target), "POST", "/_sim/fault", &fault.to_string());
        }
        let answer = match fate {
            Fate::Closed { after: false } | Fate::Reset { after: false } => return None,
            Fate::Silent { after: false } => return until_gone(&mut client),
            Fate::Answered { status, kind, body, after: false } => {
                return send(&mut client, &whole(status, kind, body));
            }
            Fate::Late => {
                self.seen.lock().unwrap().late.push(request);
                return None;
            }
            Fate::Twice => request.forward(&self.target).and_then(|_| request.forward(&self.target))?,
            Fate::Slow(delay) => {
                thread::sleep(delay);
                request.forward(&self.target)?
            }
            _ => request.forward(&self.target)?,
        };
        let key = call.map(|call| (call.operation, call.region)).unwrap_or_default();
        let first = self.seen.lock().unwrap().first.entry(key).or_insert_with(|| answer.clone()).clone();
        match fate {
            Fate::Closed { .. } | Fate::Reset { .. } => None,
            Fate::Silent { .. } => until_gone(&mut client),
            Fate::Answered { status, kind, body, .. } => send(&mut client, &whole(status, kind, body)),
            Fate::Cut { framed: false } => {
                let body = body_at(&answer)?;
                send(&mut client, &answer[..body + (answer.len() - body) / 2])
            }
            Fate::Cut { framed: true } => {
                let body = body_at(&answer)?;
                let half = (answer.len() - body) / 2;
                send(&mut client, &reframed(&answer, |whole| whole[..half].to_vec()))
            }
            Fate::Drips => answer.chunks(97).try_for_each(|part| {
                thread::sleep(EVERY);
                send(&mut client, part)
            }),
            Fate::Old => send(&mut client, &first),
            Fate::Altered(from, to) => {
                let altered = |body: &[u8]| String::from_utf8_lossy(body).replace(from, to).into_bytes();
                send(&mut client, &reframed(&answer, altered))
            }
            Fate::Soiled(behind, text, spelt) => {
                let spelt: String = text.chars().map(spelt).collect();
                let soiled = |body: &[u8]| {
                    String::from_utf8_lossy(body).replace(behind, &format!("{behind}{spelt}")).into_bytes()
                };
                send(&mut client, &reframed(&answer, soiled))
            }
            Fate::Edited(edit) => send(&mut client, &reframed(&answer, edit)),
            Fate::Dated(by) => send(&mut client, &dated(&answer, by)),
            Fate::Then(done) => {
                done();
                send(&mut client, &answer)
            }
            _ => send(&mut client, &answer),
        }
    }
}

/// How the simulator calls a service that signs as this.
fn sim_name(service: &str) -> &str {
    match service {
        "monitoring" => "cloudwatch",
        "elasticloadbalancing" => "*",
        other => other,
    }
}

/// A whole request that lies in the socket, and its length.
fn peeked(client: &TcpStream, target: &str) -> Option<(Request, usize)> {
    let mut buffer = vec![0; 256 * 1024];
    let mut before = 0;
    loop {
        let length = client.peek(&mut buffer).ok()?;
        if length == 0 {
            return None;
        }
        if let Some(found) = Request::parse(&buffer[..length], target) {
            return Some(found);
        }
        // What is peeked at stays, so a look finds the same until there is more.
        if length == before {
            thread::sleep(EVERY);
        }
        before = length;
    }
}

fn until_gone(client: &mut TcpStream) -> Option<()> {
    let mut byte = [0];
    while client.read(&mut byte).ok()? > 0 {}
    Some(())
}

fn send(client: &mut TcpStream, bytes: &[u8]) -> Option<()> {
    client.write_all(bytes).ok()
}

fn whole(status: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn body_at(answer: &[u8]) -> Option<usize> {
    answer.windows(4).position(|part| part == b"\r\n\r\n").map(|at| at + 4)
}

/// The answer with another body, whose length the head tells.
fn reframed(answer: &[u8], body: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let at = body_at(answer).unwrap_or(answer.len());
    let body = body(&answer[at..]);
    let head = String::from_utf8_lossy(&answer[..at]);
    let lines = head.trim_end().lines().filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
    let head = lines.collect::<Vec<_>>().join("\r\n");
    [format!("{head}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat()
}

fn dated(answer: &[u8], by: i64) -> Vec<u8> {
    let at = body_at(answer).unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..at]);
    let lines = head.trim_end().lines().map(|line| match line.split_once(": ") {
        Some((name, date)) if name.eq_ignore_ascii_case("date") => {
            let then = jiff::fmt::rfc2822::parse(date).map(|zoned| zoned.timestamp()).unwrap_or_default();
            let then = then.checked_add(jiff::SignedDuration::from_secs(by)).unwrap_or(then);
            let date = then.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            format!("Date: {date}")
        }
        _ => line.to_owned(),
    });
    let head = lines.collect::<Vec<_>>().join("\r\n");
    [format!("{head}\r\n\r\n").as_bytes(), &answer[at..]].concat()
}

/// A colleague changes the records of the name, as soon as nobody else does.
pub(crate) fn colleague_writes(endpoint: &str, zone: &str) {
    for _ in 0..8 {
        // The whole account has five calls a second.
        advance(endpoint, 2);
        let path = format!("/2013-04-01/hostedzone/{zone}/rrset");
        if answered(endpoint, "POST", &path, &colleagues_batch(endpoint, zone)).starts_with("HTTP/1.1 200") {
            return;
        }
    }
    panic!("a colleague cannot write");
}

/// The records of the name as the simulator lists them, with something done to each, in one batch.
fn colleagues_batch(endpoint: &str, zone: &str) -> String {
    let listing = http(endpoint, "GET", &format!("/2013-04-01/hostedzone/{zone}/rrset?name=app.example.com"), "");
    let mut changes = String::new();
    for set in listing.split("<ResourceRecordSet>").skip(1) {
        let set = set.split("</ResourceRecordSet>").next().unwrap();
        let is_ours = set.contains("<Name>app.example.com.</Name>") && set.contains("<Type>A</Type>");
        // Of a pair the legacy member becomes 60; what stands alone looks at its target's health from now on, or no more.
        let other = match (set.split_once("<Weight>"), set.contains("-legacy-")) {
            (Some((before, rest)), true) => {
                format!("{before}<Weight>60</Weight>{}", rest.split_once("</Weight>").unwrap().1)
            }
            (Some(_), false) => continue,
            (None, _) if set.contains(">true</EvaluateTargetHealth>") => {
                set.replace(">true</EvaluateTargetHealth>", ">false</EvaluateTargetHealth>")
            }
            (None, _) => set.replace(">false</EvaluateTargetHealth>", ">true</EvaluateTargetHealth>"),
        };
        if is_ours {
            for part in ["<Change><Action>UPSERT</Action><ResourceRecordSet>", &other, "</ResourceRecordSet></Change>"]
            {
                changes.push_str(part);
            }
        }
    }
    format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes>\
         {changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    )
}

/// What the simulator knows.
pub(crate) fn state(endpoint: &str) -> Value {
    serde_json::from_str(&http(endpoint, "GET", "/_sim/state", "")).unwrap()
}

/// Virtual time goes on.
pub(crate) fn advance(endpoint: &str, seconds: u32) {
    http(endpoint, "POST", "/_sim/advance", &json!({"seconds": seconds}).to_string());
}
