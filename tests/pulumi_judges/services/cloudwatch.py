"""CloudWatch: log groups, alarms, the dashboard."""

import json

from calls import Call, Json, Kind, Look, Properties, Resource, described


def _call(resource: Resource, service: str, operation: str, parameters: Json, **learns: str) -> Call:
    known = {str(resource.outputs[key]): path for key, path in learns.items()}
    return Call(service, operation, parameters, resource.region, known)


def _log_group(resource: Resource) -> list[Call]:
    named = resource.members(logGroupName="name")
    made = named | resource.members(kmsKeyId="kmsKeyId", logGroupClass="logGroupClass") | {"tags": resource.tags()}
    calls = [_call(resource, "logs", "CreateLogGroup", made)]
    if days := resource.inputs.get("retentionInDays"):
        calls.append(_call(resource, "logs", "PutRetentionPolicy", named | {"retentionInDays": days}))
    return calls


def _log_group_gone(resource: Resource) -> list[Call]:
    resource.provider_only("skipDestroy")
    return [_call(resource, "logs", "DeleteLogGroup", resource.members(logGroupName="name"))]


def _log_group_look(resource: Resource) -> Look:
    name = resource.inputs["name"]
    read = _call(resource, "logs", "DescribeLogGroups", {"logGroupNamePrefix": name})
    return Look(read, f"logGroups[?logGroupName=='{name}'] | [0]")


def _described_alarm(resource: Resource) -> Json:
    made = resource.members(
        AlarmName="name",
        AlarmDescription="alarmDescription",
        AlarmActions="alarmActions",
        OKActions="okActions",
        InsufficientDataActions="insufficientDataActions",
        ComparisonOperator="comparisonOperator",
        EvaluationPeriods="evaluationPeriods",
        DatapointsToAlarm="datapointsToAlarm",
        MetricName="metricName",
        Namespace="namespace",
        Period="period",
        Statistic="statistic",
        ExtendedStatistic="extendedStatistic",
        Threshold="threshold",
        TreatMissingData="treatMissingData",
        Unit="unit",
    )
    if dimensions := resource.inputs.get("dimensions"):
        made["Dimensions"] = [{"Name": name, "Value": value} for name, value in sorted(dimensions.items())]
    if queries := resource.inputs.get("metricQueries"):
        made["Metrics"] = [_query(each) for each in queries]
    return made


def _query(query: Json) -> Json:
    names = {"id": "Id", "expression": "Expression", "label": "Label", "returnData": "ReturnData", "period": "Period"}
    made = {names[key]: value for key, value in query.items() if key != "metric" and value is not None}
    if metric := query.get("metric"):
        dimensions = [{"Name": name, "Value": value} for name, value in sorted(metric.get("dimensions", {}).items())]
        named = {"MetricName": metric["metricName"], "Namespace": metric["namespace"], "Dimensions": dimensions}
        made["MetricStat"] = {"Metric": named, "Period": metric["period"], "Stat": metric["stat"]}
    return made


def _alarm(resource: Resource) -> list[Call]:
    made = {"ActionsEnabled": resource.inputs.get("actionsEnabled", True), "Tags": resource.tag_list()}
    return [_call(resource, "cloudwatch", "PutMetricAlarm", made | _described_alarm(resource))]


def _alarm_look(resource: Resource) -> Look:
    parameters = {"AlarmNames": [resource.inputs["name"]], "AlarmTypes": ["MetricAlarm"]}
    return Look(_call(resource, "cloudwatch", "DescribeAlarms", parameters), "MetricAlarms[0]")


def _dashboard(resource: Resource) -> list[Call]:
    made = resource.members(DashboardName="dashboardName", DashboardBody="dashboardBody")
    return [_call(resource, "cloudwatch", "PutDashboard", made)]


KINDS = {
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        source="internal/service/logs/group.go",
        create=_log_group,
        destroy=_log_group_gone,
        look=_log_group_look,
        schema=lambda resource: described(
            resource,
            "AWS::Logs::LogGroup",
            LogGroupName="name",
            RetentionInDays="retentionInDays",
            LogGroupClass="logGroupClass",
            KmsKeyId="kmsKeyId",
        ),
        unique=("name",),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Kind(
        source="internal/service/cloudwatch/metric_alarm.go",
        create=_alarm,
        destroy=lambda resource: [
            _call(resource, "cloudwatch", "DeleteAlarms", {"AlarmNames": [resource.inputs["name"]]})
        ],
        look=_alarm_look,
        schema=lambda resource: Properties(
            "AWS::CloudWatch::Alarm", _described_alarm(resource) | {"Tags": resource.tag_list()}
        ),
        unique=("name",),
    ),
    "aws:cloudwatch/dashboard:Dashboard": Kind(
        source="internal/service/cloudwatch/dashboard.go",
        create=_dashboard,
        destroy=lambda resource: [
            _call(resource, "cloudwatch", "DeleteDashboards", {"DashboardNames": [resource.inputs["dashboardName"]]})
        ],
        look=lambda resource: Look(
            _call(resource, "cloudwatch", "GetDashboard", resource.members(DashboardName="dashboardName")),
            "DashboardName",
        ),
        schema=lambda resource: Properties(
            "AWS::CloudWatch::Dashboard",
            resource.members(DashboardName="dashboardName")
            | {"DashboardBody": json.dumps(json.loads(resource.inputs["dashboardBody"]))},
        ),
        unique=("dashboardName",),
    ),
}
