//! Where the members of the pair lead, held against the load balancers that the gates watch.
//!
//! Pure. The set identifiers say whose a record is *meant* to be; only its target says where its traffic goes. A member
//! that leads elsewhere turns every number on the screen into one about another balancer, so nothing moves forward on
//! it, and the way back says where it really leads.

use super::traffic::{Record, RecordGroup, Side, Target};
use super::zone::Endpoints;

/// Where a member leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// To its own stack's load balancer.
    Home,
    /// To the other stack's load balancer.
    Across,
    /// To something that is neither.
    Elsewhere,
    /// Its own load balancer is not known, so nobody can tell.
    Unknown,
}

/// One member of the group, and where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'g> {
    /// Whose it is meant to be, by its set identifier.
    pub side: Side,
    /// The record.
    pub record: &'g Record,
    /// Where it leads.
    pub leads: Leads,
}

impl Member<'_> {
    /// What is wrong with it, in a sentence; nothing when it leads home.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let Record { rtype, set_identifier, .. } = self.record;
        let id = set_identifier.as_deref().unwrap_or("-");
        let target = self.record.target_text();
        let balancer = |side: Side| match side {
            Side::Legacy => "the legacy load balancer",
            Side::New => "the NEW load balancer",
        };
        match self.leads {
            Leads::Home => None,
            Leads::Across => Some(format!("the {rtype} member {id} leads to {target}, {}", balancer(other(self.side)))),
            Leads::Elsewhere => {
                let own = balancer(self.side);
                Some(format!("the {rtype} member {id} leads to {target}, which is not {own} of the stack outputs"))
            }
            Leads::Unknown => {
                Some(format!("it is not known whether the {rtype} member {id} leads to {}", balancer(self.side)))
            }
        }
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Legacy => Side::New,
        Side::New => Side::Legacy,
    }
}

/// Every member of the group with where it leads, legacy before new, in the order of the types.
#[must_use]
pub fn members<'g>(group: &'g RecordGroup, endpoints: &Endpoints) -> Vec<Member<'g>> {
    let member = |side, record: &'g Record| Member { side, record, leads: leads(side, record, endpoints) };
    group.pairs().iter().flat_map(|p| [member(Side::Legacy, &p.legacy), member(Side::New, &p.new)]).collect()
}

/// Where a record that is meant for `side` leads.
#[must_use]
pub fn leads(side: Side, record: &Record, endpoints: &Endpoints) -> Leads {
    let known = match side {
        Side::Legacy => !endpoints.legacy_dns.is_empty(),
        Side::New => endpoints.new.as_ref().is_some_and(|new| !new.dns.is_empty()),
    };
    let found = endpoints.side_of(&record.target);
    match (known, found) {
        (_, Some(found)) if found != side => Leads::Across,
        (false, _) => Leads::Unknown,
        (true, Some(_)) if side == Side::New && !is_in_zone(&record.target, endpoints) => Leads::Elsewhere,
        (true, Some(_)) => Leads::Home,
        (true, None) => Leads::Elsewhere,
    }
}

/// Whether an alias to the new load balancer names that balancer's hosted zone too. A Classic ELB's zone is not among
/// the outputs, and Route 53 takes no alias whose name does not exist in its zone.
fn is_in_zone(target: &Target, endpoints: &Endpoints) -> bool {
    match (target, &endpoints.new) {
        (Target::Alias { zone_id, .. }, Some(new)) => new.zone_id.is_empty() || *zone_id == new.zone_id,
        _ => true,
    }
}

