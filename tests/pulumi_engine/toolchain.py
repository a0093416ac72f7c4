"""Finds or makes what the tests of the Pulumi program need, in a cache outside the checkout.

    python3 toolchain.py venv     prints the interpreter that has the pinned requirements
    python3 toolchain.py cli      prints a Pulumi CLI; exit code 3 and a sentence when there is none and no Go

The cache is `$TAPCTL_CACHE`, else `$XDG_CACHE_HOME/tapctl`, else `~/.cache/tapctl`.  A supported `pulumi` on PATH is
used as it is; otherwise the version that `cli/go.mod` pins is built once, which takes some minutes.  Standard library
only: it runs before anything is installed.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parent.parent / "pulumi"
REQUIREMENTS = ("requirements-dev.txt", "requirements.txt", "constraints.txt")
OLDEST = (3, 200, 0)
"""Older CLIs have no machine-readable stream on standard output without a debug switch."""
NO_CLI = 3


def cache() -> Path:
    """The folder that outlives checkouts."""
    named = os.environ.get("TAPCTL_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tapctl"


def venv() -> Path:
    """The interpreter of a virtual environment with exactly the pinned requirements."""
    digest = hashlib.sha256(sys.version.encode())
    for name in REQUIREMENTS:
        digest.update((PROGRAM / name).read_bytes())
    folder = cache() / f"venv-{digest.hexdigest()[:16]}"
    python, complete = folder / "bin" / "python", folder / "complete"
    with _alone(folder):
        if not complete.exists():
            print(f"installing the Pulumi program's requirements into {folder}", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(folder)])
            _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS[0]])
            complete.touch()
    return python


def cli() -> Path | None:
    """A Pulumi CLI: the one on PATH when it is supported, else one built from the pinned version, else none."""
    found = shutil.which("pulumi")
    if found is not None and _version(found) >= OLDEST:
        return Path(found)
    version = _pinned()
    built = cache() / f"pulumi-{version}" / "pulumi"
    with _alone(built.parent):
        if built.exists():
            return built
        go = shutil.which("go")
        if go is None:
            return None
        print(f"building the Pulumi CLI {version} into {built.parent}; this takes some minutes, once", file=sys.stderr)
        scratch = built.with_suffix(".new")
        stamp = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"
        package = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
        environment = os.environ | {"GOFLAGS": "-mod=readonly -buildvcs=false"}
        command = [go, "build", "-trimpath", "-ldflags", stamp, "-o", str(scratch), package]
        _run(command, folder=HERE / "cli", environment=environment)
        scratch.rename(built)
    return built


def _pinned() -> str:
    found = re.search(r"github\.com/pulumi/pulumi/pkg/v3 (v\S+)", (HERE / "cli" / "go.mod").read_text(encoding="utf-8"))
    if found is None:
        msg = "cli/go.mod names no version of the Pulumi CLI"
        raise ValueError(msg)
    return found.group(1)


def _version(binary: str) -> tuple[int, ...]:
    answer = subprocess.run([binary, "version"], capture_output=True, text=True, check=False)
    found = re.search(r"v?(\d+)\.(\d+)\.(\d+)", answer.stdout)
    return tuple(int(part) for part in found.groups()) if found and answer.returncode == 0 else (0, 0, 0)


def _run(command: list[str], folder: Path = PROGRAM, environment: dict[str, str] | None = None) -> None:
    # What a tool prints must not be taken for the path that is printed here.
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=sys.stderr)


@contextmanager
def _alone(folder: Path) -> Generator[None, None, None]:
    """One maker at a time; the others wait and find it made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """Prints one path."""
    if arguments == ["venv"]:
        print(venv())
        return 0
    if arguments == ["cli"]:
        binary = cli()
        if binary is None:
            print("no supported Pulumi CLI on PATH and no Go to build one with", file=sys.stderr)
            return NO_CLI
        print(binary)
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
