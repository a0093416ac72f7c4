//! What is known of a stack: what Pulumi built, or, before the first `up` and after the last `destroy`, what its
//! configuration says that it is to be.
//!
//! Pure. The names and defaults of a planned stack are those of `pulumi/lib/settings.py`, `naming.py` and `routing.py`;
//! what only `up` can tell is not made up here: it is missing, and whoever asks for it hears so.

use std::collections::BTreeMap;

use crate::domain::service::Writer;
use crate::domain::traffic::GroupKey;
use crate::domain::zone::{Endpoints, any_balancer_called};

use super::outputs::StackOutputs;

/// The namespace of the program's keys where its `Pulumi.yaml` names no other.
pub const PROJECT: &str = "tap";
/// The target region where the program's `lib/AWS_REGION` cannot be read.
pub const REGION: &str = "us-west-2";
/// The program's default of `legacyRegion`.
const LEGACY_REGION: &str = "us-east-1";
/// The type of the program's records.
const RECORD_TYPE: &str = "A";

/// A stack as far as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackInfo {
    /// Pulumi handed outputs out.
    Provisioned(Box<StackOutputs>),
    /// There are none.
    Configured(ConfiguredStack),
}

/// A stack that does not stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredStack {
    /// The end of every name.
    pub suffix: String,
    /// The region that it is to be in.
    pub region: String,
    /// Region of the legacy stack.
    pub legacy_region: String,
    /// Hosted zone of the record.
    pub hosted_zone_id: Option<String>,
    /// The record's name.
    pub record_name: Option<String>,
    /// Name of the Classic ELB.
    pub legacy_lb_name: Option<String>,
    /// DNS name of the Classic ELB, where it is set: the program looks it up.
    pub legacy_lb_dns_name: Option<String>,
    /// Which database takes the writes.
    pub writer: Writer,
    /// What has to be set before the name can be looked at, a line with its command for each key.
    pub unset: Vec<String>,
}

impl From<StackOutputs> for StackInfo {
    fn from(outputs: StackOutputs) -> Self {
        Self::Provisioned(Box::new(outputs))
    }
}

impl From<ConfiguredStack> for StackInfo {
    fn from(planned: ConfiguredStack) -> Self {
        Self::Configured(planned)
    }
}

impl ConfiguredStack {
    /// Reads the configuration of `stack`: values by their full keys, as `project:key`.
    #[must_use]
    pub fn read(stack: &str, project: &str, region: &str, values: &BTreeMap<String, String>) -> Self {
        let get =
            |key: &str| values.get(&format!("{project}:{key}")).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let mut planned = Self {
            suffix: get("environmentSuffix").unwrap_or_else(|| stack.to_owned()),
            region: region.to_owned(),
            legacy_region: get("legacyRegion").unwrap_or_else(|| LEGACY_REGION.to_owned()),
            hosted_zone_id: get("hostedZoneId"),
            record_name: get("recordName"),
            legacy_lb_name: get("legacyLbName"),
            legacy_lb_dns_name: get("legacyLbDnsName"),
            writer: if get("writer").as_deref() == Some("aurora") { Writer::Aurora } else { Writer::Legacy },
            unset: Vec::new(),
        };
        let command = |key: &str, example: &str| {
            format!("{project}:{key} is not set: pulumi config set {key} {example} --stack {stack}")
        };
        let needed = [
            (planned.record_name.is_none(), "recordName", "app.example.com"),
            (planned.legacy_lb_name.is_none(), "legacyLbName", "legacy-web"),
        ];
        planned.unset =
            needed.into_iter().filter(|(unset, ..)| *unset).map(|(_, key, example)| command(key, example)).collect();
        if planned.hosted_zone_id.is_none() {
            planned.unset.push(match get("hostedZoneName") {
                Some(name) => format!(
                    "before the first `up` the zone is known by its id only: set {project}:hostedZoneId in place of \
                     hostedZoneName (aws route53 list-hosted-zones-by-name --dns-name {name} tells it)"
                ),
                None => command("hostedZoneId", "Z0123456789ABCDEFGHIJ"),
            });
        }
        planned
    }

