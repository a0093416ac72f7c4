//! Frames: what is on the screen in each state, at each size, with each palette; and what holds for all of them.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

use proptest::prelude::*;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::fixtures::{
    accepting, all_badges, asking, asking_armed, baking, conflict, fresh_start, lag_spike, later, on, pending, ready,
    stale_metrics, steady, throttled, under,
};
use super::theme::Role;
use super::{Ground, Palette, Theme, draw, paint, svg, title};
use crate::domain::gate::Verdict;
use crate::domain::metrics::Metric;
use crate::domain::model::{Dialog, Model, Toast};
use crate::domain::series::PERIOD;
use crate::domain::units::exact_number;
use crate::keymap::{KEYMAP, View};

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 36);
const TINY: (u16, u16) = (60, 15);
const HUGE: (u16, u16) = (200, 60);

fn frame(model: &Model, theme: &Theme, (width, height): (u16, u16)) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let area = buffer.area;
    paint(&mut buffer, area, model, theme);
    buffer
}

fn in_colour(model: &Model, size: (u16, u16)) -> Buffer {
    frame(model, &Theme::new(Palette::Full, false), size)
}

/// The characters, line by line.
fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut out = String::new();
    for line in buffer.content().chunks(width) {
        let line: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Where which style is, line by line, with a name for each style.
fn runs(buffer: &Buffer, name: impl Fn(Style) -> Option<String>) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut out = String::new();
    for (y, line) in buffer.content().chunks(width).enumerate() {
        let mut found: Vec<(usize, usize, String)> = Vec::new();
        for (x, cell) in line.iter().enumerate() {
            let Some(name) = name(cell.style()) else { continue };
            match found.last_mut() {
                Some((_, end, last)) if *end == x && *last == name => *end += 1,
                _ => found.push((x, x + 1, name)),
            }
        }
        if !found.is_empty() {
            let list: Vec<_> = found.iter().map(|(from, to, name)| format!("{from}-{to} {name}")).collect();
            let _ = writeln!(out, "{y:>2}: {}", list.join(", "));
        }
    }
    out
}

/// The role behind a style of the full palette; plain text has no name.
fn role_name(style: Style) -> Option<String> {
    const ROLES: [Role; 16] = [
        Role::Strong,
        Role::Dim,
        Role::Rule,
        Role::Legacy,
        Role::New,
        Role::Pass,
        Role::Fail,
        Role::Unknown,
        Role::Waiting,
        Role::Tab,
        Role::Badge,
        Role::GoBadge,
        Role::StopBadge,
        Role::AskBadge,
        Role::WaitBadge,
        Role::Key,
    ];
    let theme = Theme::new(Palette::Full, false);
    let plain = Style::new();
    let found = ROLES.into_iter().find(|role| {
        let drawn = theme.style(*role);
        drawn.fg.or(plain.fg) == style.fg.filter(|c| *c != ratatui::style::Color::Reset)
            && drawn.bg == style.bg.filter(|c| *c != ratatui::style::Color::Reset)
            && drawn.add_modifier == style.add_modifier
    });
    found.map(|role| format!("{role:?}"))
}

fn modifier_name(style: Style) -> Option<String> {
    let names = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ];
    let found: Vec<_> = names.iter().filter(|(m, _)| style.add_modifier.contains(*m)).map(|(_, n)| *n).collect();
    (!found.is_empty()).then(|| found.join("+"))
}

/// Text, roles, modifiers without colour, and the same in ASCII.
fn full_snapshot(model: &Model, size: (u16, u16)) -> String {
    let colour = in_colour(model, size);
    let mono = frame(model, &Theme::new(Palette::Mono, false), size);
    let ascii = frame(model, &Theme::new(Palette::Mono, true), size);
    assert_eq!(text(&colour), text(&mono), "colour must not carry a word of its own");
    format!(
        "{}=== roles\n{}=== without colour\n{}=== ASCII\n{}",
        text(&colour),
        runs(&colour, role_name),
        runs(&mono, modifier_name),
        text(&ascii)
    )
}

