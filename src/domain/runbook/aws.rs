//! The commands of AWS's own command line, each one line that a shell takes as it stands.

use crate::domain::change::Batch;
use crate::domain::change::aws_cli::{one_line, quoted, region_of_route53};
use crate::domain::stack::StackOutputs;

use super::Night;

/// How AWS's command line is called on this host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cli {
    /// `--profile`.
    pub profile: Option<String>,
    /// `--endpoint-url`.
    pub endpoint_url: Option<String>,
}

impl Cli {
    fn options<'a>(&'a self, region: &'a str) -> Vec<(&'static str, &'a str)> {
        let all = [
            ("--profile", self.profile.as_deref()),
            ("--region", Some(region)),
            ("--endpoint-url", self.endpoint_url.as_deref()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    fn call(&self, region: &str, words: &[&str]) -> String {
        let options = self.options(region).into_iter().flat_map(|(name, value)| [name, value]);
        let words: Vec<String> = options.chain(words.iter().copied()).map(quoted).collect();
        format!("aws {}", words.join(" "))
    }
}

/// The records of the name.
pub(super) fn records(night: &Night<'_>) -> String {
    let group = &night.stack.group;
    night.cli.call(
        region_of_route53(&night.stack.legacy_region),
        &[
            "route53",
            "list-resource-record-sets",
            "--hosted-zone-id",
            &group.zone_id,
            "--start-record-name",
            &group.name,
            "--start-record-type",
            &group.rtype,
            "--max-items",
            "20",
        ],
    )
}

/// Sends a batch.
pub(super) fn send(night: &Night<'_>, batch: &Batch) -> String {
    let options = night.cli.options(region_of_route53(&night.stack.legacy_region));
    one_line(batch, &night.stack.group.zone_id, &options)
}

/// The task and its instance.
pub(super) fn replication(night: &Night<'_>, outputs: &StackOutputs) -> String {
    let of = |what: &str, filter: String, more: &[&str]| {
        let words = [&["dms", what, "--filters", &filter][..], more].concat();
        night.cli.call(&outputs.region, &words)
    };
    let (task, instance) = (&outputs.replication.task_arn, &outputs.replication.instance_arn);
    [
        of("describe-replication-tasks", format!("Name=replication-task-arn,Values={task}"), &["--without-settings"]),
        of("describe-replication-instances", format!("Name=replication-instance-arn,Values={instance}"), &[]),
    ]
    .join("\n")
}

/// The tables of the task.
pub(super) fn tables(night: &Night<'_>, outputs: &StackOutputs) -> String {
    let task = &outputs.replication.task_arn;
    night.cli.call(&outputs.region, &["dms", "describe-table-statistics", "--replication-task-arn", task])
}

/// The service's tasks and rollout.
pub(super) fn service(night: &Night<'_>, outputs: &StackOutputs) -> String {
    let (cluster, service) = (&outputs.service.cluster_arn, &outputs.service.service_name);
    night.cli.call(&outputs.region, &["ecs", "describe-services", "--cluster", cluster, "--services", service])
}

/// The targets of the new load balancer.
pub(super) fn target_health(night: &Night<'_>, outputs: &StackOutputs) -> String {
    let group = &outputs.balancer.target_group_arn;
    night.cli.call(&outputs.region, &["elbv2", "describe-target-health", "--target-group-arn", group])
}

/// The hosts of the legacy load balancer.
pub(super) fn legacy_health(night: &Night<'_>) -> String {
    let stack = night.stack;
    let words = ["elb", "describe-instance-health", "--load-balancer-name", &stack.legacy_lb];
    night.cli.call(&stack.legacy_region, &words)
}

/// The alarms of the stack; nothing where it has none, since a call without names tells of every alarm there is.
pub(super) fn alarms(night: &Night<'_>, outputs: &StackOutputs) -> Option<String> {
    let names = &outputs.monitoring.alarm_names;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let words = [&["cloudwatch", "describe-alarms", "--alarm-names"][..], &names].concat();
    (!names.is_empty()).then(|| night.cli.call(&outputs.region, &words))
}
