//! The zone's first and last day, record by record.

use super::*;
use crate::domain::shift::fixtures::{key, record};

fn endpoints() -> Endpoints {
    Endpoints {
        legacy_dns: "legacy.elb.amazonaws.com".into(),
        new: Some(NewEndpoint { dns: "new.elb.amazonaws.com".into(), zone_id: "Z1H1FL5HABSF5".into() }),
        evaluate_health: true,
    }
}

fn simple(rtype: &str, id: &str) -> Record {
    Record { set_identifier: None, routing: Routing::Simple, ..record(rtype, id, 0) }
}

fn weights(plan: &ZonePlan) -> Vec<(String, u8)> {
    plan.creates.iter().map(|r| (r.set_identifier.clone().unwrap(), r.weight().unwrap())).collect()
}

#[test]
fn a_simple_record_becomes_a_pair_in_one_batch_and_back() {
    let before = [simple("A", "legacy")];
    let plan = adopt(&key(), &endpoints(), &before).unwrap();
    assert_eq!(plan.deletes, before);
    assert_eq!(weights(&plan), [("legacy".to_owned(), 100), ("new".to_owned(), 0)]);
    assert_eq!(plan.creates[0].target, before[0].target, "the legacy record stays verbatim");
    let group = RecordGroup::from_records(&key(), &plan.creates).unwrap();
    assert_eq!(group.weights(), FIRST_WEIGHTS);
    let back = release(&key(), &endpoints(), &plan.creates, Side::Legacy).unwrap();
    assert_eq!(back.creates, before);
    assert_eq!(back.deletes, plan.creates);
}

#[test]
fn before_the_first_up_the_legacy_member_stands_alone_with_all_the_weight() {
    let endpoints = Endpoints { new: None, ..endpoints() };
    let plan = adopt(&key(), &endpoints, &[simple("A", "legacy")]).unwrap();
    assert_eq!(weights(&plan), [("legacy".to_owned(), 100)]);
    let both = [simple("A", "legacy"), simple("AAAA", "legacy")];
    assert!(matches!(adopt(&key(), &endpoints, &both), Err(ZoneRefusal::Ipv6 { .. })));
}

#[test]
fn both_address_types_go_together() {
    let before = [simple("A", "legacy"), simple("AAAA", "legacy")];
    let plan = adopt(&key(), &endpoints(), &before).unwrap();
    assert_eq!((plan.deletes.len(), plan.creates.len()), (2, 4));
    assert_eq!(release(&key(), &endpoints(), &plan.creates, Side::Legacy).unwrap().creates, before);
}

#[test]
fn what_would_move_traffic_or_is_no_simple_record_is_refused_by_name() {
    let try_adopt = |records: &[Record]| adopt(&key(), &endpoints(), records).unwrap_err();
    assert!(matches!(try_adopt(&[]), ZoneRefusal::Missing { .. }));
    assert!(matches!(try_adopt(&[simple("CNAME", "legacy")]), ZoneRefusal::OtherType { .. }));
    assert!(matches!(try_adopt(&[simple("A", "new")]), ZoneRefusal::NotLegacy { .. }));
    assert!(matches!(try_adopt(&[simple("A", "cdn")]), ZoneRefusal::NotLegacy { .. }));
    let pair = [record("A", "legacy", 90), record("A", "new", 10)];
    assert!(matches!(try_adopt(&pair), ZoneRefusal::AlreadyPair { .. }));
    assert!(matches!(try_adopt(&pair[1..]), ZoneRefusal::Shape(GroupError::MemberMissing { .. })));
    let latency = Record { routing: Routing::Other("latency".to_owned().into()), ..simple("A", "legacy") };
    assert!(matches!(try_adopt(&[latency]), ZoneRefusal::Shape(GroupError::OtherRouting { .. })));
}

