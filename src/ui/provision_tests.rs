//! Frames of the Provision view: nothing yet, no Pulumi, a plan, a run, a failure, an end; and that no size panics.

use std::fmt::Write as _;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::fixtures::{judge, now, on, ready};
use super::{Palette, Theme, draw, svg};
use crate::domain::configure::{Configure, Editor};
use crate::domain::confirm::{ARMS_AFTER, Confirmation};
use crate::domain::facts::Fact;
use crate::domain::model::{Dialog, Model, PendingAction};
use crate::domain::provision::{PulumiProblem, PulumiStatus, ReadyPlan, Run, RunEnding, RunHead};
use crate::domain::pulumi::config::tests::{complete, setup};
use crate::domain::pulumi::config::{self, ConfigValue, SetConfig, SetConfigError};
use crate::domain::pulumi::event::parse;
use crate::domain::pulumi::explain::explain;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::lock::{Holder, Lock};
use crate::domain::pulumi::pending::Pending;
use crate::domain::pulumi::{Parsed, Plan, PulumiChange, RunState, Show};
use crate::keymap::View;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 36);
const PREVIEW: &str = include_str!("../../tests/fixtures/engine/bundled-preview.jsonl");
const UP: &str = include_str!("../sim/recordings/bundled-up.jsonl");
const UP_FAILED: &str = include_str!("../../tests/fixtures/engine/bundled-up-failed.jsonl");
const DESTROY: &str = include_str!("../sim/recordings/bundled-destroy.jsonl");

/// The first `count` lines folded, moved in time so that the newest event is three seconds old.
fn folded(mut run_state: RunState, text: &str, count: usize) -> RunState {
    let parsed: Vec<Parsed> = text.lines().take(count).map(|line| parse(line.as_bytes())).collect();
    let newest = parsed.iter().filter_map(|p| if let Parsed::Event(event) = p { Some(event.at) } else { None }).max();
    let newest = newest.expect("a recording has events");
    for mut line in parsed {
        if let Parsed::Event(event) = &mut line {
            event.at = now().minus(Duration::from_secs(3) + newest.since(event.at));
        }
        run_state.fold(line);
    }
    run_state
}

fn bare() -> Model {
    let mut model = on(View::Provision, ready());
    model.provision.asked = true;
    let look = PulumiStatus {
        asked_at: now(),
        pulumi: Ok("3.253.0".into()),
        locks: vec![],
        pending: vec![],
        newest: None,
        setup: Some(complete()),
        passed_through: vec!["PULUMI_BACKEND_URL".into(), "PULUMI_CONFIG_PASSPHRASE_FILE".into()],
    };
    model.provision.look = Some(Fact { value: look, at: now().minus(Duration::from_secs(8)) });
    model
}

fn with_run(kind: RunKind, run_state: RunState, ending: Option<RunEnding>) -> Model {
    let mut model = bare();
    let line = match kind {
        RunKind::Preview => "pulumi preview --refresh --save-plan plan.json --json --stack prod --non-interactive",
        RunKind::PreviewDestroy => "pulumi destroy --preview-only --refresh --json --stack prod --non-interactive",
        _ => "pulumi up --plan plan.json --yes --skip-preview --json --stack prod --non-interactive --color never",
    };
    let head = RunHead {
        id: "20261122T123800Z-up".into(),
        kind,
        line: line.into(),
        operator: "maria".into(),
        host: "bastion-1".into(),
        started_at: run_state.started_at().unwrap_or(now()),
        asked_to_stop: Some(false),
    };
    model.provision.run = Some(Run { head, state: run_state, ending, was_over: false });
    if let Some(run) = model.provision.going_on() {
        let text = format!("pulumi {} by maria", run.head.kind);
        crate::domain::gate::runs(&mut model.live.gates, &text, now());
    }
    model
}

fn ended(text: &str) -> RunEnding {
    RunEnding { text: text.into(), succeeded: true, explanation: None }
}

fn previewed() -> RunState {
    folded(RunState::new(), PREVIEW, usize::MAX)
}

fn missing() -> Model {
    let mut model = bare();
    let look = &mut model.provision.look.as_mut().unwrap().value;
    look.pulumi = Err(PulumiProblem {
        message: "pulumi was not found on the PATH and is not named in the configuration".into(),
        hint: "install Pulumi 3.200 or newer, or set `pulumi` in tapctl.toml to the program".into(),
    });
    model
}

fn unconfigured() -> Model {
    let mut model = bare();
    let mut seen = setup(&["owner", "sourceDbEndpoint", "legacyLbName", "legacyLbDnsName", "auroraInstanceClass"]);
    let port = ConfigValue { value: Some("mysql".into()), secret: false };
    seen.values.as_mut().unwrap().insert("tap:sourceDbPort".into(), port);
    seen.exists = false;
    model.provision.look.as_mut().unwrap().value.setup = Some(seen);
    model
}

