//! How much of the share may go to the new stack at once.

use super::*;
use crate::domain::metrics::{Past, TimeRange};
use crate::domain::pulumi::{PulumiChange, RunKind};

/// A journal by AWS's clock: the share came into effect, and left, so many seconds ago.
fn carried(share: u8, since: u64, until: u64, by: &Event) -> Vec<Entry> {
    let at = |ago, event: Event| {
        let at = NOW.minus(Duration::from_secs(ago));
        // This host's clock is far off; it decides nothing here.
        Entry {
            aws_at: Some(at),
            at: at.minus(Duration::from_secs(7200)),
            operator: "o".into(),
            host: "b".into(),
            event,
        }
    };
    let (from, to) = (WeightPair::new(100, 0).unwrap(), WeightPair::new(100 - share, share).unwrap());
    let change = "/change/C1".to_owned();
    let moved = |id: &str, from, to| Event::Intent {
        id: id.into(),
        record: "app.example.com.".into(),
        from,
        to,
        direction: crate::domain::shift::Direction::Forward,
        overrides: vec![],
        evacuation: None,
    };
    let outcome = |id: &str, change: &str| Event::Outcome {
        id: id.into(),
        result: crate::domain::record::OutcomeKind::Accepted,
        weights: None,
        change: Some(change.into()),
        submitted_at: None,
        detail: String::new(),
    };
    let insync = Event::Insync { change: change.clone(), weights: to, verified: true, pending_at: None };
    let mut entries =
        vec![at(since + 41, moved("a", from, to)), at(since + 40, outcome("a", &change)), at(since, insync)];
    if matches!(by, Event::Seen { .. }) {
        entries.push(at(until, by.clone()));
    } else {
        entries.extend([at(until + 1, moved("b", to, from)), at(until, outcome("b", "/change/C2"))]);
    }
    entries
}

const DAY: u64 = 24 * 3600;

fn own() -> Event {
    Event::note("")
}

/// What the balancers have counted in each minute between the first and the last line: on the new and on the legacy stack.
type Counts = [Result<Option<f64>, ErrorKind>; 2];

const HALF: Counts = [Ok(Some(100.0)), Ok(Some(100.0))];

/// A case in which all is known: the weights are back, and the release is older than the journal.
fn case(journal: &[Entry], counts: Counts) -> Case {
    let mut release = service(4);
    release.deployments[0].created = Some(NOW.minus(Duration::from_secs(3 * DAY)));
    let mut case = Case::new().weights(100, 0).learn(Source::Service, Observation::Service(release));
    case.facts.clock_skew_ms = Some(0);
    case.history = Some(History::of(journal));
    let at: Vec<Timestamp> = journal.iter().filter_map(|entry| entry.aws_at).collect();
    let window =
        TimeRange { from: at.iter().min().copied().unwrap_or(NOW), to: at.iter().max().copied().unwrap_or(NOW) };
    for (side, count) in [Side::New, Side::Legacy].into_iter().zip(counts) {
        let from = window.from.floor_to(Duration::from_secs(60));
        let minutes = u64::try_from((window.to.millis() - from.millis()) / 60_000).unwrap();
        let minute = |value| move |n| Point { at: from.plus(Duration::from_secs(60 * n)), value };
        let counts = match count {
            Ok(Some(value)) => Ok((0..=minutes).map(minute(value)).collect()),
            Ok(None) => Ok(vec![]),
            Err(kind) => Err(PortError::new(kind, "cloudwatch:GetMetricData", "no")),
        };
        let past = Some(Past { side, window, counts });
        case.facts.metrics.absorb(&MetricReadings { past, ..MetricReadings::default() }, NOW);
    }
    case
}

fn of(journal: &[Entry], share: u8) -> Gate {
    case(journal, HALF).step((100, 0), share)
}

#[track_caller]
fn fails(gate: &Gate, why: &str) {
    assert_eq!(gate.verdict, Verdict::Fail, "{gate:?}");
    assert!(gate.reason.contains(why), "{:?}, not {why}", gate.reason);
}

#[test]
fn what_was_carried_for_a_whole_bake_within_a_day_may_be_returned_to_at_once() {
    let found = Event::Seen { weights: WeightPair::new(100, 0).unwrap() };
    let verdict = |journal: &[Entry], share| of(journal, share).verdict;
    let whole = carried(50, 1200, 700, &own());
    assert_eq!(verdict(&whole, 50), Verdict::Pass);
    assert!(of(&whole, 50).reason.contains("50 % for 8m20s"), "{:?}", of(&whole, 50));
    assert_eq!(verdict(&whole, 40), Verdict::Pass, "less than it has carried");
    fails(&of(&whole, 51), "has not carried 51 % for a whole bake");
    assert_eq!(verdict(&carried(50, 1200, 721, &own()), 50), Verdict::Fail, "a second short of the bake");
    assert_eq!(verdict(&carried(50, DAY + 900, DAY, &own()), 50), Verdict::Pass);
    assert_eq!(verdict(&carried(50, DAY + 900, DAY + 1, &own()), 50), Verdict::Fail, "longer ago than a day");
    // Somebody else took it away, and nobody here saw when.
    assert_eq!(verdict(&carried(50, 1200, 700, &found), 50), Verdict::Fail);
    // An old journal without AWS's time proves nothing, and neither does a host that AWS has not told its time.
    let mut undated = whole.clone();
    for entry in &mut undated {
        entry.aws_at = None;
    }
    assert_eq!(verdict(&undated, 50), Verdict::Fail);
    let mut untold = case(&whole, HALF);
    untold.facts.clock_skew_ms = None;
    assert_eq!(untold.step((100, 0), 50).verdict, Verdict::Fail);
}

