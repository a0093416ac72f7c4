//! What the zone's name servers answer, as the cockpit shows it: beside what is wanted and what is seen, and in nobody's way.

use tapctl::domain::gate::{GateId, Verdict};
use tapctl::domain::problems;
use tapctl::domain::readiness::Picture;
use tapctl::sim::{Fault, Scenario};

use crate::drill::{Drill, Seen};

/// The first of the zone's servers.
const FIRST: &str = "ns-2048.awsdns-64.com";

fn queries(drill: &Drill) -> u64 {
    drill.bastion.calls("dns:Query")
}

/// The share that is answered, in percent, with its bounds.
fn answered(seen: &Seen) -> (f64, f64, f64) {
    let group = seen.model.live.facts.shiftable().unwrap();
    let (share, _) = seen.model.live.answers.share(group.weights()).unwrap();
    (share.value * 100.0, share.low * 100.0, share.high * 100.0)
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_stands_between_what_is_wanted_and_what_is_seen() {
    let drill = Drill::new(Scenario::Steady);
    let seen = drill.play("2<5s>").await;
    seen.shows("answered  100 %");
    seen.shows("by 4 name servers");
    let seen = drill.play("<5s>]<1s>y<1s>2<12s>").await;
    seen.shows("the newest step is known to be on");
    assert!(seen.model.live.history.as_ref().unwrap().pending.is_some(), "Route 53 says PENDING still");
    let seen = drill.play("2<400s>").await;
    let (_, low, high) = answered(&seen);
    assert!(low < 10.0 && 10.0 < high && high - low < 4.0, "{low} … {high}");
    assert!(!seen.screen.contains("newest step"), "what is settled is no news:\n{}", seen.screen);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_behind_is_named_once_route_53_says_insync() {
    let drill = Drill::new(Scenario::Steady);
    drill.play("<5s>]<1s>y<90s>").await;
    drill.sim.inject(Fault { operation: Some(FIRST.into()), code: Some("BEHIND".into()), ..Fault::on("dns") });
    let seen = drill.play("2<60s>").await;
    seen.shows("ns-2048 still answers as before the newest step");
    seen.gate(GateId::DnsSettled, Verdict::Pass);
    drill.sim.clear_faults();
    let seen = drill.play("2<60s>").await;
    assert!(!seen.screen.contains("still answers"), "{}", seen.screen);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_answers_it_is_said_once_and_nothing_is_blocked() {
    let drill = Drill::new(Scenario::Steady);
    drill.sim.inject(Fault { drop: true, ..Fault::on("dns") });
    let seen = drill.play("2<10s>").await;
    seen.shows("no name server of the zone has answered: no answer in time");
    seen.all_gates_pass();
    let asked = queries(&drill);
    let seen = drill.play("2<10s>").await;
    let at_start = queries(&drill) - asked;
    let seen_later = drill.play("2<280s>").await;
    assert!(queries(&drill) - asked - at_start <= at_start, "it is not asked again every minute");
    for seen in [seen, seen_later] {
        seen.all_gates_pass();
        let picture = Picture::of(&seen.model, &seen.model.live);
        assert_eq!(problems::find(&picture).len(), 0, "{}", seen.screen);
    }
}

#[tokio::test(start_paused = true)]
async fn no_minute_has_more_than_1600_datagrams_and_one_call_of_route_53() {
    let drill = Drill::new(Scenario::Steady);
    let seen = drill.play("<5s>]<1s>y<55s>").await;
    assert!(seen.model.is_moving() || queries(&drill) > 1000, "it is looked at often meanwhile");
    for _ in 0..3 {
        let (before, asked) = (queries(&drill), drill.bastion.calls("route53:GetHostedZone"));
        drill.play("<60s>").await;
        let datagrams = queries(&drill) - before;
        assert!((384..=1600).contains(&datagrams), "{datagrams}");
        assert_eq!(drill.bastion.calls("route53:GetHostedZone") - asked, 1, "once for each cockpit");
    }
}
