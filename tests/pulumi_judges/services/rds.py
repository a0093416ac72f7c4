"""Aurora: subnet group, parameter groups, cluster, instances."""

from typing import cast

from calls import Call, Json, Kind, Look, Making, Properties, Reading, Resource, described, renamed

AT_ONCE = 20
"""The provider sets parameters in batches of at most this many."""


def _call(resource: Resource, operation: str, parameters: Json, **learns: str) -> Call:
    return Call("rds", operation, parameters, resource.region, {str(resource.outputs[k]): p for k, p in learns.items()})


def _subnets(resource: Resource) -> list[Call]:
    made = resource.members(DBSubnetGroupName="name", DBSubnetGroupDescription="description", SubnetIds="subnetIds") | {
        "Tags": resource.tag_list()
    }
    return [_call(resource, "CreateDBSubnetGroup", made)]


def _parameters(create: str, modify: str, member: str) -> Making:
    def calls(resource: Resource) -> list[Call]:
        named = resource.members(**{member: "name"})
        made = named | resource.members(DBParameterGroupFamily="family", Description="description")
        found = [_call(resource, create, made | {"Tags": resource.tag_list()})]
        given = cast("list[Json]", resource.inputs.get("parameters", []))
        names = {"name": "ParameterName", "value": "ParameterValue", "applyMethod": "ApplyMethod"}
        rows = [renamed(each, f"{resource.type}.parameters", **names) for each in given]
        batches = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
        return found + [_call(resource, modify, named | {"Parameters": batch}) for batch in batches]

    return calls


def _cluster(resource: Resource) -> list[Call]:
    made = resource.members(
        DBClusterIdentifier="clusterIdentifier",
        Engine="engine",
        EngineVersion="engineVersion",
        EngineMode="engineMode",
        Port="port",
        DatabaseName="databaseName",
        MasterUsername="masterUsername",
        MasterUserPassword="masterPassword",
        DBSubnetGroupName="dbSubnetGroupName",
        DBClusterParameterGroupName="dbClusterParameterGroupName",
        VpcSecurityGroupIds="vpcSecurityGroupIds",
        StorageEncrypted="storageEncrypted",
        DeletionProtection="deletionProtection",
        BackupRetentionPeriod="backupRetentionPeriod",
        CopyTagsToSnapshot="copyTagsToSnapshot",
        EnableCloudwatchLogsExports="enabledCloudwatchLogsExports",
        EnableIAMDatabaseAuthentication="iamDatabaseAuthenticationEnabled",
        PreferredBackupWindow="preferredBackupWindow",
        PreferredMaintenanceWindow="preferredMaintenanceWindow",
    )
    made["Tags"] = resource.tag_list()
    resource.provider_only("applyImmediately", "allowMajorVersionUpgrade")
    return [
        _call(
            resource,
            "CreateDBCluster",
            made,
            arn="DBCluster.DBClusterArn",
            endpoint="DBCluster.Endpoint",
            readerEndpoint="DBCluster.ReaderEndpoint",
        )
    ]


def _cluster_gone(resource: Resource) -> list[Call]:
    gone = {"DBClusterIdentifier": resource.id, "SkipFinalSnapshot": resource.inputs.get("skipFinalSnapshot", False)}
    gone |= resource.members(FinalDBSnapshotIdentifier="finalSnapshotIdentifier")
    gone["DeleteAutomatedBackups"] = resource.inputs.get("deleteAutomatedBackups", True)
    return [_call(resource, "DeleteDBCluster", gone)]


def _instance(resource: Resource) -> list[Call]:
    made = resource.members(
        DBInstanceIdentifier="identifier",
        DBClusterIdentifier="clusterIdentifier",
        DBInstanceClass="instanceClass",
        Engine="engine",
        EngineVersion="engineVersion",
        AvailabilityZone="availabilityZone",
        DBParameterGroupName="dbParameterGroupName",
        PromotionTier="promotionTier",
        PubliclyAccessible="publiclyAccessible",
        AutoMinorVersionUpgrade="autoMinorVersionUpgrade",
        CACertificateIdentifier="caCertIdentifier",
        MonitoringInterval="monitoringInterval",
        MonitoringRoleArn="monitoringRoleArn",
        EnablePerformanceInsights="performanceInsightsEnabled",
    )
    made["CopyTagsToSnapshot"] = resource.inputs.get("copyTagsToSnapshot", False)
    made["Tags"] = resource.tag_list()
    resource.provider_only("applyImmediately")
    return [_call(resource, "CreateDBInstance", made, arn="DBInstance.DBInstanceArn")]


def _instance_gone(resource: Resource) -> list[Call]:
    # An instance of a cluster has no snapshot and no backups of its own.
    return [_call(resource, "DeleteDBInstance", {"DBInstanceIdentifier": resource.id})]


