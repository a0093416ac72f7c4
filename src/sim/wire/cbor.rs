//! rpc-v2-cbor, the dialect in which newer SDKs speak to CloudWatch.

use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

use super::Node;

/// CBOR's tag for a time in epoch seconds.
const EPOCH: u64 = 1;

/// The operation in a path `/service/NAME/operation/OPERATION`.
pub(crate) fn operation(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/service/")?;
    let (_service, rest) = rest.split_once('/')?;
    rest.strip_prefix("operation/").filter(|operation| !operation.contains('/'))
}

/// Reads a request body; an empty one is an empty structure.
pub(crate) fn read(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Object(Map::new()));
    }
    let cbor: Cbor = ciborium::from_reader(body).ok()?;
    Some(from_cbor(cbor)).filter(Value::is_object)
}

fn from_cbor(cbor: Cbor) -> Value {
    match cbor {
        Cbor::Integer(number) => i64::try_from(number).map_or(Value::Null, Value::from),
        Cbor::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bool(flag) => Value::Bool(flag),
        Cbor::Tag(_, inner) => from_cbor(*inner),
        Cbor::Array(items) => items.into_iter().map(from_cbor).collect(),
        Cbor::Map(members) => {
            let named =
                members.into_iter().filter_map(|(name, value)| Some((name.into_text().ok()?, from_cbor(value))));
            Value::Object(named.collect())
        }
        _ => Value::Null,
    }
}

/// Writes an answer.
pub(crate) fn write(node: &Node) -> Vec<u8> {
    let mut body = Vec::new();
    // Writing to memory fails only for values that cannot be serialised, and a tree of plain values has none.
    if ciborium::into_writer(&to_cbor(node), &mut body).is_err() {
        body.clear();
    }
    body
}

fn to_cbor(node: &Node) -> Cbor {
    match node {
        Node::Str(text) => Cbor::Text(text.clone()),
        Node::Int(number) => Cbor::Integer((*number).into()),
        Node::Float(number) => Cbor::Float(*number),
        Node::Bool(flag) => Cbor::Bool(*flag),
        Node::Time(time) => Cbor::Tag(EPOCH, Box::new(Cbor::Float(time.as_millisecond() as f64 / 1_000.0))),
        Node::List(items) | Node::Items(_, items) => Cbor::Array(items.iter().map(to_cbor).collect()),
        Node::Map(members) => {
            Cbor::Map(members.iter().map(|(name, node)| (Cbor::Text(name.to_string()), to_cbor(node))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_the_operation() {
        assert_eq!(operation("/service/GraniteServiceVersion20100801/operation/GetMetricData"), Some("GetMetricData"));
        assert_eq!(operation("/service/X/operation/a/b"), None);
        assert_eq!(operation("/"), None);
    }

    #[test]
    fn a_tagged_time_is_read_as_its_number() {
        let mut body = Vec::new();
        let members = vec![(Cbor::Text("StartTime".into()), Cbor::Tag(1, Box::new(Cbor::Float(12.5))))];
        ciborium::into_writer(&Cbor::Map(members), &mut body).unwrap();
        assert_eq!(read(&body), Some(serde_json::json!({"StartTime": 12.5})));
    }

    #[test]
    fn what_is_no_structure_is_refused() {
        assert_eq!(read(&[0x01]), None);
        assert_eq!(read(&[0xff, 0xff]), None);
    }
}
