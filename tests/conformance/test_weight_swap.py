"""The weight swap, the same calls against the simulator and against ministack, whose Route 53 was written by others.

A swap deletes the exact records that were seen and creates the new ones, in one batch. Both must take it, and both must refuse
the same wrong ones, without keeping any part of them.
"""

from __future__ import annotations

import contextlib
import copy
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import pytest
from botocore.exceptions import ClientError

from conftest import LEGACY, PATIENCE, running

RECORD = "app.example.com."
TARGETS = {
    "migration-legacy-prod": ("Z35SXDOTRQ7X7K", "dualstack.legacy-web-1234567890.us-east-1.elb.amazonaws.com."),
    "migration-new-prod": ("Z1H1FL5HABSF5", "migration-alb-prod-1286046675.us-west-2.elb.amazonaws.com."),
}


def record(identifier: str, weight: int) -> dict[str, Any]:
    zone, name = TARGETS[identifier]
    alias = {"HostedZoneId": zone, "DNSName": name, "EvaluateTargetHealth": True}
    return {"Name": RECORD, "Type": "A", "SetIdentifier": identifier, "Weight": weight, "AliasTarget": alias}


class Zone:
    """A hosted zone somewhere, with the weighted pair in it."""

    def __init__(self, client: Any, zone: str) -> None:
        self.client = client
        self.zone = zone

    def send(self, *changes: tuple[str, dict[str, Any]]) -> tuple[str, str, int]:
        """The outcome of a batch: code, message and status, or ("", change id, 200)."""
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
        # The next change waits until the one before is processed, as a careful client does.
        time.sleep(0.02)
        try:
            answer = self.client.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch=batch)
        except ClientError as error:
            detail = error.response["Error"]
            return detail["Code"], detail["Message"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        return "", answer["ChangeInfo"]["Id"], 200

    def swap(self, seen: tuple[int, int], wanted: tuple[int, int]) -> tuple[str, str, int]:
        names = ("migration-legacy-prod", "migration-new-prod")
        deletes = [("DELETE", record(name, weight)) for name, weight in zip(names, seen, strict=True)]
        creates = [("CREATE", record(name, weight)) for name, weight in zip(names, wanted, strict=True)]
        return self.send(*deletes, *creates)

    def group(self) -> list[dict[str, Any]]:
        listed = self.client.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return [record for record in listed if record["Name"] == RECORD and record["Type"] == "A"]

    def weights(self) -> tuple[int, ...]:
        return tuple(record["Weight"] for record in sorted(self.group(), key=lambda record: record["SetIdentifier"]))


def client(endpoint: str) -> Any:
    config = botocore.config.Config(retries={"mode": "standard", "max_attempts": 4})
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return boto3.client("route53", region_name=LEGACY, endpoint_url=endpoint, config=config, **keys)


@contextlib.contextmanager
def ministack(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "GATEWAY_PORT": str(port), "HOME": str(folder), "TMPDIR": str(folder)}
    command = [sys.executable, "-m", "ministack"]
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None and time.monotonic() < deadline, (folder / "ministack.log").read_text()
            try:
                urllib.request.urlopen(endpoint + "/_ministack/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield endpoint
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module", params=["simulator", "ministack"])
def zone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "simulator":
        # A virtual minute takes a second: rate limits and processing times pass between two calls.
        with running(folder, "--speed", "60") as simulator:
            yield Zone(client(simulator.endpoint), simulator.outputs["hostedZoneId"])
        return
    with ministack(folder) as endpoint:
        route53 = client(endpoint)
        made = route53.create_hosted_zone(Name="example.com", CallerReference="judge")
        zone = Zone(route53, made["HostedZone"]["Id"].rpartition("/")[2])
        assert zone.send(("CREATE", record("migration-legacy-prod", 100)), ("CREATE", record("migration-new-prod", 0)))[0] == ""
        yield zone


@pytest.fixture(autouse=True)
def _hundred_to_zero(zone: Zone) -> Iterator[None]:
    """Each test starts and ends at 100/0, reached by nothing but exact swaps."""
    yield
    seen = zone.weights()
    if seen != (100, 0):
        assert zone.swap(seen, (100, 0))[0] == ""


def test_the_exact_swap_is_taken_and_read_back(zone: Zone) -> None:
    code, change, status = zone.swap((100, 0), (90, 10))
    assert (code, status) == ("", 200)
    assert change.startswith("/change/")
    assert zone.weights() == (90, 10)
    assert zone.group() == [record("migration-legacy-prod", 90), record("migration-new-prod", 10)]


def test_the_whole_way_there_and_back(zone: Zone) -> None:
    ids = set()
    for percent in [*range(0, 100, 10), *range(100, 0, -25)]:
        seen = zone.weights()
        wanted = (100 - percent, percent)
        if wanted != seen:
            code, change, _ = zone.swap(seen, wanted)
            assert code == "", change
            ids.add(change)
        assert zone.weights() == wanted
    assert len(ids) == 13


def test_a_swap_from_what_is_no_longer_there_is_refused(zone: Zone) -> None:
    assert zone.swap((100, 0), (70, 30))[0] == ""
    code, message, status = zone.swap((100, 0), (90, 10))
    assert (code, status) == ("InvalidChangeBatch", 400)
    assert "but the values provided do not match the current values" in message
    assert zone.weights() == (70, 30)


@pytest.mark.parametrize("member", ["Weight", "DNSName", "EvaluateTargetHealth", "HostedZoneId"])
def test_each_member_counts(zone: Zone, member: str) -> None:
    wrong = copy.deepcopy(record("migration-new-prod", 0))
    if member == "Weight":
        wrong["Weight"] = 1
    elif member == "EvaluateTargetHealth":
        wrong["AliasTarget"][member] = False
    elif member == "DNSName":
        wrong["AliasTarget"][member] = "other.us-west-2.elb.amazonaws.com."
    else:
        wrong["AliasTarget"][member] = "Z35SXDOTRQ7X7K"
    code, message, status = zone.send(("DELETE", wrong))
    assert (code, status) == ("InvalidChangeBatch", 400)
    assert "but the values provided do not match the current values" in message
    assert zone.weights() == (100, 0)


def test_what_is_not_there_cannot_be_deleted(zone: Zone) -> None:
    third = {**record("migration-new-prod", 0), "SetIdentifier": "third"}
    code, message, status = zone.send(("DELETE", third))
    assert (code, status) == ("InvalidChangeBatch", 400)
    assert "but it was not found" in message


def test_what_is_there_cannot_be_created(zone: Zone) -> None:
    code, message, _ = zone.send(("CREATE", record("migration-new-prod", 50)))
    assert code == "InvalidChangeBatch"
    assert "but it already exists" in message
    assert zone.weights() == (100, 0)


def test_creating_before_deleting_is_refused(zone: Zone) -> None:
    code, message, _ = zone.send(("CREATE", record("migration-new-prod", 50)), ("DELETE", record("migration-new-prod", 0)))
    assert code == "InvalidChangeBatch"
    assert "but it already exists" in message
    assert zone.weights() == (100, 0)


def test_a_batch_is_taken_whole_or_not_at_all(zone: Zone) -> None:
    stranger = {**record("migration-new-prod", 5), "SetIdentifier": "third"}
    code, _, _ = zone.send(("DELETE", record("migration-legacy-prod", 100)), ("CREATE", record("migration-legacy-prod", 1)), ("DELETE", stranger))
    assert code == "InvalidChangeBatch"
    assert zone.weights() == (100, 0)


def test_an_upsert_overwrites_without_asking(zone: Zone) -> None:
    assert zone.send(("UPSERT", record("migration-new-prod", 40)))[0] == ""
    assert zone.weights() == (100, 40)


def test_a_change_is_pending_first_and_in_sync_later(zone: Zone) -> None:
    _, change, _ = zone.swap((100, 0), (80, 20))
    seen = [zone.client.get_change(Id=change)["ChangeInfo"]["Status"]]
    deadline = time.monotonic() + PATIENCE
    while seen[-1] != "INSYNC" and time.monotonic() < deadline:
        time.sleep(0.05)
        seen.append(zone.client.get_change(Id=change)["ChangeInfo"]["Status"])
    assert (seen[0], seen[-1]) == ("PENDING", "INSYNC")


def test_zones_and_changes_that_are_not_there(zone: Zone) -> None:
    with pytest.raises(ClientError) as caught:
        zone.client.get_change(Id="C0000000000000")
    assert caught.value.response["Error"]["Code"] == "NoSuchChange"
    code, message, status = Zone(zone.client, "Z0000000000000").swap((100, 0), (90, 10))
    assert (code, message, status) == ("NoSuchHostedZone", "No hosted zone found with ID: Z0000000000000", 404)
