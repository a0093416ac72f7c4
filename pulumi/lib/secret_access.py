"""What a role may read from Secrets Manager: a policy of its own for each set of secrets.

While a change rolls out, two generations read: the tasks and endpoints that stand, whose next start asks for the old
secrets, and those that are to take their place.  A policy that was changed in place would take the old secrets away
before the new generation stands, and for good when that fails.  So the set is part of the policy's name: the policy of
another set is made beside the one that is there, and the engine deletes what is no longer declared when everything else
has succeeded.
"""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from lib import policies
from lib.accounts import Credentials
from lib.naming import digest


def allow(
    role_name: str,
    role: aws.iam.Role,
    secrets: Sequence[Credentials],
    kms_key_arn: str | None,
    *,
    describe: bool,
    opts: pulumi.ResourceOptions,
) -> aws.iam.RolePolicy:
    """Lets a role read these secrets."""
    told = "\n".join([*sorted({each.name for each in secrets}), kms_key_arn or ""])
    name = f"{role_name}-secrets-{digest(told)}-policy"
    return aws.iam.RolePolicy(
        name,
        name=name,
        role=role.id,
        policy=policies.document(policies.read_secrets([each.arn for each in secrets], kms_key_arn, describe=describe)),
        opts=opts,
    )
