"""The stand-in cloud: everything that exists, in one JSON file that a test may read and change at any time.

```json
{"account": "...", "region": "...", "made": {"<urn>": 1},
 "given": {"zones": {...}, "roles": {...}, "records": [...], "balancers": {...}, "secrets": {...},
           "quotas": {...}, "routes": {...}, "letters": "abcd",
           "privateZones": [...], "services": [...], "taskDefinitions": [...]},   what was there before any stack
 "calls": ["StopReplicationTask NAME"],   what the provider did on the way of something else
 "tested": ["<endpoint ARN>"],   endpoints to which a connection has been tested with success
 "runByHand": [["<type>|<id>"]],   what each ECS task holds that somebody runs
 "resources": {"<type>|<arn or id>|<name>": {"name", "urn", "type", "id", "inputs", "outputs"}}}
```

Beside it may lie `FILE.control`, which a test writes to break things: `{"fail": {NAME: MESSAGE}, "hold": [NAME],
"delay": {NAME: SECONDS}, "deny": [QUESTION], "quick": true}`.  NAME is a resource's logical name, or `create:NAME`,
`update:NAME`, `delete:NAME`, and `start:NAME` for a replication task.  A held operation waits until its name leaves the
list.  A QUESTION is a data source, such as `getLoadBalancer`.  `replication` says what is `quick`.
"""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

Json = dict[str, Any]

RECORD = "aws:route53/record:Record"
ACCOUNT = "123456789012"
ZONE_ID = "Z0123456789ABCDEFGHIJ"
SOURCE_SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-db-a1B2c3"  # noqa: S105 -- its name
APP_SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-app-a1B2c3"  # noqa: S105 -- its name
TAPCTL_SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-tapctl-a1B2c3"  # noqa: S105 -- its name
TASK = "aws:dms/replicationTask:ReplicationTask"


class RefusedError(Exception):
    """The cloud says no."""


def empty() -> Json:
    """A cloud with a hosted zone and the account-wide DMS roles, and nothing of any stack."""
    return {
        "account": ACCOUNT,
        "region": "us-west-2",
        "made": {},
        "given": {
            "zones": {ZONE_ID: "example.com"},
            "roles": {"dms-vpc-role": {}, "dms-cloudwatch-logs-role": {}},
            "records": [],
            "balancers": {
                "legacy-web": {
                    "dnsName": "legacy-web-1234567890.us-east-1.elb.amazonaws.com",
                    "zoneId": "Z35SXDOTRQ7X7K",
                    "ports": {"80": "http", "443": "https"},
                }
            },
            "secrets": {
                SOURCE_SECRET: {"host": "legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com", "port": 3306},
                APP_SECRET: {"username": "app"},
                TAPCTL_SECRET: {"username": "tapctl"},
            },
            # AWS's own default, and the most that a test should need.
            "quotas": {"L-0263D0A3": 5},
            "routes": {},
            "letters": "abcd",
        },
        "calls": [],
        "resources": {},
    }


@dataclass(frozen=True)
class Control:
    """What a test wants to go wrong."""

    fail: dict[str, str]
    hold: tuple[str, ...]
    delay: dict[str, float]
    deny: tuple[str, ...] = ()
    quick: bool = False
    """Whether AWS's own test of a changed endpoint is over before the provider asks for one."""


