//! Turns whatever an AWS client reports into the one closed `PortError`, in AWS's own words.
//!
//! May use the SDK's error types. Never lets through a control character, a secret, or a text without an end.

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::iam::AwsOperation;
use super::xml::NotWhole;
use crate::domain::text::Foreign;
use crate::domain::units::age_text;
use crate::ports::{ErrorKind, PortError};

/// Longest message that is kept, in characters: a panel shows less, and an encoded authorization message has thousands.
const MAX_MESSAGE: usize = 500;

/// AWS takes requests that are at most this far from its own time (Signature Version 4, "Eliminate errors when creating a
/// signed request").
const SIGNING_WINDOW: Duration = Duration::from_secs(300);

const THROTTLED: [&str; 9] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    // Route 53 takes one change of a zone at a time; this refusal says that it has not begun with ours.
    "PriorRequestNotComplete",
];

const CREDENTIALS: [&str; 16] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "TokenRefreshRequired",
    "InvalidToken",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "IncompleteSignature",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "AuthFailure",
    "NotSignedUp",
];

/// Codes that a clock minutes off brings about, though AWS does not say so.
const CLOCK: [&str; 4] =
    ["InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed"];

/// Why there are no keys, and the way out that belongs to the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoKeys {
    pub(super) message: String,
    pub(super) next: String,
}

impl NoKeys {
    pub(super) fn new(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { message: message.into(), next: next.into() }
    }
}

impl std::fmt::Display for NoKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for NoKeys {}

/// The error of a call to AWS. `skew` is how far this host's clock is ahead of AWS's, in milliseconds, where it is known.
pub(super) fn port_error<E>(operation: AwsOperation, error: &SdkError<E, HttpResponse>, skew: Option<i64>) -> PortError
where
    E: Error + ProvideErrorMetadata + 'static,
{
    if let SdkError::ServiceError(context) = error {
        return from_service(operation, context.err().meta(), context.raw().status().as_u16(), skew);
    }
    if let Some(cause) = find::<NoKeys>(error) {
        return no_keys(operation.action(), cause);
    }
    let kind = match error {
        _ if find::<CredentialsError>(error).is_some() => ErrorKind::Credentials,
        _ if find::<NotWhole>(error).is_some() => ErrorKind::Garbled,
        SdkError::TimeoutError(_) => ErrorKind::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => ErrorKind::TimedOut,
        SdkError::DispatchFailure(_) => ErrorKind::Unreachable,
        // The body can break off after the headers came; that is the connection's fault, not the answer's.
        SdkError::ResponseError(_) if find::<std::io::Error>(error).is_some() => ErrorKind::Unreachable,
        SdkError::ResponseError(_) => ErrorKind::Garbled,
        _ => ErrorKind::Other,
    };
    PortError::new(kind, operation.action(), one_line(&causes(error)))
}

/// There are no keys to sign with, so nobody was asked.
pub(super) fn no_keys(operation: &str, cause: &NoKeys) -> PortError {
    PortError::new(ErrorKind::Credentials, operation, one_line(&cause.message)).with_next(one_line(&cause.next))
}

/// An answer that was understood and lacks something that AWS always sends.
pub(super) fn garbled(operation: AwsOperation, what: &str) -> PortError {
    PortError::new(ErrorKind::Garbled, operation.action(), one_line(what))
}

fn from_service(
    operation: AwsOperation,
    meta: &aws_smithy_types::error::ErrorMetadata,
    status: u16,
    skew: Option<i64>,
) -> PortError {
    let code = meta.code().unwrap_or_default();
    let message = meta.message().unwrap_or_default();
    let kind = kind_of(code, message, status);
    let action = match kind {
        ErrorKind::Denied => missing_action(message).unwrap_or(operation.action()),
        _ => operation.action(),
    };
    let mut text = match (code, message) {
        ("", "") => format!("HTTP {status} without an error that AWS would send"),
        ("", message) => format!("HTTP {status}: {message}"),
        (code, "") => format!("{code} (HTTP {status})"),
        (code, message) => format!("{code}: {message}"),
    };
    if CLOCK.contains(&code) {
        text = format!("{}; {}", without_canonical(&text), clock_words(skew));
    }
    PortError::new(kind, action, one_line(&text))
}

