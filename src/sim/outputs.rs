//! What Pulumi would tell of the simulated stack: its outputs, as `pulumi stack output --json` prints them, and the configuration
//! that leads to them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::names as n;
use super::recorded::RECORDED;

/// What the recorded `up` handed out.
pub(crate) fn outputs() -> Value {
    RECORDED.outputs.clone()
}

/// The configuration of the bundled program that leads to this account's names, by full key: every key that is required, and
/// those whose defaults do not fit.
#[must_use]
pub fn configuration() -> BTreeMap<String, String> {
    [
        ("environmentSuffix", n::SUFFIX.to_owned()),
        ("owner", "platform-team".to_owned()),
        ("vpcCidr", "10.20.0.0/16".to_owned()),
        ("sourceDbEndpoint", format!("{}.c9akciq32rgw.{}.rds.amazonaws.com", n::LEGACY_DB_ID, n::LEGACY_REGION)),
        ("sourceDbPort", "3306".to_owned()),
        ("sourceDbNames", "shop".to_owned()),
        (
            "sourceDbSecretArn",
            format!("arn:aws:secretsmanager:{}:{}:secret:{}-a1B2c3", n::NEW_REGION, n::ACCOUNT, n::LEGACY_DB_ID),
        ),
        ("legacyLbName", n::LEGACY_LB_NAME.to_owned()),
        ("legacyLbDnsName", n::LEGACY_LB_DNS.to_owned()),
        ("hostedZoneId", n::ZONE_ID.to_owned()),
        ("recordName", n::RECORD_NAME.trim_end_matches('.').to_owned()),
        ("imageTag", "2026-11-23-1a2b3c4".to_owned()),
        ("taskCpu", "1024".to_owned()),
        ("taskMemory", "2048".to_owned()),
        ("startReplication", "true".to_owned()),
        ("alarmEmail", "on-call@example.com".to_owned()),
    ]
    .map(|(key, value)| (format!("tap:{key}"), value))
    .into()
}
