"""The weighted pair."""

from pathlib import Path

import pulumi
import pytest
from reading import deploy_with
from recorder import Recording, deploy

import driver

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"
REPOSITORY = Path(__file__).parents[2]


def test_the_weighted_pair(usual: Recording) -> None:
    legacy, new = usual.of("route53/record:Record")
    assert [each.inputs["weightedRoutingPolicies"] for each in (legacy, new)] == [[{"weight": 100}], [{"weight": 0}]]
    assert [each.inputs["setIdentifier"] for each in (legacy, new)] == ["migration-legacy-prod", "migration-new-prod"]
    assert legacy.inputs["aliases"][0]["zoneId"] == "Z35SXDOTRQ7X7K"
    assert legacy.inputs["aliases"][0]["name"] == usual.outputs["legacyLbDnsName"]
    assert new.inputs["aliases"][0]["name"] == usual.outputs["albDnsName"]
    # Alone, the new record would take all traffic.
    assert legacy.name in new.depends_on


def test_beside_a_new_record_that_is_alone_the_legacy_one_comes_second() -> None:
    """Both with 0 they would take half each, until the new one has its weight."""
    cloud = driver.with_weights(driver.empty_cloud(), 0, 0)
    cloud["given"]["records"] = [each for each in cloud["given"]["records"] if "new" in each["set_identifier"]]
    legacy, new = deploy(cloud).of("route53/record:Record")
    assert [each.inputs["weightedRoutingPolicies"] for each in (legacy, new)] == [[{"weight": 0}], [{"weight": 1}]]
    assert new.name in legacy.depends_on
    assert legacy.name not in new.depends_on


@pytest.mark.parametrize(("writer", "evaluated"), [("legacy", True), ("aurora", False)])
def test_health_moves_traffic_only_while_both_stacks_write_to_one_database(writer: str, *, evaluated: bool) -> None:
    records = deploy_with(writer).of("route53/record:Record")
    assert {each.inputs["aliases"][0]["evaluateTargetHealth"] for each in records} == {evaluated}


@pytest.mark.parametrize("zone", [{"hostedZoneName": "example.com"}, {"hostedZoneId": "Z0123456789ABCDEFGHIJ"}])
def test_the_zone_by_name_or_by_id(zone: dict[str, str | None]) -> None:
    neither: dict[str, str | None] = {"hostedZoneName": None, "hostedZoneId": None}
    records = deploy(**(neither | zone)).of("route53/record:Record")
    assert {each.inputs["zoneId"] for each in records} == {"Z0123456789ABCDEFGHIJ"}


def test_a_record_outside_the_zone_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match=r"tap:recordName .* not in the zone"):
        deploy(recordName="app.example.org")
