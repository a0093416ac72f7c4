"""What is asked before anything is created: what is refused, and what happens when there is no answer."""

from collections.abc import Callable

import pytest
from moves import EVERYTHING
from recorder import Recording, deploy, passed, settings
from standing import BALANCER, PEERING, Json, refusal, running

import driver
import world
from lib.existing import Existing
from lib.inquiry import Inquiry
from lib.naming import Naming
from lib.settings import quoted
from lib.zones import chosen

QUESTIONS = [
    ("getLoadBalancer", "elasticloadbalancing:DescribeLoadBalancers"),
    ("getSecretVersion", "secretsmanager:GetSecretValue"),
    ("getServiceQuota", "servicequotas:GetServiceQuota"),
    ("getEips", "ec2:DescribeAddresses"),
    ("getReplicationTask", "dms:DescribeReplicationTasks"),
    ("getRouteTable", "ec2:DescribeRouteTables"),
    ("getRoles", "iam:ListRoles"),
]


@pytest.mark.parametrize(("question", "permission"), QUESTIONS)
def test_no_answer_is_a_warning_before_the_first_up_and_a_refusal_afterwards(question: str, permission: str) -> None:
    typed: dict[str, str | None] = {"legacyLbDnsName": BALANCER, **PEERING}
    made = deploy(driver.empty_cloud() | {"deny": [question]}, **typed)
    assert any(permission in line and "the first `up` goes on without it" in line for line in made.said)
    text = refusal(running() | {"deny": [question]}, **typed)
    assert permission in text
    assert f"allow {permission}" in text


@pytest.mark.parametrize("denied", [["readStackResourceOutputs"], ["readStackResourceOutputs", "getReplicationTask"]])
@pytest.mark.parametrize("cloud", [driver.empty_cloud, running], ids=["first", "later"])
def test_a_state_that_cannot_be_read_is_a_refusal_and_never_a_first_up(
    cloud: Callable[[], Json], denied: list[str]
) -> None:
    """Running streams would be declared as stopped, zones chosen anew, and no fixed key noticed."""
    text = refusal(cloud() | {"deny": denied}, vpcCidr="10.43.0.0/16")
    assert "Pulumi's state of this stack cannot be read: " in text
    assert "not authorized to perform what readStackResourceOutputs needs" in text
    assert "do: pulumi stack export --stack prod" in text


def test_only_a_state_that_was_read_says_that_nothing_is_there() -> None:
    assert Existing({}).first
    assert not Existing({}, unread="no such bucket").first


@pytest.mark.parametrize(
    "words",
    [
        "lookup dms.us-west-2.amazonaws.com: no such host",
        "failed to get shared config profile, prod: not found",
        "ThrottlingException: Rate exceeded",
        "AccessDeniedException: User is not authorized: the policy was not found",
    ],
)
def test_a_look_that_fails_is_never_taken_for_a_task_that_is_not_there(words: str) -> None:
    """It would be declared as stopped, and the provider would stop it."""
    problems: list[str] = []

    def question() -> str:
        raise RuntimeError(words)

    inquiry = Inquiry(first=False, problems=problems)
    assert inquiry.ask("the task", "dms:DescribeReplicationTasks", question, absent="absent") is None
    assert words in problems[0]


def test_zones_that_were_chosen_need_no_list_and_the_first_ones_do() -> None:
    denied = {"deny": ["getAvailabilityZones"]}
    text = refusal(driver.empty_cloud() | denied)
    assert "allow ec2:DescribeAvailabilityZones" in text
    # Nobody has counted them.
    assert "offers" not in text
    text = refusal(running(**subnets("us-west-2a", "us-west-2b", "us-west-2c")) | denied)
    assert "allow ec2:DescribeAvailabilityZones" in text
    assert "offers" not in text


@pytest.mark.parametrize("cloud", [driver.empty_cloud, running], ids=["first", "later"])
def test_weights_that_cannot_be_read_are_never_guessed(cloud: Callable[[], Json]) -> None:
    text = refusal(cloud() | {"deny": ["getRecords"]})
    assert "tap:recordName is 'app.example.com', whose records cannot be read" in text
    assert "allow route53:ListResourceRecordSets" in text


