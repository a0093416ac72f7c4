"""How tests read what the program asked for."""

import json
from typing import Any

from recorder import Recording, Registered, deploy

import driver


def in_region(resources: list[Registered], region: str | None) -> list[Registered]:
    return [each for each in resources if each.inputs.get("region") == region]


def container(recording: Recording, task: str = "migration-app-prod") -> dict[str, Any]:
    (only,) = json.loads(recording.named(task).inputs["containerDefinitions"])
    return only


def environment(recording: Recording) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(recording)["environment"]}


def secrets(recording: Recording) -> dict[str, str]:
    return {each["name"]: each["valueFrom"] for each in container(recording)["secrets"]}


def statements(policy: str) -> list[dict[str, object]]:
    return json.loads(policy)["Statement"]


def deploy_with(writer: str, **changes: str | None) -> Recording:
    """The stack before or after its cutover."""
    cloud = driver.empty_cloud()
    return deploy(driver.with_weights(cloud, 0, 100) if writer == "aurora" else cloud, writer=writer, **changes)
