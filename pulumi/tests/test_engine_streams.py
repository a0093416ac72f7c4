"""Both streams on the real engine: each is left as it was found, whatever changes around it."""

import json

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
    deployed.test_connections()
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


def test_a_first_start_waits_until_the_connections_have_been_tested(fresh: Engine) -> None:
    fresh.make_stack(startReplication="true", sourceDbCaCertificate=CA)
    refused = fresh.up()
    assert refused.exit_code != 0
    assert "tap:startReplication is 'true', but the forward task is not there yet" in refused.messages
    assert fresh.world.resources() == []
    fresh.set_config(startReplication="false")
    assert fresh.up().exit_code == 0
    fresh.set_config(startReplication="true")
    untested = fresh.up()
    assert untested.exit_code != 0
    assert "test connection for replication instance and endpoint should be successful" in untested.messages
    assert fresh.world.tasks()[FORWARD] == "ready"
    fresh.test_connections()
    up = fresh.up()
    assert up.exit_code == 0, up.messages
    assert fresh.world.tasks() == {FORWARD: "running", REVERSE: "ready"}


def test_loopback_prevention_is_switched_off_as_well_as_on(peered: Engine) -> None:
    """The provider sees no change in a setting that is left out, and DMS keeps what it is not told."""

    def enabled() -> list[bool | None]:
        found = (peered.world.named(task)["outputs"]["replicationTaskSettings"] for task in (FORWARD, REVERSE))
        told: list[dict[str, bool]] = [json.loads(each).get("LoopbackPreventionSettings") or {} for each in found]
        return [each.get("EnableLoopbackPrevention") for each in told]

    assert enabled() == [None, None]
    peered.set_config(loopbackPrevention="true")
    assert peered.up().exit_code == 0
    assert enabled() == [True, True]
    peered.world.set_task(REVERSE, "stopped")
    peered.set_config(loopbackPrevention="false")
    off = peered.up()
    assert off.exit_code == 0, off.messages
    assert enabled() == [False, False]
    assert peered.world.tasks() == {FORWARD: "running", REVERSE: "stopped"}
    again = peered.up()
    assert (again.exit_code, again.changes) == (0, {}), again.messages


@pytest.mark.parametrize("key", ["lobMode", "fullLoadSubTasks"])
def test_every_other_setting_comes_back_to_what_it_was(peered: Engine, key: str) -> None:
    changes = {"lobMode": {"lobMode": "limited", "lobMaxSizeKb": "512"}, "fullLoadSubTasks": {"fullLoadSubTasks": "16"}}

    def settings() -> dict[str, dict[str, object]]:
        return json.loads(peered.world.named(FORWARD)["outputs"]["replicationTaskSettings"])

    peered.world.set_task(REVERSE, "stopped")
    before = settings()
    peered.set_config(**changes[key])
    assert peered.up().exit_code == 0
    assert settings() != before
    peered.unset_config(*changes[key])
    assert peered.up().exit_code == 0
    after = settings()
    # The limit of the other mode stays behind, where nothing reads it.
    assert after.get("TargetMetadata", {}).pop("LobMaxSize", None) in {None, 512}
    assert after == before
    assert peered.up().changes == {}


AUTHORITY_OF = {"migration-dms-legacy-source-prod": FORWARD, "migration-dms-legacy-target-prod": REVERSE}


def test_a_rotated_authority_is_imported_first_and_its_streams_are_resumed_by_hand(peered: Engine) -> None:
    """DMS itself tests the endpoint that was changed, so the provider's own test is refused, and it resumes nothing."""
    peered.set_config(loopbackPrevention="true")
    assert peered.up().exit_code == 0
    peered.set_config(sourceDbCaCertificate=OTHER_CA)
    up = peered.up()
    assert up.exit_code != 0
    assert up.operations["migration-dms-ca-prod"] >= {"create-replacement"}
    calls = peered.world.calls()
    for endpoint, task in AUTHORITY_OF.items():
        assert f"StopReplicationTask {task}" in calls[: calls.index(f"ModifyEndpoint {endpoint}")]
    assert peered.world.tasks() == {FORWARD: "stopped", REVERSE: "stopped"}
    for which in ("forward", "reverse"):
        assert f"the {which} stream was running before this `up` and is 'stopped' after it" in up.messages
    for task in AUTHORITY_OF.values():
        peered.world.set_task(task, "running")
    again = peered.up()
    assert again.exit_code == 0, again.messages
    assert peered.world.tasks() == {FORWARD: "running", REVERSE: "running"}
    assert len(peered.world.resources("aws:dms/certificate:Certificate")) == 1
    assert peered.up().changes == {}


def test_a_rotated_authority_resumes_its_streams_where_the_test_of_dms_is_over(peered: Engine) -> None:
    peered.world.set_control(quick=True)
    peered.set_config(sourceDbCaCertificate=OTHER_CA, loopbackPrevention="true")
    up = peered.up()
    assert up.exit_code == 0, up.messages
    assert up.operations["migration-dms-ca-prod"] >= REPLACED
    calls = peered.world.calls()
    for endpoint, task in AUTHORITY_OF.items():
        at = calls.index(f"ModifyEndpoint {endpoint}")
        assert f"StopReplicationTask {task}" in calls[:at]
        assert f"StartReplicationTask {task} resume-processing" in calls[at:]
    assert peered.world.tasks() == {FORWARD: "running", REVERSE: "running"}
    assert len(peered.world.resources("aws:dms/certificate:Certificate")) == 1


@pytest.mark.parametrize("quick", [False, True], ids=["silent", "loud"])
def test_a_stream_that_does_not_come_back_fails_the_run(peered: Engine, *, quick: bool) -> None:
    """The provider goes on without a word when the endpoint is being tested at that moment, as it normally is."""
    fault = "AccessDeniedFault: no way in"
    peered.world.set_task(REVERSE, "stopped")
    # The state learns that tapctl has started it, so that only the endpoints are left to change.
    assert peered.up().exit_code == 0
    peered.world.set_control(fail={f"start:{FORWARD}": fault}, quick=quick)
    peered.set_config(sourceDbCaCertificate=OTHER_CA)
    up = peered.up()
    assert up.exit_code != 0
    assert peered.world.tasks()[FORWARD] == "stopped"
    if not quick:
        words = "the forward stream was running before this `up` and is 'stopped' after it"
        assert words in up.messages
        assert "start-replication-task --start-replication-task-type resume-processing" in up.messages
    else:
        assert fault in up.messages
