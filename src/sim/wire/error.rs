//! Errors as AWS services spell them, each dialect in its own way.

use super::{Protocol, Service};

/// An error answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    /// The code in the dialect's own spelling.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) status: u16,
    /// The code in the Query dialect where a newer dialect calls it otherwise.
    query_code: Option<&'static str>,
}

impl ApiError {
    /// A client's mistake, status 400.
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400, query_code: None }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// An error whose modelled shape and whose Query code differ; `protocol` decides which one is sent.
    pub(crate) fn modelled(
        protocol: Protocol,
        shape: &str,
        query_code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let code = if protocol == Protocol::Query { query_code } else { shape };
        Self { query_code: Some(query_code), ..Self::new(code, message) }
    }

    pub(crate) fn query_code(&self) -> &str {
        self.query_code.unwrap_or(&self.code)
    }

    /// The signature was made for another service.
    pub(crate) fn wrong_scope(protocol: Protocol, service: Service) -> Self {
        let message = format!("Credential should be scoped to correct service: '{}'.", service.signing_name());
        match protocol {
            Protocol::RestXml | Protocol::Query => Self::new("SignatureDoesNotMatch", message).with_status(403),
            _ => Self::new("InvalidSignatureException", message),
        }
    }
}

/// Errors that every service knows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum General {
    Throttling,
    ExpiredToken,
    /// With the identity and the IAM action.
    AccessDenied {
        caller: String,
        action: String,
    },
    MissingToken,
    InvalidToken,
    Unavailable,
    Internal,
    /// With the operation that was asked for.
    UnknownOperation(String),
    Malformed,
}

impl General {
    /// Recognises a code in any dialect's spelling, so that a fault can be written once for all services.
    pub(crate) fn from_code(code: &str, caller: &str, action: &str) -> Option<Self> {
        Some(match code {
            "Throttling" | "ThrottlingException" => Self::Throttling,
            "ExpiredToken" | "ExpiredTokenException" => Self::ExpiredToken,
            "AccessDenied" | "AccessDeniedException" => {
                Self::AccessDenied { caller: caller.to_owned(), action: action.to_owned() }
            }
            "InvalidClientTokenId" | "UnrecognizedClientException" => Self::InvalidToken,
            "ServiceUnavailable" | "ServiceUnavailableException" => Self::Unavailable,
            "InternalFailure" | "InternalServerError" | "InternalError" => Self::Internal,
            _ => return None,
        })
    }

    /// The error in a dialect. `version` is the API version that Query errors name.
    pub(crate) fn spelt(&self, protocol: Protocol, version: Option<&str>) -> ApiError {
        let xml = matches!(protocol, Protocol::RestXml | Protocol::Query);
        let pick = |in_xml: &'static str, in_json: &'static str, message: &str, xml_status: u16| {
            let error =
                ApiError { query_code: Some(in_xml), ..ApiError::new(if xml { in_xml } else { in_json }, message) };
            if xml { error.with_status(xml_status) } else { error }
        };
        match self {
            Self::Throttling => pick("Throttling", "ThrottlingException", "Rate exceeded", 400),
            Self::ExpiredToken => pick(
                "ExpiredToken",
                "ExpiredTokenException",
                "The security token included in the request is expired",
                403,
            ),
            Self::AccessDenied { caller, action } => pick(
                "AccessDenied",
                "AccessDeniedException",
                &format!(
                    "User: {caller} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
                ),
                403,
            ),
            Self::MissingToken => pick(
                "MissingAuthenticationToken",
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
                403,
            ),
            Self::InvalidToken => pick(
                "InvalidClientTokenId",
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
                403,
            ),
            Self::Unavailable => {
                pick("ServiceUnavailable", "ServiceUnavailableException", "Service is unable to handle request.", 503)
                    .with_status(503)
            }
            Self::Internal => {
                pick("InternalFailure", "InternalFailure", "We encountered an internal error. Please try again.", 500)
                    .with_status(500)
            }
            Self::UnknownOperation(operation) if protocol == Protocol::Query => {
                let version = version.unwrap_or("this API");
                ApiError::new("InvalidAction", format!("Could not find operation {operation} for version {version}"))
            }
            Self::UnknownOperation(operation) => {
                let status = if protocol == Protocol::RestXml { 404 } else { 400 };
                let message = format!("The requested operation {operation} is not recognized by the service.");
                ApiError::new("UnknownOperationException", message).with_status(status)
            }
            Self::Malformed => match protocol {
                Protocol::RestXml => ApiError::new("MalformedInput", "The input is not well-formed XML"),
                Protocol::Query => ApiError::new("MalformedQueryString", "The query string contains a syntax error"),
                _ => ApiError::new("SerializationException", "The request body could not be read"),
            },
        }
    }
}
