"""Names and tags: one row per kind of resource with AWS's limit for it.

A name is `migration-{kind}-{suffix}`, with a number behind the kind where there are several.  All names a stack can
ever use are checked when `Naming` is made, so a suffix that AWS would refuse halfway is refused before anything is
created.  This module may use nothing but the standard library.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "migration"

# No upper case (DMS and RDS lower it, ECR refuses it) and no double hyphen (RDS and DMS refuse it).
_SUFFIX = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Limit:
    """What AWS accepts as the name of one kind of resource."""

    length: int
    alphabet: str = r"[A-Za-z0-9-]"
    count: int = 1
    """How many of the kind a stack may have; more than one are numbered from 1."""


_TAG = Limit(256, r"[A-Za-z0-9 _.:/=+@-]")
_RDS = r"[a-z0-9-]"
_IAM = Limit(64, r"[A-Za-z0-9_+=,.@-]")
_ALARM = Limit(255, r"[ -~]")

KINDS: Mapping[str, Limit] = {
    "aws": _TAG,
    "stack": _TAG,
    # Network: these names are `Name` tags.
    "network": _TAG,
    "vpc": _TAG,
    "igw": _TAG,
    "public-subnet": Limit(256, count=3),
    "private-subnet": Limit(256, count=3),
    "nat-eip": Limit(256, count=3),
    "nat": Limit(256, count=3),
    "public-rt": _TAG,
    "private-rt": Limit(256, count=3),
    "s3-endpoint": _TAG,
    "peering": _TAG,
    "legacy-route": Limit(256, count=50),
    # Security groups.
    "firewall": _TAG,
    "alb-sg": Limit(255),
    "task-sg": Limit(255),
    "dms-sg": Limit(255),
    "aurora-sg": Limit(255),
    # Aurora.
    "database": _TAG,
    "aurora": Limit(63, _RDS),
    "aurora-instance": Limit(63, _RDS, count=3),
    "aurora-subnets": Limit(255, _RDS),
    "aurora-cluster-params": Limit(255, _RDS),
    "aurora-params": Limit(255, _RDS),
    "db-password": _TAG,
    "db-secret": Limit(512, r"[A-Za-z0-9/_+=.@-]"),
    # Containers.
    "registry": _TAG,
    "repo": Limit(256, r"[a-z0-9._/-]"),
    "service": Limit(255, r"[A-Za-z0-9_-]"),
    "cluster": Limit(255, r"[A-Za-z0-9_-]"),
    "app": Limit(255, r"[A-Za-z0-9_-]"),
    "app-logs": Limit(512, r"[A-Za-z0-9_/.#-]"),
    "scaling": Limit(256, r"[ -~]"),
    "execution-role": _IAM,
    "task-role": _IAM,
    # Load balancer.
    "balancer": _TAG,
    "alb": Limit(32),
    "tg": Limit(32),
    "http": _TAG,
    "https": _TAG,
    # Replication.
    "replication": _TAG,
    "dms": Limit(63, _RDS),
    "dms-subnets": Limit(255, r"[a-z0-9._-]"),
    "dms-secrets-role": _IAM,
    "dms-vpc-role": _TAG,
    "dms-logs-role": _TAG,
    "dms-roles": _TAG,
    "dms-ca": Limit(255, _RDS),
    "dms-legacy-source": Limit(255, _RDS),
    "dms-aurora-target": Limit(255, _RDS),
    "dms-aurora-source": Limit(255, _RDS),
    "dms-legacy-target": Limit(255, _RDS),
    "dms-task": Limit(255, _RDS),
    "dms-reverse-task": Limit(255, _RDS),
    # Routing: set identifiers of the weighted pair.
    "routing": _TAG,
    "legacy": Limit(128),
    "new": Limit(128),
    # Monitoring.
    "monitoring": _TAG,
    "alerts": Limit(256, r"[A-Za-z0-9_-]"),
    "dashboard": Limit(255, r"[A-Za-z0-9_-]"),
    "dms-lag": _ALARM,
    "dms-source-lag": _ALARM,
    "unhealthy-targets": _ALARM,
    "alb-5xx": _ALARM,
    "target-5xx": _ALARM,
    "task-count": _ALARM,
}


class NameRefusedError(ValueError):
    """AWS would refuse a name; the text says which, why, and how to set `environmentSuffix`."""


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Makes the names and tags of one stack."""

    suffix: str
    owner: str
    project: str

    def __post_init__(self) -> None:
        """Refuses a suffix that AWS would refuse in any of the names."""
        if not _SUFFIX.fullmatch(self.suffix):
            msg = f"{self.suffix!r} may hold lower-case letters, digits and single hyphens between them, such as 'prod'"
            raise NameRefusedError(msg)
        for kind, limit in KINDS.items():
            name = _join(kind, limit.count if limit.count > 1 else None, self.suffix)
            if len(name) > limit.length:
                longest = len(self.suffix) - (len(name) - limit.length)
                msg = (
                    f"{name!r} has {len(name)} characters where AWS takes {limit.length}: "
                    f"at most {longest} for the suffix"
                )
                raise NameRefusedError(msg)
            if not re.fullmatch(f"{limit.alphabet}+", name):
                msg = f"{name!r} holds a character that AWS refuses in the name of a {kind}"
                raise NameRefusedError(msg)

    def name(self, kind: str, number: int | None = None) -> str:
        """The name of a resource; `number` counts from 1 where there are several of the kind."""
        limit = KINDS[kind]
        if (number is None) != (limit.count == 1) or (number or 1) > limit.count:
            msg = f"{kind} takes {limit.count} of its kind, not number {number}"
            raise NameRefusedError(msg)
        return _join(kind, number, self.suffix)

    def tags(self, name: str) -> dict[str, str]:
        """The tags of the resource called `name`: set on each resource, so that they show in its inputs."""
        return {"Name": name, "Environment": self.suffix, "Owner": self.owner, "Project": self.project}


def _join(kind: str, number: int | None, suffix: str) -> str:
    counted = kind if number is None else f"{kind}-{number}"
    return f"{PREFIX}-{counted}-{suffix}"
