//! Records beside the pair that lead clients past its weights.

use super::name::same_name;
use super::record::{Record, Target};

/// Records of the name that lead clients past the weights: an HTTPS or SVCB record that names addresses or another host
/// (RFC 9460, "AliasMode", "ServiceMode" and the address hints). One that names neither leaves clients to the A and AAAA
/// records, and is none of these.
pub fn beside<'r>(name: &'r str, records: &'r [Record]) -> impl Iterator<Item = &'r Record> {
    let leads = |record: &&Record| match &record.target {
        Target::Alias { .. } => true,
        Target::Values { values, .. } => values.iter().any(|value| leads_past(name, value)),
    };
    records
        .iter()
        .filter(move |record| matches!(record.rtype.as_str(), "HTTPS" | "SVCB") && same_name(&record.name, name))
        .filter(leads)
}

/// Whether a value such as `1 . alpn=h2 ipv4hint=192.0.2.1` names an address or another host.
fn leads_past(name: &str, value: &str) -> bool {
    let mut words = value.split_whitespace().skip(1);
    let Some(target) = words.next() else { return true };
    let is_own = target == "." || same_name(target, name);
    !is_own || words.any(is_hint)
}

/// Whether a parameter names addresses: by name, or by number as `key4` and `key6` (RFC 9460, 2.1 and 14.3.2).
fn is_hint(parameter: &str) -> bool {
    let key = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
    let number = key.strip_prefix("key").and_then(|number| number.parse::<u16>().ok());
    matches!(key.as_str(), "ipv4hint" | "ipv6hint") || matches!(number, Some(4 | 6))
}

/// What is wrong with such a record, in a sentence.
#[must_use]
pub fn beside_text(record: &Record) -> String {
    let Record { rtype, .. } = record;
    format!(
        "the {rtype} record of the name leads by itself to {}: the clients that ask for {rtype} do not follow the weights",
        record.target_text()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shift::fixtures::record;

    #[test]
    fn an_https_record_leads_past_the_weights_when_it_names_an_address_or_another_host() {
        let https = |value: &str| Record {
            set_identifier: None,
            target: Target::Values { ttl_s: 300, values: vec![value.into()] },
            ..record("HTTPS", "new", 0)
        };
        for (value, leads) in [
            ("1 . alpn=h2 ipv4hint=203.0.113.9", true),
            ("1 . ipv6hint=2001:db8::1", true),
            ("1 . key4=203.0.113.9", true),
            ("1 . alpn=h2 key6=\"2001:db8::1\"", true),
            ("1 . KEY4=203.0.113.9", true),
            ("1 . key00006=2001:db8::1", true),
            ("1 . key5=ech key65=x key40=203.0.113.9", false),
            ("1 . mandatory=alpn alpn=h2", false),
            ("0 cdn.example.net.", true),
            ("1 cdn.example.net. alpn=h3", true),
            ("1", true),
            ("1 . alpn=h3,h2", false),
            ("1 APP.example.com alpn=h2", false),
        ] {
            let records = [https(value), record("A", "new", 0)];
            assert_eq!(beside("app.example.com.", &records).count(), usize::from(leads), "{value}");
        }
        let other = Record { name: "www.example.com.".into(), ..https("0 cdn.example.net.") };
        assert_eq!(beside("app.example.com.", &[other]).count(), 0);
        let said = beside_text(&https("0 cdn.example.net."));
        assert!(said.contains("HTTPS record") && said.contains("cdn.example.net."), "{said}");
    }
}