/// What AWS's code means for the migration; the HTTP status decides where there is no code that is known.
fn kind_of(code: &str, message: &str, status: u16) -> ErrorKind {
    if THROTTLED.contains(&code) || status == 429 || message.trim() == "Rate exceeded" {
        ErrorKind::Throttled
    } else if CREDENTIALS.contains(&code) {
        ErrorKind::Credentials
    } else if code.starts_with("AccessDenied")
        || matches!(code, "UnauthorizedOperation" | "UnauthorizedException" | "NotAuthorized" | "OptInRequired")
        || message.contains("is not authorized to perform")
    {
        ErrorKind::Denied
    } else if code.contains("NotFound") || code.starts_with("NoSuch") {
        ErrorKind::NotFound
    } else if status >= 500 {
        // AWS could not carry the request to its end; like a broken connection this leaves a write undecided.
        ErrorKind::Unreachable
    } else if code.is_empty() {
        ErrorKind::Garbled
    } else if status >= 400 {
        ErrorKind::Invalid
    } else {
        ErrorKind::Other
    }
}

/// The action in `User: … is not authorized to perform: ecs:ListTasks on resource: …`. It can be another one than the
/// call's own, for example `kms:Decrypt` behind it.
fn missing_action(message: &str) -> Option<&str> {
    let rest = message.split_once("is not authorized to perform:")?.1.trim_start();
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-'))).unwrap_or(rest.len());
    rest.get(..end).filter(|action| action.contains(':'))
}

fn clock_words(skew: Option<i64>) -> String {
    match skew.map(|millis| (millis, Duration::from_millis(millis.unsigned_abs()))) {
        Some((millis, off)) if off >= SIGNING_WINDOW => {
            format!("this host's clock is {} {} AWS's", age_text(off), if millis > 0 { "ahead of" } else { "behind" })
        }
        Some(_) => "this host's clock agrees with AWS's, so the keys themselves are wrong".to_owned(),
        None => "a clock that is more than 5 minutes off has the same effect".to_owned(),
    }
}

/// A rejected signature is answered with the whole signed request, the session token among it.
fn without_canonical(text: &str) -> &str {
    text.split("The Canonical String").next().unwrap_or(text).trim_end()
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    std::iter::successors(Some(error), |&e| e.source()).find_map(|e| e.downcast_ref::<T>())
}

/// The causes from the outermost inwards, without those that only repeat the one before.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in std::iter::successors(Some(error), |&e| e.source()) {
        let words = cause.to_string();
        if !words.is_empty() && !text.contains(&words) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&words);
        }
    }
    text
}