def test_tasks_that_are_not_there_yet_are_no_trouble_at_any_time() -> None:
    assert passed(running()).forward.status == "not there"


def test_a_balancer_that_is_not_there_is_not_taken_for_one_that_may_not_be_looked_up() -> None:
    for cloud in (driver.empty_cloud(), running()):
        text = refusal(cloud, legacyLbName="other-web")
        assert "tap:legacyLbName is 'other-web', and us-east-1 has no such load balancer" in text
        assert "do: pulumi config set legacyLbName NAME" in text
        assert "allow elasticloadbalancing" not in text
    assert "tapctl release --to new --stack prod" in text


ALB = "migration-alb-prod-1.us-west-2.elb.amazonaws.com"


def handed_over(alias: str | None) -> Json:
    """A stack that runs, and a plain record under the name; the legacy balancer is gone."""
    cloud = running(alb={"type": "aws:lb/loadBalancer:LoadBalancer", "outputs": {"dnsName": ALB}})
    record = {"zone_id": world.ZONE_ID, "name": "app.example.com", "type": "A", "weight": None, "set_identifier": None}
    cloud["given"]["records"].append(record | ({"alias": alias} if alias else {}))
    cloud["given"]["balancers"] = {}
    return cloud


@pytest.mark.parametrize("alias", [f"{ALB}.", f"dualstack.{ALB}.", ALB.upper()])
def test_a_stack_that_owns_the_plain_record_is_updated_without_a_pair(alias: str) -> None:
    made = deploy(handed_over(alias), writer="aurora", certificateArn=EVERYTHING["certificateArn"])
    assert made.of("route53/record:Record") == []
    assert any("is a plain record that leads to this stack" in line for line in made.said)
    # Nobody goes back to the legacy stack by this name.
    assert made.named("migration-http-prod").inputs["defaultActions"][0]["type"] == "redirect"
    assert made.outputs["newSetIdentifier"] == "migration-new-prod"


@pytest.mark.parametrize("alias", [None, "legacy-web-1234567890.us-east-1.elb.amazonaws.com.", f"x.{ALB}."])
def test_a_plain_record_that_leads_elsewhere_is_still_in_the_way(alias: str | None) -> None:
    text = refusal(handed_over(alias))
    assert "which has a plain A record, and that cannot stand beside a weighted pair" in text
    assert "do: tapctl adopt --stack prod" in text


def test_a_task_in_a_state_that_dms_does_not_have_yet_is_refused() -> None:
    text = refusal(driver.with_tasks(running(), reverse="hibernating"))
    assert "the reverse task 'migration-dms-reverse-task-prod' is 'hibernating', a state that is not known here" in text
    assert "do: aws dms describe-replication-tasks" in text


def test_the_first_up_without_a_look_at_the_balancer_needs_its_name() -> None:
    denied = driver.empty_cloud() | {"deny": ["getLoadBalancer"]}
    assert "tap:legacyLbDnsName is not set, and 'legacy-web' cannot be looked up" in refusal(denied)


def test_the_balancer_is_looked_up_and_what_was_typed_must_agree(usual: Recording) -> None:
    assert usual.outputs["legacyLbDnsName"] == "legacy-web-1234567890.us-east-1.elb.amazonaws.com"
    text = refusal(legacyLbDnsName="web-1.us-east-1.elb.amazonaws.com", legacyLbZoneId="Z32O12XQLNTSW2")
    assert "tap:legacyLbDnsName is 'web-1.us-east-1.elb.amazonaws.com', but 'legacy-web' has" in text
    assert "tap:legacyLbZoneId is 'Z32O12XQLNTSW2', but 'legacy-web' has 'Z35SXDOTRQ7X7K'" in text
    assert "pulumi config rm legacyLbZoneId" in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"host": "other.example.com", "port": 3306}, "tap:sourceDbEndpoint is 'legacy-db"),
        ({"host": "legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com", "port": "3307"}, "tap:sourceDbPort is 3306"),
        ({"port": 3306}, "tap:sourceDbSecretArn leads to a secret that does not say what sourceDbEndpoint says"),
        ({}, "does not say what sourceDbPort says"),
    ],
)
def test_dms_and_the_tasks_must_mean_the_same_database(content: Json, words: str) -> None:
    assert words in refusal(driver.empty_cloud(secrets={world.SOURCE_SECRET: content}))


