//! ECS: the service with its deployments, and its tasks.

use aws_sdk_ecs::types::{Deployment as SdkDeployment, Service as SdkService, Task as SdkTask};

use super::errors::{garbled, one_line};
use super::iam::AwsOperation;
use super::{Aws, stamp};
use crate::domain::service::{Deployment, Service, Task};
use crate::ports::{ErrorKind, PortError};

/// Events that are kept: ECS sends up to 100, a panel shows a handful.
const MAX_EVENTS: usize = 20;
/// Tasks that one `DescribeTasks` call takes (ECS API reference).
const MAX_TASKS: i32 = 100;

impl Aws {
    pub(super) async fn service(&self) -> Result<Service, PortError> {
        let (service, tasks) = tokio::try_join!(self.describe_service(), self.tasks())?;
        service_of(service, tasks)
    }

    async fn describe_service(&self) -> Result<SdkService, PortError> {
        let operation = AwsOperation::DescribeServices;
        let name = &self.built()?.service.service_name;
        let answer = self
            .clients
            .ecs
            .describe_services()
            .cluster(&self.built()?.service.cluster_name)
            .services(name)
            .send()
            .await
            .map_err(|e| self.failed(operation, &e))?;
        let found = answer.services.unwrap_or_default().into_iter().next();
        if let Some(found) = &found {
            self.is_ours(found)?;
        }
        found.ok_or_else(|| {
            let reason = answer.failures.unwrap_or_default().into_iter().find_map(|f| f.reason).unwrap_or_default();
            PortError::new(ErrorKind::NotFound, operation.action(), one_line(&format!("service {name}: {reason}")))
        })
    }

    /// Whether the answer is about the service that was asked for, in its cluster: any other says nothing about this one.
    fn is_ours(&self, found: &SdkService) -> Result<(), PortError> {
        let wanted = &self.built()?.service;
        let (name, cluster) = (found.service_name.as_deref(), found.cluster_arn.as_deref());
        if name == Some(wanted.service_name.as_str()) && cluster == Some(wanted.cluster_arn.as_str()) {
            return Ok(());
        }
        let told = format!(
            "asked for the service {} of {}, told of {} of {}",
            wanted.service_name,
            wanted.cluster_arn,
            name.unwrap_or("a service without a name"),
            cluster.unwrap_or("no cluster")
        );
        Err(garbled(AwsOperation::DescribeServices, &told))
    }

    async fn tasks(&self) -> Result<Vec<Task>, PortError> {
        let listed = self
            .clients
            .ecs
            .list_tasks()
            .cluster(&self.built()?.service.cluster_name)
            .service_name(&self.built()?.service.service_name)
            .max_results(MAX_TASKS)
            .send()
            .await
            .map_err(|e| self.failed(AwsOperation::ListTasks, &e))?;
        let arns = listed.task_arns.unwrap_or_default();
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        let described = self
            .clients
            .ecs
            .describe_tasks()
            .cluster(&self.built()?.service.cluster_name)
            .set_tasks(Some(arns))
            .send()
            .await
            .map_err(|e| self.failed(AwsOperation::DescribeTasks, &e))?;
        let described = described.tasks.unwrap_or_default();
        let wanted = &self.built()?.service;
        let group = format!("service:{}", wanted.service_name);
        let is_ours = |task: &SdkTask| {
            task.cluster_arn.as_ref().is_none_or(|cluster| *cluster == wanted.cluster_arn)
                && task.group.as_ref().is_none_or(|found| *found == group)
        };
        if let Some(other) = described.iter().find(|task| !is_ours(task)) {
            let (group, cluster) = (other.group.as_deref(), other.cluster_arn.as_deref());
            let told = format!("a task of {} in {}", group.unwrap_or("no service"), cluster.unwrap_or("no cluster"));
            return Err(garbled(AwsOperation::DescribeTasks, &told));
        }
        let mut tasks: Vec<Task> = described.into_iter().map(task_of).collect();
        tasks.sort_by(|a, b| (a.started, &a.id).cmp(&(b.started, &b.id)));
        Ok(tasks)
    }
}

fn service_of(service: SdkService, tasks: Vec<Task>) -> Result<Service, PortError> {
    let deployments = service.deployments.unwrap_or_default().into_iter().map(deployment_of);
    let mut deployments = deployments.collect::<Result<Vec<Deployment>, PortError>>()?;
    deployments.sort_by_key(|deployment| deployment.status != "PRIMARY");
    let mut events: Vec<_> = service
        .events
        .unwrap_or_default()
        .into_iter()
        .filter_map(|event| Some((stamp(&event.created_at?), one_line(&event.message?))))
        .collect();
    events.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    events.truncate(MAX_EVENTS);
    Ok(Service {
        name: service.service_name.unwrap_or_default(),
        status: service.status.unwrap_or_default(),
        desired: count(service.desired_count)?,
        running: count(service.running_count)?,
        pending: count(service.pending_count)?,
        deployments,
        events,
        tasks,
    })
}

fn deployment_of(deployment: SdkDeployment) -> Result<Deployment, PortError> {
    Ok(Deployment {
        status: deployment.status.unwrap_or_default(),
        rollout: deployment.rollout_state.map(|state| state.as_str().to_owned()).unwrap_or_default(),
        reason: one_line(deployment.rollout_state_reason.as_deref().unwrap_or_default()),
        desired: count(deployment.desired_count)?,
        running: count(deployment.running_count)?,
        pending: count(deployment.pending_count)?,
        failed: count(deployment.failed_tasks)?,
        task_definition: last_part(deployment.task_definition.as_deref().unwrap_or_default()),
        created: deployment.created_at.as_ref().map(stamp),
    })
}

fn task_of(task: SdkTask) -> Task {
    // A Fargate task has one interface, whose details are named values (ECS API, `Attachment`).
    let mut details = task.attachments.iter().flatten().flat_map(|attachment| attachment.details.iter().flatten());
    let address = details.find(|detail| detail.name.as_deref() == Some("privateIPv4Address"));
    let address = address.and_then(|detail| detail.value.clone());
    Task {
        address,
        id: last_part(task.task_arn.as_deref().unwrap_or_default()),
        zone: task.availability_zone.unwrap_or_default(),
        status: task.last_status.unwrap_or_default(),
        health: task.health_status.map_or_else(|| "UNKNOWN".to_owned(), |health| health.as_str().to_owned()),
        started: task.started_at.as_ref().map(stamp),
    }
}

fn last_part(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}

fn count(number: i32) -> Result<u32, PortError> {
    u32::try_from(number).map_err(|_| garbled(AwsOperation::DescribeServices, &format!("{number} tasks")))
}
