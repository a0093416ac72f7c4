"""ECS: cluster, task definition, service."""

import json
from typing import cast

from calls import Call, Json, Kind, Look, Properties, Resource, pascal, renamed


def _call(resource: Resource, operation: str, parameters: Json, **learns: str) -> Call:
    return Call("ecs", operation, parameters, resource.region, {str(resource.outputs[k]): p for k, p in learns.items()})


def _tags(resource: Resource) -> list[Json]:
    return resource.tag_list("key", "value")


def _cluster(resource: Resource) -> list[Call]:
    made = resource.members(clusterName="name", settings="settings") | {"tags": _tags(resource)}
    return [_call(resource, "CreateCluster", made, arn="cluster.clusterArn")]


def _cluster_schema(resource: Resource) -> Properties:
    made = {"ClusterName": resource.inputs["name"], "ClusterSettings": pascal(resource.inputs.get("settings", []))}
    return Properties("AWS::ECS::Cluster", made | {"Tags": resource.tag_list()})


def _task(resource: Resource) -> list[Call]:
    made = resource.members(
        family="family",
        cpu="cpu",
        memory="memory",
        networkMode="networkMode",
        requiresCompatibilities="requiresCompatibilities",
        executionRoleArn="executionRoleArn",
        taskRoleArn="taskRoleArn",
        volumes="volumes",
        runtimePlatform="runtimePlatform",
    )
    # The provider hands the document over as it is: its keys are the API's own.
    made["containerDefinitions"] = json.loads(resource.inputs["containerDefinitions"])
    made["tags"] = _tags(resource)
    return [_call(resource, "RegisterTaskDefinition", made, arn="taskDefinition.taskDefinitionArn")]


def _task_gone(resource: Resource) -> list[Call]:
    resource.provider_only("skipDestroy", "trackLatest")
    return [_call(resource, "DeregisterTaskDefinition", {"taskDefinition": resource.arn})]


def _task_look(resource: Resource) -> Look:
    read = _call(resource, "DescribeTaskDefinition", {"taskDefinition": resource.arn, "include": ["TAGS"]})
    return Look(read, "taskDefinition.status == 'ACTIVE'")


def _task_schema(resource: Resource) -> Properties:
    (made,) = [each.parameters for each in _task(resource)]
    document = cast("Json", pascal({key: value for key, value in made.items() if key != "containerDefinitions"}))
    document["ContainerDefinitions"] = [_container(each) for each in made["containerDefinitions"]]
    return Properties("AWS::ECS::TaskDefinition", document)


def _container(container: Json) -> Json:
    written = cast("Json", pascal(container))
    # Free maps keep their keys.
    for block, key in (("logConfiguration", "options"), ("dockerLabels", "")):
        if block in container and key:
            written["LogConfiguration"][key.capitalize()] = container[block][key]
        elif block in container:
            written["DockerLabels"] = container[block]
    return written


BREAKER = {"enable": "enable", "rollback": "rollback"}
BALANCER = {
    "targetGroupArn": "targetGroupArn",
    "containerName": "containerName",
    "containerPort": "containerPort",
}
NETWORK = {"subnets": "subnets", "securityGroups": "securityGroups", "assignPublicIp": "assignPublicIp"}


def _described_service(resource: Resource) -> Json:
    where = resource.type
    made = resource.members(
        cluster="cluster",
        serviceName="name",
        taskDefinition="taskDefinition",
        launchType="launchType",
        desiredCount="desiredCount",
        healthCheckGracePeriodSeconds="healthCheckGracePeriodSeconds",
        availabilityZoneRebalancing="availabilityZoneRebalancing",
        propagateTags="propagateTags",
        platformVersion="platformVersion",
    )
    made["schedulingStrategy"] = resource.inputs.get("schedulingStrategy", "REPLICA")
    made["enableECSManagedTags"] = resource.inputs.get("enableEcsManagedTags", False)
    made["enableExecuteCommand"] = resource.inputs.get("enableExecuteCommand", False)
    deployment = resource.members(
        minimumHealthyPercent="deploymentMinimumHealthyPercent", maximumPercent="deploymentMaximumPercent"
    )
    if breaker := resource.inputs.get("deploymentCircuitBreaker"):
        deployment["deploymentCircuitBreaker"] = renamed(breaker, f"{where}.deploymentCircuitBreaker", **BREAKER)
    made["deploymentConfiguration"] = deployment
    if network := resource.inputs.get("networkConfiguration"):
        block = renamed(network, f"{where}.networkConfiguration", **NETWORK)
        block["assignPublicIp"] = "ENABLED" if block.get("assignPublicIp") else "DISABLED"
        made["networkConfiguration"] = {"awsvpcConfiguration": block}
    balancers = cast("list[Json]", resource.inputs.get("loadBalancers", []))
    made["loadBalancers"] = [renamed(each, f"{where}.loadBalancers", **BALANCER) for each in balancers]
    return made


def _service(resource: Resource) -> list[Call]:
    resource.provider_only("waitForSteadyState", "forceNewDeployment")
    made = {"clientToken": resource.name} | _described_service(resource) | {"tags": _tags(resource)}
    return [_call(resource, "CreateService", made, arn="service.serviceArn")]


def _service_gone(resource: Resource) -> list[Call]:
    cluster, name = resource.inputs["cluster"], resource.inputs["name"]
    force = resource.inputs.get("forceDelete", False)
    drained = {"cluster": cluster, "service": name, "desiredCount": 0}
    # What is deleted by force is not drained before.
    first = [] if force else [_call(resource, "UpdateService", drained)]
    return [*first, _call(resource, "DeleteService", {"cluster": cluster, "service": name, "force": force})]


def _service_look(resource: Resource) -> Look:
    parameters = {"cluster": resource.inputs["cluster"], "services": [resource.inputs["name"]], "include": ["TAGS"]}
    return Look(_call(resource, "DescribeServices", parameters), "services[?status=='ACTIVE'] | [0]")


def _service_schema(resource: Resource) -> Properties:
    described = cast("Json", pascal(_described_service(resource)))
    return Properties("AWS::ECS::Service", described | {"Tags": resource.tag_list()})


KINDS = {
    "aws:ecs/cluster:Cluster": Kind(
        source="internal/service/ecs/cluster.go",
        create=_cluster,
        destroy=lambda resource: [_call(resource, "DeleteCluster", {"cluster": resource.arn})],
        look=lambda resource: Look(
            _call(resource, "DescribeClusters", {"clusters": [resource.arn], "include": ["TAGS", "SETTINGS"]}),
            "clusters[?status=='ACTIVE'] | [0]",
        ),
        schema=_cluster_schema,
        unique=("name",),
    ),
    "aws:ecs/taskDefinition:TaskDefinition": Kind(
        source="internal/service/ecs/task_definition.go",
        create=_task,
        destroy=_task_gone,
        look=_task_look,
        schema=_task_schema,
        unique=("family",),
    ),
    "aws:ecs/service:Service": Kind(
        source="internal/service/ecs/service.go",
        create=_service,
        destroy=_service_gone,
        look=_service_look,
        schema=_service_schema,
        unique=("cluster", "name"),
    ),
}
