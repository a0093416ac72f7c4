//! The hosted zone, and how its changes spread over the name servers.
//!
//! The zone's listing changes at once; the answers of the name servers follow while a change is PENDING, and are all new at INSYNC.
//! What may be changed is decided by the Route 53 service, not here.

use jiff::{SignedDuration, Timestamp};

use super::random::Random;
use crate::sim::names as n;
use crate::sim::scenario::Start;

/// Changes that are remembered; the oldest is forgotten first.
const KEPT_CHANGES: usize = 1_000;
/// The zone's name servers.
pub(crate) const NAME_SERVERS: [&str; 4] =
    ["ns-2048.awsdns-64.com", "ns-2049.awsdns-65.net", "ns-2050.awsdns-66.org", "ns-2051.awsdns-67.co.uk"];
/// Seconds before the first name server has a change.
const FIRST_SERVER: i64 = 4;
/// The comment that the provider behind Pulumi's AWS package leaves on its changes.
const PROVIDER_COMMENT: &str = "Managed by Terraform";

/// One resource record set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordSet {
    /// As Route 53 writes it: lower case, octal escapes, final dot.
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) set_identifier: Option<String>,
    pub(crate) weight: Option<i64>,
    pub(crate) ttl: Option<i64>,
    pub(crate) values: Vec<String>,
    pub(crate) alias: Option<Alias>,
    pub(crate) health_check: Option<String>,
}

/// Where an alias record points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) zone_id: String,
    pub(crate) dns_name: String,
    pub(crate) evaluate_health: bool,
}

/// A submitted change.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) id: String,
    pub(crate) submitted: Timestamp,
    pub(crate) in_sync: Timestamp,
    pub(crate) comment: Option<String>,
    /// What the name is answered with once a name server has it.
    leads: Group,
}

impl Change {
    pub(crate) fn status(&self, now: Timestamp) -> &'static str {
        if now >= self.in_sync { "INSYNC" } else { "PENDING" }
    }

    /// Whether the name server of that number has it. They take it over one after the other, the last at INSYNC.
    fn is_at(&self, server: usize, now: Timestamp) -> bool {
        let span = self.in_sync.duration_since(self.submitted).as_secs_f64() - FIRST_SERVER as f64;
        let turn = (server + self.id.len() + usize::from(self.id.as_bytes()[1])) % NAME_SERVERS.len();
        let part = (turn + 1) as f64 / NAME_SERVERS.len() as f64;
        now.duration_since(self.submitted).as_secs_f64() >= FIRST_SERVER as f64 + span * part
    }
}

/// How the name is answered: by one record, by weighted ones, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Simple,
    Weighted,
    Absent,
}

impl RecordKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Weighted => "weighted",
            Self::Absent => "absent",
        }
    }
}

/// The zone and its changes.
#[derive(Debug)]
pub(crate) struct Dns {
    records: Vec<RecordSet>,
    changes: Vec<Change>,
    /// What the name servers answer with on average.
    served: Group,
    /// What they answered with before the first change.
    first: Group,
    random: Random,
    /// The name servers' own choice among weighted records: how often they are asked changes nothing else.
    chance: Random,
}

/// The two answers a client can get for the record, as weights; `None` where there is no such record.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Group {
    pub(crate) legacy: Option<WeightedAnswer>,
    pub(crate) new: Option<WeightedAnswer>,
}

/// One weighted answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WeightedAnswer {
    pub(crate) weight: f64,
    pub(crate) evaluates_health: bool,
}

impl Dns {
    pub(crate) fn new(seed: u64, start: Start) -> Self {
        let records = zone(start);
        let served = group(&records);
        Self {
            records: sorted(records),
            changes: Vec::new(),
            served,
            first: served,
            random: Random::new(seed, 1),
            chance: Random::new(seed, 53),
        }
    }