HOST = "legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com"


@pytest.mark.parametrize("host", [f"{HOST}.", HOST.upper()])
@pytest.mark.parametrize("port", [3306, "3306"])
def test_a_host_is_compared_as_a_resolver_reads_it(host: str, port: object) -> None:
    assert passed(driver.empty_cloud(secrets={world.SOURCE_SECRET: {"host": host, "port": port}}))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "\ufeff{}", '{"port": ' + "9" * 5000 + "}", "[" * 100_000],
    ids=["bytes", "list", "null", "mark", "number", "depth"],
)
@pytest.mark.parametrize("cloud", [driver.empty_cloud, running], ids=["first", "later"])
def test_a_secret_that_holds_no_object_is_a_wrong_one_at_any_time(cloud: Callable[[], Json], text: str) -> None:
    """It was read, so AWS has answered: there is nothing to wait for, and nothing to go on without."""
    world_ = cloud()
    world_["given"]["secrets"][world.SOURCE_SECRET] = text
    told = refusal(world_)
    assert "tap:sourceDbSecretArn leads to a secret that does not say what sourceDbEndpoint says" in told
    assert "tap:sourceDbSecretArn leads to a secret without a username and a password" in told
    # The ARN is right; what it leads to is not.
    assert "pulumi config set sourceDbSecretArn" not in told
    assert "do: aws secretsmanager put-secret-value" in told
    assert "cannot be looked up" not in told


@pytest.mark.parametrize("host", [f" {HOST}", f"{HOST} ", f"{HOST}\n"])
def test_a_host_with_a_blank_is_another_one_to_dms(host: str) -> None:
    text = refusal(driver.empty_cloud(secrets={world.SOURCE_SECRET: {"host": host, "port": 3306}}))
    assert f"tap:sourceDbSecretArn leads to a secret with {host!r} where sourceDbEndpoint says" in text


@pytest.mark.parametrize("host", ["x; rm -rf ~ #", "$(touch x)", "a\x1b[2Jb", "`id`", "", "a b.example.com", "*"])
def test_no_command_that_may_be_pasted_holds_what_a_secret_says(host: str) -> None:
    text = refusal(driver.empty_cloud(secrets={world.SOURCE_SECRET: {"host": host, "port": 3306}}))
    assert f"tap:sourceDbSecretArn leads to a secret with {host.lower()!r} where sourceDbEndpoint says" in text
    assert "\x1b" not in text
    assert not [line for line in text.splitlines() if "do: " in line and host and host in line]


@pytest.mark.parametrize("port", ["\u00b2", "\u0663\u0663", "3306.0", None, True, "0x1", "-1", " 3306 "])
def test_a_port_is_digits_of_ascii(port: object) -> None:
    text = refusal(driver.empty_cloud(secrets={world.SOURCE_SECRET: {"host": HOST, "port": port}}))
    assert "does not say what sourceDbPort says" in text


def test_a_value_that_is_read_is_one_word_of_a_command() -> None:
    assert quoted("db.example.com") == "db.example.com"
    assert quoted("x; rm -rf ~") == "'x; rm -rf ~'"
    assert quoted("a'\x1b[2J") == "$'a\\'\\x1b[2J'"
    assert quoted(8080) == "8080"


def test_nothing_of_the_secret_but_host_and_port_is_said() -> None:
    content = {"host": "other.example.com", "port": 1, "password": "tell-nobody"}
    assert "tell-nobody" not in refusal(driver.empty_cloud(secrets={world.SOURCE_SECRET: content}))