fn check(name: &str, found: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, found);
    });
}

#[test]
fn every_view_at_every_size_in_colour_without_and_in_ascii() {
    for view in View::ALL {
        let model = on(view, baking());
        for (tag, size) in [("60x15", TINY), ("80x24", SMALL), ("120x36", LARGE), ("200x60", HUGE)] {
            check(&format!("view_{}_{tag}", view.title().to_lowercase()), &full_snapshot(&model, size));
        }
    }
}

#[test]
fn on_a_light_ground_the_words_and_their_roles_are_the_same() {
    for view in View::ALL {
        let model = on(view, baking());
        for size in [TINY, SMALL, LARGE, HUGE] {
            let (dark, light) = (Theme::new(Palette::Full, false), Theme::new(Palette::Full, false).on(Ground::Light));
            let (dark_frame, light_frame) = (frame(&model, &dark, size), frame(&model, &light, size));
            assert_eq!(text(&dark_frame), text(&light_frame));
            for (a, b) in dark_frame.content().iter().zip(light_frame.content()) {
                assert_eq!(a.style().add_modifier, b.style().add_modifier);
                let plain = |colour: Option<Color>| colour.is_none_or(|colour| colour == Color::Reset);
                assert_eq!(plain(a.style().fg), plain(b.style().fg), "{:?}", a.symbol());
            }
        }
    }
}

/// The states of a migration, by name.
fn states() -> Vec<(&'static str, Model)> {
    vec![
        ("fresh_start", fresh_start()),
        ("ready", ready()),
        ("baking", baking()),
        ("pending", pending()),
        ("lag_spike", lag_spike()),
        ("stale_metrics", stale_metrics()),
        ("throttled", throttled()),
        ("all_badges", all_badges()),
        ("all_on_new", steady(100, 760)),
    ]
}

#[test]
fn every_state_on_the_overview() {
    for (name, model) in states() {
        let both = format!("{}=== 80x24\n{}", text(&in_colour(&model, LARGE)), text(&in_colour(&model, SMALL)));
        check(&format!("state_{name}"), &both);
    }
}

/// The dialogs, by name.
fn dialogs() -> Vec<(&'static str, Model)> {
    let digits = |typed: &str, error: Option<&str>| {
        under(Dialog::Prompt { typed: typed.into(), error: error.map(str::to_owned) }, ready())
    };
    let notice = Dialog::Notice {
        title: "The step is blocked".into(),
        lines: vec![
            "replication-lag: lag 89.4 s, limit 60 s; wait for it to drain".into(),
            String::new(),
            "R goes back".into(),
        ],
    };
    vec![
        ("step_armed", asking_armed()),
        ("step_arming", asking(ready(), 30, Duration::from_millis(200))),
        ("all_typed", asking(steady(90, 760), 100, Duration::from_secs(4))),
        ("rollback_during_a_spike", asking(lag_spike(), 0, Duration::from_secs(2))),
        ("accept", accepting()),
        ("prompt", digits("250", Some("250 is not a percentage between 0 and 100"))),
        ("conflict", conflict()),
        ("notice", under(notice, lag_spike())),
        ("help", under(Dialog::Help, ready())),
    ]
}

#[test]
fn every_dialog_at_80_by_24() {
    for (name, model) in dialogs() {
        check(&format!("dialog_{name}"), &full_snapshot(&model, SMALL));
    }
}

