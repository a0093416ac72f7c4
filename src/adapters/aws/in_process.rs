//! The AWS clients without a network: each request goes to a function in this process.
//!
//! So the real clients run against the simulator on tokio's own time, which a test can stop and advance. Opens no socket.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

/// What comes of a request.
#[derive(Debug)]
pub struct InProcessReply {
    /// The answer.
    pub response: http::Response<Bytes>,
    /// Time on tokio's clock before it arrives.
    pub delay: Duration,
    /// The connection breaks instead of answering.
    pub drop_connection: bool,
}

/// Answers requests.
pub type Handler = Arc<dyn Fn(http::Request<Bytes>) -> InProcessReply + Send + Sync>;

/// An HTTP client for AWS clients whose requests `handler` answers.
#[must_use]
pub fn http_client(handler: Handler) -> SharedHttpClient {
    SharedHttpClient::new(InProcess { handler })
}

#[derive(Clone)]
struct InProcess {
    handler: Handler,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let handler = self.handler.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
            let Some(body) = request.body().bytes().map(Bytes::copy_from_slice) else {
                return Err(ConnectorError::user("a streaming body cannot be sent in process".into()));
            };
            let reply = handler(request.map(|_| body));
            if !reply.delay.is_zero() {
                tokio::time::sleep(reply.delay).await;
            }
            if reply.drop_connection {
                let broken =
                    std::io::Error::new(std::io::ErrorKind::ConnectionReset, "connection closed before the answer");
                return Err(ConnectorError::io(broken.into()));
            }
            HttpResponse::try_from(reply.response.map(SdkBody::from)).map_err(|e| ConnectorError::other(e.into(), None))
        })
    }
}
