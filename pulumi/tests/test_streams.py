"""Which states of writer, traffic and both streams may be deployed: every combination."""

import itertools

import pytest

from lib import streams
from lib.streams import ABSENT, UNKNOWN, Run, State, Stream, Verdict
from lib.weights import Weights

STATUSES = (
    *("creating", "ready", "starting", "running", "stopping", "stopped"),
    *("failed", "modifying", "moving", "failed-move", "deleting", "testing"),
)
STREAMS = [ABSENT, UNKNOWN, *map(Stream.of, STATUSES)]
WEIGHTS = [Weights(100, 0), Weights(70, 30), Weights(0, 100), Weights(0, 0), Weights(1, 255)]


def state(**changes: object) -> State:
    usual: dict[str, object] = {
        "stack": "prod",
        "region": "us-west-2",
        "record_name": "app.example.com",
        "weights": Weights(100, 0),
        "writer_is_aurora": False,
        "legacy_follows_writer": False,
        "loopback_prevention": False,
        "start_asked": False,
        "encrypted": True,
        "forward": Stream.of("ready"),
        "reverse": Stream.of("ready"),
    }
    return State(**(usual | changes))  # pyright: ignore[reportArgumentType] -- the fields are those above


EVERY = [
    state(
        weights=weights,
        writer_is_aurora=aurora,
        legacy_follows_writer=follows,
        loopback_prevention=loopback,
        start_asked=asked,
        encrypted=encrypted,
        forward=forward,
        reverse=reverse,
    )
    for weights, aurora, follows, loopback, asked, encrypted, forward, reverse in itertools.product(
        WEIGHTS, *5 * [(False, True)], STREAMS, STREAMS
    )
]
DECIDED = [(each, streams.decide(each)) for each in EVERY]


def allowed(state_: State, verdict: Verdict) -> bool:
    assert verdict == streams.decide(state_)
    return not verdict.refusals


def test_there_are_thousands_and_both_answers_occur() -> None:
    answers = {not verdict.refusals for _, verdict in DECIDED}
    assert (len(DECIDED), answers) == (5 * 32 * 14 * 14, {True, False})


def test_never_two_writers() -> None:
    for each, verdict in DECIDED:
        legacy_writes = each.weights.legacy > 0 or each.weights.new == 0
        if each.writer_is_aurora and legacy_writes and not each.legacy_follows_writer:
            assert verdict.refusals, each


def test_a_stream_is_left_as_it_was_found_but_for_a_first_start_that_was_asked_for() -> None:
    for each, verdict in DECIDED:
        if verdict.refusals:
            continue
        never_ran = each.forward.run is Run.READY
        assert verdict.start_forward == (each.forward.run is Run.RUNNING or (each.start_asked and never_ran)), each
        assert verdict.start_reverse == (each.reverse.run is Run.RUNNING), each


def test_nothing_is_carried_over_the_writers_own_rows() -> None:
    for each, verdict in DECIDED:
        if verdict.refusals or each.loopback_prevention:
            continue
        assert not (verdict.start_forward and verdict.start_reverse), each
        assert not (each.writer_is_aurora and verdict.start_forward), each
        # The mirror of the line above: it was left out while the way back was thought of as a spare only.
        assert not (not each.writer_is_aurora and verdict.start_reverse), each


def test_a_first_start_never_loads_over_aurora_once_it_is_the_writer() -> None:
    for each, verdict in DECIDED:
        if each.writer_is_aurora and each.start_asked and each.forward.run in {Run.ABSENT, Run.READY}:
            assert verdict.refusals, each


def test_a_task_that_is_not_there_is_not_started() -> None:
    """Nobody can have tested its endpoints, and DMS starts none without that."""
    for each, verdict in DECIDED:
        if each.start_asked and each.forward.run is Run.ABSENT:
            assert not verdict.start_forward, each
            assert any("README, 3 to 5" in refusal.sentence for refusal in verdict.refusals), each


def test_a_first_load_never_runs_beside_the_way_back() -> None:
    """Loopback prevention looks at what a stream has written, not at what a load puts there."""
    for each, verdict in DECIDED:
        if each.starts_forward and each.reverse.run is Run.RUNNING:
            assert verdict.refusals, each


def test_the_way_back_over_the_legacy_writer_is_refused_with_the_command_that_stops_it() -> None:
    for forward in ("ready", "stopped", "failed"):
        over = state(forward=Stream.of(forward), reverse=Stream.of("running"), weights=Weights(0, 100))
        (refusal,) = streams.decide(over).refusals
        assert refusal.key.name == "writer"
        assert "the way back is running: it carries Aurora's rows over the legacy database's own" in refusal.sentence
        assert "aws dms stop-replication-task" in refusal.command
        assert "dmsReverseTaskArn" in refusal.command


def test_nothing_crosses_the_internet_in_clear() -> None:
    for each, verdict in DECIDED:
        if not verdict.refusals and not each.encrypted:
            assert not verdict.start_forward, each
            assert not verdict.start_reverse, each


def test_a_stream_between_two_states_is_waited_for() -> None:
    for each, verdict in DECIDED:
        if Run.BETWEEN in {each.forward.run, each.reverse.run}:
            assert verdict.refusals, each


def test_the_way_back_is_never_refused_by_the_writer_or_the_traffic() -> None:
    """With the legacy database as the writer, no weights are refused, and neither is any stream that stands still."""
    still = {Run.READY, Run.STOPPED, Run.ABSENT}
    for each, verdict in DECIDED:
        if not each.writer_is_aurora and not each.start_asked and {each.forward.run, each.reverse.run} <= still:
            assert not verdict.refusals, each


def test_every_refusal_names_its_key_what_is_wanted_and_a_command() -> None:
    for _, verdict in DECIDED:
        for refusal in verdict.refusals:
            assert refusal.key.name
            assert "Wanted: " in refusal.sentence
            assert refusal.command.startswith(("tapctl shift ", "pulumi config set ", "aws dms "))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"forward": Stream.of("stopped")}, "the forward stream is stopped and stays so"),
        ({"reverse": Stream.of("failed")}, "the reverse stream has failed"),
        ({"writer_is_aurora": True, "weights": Weights(0, 100)}, "a rollback loses what is written from now on"),
        ({"reverse": Stream.of("running"), "loopback_prevention": True}, "Aurora falls behind"),
    ],
)
def test_what_an_operator_should_know_is_said(changes: dict[str, object], words: str) -> None:
    verdict = streams.decide(state(**changes))
    assert not verdict.refusals
    assert any(words in warning for warning in verdict.warnings)


def test_the_rest_states_are_silent() -> None:
    armed = {"forward": Stream.of("running"), "reverse": Stream.of("running"), "loopback_prevention": True}
    for rest in (
        state(),
        state(forward=Stream.of("running")),
        state(**armed),
        state(**armed, writer_is_aurora=True, weights=Weights(0, 100)),
    ):
        assert allowed(rest, streams.decide(rest))
        assert streams.decide(rest).warnings == []


def test_a_legacy_stack_that_follows_the_writer_may_keep_its_traffic() -> None:
    both = {"writer_is_aurora": True, "weights": Weights(70, 30), "reverse": Stream.of("running")}
    assert streams.decide(state(**both)).refusals
    assert not streams.decide(state(**both, legacy_follows_writer=True)).refusals


def test_a_status_that_dms_does_not_have_yet_is_not_known() -> None:
    assert Stream.of("hibernating").run is Run.UNKNOWN
