//! The credential scope of a signed request: which service and which region it was signed for.
//!
//! Signatures are not checked: the simulator takes any credentials.

use bytes::Bytes;
use http::Request;

/// Service and region of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) region: String,
    pub(crate) service: String,
}

/// The scope of a request, from its `Authorization` header or its presigned query.
pub(crate) fn scope(request: &Request<Bytes>) -> Option<Scope> {
    if let Some(header) = super::text(request.headers(), "authorization") {
        let credential = header.split([' ', ',']).find_map(|part| part.trim().strip_prefix("Credential="))?;
        return parse(credential);
    }
    let query = request.uri().query()?;
    let (_, credential) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "X-Amz-Credential")?;
    parse(&credential)
}

/// `KEY/DATE/REGION/SERVICE/aws4_request`; the key itself may hold slashes.
fn parse(credential: &str) -> Option<Scope> {
    let mut parts = credential.rsplitn(5, '/');
    if parts.next()? != "aws4_request" {
        return None;
    }
    let service = parts.next()?;
    let region = parts.next()?;
    let _date = parts.next()?;
    parts.next().filter(|key| !key.is_empty())?;
    Some(Scope { region: region.to_owned(), service: service.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(header: &str) -> Request<Bytes> {
        Request::get("/").header("authorization", header).body(Bytes::new()).unwrap()
    }

    #[test]
    fn the_scope_is_read_from_the_header() {
        let header = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-west-2/dms/aws4_request, SignedHeaders=host, Signature=0";
        assert_eq!(scope(&with(header)), Some(Scope { region: "us-west-2".into(), service: "dms".into() }));
    }

    #[test]
    fn nonsense_has_no_scope() {
        for header in ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=a/b", "Credential=/1/r/s/aws4_request"] {
            assert_eq!(scope(&with(header)), None, "{header}");
        }
        assert_eq!(scope(&Request::get("/").body(Bytes::new()).unwrap()), None);
    }
}
