//! Which replication stream a planned change stops, and how it comes back.
//!
//! Pure. DMS modifies a task, or an endpoint of one, only while the task stands still: the provider stops a task that
//! changes, modifies it and starts it again from its checkpoint (terraform-provider-aws,
//! `internal/service/dms/replication_task.go`). It stops one for a changed endpoint too, and then normally leaves it
//! stopped: `ModifyEndpoint` begins a connection test, so the provider's own is refused, and it goes on without a word
//! (`endpoint.go`; issue 46139 of that repository). A replication instance restarts, with every task on it.

use std::fmt;

use serde::Serialize;

use super::event::Diff;

const TASK: &str = "aws:dms/replicationTask:ReplicationTask";
const ENDPOINT: &str = "aws:dms/endpoint:Endpoint";
const INSTANCE: &str = "aws:dms/replicationInstance:ReplicationInstance";

/// Properties that change nothing at DMS's side of a stream: tags, and what the program declares about a stream's run
/// state, which is what it found, unless that switches a stream off.
const HARMLESS: [&str; 3] = ["tags", "tagsAll", RUN_STATE];
/// What declares whether a task runs. The provider stops a running task where it is false now (`replication_task.go`).
pub const RUN_STATE: &str = "startReplicationTask";

/// The streams that a resource belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Streams {
    /// From the legacy database to Aurora.
    Forward,
    /// The way back, from Aurora to the legacy database.
    Reverse,
    /// Both, or it cannot be told which.
    Both,
}

impl Streams {
    /// The streams of a resource of the bundled program, by its type and name; `None` when it belongs to none.
    #[must_use]
    pub fn of(rtype: &str, name: &str) -> Option<Self> {
        let has = |parts: [&str; 2]| parts.iter().any(|part| name.contains(part));
        match rtype {
            TASK if name.contains("dms-reverse-task") => Some(Self::Reverse),
            TASK if name.contains("dms-task") => Some(Self::Forward),
            ENDPOINT if has(["dms-legacy-source", "dms-aurora-target"]) => Some(Self::Forward),
            ENDPOINT if has(["dms-aurora-source", "dms-legacy-target"]) => Some(Self::Reverse),
            INSTANCE | TASK | ENDPOINT => Some(Self::Both),
            _ => None,
        }
    }

    /// How a stream that did not come back by itself is taken up from its checkpoint: a call of `aws dms`.
    #[must_use]
    pub const fn resume(self) -> &'static str {
        match self {
            Self::Forward => "start-replication-task with resume-processing (output dmsTaskArn)",
            Self::Reverse => "start-replication-task with resume-processing (output dmsReverseTaskArn)",
            Self::Both => "start-replication-task with resume-processing (outputs dmsTaskArn, dmsReverseTaskArn)",
        }
    }

    /// From where a stream starts whose task is a new one.
    #[must_use]
    pub const fn start_over(self) -> &'static str {
        match self {
            Self::Forward => "the forward stream ends, and a new task loads every table again",
            Self::Reverse => {
                "the way back ends, and a new task starts from a position of Aurora's binary log that is noted first"
            }
            Self::Both => {
                "both streams end: the forward one loads every table again, the way back starts from a position of \
                 Aurora's binary log that is noted first"
            }
        }
    }
}

impl fmt::Display for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forward => "the forward stream (legacy to Aurora)",
            Self::Reverse => "the way back (Aurora to legacy)",
            Self::Both => "both replication streams",
        })
    }
}

/// How long a stream stands still that was stopped for a resource of this type. AWS says of the upgrade of a replication
/// instance that it takes "several minutes" (DMS guide, "Upgrading the engine version of a replication instance"), and of
/// the rest nothing. The lag grows by as much.
#[must_use]
pub fn how_long(rtype: &str, stays_stopped: bool) -> &'static str {
    match rtype {
        _ if stays_stopped || rtype == ENDPOINT => "until somebody resumes it",
        INSTANCE => "for several minutes where its engine is upgraded, else for how long is not known",
        _ => "for how long is not known",
    }
}

/// What becomes of a stream that was stopped for a resource of this type; the command that resumes it follows.
#[must_use]
pub fn afterwards(rtype: &str, stays_stopped: bool) -> &'static str {
    if stays_stopped {
        "it is declared as one that does not run, and stays stopped; where that is not meant, declare it as running, or \
         resume it"
    } else if rtype == ENDPOINT {
        "a stream that runs now normally stays stopped, and the run ends with an error that says so; resume it"
    } else {
        "a stream that runs now starts again from its checkpoint, one that stands still stays so; if it does not come \
         back"
    }
}

/// The properties for which a stream is stopped, without those that change nothing for it; `halts` says that what is
/// declared about its run state switches it off.
#[must_use]
pub fn stops_for(diffs: &[Diff], halts: bool) -> Vec<String> {
    let root = |path: &str| path.split(['.', '[']).next().unwrap_or(path).to_owned();
    let mut found: Vec<String> = diffs.iter().map(|diff| root(&diff.path)).collect();
    found.retain(|path| !HARMLESS.contains(&path.as_str()) || (halts && path == RUN_STATE));
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_replication_belongs_to_its_stream() {
        for (rtype, name, streams) in [
            (TASK, "migration-dms-task-prod", Some(Streams::Forward)),
            (TASK, "migration-dms-reverse-task-prod", Some(Streams::Reverse)),
            (TASK, "somebody-elses", Some(Streams::Both)),
            (ENDPOINT, "migration-dms-legacy-source-prod", Some(Streams::Forward)),
            (ENDPOINT, "migration-dms-aurora-target-prod", Some(Streams::Forward)),
            (ENDPOINT, "migration-dms-aurora-source-prod", Some(Streams::Reverse)),
            (ENDPOINT, "migration-dms-legacy-target-prod", Some(Streams::Reverse)),
            (INSTANCE, "migration-dms-prod", Some(Streams::Both)),
            ("aws:dms/certificate:Certificate", "migration-dms-ca-prod", None),
            ("aws:ecs/service:Service", "migration-dms-task-prod", None),
        ] {
            assert_eq!(Streams::of(rtype, name), streams, "{rtype} {name}");
        }
    }

    #[test]
    fn tags_and_a_declared_run_state_stop_nothing() {
        let diff = |path: &str| Diff { path: path.to_owned(), replaces: false };
        let harmless = ["tags.Owner", "tagsAll.Owner", "startReplicationTask"].map(diff);
        assert_eq!(stops_for(&harmless, false), Vec::<String>::new());
        assert_eq!(stops_for(&harmless, true), [RUN_STATE]);
        let mixed = ["tags.Owner", "tableMappings", "replicationTaskSettings"].map(diff);
        assert_eq!(stops_for(&mixed, false), ["tableMappings", "replicationTaskSettings"]);
        // The provider pauses the streams of an endpoint as soon as it is told that it may.
        assert_eq!(stops_for(&["pauseReplicationTasks"].map(diff), false), ["pauseReplicationTasks"]);
    }
}
