"""Drives the real Pulumi engine against the stand-in cloud, for the Python tests and for the recordings.

One `Engine` is one scratch folder: a copy of the program, a state, a cloud and its server.  A folder can be copied
while no server runs on it, so that many tests begin at the same deployed stack.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import cloud
import prerequisites
import replication
import world
from world import World

Json = dict[str, Any]

INTERRUPT_SECONDS = 60.0
STREAMED = ("--non-interactive", "--json", "--color", "never")


@dataclass(frozen=True)
class Run:
    """One command of the CLI that has ended."""

    exit_code: int
    output: str
    errors: str

    @property
    def events(self) -> list[Json]:
        """The engine events, one per line of the output."""
        return [cast("Json", json.loads(line)) for line in self.output.splitlines() if line.startswith("{")]

    @property
    def changes(self) -> dict[str, int]:
        """How many resources each operation was for, as the engine sums them up; `same` left out."""
        summaries = [event["summaryEvent"] for event in self.events if "summaryEvent" in event]
        counted = cast("dict[str, int]", summaries[-1]["resourceChanges"]) if summaries else {}
        return {operation: count for operation, count in counted.items() if operation != "same" and count}

    @property
    def messages(self) -> str:
        """Everything that was said to the operator."""
        diagnostics = [event["diagnosticEvent"] for event in self.events if "diagnosticEvent" in event]
        said = [str(each["message"]) for each in diagnostics if each["severity"] != "debug"]
        return "".join([*said, self.errors])

    @property
    def operations(self) -> dict[str, set[str]]:
        """What was done to each resource, by its logical name; what stayed the same is left out."""
        done: dict[str, set[str]] = {}
        for event in self.events:
            metadata = event.get("resourcePreEvent", {}).get("metadata")
            if metadata is not None and metadata["op"] not in {"same", "read", "refresh"}:
                done.setdefault(metadata["urn"].rsplit("::", 1)[-1], set()).add(metadata["op"])
        return done


class Engine:
    """The CLI, a copy of the program, and a cloud of its own."""

    def __init__(self, folder: Path, pulumi: Path, port: int, hosts: Path | None) -> None:
        """Uses the cloud that listens at `port`, and language hosts from there if there are any."""
        self.folder = folder
        self.program = folder / "program"
        self.world = World(folder / "cloud.json")
        self._pulumi = pulumi
        self._hosts = {} if hosts is None else {"TAPCTL_HOSTS": str(hosts)}
        self._variables = cloud.environment(port, folder / "home", pulumi)

    def make_stack(self, stack: str = "prod", **changes: str) -> None:
        """Makes a stack with a working configuration and these changes to it."""
        cloud.make_stack(self._pulumi, self.program, self._variables, stack, changes)

    def set_config(self, stack: str = "prod", /, **values: str) -> None:
        """Sets configuration keys of a stack."""
        cloud.configure(self.program, stack, values)

    def unset_config(self, *keys: str, stack: str = "prod") -> None:
        """Takes configuration keys of a stack away."""
        cloud.configure(self.program, stack, dict.fromkeys(keys))

    def preview(self, stack: str = "prod") -> Run:
        """Previews, streaming."""
        return self._run("preview", "--stack", stack, *STREAMED)

    def up(self, stack: str = "prod", *, refresh: bool = False) -> Run:
        """Updates without a preview, as tapctl does after it has shown one."""
        more = ["--refresh"] if refresh else []
        return self._run("up", "--stack", stack, "--yes", "--skip-preview", *STREAMED, *more)

    def interrupted_up(self, name: str, stack: str = "prod") -> Run:
        """Updates with the creation of a resource held, and interrupts the CLI as soon as it has begun."""
        self.world.set_control(hold=[f"create:{name}"])
        begun = re.compile(rf'"resourcePreEvent":.*"op":"create".*::{re.escape(name)}"')
        lines: list[str] = []
        with subprocess.Popen(
            self._command("up", "--stack", stack, "--yes", "--skip-preview", *STREAMED),
            # What lies in the state in the middle of a run is what this one is about.
            env=self.environment() | {"PULUMI_SKIP_CHECKPOINTS": "false"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            stdout = cast("IO[str]", running.stdout)
            for line in stdout:
                lines.append(line)
                if begun.search(line):
                    running.send_signal(signal.SIGINT)
                    break
            # The second interrupt ends a CLI that waits for its language host; no run may wait for ever.
            impatient = threading.Timer(INTERRUPT_SECONDS, running.send_signal, [signal.SIGINT])
            impatient.start()
            lines.extend(stdout)
            impatient.cancel()
        self.world.set_control()
        return Run(running.returncode, "".join(lines), "")

    def destroy(self, stack: str = "prod") -> Run:
        """Destroys without a preview."""
        return self._run("destroy", "--stack", stack, "--yes", "--skip-preview", *STREAMED)

    def outputs(self, stack: str = "prod") -> Json:
        """The stack's outputs, as tapctl reads them."""
        return cast("Json", json.loads(self._run("stack", "output", "--json", "--stack", stack).output))

    def test_connections(self, stack: str = "prod") -> None:
        """Tests the connections to all four endpoints of a stack, as an operator does before a stream starts."""
        instance = str(self.outputs(stack)["dmsReplicationInstanceArn"])
        with self.world.change() as changed:
            for each in cast("list[Json]", list(changed["resources"].values())):
                if each["type"] == replication.ENDPOINT and f":{stack}::" in each["urn"]:
                    prerequisites.test_connection(changed, instance, each["outputs"]["endpointArn"])

    def state(self, stack: str = "prod") -> str:
        """The stack's whole state, as it lies in the backend."""
        return self._run("stack", "export", "--stack", stack).output

    def _run(self, *arguments: str) -> Run:
        done = subprocess.run(
            self._command(*arguments),
            env=self.environment() | self._hosts,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def _command(self, *arguments: str) -> list[str]:
        return [str(self._pulumi), *arguments, "--cwd", str(self.program)]

    def environment(self) -> dict[str, str]:
        """The variables that the CLI runs in.

        The state is written when the CLI ends, since nobody looks at it before: after each step, as the engine does it
        otherwise, that takes longer than the steps.
        """
        more = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
        return {**os.environ, **self._variables, **more}


@contextmanager
def hosts() -> Generator[Path, None, None]:
    """Where language hosts are to be had at once, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="hosts-") as folder:
        path = Path(folder) / "socket"
        command = [sys.executable, str(cloud.HERE / "hosts.py"), "serve", str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as serving:
            assert cast("IO[bytes]", serving.stdout).readline(), "no language hosts"  # noqa: S101 -- for tests alone
            yield path


@contextmanager
def engine(folder: Path, pulumi: Path, hosts: Path | None = None) -> Generator[Engine, None, None]:
    """An engine on a folder: a new one, or one that was copied."""
    stop, port = cloud.start(folder / "cloud.json")
    try:
        if not (folder / "program").exists():
            cloud.copy_program(folder / "program")
        yield Engine(folder, pulumi, port, hosts)
    finally:
        stop()


def copy(template: Path, into: Path) -> Path:
    """Copies a folder on which no engine runs."""
    shutil.copytree(template, into)
    return into


def with_tasks(cloud: Json, **statuses: str) -> Json:
    """A cloud in which replication tasks of the stack `prod` stand already: `forward="running"`."""
    names = {"forward": "migration-dms-task-prod", "reverse": "migration-dms-reverse-task-prod"}
    for which, status in statuses.items():
        name = names[which]
        outputs = {"replicationTaskId": name, "status": status, "replicationTaskArn": f"arn:aws:dms:::task:{name}"}
        entry = {"name": name, "type": world.TASK, "id": name, "urn": name, "inputs": {}, "outputs": outputs}
        cloud["resources"][name] = entry
    return cloud


def with_weights(cloud: Json, legacy: int, new: int) -> Json:
    """A cloud in which the pair of the stack `prod` stands already."""
    for kind, weight in (("legacy", legacy), ("new", new)):
        record = {"zone_id": world.ZONE_ID, "name": "app.example.com", "type": "A", "weight": weight}
        cloud["given"]["records"].append({**record, "set_identifier": f"migration-{kind}-prod"})
    return cloud


def empty_cloud(**given: object) -> Json:
    """An empty cloud in which these parts of what was there before are replaced."""
    fresh = world.empty()
    fresh["given"].update(given)
    return fresh