@pytest.mark.parametrize("key", ["sourceDbSecretArn", "legacyAppSecretArn", "legacyTapctlSecretArn"])
@pytest.mark.parametrize("missing", ["username", "password"])
def test_a_secret_by_which_nobody_could_log_in_is_refused(key: str, missing: str) -> None:
    arn = {"sourceDbSecretArn": world.SOURCE_SECRET, "legacyAppSecretArn": world.APP_SECRET}.get(
        key, world.TAPCTL_SECRET
    )
    cloud = driver.empty_cloud()
    cloud["given"]["secrets"][arn][missing] = ""
    assert f"tap:{key} leads to a secret without a {missing}, so " in refusal(cloud, **{key: arn})


@pytest.mark.parametrize("character", list("{};"))
def test_a_password_that_dms_does_not_take_is_refused_and_not_said(character: str) -> None:
    cloud = driver.empty_cloud()
    cloud["given"]["secrets"][world.SOURCE_SECRET]["password"] = f"tell{character}nobody"
    text = refusal(cloud)
    assert "tap:sourceDbSecretArn leads to a secret whose password holds one of { } ;" in text
    assert "docs.aws.amazon.com/dms/latest/userguide/CHAP_Endpoints.Creating.html" in text
    assert "nobody" not in text


@pytest.mark.parametrize("taken", [{}, {"password": "Aa1_-!#$&*()[]<>?=^~|:+%./@, \"'"}])
def test_a_password_of_other_characters_is_taken(taken: Json) -> None:
    cloud = driver.empty_cloud()
    cloud["given"]["secrets"][world.SOURCE_SECRET] |= taken
    assert passed(cloud)


@pytest.mark.parametrize("cloud", [driver.empty_cloud, running], ids=["first", "later"])
@pytest.mark.parametrize(
    ("zone", "permission"),
    [
        ({}, "route53:ListHostedZones"),
        ({"hostedZoneName": None, "hostedZoneId": world.ZONE_ID}, "route53:GetHostedZone"),
    ],
    ids=["by-name", "by-id"],
)
def test_a_zone_that_may_not_be_looked_up_is_no_wrong_key(
    cloud: Callable[[], Json], zone: dict[str, str | None], permission: str
) -> None:
    text = refusal(cloud() | {"deny": ["getZone"]}, **zone)
    assert f"do: allow {permission} to who runs this" in text
    assert "pulumi config set hostedZone" not in text


def test_a_balancer_that_may_not_be_looked_up_later_is_told_once() -> None:
    """To type what was looked up before is no way out of a refusal that stays."""
    text = refusal(running() | {"deny": ["getLoadBalancer"]})
    assert "do: allow elasticloadbalancing:DescribeLoadBalancers" in text
    assert "legacyLbDnsName" not in text


def test_a_private_zone_is_refused() -> None:
    cloud = driver.empty_cloud(privateZones=[world.ZONE_ID])
    text = refusal(cloud, hostedZoneName=None, hostedZoneId=world.ZONE_ID)
    assert f"tap:hostedZoneId leads to {world.ZONE_ID}, which is a private zone of 'example.com'" in text


@pytest.mark.parametrize("type_", ["AAAA", "HTTPS", "SVCB"])
def test_a_record_that_leads_past_the_pair_is_a_warning(type_: str) -> None:
    record = {"zone_id": world.ZONE_ID, "name": "app.example.com", "type": type_}
    made = deploy(driver.empty_cloud(records=[record | {"set_identifier": None, "weight": None}]))
    assert any(type_ in line and "do not follow the weights" in line for line in made.said)
    assert not any("do not follow the weights" in line for line in deploy().said)


def test_a_role_whose_owner_may_not_be_asked_is_a_warning_at_first_and_a_refusal_later() -> None:
    roles = {"dms-vpc-role": {"Environment": "prod"}}
    made = deploy(driver.empty_cloud(roles=roles) | {"deny": ["getRole"]}, dmsAccountRoles="create")
    assert any("iam:GetRole" in line and "the first `up` goes on without it" in line for line in made.said)
    later = running()
    later["given"]["roles"] = roles
    assert "allow iam:GetRole" in refusal(later | {"deny": ["getRole"]}, dmsAccountRoles="create")


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ("AccessDeniedException: User is not authorized to perform it", "allow dms:Describe to who runs this"),
        ("UnauthorizedOperation: You may not", "allow dms:Describe to who runs this"),
        ("ThrottlingException: Rate exceeded", "do: run it again, once AWS answers"),
        ("reading it: couldn't find resource", "do: make it again under that name, or set the key that names it"),
    ],
)
def test_permission_is_asked_for_where_it_was_missing(words: str, way: str) -> None:
    problems: list[str] = []

    def question() -> str:
        raise RuntimeError(words)

    assert Inquiry(first=False, problems=problems).ask("it", "dms:Describe", question) is None
    assert way in problems[0]
    assert ("allow" in problems[0]) == ("allow" in way)


