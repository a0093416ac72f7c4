"""Runs the program without an engine and keeps every registration, as the engine would have been told of it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi
import pulumi_aws as aws
from pulumi.runtime import mocks, resource, rpc
from pulumi.runtime.proto import resource_pb2, source_pb2

import catalogue
import questions
import world
from cloud import CONFIGURATION
from lib import preflight
from lib.preflight import Facts
from lib.settings import Settings
from lib.tap_stack import TapStack, TapStackArgs

Json = dict[str, Any]

# Each registration tells the engine where in the source it was asked for. Nobody reads that here, and to find it out
# below the frames of a test takes a quarter of the time.
resource._get_stack_trace = source_pb2.StackTrace  # pyright: ignore[reportPrivateUsage]


@dataclass(frozen=True)
class Registered:
    """One resource that the program asked for."""

    type: str
    name: str
    inputs: Json
    outputs: Json
    provider: str
    ignore_changes: tuple[str, ...]
    protect: bool
    retained: bool
    parent_type: str
    depends_on: tuple[str, ...]


@dataclass
class Recording:
    """What one run of the program asked for, exported and said."""

    resources: list[Registered] = field(default_factory=list[Registered])
    outputs: Json = field(default_factory=dict[str, Any])
    said: list[str] = field(default_factory=list[str])

    def of(self, type_: str) -> list[Registered]:
        """The resources of one type, such as `ec2/vpc:Vpc`, by name: registrations come in no certain order."""
        found = [each for each in self.resources if each.type == f"aws:{type_}"]
        return sorted(found, key=lambda each: each.name)

    def one(self, type_: str) -> Registered:
        """The only resource of a type."""
        (only,) = self.of(type_)
        return only

    def named(self, name: str) -> Registered:
        """The only resource with a logical name."""
        (only,) = [each for each in self.cloud() if each.name == name]
        return only

    def cloud(self) -> Iterator[Registered]:
        """Everything that is not a component or a provider."""
        return (each for each in self.resources if each.type.startswith(("aws:", "random:")))


class _Answers(mocks.Mocks):
    """Outputs from the catalogue of the stand-in cloud, answers from its questions."""

    def __init__(self, cloud: Json) -> None:
        self.cloud = cloud

    def call(self, args: mocks.MockCallArgs) -> tuple[Json, list[tuple[str, str]]]:
        try:
            return questions.answer(self.cloud, args.token, cast("Json", args.args), self.cloud.get("deny", ())), []
        except world.RefusedError as refused:
            # As the engine does it: an error that the program may catch.
            return {}, [("", str(refused))]

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, Json]:
        inputs = cast("Json", args.inputs)
        if not args.typ.startswith(("aws:", "random:")):
            return f"{args.name}-id", inputs
        region = str(inputs.get("region", self.cloud["region"]))
        return catalogue.make(catalogue.Making(args.typ, args.name, inputs, region, str(self.cloud["account"]), 1))


class _Monitor(mocks.MockMonitor):
    """The SDK's mock monitor, which forgets the options; this one keeps them."""

    def __init__(self, answers: _Answers, recording: Recording) -> None:
        super().__init__(answers)
        self._recording = recording

    def RegisterResource(  # noqa: N802 -- gRPC's name
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        response = super().RegisterResource(request)  # pyright: ignore[reportUnknownMemberType] -- untyped in the SDK
        if request.type != "pulumi:pulumi:Stack":
            self._recording.resources.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    inputs=_plain(cast("Json", rpc.deserialize_properties(request.object))),
                    outputs=_plain(cast("Json", rpc.deserialize_properties(response.object))),
                    provider=request.provider,
                    ignore_changes=tuple(request.ignoreChanges),
                    protect=request.protect,
                    retained=request.retainOnDelete,
                    parent_type=request.parent.split("::")[2].split("$")[-1] if request.parent else "",
                    depends_on=tuple(urn.split("::")[-1] for urn in request.dependencies),
                )
            )
        return response


class _Config:
    """Configuration as `pulumi.Config` hands it over, without the global one."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def get(self, key: str, /) -> str | None:
        return self._values.get(key)


class _Said(logging.Handler):
    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording

    def emit(self, record: logging.LogRecord) -> None:
        self._recording.said.append(record.getMessage())


def settings(**changes: str | None) -> Settings:
    """Settings of a stack that works, with these changes; `None` drops a key."""
    values = {key: value for key, value in (CONFIGURATION | changes).items() if value is not None}
    return Settings.load(_Config(values), stack_name="prod")


def deploy(cloud: Json | None = None, /, **changes: str | None) -> Recording:
    """Runs the program on a stand-in cloud and answers everything it asked for."""
    loaded, recording = settings(**changes), Recording()

    def program() -> pulumi.Output[None]:
        stack = TapStack(f"migration-stack-{loaded.environment_suffix}", TapStackArgs(settings=loaded))
        return pulumi.Output.all(**stack.outputs).apply(recording.outputs.update)

    _run(program, cloud, recording)
    return recording


def passed(cloud: Json | None = None, /, **changes: str | None) -> Facts:
    """What the preflight has found, where it refuses nothing: the part of a run that lets the rest begin."""
    loaded, found = settings(**changes), list[Facts]()

    def program() -> None:
        provider = aws.Provider("aws", region=loaded.region, allowed_account_ids=[loaded.account_id])
        found.append(preflight.ask(loaded, provider))

    _run(program, cloud, Recording())
    return found[0]


def _run(program: Callable[[], object], cloud: Json | None, recording: Recording) -> None:
    logger = logging.getLogger("program")
    logger.handlers.clear()
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(_Said(recording))
    monitor = _Monitor(_Answers(cloud or world.empty()), recording)
    mocks.set_mocks(monitor.mocks, project="tap", stack="prod", monitor=monitor, logger=logger)
    mocks.test(program)()  # pyright: ignore[reportUnknownMemberType] -- untyped in the SDK


def _plain(value: Any) -> Any:  # noqa: ANN401 -- whatever the program sent
    """Takes the secret marks off; a test that is about secrets looks at the state."""
    if isinstance(value, dict):
        entries = cast("Json", value)
        if rpc._special_sig_key in entries:  # pyright: ignore[reportPrivateUsage] -- the wire format
            return _plain(entries.get("value"))
        return {key: _plain(each) for key, each in entries.items()}
    if isinstance(value, list):
        return [_plain(each) for each in cast("list[Any]", value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
