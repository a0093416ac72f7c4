//! The update plan that a preview writes, and whether it is still the one that was read.
//!
//! The process that waits for the preview writes down what the file is like when Pulumi is gone. Whoever runs the plan
//! looks again: a file that is missing, empty, another one or written since is not what was read.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::folder::{RunDir, RunRecord, Runs, file};
use super::follow::plan_of;
use crate::domain::pulumi::ended::FileMark;
use crate::domain::pulumi::guard::{BlockedReason, RunKind};
use crate::domain::pulumi::problem::PulumiError;
use crate::domain::pulumi::run_request::RunRequest;

/// The file at `path` now.
///
/// # Errors
/// What the system says; `InvalidInput` for anything but a plain file.
pub fn mark_of(path: &Path) -> io::Result<FileMark> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file"));
    }
    Ok(FileMark { inode: meta.ino(), bytes: meta.len(), written: (meta.mtime(), meta.mtime_nsec()) })
}

/// Refuses an order whose preview is not there as it was read: another run, another stack, another plan.
///
/// # Errors
/// [`BlockedReason::OtherPlan`] and [`BlockedReason::IncompletePlan`], and `Storage` when the preview's files cannot be read.
pub fn check(runs: &Runs, run_request: &RunRequest) -> Result<(), PulumiError> {
    let Some(id) = run_request.preview() else { return Ok(()) };
    let other = |what: String| PulumiError::Refused(BlockedReason::OtherPlan(what));
    let dir = runs.dir(id).ok_or_else(|| other(format!("the preview {id} is gone")))?;
    let record = dir.read()?.ok_or_else(|| other(format!("nothing is known of the preview {id}")))?;
    let wanted = if run_request.kind() == RunKind::Destroy { RunKind::PreviewDestroy } else { RunKind::Preview };
    if record.kind != wanted || record.stack != run_request.stack() {
        return Err(other(format!("{id} is a {} of {}", record.kind, record.stack)));
    }
    let read = plan_of(&dir)?;
    if !read.is_whole() {
        return Err(PulumiError::Refused(BlockedReason::incomplete(&read)));
    }
    if !read.is_same_as(run_request.plan()) {
        return Err(other(format!("the events of {id} say {} now", read.text())));
    }
    if run_request.kind() == RunKind::Up { check_file(&dir, &record) } else { Ok(()) }
}

fn check_file(dir: &RunDir, record: &RunRecord) -> Result<(), PulumiError> {
    let other =
        |what: &str| PulumiError::Refused(BlockedReason::OtherPlan(format!("the plan file of {} {what}", dir.id())));
    let now = mark_of(&dir.file(file::PLAN)).map_err(|error| other(&format!("cannot be read ({error})")))?;
    if now.bytes == 0 {
        return Err(other("is empty"));
    }
    match record.end.as_ref().and_then(|end| end.plan) {
        Some(then) if then == now => Ok(()),
        Some(_) => Err(other("was written after the preview had ended")),
        None => Err(other("was not looked at when the preview ended")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pulumi::ended::RunEnd;
    use crate::domain::units::Timestamp;

    const PREVIEW: &str = include_str!("../../../tests/fixtures/engine/bundled-preview.jsonl");

    struct Previewed {
        _folder: tempfile::TempDir,
        runs: Runs,
        dir: RunDir,
    }

    fn record(dir: &RunDir, kind: RunKind) -> RunRecord {
        RunRecord {
            schema: 1,
            id: dir.id(),
            kind,
            stack: "prod".into(),
            preview: None,
            intent: None,
            line: String::new(),
            argv: vec![],
            cwd: "/".into(),
            env: vec![],
            operator: "oncall".into(),
            host: "bastion".into(),
            started_at: Timestamp::default(),
            starter: None,
            supervisor: None,
            child: None,
            end: None,
            locks_stream: false,
            is_written: None,
        }
    }

    /// A preview that ended well, with its events and its plan.
    fn preview() -> Previewed {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::new(folder.path());
        let dir = runs.create(RunKind::Preview, Timestamp::default()).unwrap();
        fs::write(dir.file(file::EVENTS), PREVIEW).unwrap();
        fs::write(dir.file(file::PLAN), "{}").unwrap();
        let plan = mark_of(&dir.file(file::PLAN)).ok();
        let end = RunEnd { at: Timestamp::default(), code: Some(0), signal: None, error: None, plan };
        dir.write(&RunRecord { end: Some(end), ..record(&dir, RunKind::Preview) }).unwrap();
        Previewed { _folder: folder, runs, dir }
    }

    impl Previewed {
        fn run_request(&self) -> RunRequest {
            RunRequest::up("prod", &self.dir.id(), plan_of(&self.dir).unwrap()).unwrap()
        }
    }

    fn refusal(previewed: &Previewed, run_request: &RunRequest) -> String {
        check(&previewed.runs, run_request).unwrap_err().to_string()
    }

    #[test]
    fn what_was_read_may_run() {
        let previewed = preview();
        assert_eq!(check(&previewed.runs, &previewed.run_request()), Ok(()));
    }

    #[test]
    fn a_plan_file_that_is_gone_or_empty_or_of_another_run_is_refused() {
        let previewed = preview();
        let run_request = previewed.run_request();
        let plan = previewed.dir.file(file::PLAN);
        fs::write(&plan, "").unwrap();
        assert!(refusal(&previewed, &run_request).contains("is empty"));
        let other = preview();
        fs::remove_file(&plan).unwrap();
        assert!(refusal(&previewed, &run_request).contains("cannot be read"));
        std::os::unix::fs::symlink(other.dir.file(file::PLAN), &plan).unwrap();
        assert!(refusal(&previewed, &run_request).contains("not a plain file"));
        fs::remove_file(&plan).unwrap();
        fs::copy(other.dir.file(file::PLAN), &plan).unwrap();
        assert!(refusal(&previewed, &run_request).contains("was written after the preview had ended"));
    }

    #[test]
    fn events_that_are_others_than_those_that_were_read_are_refused() {
        let previewed = preview();
        let run_request = previewed.run_request();
        let events = previewed.dir.file(file::EVENTS);
        let cut: Vec<&str> = PREVIEW.lines().filter(|line| !line.contains("aws:rds/cluster:Cluster::")).collect();
        fs::write(&events, cut.join("\n")).unwrap();
        assert!(refusal(&previewed, &run_request).contains("incomplete plan"), "{}", refusal(&previewed, &run_request));
        fs::write(&events, PREVIEW.replace("migration-aurora-prod", "migration-aurora-prad")).unwrap();
        assert!(
            refusal(&previewed, &run_request).contains("is not the one that would run"),
            "{}",
            refusal(&previewed, &run_request)
        );
    }

    #[test]
    fn a_preview_of_another_kind_or_stack_is_refused() {
        let previewed = preview();
        let plan = plan_of(&previewed.dir).unwrap();
        let elsewhere = RunRequest::up("night", &previewed.dir.id(), plan.clone()).unwrap();
        assert!(refusal(&previewed, &elsewhere).contains("is a preview of prod"));
        let destroy = RunRequest::destroy("prod", &previewed.dir.id(), plan.clone()).unwrap();
        assert!(refusal(&previewed, &destroy).contains("is a preview of prod"));
        let gone = RunRequest::up("prod", "20261123T021900Z-preview", plan).unwrap();
        assert!(refusal(&previewed, &gone).contains("is gone"));
    }
}
