"""Random values: made by Pulumi itself, so no cloud is called."""

from calls import Call, Kind, NoSchema, Resource, nothing, unseen


def _no_call(resource: Resource) -> list[Call]:
    resource.provider_only(*resource.inputs)
    return []


KINDS = {
    "random:index/randomPassword:RandomPassword": Kind(
        source="none: pulumi-random calls nobody",
        create=_no_call,
        destroy=nothing,
        look=unseen,
        schema=NoSchema("made by Pulumi, not by AWS"),
    ),
}
