"""The stand-in cloud as other programs use it: on the command line."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cloud
import world

Cli = Callable[..., str]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "cloud.json"


@pytest.fixture
def cli() -> Cli:
    def run(*arguments: str) -> str:
        command = [sys.executable, str(cloud.HERE / "cloud.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    return run


def test_it_serves_until_its_standard_input_ends(state: Path) -> None:
    command = [sys.executable, str(cloud.HERE / "cloud.py"), "serve", "--state", str(state), "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        port = int(serving.stdout.readline())
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
        serving.communicate(timeout=30)
        assert serving.returncode == 0
    assert json.loads(state.read_text(encoding="utf-8")) == world.empty()


def test_weights_are_moved_and_shown(state: Path, cli: Cli) -> None:
    there = world.World(state)
    with there.change() as changed:
        for name, weight in (("one", 100), ("two", 0)):
            record = {"zone_id": world.ZONE_ID, "name": "a.example.com", "type": "A"}
            changed["given"]["records"].append({**record, "set_identifier": name, "weight": weight})
    assert json.loads(cli("weights", "--state", str(state), "one=70", "two=30")) == {"one": 70, "two": 30}
    assert there.weights() == {"one": 70, "two": 30}
    with pytest.raises(subprocess.CalledProcessError):
        cli("weights", "--state", str(state), "three=1")


def test_tasks_are_started_and_stopped_behind_pulumis_back(state: Path, cli: Cli) -> None:
    there = world.World(state)
    with there.change() as changed:
        outputs = {"replicationTaskId": "one", "status": "ready"}
        changed["resources"]["one"] = {"name": "one", "type": world.TASK, "id": "one", "outputs": outputs}
    assert json.loads(cli("task", "--state", str(state), "one=running")) == {"one": "running"}
    assert there.tasks() == {"one": "running"}


def test_what_goes_wrong_is_said_and_taken_back(state: Path, cli: Cli) -> None:
    there = world.World(state)
    cli("control", "--state", str(state), "--fail", "a=no more a", "--hold", "create:b", "--delay", "c=1.5")
    assert there.control() == world.Control(fail={"a": "no more a"}, hold=("create:b",), delay={"c": 1.5})
    cli("control", "--state", str(state), "--deny", "getLoadBalancer")
    assert there.control().deny == ("getLoadBalancer",)
    cli("control", "--state", str(state))
    assert there.control() == world.Control(fail={}, hold=(), delay={})


def test_the_environment_as_lines_and_as_json(tmp_path: Path, cli: Cli) -> None:
    options = ["env", "--port", "4711", "--home", str(tmp_path), "--pulumi", "/opt/pulumi/bin/pulumi"]
    told: dict[str, str] = json.loads(cli(*options, "--json"))
    assert dict(line.split("=", 1) for line in cli(*options).splitlines()) == told
    assert told["PULUMI_DEBUG_PROVIDERS"] == "aws:4711,random:4711"
    assert told["PATH"].startswith(f"{cloud.HERE}/bin:/opt/pulumi/bin:")
    assert told["PULUMI_BACKEND_URL"].startswith(f"file://{tmp_path}")


def test_what_exists_is_shown_by_type(state: Path, cli: Cli) -> None:
    there = world.World(state)
    with there.change() as changed:
        for kind in ("aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"):
            changed["resources"][kind] = {"name": kind, "type": kind, "id": "x", "outputs": {}}
    assert json.loads(cli("show", "--state", str(state), "--type", "aws:ec2/vpc:Vpc"))["name"] == "aws:ec2/vpc:Vpc"
    assert len(cli("show", "--state", str(state)).splitlines()) == 2
