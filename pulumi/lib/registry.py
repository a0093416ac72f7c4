"""The private image repository."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib.naming import Naming

KEPT_IMAGES = 20
UNTAGGED_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """What the repository is made from."""

    naming: Naming


class Registry(pulumi.ComponentResource):
    """An ECR repository that scans what is pushed and goes with its images."""

    repository_arn: pulumi.Output[str]
    repository_url: pulumi.Output[str]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates the repository and its lifecycle policy."""
        super().__init__("tap:service:Registry", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        repository_name = args.naming.name("repo")
        repository = aws.ecr.Repository(
            repository_name,
            name=repository_name,
            # A tag names one image for good, so a rollback brings back what ran before.
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            force_delete=True,
            tags=args.naming.tags(repository_name),
            opts=child,
        )
        aws.ecr.LifecyclePolicy(
            f"{repository_name}-lifecycle", repository=repository.name, policy=json.dumps(_lifecycle()), opts=child
        )
        self.repository_arn = repository.arn
        self.repository_url = repository.repository_url
        self.register_outputs({"repositoryArn": self.repository_arn, "repositoryUrl": self.repository_url})


def _lifecycle() -> dict[str, object]:
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": f"Untagged images go after {UNTAGGED_DAYS} days",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": UNTAGGED_DAYS,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": f"The newest {KEPT_IMAGES} images stay",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": KEPT_IMAGES},
                "action": {"type": "expire"},
            },
        ]
    }
