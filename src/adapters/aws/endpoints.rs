//! Where the clients really send their requests: asked of the built clients, each with a request that is stopped before
//! it is signed.
//!
//! So flags, `AWS_ENDPOINT_URL`, the variables of single services, `services` sections of a profile, FIPS and dual
//! stack are all in it, whatever the SDK makes of them. Sends nothing.

use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use futures_util::FutureExt;
use futures_util::future::join_all;

use super::Clients;

/// Where one client sends to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientEndpoint {
    /// The service, as IAM names it.
    pub service: &'static str,
    /// Scheme, host and port; empty when the client cannot say.
    pub url: String,
}

/// Keeps where a request would have gone, and ends it there. Signing it would be most of the work.
#[derive(Debug, Clone, Default)]
struct Stop(Arc<Mutex<String>>);

#[dyn_dispatch_hint]
impl Intercept for Stop {
    fn name(&self) -> &'static str {
        "stop"
    }

    fn read_before_signing(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let uri: Option<http::Uri> = context.request().uri().parse().ok();
        let origin = uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = origin.unwrap_or_default();
        Err("stopped on purpose".into())
    }
}

/// No request gets here; if one did, it would end here.
impl HttpClient for Stop {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Stop {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::user("stopped on purpose".into())))
    }
}

impl Stop {
    fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    fn seen(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clients {
    /// Where every client sends to. They are asked beside each other: this is done before the first frame.
    pub(super) async fn endpoints(&self) -> Vec<ClientEndpoint> {
        macro_rules! seen {
            ($service:literal, $sdk:ident, $client:expr, $operation:ident $(, $id:literal)?) => {{
                let (service, client) = ($service, $client.clone());
                let asked = tokio::spawn(async move {
                    let stop = Stop::default();
                    // Only what is sent is signed, and nothing is sent.
                    let over = $sdk::config::Builder::new()
                        .http_client(stop.client())
                        .credentials_provider(Credentials::from_keys("NOBODY", "not-a-secret", None))
                        .interceptor(stop.clone());
                    let _ = client.$operation()$(.id($id))?.customize().config_override(over).send().await;
                    stop.seen()
                });
                async move { ClientEndpoint { service, url: asked.await.unwrap_or_default() } }.boxed()
            }};
        }
        let [new, legacy] = &self.cloudwatch;
        let asked = [
            seen!("route53", aws_sdk_route53, self.route53, get_change, "C"),
            seen!("sts", aws_sdk_sts, self.sts, get_caller_identity),
            seen!("dms", aws_sdk_databasemigration, self.dms, describe_replication_tasks),
            seen!("ecs", aws_sdk_ecs, self.ecs, describe_services),
            seen!("elasticloadbalancing", aws_sdk_elasticloadbalancingv2, self.elb, describe_target_health),
            seen!("elasticloadbalancing", aws_sdk_elasticloadbalancing, self.classic, describe_instance_health),
            seen!("cloudwatch", aws_sdk_cloudwatch, new, describe_alarms),
            seen!("cloudwatch", aws_sdk_cloudwatch, legacy, describe_alarms),
        ];
        join_all(asked).await
    }
}
