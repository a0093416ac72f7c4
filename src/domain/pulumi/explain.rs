//! A failed run, as a sentence and a way out.
//!
//! Pure. Knows the words of the Pulumi CLI (3.200 to 3.25x) and of its Python host; what it does not know it shows as
//! it is.

use crate::domain::units::counted;
use serde::Serialize;

use super::completeness::Gap;
use super::fold::RunState;
use super::guard::RunKind;
use super::lock::{self, Lock};
use super::progress::{Failure, RunOutcome};
use super::text::{capped, clean};

/// Bytes of the explanation's own words.
const MAX_WORDS: usize = 4 << 10;

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The update plan allows something else than what would be done now.
    WorldChanged,
    /// Another process holds the stack.
    Locked,
    /// The secrets of the stack cannot be read.
    Passphrase,
    /// Nobody is logged in where the state lies.
    Token,
    /// Pulumi has no folder of its own to write to.
    Home,
    /// The state's backend cannot be reached.
    Backend,
    /// The stack does not exist.
    NoStack,
    /// `Pulumi.yaml` is missing or cannot be read.
    Project,
    /// Required configuration is missing.
    Configuration,
    /// The program's language host or its dependencies are missing.
    Dependencies,
    /// The program raised.
    Program,
    /// A provider refused or failed.
    Resource,
    /// It was interrupted.
    Interrupted,
    /// The disk was full.
    DiskFull,
    /// The run stopped without saying anything.
    BrokenOff,
    /// Pulumi says that all went well, and its events do not say what that was.
    OutcomeUnknown,
    /// What was read of a preview may not be the whole plan.
    IncompletePlan,
    /// Something else.
    Other,
}

/// A failed run in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What kind it was.
    pub kind: FailureKind,
    /// What happened.
    pub sentence: String,
    /// What to do.
    pub next_step: String,
    /// Who holds the stack, when it is locked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<Lock>,
}

/// Words of the CLI, the kind of failure that they mean, and what to do about it. The first match counts.
const WORDS: &[(&str, FailureKind, &str)] = &[
    ("the stack is currently locked", FailureKind::Locked, "wait for the holder, or clear the lock when it is dead"),
    ("is not allowed by the plan", FailureKind::WorldChanged, REPLAN),
    ("violates plan", FailureKind::WorldChanged, REPLAN),
    ("but none were seen", FailureKind::WorldChanged, REPLAN),
    (FULL, FailureKind::DiskFull, MAKE_ROOM),
    ("No space left on device", FailureKind::DiskFull, MAKE_ROOM),
    ("passphrase must be set", FailureKind::Passphrase, PASSPHRASE),
    ("incorrect passphrase", FailureKind::Passphrase, PASSPHRASE),
    ("no Pulumi.yaml project file found", FailureKind::Project, "set the program's folder in the configuration"),
    ("failed to load Pulumi project", FailureKind::Project, "fix Pulumi.yaml where the message says"),
    ("could not unmarshal", FailureKind::Project, "fix Pulumi.yaml where the message says"),
    ("could not load current project", FailureKind::Project, "fix Pulumi.yaml where the message says"),
    ("no stack named", FailureKind::NoStack, "create it with `pulumi stack init`, or name another with --stack"),
    ("no stack selected", FailureKind::NoStack, "name one with --stack"),
    ("Missing required configuration variable", FailureKind::Configuration, "set it with `pulumi config set`"),
    ("missing required configuration", FailureKind::Configuration, "set it with `pulumi config set`"),
    ("failed to load checkpoint", FailureKind::Backend, HALF_WRITTEN),
    ("ModuleNotFoundError", FailureKind::Dependencies, INSTALL),
    ("failed to load language plugin", FailureKind::Dependencies, INSTALL),
    ("It looks like the Pulumi SDK has not been installed", FailureKind::Dependencies, INSTALL),
    ("The virtual environment", FailureKind::Dependencies, INSTALL),
    ("failed to download plugin", FailureKind::Dependencies, PLUGIN),
    ("could not load plugin", FailureKind::Dependencies, PLUGIN),
    ("could not create workspace", FailureKind::Home, HOME),
    ("unable to mkdir", FailureKind::Home, HOME),
    ("PULUMI_HOME", FailureKind::Home, HOME),
    ("PULUMI_ACCESS_TOKEN", FailureKind::Token, TOKEN),
    ("invalid access token", FailureKind::Token, TOKEN),
    ("[401] Unauthorized", FailureKind::Token, TOKEN),
    ("failed to open backend", FailureKind::Backend, BACKEND),
    ("performing HTTP request", FailureKind::Backend, BACKEND),
    (".pulumi/meta.yaml", FailureKind::Backend, BACKEND),
    ("blob (key", FailureKind::Backend, BACKEND),
    ("problem logging in", FailureKind::Backend, BACKEND),
    ("unable to open bucket", FailureKind::Backend, BACKEND),
    ("could not list bucket", FailureKind::Backend, BACKEND),
    ("Traceback (most recent call last)", FailureKind::Program, RAISED),
    ("Program failed with an unhandled exception", FailureKind::Program, RAISED),
];
/// The system's words for a full disk, in lower case: Go writes them so, the C library with a capital.
const FULL: &str = "no space left on device";
const MAKE_ROOM: &str = "make room where the state folder and Pulumi's state lie (`df -h`), refresh, and preview again";
const LOOK_AGAIN: &str = "make room if the disk of the state folder is full (`df -h`), then `tapctl preview` shows how \
                          everything stands";
