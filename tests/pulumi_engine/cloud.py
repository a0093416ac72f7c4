"""The stand-in cloud on the command line, for tests in any language that drive the real Pulumi engine.

    cloud.py serve --state FILE [--port N] [--until-eof]
        Serves the provider on loopback; prints its port as one line.  Runs until SIGTERM, SIGINT, or, with
        --until-eof, until standard input ends, so that it never outlives the test that holds the other end.
    cloud.py env --port N --home DIR --pulumi PATH [--json]
        Prints the environment in which `pulumi` uses this cloud and keeps its state under DIR.
    cloud.py project --into DIR --home DIR --pulumi PATH --port N --stack NAME [--set KEY=VALUE]...
        Copies the Pulumi program into DIR and makes a stack with a working configuration, `--set` on top.
    cloud.py show --state FILE [--type TYPE]
        Prints what exists, one JSON object per line.
    cloud.py weights --state FILE [SET_IDENTIFIER=WEIGHT]...
        Moves weights behind Pulumi's back, then prints all of them as JSON.
    cloud.py task --state FILE TASK_ID=STATUS...
        Starts or stops replication tasks behind Pulumi's back, then prints the status of all of them as JSON.
    cloud.py ended --state FILE
        Ends the ECS tasks that somebody has run.
    cloud.py control --state FILE [--fail NAME=MESSAGE]... [--hold NAME]... [--delay NAME=SECONDS]...
                     [--deny QUESTION]... [--quick]
        Says what is to go wrong from now on; without options, nothing.

Run it with the interpreter that `toolchain.py venv` prints.  `PATH`'s `pulumi-language-python` is `bin/` beside this
file.  What the state file holds is described in `world.py`.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent import futures
from pathlib import Path
from types import FrameType
from typing import cast

import grpc
import yaml
from pulumi.runtime.proto import provider_pb2_grpc

import one_off
from provider import Provider
from world import SOURCE_SECRET, World

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parent.parent / "pulumi"
PROJECT = "tap"
PASSPHRASE = "not-a-secret-in-a-test"  # noqa: S105 -- it protects nothing

CONFIGURATION = {
    "owner": "platform-team",
    "sourceDbEndpoint": "legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com",
    "sourceDbNames": "shop,billing",
    "sourceDbSecretArn": SOURCE_SECRET,
    "legacyLbName": "legacy-web",
    "hostedZoneName": "example.com",
    "recordName": "app.example.com",
    "imageTag": "2026-11-23-1a2b3c4",
    "alarmEmail": "on-call@example.com",
}
"""A stack that works in the stand-in cloud as it is made."""


def start(state: Path, port: int = 0) -> tuple[Callable[[], None], int]:
    """Serves the cloud in `state` from this process; answers what ends it, and its port."""
    # A held operation keeps its thread, and the engine runs many at a time.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=128))
    provider = Provider(World(state))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()

    def stop() -> None:
        stopping = server.stop(grace=0)
        # An operation that is held keeps its thread, and with it this process, long after its engine has gone.
        provider.cancel()
        stopping.wait()

    return stop, bound


def environment(port: int, home: Path, pulumi: Path) -> dict[str, str]:
    """The variables that make `pulumi` use this cloud, this language host and a state of its own."""
    state = home / "state"
    state.mkdir(parents=True, exist_ok=True)
    # The CLI keeps an encrypted log of each run in a folder of this name, which is a fifth of its time, and goes on
    # without where it cannot (pulumi/pulumi, pkg/logging/encrypted.go, `StartLogging`).
    logs = home / "home" / "logs"
    logs.parent.mkdir(exist_ok=True)
    logs.touch()
    return {
        "PATH": os.pathsep.join([str(HERE / "bin"), str(pulumi.parent), os.environ.get("PATH", "")]),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_DEBUG_PROVIDERS": f"aws:{port},random:{port}",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_HOME": str(home / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "TAPCTL_PYTHON": sys.executable,
    }


def copy_program(into: Path) -> None:
    """Copies what `pulumi` needs of the program, so that no test writes into the checkout."""
    into.mkdir(parents=True, exist_ok=True)
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy2(PROGRAM / name, into / name)
    shutil.copytree(PROGRAM / "lib", into / "lib", ignore=shutil.ignore_patterns("__pycache__"))


def make_stack(pulumi: Path, into: Path, variables: dict[str, str], stack: str, changes: dict[str, str]) -> None:
    """Makes a stack of the copied program; `changes` go over the working configuration, an empty value drops a key."""
    whole = {key: value for key, value in (CONFIGURATION | changes).items() if value}
    subprocess.run(
        [str(pulumi), "stack", "init", stack, "--non-interactive", "--cwd", str(into)],
        env=os.environ | variables,
        check=True,
        capture_output=True,
    )
    configure(into, stack, whole)


def configure(into: Path, stack: str, values: Mapping[str, str | None]) -> None:
    """Sets keys of a stack, and takes away those without a value, in the file in which the CLI keeps them."""
    file = into / f"Pulumi.{stack}.yaml"
    whole = cast("dict[str, object]", yaml.safe_load(file.read_text(encoding="utf-8")))
    config = cast("dict[str, str]", whole.setdefault("config", {}))
    for key, value in values.items():
        whose = key if ":" in key else f"{PROJECT}:{key}"
        if value is None:
            del config[whose]
        else:
            config[whose] = value
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")


def _serve(options: argparse.Namespace) -> None:
    end, port = start(Path(options.state), options.port)
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    print(port, flush=True)
    if options.until_eof:

        def wait_for_eof() -> None:
            while sys.stdin.buffer.read(4096):
                pass
            stopped.set()

        threading.Thread(target=wait_for_eof, daemon=True).start()
    stopped.wait()
    end()


def _env(options: argparse.Namespace) -> None:
    variables = environment(options.port, Path(options.home).resolve(), Path(options.pulumi))
    if options.json:
        print(json.dumps(variables))
    else:
        for key, value in variables.items():
            print(f"{key}={value}")


def _project(options: argparse.Namespace) -> None:
    into, pulumi = Path(options.into).resolve(), Path(options.pulumi)
    variables = environment(options.port, Path(options.home).resolve(), pulumi)
    if not (into / "Pulumi.yaml").exists():
        copy_program(into)
    make_stack(pulumi, into, variables, options.stack, _pairs(options.set))


def _show(options: argparse.Namespace) -> None:
    for resource in World(Path(options.state)).resources(options.type):
        print(json.dumps(resource, sort_keys=True))


def _weights(options: argparse.Namespace) -> None:
    world = World(Path(options.state))
    world.move_weights({name: int(weight) for name, weight in _pairs(options.weights).items()})
    print(json.dumps(world.weights(), sort_keys=True))


def _task(options: argparse.Namespace) -> None:
    world = World(Path(options.state))
    for task_id, status in _pairs(options.tasks).items():
        world.set_task(task_id, status)
    print(json.dumps(world.tasks(), sort_keys=True))


def _ended(options: argparse.Namespace) -> None:
    with World(Path(options.state)).change() as changed:
        one_off.end(changed)


def _control(options: argparse.Namespace) -> None:
    delays = {name: float(seconds) for name, seconds in _pairs(options.delay).items()}
    World(Path(options.state)).set_control(
        fail=_pairs(options.fail), hold=options.hold, delay=delays, deny=options.deny, quick=options.quick
    )


def _pairs(texts: list[str]) -> dict[str, str]:
    return dict(text.split("=", 1) for text in texts)


def main() -> None:
    """Parses the command line and does what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    serve = commands.add_parser("serve")
    serve.add_argument("--port", type=int, default=0)
    serve.add_argument("--until-eof", action="store_true")
    serve.set_defaults(do=_serve)

    env = commands.add_parser("env")
    env.add_argument("--json", action="store_true")
    env.set_defaults(do=_env)

    project = commands.add_parser("project")
    project.add_argument("--into", required=True)
    project.add_argument("--stack", required=True)
    project.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    project.set_defaults(do=_project)
    for command in (env, project):
        command.add_argument("--port", type=int, required=True)
        command.add_argument("--home", required=True)
        command.add_argument("--pulumi", required=True)

    show = commands.add_parser("show")
    show.add_argument("--type")
    show.set_defaults(do=_show)

    weights = commands.add_parser("weights")
    weights.add_argument("weights", nargs="*", metavar="SET_IDENTIFIER=WEIGHT")
    weights.set_defaults(do=_weights)

    task = commands.add_parser("task")
    task.add_argument("tasks", nargs="*", metavar="TASK_ID=STATUS")
    task.set_defaults(do=_task)

    ended = commands.add_parser("ended")
    ended.set_defaults(do=_ended)

    control = commands.add_parser("control")
    control.add_argument("--fail", action="append", default=[], metavar="NAME=MESSAGE")
    control.add_argument("--hold", action="append", default=[], metavar="NAME")
    control.add_argument("--delay", action="append", default=[], metavar="NAME=SECONDS")
    control.add_argument("--deny", action="append", default=[], metavar="QUESTION")
    control.add_argument("--quick", action="store_true")
    control.set_defaults(do=_control)
    for command in (serve, show, weights, task, ended, control):
        command.add_argument("--state", required=True)

    options = parser.parse_args()
    options.do(options)


if __name__ == "__main__":
    main()
