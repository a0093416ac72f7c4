//! The cockpit's behaviour in the operator's words, on plain values.

mod cockpit;
mod properties;

use std::time::Duration;

use crate::domain::change::Change;
use crate::domain::change::outcome::Outcome;
use crate::domain::confirm::{Confirmed, EXPIRES_AFTER, MAX_TYPED};
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Observation, Query, Source};
use crate::domain::gate::{self, GateId, Verdict};
use crate::domain::model::{Dialog, ShiftState};
use crate::domain::msg::{Effect, Msg};
use crate::domain::record::{Entry, Event, OutcomeKind};
use crate::domain::screen::Watched;
use crate::domain::service::fixtures::hosts;
use crate::domain::shift::Direction;
use crate::domain::shift::ShiftPlan;
use crate::domain::shift::fixtures::group;
use crate::domain::shift::fixtures::record;
use crate::domain::traffic::{self, ChangeStatus, Side};
use crate::domain::units::WeightPair;
use crate::keymap::{Code, Key, View};
use cockpit::weights;

pub(super) use cockpit::Cockpit;

#[test]
fn a_fresh_cockpit_asks_everything_and_blocks_until_it_knows() {
    let mut cockpit = Cockpit::new();
    let effects = cockpit.wait(1);
    assert!(effects.contains(&Effect::ReadJournal { known: None }));
    let asked: Vec<_> = effects
        .iter()
        .filter_map(|e| if let Effect::Observe { query, .. } = e { Some(query.source()) } else { None })
        .collect();
    assert_eq!(asked.len(), Source::ALL.len() - 1, "everything but a change that is not known");
    assert!(cockpit.model.live.gates.iter().all(|g| g.verdict == Verdict::Unknown), "{:?}", cockpit.model.live.gates);
    cockpit.press(']');
    assert!(cockpit.notice().contains("not known"), "{}", cockpit.notice());
}

#[test]
fn with_everything_answered_every_gate_passes() {
    let cockpit = Cockpit::ready();
    let open: Vec<_> = cockpit.model.live.gates.iter().filter(|g| !g.passes()).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_confirmed_step_is_sent_followed_to_insync_read_back_and_baked() {
    let mut cockpit = Cockpit::ready();
    let shift = cockpit.step();
    assert!(matches!(cockpit.model.shift_state, ShiftState::Sending { .. }));
    cockpit.accept(shift);
    assert_eq!(cockpit.verdict(GateId::DnsSettled), Verdict::Fail);
    cockpit.wait(3);
    cockpit.answer_all();
    assert_eq!(cockpit.verdict(GateId::DnsSettled), Verdict::Fail);
    assert_eq!(cockpit.verdict(GateId::Bake), Verdict::Fail);
    cockpit.wait(40);
    cockpit.answer_with(|c, query| match query {
        Query::Change(id) => Ok(Observation::Change(traffic::Change {
            id: id.clone(),
            status: ChangeStatus::Insync,
            at: c.model.live.now,
        })),
        other => Ok(c.reply(other)),
    });
    cockpit.wait(1);
    cockpit.answer_all();
    let insync = cockpit.model.live.history.as_ref().unwrap();
    assert!(insync.pending.is_none() && cockpit.model.verifying.is_none());
    assert_eq!(cockpit.verdict(GateId::DnsSettled), Verdict::Pass);
    cockpit.press(']');
    assert!(cockpit.notice().contains("bake"), "{}", cockpit.notice());
    cockpit.feed(Msg::Key(Key::plain(Code::Esc)));
    for _ in 0..9 {
        cockpit.wait(60);
        cockpit.answer_all();
    }
    assert!(gate::all_pass(&cockpit.model.live.gates), "{:?}", cockpit.model.live.gates);
}

#[test]
fn a_doubled_keypress_moves_nothing() {
    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    cockpit.press('y');
    cockpit.draw();
    cockpit.press('y');
    assert!(!cockpit.sent.iter().any(|e| matches!(e, Effect::Execute { .. })));
    assert!(matches!(cockpit.model.dialog, Some(Dialog::Shift(_))), "the question still stands");
}

#[test]
fn the_question_dies_when_what_it_asked_about_changes() {
    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    cockpit.arm();
    cockpit.weights = WeightPair::new(70, 30).unwrap();
    cockpit.wait(20);
    cockpit.answer_all();
    assert!(cockpit.notice().contains("records changed"), "{}", cockpit.notice());
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Fail);
}

