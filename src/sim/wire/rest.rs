//! REST requests, as Route 53 takes them: the operation is in the method and the path.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Map, Value};

/// Finds the operation of a REST request, and its parameters in path and query.
pub(crate) fn route(request: &Request<Bytes>) -> (&'static str, Value) {
    let path = request.uri().path().trim_start_matches("/2013-04-01").trim_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    let (get, post) = (request.method() == Method::GET, request.method() == Method::POST);
    let (operation, id) = match parts[..] {
        ["hostedzone"] if get => ("ListHostedZones", ""),
        ["hostedzonesbyname"] if get => ("ListHostedZonesByName", ""),
        ["hostedzone", id] if get => ("GetHostedZone", id),
        ["hostedzone", id, "rrset"] if get => ("ListResourceRecordSets", id),
        ["hostedzone", id, "rrset"] if post => ("ChangeResourceRecordSets", id),
        ["change", id] if get => ("GetChange", id),
        _ => ("", ""),
    };
    let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let mut input: Map<String, Value> = query.map(|(name, value)| (name.into_owned(), Value::from(value))).collect();
    input.insert("Id".to_owned(), id.into());
    (operation, Value::Object(input))
}