#[test]
fn the_header_tells_who_where_and_how_old_on_every_view() {
    for view in View::ALL {
        for size in [SMALL, LARGE, (200, 50)] {
            let screen = text(&in_colour(&on(view, ready()), size));
            let head: Vec<&str> = screen.lines().take(3).collect();
            for word in ["prod", "us-east-1 → us-west-2", "9012", "oncall-role/maria", "12:40:31"] {
                assert!(head[0].contains(word), "{word} is not in {}", head[0]);
            }
            let (legacy, new) = (head[1].find("legacy 80 %").unwrap(), head[1].find("20 % new").unwrap());
            assert!(legacy < new && head[1].contains("data "), "{}", head[1]);
            assert!(head[2].contains("✓ GO"), "{}", head[2]);
        }
    }
    for size in [SMALL, LARGE] {
        let screen = text(&in_colour(&all_badges(), size));
        for word in ["SIMULATION ×20", "READ-ONLY", "FROZEN 42 s", "9012"] {
            assert!(screen.contains(word), "{word} is missing at {size:?}");
        }
    }
}

#[test]
fn a_gate_that_does_not_pass_is_named_on_the_overview_at_every_size() {
    for (name, model) in states() {
        for size in [SMALL, (100, 30), LARGE, (200, 50)] {
            let screen = text(&in_colour(&model, size));
            for gate in &model.shown().gates {
                let line = screen.lines().find(|l| l.contains(gate.id.name())).unwrap_or_default();
                assert!(!line.is_empty(), "{name}: {} is not on the screen at {size:?}", gate.id);
                if gate.verdict == Verdict::Fail {
                    assert!(line.contains('✗') || line.contains('…'), "{name}: {line}");
                }
            }
        }
    }
}

#[test]
fn the_call_follows_the_gates() {
    let words = |model: &Model| text(&in_colour(model, SMALL)).lines().nth(2).unwrap_or_default().to_owned();
    assert!(words(&fresh_start()).contains("… READING  first answers are coming in: 0 of 12"));
    assert!(words(&ready()).contains("✓ GO"));
    assert!(words(&baking()).contains("… WAIT  20 → 30 %: bake 4:48 left"));
    assert!(words(&pending()).contains("… WAIT  30 → 40 %: dns-settled PENDING 23 s"));
    assert!(words(&lag_spike()).contains("✗ BLOCKED  20 → 30 %: replication-lag 89.4 s"));
    assert!(words(&stale_metrics()).contains("◌ BLOCKED"));
    assert!(words(&throttled()).contains("? BLOCKED"));
    assert!(words(&steady(100, 760)).contains("✓ DONE"));
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let line = |model: &Model| text(&in_colour(model, SMALL)).lines().nth(4).unwrap_or_default().to_owned();
    assert!(line(&ready()).contains("✓ nothing is wrong: 12 sources answer"));
    assert!(line(&throttled()).contains("✗ legacy-alarms: access denied, no answer yet"), "{}", line(&throttled()));
    assert!(line(&lag_spike()).contains("✗ ALARM migration-dms-lag-prod"));
    assert!(line(&stale_metrics()).contains("◌ the newest metrics of the new stack are of 12:38 UTC"));
    let detail: String = text(&in_colour(&on(View::Service, throttled()), (80, 80))).split_whitespace().collect();
    assert!(detail.contains("allowtheIAMactioncloudwatch:DescribeAlarms"), "the hint is on the Service view");
}

/// All that can be seen of a model's list, or of what is open, by scrolling it: each page, one after the other.
fn scrolled(mut model: Model, size: (u16, u16)) -> String {
    let (theme, area) = (Theme::new(Palette::Full, false), Rect::new(0, 0, size.0, size.1));
    let (listing, _) = paint(&mut Buffer::empty(area), area, &model, &theme);
    let view = model.screen.view;
    let page = |row: usize| {
        model.screen.scroll.insert(view, row);
        model.screen.reading_from = row;
        text(&frame(&model, &theme, size))
    };
    (0..=listing.last_row).map(page).collect()
}

