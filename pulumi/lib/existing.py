"""What Pulumi's state holds of this stack before the run: the values that were chosen once.  Pure but for `read`.

The state says it even when the last run was cut short, and needs no call to AWS and no tag.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import pulumi

Properties = Mapping[str, object]

SOURCE = "source"
"""The output of the component `tap:replication:Replication` that says what the forward stream reads, as `host:port`."""

_TOKEN = "pulumi:pulumi:readStackResourceOutputs"  # noqa: S105 -- the name of a function of the engine


@dataclass(frozen=True)
class Tasks:
    """What tasks are told: by variable its value, or the secret that it comes from."""

    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    arn: str | None = None
    """The revision that tells them."""
    ports: frozenset[int] = frozenset()
    """The ports on which they answer."""

    @staticmethod
    def of(definitions: str | None, arn: str | None) -> "Tasks":
        """What the containers of a task definition are told."""
        try:
            loaded: object = json.loads(definitions or "[]")
        except json.JSONDecodeError:
            return Tasks({}, {}, arn)
        containers = cast("list[dict[str, list[dict[str, str]]]]", loaded)
        mappings = [each for told in containers for each in told.get("portMappings", [])]
        return Tasks(
            {each["name"]: each.get("value", "") for told in containers for each in told.get("environment", [])},
            {each["name"]: each.get("valueFrom", "") for told in containers for each in told.get("secrets", [])},
            arn,
            frozenset(int(each["containerPort"]) for each in mappings if "containerPort" in each),
        )

    @property
    def writer_host(self) -> str | None:
        """The database that they write to."""
        return self.environment.get("DB_WRITER_HOST")

    @property
    def writer_secret(self) -> str:
        """The secret of the account with which they write."""
        return self.secrets.get("DB_WRITER_USERNAME", "").split(":username:", 1)[0]


@dataclass(frozen=True)
class Existing:
    """The outputs of every resource in the state, by its URN."""

    by_urn: Mapping[str, Properties]
    unread: str | None = None
    """Why the state could not be read, and then the preflight lets nothing run; `None` when it was."""

    @property
    def first(self) -> bool:
        """Whether the state says that nothing of the stack has been made yet."""
        return self.unread is None and not any(_type(urn).startswith("aws:") for urn in self.by_urn)

    def get(self, type_: str, name: str) -> Properties | None:
        """The outputs of one resource, such as `ec2/vpc:Vpc`; `None` when the state has none."""
        found = [
            outputs
            for urn, outputs in self.by_urn.items()
            if _type(urn) == f"aws:{type_}" and urn.rsplit("::", 1)[-1] == name
        ]
        return found[0] if found else None

    def text(self, type_: str, name: str, key: str) -> str | None:
        """One text property of a resource."""
        value = (self.get(type_, name) or {}).get(key)
        return value if isinstance(value, str) and value else None

    def kept(self, given: bool, value: str, type_: str, name: str, key: str) -> str:  # noqa: FBT001 -- reads as a sentence
        """A value that is not set keeps what the stack was made with: a newer default is for new stacks."""
        return value if given else self.text(type_, name, key) or value

    def component(self, type_: str, key: str) -> str | None:
        """One text output of the only component of a type, such as `tap:replication:Replication`."""
        values = (outputs.get(key) for urn, outputs in self.by_urn.items() if _type(urn) == type_)
        return next((value for value in values if isinstance(value, str) and value), None)

    def tasks(self, name: str) -> "Tasks":
        """What the newest revision of a task definition tells; after a run that failed, not what the service runs."""
        type_ = "ecs/taskDefinition:TaskDefinition"
        return Tasks.of(self.text(type_, name, "containerDefinitions"), self.text(type_, name, "arn"))

    def of(self, type_: str) -> list[Properties]:
        """The outputs of every resource of a type."""
        return [outputs for urn, outputs in self.by_urn.items() if _type(urn) == f"aws:{type_}"]


def read() -> Existing:
    """Asks the engine for the state of the stack that is being deployed.

    The engine's built-in provider answers it for any stack (pulumi/pulumi, pkg/resource/deploy/builtins.go).  A
    backend without organisations knows the stack by its bare name.
    """
    names = (f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}", pulumi.get_stack())
    reasons: list[str] = []
    for name in names:
        try:
            answer = cast("Properties | None", pulumi.runtime.invoke(_TOKEN, {"stackName": name}).value)
        except Exception as error:  # noqa: BLE001 -- whatever the backend says, the next name may be its own
            reasons.append(" ".join(str(error).split()))
            continue
        found = (answer or {}).get("outputs")
        if not isinstance(found, Mapping):
            reasons.append("the engine's answer holds no resources")
            continue
        resources = cast("Mapping[str, Properties]", found)
        return Existing({urn: cast("Properties", entry.get("outputs") or {}) for urn, entry in resources.items()})
    return Existing({}, unread=reasons[0])


def _type(urn: str) -> str:
    parts = urn.split("::")
    return parts[2].rsplit("$", 1)[-1] if len(parts) > 3 else ""  # noqa: PLR2004 -- stack, project, types, name
