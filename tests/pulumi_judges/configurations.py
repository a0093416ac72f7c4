"""The configurations that are judged: each is one way in which an operator may run the program.

Standard library only: the program's interpreter reads it to record them, the judges' to test them.
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

TASK = "aws:dms/replicationTask:ReplicationTask"
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-db-a1B2c3"  # noqa: S105 -- its name
ZONE = "Z0123456789ABCDEFGHIJ"
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
KEY = "arn:aws:kms:us-west-2:123456789012:key/1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809"
# Syntax only: it is never used to verify anything.
AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
PEERING: dict[str, str | None] = {
    "legacyVpcId": "vpc-0a1b2c3d4e5f60718",
    "legacyVpcCidr": "10.0.0.0/16",
    "legacyRouteTableIds": "rtb-0a1b2c3d4e5f60718,rtb-1a1b2c3d4e5f60718",
    "legacyDbSecurityGroupId": "sg-0a1b2c3d4e5f60718",
}
MAPPINGS = (
    '{"rules":[{"rule-type":"selection","rule-id":"1","rule-name":"orders","object-locator":'
    '{"schema-name":"shop","table-name":"orders"},"rule-action":"include"}]}'
)


@dataclass(frozen=True)
class Configuration:
    """One way to run the program."""

    name: str
    changes: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    """What differs from the working configuration of the stand-in cloud; `None` drops a key."""
    roles: bool = True
    """Whether the account has DMS's two roles already."""
    weights: tuple[int, int] | None = None
    """Weights of the pair, of the legacy and of the new stack, that is in the zone already."""
    streams: tuple[str, str] | None = None
    """Status of the forward and the reverse stream that are there already."""
    everyday: bool = False
    """Whether `make test` judges it; `make judge` judges all."""

    @property
    def suffix(self) -> str:
        """The end of every name."""
        return self.changes.get("environmentSuffix") or "prod"

    @property
    def legacy_region(self) -> str:
        """Region of the legacy stack."""
        return self.changes.get("legacyRegion") or "us-east-1"

    @property
    def regions(self) -> list[str]:
        """Every region in which something is made."""
        return ["us-west-2", self.legacy_region]

    def cloud(self, empty: Json) -> Json:
        """The stand-in cloud in which the program starts."""
        given = empty["given"]
        if not self.roles:
            given["roles"] = {}
        # The secret and the legacy balancer say what the configuration says.
        host = self.changes.get("sourceDbEndpoint") or "legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com"
        port = int(self.changes.get("sourceDbPort") or 3306)
        given.setdefault("secrets", {})[SECRET] = {"host": host, "port": port}
        given.setdefault("balancers", {})["legacy-web"] = {
            "dnsName": self.changes.get("legacyLbDnsName") or "legacy-web-1234567890.us-east-1.elb.amazonaws.com",
            "zoneId": self.changes.get("legacyLbZoneId") or "Z35SXDOTRQ7X7K",
            "ports": {"80": "http", "443": "https"},
        }
        for side, weight in zip(("legacy", "new"), self.weights or (), strict=False):
            record = {"zone_id": ZONE, "name": self.changes.get("recordName") or "app.example.com", "type": "A"}
            record |= {"set_identifier": f"migration-{side}-{self.suffix}", "weight": weight}
            given["records"].append(record)
        for kind, status in zip(("dms-task", "dms-reverse-task"), self.streams or (), strict=False):
            name = f"migration-{kind}-{self.suffix}"
            outputs = {"replicationTaskId": name, "status": status, "replicationTaskArn": f"arn:aws:dms:::task:{name}"}
            entry = {"name": name, "type": TASK, "id": name, "urn": name, "inputs": {}, "outputs": outputs}
            empty["resources"][name] = entry
        return empty


CUT_OVER: dict[str, Any] = {"weights": (0, 100), "streams": ("running", "running")}
"""All traffic on the new stack, and both streams running."""