    /// The zone in the order in which Route 53 lists it.
    pub(crate) fn records(&self) -> &[RecordSet] {
        &self.records
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Puts new contents into the zone and starts a change.
    pub(crate) fn replace(&mut self, records: Vec<RecordSet>, comment: Option<String>, now: Timestamp) -> Change {
        self.records = sorted(records);
        let seconds = self.random.between(34.0, 48.0);
        let spread = SignedDuration::from_millis((seconds * 1_000.0) as i64);
        let id = format!("C{}", self.random.capitals(20));
        let in_sync = now.saturating_add(spread).unwrap_or(Timestamp::MAX);
        let change = Change { id, submitted: now, in_sync, comment, leads: group(&self.records) };
        if self.changes.len() >= KEPT_CHANGES {
            self.first = self.changes.remove(0).leads;
        }
        self.changes.push(change.clone());
        change
    }

    /// Gives the record pair new weights without asking what they were, as another operator would.
    pub(crate) fn move_weights(&mut self, legacy: u8, new: u8, comment: &str, now: Timestamp) {
        let mut records = self.records.clone();
        for record in records.iter_mut().filter(|record| record.name == n::RECORD_NAME) {
            match record.set_identifier.as_deref() {
                Some(n::LEGACY_SET) => record.weight = Some(legacy.into()),
                Some(n::NEW_SET) => record.weight = Some(new.into()),
                _ => {}
            }
        }
        self.replace(records, Some(comment.to_owned()), now);
    }

    /// Lets each member of the pair lead to where the other did, as somebody who took one name for the other would.
    pub(crate) fn swap_targets(&mut self, comment: &str, now: Timestamp) {
        let of = |set: &str| self.pair().find(|record| record.set_identifier.as_deref() == Some(set))?.alias.clone();
        let (Some(legacy), Some(new)) = (of(n::LEGACY_SET), of(n::NEW_SET)) else { return };
        let mut records = self.records.clone();
        for record in records.iter_mut().filter(|record| is_of_the_name(record)) {
            match record.set_identifier.as_deref() {
                Some(n::LEGACY_SET) => record.alias = Some(new.clone()),
                Some(n::NEW_SET) => record.alias = Some(legacy.clone()),
                _ => {}
            }
        }
        self.replace(records, Some(comment.to_owned()), now);
    }

    /// Declares a record of the pair as the bundled program does: one that is there stays as it is.
    pub(crate) fn declare(&mut self, set: &str, now: Timestamp) {
        if self.pair().any(|record| record.set_identifier.as_deref() == Some(set)) {
            return;
        }
        let mut records = self.records.clone();
        records.push(if set == n::NEW_SET { new_record() } else { legacy_record() });
        self.replace(records, Some(PROVIDER_COMMENT.to_owned()), now);
    }

    /// Takes a record of the pair away, whatever its weight is; a simple record is not the program's to delete.
    pub(crate) fn withdraw(&mut self, set: &str, now: Timestamp) {
        let is_it = |record: &RecordSet| is_of_the_name(record) && record.set_identifier.as_deref() == Some(set);
        if self.records.iter().any(is_it) {
            let records = self.records.iter().filter(|record| !is_it(record)).cloned().collect();
            self.replace(records, Some(PROVIDER_COMMENT.to_owned()), now);
        }
    }

    fn pair(&self) -> impl Iterator<Item = &RecordSet> {
        self.records.iter().filter(|record| is_of_the_name(record))
    }

    /// How the name is answered.
    pub(crate) fn standing(&self) -> RecordKind {
        match self.pair().next() {
            None => RecordKind::Absent,
            Some(record) if record.set_identifier.is_none() => RecordKind::Simple,
            Some(_) => RecordKind::Weighted,
        }
    }

    /// The weights that the zone holds.
    pub(crate) fn wanted(&self) -> Group {
        group(&self.records)
    }

    /// Lets the name servers take over what is pending, for one second.
    pub(crate) fn tick(&mut self, second: i64) {
        let target = group(&self.records);
        let Some(last) = self.changes.last() else { return };
        let left = last.in_sync.as_second() + 1 - second;
        if left <= 1 {
            self.served = target;
        } else if second - last.submitted.as_second() >= FIRST_SERVER {
            let part = 1.0 / left as f64;
            self.served.legacy = blend(self.served.legacy, target.legacy, part);
            self.served.new = blend(self.served.new, target.new, part);
        }
    }

    /// Which stack the name server of that number leads one query to: true is the new one; `None` if it has no answer.
    /// One that is `behind` does not have the newest change.
    pub(crate) fn answer(&mut self, server: usize, behind: bool, healthy: [bool; 2], now: Timestamp) -> Option<bool> {
        let known = &self.changes[..self.changes.len() - usize::from(behind && !self.changes.is_empty())];
        let leads = known.iter().rev().find(|change| change.is_at(server, now)).map_or(self.first, |it| it.leads);
        let share = share(leads, healthy[0], healthy[1])?;
        Some(self.chance.unit() < share)
    }

    /// The part of answers that lead to the new stack; `None` if there is no answer at all.
    pub(crate) fn share(&self, legacy_healthy: bool, new_healthy: bool) -> Option<f64> {
        share(self.served, legacy_healthy, new_healthy)
    }
}

fn blend(from: Option<WeightedAnswer>, to: Option<WeightedAnswer>, part: f64) -> Option<WeightedAnswer> {
    match (from, to) {
        (Some(from), Some(to)) => Some(WeightedAnswer { weight: from.weight + (to.weight - from.weight) * part, ..to }),
        // A record that comes or goes does so with its first name server.
        (_, to) => to,
    }
}

/// Route 53's choice among weighted answers: healthy ones with weight first, then healthy ones without, then as if all were healthy;
/// equal chances where all weights are 0.
fn share(group: Group, legacy_healthy: bool, new_healthy: bool) -> Option<f64> {
    let usable = |answer: Option<WeightedAnswer>, healthy: bool, positive: bool| {
        answer.filter(|answer| (healthy || !answer.evaluates_health) && (answer.weight > 0.0) == positive)
    };
    for (legacy_ok, new_ok) in [(legacy_healthy, new_healthy), (true, true)] {
        for positive in [true, false] {
            let legacy =
                usable(group.legacy, legacy_ok, positive).map(|answer| if positive { answer.weight } else { 1.0 });
            let new = usable(group.new, new_ok, positive).map(|answer| if positive { answer.weight } else { 1.0 });
            let sum = legacy.unwrap_or(0.0) + new.unwrap_or(0.0);
            if sum > 0.0 {
                return Some(new.unwrap_or(0.0) / sum);
            }
        }
    }
    None
}

fn is_of_the_name(record: &RecordSet) -> bool {
    record.name == n::RECORD_NAME && record.kind == "A"
}

/// The answers that a zone's contents lead to.
fn group(records: &[RecordSet]) -> Group {
    let mut group = Group::default();
    for record in records.iter().filter(|record| is_of_the_name(record)) {
        let Some(alias) = &record.alias else { continue };
        let target = alias.dns_name.trim_end_matches('.');
        let target = target.strip_prefix("dualstack.").unwrap_or(target);
        let answer =
            WeightedAnswer { weight: record.weight.unwrap_or(1) as f64, evaluates_health: alias.evaluate_health };
        if target.eq_ignore_ascii_case(n::LEGACY_LB_DNS) {
            group.legacy = Some(answer);
        } else if target.eq_ignore_ascii_case(n::ALB_DNS) {
            group.new = Some(answer);
        }
    }
    group
}

/// Route 53 lists by the labels of the name from the last to the first, then by type, then by identifier.
pub(crate) fn order(name: &str) -> String {
    let mut labels: Vec<&str> = name.trim_end_matches('.').split('.').collect();
    labels.reverse();
    labels.join(".") + "."
}

fn sorted(mut records: Vec<RecordSet>) -> Vec<RecordSet> {
    records.sort_by_cached_key(|record| (order(&record.name), record.kind.clone(), record.set_identifier.clone()));
    records
}

fn alias(set: Option<(&str, i64)>, zone_id: &str, dns_name: String) -> RecordSet {
    RecordSet {
        name: n::RECORD_NAME.to_owned(),
        kind: "A".to_owned(),
        set_identifier: set.map(|(set, _)| set.to_owned()),
        weight: set.map(|(_, weight)| weight),
        ttl: None,
        values: Vec::new(),
        alias: Some(Alias { zone_id: zone_id.to_owned(), dns_name, evaluate_health: true }),
        health_check: None,
    }
}

/// The legacy record was made in the console, which adds the prefix for IPv6; the new one by a program, which does not.
fn legacy_target() -> String {
    format!("dualstack.{}.", n::LEGACY_LB_DNS)
}

fn legacy_record() -> RecordSet {
    alias(Some((n::LEGACY_SET, 100)), n::LEGACY_LB_ZONE, legacy_target())
}

fn new_record() -> RecordSet {
    alias(Some((n::NEW_SET, 0)), n::ALB_ZONE, format!("{}.", n::ALB_DNS))
}

/// The zone at the start: the name's records among what else a company has in its zone.
fn zone(start: Start) -> Vec<RecordSet> {
    let plain = |name: &str, kind: &str, ttl: i64, values: &[&str]| RecordSet {
        name: if name.is_empty() { n::ZONE_NAME.to_owned() } else { format!("{name}.{}", n::ZONE_NAME) },
        kind: kind.to_owned(),
        set_identifier: None,
        weight: None,
        ttl: Some(ttl),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        alias: None,
        health_check: None,
    };
    let soa = "ns-2048.awsdns-64.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
    let servers = NAME_SERVERS.map(|server| format!("{server}."));
    let mut records = vec![
        plain("", "NS", 172_800, &servers.each_ref().map(String::as_str)),
        plain("", "SOA", 900, &[soa]),
        plain("", "MX", 3_600, &["10 inbound-smtp.us-east-1.amazonaws.com"]),
        plain("", "TXT", 3_600, &["\"v=spf1 include:amazonses.com ~all\""]),
        plain("\\052.dev", "A", 60, &["203.0.113.10"]),
        plain("api", "CNAME", 60, &["app.example.com"]),
        plain(
            "_a79865eb4cd1a6ab990a45779b4e0b96.app",
            "CNAME",
            300,
            &["_424c7224e9b0146f9a8808af955727d0.acm-validations.aws."],
        ),
        plain("mail", "A", 300, &["203.0.113.25"]),
        plain("status", "CNAME", 300, &["stats.example.net"]),
        plain("www", "CNAME", 300, &["app.example.com"]),
    ];
    records.extend(match start {
        Start::Provisioned => vec![legacy_record(), new_record()],
        Start::Adopted => vec![legacy_record()],
        Start::Fresh => vec![alias(None, n::LEGACY_LB_ZONE, legacy_target())],
    });
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn answers(legacy: f64, new: f64) -> Group {
        let answer = |weight| Some(WeightedAnswer { weight, evaluates_health: true });
        Group { legacy: answer(legacy), new: answer(new) }
    }

    #[test]
    fn shares_follow_weights_and_health_as_route_53_documents_them() {
        let cases = [
            (answers(90.0, 10.0), true, true, Some(0.1)),
            (answers(0.0, 0.0), true, true, Some(0.5)),
            (answers(90.0, 10.0), true, false, Some(0.0)),
            (answers(100.0, 0.0), false, true, Some(1.0)),
            (answers(100.0, 0.0), false, false, Some(0.0)),
            (Group::default(), true, true, None),
            (Group { legacy: None, ..answers(0.0, 0.0) }, true, true, Some(1.0)),
        ];
        for (group, legacy, new, expected) in cases {
            assert_eq!(share(group, legacy, new), expected, "{group:?} {legacy} {new}");
        }
        let mut unchecked = answers(100.0, 0.0);
        unchecked.legacy = unchecked.legacy.map(|answer| WeightedAnswer { evaluates_health: false, ..answer });
        assert_eq!(share(unchecked, false, true), Some(0.0));
    }

    #[test]
    fn a_change_spreads_while_it_is_pending_and_is_complete_in_sync() {
        let mut dns = Dns::new(1, Start::Provisioned);
        dns.move_weights(50, 50, "test", at(1_000));
        let change = dns.changes()[0].clone();
        assert_eq!(change.status(at(1_001)), "PENDING");
        let mut last = 0.0;
        for second in 1_001..=change.in_sync.as_second() + 1 {
            dns.tick(second);
            let share = dns.share(true, true).unwrap();
            assert!(share >= last - 1e-9);
            last = share;
        }
        assert_eq!(change.status(change.in_sync), "INSYNC");
        assert!((last - 0.5).abs() < 1e-9, "{last}");
        let seconds = change.in_sync.duration_since(at(1_000)).as_secs();
        assert!((30..60).contains(&seconds));
    }

    #[test]
    fn name_servers_take_a_change_over_one_after_the_other_and_all_have_it_at_insync() {
        let mut dns = Dns::new(1, Start::Provisioned);
        dns.move_weights(0, 100, "test", at(1_000));
        let in_sync = dns.changes()[0].in_sync;
        let mut have = |now| (0..4).filter(|server| dns.answer(*server, false, [true; 2], now) == Some(true)).count();
        let counts: Vec<usize> = (1_000..=in_sync.as_second()).map(|second| have(at(second))).collect();
        assert_eq!((counts[0], counts.iter().max(), have(in_sync)), (0, Some(&3), 4));
        assert!(counts.is_sorted() && [1, 2, 3].iter().all(|some| counts.contains(some)), "{counts:?}");
        assert_eq!(dns.answer(2, true, [true; 2], in_sync), Some(false), "one that is behind has it not");
        assert_eq!(dns.answer(2, false, [true, false], in_sync), Some(false), "Route 53 leads nobody to the unhealthy");
    }

    #[test]
    fn a_name_server_leads_as_many_to_the_new_stack_as_its_weight_says() {
        let mut dns = Dns::new(7, Start::Provisioned);
        dns.move_weights(70, 30, "test", at(1_000));
        let now = dns.changes()[0].in_sync;
        let new = (0..10_000).filter(|_| dns.answer(1, false, [true; 2], now) == Some(true)).count();
        assert!((2_850..3_150).contains(&new), "{new}");
    }

    #[test]
    fn what_the_program_declares_comes_beside_what_is_there_and_goes_alone() {
        let mut dns = Dns::new(1, Start::Adopted);
        dns.move_weights(80, 0, "by hand", at(900));
        dns.declare(n::LEGACY_SET, at(1_000));
        assert_eq!(dns.changes().len(), 1, "the record that is there is adopted as it is");
        dns.declare(n::NEW_SET, at(1_010));
        let weights = |dns: &Dns| {
            let group = dns.wanted();
            [group.legacy, group.new].map(|answer| answer.map(|answer| answer.weight))
        };
        assert_eq!(weights(&dns), [Some(80.0), Some(0.0)]);
        dns.withdraw(n::NEW_SET, at(1_020));
        dns.withdraw(n::NEW_SET, at(1_030));
        assert_eq!((weights(&dns), dns.changes().len()), ([Some(80.0), None], 3));
        assert_eq!(dns.standing(), RecordKind::Weighted);
        dns.withdraw(n::LEGACY_SET, at(1_040));
        assert_eq!((dns.standing(), dns.share(true, true)), (RecordKind::Absent, Some(0.0)));
    }

    #[test]
    fn a_simple_record_is_not_the_programs_to_delete() {
        let mut dns = Dns::new(1, Start::Fresh);
        assert_eq!((dns.standing(), dns.share(true, false)), (RecordKind::Simple, Some(0.0)));
        dns.withdraw(n::LEGACY_SET, at(1_000));
        assert_eq!(dns.standing(), RecordKind::Simple);
    }

    #[test]
    fn the_listing_is_in_route_53_order() {
        let dns = Dns::new(1, Start::Provisioned);
        let names: Vec<_> = dns.records().iter().map(|record| record.name.as_str()).collect();
        assert_eq!(names[0], "example.com.");
        assert_eq!(names.last(), Some(&"www.example.com."));
        let app = names.iter().position(|name| *name == "app.example.com.").unwrap();
        assert_eq!(names[app + 1], "app.example.com.");
        assert_eq!(names[app + 2], "_a79865eb4cd1a6ab990a45779b4e0b96.app.example.com.");
    }
}
