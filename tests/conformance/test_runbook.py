"""The runbook that tapctl writes, followed as it stands: every command in it, by AWS's own command line."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import PATIENCE, Simulator
from test_way_back import Bastion, half_way

MAIN = re.compile(r"^(`{3,})sh$")


class Command(NamedTuple):
    """One line of a block, the section that it stands in, and the words right before its block."""

    section: str
    before: str
    line: str


def commands(text: str) -> list[Command]:
    found: list[Command] = []
    section, before, fence = "", "", ""
    for line in text.splitlines():
        opened = MAIN.match(line)
        if fence and line == fence:
            fence = ""
        elif fence:
            found.append(Command(section, before, line))
        elif opened:
            fence = opened[1]
        elif line.startswith("#"):
            section = line.lstrip("# ")
        elif line:
            before = line
    return found


def made(bastion: Bastion, *arguments: str) -> str:
    printed = bastion.tapctl("runbook", *arguments)
    assert printed.returncode == 0, printed.stderr
    return printed.stdout


def shell(bastion: Bastion, line: str) -> subprocess.CompletedProcess[str]:
    bastion.sim.advance(60)
    folder = Path(os.environ["TAPCTL_BIN"]).parent
    env = bastion.env | {"PATH": f"{folder}:{bastion.env['PATH']}"}
    return subprocess.run(["sh", "-c", line], env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)


def weights(bastion: Bastion) -> str:
    """As the runbook writes them."""
    by_id = {record["SetIdentifier"]: record["Weight"] for record in bastion.records()}
    return f"{by_id['migration-legacy-prod']}/{by_id['migration-new-prod']}"


def put(bastion: Bastion, pair: str) -> None:
    """The pair as it is, with other weights, behind everybody's back."""
    wanted = dict(zip(("migration-legacy-prod", "migration-new-prod"), map(int, pair.split("/")), strict=True))
    there = bastion.records()
    changed = [{**record, "Weight": wanted[record["SetIdentifier"]]} for record in there]
    bastion.change(*(("DELETE", record) for record in there), *(("CREATE", record) for record in changed))


@pytest.fixture
def bastion(start: Callable[..., Simulator], tmp_path: Path) -> Bastion:
    return Bastion(start(), tmp_path)


def is_write(command: Command) -> bool:
    return " change-resource-record-sets " in command.line


def test_the_night_goes_forward_and_back_from_each_step_by_what_is_written(bastion: Bastion) -> None:
    steps: dict[str, dict[str, Command]] = {}
    for command in filter(is_write, commands(made(bastion))):
        if command.section.startswith("Step "):
            way = "back" if command.before.startswith("Back from ") else "forward"
            assert way not in steps.setdefault(command.section, {}), command
            steps[command.section][way] = command
    assert len(steps) == 10
    for section, ways in steps.items():
        before, after = re.fullmatch(r"Step \d+: (\d+/\d+) to (\d+/\d+)", section).groups()
        assert weights(bastion) == before
        bastion.send(ways["forward"].line)
        assert weights(bastion) == after
        bastion.send(ways["back"].line)
        assert weights(bastion) == "100/0" and bastion.leads_home()
        put(bastion, after)
    assert weights(bastion) == "0/100"


def test_every_command_that_only_looks_answers(bastion: Bastion) -> None:
    seen = 0
    for command in commands(made(bastion)):
        if is_write(command):
            continue
        line = command.line
        # What asks a question is tried without its answer.
        line += " --dry-run" if line.startswith(("tapctl shift", "tapctl rollback")) and "--print" not in line else ""
        if line.startswith("tapctl shift") and "--to 10 " not in line:
            continue
        answer = shell(bastion, line)
        assert answer.returncode == 0, (line, answer.stdout, answer.stderr)
        if line.startswith("aws "):
            assert json.loads(answer.stdout), line
            seen += 1
    assert seen > 8


def test_half_way_the_way_back_of_now_is_in_it_and_nothing_was_sent(bastion: Bastion) -> None:
    half_way(bastion)
    there = bastion.records()
    text = made(bastion, "--read-only")
    assert bastion.records() == there
    back = [command for command in commands(text) if is_write(command) and command.section.startswith("5. ")]
    assert len(back) == 1
    bastion.send(back[0].line)
    assert bastion.leads_home()
    # An old one can do no harm: the records are others now.
    again = shell(bastion, back[0].line)
    assert again.returncode != 0 and "InvalidChangeBatch" in again.stderr


def test_without_the_control_plane_it_says_what_is_not_known_and_its_section_needs_no_route_53(bastion: Bastion) -> None:
    bastion.sim.fault(service="route53", drop=True)
    text = made(bastion)
    assert "- Weights: not known: " in text
    assert not any(map(is_write, commands(text)))
    section = [command for command in commands(text) if command.section.startswith("6. ")]
    without = [command.line for command in section if " route53 " not in command.line]
    assert len(without) == 2
    for line in without:
        assert shell(bastion, line).returncode == 0, line


def test_the_command_that_it_names_prints_its_hash(bastion: Bastion, tmp_path: Path) -> None:
    file = tmp_path / "runbook.md"
    written = bastion.tapctl("runbook", "--output", str(file))
    assert (written.returncode, written.stdout) == (0, ""), written.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text(encoding="utf-8")
    named, command = re.search(r"`([0-9a-f]{64})`; `(sed [^`]+)`", text).groups()
    printed = shell(bastion, command.replace("FILE", str(file)))
    assert printed.stdout.split()[0] == named
    assert hashlib.sha256(text.split("<!-- content -->\n", 2)[-1].encode()).hexdigest() == named