    /// Which records are shifted, when the configuration says so.
    #[must_use]
    pub fn group_key(&self) -> Option<GroupKey> {
        let name = self.record_name.as_ref()?.trim_end_matches('.').to_ascii_lowercase();
        Some(GroupKey {
            zone_id: self.hosted_zone_id.clone()?,
            name: format!("{name}."),
            rtype: RECORD_TYPE.to_owned(),
            legacy_id: format!("migration-legacy-{}", self.suffix),
            new_id: format!("migration-new-{}", self.suffix),
        })
    }
}

impl StackInfo {
    /// What Pulumi built, once it did.
    #[must_use]
    pub fn outputs(&self) -> Option<&StackOutputs> {
        match self {
            Self::Provisioned(outputs) => Some(outputs),
            Self::Configured(_) => None,
        }
    }

    /// The stack's short name.
    #[must_use]
    pub fn suffix(&self) -> &str {
        match self {
            Self::Provisioned(outputs) => &outputs.suffix,
            Self::Configured(planned) => &planned.suffix,
        }
    }

    /// Region of the new stack.
    #[must_use]
    pub fn region(&self) -> &str {
        match self {
            Self::Provisioned(outputs) => &outputs.region,
            Self::Configured(planned) => &planned.region,
        }
    }

    /// Region of the legacy stack.
    #[must_use]
    pub fn legacy_region(&self) -> &str {
        match self {
            Self::Provisioned(outputs) => &outputs.legacy_region,
            Self::Configured(planned) => &planned.legacy_region,
        }
    }

    /// Which records are shifted; nothing while the configuration does not say it.
    #[must_use]
    pub fn group_key(&self) -> Option<GroupKey> {
        match self {
            Self::Provisioned(outputs) => Some(outputs.group_key()),
            Self::Configured(planned) => planned.group_key(),
        }
    }

    /// Id of the hosted zone; nothing while the configuration does not say it.
    #[must_use]
    pub fn zone_id(&self) -> Option<String> {
        let id = match self {
            Self::Provisioned(outputs) => outputs.traffic.hosted_zone_id.as_str(),
            Self::Configured(planned) => planned.hosted_zone_id.as_deref()?,
        };
        Some(id.rsplit('/').next().unwrap_or(id).to_owned())
    }

    /// Name and type of the record; nothing while the configuration does not say it.
    #[must_use]
    pub fn record(&self) -> Option<(&str, &str)> {
        match self {
            Self::Provisioned(outputs) => Some((&outputs.traffic.record_name, &outputs.traffic.record_type)),
            Self::Configured(planned) => planned.record_name.as_deref().map(|name| (name, RECORD_TYPE)),
        }
    }

    /// Name of the legacy load balancer; nothing while the configuration does not say it.
    #[must_use]
    pub fn legacy_lb_name(&self) -> Option<&str> {
        match self {
            Self::Provisioned(outputs) => Some(&outputs.traffic.legacy_lb_name),
            Self::Configured(planned) => planned.legacy_lb_name.as_deref(),
        }
    }

    /// Which database takes the writes.
    #[must_use]
    pub fn writer(&self) -> Writer {
        match self {
            Self::Provisioned(outputs) => outputs.database.writer,
            Self::Configured(planned) => planned.writer,
        }
    }

