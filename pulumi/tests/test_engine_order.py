"""Prerequisites that come late: whoever needs them waits."""

import re

import pytest
from moves import CERTIFICATE, FORWARD, PEERING
from recorder import deploy

from driver import Engine

pytestmark = pytest.mark.engine

PREREQUISITES = {
    "the way to the Internet": r"public-(rt|subnet-\d)-prod-(rt|out)|-igw-",
    "NAT gateways and private routes": r"-nat-|private-(rt|subnet-\d).*-(rt|out)$",
    "rules": r"-sg-prod-(from|to)-",
    "peering": r"peering-prod-|-prod-legacy-|legacy-route",
    "policies, secrets, listeners and instances": r"-policy$|-version$|-https?-prod|aurora-instance",
}


@pytest.mark.parametrize("late", PREREQUISITES, ids=[name.replace(" ", "-") for name in PREREQUISITES])
def test_an_up_waits_for_what_comes_late(fresh: Engine, late: str) -> None:
    """AWS would refuse, or make something that fails: the stand-in refuses as well."""
    whole = {**PEERING, "certificateArn": CERTIFICATE}
    names = [each.name for each in deploy(**whole).cloud() if re.search(PREREQUISITES[late], each.name)]
    assert len(names) > 4
    fresh.make_stack(**whole)
    # Longer than everything else takes together, so that whoever does not wait is too early.
    fresh.world.set_control(delay=dict.fromkeys([f"create:{name}" for name in names], 4.0))
    up = fresh.up()
    assert up.exit_code == 0, up.messages
    fresh.test_connections()
    fresh.world.set_control()
    fresh.set_config(startReplication="true")
    up = fresh.up()
    assert up.exit_code == 0, up.messages
    assert fresh.world.tasks()[FORWARD] == "running"
