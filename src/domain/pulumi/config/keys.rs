//! The keys of the bundled program, one row each, as its README's table and its example configuration have them.
//!
//! Pure. Generated nowhere: a test holds every row against `pulumi/README.md` and `pulumi/Pulumi.example.yaml`, which
//! the program's own tests hold against the program.

use super::form::Form;
use super::key::{ConfigKey, Default, PROJECT, key};

impl ConfigKey {
    /// The key with this name, with or without the program's namespace.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = name.strip_prefix(PROJECT).and_then(|rest| rest.strip_prefix(':')).unwrap_or(name);
        KEYS.iter().find(|key| key.name == name)
    }
}

/// Exactly one of these has to be set.
pub const ZONE: [&str; 2] = ["hostedZoneId", "hostedZoneName"];
/// All of these, or none.
pub const PEERING: [&str; 4] = ["legacyVpcId", "legacyVpcCidr", "legacyRouteTableIds", "legacyDbSecurityGroupId"];

/// Every key, in the order of the README.
pub const KEYS: &[ConfigKey] = &[
    key(
        "environmentSuffix",
        Default::Words("the stack's name"),
        Form::Any,
        "prod",
        "Ends every name; two stacks with different suffixes live side by side in one account.",
    ),
    key("owner", Default::Required, Form::Owner, "platform-team", "Value of the tag `Owner` on every resource."),
    key(
        "vpcCidr",
        Default::Value("10.42.0.0/16"),
        Form::Network,
        "10.42.0.0/16",
        "Address range of the new VPC; must not overlap the legacy VPC when they are peered.",
    ),
    key(
        "natGateways",
        Default::Value("per-zone"),
        Form::OneOf(&["per-zone", "single"]),
        "per-zone",
        "`per-zone` survives the loss of a zone; `single` costs a third.",
    ),
    key(
        "sourceDbEndpoint",
        Default::Required,
        Form::HostName,
        "legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com",
        "Host name of the legacy RDS MySQL instance, as its secret has it.",
    ),
    key(
        "sourceDbPort",
        Default::Value("3306"),
        Form::Number(1, 65_535),
        "3306",
        "Port of the legacy RDS MySQL instance.",
    ),
    key(
        "sourceDbNames",
        Default::Required,
        Form::Any,
        "shop,billing",
        "Databases to replicate; the first is the application's own.",
    ),
    key(
        "sourceDbSecretArn",
        Default::Required,
        Form::Arn("secretsmanager"),
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-db-a1B2c3",
        "Secret with `username`, `password`, `host` and `port` of the replication account on the legacy database, or its replica, in the target region.",
    ),
    key(
        "sourceDbSecretKmsKeyArn",
        Default::None,
        Form::Arn("kms"),
        "arn:aws:kms:us-west-2:123456789012:key/1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809",
        "Customer key of the legacy secrets; leave out when they use `aws/secretsmanager`.",
    ),
    key(
        "sourceDbCaCertificate",
        Default::None,
        Form::Pem,
        "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n",
        "PEM of RDS's certificate authority; DMS then speaks TLS with the legacy database and verifies it. Required for replication that is not peered.",
    ),
    key(
        "databaseAccounts",
        Default::Value("separate"),
        Form::OneOf(&["separate", "shared"]),
        "separate",
        "`separate` lets the application, its readers, DMS and tapctl use an account and a secret each in Aurora; `shared` makes all of them the master user.",
    ),
    key(
        "legacyAppSecretArn",
        Default::None,
        Form::Arn("secretsmanager"),
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-app-a1B2c3",
        "Secret with `username` and `password` of the application's own account, in the target region: the same account on both databases, so that only the host changes in the cutover. Without it the tasks log in to the legacy database as DMS does, and the writer cannot be moved while they run.",
    ),
    key(
        "legacyTapctlSecretArn",
        Default::None,
        Form::Arn("secretsmanager"),
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-tapctl-a1B2c3",
        "Secret of tapctl's own account on the legacy database; only tapctl reads it.",
    ),
    key(
        "legacyFollowsWriter",
        Default::Value("false"),
        Form::OneOf(&["true", "false"]),
        "false",
        "`true` when the legacy stack tries both databases as well (`dbWriterHosts`), so that its traffic is no second writer once Aurora is the one.",
    ),
    key("legacyRegion", Default::Value("us-east-1"), Form::Region, "us-east-1", "Region of the legacy stack."),
    key(
        "legacyLbName",
        Default::Required,
        Form::Any,
        "legacy-web",
        "Name of the legacy Classic load balancer; the rest of it is looked up.",
    ),
    key(
        "legacyLbDnsName",
        Default::Words("looked up"),
        Form::HostName,
        "legacy-web-1234567890.us-east-1.elb.amazonaws.com",
        "DNS name of the legacy Classic load balancer; only where it may not be looked up.",
    ),
    key(
        "legacyLbZoneId",
        Default::Words("looked up"),
        Form::Id("Z"),
        "Z35SXDOTRQ7X7K",
        "Canonical hosted zone id of the legacy load balancer; only where it may not be looked up.",
    ),
    key(
        "hostedZoneId",
        Default::None,
        Form::Id("Z"),
        "Z0123456789ABCDEFGHIJ",
        "Hosted zone of the record; either this or `hostedZoneName`.",
    ),
    key(
        "hostedZoneName",
        Default::None,
        Form::HostName,
        "example.com",
        "Name of the public hosted zone, when its id is not given.",
    ),
    key(
        "recordName",
        Default::Required,
        Form::HostName,
        "app.example.com",
        "Host name whose traffic is moved; see \"The record that is already there\".",
    ),
    key(
        "legacyVpcId",
        Default::None,
        Form::Id("vpc-"),
        "vpc-0a1b2c3d4e5f60718",
        "Peers the new VPC with this one; needs the three keys below as well.",
    ),
    key("legacyVpcCidr", Default::None, Form::Network, "10.0.0.0/16", "Address range of the legacy VPC."),
    key(
        "legacyRouteTableIds",
        Default::None,
        Form::Any,
        "rtb-0a1b2c3d4e5f60718",
        "Route tables of the legacy database's subnets; each gets a route to the new VPC.",
    ),
    key(
        "legacyDbSecurityGroupId",
        Default::None,
        Form::Id("sg-"),
        "sg-0a1b2c3d4e5f60718",
        "Security group of the legacy database; it gets a rule that lets the new VPC in.",
    ),
    key(
        "auroraEngineVersion",
        Default::Value("8.0.mysql_aurora.3.10.6"),
        Form::Any,
        "8.0.mysql_aurora.3.10.6",
        "Version of Aurora MySQL (the default: newest patch of the long-term line on 2026-11-26); automatic minor upgrades are off, so a migration never meets one.",
    ),
    key(
        "auroraInstanceClass",
        Default::Value("db.r6g.large"),
        Form::Id("db."),
        "db.r6g.large",
        "Class of the writer and of both readers.",
    ),
    key(
        "auroraCaCertificate",
        Default::None,
        Form::Pem,
        "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n",
        "PEM of RDS's certificate authority in the target region; DMS then speaks TLS with Aurora too.",
    ),
    key(
        "binlogRetentionHours",
        Default::Value("72"),
        Form::Number(1, 2160),
        "72",
        "How long Aurora keeps its binary log, once the SQL task has set it: the longest stop of the way back.",
    ),
    key(
        "sqlImage",
        Default::Value("public.ecr.aws/docker/library/mysql:8.4"),
        Form::Any,
        "public.ecr.aws/docker/library/mysql:8.4",
        "Image of the one-off task that runs SQL on Aurora; it needs `sh`, `sed`, `timeout` and `mysql`.",
    ),
    key(
        "writer",
        Default::Value("legacy"),
        Form::OneOf(&["legacy", "aurora"]),
        "legacy",
        "The one database that the tasks write to; `aurora` only as a step of the cutover.",
    ),
    key(
        "imageTag",
        Default::None,
        Form::Any,
        "2026-11-23-1a2b3c4",
        "Tag of the image in the stack's own repository; without it everything but the service is created.",
    ),
    key(
        "containerPort",
        Default::Value("8080"),
        Form::Number(1, 65_535),
        "8080",
        "Port on which the container answers, `/health` included.",
    ),
    key(
        "containerUser",
        Default::Words("the image's own"),
        Form::Any,
        "1000:1000",
        "User that the container runs as; beside `containerReadOnly` as well, whose `/tmp` every user may write to.",
    ),
    key(
        "containerReadOnly",
        Default::Value("false"),
        Form::OneOf(&["true", "false"]),
        "false",
        "`true` makes the container's root file system read-only and takes its Linux capabilities away; an empty `/tmp`, open to whatever user it runs as, takes up to a quarter of `taskMemory`. Not every image can live with that.",
    ),
    key(
        "taskCpu",
        Default::Value("512"),
        Form::OneOf(&["256", "512", "1024", "2048", "4096"]),
        "512",
        "CPU units of a task (1024 is one vCPU).",
    ),
    key(
        "taskMemory",
        Default::Value("1024"),
        Form::Number(512, 30_720),
        "1024",
        "Memory of a task in MiB; Fargate takes two to eight times the CPU units, in steps of 1024 above 1024.",
    ),
    key(
        "certificateArn",
        Default::None,
        Form::Arn("acm"),
        "arn:aws:acm:us-west-2:123456789012:certificate/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "Certificate in the target region; adds HTTPS, and HTTP then redirects.",
    ),
    key(
        "dmsInstanceClass",
        Default::Value("dms.t3.medium"),
        Form::Id("dms."),
        "dms.t3.medium",
        "Class of the replication instance.",
    ),
    key(
        "dmsStorage",
        Default::Value("100"),
        Form::Number(5, 6_144),
        "100",
        "Disk of the replication instance in GB; changes that wait for the target spill to it.",
    ),
    key(
        "dmsEngineVersion",
        Default::Value("3.6.1"),
        Form::Any,
        "3.6.1",
        "Engine version of the replication instance (the default: newest on 2026-11-26).",
    ),
    key(
        "dmsMultiAz",
        Default::Value("false"),
        Form::OneOf(&["true", "false"]),
        "false",
        "`true` keeps a standby of the replication instance in a second zone, at twice the price.",
    ),
    key(
        "dmsAccountRoles",
        Default::Value("existing"),
        Form::OneOf(&["existing", "create"]),
        "existing",
        "`create` in the one stack of the account that owns `dms-vpc-role` and `dms-cloudwatch-logs-role`; they go with it.",
    ),
    key(
        "tableMappings",
        Default::Words("every table of `sourceDbNames`, and tapctl's two"),
        Form::Json,
        "{\"rules\":[{\"rule-type\":\"selection\",\"rule-id\":\"1\",\"rule-name\":\"orders\",\"object-locator\":{\"schema-name\":\"shop\",\"table-name\":\"orders\"},\"rule-action\":\"include\"}]}",
        "DMS table mappings as JSON, for both directions. Schemas of the server, of DMS and of tapctl are refused, those that a wildcard takes as well, unless a rule excludes them; only `tapctl.heartbeat` and `tapctl.marker` should be taken, and are missed with a warning. Transformation rules are refused: they would be applied once more on the way back.",
    ),
    key(
        "lobMode",
        Default::Value("full"),
        Form::OneOf(&["full", "limited"]),
        "full",
        "`full` carries large columns whole, but writes NULL first, so a NOT NULL one suspends its table; `limited` carries them at once, and cuts what is longer than `lobMaxSizeKb`.",
    ),
    key(
        "lobMaxSizeKb",
        Default::None,
        Form::Number(1, 102_400),
        "512",
        "With `lobMode` `limited`: well above the largest value that was measured; a longer one is cut, with a line in the log.",
    ),
    key(
        "loopbackPrevention",
        Default::Value("false"),
        Form::OneOf(&["true", "false"]),
        "false",
        "`true` lets both streams run side by side: neither carries back what the other has written.",
    ),
    key("fullLoadSubTasks", Default::Value("8"), Form::Number(1, 49), "8", "Tables that are loaded at the same time."),
    key(
        "startReplication",
        Default::Value("false"),
        Form::OneOf(&["true", "false"]),
        "false",
        "Starts the forward task for the first time; set it once the schema is in Aurora and both endpoints have been tested.",
    ),
    key(
        "alarmEmail",
        Default::None,
        Form::Mail,
        "on-call@example.com",
        "Gets the alarms by mail, once the subscription has been confirmed.",
    ),
    key(
        "logRetentionDays",
        Default::Value("30"),
        Form::OneOf(&["1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365"]),
        "30",
        "How long every log group keeps its events.",
    ),
    key(
        "flowLogs",
        Default::Value("false"),
        Form::OneOf(&["true", "false"]),
        "false",
        "`true` logs every connection of the VPC.",
    ),
    key(
        "accountId",
        Default::Words("that of `sourceDbSecretArn`"),
        Form::Any,
        "123456789012",
        "The only account that this stack may be made in, whatever the credentials.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = include_str!("../../../../pulumi/README.md");
    const EXAMPLE: &str = include_str!("../../../../pulumi/Pulumi.example.yaml");

    #[test]
    fn the_table_is_that_of_the_program() {
        let table = README.split("<!-- keys -->\n").nth(1).unwrap().split("<!-- /keys -->").next().unwrap();
        let wanted: Vec<&str> = table.lines().skip(2).collect();
        let ours: Vec<String> = KEYS
            .iter()
            .map(|key| {
                let default = match key.default {
                    Default::Required => "**required**".to_owned(),
                    Default::Value(value) => format!("`{value}`"),
                    Default::None | Default::Words(_) => key.default_text().to_owned(),
                };
                format!("| `{}` | {default} | {} |", key.name, key.meaning)
            })
            .collect();
        assert_eq!(ours, wanted);
    }

    #[test]
    fn every_example_of_the_program_has_its_form() {
        for key in KEYS {
            let line = EXAMPLE.lines().find(|line| line.contains(&format!("{}: ", key.full_name()))).unwrap();
            let text = line.split_once(": ").unwrap().1;
            let example: String = serde_json::from_str(text).unwrap();
            assert_eq!(example, key.example, "{}", key.name);
            assert_eq!(key.form.check(&example), Ok(()), "{}", key.name);
            if let Default::Value(value) = key.default {
                assert_eq!(key.form.check(value), Ok(()), "{}", key.name);
            }
        }
    }

    #[test]
    fn a_key_is_found_with_and_without_its_namespace() {
        assert_eq!(ConfigKey::named("tap:owner"), ConfigKey::named("owner"));
        assert!(ConfigKey::named("owner").is_some_and(ConfigKey::is_required));
        assert_eq!(ConfigKey::named("aws:region"), None);
        for name in ZONE.iter().chain(&PEERING) {
            assert!(ConfigKey::named(name).is_some_and(|key| !key.is_required()), "{name}");
        }
    }
}
