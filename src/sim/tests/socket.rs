//! The simulator on a socket.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::*;

const LOOPBACK: &str = "127.0.0.1:0";

async fn ask(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn only_loopback_is_bound() {
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let error = Server::bind(sim(Scenario::Steady), address.parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{address}");
        assert!(error.to_string().contains("loopback"));
    }
}

#[tokio::test]
async fn it_answers_hangs_up_on_a_fault_and_stops_when_told() {
    let sim = sim(Scenario::Steady);
    let server = Server::bind(sim.clone(), LOOPBACK.parse().unwrap()).await.unwrap();
    let addr = server.addr();
    assert_eq!(server.endpoint(), format!("http://{addr}"));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async {
        let _ = stopped.await;
    }));
    let state = ask(addr, "GET /_sim/state HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(state.starts_with("HTTP/1.1 200 OK") && state.contains("date: Mon, 23 Nov 2026 12:00:00 GMT"), "{state}");
    sim.inject(Fault { drop: true, ..Fault::on("route53") });
    let header = authorization("route53", "us-east-1");
    let dropped = ask(
        addr,
        &format!("GET /2013-04-01/hostedzone HTTP/1.1\r\nhost: localhost\r\nauthorization: {header}\r\n\r\n"),
    )
    .await;
    assert_eq!(dropped, "");
    let huge =
        ask(addr, "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 9999999\r\n\r\n").await;
    assert!(huge.starts_with("HTTP/1.1 413"), "{huge}");
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

/// One that is served until the test ends.
async fn served(sim: Sim) -> SocketAddr {
    let server = Server::bind(sim, LOOPBACK.parse().unwrap()).await.unwrap();
    let addr = server.addr();
    tokio::spawn(server.serve(std::future::pending()));
    addr
}

#[tokio::test]
async fn pages_of_the_web_are_not_answered() {
    let sim = sim(Scenario::Steady);
    let addr = served(sim.clone()).await;
    let body = r#"{"service":"*","drop":true}"#;
    let post = |headers: &str| {
        let length = body.len();
        format!("POST /_sim/fault HTTP/1.1\r\ncontent-length: {length}\r\n{headers}\r\n\r\n{body}")
    };
    for (status, headers) in [
        (421, "host: rebound.example.com\r\ncontent-type: application/json"),
        (403, "host: localhost\r\ncontent-type: text/plain\r\norigin: https://example.com"),
        (403, "host: localhost\r\ncontent-type: application/json\r\nsec-fetch-site: cross-site"),
        (403, "host: localhost\r\ncontent-type: text/plain"),
    ] {
        let refused = ask(addr, &post(headers)).await;
        assert!(refused.starts_with(&format!("HTTP/1.1 {status} ")), "{headers}: {refused}");
        assert!(!refused.to_ascii_lowercase().contains("access-control"), "{refused}");
    }
    assert_eq!(sim.state()["faults"], json!([]));
    let taken = ask(addr, &post("host: localhost\r\ncontent-type: application/json\r\nconnection: close")).await;
    assert!(taken.starts_with("HTTP/1.1 200 "), "{taken}");
}

#[tokio::test]
async fn clients_that_only_hold_connections_shut_nobody_out() {
    const STATE: &str = "GET /_sim/state HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    for said in [
        "",
        "GET /_sim/state HTTP/1.1\r\nhost:",
        "POST /_sim/fault HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n{",
        "GET /_sim/operations HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ] {
        let addr = served(sim(Scenario::Steady)).await;
        let mut held = Vec::new();
        for _ in 0..300 {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            stream.write_all(said.as_bytes()).await.unwrap();
            held.push(stream);
        }
        let state = ask(addr, STATE).await;
        assert!(state.starts_with("HTTP/1.1 200 OK"), "{said}: {state}");
        // Whoever asked for nothing was the first to go.
        let mut nothing = Vec::new();
        let end = held[0].read_to_end(&mut nothing).await;
        assert!(end.is_err() || said.contains("operations") || nothing.is_empty(), "{nothing:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_not_waited_for() {
    for said in ["", "GET /_sim/state HTTP/1.1\r\nhost: localhost\r\n"] {
        let addr = served(sim(Scenario::Steady)).await;
        let began = tokio::time::Instant::now();
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut nothing = Vec::new();
        let _ = stream.read_to_end(&mut nothing).await;
        assert!(nothing.is_empty() && began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());
    }
}
