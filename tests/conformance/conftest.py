"""What the judges share: simulators started from the binary under test, and clients that check every answer strictly.

The binary is named by the environment variable TAPCTL_BIN. Nothing here talks to anything but loopback.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import botocore.config
import botocore.session
import pytest

from strict import check_against_model

LEGACY, NEW = "us-east-1", "us-west-2"
# Seconds until a process that does not start or stop counts as broken.
PATIENCE = 60


class Simulator:
    """A running simulator: its endpoint, its stack outputs and its own paths."""

    def __init__(self, endpoint: str, outputs: dict[str, Any]) -> None:
        self.endpoint = endpoint
        self.outputs = outputs

    def request(self, path: str, body: object | None = None, method: str | None = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        kind = {"content-type": "application/json"}
        request = urllib.request.Request(self.endpoint + path, data=data, headers=kind, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def state(self) -> dict[str, Any]:
        return self.request("/_sim/state")[1]

    def advance(self, seconds: float) -> None:
        status, body = self.request("/_sim/advance", {"seconds": seconds})
        assert status == 200, body

    def fault(self, **fault: object) -> None:
        status, body = self.request("/_sim/fault", fault)
        assert status == 200, body

    def clear_faults(self) -> None:
        self.request("/_sim/fault", method="DELETE")

    def client(self, service: str, region: str = NEW, protocol: str | None = None, strict: bool = True) -> Any:
        """A botocore client that fails on any answer that AWS's model does not describe."""
        session = boto3.Session(botocore_session=botocore_session(protocol))
        client = session.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=botocore.config.Config(retries={"mode": "standard", "total_max_attempts": 1}, parameter_validation=False),
        )
        if strict:
            client.meta.events.register("before-parse.*.*", check_against_model)
        return client


def botocore_session(protocol: str | None) -> botocore.session.Session:
    """A session in which CloudWatch's model offers one protocol alone."""
    session = botocore.session.Session()
    if protocol is None:
        return session
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def narrowed(service: str, kind: str, api_version: str | None = None) -> dict[str, Any]:
        model = load(service, kind, api_version)
        if service == "cloudwatch" and kind == "service-2":
            metadata = {**model["metadata"], "protocol": protocol, "protocols": [protocol]}
            return {**model, "metadata": metadata}
        return model

    loader.load_service_model = narrowed
    return session


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Simulator]:
    """Starts a simulator on a free port and stops it afterwards."""
    binary = os.environ.get("TAPCTL_BIN")
    assert binary, "set TAPCTL_BIN to the tapctl binary under test"
    command = [binary, "sim", "--listen", "127.0.0.1:0", "--dir", str(folder), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the simulator said nothing and ended with {process.wait(PATIENCE)}"
            started = json.loads(line)
            outputs = json.loads(Path(started["outputs"]).read_text(encoding="utf-8"))
            yield Simulator(started["endpoint"], outputs)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A steady world in which a virtual minute takes a second, so that rate limits do not slow the tests down."""
    with running(tmp_path_factory.mktemp("sim"), "--speed", "60") as simulator:
        yield simulator


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Simulator]]:
    """Starts further simulators with arguments of the test's own."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(running(tmp_path, *arguments))
