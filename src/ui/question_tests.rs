//! A question that is not wholly on the screen takes no answer: at any size, whatever the window does while it is open.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;

use super::fixtures::{accepting, on, ready};
use super::{Palette, Theme, draw};
use crate::domain::change::{Change, propose};
use crate::domain::confirm::{ARMS_AFTER, Challenge, Confirmation};
use crate::domain::model::{Dialog, Model, PendingAction, Shown};
use crate::domain::msg::{Effect, Msg};
use crate::domain::pulumi::config::SetConfig;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::lock::{ClearLocks, Holder, Lock};
use crate::domain::pulumi::run_request::{AskedBefore, ForceStop};
use crate::domain::pulumi::{Interrupt, NewStack, PulumiChange, RunRequest, RunState};
use crate::domain::shift::Direction;
use crate::domain::traffic::Side;
use crate::domain::update::update;
use crate::domain::zone::release;
use crate::keymap::{Code, Key, View};

/// A cockpit on a screen whose size can change, driven as the loop does: each message is followed by a frame.
struct Desk {
    model: Model,
    terminal: Terminal<TestBackend>,
    sent: Vec<Effect>,
}

impl Desk {
    fn new(model: Model, (columns, rows): (u16, u16)) -> Self {
        let terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let mut desk = Self { model, terminal, sent: Vec::new() };
        desk.frame();
        desk
    }

    fn feed(&mut self, msg: Msg) {
        self.sent.extend(update(&mut self.model, msg));
    }

    fn frame(&mut self) {
        let (mut listing, mut shown) = Default::default();
        let model = &self.model;
        let theme = Theme::new(Palette::Full, false);
        self.terminal.draw(|frame| (listing, shown) = draw(frame, model, &theme)).unwrap();
        let uptime = self.model.uptime;
        self.feed(Msg::Drawn { uptime, listing, shown });
    }

    fn resize(&mut self, (columns, rows): (u16, u16)) {
        self.terminal.backend_mut().resize(columns, rows);
        self.terminal.resize(Rect::new(0, 0, columns, rows)).unwrap();
        self.frame();
    }

    fn wait(&mut self, millis: u64) {
        let uptime = self.model.uptime + Duration::from_millis(millis);
        self.feed(Msg::Tick { now: self.model.moment(), uptime });
        self.frame();
    }

    fn press(&mut self, key: Key) {
        self.feed(Msg::Key(key));
        self.frame();
    }