fn choosing() -> Model {
    let mut model = unconfigured();
    model.dialog = Some(Dialog::Configure(Configure::Choose { filter: String::new(), at: 2 }));
    model
}

fn typing() -> Model {
    let mut model = unconfigured();
    let editor = Editor {
        key: config::ConfigKey::named("recordName").unwrap(),
        typed: "https://app.example.com".into(),
        cursor: 8,
        secret: false,
        error: Some(SetConfigError::Malformed { key: "recordName".into(), wanted: config::Form::HostName.wanted() }),
    };
    model.dialog = Some(Dialog::Configure(Configure::Edit(editor)));
    model
}

fn typing_secret() -> Model {
    let mut model = typing();
    if let Some(Dialog::Configure(Configure::Edit(editor))) = &mut model.dialog {
        (editor.secret, editor.error) = (true, None);
    }
    model
}

fn setting() -> Model {
    let mut model = unconfigured();
    let set = SetConfig::new("prod", true, "recordName", "app.example.com", false).unwrap();
    let challenge = set.challenge();
    let mut question = Confirmation::new(PendingAction::Pulumi(PulumiChange::Config(set)), challenge, model.uptime);
    question.drawn(model.uptime);
    model.uptime += ARMS_AFTER;
    model.dialog = Some(Dialog::Ask(Box::new(question)));
    model
}

fn failed_unconfigured() -> Model {
    let mut model = failed();
    model.provision.look = unconfigured().provision.look;
    model
}

fn leftovers() -> Model {
    let mut model = bare();
    let seen = &mut model.provision.look.as_mut().unwrap().value;
    let lock = |pid, host: &str| Lock {
        pid,
        host: host.into(),
        user: "bob".into(),
        since: Some(now().minus(Duration::from_secs(4000))),
    };
    seen.locks = vec![(lock(999, "bastion-1"), Holder::DeadHere), (lock(7, "bastion-2"), Holder::Elsewhere)];
    seen.pending = (1..=6)
        .map(|n| Pending {
            urn: format!("urn:pulumi:prod::tap::aws:rds/cluster:Cluster::aurora-{n}"),
            rtype: "aws:rds/cluster:Cluster".into(),
            operation: "creating".into(),
            id: None,
        })
        .collect();
    model
}

fn with_plan(kind: RunKind, run_state: RunState) -> Model {
    let plan = Plan::of(&run_state);
    let mut model = with_run(kind, run_state, Some(ended("succeeded")));
    let head = &model.provision.run.as_ref().unwrap().head;
    let at = now().minus(Duration::from_secs(40));
    model.provision.plan = Some(ReadyPlan { run: head.id.clone(), kind, plan, at });
    model
}

fn planned() -> Model {
    with_plan(RunKind::Preview, previewed())
}

fn dangerous() -> Model {
    with_plan(RunKind::PreviewDestroy, folded(RunState::new(), DESTROY, usize::MAX))
}

fn half_way() -> Model {
    let expected = RunState::expecting(&Plan::of(&previewed()));
    with_run(RunKind::Up, folded(expected, UP, 360), None)
}

fn stopping() -> Model {
    let mut model = half_way();
    model.provision.run.as_mut().unwrap().head.asked_to_stop = Some(true);
    model.provision.show = Show::Running;
    model
}

fn log() -> Model {
    let mut model = failed();
    model.provision.log = true;
    model.screen.scroll.insert(View::Provision, usize::MAX);
    model
}

fn failed() -> Model {
    let expected = RunState::expecting(&Plan::of(&previewed()));
    let mut run_state = folded(expected, UP_FAILED, usize::MAX);
    run_state.process_ended();
    let explanation = Some(explain(&run_state, Some(255), ""));
    let ending = RunEnding { text: "failed (exit code 255)".into(), succeeded: false, explanation };
    with_run(RunKind::Up, run_state, Some(ending))
}

fn finished() -> Model {
    let expected = RunState::expecting(&Plan::of(&previewed()));
    with_run(RunKind::Up, folded(expected, UP, usize::MAX), Some(ended("succeeded")))
}

fn all() -> Vec<(&'static str, Model)> {
    vec![
        ("nothing_yet", bare()),
        ("missing", missing()),
        ("unconfigured", unconfigured()),
        ("choosing", choosing()),
        ("typing", typing()),
        ("typing_secret", typing_secret()),
        ("setting", setting()),
        ("failed_unconfigured", failed_unconfigured()),
        ("leftovers", leftovers()),
        ("planned", planned()),
        ("dangerous", dangerous()),
        ("half_way", half_way()),
        ("stopping", stopping()),
        ("failed", failed()),
        ("log", log()),
        ("finished", finished()),
    ]
}