def test_once_the_name_is_this_stacks_for_good_the_legacy_side_may_be_gone() -> None:
    given: dict[str, str | None] = {
        "writer": "aurora",
        "legacyAppSecretArn": world.APP_SECRET,
        "legacyTapctlSecretArn": world.TAPCTL_SECRET,
    }
    cloud = driver.with_tasks(handed_over(ALB), forward="stopped", reverse="stopped")
    for arn in (world.SOURCE_SECRET, world.TAPCTL_SECRET):
        del cloud["given"]["secrets"][arn]
    assert deploy(cloud | {"deny": ["getLoadBalancer"]}, **given).of("route53/record:Record") == []
    # A stream reads it still, and the tasks read the other one on either database.
    cloud = driver.with_tasks(cloud, reverse="running")
    text = refusal(cloud, **given, sourceDbCaCertificate=EVERYTHING["sourceDbCaCertificate"])
    assert f"the secret {world.SOURCE_SECRET} cannot be looked up" in text
    cloud = driver.with_tasks(cloud, reverse="stopped")
    del cloud["given"]["secrets"][world.APP_SECRET]
    assert f"the secret {world.APP_SECRET} cannot be looked up" in refusal(cloud, **given)


@pytest.mark.parametrize(("gateways", "quota", "enough"), [("per-zone", 3, True), ("per-zone", 2, False)])
def test_elastic_addresses_are_counted(gateways: str, quota: int, *, enough: bool) -> None:
    cloud = driver.empty_cloud(quotas={"L-0263D0A3": quota})
    if enough:
        assert passed(cloud, natGateways=gateways)
    else:
        text = refusal(cloud, natGateways=gateways)
        assert "tap:natGateways needs 3 more Elastic IP addresses, but 0 of 2 in us-west-2 are in use" in text
        assert "pulumi config set natGateways single" in text
        assert "request-service-quota-increase" in text


def test_addresses_that_the_stack_has_already_are_not_wanted_again() -> None:
    eip: Json = {"type": "aws:ec2/eip:Eip", "outputs": {}}
    cloud = running(nat_eip_1=eip, nat_eip_2=eip, nat_eip_3=eip)
    cloud["given"]["quotas"] = {"L-0263D0A3": 3}
    assert passed(cloud)


def test_a_route_that_another_stack_has_put_there_is_named() -> None:
    taken = {"cidrBlock": "10.42.0.0/16", "vpcPeeringConnectionId": "pcx-1"}
    cloud = driver.empty_cloud(routes={"rtb-0a1b2c3d4e5f60718": [taken]})
    text = refusal(cloud, **PEERING)
    assert "tap:vpcCidr is 10.42.0.0/16, but rtb-0a1b2c3d4e5f60718 in us-east-1 routes 10.42.0.0/16 to pcx-1" in text
    assert passed(cloud, **PEERING, vpcCidr="10.43.0.0/16")


OURS, ELSEWHERE = "10.42.0.0/16", {"vpcPeeringConnectionId": "pcx-1"}