#[test]
fn help_tells_every_binding_and_every_sign_at_every_size() {
    for size in [TINY, SMALL, LARGE, HUGE] {
        let seen = scrolled(under(Dialog::Help, ready()), size);
        let words: String = seen.split_whitespace().collect();
        for binding in KEYMAP {
            for key in binding.keys {
                assert!(seen.contains(&key.label()), "{} is not shown at {size:?}", key.label());
            }
            let first: String = binding.help.split_whitespace().take(2).collect();
            assert!(words.contains(&first), "{} is not shown at {size:?}", binding.help);
        }
        for word in ["✓ pass", "✗ fail", "? unknown", "… waiting", "◌ stale", "◆ seen", "┆ weights moved"] {
            assert!(seen.contains(word), "{word} at {size:?}");
        }
    }
    let first = text(&in_colour(&under(Dialog::Help, ready()), TINY));
    assert!(first.contains("more") && first.contains("Esc or Enter closes this"), "{first}");
}

#[test]
fn every_list_that_goes_on_says_how_far() {
    for (view, size) in [(View::Replication, TINY), (View::Service, SMALL)] {
        let mut model = on(view, ready());
        model.screen.scroll.insert(view, 0);
        let (theme, area) = (Theme::new(Palette::Full, false), Rect::new(0, 0, size.0, size.1));
        let (listing, _) = paint(&mut Buffer::empty(area), area, &model, &theme);
        assert!(listing.last_row > 0, "{view:?} has more than {size:?} shows");
        assert!(text(&frame(&model, &theme, size)).contains(" more"), "{view:?}");
        model.screen.scroll.insert(view, listing.last_row);
        let end = text(&frame(&model, &theme, size));
        assert!(end.contains(" above") && !end.contains(" more"), "{view:?}:\n{end}");
        let ascii = text(&frame(&model, &Theme::new(Palette::Mono, true), size));
        assert!(ascii.contains("^ "), "{ascii}");
    }
}

#[test]
fn the_question_shows_each_record_the_call_and_when_it_closes() {
    for size in [(60, 20), SMALL, LARGE] {
        let screen = text(&in_colour(&asking_armed(), size));
        for rtype in ["A ", "AAAA "] {
            let rows: Vec<_> =
                screen.lines().filter(|l| l.contains(&format!("│ {rtype}")) && l.contains('→')).collect();
            assert_eq!(rows.len(), 2, "{rtype} at {size:?}:\n{screen}");
            assert!(
                rows[0].contains("80") && rows[0].contains("70") && rows[1].contains("20") && rows[1].contains("30")
            );
        }
        assert!(screen.contains("y  move") && screen.contains("closes in 27 s"), "{screen}");
    }
    let screen = text(&in_colour(&asking_armed(), LARGE));
    assert!(screen.contains("route53:ChangeResourceRecordSets app.example.com.: DELETE A legacy=80"));
    let early = text(&in_colour(&asking(ready(), 30, Duration::from_millis(200)), SMALL));
    assert!(early.contains("arming") && !early.contains("y  move"));
}

#[test]
fn lists_scroll_filter_and_say_so() {
    let mut model = on(View::Replication, ready());
    model.screen.filter = "PAY".into();
    let screen = text(&in_colour(&model, SMALL));
    assert!(screen.contains("payments") && screen.contains("payouts") && !screen.contains("refunds"));
    assert!(screen.contains("filter PAY: 2 of 12"));
    let mut model = on(View::Replication, ready());
    model.screen.scroll.insert(View::Replication, 9999);
    let screen = text(&in_colour(&model, SMALL));
    assert!(screen.contains("webhooks") && !screen.contains("accounts "), "{screen}");
    model.screen.filtering = true;
    model.screen.filter = "led".into();
    assert!(text(&in_colour(&model, SMALL)).lines().last().unwrap_or_default().contains("/led"));
}