const READ_AGAIN: &str = "preview again; if it stays so, read the run's file events.jsonl, or `pulumi preview` by hand";
const REPLAN: &str = "nothing outside the plan was done; preview again, and read what is different";
const PASSPHRASE: &str = "set PULUMI_CONFIG_PASSPHRASE_FILE (or PULUMI_CONFIG_PASSPHRASE) in the environment of tapctl";
const TOKEN: &str = "set PULUMI_ACCESS_TOKEN, or log in with `pulumi login`; PULUMI_BACKEND_URL names another backend";
const HOME: &str = "set PULUMI_HOME to a folder that this user may write to; nothing was changed";
const INSTALL: &str = "run `pulumi install` in the program's folder";
const PLUGIN: &str = "run `pulumi install` in the program's folder where the Internet can be reached, or copy the plug-in \
                      there; nothing was changed";
const HALF_WRITTEN: &str = "nothing was changed. Another run may be writing the state just now: try again in a moment. If it \
                            stays so, a run was killed while it wrote: take the last whole state, which a file:// backend \
                            keeps beside it as .bak, and a bucket in its versions";
const RAISED: &str = "read the trace in the run's output, fix the program, and preview again";
const BACKEND: &str = "check PULUMI_BACKEND_URL, the network and the credentials; nothing was changed";

/// What to do about words of the CLI, when they are known.
#[must_use]
pub fn next_step(said: &str) -> Option<&'static str> {
    WORDS.iter().find(|(needle, ..)| said.contains(needle)).map(|(.., next_step)| *next_step)
}

/// How the process of a run ended, as far as somebody saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessEnd {
    /// With this exit code; nothing when a signal ended it.
    Code(Option<i32>),
    /// It never began, for this reason.
    NotStarted(String),
    /// Nobody saw it: the host went down, or whoever waited for it was killed.
    Unseen,
}

/// Why a run that ended did not succeed; nothing when it did. The exit code decides, and the stream only where nobody
/// saw the exit code. A good exit code alone proves nothing: without the stream's two ends nobody knows what was done,
/// and a preview's plan has to be the whole one.
#[must_use]
pub fn failure(kind: RunKind, run_state: &RunState, exit: &ProcessEnd, stderr: &str) -> Option<Explanation> {
    match exit {
        ProcessEnd::Code(Some(0)) => doubt(kind, run_state),
        ProcessEnd::Code(code) => Some(explain(run_state, *code, stderr)),
        ProcessEnd::NotStarted(error) => Some(not_started(error)),
        // Nobody saw the exit code, but the engine said its last word.
        ProcessEnd::Unseen if run_state.ending() == Some(RunOutcome::Succeeded) => doubt(kind, run_state),
        ProcessEnd::Unseen => Some(explain(run_state, None, stderr)),
    }
}

