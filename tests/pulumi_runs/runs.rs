//! Real processes: a shell script in the place of Pulumi, our own binary as its supervisor.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::process::Signal;
use tapctl::adapters::pulumi::RunStatus;
use tapctl::adapters::pulumi::folder::{RunRecord, file};
use tapctl::adapters::pulumi::process::{ProcessId, host};
use tapctl::adapters::pulumi::run::{StartedBy, Supervisor};
use tapctl::adapters::pulumi::{Interrupted, PulumiError, interrupt, run, stack_run};
use tapctl::domain::confirm::{Confirmed, YesFlag};
use tapctl::domain::pulumi::{AskedBefore, BlockedReason, FailureKind, ForceStop, RunKind, RunOutcome, RunState};

use crate::support::pulumi::{Fake, follow_until, request, until};

const BEGIN: &str = r#"echo '{"sequence":0,"timestamp":100,"preludeEvent":{"config":{}}}'"#;
const END: &str = r#"echo '{"sequence":1,"timestamp":101,"summaryEvent":{"durationSeconds":1,"resourceChanges":{},"result":"succeeded"}}'
echo '{"sequence":2,"timestamp":101,"cancelEvent":{}}'"#;

async fn start(fake: &Fake) -> tapctl::adapters::pulumi::Started {
    let c = &fake.context;
    run::preview(&c.runs, &c.pulumi, &c.supervisor, false, request()).await.unwrap()
}

fn yes() -> YesFlag {
    YesFlag::from_cli(true).unwrap()
}