#[test]
fn a_cname_keeps_its_ttl_for_both() {
    let key = GroupKey { rtype: "CNAME".into(), ..key() };
    let target = Target::Values { ttl_s: 300, values: vec!["legacy.elb.amazonaws.com.".into()] };
    let before = [Record { target, ..simple("CNAME", "x") }];
    let plan = adopt(&key, &endpoints(), &before).unwrap();
    assert_eq!(plan.creates[1].target, Target::Values { ttl_s: 300, values: vec!["new.elb.amazonaws.com".into()] });
    assert!(RecordGroup::from_records(&key, &plan.creates).is_ok());
}

#[test]
fn a_pair_is_released_only_to_the_side_that_has_everything() {
    let pair = |legacy, new| [record("A", "legacy", legacy), record("A", "new", new)];
    let refused = release(&key(), &endpoints(), &pair(80, 20), Side::Legacy).unwrap_err();
    assert!(matches!(refused, ZoneRefusal::OtherHasWeight { other: Side::New, .. }), "{refused}");
    assert!(release(&key(), &endpoints(), &pair(80, 20), Side::New).is_err());
    let plan = release(&key(), &endpoints(), &pair(0, 100), Side::New).unwrap();
    assert_eq!(endpoints().side_of(&plan.creates[0].target), Some(Side::New));
    assert!(matches!(
        release(&key(), &endpoints(), &[simple("A", "legacy")], Side::Legacy),
        Err(ZoneRefusal::Shape(_))
    ));
}

#[test]
fn a_batch_knows_whether_it_was_carried_out_and_whether_its_ground_still_holds() {
    let before = [simple("A", "legacy")];
    let plan = adopt(&key(), &endpoints(), &before).unwrap();
    assert!(plan.is_as_seen(&key(), &before) && !plan.is_done(&before));
    assert!(plan.is_done(&plan.creates) && !plan.is_as_seen(&key(), &plan.creates));
    let one_more = [simple("A", "legacy"), simple("AAAA", "legacy")];
    assert!(!plan.is_as_seen(&key(), &one_more), "a record that came meanwhile is not covered by what was asked");
    assert!(plan.call_text().contains("CREATE A new=0 → alias new.elb.amazonaws.com"), "{}", plan.call_text());
}

#[test]
fn names_are_read_back_as_route_53_writes_them() {
    let mut mixed_case = endpoints();
    mixed_case.new = Some(NewEndpoint { dns: "New.elb.amazonaws.com".into(), zone_id: "Z1H1FL5HABSF5".into() });
    let plan = adopt(&key(), &mixed_case, &[simple("A", "legacy")]).unwrap();
    let listed = |dns: &str| {
        let mut records = plan.creates.clone();
        let Target::Alias { dns_name, .. } = &mut records[1].target else { panic!("an alias") };
        dns_name.replace_range(.., dns);
        records
    };
    assert!(plan.is_done(&listed("new.elb.amazonaws.com.")));
    assert!(!plan.is_done(&listed("other.elb.amazonaws.com.")));
    let back = release(&key(), &mixed_case, &listed("new.elb.amazonaws.com."), Side::Legacy).unwrap();
    assert!(!back.is_done(&plan.creates), "what is to be deleted is still there");
}

#[test]
fn the_legacy_member_alone_is_adopted_already_and_can_be_released() {
    let alone = [record("A", "legacy", 100)];
    let none_yet = Endpoints { new: None, ..endpoints() };
    for endpoints in [endpoints(), none_yet] {
        assert_eq!(NameState::of(&key(), &endpoints, &alone), NameState::LegacyOnly);
        assert!(matches!(adopt(&key(), &endpoints, &alone), Err(ZoneRefusal::AlreadyAdopted { .. })));
    }
    let plan = release(&key(), &endpoints(), &alone, Side::Legacy).unwrap();
    assert_eq!(plan.creates, [simple("A", "legacy")]);
    assert!(matches!(release(&key(), &endpoints(), &alone, Side::New), Err(ZoneRefusal::Shape(_))));
    let newcomer = [record("A", "new", 100)];
    assert!(matches!(NameState::of(&key(), &endpoints(), &newcomer), NameState::Other(_)));
    assert!(release(&key(), &endpoints(), &newcomer, Side::Legacy).is_err());
}

