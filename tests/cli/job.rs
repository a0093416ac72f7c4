//! The cockpit as a process among others: ended, stopped and written over from outside, and what its terminal is left
//! with.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::drill::Drill;
use crate::support::terminal::Act::{Press, Shown};
use crate::support::terminal::{Terminal, on_one_that_vanishes};
use crate::support::wire::{Hold, Wire};

/// A sign that the cockpit is drawn and takes keys.
const DRAWN: &str = "1 Overview";

fn cockpit(drill: &Drill) -> Terminal {
    let mut terminal = Terminal::open(&drill.command("a", &[]));
    terminal.until_shown(DRAWN);
    terminal
}

fn send(signal: Signal, process: u32) {
    kill_process(Pid::from_raw(process.try_into().unwrap()).unwrap(), signal).unwrap();
}

/// The same command, started by a program of the shell's own making.
fn under(shell: &str, command: &Command) -> Command {
    let mut shelled = Command::new("sh");
    shelled.args(["-c", shell, "sh"]).arg(command.get_program()).args(command.get_args());
    shelled.current_dir(command.get_current_dir().unwrap()).env_clear();
    for (name, value) in command.get_envs() {
        shelled.env(name, value.unwrap_or_default());
    }
    shelled
}

/// A shell with job control, in which the cockpit is started, and the cockpit's number.
fn in_a_shell(drill: &Drill) -> (Terminal, u32) {
    let shell = under("PS1='shell> ' exec sh -i -s \"$@\"", &drill.command("a", &[]));
    let mut terminal = Terminal::open(&shell);
    terminal.until_shown("shell> ");
    terminal.type_line("sh -c 'echo me=$$.; exec \"$@\"' sh \"$@\"");
    terminal.until_shown(DRAWN);
    let number = terminal.text.rsplit("me=").find_map(|rest| rest.split('.').next()?.parse().ok());
    (terminal, number.unwrap())
}

/// Does this, and waits until the shell asks anew: what it asked before is on the screen again as soon as the cockpit has
/// left it.
fn back_in_the_shell(terminal: &mut Terminal, by: impl FnOnce(&mut Terminal)) {
    let before = terminal.text.len();
    by(terminal);
    terminal.until_after(before, "shell> ");
}

#[test]
fn whoever_ends_it_gets_the_terminal_back() {
    let drill = Drill::steady();
    for signal in [Signal::INT, Signal::QUIT, Signal::TERM] {
        let terminal = cockpit(&drill);
        assert!(terminal.is_raw());
        send(signal, terminal.id());
        let (status, text) = terminal.end();
        assert_eq!(status.exit_code(), 0, "{signal:?}: {text}");
        let (kept, given) = (text.find("\x1b[22;0t"), text.rfind("\x1b[23;0t"));
        assert!(kept.is_some() && kept < given, "the title that was there is there again");
        assert!(text.find("\x1b[?1049h") < text.rfind("\x1b[?1049l"), "what was on the screen is there again");
    }
}

#[test]
fn a_terminal_that_goes_away_is_no_crash() {
    let drill = Drill::steady();
    let status = on_one_that_vanishes(&drill.command("a", &[]), &[Shown(DRAWN)], || (), || ());
    assert!(status.signal().is_none(), "{status:?}");
    assert!([0, 129].contains(&status.exit_code()), "{status:?}");
}

#[test]
fn a_terminal_that_goes_away_costs_no_outcome() {
    let drill = Drill::steady();
    let wire = Wire::to(&drill.endpoint);
    wire.hold("<ChangeResourceRecordSetsRequest", Hold::Answer);
    let mut command = drill.command("a", &[]);
    command.env("TAPCTL_ENDPOINT_URL", &wire.endpoint);
    let acts = [Shown("✓ GO"), Press("]"), Shown("any other key"), Press("y"), Shown("SENDING")];
    let status = on_one_that_vanishes(&command, &acts, || wire.until_held(), || wire.let_go());
    assert!(status.signal().is_none(), "{status:?}");
    assert_eq!(drill.weights(), (90, 10));
    assert!(drill.events().contains(&"outcome".to_owned()), "{:?}", drill.events());
}

#[test]
fn ctrl_z_leaves_the_terminal_to_the_shell_and_fg_comes_back() {
    let drill = Drill::steady();
    let (mut terminal, _) = in_a_shell(&drill);
    back_in_the_shell(&mut terminal, |terminal| terminal.press("2\x1a"));
    assert!(!terminal.screen().contains(DRAWN), "{}", terminal.screen());
    terminal.type_line("fg");
    terminal.until_shown(DRAWN);
    assert!(terminal.is_raw());
    back_in_the_shell(&mut terminal, |terminal| terminal.press("q"));
    assert!(!terminal.screen().contains(DRAWN), "{}", terminal.screen());
}