/// Where traffic that is sent to `side` really goes, when that is not, or may not be, the side's own load balancer.
#[must_use]
pub fn astray(group: &RecordGroup, endpoints: &Endpoints, side: Side) -> Option<String> {
    let problems: Vec<String> =
        members(group, endpoints).iter().filter(|m| m.side == side).filter_map(Member::problem).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Where the traffic really goes that the weights send to a side, when that is not the side's own load balancer.
#[must_use]
pub fn sent_astray(group: &RecordGroup, endpoints: &Endpoints) -> Option<String> {
    let weights = group.weights();
    let sides = [(Side::Legacy, weights.legacy()), (Side::New, weights.new_weight())];
    let weighed = sides.into_iter().filter(|(_, weight)| *weight > 0);
    let problems: Vec<String> = weighed.filter_map(|(side, _)| astray(group, endpoints, side)).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::fixtures::stack;
    use crate::domain::shift::fixtures::{key, record};
    use crate::domain::traffic::Routing;
    use crate::domain::zone::NewEndpoint;

    fn alias(id: &str, weight: u8, dns: &str, zone: &str) -> Record {
        let target = Target::Alias { dns_name: dns.into(), zone_id: zone.into(), evaluate_health: true };
        Record { target, ..record("A", id, weight) }
    }

    fn found(legacy: &Record, new: &Record, endpoints: &Endpoints) -> [Leads; 2] {
        let group = RecordGroup::from_records(&key(), &[legacy.clone(), new.clone()]).unwrap();
        let members = members(&group, endpoints);
        [members[0].leads, members[1].leads]
    }

    #[test]
    fn a_target_is_compared_as_route_53_writes_names() {
        let endpoints = stack().endpoints;
        for legacy in ["legacy.elb.amazonaws.com", "LEGACY.elb.amazonaws.com.", "dualstack.Legacy.ELB.amazonaws.com."] {
            for new in ["new.elb.amazonaws.com", "dualstack.new.elb.amazonaws.com.", "\\156ew.elb.amazonaws.com"] {
                let legacy = alias("legacy", 100, legacy, "Z35SXDOTRQ7X7K");
                let new = alias("new", 0, new, "Z1H1FL5HABSF5");
                assert_eq!(found(&legacy, &new, &endpoints), [Leads::Home, Leads::Home], "{legacy:?} {new:?}");
            }
        }
    }

    #[test]
    fn swapped_members_and_foreign_balancers_are_told_apart() {
        let endpoints = stack().endpoints;
        let of = |dns: &str, zone: &str| (dns.to_owned(), zone.to_owned());
        let home = [of("legacy.elb.amazonaws.com", "Z35SXDOTRQ7X7K"), of("new.elb.amazonaws.com", "Z1H1FL5HABSF5")];
        let check = |legacy: &(String, String), new: &(String, String), wanted| {
            let (legacy, new) = (alias("legacy", 100, &legacy.0, &legacy.1), alias("new", 0, &new.0, &new.1));
            assert_eq!(found(&legacy, &new, &endpoints), wanted);
        };
        check(&home[1], &home[0], [Leads::Across, Leads::Across]);
        check(&home[0], &home[0], [Leads::Home, Leads::Across]);
        let blue = of("blue.elb.amazonaws.com", "Z1H1FL5HABSF5");
        check(&home[0], &blue, [Leads::Home, Leads::Elsewhere]);
        check(&blue, &home[1], [Leads::Elsewhere, Leads::Home]);
        let other_zone = of("new.elb.amazonaws.com", "Z35SXDOTRQ7X7K");
        check(&home[0], &other_zone, [Leads::Home, Leads::Elsewhere]);
    }

    #[test]
    fn cname_pairs_are_compared_by_their_value_and_unset_outputs_leave_it_unknown() {
        let cname = |id: &str, value: &str| Record {
            rtype: "CNAME".into(),
            target: Target::Values { ttl_s: 60, values: vec![value.into()] },
            ..record("CNAME", id, 50)
        };
        let endpoints = stack().endpoints;
        let at = |side, record: &Record| leads(side, record, &endpoints);
        assert_eq!(at(Side::Legacy, &cname("legacy", "Legacy.elb.amazonaws.com.")), Leads::Home);
        assert_eq!(at(Side::New, &cname("new", "legacy.elb.amazonaws.com")), Leads::Across);
        assert_eq!(at(Side::New, &cname("new", "192.0.2.7")), Leads::Elsewhere);
        let unset = Endpoints { legacy_dns: String::new(), new: None, evaluate_health: true };
        assert_eq!(leads(Side::Legacy, &cname("legacy", "legacy.elb.amazonaws.com"), &unset), Leads::Unknown);
        let half = Endpoints { legacy_dns: String::new(), ..endpoints.clone() };
        let across = leads(Side::Legacy, &cname("legacy", "new.elb.amazonaws.com"), &half);
        assert_eq!(across, Leads::Across, "the other balancer is known, and that is enough");
        let none = Endpoints { new: Some(NewEndpoint { dns: String::new(), zone_id: String::new() }), ..endpoints };
        assert_eq!(leads(Side::New, &cname("new", "new.elb.amazonaws.com"), &none), Leads::Unknown);
    }

    #[test]
    fn the_sentence_names_the_member_and_where_it_leads() {
        let swapped = [
            alias("legacy", 100, "new.elb.amazonaws.com", "Z1H1FL5HABSF5"),
            alias("new", 0, "legacy.elb.amazonaws.com", "Z35SXDOTRQ7X7K"),
        ];
        let group = RecordGroup::from_records(&key(), &swapped).unwrap();
        let said = astray(&group, &stack().endpoints, Side::Legacy).unwrap();
        assert_eq!(said, "the A member legacy leads to alias new.elb.amazonaws.com, the NEW load balancer");
        // Only what has weight is answered, so only that sends anybody astray.
        let sent = |weights: (u8, u8)| {
            let weigh = |at: usize, weight| Record { routing: Routing::Weighted(weight), ..swapped[at].clone() };
            let pair = [weigh(0, weights.0), weigh(1, weights.1)];
            sent_astray(&RecordGroup::from_records(&key(), &pair).unwrap(), &stack().endpoints)
        };
        assert_eq!(sent((100, 0)), Some(said));
        assert!(sent((0, 100)).is_some_and(|why| why.starts_with("the A member new leads to")));
        assert!(sent((50, 50)).is_some_and(|why| why.contains("; the A member new")));
    }
}
