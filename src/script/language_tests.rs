//! The language, line by line; and that no text makes its parser panic.

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Script {
    Script::parse("a.script", text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

fn command_of(line: &str) -> Command {
    parsed(&format!("press x\n{line}")).steps.pop().unwrap().command
}

fn mistake(line: &str) -> String {
    Script::parse("night.script", &format!("press ]\n{line}\n")).unwrap_err()[0].to_string()
}

#[test]
fn a_night_reads_as_it_is_written() {
    let script = parsed(
        "# what happens when the source is busy\nscenario lag-spike\nseed 3\nsize 80x24\nread-only\n\nadvance 5.5m  # five\n\
         press ] esc C-c\ntype app.example.com.\nwithin 60 expect BLOCKED … replication-lag\n",
    );
    assert_eq!((script.scenario, script.seed, script.size), (Scenario::LagSpike, 3, (80, 24)));
    assert!(script.read_only);
    let lines: Vec<usize> = script.steps.iter().map(|step| step.line).collect();
    assert_eq!(lines, [7, 8, 9, 10]);
    assert_eq!(script.steps[0].command, Command::Advance(Duration::from_secs(330)));
    let keys = vec![Key::char(']'), Key::plain(Code::Esc), Key { code: Code::Char('c'), ctrl: true }];
    assert_eq!(script.steps[1].command, Command::Press(keys));
    let screen = Expectation::Screen("BLOCKED … replication-lag".to_owned());
    let check = Check { expectation: screen, wanted: true };
    assert_eq!(script.steps[3].command, Command::Expect(check, Duration::from_secs(60)));
}

#[test]
fn quotes_keep_spaces_hashes_and_words_that_mean_something() {
    let expect = |line: &str| match command_of(line) {
        Command::Expect(check, _) => check.expectation,
        other => panic!("{other:?}"),
    };
    assert_eq!(expect("expect \"weights 90/10\""), Expectation::Screen("weights 90/10".to_owned()));
    assert_eq!(expect("expect \"# 1\"  # one"), Expectation::Screen("# 1".to_owned()));
    assert_eq!(expect("expect C#"), Expectation::Screen("C#".to_owned()));
    assert_eq!(expect("expect weights 90/10"), Expectation::Weights((90, 10)));
    assert_eq!(command_of("paste \" y \""), Command::Paste(" y ".to_owned()));
}

#[test]
fn a_fault_has_the_fields_of_the_simulators_or_is_its_json() {
    let wanted = Fault {
        operation: Some("GetChange".to_owned()),
        code: Some("Throttling".to_owned()),
        after: true,
        count: Some(2),
        ..Fault::on("route53")
    };
    for line in [
        "fault route53:GetChange code=Throttling after count=2",
        r#"fault {"service":"route53","operation":"GetChange","code":"Throttling","after":true,"count":2}"#,
    ] {
        assert_eq!(command_of(line), Command::Fault(Box::new(wanted.clone())), "{line}");
    }
}

#[test]
fn every_key_of_the_table_can_be_pressed_by_the_name_that_the_help_gives_it() {
    for binding in crate::keymap::KEYMAP {
        for key in binding.keys {
            assert_eq!(command_of(&format!("press {}", key.label())), Command::Press(vec![*key]), "{}", key.label());
        }
    }
}

#[test]
fn a_mistake_names_the_file_the_line_what_stands_there_and_what_is_understood() {
    for (line, wanted) in [
        ("advnace 60", "no command is called `advnace`; there are: scenario"),
        ("advance soon", "a time is seconds"),
        ("advance 1e3", "a time is seconds"),
        ("advance 25h", "at most a day"),
        ("press escape", "no key is called `escape`"),
        ("press", "the key is missing"),
        ("double ] y", "one key bounces"),
        ("scenario steady", "`scenario` stands before everything that happens"),
        ("size 120", "columns and rows"),
        ("size 120x0", "columns and rows"),
        ("expect", "the text is missing"),
        ("expect \"open", "a quoted text ends"),
        ("expect weights 90-10", "weights are those of the legacy and of the new stack"),
        ("expect calls GetChange 2", "calls are counted"),
        ("within 60 press y", "a time is given to an expectation"),
        ("fault rout53 drop", "no service is called `rout53`"),
        ("fault route53", "does nothing"),
        ("fault route53 speed=2", "a fault has no `speed=2`"),
        ("restart now", "nothing stands after `restart`"),
    ] {
        let said = mistake(line);
        assert!(said.starts_with(&format!("night.script:2: `{line}` is not understood: ")), "{said}");
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn every_mistake_of_a_script_is_told_at_once_and_an_empty_one_is_one() {
    let mistakes = Script::parse("a", "scenario stedy\npress ]\nwait 3\n").unwrap_err();
    assert_eq!(mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [1, 3]);
    assert!(Script::parse("a", "# nothing\n").unwrap_err()[0].to_string().contains("does nothing"));
    let long = "show\n".repeat(MAX_LINES + 5);
    assert_eq!(Script::parse("a", &long).unwrap_err().len(), 1);
}

/// Lines that are nearly right: a command or none, and words of every kind.
fn nearly() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("expect".to_owned()),
        Just("within".to_owned()),
        Just("fault".to_owned()),
        Just("press".to_owned()),
        Just("size".to_owned()),
        Just("advance".to_owned()),
        Just("weights".to_owned()),
        Just("{\"service\":".to_owned()),
        Just("\"".to_owned()),
        Just("#".to_owned()),
        "[0-9]{0,30}[smhx/.=:]{0,2}[0-9]{0,5}",
        "\\PC{0,8}",
        any::<String>(),
    ];
    proptest::collection::vec(word, 0..8).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic_and_every_mistake_names_a_line_of_it(lines in proptest::collection::vec(nearly(), 0..6)) {
        let text = lines.join("\n");
        match Script::parse("f", &text) {
            Ok(script) => prop_assert!(script.steps.iter().all(|step| !step.text.is_empty())),
            Err(mistakes) => {
                let last = text.lines().count().max(1);
                prop_assert!(!mistakes.is_empty() && mistakes.iter().all(|m| (1..=last).contains(&m.line)));
            }
        }
    }

    #[test]
    fn what_was_understood_is_understood_again_as_the_same(lines in proptest::collection::vec(nearly(), 0..6)) {
        if let Ok(script) = Script::parse("f", &lines.join("\n")) {
            let again: Vec<String> = script.steps.iter().map(|step| step.text.clone()).collect();
            let again = Script::parse("f", &format!("press x\n{}", again.join("\n"))).unwrap();
            let commands = |script: &Script| script.steps.iter().map(|s| s.command.clone()).collect::<Vec<_>>();
            prop_assert_eq!(&commands(&again)[1..], &commands(&script)[..]);
        }
    }
}
