//! The batch that sends all traffic back to the legacy stack, from whatever answers the name now.
//!
//! Pure. For the sound pair it is the compare-and-swap that tapctl sends. For a name that was released, and beside any
//! group that is no pair, tapctl sends nothing by itself; then this batch is printed for whoever decides.

use crate::domain::targets::astray;
use crate::domain::traffic::{
    ALIAS_TTL, GroupKey, Record, RecordGroup, Routing, Side, Target, beside, beside_text, traffic_records,
};
use crate::domain::units::{Percent, WeightPair};
use crate::domain::zone::{Endpoints, zone_of_balancers};

use super::Batch;

/// What the way back is made from.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The name and the members.
    pub key: &'a GroupKey,
    /// The load balancers of the stack outputs.
    pub endpoints: &'a Endpoints,
    /// Region of the legacy stack.
    pub legacy_region: &'a str,
    /// The records as they were just read.
    pub records: &'a [Record],
    /// Records that the journal remembers, newest first: the legacy one may be among them when it is there no more.
    pub remembered: &'a [Record],
}

/// A batch that sends everything back, and what has to be known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack {
    /// The batch; it deletes nothing where all traffic goes to the legacy stack already.
    pub batch: Batch,
    /// What it does beside that, a sentence each.
    pub notes: Vec<String>,
}

impl WayBack {
    /// Whether all traffic goes to the legacy stack already.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.batch.deletes.is_empty() && self.batch.creates.is_empty()
    }
}

/// The batch that sends everything back.
///
/// # Errors
/// Why nobody can name one, in a sentence.
pub fn way_back(known: Known<'_>) -> Result<WayBack, String> {
    let Known { key, records, .. } = known;
    let found: Vec<&Record> = traffic_records(key, records).collect();
    let mut change = Change::default();
    change.notes.extend(beside(&key.name, records).map(|past| format!("{}, and stays as it is", beside_text(past))));
    // The pair is weighed by its identifiers only where they say what its targets say.
    let is_sound = |record: &&Record| {
        is_legacy(known, record) == (record.set_identifier.as_deref() == Some(known.key.legacy_id.as_str()))
    };
    if let Some(group) = RecordGroup::from_records(key, records).ok().filter(|_| found.iter().all(is_sound)) {
        change.notes.extend(astray(&group, known.endpoints, Side::Legacy));
        let weights = group.weights();
        if weights.new_weight() == 0 && weights.legacy() > 0 {
            return Ok(change.done(known));
        }
        let back = group.with_weights(WeightPair::for_new_share(Percent::ZERO));
        change.deletes.extend(group.records().cloned());
        change.creates.extend(back.records().cloned());
        return Ok(change.done(known));
    }
    let mut types: Vec<&str> = found.iter().map(|record| record.rtype.as_str()).collect();
    types.sort_unstable();
    types.dedup();
    for rtype in types {
        let of_type: Vec<&Record> = found.iter().copied().filter(|record| record.rtype == rtype).collect();
        turn(known, rtype, &of_type, &mut change)?;
    }
    if !change.leads_back {
        change.creates.push(simple(known, &key.rtype)?);
    }
    Ok(change.done(known))
}

#[derive(Default)]
struct Change {
    deletes: Vec<Record>,
    creates: Vec<Record>,
    notes: Vec<String>,
    /// Whether the name is answered with the legacy stack after it, also for whoever knows no IPv6.
    leads_back: bool,
}

impl Change {
    fn done(self, known: Known<'_>) -> WayBack {
        let comment = format!("all of {} back to the legacy stack", known.key.name);
        let Self { deletes, creates, notes, .. } = self;
        WayBack { batch: Batch { deletes, creates, stays: Vec::new(), comment }, notes }
    }
}

fn is_legacy(known: Known<'_>, record: &Record) -> bool {
    match known.endpoints.side_of(&record.target) {
        Some(side) => side == Side::Legacy,
        None => record.set_identifier.as_deref() == Some(known.key.legacy_id.as_str()),
    }
}