#[test]
fn the_mouse_is_the_terminals_until_it_is_asked_for_and_whenever_the_shell_has_it() {
    const TAKEN: &str = "\x1b[?1000h\x1b[?1006h";
    const GIVEN: &str = "\x1b[?1006l\x1b[?1000l";
    let drill = Drill::steady();
    let (mut terminal, _) = in_a_shell(&drill);
    assert!(!terminal.text.contains(TAKEN), "by itself it is the terminal's, which selects text with it");
    terminal.press("m");
    terminal.until(TAKEN);
    terminal.press("\x1b[<0;18;4M");
    terminal.until_shown("[2 Traffic]");
    for leave in ["\x1a", "q"] {
        let before = terminal.text.len();
        back_in_the_shell(&mut terminal, |terminal| terminal.press(leave));
        assert!(terminal.text[before..].contains(GIVEN), "{leave:?}");
        if leave == "\x1a" {
            terminal.type_line("fg");
            terminal.until(TAKEN);
            terminal.until_shown(DRAWN);
        }
    }
}

#[test]
fn a_stop_from_outside_gives_the_terminal_back_too() {
    let drill = Drill::steady();
    let (mut terminal, number) = in_a_shell(&drill);
    back_in_the_shell(&mut terminal, |_| send(Signal::TSTP, number));
    assert!(!terminal.screen().contains(DRAWN), "{}", terminal.screen());
    terminal.type_line("fg");
    terminal.until_shown(DRAWN);
    back_in_the_shell(&mut terminal, |terminal| terminal.press("q"));
}

#[test]
fn without_a_shell_it_does_not_stop() {
    let drill = Drill::steady();
    let mut terminal = cockpit(&drill);
    terminal.press("\x1a");
    terminal.until_shown("no shell started this program");
    terminal.leaves();
}

#[test]
fn what_others_write_on_the_screen_goes_with_ctrl_l() {
    let drill = Drill::steady();
    let mut terminal = cockpit(&drill);
    terminal.press("?");
    terminal.until_shown("leave; nothing is undone");
    terminal.written_over(
        "\r\n\x07Broadcast message from root@bastion (pts/9):\r\n\r\nThe system will reboot at 04:00!\r\n",
    );
    terminal.until_shown("will reboot");
    terminal.press("\x0c");
    terminal.until_gone("will reboot");
    terminal.until_shown("leave; nothing is undone");
    terminal.press("\x1b");
    terminal.leaves();
}

#[test]
fn esc_and_a_key_in_one_packet_are_both_typed() {
    let drill = Drill::steady();
    let mut terminal = cockpit(&drill);
    terminal.press("?");
    terminal.until_shown("leave; nothing is undone");
    terminal.press("\x1b2");
    terminal.until_gone("leave; nothing is undone");
    terminal.until_shown("Moves");
    terminal.leaves();
}

#[test]
fn the_way_back_is_asked_for_after_half_a_sequence_too() {
    let drill = Drill::steady();
    let mut terminal = cockpit(&drill);
    // Before the weights are read, `R` says that they are not known.
    terminal.until_shown("legacy 100 %");
    terminal.press("?");
    terminal.until_shown("leave; nothing is undone");
    terminal.press("\x1b[");
    terminal.until_gone("leave; nothing is undone");
    terminal.press("R");
    terminal.until_shown("the weights already are 100/0");
    terminal.leaves();
}

#[test]
fn a_terminal_that_cannot_be_drawn_on_is_left_alone() {
    let drill = Drill::steady();
    let terminal = Terminal::open(&under("TERM=dumb exec \"$@\"", &drill.command("a", &[])));
    let (status, text) = terminal.end();
    assert_eq!(status.exit_code(), 1, "{text}");
    assert!(text.contains("TERM=dumb") && text.contains("tapctl status"), "{text}");
    assert!(!text.contains("\x1b[?1049h"), "{text}");
}

#[test]
fn its_memory_is_written_nowhere() {
    let drill = Drill::steady();
    let terminal = cockpit(&drill);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", terminal.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    terminal.leaves();
}

#[test]
fn what_was_typed_before_fg_answers_no_question() {
    let drill = Drill::steady();
    let (mut terminal, _) = in_a_shell(&drill);
    terminal.until_shown("✓ GO");
    terminal.press("]");
    terminal.until_shown("any other key");
    back_in_the_shell(&mut terminal, |terminal| terminal.press("\x1a"));
    terminal.press("fg\ny");
    terminal.until_shown("any other key");
    terminal.press("\x1b");
    terminal.until_gone("any other key");
    let counted = |sequence| terminal.text.matches(sequence).count();
    assert_eq!((counted("\x1b[22;0t"), counted("\x1b[23;0t")), (2, 1), "the title is kept once at a time");
    // Whoever leaves waits for what is being sent, so that nothing can come later.
    back_in_the_shell(&mut terminal, |terminal| terminal.press("q"));
    assert_eq!(drill.weights(), (100, 0));
}
