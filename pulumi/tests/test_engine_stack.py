"""The program on the real engine: preview, update, a second stack, a failure, and the end."""

import json
from pathlib import Path

import pytest
from moves import CERTIFICATE, PEERING

import world
from driver import Engine

pytestmark = pytest.mark.engine

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"


def test_a_preview_creates_nothing(fresh: Engine) -> None:
    fresh.make_stack()
    preview = fresh.preview()
    assert preview.exit_code == 0, preview.messages
    assert set(preview.changes) == {"create"}
    assert preview.changes["create"] > 100
    assert fresh.world.resources() == []


def test_outputs_and_state(deployed: Engine) -> None:
    outputs = deployed.outputs()
    assert set(outputs) == set(json.loads(OUTPUTS.read_text(encoding="utf-8"))) - {"legacyTapctlSecretArn"}
    made = deployed.world.resources("random:index/randomPassword:RandomPassword")
    passwords = {each["outputs"]["result"] for each in made}
    assert {len(password) for password in passwords} == {32}
    # Aurora's master user, DMS, the readers and tapctl; the application's account is the legacy one.
    assert len(passwords) == 4
    # The program reads its own state, secrets included; nothing of them may be said.
    said = deployed.state() + json.dumps(outputs) + deployed.up().output
    assert not [password for password in passwords if password in said]


@pytest.mark.parametrize("refresh", [False, True])
def test_a_second_up_changes_nothing(deployed: Engine, *, refresh: bool) -> None:
    again = deployed.up(refresh=refresh)
    assert again.exit_code == 0, again.messages
    assert again.changes == {}


def test_a_second_suffix_lives_beside_the_first(deployed: Engine) -> None:
    before = deployed.world.resources()
    deployed.make_stack(
        "blue", recordName="blue.example.com", vpcCidr="10.43.0.0/16", legacyAppSecretArn=world.APP_SECRET
    )
    refused = deployed.up("blue")
    assert refused.exit_code != 0
    # Three of five are in use; a quota of the account, which moto and the like do not know.
    assert "tap:natGateways needs 3 more Elastic IP addresses, but 3 of 5 in us-west-2 are in use" in refused.messages
    with deployed.world.change() as cloud:
        cloud["given"]["quotas"]["L-0263D0A3"] = 6
    up = deployed.up("blue")
    assert up.exit_code == 0, up.messages
    assert len(deployed.world.resources()) == 2 * len(before)
    gone = deployed.destroy("blue")
    assert gone.exit_code == 0, gone.messages
    assert deployed.world.resources() == before


def test_a_failing_resource_then_a_good_up(fresh: Engine) -> None:
    fresh.make_stack()
    fresh.world.set_control(fail={"migration-alb-prod": "TooManyLoadBalancers: quota reached"})
    failed = fresh.up()
    assert failed.exit_code != 0
    assert "TooManyLoadBalancers" in failed.messages, failed.messages
    made = {each["name"] for each in fresh.world.resources()}
    assert "migration-vpc-prod" in made
    assert not {"migration-alb-prod", "migration-new-prod", "migration-service-prod"} & made
    fresh.world.set_control()
    mended = fresh.up()
    assert mended.exit_code == 0, mended.messages
    assert set(mended.changes) == {"create"}
    assert made < {each["name"] for each in fresh.world.resources()}


def test_an_interrupted_up_can_be_taken_up_again(fresh: Engine) -> None:
    fresh.make_stack()
    cut = fresh.interrupted_up("migration-vpc-prod")
    assert cut.exit_code != 0
    assert "migration-service-prod" not in {each["name"] for each in fresh.world.resources()}
    again = fresh.up()
    assert again.exit_code == 0, again.messages
    names = [each["name"] for each in fresh.world.resources()]
    assert {"migration-vpc-prod", "migration-service-prod"} <= set(names)
    assert sorted(set(names)) == sorted(names)


def test_destroy_leaves_nothing(deployed: Engine) -> None:
    assert deployed.world.resources()
    gone = deployed.destroy()
    assert gone.exit_code == 0, gone.messages
    assert deployed.world.resources() == []