def _gone(operation: str, member: str) -> Making:
    return lambda resource: [_call(resource, operation, {member: resource.id})]


def _look(operation: str, member: str, present: str) -> Reading:
    return lambda resource: Look(_call(resource, operation, {member: resource.id}), present)


def _group_schema(resource: Resource, type_: str, name: str) -> Properties:
    given = cast("list[Json]", resource.inputs.get("parameters", []))
    named = resource.members(**{name: "name", "Family": "family", "Description": "description"})
    values = {"Parameters": {each["name"]: each["value"] for each in given}}
    return Properties(type_, named | values | {"Tags": resource.tag_list()})


def _cluster_schema(resource: Resource) -> Properties:
    return described(
        resource,
        "AWS::RDS::DBCluster",
        DBClusterIdentifier="clusterIdentifier",
        Engine="engine",
        EngineVersion="engineVersion",
        EngineMode="engineMode",
        Port="port",
        DatabaseName="databaseName",
        MasterUsername="masterUsername",
        MasterUserPassword="masterPassword",
        DBSubnetGroupName="dbSubnetGroupName",
        DBClusterParameterGroupName="dbClusterParameterGroupName",
        VpcSecurityGroupIds="vpcSecurityGroupIds",
        StorageEncrypted="storageEncrypted",
        DeletionProtection="deletionProtection",
        BackupRetentionPeriod="backupRetentionPeriod",
        CopyTagsToSnapshot="copyTagsToSnapshot",
        EnableCloudwatchLogsExports="enabledCloudwatchLogsExports",
    )


def _instance_schema(resource: Resource) -> Properties:
    return described(
        resource,
        "AWS::RDS::DBInstance",
        DBInstanceIdentifier="identifier",
        DBClusterIdentifier="clusterIdentifier",
        DBInstanceClass="instanceClass",
        Engine="engine",
        AvailabilityZone="availabilityZone",
        DBParameterGroupName="dbParameterGroupName",
        PromotionTier="promotionTier",
        PubliclyAccessible="publiclyAccessible",
        AutoMinorVersionUpgrade="autoMinorVersionUpgrade",
    )


KINDS = {
    "aws:rds/subnetGroup:SubnetGroup": Kind(
        source="internal/service/rds/subnet_group.go",
        create=_subnets,
        destroy=_gone("DeleteDBSubnetGroup", "DBSubnetGroupName"),
        look=_look("DescribeDBSubnetGroups", "DBSubnetGroupName", "DBSubnetGroups[0]"),
        schema=lambda resource: described(
            resource,
            "AWS::RDS::DBSubnetGroup",
            DBSubnetGroupName="name",
            DBSubnetGroupDescription="description",
            SubnetIds="subnetIds",
        ),
        unique=("name",),
    ),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": Kind(
        source="internal/service/rds/cluster_parameter_group.go",
        create=_parameters(
            "CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "DBClusterParameterGroupName"
        ),
        destroy=_gone("DeleteDBClusterParameterGroup", "DBClusterParameterGroupName"),
        look=_look("DescribeDBClusterParameterGroups", "DBClusterParameterGroupName", "DBClusterParameterGroups[0]"),
        schema=lambda resource: _group_schema(
            resource, "AWS::RDS::DBClusterParameterGroup", "DBClusterParameterGroupName"
        ),
        unique=("name",),
    ),
    "aws:rds/parameterGroup:ParameterGroup": Kind(
        source="internal/service/rds/parameter_group.go",
        create=_parameters("CreateDBParameterGroup", "ModifyDBParameterGroup", "DBParameterGroupName"),
        destroy=_gone("DeleteDBParameterGroup", "DBParameterGroupName"),
        look=_look("DescribeDBParameterGroups", "DBParameterGroupName", "DBParameterGroups[0]"),
        schema=lambda resource: _group_schema(resource, "AWS::RDS::DBParameterGroup", "DBParameterGroupName"),
        unique=("name",),
    ),
    "aws:rds/cluster:Cluster": Kind(
        source="internal/service/rds/cluster.go",
        create=_cluster,
        destroy=_cluster_gone,
        look=_look("DescribeDBClusters", "DBClusterIdentifier", "DBClusters[0]"),
        schema=_cluster_schema,
        unique=("clusterIdentifier",),
    ),
    "aws:rds/clusterInstance:ClusterInstance": Kind(
        source="internal/service/rds/cluster_instance.go",
        create=_instance,
        destroy=_instance_gone,
        look=_look("DescribeDBInstances", "DBInstanceIdentifier", "DBInstances[0]"),
        schema=_instance_schema,
        unique=("identifier",),
    ),
}
