//! From a key to the frame, with as many tables as one task can have.
//!
//! `cargo bench --bench keys`. A key is a tick, the key itself and a frame, as the loop does it; the terminal's own time
//! is not in it. The limit is 5 ms.
#![expect(clippy::print_stdout, reason = "a benchmark is read on the terminal")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tapctl::domain::facts::{Observation, Source};
use tapctl::domain::gate::Policy;
use tapctl::domain::model::{Model, Stack, Watcher};
use tapctl::domain::msg::Msg;
use tapctl::domain::replication::TableStat;
use tapctl::domain::service::Writer;
use tapctl::domain::time::Moment;
use tapctl::domain::traffic::GroupKey;
use tapctl::domain::units::Timestamp;
use tapctl::domain::update::update;
use tapctl::domain::zone::{Endpoints, NewEndpoint};
use tapctl::keymap::{Code, Key, View};
use tapctl::ui::{Palette, Theme, draw};

const TABLES: u32 = 20_000;
const KEYS: usize = 201;
const LIMIT: Duration = Duration::from_millis(5);

fn table(n: u32) -> TableStat {
    TableStat {
        schema: "techvault".into(),
        table: format!("events_{n:05}"),
        state: "Table completed".into(),
        full_load_rows: 1_000,
        load_errors: 0,
        captured: 120,
        applied: Some(120),
        validation: "Validated".into(),
        validation_pending: Some(0),
        validation_failed: Some(0),
        validation_suspended: Some(0),
        validation_details: None,
        updated: None,
    }
}

fn stack() -> Stack {
    Stack {
        name: "prod".into(),
        region: "us-west-2".into(),
        legacy_region: "us-east-1".into(),
        group: GroupKey::unset(),
        writer: Writer::Legacy,
        legacy_lb: "techvault".into(),
        aurora: "techvault-prod".into(),
        endpoints: Endpoints {
            legacy_dns: "legacy.us-east-1.elb.amazonaws.com".into(),
            new: Some(NewEndpoint { dns: "new.us-west-2.elb.amazonaws.com".into(), zone_id: "Z1H1FL5HABSF5".into() }),
            evaluate_health: true,
        },
        unset: Vec::new(),
    }
}

fn watcher() -> Watcher {
    Watcher {
        read_only: false,
        read_only_why: String::new(),
        api_endpoints: Vec::new(),
        simulation: None,
        operator: "maria".into(),
        host: "bastion".into(),
    }
}

fn main() -> ExitCode {
    let start = Timestamp::from_millis(1_795_000_020_000);
    let mut model = Model::new(stack(), watcher(), Policy::default(), start);
    // DMS tells tables in no order.
    let tables = (0..TABLES).map(|n| table(n.wrapping_mul(7_919) % TABLES)).collect();
    let key = model.stack.group.clone();
    model.live.facts.absorb(&key, Source::Tables, Ok(Observation::Tables(tables)), start);
    let Ok(mut terminal) = Terminal::new(TestBackend::new(120, 36));
    let theme = Theme::new(Palette::Full, false);
    let (mut worst, mut uptime) = (Duration::ZERO, Duration::ZERO);
    for view in [View::Overview, View::Replication] {
        model.screen.view = view;
        let mut times: Vec<Duration> = (0..KEYS)
            .map(|n| {
                uptime += Duration::from_millis(50);
                let now = Moment { wall: start.plus(uptime), steady: uptime };
                let code = if n % 2 == 0 { Code::Down } else { Code::Up };
                let began = Instant::now();
                update(&mut model, Msg::Tick { now, uptime });
                update(&mut model, Msg::Key(Key { code, ctrl: false }));
                let mut told = None;
                let Ok(_) = terminal.draw(|frame| told = Some(draw(frame, &model, &theme)));
                if let Some((listing, shown)) = told {
                    update(&mut model, Msg::Drawn { uptime, listing, shown });
                }
                began.elapsed()
            })
            .collect();
        times.sort();
        let median = times[KEYS / 2];
        println!("key to frame, {TABLES} tables, {}: {:.2} ms", view.title(), median.as_secs_f64() * 1e3);
        worst = worst.max(median);
    }
    if worst <= LIMIT { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
