//! The one HTTP client behind all AWS clients: it trusts what `AWS_CA_BUNDLE` names, goes through the proxies of the
//! environment, and notes how far this host's clock is from AWS's.
//!
//! TLS is set up with the first request that needs it, because reading some hundred certificates takes longer than all
//! else before the first request; a simulator on loopback never needs it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::retry::ErrorKind;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::json;
use super::xml::{self, NotWhole};
use crate::adapters::sim_probe::is_spelt_local;
use crate::ports::Clock;

/// How far this host's clock is ahead of AWS's, as the newest answer told.
pub(super) struct Skew {
    clock: Arc<dyn Clock>,
    millis: Mutex<Option<i64>>,
}

impl Skew {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, millis: Mutex::new(None) }
    }

    pub(super) fn millis(&self) -> Option<i64> {
        *self.millis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the `Date` header of an answer. It tells whole seconds, so half a second is the fairest guess of the rest.
    fn note(&self, date: &str) {
        let Some(server) = DateTime::from_str(date, Format::HttpDate).ok().and_then(|date| date.to_millis().ok())
        else {
            return;
        };
        let ahead = self.clock.now().millis().saturating_sub(server.saturating_add(500));
        *self.millis.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
    }
}

/// The client that all AWS clients share.
#[derive(Clone)]
pub(super) struct Http {
    inner: Arc<Inner>,
    skew: Arc<Skew>,
}

enum Inner {
    /// A client from outside, such as the simulator in this process.
    Given(SharedHttpClient),
    /// The network.
    Network {
        ca_bundle: Option<PathBuf>,
        secure: OnceLock<Result<SharedHttpClient, String>>,
        local: OnceLock<SharedHttpClient>,
    },
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

impl Http {
    pub(super) fn given(client: SharedHttpClient, skew: Arc<Skew>) -> Self {
        Self { inner: Arc::new(Inner::Given(client)), skew }
    }

    /// The network, with the certificate authorities of `ca_bundle` in place of the system's.
    pub(super) fn network(ca_bundle: Option<PathBuf>, skew: Arc<Skew>) -> Self {
        let inner = Inner::Network { ca_bundle, secure: OnceLock::new(), local: OnceLock::new() };
        Self { inner: Arc::new(inner), skew }
    }

    fn client(&self, uri: &str) -> Result<&SharedHttpClient, String> {
        match self.inner.as_ref() {
            Inner::Given(client) => Ok(client),
            Inner::Network { local, .. } if is_local(uri) => {
                Ok(local.get_or_init(|| client(&TrustStore::empty(), &ProxyConfig::disabled())))
            }
            Inner::Network { ca_bundle, secure, .. } => secure
                .get_or_init(|| Ok(client(&trust(ca_bundle.as_deref())?, &ProxyConfig::from_env())))
                .as_ref()
                .map_err(Clone::clone),
        }
    }
}

impl HttpClient for Http {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            http: self.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    http: Http,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = match self.http.client(request.uri()) {
            Ok(client) => client.http_connector(&self.settings, &self.components),
            Err(text) => return HttpConnectorFuture::ready(Err(ConnectorError::user(text.into()))),
        };
        // The credential sources of the host itself answer with the host's own time.
        let skew = (!is_link_local(request.uri())).then(|| self.http.skew.clone());
        let operation = operation(&request);
        HttpConnectorFuture::new(async move {
            let mut response = connector.call(request).await?;
            if let (Some(skew), Some(date)) = (skew, response.headers().get("date")) {
                skew.note(date);
            }
            let (in_xml, in_json) = (is_of(&response, "xml"), is_of(&response, "json"));
            if in_xml || in_json {
                let body = std::mem::replace(response.body_mut(), SdkBody::empty());
                let bytes = ByteStream::new(body).collect().await.map_err(|error| ConnectorError::io(error.into()))?;
                let bytes = bytes.into_bytes();
                // The way back from a broken answer is the one from a broken connection: reads are tried again.
                whole(&bytes, in_xml, response.status().is_success().then_some(operation.as_str()))
                    .map_err(|error| ConnectorError::other(error.into(), Some(ErrorKind::TransientError)))?;
                *response.body_mut() = SdkBody::from(bytes);
            }
            Ok(response)
        })
    }
}

fn is_of(response: &HttpResponse, kind: &str) -> bool {
    response.headers().get("content-type").is_some_and(|found| found.to_ascii_lowercase().contains(kind))
}

/// The operation that a request asks for: in JSON its target names it, elsewhere every success has a body.
fn operation(request: &HttpRequest) -> String {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default().to_owned()
}

/// Whether the body is a whole one. Of a success the operation is given: its body is never empty.
fn whole(body: &[u8], in_xml: bool, success: Option<&str>) -> Result<(), NotWhole> {
    match success {
        Some(_) if in_xml && body.iter().all(u8::is_ascii_whitespace) => Err(NotWhole::new("it is empty")),
        Some(operation) if !in_xml => json::check(operation, body),
        _ if in_xml => xml::check(body),
        _ => Ok(()),
    }
}

