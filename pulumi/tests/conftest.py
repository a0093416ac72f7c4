"""Fixtures, and what happens to the engine's tests where there is no engine."""

import fcntl
import gc
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moves
import pytest
from recorder import Recording, deploy

import driver
import toolchain
import world

HERE = Path(__file__).parent

_PULUMI = pytest.StashKey["Path | None"]()


def pytest_configure(config: pytest.Config) -> None:
    """Looks for the CLI once; the workers of a parallel run find it in the cache."""
    # Each run of the program makes some hundred thousand objects that go when it ends: to look for cycles among them
    # after every seven hundred is a third of the time.
    gc.set_threshold(200_000, 50, 100)
    config.addinivalue_line("markers", "engine: drives the real Pulumi engine")
    config.stash[_PULUMI] = toolchain.cli()
    if config.stash[_PULUMI] is None and os.environ.get("CI") == "true":
        msg = "neither a supported pulumi nor Go on PATH: the tests with the real engine cannot run, and CI=true"
        raise pytest.UsageError(msg)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the engine's tests out where there is none, and begins with them where there is one."""
    if config.stash[_PULUMI] is None:
        engine = [item for item in items if item.get_closest_marker("engine")]
        config.hook.pytest_deselected(items=engine)
        items[:] = [item for item in items if item not in engine]
    # The long ones first, and the longest before all, on each of two workers: none is left alone at the end.
    items.sort(key=lambda item: (item.get_closest_marker("engine") is None, item.path.name != "test_engine_readme.py"))
    items[:] = items[::2] + items[1::2]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says what was left out, so that a pass is not taken for more than it is."""
    if config.stash[_PULUMI] is None:
        terminalreporter.section("left out: neither a supported pulumi nor Go on PATH")
        for file in sorted(HERE.glob("test_engine_*.py")):
            for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE):
                terminalreporter.line(f"tests/{file.name}::{name}")


@pytest.fixture(scope="session")
def pulumi_cli(pytestconfig: pytest.Config) -> Path:
    """The CLI; a test that asks for it is marked `engine`."""
    found = pytestconfig.stash[_PULUMI]
    assert found is not None
    return found


@pytest.fixture(scope="session")
def hosts() -> Iterator[Path]:
    """Language hosts for the engines of this worker."""
    with driver.hosts() as path:
        yield path


@pytest.fixture
def fresh(tmp_path: Path, pulumi_cli: Path, hosts: Path) -> Iterator[driver.Engine]:
    """An engine with nothing deployed and no stack."""
    with driver.engine(tmp_path / "engine", pulumi_cli, hosts) as engine:
        yield engine


class Templates:
    """Folders in which a stack `prod` has been deployed; each made once, by whichever worker comes first."""

    def __init__(self, shared: Path, pulumi: Path, hosts: Path) -> None:
        """Keeps them under `shared`."""
        self._shared = shared
        self._pulumi = pulumi
        self._hosts = hosts

    def folder(self, name: str, /, **changes: str) -> Path:
        """The one called `name`, with these changes to a working configuration."""
        folder = self._shared / name
        with (self._shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                scratch = self._shared / f"{name}-made"
                with driver.engine(scratch, self._pulumi, self._hosts) as engine:
                    engine.make_stack(**changes)
                    up = engine.up()
                assert up.exit_code == 0, up.messages
                scratch.rename(folder)
        return folder


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, pulumi_cli: Path, hosts: Path) -> Templates:
    """The folders that the workers of this run share."""
    shared = tmp_path_factory.getbasetemp()
    return Templates(shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared, pulumi_cli, hosts)


@pytest.fixture
def deployed(tmp_path: Path, templates: Templates, pulumi_cli: Path, hosts: Path) -> Iterator[driver.Engine]:
    """An engine on which the stack `prod` is deployed."""
    # As it is meant to be run: without an account of the application's own no cutover is possible.
    folder = templates.folder("deployed", legacyAppSecretArn=world.APP_SECRET)
    with driver.engine(driver.copy(folder, tmp_path / "engine"), pulumi_cli, hosts) as engine:
        yield engine


@pytest.fixture
def peered(tmp_path: Path, templates: Templates, pulumi_cli: Path, hosts: Path) -> Iterator[driver.Engine]:
    """A stack with peering and a certificate authority, both streams running, all traffic on the new stack."""
    changes = {"sourceDbCaCertificate": moves.CA, "legacyAppSecretArn": world.APP_SECRET}
    folder = templates.folder("peered", **moves.PEERING, **changes)
    with driver.engine(driver.copy(folder, tmp_path / "engine"), pulumi_cli, hosts) as engine:
        engine.world.set_task(moves.FORWARD, "running")
        engine.world.set_task(moves.REVERSE, "running")
        engine.world.move_weights({moves.LEGACY: 0, moves.NEW: 100})
        yield engine


@pytest.fixture(scope="session")
def usual() -> Recording:
    """The program as most stacks run it: an image, no certificate, no peering."""
    return deploy()


@pytest.fixture(scope="session")
def full() -> Recording:
    """The program with everything that can be switched on."""
    return deploy(cut_over(driver.empty_cloud(roles={})), **moves.EVERYTHING)


def cut_over(cloud: dict[str, Any]) -> dict[str, Any]:
    """The world after a cutover: all traffic on the new stack, both streams running."""
    return driver.with_tasks(driver.with_weights(cloud, 0, 100), forward="running", reverse="running")
