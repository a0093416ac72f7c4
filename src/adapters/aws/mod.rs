//! AWS behind the ports: one official client per service and region, all on one connection pool and one set of credentials.
//!
//! Reads are retried by the SDK, the write never is ([`route53`]). Every answer becomes a value of the domain or a
//! `PortError`; a number that AWS did not send is not made up. Building this opens no connection.

mod cloudwatch;
mod dms;
mod door;
mod ecs;
mod elb;
mod endpoints;
mod errors;
mod http;
pub mod iam;
pub mod in_process;
mod json;
mod keys;
mod profiles;
mod rights;
mod route53;
mod sts;
#[cfg(test)]
mod tests;
mod xml;
mod zone;

use std::error::Error;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_route53::config::StalledStreamProtectionConfig;
use aws_sdk_route53::config::retry::RetryPartition;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::domain::change::Batch;
use crate::domain::confirm::Confirmed;
use crate::domain::facts::{Observation, Query};
use crate::domain::stack::StackInfo;
use crate::domain::stack::StackOutputs;
use crate::domain::traffic::{GroupKey, Side};
use crate::domain::units::Timestamp;
use crate::ports::{Clock, ErrorKind, Observe, PortError, PortFuture, SendFuture, Traffic};

use keys::Keys;

pub use endpoints::ClientEndpoint;
pub use iam::{AwsOperation, IamAction, Scope, iam_actions};
pub use keys::KeysGiven;

/// Route 53 has one endpoint for the whole world, and it is signed for this region.
const ROUTE53_REGION: &str = "us-east-1";
/// A connection that is not there after this long is not coming.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest time for one attempt; every call that is made here takes well under a second when all is well.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Attempts of a read, the first included.
const ATTEMPTS: u32 = 3;

/// Tells what Pulumi run is going on, if any. Must not block: it is asked on the runtime.
pub type StackRun = Arc<dyn Fn() -> Result<Option<String>, PortError> + Send + Sync>;

/// How AWS is reached, beyond what AWS's own environment and files say.
#[derive(Debug, Clone)]
pub struct AwsSettings {
    /// Region of the new stack, in place of the outputs'.
    pub region: Option<String>,
    /// Region of the legacy stack, in place of the outputs'.
    pub legacy_region: Option<String>,
    /// Profile in AWS's own files.
    pub profile: Option<String>,
    /// Endpoint for every service: a simulator, a proxy.
    pub endpoint_url: Option<String>,
    /// Identifier of the legacy RDS instance; its two metrics are left out without it.
    pub legacy_db_instance: Option<String>,
    /// Fixed credentials that mean nothing; neither environment nor files nor instance metadata are looked at.
    pub test_credentials: bool,
    /// A client in place of the network.
    pub http_client: Option<SharedHttpClient>,
    /// Longest time for a whole question, retries and pages included.
    pub deadline: Duration,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            region: None,
            legacy_region: None,
            profile: None,
            endpoint_url: None,
            legacy_db_instance: None,
            test_credentials: false,
            http_client: None,
            deadline: Duration::from_secs(10),
        }
    }
}

/// AWS, as the ports want it.
pub struct Aws {
    clients: Clients,
    known: StackInfo,
    legacy_db_instance: Option<String>,
    deadline: Duration,
    clock: Arc<dyn Clock>,
    stack_run: StackRun,
    skew: Arc<http::Skew>,
    /// Whose keys sign; none where they mean nothing.
    keys: Option<Keys>,
    /// End of the newest metric window that was read, by side, in milliseconds since the epoch; 0 before the first.
    windows: [AtomicI64; 2],
    /// What goes back to Route 53 as it came.
    exact: door::Exact,
    /// Who is asking, once STS was asked.
    caller: Mutex<Option<String>>,
}

struct Clients {
    route53: aws_sdk_route53::Client,
    sts: aws_sdk_sts::Client,
    dms: aws_sdk_databasemigration::Client,
    ecs: aws_sdk_ecs::Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    classic: aws_sdk_elasticloadbalancing::Client,
    /// New region, legacy region.
    cloudwatch: [aws_sdk_cloudwatch::Client; 2],
}

impl Aws {
    /// Builds the clients for the stack that is known. Nothing is sent before the first question, and credentials
    /// are looked for with it, so a failure to get any is that question's answer.
    pub async fn connect(
        settings: AwsSettings,
        known: impl Into<StackInfo>,
        clock: Arc<dyn Clock>,
        stack_run: StackRun,
    ) -> Self {
        let known = known.into();
        let skew = Arc::new(http::Skew::new(clock.clone()));
        let region = settings.region.clone().unwrap_or_else(|| known.region().to_owned());
        let legacy_region = settings.legacy_region.clone().unwrap_or_else(|| known.legacy_region().to_owned());
        let (config, keys) = sdk_config(&settings, &region, skew.clone()).await;
        Self {
            clients: Clients::new(&config, &region, &legacy_region),
            known,
            legacy_db_instance: settings.legacy_db_instance,
            deadline: settings.deadline,
            clock,
            stack_run,
            skew,
            keys,
            windows: [AtomicI64::new(0), AtomicI64::new(0)],
            exact: door::Exact::default(),
            caller: Mutex::new(None),
        }
    }