class World:
    """Reads and writes the file, one operation at a time, whichever process asks."""

    def __init__(self, path: Path) -> None:
        """Opens the cloud in `path`, made empty when there is none."""
        self.path = path
        self._control = path.with_name(path.name + ".control")
        with self.change():
            pass

    @contextmanager
    def change(self) -> Generator[Json, None, None]:
        """The whole cloud, to be changed in place; written back when the block ends well."""
        with self._locked():
            cloud = self._read()
            yield cloud
            scratch = self.path.with_name(self.path.name + ".new")
            # On one line: only that is written by the part of `json` that is in C.
            scratch.write_text(json.dumps(cloud, sort_keys=True), encoding="utf-8")
            scratch.replace(self.path)

    def read(self) -> Json:
        """A copy of the whole cloud."""
        with self._locked():
            return self._read()

    def control(self) -> Control:
        """What is to go wrong, as the file says now."""
        try:
            loaded = cast("Json", json.loads(self._control.read_text(encoding="utf-8")))
        except FileNotFoundError:
            loaded = {}
        return Control(
            fail=dict(loaded.get("fail", {})),
            hold=tuple(loaded.get("hold", [])),
            delay=dict(loaded.get("delay", {})),
            deny=tuple(loaded.get("deny", [])),
            quick=bool(loaded.get("quick")),
        )

    def set_control(self, **parts: object) -> None:
        """Replaces the control file; no parts, nothing goes wrong."""
        scratch = self._control.with_name(self._control.name + ".new")
        scratch.write_text(json.dumps(parts), encoding="utf-8")
        scratch.replace(self._control)

    def resources(self, type_: str | None = None) -> list[Json]:
        """What exists, of one type or of all."""
        found = cast("dict[str, Json]", self.read()["resources"])
        return [each for each in found.values() if type_ is None or each["type"] == type_]

    def named(self, name: str) -> Json:
        """The one resource with this logical name."""
        (found,) = [each for each in self.resources() if each["name"] == name]
        return found

    def weights(self) -> dict[str, int]:
        """The weight of every weighted record, by its set identifier."""
        return {each["set_identifier"]: each["weight"] for each in records(self.read()) if each["weight"] is not None}

    def move_weights(self, weights: dict[str, int]) -> None:
        """Moves weights as tapctl does: behind Pulumi's back."""
        left = dict(weights)
        with self.change() as cloud:
            for record in _resources(cloud, RECORD):
                if record["outputs"].get("setIdentifier") in left:
                    weight = left.pop(record["outputs"]["setIdentifier"])
                    record["outputs"]["weightedRoutingPolicies"] = [{"weight": weight}]
            for given in cast("list[Json]", cloud["given"]["records"]):
                if given.get("set_identifier") in left:
                    given["weight"] = left.pop(given["set_identifier"])
            if left:
                msg = f"no such weighted record: {', '.join(left)}"
                raise KeyError(msg)

    def tasks(self) -> dict[str, str]:
        """The status of every replication task, by its id."""
        return {each["outputs"]["replicationTaskId"]: each["outputs"]["status"] for each in self.resources(TASK)}

    def set_task(self, task_id: str, status: str) -> None:
        """Starts or stops a replication task as tapctl does: behind Pulumi's back."""
        with self.change() as cloud:
            (task,) = [each for each in _resources(cloud, TASK) if each["outputs"]["replicationTaskId"] == task_id]
            task["outputs"]["status"] = status
            if status == "running":
                # AWS would not have let it run otherwise.
                ends = ("sourceEndpointArn", "targetEndpointArn")
                tested(cloud).extend(task["outputs"][end] for end in ends if end in task["outputs"])

    def calls(self) -> list[str]:
        """What the provider did on the way of something else, oldest first."""
        return list(self.read().get("calls", []))

    @contextmanager
    def _locked(self) -> Generator[None, None, None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _read(self) -> Json:
        try:
            return cast("Json", json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return empty()


def tested(cloud: Json) -> list[str]:
    """The ARNs of the endpoints to which a connection has been tested with success."""
    return cast("list[str]", cloud.setdefault("tested", []))


def records(cloud: Json) -> list[Json]:
    """Every record of every zone, those that were given and those that a stack made."""
    found = [dict(each) for each in cast("list[Json]", cloud["given"]["records"])]
    for record in _resources(cloud, RECORD):
        outputs = record["outputs"]
        policies = outputs.get("weightedRoutingPolicies")
        found.append(
            {
                "zone_id": outputs["zoneId"],
                "name": outputs["name"],
                "type": outputs["type"],
                "set_identifier": outputs.get("setIdentifier"),
                "weight": policies[0]["weight"] if policies else None,
            }
        )
    return found


def _resources(cloud: Json, type_: str) -> list[Json]:
    return [each for each in cast("dict[str, Json]", cloud["resources"]).values() if each["type"] == type_]
