//! Answers that are no answers.

use proptest::prelude::*;

use super::*;
use crate::domain::change::outcome::SendError;

pub(super) fn queries() -> [Query; 12] {
    [
        Query::Records,
        Query::Change("/change/C1".into()),
        Query::Replication,
        Query::Tables,
        Query::Service,
        Query::Hosts(Side::New),
        Query::Hosts(Side::Legacy),
        Query::Alarms(Side::New),
        Query::Alarms(Side::Legacy),
        Query::Metrics(Side::New, None),
        Query::Metrics(Side::Legacy, None),
        Query::Identity,
    ]
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[<>/a-zA-Z&;=\"' ]{0,200}".prop_map(String::into_bytes),
        "[{}:,\"a-z0-9\\[\\]]{0,200}".prop_map(String::into_bytes),
        // A good answer that breaks off.
        (0usize..900).prop_map(|cut| {
            let whole = listing(&set("app.example.com.", "new", 20), END);
            whole.as_bytes()[..cut.min(whole.len())].to_vec()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever comes back, each question ends in a value or an error, and the write is sent once.
    #[test]
    fn no_answer_is_so_broken_that_it_ends_the_program(
        body in bodies(), status in prop::sample::select(vec![200u16, 204, 302, 400, 403, 404, 500]),
        kind in prop::sample::select(vec!["text/xml", "application/x-amz-json-1.1", "application/cbor", "text/html"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let canned = Canned::default().with(status, kind, body);
            let aws = canned.aws().await;
            for query in queries() {
                if let Err(error) = aws.observe(query).await {
                    assert!(error.message.chars().all(|c| !c.is_control()) && error.message.chars().count() <= 500);
                }
            }
            let before = canned.seen().len();
            if let Err(SendError { error, .. }) = aws.send(&plan()).await {
                assert!(error.kind == ErrorKind::Throttled || canned.seen().len() == before + 1, "{error:?}");
            }
        });
    }
}