    /// How far this host's clock is ahead of AWS's, in milliseconds and to about a second, by the newest answer.
    #[must_use]
    pub fn clock_skew(&self) -> Option<i64> {
        self.skew.millis()
    }

    /// Where every client sends its requests, asked of the clients themselves.
    pub async fn endpoints(&self) -> Vec<ClientEndpoint> {
        Box::pin(self.clients.endpoints()).await
    }

    /// Who gives the keys, until when they are good, and what renews them; nothing before they were asked for.
    #[must_use]
    pub fn keys(&self) -> Option<KeysGiven> {
        self.keys.as_ref()?.given()
    }

    /// A simulator answers for everything and takes any keys: no real ones are looked for.
    pub fn use_any_keys(&self) {
        if let Some(keys) = &self.keys {
            keys.mean_nothing();
        }
    }

    /// The outputs, for a question about the new stack.
    fn built(&self) -> Result<&StackOutputs, PortError> {
        self.known.outputs().ok_or_else(|| {
            PortError::new(ErrorKind::NotProvisioned, "pulumi stack output", "the new stack does not exist yet")
        })
    }

    /// Which records are shifted; before the first `up` the configuration may not say it.
    fn key(&self) -> Result<GroupKey, PortError> {
        self.known.group_key().ok_or_else(|| self.unset())
    }

    /// The legacy load balancer, under the same condition.
    fn legacy_lb(&self) -> Result<&str, PortError> {
        self.known.legacy_lb_name().ok_or_else(|| self.unset())
    }

    fn unset(&self) -> PortError {
        PortError::new(ErrorKind::NotProvisioned, "pulumi config", self.known.unset().join("; "))
    }

    fn cloudwatch(&self, side: Side) -> &aws_sdk_cloudwatch::Client {
        let [new, legacy] = &self.clients.cloudwatch;
        if side == Side::New { new } else { legacy }
    }

    fn last_window(&self, side: Side) -> &AtomicI64 {
        let [new, legacy] = &self.windows;
        if side == Side::New { new } else { legacy }
    }

    fn failed<E>(&self, operation: AwsOperation, error: &SdkError<E, HttpResponse>) -> PortError
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let error = errors::port_error(operation, error, self.skew.millis());
        match (error.kind, &self.keys) {
            (ErrorKind::Credentials, Some(keys)) => keys.refused(),
            (ErrorKind::TimedOut, Some(keys)) => {
                if let Some(cause) = keys.waiting(ATTEMPT_TIMEOUT) {
                    return errors::no_keys(operation.action(), &cause);
                }
            }
            _ => {}
        }
        error
    }

    /// What comes of a question, within the deadline of one.
    async fn in_time<T>(
        &self,
        operation: &'static str,
        asked: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        tokio::time::timeout(self.deadline, asked).await.unwrap_or_else(|_| {
            if let Some(cause) = self.keys.as_ref().and_then(|keys| keys.waiting(ATTEMPT_TIMEOUT)) {
                return Err(errors::no_keys(operation, &cause));
            }
            let text = format!("no answer within {} s", self.deadline.as_secs_f64());
            Err(PortError::new(ErrorKind::TimedOut, operation, text))
        })
    }

    async fn answer(&self, query: Query) -> Result<Observation, PortError> {
        Ok(match query {
            Query::Records => Observation::Records(self.records().await?),
            Query::Zone => Observation::Zone(self.zone().await?),
            Query::Change(id) => Observation::Change(self.change(&id).await?),
            Query::Replication => Observation::Replication(self.replication().await?),
            Query::Tables => Observation::Tables(self.tables().await?),
            Query::Service => Observation::Service(self.service().await?),
            Query::Hosts(Side::New) => Observation::Hosts(Side::New, self.targets().await?),
            Query::Hosts(Side::Legacy) => Observation::Hosts(Side::Legacy, self.legacy_hosts().await?),
            Query::Alarms(side) => Observation::Alarms(side, self.alarms(side).await?),
            Query::Metrics(side, past) => Observation::Metrics(side, self.metrics(side, past).await?),
            Query::Identity => Observation::Identity(self.identity().await?),
            Query::StackRun => Observation::StackRun((self.stack_run)()?),
            Query::MayChange => {
                self.prove_write().await?;
                Observation::MayChange
            }
        })
    }
}

