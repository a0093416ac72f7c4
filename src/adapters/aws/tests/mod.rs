//! The adapter against canned answers, a socket on loopback, and the simulator: what the tests share.

mod broken;
mod cuts;
mod network;
mod reads;
mod simulated;
mod write;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::in_process::{InProcessReply, http_client};
use super::*;
use crate::domain::metrics::Metric;
use crate::domain::replication::TableStat;
use crate::domain::shift::ShiftPlan;
use crate::domain::shift::fixtures::group;
use crate::domain::traffic::{ChangeStatus, Routing, Target};
use crate::domain::units::{Percent, WeightPair};

const NOW: &str = "2026-11-22T12:40:31Z";

/// Stack outputs as the bundled Pulumi program prints them.
pub(super) fn outputs() -> StackOutputs {
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:us-west-2:123456789012:{rest}");
    let text = json!({
        "environmentSuffix": "prod", "region": "us-west-2", "legacyRegion": "us-east-1", "vpcId": "vpc-1",
        "publicSubnetIds": ["subnet-1"], "privateSubnetIds": ["subnet-2"],
        "albArn": arn("elasticloadbalancing", "loadbalancer/app/migration-alb-prod/50dc6c495c0c9188"),
        "albDnsName": "alb.us-west-2.elb.amazonaws.com", "albZoneId": "Z1H1FL5HABSF5",
        "targetGroupArn": arn("elasticloadbalancing", "targetgroup/migration-tg-prod/73e2d6bc24d8a067"),
        "ecsClusterArn": arn("ecs", "cluster/migration-cluster-prod"), "ecsClusterName": "migration-cluster-prod",
        "ecsServiceName": "migration-service-prod", "ecrRepositoryUrl": "123456789012.dkr.ecr.us-west-2.amazonaws.com/app",
        "auroraClusterArn": arn("rds", "cluster:migration-aurora-prod"), "auroraClusterId": "migration-aurora-prod",
        "auroraWriterEndpoint": "w.rds.amazonaws.com", "auroraReaderEndpoint": "r.rds.amazonaws.com",
        "dmsReplicationInstanceArn": arn("dms", "rep:6UTDJGBOUS3VI3SUWA66XFJCJQ"),
        "dmsReplicationInstanceId": "migration-dms-prod",
        "dmsTaskArn": arn("dms", "task:VFPFKH4FJR3FTYKK2RYSIHQ4UM"),
        "dmsReverseTaskArn": arn("dms", "task:H5TX3QWCNOHZEY2LUKB7GMRD4A"),
        "dbSecretArn": arn("secretsmanager", "secret:db"), "hostedZoneId": "Z0123456789TECHVAULT",
        "recordName": "app.example.com", "recordType": "A", "legacySetIdentifier": "legacy", "newSetIdentifier": "new",
        "legacyLbName": "techvault-web", "legacyLbDnsName": "web.us-east-1.elb.amazonaws.com", "databaseWriter": "legacy",
        "dashboardName": "d", "dashboardUrl": "https://example.com", "lagAlarmName": "lag",
        "alarmNames": ["lag", "errors"], "logGroupNames": ["/ecs/app"],
    });
    StackOutputs::parse(&text.to_string()).unwrap()
}

/// Time stands still.
fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

/// A request as the test saw it.
#[derive(Debug, Clone)]
struct Seen {
    uri: String,
    scope: String,
    body: String,
}

