"""Which states of writer, traffic and both replication streams may be deployed, as one table.  Pure.

The run state of a stream has one owner: whoever starts and stops it.  This
program declares what it found, because the provider stops a running task to modify it and starts it again only when
it is declared as started (terraform-provider-aws, internal/service/dms/replication_task.go,
`resourceReplicationTaskUpdate`: stop, ModifyReplicationTask, then start if `start_replication_task`; a task that is
`ready` starts, any other resumes).
The only stream it ever starts is a forward one that has never run, when `startReplication` says so; and not in the run
that makes it, since DMS starts no task before a connection to each of its endpoints has been tested with success
(github.com/cockroachdb/cockroach, pull request 82182), and nobody can have tested endpoints that are not there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from lib import keys
from lib.keys import Key, Refusal
from lib.weights import Weights


class Run(Enum):
    """The run state of one stream, as far as it decides anything."""

    ABSENT = "not there"
    READY = "ready"
    RUNNING = "running"
    STOPPED = "stopped"
    BETWEEN = "between two states"
    UNKNOWN = "not known"


# Every status of the DMS API (DescribeReplicationTasks, ReplicationTask.Status).
_RUNS = {
    "ready": Run.READY,
    "running": Run.RUNNING,
    "stopped": Run.STOPPED,
    "failed": Run.STOPPED,
    "failed-move": Run.STOPPED,
    "creating": Run.BETWEEN,
    "starting": Run.BETWEEN,
    "stopping": Run.BETWEEN,
    "modifying": Run.BETWEEN,
    "moving": Run.BETWEEN,
    "deleting": Run.BETWEEN,
    "testing": Run.BETWEEN,
}


@dataclass(frozen=True)
class Stream:
    """What DMS says of one task."""

    run: Run
    status: str
    """DMS's own word."""

    @staticmethod
    def of(status: str) -> "Stream":
        """A task with this status; a status that is not known yet decides nothing."""
        return Stream(_RUNS.get(status, Run.UNKNOWN), status)


class Which(Enum):
    """One of the two streams: its name, and the stack output with its task."""

    FORWARD = ("forward", "dmsTaskArn")
    REVERSE = ("reverse", "dmsReverseTaskArn")

    @property
    def title(self) -> str:
        """What messages call it."""
        return self.value[0]

    def command(self, does: str, *, stack: str, region: str) -> str:
        """The command that stops it, resumes it from its checkpoint, or tells its status."""
        arn = f'"$(pulumi stack output {self.value[1]} --stack {stack})"'
        call = {
            "stop": f"stop-replication-task --replication-task-arn {arn}",
            "resume": "start-replication-task --start-replication-task-type resume-processing "
            f"--replication-task-arn {arn}",
            "status": f"describe-replication-tasks --without-settings --filters Name=replication-task-arn,Values={arn}",
        }[does]
        return f"aws dms {call} --region {region}"


