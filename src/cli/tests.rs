//! Command lines as they are typed.

use super::*;
use crate::cli::values::since;
use crate::domain::traffic::Side;
use crate::domain::units::Percent;
use crate::domain::units::Timestamp;
use std::time::Duration;

fn read(line: &str) -> Result<Cli, clap::Error> {
    parse(std::iter::once("tapctl").chain(line.split_whitespace()))
}

fn shift(line: &str) -> ShiftArgs {
    match read(line).unwrap().command {
        Some(Command::Shift(args)) => args,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_definition_holds_together() {
    definition().debug_assert();
}

#[test]
fn every_command_and_global_option_of_the_contract_is_there() {
    let definition = definition();
    let commands: Vec<_> = definition.get_subcommands().map(clap::Command::get_name).collect();
    let wanted = "demo sim status gates shift rollback adopt release preview up refresh destroy attach interrupt unlock journal report doctor \
                  iam-policy completions man";
    for name in wanted.split_whitespace() {
        assert!(commands.contains(&name), "{name}");
    }
    let options: Vec<_> = definition.get_arguments().filter_map(clap::Arg::get_long).collect();
    for name in
        "config outputs stack region legacy-region profile endpoint-url read-only ascii color theme mouse notify log-level"
            .split_whitespace()
    {
        assert!(options.contains(&name), "{name}");
    }
}

#[test]
fn every_command_of_the_programs_readme_is_taken() {
    let readme = include_str!("../../pulumi/README.md");
    let shell = readme.split("```sh\n").skip(1).filter_map(|part| part.split("```").next());
    let lines: Vec<&str> = shell.flat_map(str::lines).filter_map(|line| line.trim().strip_prefix("tapctl ")).collect();
    assert!(lines.len() > 10, "{lines:?}");
    for line in lines {
        let arguments = line.split(['<', '#']).next().unwrap_or(line);
        assert!(read(arguments).is_ok(), "{line}");
    }
}

#[test]
fn nothing_opens_the_cockpit_and_global_options_stand_anywhere() {
    assert!(read("").unwrap().command.is_none());
    assert_eq!(read("--stack a status").unwrap().global.stack.as_deref(), Some("a"));
    assert_eq!(read("status --stack b").unwrap().global.stack.as_deref(), Some("b"));
    assert!(read("iam-policy --read-only").unwrap().global.read_only);
}

#[test]
fn a_shift_has_exactly_one_target() {
    assert_eq!(shift("shift --to 30").to, Percent::new(30));
    assert_eq!(shift("shift --to 30%").to, Percent::new(30));
    assert_eq!(shift("shift --step +10").step, Some(10));
    assert_eq!(shift("shift --step -10").step, Some(-10));
    for wrong in
        ["shift", "shift --to 30 --step 10", "shift --to 101", "shift --to -1", "shift --step 0", "shift --step 101"]
    {
        assert_eq!(read(wrong).unwrap_err().exit_code(), 2, "{wrong}");
    }
}

#[test]
fn a_gate_is_overridden_by_name_and_with_a_reason() {
    let args = shift("shift --to 30 --override bake --reason poll_now --override errors --reason known");
    let pairs = args.overrides().unwrap();
    assert_eq!(
        pairs.iter().map(|o| (o.gate.as_str(), o.reason.as_str())).collect::<Vec<_>>(),
        [("bake", "poll_now"), ("errors", "known")]
    );
    assert_eq!(read("shift --to 30 --override bake").unwrap_err().exit_code(), 2);
    assert_eq!(read("shift --to 30 --reason why").unwrap_err().exit_code(), 2);
    assert_eq!(read("shift --to 30 --override nonsense --reason x").unwrap_err().exit_code(), 2);
    assert!(shift("shift --to 30 --override bake --override errors --reason x").overrides().is_err());
    assert!(shift("shift --to 30 --override bake --reason x --override bake --reason y").overrides().is_err());
}

#[test]
fn a_release_names_the_stack_that_keeps_the_name() {
    let Some(Command::Release(args)) = read("release --to legacy --dry-run").unwrap().command else { panic!() };
    assert_eq!((args.to, args.go.dry_run), (Side::Legacy, true));
    for wrong in ["release", "release --to both", "adopt --to new"] {
        assert_eq!(read(wrong).unwrap_err().exit_code(), 2, "{wrong}");
    }
}

#[test]
fn times_ago_and_instants_are_told_apart() {
    assert_eq!(since("2h"), Ok(Since::Ago(Duration::from_secs(7200))));
    assert_eq!(since("1d12h"), Ok(Since::Ago(Duration::from_secs(129_600))));
    assert_eq!(since("2026-11-22T12:00:00Z"), Ok(Since::At(Timestamp::parse("2026-11-22T12:00:00Z").unwrap())));
    for wrong in ["", "h", "2", "2x", "-2h", "yesterday", "99999999999999999999h"] {
        assert!(since(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_demo_runs_twenty_times_as_fast_as_life() {
    let Some(Command::Demo(args)) = read("demo").unwrap().command else { panic!() };
    assert_eq!((args.speed, args.played.scenario.as_str()), (20.0, "steady"));
    assert_eq!(read("demo --speed 0").unwrap_err().exit_code(), 2);
}
