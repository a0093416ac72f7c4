"""Which weights are declared, for everything the zone may hold."""

import pytest

from lib.weights import LiveRecord, RecordConflictError, Weights, declared

LEGACY, NEW = "migration-legacy-prod", "migration-new-prod"


def weighted(set_identifier: str, weight: int) -> LiveRecord:
    return LiveRecord(type="A", set_identifier=set_identifier, weight=weight)


def decide(*live: LiveRecord) -> Weights:
    return declared(live, record_name="app.example.com", legacy_id=LEGACY, new_id=NEW)


@pytest.mark.parametrize(
    ("live", "weights"),
    [
        ([], Weights(100, 0)),
        ([weighted(LEGACY, 100), weighted(NEW, 0)], Weights(100, 0)),
        ([weighted(LEGACY, 70), weighted(NEW, 30)], Weights(70, 30)),
        ([weighted(LEGACY, 0), weighted(NEW, 100)], Weights(0, 100)),
        # Equal shares by Route 53's rule; not ours to change.
        ([weighted(LEGACY, 0), weighted(NEW, 0)], Weights(0, 0)),
        ([weighted(LEGACY, 255)], Weights(255, 0)),
        ([weighted(LEGACY, 0)], Weights(100, 0)),
        ([weighted(NEW, 100)], Weights(0, 100)),
        # Alone it answers everything, whatever its weight; beside a legacy one with 100 it would answer nothing.
        ([weighted(NEW, 0)], Weights(0, 1)),
        ([LiveRecord(type="TXT", set_identifier=None, weight=None)], Weights(100, 0)),
        ([LiveRecord(type="AAAA", set_identifier=None, weight=None)], Weights(100, 0)),
    ],
)
def test_what_is_there_stays(live: list[LiveRecord], weights: Weights) -> None:
    assert decide(*live) == weights


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        (LiveRecord(type="A", set_identifier=None, weight=None), "plain A record"),
        (LiveRecord(type="CNAME", set_identifier=None, weight=None), "CNAME record"),
        (weighted("migration-new-blue", 10), "not of this stack"),
        (LiveRecord(type="A", set_identifier=LEGACY, weight=None), "not of this stack"),
    ],
)
def test_records_of_others_are_refused(live: LiveRecord, reason: str) -> None:
    with pytest.raises(RecordConflictError, match=reason):
        decide(live)