/// Sends the records of one type back.
fn turn(known: Known<'_>, rtype: &str, found: &[&Record], change: &mut Change) -> Result<(), String> {
    let key = known.key;
    let is_main = rtype == key.rtype;
    let answers = is_main || rtype != "AAAA";
    if let Some(policy) = found.iter().find_map(|record| record.routing.is_managed()) {
        return Err(format!(
            "the {rtype} records of {} are made by {policy}, and no batch may change them: delete its instance, then ask \
             again",
            key.name
        ));
    }
    if found.iter().all(|record| matches!(record.routing, Routing::Weighted(_))) {
        let legacy = found.iter().any(|record| is_legacy(known, record));
        if legacy || is_main {
            weigh(known, rtype, found, change)?;
            change.leads_back |= answers;
            return Ok(());
        }
    } else if found.iter().all(|record| record.routing == Routing::Simple && is_legacy(known, record)) {
        change.leads_back |= answers;
        return Ok(());
    }
    change.deletes.extend(found.iter().map(|record| (*record).clone()));
    if !is_main {
        change.notes.push(format!(
            "the {rtype} records are deleted: the clients that ask for {rtype} use the {} record then",
            key.rtype
        ));
    }
    Ok(())
}

/// All weight goes to what leads to the legacy stack; a member that is missing is made.
fn weigh(known: Known<'_>, rtype: &str, found: &[&Record], change: &mut Change) -> Result<(), String> {
    let all = WeightPair::for_new_share(Percent::ZERO);
    let weight = |record: &Record| if is_legacy(known, record) { all.legacy() } else { all.new_weight() };
    let is_so = found.iter().all(|record| (record.weight() == Some(0)) != is_legacy(known, record));
    if is_so && found.iter().any(|record| is_legacy(known, record)) {
        return Ok(());
    }
    change.deletes.extend(found.iter().map(|record| (*record).clone()));
    change.creates.extend(found.iter().map(|record| record.with_weight(weight(record))));
    if !found.iter().any(|record| is_legacy(known, record)) {
        let ttl_s = found.iter().map(|record| record.ttl().as_secs()).max().unwrap_or(ALIAS_TTL.as_secs());
        let made = Record {
            set_identifier: Some(known.key.legacy_id.clone()),
            routing: Routing::Weighted(all.legacy()),
            target: target(known, rtype, u32::try_from(ttl_s).unwrap_or(60))?,
            ..simple(known, rtype)?
        };
        change.notes.push(format!("the {rtype} member {} was missing and is made", known.key.legacy_id));
        change.creates.push(made);
    }
    Ok(())
}

/// One simple record to the legacy stack.
fn simple(known: Known<'_>, rtype: &str) -> Result<Record, String> {
    Ok(Record {
        name: known.key.name.clone(),
        rtype: rtype.to_owned(),
        set_identifier: None,
        routing: Routing::Simple,
        target: target(known, rtype, 60)?,
        health_check_id: None,
    })
}

/// Where the legacy stack is: as a record says, or as the outputs do.
fn target(known: Known<'_>, rtype: &str, ttl_s: u32) -> Result<Target, String> {
    let Known { key, endpoints, legacy_region, records, remembered, .. } = known;
    let of_type = |record: &&Record| record.rtype == rtype && is_home(known, record);
    let seen = records.iter().chain(remembered).filter(of_type).map(|record| &record.target).next();
    if let Some(target) = seen {
        return Ok(match target {
            Target::Values { values, .. } => Target::Values { ttl_s, values: values.clone() },
            alias @ Target::Alias { .. } => alias.clone(),
        });
    }
    let dns = endpoints.legacy_dns.trim_end_matches('.');
    if dns.is_empty() || dns.contains('*') {
        return Err(format!(
            "it is not known where the legacy load balancer of {} is: neither a record nor the stack outputs \
             (legacyLbDnsName) name it; look it up with `aws elb describe-load-balancers --region {legacy_region}`",
            key.name
        ));
    }
    if rtype == "CNAME" {
        return Ok(Target::Values { ttl_s, values: vec![dns.to_owned()] });
    }
    let zone_id = zone_of_balancers(legacy_region).ok_or_else(|| {
        format!(
            "the hosted zone of the load balancers in {legacy_region} is not known here: `aws elb \
             describe-load-balancers --region {legacy_region}` tells it as CanonicalHostedZoneNameID, for an alias to {dns}"
        )
    })?;
    Ok(Target::Alias { dns_name: format!("{dns}."), zone_id: zone_id.to_owned(), evaluate_health: false })
}

