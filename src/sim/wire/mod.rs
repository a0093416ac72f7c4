//! The wire: from an HTTP request to a [`Call`], and from a [`Node`] or an [`ApiError`] back to an HTTP response.
//!
//! Four dialects of AWS are spoken: REST-XML (Route 53), Query (ELB, STS, CloudWatch), JSON (DMS, ECS, Secrets Manager, CloudWatch)
//! and rpc-v2-cbor (CloudWatch). This module knows their shapes and their ways to spell errors, and nothing about the world.

pub(crate) mod cbor;
mod error;
pub(crate) mod json;
mod node;
pub(crate) mod query;
mod rest;
pub(crate) mod sigv4;
pub(crate) mod xml;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use serde_json::Value;

pub(crate) use error::{ApiError, General};
pub(crate) use node::{Node, map};

/// Namespace of Route 53's documents.
pub(crate) const ROUTE53_NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// The services that are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Route53,
    CloudWatch,
    Dms,
    Ecs,
    Elbv2,
    Elb,
    Sts,
    SecretsManager,
}

impl Service {
    pub(crate) const ALL: [Self; 8] = [
        Self::Route53,
        Self::CloudWatch,
        Self::Dms,
        Self::Ecs,
        Self::Elbv2,
        Self::Elb,
        Self::Sts,
        Self::SecretsManager,
    ];

    /// The name by which faults and counters call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Route53 => "route53",
            Self::CloudWatch => "cloudwatch",
            Self::Dms => "dms",
            Self::Ecs => "ecs",
            Self::Elbv2 => "elbv2",
            Self::Elb => "elb",
            Self::Sts => "sts",
            Self::SecretsManager => "secretsmanager",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The name in a credential scope.
    pub(crate) const fn signing_name(self) -> &'static str {
        match self {
            Self::CloudWatch => "monitoring",
            Self::Elbv2 | Self::Elb => "elasticloadbalancing",
            other => other.name(),
        }
    }

    /// The prefix of its actions in IAM policies, as error messages name them.
    pub(crate) const fn iam_prefix(self) -> &'static str {
        match self {
            Self::Elbv2 | Self::Elb => "elasticloadbalancing",
            other => other.name(),
        }
    }

    fn target_prefix(self) -> Option<&'static str> {
        match self {
            Self::CloudWatch => Some("GraniteServiceVersion20100801"),
            Self::Dms => Some("AmazonDMSv20160101"),
            Self::Ecs => Some("AmazonEC2ContainerServiceV20141113"),
            Self::SecretsManager => Some("secretsmanager"),
            _ => None,
        }
    }

    /// The version that Query errors name.
    pub(crate) fn version(self) -> Option<&'static str> {
        self.query_version().map(|(version, _)| version)
    }

    fn query_version(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::CloudWatch => Some(("2010-08-01", "http://monitoring.amazonaws.com/doc/2010-08-01/")),
            Self::Elbv2 => Some(("2015-12-01", "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/")),
            Self::Elb => Some(("2012-06-01", "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/")),
            Self::Sts => Some(("2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/")),
            _ => None,
        }
    }
}

impl Service {
    /// Whether a Query call of this version is for it. Both generations of load balancers are signed alike; only the
    /// version tells them apart.
    fn answers_query(self, version: &str) -> bool {
        self.query_version().is_some_and(|(known, _)| known == version || !matches!(self, Self::Elb | Self::Elbv2))
    }
}

/// The dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    RestXml,
    Query,
    Json10,
    Json11,
    Cbor,
}

/// One understood request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) region: String,
    pub(crate) protocol: Protocol,
    /// As the client named it; empty when a REST path leads nowhere.
    pub(crate) operation: String,
    /// The input of Query, JSON and CBOR calls; of REST calls, the parameters in path and query.
    pub(crate) input: Value,
    /// The body of a REST call.
    pub(crate) body: Bytes,
}

/// A request that was refused before it got to a service.
#[derive(Debug)]
pub(crate) struct RejectedRequest {
    pub(crate) service: Option<Service>,
    pub(crate) protocol: Protocol,
    pub(crate) error: ApiError,
}

