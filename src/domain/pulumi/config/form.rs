//! What a value looks like: the program's own checks, as far as they can be made without its libraries.
//!
//! Pure. A value that is refused here the program refuses, too; what passes here the program looks at again.

/// Longest host name, without its final dot (RFC 1035).
const LONGEST_NAME: usize = 253;
/// Longest label of a host name (RFC 1035).
const LONGEST_LABEL: usize = 63;
/// Longest value of a tag in AWS.
const LONGEST_TAG: usize = 256;

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The program alone can tell.
    Any,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number from … to ….
    Number(u32, u32),
    /// A host name of at least two labels.
    HostName,
    /// An IPv4 network.
    Network,
    /// The ARN of something of this service.
    Arn(&'static str),
    /// An identifier of AWS that begins so.
    Id(&'static str),
    /// The name of a region.
    Region,
    /// Value of a tag.
    Owner,
    /// A mail address.
    Mail,
    /// A JSON object.
    Json,
    /// Certificates, several lines.
    Pem,
}

impl Form {
    /// Whether a value has several lines, and so comes from a file only.
    #[must_use]
    pub fn has_lines(self) -> bool {
        self == Self::Pem
    }

    /// Whether `text` has this form.
    ///
    /// # Errors
    /// Says what it must be.
    pub fn check(self, text: &str) -> Result<(), String> {
        let fits = match self {
            Self::Any => true,
            Self::OneOf(words) => words.contains(&text),
            Self::Number(low, high) => is_number(text) && text.parse().is_ok_and(|n: u32| (low..=high).contains(&n)),
            Self::HostName => is_host_name(text),
            Self::Network => is_network(text),
            Self::Arn(service) => is_arn(text, service),
            Self::Id(start) => text.strip_prefix(start).is_some_and(|rest| {
                !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
            }),
            Self::Region => is_region(text),
            Self::Owner => {
                let allowed = |c: char| c.is_ascii_alphanumeric() || " _.:/=+@-".contains(c);
                (1..=LONGEST_TAG).contains(&text.chars().count()) && text.chars().all(allowed)
            }
            Self::Mail => text.split_once('@').is_some_and(|(user, host)| {
                !user.is_empty() && host.contains('.') && !host.contains('@') && !text.contains(char::is_whitespace)
            }),
            Self::Json => text.trim_start().starts_with('{') && text.trim_end().ends_with('}'),
            Self::Pem => text.contains("-----BEGIN CERTIFICATE-----") && text.contains("-----END CERTIFICATE-----"),
        };
        if fits { Ok(()) } else { Err(self.wanted()) }
    }

    /// What a value must be, in a sentence.
    #[must_use]
    pub fn wanted(self) -> String {
        match self {
            Self::Any => "must not be empty".to_owned(),
            Self::OneOf(words) => format!("must be one of: {}", words.join(", ")),
            Self::Number(low, high) => format!("must be a whole number from {low} to {high}"),
            Self::HostName => {
                "must be a host name such as app.example.com, without scheme, port or wildcard".to_owned()
            }
            Self::Network => "must be an IPv4 network such as 10.42.0.0/16".to_owned(),
            Self::Arn(service) => format!("must be an ARN like arn:aws:{service}:REGION:ACCOUNT:..."),
            Self::Id(start) => format!("must begin with {start}"),
            Self::Region => "must be a region such as us-east-1".to_owned(),
            Self::Owner => "must be 1 to 256 characters that AWS takes in a tag".to_owned(),
            Self::Mail => "must be a mail address".to_owned(),
            Self::Json => "must be a JSON object".to_owned(),
            Self::Pem => "must be PEM text of several lines, from a file".to_owned(),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

fn is_host_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.starts_with(word)
            && label.ends_with(|c: char| c.is_ascii_alphanumeric() || (label.len() == 1 && c == '_'))
            && label.chars().all(|c| word(c) || c == '-')
    };
    name.len() <= LONGEST_NAME && name.contains('.') && name.split('.').all(label)
}

fn is_network(text: &str) -> bool {
    let Some((address, prefix)) = text.split_once('/') else { return false };
    let octet = |part: &str| is_number(part) && part.parse::<u8>().is_ok();
    address.split('.').count() == 4
        && address.split('.').all(octet)
        && is_number(prefix)
        && prefix.parse::<u8>().is_ok_and(|n| n <= 32)
}

fn is_arn(text: &str, service: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, found, region, account, resource]
        if partition.starts_with("aws") && *found == service && !region.is_empty() && !resource.is_empty()
            && account.len() == 12 && is_number(account))
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    match parts.as_slice() {
        [start, middle @ .., end] => {
            start.len() == 2
                && letters(start)
                && !middle.is_empty()
                && middle.iter().all(letters)
                && end.len() == 1
                && is_number(end)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORMS: &[Form] = &[
        Form::Any,
        Form::OneOf(&["true", "false"]),
        Form::Number(1, 65_535),
        Form::HostName,
        Form::Network,
        Form::Arn("acm"),
        Form::Id("vpc-"),
        Form::Region,
        Form::Owner,
        Form::Mail,
        Form::Json,
        Form::Pem,
    ];

    #[test]
    fn what_the_program_would_refuse_is_refused_with_its_reason() {
        for (form, wrong) in [
            (Form::OneOf(&["true", "false"]), "True"),
            (Form::Number(1, 65_535), "0"),
            (Form::Number(1, 65_535), "+80"),
            (Form::Number(1, 65_535), "99999999999999999999"),
            (Form::HostName, "https://app.example.com"),
            (Form::HostName, "localhost"),
            (Form::HostName, "*.example.com"),
            (Form::HostName, "app..example.com"),
            (Form::Network, "10.42.0.0"),
            (Form::Network, "10.42.0.0/33"),
            (Form::Arn("acm"), "arn:aws:iam::123456789012:role/x"),
            (Form::Id("vpc-"), "vpc-"),
            (Form::Region, "us-east"),
            (Form::Owner, ""),
            (Form::Mail, "me"),
            (Form::Json, "[]"),
            (Form::Pem, "-----BEGIN CERTIFICATE-----"),
        ] {
            assert_eq!(form.check(wrong), Err(form.wanted()), "{wrong}");
        }
        assert_eq!(Form::HostName.check("app.example.com."), Ok(()));
    }

    proptest! {
        #[test]
        fn no_text_upsets_a_check(text in "\\PC{0,80}", index in 0..FORMS.len()) {
            let form = FORMS[index];
            prop_assert!(form.check(&text).is_err_and(|wanted| wanted == form.wanted()) || form.check(&text).is_ok());
        }
    }
}