#[test]
fn the_question_dies_when_a_gate_stops_passing_and_of_age() {
    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    cockpit.arm();
    cockpit.lag_s = 74.0;
    cockpit.model.polls.poll_now(Source::MetricsNew);
    cockpit.wait(1);
    cockpit.answer_all();
    assert!(cockpit.notice().contains("replication-lag"), "{}", cockpit.notice());

    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    cockpit.arm();
    cockpit.wait(EXPIRES_AFTER.as_secs());
    assert!(cockpit.notice().contains("nobody answered"), "{}", cockpit.notice());
}

#[test]
fn the_way_back_is_open_from_any_view_while_everything_else_fails() {
    for view in View::ALL {
        let mut cockpit = Cockpit::ready();
        let shift = cockpit.step();
        cockpit.accept(shift);
        cockpit.lag_s = 900.0;
        cockpit.wait(300);
        cockpit.answer_with(|c, query| match query {
            Query::Records => Ok(c.reply(query)),
            _ => Err(PortError::new(ErrorKind::Unreachable, "x:Y", "gone")),
        });
        cockpit.model.screen.view = view;
        cockpit.press('R');
        cockpit.arm();
        let effects = cockpit.press('y');
        let back = effects.iter().any(|e| weights(e).is_some_and(|plan| plan.direction() == Direction::Back));
        assert!(back, "{view:?}: {effects:?} {:?}", cockpit.model.dialog);
    }
}

#[test]
fn more_than_ten_points_at_once_are_not_moved_by_a_typed_share() {
    for share in ["11", "50", "100"] {
        let mut cockpit = Cockpit::ready();
        cockpit.press('=');
        for c in share.chars() {
            cockpit.press(c);
        }
        cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
        assert!(cockpit.notice().contains("step-size"), "{}", cockpit.notice());
    }
}

/// `V`, the reason, Enter.
fn evacuate(cockpit: &mut Cockpit, reason: &str) {
    cockpit.press('V');
    cockpit.draw();
    for c in reason.chars() {
        cockpit.press(c);
    }
    cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
}

fn types(cockpit: &mut Cockpit, text: &str) -> Vec<Effect> {
    for c in text.chars() {
        cockpit.press(c);
    }
    cockpit.feed(Msg::Key(Key::plain(Code::Enter)))
}

#[test]
fn an_evacuation_wants_a_reason_and_the_stacks_name() {
    let mut cockpit = Cockpit::at(20);
    evacuate(&mut cockpit, "  ");
    assert!(matches!(&cockpit.model.dialog, Some(Dialog::Reason { error: Some(_), .. })), "{:?}", cockpit.model.dialog);
    cockpit.feed(Msg::Key(Key::plain(Code::Esc)));
    cockpit.wait(1);
    evacuate(&mut cockpit, "us-east-1 fails");
    cockpit.arm();
    assert!(!types(&mut cockpit, "y").iter().any(|e| weights(e).is_some()));
    assert!(!types(&mut cockpit, "app.example.com").iter().any(|e| weights(e).is_some()), "not the record's name");
    let sent = types(&mut cockpit, "prod");
    let plan = sent.iter().find_map(weights).expect("it is sent");
    assert_eq!((plan.to.legacy(), plan.from().new_share().get()), (0, 20));
    let over: Vec<(&str, &str)> = plan.overrides.iter().map(|o| (o.gate.as_str(), o.reason.as_str())).collect();
    assert_eq!(over, [("step-size", "us-east-1 fails")]);
}

#[test]
fn a_gate_that_falls_while_an_evacuation_is_asked_about_is_listed_and_read_before_a_yes_counts() {
    let mut cockpit = Cockpit::at(20);
    evacuate(&mut cockpit, "us-east-1 fails");
    cockpit.arm();
    for c in "prod".chars() {
        cockpit.press(c);
    }
    cockpit.lag_s = 900.0;
    cockpit.wait(20);
    cockpit.answer_all();
    let Some(Dialog::Shift(question)) = &cockpit.model.dialog else { panic!("{:?}", cockpit.model.dialog) };
    let over: Vec<&str> = question.subject().overrides.iter().map(|over| over.gate.as_str()).collect();
    assert_eq!(over, ["replication-lag", "step-size"]);
    let sent = cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    assert!(!sent.iter().any(|e| weights(e).is_some()), "what it lists now was not on the screen yet");
    cockpit.arm();
    let sent = cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    assert_eq!(sent.iter().find_map(weights).expect("it is sent").overrides.len(), 2);
}