/// `text` as one bounded line without control characters, tokens or the password of a proxy. AWS breaks its lines for
/// readers; here they are one sentence.
pub(super) fn one_line(text: &str) -> String {
    let line = Foreign::take(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_string();
    if line.chars().count() > MAX_MESSAGE {
        return line.chars().take(MAX_MESSAGE - 1).chain(['…']).collect();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    #[derive(Debug)]
    struct Rejection(ErrorMetadata);
    impl std::fmt::Display for Rejection {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("service error")
        }
    }
    impl Error for Rejection {}
    impl ProvideErrorMetadata for Rejection {
        fn meta(&self) -> &ErrorMetadata {
            &self.0
        }
    }

    fn answer(status: u16, code: &str, message: &str) -> PortError {
        answer_at(status, code, message, None)
    }

    fn answer_at(status: u16, code: &str, message: &str, skew: Option<i64>) -> PortError {
        let mut meta = ErrorMetadata::builder();
        if !code.is_empty() {
            meta = meta.code(code);
        }
        if !message.is_empty() {
            meta = meta.message(message);
        }
        let raw = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        port_error(AwsOperation::ListTasks, &SdkError::service_error(Rejection(meta.build()), raw), skew)
    }

    fn failure(error: ConnectorError) -> PortError {
        port_error::<Rejection>(AwsOperation::GetChange, &SdkError::dispatch_failure(error), None)
    }

    #[test]
    fn codes_of_all_services_fall_into_their_kind() {
        let rows = [
            (400, "Throttling", "Rate exceeded", ErrorKind::Throttled),
            (400, "ThrottlingException", "Rate exceeded", ErrorKind::Throttled),
            (400, "PriorRequestNotComplete", "wait", ErrorKind::Throttled),
            (400, "SomethingNew", "Rate exceeded", ErrorKind::Throttled),
            (503, "RequestLimitExceeded", "", ErrorKind::Throttled),
            (429, "", "", ErrorKind::Throttled),
            (403, "AccessDenied", "no", ErrorKind::Denied),
            (400, "AccessDeniedException", "no", ErrorKind::Denied),
            (400, "AccessDeniedFault", "no", ErrorKind::Denied),
            (403, "ExpiredToken", "The security token included in the request is expired", ErrorKind::Credentials),
            (400, "ExpiredTokenException", "expired", ErrorKind::Credentials),
            (403, "InvalidClientTokenId", "bad", ErrorKind::Credentials),
            (400, "UnrecognizedClientException", "bad", ErrorKind::Credentials),
            (404, "NoSuchHostedZone", "No hosted zone found", ErrorKind::NotFound),
            (400, "ResourceNotFoundFault", "none", ErrorKind::NotFound),
            (400, "LoadBalancerNotFound", "none", ErrorKind::NotFound),
            (400, "ClusterNotFoundException", "none", ErrorKind::NotFound),
            (400, "InvalidInput", "bad", ErrorKind::Invalid),
            (400, "ValidationError", "bad", ErrorKind::Invalid),
            (500, "InternalFailure", "oh", ErrorKind::Unreachable),
            (503, "ServiceUnavailable", "later", ErrorKind::Unreachable),
            (502, "", "", ErrorKind::Unreachable),
            (404, "", "", ErrorKind::Garbled),
        ];
        for (status, code, message, kind) in rows {
            assert_eq!(answer(status, code, message).kind, kind, "{status} {code} {message}");
        }
    }

    #[test]
    fn a_denial_names_the_action_that_is_missing() {
        let error = answer(
            403,
            "AccessDenied",
            "User: arn:aws:sts::123456789012:assumed-role/oncall/me is not authorized to perform: kms:Decrypt on resource: x",
        );
        assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::Denied, "kms:Decrypt"));
        assert!(error.message.starts_with("AccessDenied: User: arn:aws:sts::123456789012:"));
        assert_eq!(answer(403, "AccessDenied", "no words").operation, "ecs:ListTasks");
    }

    #[test]
    fn a_rejected_signature_speaks_of_the_clock_and_keeps_the_token_to_itself() {
        let message = "The request signature we calculated does not match.\n\nThe Canonical String for this request should \
                       have been\n'GET\n/\nx-amz-security-token:SECRET'";
        let unknown = answer(403, "SignatureDoesNotMatch", message);
        assert_eq!(unknown.kind, ErrorKind::Credentials);
        assert!(unknown.message.contains("more than 5 minutes off") && !unknown.message.contains("SECRET"));
        assert!(answer_at(403, "RequestExpired", "late", Some(-432_000)).message.contains("7m12s behind AWS's"));
        assert!(answer_at(403, "SignatureDoesNotMatch", "x", Some(900)).message.contains("keys themselves are wrong"));
    }

    #[test]
    fn transport_failures_tell_silence_from_a_broken_line() {
        let io = |text: &str| std::io::Error::new(std::io::ErrorKind::ConnectionRefused, text.to_owned());
        assert_eq!(failure(ConnectorError::io(io("connection refused").into())).kind, ErrorKind::Unreachable);
        assert_eq!(failure(ConnectorError::timeout("slow".into())).kind, ErrorKind::TimedOut);
        let none = CredentialsError::not_loaded("no providers in chain provided credentials");
        let error = failure(ConnectorError::other(none.into(), None));
        assert_eq!(error.kind, ErrorKind::Credentials);
        assert!(error.message.contains("no providers in chain"), "{}", error.message);
        let raw = HttpResponse::new(200.try_into().unwrap(), SdkBody::empty());
        let broken = SdkError::<Rejection, _>::response_error("unexpected end of document", raw);
        assert_eq!(port_error(AwsOperation::GetChange, &broken, None).kind, ErrorKind::Garbled);
    }

    #[test]
    fn a_message_is_one_bounded_line_without_secrets() {
        assert_eq!(one_line("a\r\n\tb \u{1b}[31mc"), "a b \\x1b[31mc");
        assert_eq!(one_line(&"é".repeat(2000)).chars().count(), MAX_MESSAGE);
        assert_eq!(one_line("proxy http://me:pw@proxy:3128/x failed"), "proxy http://[secret]@proxy:3128/x failed");
        assert!(!one_line("url?X-Amz-Security-Token=ABC").contains("ABC"));
    }
}
