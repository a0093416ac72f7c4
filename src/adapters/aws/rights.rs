//! Proves the right to write without writing: by a batch that Route 53 has to refuse.
//!
//! IAM is asked before the batch is looked at, so a batch that is refused for what it says was allowed. It names the
//! record's own name, type and both actions, since a policy may be narrowed to them (service authorization reference,
//! "Condition keys for Amazon Route 53"). Nothing can come of it: it deletes a member that is not there and creates one
//! that is, each of which Route 53 refuses, and it applies a batch whole or not at all (API reference,
//! `ChangeResourceRecordSets`). CloudTrail shows it as a refused call.

use aws_smithy_types::retry::RetryConfig;

use super::Aws;
use super::errors::garbled;
use super::iam::AwsOperation;
use super::route53::batch;
use crate::domain::traffic::{GroupKey, Record, Routing, Target, same_name};
use crate::ports::{ErrorKind, PortError};

/// The set identifier of a member that nobody has.
const NOBODY: &str = "tapctl-proves-its-rights-and-makes-no-such-member";
/// What the batch says of itself, for whoever finds it in CloudTrail.
const COMMENT: &str = "tapctl doctor: must be refused, proves the right to write";

impl Aws {
    /// Whether a change of the record's group would be let through.
    pub(super) async fn prove_write(&self) -> Result<(), PortError> {
        let operation = AwsOperation::ChangeResourceRecordSets;
        let key = self.key()?;
        let there = self.records().await?.into_iter().find(|record| record.rtype == key.rtype);
        let there: Vec<Record> = there.into_iter().filter(|record| same_name(&record.name, &key.name)).collect();
        let batch = batch(vec![nobody(&key)], there, COMMENT.to_owned(), &self.exact)?;
        let config = aws_sdk_route53::config::Config::builder().retry_config(RetryConfig::disabled());
        let sent = self
            .clients
            .route53
            .change_resource_record_sets()
            .hosted_zone_id(&key.zone_id)
            .change_batch(batch)
            .customize()
            .config_override(config)
            .send();
        match sent.await {
            Ok(_) => {
                Err(garbled(operation, "a batch that has to be refused was taken; look at the records of the name"))
            }
            Err(error) => match self.refusal(&error) {
                // Refused for what it says.
                refused if refused.kind == ErrorKind::Conflict => Ok(()),
                refused => Err(refused),
            },
        }
    }
}

/// A weighted member that is not there, at an address that is nobody's (RFC 5737, RFC 3849, RFC 6761).
fn nobody(key: &GroupKey) -> Record {
    let value = match key.rtype.as_str() {
        "AAAA" => "2001:db8::1",
        "CNAME" => "nobody.invalid",
        _ => "192.0.2.1",
    };
    Record {
        name: key.name.clone(),
        rtype: key.rtype.clone(),
        set_identifier: Some(NOBODY.to_owned()),
        routing: Routing::Weighted(0),
        target: Target::Values { ttl_s: 60, values: vec![value.to_owned()] },
        health_check_id: None,
    }
}