#[test]
fn every_line_of_the_service_view_can_be_reached() {
    let mut model = on(View::Service, ready());
    let (theme, area) = (Theme::new(Palette::Full, false), Rect::new(0, 0, 80, 24));
    let (listing, _) = paint(&mut Buffer::empty(area), area, &model, &theme);
    let mut seen = String::new();
    for row in 0..=listing.last_row {
        model.screen.scroll.insert(View::Service, row);
        seen.push_str(&text(&in_colour(&model, SMALL)));
    }
    for word in ["i-0a1b2c3d4e5f60005", "10.40.0.20:8080", "migration-tasks-prod", "steady state", "stack-run"] {
        assert!(seen.contains(word), "{word} cannot be scrolled to");
    }
}

#[test]
fn each_journal_entry_can_be_looked_at() {
    let mut model = on(View::Journal, ready());
    let (theme, area) = (Theme::new(Palette::Full, false), Rect::new(0, 0, 80, 24));
    let (listing, _) = paint(&mut Buffer::empty(area), area, &model, &theme);
    assert_eq!(listing.last_row + 1, model.live.journal.len());
    model.screen.scroll.insert(View::Journal, listing.last_row);
    let screen = text(&in_colour(&model, SMALL));
    assert!(screen.contains("8 of 8") && screen.contains("2026-11-22T11:26:11.000Z"), "{screen}");
}

#[test]
fn a_toast_stands_in_the_footer_and_fades() {
    let mut model = ready();
    model.screen.toast = Some(Toast { text: "refreshed".into(), is_bad: false, at: model.uptime });
    let footer = |model: &Model| text(&in_colour(model, SMALL)).lines().last().unwrap_or_default().to_owned();
    assert!(footer(&model).contains("refreshed"));
    model.uptime += Duration::from_secs(8);
    assert!(footer(&model).contains("] step +10"));
}

#[test]
fn below_60_by_15_one_page_says_the_share_the_verdict_and_the_size() {
    let screen = text(&in_colour(&baking(), (40, 10)));
    for word in ["WAIT", "prod legacy 80 % new 20 %", "needs 60x15, has 40x10"] {
        assert!(screen.contains(word), "{word}:\n{screen}");
    }
}

#[test]
fn the_terminal_title_is_plain() {
    assert_eq!(title(&baking()), "prod 20 % WAIT - tapctl");
    assert_eq!(title(&fresh_start()), "prod ? % READING - tapctl");
    assert!(title(&all_badges()).starts_with("SIM prod"));
}

/// Keeps what a terminal would get.
struct Sink(Rc<RefCell<Vec<u8>>>);
impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn at_rest_a_minute_costs_less_than_900_bytes_a_second() {
    let area = Rect::new(0, 0, LARGE.0, LARGE.1);
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    let written = Rc::new(RefCell::new(Vec::<u8>::new()));
    let backend = CrosstermBackend::new(Sink(Rc::clone(&written)));
    let mut terminal = Terminal::with_options(backend, options).unwrap();
    let theme = Theme::new(Palette::Full, false);
    for (name, model) in [("ready", ready()), ("baking", baking())] {
        for secs in 0..=120 {
            if secs == 60 {
                written.borrow_mut().clear();
            }
            let model = later(model.clone(), secs);
            terminal
                .draw(|frame| {
                    draw(frame, &model, &theme);
                })
                .unwrap();
        }
        let rate = written.borrow().len() / 60;
        assert!(rate < 900, "{name}: {rate} bytes a second");
    }
}

#[test]
fn a_screen_becomes_a_picture() {
    let theme = Theme::new(Palette::Full, false);
    let picture = svg::document(&in_colour(&lag_spike(), LARGE), "tapctl", &theme);
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    assert!(picture.contains("BLOCKED</text>"));
    // A folder named here gets a picture of every state, to be looked at.
    if let Ok(folder) = std::env::var("TAPCTL_PICTURES") {
        let views = View::ALL.map(|view| (view.title(), on(view, baking())));
        for (name, model) in states().into_iter().chain(dialogs()).chain(views) {
            for size in [TINY, SMALL, LARGE, HUGE] {
                for (look, theme) in [("dark", theme.clone()), ("light", theme.clone().on(Ground::Light))] {
                    let file = format!("{folder}/{name}-{}-{look}.svg", size.0);
                    std::fs::write(file, svg::document(&frame(&model, &theme, size), name, &theme)).unwrap();
                }
            }
        }
    }
}

