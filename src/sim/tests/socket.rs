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
    let state = ask(addr, "GET /_sim/state HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(state.starts_with("HTTP/1.1 200 OK") && state.contains("date: Mon, 23 Nov 2026 12:00:00 GMT"), "{state}");
    sim.inject(Fault { drop: true, ..Fault::on("route53") });
    let header = authorization("route53", "us-east-1");
    let dropped =
        ask(addr, &format!("GET /2013-04-01/hostedzone HTTP/1.1\r\nhost: x\r\nauthorization: {header}\r\n\r\n")).await;
    assert_eq!(dropped, "");
    let huge = ask(addr, "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 9999999\r\n\r\n").await;
    assert!(huge.starts_with("HTTP/1.1 413"), "{huge}");
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}