fn frame(model: &Model, theme: &Theme, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|f| {
            draw(f, model, theme);
        })
        .unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for line in buffer.content().chunks(usize::from(buffer.area.width).max(1)) {
        let line: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

fn plain(model: &Model, size: (u16, u16)) -> String {
    text(&frame(model, &Theme::new(Palette::Full, false), size))
}

#[test]
fn every_state_at_both_sizes() {
    for (name, model) in all() {
        insta::assert_snapshot!(format!("{name}_80x24"), plain(&model, SMALL));
        insta::assert_snapshot!(format!("{name}_120x36"), plain(&model, LARGE));
    }
}

#[test]
fn without_unicode_every_character_is_ascii() {
    for (name, model) in all() {
        let shown = text(&frame(&model, &Theme::new(Palette::Mono, true), LARGE));
        assert!(shown.is_ascii(), "{name}: {shown}");
    }
    let theme = Theme::new(Palette::Mono, true);
    insta::assert_snapshot!("failed_ascii_120x36", text(&frame(&failed(), &theme, LARGE)));
}

#[test]
fn a_secret_is_never_on_the_screen() {
    for size in [SMALL, LARGE] {
        let shown = plain(&typing_secret(), size);
        assert!(!shown.contains("https:") && shown.contains("●●●●"), "{shown}");
    }
}

#[test]
fn dangers_stand_above_everything_else() {
    for size in [SMALL, LARGE] {
        let shown = plain(&dangerous(), size);
        let first = shown.lines().nth(4).unwrap();
        assert!(first.contains("DANGER"), "{shown}");
        assert!(shown.contains("runs it, after your yes"), "{shown}");
        for kind in ["weighted records", "the replication", "the database", "the secret"] {
            assert!(shown.contains(kind), "{kind}: {shown}");
        }
        assert!(shown.contains("133 steps") && shown.contains("dms/Endpoint"), "and what they are about: {shown}");
    }
}

#[test]
fn a_failure_is_told_with_its_message_in_full() {
    let model = failed();
    let run_state = &model.provision.run.as_ref().unwrap().state;
    let failure = run_state.failures()[0];
    let shown: String = plain(&model, (120, 60)).split_whitespace().collect::<Vec<_>>().join(" ");
    for line in failure.text.lines() {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains(&line), "{line}\n{shown}");
    }
    assert!(shown.contains("Next step:"));
}

#[test]
fn a_run_that_goes_on_is_marked_in_the_tabs_of_every_view() {
    for view in View::ALL {
        let shown = plain(&on(view, half_way()), LARGE);
        let tabs = shown.lines().nth(3).unwrap();
        assert!(tabs.contains("Provision…") || tabs.contains("Provision]…"), "{tabs}");
        let shown = plain(&on(view, finished()), LARGE);
        assert!(!shown.lines().nth(3).unwrap().contains('…'));
    }
}

#[test]
fn the_list_scrolls_to_its_end_and_the_filter_thins_it() {
    let mut model = half_way();
    let all = plain(&model, LARGE);
    model.screen.scroll.insert(View::Provision, usize::MAX);
    let end = plain(&model, LARGE);
    assert_ne!(all, end);
    model.screen.filter = "rds".into();
    model.screen.scroll.clear();
    let thin = plain(&model, LARGE);
    assert!(thin.contains("filter rds:") && thin.contains("rds/Cluster"), "{thin}");
}

#[test]
fn no_size_and_no_palette_panics() {
    let mut models = all();
    for (_, model) in &mut models {
        judge(model);
    }
    for (_, model) in &models {
        for width in [1, 2, 59, 60, 61, 75, 80, 99, 100, 120, 240] {
            for height in [1, 2, 14, 15, 16, 18, 24, 36, 70] {
                for theme in [Theme::new(Palette::Full, false), Theme::new(Palette::Sixteen, true)] {
                    frame(model, &theme, (width, height));
                }
            }
        }
    }
}

#[test]
fn a_picture_holds_every_word_of_its_frame() {
    let buffer = frame(&dangerous(), &Theme::new(Palette::Full, false), LARGE);
    let picture = svg::document(&buffer, "plan", &Theme::new(Palette::Full, false));
    if let Ok(dir) = std::env::var("FRAMES") {
        for (name, model) in all() {
            let frame = frame(&model, &Theme::new(Palette::Full, false), LARGE);
            std::fs::write(format!("{dir}/{name}.svg"), svg::document(&frame, name, &Theme::new(Palette::Full, false)))
                .unwrap();
        }
    }
    assert!(picture.contains("DANGER"));
}
