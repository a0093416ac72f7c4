//! The questions: how each answer becomes a value, and each failure an error.

use super::*;
use crate::domain::metrics::TimeRange;
use crate::domain::series::{CAPACITY, PERIOD};

#[tokio::test(start_paused = true)]
async fn records_are_followed_over_pages_until_the_name_ends() {
    let more = "<IsTruncated>true</IsTruncated><NextRecordName>app.example.com.</NextRecordName>\
                <NextRecordType>A</NextRecordType><NextRecordIdentifier>new</NextRecordIdentifier>";
    let second = format!("{}{}", set("app.example.com.", "new", 20), set("other.example.com.", "new", 7));
    let canned = Canned::default()
        .xml(200, &listing(&set("APP.example.com.", "legacy", 80), more))
        .xml(200, &listing(&second, "<IsTruncated>true</IsTruncated><NextRecordName>z.</NextRecordName>"));
    let answer = canned.aws().await.observe(Query::Records).await.unwrap();
    let Observation::Records(records) = answer else { panic!("{answer:?}") };
    assert_eq!(records.iter().map(|r| r.weight().unwrap()).collect::<Vec<_>>(), [80, 20]);
    assert_eq!(records[0].name, "APP.example.com.");
    assert!(
        matches!(&records[1].target, Target::Alias { evaluate_health: true, zone_id, .. } if zone_id == "Z35SXDOTRQ7X7K")
    );
    let seen = canned.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[0].uri.starts_with("https://route53.amazonaws.com/2013-04-01/hostedzone/Z0123456789TECHVAULT/rrset"));
    assert!(seen[0].uri.contains("name=app.example.com."));
    assert!(seen[1].uri.contains("identifier=new") && seen[1].uri.contains("type=A"));
    assert_eq!(seen[0].scope, "us-east-1/route53");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_goes_on_and_does_not_say_where_is_no_whole_one() {
    let endless = listing(&set("app.example.com.", "new", 20), "<IsTruncated>true</IsTruncated>");
    for query in [Query::Records, Query::Zone] {
        let error = Canned::default().xml(200, &endless).aws().await.observe(query).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Garbled, "{error}");
        assert!(error.message.contains("does not say where"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_simple_record_is_seen_as_one() {
    let simple = "<ResourceRecordSet><Name>app.example.com.</Name><Type>CNAME</Type><TTL>300</TTL><ResourceRecords>\
                  <ResourceRecord><Value>a.example.net</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>";
    let aws = Canned::default().xml(200, &listing(simple, END)).aws().await;
    let Ok(Observation::Records(records)) = aws.observe(Query::Records).await else { panic!() };
    assert_eq!(records[0].routing, Routing::Simple);
    assert_eq!(records[0].target, Target::Values { ttl_s: 300, values: vec!["a.example.net".into()] });
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_three_times_and_end_with_the_deadline() {
    let canned = Canned::default().xml(503, &refusal("ServiceUnavailable", "later"));
    let error = canned.aws().await.observe(Query::Records).await.unwrap_err();
    assert_eq!((error.kind, canned.seen().len()), (ErrorKind::Unreachable, 3));
    let canned = Canned::default().xml(200, &listing("", END)).late(Duration::from_secs(300));
    let start = tokio::time::Instant::now();
    let error = canned.aws().await.observe(Query::Records).await.unwrap_err();
    assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::TimedOut, "route53:ListResourceRecordSets"));
    assert!(start.elapsed() <= Duration::from_secs(11), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_zone_is_read_to_its_end_however_many_pages_it_has_and_each_has_its_deadline() {
    let more = "<IsTruncated>true</IsTruncated><NextRecordName>x.example.com.</NextRecordName><NextRecordType>A</NextRecordType>";
    let mut canned = Canned::default();
    for page in 0..120 {
        let tail = if page < 119 { more } else { END };
        let slow = Duration::from_secs(2);
        canned = canned.xml(200, &listing(&set("x.example.com.", "a", 1).repeat(300), tail)).late(slow);
    }
    let answer = canned.aws().await.observe(Query::Zone).await.unwrap();
    let Observation::Zone(records) = answer else { panic!("{answer:?}") };
    assert_eq!((records.len(), canned.seen().len()), (36_000, 120));
    let silent = Duration::from_secs(300);
    let canned = Canned::default().xml(200, &listing(&set("x.example.com.", "a", 1), more)).xml(200, "").late(silent);
    let start = tokio::time::Instant::now();
    let error = canned.aws().await.observe(Query::Zone).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(error.message.ends_with("after 1 records of the zone"), "{error}");
    assert!(start.elapsed() <= Duration::from_secs(12), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_clocks_difference_is_known_after_one_answer() {
    let aws = Canned::default().xml(200, &listing("", END)).aws().await;
    assert_eq!(aws.clock_skew(), None);
    aws.observe(Query::Records).await.unwrap();
    assert_eq!(aws.clock_skew(), Some(431_500));
}

#[tokio::test(start_paused = true)]
async fn metrics_are_one_call_whose_series_may_come_in_pieces() {
    let first = result("m0", &[(1_795_351_080, 3.0)], "PartialData");
    let rest = result("m0", &[(1_795_351_140, 4.0)], "Complete");
    let lost = result("m1", &[], "InternalError");
    let canned = Canned::default()
        .cbor(&json!({"MetricDataResults": [first, lost], "NextToken": "n"}))
        .cbor(&json!({"MetricDataResults": [rest]}));
    let aws = canned.aws().await;
    let Ok(Observation::Metrics(Side::New, readings)) = aws.observe(Query::Metrics(Side::New, None)).await else {
        panic!()
    };
    let lag = &readings.series.iter().find(|(metric, _)| *metric == Metric::LagSource).unwrap().1;
    assert_eq!(lag.points().iter().map(|p| p.value).collect::<Vec<_>>(), [3.0, 4.0]);
    let trouble = |metric| readings.incomplete.iter().find(|(m, _)| *m == metric).map(|(_, words)| words.as_str());
    assert_eq!(trouble(Metric::LagSource), None);
    assert_eq!(trouble(Metric::LagTarget), Some("InternalError"));
    assert!(trouble(Metric::NewRequests).is_some());
    let asked = canned.seen();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].scope, "us-west-2/monitoring");
    for text in ["VFPFKH4FJR3FTYKK2RYSIHQ4UM", "CDCLatencyTarget", "app/migration-alb-prod/50dc6c495c0c9188", "p99"] {
        assert!(asked[0].body.contains(text), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_earlier_is_a_call_of_its_own_that_keeps_nothing_else_back() {
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let window = TimeRange { from: at("2026-11-21T12:40:00Z"), to: at("2026-11-21T12:55:00Z") };
    let requests = format!("m{}", Metric::NewRequests as usize);
    for (status, right) in [("Complete", Some(vec![120.0, 130.0])), ("PartialData", None)] {
        let lag = result("m0", &[(1_795_351_080, 3.0)], "Complete");
        let counted = result(&requests, &[(1_795_264_860, 130.0), (1_795_264_800, 120.0)], status);
        let canned =
            Canned::default().cbor(&json!({"MetricDataResults": [lag]})).cbor(&json!({"MetricDataResults": [counted]}));
        let aws = canned.aws().await;
        let answer = aws.observe(Query::Metrics(Side::New, Some(window))).await;
        let Ok(Observation::Metrics(Side::New, readings)) = answer else { panic!("{answer:?}") };
        assert_eq!(readings.series[0].1.points().len(), 1);
        let past = readings.past.unwrap();
        assert_eq!((past.side, past.window), (Side::New, window));
        let counts = past.counts.map(|points| points.iter().map(|p| p.value).collect::<Vec<_>>());
        assert_eq!(counts.as_ref().ok(), right.as_ref(), "{counts:?}");
        let asked = canned.seen();
        assert_eq!(asked.len(), 2);
        assert!(asked[1].body.contains("RequestCount") && !asked[1].body.contains("CDCLatencyTarget"));
    }
}

fn result(id: &str, points: &[(i64, f64)], status: &str) -> Value {
    let times: Vec<Value> = points.iter().map(|(at, _)| json!({"at": at})).collect();
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    json!({"Id": id, "Label": id, "Timestamps": times, "Values": values, "StatusCode": status})
}

#[tokio::test(start_paused = true)]
async fn the_window_is_all_that_is_kept_at_first_and_a_quarter_later() {
    let canned = Canned::default().cbor(&json!({"MetricDataResults": []}));
    let aws = canned.aws().await;
    let end = Timestamp::parse("2026-11-22T12:40:00Z").unwrap();
    assert_eq!(aws.window(Side::Legacy, end), PERIOD * CAPACITY as u32);
    aws.observe(Query::Metrics(Side::Legacy, None)).await.unwrap();
    assert_eq!(aws.window(Side::Legacy, end), Duration::from_secs(900));
    assert_eq!(aws.window(Side::Legacy, end.plus(Duration::from_secs(600))), Duration::from_secs(1500));
    assert_eq!(aws.window(Side::Legacy, end.plus(Duration::from_secs(86_400))), PERIOD * CAPACITY as u32);
    assert_eq!(aws.window(Side::New, end), PERIOD * CAPACITY as u32);
    let asked = &canned.seen()[0];
    assert_eq!(asked.scope, "us-east-1/monitoring");
    assert!(!asked.body.contains("DBInstanceIdentifier"), "no instance is known, so none is asked about");
}

#[tokio::test(start_paused = true)]
async fn alarms_of_both_kinds_are_read_by_name() {
    let canned = Canned::default().cbor(&json!({
        "MetricAlarms": [{"AlarmName": "lag", "StateValue": "ALARM", "StateReason": "Threshold\nCrossed",
                          "StateTransitionedTimestamp": {"at": 1_795_351_080}}],
        "CompositeAlarms": [{"AlarmName": "errors", "StateValue": "OK", "StateReason": ""}],
    }));
    let Ok(Observation::Alarms(_, alarms)) = canned.aws().await.observe(Query::Alarms(Side::New)).await else {
        panic!()
    };
    assert_eq!(
        (alarms[0].name.as_str(), alarms[0].state.word(), alarms[0].reason.as_str()),
        ("lag", "ALARM", "Threshold Crossed")
    );
    assert_eq!(alarms[0].since, Some(Timestamp::from_millis(1_795_351_080_000)));
    assert_eq!((alarms[1].name.as_str(), alarms[1].state.word()), ("errors", "OK"));
}

#[tokio::test(start_paused = true)]
async fn tables_are_read_to_the_last_page_and_an_endless_marker_ends() {
    let table = |name: &str| {
        json!({"SchemaName": "shop", "TableName": name, "TableState": "Table completed", "Inserts": 5,
        "Updates": 2, "Deletes": 1, "AppliedInserts": 5, "AppliedUpdates": 2, "AppliedDeletes": 0,
        "ValidationState": "Validated", "LastUpdateTime": 1_795_351_080.5})
    };
    let canned = Canned::default()
        .json(200, &json!({"TableStatistics": [table("a")], "Marker": "m"}))
        .json(200, &json!({"TableStatistics": [table("b")]}));
    let Ok(Observation::Tables(tables)) = canned.aws().await.observe(Query::Tables).await else { panic!() };
    assert_eq!(tables.iter().map(TableStat::full_name).collect::<Vec<_>>(), ["shop.a", "shop.b"]);
    assert_eq!((tables[0].captured, tables[0].applied), (8, Some(7)));
    assert_eq!(tables[0].updated, Some(Timestamp::from_millis(1_795_351_080_500)));
    assert!(canned.seen()[1].body.contains("\"Marker\":\"m\""));
    let endless = Canned::default().json(200, &json!({"TableStatistics": [], "Marker": "m"}));
    assert_eq!(endless.aws().await.observe(Query::Tables).await.unwrap_err().kind, ErrorKind::Garbled);
    assert_eq!(endless.seen().len(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_denial_and_a_missing_service_are_told_with_their_operation() {
    let denied = json!({"__type": "AccessDeniedException", "message": "User: arn:aws:iam::1:user/x is not authorized to \
        perform: dms:DescribeTableStatistics on resource: y"});
    let error = Canned::default().json(400, &denied).aws().await.observe(Query::Tables).await.unwrap_err();
    assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::Denied, "dms:DescribeTableStatistics"));
    let missing = json!({"services": [], "taskArns": [], "failures": [{"reason": "MISSING"}]});
    let error = Canned::default().json(200, &missing).aws().await.observe(Query::Service).await.unwrap_err();
    assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::NotFound, "ecs:DescribeServices"));
    assert!(error.message.contains("MISSING"));
    let expired =
        json!({"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"});
    let error = Canned::default().json(400, &expired).aws().await.observe(Query::Tables).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Credentials);
}

#[tokio::test(start_paused = true)]
async fn the_stack_run_is_asked_from_this_host() {
    let answer = Canned::default().xml(500, "").aws().await.observe(Query::StackRun).await.unwrap();
    assert_eq!(answer, Observation::StackRun(Some("up".into())));
}