fn doubt(kind: RunKind, run_state: &RunState) -> Option<Explanation> {
    let gaps: Vec<String> = run_state.gaps().iter().map(ToString::to_string).collect();
    let why = |kind, sentence: String, next_step: &str| {
        Some(Explanation {
            kind,
            sentence: capped(&sentence, MAX_WORDS).into_owned(),
            next_step: next_step.to_owned(),
            locks: vec![],
        })
    };
    if !run_state.has_both_ends() {
        let progress = run_state.progress();
        let of = progress.total.map(|total| format!(" of {total}")).unwrap_or_default();
        return why(
            FailureKind::OutcomeUnknown,
            format!(
                "the outcome is not known: Pulumi succeeded, but its events do not say what was done ({}; {}{of} resources \
                 were read)",
                gaps.join("; "),
                progress.done
            ),
            LOOK_AGAIN,
        );
    }
    if kind.is_preview() && !gaps.is_empty() {
        let sentence = format!("incomplete plan, so nothing of it can be run: {}", gaps.join("; "));
        return why(FailureKind::IncompletePlan, sentence, READ_AGAIN);
    }
    None
}

fn not_started(error: &str) -> Explanation {
    let full = error.to_lowercase().contains(FULL);
    let (kind, next_step) = if full {
        (FailureKind::DiskFull, MAKE_ROOM)
    } else {
        (FailureKind::Other, "`tapctl doctor` says what is missing; nothing was changed")
    };
    let sentence = format!("it could not be started: {error}");
    Explanation { kind, sentence, next_step: next_step.to_owned(), locks: Vec::new() }
}

/// Whether the events stop in the middle of a line: what a full disk, or a crash, leaves behind.
#[must_use]
pub fn is_cut(run_state: &RunState) -> bool {
    run_state.ends_torn() && run_state.summary().is_none()
}

/// Explains why a run did not succeed. `stderr` is the tail of what it wrote there.
#[must_use]
pub fn explain(run_state: &RunState, exit: Option<i32>, stderr: &str) -> Explanation {
    let failures = run_state.failures();
    let texts: Vec<&str> = failures.iter().map(|failure| failure.text).chain([stderr]).collect();
    if run_state.ending() == Some(RunOutcome::Canceled) {
        return Explanation {
            kind: FailureKind::Interrupted,
            sentence: "it was interrupted; Pulumi finished what was under way and kept its state".to_owned(),
            next_step: "preview again to see what is left to do".to_owned(),
            locks: Vec::new(),
        };
    }
    if let Some(known) = in_known_words(&texts) {
        return known;
    }
    in_its_own_words(run_state, failures.first(), exit, stderr)
}

/// The explanation, where one of these texts holds words of the CLI that are known.
fn in_known_words(texts: &[&str]) -> Option<Explanation> {
    let known = WORDS.iter().find_map(|word| Some((word, texts.iter().find(|text| text.contains(word.0))?)));
    let ((needle, kind, next_step), text) = known?;
    let locks = if *kind == FailureKind::Locked { lock::from_message(text).unwrap_or_default() } else { Vec::new() };
    let said = around(text, needle);
    let sentence = match kind {
        FailureKind::WorldChanged => format!("the world changed since you read the plan: {said}"),
        FailureKind::Locked if !locks.is_empty() => {
            let holders: Vec<String> = locks.iter().map(ToString::to_string).collect();
            format!("the stack is locked by {}", holders.join(" and "))
        }
        FailureKind::Program => {
            let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
            format!("the program raised {}", capped(&clean(last), MAX_WORDS))
        }
        _ => said,
    };
    Some(Explanation { kind: *kind, sentence, next_step: (*next_step).to_owned(), locks })
}

/// The explanation of what nobody knows: the first failure's words, or Pulumi's own.
fn in_its_own_words(
    run_state: &RunState,
    failure: Option<&Failure<'_>>,
    exit: Option<i32>,
    stderr: &str,
) -> Explanation {
    let (kind, sentence, next_step) = match (run_state.ending(), failure) {
        (Some(RunOutcome::Broken) | None, None) if exit.is_none() || stderr.trim().is_empty() => {
            let left = run_state.unfinished().len();
            let open = if left == 0 {
                String::new()
            } else {
                format!(", with {} under way", counted(left, "resource", "resources"))
            };
            let cut = if is_cut(run_state) {
                "; its last line is cut, as a crash or a full disk leaves it (`df -h`)"
            } else {
                ""
            };
            (
                FailureKind::BrokenOff,
                format!("it stopped without an ending{open}{cut}"),
                "look at the pending operations, then refresh, before anything else".to_owned(),
            )
        }
        (_, Some(failure)) => {
            let about = failure.resource.map(|r| format!("{} ({}): ", r.name(), r.short_type())).unwrap_or_default();
            (
                if failure.resource.is_some() { FailureKind::Resource } else { FailureKind::Other },
                format!("{about}{}", capped(failure.text.trim(), MAX_WORDS)),
                "fix the cause and run preview again; resources created so far are in the state".to_owned(),
            )
        }
        (_, None) => {
            let said = clean(stderr.trim());
            let said = said.strip_prefix("error: ").unwrap_or(&said);
            let said = if said.is_empty() { "Pulumi gave no reason" } else { said };
            let code = exit.map(|code| format!(" (exit code {code})")).unwrap_or_default();
            (
                FailureKind::Other,
                format!("{}{code}", capped(said, MAX_WORDS)),
                "read the run's own output; nothing is retried blindly".to_owned(),
            )
        }
    };
    Explanation { kind, sentence, next_step, locks: Vec::new() }
}

