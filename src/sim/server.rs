//! The simulator on a socket: HTTP/1.1 on loopback, and nowhere else.
//!
//! It adds what a [`Reply`](super::Reply) only describes, latency and dropped connections, and says who may ask at all.

mod guard;
mod slots;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::name_servers::Listening;
use super::{Sim, wire};
use guard::Refusal;
use slots::{Doing, Slot, Slots};

/// The largest request AWS clients of this program send is far below; more is refused, so that a client cannot fill the memory.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// How often a following world is brought up to date, so that no request pays for a long idle time.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How long a client may take until it has said what it wants: it is on this host.
const FIRST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is kept for another request. Clients ask in rounds of some seconds, and one that closes just as
/// a client writes leaves a change undecided.
const NEXT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long it may take for its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A bound listener that will serve one [`Sim`].
///
/// It does not start the clock: call [`Sim::follow`] for a world that lives, leave it out for one that moves by hand.
#[derive(Debug)]
pub struct Server {
    sim: Sim,
    listener: TcpListener,
    addr: SocketAddr,
    name_servers: Listening,
}

/// The deliberate end of a connection without an answer.
#[derive(Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was dropped by an injected fault")
    }
}

impl std::error::Error for Dropped {}

impl Server {
    /// Binds the address; port 0 takes a free one.
    ///
    /// # Errors
    /// `InvalidInput` for an address that is not loopback, since the simulator takes any credentials; otherwise what binding says.
    pub async fn bind(sim: Sim, listen: SocketAddr) -> io::Result<Self> {
        if !listen.ip().is_loopback() {
            let message = format!("{listen} is not a loopback address; the simulator listens on 127.0.0.1 or ::1 only");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let name_servers = Listening::bind(&sim, addr).await?;
        Ok(Self { sim, listener, addr, name_servers })
    }

    /// The address that was bound.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where the first of the zone's name servers answers; `GET /_sim/state` tells of all.
    #[must_use]
    pub fn dns(&self) -> Option<SocketAddr> {
        self.sim.lock().name_servers.first().copied()
    }

    /// The URL that an AWS client takes as its endpoint.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Serves until `shutdown` ends; open connections are closed then.
    ///
    /// # Errors
    /// What accepting connections says, when it is not about one connection alone.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        tokio::pin!(shutdown);
        let (sim, name_servers) = (self.sim.clone(), &self.name_servers);
        let answering = name_servers.serve(&sim);
        tokio::pin!(answering);
        let slots = Slots::default();
        let mut connections = JoinSet::new();
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                () = &mut answering => {}
                Some(_) = connections.join_next() => {}
                _ = heartbeat.tick() => { let _ = self.sim.now(); }
                accepted = self.listener.accept() => match accepted {
                    // With all of them being answered, one more is closed at once.
                    Ok((stream, _)) => if let Some(slot) = slots.take() {
                        connections.spawn(connection(self.sim.clone(), stream, slot));
                    },
                    Err(error) if is_about_one_connection(&error) => {}
                    Err(error) => return Err(error),
                },
            }
        }
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(sim: Sim, stream: TcpStream, slot: Slot) {
    // Answers are small and clients wait for each of them.
    let _ = stream.set_nodelay(true);
    let slot = Arc::new(slot);
    let service = service_fn(|request| {
        let (sim, slot) = (sim.clone(), Arc::clone(&slot));
        async move {
            slot.is(Doing::Sending);
            let answer = answer(sim, request, &slot).await;
            slot.is(Doing::Idle);
            answer
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(NEXT_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let silent = async {
        tokio::time::sleep(FIRST_TIMEOUT).await;
        if !slot.is_silent() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = served => if let Err(error) = served {
            tracing::debug!(%error, "a simulator connection ended");
        },
        () = silent => tracing::debug!("a simulator connection said nothing"),
        () = slot.has_to_go() => tracing::debug!("a simulator connection made room"),
    }
}

async fn answer(sim: Sim, request: Request<Incoming>, slot: &Slot) -> Result<Response<Full<Bytes>>, Dropped> {
    let (parts, body) = request.into_parts();
    if let Err(Refusal { status, words }) = guard::check(&parts) {
        let (mut parts, body) = wire::plain(status, &json!({ "error": words })).into_parts();
        // What is left of the request is nobody's business.
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        return Ok(Response::from_parts(parts, Full::new(body)));
    }
    // What says of itself that it is too large is not waited for.
    let fits = body.size_hint().lower() <= MAX_BODY as u64;
    let read = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect());
    let Some(Ok(Ok(body))) = (if fits { Some(read.await) } else { None }) else {
        let mut response =
            Response::new(Full::new(Bytes::from_static(b"the request body is too large or did not arrive")));
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(response);
    };
    slot.is(Doing::Answering);
    let reply = sim.handle(Request::from_parts(parts, body.to_bytes()));
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    if reply.drop_connection {
        return Err(Dropped);
    }
    let (parts, body) = reply.response.into_parts();
    Ok(Response::from_parts(parts, Full::new(body)))
}
