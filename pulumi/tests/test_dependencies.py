"""What must stand before what: every prerequisite that AWS looks at without being told of it."""

import pytest
from moves import EVERYTHING
from recorder import Recording, deploy

import driver
import world
from lib.naming import digest

KEY = str(EVERYTHING["sourceDbSecretKmsKeyArn"])

IN = [*(f"migration-public-subnet-{number}-prod-rt" for number in (1, 2, 3)), "migration-public-rt-prod-out"]
OUT = [
    *(f"migration-private-rt-{number}-prod-out" for number in (1, 2, 3)),
    *(f"migration-private-subnet-{number}-prod-rt" for number in (1, 2, 3)),
    *(f"migration-nat-{number}-prod" for number in (1, 2, 3)),
    "migration-s3-endpoint-prod",
]
TASK_RULES = [
    "migration-task-sg-prod-from-load-balancer-8080",
    "migration-task-sg-prod-to-anywhere",
    "migration-alb-sg-prod-to-tasks",
    "migration-aurora-sg-prod-from-tasks-3306",
]
DMS_RULES = [
    "migration-dms-sg-prod-to-aurora",
    "migration-dms-sg-prod-to-legacy-database",
    "migration-dms-sg-prod-to-secrets-and-logs",
    "migration-aurora-sg-prod-from-replication-3306",
]
PEERING = [
    "migration-peering-prod-accepter",
    "migration-peering-prod-dns",
    "migration-peering-prod-legacy-dns",
    f"migration-peering-prod-database-{EVERYTHING['legacyDbSecurityGroupId']}",
    *(f"migration-private-rt-{number}-prod-legacy-10-0-0-0-16" for number in (1, 2, 3)),
    "migration-legacy-route-prod-rtb-0a1b2c3d4e5f60718",
    "migration-legacy-route-prod-rtb-1a1b2c3d4e5f60718",
]
INSTANCES = [f"migration-aurora-instance-{number}-prod" for number in (1, 2, 3)]
# The name holds what the policy lets a role read.
READS = {
    role: [f"migration-{role}-prod-secrets-{digest(chr(10).join([*sorted(secrets), KEY]))}-policy"]
    for role, secrets in {
        "execution-role": (world.SOURCE_SECRET, "app-ro-secret"),
        "dms-secrets-role": (world.SOURCE_SECRET, "dms-secret"),
        "sql-execution-role": ("app-ro-secret", "app-secret", "db-secret", "dms-secret"),
    }.items()
}
NEEDS: dict[str, list[str]] = {
    "migration-alb-prod": IN,
    **{f"migration-nat-{number}-prod": IN for number in (1, 2, 3)},
    "migration-http-prod": ["migration-https-prod", "migration-alb-sg-prod-from-internet-443"],
    "migration-service-prod": [
        *OUT,
        *TASK_RULES,
        *PEERING,
        *INSTANCES,
        "migration-http-prod",
        "migration-https-prod",
        "migration-execution-role-prod-policy",
        *READS["execution-role"],
        "migration-app-secret-prod-version",
        "migration-app-ro-secret-prod-version",
    ],
    "migration-dms-task-prod": [*OUT, *DMS_RULES, *PEERING, *INSTANCES, *READS["dms-secrets-role"]],
    "migration-dms-reverse-task-prod": [*OUT, *DMS_RULES, *PEERING, *INSTANCES, "migration-dms-ca-prod"],
    "migration-dms-aurora-target-prod": ["migration-dms-secret-prod-version", *READS["dms-secrets-role"]],
    "migration-dms-prod": ["migration-dms-prod-logs", "migration-dms-vpc-role-prod-policy"],
    "migration-aurora-prod": ["migration-aurora-prod-error-logs", "migration-aurora-prod-slowquery-logs"],
    "migration-aurora-instance-3-prod": ["migration-aurora-instance-1-prod"],
    "migration-cluster-prod": ["migration-cluster-prod-insights-logs"],
    "migration-sql-prod": ["migration-sql-execution-role-prod-policy", *READS["sql-execution-role"]],
    "migration-flow-logs-prod-vpc": ["migration-flow-logs-role-prod-policy"],
    "migration-new-prod": ["migration-legacy-prod"],
    # Narrowed to the peering before that stands, the rule would keep a stream that runs from its database.
    **{f"migration-{group}-prod-to-legacy-database": PEERING for group in ("dms-sg", "sql-sg")},
}


@pytest.fixture(scope="module")
def everything() -> Recording:
    changes = EVERYTHING | {"writer": "legacy", "legacyAppSecretArn": None}
    cloud = driver.with_tasks(driver.empty_cloud(roles={}), forward="ready", reverse="ready")
    return deploy(cloud, **changes)


def before(recording: Recording, name: str) -> set[str]:
    """Everything that a resource waits for, directly or through another."""
    waits = {each.name: each.depends_on for each in recording.cloud()}
    found: set[str] = set()
    ahead = list(waits[name])
    while ahead:
        each = ahead.pop()
        if each not in found:
            found.add(each)
            ahead.extend(waits.get(each, ()))
    return found


@pytest.mark.parametrize("name", NEEDS)
def test_a_resource_waits_for_what_it_needs(everything: Recording, name: str) -> None:
    names = {each.name for each in everything.cloud()}
    assert set(NEEDS[name]) <= names | {"migration-app-secret-prod-version"}, "the table names what does not exist"
    missing = set(NEEDS[name]) - before(everything, name)
    # The writer's credentials are those of the legacy database until the cutover.
    assert missing <= {"migration-app-secret-prod-version"}


def test_every_rule_and_route_is_waited_for_by_somebody(everything: Recording) -> None:
    """A new rule or route that nobody waits for is one that a start may overtake."""
    kinds = ("IngressRule", "EgressRule", "Route", "RouteTableAssociation", "PeeringConnectionOptions")
    made = {each.name for each in everything.cloud() if each.type.rsplit(":", 1)[-1].endswith(kinds)}
    starts = ("migration-alb-prod", "migration-service-prod", "migration-dms-task-prod")
    waited = set[str]().union(*(before(everything, name) for name in starts))
    # Whoever runs an SQL task does so when the `up` is over.
    assert {name for name in made - waited if "-sql" not in name} == set()
