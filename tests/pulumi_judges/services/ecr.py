"""ECR: the repository and its lifecycle policy."""

from calls import Call, Json, Kind, Look, NoSchema, Properties, Resource, renamed


def _call(resource: Resource, operation: str, parameters: Json, **learns: str) -> Call:
    return Call("ecr", operation, parameters, resource.region, {str(resource.outputs[k]): p for k, p in learns.items()})


def _described(resource: Resource) -> Json:
    made = resource.members(imageTagMutability="imageTagMutability")
    if scanning := resource.inputs.get("imageScanningConfiguration"):
        where = f"{resource.type}.imageScanningConfiguration"
        made["imageScanningConfiguration"] = renamed(scanning, where, scanOnPush="scanOnPush")
    return made


def _repository(resource: Resource) -> list[Call]:
    made = _described(resource) | {"repositoryName": resource.inputs["name"], "tags": resource.tag_list()}
    # Without encryption of its own the provider leaves it to AWS.
    return [
        _call(
            resource,
            "CreateRepository",
            made,
            arn="repository.repositoryArn",
            repositoryUrl="repository.repositoryUri",
        )
    ]


def _repository_gone(resource: Resource) -> list[Call]:
    force = resource.inputs.get("forceDelete", False)
    gone = {"repositoryName": resource.inputs["name"], "registryId": resource.account, "force": force}
    return [_call(resource, "DeleteRepository", gone)]


def _repository_schema(resource: Resource) -> Properties:
    made = _described(resource)
    document: Json = {"RepositoryName": resource.inputs["name"], "Tags": resource.tag_list()}
    document["ImageTagMutability"] = made["imageTagMutability"]
    if "imageScanningConfiguration" in made:
        document["ImageScanningConfiguration"] = {"ScanOnPush": made["imageScanningConfiguration"]["scanOnPush"]}
    return Properties("AWS::ECR::Repository", document)


def _policy(resource: Resource) -> list[Call]:
    made = resource.members(repositoryName="repository", lifecyclePolicyText="policy")
    return [_call(resource, "PutLifecyclePolicy", made)]


def _named(resource: Resource) -> Json:
    return resource.members(repositoryName="repository")


KINDS = {
    "aws:ecr/repository:Repository": Kind(
        source="internal/service/ecr/repository.go",
        create=_repository,
        destroy=_repository_gone,
        look=lambda resource: Look(
            _call(resource, "DescribeRepositories", {"repositoryNames": [resource.inputs["name"]]}), "repositories[0]"
        ),
        schema=_repository_schema,
        unique=("name",),
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Kind(
        source="internal/service/ecr/lifecycle_policy.go",
        create=_policy,
        destroy=lambda resource: [_call(resource, "DeleteLifecyclePolicy", _named(resource))],
        look=lambda resource: Look(_call(resource, "GetLifecyclePolicy", _named(resource)), "lifecyclePolicyText"),
        schema=NoSchema("CloudFormation has it as a property of the repository, of free text"),
    ),
}
