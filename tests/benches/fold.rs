//! Folding recorded and made-up streams: time, events per second, and the rows of a frame.
//!
//! `cargo bench --bench fold`. With `TAPCTL_BENCH_PULUMI=/path/to/pulumi` the same recording is rendered by
//! `pulumi replay-events` in the same run, and the fold has to be at least 20 times as fast.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark is read on the terminal")]

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use tapctl::domain::pulumi::{Filter, RunState};

fn fold(lines: &[&[u8]]) -> RunState {
    let mut run_state = RunState::new();
    for line in lines {
        run_state.fold_line(line);
    }
    run_state
}

/// The median of several runs.
fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[runs / 2]
}

fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().trim_end_matches(" kB").parse().ok()
}

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engine/up-2000-resources.jsonl.gz");
    let Ok(output) = Command::new("gzip").arg("-dc").arg(&path).output() else {
        eprintln!("gzip is needed to read {}", path.display());
        return ExitCode::FAILURE;
    };
    let bytes = output.stdout;
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let took = median(11, || drop(black_box(fold(black_box(&lines)))));
    println!(
        "fold: {} events in {:.2} ms, {:.0} events/s",
        lines.len(),
        took.as_secs_f64() * 1e3,
        lines.len() as f64 / took.as_secs_f64()
    );
    let run_state = fold(&lines);
    let rows = median(101, || drop(black_box(run_state.rows(&Filter::default()))));
    println!("rows: {} in {:.3} ms", run_state.tree().resources().len(), rows.as_secs_f64() * 1e3);

    let before = resident_kib();
    let mut many = RunState::new();
    let start = Instant::now();
    for round in 0..10 {
        for line in &lines {
            let text = String::from_utf8_lossy(line).replace("::big::", &format!("::big{round}::"));
            many.fold_line(text.as_bytes());
        }
    }
    let grown = resident_kib().zip(before).map_or(0, |(after, before)| after.saturating_sub(before));
    println!(
        "bounded: {} events in {:.0} ms, {grown} KiB more resident",
        many.lines().events + many.lines().debug,
        start.elapsed().as_secs_f64() * 1e3
    );

    let Some(pulumi) = std::env::var_os("TAPCTL_BENCH_PULUMI") else { return ExitCode::SUCCESS };
    let file = std::env::temp_dir().join(format!("tapctl-bench-{}.jsonl", std::process::id()));
    if let Err(error) = std::fs::write(&file, &bytes) {
        eprintln!("{}: {error}", file.display());
        return ExitCode::FAILURE;
    }
    let mut worked = true;
    let theirs = median(5, || {
        let status = Command::new(&pulumi)
            .args(["replay-events", "update"])
            .arg(&file)
            .args(["--non-interactive", "--color", "never"])
            .env("PULUMI_DEBUG_COMMANDS", "true")
            .env("PULUMI_SKIP_UPDATE_CHECK", "true")
            .output();
        worked &= status.is_ok_and(|output| output.status.success());
    });
    let _left = std::fs::remove_file(&file);
    let ratio = theirs.as_secs_f64() / took.as_secs_f64();
    println!("pulumi replay-events: {:.0} ms, {ratio:.0} times as long", theirs.as_secs_f64() * 1e3);
    if worked && ratio >= 20.0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