/// Understands a request, or says in its own dialect why not.
pub(crate) fn read(request: &Request<Bytes>) -> Result<Call, Box<RejectedRequest>> {
    let protocol = protocol_of(request);
    let refuse = |service, error| Box::new(RejectedRequest { service, protocol, error });
    let general = |general: General| refuse(None, general.spelt(protocol, None));
    let Some(scope) = sigv4::scope(request) else { return Err(general(General::MissingToken)) };
    let signed_for = |service: Service| service.signing_name() == scope.service;
    let wrong_scope = |service: Service| refuse(Some(service), ApiError::wrong_scope(protocol, service));
    let call = |service, operation: &str, input, body| Call {
        service,
        region: scope.region.clone(),
        protocol,
        operation: operation.to_owned(),
        input,
        body,
    };
    match protocol {
        Protocol::RestXml => {
            if !signed_for(Service::Route53) {
                return Err(wrong_scope(Service::Route53));
            }
            let (operation, input) = rest::route(request);
            Ok(call(Service::Route53, operation, input, request.body().clone()))
        }
        Protocol::Cbor => {
            let operation = cbor::operation(request.uri().path()).unwrap_or_default();
            if !signed_for(Service::CloudWatch) {
                return Err(wrong_scope(Service::CloudWatch));
            }
            let input = cbor::read(request.body())
                .ok_or_else(|| refuse(Some(Service::CloudWatch), General::Malformed.spelt(protocol, None)))?;
            Ok(call(Service::CloudWatch, operation, input, Bytes::new()))
        }
        Protocol::Json10 | Protocol::Json11 => {
            let target = text(request.headers(), "x-amz-target").unwrap_or_default();
            let (prefix, operation) = target.split_once('.').unwrap_or((target, ""));
            let named = Service::ALL.into_iter().find(|service| service.target_prefix() == Some(prefix));
            let Some(service) = named else { return Err(general(General::UnknownOperation(target.to_owned()))) };
            if !signed_for(service) {
                return Err(wrong_scope(service));
            }
            let input = json::read(request.body())
                .ok_or_else(|| refuse(Some(service), General::Malformed.spelt(protocol, None)))?;
            Ok(call(service, operation, input, Bytes::new()))
        }
        Protocol::Query => {
            let mut form = query::read(request).ok_or_else(|| general(General::Malformed))?;
            let action = query::take(&mut form, "Action");
            let version = query::take(&mut form, "Version");
            let mut signed = Service::ALL.into_iter().filter(|service| signed_for(*service));
            let Some(service) = signed.find(|service| service.answers_query(&version)) else {
                return Err(general(General::UnknownOperation(action)));
            };
            Ok(call(service, &action, form, Bytes::new()))
        }
    }
}

/// The dialect of a request, told by what only that dialect has.
fn protocol_of(request: &Request<Bytes>) -> Protocol {
    let headers = request.headers();
    if text(headers, "smithy-protocol") == Some("rpc-v2-cbor") {
        Protocol::Cbor
    } else if headers.contains_key("x-amz-target") {
        let content = text(headers, "content-type").unwrap_or_default();
        if content.starts_with("application/x-amz-json-1.0") { Protocol::Json10 } else { Protocol::Json11 }
    } else if request.uri().path().starts_with("/2013-04-01/") {
        Protocol::RestXml
    } else {
        Protocol::Query
    }
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Writes a service's answer in the dialect of the call.
pub(crate) fn answer(call: &Call, node: &Node, request_id: &str) -> Response<Bytes> {
    let (kind, body) = match call.protocol {
        Protocol::RestXml => (XML, xml::document(&format!("{}Response", call.operation), ROUTE53_NAMESPACE, node)),
        Protocol::Query => {
            let namespace = call.service.query_version().map_or("", |(_, namespace)| namespace);
            (XML, query::document(&call.operation, namespace, node, request_id))
        }
        Protocol::Json10 => (JSON10, json::write(node)),
        Protocol::Json11 => (JSON11, json::write(node)),
        Protocol::Cbor => (CBOR, cbor::write(node)),
    };
    let mut response = respond(StatusCode::OK, kind, body, request_id);
    if call.protocol == Protocol::Cbor {
        response.headers_mut().insert("smithy-protocol", http::HeaderValue::from_static("rpc-v2-cbor"));
    }
    response
}

/// Writes an error in a dialect.
pub(crate) fn refuse(
    protocol: Protocol,
    service: Option<Service>,
    error: &ApiError,
    request_id: &str,
) -> Response<Bytes> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    let (kind, body) = match protocol {
        Protocol::RestXml => (XML, xml::error(error, ROUTE53_NAMESPACE, request_id)),
        Protocol::Query => {
            let namespace = service.and_then(Service::query_version).map_or("", |(_, namespace)| namespace);
            (XML, xml::error(error, namespace, request_id))
        }
        Protocol::Json10 | Protocol::Json11 => {
            let body = map([("__type", error.code.as_str().into()), ("message", error.message.as_str().into())]);
            (if protocol == Protocol::Json10 { JSON10 } else { JSON11 }, json::write(&body))
        }
        Protocol::Cbor => {
            let kind = format!("com.amazonaws.cloudwatch#{}", error.code);
            let body = map([("__type", kind.into()), ("message", error.message.as_str().into())]);
            (CBOR, cbor::write(&body))
        }
    };
    let mut response = respond(status, kind, body, request_id);
    let headers = response.headers_mut();
    if protocol == Protocol::Cbor {
        headers.insert("smithy-protocol", http::HeaderValue::from_static("rpc-v2-cbor"));
    }
    if service == Some(Service::CloudWatch) && protocol != Protocol::Query {
        // The service once spoke Query alone: newer dialects carry the code of that time beside their own.
        let fault = if error.status >= 500 { "Receiver" } else { "Sender" };
        if let Ok(value) = http::HeaderValue::try_from(format!("{};{fault}", error.query_code())) {
            headers.insert("x-amzn-query-error", value);
        }
    }
    response
}

const XML: &str = "text/xml";
const JSON10: &str = "application/x-amz-json-1.0";
const JSON11: &str = "application/x-amz-json-1.1";
const CBOR: &str = "application/cbor";

fn respond(status: StatusCode, kind: &'static str, body: Vec<u8>, request_id: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    if let Ok(value) = http::HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", value);
    }
    response
}

/// A JSON answer of the simulator's own paths.
pub(crate) fn plain(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut text = body.to_string();
    text.push('\n');
    respond(status, "application/json", text.into_bytes(), "sim")
}

/// True for requests that only read.
pub(crate) fn is_get(request: &Request<Bytes>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}