impl Observe for Aws {
    fn observe(&self, query: Query) -> PortFuture<'_, Observation> {
        Box::pin(async move {
            let operation = main_operation(&query);
            let answer = match query {
                // As many pages as the zone has, each with a deadline of its own.
                Query::Zone => Box::pin(self.answer(query)).await,
                query => Box::pin(self.in_time(operation, self.answer(query))).await,
            };
            answer.map(|answer| door::take_in(answer, &self.exact))
        })
    }
}

impl Traffic for Aws {
    fn send(&self, batch: &Confirmed<Batch>) -> SendFuture<'_> {
        let batch = batch.clone();
        Box::pin(async move { self.send_batch(&batch).await })
    }
}

impl Clients {
    fn new(config: &SdkConfig, region: &str, legacy_region: &str) -> Self {
        // The SDK keeps one budget of retries per name for the whole process; each adapter gets its own, so that a test
        // or a second cockpit in the process cannot use up the first one's.
        static BUILT: AtomicU64 = AtomicU64::new(0);
        let nth = BUILT.fetch_add(1, Ordering::Relaxed);
        macro_rules! client {
            ($sdk:ident, $region:expr) => {
                $sdk::Client::from_conf(
                    $sdk::config::Builder::from(config)
                        .region(Region::new($region.to_owned()))
                        .retry_partition(RetryPartition::new(format!("{}-{}-{nth}", stringify!($sdk), $region)))
                        .build(),
                )
            };
        }
        Self {
            route53: client!(aws_sdk_route53, ROUTE53_REGION),
            sts: client!(aws_sdk_sts, region),
            dms: client!(aws_sdk_databasemigration, region),
            ecs: client!(aws_sdk_ecs, region),
            elb: client!(aws_sdk_elasticloadbalancingv2, region),
            classic: client!(aws_sdk_elasticloadbalancing, legacy_region),
            cloudwatch: [client!(aws_sdk_cloudwatch, region), client!(aws_sdk_cloudwatch, legacy_region)],
        }
    }
}

async fn sdk_config(settings: &AwsSettings, region: &str, skew: Arc<http::Skew>) -> (SdkConfig, Option<Keys>) {
    let client = if let Some(client) = settings.http_client.clone() {
        http::Http::given(client, skew)
    } else {
        let bundle = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty() && !settings.test_credentials);
        http::Http::network(bundle.map(Into::into), skew)
    };
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(settings.deadline)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    // Answers are small, and every attempt has its own end.
    let stalled = StalledStreamProtectionConfig::disabled();
    let name = AppName::new("tapctl").ok();
    if settings.test_credentials {
        let keys = Credentials::from_keys("SIMULATOR", "not-a-secret", None);
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(client)
            .timeout_config(timeouts)
            .retry_config(retries)
            .stalled_stream_protection(stalled);
        builder.set_endpoint_url(settings.endpoint_url.clone()).set_app_name(name);
        return (builder.build(), None);
    }
    let keys = Keys::new(settings.profile.clone(), region, client.clone(), Arc::new(environment));
    let (files, profile) = keys.for_sdk();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .http_client(client)
        .timeout_config(timeouts)
        .retry_config(retries)
        .stalled_stream_protection(stalled)
        .profile_files(files)
        .profile_name(profile)
        // The keys keep themselves, and know when their files have changed.
        .identity_cache(IdentityCache::no_cache())
        .credentials_provider(keys.clone());
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(name) = name {
        loader = loader.app_name(name);
    }
    (loader.load().await, Some(keys))
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The call that stands for a question when all of it together took too long.
fn main_operation(query: &Query) -> &'static str {
    match query {
        Query::Records | Query::Zone => AwsOperation::ListResourceRecordSets.action(),
        Query::Change(_) => AwsOperation::GetChange.action(),
        Query::Replication => AwsOperation::DescribeReplicationTasks.action(),
        Query::Tables => AwsOperation::DescribeTableStatistics.action(),
        Query::Service => AwsOperation::DescribeServices.action(),
        Query::Hosts(Side::New) => AwsOperation::DescribeTargetHealth.action(),
        Query::Hosts(Side::Legacy) => AwsOperation::DescribeInstanceHealth.action(),
        Query::Alarms(_) => AwsOperation::DescribeAlarms.action(),
        Query::Metrics(..) => AwsOperation::GetMetricData.action(),
        Query::Identity => AwsOperation::GetCallerIdentity.action(),
        Query::StackRun => "stack run",
        Query::MayChange => AwsOperation::ChangeResourceRecordSets.action(),
    }
}

/// An instant of AWS's, to the millisecond.
fn stamp(at: &aws_smithy_types::DateTime) -> Timestamp {
    at.to_millis().map(Timestamp::from_millis).unwrap_or_default()
}
