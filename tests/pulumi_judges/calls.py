"""What is judged: the API calls that the provider makes for one recorded resource.

Pure: plain values in, plain values out. A recorded resource carries the ids and ARNs that the mocks gave it; the calls
name resources by those, and what a stand-in for AWS answers in their place is learnt call by call (`Call.learns`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Json = dict[str, Any]


class HoleError(Exception):
    """Something that the program asks for would be judged by nobody; the text says which module to extend."""


class Inputs(Mapping[str, Any]):
    """The inputs of a resource, which remember what a translation has looked at."""

    def __init__(self, values: Json) -> None:
        """Nothing has been looked at yet."""
        self._values = values
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 -- whatever the program sent
        """The value of an input that must be there; `HoleError` where it is not."""
        self.read.add(key)
        if key not in self._values:
            msg = f"{key} is not set, and the provider sends it in every call"
            raise HoleError(msg)
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._values)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._values)

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 -- as above
        """The value of an input, or `default` where it is not set."""
        value = self[key] if key in self._values else None
        self.read.add(key)
        return default if value is None else value

    def unread(self) -> list[str]:
        """What a translation left out."""
        return sorted(key for key, value in self._values.items() if key not in self.read and value is not None)


@dataclass(frozen=True)
class Resource:
    """One resource as the program registered it."""

    type: str
    name: str
    id: str
    inputs: Inputs
    outputs: Json
    depends_on: tuple[str, ...]
    home: str
    """Region of the stack."""
    account: str

    @property
    def region(self) -> str:
        """Region of the resource, which may be another than the stack's."""
        return str(self.inputs.get("region", self.home))

    @property
    def arn(self) -> str:
        """The ARN that the mocks gave it."""
        return str(self.outputs["arn"])

    def members(self, **names: str) -> Json:
        """The members of a call that are inputs as they are: `Member="input"`; what is not set is not sent."""
        found = {member: self.inputs.get(name) for member, name in names.items()}
        return {member: value for member, value in found.items() if value is not None}

    def tags(self) -> Json:
        """The tags."""
        return cast("Json", self.inputs.get("tags", {}))

    def tag_list(self, key: str = "Key", value: str = "Value") -> list[Json]:
        """The tags as most services take them."""
        return [{key: name, value: text} for name, text in sorted(self.tags().items())]

    def provider_only(self, *names: str) -> None:
        """Inputs that steer the provider and are part of no call."""
        for name in names:
            self.inputs.get(name)


@dataclass(frozen=True)
class Call:
    """One API call."""

    service: str
    operation: str
    parameters: Json
    region: str
    learns: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the mocks called a thing, and where in the answer AWS's own word for it is (JMESPath)."""
    tolerates: str = ""
    """The one error code that the provider takes for an answer."""

    def __str__(self) -> str:
        """As AWS writes it in a policy."""
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True)
class Look:
    """The call that reads a resource, and the expression that holds something exactly while it is there."""

    call: Call
    present: str


@dataclass(frozen=True)
class Properties:
    """A resource as CloudFormation would describe it."""

    type: str
    properties: Json


@dataclass(frozen=True)
class NoSchema:
    """Why there is nothing of CloudFormation's to hold against a resource."""

    reason: str


Making = Callable[[Resource], list[Call]]
Reading = Callable[[Resource], Look | None]
Describing = Callable[[Resource], Properties]


@dataclass(frozen=True)
class Kind:
    """How one type of resource is translated."""

    source: str
    """The provider's file, in hashicorp/terraform-provider-aws, that makes these calls."""
    create: Making
    destroy: Making
    look: Reading
    schema: Describing | NoSchema
    unique: tuple[str, ...] = ()
    """Inputs that name the resource: no two of a region may have the same."""
    everywhere: bool = False
    """Whether the name must be unique in the account rather than in a region."""


@dataclass(frozen=True)
class Translated:
    """All that is judged about one resource."""

    resource: Resource
    kind: Kind
    create: list[Call]
    destroy: list[Call]
    look: Look | None
    properties: Properties | NoSchema

    @property
    def calls(self) -> list[Call]:
        """Every call, in the order of a life."""
        return [*self.create, *([self.look.call] if self.look else []), *self.destroy]

    @property
    def names(self) -> set[tuple[str, ...]]:
        """What no other resource may be called."""
        place = "everywhere" if self.kind.everywhere else self.resource.region
        values = tuple(str(self.resource.inputs.get(key, "")) for key in self.kind.unique)
        return {(self.resource.type, place, *values)} if self.kind.unique else set()


def nothing(_resource: Resource) -> list[Call]:
    """No call at all."""
    return []


def unseen(_resource: Resource) -> None:
    """Nothing to read it by."""


def described(resource: Resource, type_: str, more: Json | None = None, /, **names: str) -> Properties:
    """A resource as CloudFormation describes it: `Property="input"`, its tags, and what is written otherwise there."""
    tags = resource.tag_list()
    return Properties(type_, resource.members(**names) | ({"Tags": tags} if tags else {}) | (more or {}))


def pascal(value: Any) -> Any:  # noqa: ANN401 -- a document of any shape
    """`camelCase` keys as CloudFormation and most API models write them: `CamelCase`, at every depth."""
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: pascal(each) for key, each in cast("Json", value).items()}
    if isinstance(value, list):
        return [pascal(each) for each in cast("list[Any]", value)]
    return value


def renamed(value: Mapping[str, Any], where: str, /, **names: str) -> Json:
    """A nested block with its keys renamed, `key="Member"`; a key without a row is a hole."""
    unknown = sorted(set(value) - set(names))
    if unknown:
        msg = f"nobody judges {', '.join(unknown)} of {where}: give it a row in the translation of that block"
        raise HoleError(msg)
    return {names[key]: each for key, each in value.items() if each is not None}


def translate(kinds: Mapping[str, Kind], modules: Mapping[str, str], resource: Resource) -> Translated:
    """The calls and properties of one resource; raises `HoleError` where something of it would go unjudged."""
    kind = kinds.get(resource.type)
    if kind is None:
        group = resource.type.split(":")[1].split("/")[0] if resource.type.count(":") > 1 else resource.type
        module = modules.get(group, f"{group}.py")
        msg = (
            f"nobody judges {resource.type} ({resource.name}): give it a row in KINDS of "
            f"tests/pulumi_judges/services/{module}"
        )
        raise HoleError(msg)
    properties = kind.schema(resource) if callable(kind.schema) else kind.schema
    resource.inputs.read.clear()
    resource.inputs.get("region")
    translated = Translated(
        resource, kind, kind.create(resource), kind.destroy(resource), kind.look(resource), properties
    )
    if unread := resource.inputs.unread():
        msg = f"nobody judges {', '.join(unread)} of {resource.type} ({resource.name}): send it, or say provider_only"
        raise HoleError(msg)
    return translated
