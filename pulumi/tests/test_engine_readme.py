"""The operator's way of README.md, from nothing to destroyed: every command of it is run, in its order.

`pulumi` is the real CLI on the stand-in cloud.  `aws` is the real one too, and talks to a server on loopback that says
yes to everything but to a test of a connection that is not there, and to a task in a cluster, network or group that is
not there: the client itself refuses what its service models do not have.  `tapctl` runs the Pulumi command that
it stands for; that its own command line is right is shown by the crate's tests.  The virtual environment is made, and
its `pip` finds every pinned requirement among the packages that these tests run with, without an index.  `docker` is a
stand-in that compares what it is told with the registry's answer.  The statements for a database are in
`test_readme_sql`.
"""

import base64
import json
import os
import re
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

import cloud
import one_off
import prerequisites
import replication
from driver import Engine
from world import RefusedError, World

pytestmark = pytest.mark.engine

README = Path(__file__).parents[1] / "README.md"
LEGACY, NEW = "migration-legacy-prod", "migration-new-prod"
FORWARD, REVERSE = "migration-dms-task-prod", "migration-dms-reverse-task-prod"

TAPCTL = """#!/bin/sh
set -eu
echo "$*" >> "$CALLED"
# The first `up` loads what it needs by itself, as an operator's does; to see that once more shows nothing.
if [ -e "$SHIP/up" ]; then export TAPCTL_HOSTS="$READY"; fi
case "$1" in
  config)
    case "${4:---}" in --*) value=$(cat) ;; *) value=$4 ;; esac
    exec pulumi config set --stack prod --plaintext -- "$3" "$value" ;;
  preview) exec pulumi preview --stack prod --non-interactive ;;
  up) touch "$SHIP/up"; exec pulumi up --stack prod --yes --skip-preview --non-interactive ;;
  destroy) exec pulumi destroy --stack prod --refresh --yes --skip-preview --non-interactive ;;
esac
"""


# There is no daemon: what matters here is that the lines fit each other.
DOCKER = """#!/bin/sh
set -eu
case "$1" in
  login)
    [ "$2 $3 $4" = "--username AWS --password-stdin" ]
    [ "$(cat)" = not-a-secret-in-a-test ]
    echo "$5" > "$SHIP/registry" ;;
  build)
    [ "$2 $3 $4 $6" = "--platform linux/amd64 -t ." ]
    echo "$5" > "$SHIP/built" ;;
  push)
    [ "$2 ${2%%/*}" = "$(cat "$SHIP/built") $(cat "$SHIP/registry")" ]
    echo "$2" > "$SHIP/pushed" ;;
  *) exit 1 ;;
esac
"""


class Aws(ThreadingHTTPServer):
    """AWS, as far as a client can tell."""

    world: World


