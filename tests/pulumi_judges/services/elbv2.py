"""Application load balancer, target group, listeners."""

from typing import cast

from calls import Call, HoleError, Json, Kind, Look, Making, Properties, Reading, Resource, pascal, renamed

ATTRIBUTES = {
    "enableDeletionProtection": "deletion_protection.enabled",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "clientKeepAlive": "client_keep_alive.seconds",
    "idleTimeout": "idle_timeout.timeout_seconds",
    "enableHttp2": "routing.http2.enabled",
    "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "preserveHostHeader": "routing.http.preserve_host_header.enabled",
}
GROUP_ATTRIBUTES = {
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "slowStart": "slow_start.duration_seconds",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
}
HEALTH_CHECK = {
    "enabled": "HealthCheckEnabled",
    "protocol": "HealthCheckProtocol",
    "port": "HealthCheckPort",
    "path": "HealthCheckPath",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthyThreshold": "HealthyThresholdCount",
    "unhealthyThreshold": "UnhealthyThresholdCount",
    "matcher": "Matcher",
}


def _call(resource: Resource, operation: str, parameters: Json, **learns: str) -> Call:
    return Call(
        "elbv2", operation, parameters, resource.region, {str(resource.outputs[k]): p for k, p in learns.items()}
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _attributes(resource: Resource, names: dict[str, str]) -> list[Json]:
    found = {key: resource.inputs.get(name) for name, key in names.items()}
    return [{"Key": key, "Value": _text(value)} for key, value in found.items() if value is not None]


def _described_balancer(resource: Resource) -> Json:
    scheme = "internal" if resource.inputs.get("internal", False) else "internet-facing"
    made = {"Scheme": scheme, "Tags": resource.tag_list()}
    return made | resource.members(
        Name="name",
        Type="loadBalancerType",
        Subnets="subnets",
        SecurityGroups="securityGroups",
        IpAddressType="ipAddressType",
    )


def _balancer(resource: Resource) -> list[Call]:
    # The provider always says that neither kind of log is wanted.
    off = [
        {"Key": "access_logs.s3.enabled", "Value": "false"},
        {"Key": "connection_logs.s3.enabled", "Value": "false"},
    ]
    changed = {"LoadBalancerArn": resource.arn, "Attributes": [*off, *_attributes(resource, ATTRIBUTES)]}
    return [
        _call(
            resource,
            "CreateLoadBalancer",
            _described_balancer(resource),
            arn="LoadBalancers[0].LoadBalancerArn",
            dnsName="LoadBalancers[0].DNSName",
            zoneId="LoadBalancers[0].CanonicalHostedZoneId",
        ),
        _call(resource, "ModifyLoadBalancerAttributes", changed),
    ]


def _balancer_schema(resource: Resource) -> Properties:
    attributes = {"LoadBalancerAttributes": _attributes(resource, ATTRIBUTES)}
    return Properties("AWS::ElasticLoadBalancingV2::LoadBalancer", _described_balancer(resource) | attributes)


def _described_group(resource: Resource) -> Json:
    made = resource.members(Name="name", Port="port", Protocol="protocol", TargetType="targetType", VpcId="vpcId")
    made |= {"ProtocolVersion": resource.inputs.get("protocolVersion", "HTTP1"), "Tags": resource.tag_list()}
    health: Json = {"enabled": True, "port": "traffic-port"} | cast("Json", resource.inputs.get("healthCheck", {}))
    made |= renamed(health, f"{resource.type}.healthCheck", **HEALTH_CHECK)
    if "Matcher" in made:
        made["Matcher"] = {"HttpCode": made["Matcher"]}
    return made


def _group_attributes(resource: Resource) -> list[Json]:
    attributes: list[Json] = []
    if stickiness := cast("Json", resource.inputs.get("stickiness")):
        kind = stickiness["type"]
        lasts = f"stickiness.{kind}.duration_seconds"
        names = {"type": "stickiness.type", "enabled": "stickiness.enabled", "cookieDuration": lasts}
        found = renamed(stickiness, f"{resource.type}.stickiness", **names)
        attributes = [{"Key": key, "Value": _text(value)} for key, value in found.items()]
    return attributes + _attributes(resource, GROUP_ATTRIBUTES)


def _group(resource: Resource) -> list[Call]:
    changed = {"TargetGroupArn": resource.arn, "Attributes": _group_attributes(resource)}
    return [
        _call(resource, "CreateTargetGroup", _described_group(resource), arn="TargetGroups[0].TargetGroupArn"),
        _call(resource, "ModifyTargetGroupAttributes", changed),
    ]


def _group_schema(resource: Resource) -> Properties:
    attributes = {"TargetGroupAttributes": _group_attributes(resource)}
    return Properties("AWS::ElasticLoadBalancingV2::TargetGroup", _described_group(resource) | attributes)


def _actions(resource: Resource, forward: str, redirect: str) -> list[Json]:
    actions: list[Json] = []
    for action in cast("list[Json]", resource.inputs.get("defaultActions", [])):
        names = {"type": "Type", "targetGroupArn": forward, "redirect": redirect, "order": "Order"}
        made = renamed(action, f"{resource.type}.defaultActions", **names)
        if redirect in made:
            # What is not said stays as it is in the request.
            kept = {"Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
            made[redirect] = kept | cast("Json", pascal(made[redirect]))
        if made.get("Type") not in {"forward", "redirect"}:
            msg = f"nobody judges a listener's action of type {made.get('Type')}: extend services/elbv2.py"
            raise HoleError(msg)
        actions.append(made)
    return actions


def _described_listener(resource: Resource) -> Json:
    made = resource.members(LoadBalancerArn="loadBalancerArn", Port="port", Protocol="protocol", SslPolicy="sslPolicy")
    if certificate := resource.inputs.get("certificateArn"):
        made["Certificates"] = [{"CertificateArn": certificate}]
    return made | {"DefaultActions": _actions(resource, "TargetGroupArn", "RedirectConfig")}


def _listener(resource: Resource) -> list[Call]:
    made = _described_listener(resource) | {"Tags": resource.tag_list()}
    return [_call(resource, "CreateListener", made, arn="Listeners[0].ListenerArn")]


def _gone(operation: str, member: str) -> Making:
    def destroy(resource: Resource) -> list[Call]:
        return [_call(resource, operation, {member: resource.arn})]

    return destroy


def _look(operation: str, member: str, present: str) -> Reading:
    def look(resource: Resource) -> Look:
        return Look(_call(resource, operation, {member: [resource.arn]}), present)

    return look


KINDS = {
    "aws:lb/loadBalancer:LoadBalancer": Kind(
        source="internal/service/elbv2/load_balancer.go",
        create=_balancer,
        destroy=_gone("DeleteLoadBalancer", "LoadBalancerArn"),
        look=_look("DescribeLoadBalancers", "LoadBalancerArns", "LoadBalancers[0]"),
        schema=_balancer_schema,
        unique=("name",),
    ),
    "aws:lb/targetGroup:TargetGroup": Kind(
        source="internal/service/elbv2/target_group.go",
        create=_group,
        destroy=_gone("DeleteTargetGroup", "TargetGroupArn"),
        look=_look("DescribeTargetGroups", "TargetGroupArns", "TargetGroups[0]"),
        schema=_group_schema,
        unique=("name",),
    ),
    "aws:lb/listener:Listener": Kind(
        source="internal/service/elbv2/listener.go",
        create=_listener,
        destroy=_gone("DeleteListener", "ListenerArn"),
        look=_look("DescribeListeners", "ListenerArns", "Listeners[0]"),
        schema=lambda resource: Properties("AWS::ElasticLoadBalancingV2::Listener", _described_listener(resource)),
        unique=("loadBalancerArn", "port"),
    ),
}
