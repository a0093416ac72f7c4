"""The translation of every type of resource that the program asks for, one module per service."""

from calls import Kind, Resource, Translated, translate
from services import (
    appautoscaling,
    cloudwatch,
    dms,
    ec2,
    ecr,
    ecs,
    elbv2,
    iam,
    peering,
    random,
    rds,
    route53,
    secretsmanager,
    sns,
    vpc,
)

MODULES = {"lb": "elbv2.py", "cloudwatch": "cloudwatch.py", "index": "random.py"}
"""Where Pulumi's module is called otherwise than the file that judges it."""

KINDS: dict[str, Kind] = {
    **ec2.KINDS,
    **vpc.KINDS,
    **peering.KINDS,
    **elbv2.KINDS,
    **ecs.KINDS,
    **ecr.KINDS,
    **rds.KINDS,
    **dms.KINDS,
    **route53.KINDS,
    **iam.KINDS,
    **cloudwatch.KINDS,
    **secretsmanager.KINDS,
    **sns.KINDS,
    **appautoscaling.KINDS,
    **random.KINDS,
}


def judged(resource: Resource) -> Translated:
    """All that is judged about one resource."""
    return translate(KINDS, MODULES, resource)
