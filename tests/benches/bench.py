"""Measures tapctl beside peers in the same run and prints one table; nothing here passes or fails.

Uses the standard library, the `aws` command of the judges' virtual environment and, where it is installed, `htop`.
Everything talks to a simulator on loopback that this script starts and stops.

    TAPCTL_BIN=target/release/tapctl python tests/benches/bench.py
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BIN = os.path.abspath(os.environ.get("TAPCTL_BIN", "target/release/tapctl"))
ROUNDS = 10
KEY_ROUNDS = 200
REST_SECONDS = 60
COLUMNS, ROWS = 120, 36


@contextlib.contextmanager
def simulator(*arguments):
    """A simulator and where to find it: (endpoint, outputs file)."""
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen([BIN, "sim", "--dir", folder, *arguments], stdout=subprocess.PIPE, text=True)
        try:
            hello = json.loads(child.stdout.readline())
            yield hello["endpoint"], hello["outputs"]
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait()


def environment(endpoint, state):
    return {
        "PATH": os.environ["PATH"],
        "HOME": state,
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "simulated",
        "AWS_SECRET_ACCESS_KEY": "simulated",
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_PAGER": "",
        "TAPCTL_STATE_DIR": os.path.join(state, "state"),
    }


def post(endpoint, path, body):
    request = urllib.request.Request(endpoint + path, json.dumps(body).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request).read()


def aws_calls(outputs):
    """The seven calls whose answers make up one status, as a person would type them."""
    o = json.loads(Path(outputs).read_text())
    now = int(time.time()) // 60 * 60
    dimensions = [
        {"Name": "ReplicationInstanceIdentifier", "Value": o["dmsReplicationInstanceId"]},
        {"Name": "ReplicationTaskIdentifier", "Value": o["dmsTaskArn"].rsplit(":", 1)[1]},
    ]
    queries = [
        {
            "Id": name.lower(),
            "MetricStat": {
                "Metric": {"Namespace": "AWS/DMS", "MetricName": name, "Dimensions": dimensions},
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        for name in ("CDCLatencySource", "CDCLatencyTarget", "CDCThroughputRowsTarget", "CDCIncomingChanges")
    ]
    aws = shutil.which("aws", path=os.path.dirname(sys.executable)) or shutil.which("aws")
    return [
        [aws, "--output", "json", *call]
        for call in (
            ["route53", "list-resource-record-sets", "--hosted-zone-id", o["hostedZoneId"]],
            ["dms", "describe-replication-tasks"],
            ["dms", "describe-table-statistics", "--replication-task-arn", o["dmsTaskArn"]],
            ["ecs", "describe-services", "--cluster", o["ecsClusterName"], "--services", o["ecsServiceName"]],
            ["elbv2", "describe-target-health", "--target-group-arn", o["targetGroupArn"]],
            ["cloudwatch", "describe-alarms"],
            [
                "cloudwatch",
                "get-metric-data",
                "--start-time",
                str(now - 900),
                "--end-time",
                str(now),
                "--metric-data-queries",
                json.dumps(queries),
            ],
        )
    ]


def run(command, env):
    started = time.perf_counter()
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    took = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{command[:3]} failed: {done.stderr.decode()[-400:]}")
    return took


def status_beside_aws(rows):
    with simulator() as (endpoint, outputs), tempfile.TemporaryDirectory() as state:
        env = environment(endpoint, state)
        status = [BIN, "--outputs", outputs, "--endpoint-url", endpoint, "status", "--json"]
        calls = aws_calls(outputs)
        run(status, env)
        own = statistics.median(run(status, env) for _ in range(ROUNDS))
        one_by_one = min(sum(run(call, env) for call in calls) for _ in range(2))

        def at_once():
            started = time.perf_counter()
            with ThreadPoolExecutor(len(calls)) as pool:
                list(pool.map(lambda call: run(call, env), calls))
            return time.perf_counter() - started

        together = min(at_once() for _ in range(2))
        rows.append(("status --json (median)", f"{own * 1000:.0f} ms", "7 aws calls, one by one", f"{one_by_one * 1000:.0f} ms", f"{one_by_one / own:.0f}×"))
        rows.append(("", "", "7 aws calls, all at once", f"{together * 1000:.0f} ms", f"{together / own:.0f}×"))
        post(endpoint, "/_sim/fault", {"service": "*", "latency_ms": 100})
        slow = statistics.median(run(status, env) for _ in range(ROUNDS))
        rows.append(("status, +100 ms a call", f"{slow * 1000:.0f} ms", "limit", "250 ms", ""))


class Screen:
    """A child on a pseudo-terminal of its own."""

    def __init__(self, command, env):
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def read(self, seconds, until=None):
        """Bytes that come within so many seconds, or up to the marker; with the instant of the last of them."""
        data, end, last = b"", time.perf_counter() + seconds, None
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                try:
                    data += os.read(self.fd, 65536)
                except OSError:
                    break
                last = time.perf_counter()
                if until and re.search(until, data):
                    break
        return data, last

    def write(self, data):
        os.write(self.fd, data)

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self):
        line = next(x for x in Path(f"/proc/{self.pid}/status").read_text().splitlines() if x.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def close(self, key=b"q"):
        self.write(key)
        self.read(2)
        with contextlib.suppress(OSError):
            os.close(self.fd)
        os.waitpid(self.pid, 0)


def cockpit(rows):
    with simulator() as (endpoint, outputs), tempfile.TemporaryDirectory() as state:
        env = environment(endpoint, state)
        command = [BIN, "--outputs", outputs, "--endpoint-url", endpoint]
        first = []
        for _ in range(5):
            screen = Screen(command, env)
            _, at = screen.read(5, until=rb"quit")
            first.append(at - screen.started)
            screen.read(1)
            screen.close()
        rows.append(("first full frame", f"{statistics.median(first) * 1000:.1f} ms", "limit", "30 ms", ""))

        screen = Screen(command, env)
        screen.read(5)
        keys = []
        for turn in range(KEY_ROUNDS):
            screen.read(0.005)
            pressed = time.perf_counter()
            screen.write(b"24"[turn % 2 : turn % 2 + 1])
            _, at = screen.read(1, until=rb".")
            if at:
                keys.append(at - pressed)
        rows.append(("key to screen (median)", f"{statistics.median(keys) * 1000:.2f} ms", "limit", "1 ms", ""))

        screen.write(b"1")
        screen.read(3)
        cpu = screen.cpu_seconds()
        data, _ = screen.read(REST_SECONDS)
        used = (screen.cpu_seconds() - cpu) / REST_SECONDS
        resident = screen.resident_mib()
        screen.close()

        peer_bytes, peer_cpu = "not installed", ""
        if htop := shutil.which("htop"):
            peer = Screen([htop], env)
            peer.read(3)
            before = peer.cpu_seconds()
            peer_data, _ = peer.read(REST_SECONDS / 2)
            rate = len(peer_data) / (REST_SECONDS / 2)
            peer_bytes = f"{rate:.0f} B/s"
            peer_cpu = f"{(peer.cpu_seconds() - before) / (REST_SECONDS / 2) * 100:.1f} %"
            peer.close()
        rows.append(("at rest, sent to the terminal", f"{len(data) / REST_SECONDS:.0f} B/s", "htop", peer_bytes, ""))
        rows.append(("at rest, of a core", f"{used * 100:.1f} %", "htop", peer_cpu, ""))
        rows.append(("resident memory", f"{resident:.0f} MiB", "limit", "40 MB", ""))


def main():
    rows = []
    status_beside_aws(rows)
    cockpit(rows)
    titles = ("what", "tapctl", "peer or limit", "its number", "ratio")
    widths = [max(len(row[i]) for row in [titles, *rows]) for i in range(5)]
    for row in [titles, tuple("-" * w for w in widths), *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
