"""The virtual environments that several checkouts share: whole or not there, and never made anew under a run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
VENV = TOP / "tests" / "venv.sh"
RULES = [("tests/pulumi_judges", "test"), (".", "test-conformance"), (".", "bench")]


def plan(folder: str, target: str, cache: Path) -> str:
    """What `make` would do."""
    told = os.environ | {"TAPCTL_CACHE": str(cache), "MAKEFLAGS": ""}
    command = ["make", "--no-print-directory", "-n", "-C", str(TOP / folder), target]
    return subprocess.run(command, env=told, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(("folder", "target"), RULES, ids=["judges", "conformance", "bench"])
def test_one_that_is_ready_is_not_made_anew_by_a_newer_checkout(folder: str, target: str, tmp_path: Path) -> None:
    making = next(line for line in plan(folder, target, tmp_path).splitlines() if "venv" in line)
    made = Path(next(word for word in making.split() if word.startswith(str(tmp_path))))
    made.mkdir()
    ready = made / "ready"
    ready.touch()
    # Older than any file of the checkout.
    os.utime(ready, (0, 0))
    # `make` reads the stamp only, and never the time of the requirements.
    assert "venv.sh" not in plan(folder, target, tmp_path)
    assert "rm -rf" not in plan(folder, target, tmp_path)


def make(folder: Path, python: Path = Path(sys.executable)) -> None:
    subprocess.run([str(VENV), str(python), str(folder), "pip"], check=True, timeout=120)


def test_it_is_made_whole_and_what_was_cut_short_goes(tmp_path: Path) -> None:
    folder = tmp_path / "venv"
    folder.mkdir()
    (folder / "half").touch()
    make(folder)
    assert (folder / "ready").exists()
    assert not (folder / "half").exists()
    said = subprocess.run([str(folder / "bin" / "pip"), "--version"], check=True, capture_output=True, text=True)
    assert str(folder) in said.stdout
    (folder / "in-use").touch()
    # Somebody else has been quicker: theirs stays. What they have is copied, which is the same as made and takes less.
    copies = tmp_path.with_name(f"{tmp_path.name}-python")
    copies.write_text(
        f'#!/bin/sh\nset -eu\n[ "$1 $2" = "-m venv" ]\ncp -a "{folder}" "$3"\nrm "$3/ready" "$3/in-use"\n',
        encoding="utf-8",
    )
    copies.chmod(0o700)
    make(folder, copies)
    assert (folder / "in-use").exists()
    assert [each.name for each in tmp_path.iterdir()] == ["venv"]
