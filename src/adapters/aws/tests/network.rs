//! The adapter over a real socket on loopback.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

async fn connect(endpoint: String) -> Aws {
    let settings = AwsSettings { test_credentials: true, endpoint_url: Some(endpoint), ..AwsSettings::default() };
    Aws::connect(settings, outputs(), Arc::new(now), Arc::new(|| Ok(None))).await
}

#[tokio::test]
async fn a_plain_endpoint_on_loopback_is_spoken_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let aws = connect(format!("http://{}", listener.local_addr().unwrap())).await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !String::from_utf8_lossy(&request).contains("</ChangeResourceRecordSetsRequest>") {
            assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0);
        }
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{ACCEPTED}", ACCEPTED.len());
        socket.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    assert_eq!(aws.send(&plan()).await.unwrap().id, "/change/C2682N5HXP0BZ4");
    let request = server.await.unwrap();
    assert!(request.starts_with("POST /2013-04-01/hostedzone/Z0123456789TECHVAULT/rrset"), "{request}");
    assert!(request.contains("/us-east-1/route53/aws4_request"), "{request}");
    assert!(request.to_ascii_lowercase().contains("app/tapctl"), "{request}");
}

#[tokio::test]
async fn an_endpoint_that_nobody_listens_on_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = connect(format!("http://{address}")).await.send(&plan()).await.unwrap_err().error;
    assert_eq!((error.kind, error.outcome_unknown()), (ErrorKind::Unreachable, true), "{error}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_leaves_the_outcome_open() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let aws = connect(format!("http://{}", listener.local_addr().unwrap())).await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !String::from_utf8_lossy(&request).contains("</ChangeResourceRecordSetsRequest>") {
            assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0);
        }
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n<Change").await.unwrap();
    });
    let error = aws.send(&plan()).await.unwrap_err().error;
    server.await.unwrap();
    assert!(error.outcome_unknown(), "{error}");
}