    /// The words inside the dialog's frame, or of the whole screen when there is none.
    fn words(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let width = usize::from(buffer.area.width).max(1);
        let cells: Vec<&str> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        let rows: Vec<&[&str]> = cells.chunks(width).collect();
        let column = |row: &[&str], corner: &str| row.iter().position(|cell| *cell == corner);
        let frame = rows.iter().enumerate().find_map(|(y, row)| Some((y, column(row, "┌")?, column(row, "┐")?)));
        let text: Vec<String> = match frame {
            None => rows.iter().map(|row| row.concat()).collect(),
            Some((top, left, right)) => {
                rows[top..].iter().take_while(|row| row[left] != "└").map(|row| row[left + 1..right].concat()).collect()
            }
        };
        text.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// What changes something outside, or takes weights as the new base.
fn changes(effect: &Effect) -> bool {
    matches!(effect, Effect::Execute { .. })
}

/// What has to be on the screen when an open question is answered; nothing while none is open.
fn needed(model: &Model) -> Option<Vec<String>> {
    let words = |list: &[&str]| Some(list.iter().map(|word| (*word).to_owned()).collect());
    match &model.dialog {
        Some(Dialog::Shift(question)) => {
            let plan = question.subject();
            if let Some(evacuation) = &plan.evacuation {
                let mut all = vec![evacuation.reason.clone(), "type prod".to_owned(), "Esc leaves it".to_owned()];
                all.push("RDS in us-east-1 goes on taking the writes".to_owned());
                all.extend(plan.overrides.iter().map(|over| over.gate.clone()));
                return Some(all);
            }
            let back = if plan.direction() == Direction::Back {
                "forward again, once every gate passes"
            } else {
                "RDS takes the writes"
            };
            let leave =
                if *question.challenge() == Challenge::Yes { "any other key: leave it" } else { "Esc leaves it" };
            let (from, to) = (plan.from().new_weight(), plan.to.new_weight());
            let mut all = vec![back.to_owned(), leave.to_owned(), from.to_string(), to.to_string()];
            if let Challenge::Typed(name) = question.challenge() {
                all.push(format!("type {}", name.trim_end_matches('.')));
            }
            Some(all)
        }
        Some(Dialog::Accept(_)) => words(&["the gate drift passes again.", "any other key: leave it"]),
        Some(Dialog::Ask(question)) => match question.subject() {
            PendingAction::Zone(_) => words(&["delete", "create", "type app.example.com", "Esc leaves it"]),
            PendingAction::Pulumi(PulumiChange::Config(_)) => words(&["was", "will be", "call", "effect", "leave"]),
            PendingAction::Pulumi(_) => words(&["leave"]),
        },
        _ => None,
    }
}

fn zone_question() -> Model {
    let mut model = on(View::Traffic, ready());
    let zero = crate::ui::fixtures::records(0);
    let plan = release(&model.stack.group, &model.stack.endpoints, &zero, Side::Legacy).unwrap();
    model.live.facts.records = zero;
    let challenge = Challenge::Typed(plan.name.clone());
    model.dialog = Some(Dialog::Ask(Box::new(Confirmation::new(PendingAction::Zone(plan), challenge, model.uptime))));
    model
}

fn config_question() -> Model {
    let mut model = on(View::Provision, ready());
    let set = SetConfig::new("prod", true, "owner", "platform-team", false).unwrap();
    let challenge = set.challenge();
    model.dialog = Some(Dialog::Ask(Box::new(Confirmation::new(
        PendingAction::Pulumi(PulumiChange::Config(set)),
        challenge,
        model.uptime,
    ))));
    model
}

fn evacuation_question() -> Model {
    let mut model = on(View::Overview, ready());
    let plan = propose::evacuate("prod", "us-east-1 fails", &model.live.gates, model.gate_inputs()).unwrap();
    let challenge = Change::Weights(plan.clone()).challenge();
    model.dialog = Some(Dialog::Shift(Confirmation::new(plan, challenge, model.uptime)));
    model
}

fn pulumi_question(change: PulumiChange) -> Model {
    let mut model = on(View::Provision, ready());
    let question = PendingAction::Pulumi(change);
    let challenge = question.clone().into_change().challenge();
    model.dialog = Some(Dialog::Ask(Box::new(Confirmation::new(question, challenge, model.uptime))));
    model
}

fn lock_of_the_dead() -> ClearLocks {
    let lock = Lock { user: "maria".into(), host: "bastion".into(), pid: 7, since: None };
    ClearLocks::new("prod", &[(lock, Holder::DeadHere)]).unwrap()
}

/// Every kind of question there is, already open or a key away.
const OPENINGS: [fn() -> Model; 11] = [
    ready,
    || crate::ui::fixtures::at(90),
    accepting,
    zone_question,
    config_question,
    evacuation_question,
    || pulumi_question(PulumiChange::Run(Box::new(RunRequest::refresh("prod")))),
    || pulumi_question(PulumiChange::CreateStack(NewStack::new("prod"))),
    || pulumi_question(PulumiChange::Interrupt(Interrupt::new("r1", RunKind::Up, ("m", "b"), "kim", &RunState::new()))),
    || pulumi_question(PulumiChange::ForceStop(ForceStop::new("r1", &RunState::new(), AskedBefore::Proved))),
    || pulumi_question(PulumiChange::ClearLocks(lock_of_the_dead())),
];

/// A question that no opening brings about is asked about nowhere here. A new kind does not build before it is listed.
#[test]
fn every_kind_of_question_is_among_the_openings() {
    let kind = |dialog: &Dialog| match dialog {
        Dialog::Shift(question) if question.subject().evacuation.is_some() => "evacuation",
        Dialog::Shift(_) => "weights",
        Dialog::Accept(_) => "baseline",
        Dialog::Ask(question) => match question.subject() {
            PendingAction::Zone(_) => "zone",
            PendingAction::Pulumi(PulumiChange::Config(_)) => "config",
            PendingAction::Pulumi(PulumiChange::Run(_)) => "run",
            PendingAction::Pulumi(PulumiChange::CreateStack(_)) => "create",
            PendingAction::Pulumi(PulumiChange::Interrupt(_)) => "interrupt",
            PendingAction::Pulumi(PulumiChange::ForceStop(_)) => "force",
            PendingAction::Pulumi(PulumiChange::ClearLocks(_)) => "locks",
        },
        Dialog::Configure(_) | Dialog::Prompt { .. } | Dialog::Reason { .. } => "a line",
        Dialog::Conflict { .. } | Dialog::Notice { .. } | Dialog::Help => "to read",
    };
    let opened: BTreeSet<&str> = OPENINGS.iter().filter_map(|opening| opening().dialog.as_ref().map(kind)).collect();
    // Those of the weights, and the line of a share and of a reason, are a key away from the first.
    let all = ["baseline", "config", "create", "evacuation", "force", "interrupt", "locks", "run", "zone"];
    assert_eq!(opened, all.into());
}

#[derive(Debug, Clone)]
enum Act {
    Resize(u16, u16),
    Press(Key),
    Type(&'static str),
    Wait(u64),
}

fn acts() -> impl Strategy<Value = Act> {
    let key = prop_oneof![
        1 => Just(Key::char(']')),
        1 => Just(Key::char('R')),
        1 => Just(Key::char('=')),
        1 => Just(Key::char('V')),
        4 => Just(Key::char('y')),
        1 => Just(Key::plain(Code::Enter)),
        1 => Just(Key::plain(Code::Esc)),
    ];
    prop_oneof![
        3 => (20u16..130, 5u16..40).prop_map(|(columns, rows)| Act::Resize(columns, rows)),
        1 => (58u16..64, 13u16..20).prop_map(|(columns, rows)| Act::Resize(columns, rows)),
        4 => key.prop_map(Act::Press),
        1 => prop_oneof![Just("app.example.com"), Just("prod"), Just("100"), Just("25")].prop_map(Act::Type),
        4 => prop_oneof![Just(100u64), Just(700), Just(1500)].prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_change_is_sent_by_a_key_while_its_question_was_not_wholly_on_the_screen(
        opening in 0..OPENINGS.len(), size in (30u16..140, 8u16..45), acts in prop::collection::vec(acts(), 1..40),
    ) {
        let mut desk = Desk::new(OPENINGS[opening](), size);
        for act in acts {
            match act {
                Act::Resize(columns, rows) => desk.resize((columns, rows)),
                Act::Wait(millis) => desk.wait(millis),
                Act::Type(text) => {
                    for c in text.chars() {
                        desk.press(Key::char(c));
                    }
                }
                Act::Press(key) => {
                    let (needed, screen) = (needed(&desk.model), desk.words());
                    let before = desk.sent.len();
                    desk.press(key);
                    if desk.sent[before..].iter().any(changes) {
                        let needed = needed.expect("only a question is answered");
                        for words in needed {
                            prop_assert!(screen.contains(&words), "{words:?} was not on the screen:\n{screen}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn every_question_about_weights_can_be_answered_on_the_smallest_screen() {
    for (key, share) in [(']', 30), ('[', 10), ('R', 0)] {
        let mut desk = Desk::new(ready(), (60, 15));
        desk.press(Key::char(key));
        assert_eq!(desk.model.screen.shown, Shown::Whole, "{}", desk.words());
        desk.wait(ARMS_AFTER.as_millis() as u64);
        desk.press(Key::char('y'));
        let sent =
            desk.sent.iter().any(|e| matches!(e, Effect::Execute { change, .. } if matches!(change.get(), Change::Weights(plan) if plan.to.new_weight() == share)));
        assert!(sent, "{key} was not sent");
    }
}

#[test]
fn below_the_smallest_screen_no_question_opens_and_an_open_one_closes_and_says_why() {
    for small in [(59, 15), (60, 14), (20, 5)] {
        let mut desk = Desk::new(ready(), small);
        for key in [']', 'R', '=', 'a'] {
            desk.press(Key::char(key));
            assert!(!desk.model.dialog.as_ref().is_some_and(Dialog::takes_answers), "{key} at {small:?}");
        }
        let mut desk = Desk::new(ready(), (80, 24));
        desk.press(Key::char('R'));
        desk.wait(1000);
        desk.resize(small);
        assert!(desk.model.dialog.is_none());
        desk.frame();
        if small.1 > 10 {
            assert!(desk.words().contains("too small"), "{}", desk.words());
        }
        desk.press(Key::char('y'));
        assert!(!desk.sent.iter().any(changes));
        desk.resize((80, 24));
        assert!(desk.words().contains("nothing was sent: the window is too small"), "{}", desk.words());
    }
}

#[test]
fn a_window_that_grows_again_arms_the_question_anew() {
    let mut desk = Desk::new(config_question(), (100, 30));
    desk.wait(1000);
    desk.resize((60, 15));
    assert_eq!(desk.model.screen.shown, Shown::Whole, "{}", desk.words());
    let set = SetConfig::new("prod", true, "other:note", &"x".repeat(900), false).unwrap();
    desk.model.dialog = Some(Dialog::Ask(Box::new(Confirmation::new(
        PendingAction::Pulumi(PulumiChange::Config(set)),
        Challenge::Yes,
        desk.model.uptime,
    ))));
    desk.frame();
    desk.wait(1000);
    assert_eq!(desk.model.screen.shown, Shown::Cut);
    assert!(desk.words().contains("takes no answer"), "{}", desk.words());
    desk.press(Key::char('y'));
    assert!(!desk.sent.iter().any(changes), "a cut question took an answer");
    desk.resize((120, 60));
    desk.press(Key::char('y'));
    assert!(!desk.sent.iter().any(changes), "it takes none before it was there for a moment");
    desk.wait(ARMS_AFTER.as_millis() as u64);
    desk.press(Key::char('y'));
    assert!(desk.sent.iter().any(changes));
}

#[test]
fn what_is_typed_into_a_line_that_is_not_shown_is_thrown_away() {
    let typed = |desk: &Desk| match &desk.model.dialog {
        Some(Dialog::Prompt { typed, .. } | Dialog::Reason { typed, .. }) => typed.clone(),
        other => panic!("no line but {other:?}"),
    };
    for opens in ['=', 'V'] {
        let mut desk = Desk::new(ready(), (80, 24));
        desk.press(Key::char(opens));
        desk.model.screen.shown = Shown::Cut;
        desk.feed(Msg::Key(Key::char('5')));
        assert_eq!(typed(&desk), "", "{opens}");
        desk.model.screen.shown = Shown::Whole;
        desk.feed(Msg::Key(Key::char('5')));
        assert_eq!(typed(&desk), "5", "{opens}");
        desk.feed(Msg::Key(Key::plain(Code::Esc)));
        assert!(desk.model.dialog.is_none());
    }
}

#[test]
fn an_evacuation_can_be_answered_on_the_usual_screens_and_lists_every_gate_on_each() {
    for size in [(60, 20), (80, 24), (120, 36), (200, 60)] {
        let desk = Desk::new(evacuation_question(), size);
        assert_eq!(desk.model.screen.shown, Shown::Whole, "{size:?}: {}", desk.words());
        for words in
            needed(&desk.model).unwrap().iter().filter(|words| !words.starts_with("type") && !words.starts_with("Esc"))
        {
            assert!(desk.words().contains(words), "{size:?} {words:?}: {}", desk.words());
        }
    }
}