/// Whether a record leads to the legacy load balancer by its target, and not by its name alone.
fn is_home(known: Known<'_>, record: &Record) -> bool {
    known.endpoints.side_of(&record.target) == Some(Side::Legacy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::settle::{Stand, stand};
    use crate::domain::model::fixtures::stack;
    use crate::domain::shift::fixtures::{key, record};
    use crate::domain::traffic::OtherRouting;

    fn simple_to(id: &str, rtype: &str) -> Record {
        Record { set_identifier: None, routing: Routing::Simple, ..record(rtype, id, 0) }
    }

    fn back(records: &[Record], remembered: &[Record]) -> Result<WayBack, String> {
        let stack = stack();
        way_back(Known { key: &key(), endpoints: &stack.endpoints, legacy_region: "us-east-1", records, remembered })
    }

    /// The records after the batch.
    fn after(records: &[Record], batch: &Batch) -> Vec<Record> {
        let mut left: Vec<Record> = records.to_vec();
        for gone in &batch.deletes {
            let at = left.iter().position(|record| record == gone).expect("it deletes what is there, as it is");
            left.remove(at);
        }
        left.extend(batch.creates.iter().cloned());
        left
    }

    /// Whether every answer leads to the legacy stack, and there is one.
    fn is_home(records: &[Record]) -> bool {
        let endpoints = stack().endpoints;
        let answers = |record: &&Record| record.weight() != Some(0);
        let answered: Vec<&Record> = records.iter().filter(answers).collect();
        answered.iter().any(|record| record.rtype != "AAAA")
            && answered.iter().all(|record| endpoints.side_of(&record.target) == Some(Side::Legacy))
    }

    fn other(policy: &str) -> Routing {
        Routing::Other(OtherRouting::new(policy, serde_json::Map::new()))
    }

    #[test]
    fn whatever_answers_the_name_one_batch_sends_all_of_it_back() {
        let pair = |legacy, new| vec![record("A", "legacy", legacy), record("A", "new", new)];
        let cname = |id: &str| Record {
            target: Target::Values { ttl_s: 60, values: vec![format!("{id}.elb.amazonaws.com")] },
            ..simple_to(id, "CNAME")
        };
        let latency = |id: &str| Record { routing: other("latency"), ..record("A", id, 0) };
        let cases: Vec<(&str, Vec<Record>)> = vec![
            ("the pair", pair(70, 30)),
            ("all on the new stack", pair(0, 100)),
            ("a third member", [pair(80, 10), vec![record("A", "blue", 10)]].concat()),
            ("no legacy member", vec![record("A", "new", 100)]),
            ("all weights 0", pair(0, 0)),
            ("types apart", [pair(50, 50), vec![record("AAAA", "legacy", 90), record("AAAA", "new", 10)]].concat()),
            ("released to the new stack", vec![simple_to("new", "A")]),
            ("released, with IPv6", vec![simple_to("new", "A"), simple_to("new", "AAAA")]),
            ("a simple AAAA beside the pair", [pair(50, 50), vec![simple_to("new", "AAAA")]].concat()),
            ("another type", vec![cname("new")]),
            ("another policy", vec![latency("legacy"), latency("new")]),
            ("swapped", vec![record("A", "legacy", 100), record("A", "blue", 0)]),
        ];
        for (name, records) in cases {
            let found = back(&records, &[]).unwrap_or_else(|why| panic!("{name}: {why}"));
            let left = after(&records, &found.batch);
            assert!(is_home(&left), "{name}: {left:#?}");
            assert!(found.batch.comment.contains("back to the legacy stack"));
            // Asked again it finds nothing left to do, or the pair as it is to be.
            let again = back(&left, &[]).unwrap();
            let is_so = again.is_done() || stand(&again.batch, &key(), &left) == Stand::Made;
            assert!(is_so, "{name}: {again:?}");
        }
        assert!(is_home(&back(&[], &[]).unwrap().batch.creates), "a name without records");
    }

    #[test]
    fn what_leads_home_already_is_left_as_it_is() {
        for records in [
            vec![simple_to("legacy", "A")],
            vec![record("A", "legacy", 100)],
            vec![simple_to("legacy", "A"), simple_to("legacy", "AAAA")],
        ] {
            assert!(back(&records, &[]).unwrap().is_done(), "{records:?}");
        }
    }

    #[test]
    fn members_that_are_swapped_are_weighed_by_where_they_lead() {
        for weights in [(100, 0), (0, 100), (50, 50)] {
            let (legacy, new) = (record("A", "legacy", weights.0), record("A", "new", weights.1));
            let (there, here) = (new.target.clone(), legacy.target.clone());
            let pair = vec![Record { target: there, ..legacy }, Record { target: here, ..new }];
            for swapped in [pair.clone(), [pair, vec![record("A", "blue", 0)]].concat()] {
                let found = back(&swapped, &[]).unwrap();
                assert!(is_home(&after(&swapped, &found.batch)), "{found:?}");
            }
        }
    }

    #[test]
    fn a_legacy_member_that_leads_nowhere_known_is_named() {
        let elsewhere = Target::Values { ttl_s: 60, values: vec!["192.0.2.1".into()] };
        let pair = [Record { target: elsewhere, ..record("A", "legacy", 50) }, record("A", "new", 50)];
        let found = back(&pair, &[]).unwrap();
        assert!(found.notes.iter().any(|note| note.contains("192.0.2.1")), "{found:?}");
    }

    #[test]
    fn the_legacy_record_is_as_the_journal_remembers_it_before_it_is_made_up() {
        let remembered = [record("A", "legacy", 100)];
        let found = back(&[simple_to("new", "A")], &remembered).unwrap();
        assert_eq!(found.batch.creates[0].target, remembered[0].target);
        let made_up = back(&[simple_to("new", "A")], &[]).unwrap();
        let Target::Alias { zone_id, dns_name, .. } = &made_up.batch.creates[0].target else { panic!() };
        assert_eq!((zone_id.as_str(), dns_name.as_str()), ("Z35SXDOTRQ7X7K", "legacy.elb.amazonaws.com."));
    }

    #[test]
    fn what_nobody_can_name_is_said() {
        let managed = Record { routing: Routing::Other(OtherRouting::traffic_policy()), ..record("A", "new", 0) };
        assert!(back(&[managed], &[]).unwrap_err().contains("traffic policy"));
        let stack = stack();
        let endpoints = Endpoints { legacy_dns: String::new(), ..stack.endpoints.clone() };
        let known = Known {
            key: &key(),
            endpoints: &endpoints,
            legacy_region: "us-east-1",
            records: &[simple_to("new", "A")],
            remembered: &[],
        };
        assert!(way_back(known).unwrap_err().contains("legacyLbDnsName"));
        let elsewhere = Known { endpoints: &stack.endpoints, legacy_region: "xx-north-9", ..known };
        assert!(way_back(elsewhere).unwrap_err().contains("CanonicalHostedZoneNameID"));
    }
}
