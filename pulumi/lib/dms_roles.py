"""The two roles that DMS looks up by name, once per account.

They are the only resources without the stack's suffix.  One stack of the account owns them; destroying it takes them
away from the others, which is why they are a switch and not a default.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib import policies
from lib.naming import Naming

MANAGED = "arn:aws:iam::aws:policy/service-role"


@dataclass(frozen=True, kw_only=True)
class DmsRolesArgs:
    """What the roles are made from."""

    naming: Naming
    account_id: str


class DmsRoles(pulumi.ComponentResource):
    """`dms-vpc-role` and `dms-cloudwatch-logs-role`, with AWS's own policies."""

    attachments: list[aws.iam.RolePolicyAttachment]

    def __init__(self, name: str, args: DmsRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates both roles."""
        super().__init__("tap:replication:DmsRoles", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.attachments = []
        for kind, role_name, policy in (
            ("dms-vpc-role", "dms-vpc-role", "AmazonDMSVPCManagementRole"),
            ("dms-logs-role", "dms-cloudwatch-logs-role", "AmazonDMSCloudWatchLogsRole"),
        ):
            logical = args.naming.name(kind)
            role = aws.iam.Role(
                logical,
                name=role_name,
                description="DMS looks this role up by its name",
                assume_role_policy=policies.trust("dms.amazonaws.com", args.account_id),
                tags=args.naming.tags(logical),
                opts=child,
            )
            self.attachments.append(
                aws.iam.RolePolicyAttachment(
                    f"{logical}-policy", role=role.name, policy_arn=f"{MANAGED}/{policy}", opts=child
                )
            )
        pulumi.log.warn(
            "this stack owns the account's DMS roles: destroy it after every other stack that uses DMS", resource=self
        )
        self.register_outputs({})
