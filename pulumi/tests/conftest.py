"""Fixtures, and what happens to the engine's tests where there is no engine."""

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recorder import Recording, deploy

import driver
import toolchain
import world

HERE = Path(__file__).parent

_PULUMI = pytest.StashKey["Path | None"]()


def pytest_configure(config: pytest.Config) -> None:
    """Looks for the CLI once; the workers of a parallel run find it in the cache."""
    config.addinivalue_line("markers", "engine: drives the real Pulumi engine")
    config.stash[_PULUMI] = toolchain.cli()
    if config.stash[_PULUMI] is None and os.environ.get("CI") == "true":
        msg = "neither a supported pulumi nor Go on PATH: the tests with the real engine cannot run, and CI=true"
        raise pytest.UsageError(msg)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the engine's tests out where there is none."""
    if config.stash[_PULUMI] is None:
        engine = [item for item in items if item.get_closest_marker("engine")]
        config.hook.pytest_deselected(items=engine)
        items[:] = [item for item in items if item not in engine]


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


@pytest.fixture
def fresh(tmp_path: Path, pulumi_cli: Path) -> Iterator[driver.Engine]:
    """An engine with nothing deployed and no stack."""
    with driver.engine(tmp_path / "engine", pulumi_cli) as engine:
        yield engine


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, pulumi_cli: Path) -> Path:
    """A folder in which the stack `prod` has been deployed; made once, whichever worker comes first."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / "deployed"
    with (shared / "deployed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            scratch = shared / "deploying"
            with driver.engine(scratch, pulumi_cli) as engine:
                # As it is meant to be run: without an account of the application's own no cutover is possible.
                engine.make_stack(legacyAppSecretArn=world.APP_SECRET)
                up = engine.up()
            assert up.exit_code == 0, up.messages
            scratch.rename(folder)
    return folder


@pytest.fixture
def deployed(tmp_path: Path, template: Path, pulumi_cli: Path) -> Iterator[driver.Engine]:
    """An engine on which the stack `prod` is deployed."""
    with driver.engine(driver.copy(template, tmp_path / "engine"), pulumi_cli) as engine:
        yield engine


@pytest.fixture(scope="session")
def usual() -> Recording:
    """The program as most stacks run it: an image, no certificate, no peering."""
    return deploy()


@pytest.fixture(scope="session")
def full() -> Recording:
    """The program with everything that can be switched on."""
    return deploy(cut_over(driver.empty_cloud(roles={})), **EVERYTHING)


def cut_over(cloud: dict[str, Any]) -> dict[str, Any]:
    """The world after a cutover: all traffic on the new stack, both streams running."""
    return driver.with_tasks(driver.with_weights(cloud, 0, 100), forward="running", reverse="running")


EVERYTHING: dict[str, str | None] = {
    "certificateArn": "arn:aws:acm:us-west-2:123456789012:certificate/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    "legacyVpcId": "vpc-0a1b2c3d4e5f60718",
    "legacyVpcCidr": "10.0.0.0/16",
    "legacyRouteTableIds": "rtb-0a1b2c3d4e5f60718,rtb-1a1b2c3d4e5f60718",
    "legacyDbSecurityGroupId": "sg-0a1b2c3d4e5f60718",
    "dmsAccountRoles": "create",
    "startReplication": "true",
    "writer": "aurora",
    "sourceDbSecretKmsKeyArn": "arn:aws:kms:us-west-2:123456789012:key/1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809",
    "sourceDbCaCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "auroraCaCertificate": "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
    "legacyAppSecretArn": world.APP_SECRET,
    "legacyTapctlSecretArn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-tapctl-a1B2c3",
    "loopbackPrevention": "true",
    "lobMode": "limited",
    "lobMaxSizeKb": "512",
    "dmsMultiAz": "true",
    "containerUser": "1000:1000",
    "containerReadOnly": "true",
    "flowLogs": "true",
}