fn any_theme() -> impl Strategy<Value = Theme> {
    (prop_oneof![Just(Palette::Full), Just(Palette::Sixteen), Just(Palette::Mono)], any::<bool>())
        .prop_map(|(palette, ascii)| Theme::new(palette, ascii))
        .prop_flat_map(|theme| (Just(theme), any::<bool>()))
        .prop_map(|(theme, light)| if light { theme.on(Ground::Light) } else { theme })
}

fn any_model() -> impl Strategy<Value = Model> {
    let models: Vec<Model> = states().into_iter().chain(dialogs()).map(|(_, model)| model).collect();
    let views = prop::sample::select(View::ALL.to_vec());
    (prop::sample::select(models), views, any::<usize>(), "\\PC{0,6}", any::<bool>(), ".{0,40}").prop_map(
        |(mut model, view, scroll, filter, filtering, noise)| {
            model.screen.view = view;
            model.screen.scroll.insert(view, scroll);
            model.screen.filter = filter;
            model.screen.filtering = filtering;
            model.stack.name.push_str(&noise);
            model.live.journal_error = noise.contains('a').then(|| noise.clone());
            if let Some(fact) = &mut model.live.facts.alarms_new
                && let Some(alarm) = fact.value.last_mut()
            {
                alarm.reason = noise;
            }
            model
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_model_and_no_size_makes_it_panic(
        model in any_model(),
        theme in any_theme(),
        width in 0u16..=220,
        height in 0u16..=60,
    ) {
        let buffer = frame(&model, &theme, (width, height));
        for cell in buffer.content() {
            prop_assert!(!cell.symbol().contains(char::is_control));
            prop_assert!(!theme.is_ascii() || cell.symbol().is_ascii(), "{:?} in ASCII", cell.symbol());
        }
        prop_assert!(svg::document(&buffer, "any", &theme).ends_with("</svg>\n"));
    }
}

#[test]
fn a_cursor_reads_what_was_measured_in_its_minute() {
    let mut model = steady(20, 900);
    let minute = model.live.now.floor_to(PERIOD).minus(PERIOD * 6);
    let shown = |model: &Model| text(&in_colour(model, HUGE));
    assert!(shown(&model).contains("< reads a minute"));
    model.screen.cursor = Some(minute);
    let of = |metric| {
        let points = model.live.facts.metrics.series(metric).points();
        points.iter().find(|point| point.at >= minute && point.at < minute.plus(PERIOD)).unwrap().value
    };
    let [legacy, new] = [Metric::LegacyRequests, Metric::NewRequests].map(|metric| exact_number(of(metric) / 60.0));
    let wanted = format!("{}  L {legacy}  N {new}", minute.hm());
    let read = shown(&model);
    assert!(read.contains(&wanted), "{wanted}\n{read}");
    assert!(read.contains(&format!("values of {} UTC, Esc", minute.hm())), "{read}");
    model.screen.cursor = Some(minute.minus(model.screen.zoom.span()));
    assert!(!shown(&model).contains("values of"), "it is not on the charts any more");
}

#[test]
fn every_line_of_what_is_wrong_ends_in_what_to_do() {
    for (model, first) in [(throttled(), " · `tapctl doctor`"), (stale_metrics(), "r asks again")] {
        for size in [SMALL, LARGE, HUGE, TINY] {
            let shown = text(&in_colour(&model, size));
            assert!(shown.lines().any(|line| line.contains(first)), "{size:?}\n{shown}");
        }
    }
}
