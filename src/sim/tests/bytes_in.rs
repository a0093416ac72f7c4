//! Whatever bytes come in, a reply comes out, and nothing panics.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// One world for all cases: making one costs more than asking it.
static SIM: LazyLock<Sim> = LazyLock::new(|| sim(Scenario::Steady));

const TARGETS: [&str; 8] = [
    "AmazonDMSv20160101.DescribeReplicationTasks",
    "AmazonDMSv20160101.DescribeTableStatistics",
    "AmazonDMSv20160101.DescribeEndpoints",
    "AmazonEC2ContainerServiceV20141113.DescribeServices",
    "AmazonEC2ContainerServiceV20141113.ListTasks",
    "secretsmanager.DescribeSecret",
    "GraniteServiceVersion20100801.GetMetricData",
    "GraniteServiceVersion20100801.DescribeAlarms",
];
const MEMBERS: [&str; 16] = [
    "Filters",
    "Name",
    "Values",
    "MaxRecords",
    "Marker",
    "ReplicationTaskArn",
    "cluster",
    "services",
    "maxResults",
    "nextToken",
    "MetricDataQueries",
    "MetricStat",
    "StartTime",
    "EndTime",
    "NextToken",
    "MaxDatapoints",
];

const SIGNED: [&str; 8] =
    ["route53", "monitoring", "dms", "ecs", "elasticloadbalancing", "sts", "secretsmanager", "s3"];

/// Inputs that have the right member names and anything for values.
fn input() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from(names::DMS_TASK_ARN)),
        Just(Value::from(names::CLUSTER_NAME)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(&MEMBERS[..]), inner, 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn scope() -> impl Strategy<Value = String> {
    let signed = (prop::sample::select(&SIGNED[..]), prop::sample::select(&["us-east-1", "us-west-2", "x"][..]))
        .prop_map(|(service, region)| authorization(service, region));
    prop_oneof![4 => signed, 1 => "[ -~]{0,60}"]
}

fn asked(builder: http::request::Builder, body: Vec<u8>) -> Result<(), TestCaseError> {
    // What HTTP itself does not allow never gets this far.
    let Ok(request) = builder.body(Bytes::from(body)) else { return Ok(()) };
    let reply = SIM.handle(request);
    prop_assert!(reply.response.status().as_u16() >= 200);
    prop_assert!(reply.response.headers().contains_key("date"));
    Ok(())
}

proptest! {
    #[test]
    fn any_request(
        method in prop::sample::select(&["GET", "POST", "PUT", "DELETE", "HEAD"][..]),
        path in "/[!-~]{0,40}",
        scope in scope(),
        target in prop::option::of("[ -~]{0,40}"),
        cbor in any::<bool>(),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut builder = Request::builder().method(method).uri(path).header("authorization", scope);
        if let Some(target) = target {
            builder = builder.header("x-amz-target", target);
        }
        if cbor {
            builder = builder.header("smithy-protocol", "rpc-v2-cbor");
        }
        asked(builder, body)?;
    }

    #[test]
    fn any_json_input(target in prop::sample::select(&TARGETS[..]), region in prop::sample::select(&["us-east-1", "us-west-2"][..]), input in input()) {
        let service = match target.split_once('.').map(|(prefix, _)| prefix) {
            Some("AmazonDMSv20160101") => "dms",
            Some("secretsmanager") => "secretsmanager",
            Some("GraniteServiceVersion20100801") => "monitoring",
            _ => "ecs",
        };
        let (parts, body) = json_call(service, region, target, &input).into_parts();
        let reply = SIM.handle(Request::from_parts(parts, body));
        prop_assert!(matches!(reply.response.status().as_u16(), 200 | 400), "{:?}", reply.response);
        prop_assert!(serde_json::from_slice::<Value>(reply.response.body()).is_ok());
    }

    #[test]
    fn any_cbor_input(body in prop::collection::vec(any::<u8>(), 0..200), input in input()) {
        let mut encoded = Vec::new();
        ciborium::into_writer(&input, &mut encoded).unwrap();
        for body in [body, encoded] {
            let builder = Request::post("/service/GraniteServiceVersion20100801/operation/GetMetricData")
                .header("smithy-protocol", "rpc-v2-cbor")
                .header("authorization", authorization("monitoring", "us-west-2"));
            asked(builder, body)?;
        }
    }

    #[test]
    fn any_query_form(pairs in prop::collection::vec(("[A-Za-z.0-9]{0,30}", ".{0,20}"), 0..12), action in "[A-Za-z]{0,24}") {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", &action).append_pair("Version", "2010-08-01");
        for (name, value) in &pairs {
            form.append_pair(name, value);
        }
        let builder = Request::post("/").header("authorization", authorization("monitoring", "us-west-2"));
        asked(builder, form.finish().into_bytes())?;
    }

    #[test]
    fn any_change_batch(inner in prop::collection::vec(
        prop::sample::select(&["<Change>", "</Change>", "<Action>", "</Action>", "DELETE", "<ResourceRecordSet>", "</ResourceRecordSet>", "<Weight>", "</Weight>", "9", "&amp;", "&", "<Name/>", "x"][..]), 0..20)) {
        let body = format!("<ChangeResourceRecordSetsRequest><ChangeBatch><Changes>{}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>", inner.concat());
        let before = SIM.state()["traffic"]["changes"].clone();
        let (status, _) = answer(&SIM, route53("POST", &format!("hostedzone/{}/rrset", names::ZONE_ID), &body));
        prop_assert_eq!(status, 400);
        prop_assert_eq!(&SIM.state()["traffic"]["changes"], &before);
    }

    #[test]
    fn any_control_request(path in "/_sim[a-z/]{0,12}", body in ".{0,80}") {
        asked(Request::post(path), body.into_bytes())?;
    }
}
