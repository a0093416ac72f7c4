//! Whether an answer in XML is a whole one: the SDK takes half a list for all of it, and makes up what is missing.
//!
//! Looked at once, where every answer comes in. Pure.

use std::collections::BTreeSet;
use std::fmt;

use quick_xml::Reader;
use quick_xml::events::Event;

/// An answer that ends early, or lacks what AWS always sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotWhole(String);

impl NotWhole {
    pub(super) fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl fmt::Display for NotWhole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer is not a whole one: {}", self.0)
    }
}

impl std::error::Error for NotWhole {}

/// What has to stand in a document, by its root, and in every element of a list (the services' API references: the
/// members that are marked as required, and the ones without which an answer says nothing).
const REQUIRED: [(&str, &[&str]); 9] = [
    ("ListResourceRecordSetsResponse", &["ResourceRecordSets", "IsTruncated", "MaxItems"]),
    ("ResourceRecordSet", &["Name", "Type"]),
    ("ChangeResourceRecordSetsResponse", &["ChangeInfo"]),
    ("GetChangeResponse", &["ChangeInfo"]),
    ("ChangeInfo", &["Id", "Status", "SubmittedAt"]),
    ("AliasTarget", &["HostedZoneId", "DNSName", "EvaluateTargetHealth"]),
    ("DescribeTargetHealthResponse", &["DescribeTargetHealthResult"]),
    ("DescribeInstanceHealthResponse", &["DescribeInstanceHealthResult"]),
    ("GetCallerIdentityResponse", &["GetCallerIdentityResult"]),
];

/// Stands among the children of a list that says of itself that it goes on; no element has such a name.
const GOES_ON: &str = "IsTruncated: true";

/// Checks a body. What is not XML at all is for the SDK to refuse.
///
/// # Errors
/// [`NotWhole`] says what is missing.
pub(super) fn check(body: &[u8]) -> Result<(), NotWhole> {
    let not_whole = |what: String| Err(NotWhole(what));
    let Ok(text) = std::str::from_utf8(body) else { return Ok(()) };
    if !text.trim_start().starts_with('<') {
        return Ok(());
    }
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, BTreeSet<String>)> = Vec::new();
    let mut roots = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let name = tag.local_name().as_ref().to_owned();
                match open.last_mut() {
                    Some((_, inside)) => drop(inside.insert(name.clone())),
                    None => roots += 1,
                }
                open.push((name, BTreeSet::new()));
            }
            Ok(Event::Empty(tag)) => {
                let name = tag.local_name().as_ref().to_owned();
                match open.last_mut() {
                    Some((_, inside)) => drop(inside.insert(name.clone())),
                    None => roots += 1,
                }
                complete(&name, &BTreeSet::new())?;
            }
            Ok(Event::Text(text)) if text.trim() == "true" => {
                if let [.., (_, inside), (name, _)] = open.as_mut_slice()
                    && name == "IsTruncated"
                {
                    inside.insert(GOES_ON.to_owned());
                }
            }
            Ok(Event::End(_)) => {
                if let Some((name, inside)) = open.pop() {
                    complete(&name, &inside)?;
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => return not_whole(error.to_string()),
        }
    }
    match open.last() {
        Some((name, _)) => not_whole(format!("it ends inside {name}")),
        None if roots == 1 => Ok(()),
        None => not_whole(format!("it has {roots} roots")),
    }
}

fn complete(name: &str, inside: &BTreeSet<String>) -> Result<(), NotWhole> {
    if inside.contains(GOES_ON) && !inside.contains("NextRecordName") {
        return Err(NotWhole::new("a list that goes on and does not say where"));
    }
    let required = REQUIRED.iter().find(|(element, _)| *element == name).map_or(&[][..], |(_, required)| *required);
    match required.iter().find(|child| !inside.contains(**child)) {
        Some(missing) => Err(NotWhole(format!("{name} without {missing}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "<?xml version=\"1.0\"?>\n<ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
        <ResourceRecordSets><ResourceRecordSet><Name>a.</Name><Type>A</Type><SetIdentifier>x</SetIdentifier><Weight>1</Weight>\
        <AliasTarget><HostedZoneId>Z</HostedZoneId><DNSName>d.</DNSName><EvaluateTargetHealth>true</EvaluateTargetHealth>\
        </AliasTarget></ResourceRecordSet></ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>\
        </ListResourceRecordSetsResponse>\n";

    #[test]
    fn no_cut_of_an_answer_passes_for_the_whole() {
        assert_eq!(check(LISTING.as_bytes()), Ok(()));
        let whole = LISTING.trim_end().len();
        for cut in 1..whole {
            assert!(check(&LISTING.as_bytes()[..cut]).is_err(), "{}", &LISTING[..cut]);
        }
    }

    #[test]
    fn what_aws_always_sends_has_to_be_there() {
        for part in ["<IsTruncated>false</IsTruncated>", "<Name>a.</Name>", "<Type>A</Type>", "<DNSName>d.</DNSName>"] {
            let error = check(LISTING.replace(part, "").as_bytes()).unwrap_err();
            assert!(error.to_string().contains("without"), "{error}");
        }
        let empty = "<ListResourceRecordSetsResponse><ResourceRecordSets/><IsTruncated>false</IsTruncated><MaxItems>1</MaxItems>\
                     </ListResourceRecordSetsResponse>";
        assert_eq!(check(empty.as_bytes()), Ok(()));
        assert!(check(b"<GetChangeResponse/>").is_err());
        assert!(check(b"<a></a><b></b>").is_err());
        for other in [&b""[..], b"nonsense", b"{\"a\":1}", b"\xff\xfe"] {
            assert_eq!(check(other), Ok(()), "not for this look");
        }
    }
}