/// What has to be said of a run that went well although not all of its events could be read: what is listed is not all.
#[must_use]
pub fn unread(run_state: &RunState) -> Option<String> {
    let lost: Vec<String> = run_state
        .gaps()
        .iter()
        .filter(|gap| matches!(gap, Gap::Torn(_) | Gap::TooLong(_)))
        .map(ToString::to_string)
        .collect();
    (!lost.is_empty()).then(|| {
        let lost = lost.join(", and ");
        format!("all was done, and what is listed here may not be all of it: {lost}; `tapctl preview` shows how everything stands")
    })
}

/// The line that holds the words, without the prefix that only says that it is an error.
fn around(text: &str, needle: &str) -> String {
    let line = text.lines().find(|line| line.contains(needle)).unwrap_or(text).trim();
    let line = clean(line);
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    capped(line, MAX_WORDS).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_become_a_sentence_and_a_way_out() {
        for (stderr, kind) in [
            ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or …", FailureKind::Passphrase),
            ("error: no Pulumi.yaml project file found (searching upwards from /x).", FailureKind::Project),
            ("error: no stack named 'prod' found", FailureKind::NoStack),
            ("error: write /state/x: no space left on device", FailureKind::DiskFull),
            ("error: failed to load language plugin python: not found", FailureKind::Dependencies),
            ("error: PULUMI_ACCESS_TOKEN must be set for login", FailureKind::Token),
            ("error: could not create workspace: unable to mkdir '/ro/.pulumi'", FailureKind::Home),
            ("error: failed to load checkpoint: EOF", FailureKind::Backend),
            ("error: performing HTTP request: Get \"https://api.pulumi.com/\": i/o timeout", FailureKind::Backend),
            ("error: invalid access token", FailureKind::Token),
            (
                "error: could not load plugin for aws provider 'urn:x': failed to download plugin: aws-7.1.0",
                FailureKind::Dependencies,
            ),
            ("error: something new", FailureKind::Other),
            ("", FailureKind::BrokenOff),
        ] {
            let explained = explain(&RunState::new(), Some(1), stderr);
            assert_eq!(explained.kind, kind, "{stderr}");
            assert!(!explained.sentence.is_empty() && !explained.next_step.is_empty());
            assert!(!explained.sentence.starts_with("error:"), "{}", explained.sentence);
        }
    }

    fn read(lines: &[&str]) -> RunState {
        let mut run_state = RunState::new();
        for line in lines {
            run_state.fold_line(line.as_bytes());
        }
        run_state.process_ended();
        run_state
    }

    const BEGIN: &str = r#"{"sequence":0,"timestamp":100,"preludeEvent":{"config":{}}}"#;
    const COUNT: &str = r#"{"sequence":8,"timestamp":101,"summaryEvent":{"resourceChanges":{},"result":"succeeded"}}"#;
    const END: &str = r#"{"sequence":9,"timestamp":101,"cancelEvent":{}}"#;

    #[test]
    fn a_good_exit_code_without_both_ends_of_the_stream_is_no_success() {
        let done = ProcessEnd::Code(Some(0));
        for lines in [&[][..], &[BEGIN], &[BEGIN, END], &[COUNT, END]] {
            for kind in [RunKind::Preview, RunKind::Up, RunKind::Refresh, RunKind::Destroy] {
                let why = failure(kind, &read(lines), &done, "").unwrap();
                assert_eq!(why.kind, FailureKind::OutcomeUnknown, "{kind} {lines:?}");
                assert!(why.sentence.contains("outcome is not known") && !why.next_step.is_empty(), "{}", why.sentence);
            }
        }
        for kind in [RunKind::Preview, RunKind::Up] {
            assert_eq!(failure(kind, &read(&[BEGIN, COUNT, END]), &done, ""), None);
        }
    }

    #[test]
    fn a_preview_whose_plan_is_not_whole_did_not_succeed_and_a_run_only_lists_less() {
        let run_state = read(&[BEGIN, r#"urces":"torn"}"#, COUNT, END]);
        for exit in [ProcessEnd::Code(Some(0)), ProcessEnd::Unseen] {
            let why = failure(RunKind::Preview, &run_state, &exit, "").unwrap();
            assert_eq!(why.kind, FailureKind::IncompletePlan);
            assert!(why.sentence.contains("1 line of its events could not be read"), "{}", why.sentence);
            assert_eq!(failure(RunKind::Up, &run_state, &exit, ""), None);
        }
        assert!(unread(&run_state).unwrap().contains("1 line of its events could not be read"));
        assert_eq!(unread(&read(&[BEGIN, COUNT, END])), None);
    }

    #[test]
    fn the_exit_code_decides_and_the_stream_where_nobody_saw_it() {
        let succeeded = include_str!("../../../tests/fixtures/engine/up.jsonl");
        let up = RunKind::Up;
        let run_state = read(&succeeded.lines().collect::<Vec<_>>());
        assert_eq!(failure(up, &run_state, &ProcessEnd::Unseen, ""), None);
        assert_eq!(failure(up, &run_state, &ProcessEnd::Code(Some(0)), ""), None);
        assert!(failure(up, &run_state, &ProcessEnd::Code(Some(1)), "").is_some());
        let lines: Vec<&str> = succeeded.lines().take(20).chain(["{\"sequence\":21,\"timest"]).collect();
        let why = failure(up, &read(&lines), &ProcessEnd::Unseen, "").unwrap();
        assert_eq!(why.kind, FailureKind::BrokenOff);
        assert!(why.sentence.contains("full disk"), "{}", why.sentence);
    }

    #[test]
    fn words_before_the_first_event_are_no_cut_line() {
        let dead = read(&["Installing dependencies...", BEGIN]);
        let why = explain(&dead, None, "");
        assert!(
            why.sentence.contains("stopped without an ending") && !why.sentence.contains("disk"),
            "{}",
            why.sentence
        );
        let cut = read(&["Installing dependencies...", BEGIN, "{\"sequence\":1,\"timest"]);
        assert!(explain(&cut, None, "").sentence.contains("full disk"));
        let whole_again = read(&[BEGIN, "warning: a plug-in speaks", r#"{"sequence":3,"timestamp":1,"x":{}}"#]);
        assert!(!explain(&whole_again, None, "").sentence.contains("disk"));
    }

    #[test]
    fn a_full_disk_is_called_by_its_name_whoever_says_it() {
        let words = "events.jsonl: No space left on device (os error 28)";
        for why in [
            failure(RunKind::Up, &RunState::new(), &ProcessEnd::NotStarted(words.into()), "").unwrap(),
            explain(&RunState::new(), Some(1), words),
        ] {
            assert_eq!(why.kind, FailureKind::DiskFull);
            assert!(why.next_step.contains("make room"), "{}", why.next_step);
        }
    }

    #[test]
    fn a_refused_plan_says_that_the_world_changed() {
        let stderr = "error: update is not allowed by the plan: no steps were expected for this resource";
        let explained = explain(&RunState::new(), Some(1), stderr);
        assert_eq!(explained.kind, FailureKind::WorldChanged);
        assert!(explained.sentence.starts_with("the world changed since you read the plan"));
    }

    #[test]
    fn a_lock_names_its_holder() {
        let stderr = "error: the stack is currently locked by 1 lock(s). Either wait …\n  file:///x/1.json: created by \
                      bob@bastion-1 (pid 999) at 2026-11-22T12:40:31Z";
        let explained = explain(&RunState::new(), Some(1), stderr);
        assert_eq!(explained.locks.len(), 1);
        assert!(explained.sentence.contains("bob@bastion-1 (pid 999) since 2026-11-22T12:40:31Z"));
    }
}