    /// Where the two stacks can be reached.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        match self {
            Self::Provisioned(outputs) => outputs.endpoints(),
            Self::Configured(planned) => Endpoints {
                legacy_dns: planned.legacy_lb_dns_name.clone().unwrap_or_else(|| {
                    let name = planned.legacy_lb_name.as_deref();
                    name.map_or_else(String::new, |name| any_balancer_called(name, &planned.legacy_region))
                }),
                new: None,
                evaluate_health: planned.writer == Writer::Legacy,
            },
        }
    }

    /// Every alarm of the stack.
    #[must_use]
    pub fn alarm_names(&self) -> &[String] {
        self.outputs().map_or(&[], |outputs| outputs.monitoring.alarm_names.as_slice())
    }

    /// What has to be set before the name can be looked at.
    #[must_use]
    pub fn unset(&self) -> &[String] {
        match self {
            Self::Provisioned(_) => &[],
            Self::Configured(planned) => &planned.unset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::traffic::{Side, Target};

    fn read(values: &[(&str, &str)]) -> ConfiguredStack {
        let values = values.iter().map(|(key, value)| (format!("tap:{key}"), (*value).to_owned())).collect();
        ConfiguredStack::read("prod", PROJECT, REGION, &values)
    }

    #[test]
    fn the_names_are_those_that_the_program_gives() {
        let planned = read(&[
            ("recordName", "App.Example.com."),
            ("hostedZoneId", "Z1"),
            ("legacyLbName", "legacy-web"),
            ("legacyLbDnsName", "legacy-web-1.us-east-1.elb.amazonaws.com"),
        ]);
        let key = planned.group_key().unwrap();
        assert_eq!((key.name.as_str(), key.rtype.as_str(), key.zone_id.as_str()), ("app.example.com.", "A", "Z1"));
        assert_eq!((key.legacy_id.as_str(), key.new_id.as_str()), ("migration-legacy-prod", "migration-new-prod"));
        assert_eq!(planned.unset, Vec::<String>::new());
        let known = StackInfo::from(planned);
        assert_eq!((known.region(), known.legacy_region()), ("us-west-2", "us-east-1"));
        assert!(known.endpoints().new.is_none() && known.endpoints().evaluate_health);
        assert_eq!(known.endpoints().legacy_dns, "legacy-web-1.us-east-1.elb.amazonaws.com");
        assert_eq!(read(&[("environmentSuffix", "night")]).suffix, "night");
    }

    #[test]
    fn nobody_has_to_type_where_the_legacy_balancer_is() {
        let planned =
            read(&[("recordName", "app.example.com"), ("hostedZoneId", "Z1"), ("legacyLbName", "legacy-web")]);
        assert_eq!(planned.unset, Vec::<String>::new());
        let endpoints = StackInfo::from(planned).endpoints();
        let leads = |dns: &str| endpoints.side_of(&Target::Values { ttl_s: 60, values: vec![dns.to_owned()] });
        for its in [
            "legacy-web-1234567890.us-east-1.elb.amazonaws.com",
            "dualstack.legacy-web-1.us-east-1.elb.amazonaws.com.",
            "Legacy-Web-1.US-East-1.elb.amazonaws.com",
        ] {
            assert_eq!(leads(its), Some(Side::Legacy), "{its}");
        }
        for other in [
            "legacy-web-2-1.us-east-1.elb.amazonaws.com",
            "legacy-web-.us-east-1.elb.amazonaws.com",
            "legacy-web-1.us-west-2.elb.amazonaws.com",
            "legacy-web-1.us-east-1.elb.amazonaws.com.example.com",
            "legacy-web-1a.us-east-1.elb.amazonaws.com",
            "my-legacy-web-1.us-east-1.elb.amazonaws.com",
            "legacy-web.us-east-1.elb.amazonaws.com",
        ] {
            assert_eq!(leads(other), None, "{other}");
        }
    }

    #[test]
    fn every_key_that_is_not_set_is_named_with_its_command() {
        let planned = read(&[]);
        assert_eq!(planned.group_key(), None);
        assert_eq!(StackInfo::from(planned.clone()).endpoints().legacy_dns, "");
        for key in ["recordName", "legacyLbName", "hostedZoneId"] {
            let command = format!("tap:{key} is not set: pulumi config set {key} ");
            assert!(planned.unset.iter().any(|line| line.starts_with(&command)), "{key}: {:?}", planned.unset);
        }
        assert!(planned.unset.iter().all(|line| line.ends_with("--stack prod")));
        let by_name = read(&[("hostedZoneName", "example.com")]);
        assert!(by_name.unset.iter().any(|line| line.contains("--dns-name example.com")), "{:?}", by_name.unset);
    }
}
