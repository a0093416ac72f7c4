"""Fixtures: what the program asked for, an empty account, and the sums at the end."""

import fcntl
import gc
import json
import os
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any, cast

import pytest
from _pytest.terminal import TerminalReporter

import account as accounts
import recordings
import services
from account import NOT_SERVED, Account
from calls import NoSchema
from configurations import CONFIGURATIONS, PAIR, Configuration
from recordings import Recording

ALWAYS = (*PAIR, *(each for each in CONFIGURATIONS if each.everyday))
"""What every run records: the faults are planted in these."""

# Models, schemas and accounts are many objects, and stay: to look for cycles among them takes a sixth of the time.
gc.set_threshold(200_000, 50, 100)

Recorded = Callable[[Configuration], Recording]
Opened = Callable[[Configuration], Account]


def every_configuration() -> list[Any]:
    """The parameters of a test that judges each configuration: those beyond the four are marked `rest`."""
    marks = {True: (), False: (pytest.mark.rest,)}
    return [pytest.param(each, id=each.name, marks=marks[each.everyday]) for each in CONFIGURATIONS]


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program asked for in each configuration that is judged; recorded once, whichever worker comes first."""
    wanted = {each.name for each in ALWAYS}
    for item in request.session.items:
        parameters = getattr(item, "callspec", None)
        if parameters is not None and "configuration" in parameters.params:
            wanted.add(parameters.params["configuration"].name)
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    file = shared / "recorded.json"
    with (shared / "recorded.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            file.write_text(json.dumps(recordings.record(sorted(wanted))), encoding="utf-8")
    return cast("dict[str, Any]", json.loads(file.read_text(encoding="utf-8")))


@pytest.fixture
def recorded(runs: dict[str, Any]) -> Recorded:
    """The run of a configuration, to be changed as a test likes."""
    return lambda configuration: recordings.read(configuration.name, json.loads(json.dumps(runs[configuration.name])))


@pytest.fixture(scope="session")
def endpoint() -> Generator[str, None, None]:
    """A moto server of this worker's own."""
    with accounts.server() as serving:
        yield serving


@pytest.fixture
def opened(endpoint: str) -> Opened:
    """Opens accounts of AWS, furnished for a configuration."""
    return lambda configuration: accounts.opened(endpoint, configuration)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Says how much was judged, and what was not."""
    sums: Counter[str] = Counter()
    for report in cast("list[pytest.TestReport]", terminalreporter.stats.get("passed", [])):
        for key, value in report.user_properties:
            sums[key] += cast("int", value)
    if sums:
        terminalreporter.section("judged")
        for key, value in sorted(sums.items()):
            terminalreporter.line(f"{value:>7} {key}")
        for operation, reason in sorted(NOT_SERVED.items()):
            terminalreporter.line(f"not sent: {operation}, since {reason}")
        for type_, kind in sorted(services.KINDS.items()):
            if isinstance(kind.schema, NoSchema):
                terminalreporter.line(f"no schema: {type_}, since {kind.schema.reason}")
