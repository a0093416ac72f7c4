"""Which Pulumi CLI the tests use, and what happens where there is none."""

import os
from pathlib import Path

import pytest

import toolchain


def put_on_path(folder: Path, name: str, says: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder.mkdir(exist_ok=True)
    script = folder / name
    script.write_text(f"#!/bin/sh\necho {says}\n", encoding="utf-8")
    script.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return script


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPCTL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


def test_a_supported_cli_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = put_on_path(tmp_path / "bin", "pulumi", "v3.300.1", monkeypatch)
    assert toolchain.cli() == script


def test_neither_pulumi_nor_go() -> None:
    assert toolchain.cli() is None


def test_a_cli_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "bin", "pulumi", "v3.100.0", monkeypatch)
    assert toolchain.cli() is None


def test_the_cache_is_asked_before_go(tmp_path: Path) -> None:
    (version,) = [
        line.split()[-1]
        for line in (toolchain.HERE / "cli" / "go.mod").read_text(encoding="utf-8").splitlines()
        if line.startswith("require github.com/pulumi/pulumi/pkg/v3 ")
    ]
    built = tmp_path / "cache" / f"pulumi-{version}" / "pulumi"
    built.parent.mkdir(parents=True)
    built.touch()
    assert toolchain.cli() == built


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"TAPCTL_CACHE": "/a"}, "/a"),
        ({"TAPCTL_CACHE": "", "XDG_CACHE_HOME": "/b"}, "/b/tapctl"),
        ({"TAPCTL_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "/c"}, "/c/.cache/tapctl"),
    ],
)
def test_where_the_cache_is(variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert toolchain.cache() == Path(folder)