#[test]
fn a_gate_that_falls_again_and_again_closes_no_question_that_somebody_answers() {
    let mut cockpit = Cockpit::at(20);
    evacuate(&mut cockpit, "us-east-1 fails");
    cockpit.arm();
    let flaps = |cockpit: &mut Cockpit, fourth: &str| {
        cockpit.wait(12);
        cockpit.answer_with(|c, query| match query {
            Query::Hosts(side @ Side::New) => {
                Ok(Observation::Hosts(*side, hosts(&["healthy", "healthy", "healthy", fourth])))
            }
            _ => Ok(c.reply(query)),
        });
    };
    flaps(&mut cockpit, "unhealthy");
    cockpit.arm();
    cockpit.press('p');
    // What passes meanwhile stays listed, so that it may fall again without a new reading.
    flaps(&mut cockpit, "healthy");
    assert_eq!(cockpit.verdict(GateId::Targets), Verdict::Pass);
    for c in "rod".chars() {
        cockpit.press(c);
    }
    let Some(Dialog::Shift(question)) = &cockpit.model.dialog else { panic!("{:?}", cockpit.model.dialog) };
    assert_eq!((question.typed(), question.subject().overrides.len()), ("prod", 2));
    let sent = cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    let plan = sent.iter().find_map(weights).expect("it is sent");
    let over: Vec<&str> = plan.overrides.iter().map(|over| over.gate.as_str()).collect();
    assert_eq!(over, ["step-size"], "what passes is not stepped over");
}

#[test]
fn a_question_that_says_more_is_not_closed_by_the_time_that_an_earlier_reading_took() {
    let mut cockpit = Cockpit::at(20);
    evacuate(&mut cockpit, "us-east-1 fails");
    cockpit.arm();
    for lag_s in [900.0, 1.0] {
        cockpit.lag_s = lag_s;
        cockpit.wait(20);
        cockpit.answer_all();
        cockpit.draw();
    }
    assert!(matches!(cockpit.model.dialog, Some(Dialog::Shift(_))), "{:?}", cockpit.model.dialog);
}

#[test]
fn the_key_that_opens_the_line_for_a_reason_is_no_letter_of_it_when_it_is_doubled() {
    let typed = |cockpit: &Cockpit| match &cockpit.model.dialog {
        Some(Dialog::Reason { typed, .. }) => typed.clone(),
        other => panic!("{other:?}"),
    };
    let mut cockpit = Cockpit::at(20);
    cockpit.press('V');
    cockpit.draw();
    for _ in 0..30 {
        cockpit.press('V');
        cockpit.model.uptime += Duration::from_millis(100);
    }
    assert_eq!(typed(&cockpit), "");
    cockpit.press('i');
    cockpit.press('V');
    assert_eq!(typed(&cockpit), "iV");
    cockpit.feed(Msg::Key(Key::plain(Code::Esc)));
    cockpit.wait(1);
    cockpit.press('V');
    cockpit.draw();
    cockpit.wait(1);
    cockpit.press('V');
    assert_eq!(typed(&cockpit), "V", "a reason may begin with it");
}

#[test]
fn a_reason_can_be_pasted_and_is_one_line() {
    let mut cockpit = Cockpit::at(20);
    cockpit.press('V');
    cockpit.draw();
    cockpit.feed(Msg::Pasted("INC-4711:\nus-east-1\u{1b} fails \n".into()));
    assert!(
        matches!(&cockpit.model.dialog, Some(Dialog::Reason { typed, .. }) if typed == "INC-4711: us-east-1 fails"),
        "{:?}",
        cockpit.model.dialog
    );
    cockpit.feed(Msg::Pasted("x".repeat(10_000)));
    assert!(matches!(&cockpit.model.dialog, Some(Dialog::Reason { typed, .. }) if typed.chars().count() == MAX_TYPED));
}

#[test]
fn nothing_is_evacuated_to_a_balancer_that_nobody_watches() {
    let mut cockpit = Cockpit::at(20);
    cockpit.wait(20);
    cockpit.answer_with(|c, query| match query {
        Query::Records => {
            let mut records = vec![record("A", "legacy", 80), record("A", "new", 20)];
            records[1].target = records[0].target.clone();
            Ok(Observation::Records(records))
        }
        _ => Ok(c.reply(query)),
    });
    cockpit.press('V');
    assert!(cockpit.notice().contains("record-targets"), "{}", cockpit.notice());
}