/// Plain HTTP that does not leave this host or its hypervisor needs neither certificates nor a proxy.
fn is_local(uri: &str) -> bool {
    let host = uri.parse::<::http::Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"));
    let host = host.as_ref().and_then(::http::Uri::host).map(|host| host.trim_matches(['[', ']']));
    host.is_some_and(is_spelt_local) || is_link_local(uri)
}

fn is_link_local(uri: &str) -> bool {
    ["http://169.254.", "http://[fd00:ec2::"].iter().any(|start| uri.starts_with(start))
}

fn client(trust: &TrustStore, proxy: &ProxyConfig) -> SharedHttpClient {
    let (trust, proxy) = (trust.clone(), proxy.clone());
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        if let Ok(context) = TlsContext::builder().with_trust_store(trust.clone()).build() {
            builder.set_tls_context(context);
        }
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.set_proxy_config(Some(proxy.clone()));
        builder.build()
    })
}

/// The authorities to trust. A bundle takes the place of the system's, as it does for every AWS tool.
fn trust(ca_bundle: Option<&Path>) -> Result<TrustStore, String> {
    let Some(path) = ca_bundle else { return Ok(TrustStore::default()) };
    let name = path.display();
    let pem = std::fs::read(path).map_err(|e| format!("the CA bundle {name} of AWS_CA_BUNDLE cannot be read: {e}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        certificate
            .map_err(|e| e.to_string())
            .and_then(|certificate| roots.add(certificate).map_err(|e| e.to_string()))
            .map_err(|e| format!("the CA bundle {name} of AWS_CA_BUNDLE holds a broken certificate: {e}"))?;
    }
    if roots.is_empty() {
        return Err(format!("the CA bundle {name} of AWS_CA_BUNDLE holds no certificate"));
    }
    Ok(TrustStore::empty().with_pem_certificate(pem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::units::Timestamp;

    #[test]
    fn the_clocks_difference_is_read_from_the_date() {
        let skew = Skew::new(Arc::new(|| Timestamp::parse("2026-11-22T12:47:12Z").unwrap()));
        assert_eq!(skew.millis(), None);
        skew.note("no date");
        assert_eq!(skew.millis(), None);
        skew.note("Sun, 22 Nov 2026 12:40:00 GMT");
        assert_eq!(skew.millis(), Some(431_500));
    }

    #[test]
    fn a_broken_bundle_is_an_error_with_its_name_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(trust(Some(&path)).unwrap_err().contains("cannot be read"));
        std::fs::write(&path, "nothing here").unwrap();
        assert!(trust(Some(&path)).unwrap_err().contains("holds no certificate"));
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(trust(Some(&path)).unwrap_err().contains("broken certificate"));
    }

    /// A self-signed authority that nothing uses.
    const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBljCCAT2gAwIBAgIUJXLhcgi5UYJbvqhyKpRJzKh+fP8wCgYIKoZIzj0EAwIw
IDEeMBwGA1UEAwwVdGFwY3RsIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMzAyNDcz
M1oYDzIxMjYxMDMwMDI0NzMzWjAgMR4wHAYDVQQDDBV0YXBjdGwgdGVzdCBhdXRo
b3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARapkkcr9gFTxqm0GOj1TXV
J5OnHspGfeM8027LaxGw20fmeCml/pAdB57wPtKj8GArJMzY8h+BEmw0lMYl1/hd
o1MwUTAdBgNVHQ4EFgQUdFXrbk5u0WDpFLwJTgGPXWrjQmswHwYDVR0jBBgwFoAU
dFXrbk5u0WDpFLwJTgGPXWrjQmswDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNHADBEAiA3gWg4vP65Zfjp/V7yvzRQG3PAUF0qkikW3fBT3GrT/gIgA9wSSZd8
crwlxmA/Oz5iQ5FUB/Oed+gzml/lvloe13E=
-----END CERTIFICATE-----
";

    #[test]
    fn a_bundle_takes_the_place_of_the_systems_authorities() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, AUTHORITY).unwrap();
        let clock = Arc::new(|| Timestamp::from_millis(0));
        let http = Http::network(Some(path), Arc::new(Skew::new(clock)));
        assert!(http.client("https://route53.amazonaws.com/").is_ok());
        assert!(format!("{:?}", trust(None).unwrap()).contains("enable_native_roots: true"));
    }

    #[test]
    fn only_this_host_goes_without_tls_and_proxy() {
        assert!(is_local("http://127.0.0.1:4566/") && is_local("http://localhost:80/x") && is_local("http://[::1]:1/"));
        assert!(is_local("http://127.1:4566/") && is_local("http://LOCALHOST/"));
        assert!(!is_local("http://localhost.example.com/") && !is_local("https://127.0.0.1/"));
        assert!(is_local("http://169.254.169.254/latest") && is_link_local("http://169.254.170.2/v2"));
    }
}