#[test]
fn the_journal_has_the_two_ends_and_what_was_between_them_is_proved_by_counts_that_both_sides_told() {
    let whole = carried(50, 1200, 700, &own());
    for (counts, right) in [
        ([Ok(Some(100.0)), Ok(None)], None),
        ([Ok(Some(100.0)), Ok(Some(140.0))], None),
        ([Ok(Some(100.0)), Ok(Some(900.0))], Some("counted show it for no minute")),
        ([Ok(None), Ok(Some(100.0))], Some("counted show it for no minute")),
        ([Ok(None), Ok(None)], Some("counted show it for no minute")),
        ([Err(ErrorKind::Denied), Ok(Some(100.0))], Some("what was counted then could not be read: ")),
        ([Ok(Some(100.0)), Err(ErrorKind::Throttled)], Some("what was counted then could not be read: ")),
    ] {
        let gate = case(&whole, counts).step((100, 0), 50);
        match right {
            None => assert_eq!(gate.verdict, Verdict::Pass, "{gate:?}"),
            Some(why) => fails(&gate, why),
        }
    }
    let mut unasked = case(&whole, HALF);
    unasked.facts.metrics = crate::domain::metrics::Metrics::default();
    fails(&unasked.step((100, 0), 50), "CloudWatch has not told yet");
}

/// The same span, in which each side was asked for the minutes from so many seconds ago to so many, and the new one has
/// answered in those from which `answered` says so.
fn counted_in(journal: &[Entry], asked: [(u64, u64); 2], answered: impl Fn(u64) -> bool) -> Case {
    let mut case = case(journal, HALF);
    for (side, (from, to)) in [Side::New, Side::Legacy].into_iter().zip(asked) {
        let minute = Duration::from_secs(60);
        let window = TimeRange {
            from: NOW.minus(Duration::from_secs(from)).floor_to(minute),
            to: NOW.minus(Duration::from_secs(to)).floor_to(minute),
        };
        let all = (0..10_000).map(|n| window.from.plus(minute * n)).take_while(|at| *at < window.to);
        let there = all.filter(|at| side == Side::Legacy || answered(NOW.since(*at).as_secs()));
        let counts = Ok(there.map(|at| Point { at, value: 100.0 }).collect());
        let past = Some(Past { side, window, counts });
        case.facts.metrics.absorb(&MetricReadings { past, ..MetricReadings::default() }, NOW);
    }
    case
}

#[test]
fn a_share_that_somebody_took_away_meanwhile_counts_only_as_long_as_it_was_carried_without_a_break() {
    let journal = carried(50, 6_600, 600, &own());
    let all = [(6_700, 500); 2];
    let verdict = |answered: &dyn Fn(u64) -> bool| counted_in(&journal, all, answered).step((100, 0), 50).verdict;
    assert_eq!(verdict(&|_| true), Verdict::Pass);
    // Five minutes, an hour and a half of nothing, and five minutes again: ten, and no bake.
    assert_eq!(verdict(&|ago| !(900..6_300).contains(&ago)), Verdict::Fail);
    assert_eq!(verdict(&|ago| ago % 120 < 60), Verdict::Fail, "every other minute");
    assert_eq!(verdict(&|ago| !(1_300..6_000).contains(&ago)), Verdict::Pass, "at last a bake");
}

#[test]
fn any_span_of_a_day_proves_what_was_carried_and_not_only_the_newest() {
    let earlier = carried(50, 9_000, 6_000, &own());
    let later = carried(50, 5_000, 600, &own());
    let both: Vec<Entry> = earlier.iter().chain(&later).cloned().collect();
    let step = |journal: &[Entry], answered: &dyn Fn(u64) -> bool| {
        counted_in(journal, [(9_100, 500); 2], answered).step((100, 0), 50)
    };
    // In the later one somebody took the share away every other minute.
    let torn = |ago: u64| ago > 6_000 || ago % 120 < 60;
    fails(&step(&later, &torn), "without a break");
    let gate = step(&both, &torn);
    assert_eq!(gate.verdict, Verdict::Pass, "{gate:?}");
    assert!(gate.reason.contains("50 % for 50m"), "{gate:?}");
    // Where neither is proved, the newest one says why.
    let gate = step(&both, &|ago| ago % 120 < 60);
    fails(&gate, "50 % for 1h13,");
    // A release that came between the two voids the earlier one alone.
    let mut release = service(4);
    release.deployments[0].created = Some(NOW.minus(Duration::from_secs(5_500)));
    let case = counted_in(&both, [(9_100, 500); 2], torn).learn(Source::Service, Observation::Service(release));
    fails(&case.step((100, 0), 50), "without a break");
}

