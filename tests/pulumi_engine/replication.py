"""What DMS does with tasks and endpoints, as the provider drives it.

The provider asks for the status at the moment of the call, whatever the state says: it stops a task that runs to modify
it and starts it again only when it is declared as started; it stops one that runs to modify an endpoint when
`pauseReplicationTasks` says so, and starts it again after it has tested the connection (terraform-provider-aws,
internal/service/dms/replication_task.go and endpoint.go).  DMS refuses to modify a task that runs, or an endpoint of
one, with InvalidResourceStateFault.
"""

from collections.abc import Callable
from typing import Any, cast

from world import TASK, RefusedError

Json = dict[str, Any]
Fail = Callable[[str], None]

ENDPOINT = "aws:dms/endpoint:Endpoint"
BUSY = "already being tested"


def modified(cloud: Json, type_: str, name: str, outputs: Json, news: Json, fail: Fail) -> Json:
    """The outputs of a task or an endpoint after its update; anything else is passed through."""
    changed = {key for key in news if news[key] != outputs.get(key)} - {"tags", "tagsAll"}
    if type_ == TASK:
        return _modified_task(cloud, name, outputs, news, changed, fail)
    if type_ == ENDPOINT and changed:
        _modified_endpoint(cloud, outputs, news, changed, fail)
    return outputs | news


def _modified_task(cloud: Json, name: str, outputs: Json, news: Json, changed: set[str], fail: Fail) -> Json:
    after = outputs | news
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
    fail(f"start:{name}")
    kind = "start-replication" if task["status"] == "ready" else "resume-processing"
    task["status"] = "running"
    _call(cloud, f"StartReplicationTask {name} {kind}")


def _modified_endpoint(cloud: Json, outputs: Json, news: Json, changed: set[str], fail: Fail) -> None:
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
    for task in running:
        _start_again(cloud, task, fail)


def _start_again(cloud: Json, task: Json, fail: Fail) -> None:
    try:
        _start(cloud, task["name"], task["outputs"], fail)
    except RefusedError as refused:
        # The provider goes on to the next task without a word.
        if BUSY not in str(refused):
            raise


def _tasks_of(cloud: Json, endpoint_arn: str) -> list[Json]:
    ends = ("sourceEndpointArn", "targetEndpointArn")
    return [
        each
        for each in cast("list[Json]", list(cloud["resources"].values()))
        if each["type"] == TASK and endpoint_arn in {each["outputs"][end] for end in ends}
    ]


def _call(cloud: Json, call: str) -> None:
    cloud.setdefault("calls", []).append(call)