#[test]
fn a_blind_cockpit_asks_before_it_sends_back_what_may_be_there_already() {
    let unreachable = || PortError::new(ErrorKind::Unreachable, "route53:ListResourceRecordSets", "no route");
    let mut cockpit = Cockpit::ready();
    cockpit.press('R');
    assert!(cockpit.model.dialog.is_none(), "what was just read is known");
    cockpit.wait(20);
    cockpit.answer_with(|c, query| if *query == Query::Records { Err(unreachable()) } else { Ok(c.reply(query)) });
    cockpit.press('R');
    assert!(
        matches!(cockpit.model.dialog, Some(Dialog::Shift(_))),
        "unknown is not already: {:?}",
        cockpit.model.dialog
    );
    assert!(cockpit.model.live.facts.records_doubt(cockpit.model.live.now).unwrap().contains("20 s ago"));
    cockpit.arm();
    let effects = cockpit.press('y');
    let sent = effects.iter().find_map(weights);
    let plan = sent.expect("the way back is open");
    assert_eq!((plan.from(), plan.to, plan.direction()), (plan.to, plan.from(), Direction::Back));

    let mut cockpit = Cockpit::ready();
    cockpit.wait(24 * 60);
    cockpit.press('R');
    assert!(matches!(cockpit.model.dialog, Some(Dialog::Shift(_))), "a reading of 24 min ago is none");
}

#[test]
fn where_the_cockpit_cannot_send_back_it_says_what_can_be_sent_by_hand() {
    let read = |records: Vec<crate::domain::traffic::Record>| {
        let mut cockpit = Cockpit::at(20);
        cockpit.wait(20);
        cockpit.answer_with(|c, query| match query {
            Query::Records => Ok(Observation::Records(records.clone())),
            _ => Ok(c.reply(query)),
        });
        cockpit.press('R');
        cockpit
    };
    let third = read(vec![record("A", "legacy", 80), record("A", "new", 20), record("A", "blue", 5)]);
    let said = third.notice();
    assert!(said.contains("blue") && said.contains("`tapctl rollback --print`"), "{said}");
    assert!(said.contains("\"Action\":\"DELETE\"") && said.contains("\"Weight\":100"), "the batch itself: {said}");
    let simple = crate::domain::traffic::Record {
        set_identifier: None,
        routing: crate::domain::traffic::Routing::Simple,
        ..record("A", "legacy", 0)
    };
    let mut released = read(vec![simple]);
    assert!(released.model.dialog.is_none(), "{:?}", released.model.dialog);
    let toast = &released.model.screen.toast.as_ref().unwrap().text;
    assert!(toast.contains("goes to the legacy stack already"), "{toast}");
    released.wait(24 * 60);
    released.press('R');
    assert!(released.notice().contains("went to the legacy stack, but the records were read"), "{}", released.notice());

    let mut read_only = Cockpit::at(20);
    read_only.model.watcher.read_only = true;
    read_only.press('R');
    assert!(read_only.notice().contains("`tapctl rollback --print`"), "{}", read_only.notice());
}

#[test]
fn a_way_back_whose_journal_cannot_be_written_names_the_same_with_another_folder() {
    for (kind, way) in [
        (ErrorKind::Storage, "TAPCTL_STATE_DIR=$(mktemp -d) tapctl rollback --yes"),
        (ErrorKind::Denied, "`tapctl rollback --print`"),
    ] {
        let mut cockpit = Cockpit::at(20);
        cockpit.press('R');
        cockpit.arm();
        let sent = cockpit.press('y').into_iter().find(|e| matches!(e, Effect::Execute { .. })).unwrap();
        let Effect::Execute { request, .. } = sent else { panic!() };
        let error = PortError::new(kind, "journal:append", "no space left on device");
        cockpit.feed(Msg::Executed { request, outcome: Outcome::Refused(error), entries: vec![] });
        assert!(cockpit.notice().contains(way), "{}", cockpit.notice());
    }
}

#[test]
fn taking_the_last_share_asks_for_the_records_name() {
    let mut cockpit = Cockpit::at(90);
    cockpit.press('=');
    for c in "100".chars() {
        cockpit.press(c);
    }
    cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    cockpit.arm();
    cockpit.press('y');
    cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    assert!(!cockpit.sent.iter().any(|e| matches!(e, Effect::Execute { .. })));
    for c in "app.example.com".chars() {
        cockpit.press(c);
    }
    let effects = cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    assert!(effects.iter().any(|e| matches!(e, Effect::Execute { .. })));
}

#[test]
fn a_conflict_shows_expected_and_found_and_sends_nothing_again() {
    let mut cockpit = Cockpit::ready();
    let Effect::Execute { request, .. } = cockpit.step() else { unreachable!() };
    let found = group(WeightPair::new(70, 30).unwrap());
    let found = Ok(found.records().cloned().collect());
    let outcome = Outcome::Conflict { message: "values provided do not match".into(), found };
    cockpit.weights = WeightPair::new(70, 30).unwrap();
    cockpit.feed(Msg::Executed { request, outcome, entries: vec![] });
    assert!(matches!(cockpit.model.dialog, Some(Dialog::Conflict { .. })));
    cockpit.press('y');
    for _ in 0..5 {
        cockpit.wait(60);
        cockpit.answer_all();
    }
    assert_eq!(cockpit.sent.iter().filter(|e| matches!(e, Effect::Execute { .. })).count(), 0);
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Fail);
}

