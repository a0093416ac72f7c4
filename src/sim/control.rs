//! The simulator's own paths, `/_sim/...`: look at the world, inject faults, move the clock, make and delete the stack.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::Fault;
use super::{Inner, outputs, services, wire};

/// One `advance` moves the clock by at most a week: beyond that it is a typing mistake that would keep the machine busy.
const MAX_ADVANCE_S: f64 = 7.0 * 86_400.0;

/// Handles a request whose path starts with `/_sim`.
pub(super) fn handle(inner: &mut Inner, request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path();
    let get = wire::is_get(request);
    let post = request.method() == Method::POST;
    let outcome = match path {
        "/_sim/state" if get => Ok(inner.state()),
        "/_sim/outputs" if get => Ok(outputs::outputs()),
        "/_sim/operations" if get => Ok(services::operations()),
        "/_sim/fault" if post => fault(inner, request.body()),
        "/_sim/fault" if request.method() == Method::DELETE => {
            inner.faults.clear();
            Ok(json!({"faults": []}))
        }
        "/_sim/advance" if post => advance(inner, request.body()),
        "/_sim/stack" if post => stack(inner, request.body()),
        "/_sim/state" | "/_sim/outputs" | "/_sim/operations" | "/_sim/fault" | "/_sim/advance" | "/_sim/stack" => {
            let message = format!("{path} does not take {}", request.method());
            return wire::plain(StatusCode::METHOD_NOT_ALLOWED, &json!({"error": message}));
        }
        _ => {
            let message = format!(
                "there is no {path}; known: GET /_sim/state, GET /_sim/outputs, GET /_sim/operations, POST and DELETE /_sim/fault, POST /_sim/advance, POST /_sim/stack"
            );
            return wire::plain(StatusCode::NOT_FOUND, &json!({"error": message}));
        }
    };
    match outcome {
        Ok(body) => wire::plain(StatusCode::OK, &body),
        Err(message) => wire::plain(StatusCode::BAD_REQUEST, &json!({"error": message})),
    }
}

fn fault(inner: &mut Inner, body: &[u8]) -> Result<Value, String> {
    let fault: Fault = serde_json::from_slice(body).map_err(|error| format!("this is no fault: {error}"))?;
    fault.check()?;
    inner.inject(fault);
    Ok(json!({"faults": inner.faults.to_json()}))
}

/// What a Pulumi run reports: every resource that the stack has now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    resources: Vec<String>,
}

fn stack(inner: &mut Inner, body: &[u8]) -> Result<Value, String> {
    let report: Report =
        serde_json::from_slice(body).map_err(|error| format!("this is no list of resources: {error}"))?;
    inner.set_stack(&report.resources)?;
    Ok(json!({"stack": inner.state()["stack"]}))
}

fn advance(inner: &mut Inner, body: &[u8]) -> Result<Value, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("this is no JSON: {error}"))?;
    let seconds = body.get("seconds").and_then(Value::as_f64);
    let seconds = seconds.ok_or("give the virtual seconds to move, for example {\"seconds\":60}")?;
    if !(0.0..=MAX_ADVANCE_S).contains(&seconds) {
        return Err(format!("seconds must be from 0 to {MAX_ADVANCE_S}"));
    }
    let by = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    inner.advance(by);
    Ok(json!({"now": inner.clock.now().to_string()}))
}
