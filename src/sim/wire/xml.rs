//! XML: documents out, and a small element tree in.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;

use super::{ApiError, Node};

/// Deeper than any request of Route 53.
const MAX_DEPTH: usize = 32;

/// An element of a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child, without the white space around it.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }
}

/// Parses a document into its root element; `None` if it is not well formed, too deep, or no text.
pub(crate) fn parse(body: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH || root.is_some() {
                    return None;
                }
                open.push(named(start.local_name().as_ref()));
            }
            Event::Empty(start) => close(named(start.local_name().as_ref()), &mut open, &mut root)?,
            Event::End(_) => {
                let element = open.pop()?;
                close(element, &mut open, &mut root)?;
            }
            Event::Text(content) => match open.last_mut() {
                Some(element) => element.text.push_str(&content),
                None if content.trim().is_empty() => {}
                None => return None,
            },
            Event::CData(content) => open.last_mut()?.text.push_str(&content),
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().ok()? {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&reference)?.to_owned(),
                };
                open.last_mut()?.text.push_str(&resolved);
            }
            Event::Eof => return if open.is_empty() { root } else { None },
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            // A document type could define entities; no AWS client sends one.
            Event::DocType(_) => return None,
        }
    }
}

fn named(name: &str) -> Element {
    Element { name: name.to_owned(), ..Element::default() }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Option<()> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return None,
    }
    Some(())
}

/// Writes a document.
pub(crate) fn document(root: &str, namespace: &str, node: &Node) -> Vec<u8> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = write!(out, "<{root} xmlns=\"{namespace}\">");
    content(&mut out, node);
    let _ = write!(out, "</{root}>");
    out.into_bytes()
}

/// Writes an error as REST-XML and Query services do.
pub(crate) fn error(error: &ApiError, namespace: &str, request_id: &str) -> Vec<u8> {
    let kind = if error.status >= 500 { "Receiver" } else { "Sender" };
    let detail = super::map([
        ("Type", kind.into()),
        ("Code", error.code.as_str().into()),
        ("Message", error.message.as_str().into()),
    ]);
    document("ErrorResponse", namespace, &super::map([("Error", detail), ("RequestId", request_id.into())]))
}

fn content(out: &mut String, node: &Node) {
    match node {
        Node::Str(text) => out.push_str(&escape(text.as_str())),
        Node::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Node::Float(number) => {
            let _ = write!(out, "{number}");
        }
        Node::Bool(flag) => {
            let _ = write!(out, "{flag}");
        }
        Node::Time(time) => {
            let _ = write!(out, "{time:.3}");
        }
        Node::List(items) => items.iter().for_each(|item| element(out, "member", item)),
        Node::Items(name, items) => items.iter().for_each(|item| element(out, name, item)),
        Node::Map(members) => members.iter().for_each(|(name, node)| element(out, name, node)),
    }
}

fn element(out: &mut String, name: &str, node: &Node) {
    let _ = write!(out, "<{name}>");
    content(out, node);
    let _ = write!(out, "</{name}>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_namespaces_and_comments_are_understood() {
        let body = b"<?xml version='1.0'?><!-- c --><a:R xmlns:a='u'><T>x &amp; &#65;<![CDATA[<y>]]></T><E/></a:R>";
        let root = parse(body).unwrap();
        assert_eq!((root.name.as_str(), root.text_of("T")), ("R", Some("x & A<y>")));
        assert!(root.child("E").is_some());
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for body in
            ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&nope;</a>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"]
        {
            assert_eq!(parse(body.as_bytes()), None, "{body}");
        }
        assert_eq!(parse("<a>".repeat(40).as_bytes()), None);
    }

    #[test]
    fn text_is_escaped_on_the_way_out() {
        let out = document("R", "n", &super::super::map([("T", "a<b&\"c\"".into())]));
        let root = parse(&out).unwrap();
        assert_eq!(root.text_of("T"), Some("a<b&\"c\""));
    }
}
