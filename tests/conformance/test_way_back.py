"""The way back that tapctl prints, sent as it stands by AWS's own command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import PATIENCE, Simulator

RECORD = "app.example.com."
LEGACY_ID = "migration-legacy-prod"


class Bastion:
    """A host beside a simulator, with tapctl, a shell and AWS's command line."""

    def __init__(self, sim: Simulator, folder: Path) -> None:
        self.sim = sim
        self.client = sim.client("route53", "us-east-1", strict=False)
        self.env = {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "TAPCTL_OUTPUTS": str(folder / "outputs.json"),
            "TAPCTL_ENDPOINT_URL": sim.endpoint,
            "TAPCTL_STATE_DIR": str(folder / "state"),
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_EC2_METADATA_DISABLED": "true",
            "LC_ALL": "C.UTF-8",
        }

    def tapctl(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [os.environ["TAPCTL_BIN"], *arguments]
        # Route 53 takes five calls a second of the whole account.
        self.sim.advance(60)
        return subprocess.run(command, env=self.env | env, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def send(self, command: str) -> None:
        """Does what was printed, in a shell."""
        self.sim.advance(60)
        sent = subprocess.run(["sh", "-c", command], env=self.env, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert sent.returncode == 0, sent.stderr
        assert json.loads(sent.stdout)["ChangeInfo"]["Status"] == "PENDING"

    def change(self, *changes: tuple[str, dict[str, Any]]) -> None:
        self.sim.advance(60)
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
        self.client.change_resource_record_sets(HostedZoneId=self.sim.outputs["hostedZoneId"], ChangeBatch=batch)

    def records(self) -> list[dict[str, Any]]:
        self.sim.advance(60)
        answer = self.client.list_resource_record_sets(HostedZoneId=self.sim.outputs["hostedZoneId"], StartRecordName=RECORD)
        return [record for record in answer["ResourceRecordSets"] if record["Name"] == RECORD]

    def leads_home(self) -> bool:
        """Whether every record that is answered leads to the legacy balancer."""
        legacy = self.sim.outputs["legacyLbDnsName"]
        answered = [record for record in self.records() if record.get("Weight", 1) > 0]
        leads = [record["AliasTarget"]["DNSName"].removeprefix("dualstack.").rstrip(".") for record in answered]
        return bool(leads) and all(target == legacy for target in leads)


@pytest.fixture
def bastion(start: Callable[..., Simulator], tmp_path: Path) -> Bastion:
    return Bastion(start(), tmp_path)


def half_way(bastion: Bastion) -> None:
    moved = bastion.tapctl("shift", "--to", "50", "--yes", "--override", "step-size", "--reason", "drill")
    assert moved.returncode == 0, moved.stderr


def third_member(bastion: Bastion) -> None:
    half_way(bastion)
    alias = {"HostedZoneId": "Z1H1FL5HABSF5", "DNSName": "blue.us-west-2.elb.amazonaws.com", "EvaluateTargetHealth": False}
    bastion.change(("CREATE", {"Name": RECORD, "Type": "A", "SetIdentifier": "it's blue", "Weight": 7, "AliasTarget": alias}))


def without_legacy(bastion: Bastion) -> None:
    half_way(bastion)
    legacy = next(record for record in bastion.records() if record["SetIdentifier"] == LEGACY_ID)
    bastion.change(("DELETE", legacy))


def released_to_new(bastion: Bastion) -> None:
    gone = bastion.tapctl("evacuate", "--reason", "drill", "--yes", "--confirm", "prod")
    assert gone.returncode == 0, gone.stderr
    assert bastion.tapctl("status").returncode == 0
    released = bastion.tapctl("release", "--to", "new", "--yes")
    assert released.returncode == 0, released.stderr
    assert "RDS in us-east-1 still takes the writes" in released.stderr
    assert "tapctl rollback --print" in released.stderr


SHAPES = [half_way, third_member, without_legacy, released_to_new]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_printed_batch_sends_all_of_it_back(bastion: Bastion, shape: Callable[[Bastion], None]) -> None:
    shape(bastion)
    assert not bastion.leads_home()
    before = bastion.records()
    printed = bastion.tapctl("rollback", "--print")
    assert printed.returncode == 0, printed.stderr
    assert bastion.records() == before, "nothing was sent"
    bastion.send(printed.stdout)
    assert bastion.leads_home(), bastion.records()


def test_it_is_printed_read_only_and_without_a_state_folder(bastion: Bastion, tmp_path: Path) -> None:
    half_way(bastion)
    nowhere = tmp_path / "file"
    nowhere.write_text("no folder")
    printed = bastion.tapctl("rollback", "--print", "--json", "--read-only", TAPCTL_STATE_DIR=str(nowhere / "state"))
    assert printed.returncode == 0, printed.stderr
    answer = json.loads(printed.stdout)
    assert answer["result"] == "printed"
    assert [change["Action"] for change in answer["change_batch"]["Changes"]] == ["DELETE", "DELETE", "CREATE", "CREATE"]
    bastion.send(answer["command"])
    assert bastion.leads_home()


def test_where_no_folder_can_be_written_the_same_command_is_named_with_another(bastion: Bastion, tmp_path: Path) -> None:
    half_way(bastion)
    nowhere = tmp_path / "file"
    nowhere.write_text("no folder")
    refused = bastion.tapctl("rollback", "--yes", TAPCTL_STATE_DIR=str(nowhere / "state"))
    assert refused.returncode == 1
    named = "TAPCTL_STATE_DIR=$(mktemp -d) tapctl rollback --yes"
    assert named in refused.stderr
    folder = Path(os.environ["TAPCTL_BIN"]).parent
    sent = subprocess.run(
        ["sh", "-c", named], env=bastion.env | {"PATH": f"{folder}:/usr/bin:/bin"}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert sent.returncode == 0, sent.stderr
    assert bastion.leads_home()


@pytest.mark.parametrize("shape", [third_member, without_legacy, released_to_new], ids=lambda shape: shape.__name__)
def test_a_rollback_that_tapctl_cannot_send_ends_in_what_can_be_sent(
    bastion: Bastion, shape: Callable[[Bastion], None]
) -> None:
    shape(bastion)
    refused = bastion.tapctl("rollback", "--yes")
    assert refused.returncode == 1, refused.stderr
    bastion.send(refused.stdout)
    assert bastion.leads_home(), bastion.records()
    # What leads home already is no reason to ask for anything.
    again = bastion.tapctl("rollback", "--yes")
    assert again.returncode == 0, again.stderr