#[test]
fn weights_that_somebody_else_set_can_be_taken_as_the_new_base() {
    let mut cockpit = Cockpit::ready();
    cockpit.weights = WeightPair::new(70, 30).unwrap();
    cockpit.wait(20);
    cockpit.answer_all();
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Fail);
    cockpit.press('a');
    cockpit.arm();
    let effects = cockpit.press('y');
    let taken =
        effects.into_iter().find_map(|e| if let Effect::Execute { change, .. } = e { Some(change) } else { None });
    let Some(Change::AcceptBaseline(weights)) = taken.map(Confirmed::into_inner) else { panic!("it is not taken") };
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Fail, "it counts when it is on disk, not before");
    let (at, event) = (cockpit.model.live.now, Event::Accepted { weights });
    cockpit.feed(Msg::Appended {
        result: Ok(Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event }),
    });
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Pass);
    assert_eq!(cockpit.verdict(GateId::Bake), Verdict::Fail, "their change has to bake too");
}

#[test]
fn an_answer_sent_before_the_change_does_not_look_like_drift() {
    let mut cockpit = Cockpit::ready();
    cockpit.wait(20);
    let late = cockpit.sent.iter().find_map(|e| match e {
        Effect::Observe { request, query: Query::Records } => Some(*request),
        _ => None,
    });
    let before = cockpit.reply(&Query::Records);
    let shift = cockpit.step();
    cockpit.accept(shift);
    let at = cockpit.model.live.now;
    cockpit.feed(Msg::Answer {
        request: late.unwrap(),
        source: Source::Records,
        result: Ok(before),
        at,
        clock_skew_ms: None,
    });
    assert_eq!(cockpit.model.live.facts.shiftable().unwrap().weights(), WeightPair::new(90, 10).unwrap());
}

#[test]
fn a_change_left_open_by_a_dead_process_is_settled_before_anything_else() {
    let mut cockpit = Cockpit::new();
    let at = cockpit.model.live.now;
    let intent = Event::Intent {
        id: "i".into(),
        record: "app.example.com.".into(),
        from: WeightPair::new(100, 0).unwrap(),
        to: WeightPair::new(90, 10).unwrap(),
        direction: Direction::Forward,
        overrides: vec![],
        evacuation: None,
    };
    let entry = |event| Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event };
    cockpit.feed(Msg::JournalRead { result: Ok((vec![entry(intent)], 0)), stamp: None });
    cockpit.weights = WeightPair::new(90, 10).unwrap();
    cockpit.wait(1);
    cockpit.answer_all();
    assert_eq!(cockpit.verdict(GateId::DnsSettled), Verdict::Unknown);
    let request =
        cockpit.sent.iter().find_map(|e| if let Effect::Settle { request } = e { Some(*request) } else { None });
    let outcome = Event::Outcome {
        id: "i".into(),
        result: OutcomeKind::SettledApplied,
        weights: WeightPair::new(90, 10),
        change: None,
        submitted_at: None,
        detail: "the change was made".into(),
    };
    cockpit.feed(Msg::Settled { request: request.expect("it is settled"), result: Ok(vec![entry(outcome)]) });
    assert!(cockpit.notice().contains("the change was made"));
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Pass);
}

#[test]
fn read_only_sends_nothing() {
    let mut cockpit = Cockpit::ready();
    cockpit.model.watcher.read_only = true;
    for key in [']', 'R', 'a'] {
        cockpit.press(key);
        cockpit.arm();
        cockpit.press('y');
        cockpit.feed(Msg::Key(Key::plain(Code::Esc)));
    }
    assert!(!cockpit.sent.iter().any(|e| matches!(e, Effect::Execute { .. })));
}

#[test]
fn weights_that_were_read_before_the_journal_are_noted_with_it() {
    let mut cockpit = Cockpit::new();
    cockpit.wait(1);
    cockpit.answer_all();
    let noted = |effects: &[Effect]| {
        effects.iter().any(|e| matches!(e, Effect::Append(Entry { event: Event::Seen { .. }, .. })))
    };
    assert!(!noted(&cockpit.sent), "nothing is news before the journal is known");
    assert!(noted(&cockpit.feed(Msg::JournalRead { result: Ok((vec![], 0)), stamp: None })));
}