/// Status, content type, body, delay, and whether the connection breaks instead.
type Answer = (u16, &'static str, Bytes, Duration, bool);

/// An AWS that answers from a script, in order, and repeats the last answer.
#[derive(Clone, Default)]
struct Canned {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Canned {
    fn with(self, status: u16, kind: &'static str, body: impl Into<Bytes>) -> Self {
        self.answers.lock().unwrap().push_back((status, kind, body.into(), Duration::ZERO, false));
        self
    }

    fn xml(self, status: u16, body: &str) -> Self {
        self.with(status, "text/xml", body.to_owned())
    }

    fn json(self, status: u16, body: &Value) -> Self {
        self.with(status, "application/x-amz-json-1.1", body.to_string())
    }

    fn cbor(self, body: &Value) -> Self {
        let mut bytes = Vec::new();
        ciborium::into_writer(&timestamps(body), &mut bytes).unwrap();
        self.with(200, "application/cbor", bytes)
    }

    fn late(self, delay: Duration) -> Self {
        self.answers.lock().unwrap().back_mut().unwrap().3 = delay;
        self
    }

    fn dropped(self) -> Self {
        self.answers.lock().unwrap().push_back((200, "text/xml", Bytes::new(), Duration::ZERO, true));
        self
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    async fn aws(&self) -> Aws {
        let canned = self.clone();
        let client = http_client(Arc::new(move |request| canned.reply(&request)));
        let settings = AwsSettings { test_credentials: true, http_client: Some(client), ..AwsSettings::default() };
        Aws::connect(settings, outputs(), Arc::new(now), Arc::new(|| Ok(Some("up".into())))).await
    }

    fn reply(&self, request: &::http::Request<Bytes>) -> InProcessReply {
        let header =
            |name: &str| request.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        self.seen.lock().unwrap().push(Seen {
            uri: request.uri().to_string(),
            scope: header("authorization").split('/').skip(2).take(2).collect::<Vec<_>>().join("/"),
            body: String::from_utf8_lossy(request.body()).into_owned(),
        });
        let mut answers = self.answers.lock().unwrap();
        let (status, kind, body, delay, drop_connection) =
            if answers.len() > 1 { answers.pop_front().unwrap() } else { answers.front().cloned().unwrap() };
        let response = ::http::Response::builder()
            .status(status)
            .header("content-type", kind)
            .header("smithy-protocol", "rpc-v2-cbor")
            .header("date", "Sun, 22 Nov 2026 12:33:19 GMT")
            .body(body)
            .unwrap();
        InProcessReply { response, delay, drop_connection }
    }
}

/// CBOR for a JSON value; `{"at": seconds}` becomes a timestamp, tag 1.
fn timestamps(value: &Value) -> ciborium::Value {
    use ciborium::Value as C;
    match value {
        Value::Object(map) if map.len() == 1 && map.contains_key("at") => {
            C::Tag(1, Box::new(C::Float(map["at"].as_f64().unwrap())))
        }
        Value::Object(map) => C::Map(map.iter().map(|(k, v)| (C::Text(k.clone()), timestamps(v))).collect()),
        Value::Array(items) => C::Array(items.iter().map(timestamps).collect()),
        Value::String(text) => C::Text(text.clone()),
        Value::Number(number) => C::Float(number.as_f64().unwrap()),
        Value::Bool(flag) => C::Bool(*flag),
        Value::Null => C::Null,
    }
}

fn set(name: &str, id: &str, weight: u8) -> String {
    format!(
        "<ResourceRecordSet><Name>{name}</Name><Type>A</Type><SetIdentifier>{id}</SetIdentifier><Weight>{weight}</Weight>\
         <AliasTarget><HostedZoneId>Z35SXDOTRQ7X7K</HostedZoneId><DNSName>dualstack.{id}.elb.amazonaws.com.</DNSName>\
         <EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>"
    )
}

fn listing(sets: &str, tail: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ResourceRecordSets>{sets}</ResourceRecordSets>{tail}<MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"
    )
}

const END: &str = "<IsTruncated>false</IsTruncated>";
const ACCEPTED: &str = "<ChangeResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeInfo>\
    <Id>/change/C2682N5HXP0BZ4</Id><Status>PENDING</Status><SubmittedAt>2026-11-22T12:40:31.123Z</SubmittedAt></ChangeInfo>\
    </ChangeResourceRecordSetsResponse>";

fn refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )
}

fn plan() -> Confirmed<Batch> {
    let seen = group(WeightPair::new(80, 20).unwrap());
    let plan = ShiftPlan::new(&seen, Percent::new(30).unwrap()).unwrap();
    Confirmed::by_flag(plan.batch(), crate::domain::confirm::YesFlag::from_cli(true).unwrap())
}