class Yes(BaseHTTPRequestHandler):
    """AWS's side of a conversation, as far as the client needs one; connections and tasks are the cloud's."""

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        token = base64.b64encode(b"AWS:not-a-secret-in-a-test").decode()
        known: dict[str, object] = {"authorizationData": [{"authorizationToken": token}], "events": []}
        status, world = 200, cast("Aws", self.server).world
        action = self.headers.get("X-Amz-Target", "").rsplit(".", 1)[-1]
        if action == "DescribeEndpoints":
            ids = told["Filters"][0]["Values"]
            endpoints = [each["outputs"] for each in world.resources(replication.ENDPOINT)]
            known["Endpoints"] = [{"EndpointArn": e["endpointArn"]} for e in endpoints if e["endpointId"] in ids]
        elif action == "FilterLogEvents":
            # Whoever reads how it went does so when it is over.
            with world.change() as changed:
                one_off.end(changed)
        elif action in {"TestConnection", "RunTask"}:
            try:
                with world.change() as changed:
                    if action == "RunTask":
                        one_off.run(changed, told)
                    else:
                        prerequisites.test_connection(changed, told["ReplicationInstanceArn"], told["EndpointArn"])
            except RefusedError as refused:
                status = 400
                known |= {"__type": str(refused).split(":", 1)[0], "message": str(refused)}
        answer = json.dumps(known).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Says nothing."""


@pytest.fixture
def endpoint(fresh: Engine) -> Iterator[str]:
    server = Aws(("127.0.0.1", 0), Yes)
    server.world = fresh.world
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


def blocks() -> list[tuple[str, list[str]]]:
    """Every block of commands, with the heading that it stands under."""
    heading, found = "", list[tuple[str, list[str]]]()
    for part in re.split(r"^(#{2,3} .*)$", README.read_text(encoding="utf-8"), flags=re.MULTILINE):
        if part.startswith("##"):
            heading = part.lstrip("# ")
        for block in re.findall(r"^ *```sh\n(.*?)^ *```$", part, flags=re.DOTALL | re.MULTILINE):
            found.append((heading, [line.strip() for line in block.splitlines()]))
    return found


def script(state: str) -> str:
    """One script of all of it.  Between the lines stands what an operator does in an editor or at another screen."""
    lines = ["set -eu"]
    for heading, block in blocks():
        if heading.startswith("7."):
            lines.append("cutover-is-near")
        if heading.startswith("9."):
            lines.append("traffic-is-back")
        for line in block:
            lines.append(line.replace("s3://BUCKET", state))
            if line.startswith(("cp -n Pulumi.example.yaml", "pulumi stack init")):
                # What the example has, and what `init` has written: neither may be lost, whichever comes second.
                lines.append("grep -q tap:owner Pulumi.prod.yaml")
        if any(line.startswith("pulumi stack init") for line in block):
            lines.append("grep -q encryptionsalt Pulumi.prod.yaml")
    return "\n".join(lines)


def test_every_command_of_the_readme_runs(fresh: Engine, tmp_path: Path, endpoint: str, hosts: Path) -> None:
    fresh.program.rename(fresh.folder / "pulumi")
    for name in ("Pulumi.example.yaml", "requirements.txt", "constraints.txt"):
        (fresh.folder / "pulumi" / name).write_bytes((cloud.PROGRAM / name).read_bytes())
    (fresh.folder / "pulumi" / "us-east-1-bundle.pem").write_text(
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", encoding="utf-8"
    )
    tools, called = tmp_path / "bin", tmp_path / "called"
    tools.mkdir()
    control = f'"{sys.executable}" "{cloud.HERE}/cloud.py"'
    weights = f'{control} weights --state "$CLOUD"'
    task = f'{control} task --state "$CLOUD" {REVERSE}=running > /dev/null'
    ended = f'{control} ended --state "$CLOUD"'
    for name, text in {
        "tapctl": TAPCTL,
        "docker": DOCKER,
        "python3": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
        "aws": f'#!/bin/sh\nexec "{Path(sys.executable).parent}/aws" "$@"\n',
        "cutover-is-near": f"#!/bin/sh\nset -e\n{weights} {LEGACY}=0 {NEW}=100 > /dev/null\n",
        "traffic-is-back": f"#!/bin/sh\nset -e\n{task}\n{ended}\n{weights} {LEGACY}=100 {NEW}=0 > /dev/null\n",
    }.items():
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o700)
    environment = fresh.environment() | {
        "CALLED": str(called),
        "CLOUD": str(fresh.world.path),
        "SHIP": str(tools),
        "READY": str(hosts),
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
    }
    environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
    text = script(environment["PULUMI_BACKEND_URL"])
    done = subprocess.run(
        ["/bin/sh", "-c", text],
        cwd=fresh.folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert fresh.world.resources() == []
    run_tasks = len(re.findall("^ *aws ecs run-task ", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert fresh.world.calls().count("RunTask migration-sql-prod") == run_tasks == 3
    ran = called.read_text(encoding="utf-8")
    assert ran.count("up --stack prod") == 5
    assert "destroy --stack prod" in ran
    pushed = (tools / "pushed").read_text(encoding="utf-8").strip()
    assert pushed == f"123456789012.dkr.ecr.us-west-2.amazonaws.com/migration-repo-prod:{pushed.rsplit(':', 1)[-1]}"
    assert f"config set imageTag {pushed.rsplit(':', 1)[-1]} " in ran


def test_what_is_run_is_all_there_is() -> None:
    """A command in a block of another kind, or behind another tool, would not be run."""
    text = README.read_text(encoding="utf-8")
    kinds = set(re.findall(r"^ *```(\w+)$", text, flags=re.MULTILINE))
    assert kinds == {"sh", "sql", "text"}
    words = {re.sub(r"^\w+=\$\(", "", line).split()[0] for _, block in blocks() for line in block}
    assert words == {"aws", "cd", "cp", "docker", "pulumi", "python3", "tapctl", "for", "done"}