#[test]
fn a_step_of_another_process_on_this_host_is_no_news() {
    let mut cockpit = Cockpit::ready();
    let before = cockpit.model.live.now;
    cockpit.wait(30);
    cockpit.weights = WeightPair::new(90, 10).unwrap();
    let entry = |event| Entry { aws_at: None, at: before, operator: "kim".into(), host: "bastion".into(), event };
    let (from, to) = (WeightPair::new(100, 0).unwrap(), cockpit.weights);
    let intent = Event::Intent {
        id: "other".into(),
        record: "app.example.com.".into(),
        from,
        to,
        direction: Direction::Forward,
        overrides: vec![],
        evacuation: None,
    };
    let outcome = Event::Outcome {
        id: "other".into(),
        result: OutcomeKind::Accepted,
        weights: Some(to),
        change: Some("/change/C9".into()),
        submitted_at: None,
        detail: String::new(),
    };
    for effect in std::mem::take(&mut cockpit.sent) {
        if let Effect::Observe { request, query: Query::Records } = effect {
            let (result, at) = (Ok(cockpit.reply(&Query::Records)), cockpit.model.live.now);
            cockpit.feed(Msg::Answer { request, source: Source::Records, result, at, clock_skew_ms: None });
        }
    }
    assert_eq!(cockpit.model.live.facts.shiftable().unwrap().weights(), to);
    let is_seen = |e: &Effect| matches!(e, Effect::Append(Entry { event: Event::Seen { .. }, .. }));
    assert!(!cockpit.sent.iter().any(is_seen), "the journal is read first");
    cockpit.feed(Msg::JournalRead { result: Ok((vec![entry(intent), entry(outcome)], 0)), stamp: Some(2) });
    assert!(!cockpit.sent.iter().any(is_seen), "it says who moved them");
    assert_eq!(cockpit.model.live.history.as_ref().unwrap().confirmed, Some(to));
}

/// A cockpit whose step got no answer and is not made so far, and what it wrote of it.
fn without_an_answer() -> (Cockpit, Vec<Entry>) {
    let mut cockpit = Cockpit::ready();
    let Effect::Execute { request, change } = cockpit.step() else { unreachable!() };
    let at = cockpit.model.live.now;
    let until = at.plus(Duration::from_secs(300));
    let entry = |event| Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event };
    let open = Event::Unsettled { id: "i".into(), until, detail: "no answer".into() };
    let entries = vec![entry(change.get().intent("i".into())), entry(open)];
    let error = PortError::new(ErrorKind::TimedOut, "route53:ChangeResourceRecordSets", "no answer within 60 s");
    let outcome = Outcome::Unknown { error, until, found: Ok(vec![]) };
    cockpit.feed(Msg::Executed { request, outcome, entries: entries.clone() });
    (cockpit, entries)
}

#[test]
fn the_way_back_watches_for_a_change_that_may_still_land_and_sends_it_back() {
    let (mut cockpit, _) = without_an_answer();
    assert!(cockpit.notice().contains("may be carried out until"), "{}", cockpit.notice());
    cockpit.feed(Msg::Key(Key::plain(Code::Esc)));
    cockpit.press(']');
    assert!(cockpit.notice().contains("not known"), "nothing goes forward: {}", cockpit.notice());
    cockpit.press('R');
    cockpit.arm();
    let before = cockpit.sent.len();
    cockpit.press('y');
    assert!(cockpit.sent[before..].iter().all(|e| weights(e).is_none()), "there is nothing to send back yet");
    cockpit.wait(30);
    cockpit.weights = WeightPair::new(90, 10).unwrap();
    cockpit.answer_all();
    let back = cockpit.sent.iter().find_map(weights).expect("it is sent back as soon as it lands");
    assert_eq!((back.from(), back.to), (cockpit.weights, WeightPair::new(100, 0).unwrap()));
}

#[test]
fn the_way_back_that_watches_is_sent_though_another_process_has_settled_the_change() {
    let (mut cockpit, entries) = without_an_answer();
    let at = cockpit.model.live.now;
    let entry = |event| Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event };
    cockpit.feed(Msg::Key(Key::plain(Code::Esc)));
    cockpit.press('R');
    cockpit.arm();
    cockpit.press('y');
    // The change lands, and `tapctl status` settles it from the records before this cockpit has read them.
    let made = Event::Outcome {
        id: "i".into(),
        result: OutcomeKind::SettledApplied,
        weights: WeightPair::new(90, 10),
        change: None,
        submitted_at: None,
        detail: "made".into(),
    };
    let journal = entries.into_iter().chain([entry(made)]).collect();
    cockpit.feed(Msg::JournalRead { result: Ok((journal, 0)), stamp: Some(9) });
    assert!(cockpit.model.watch.is_some(), "it is not dropped: {:?}", cockpit.model.screen.toast);
    cockpit.weights = WeightPair::new(90, 10).unwrap();
    cockpit.wait(1);
    cockpit.answer_all();
    let back = cockpit.sent.iter().find_map(weights).expect("it is sent back");
    assert_eq!((back.from(), back.to), (cockpit.weights, WeightPair::new(100, 0).unwrap()));
}

