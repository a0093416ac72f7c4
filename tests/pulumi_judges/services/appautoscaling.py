"""Application Auto Scaling of the service's tasks."""

from typing import cast

from calls import Call, Json, Kind, Look, Properties, Resource, pascal, renamed

TRACKING = {
    "targetValue": "TargetValue",
    "scaleInCooldown": "ScaleInCooldown",
    "scaleOutCooldown": "ScaleOutCooldown",
    "disableScaleIn": "DisableScaleIn",
    "predefinedMetricSpecification": "PredefinedMetricSpecification",
}


def _call(resource: Resource, operation: str, parameters: Json) -> Call:
    return Call("application-autoscaling", operation, parameters, resource.region)


def _place(resource: Resource) -> Json:
    return resource.members(
        ServiceNamespace="serviceNamespace", ResourceId="resourceId", ScalableDimension="scalableDimension"
    )


def _described(resource: Resource) -> Json:
    bounds = resource.members(MinCapacity="minCapacity", MaxCapacity="maxCapacity", RoleARN="roleArn")
    return _place(resource) | bounds


def _target(resource: Resource) -> list[Call]:
    return [_call(resource, "RegisterScalableTarget", _described(resource) | {"Tags": resource.tags()})]


def _target_look(resource: Resource) -> Look:
    place = _place(resource)
    parameters = place | {"ResourceIds": [place.pop("ResourceId")]}
    parameters.pop("ResourceId", None)
    return Look(_call(resource, "DescribeScalableTargets", parameters), "ScalableTargets[0]")


def _policy(resource: Resource) -> list[Call]:
    made = _place(resource) | resource.members(PolicyName="name", PolicyType="policyType")
    if tracking := resource.inputs.get("targetTrackingScalingPolicyConfiguration"):
        where = f"{resource.type}.targetTrackingScalingPolicyConfiguration"
        block = renamed(cast("Json", tracking), where, **TRACKING)
        made["TargetTrackingScalingPolicyConfiguration"] = pascal(block)
    return [_call(resource, "PutScalingPolicy", made)]


def _policy_look(resource: Resource) -> Look:
    parameters = _place(resource) | {"PolicyNames": [resource.inputs["name"]]}
    return Look(_call(resource, "DescribeScalingPolicies", parameters), "ScalingPolicies[0]")


KINDS = {
    "aws:appautoscaling/target:Target": Kind(
        source="internal/service/appautoscaling/target.go",
        create=_target,
        destroy=lambda resource: [_call(resource, "DeregisterScalableTarget", _place(resource))],
        look=_target_look,
        schema=lambda resource: Properties("AWS::ApplicationAutoScaling::ScalableTarget", _described(resource)),
        unique=("serviceNamespace", "resourceId", "scalableDimension"),
    ),
    "aws:appautoscaling/policy:Policy": Kind(
        source="internal/service/appautoscaling/policy.go",
        create=_policy,
        destroy=lambda resource: [
            _call(resource, "DeleteScalingPolicy", _place(resource) | resource.members(PolicyName="name"))
        ],
        look=_policy_look,
        schema=lambda resource: Properties(
            "AWS::ApplicationAutoScaling::ScalingPolicy", _policy(resource)[0].parameters
        ),
        unique=("resourceId", "name"),
    ),
}