ABSENT = Stream(Run.ABSENT, "not there")
UNKNOWN = Stream(Run.UNKNOWN, "not known")


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that the table looks at."""

    stack: str
    region: str
    record_name: str
    weights: Weights
    writer_is_aurora: bool
    legacy_follows_writer: bool
    loopback_prevention: bool
    start_asked: bool
    """Whether the configuration asks for the first start of the forward stream."""
    encrypted: bool
    """Whether the data between the two networks cannot be read on its way."""
    forward: Stream
    reverse: Stream

    @property
    def legacy_share(self) -> bool:
        """Whether Route 53 answers with the legacy stack; two weights of 0 are equal shares."""
        return self.weights.legacy > 0 or self.weights.new == 0

    @property
    def starts_forward(self) -> bool:
        """Whether this run would start the forward stream for the first time."""
        return self.start_asked and self.forward.run is Run.READY

    @property
    def forward_runs(self) -> bool:
        """Whether the forward stream runs when this run is over."""
        return self.forward.run is Run.RUNNING or self.starts_forward

    @property
    def reverse_runs(self) -> bool:
        """Whether the way back runs when this run is over."""
        return self.reverse.run is Run.RUNNING


@dataclass(frozen=True)
class Verdict:
    """What is declared, and what is said about it."""

    start_forward: bool
    start_reverse: bool
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    warnings: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class _Row:
    """One illegal state."""

    key: Key[object]
    when: Callable[[State], bool]
    sentence: Callable[[State], str]
    command: Callable[[State], str]


_ILLEGAL: tuple[_Row, ...] = (
    _Row(
        keys.WRITER,
        lambda state: state.writer_is_aurora and state.legacy_share and not state.legacy_follows_writer,
        lambda state: (
            f"is 'aurora', but {state.record_name} has {state.weights.legacy} legacy / {state.weights.new} new: the "
            "legacy stack gets requests and writes to its own database, so there would be two writers. Wanted: 0 legacy"
        ),
        lambda state: f"tapctl shift --stack {state.stack} --to 100   (or: pulumi config set writer legacy)",
    ),
    _Row(
        keys.WRITER,
        lambda state: state.writer_is_aurora and state.forward.run is Run.RUNNING and not state.loopback_prevention,
        lambda _: (
            "is 'aurora', but the forward stream is running: it carries rows of the legacy database over Aurora's own. "
            "Wanted: stopped, or loopback prevention on both streams"
        ),
        lambda state: Which.FORWARD.command("stop", stack=state.stack, region=state.region),
    ),
    _Row(
        keys.WRITER,
        # With the forward stream running as well, the row of the loopback below says it.
        lambda state: (
            not state.writer_is_aurora
            and state.reverse_runs
            and not state.forward_runs
            and not state.loopback_prevention
        ),
        lambda _: (
            "is 'legacy', but the way back is running: it carries Aurora's rows over the legacy database's own. "
            "Wanted: the way back stopped, or loopback prevention on both streams"
        ),
        lambda state: Which.REVERSE.command("stop", stack=state.stack, region=state.region),
    ),
    _Row(
        keys.START_REPLICATION,
        lambda state: state.start_asked and state.forward.run is Run.ABSENT,
        lambda _: (
            "is 'true', but the forward task is not there yet, and DMS starts none before its endpoints have been "
            "tested (README, 3 to 5: accounts and schema, image, connections). Wanted: 'false' for this `up`"
        ),
        lambda _: "pulumi config set startReplication false",
    ),
    _Row(
        keys.START_REPLICATION,
        # A load reads the tables, not the binary log, so loopback prevention does not know its rows.
        lambda state: not state.writer_is_aurora and state.starts_forward and state.reverse_runs,
        lambda state: (
            f"is 'true' and the forward stream is {state.forward.status}, but the way back is running: it would carry "
            "every row that the first load puts into Aurora back to the legacy database. Wanted: the way back stopped"
        ),
        lambda state: Which.REVERSE.command("stop", stack=state.stack, region=state.region),
    ),
    _Row(
        keys.START_REPLICATION,
        lambda state: state.writer_is_aurora and state.starts_forward,
        lambda state: (
            f"is 'true' and the forward stream is {state.forward.status}, but the writer is Aurora: a first start "
            "loads the legacy database over it. Wanted: 'false'"
        ),
        lambda _: "pulumi config set startReplication false",
    ),
    _Row(
        keys.LOOPBACK_PREVENTION,
        lambda state: (
            not state.writer_is_aurora and state.forward_runs and state.reverse_runs and not state.loopback_prevention
        ),
        lambda _: (
            "is 'false', but both streams run: each carries back what the other has written. Wanted: 'true', or one "
            "stream stopped"
        ),
        lambda state: Which.REVERSE.command("stop", stack=state.stack, region=state.region),
    ),
    _Row(
        keys.SOURCE_DB_CA_CERTIFICATE,
        lambda state: (state.forward_runs or state.reverse_runs) and not state.encrypted,
        lambda _: (
            "is not set, and without peering the replication would cross the Internet unencrypted. Wanted: the PEM of "
            "RDS's certificate authority for the legacy region, or the four keys of the peering"
        ),
        lambda _: "pulumi config set sourceDbCaCertificate < bundle.pem",
    ),
)


def decide(state: State) -> Verdict:
    """What to declare for both streams, what is refused, and what an operator should know."""
    verdict = Verdict(start_forward=state.forward_runs, start_reverse=state.reverse_runs)
    for which, stream in ((Which.FORWARD, state.forward), (Which.REVERSE, state.reverse)):
        if stream.run is Run.BETWEEN:
            verdict.refusals.append(
                Refusal(
                    keys.START_REPLICATION,
                    f"cannot be looked at while the {which.title} stream is {stream.status!r}. Wanted: running or "
                    "stopped",
                    which.command("status", stack=state.stack, region=state.region),
                )
            )
    verdict.refusals.extend(
        Refusal(row.key, row.sentence(state), row.command(state)) for row in _ILLEGAL if row.when(state)
    )
    verdict.warnings.extend(_warnings(state))
    return verdict


def _warnings(state: State) -> list[str]:
    said: list[str] = []
    for which, stream in ((Which.FORWARD, state.forward), (Which.REVERSE, state.reverse)):
        if stream.run is Run.STOPPED:
            said.append(
                f"the {which.title} stream is {stream.status} and stays so; to take it up where it stood: "
                + which.command("resume", stack=state.stack, region=state.region)
            )
        if stream.status in {"failed", "failed-move"}:
            said.append(f"the {which.title} stream has failed: see its log group before it is resumed")
    if state.writer_is_aurora and not state.reverse_runs:
        said.append(
            f"Aurora is the writer and the way back is {state.reverse.status}: a rollback loses what is written from "
            "now on"
        )
    if not state.writer_is_aurora and state.reverse_runs and not state.forward_runs:
        said.append("the way back runs and the forward stream does not: Aurora falls behind the legacy database")
    return said
