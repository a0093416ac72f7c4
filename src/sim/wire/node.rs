//! The answer of a service before a dialect is chosen: a small tree that JSON, CBOR and XML can all be written from.

use std::borrow::Cow;

use jiff::Timestamp;

/// A value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Str(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// Written as epoch seconds in JSON, as a tagged number in CBOR, as ISO 8601 in XML.
    Time(Timestamp),
    List(Vec<Node>),
    /// A list whose items have a name in XML, as in Route 53's documents.
    Items(&'static str, Vec<Node>),
    Map(Vec<(Cow<'static, str>, Node)>),
}

/// A structure with fixed member names.
pub(crate) fn map<const N: usize>(members: [(&'static str, Node); N]) -> Node {
    Node::Map(members.into_iter().map(|(name, node)| (Cow::Borrowed(name), node)).collect())
}

impl Node {
    /// Adds a member to a structure; does nothing to any other node.
    pub(crate) fn push(&mut self, name: &'static str, node: impl Into<Node>) {
        if let Self::Map(members) = self {
            members.push((Cow::Borrowed(name), node.into()));
        }
    }

    /// Adds a member if there is a value for it.
    pub(crate) fn push_some(&mut self, name: &'static str, node: Option<impl Into<Node>>) {
        if let Some(node) = node {
            self.push(name, node);
        }
    }

    /// A list from anything that becomes nodes.
    pub(crate) fn list<T: Into<Node>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl From<&str> for Node {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl From<String> for Node {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}

impl From<i64> for Node {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Node {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<usize> for Node {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Node {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Timestamp> for Node {
    fn from(value: Timestamp) -> Self {
        Self::Time(value)
    }
}

impl<T: Into<Node>> From<Vec<T>> for Node {
    fn from(items: Vec<T>) -> Self {
        Self::list(items)
    }
}
