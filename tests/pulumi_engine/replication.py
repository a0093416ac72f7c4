"""What DMS does with tasks and endpoints, as the provider drives it.

The provider asks for the status at the moment of the call, whatever the state says: it stops a task that runs to modify
it and starts it again only when it is declared as started; it stops one that runs to modify an endpoint when
`pauseReplicationTasks` says so (terraform-provider-aws, internal/service/dms/replication_task.go and endpoint.go).  DMS
refuses to modify a task that runs, or an endpoint of one, with InvalidResourceStateFault.

It also refuses to start a task before the connections to both of its endpoints have been tested with success
(github.com/cockroachdb/cockroach, pull request 82182, whose tests start tasks; the provider tests for the same reason
before it resumes: endpoint.go, `startEndpointReplicationTasks`).  ModifyEndpoint begins a test of its own, so the
provider's TestConnection is answered with "already being tested", and the provider goes on without the task that it has
stopped (github.com/hashicorp/terraform-provider-aws, issue 46139).  That is what happens here, unless the control file
says `quick`: AWS's own test is over before the provider asks.
"""

import json
from collections.abc import Callable
from typing import Any, cast

from world import TASK, RefusedError, tested

Json = dict[str, Any]
Fail = Callable[[str], None]

ENDPOINT = "aws:dms/endpoint:Endpoint"
SETTINGS = "replicationTaskSettings"
ENDS = ("sourceEndpointArn", "targetEndpointArn")


def modified(cloud: Json, type_: str, name: str, outputs: Json, news: Json, fail: Fail, *, quick: bool) -> Json:
    """The outputs of a task or an endpoint after its update; anything else is passed through."""
    changed = {key for key in news if not same(key, outputs.get(key), news[key])} - {"tags", "tagsAll"}
    if type_ == TASK:
        return _modified_task(cloud, name, outputs, news, changed, fail)
    if type_ == ENDPOINT and changed:
        _modified_endpoint(cloud, outputs, news, changed, fail if quick else None)
    return outputs | news


def same(key: str, state: object, proposed: object) -> bool:
    """Whether the provider sees no change of a property.

    Of a task's settings it compares those that are proposed: one that is left out, or `null`, is as it was; one that
    the task does not have, or has as `null`, is a change (terraform-provider-aws,
    internal/service/dms/task_settings_json.go, `suppressEquivalentTaskSettings`).
    """
    if key != SETTINGS or not isinstance(state, str) or not isinstance(proposed, str):
        return state == proposed
    return _covers(_by_component(json.loads(state)), _by_component(json.loads(proposed)))


def _covers(state: object, proposed: object) -> bool:
    if proposed is None:
        return True
    if isinstance(state, dict) and isinstance(proposed, dict):
        have, want = cast("Json", state), cast("Json", proposed)
        return set(want) <= set(have) and all(_covers(have[key], want.get(key)) for key in have)
    alike = type(state) is type(proposed)  # pyright: ignore[reportUnknownArgumentType] -- whatever JSON holds
    return alike and not isinstance(state, list) and state == proposed


def _by_component(settings: Json) -> Json:
    logging = dict(settings.get("Logging", {}))
    if "LogComponents" in logging:
        logging["LogComponents"] = {each["Id"]: each["Severity"] for each in logging["LogComponents"]}
    return settings | ({"Logging": logging} if logging else {})


def _merged(old: Json, new: Json) -> Json:
    both = {key for key in new if isinstance(old.get(key), dict) and isinstance(new[key], dict)}
    return old | new | {key: _merged(old[key], new[key]) for key in both}


def _modified_task(cloud: Json, name: str, outputs: Json, news: Json, changed: set[str], fail: Fail) -> Json:
    after = outputs | news
    if SETTINGS in news:
        # DMS keeps what ModifyReplicationTask leaves out.
        after[SETTINGS] = json.dumps(_merged(json.loads(outputs.get(SETTINGS) or "{}"), json.loads(news[SETTINGS])))
    wanted = bool(news.get("startReplicationTask"))
    if changed - {"startReplicationTask"}:
        if after["status"] == "running":
            after["status"] = "stopped"
            _call(cloud, f"StopReplicationTask {name}")
        _call(cloud, f"ModifyReplicationTask {name}")
        if wanted:
            _start(cloud, name, after, fail)
    if "startReplicationTask" in changed:
        if wanted:
            _start(cloud, name, after, fail)
        elif after["status"] == "running":
            after["status"] = "stopped"
            _call(cloud, f"StopReplicationTask {name}")
    return after


def _start(cloud: Json, name: str, task: Json, fail: Fail) -> None:
    if task["status"] == "running":
        return
    untested = [task[end] for end in ENDS if task[end] not in tested(cloud)]
    if untested:
        msg = (
            f"InvalidResourceStateFault: {untested[0]}: test connection for replication instance and endpoint should "
            "be successful for starting the replication task"
        )
        raise RefusedError(msg)
    fail(f"start:{name}")
    kind = "start-replication" if task["status"] == "ready" else "resume-processing"
    task["status"] = "running"
    _call(cloud, f"StartReplicationTask {name} {kind}")


def _modified_endpoint(cloud: Json, outputs: Json, news: Json, changed: set[str], resume: Fail | None) -> None:
    arn = outputs["endpointArn"]
    running = [task for task in _tasks_of(cloud, arn) if task["outputs"]["status"] == "running"]
    if not news.get("pauseReplicationTasks"):
        if running and changed:
            msg = (
                f"InvalidResourceStateFault: Endpoint {arn} is part of the task {running[0]['name']}, which is running"
            )
            raise RefusedError(msg)
        return
    for task in running:
        task["outputs"]["status"] = "stopped"
        _call(cloud, f"StopReplicationTask {task['name']}")
    if changed - {"pauseReplicationTasks"}:
        _call(cloud, f"ModifyEndpoint {outputs['endpointId']}")
    if resume is None:
        return
    for task in running:
        _start(cloud, task["name"], task["outputs"], resume)


def _tasks_of(cloud: Json, endpoint_arn: str) -> list[Json]:
    return [
        each
        for each in cast("list[Json]", list(cloud["resources"].values()))
        if each["type"] == TASK and endpoint_arn in {each["outputs"][end] for end in ENDS}
    ]


def _call(cloud: Json, call: str) -> None:
    cloud.setdefault("calls", []).append(call)