#[test]
fn records_that_are_older_than_the_journal_are_no_news() {
    let mut cockpit = Cockpit::ready();
    let at = cockpit.model.live.now;
    let entry = |event| Entry { aws_at: None, at, operator: "kim".into(), host: "bastion".into(), event };
    let (from, to) = (WeightPair::new(100, 0).unwrap(), WeightPair::new(90, 10).unwrap());
    // `tapctl shift` beside this cockpit: its entries are read before the records that show what it did.
    let plan = ShiftPlan::new(cockpit.model.live.facts.shiftable().unwrap(), to.new_share()).unwrap();
    let intent = Change::Weights(plan).intent("k".into());
    let outcome = Event::Outcome {
        id: "k".into(),
        result: OutcomeKind::Accepted,
        weights: Some(to),
        change: Some("/change/K".into()),
        submitted_at: None,
        detail: "accepted".into(),
    };
    assert_eq!(cockpit.model.live.facts.shiftable().unwrap().weights(), from);
    cockpit.sent.clear();
    cockpit.feed(Msg::JournalRead { result: Ok((vec![entry(intent), entry(outcome)], 0)), stamp: Some(9) });
    cockpit.feed(Msg::JournalSame);
    let is_seen = |e: &Effect| matches!(e, Effect::Append(Entry { event: Event::Seen { .. }, .. }));
    assert!(!cockpit.sent.iter().any(is_seen), "what was read before it is no news");
    cockpit.weights = to;
    cockpit.wait(1);
    cockpit.answer_all();
    assert!(!cockpit.sent.iter().any(is_seen), "and what is read after it is known");
}

#[test]
fn keys_about_the_terminal_answer_no_question_and_stop_nothing_that_is_sent() {
    let ctrl = |c| Msg::Key(Key { code: Code::Char(c), ctrl: true });
    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    for (typed, effect) in [('l', Effect::Redraw), ('z', Effect::Suspend)] {
        let effects = cockpit.feed(ctrl(typed));
        assert!(effects.contains(&effect) && cockpit.model.dialog.is_some(), "{effects:?}");
    }
    cockpit.model.has_shell = false;
    assert!(!cockpit.feed(ctrl('z')).contains(&Effect::Suspend), "nobody could let it go on");
    let mut cockpit = Cockpit::ready();
    cockpit.step();
    assert!(matches!(cockpit.model.shift_state, ShiftState::Sending { .. }));
    assert!(!cockpit.feed(ctrl('z')).contains(&Effect::Suspend), "a change is under way");
}

#[test]
fn a_letter_that_comes_with_esc_in_a_line_of_text_is_no_command() {
    let mut cockpit = Cockpit::ready();
    for open in ['/', '=', 'V'] {
        cockpit.press(open);
        cockpit.draw();
        cockpit.feed(Msg::Key(Key::plain(Code::Esc)));
        cockpit.press('f');
        assert!(cockpit.model.frozen.is_none() && cockpit.model.dialog.is_none(), "{open}");
        cockpit.wait(1);
    }
    cockpit.press('f');
    assert!(cockpit.model.frozen.is_some(), "a moment later it is one");
}

#[test]
fn the_mouse_scrolls_and_changes_views_and_answers_nothing() {
    let mut cockpit = Cockpit::ready();
    cockpit.feed(Msg::Tab(View::Journal));
    cockpit.feed(Msg::Wheel { down: true });
    assert_eq!((cockpit.model.screen.view, cockpit.model.scroll()), (View::Journal, 3));
    cockpit.press(']');
    let open = cockpit.model.dialog.clone();
    assert!(open.as_ref().is_some_and(Dialog::takes_answers), "{open:?}");
    for msg in [Msg::Wheel { down: true }, Msg::Wheel { down: false }, Msg::Tab(View::Traffic)] {
        cockpit.feed(msg);
    }
    assert_eq!((cockpit.model.screen.view, cockpit.model.scroll()), (View::Journal, 3));
    assert_eq!(cockpit.model.dialog, open);
    assert!(!cockpit.sent.iter().any(|effect| matches!(effect, Effect::Execute { .. })));
}

