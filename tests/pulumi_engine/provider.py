"""A Pulumi resource provider by gRPC whose cloud is a JSON file: stands in for `aws` and `random`.

The engine does the rest as it always does: order, state, secrets, `ignore_changes`, replacement.  `Read` answers with
what the cloud holds now, so that `--refresh` sees what was changed behind Pulumi's back, and `Diff` compares with the
state, so that without a refresh nobody sees it: as with the real provider.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, cast

import grpc
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

import catalogue
import in_use
import prerequisites
import questions
import refusals
import replication
from world import RefusedError, World

Json = dict[str, Any]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
POLL_SECONDS = 0.02


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One server for every provider a program asks for."""

    def __init__(self, world: World) -> None:
        """Serves the cloud in this file."""
        self._world = world
        self._cancelled = threading.Event()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Tells the version the program's SDK asks for."""
        return plugin_pb2.PluginInfo(version="7.51.1")

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Agrees on the plainest protocol: no secrets, no resource references."""
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """The engine attaches to a provider that runs already; a new run begins."""
        return empty_pb2.Empty()

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Takes any configuration."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """A changed configuration replaces nothing."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Begins a run; previews are supported, secrets are the engine's affair."""
        self._cancelled.clear()
        return provider_pb2.ConfigureResponse(supportsPreview=True, acceptSecrets=False)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Ends what waits, as a real provider's cancelled calls end."""
        self.cancel()
        return empty_pb2.Empty()

    def cancel(self) -> None:
        """Ends what waits: nobody waits for it any more."""
        self._cancelled.set()

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Takes any inputs."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compares the new inputs with the state, property by property."""
        kind = catalogue.kind(_type(request.urn))
        state, before, after = _plain(request.olds), _plain(request.old_inputs), _plain(request.news)
        paths: dict[str, tuple[str, str]] = {}
        for key in sorted(set(after) | set(before)):
            if key in after and replication.same(key, state.get(key), after[key]):
                continue
            if key in after:
                _differences(key, state.get(key), after[key], paths, key)
            elif key in state:
                paths[key] = (key, "delete")
        replaces = sorted({key for key, _ in paths.values() if key in kind.replaced_by})
        changed = provider_pb2.DiffResponse.DIFF_SOME if paths else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=changed,
            diffs=sorted({key for key, _ in paths.values()}),
            replaces=replaces,
            # A name that stays the same is taken until the old resource is gone.
            deleteBeforeReplace=bool(replaces) and bool(kind.unique) and not set(kind.unique) & set(replaces),
            detailedDiff={
                path: provider_pb2.PropertyDiff(kind=_diff_kind(word, replace=key in replaces))
                for path, (key, word) in paths.items()
            },
            hasDetailedDiff=True,
        )

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Makes a resource, or in a preview says what is not known yet."""
        inputs = _plain(request.properties)
        if request.preview:
            making = _making(self._world.read(), request.urn, inputs)
            outputs = catalogue.make(making)[1] | dict.fromkeys(catalogue.computed(making), UNKNOWN)
            return provider_pb2.CreateResponse(id="", properties=_struct(outputs))

        def create() -> provider_pb2.CreateResponse:
            with self._world.change() as cloud:
                cloud["made"][request.urn] = cloud["made"].get(request.urn, 0) + 1
                making = _making(cloud, request.urn, inputs)
                id_, outputs = catalogue.make(making)
                adopted = refusals.refuse_taken(cloud, making)
                prerequisites.refuse_too_early(cloud, making)
                for gone in adopted:
                    cloud["given"]["records"].remove(gone)
                cloud["resources"][_key(making.type, id_, making.name, outputs)] = {
                    "name": making.name,
                    "urn": request.urn,
                    "type": making.type,
                    "id": id_,
                    "inputs": inputs,
                    "outputs": outputs,
                }
            return provider_pb2.CreateResponse(id=id_, properties=_struct(outputs))

        return self._act("create", request.urn, context, create, provider_pb2.CreateResponse)

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """What the cloud holds now; nothing when the resource is gone."""
        type_ = _type(request.urn)
        cloud = self._world.read()
        found = cloud["resources"].get(_held(cloud, type_, request.id, _name(request.urn), _plain(request.properties)))
        if found is None:
            return provider_pb2.ReadResponse(id="")
        outputs = found["outputs"]
        inputs = {key: outputs.get(key, value) for key, value in _plain(request.inputs).items()}
        return provider_pb2.ReadResponse(id=request.id, properties=_struct(outputs), inputs=_struct(inputs))

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Writes the whole new resource, as the real provider's calls mostly do: a stale value is written too."""
        type_, news = _type(request.urn), _plain(request.news)
        state, before = _plain(request.olds), _plain(request.old_inputs)
        kept = {key: value for key, value in state.items() if key not in before}
        if request.preview:
            return provider_pb2.UpdateResponse(properties=_struct(kept | news))

        def update() -> provider_pb2.UpdateResponse | RefusedError:
            with self._world.change() as cloud:
                found = cloud["resources"].get(_held(cloud, type_, request.id, _name(request.urn), state))
                if found is None:
                    msg = f"{type_} {request.id} does not exist"
                    raise RefusedError(msg)
                # What the cloud knows better than the state stays: a task may have been stopped meanwhile.
                live = kept | {key: value for key, value in found["outputs"].items() if key not in news}
                old = {key: found["outputs"].get(key) for key in news} | live
                try:
                    quick = self._world.control().quick
                    after = replication.modified(cloud, type_, _name(request.urn), old, news, self._fail, quick=quick)
                except RefusedError as refused:
                    # What was done before that stays done, as it would in AWS.
                    return refused
                found["inputs"], found["outputs"] = news, after
                if "tags" in news:
                    found["outputs"]["tagsAll"] = news["tags"]
                return provider_pb2.UpdateResponse(properties=_struct(found["outputs"]))

        return self._act("update", request.urn, context, update, provider_pb2.UpdateResponse)

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Takes a resource away; one that is gone already is no error."""
        type_, name, state = _type(request.urn), _name(request.urn), _plain(request.properties)

        def delete() -> empty_pb2.Empty:
            with self._world.change() as cloud:
                key = _held(cloud, type_, request.id, name, state)
                if key in cloud["resources"]:
                    in_use.refuse_in_use(cloud, cloud["resources"][key])
                cloud["resources"].pop(key, None)
            return empty_pb2.Empty()

        return self._act("delete", request.urn, context, delete, empty_pb2.Empty)

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Answers the questions that programs ask."""
        try:
            denied = self._world.control().deny
            told = _struct(questions.answer(self._world.read(), request.tok, _plain(request.args), denied))
            return provider_pb2.InvokeResponse(**{"return": told})  # pyright: ignore[reportArgumentType] -- a keyword
        except RefusedError as refused:
            context.set_code(grpc.StatusCode.UNKNOWN)
            context.set_details(str(refused))
            return provider_pb2.InvokeResponse()

    def _act(
        self,
        operation: str,
        urn: str,
        context: grpc.ServicerContext,
        do: Callable[[], Any],
        nothing: Callable[[], Any],
    ) -> Any:  # noqa: ANN401 -- the answer is whatever the operation answers
        try:
            self._go_wrong(operation, _name(urn))
            done = do()
            if not isinstance(done, RefusedError):
                return done
            raise done
        except RefusedError as refused:
            context.set_code(grpc.StatusCode.UNKNOWN)
            context.set_details(str(refused))
            return nothing()

    def _fail(self, name: str) -> None:
        """Fails a step within an operation when the control file says so."""
        message = self._world.control().fail.get(name)
        if message is not None:
            raise RefusedError(message)

    def _go_wrong(self, operation: str, name: str) -> None:
        """Waits or fails when the control file says so."""
        names = (name, f"{operation}:{name}")
        control = self._world.control()
        until = time.monotonic() + max((control.delay.get(each, 0.0) for each in names), default=0.0)
        while (time.monotonic() < until or any(each in control.hold for each in names)) and not self._cancelled.wait(
            POLL_SECONDS
        ):
            control = self._world.control()
        if self._cancelled.is_set():
            msg = "operation error: context canceled"
            raise RefusedError(msg)
        for each in names:
            if each in control.fail:
                raise RefusedError(control.fail[each])


