"""Route 53: the weighted records."""

from typing import cast

from calls import Call, HoleError, Json, Kind, Look, Properties, Resource, renamed

ALIAS = {"name": "DNSName", "zoneId": "HostedZoneId", "evaluateTargetHealth": "EvaluateTargetHealth"}


def _set(resource: Resource) -> Json:
    made = resource.members(
        Name="name", Type="type", SetIdentifier="setIdentifier", TTL="ttl", HealthCheckId="healthCheckId"
    )
    for policy in cast("list[Json]", resource.inputs.get("weightedRoutingPolicies", [])):
        made |= renamed(policy, f"{resource.type}.weightedRoutingPolicies", weight="Weight")
    for alias in cast("list[Json]", resource.inputs.get("aliases", [])):
        made["AliasTarget"] = renamed(alias, f"{resource.type}.aliases", **ALIAS)
    if values := cast("list[str]", resource.inputs.get("records")):
        made["ResourceRecords"] = [{"Value": value} for value in values]
    return made


def _change(resource: Resource, action: str) -> list[Call]:
    change = {"Action": action, "ResourceRecordSet": _set(resource)}
    said = "Deleted by Terraform" if action == "DELETE" else "Managed by Terraform"
    batch = {"Comment": said, "Changes": [change]}
    parameters = {"HostedZoneId": resource.inputs["zoneId"], "ChangeBatch": batch}
    return [Call("route53", "ChangeResourceRecordSets", parameters, "us-east-1")]


def _create(resource: Resource) -> list[Call]:
    return _change(resource, "UPSERT" if resource.inputs.get("allowOverwrite", False) else "CREATE")


def _look(resource: Resource) -> Look:
    name = str(resource.inputs["name"]).removesuffix(".") + "."
    parameters = resource.members(HostedZoneId="zoneId", StartRecordName="name", StartRecordType="type")
    if identifier := resource.inputs.get("setIdentifier"):
        parameters["StartRecordIdentifier"] = identifier
    test = f"Name=='{name}' && SetIdentifier=='{identifier}'" if identifier else f"Name=='{name}'"
    return Look(
        Call("route53", "ListResourceRecordSets", parameters, "us-east-1"), f"ResourceRecordSets[?{test}] | [0]"
    )


def _schema(resource: Resource) -> Properties:
    made = _set(resource)
    if "ResourceRecords" in made:
        made["ResourceRecords"] = [each["Value"] for each in made["ResourceRecords"]]
    if "TTL" in made:
        made["TTL"] = str(made["TTL"])
    if "AliasTarget" not in made and "ResourceRecords" not in made:
        msg = f"{resource.name} is a record without values: services/route53.py knows no such"
        raise HoleError(msg)
    return Properties("AWS::Route53::RecordSet", made | {"HostedZoneId": resource.inputs["zoneId"]})


KINDS = {
    "aws:route53/record:Record": Kind(
        source="internal/service/route53/record.go",
        create=_create,
        destroy=lambda resource: _change(resource, "DELETE"),
        look=_look,
        schema=_schema,
        unique=("zoneId", "name", "type", "setIdentifier"),
        everywhere=True,
    ),
}