def test_destroy_after_the_name_was_handed_back(deployed: Engine) -> None:
    """The records are gone already, replaced by a plain one that is not the stack's to delete."""
    plain = {"zone_id": world.ZONE_ID, "name": "app.example.com", "type": "A", "set_identifier": None, "weight": None}
    with deployed.world.change() as cloud:
        kept = {key: each for key, each in cloud["resources"].items() if each["type"] != world.RECORD}
        assert len(kept) == len(cloud["resources"]) - 2
        cloud["resources"] = kept
        cloud["given"]["records"].append(plain)
    gone = deployed.destroy()
    assert gone.exit_code == 0, gone.messages
    assert deployed.world.resources() == []
    assert deployed.world.read()["given"]["records"] == [plain]


def test_a_refused_configuration_creates_nothing(fresh: Engine) -> None:
    fresh.make_stack(sourceDbEndpoint="nowhere", sourceDbSecretArn="")
    up = fresh.up()
    assert up.exit_code != 0
    assert "tap:sourceDbEndpoint is 'nowhere'" in up.messages
    assert "tap:sourceDbSecretArn is not set" in up.messages
    assert "Traceback" not in up.messages
    assert fresh.world.resources() == []


def test_a_zone_that_is_not_there_is_named(fresh: Engine) -> None:
    fresh.make_stack(hostedZoneName="example.org")
    up = fresh.up()
    assert up.exit_code != 0
    assert "tap:hostedZoneName is 'example.org'" in up.messages
    assert "no matching Route 53 Hosted Zone" in up.messages
    assert fresh.world.resources() == []


def test_an_update_does_not_undo_what_autoscaling_did(deployed: Engine) -> None:
    with deployed.world.change() as cloud:
        (service,) = [each for each in cloud["resources"].values() if each["type"] == "aws:ecs/service:Service"]
        service["outputs"]["desiredCount"] = 9
    deployed.set_config(imageTag="2026-11-24-5e6f7a8")
    up = deployed.up(refresh=True)
    assert up.exit_code == 0, up.messages
    service = deployed.world.named("migration-service-prod")
    assert service["outputs"]["desiredCount"] == 9
    assert "2026-11-24-5e6f7a8" in deployed.world.named("migration-app-prod")["outputs"]["containerDefinitions"]


def test_a_certificate_that_is_refused_leaves_no_redirect(deployed: Engine) -> None:
    deployed.world.set_control(fail={"create:migration-https-prod": "CertificateNotFound: no such certificate"})
    deployed.set_config(certificateArn=CERTIFICATE)
    refused = deployed.up()
    assert refused.exit_code != 0
    assert "CertificateNotFound" in refused.messages

    def action() -> str:
        return deployed.world.named("migration-http-prod")["outputs"]["defaultActions"][0]["type"]

    assert action() == "forward"
    deployed.world.set_control()
    assert deployed.up().exit_code == 0
    assert action() == "redirect"
    deployed.unset_config("certificateArn")
    assert deployed.up().exit_code == 0
    assert action() == "forward"
    assert [each["name"] for each in deployed.world.resources("aws:lb/listener:Listener")] == ["migration-http-prod"]
    assert deployed.destroy().exit_code == 0
    assert deployed.world.resources() == []


@pytest.mark.parametrize("refresh", [True, False], ids=["refreshed", "not-refreshed"])
def test_a_zone_that_is_gone_for_an_hour_replaces_nothing(deployed: Engine, *, refresh: bool) -> None:
    with deployed.world.change() as cloud:
        cloud["given"]["letters"] = "bcd"
    up = deployed.up(refresh=refresh)
    assert (up.exit_code, up.changes) == (0, {}), up.messages


def test_two_peered_stacks_and_both_gone_cleanly(peered: Engine) -> None:
    peered.make_stack("blue", **PEERING, recordName="blue.example.com", natGateways="single")
    with peered.world.change() as cloud:
        cloud["given"]["quotas"]["L-0263D0A3"] = 6
    refused = peered.up("blue")
    assert refused.exit_code != 0
    words = "tap:vpcCidr is 10.42.0.0/16, but rtb-0a1b2c3d4e5f60718 in us-east-1 routes 10.42.0.0/16 to pcx-"
    assert words in refused.messages
    first = peered.world.resources()
    peered.set_config("blue", vpcCidr="10.43.0.0/16")
    up = peered.up("blue")
    assert up.exit_code == 0, up.messages
    gone = peered.destroy("blue")
    assert gone.exit_code == 0, gone.messages
    assert peered.world.resources() == first
    # The streams run, which the state does not know: they are stopped on the way.
    gone = peered.destroy()
    assert gone.exit_code == 0, gone.messages
    assert peered.world.resources() == []
