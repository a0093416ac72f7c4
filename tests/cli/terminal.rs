//! Questions on a real terminal.

use std::process::Command;

use tapctl::runtime::Notice;
use tapctl::runtime::terminal::{Taken, restore_on_panic, tell};

use crate::drill::Drill;
use crate::support::terminal::Terminal;

/// Told to the process that panics, which is this test once more, on a terminal.
const PANICS: &str = "TAPCTL_TEST_PANICS";
const MOUSE: &str = "\x1b[?1000h\x1b[?1006h";
const NO_MOUSE: &str = "\x1b[?1006l\x1b[?1000l";

fn open(drill: &Drill, line: &str) -> Terminal {
    let args: Vec<&str> = line.split_whitespace().collect();
    Terminal::open(&drill.command("a", &args))
}

#[test]
fn a_step_is_asked_for_and_takes_a_y() {
    let drill = Drill::steady();
    let mut session = open(&drill, "shift --to 10");
    session.until("Go on? [y/N] ");
    assert!(session.text.contains("100/0 → 90/10") && session.text.contains("ChangeResourceRecordSets"));
    session.type_line("y");
    let (status, text) = session.end();
    assert_eq!(status.exit_code(), 0, "{text}");
    assert_eq!(drill.weights(), (90, 10));
}

#[test]
fn anything_else_leaves_things_as_they_are() {
    let drill = Drill::steady();
    let mut session = open(&drill, "shift --to 10");
    session.until("Go on? [y/N] ");
    session.type_line("");
    let (status, text) = session.end();
    assert_eq!(status.exit_code(), 5, "{text}");
    assert_eq!(drill.weights(), (100, 0));
    assert_eq!(drill.events(), ["seen", "declined"]);
}

#[test]
fn all_traffic_needs_the_records_name() {
    for (typed, code, weights) in [("y", 5, (100, 0)), ("app.example.com", 0, (0, 100))] {
        let drill = Drill::steady();
        let mut session = open(&drill, "shift --to 100 --override step-size --reason drill");
        session.until("Type app.example.com. to go on: ");
        session.type_line(typed);
        let (status, text) = session.end();
        assert_eq!(status.exit_code(), code, "{text}");
        assert_eq!(drill.weights(), weights);
    }
}

#[test]
fn what_somebody_else_does_while_the_question_stands_is_a_conflict() {
    let drill = Drill::steady();
    let mut session = open(&drill, "shift --to 10");
    session.until("Go on? [y/N] ");
    let other = drill.command("b", &["shift", "--to", "5", "--yes"]).output().unwrap();
    assert_eq!(other.status.code(), Some(0), "{}", String::from_utf8_lossy(&other.stderr));
    session.type_line("y");
    let (status, text) = session.end();
    assert_eq!(status.exit_code(), 4, "{text}");
    assert!(text.contains("expected 100/0, found 95/5"), "{text}");
    assert_eq!(drill.weights(), (95, 5));
}

#[test]
fn a_panic_gives_the_mouse_back_before_it_is_told() {
    match std::env::var(PANICS).as_deref() {
        Ok(when) => {
            restore_on_panic();
            // Never dropped: the hook alone gives it back.
            let _taken = std::mem::ManuallyDrop::new(Taken::take(when == "taken", when == "pressed").unwrap());
            if when == "pressed" {
                tell(&Notice::Mouse(true));
            }
            panic!("made to fail");
        }
        Err(_) => {
            for when in ["taken", "pressed", "never"] {
                let mut again = Command::new(std::env::current_exe().unwrap());
                again.args(["terminal::a_panic_gives_the_mouse_back_before_it_is_told", "--exact", "--nocapture"]);
                again.env(PANICS, when).current_dir(env!("CARGO_MANIFEST_DIR"));
                let (status, text) = Terminal::open(&again).end();
                assert!(!status.success(), "{text}");
                let told = text.find("made to fail").unwrap();
                let (had, back) = (text.find(MOUSE), text.find(NO_MOUSE));
                match when {
                    "never" => {
                        assert_eq!((had, back), (None, None), "what was not taken is the terminal's own: {text:?}");
                    }
                    _ => assert!(had.unwrap() < back.unwrap() && back.unwrap() < told, "{when}: {text:?}"),
                }
                assert!(text.find("\x1b[?1049l").unwrap() < told, "{when}: {text:?}");
            }
        }
    }
}
