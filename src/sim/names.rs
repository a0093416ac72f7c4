//! The names, ARNs and addresses of the simulated account: constants, so that every service tells of the same things. They
//! are those of the bundled program; a test in `recorded` holds each against the `up` that was recorded.

/// The only account there is.
pub(crate) const ACCOUNT: &str = "123456789012";
/// Region of the legacy stack.
pub(crate) const LEGACY_REGION: &str = "us-east-1";
/// Region of the new stack.
pub(crate) const NEW_REGION: &str = "us-west-2";
/// Environment suffix of the new stack.
pub(crate) const SUFFIX: &str = "prod";

pub(crate) const ZONE_ID: &str = "Z0123456789ABCDEFGHIJ";
pub(crate) const ZONE_NAME: &str = "example.com.";
pub(crate) const RECORD_NAME: &str = "app.example.com.";
/// Set identifiers of the pair, as the bundled Pulumi program names them.
pub(crate) const LEGACY_SET: &str = "migration-legacy-prod";
pub(crate) const NEW_SET: &str = "migration-new-prod";

/// Hosted zone of Classic and Application Load Balancers in us-east-1.
pub(crate) const LEGACY_LB_ZONE: &str = "Z35SXDOTRQ7X7K";
pub(crate) const LEGACY_LB_NAME: &str = "legacy-web";
pub(crate) const LEGACY_LB_DNS: &str = "legacy-web-1234567890.us-east-1.elb.amazonaws.com";
/// Its addresses, and the new one's: from what documentation may use (RFC 5737).
pub(crate) const LEGACY_LB_ADDRESSES: [[u8; 4]; 2] = [[192, 0, 2, 21], [192, 0, 2, 22]];
pub(crate) const ALB_ADDRESSES: [[u8; 4]; 3] = [[198, 51, 100, 31], [198, 51, 100, 32], [198, 51, 100, 33]];
/// The legacy database, which no output names.
pub const LEGACY_DB_ID: &str = "legacy-db";

/// Hosted zone of Application Load Balancers in us-west-2.
pub(crate) const ALB_ZONE: &str = "Z1H1FL5HABSF5";
pub(crate) const ALB_NAME: &str = "migration-alb-prod";
pub(crate) const ALB_DNS: &str = "migration-alb-prod-1286046675.us-west-2.elb.amazonaws.com";
pub(crate) const ALB_ARN: &str =
    "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/migration-alb-prod/c3dd17d39b6c0f74";
pub(crate) const ALB_DIMENSION: &str = "app/migration-alb-prod/c3dd17d39b6c0f74";
pub(crate) const TARGET_GROUP_NAME: &str = "migration-tg-8080-prod";
pub(crate) const TARGET_GROUP_ARN: &str =
    "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/migration-tg-8080-prod/5c78072eeb2cdf0b";
pub(crate) const TARGET_GROUP_DIMENSION: &str = "targetgroup/migration-tg-8080-prod/5c78072eeb2cdf0b";

pub(crate) const VPC_ID: &str = "vpc-84e4264fa993b59c1";
pub(crate) const LEGACY_VPC_ID: &str = "vpc-08f1e2d3c4b5a6978";
pub(crate) const PUBLIC_SUBNETS: [&str; 3] =
    ["subnet-b1c4d0b57b8a37cd4", "subnet-1b3b3c7aede2f1364", "subnet-c8af7c757dda2fb32"];
pub(crate) const PRIVATE_SUBNETS: [&str; 3] =
    ["subnet-7ee4d9f3e92ca565e", "subnet-b0df9031268886764", "subnet-ee589cfd8abc87ddb"];
pub(crate) const ZONES: [&str; 3] = ["us-west-2a", "us-west-2b", "us-west-2c"];

pub(crate) const CLUSTER_NAME: &str = "migration-cluster-prod";
pub(crate) const CLUSTER_ARN: &str = "arn:aws:ecs:us-west-2:123456789012:cluster/migration-cluster-prod";
pub(crate) const SERVICE_NAME: &str = "migration-service-prod";
pub(crate) const SERVICE_ARN: &str =
    "arn:aws:ecs:us-west-2:123456789012:service/migration-cluster-prod/migration-service-prod";
pub(crate) const TASK_FAMILY_ARN: &str = "arn:aws:ecs:us-west-2:123456789012:task-definition/migration-app-prod";
pub(crate) const REPOSITORY_URL: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/migration-repo-prod";

pub(crate) const AURORA_CLUSTER: &str = "migration-aurora-prod";
pub(crate) const AURORA_INSTANCES: [&str; 3] =
    ["migration-aurora-instance-1-prod", "migration-aurora-instance-2-prod", "migration-aurora-instance-3-prod"];

pub(crate) const DMS_INSTANCE: &str = "migration-dms-prod";
pub(crate) const DMS_INSTANCE_ARN: &str = "arn:aws:dms:us-west-2:123456789012:rep:8E15E8AAD1D463AC0B2486110B";
pub(crate) const DMS_TASK: &str = "migration-dms-task-prod";
/// Last part of the task's ARN; CloudWatch knows the task by it, not by its name.
pub(crate) const DMS_TASK_RESOURCE: &str = "62C7F3D905AE15A4183896667A";
pub(crate) const DMS_TASK_ARN: &str = "arn:aws:dms:us-west-2:123456789012:task:62C7F3D905AE15A4183896667A";
pub(crate) const DMS_REVERSE_TASK: &str = "migration-dms-reverse-task-prod";
pub(crate) const DMS_REVERSE_TASK_ARN: &str = "arn:aws:dms:us-west-2:123456789012:task:449D7BACAFB3367497F4C2E465";
/// Last part of the reverse task's ARN.
pub(crate) const DMS_REVERSE_TASK_RESOURCE: &str = "449D7BACAFB3367497F4C2E465";
pub(crate) const DMS_SOURCE: &str = "migration-dms-legacy-source-prod";
pub(crate) const DMS_SOURCE_ARN: &str = "arn:aws:dms:us-west-2:123456789012:endpoint:048A0D2CECBECF9B4D6CD4F9D9";
pub(crate) const DMS_TARGET: &str = "migration-dms-aurora-target-prod";
pub(crate) const DMS_TARGET_ARN: &str = "arn:aws:dms:us-west-2:123456789012:endpoint:D1C4440E025335838DB64E947F";

pub(crate) const SECRET_NAME: &str = "migration-db-secret-prod";
pub(crate) const SECRET_ARN: &str =
    "arn:aws:secretsmanager:us-west-2:123456789012:secret:migration-db-secret-prod-3d2d06";