#[test]
fn the_standing_of_a_name_is_told() {
    let name_state = |records: &[Record]| NameState::of(&key(), &endpoints(), records);
    assert_eq!(name_state(&[]), NameState::Absent);
    assert_eq!(name_state(&[simple("A", "legacy")]), NameState::Simple(Some(Side::Legacy)));
    assert_eq!(name_state(&[simple("A", "legacy"), simple("AAAA", "new")]), NameState::Simple(Some(Side::New)));
    assert_eq!(name_state(&[simple("A", "cdn")]), NameState::Simple(None));
    assert!(matches!(name_state(&[record("A", "legacy", 90), record("A", "new", 10)]), NameState::Pair(_)));
    assert_eq!(name_state(&[record("A", "legacy", 90)]), NameState::LegacyOnly);
}

#[test]
fn a_pair_beside_a_simple_record_of_the_other_type_is_no_simple_record() {
    let pair = |legacy, new| [record("A", "legacy", legacy), record("A", "new", new)];
    let with = |weighted: &[Record], other: Record| [weighted, &[other]].concat();
    for weighted in [&pair(100, 0)[..], &pair(100, 0)[..1]] {
        for side in ["legacy", "new", "cdn"] {
            let records = with(weighted, simple("AAAA", side));
            let name_state = NameState::of(&key(), &endpoints(), &records);
            assert!(matches!(name_state, NameState::Other(GroupError::Mixed { .. })), "{name_state:?}");
            let refused = adopt(&key(), &endpoints(), &records).unwrap_err().to_string();
            assert!(refused.contains("delete the AAAA record") && !refused.contains("adopt"), "{refused}");
        }
    }
    let other_way_round = [record("AAAA", "legacy", 100), record("AAAA", "new", 0), simple("A", "legacy")];
    assert!(matches!(NameState::of(&key(), &endpoints(), &other_way_round), NameState::Other(_)));
    let only_ipv6 = [record("AAAA", "legacy", 100), record("AAAA", "new", 0)];
    assert!(matches!(NameState::of(&key(), &endpoints(), &only_ipv6), NameState::Other(GroupError::Missing { .. })));
}

#[test]
fn a_simple_record_of_the_other_type_stays_when_the_name_is_released_to_where_it_points() {
    let pair = [record("A", "legacy", 100), record("A", "new", 0)];
    for weighted in [&pair[..], &pair[..1]] {
        let before = [weighted, &[simple("AAAA", "legacy")]].concat();
        let plan = release(&key(), &endpoints(), &before, Side::Legacy).unwrap();
        assert_eq!((&plan.deletes[..], &plan.creates[..]), (weighted, &[simple("A", "legacy")][..]));
        assert!(plan.is_as_seen(&key(), &before) && !plan.is_as_seen(&key(), weighted));
        let after = [simple("A", "legacy"), simple("AAAA", "legacy")];
        assert!(plan.is_done(&after));
        assert_eq!(NameState::of(&key(), &endpoints(), &after), NameState::Simple(Some(Side::Legacy)));
        let elsewhere = [weighted, &[simple("AAAA", "new")]].concat();
        let refused = release(&key(), &endpoints(), &elsewhere, Side::Legacy);
        assert!(matches!(refused, Err(ZoneRefusal::Shape(GroupError::Mixed { .. }))), "{refused:?}");
    }
}

#[test]
fn orphans_are_found_under_any_name() {
    let elsewhere = Record { name: "api.example.com.".into(), ..simple("A", "new") };
    let zone = [record("A", "legacy", 100), elsewhere, simple("A", "cdn")];
    let found = orphans(&key(), &endpoints(), &zone);
    assert_eq!(found.len(), 2);
    assert!(found[1].reason.contains("new.elb.amazonaws.com"));
}
