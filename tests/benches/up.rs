//! The wall time of `pulumi up` under tapctl against bare `pulumi up --json`, with the real engine.
//!
//! `cargo bench --bench up -- [PAIRS]`. Both are measured in turn, so that what else the machine does hits both; the
//! fastest of each counts. The database cluster takes 20 s, a fraction of what it takes in AWS. Fails when tapctl adds
//! more than 2 %.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark is read on the terminal")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to say")]
#![expect(dead_code, reason = "the tests use more of the harness than this does")]

#[path = "../pulumi_runs/workspace.rs"]
mod workspace;
#[path = "."]
mod support {
    #[path = "../support/folder.rs"]
    pub(crate) mod folder;
    #[path = "../support/pulumi.rs"]
    pub(crate) mod pulumi;
}

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use support::pulumi::request;
use tapctl::adapters::pulumi::headless::FOLLOW_EVERY;
use tapctl::domain::pulumi::{RunKind, RunRequest};
use workspace::{Workspace, calm, yes};

/// How long the cluster takes.
const SLOW: &str = "create:migration-aurora-prod=20";

async fn under_tapctl() -> Option<Duration> {
    let mut world = Workspace::new()?;
    world.context.every = FOLLOW_EVERY;
    world.cloud(&["control", "--delay", SLOW]);
    let previewed = world.preview().await;
    let run_request = yes(RunRequest::up("prod", &previewed.run.id, previewed.plan).ok()?);
    let start = Instant::now();
    world.context.execute(&run_request, &calm(), request(), &mut |_| ()).await.unwrap();
    Some(start.elapsed())
}

/// The same command, plan and all, without tapctl.
async fn bare() -> Option<Duration> {
    let world = Workspace::new()?;
    world.cloud(&["control", "--delay", SLOW]);
    let previewed = world.preview().await;
    let plan = world.context.runs.dir(&previewed.run.id)?.file("plan");
    let invocation = world.context.pulumi.run(RunKind::Up, &plan);
    let start = Instant::now();
    let status = Command::new(&invocation.argv[0])
        .args(&invocation.argv[1..])
        .envs(invocation.env)
        .current_dir(invocation.cwd)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let took = start.elapsed();
    status.success().then_some(took)
}

fn main() -> ExitCode {
    let pairs: usize = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(3);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut best = [Duration::MAX; 2];
    for pair in 0..pairs {
        let Some((ours, theirs)) = runtime.block_on(async { Some((under_tapctl().await?, bare().await?)) }) else {
            eprintln!("left out: there is no Pulumi CLI, and no Go to build one with");
            return ExitCode::SUCCESS;
        };
        println!("pair {}: {:.3} s under tapctl, {:.3} s bare", pair + 1, ours.as_secs_f64(), theirs.as_secs_f64());
        best = [best[0].min(ours), best[1].min(theirs)];
    }
    let more = (best[0].as_secs_f64() / best[1].as_secs_f64() - 1.0) * 100.0;
    println!("fastest: {:.3} s under tapctl, {:.3} s bare, {more:+.1} %", best[0].as_secs_f64(), best[1].as_secs_f64());
    if more <= 2.0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
