//! Stack outputs as the engine reports them, with every secret masked.
//!
//! Pure. Pulumi marks special values with a signature key (`resource.SigKey` in its SDK); a value that carries one is
//! never shown as it is.

use std::collections::BTreeMap;

use serde_json::Value;

use super::text::{capped, clean};
use super::{MAX_NAME_BYTES, MAX_OUTPUTS};

/// Key that marks an object as a special value.
const SIGNATURE: &str = "4dabf18193072939515e22adb298388d";
/// Signature of a secret.
const SECRET: &str = "1b47061264138c4ac30d75fd1eb44270";
/// What stands for a secret on the screen.
pub const MASK: &str = "[secret]";
/// Nesting that is followed; the outputs of the bundled program are flat.
const MAX_DEPTH: usize = 16;
/// Bytes of one output's text.
const MAX_OUTPUT_BYTES: usize = 4 << 10;

/// The outputs as short texts, secrets masked, at most [`MAX_OUTPUTS`] of them.
#[must_use]
pub fn texts(outputs: &serde_json::Map<String, Value>) -> BTreeMap<String, String> {
    outputs
        .iter()
        .take(MAX_OUTPUTS)
        .map(|(key, value)| {
            let shown = match masked(value, 0) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            (capped(&clean(key), MAX_NAME_BYTES).into_owned(), capped(&clean(&shown), MAX_OUTPUT_BYTES).into_owned())
        })
        .collect()
}

/// `value` with every secret in it replaced by [`MASK`].
#[must_use]
pub fn mask(value: &Value) -> Value {
    masked(value, 0)
}

fn masked(value: &Value, depth: usize) -> Value {
    match value {
        Value::Object(map) if is_secret(map) => Value::String(MASK.to_owned()),
        Value::Object(_) | Value::Array(_) if depth >= MAX_DEPTH => Value::String("…".to_owned()),
        Value::Object(map) if map.contains_key(SIGNATURE) => Value::String(special(map)),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), masked(value, depth + 1))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| masked(item, depth + 1)).collect()),
        plain => plain.clone(),
    }
}

/// A map that carries a ciphertext is a secret whatever its signature says.
fn is_secret(map: &serde_json::Map<String, Value>) -> bool {
    map.get(SIGNATURE).is_some_and(|signature| signature == SECRET) || map.contains_key("ciphertext")
}

/// Assets, archives and references: what they point at, where they say it.
fn special(map: &serde_json::Map<String, Value>) -> String {
    ["urn", "id", "path", "uri"]
        .into_iter()
        .find_map(|key| map.get(key)?.as_str())
        .unwrap_or("[special value]")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_at_every_depth() {
        let outputs = json!({
            "pw": {SIGNATURE: SECRET, "ciphertext": "AAAA"},
            "plain": {SIGNATURE: SECRET, "plaintext": "\"swordfish\""},
            "nested": {"list": [{"ciphertext": "BBBB"}, "seen"]},
            "url": "https://app.example.com",
            "count": 3,
        });
        let shown = texts(outputs.as_object().unwrap());
        assert_eq!(shown["pw"], MASK);
        assert_eq!(shown["plain"], MASK);
        assert_eq!(shown["nested"], r#"{"list":["[secret]","seen"]}"#);
        assert_eq!(shown["url"], "https://app.example.com");
        assert_eq!(shown["count"], "3");
    }

    #[test]
    fn a_deep_value_ends_in_an_ellipsis() {
        let mut value = json!("bottom");
        for _ in 0..100 {
            value = json!([value]);
        }
        assert!(mask(&value).to_string().contains('…'));
    }
}
