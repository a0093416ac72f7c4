//! The Query dialect: a flat form in, an XML document with a result wrapper out.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value};

use super::{Node, is_get, xml};

/// More nesting than any AWS input has.
const MAX_DEPTH: usize = 16;
/// More parameters than 500 metric queries with all their dimensions need.
const MAX_PARAMETERS: usize = 20_000;

/// Reads the form of a request into the same tree as other dialects' inputs; texts stay texts.
pub(crate) fn read(request: &Request<Bytes>) -> Option<Value> {
    let query = request.uri().query().unwrap_or_default();
    let body: &[u8] = if is_get(request) { &[] } else { request.body() };
    let mut root = Tree::default();
    let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(body));
    for (count, (name, value)) in pairs.enumerate() {
        if count >= MAX_PARAMETERS || name.split('.').count() > MAX_DEPTH {
            return None;
        }
        root.put(name.split('.'), value.into_owned());
    }
    let tree = root.into_value();
    Some(if tree.is_object() { tree } else { Value::Object(Map::new()) })
}

/// Takes a text out of the top level.
pub(crate) fn take(form: &mut Value, name: &str) -> String {
    let taken = form.as_object_mut().and_then(|form| form.remove(name));
    taken.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[derive(Debug, Default)]
struct Tree {
    leaf: Option<String>,
    branches: BTreeMap<String, Tree>,
}

impl Tree {
    fn put<'a>(&mut self, mut path: impl Iterator<Item = &'a str>, value: String) {
        match path.next() {
            None => self.leaf = Some(value),
            Some(step) => self.branches.entry(step.to_owned()).or_default().put(path, value),
        }
    }

    fn into_value(self) -> Value {
        if self.branches.is_empty() {
            return Value::String(self.leaf.unwrap_or_default());
        }
        let mut branches = self.branches;
        if branches.len() == 1
            && let Some(list) = branches.remove("member")
        {
            let mut items: Vec<(u32, Tree)> =
                list.branches.into_iter().filter_map(|(index, item)| Some((index.parse().ok()?, item))).collect();
            items.sort_by_key(|(index, _)| *index);
            return items.into_iter().map(|(_, item)| item.into_value()).collect();
        }
        Value::Object(branches.into_iter().map(|(name, tree)| (name, tree.into_value())).collect())
    }
}

/// Writes an answer.
pub(crate) fn document(operation: &str, namespace: &str, node: &Node, request_id: &str) -> Vec<u8> {
    let metadata = super::map([("RequestId", request_id.into())]);
    let members = vec![(format!("{operation}Result").into(), node.clone()), ("ResponseMetadata".into(), metadata)];
    xml::document(&format!("{operation}Response"), namespace, &Node::Map(members))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_structures_come_out_nested_and_in_order() {
        let body = "Action=X&A.member.2.Name=b&A.member.10.Name=c&A.member.1.Name=a&B.C=d&E=";
        let request = Request::post("/").body(Bytes::from(body)).unwrap();
        let expected =
            json!({"Action": "X", "A": [{"Name": "a"}, {"Name": "b"}, {"Name": "c"}], "B": {"C": "d"}, "E": ""});
        assert_eq!(read(&request), Some(expected));
    }

    #[test]
    fn absurd_nesting_is_refused() {
        let request = Request::post("/").body(Bytes::from("a.".repeat(1_000))).unwrap();
        assert_eq!(read(&request), None);
    }
}
