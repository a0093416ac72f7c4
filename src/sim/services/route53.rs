//! Route 53 (REST-XML, 2013-04-01).

use bytes::Bytes;
use http::Request;
use serde_json::Value;

pub(crate) const OPERATIONS: &[&str] = &[];

/// Finds the operation of a REST request.
pub(crate) fn route(_request: &Request<Bytes>) -> (&'static str, Value) {
    ("", Value::Null)
}