#[test]
fn however_short_the_bake_is_a_whole_minute_has_to_show_the_share() {
    for bake in [0, 60, 120] {
        let mut nobody = counted_in(&carried(50, 6_600, 600, &own()), [(6_700, 500); 2], |_| false);
        nobody.policy.bake = Duration::from_secs(bake);
        fails(&nobody.step((100, 0), 50), "counted show it for no minute");
    }
}

#[test]
fn a_minute_that_only_one_side_was_asked_for_proves_nothing() {
    let journal = carried(50, 6_600, 600, &own());
    let verdict = |asked| counted_in(&journal, asked, |_| true).step((100, 0), 50).verdict;
    assert_eq!(verdict([(6_700, 500), (6_700, 500)]), Verdict::Pass);
    assert_eq!(verdict([(6_700, 500), (6_700, 6_300)]), Verdict::Fail, "legacy's answer is an older one");
    assert_eq!(verdict([(6_700, 6_300), (6_700, 500)]), Verdict::Fail);
    assert_eq!(verdict([(6_700, 3_000), (3_000, 500)]), Verdict::Fail);
    assert_eq!(verdict([(6_700, 500), (3_000, 500)]), Verdict::Pass);
}

#[test]
fn what_another_release_has_carried_says_nothing_about_this_one() {
    let whole = carried(50, 1200, 700, &own());
    let deployed = |ago: Option<u64>| {
        let mut release = service(4);
        release.deployments[0].created = ago.map(|ago| NOW.minus(Duration::from_secs(ago)));
        case(&whole, HALF).learn(Source::Service, Observation::Service(release)).step((100, 0), 50)
    };
    assert_eq!(deployed(Some(1200)).verdict, Verdict::Pass);
    fails(&deployed(Some(1199)), "was deployed at");
    fails(&deployed(Some(60)), "was deployed at");
    fails(&deployed(None), "ECS does not say since when");
    let mut unread = case(&whole, HALF);
    unread.facts.service = None;
    fails(&unread.step((100, 0), 50), "it is not known whether the same release runs");
}

#[test]
fn a_run_that_may_have_changed_the_stack_ends_what_it_has_carried() {
    let whole = carried(50, 3000, 700, &own());
    // The same journal, with a run of so many seconds ago in its place; AWS's time orders it.
    let with = |kind: RunKind, events: &[(u64, Event)]| {
        let mut journal = whole.clone();
        for (ago, event) in events {
            let at = NOW.minus(Duration::from_secs(*ago));
            journal.push(Entry { aws_at: Some(at), event: event.clone(), ..whole[0].clone() });
        }
        journal.sort_by_key(|entry| entry.aws_at);
        (kind, of(&journal, 50))
    };
    let started = |kind: RunKind| PulumiChange::started(kind, "r1", "pulumi", None);
    let ended = |kind: RunKind| PulumiChange::ended(kind, "r1", "succeeded");
    for kind in [RunKind::Up, RunKind::Destroy] {
        for (events, right) in [
            (vec![(600, started(kind)), (590, ended(kind))], Verdict::Fail),
            (vec![(600, ended(kind))], Verdict::Fail),
            (vec![(1500, started(kind))], Verdict::Fail),
            (vec![(1500, started(kind)), (1000, ended(kind))], Verdict::Fail),
            // What it carried after the run, for a whole bake.
            (vec![(2500, started(kind)), (2400, ended(kind))], Verdict::Pass),
            (vec![(3500, started(kind)), (2400, ended(kind))], Verdict::Pass),
            (vec![(3500, started(kind)), (1000, ended(kind))], Verdict::Fail),
            (vec![(3500, started(kind)), (3400, ended(kind))], Verdict::Pass),
        ] {
            let (kind, gate) = with(kind, &events);
            assert_eq!(gate.verdict, right, "{kind}: {events:?}: {gate:?}");
        }
    }
    for kind in [RunKind::Preview, RunKind::PreviewDestroy, RunKind::Refresh] {
        let (kind, gate) = with(kind, &[(600, started(kind)), (590, ended(kind))]);
        assert_eq!(gate.verdict, Verdict::Pass, "{kind}");
    }
}

#[test]
fn what_was_counted_is_asked_for_once_for_all_that_may_count_and_no_further_back_than_two_days() {
    let asked = |journal: &[Entry]| History::of(journal).carried.window(NOW);
    assert_eq!(asked(&[]), None);
    assert_eq!(asked(&carried(50, DAY + 900, DAY + 1, &own())), None, "nothing of it counts");
    let ago = |secs| NOW.minus(Duration::from_secs(secs));
    let window = asked(&carried(50, DAY + 930, DAY - 630, &own())).unwrap();
    assert!(window.from <= ago(DAY + 930) && window.from > ago(DAY + 990), "{window:?}");
    assert!(window.to <= ago(DAY - 630) && window.to > ago(DAY - 570), "{window:?}");
    let long = asked(&carried(50, 30 * DAY, 600, &own())).unwrap();
    assert!(long.from >= ago(2 * DAY + 60), "{long:?}");
}
