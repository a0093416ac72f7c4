//! A batch as the official command line takes it: for whoever sends it by hand.
//!
//! Pure.

use serde_json::{Map, Value, json};

use crate::domain::traffic::{Record, Routing, Target};

use super::Batch;

/// What `aws route53 change-resource-record-sets --change-batch` takes.
#[must_use]
pub fn change_batch(batch: &Batch) -> Value {
    let change = |action: &str, record: &Record| json!({"Action": action, "ResourceRecordSet": record_set(record)});
    let deletes = batch.deletes.iter().map(|record| change("DELETE", record));
    let creates = batch.creates.iter().map(|record| change("CREATE", record));
    json!({"Comment": batch.comment, "Changes": deletes.chain(creates).collect::<Vec<_>>()})
}

fn record_set(record: &Record) -> Map<String, Value> {
    let Record { name, rtype, set_identifier, routing, target, health_check_id } = record;
    let mut set = Map::new();
    let mut put = |key: &str, value: Value| set.insert(key.to_owned(), value);
    put("Name", json!(name));
    put("Type", json!(rtype));
    if let Some(id) = set_identifier {
        put("SetIdentifier", json!(id));
    }
    match routing {
        Routing::Simple => {}
        Routing::Weighted(weight) => {
            put("Weight", json!(weight));
        }
        Routing::Other(other) => {
            for (key, value) in &other.fields {
                put(key, value.clone());
            }
        }
    }
    match target {
        Target::Alias { dns_name, zone_id, evaluate_health } => {
            let alias = json!({"HostedZoneId": zone_id, "DNSName": dns_name, "EvaluateTargetHealth": evaluate_health});
            put("AliasTarget", alias);
        }
        Target::Values { ttl_s, values } => {
            put("TTL", json!(ttl_s));
            put("ResourceRecords", values.iter().map(|value| json!({"Value": value})).collect());
        }
    }
    if let Some(check) = health_check_id {
        put("HealthCheckId", json!(check));
    }
    set
}

/// The whole command, to be pasted into a shell or piped into one. `options` stand before the service's name.
#[must_use]
pub fn command(batch: &Batch, zone_id: &str, options: &[(&str, &str)]) -> String {
    written(&format!("{:#}", change_batch(batch)), &with(options), zone_id)
}

/// The same on one line, for a list of many.
#[must_use]
pub fn one_line(batch: &Batch, zone_id: &str, options: &[(&str, &str)]) -> String {
    written(&change_batch(batch).to_string(), &with(options), zone_id)
}

fn with(options: &[(&str, &str)]) -> String {
    let words: Vec<String> = options.iter().map(|(name, value)| format!(" {name} {}", quoted(value))).collect();
    words.concat()
}

fn written(batch: &str, options: &str, zone_id: &str) -> String {
    // In a string of JSON a quote can be written so that no shell sees one.
    let batch = batch.replace('\'', "\\u0027");
    format!(
        "aws{options} route53 change-resource-record-sets --hosted-zone-id {} --change-batch \'{batch}\'",
        quoted(zone_id)
    )
}

/// Where Route 53's control plane is in the partition of this region (AWS General Reference, "Amazon Route 53 endpoints").
/// Without a region of its own the command line asks for one, though Route 53 has none.
#[must_use]
pub fn region_of_route53(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "cn-northwest-1",
        _ if region.starts_with("us-gov-") => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// A word of a shell's command line.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("\'{}\'", text.replace('\'', "\'\\\'\'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shift::fixtures::record;
    use crate::domain::traffic::OtherRouting;

    #[test]
    fn a_batch_reads_as_the_api_names_its_parts() {
        let values = Target::Values { ttl_s: 60, values: vec!["192.0.2.7".into()] };
        let simple = Record {
            set_identifier: None,
            routing: Routing::Simple,
            target: values,
            health_check_id: Some("h".into()),
            ..record("A", "new", 0)
        };
        let region = json!({"Region": "us-west-2"}).as_object().unwrap().clone();
        let latency = Record { routing: Routing::Other(OtherRouting::new("latency", region)), ..record("A", "new", 0) };
        let batch = Batch {
            deletes: vec![record("A", "legacy", 70), latency],
            creates: vec![simple],
            stays: vec![],
            comment: "back".into(),
        };
        let written = change_batch(&batch);
        assert_eq!(written["Comment"], "back");
        let changes = written["Changes"].as_array().unwrap();
        assert_eq!(
            changes[0],
            json!({"Action": "DELETE", "ResourceRecordSet": {
                "Name": "app.example.com.", "Type": "A", "SetIdentifier": "legacy", "Weight": 70,
                "AliasTarget": {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": "dualstack.legacy.elb.amazonaws.com.",
                                "EvaluateTargetHealth": true}}})
        );
        assert_eq!(changes[1]["ResourceRecordSet"]["Region"], "us-west-2");
        assert_eq!(
            changes[2],
            json!({"Action": "CREATE", "ResourceRecordSet": {
                "Name": "app.example.com.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.7"}],
                "HealthCheckId": "h"}})
        );
    }

    #[test]
    fn no_text_of_a_record_ends_the_words_of_the_command() {
        let mut odd = record("A", "it's $(x) `y`", 1);
        odd.name = "\\052.example.com.".into();
        let batch = Batch { deletes: vec![odd], creates: vec![], stays: vec![], comment: "o'clock".into() };
        let line = command(&batch, "Z1'; rm", &[("--profile", "a b")]);
        let echo = format!("aws() {{ for word; do printf '%s\\0' \"$word\"; done; }}; {line}");
        let said = std::process::Command::new("sh").arg("-c").arg(echo).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let words: Vec<&str> = said.split('\0').collect();
        assert_eq!(
            &words[..6],
            ["--profile", "a b", "route53", "change-resource-record-sets", "--hosted-zone-id", "Z1'; rm"]
        );
        let read: Value = serde_json::from_str(words[7]).unwrap();
        assert_eq!(read, change_batch(&batch));
    }
}