CONFIGURATIONS = (
    # The four of `make test`: together they ask for every type of resource, each way of reaching the legacy database,
    # and both states of everything that can be switched.
    Configuration("usual", everyday=True),
    Configuration("first step without an image", {"imageTag": None, "alarmEmail": None}, everyday=True),
    Configuration(
        "everything, after the cutover",
        {
            **PEERING,
            "certificateArn": CERTIFICATE,
            "dmsAccountRoles": "create",
            "startReplication": "true",
            "writer": "aurora",
            "sourceDbSecretKmsKeyArn": KEY,
            "sourceDbCaCertificate": AUTHORITY,
            "auroraCaCertificate": AUTHORITY.replace("MIIB", "MIIC"),
            "legacyAppSecretArn": SECRET.replace("legacy-db", "legacy-app"),
            "legacyTapctlSecretArn": SECRET.replace("legacy-db", "legacy-tapctl"),
            "loopbackPrevention": "true",
            "lobMode": "limited",
            "lobMaxSizeKb": "512",
            "dmsMultiAz": "true",
            "containerUser": "1000:1000",
            "containerReadOnly": "true",
            "flowLogs": "true",
        },
        roles=False,
        everyday=True,
        **CUT_OVER,
    ),
    Configuration(
        "small, under way",
        {
            "natGateways": "single",
            "vpcCidr": "192.168.0.0/21",
            "auroraInstanceClass": "db.t4g.medium",
            "taskCpu": "256",
            "taskMemory": "512",
            "dmsStorage": "20",
            "startReplication": "true",
            "sourceDbCaCertificate": AUTHORITY,
            "environmentSuffix": "s",
        },
        weights=(60, 40),
        streams=("running", "ready"),
        everyday=True,
    ),
    Configuration("HTTPS", {"certificateArn": CERTIFICATE}),
    Configuration("peered", PEERING),
    Configuration("peered on another port", PEERING | {"sourceDbPort": "13306"}),
    Configuration("legacy database verified over the Internet", {"sourceDbCaCertificate": AUTHORITY}),
    Configuration(
        "replication forward",
        {"startReplication": "true", "sourceDbCaCertificate": AUTHORITY},
        streams=("ready", "ready"),
    ),
    Configuration(
        "Aurora is the writer",
        {"writer": "aurora", "sourceDbCaCertificate": AUTHORITY, "loopbackPrevention": "true"},
        **CUT_OVER,
    ),
    Configuration(
        "both streams stopped after the cutover", {"writer": "aurora"}, weights=(0, 100), streams=("stopped", "stopped")
    ),
    Configuration(
        "the way back runs",
        {"writer": "aurora", "startReplication": "true", "sourceDbCaCertificate": AUTHORITY},
        weights=(0, 100),
        streams=("stopped", "running"),
    ),
    Configuration("account-wide roles of its own", {"dmsAccountRoles": "create"}, roles=False),
    Configuration("one NAT gateway", {"natGateways": "single"}),
    Configuration("narrowest network", {"vpcCidr": "172.16.8.0/21"}),
    Configuration("highest ports", {"containerPort": "65535", "sourceDbPort": "65535"}),
    Configuration("port 80 in the container", {"containerPort": "80"}),
    Configuration("smallest task", {"taskCpu": "256", "taskMemory": "512"}),
    Configuration("biggest task", {"taskCpu": "4096", "taskMemory": "30720"}),
    Configuration("longest suffix", {"environmentSuffix": "a-very-long-suffix"}),
    Configuration("shortest suffix", {"environmentSuffix": "7"}),
    Configuration("zone by its id", {"hostedZoneName": None, "hostedZoneId": ZONE, "recordName": "a.b.example.com"}),
    Configuration("record at the apex", {"recordName": "example.com"}),
    Configuration(
        "legacy stack in Europe",
        PEERING
        | {
            "legacyRegion": "eu-central-1",
            "legacyLbDnsName": "legacy-web-1234567890.eu-central-1.elb.amazonaws.com",
            "legacyLbZoneId": "Z215JYRZR1TBD5",
            "sourceDbEndpoint": "legacy-db.c9akciq32rgw.eu-central-1.rds.amazonaws.com",
        },
    ),
    Configuration("secret under a customer's key", {"sourceDbSecretKmsKeyArn": KEY}),
    Configuration("own table mappings", {"tableMappings": MAPPINGS}),
    Configuration("forty databases", {"sourceDbNames": ",".join(f"shop_{number}" for number in range(1, 41))}),
    Configuration(
        "big databases",
        {"auroraInstanceClass": "db.r7g.16xlarge", "dmsInstanceClass": "dms.r6i.8xlarge", "dmsStorage": "6144"},
    ),
    Configuration("logs for a day", {"logRetentionDays": "1"}),
    Configuration("logs for a year", {"logRetentionDays": "365"}),
    Configuration("an owner with every character", {"owner": "A team_of.two:/=+@-3"}),
)

PAIR = (
    Configuration("left of two", {"environmentSuffix": "blue", "recordName": "blue.example.com"}),
    Configuration(
        "right of two",
        {"environmentSuffix": "green", "recordName": "green.example.com", "vpcCidr": "10.43.0.0/16"},
    ),
)
"""Two stacks side by side in one account."""


def named(name: str) -> Configuration:
    """A configuration by its name."""
    (found,) = [each for each in (*CONFIGURATIONS, *PAIR) if each.name == name]
    return found
