"""IAM policy documents; no wildcard resource where an ARN is known.  Pure but for `Output`."""

import re
from collections.abc import Sequence

import pulumi

Statement = dict[str, object]

_PRIVATE_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)(?:[:@].+)?")


def trust(service: str, account_id: str) -> pulumi.Output[str]:
    """The trust policy of a role that one AWS service assumes, for nobody's sake but this account's."""
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
            }
        ]
    )


def document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """A policy document as JSON."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def read_secrets(arns: Sequence[pulumi.Input[str]], kms_key_arn: str | None, *, describe: bool) -> list[Statement]:
    """Lets a role read these secrets, and decrypt the ones under a customer key."""
    actions = ["secretsmanager:GetSecretValue"]
    if describe:
        actions.append("secretsmanager:DescribeSecret")
    statements: list[Statement] = [{"Effect": "Allow", "Action": actions, "Resource": list(arns)}]
    if kms_key_arn is not None:
        statements.append({"Effect": "Allow", "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": kms_key_arn})
    return statements


def pull_images(repository_arn: pulumi.Input[str]) -> list[Statement]:
    """Lets a role pull the images of one repository; AWS knows no resource for the token."""
    return [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": repository_arn,
        },
    ]


def write_logs(group_arn: pulumi.Output[str]) -> list[Statement]:
    """Lets a role write to the streams of one log group."""
    return [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": pulumi.Output.concat(group_arn, ":*"),
        }
    ]


def describe_logs(region: str, account_id: str) -> list[Statement]:
    """Lets VPC flow logs look for their group (VPC guide, "IAM role for publishing flow logs to CloudWatch Logs")."""
    return [
        {
            "Effect": "Allow",
            "Action": ["logs:DescribeLogGroups", "logs:DescribeLogStreams"],
            "Resource": f"arn:aws:logs:{region}:{account_id}:log-group:*",
        }
    ]


def pull_private_image(image: str) -> list[Statement]:
    """Lets a role pull an image that lies in a private repository of ECR; nothing for any other image."""
    found = _PRIVATE_IMAGE.fullmatch(image)
    if found is None:
        return []
    account_id, region, name = found.groups()
    return pull_images(f"arn:aws:ecr:{region}:{account_id}:repository/{name}")
