"""Both streams on the real engine: each is left as it was found, whatever changes around it."""

import pytest
from moves import CA, FORWARD, LEGACY, MAPPINGS, NEW, OTHER_CA, REPLACED, REVERSE

from driver import Engine

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    ("running", "stays", "refresh"),
    [((FORWARD,), "ready", True), ((REVERSE,), "stopped", True), ((FORWARD, REVERSE), "running", False)],
    ids=["forward", "way-back", "both-not-refreshed"],
)
def test_changed_mappings_leave_each_stream_as_they_found_it(
    deployed: Engine, running: tuple[str, ...], stays: str, *, refresh: bool
) -> None:
    before = {FORWARD: stays, REVERSE: stays} | dict.fromkeys(running, "running")
    for task, status in before.items():
        deployed.world.set_task(task, status)
    deployed.set_config(tableMappings=MAPPINGS, sourceDbCaCertificate=CA, loopbackPrevention="true")
    up = deployed.up(refresh=refresh)
    assert up.exit_code == 0, up.messages
    assert deployed.world.tasks() == before
    for task in (FORWARD, REVERSE):
        calls = [call for call in deployed.world.calls() if call.startswith("StartReplicationTask") and task in call]
        # From where it stood: a start from the beginning would load everything again.
        assert bool(calls) == (task in running)
        assert all(call.endswith("resume-processing") for call in calls)


def test_a_stream_that_was_stopped_is_not_resumed_by_a_release(deployed: Engine) -> None:
    """After the cutover by hand the forward stream stands still: to resume it would write over Aurora's own rows."""
    deployed.set_config(startReplication="true", sourceDbCaCertificate=CA)
    assert deployed.up().exit_code == 0
    assert deployed.world.tasks() == {FORWARD: "running", REVERSE: "ready"}
    deployed.world.set_task(FORWARD, "stopped")
    deployed.world.set_task(REVERSE, "running")
    deployed.world.move_weights({LEGACY: 0, NEW: 100})
    deployed.set_config(writer="aurora", imageTag="2026-11-24-5e6f7a8", tableMappings=MAPPINGS)
    up = deployed.up(refresh=True)
    assert up.exit_code == 0, up.messages
    assert deployed.world.tasks() == {FORWARD: "stopped", REVERSE: "running"}
    assert "the forward stream is stopped and stays so" in up.messages


ILLEGAL = [
    ("aurora", "running", "running", "tap:writer is 'aurora', but the forward stream is running"),
    ("legacy", "running", "running", "tap:loopbackPrevention is 'false', but both streams run"),
    ("legacy", "stopping", "ready", "while the forward stream is 'stopping'"),
]


def test_illegal_streams_are_refused_before_anything_changes(deployed: Engine) -> None:
    deployed.world.move_weights({LEGACY: 0, NEW: 100})
    for writer, forward, reverse, words in ILLEGAL:
        deployed.world.set_task(FORWARD, forward)
        deployed.world.set_task(REVERSE, reverse)
        deployed.set_config(writer=writer, sourceDbCaCertificate=CA)
        before = deployed.world.resources()
        up = deployed.up()
        assert up.exit_code != 0
        assert words in up.messages
        assert deployed.world.resources() == before


def test_a_rotated_authority_is_imported_first_and_its_streams_resume(peered: Engine) -> None:
    peered.set_config(sourceDbCaCertificate=OTHER_CA, loopbackPrevention="true")
    up = peered.up()
    assert up.exit_code == 0, up.messages
    assert up.operations["migration-dms-ca-prod"] >= REPLACED
    calls = peered.world.calls()
    for endpoint, task in (
        ("migration-dms-legacy-source-prod", FORWARD),
        ("migration-dms-legacy-target-prod", REVERSE),
    ):
        at = calls.index(f"ModifyEndpoint {endpoint}")
        assert f"StopReplicationTask {task}" in calls[:at]
        assert f"StartReplicationTask {task} resume-processing" in calls[at:]
    assert peered.world.tasks() == {FORWARD: "running", REVERSE: "running"}
    assert len(peered.world.resources("aws:dms/certificate:Certificate")) == 1


@pytest.mark.parametrize(
    "fault", ["InvalidResourceStateFault: already being tested", "AccessDeniedFault: no way in"], ids=["silent", "loud"]
)
def test_a_stream_that_does_not_come_back_fails_the_run(peered: Engine, fault: str) -> None:
    """The provider goes on without a word when somebody else tests the endpoint at that moment."""
    peered.world.set_task(REVERSE, "stopped")
    # The state learns that tapctl has started it, so that only the endpoints are left to change.
    assert peered.up().exit_code == 0
    peered.world.set_control(fail={f"start:{FORWARD}": fault})
    peered.set_config(sourceDbCaCertificate=OTHER_CA)
    up = peered.up()
    assert up.exit_code != 0
    assert peered.world.tasks()[FORWARD] == "stopped"
    if "tested" in fault:
        words = "the forward stream was running before this `up` and is 'stopped' after it"
        assert words in up.messages
        assert "start-replication-task --start-replication-task-type resume-processing" in up.messages
    else:
        assert fault in up.messages
