//! The tasks of the service, each beside the target that its balancer knows.
//!
//! Pure.

use crate::domain::facts::Source;
use crate::domain::service::{Host, Served, Task, served};

use super::super::context::ViewContext;
use super::super::text::Row;
use super::super::theme::{Mark, Role};
use super::unknown;

/// A row for each task, with what its balancer says of it.
pub(super) fn rows<'a>(cx: &ViewContext<'a>, width: usize) -> Vec<Row<'a>> {
    let (service, targets) = (cx.world.facts.service.as_ref(), cx.world.facts.targets.as_ref());
    let mut rows = Vec::new();
    if targets.is_none() {
        rows.extend(unknown(cx, Source::Targets, width));
    }
    let tasks = service.map_or(&[][..], |fact| fact.value.tasks.as_slice());
    let hosts = targets.map_or(&[][..], |fact| fact.value.hosts.as_slice());
    let longest = tasks.iter().map(|task| cx.cells(&task.id)).max().unwrap_or(0);
    let address = hosts.iter().map(|host| cx.cells(&host.id)).max().unwrap_or(0).clamp(12, TARGET) + 1;
    let id = width.saturating_sub(2 + ZONE + 2 * STATE + address + STATE).clamp(9, longest.max(9) + 1);
    let (of_task, of_target) = (cx.fact_role(service), cx.fact_role(targets));
    for Served { task, target } in served(tasks, hosts) {
        let mut marks = Vec::new();
        marks.extend(task.map(|task| cx.mark_of(service, task_mark(task))));
        marks.extend(target.map(|host| cx.mark_of(targets, host_mark(host))));
        let worst =
            |mark: &Mark| [Mark::Fail, Mark::Unknown, Mark::Stale, Mark::Waiting].iter().position(|m| m == mark);
        let mark = marks.into_iter().min_by_key(|mark| worst(mark).unwrap_or(9)).unwrap_or(Mark::Unknown);
        let row = cx.row().mark(mark);
        let row = match task {
            Some(task) => row
                .clipped(of_task, &task.id, id - 1)
                .tab(2 + id)
                .cell(of_task, task.zone.strip_prefix(&cx.model.stack.region).unwrap_or(&task.zone), ZONE)
                .cell(of_task, &task.status, STATE)
                .cell(if task.health == "UNHEALTHY" { Role::Fail } else { of_task }, &task.health, STATE),
            None => row.cell(Role::Dim, "no task of the service", id + ZONE + 2 * STATE),
        };
        let row = match target {
            Some(host) => row.cell(of_target, &host.id, address).cell(
                if host.is_unhealthy() { Role::Fail } else { of_target },
                &host.state,
                STATE,
            ),
            None if targets.is_some() => row.cell(Role::Unknown, "no target of the balancer", address + STATE),
            None => row,
        };
        let since = task.and_then(|task| task.started).map(|at| cx.since(at)).unwrap_or_default();
        let room = row.room(width);
        let why = target.and_then(|host| host.reason.as_deref()).unwrap_or(&since);
        rows.push(row.clipped(Role::Dim, why, room));
    }
    rows
}

/// Cells of the columns of a task; those of its address at most: an IPv4 address with its port.
const ZONE: usize = 3;
const STATE: usize = 10;
const TARGET: usize = 21;

fn task_mark(task: &Task) -> Mark {
    match (task.status.as_str(), task.health.as_str()) {
        (_, "UNHEALTHY") | ("STOPPED", _) => Mark::Fail,
        ("RUNNING", _) => Mark::Pass,
        _ => Mark::Waiting,
    }
}

/// How a host stands by its balancer's word.
pub(super) fn host_mark(host: &Host) -> Mark {
    if host.is_healthy() {
        Mark::Pass
    } else if host.is_unhealthy() {
        Mark::Fail
    } else {
        Mark::Waiting
    }
}