@pytest.mark.parametrize(
    ("route", "mine", "words"),
    [
        # A part of the new range, or all of it, that leads elsewhere: those addresses would never be reached.
        ({"cidrBlock": "10.42.0.0/17", **ELSEWHERE}, OURS, "routes 10.42.0.0/17 to pcx-1"),
        ({"cidrBlock": "10.42.3.0/24", "transitGatewayId": "tgw-1"}, OURS, "routes 10.42.3.0/24 to tgw-1"),
        ({"cidrBlock": "10.42.3.7/32", "networkInterfaceId": "eni-1"}, OURS, "routes 10.42.3.7/32 to elsewhere"),
        ({"cidrBlock": "10.42.0.0/16", "gatewayId": "vgw-1"}, OURS, "routes 10.42.0.0/16 to vgw-1"),
        # The legacy VPC's own ranges: a peering with a range that overlaps one of them is refused by AWS.
        ({"cidrBlock": "10.42.0.0/17", "gatewayId": "local"}, OURS, "a range of the legacy VPC itself"),
        ({"cidrBlock": "10.40.0.0/13", "gatewayId": "local"}, OURS, "a range of the legacy VPC itself"),
        # Wider ones are what the longest prefix is for.
        ({"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}, OURS, None),
        ({"cidrBlock": "10.40.0.0/13", **ELSEWHERE}, OURS, None),
        ({"cidrBlock": "10.42.0.0/16", **ELSEWHERE}, "10.42.0.0/17", None),
        ({"cidrBlock": "10.43.0.0/16", **ELSEWHERE}, OURS, None),
        ({"cidrBlock": "", "ipv6CidrBlock": "::/0", "gatewayId": "igw-1"}, OURS, None),
    ],
)
def test_routes_of_the_legacy_tables_are_compared_by_what_they_cover(
    route: dict[str, str], mine: str, words: str | None
) -> None:
    cloud = driver.empty_cloud(routes={"rtb-0a1b2c3d4e5f60718": [route]})
    if words is None:
        assert passed(cloud, **PEERING, vpcCidr=mine)
    else:
        text = refusal(cloud, **PEERING, vpcCidr=mine)
        assert f"tap:vpcCidr is {mine}, but rtb-0a1b2c3d4e5f60718 in us-east-1 routes " in text
        assert words in text


def subnets(*zones: str) -> Json:
    type_ = "aws:ec2/subnet:Subnet"
    return {
        f"private_subnet_{number}": {"type": type_, "outputs": {"availabilityZone": zone}}
        for number, zone in enumerate(zones, start=1)
    }


def test_zones_are_kept_once_they_are_chosen() -> None:
    cloud = running(**subnets("us-west-2a", "us-west-2b", "us-west-2c"))
    cloud["given"]["letters"] = "bcd"
    made = deploy(cloud).of("ec2/subnet:Subnet")
    assert [each.inputs["availabilityZone"][-1] for each in made] == ["a", "b", "c"] * 2
    assert "offers 2 availability zones" in refusal(driver.empty_cloud(letters="ab"))


@pytest.mark.parametrize(
    ("there", "zones"),
    [
        ((), ("a", "b", "c")),
        (("c",), ("c", "a", "b")),
        (("d", "b"), ("d", "b", "a")),
        (("z", "y", "x"), ("z", "y", "x")),
    ],
)
def test_zones_that_are_missing_are_filled_up(there: tuple[str, ...], zones: tuple[str, ...]) -> None:
    urns = {
        f"urn:pulumi:prod::tap::aws:ec2/subnet:Subnet::migration-private-subnet-{number}-prod": {
            "availabilityZone": zone
        }
        for number, zone in enumerate(there, start=1)
    }
    naming = Naming(suffix="prod", owner="o", project="tap")
    assert chosen(["d", "c", "b", "a"], Existing(urns), naming) == (zones, None)


def test_all_refusals_are_told_at_once() -> None:
    cloud = driver.empty_cloud(quotas={"L-0263D0A3": 0}, secrets={world.SOURCE_SECRET: {"host": "a.b", "port": 3306}})
    text = refusal(cloud, writer="aurora")
    assert all(f"tap:{key} " in text for key in ("natGateways", "sourceDbEndpoint", "writer"))


def test_settings_that_were_given_before_still_load() -> None:
    typed = settings(sourceDbPort="3306", legacyLbDnsName="legacy-web-1234567890.us-east-1.elb.amazonaws.com")
    assert typed.legacy_balancer.dns_name is not None
    assert deploy(sourceDbPort="3306", legacyLbZoneId="Z35SXDOTRQ7X7K").outputs["legacyLbName"] == "legacy-web"