#[tokio::test]
async fn a_run_is_kept_with_its_command_its_output_and_its_end() {
    let fake = Fake::new(&format!("{BEGIN}\necho 'error: said on stderr' >&2\n{END}\nexit 7"));
    let started = start(&fake).await;
    let (run_state, status) = follow_until(&started.dir, |_| false).await;
    let Some(RunStatus::Ended(end)) = status else { panic!("{status:?}") };
    assert_eq!((end.code, end.signal), (Some(7), None));
    assert_eq!(run_state.ending(), Some(RunOutcome::Succeeded), "the stream says so, the exit code decides");
    let record = started.dir.read().unwrap().unwrap();
    assert_eq!((record.kind, record.stack.as_str(), record.operator.as_str()), (RunKind::Preview, "prod", "oncall"));
    assert_eq!(record.line, started.line);
    assert!(record.line.starts_with("pulumi preview --stack prod --refresh --save-plan"), "{}", record.line);
    assert_eq!(started.dir.stderr_tail(1000), "error: said on stderr\n");
    assert_eq!(fs::metadata(started.dir.path()).unwrap().permissions().mode() & 0o777, 0o700);
    for name in [file::EVENTS, file::STDERR, file::STATE, file::PLAN, file::END] {
        let mode = fs::metadata(started.dir.file(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    let again = fake.context.attach(None, &mut |_| ()).await.unwrap();
    assert_eq!(again.id, record.id);
    assert!(again.failure.is_some());
}

#[tokio::test]
async fn a_closed_terminal_and_a_killed_starter_leave_the_run_going() {
    let fake = Fake::new(&format!("{BEGIN}\nwait_for_gate\n{END}"));
    let runs = &fake.context.runs;
    let dir = runs.create(RunKind::Refresh, request().at).unwrap();
    let invocation = fake.context.pulumi.run(RunKind::Refresh, &dir.file(file::PLAN));
    dir.write(&RunRecord {
        schema: 1,
        id: dir.id(),
        kind: RunKind::Refresh,
        stack: "prod".into(),
        preview: None,
        intent: None,
        line: invocation.line,
        argv: invocation.argv,
        cwd: invocation.cwd,
        env: invocation.env,
        operator: "oncall".into(),
        host: host(),
        started_at: request().at,
        starter: ProcessId::own(),
        supervisor: None,
        child: None,
        end: None,
        locks_stream: false,
        is_written: None,
    })
    .unwrap();
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut shell = CommandBuilder::new("sh");
    let line = format!("'{}' __run --dir '{}' & cat", env!("CARGO_BIN_EXE_tapctl"), dir.path().display());
    shell.args(["-c", &line]);
    let mut shell = pty.slave.spawn_command(shell).unwrap();
    drop(pty.slave);
    let record = until(&dir, |record, status| *status == RunStatus::Running && record.child.is_some()).await;
    // The terminal goes away: its session gets SIGHUP. Then the shell that started it is killed as well.
    drop(pty.master);
    let _ended_by_hangup = shell.kill();
    shell.wait().unwrap();
    record.supervisor.as_ref().unwrap().signal(Signal::HUP).unwrap();
    assert!(record.child.as_ref().unwrap().is_alive());
    assert_eq!(dir.read().unwrap().unwrap().status(), RunStatus::Running);
    assert!(stack_run(fake.folder.path()).unwrap().unwrap().contains("pulumi refresh on prod since"));
    fake.open_gate();
    let (run_state, status) = follow_until(&dir, |_| false).await;
    assert!(matches!(status, Some(RunStatus::Ended(end)) if end.succeeded()));
    assert_eq!(run_state.ending(), Some(RunOutcome::Succeeded));
    assert_eq!(stack_run(fake.folder.path()), Ok(None));
}

#[tokio::test]
async fn whoever_opens_tapctl_next_sees_the_run_from_its_first_event() {
    let fake = Fake::new(&format!("{BEGIN}\nwait_for_gate\n{END}"));
    let started = start(&fake).await;
    let (first, _) = follow_until(&started.dir, |run_state| run_state.lines().events == 1).await;
    assert_eq!(first.ending(), None);
    let mut seen = 0;
    let mut gate = Some(());
    let finished = fake
        .context
        .attach(None, &mut |run_state: &RunState| {
            seen = run_state.lines().events;
            if gate.take().is_some() {
                fake.open_gate();
            }
        })
        .await
        .unwrap();
    assert_eq!(seen, 3);
    assert!(finished.failure.is_none(), "{:?}", finished.failure);
    assert_eq!(finished.id, started.dir.id());
}

#[tokio::test]
async fn a_run_goes_on_when_its_supervisor_is_killed_and_its_stream_tells_the_end() {
    let fake = Fake::new(&format!("{BEGIN}\nwait_for_gate\n{END}"));
    let started = start(&fake).await;
    let record = until(&started.dir, |record, _| record.child.is_some()).await;
    record.supervisor.as_ref().unwrap().signal(Signal::KILL).unwrap();
    until(&started.dir, |record, _| !record.supervisor.as_ref().unwrap().is_alive()).await;
    assert_eq!(started.dir.read().unwrap().unwrap().status(), RunStatus::Running);
    assert!(matches!(
        run::preview(&fake.context.runs, &fake.context.pulumi, &fake.context.supervisor, false, request()).await,
        Err(PulumiError::Refused(BlockedReason::RunGoesOn(_)))
    ));
    fake.open_gate();
    let (run_state, status) = follow_until(&started.dir, |_| false).await;
    assert_eq!((status, run_state.ending()), (Some(RunStatus::Lost), Some(RunOutcome::Succeeded)));
}

#[tokio::test]
async fn a_killed_run_is_explained_and_keeps_what_it_wrote() {
    let pre = r#"echo '{"timestamp":100,"resourcePreEvent":{"metadata":{"op":"create","urn":"urn:pulumi:prod::tap::aws:rds/cluster:Cluster::aurora","type":"aws:rds/cluster:Cluster","old":null,"new":{"custom":true}}}}'
printf '{"timestamp":101,"resOut'"#;
    let fake = Fake::new(&format!("{BEGIN}\n{pre}\nwait_for_gate"));
    let started = start(&fake).await;
    let record = until(&started.dir, |record, _| record.child.is_some()).await;
    follow_until(&started.dir, |run_state| run_state.under_way().len() == 1).await;
    record.child.as_ref().unwrap().signal(Signal::KILL).unwrap();
    let finished = fake.context.attach(None, &mut |_| ()).await.unwrap();
    assert!(matches!(&finished.status, RunStatus::Ended(end) if end.signal == Some(9)), "{:?}", finished.status);
    assert_eq!(finished.state.ending(), Some(RunOutcome::Broken));
    assert_eq!(finished.state.unfinished()[0].name(), "aurora");
    let failure = finished.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::BrokenOff);
    assert!(failure.sentence.contains("1 resource under way"), "{}", failure.sentence);
    fake.open_gate();
}

#[tokio::test]
async fn a_number_that_was_given_away_again_is_not_the_run() {
    let fake = Fake::new("exit 0");
    let started = start(&fake).await;
    let over = |record: &RunRecord, status: &RunStatus| {
        !status.is_active() && record.supervisor.as_ref().is_some_and(|supervisor| !supervisor.is_alive())
    };
    let mut record = until(&started.dir, over).await;
    let own = ProcessId::own().unwrap();
    let (boot, _) = own.identity.split_once(':').unwrap();
    let stranger = ProcessId { identity: format!("{boot}:1"), ..own.clone() };
    fs::write(started.dir.file(file::END), "").unwrap();
    (record.end, record.child, record.supervisor) = (None, Some(stranger), None);
    record.starter = None;
    started.dir.write(&record).unwrap();
    assert_eq!(started.dir.read().unwrap().unwrap().status(), RunStatus::Lost);
    assert_eq!(stack_run(fake.folder.path()), Ok(None));
    let refused = interrupt::ask_to_stop(&started.dir, &request()).unwrap_err();
    assert_eq!(refused, PulumiError::NotRunning);
    record.child = Some(own);
    started.dir.write(&record).unwrap();
    assert_eq!(started.dir.read().unwrap().unwrap().status(), RunStatus::Running);
}

#[tokio::test]
async fn an_interrupt_is_sent_once_and_the_second_needs_a_word() {
    let script =
        format!("trap 'echo int >> \"$HERE/interrupts\"' INT\n{BEGIN}\nwait_for_gate\nwait_for_gate\n{END}\nexit 8");
    let fake = Fake::new(&script);
    let started = start(&fake).await;
    let (run_state, _) = follow_until(&started.dir, |run_state| run_state.lines().events == 1).await;
    let termination = ForceStop::new(&started.dir.id(), &run_state, AskedBefore::Proved);
    let early = interrupt::terminate(&fake.context.runs, &Confirmed::by_flag(termination.clone(), yes()), &request());
    assert!(early.is_err(), "by force only after it was asked");
    let ask = || interrupt::ask_to_stop(&started.dir, &request());
    assert_eq!(ask(), Ok(Interrupted::Asked));
    assert_eq!(ask(), Ok(Interrupted::AlreadyAsked));
    assert_eq!(ask(), Ok(Interrupted::AlreadyAsked));
    fake.open_gate();
    let interrupts = fake.path("interrupts");
    while !interrupts.exists() {
        tokio::time::sleep(crate::support::pulumi::EVERY).await;
    }
    assert_eq!(fs::read_to_string(&interrupts).unwrap(), "int\n");
    interrupt::terminate(&fake.context.runs, &Confirmed::by_flag(termination, yes()), &request()).unwrap();
    fake.open_gate();
    let (_, status) = follow_until(&started.dir, |_| false).await;
    assert!(matches!(status, Some(RunStatus::Ended(end)) if end.code == Some(8)));
    assert_eq!(fs::read_to_string(&interrupts).unwrap(), "int\nint\n");
    assert_eq!(ask(), Err(PulumiError::NotRunning));
}

#[tokio::test]
async fn where_nothing_proves_that_a_run_was_not_asked_only_its_word_sends_a_request() {
    let heard =
        r#"{"sequence":2,"timestamp":1,"stdoutEvent":{"message":"^C received; cancelling.\n","color":"never"}}"#;
    let script = format!(
        "heard() {{ printf '%s\\n' '{heard}'; echo int >> \"$HERE/interrupts\"; }}\ntrap heard INT\n{BEGIN}\nwait_for_gate\n\
         wait_for_gate\n{END}\nexit 8"
    );
    let fake = Fake::new(&script);
    let started = start(&fake).await;
    follow_until(&started.dir, |run_state| run_state.lines().events == 1).await;
    // Neither how far it comes nor that it was asked can be kept: a folder and a broken link stand in the place of the files.
    fs::create_dir(started.dir.file("stop-1a-2")).unwrap();
    fs::remove_file(started.dir.file(file::INTERRUPTED)).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", started.dir.file(file::INTERRUPTED)).unwrap();
    let by = StartedBy { intent: Some("1a-2".into()), ..request() };
    for _ in 0..2 {
        let unproved = interrupt::ask_to_stop(&started.dir, &by);
        assert!(matches!(unproved, Err(PulumiError::MayBeSecond(_))), "{unproved:?}");
    }
    let by_force = ForceStop::new(&started.dir.id(), &RunState::new(), AskedBefore::Proved);
    interrupt::terminate(&fake.context.runs, &Confirmed::by_flag(by_force, yes()), &by).unwrap();
    fake.open_gate();
    follow_until(&started.dir, |run_state| run_state.interrupts() == 1).await;
    assert_eq!(interrupt::ask_to_stop(&started.dir, &by), Ok(Interrupted::AlreadyAsked), "Pulumi has said so");
    fs::remove_file(started.dir.file(file::INTERRUPTED)).unwrap();
    assert_eq!(
        interrupt::ask_to_stop(&started.dir, &by),
        Ok(Interrupted::AlreadyAsked),
        "also where a mark can be made"
    );
    fake.open_gate();
    follow_until(&started.dir, |_| false).await;
    assert_eq!(fs::read_to_string(fake.path("interrupts")).unwrap(), "int\n");
}

#[tokio::test]
async fn nothing_outlives_the_folder_of_a_test() {
    let fake = Fake::new(&format!("{BEGIN}\nwait_for_gate\n{END}"));
    let started = start(&fake).await;
    let record = until(&started.dir, |record, _| record.child.is_some()).await;
    let folder = fake.folder.path().to_owned();
    drop(fake);
    assert!(!folder.exists());
    assert!([record.supervisor, record.child].into_iter().flatten().all(|process| !process.is_alive()));
}

#[tokio::test]
async fn two_at_once_start_one_run() {
    let fake = Fake::new(&format!("{BEGIN}\nwait_for_gate\n{END}"));
    let c = &fake.context;
    let one = || run::preview(&c.runs, &c.pulumi, &c.supervisor, false, request());
    let (a, b) = tokio::join!(one(), one());
    let (started, refused) = if a.is_ok() { (a, b) } else { (b, a) };
    assert!(matches!(refused, Err(PulumiError::Refused(BlockedReason::RunGoesOn(_)))), "{refused:?}");
    assert_eq!(c.runs.ids().unwrap().len(), 1);
    fake.open_gate();
    follow_until(&started.unwrap().dir, |_| false).await;
}

#[tokio::test]
async fn a_pulumi_that_is_not_there_leaves_an_ended_run_and_a_sentence() {
    let fake = Fake::new("exit 0");
    fs::remove_file(fake.path("pulumi")).unwrap();
    let c = &fake.context;
    let error = run::preview(&c.runs, &c.pulumi, &c.supervisor, false, request()).await.unwrap_err();
    assert!(matches!(&error, PulumiError::NotStarted(message) if message.contains("pulumi")), "{error:?}");
    assert_eq!(error.exit_code(), 7);
    assert_eq!(stack_run(fake.folder.path()), Ok(None));
    let finished = c.attach(None, &mut |_| ()).await.unwrap();
    assert!(finished.failure.unwrap().sentence.contains("No such file"));
}

#[tokio::test]
async fn a_run_that_never_began_does_not_stand_in_the_way() {
    let fake = Fake::new("exit 0");
    let c = &fake.context;
    for program in ["/nowhere/tapctl", "/bin/false"] {
        let broken = Supervisor { program: program.into() };
        let error = run::preview(&c.runs, &c.pulumi, &broken, false, request()).await.unwrap_err();
        assert!(matches!(error, PulumiError::NotStarted(_)), "{error:?}");
        assert_eq!(stack_run(fake.folder.path()), Ok(None), "{program}");
    }
    start(&fake).await;
}

#[tokio::test]
async fn a_run_of_another_host_is_not_taken_for_dead() {
    let fake = Fake::new("exit 0");
    let started = start(&fake).await;
    let over = |record: &RunRecord, status: &RunStatus| {
        !status.is_active() && record.supervisor.as_ref().is_some_and(|supervisor| !supervisor.is_alive())
    };
    let mut record = until(&started.dir, over).await;
    fs::write(started.dir.file(file::END), "").unwrap();
    (record.end, record.host) = (None, "another-bastion".into());
    for process in [&mut record.starter, &mut record.supervisor, &mut record.child].into_iter().flatten() {
        process.identity = "another boot:4711".into();
    }
    started.dir.write(&record).unwrap();
    assert!(stack_run(fake.folder.path()).unwrap().unwrap().contains("another-bastion"));
    let refused = interrupt::ask_to_stop(&started.dir, &request()).unwrap_err();
    assert_eq!(refused, PulumiError::Elsewhere("another-bastion".into()));
}

#[tokio::test]
async fn an_end_is_written_where_no_new_file_can_be_made() {
    let fake = Fake::new(&format!("{BEGIN}\nwait_for_gate\nexit 3"));
    let started = start(&fake).await;
    until(&started.dir, |record, _| record.child.is_some()).await;
    // A folder in the way of the new state does what a full disk does: the file cannot be written.
    fs::create_dir(started.dir.file(".state.new")).unwrap();
    fake.open_gate();
    let record = until(&started.dir, |_, status| !status.is_active()).await;
    assert_eq!(record.end.unwrap().code, Some(3));
}

#[tokio::test]
async fn events_that_are_gone_or_garbage_do_not_hide_the_end() {
    let fake = Fake::new("wait_for_gate\necho garbage\nprintf 'more garb'\nexit 2");
    let started = start(&fake).await;
    fs::remove_file(started.dir.file(file::EVENTS)).unwrap();
    fake.open_gate();
    let finished = fake.context.attach(Some(&started.dir.id()), &mut |_| ()).await.unwrap();
    assert!(matches!(&finished.status, RunStatus::Ended(end) if end.code == Some(2)));
    let again = start(&fake).await;
    fake.open_gate();
    let finished = fake.context.attach(Some(&again.dir.id()), &mut |_| ()).await.unwrap();
    assert_eq!(finished.state.lines().garbage, 2);
    assert!(finished.failure.is_some());
    let mut kept = String::new();
    fs::File::open(again.dir.file(file::EVENTS)).unwrap().read_to_string(&mut kept).unwrap();
    assert_eq!(kept, "garbage\nmore garb");
}

/// A preview of one create and the delete of a database, whose line is `delete`, and the engine's count of both.
fn preview_with(delete: &str) -> String {
    format!(
        r#"{BEGIN}
step() {{ printf '{{"sequence":%s,"timestamp":1,"resourcePreEvent":{{"metadata":{{"op":"%s","urn":"urn:pulumi:prod::t::%s::x","type":"%s","old":null,"new":{{"custom":true,"parent":"%s"}}}},"planning":true}}}}\n' "$@"; }}
step 1 create aws:lb/loadBalancer:LoadBalancer aws:lb/loadBalancer:LoadBalancer ''
{delete}
echo '{{"sequence":8,"timestamp":1,"summaryEvent":{{"resourceChanges":{{"create":1,"delete":1}},"isPreview":true,"result":"succeeded"}}}}'
echo '{{"sequence":9,"timestamp":1,"cancelEvent":{{}}}}'"#
    )
}

#[tokio::test]
async fn a_preview_that_lost_a_line_is_no_plan_and_says_what_is_missing() {
    let database = "aws:rds/cluster:Cluster aws:rds/cluster:Cluster";
    let whole = format!("step 2 delete {database} ''");
    // More than is read of one line: its room is given back, and what it held is not known.
    let long = format!("step 2 delete {database} \"$(head -c 9437184 /dev/zero | tr '\\0' y)\"");
    for (delete, missing) in [
        (format!("{whole} | cut -c40-"), "1 line of its events could not be read"),
        (long, "1 line of its events longer than is read"),
        (String::new(), "the engine counts 1 delete, 0 were read"),
        (format!("{whole}; {whole}"), "twice"),
        (whole.replace("delete", "same"), "the engine counts 1 delete, 0 were read"),
        (whole.replace("delete", "teleport"), "does not know"),
    ] {
        let fake = Fake::new(&preview_with(&delete));
        let error = fake.context.preview(false, request(), &mut |_| ()).await.unwrap_err();
        assert!(error.to_string().contains("incomplete plan") && error.to_string().contains(missing), "{error}");
        assert_eq!(error.exit_code(), 7);
    }
    let fake = Fake::new(&preview_with(&whole));
    let previewed = fake.context.preview(false, request(), &mut |_| ()).await.unwrap();
    assert_eq!(previewed.plan.text(), "create 1, delete 1");
}

#[tokio::test]
async fn a_run_that_ends_well_and_says_nothing_is_no_success() {
    for script in ["exit 0", "echo Installing dependencies...", BEGIN] {
        let fake = Fake::new(script);
        for destroy in [false, true] {
            let error = fake.context.preview(destroy, request(), &mut |_| ()).await.unwrap_err();
            assert!(error.to_string().contains("outcome is not known"), "{script}: {error}");
            assert_eq!(error.exit_code(), 7);
        }
    }
}

#[test]
fn of_two_runs_that_begin_in_one_second_the_later_one_is_the_newest() {
    let fake = Fake::new("exit 0");
    let runs = &fake.context.runs;
    runs.create(RunKind::PreviewDestroy, request().at).unwrap();
    let destroy = runs.create(RunKind::Destroy, request().at.plus(std::time::Duration::from_millis(5))).unwrap();
    assert_eq!(runs.newest().unwrap(), Some(destroy));
}

#[test]
fn a_state_that_cannot_be_read_is_not_idle() {
    let fake = Fake::new("exit 0");
    assert_eq!(stack_run(fake.folder.path()), Ok(None));
    let dir = fake.context.runs.create(RunKind::Up, request().at).unwrap();
    assert_eq!(stack_run(fake.folder.path()), Ok(None), "a run that never began");
    fs::write(dir.file(file::STATE), "{").unwrap();
    let error = stack_run(fake.folder.path()).unwrap_err();
    assert!(error.to_string().contains("state.json"), "{error}");
    assert!(fake.context.runs.dir("../runs").is_none() && fake.context.runs.dir("").is_none());
}
