//! Who may speak to the simulator: programs of this host, and no page of the web that a browser of this host shows.
//!
//! A page can have its own name lead to 127.0.0.1 (DNS rebinding), and can post to any address: so the `Host` has to be
//! this host's (RFC 9110, 7.4: 421), nothing may come from another origin (Fetch, "forbidden request-headers": a page
//! cannot leave out or forge `Origin` and `Sec-Fetch-Site`), and the simulator's own paths take JSON only, which a page
//! cannot post without asking first. Pure.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName};
use http::request::Parts;
use http::{Method, StatusCode};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request is not answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) words: String,
}

fn refusal(status: StatusCode, words: impl Into<String>) -> Refusal {
    Refusal { status, words: words.into() }
}

/// Looks at who asks, before the body is waited for.
pub(super) fn check(parts: &Parts) -> Result<(), Refusal> {
    let host = one_host(&parts.headers)?;
    let named = parts.uri.authority().map(http::uri::Authority::as_str);
    for authority in [Some(host), named].into_iter().flatten() {
        if !is_this_host(authority) {
            let words = format!("this simulator answers for this host only, and was asked for {authority}");
            return Err(refusal(StatusCode::MISDIRECTED_REQUEST, words));
        }
    }
    if is_foreign(&parts.headers, host) {
        let words = "this simulator takes nothing from a page of another site";
        return Err(refusal(StatusCode::FORBIDDEN, words));
    }
    let own_path = parts.uri.path() == "/_sim" || parts.uri.path().starts_with("/_sim/");
    if own_path && parts.method == Method::POST && !says_json(&parts.headers) {
        let words = "the simulator's own paths take JSON only: send `content-type: application/json`, as `curl --json`";
        return Err(refusal(StatusCode::FORBIDDEN, words));
    }
    Ok(())
}

/// The one `Host` that every request carries (RFC 9112, 3.2).
fn one_host(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next().map(http::HeaderValue::to_str), hosts.next()) {
        (Some(Ok(host)), None) => Ok(host),
        _ => Err(refusal(StatusCode::BAD_REQUEST, "a request names one host")),
    }
}

/// Whether an authority means this host, in any spelling that clients accept: a proxy before it has a port of its own.
fn is_this_host(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return ip.to_canonical().is_loopback() || ip.is_unspecified();
    }
    // As the C library reads numbers: 127.1, 0x7f000001, 2130706433.
    let number = |part: &str| match part.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(part, 8).ok(),
        None => part.parse().ok(),
    };
    let Some(parts) = host.split('.').map(number).collect::<Option<Vec<u32>>>() else { return false };
    match parts.as_slice() {
        [whole] => *whole == 0 || whole >> 24 == 127,
        [first, ..] if parts.len() <= 4 => *first == 127,
        _ => false,
    }
}

/// Whether a browser says that another site's page asks. No AWS client sends either header.
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    let site = headers.get_all(FETCH_SITE).iter().any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
    let own = |origin: &http::HeaderValue| {
        let place = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        place.is_some_and(|place| place.eq_ignore_ascii_case(host))
    };
    site || !headers.get_all(header::ORIGIN).iter().all(own)
}

/// Whether the body is called JSON, or nothing: what says nothing is no page's.
fn says_json(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_TYPE).iter().all(|kind| {
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("application/json")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, uri: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0).map_or_else(|refusal| refusal.status.as_u16(), |()| 200)
    }

    #[test]
    fn every_spelling_of_this_host_is_answered_and_no_other_name() {
        for host in [
            "127.0.0.1:4566",
            "127.0.0.1",
            "localhost:1",
            "LOCALHOST.",
            "sim.localhost:80",
            "[::1]:9",
            "[::ffff:127.0.0.1]:9",
            "127.8.9.1",
            "127.1:9",
            "0x7f000001",
            "2130706433",
            "0.0.0.0:1",
            "0177.0.0.1",
        ] {
            assert_eq!(asked("GET", "/_sim/state", &[("host", host)]), 200, "{host}");
        }
        for host in [
            "rebound.example.com",
            "127.0.0.1.example.com:4566",
            "localhost.example.com",
            "10.0.0.1",
            "169.254.169.254",
            "[2001:db8::1]:80",
            "notlocalhost",
            "128.1",
            "",
            "127.0.0.1@example.com",
        ] {
            for path in ["/_sim/state", "/2013-04-01/hostedzone"] {
                assert_eq!(asked("GET", path, &[("host", host)]), 421, "{host}");
            }
        }
        assert_eq!(asked("GET", "http://example.com/_sim/state", &[("host", "127.0.0.1")]), 421, "a proxy's request");
        assert_eq!(asked("GET", "/_sim/state", &[]), 400);
        assert_eq!(asked("GET", "/_sim/state", &[("host", "127.0.0.1"), ("host", "example.com")]), 400);
    }

    #[test]
    fn nothing_of_another_origin_is_taken() {
        const HOST: (&str, &str) = ("host", "127.0.0.1:4566");
        for (method, path) in
            [("POST", "/_sim/fault"), ("DELETE", "/_sim/fault"), ("POST", "/"), ("GET", "/_sim/state")]
        {
            for foreign in [
                ("origin", "https://example.com"),
                ("origin", "null"),
                ("origin", "http://127.0.0.1:3000"),
                ("origin", "https://127.0.0.1:4566"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-site", "something-new"),
            ] {
                assert_eq!(asked(method, path, &[HOST, foreign]), 403, "{method} {path} {foreign:?}");
            }
            for own in
                [("origin", "http://127.0.0.1:4566"), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")]
            {
                assert_eq!(asked(method, path, &[HOST, own]), 200, "{method} {path} {own:?}");
            }
            let both = [HOST, ("origin", "http://127.0.0.1:4566"), ("origin", "http://example.com")];
            assert_eq!(asked(method, path, &both), 403);
        }
    }

    #[test]
    fn its_own_paths_take_json_only_and_awss_take_what_aws_takes() {
        const HOST: (&str, &str) = ("host", "localhost:4566");
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json"] {
            for path in ["/_sim/fault", "/_sim/advance", "/_sim/stack", "/_sim"] {
                assert_eq!(asked("POST", path, &[HOST, ("content-type", kind)]), 403, "{path} {kind}");
            }
            assert_eq!(asked("POST", "/", &[HOST, ("content-type", kind)]), 200, "{kind}");
        }
        for kind in ["application/json", "Application/JSON; charset=utf-8"] {
            assert_eq!(asked("POST", "/_sim/fault", &[HOST, ("content-type", kind)]), 200, "{kind}");
        }
        assert_eq!(asked("POST", "/_sim/fault", &[HOST]), 200);
        let two = [HOST, ("content-type", "application/json"), ("content-type", "text/plain")];
        assert_eq!(asked("POST", "/_sim/fault", &two), 403);
    }
}