#[test]
fn enter_says_all_of_the_gates_and_a_copy_holds_no_line_that_is_cut() {
    let mut cockpit = Cockpit::ready();
    cockpit.model.screen.listing.chosen = None;
    cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    let Some(Dialog::Notice { title, lines }) = &cockpit.model.dialog else { panic!("{:?}", cockpit.model.dialog) };
    assert!(title.contains("gates pass"), "{title}");
    for id in GateId::ALL {
        assert!(lines.iter().any(|line| line.contains(id.name())), "{id}");
    }
    cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    assert_eq!(cockpit.model.dialog, None, "the second Enter closes it and does nothing else");
    let effects = cockpit.press('y');
    let Some(Effect::Copy(text)) = effects.iter().find(|effect| matches!(effect, Effect::Copy(_))) else { panic!() };
    assert!(text.contains("legacy 100 % new 0 %") && text.contains("GO"), "{text}");
    // What says why a question is gone is not answered with a tick.
    cockpit.model.screen.toast.as_mut().unwrap().is_bad = true;
    assert!(!cockpit.press('y').iter().any(|effect| matches!(effect, Effect::Copy(_))));
}

#[test]
fn the_arrows_move_the_cursor_while_there_is_one_and_the_views_again_then() {
    let mut cockpit = Cockpit::ready();
    let arrow = |cockpit: &mut Cockpit, code| {
        cockpit.feed(Msg::Key(Key::plain(code)));
        (cockpit.model.screen.view, cockpit.model.screen.cursor)
    };
    cockpit.press('<');
    let newest = cockpit.model.screen.cursor.unwrap();
    let earlier = newest.minus(crate::domain::series::PERIOD);
    assert_eq!(arrow(&mut cockpit, Code::Left), (View::Overview, Some(earlier)));
    assert_eq!(arrow(&mut cockpit, Code::Right), (View::Overview, Some(newest)));
    assert_eq!(arrow(&mut cockpit, Code::Esc), (View::Overview, None));
    assert_eq!(arrow(&mut cockpit, Code::Right), (View::Traffic, None));
}

#[test]
fn whoever_looks_elsewhere_is_told_that_a_gate_passes_again_where_that_is_wanted() {
    let told = |notify: bool, is_here: bool| {
        let mut cockpit = Cockpit::ready();
        cockpit.model.screen.watched = if notify { Watched::Here } else { Watched::NotAsked };
        cockpit.feed(Msg::Focus(is_here));
        cockpit.model.stack.name = "prod\u{7}\u{1b}]0;x".into();
        for gate in cockpit.model.live.gates.iter_mut().filter(|gate| gate.id == GateId::Alarms) {
            gate.verdict = Verdict::Fail;
        }
        let effects = cockpit.feed(Msg::Continued);
        assert!(cockpit.model.live.gates.iter().any(|gate| gate.id == GateId::Alarms && gate.passes()));
        effects.into_iter().find_map(|effect| if let Effect::Notify(text) = effect { Some(text) } else { None })
    };
    let text = told(true, false).unwrap();
    assert!(text.starts_with("tapctl prod") && text.ends_with(": alarms passes again"), "{text}");
    assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
    assert_eq!((told(false, false), told(true, true)), (None, None));
    let mut asked = Cockpit::ready();
    asked.model.screen.watched = Watched::Here;
    asked.feed(Msg::Focus(false));
    let effects = asked.feed(Msg::Key(Key::char(']')));
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Notify(text) if text.ends_with("a question is open")))
    );
}

#[test]
fn whoever_looks_elsewhere_is_told_for_which_gate_the_bell_rings_in_a_bake() {
    let told = |moved_s: u64| {
        let mut cockpit = Cockpit::ready();
        cockpit.model.screen.watched = Watched::Here;
        cockpit.feed(Msg::Focus(false));
        let moved = cockpit.model.live.now.minus(Duration::from_secs(moved_s));
        let history = cockpit.model.live.history.as_mut().unwrap();
        (history.moved_at, history.moved_at_aws) = (Some(moved), None);
        cockpit.model.live.facts.alarms_new = None;
        let effects = cockpit.feed(Msg::Continued);
        let rings = effects.contains(&Effect::Bell);
        (rings, effects.into_iter().find_map(|it| if let Effect::Notify(text) = it { Some(text) } else { None }))
    };
    let (rings, text) = told(60);
    assert!(rings && text.as_deref().is_some_and(|text| text.ends_with(": alarms no longer passes")), "{text:?}");
    assert_eq!(told(100_000), (false, None), "after the bake it is on the screen alone");
}
