//! The names, ARNs and addresses of the simulated account: constants, so that every service tells of the same things.

/// The only account there is.
pub(crate) const ACCOUNT: &str = "123456789012";
/// Region of the legacy stack.
pub(crate) const LEGACY_REGION: &str = "us-east-1";
/// Region of the new stack.
pub(crate) const NEW_REGION: &str = "us-west-2";
/// Environment suffix of the new stack.
pub(crate) const SUFFIX: &str = "prod";

pub(crate) const ZONE_ID: &str = "Z0482716TECHVAULT9XQ";
pub(crate) const ZONE_NAME: &str = "example.com.";
pub(crate) const RECORD_NAME: &str = "app.example.com.";
/// Set identifiers of the pair, as the bundled Pulumi program names them.
pub(crate) const LEGACY_SET: &str = "migration-legacy-prod";
pub(crate) const NEW_SET: &str = "migration-new-prod";

/// Hosted zone of Classic and Application Load Balancers in us-east-1.
pub(crate) const LEGACY_LB_ZONE: &str = "Z35SXDOTRQ7X7K";
pub(crate) const LEGACY_LB_NAME: &str = "techvault-web";
pub(crate) const LEGACY_LB_DNS: &str = "techvault-web-1093847562.us-east-1.elb.amazonaws.com";
pub(crate) const LEGACY_DB_ID: &str = "techvault-mysql";

/// Hosted zone of Application Load Balancers in us-west-2.
pub(crate) const ALB_ZONE: &str = "Z1H1FL5HABSF5";
pub(crate) const ALB_NAME: &str = "migration-alb-prod";
pub(crate) const ALB_DNS: &str = "migration-alb-prod-1827364550.us-west-2.elb.amazonaws.com";
pub(crate) const ALB_ARN: &str =
    "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/migration-alb-prod/50dc6c495c0c9188";
pub(crate) const ALB_DIMENSION: &str = "app/migration-alb-prod/50dc6c495c0c9188";
pub(crate) const TARGET_GROUP_NAME: &str = "migration-tg-prod";
pub(crate) const TARGET_GROUP_ARN: &str =
    "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/migration-tg-prod/73e2d6bc24d8a067";
pub(crate) const TARGET_GROUP_DIMENSION: &str = "targetgroup/migration-tg-prod/73e2d6bc24d8a067";

pub(crate) const VPC_ID: &str = "vpc-0a1b2c3d4e5f60718";
pub(crate) const LEGACY_VPC_ID: &str = "vpc-08f1e2d3c4b5a6978";
pub(crate) const PUBLIC_SUBNETS: [&str; 3] =
    ["subnet-0aa1000000000001a", "subnet-0aa1000000000002b", "subnet-0aa1000000000003c"];
pub(crate) const PRIVATE_SUBNETS: [&str; 3] =
    ["subnet-0bb1000000000001a", "subnet-0bb1000000000002b", "subnet-0bb1000000000003c"];
pub(crate) const ZONES: [&str; 3] = ["us-west-2a", "us-west-2b", "us-west-2c"];

pub(crate) const CLUSTER_NAME: &str = "migration-cluster-prod";
pub(crate) const CLUSTER_ARN: &str = "arn:aws:ecs:us-west-2:123456789012:cluster/migration-cluster-prod";
pub(crate) const SERVICE_NAME: &str = "migration-service-prod";
pub(crate) const SERVICE_ARN: &str =
    "arn:aws:ecs:us-west-2:123456789012:service/migration-cluster-prod/migration-service-prod";
pub(crate) const TASK_FAMILY_ARN: &str = "arn:aws:ecs:us-west-2:123456789012:task-definition/migration-app-prod";
pub(crate) const REPOSITORY_URL: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/migration-app-prod";

pub(crate) const AURORA_CLUSTER: &str = "migration-aurora-prod";
pub(crate) const AURORA_INSTANCES: [&str; 3] =
    ["migration-aurora-prod-1", "migration-aurora-prod-2", "migration-aurora-prod-3"];

pub(crate) const DMS_INSTANCE: &str = "migration-dms-prod";
pub(crate) const DMS_INSTANCE_ARN: &str = "arn:aws:dms:us-west-2:123456789012:rep:6UTDJGBOUS3VI3SUWA66XFJCJQ";
pub(crate) const DMS_TASK: &str = "migration-task-prod";
/// Last part of the task's ARN; CloudWatch knows the task by it, not by its name.
pub(crate) const DMS_TASK_RESOURCE: &str = "VFPFKH4FJR3FTYKK2RYSIHQ4UM";
pub(crate) const DMS_TASK_ARN: &str = "arn:aws:dms:us-west-2:123456789012:task:VFPFKH4FJR3FTYKK2RYSIHQ4UM";
pub(crate) const DMS_REVERSE_TASK: &str = "migration-task-reverse-prod";
pub(crate) const DMS_REVERSE_TASK_ARN: &str = "arn:aws:dms:us-west-2:123456789012:task:H5TX3QWCNOHZEY2LUKB7GMRD4A";
pub(crate) const DMS_SOURCE_ARN: &str = "arn:aws:dms:us-west-2:123456789012:endpoint:ZW5UAN6P4E77EC7YWHK4RZZ3BE";
pub(crate) const DMS_TARGET_ARN: &str = "arn:aws:dms:us-west-2:123456789012:endpoint:ASXWXJZLNWNT5HTWCGV2BUJQ7E";

pub(crate) const SECRET_NAME: &str = "migration-db-secret-prod";
pub(crate) const SECRET_ARN: &str =
    "arn:aws:secretsmanager:us-west-2:123456789012:secret:migration-db-secret-prod-Xk3fQ9";

pub(crate) const LAG_ALARM: &str = "migration-dms-lag-prod";
pub(crate) const SOURCE_LAG_ALARM: &str = "migration-dms-source-lag-prod";
pub(crate) const ALB_5XX_ALARM: &str = "migration-alb-5xx-prod";
pub(crate) const UNHEALTHY_ALARM: &str = "migration-unhealthy-prod";
pub(crate) const TASKS_ALARM: &str = "migration-tasks-prod";
pub(crate) const LEGACY_5XX_ALARM: &str = "migration-legacy-5xx-prod";
pub(crate) const DASHBOARD: &str = "migration-dashboard-prod";
