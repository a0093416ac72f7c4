//! The write: what is sent, how often, and what each refusal means.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_batch_deletes_what_was_seen_and_creates_the_new_weights() {
    let identity = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
        <Arn>arn:aws:sts::123456789012:assumed-role/oncall-role/me</Arn><UserId>x</UserId><Account>123456789012</Account>\
        </GetCallerIdentityResult></GetCallerIdentityResponse>";
    let canned = Canned::default().xml(200, identity).xml(200, ACCEPTED);
    let aws = canned.aws().await;
    let Ok(Observation::Identity(caller)) = aws.observe(Query::Identity).await else { panic!() };
    assert_eq!(caller.account, "123456789012");
    let change = aws.send(&plan()).await.unwrap();
    assert_eq!((change.id.as_str(), change.status), ("/change/C2682N5HXP0BZ4", ChangeStatus::Pending));
    assert_eq!(change.at, Timestamp::parse("2026-11-22T12:40:31.123Z").unwrap());
    let body = &canned.seen()[1].body;
    let steps: Vec<_> = body
        .split("<Action>")
        .skip(1)
        .map(|step| {
            let weight = step.split("<Weight>").nth(1).unwrap().split('<').next().unwrap();
            format!("{} {weight}", step.split('<').next().unwrap())
        })
        .collect();
    assert_eq!(steps, ["DELETE 80", "DELETE 20", "CREATE 70", "CREATE 30"]);
    assert!(body.contains("<Comment>tapctl 80/20 -&gt; 70/30 by oncall-role/me</Comment>"), "{body}");
    assert!(body.contains("<EvaluateTargetHealth>true</EvaluateTargetHealth>") && !body.contains("UPSERT"));
}

#[tokio::test(start_paused = true)]
async fn records_that_changed_are_a_conflict_and_are_not_sent_again() {
    let message = "[Tried to delete resource record set [name='app.example.com.', type='A', set-identifier='new'] \
                   but the values provided do not match the current values]";
    let wrapped = format!(
        "<InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Messages><Message>{message}</Message>\
         </Messages><RequestId>r</RequestId></InvalidChangeBatch>"
    );
    for body in [refusal("InvalidChangeBatch", message), wrapped] {
        let canned = Canned::default().xml(400, &body);
        let error = canned.aws().await.send(&plan()).await.unwrap_err().error;
        assert!(error.kind == ErrorKind::Conflict, "{error} {body}");
        assert!(error.message.contains("do not match the current values"), "{error}");
        assert_eq!(canned.seen().len(), 1);
    }
    let canned =
        Canned::default().xml(400, &refusal("InvalidChangeBatch", "[RRSet with DNS name x. is not permitted]"));
    let error = canned.aws().await.send(&plan()).await.unwrap_err().error;
    assert_eq!((error.kind, canned.seen().len()), (ErrorKind::Invalid, 1));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_the_write_is_not_followed_by_a_second_write() {
    let server = refusal("InternalFailure", "oh");
    for canned in [
        Canned::default().dropped(),
        Canned::default().xml(500, &server),
        Canned::default().xml(200, ACCEPTED).late(Duration::from_secs(61)),
        Canned::default().xml(200, "<not even xml"),
    ] {
        let error = canned.aws().await.send(&plan()).await.unwrap_err().error;
        assert!(error.outcome_unknown(), "{error:?}");
        assert_eq!(canned.seen().len(), 1, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_turned_away_unread_is_sent_again_but_not_for_ever() {
    let busy = refusal("PriorRequestNotComplete", "The request was rejected because Route 53 was still processing");
    let canned = Canned::default().xml(400, &busy).xml(400, &refusal("Throttling", "Rate exceeded")).xml(200, ACCEPTED);
    let start = tokio::time::Instant::now();
    canned.aws().await.send(&plan()).await.unwrap();
    assert_eq!(canned.seen().len(), 3);
    assert!(start.elapsed() >= Duration::from_millis(750), "{:?}", start.elapsed());
    let canned = Canned::default().xml(400, &busy);
    let error = canned.aws().await.send(&plan()).await.unwrap_err().error;
    assert_eq!((error.kind, canned.seen().len()), (ErrorKind::Throttled, 5));
    assert!(!error.outcome_unknown());
}
