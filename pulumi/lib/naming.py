"""Names and tags: one row per kind of resource with AWS's limit for it.

Which names are physical.  A logical name is `migration-{kind}-{suffix}` and never changes; a later rename keeps its
resource by `aliases`.  The physical name is the same wherever people, policies or other services know the resource
by it and nothing but the suffix can replace it.  A resource that a changed value replaces while it is in use has a
physical name of its own for each generation: a digest of the value and of the name before it.  The value alone would
not do: when a run fails halfway, the old one is still there, to be deleted by the next run, and the way back to the
old value makes a third beside both.  What has no physical name but is unique by its values (a route, a rule, a
peering, a subscription) carries them in its logical name instead: the way back then finds the old one where it was.

A name is `migration-{kind}-{suffix}`, with a number behind the kind where there are several.  All names a stack can
ever use are checked when `Naming` is made, so a suffix that AWS would refuse halfway is refused before anything is
created.  This module may use nothing but the standard library.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "migration"
_DIGEST = 8
_SHORT_DIGEST = 4
_GENERATION_DIGEST = 6
TARGET_GROUP_LENGTH = 32
"""ELBv2, CreateTargetGroup: at most 32 characters."""

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
_SECRET = Limit(512, r"[A-Za-z0-9/_+=.@-]")
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
    "legacy-route": _TAG,
    # Security groups.
    "firewall": _TAG,
    "alb-sg": Limit(255),
    "task-sg": Limit(255),
    "dms-sg": Limit(255),
    "aurora-sg": Limit(255),
    "sql-sg": Limit(255),
    "default-sg": _TAG,
    "flow-logs": Limit(512, r"[A-Za-z0-9_/.#-]"),
    "flow-logs-role": _IAM,
    # Aurora.
    "database": _TAG,
    "aurora": Limit(63, _RDS),
    "aurora-instance": Limit(63, _RDS, count=3),
    "aurora-subnets": Limit(255, _RDS),
    "aurora-cluster-params": Limit(255, _RDS),
    "aurora-params": Limit(255, _RDS),
    "db-password": _TAG,
    "db-secret": _SECRET,
    "accounts": _TAG,
    "app-password": _TAG,
    "app-secret": _SECRET,
    "app-ro-password": _TAG,
    "app-ro-secret": _SECRET,
    "dms-password": _TAG,
    "dms-secret": _SECRET,
    "tapctl-password": _TAG,
    "tapctl-secret": _SECRET,
    "sql-task": _TAG,
    "sql": Limit(255, r"[A-Za-z0-9_-]"),
    "sql-logs": Limit(512, r"[A-Za-z0-9_/.#-]"),
    "sql-execution-role": _IAM,
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
    "dms-ca": Limit(255 - _DIGEST - 1, _RDS),
    "dms-aurora-ca": Limit(255 - _DIGEST - 1, _RDS),
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
    "dms-reverse-lag": _ALARM,
    "dms-reverse-source-lag": _ALARM,
    "dms-disk": _ALARM,
    "legacy-5xx": _ALARM,
    "legacy-elb-5xx": _ALARM,
    "legacy-alerts": Limit(256, r"[A-Za-z0-9_-]"),
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

    def numbered(self, kind: str, number: int) -> str:
        """What a kind was called while it came in numbers; for `aliases` alone."""
        return _join(kind, number, self.suffix)

    def with_digest(self, kind: str, content: str, *, after: str | None = None) -> str:
        """The name of a resource with this content; `after` is the name of the one whose place it takes."""
        told = content if after is None else f"{after}\n{content}"
        return f"{self.name(kind)}-{digest(told)}"

    def target_group(self, port: int, *, after: str | None = None) -> str:
        """The name of the target group; `after` is the name of the one whose place it takes.

        A long suffix is cut and told by a digest.
        """
        head = f"{PREFIX}-tg-{port}-"
        room = TARGET_GROUP_LENGTH - len(head)
        if after is None and len(self.suffix) <= room:
            return head + self.suffix
        told, length = (self.suffix, _SHORT_DIGEST) if after is None else (f"{after}\n{port}", _GENERATION_DIGEST)
        return head + self.suffix[: room - length - 1].rstrip("-") + "-" + digest(told, length)

    def tags(self, name: str) -> dict[str, str]:
        """The tags of the resource called `name`: set on each resource, so that they show in its inputs."""
        return {"Name": name, "Environment": self.suffix, "Owner": self.owner, "Project": self.project}


def digest(content: str, length: int = _DIGEST) -> str:
    """What tells a value apart from others within a name."""
    return hashlib.sha256(content.encode()).hexdigest()[:length]


def _join(kind: str, number: int | None, suffix: str) -> str:
    counted = kind if number is None else f"{kind}-{number}"
    return f"{PREFIX}-{counted}-{suffix}"
