//! AWS JSON 1.0 and 1.1: bodies, and lenient access to inputs of every dialect.

use serde_json::{Map, Number, Value};

use super::Node;

/// Reads a request body; an empty one is an empty structure.
pub(crate) fn read(body: &[u8]) -> Option<Value> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Some(Value::Object(Map::new()));
    }
    serde_json::from_slice::<Value>(body).ok().filter(Value::is_object)
}

/// Writes an answer.
pub(crate) fn write(node: &Node) -> Vec<u8> {
    value(node).to_string().into_bytes()
}

fn value(node: &Node) -> Value {
    match node {
        Node::Str(text) => Value::String(text.clone()),
        Node::Int(number) => Value::from(*number),
        Node::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Node::Bool(flag) => Value::Bool(*flag),
        Node::Time(time) => seconds(*time),
        Node::List(items) | Node::Items(_, items) => items.iter().map(value).collect(),
        Node::Map(members) => {
            Value::Object(members.iter().map(|(name, node)| (name.to_string(), value(node))).collect())
        }
    }
}

fn seconds(time: jiff::Timestamp) -> Value {
    let millis = time.as_millisecond();
    if millis % 1_000 == 0 { Value::from(millis / 1_000) } else { Value::from(millis as f64 / 1_000.0) }
}

/// A text member.
pub(crate) fn str_of<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    input.get(name)?.as_str()
}

/// A whole number, also when a dialect without types sent it as text.
pub(crate) fn int_of(input: &Value, name: &str) -> Option<i64> {
    int(input.get(name)?)
}

/// A whole number, also when it is text.
pub(crate) fn int(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A truth value, also when it is text.
pub(crate) fn bool_of(input: &Value, name: &str) -> Option<bool> {
    let value = input.get(name)?;
    value.as_bool().or_else(|| value.as_str()?.parse().ok())
}

/// The items of a list member; none if it is missing or something else.
pub(crate) fn list_of<'a>(input: &'a Value, name: &str) -> &'a [Value] {
    input.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of a list member.
pub(crate) fn strs_of<'a>(input: &'a Value, name: &str) -> Vec<&'a str> {
    list_of(input, name).iter().filter_map(Value::as_str).collect()
}

/// A point in time in any dialect's form, as Unix seconds.
pub(crate) fn time_of(input: &Value, name: &str) -> Option<f64> {
    let value = input.get(name)?;
    if let Some(seconds) = value.as_f64() {
        return Some(seconds);
    }
    let text = value.as_str()?;
    let time: Option<jiff::Timestamp> = text.parse().ok();
    time.map(|time| time.as_millisecond() as f64 / 1_000.0).or_else(|| text.parse().ok())
}