def _making(cloud: Json, urn: str, inputs: Json) -> catalogue.Making:
    region, number = str(inputs.get("region", cloud["region"])), int(cloud["made"].get(urn, 0))
    return catalogue.Making(_type(urn), _name(urn), inputs, region, str(cloud["account"]), number)


def _type(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", maxsplit=1)[-1]


def _name(urn: str) -> str:
    return urn.split("::")[3]


def _key(type_: str, id_: str, name: str, state: Json) -> str:
    """Some ids are those of a family or of what a resource belongs to, so ARN and name are part of the key."""
    return f"{type_}|{state.get('arn', id_)}|{name}"


def _held(cloud: Json, type_: str, id_: str, name: str, state: Json) -> str:
    """The key of what exists; a resource that an alias has renamed is found by its id or ARN."""
    key = _key(type_, id_, name, state)
    if key in cloud["resources"]:
        return key
    start = key.removesuffix(name)
    same = [each for each in cast("dict[str, Json]", cloud["resources"]) if each.startswith(start)]
    return same[0] if len(same) == 1 else key


def _whole(value: object) -> object:
    """Protobuf knows no integers; the cloud does."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in cast("Json", value).items()}
    if isinstance(value, list):
        return [_whole(each) for each in cast("list[object]", value)]
    return value


def _plain(struct: struct_pb2.Struct) -> Json:
    return cast("Json", _whole(MessageToDict(struct)))


def _struct(value: Json) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(value)
    return struct


def _differences(path: str, old: object, new: object, found: dict[str, tuple[str, str]], key: str) -> None:
    """Collects the paths at which two values differ, as the engine writes them."""
    if isinstance(old, dict) and isinstance(new, dict):
        left, right = cast("Json", old), cast("Json", new)
        for each in sorted(set(left) | set(right)):
            _differences(f"{path}.{each}", left.get(each), right.get(each), found, key)
    elif isinstance(old, list) and isinstance(new, list):
        before, after = cast("list[object]", old), cast("list[object]", new)
        for index in range(max(len(before), len(after))):
            one = before[index] if index < len(before) else None
            two = after[index] if index < len(after) else None
            _differences(f"{path}[{index}]", one, two, found, key)
    elif old != new:
        found[path] = (key, "add" if old is None else "delete" if new is None else "update")


def _diff_kind(word: str, *, replace: bool) -> provider_pb2.PropertyDiff.Kind.ValueType:
    kinds = {
        ("add", False): provider_pb2.PropertyDiff.ADD,
        ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
        ("delete", False): provider_pb2.PropertyDiff.DELETE,
        ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
        ("update", False): provider_pb2.PropertyDiff.UPDATE,
        ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
    }
    return kinds[word, replace]
