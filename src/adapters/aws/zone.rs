//! Route 53: a zone as a whole, with every record of it and the servers that answer for it.

use std::time::Duration;

use aws_sdk_route53::types as r53;

use super::Aws;
use super::errors::garbled;
use super::iam::AwsOperation;
use super::route53::{PAGE, record_of};
use crate::domain::text::Foreign;
use crate::domain::traffic::Record;
use crate::ports::{ErrorKind, PortError};

/// Pages of a whole zone that are followed. Route 53 takes 10,000 records in a zone, which are 34, and more where somebody
/// has asked for a higher quota ("Quotas", Route 53 developer guide).
const MAX_ZONE_PAGES: usize = 1000;
/// Pause between two of them.
const PAGE_PAUSE: Duration = Duration::from_millis(300);
/// Where a page begins: name, type, identifier.
type Start = (Option<String>, Option<r53::RrType>, Option<String>);

impl Aws {
    /// Every record of the zone, page by page. Each page has the deadline of a question, and the next one waits a moment:
    /// the whole account has 5 requests a second, and the weights are asked for meanwhile.
    pub(super) async fn zone(&self) -> Result<Vec<Record>, PortError> {
        let operation = AwsOperation::ListResourceRecordSets;
        let zone = self.key()?.zone_id;
        let mut records = Vec::new();
        let mut start: Start = (None, None, None);
        for page in 0..MAX_ZONE_PAGES {
            if page > 0 {
                tokio::time::sleep(PAGE_PAUSE).await;
            }
            let asked = self.in_time(operation.action(), self.zone_page(&zone, start)).await;
            let (sets, next) = asked.map_err(|mut error| {
                error.message = format!("{} after {} records of the zone", error.message, records.len());
                error
            })?;
            for set in sets {
                records.push(
                    record_of(set).ok_or_else(|| garbled(operation, "a record with a weight or TTL out of range"))?,
                );
            }
            let Some(next) = next else { return Ok(records) };
            start = next;
        }
        Err(garbled(operation, &format!("more than {MAX_ZONE_PAGES} pages of records in the zone")))
    }

    /// The names of the servers that answer for the zone: the ones that its registrar delegates to.
    ///
    /// # Errors
    /// [`PortError`], also for a private zone, which has none that can be asked from here.
    pub async fn name_servers(&self) -> Result<Vec<String>, PortError> {
        let operation = AwsOperation::GetHostedZone;
        let zone = self.key()?.zone_id;
        let asked = async {
            let sent = self.clients.route53.get_hosted_zone().id(&zone).send();
            sent.await.map_err(|error| self.failed(operation, &error))
        };
        let answer = self.in_time(operation.action(), asked).await?;
        if answer.hosted_zone.and_then(|zone| zone.config).is_some_and(|config| config.private_zone) {
            let why = "the zone is private: its name servers answer inside its VPCs alone";
            return Err(PortError::new(ErrorKind::Refused, operation.action(), why));
        }
        let servers = answer.delegation_set.map(|set| set.name_servers).unwrap_or_default();
        if servers.is_empty() {
            return Err(garbled(operation, "a zone without name servers"));
        }
        Ok(servers.iter().map(|server| Foreign::take(server).into_string()).collect())
    }

    /// One page of the zone, and where the next one begins.
    async fn zone_page(
        &self,
        zone: &str,
        (name, rtype, identifier): Start,
    ) -> Result<(Vec<r53::ResourceRecordSet>, Option<Start>), PortError> {
        let answer = self
            .clients
            .route53
            .list_resource_record_sets()
            .hosted_zone_id(zone)
            .set_start_record_name(name)
            .set_start_record_type(rtype)
            .set_start_record_identifier(identifier)
            .max_items(PAGE)
            .send()
            .await
            .map_err(|e| self.failed(AwsOperation::ListResourceRecordSets, &e))?;
        let next = (answer.next_record_name, answer.next_record_type, answer.next_record_identifier);
        Ok((answer.resource_record_sets, answer.is_truncated.then_some(next)))
    }
}
