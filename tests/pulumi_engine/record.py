"""Records what the real engine streams while it runs the real program against the stand-in cloud.

    record.py FOLDER      writes FOLDER/engine/bundled-{preview,up-failed}.jsonl and FOLDER/outputs.json, and beside the
                          code that plays them in drills bundled-{up,destroy}.jsonl

The streams are kept whole, `debug` diagnostics included; only paths of this machine are taken out.
"""

import json
import sys
import tempfile
from pathlib import Path

import cloud
import toolchain
from driver import Engine, Run, engine

QUOTA = (
    "creating ELBv2 application Load Balancer (migration-alb-prod): operation error Elastic Load Balancing v2: "
    "CreateLoadBalancer, https response error StatusCode: 400, RequestID: 3f1c9f0e-6a55-4c0e-9d5b-2f6a1c7b8e90, "
    "TooManyLoadBalancers: The maximum number of load balancers has been reached"
)


# What the drills play, and what their stack is, is a part of the program: it lies beside the code that reads it.
PLAYED = cloud.HERE.parents[1] / "src" / "sim" / "recordings"
IDENTITIES = {
    "legacyAppSecretArn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-app-a1B2c3",
    "legacyTapctlSecretArn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-tapctl-a1B2c3",
}


def _write(folder: Path, name: str, run: Run, used: Engine) -> None:
    text = run.output
    for path, instead in (
        (str(cloud.HERE / "bin"), "/usr/local/bin"),
        (str(used.program), "/srv/tap"),
        (str(used.folder), "/srv"),
        (sys.prefix, "/srv/venv"),
        (sys.base_prefix, "/usr"),
    ):
        text = text.replace(path, instead)
    lines = [line for line in text.splitlines() if line.startswith("{")]
    for line in lines:
        json.loads(line)
    (folder / f"bundled-{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"bundled-{name}.jsonl: {len(lines)} events, exit code {run.exit_code}")


def main(fixtures: Path) -> None:
    """Makes all recordings anew."""
    pulumi = toolchain.cli()
    if pulumi is None:
        sys.exit("no Pulumi CLI and no Go to build one with")
    folder = fixtures / "engine"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        with engine(Path(scratch) / "good", pulumi) as good:
            # Everything that is an output, so that the fixture shows each key once.
            good.make_stack(**IDENTITIES)
            _write(folder, "preview", good.preview(), good)
            _write(PLAYED, "up", good.up(), good)
            outputs = json.dumps(good.outputs(), indent=2, sort_keys=True)
            (fixtures / "outputs.json").write_text(outputs + "\n", encoding="utf-8")
            _write(PLAYED, "destroy", good.destroy(), good)
        with engine(Path(scratch) / "failing", pulumi) as failing:
            failing.make_stack()
            failing.world.set_control(fail={"migration-alb-prod": QUOTA})
            _write(folder, "up-failed", failing.up(), failing)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
