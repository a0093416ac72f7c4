"""SNS: the topic of the alarms and its subscription."""

from calls import Call, Json, Kind, Look, Properties, Resource, described


def _call(resource: Resource, operation: str, parameters: Json, **learns: str) -> Call:
    known = {str(resource.outputs[key]): path for key, path in learns.items()}
    return Call("sns", operation, parameters, resource.region, known)


def _topic(resource: Resource) -> list[Call]:
    made = resource.members(Name="name") | {"Tags": resource.tag_list()}
    attributes = {
        name: value
        for name, value in resource.members(
            DisplayName="displayName", KmsMasterKeyId="kmsMasterKeyId", Policy="policy"
        ).items()
        if value
    }
    if attributes:
        made["Attributes"] = attributes
    return [_call(resource, "CreateTopic", made, arn="TopicArn")]


def _subscription(resource: Resource) -> list[Call]:
    made: Json = {"ReturnSubscriptionArn": True}
    made |= resource.members(TopicArn="topic", Protocol="protocol", Endpoint="endpoint")
    return [_call(resource, "Subscribe", made, arn="SubscriptionArn")]


KINDS = {
    "aws:sns/topic:Topic": Kind(
        source="internal/service/sns/topic.go",
        create=_topic,
        destroy=lambda resource: [_call(resource, "DeleteTopic", {"TopicArn": resource.arn})],
        look=lambda resource: Look(
            _call(resource, "GetTopicAttributes", {"TopicArn": resource.arn}), "Attributes.TopicArn"
        ),
        schema=lambda resource: described(resource, "AWS::SNS::Topic", TopicName="name"),
        unique=("name",),
    ),
    "aws:sns/topicSubscription:TopicSubscription": Kind(
        source="internal/service/sns/topic_subscription.go",
        create=_subscription,
        destroy=lambda resource: [_call(resource, "Unsubscribe", {"SubscriptionArn": resource.arn})],
        look=lambda resource: Look(
            _call(resource, "GetSubscriptionAttributes", {"SubscriptionArn": resource.arn}),
            "Attributes.SubscriptionArn",
        ),
        schema=lambda resource: Properties(
            "AWS::SNS::Subscription", resource.members(TopicArn="topic", Protocol="protocol", Endpoint="endpoint")
        ),
    ),
}
