//! Service: the machines that answer, legacy left, new right; below them how every source is doing.
//!
//! Pure. The two columns scroll together; on a narrow screen they are one list, legacy first.

mod tasks;

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::error::ErrorKind;
use crate::domain::facts::{Fact, Source};
use crate::domain::metrics::Metric;
use crate::domain::model::Listing;
use crate::domain::reading::{self, FACT_STALE};
use crate::domain::schedule::interval;
use crate::domain::service::{Alarm, AlarmState, Hosts, Service, Writer};
use crate::domain::traffic::Side;
use crate::domain::units::short_number;

use super::context::ViewContext;
use super::text::{Row, wrap};
use super::theme::{Mark, Role};
use super::{list, trends};

pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    let inner = Rect { x: area.x + 1, width: area.width - 2, ..area };
    if inner.width < 98 {
        let width = usize::from(inner.width);
        let both = vec![in_short(cx, width).line()];
        let lines = [both, legacy(cx, width), new(cx, width), sources(cx, width)].concat();
        return list::draw(buf, inner, cx, lines.len(), |index| lines[index].clone());
    }
    let left_width = inner.width * 9 / 20;
    let (left_cells, right_cells) = (usize::from(left_width), usize::from(inner.width - left_width - 3));
    let lines = [legacy(cx, left_cells), sources(cx, left_cells)].concat();
    let others = new(cx, right_cells);
    // Both columns stop at the end of the longer one, so that rows stay beside each other.
    let count = lines.len().max(others.len());
    let spare = inner.height.saturating_sub(count as u16 + 1);
    let rows = if trends::fits(spare) { count as u16 } else { inner.height };
    let left = Rect { width: left_width, height: rows, ..inner };
    let right = Rect { x: left.right() + 3, width: right_cells as u16, height: rows, ..inner };
    cx.upright(buf, Rect { x: left.right() + 1, width: 1, height: rows, ..inner });
    if rows < inner.height {
        let height = (inner.height - rows).min(trends::most(trends::SERVICE));
        trends::draw(buf, Rect { y: inner.y + rows, height, ..inner }, cx, trends::SERVICE);
    }
    let of = |lines: &[Line<'static>], index: usize| lines.get(index).cloned().unwrap_or_default();
    list::draw(buf, left, cx, count, |index| of(&lines, index));
    list::draw(buf, right, cx, count, |index| of(&others, index))
}

/// Both stacks in a line, where one of them would be below the end of the screen.
fn in_short<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let mut row = cx.row();
    let facts = &cx.world.facts;
    let tasks = reading::tasks(facts, cx.world.now);
    for (role, name, side) in [(Role::Legacy, "legacy ", Side::Legacy), (Role::New, "new ", Side::New)] {
        let hosts = reading::hosts(facts, side, cx.world.now);
        let sound = hosts.fresh().is_some_and(|hosts| hosts.healthy > 0 && hosts.unhealthy == 0);
        let mark = match hosts.fresh() {
            Some(_) if sound => Mark::Pass,
            Some(_) => Mark::Fail,
            None if hosts.is_stale() => Mark::Stale,
            None => Mark::Unknown,
        };
        let told = cx.shown(&hosts, |hosts| format!("{} of {} healthy", hosts.healthy, hosts.all));
        row = row.put(role, name).mark(mark).put(told.role, told.text).gap(3);
    }
    let running = cx.shown(&tasks, |tasks| format!("{}/{} tasks run", tasks.running, tasks.desired));
    let room = row.room(width);
    row.clipped(running.role, running.text, room)
}

/// Running tasks by zone.
pub(super) fn zones(service: &Service) -> Vec<(String, usize)> {
    let mut count = BTreeMap::<&str, usize>::new();
    for task in service.tasks.iter().filter(|t| t.status == "RUNNING") {
        *count.entry(&task.zone).or_default() += 1;
    }
    count.into_iter().map(|(zone, count)| (zone.to_owned(), count)).collect()
}

/// A heading as a line of a list.
fn heading(cx: &ViewContext<'_>, role: Role, title: &str, note: &str, width: usize) -> Line<'static> {
    let note_cells = cx.cells(note);
    let row = cx.row().clipped(role, title, width).gap(1);
    let dashes = row.room(width).saturating_sub(note_cells + 1);
    let row = row.repeat(Role::Rule, cx.theme.glyphs().rule, dashes);
    if note_cells < row.room(width) { row.gap(1).put(Role::Dim, note).line() } else { row.line() }
}

/// The lines of one section that the filter keeps, under their heading.
fn section(cx: &ViewContext<'_>, out: &mut Vec<Line<'static>>, heading: Line<'static>, lines: Vec<Row<'_>>) {
    out.push(heading);
    out.extend(lines.into_iter().map(Row::line).filter(|line| cx.model.matches_filter(&[&line.to_string()])));
}

fn legacy(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let facts = &cx.world.facts;
    let stack = &cx.model.stack;
    let mut out = Vec::new();
    let title = format!("Classic ELB {}", stack.legacy_lb);
    section(
        cx,
        &mut out,
        heading(cx, Role::Legacy, &title, &hosts_note(cx, facts.legacy_hosts.as_ref()), width),
        hosts(cx, facts.legacy_hosts.as_ref(), Source::LegacyHosts, width),
    );
    let database =
        if stack.writer == Writer::Legacy { "RDS MySQL: takes the writes" } else { "RDS MySQL: no longer written" };
    section(
        cx,
        &mut out,
        heading(cx, Role::Legacy, database, "", width),
        vec![
            value_row(cx, "CPU", Metric::RdsCpu, |v| format!("{} %", short_number(v.round())), "", width),
            value_row(cx, "connections", Metric::RdsConnections, |v| short_number(v.round()), "", width),
        ],
    );
    let title = format!("Alarms in {}", stack.legacy_region);
    section(
        cx,
        &mut out,
        heading(cx, Role::Legacy, &title, &cx.fact_age(facts.alarms_legacy.as_ref()), width),
        alarms(cx, facts.alarms_legacy.as_ref(), Source::AlarmsLegacy, width),
    );
    out
}

fn new(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let facts = &cx.world.facts;
    let stack = &cx.model.stack;
    let mut out = Vec::new();
    let name = facts.service.as_ref().map_or("", |s| s.value.name.as_str());
    section(
        cx,
        &mut out,
        heading(cx, Role::New, &format!("ECS service {name}"), &cx.fact_age(facts.service.as_ref()), width),
        service(cx, width),
    );
    let title = "Tasks and their ALB targets";
    section(
        cx,
        &mut out,
        heading(cx, Role::New, title, &hosts_note(cx, facts.targets.as_ref()), width),
        tasks::rows(cx, width),
    );
    let writes = if stack.writer == Writer::Aurora { ": takes the writes" } else { ": follows through DMS" };
    section(
        cx,
        &mut out,
        heading(cx, Role::New, &format!("Aurora {}{writes}", stack.aurora), "", width),
        vec![
            value_row(cx, "CPU", Metric::AuroraCpu, |v| format!("{} %", short_number(v.round())), "", width),
            value_row(cx, "connections", Metric::AuroraConnections, |v| short_number(v.round()), "", width),
            value_row(
                cx,
                "replica lag",
                Metric::AuroraReplicaLag,
                |v| format!("{} ms", short_number(v.round())),
                "inside the cluster, not DMS",
                width,
            ),
        ],
    );
    let title = format!("Alarms in {}", stack.region);
    section(
        cx,
        &mut out,
        heading(cx, Role::New, &title, &cx.fact_age(facts.alarms_new.as_ref()), width),
        alarms(cx, facts.alarms_new.as_ref(), Source::AlarmsNew, width),
    );
    let events = facts.service.iter().flat_map(|s| &s.value.events).map(|(at, text)| {
        let row = cx.row().put(Role::Dim, at.hms()).gap(2);
        let room = row.room(width);
        row.clipped(Role::Text, text, room)
    });
    section(cx, &mut out, heading(cx, Role::New, "Service events, newest first", "", width), events.collect());
    out
}

/// Why a section is empty.
fn unknown<'a>(cx: &ViewContext<'a>, source: Source, width: usize) -> Vec<Row<'a>> {
    let why = match cx.world.facts.error(source) {
        Some(error) => format!("not known: {error}"),
        None => "not read yet".to_owned(),
    };
    vec![cx.row().mark(Mark::Unknown).clipped(Role::Unknown, why, width.saturating_sub(2))]
}

fn hosts_note(cx: &ViewContext<'_>, fact: Option<&Fact<Hosts>>) -> String {
    let age = cx.fact_age(fact);
    fact.map_or(age.clone(), |f| format!("{} of {} healthy  {age}", f.value.healthy(), f.value.hosts.len()))
}

fn hosts<'a>(cx: &ViewContext<'a>, fact: Option<&Fact<Hosts>>, source: Source, width: usize) -> Vec<Row<'a>> {
    let Some(hosts) = fact else { return unknown(cx, source, width) };
    let text = cx.fact_role(fact);
    let mut rows = Vec::new();
    for host in &hosts.value.hosts {
        let mark = cx.mark_of(fact, tasks::host_mark(host));
        let row = cx
            .row()
            .mark(mark)
            .cell(text, &host.id, 22)
            .cell(if mark == Mark::Fail { Role::Fail } else { text }, &host.state, 14)
            .put(Role::Dim, host.zone.as_deref().unwrap_or_default())
            .gap(1);
        let room = row.room(width);
        rows.push(row.clipped(Role::Dim, host.reason.as_deref().unwrap_or_default(), room));
    }
    rows
}

fn service<'a>(cx: &ViewContext<'a>, width: usize) -> Vec<Row<'a>> {
    let Some(fact) = &cx.world.facts.service else { return unknown(cx, Source::Service, width) };
    let (service, text) = (&fact.value, cx.fact_role(Some(fact)));
    let complete = service.running == service.desired && service.pending == 0;
    let mut rows = vec![
        cx.row()
            .mark(cx.mark_of(Some(fact), if complete { Mark::Pass } else { Mark::Fail }))
            .put(Role::Strong, format!("{}/{} running", service.running, service.desired))
            .put(text, format!(", {} pending, {}", service.pending, service.status)),
    ];
    let percent = |v: f64| format!("{} %", short_number(v.round()));
    rows.push(value_row(cx, "CPU", Metric::ServiceCpu, percent, "of what is reserved", width));
    rows.push(value_row(cx, "memory", Metric::ServiceMemory, percent, "of what is reserved", width));
    for deployment in &service.deployments {
        let mark = match deployment.rollout.as_str() {
            "COMPLETED" => Mark::Pass,
            "FAILED" => Mark::Fail,
            _ => Mark::Waiting,
        };
        let told = mark != Mark::Pass;
        let mark = cx.mark_of(Some(fact), mark);
        let row = cx
            .row()
            .mark(mark)
            .put(text, format!("{} {}", deployment.status, deployment.task_definition))
            .gap(1)
            .put(mark.role(), &deployment.rollout)
            .put(text, format!(" {}/{}", deployment.running, deployment.desired))
            .put(
                if deployment.failed > 0 { Role::Fail } else { Role::Dim },
                if deployment.failed > 0 { format!(" {} failed", deployment.failed) } else { String::new() },
            )
            .gap(1);
        let room = row.room(width);
        let reason = if told { deployment.reason.as_str() } else { "" };
        rows.push(row.clipped(Role::Dim, reason, room));
    }
    rows
}

fn alarms<'a>(cx: &ViewContext<'a>, fact: Option<&Fact<Vec<Alarm>>>, source: Source, width: usize) -> Vec<Row<'a>> {
    let Some(alarms) = fact else { return unknown(cx, source, width) };
    let text = cx.fact_role(fact);
    let mut rows = Vec::new();
    for alarm in &alarms.value {
        let mark = match alarm.state {
            AlarmState::Ok if alarm.silenced.is_some() => Mark::Fail,
            AlarmState::Ok if alarm.evaluation.is_some() => Mark::Unknown,
            AlarmState::Ok => Mark::Pass,
            AlarmState::Alarm => Mark::Fail,
            AlarmState::InsufficientData => Mark::Unknown,
        };
        let told = mark != Mark::Pass;
        let mark = cx.mark_of(fact, mark);
        let since = alarm.since.map(|at| cx.since(at)).unwrap_or_default();
        let role = if told { mark.role() } else { text };
        let row = cx.row().mark(mark).cell(role, &alarm.name, 26).put(role, alarm.state.word()).gap(1);
        let room = row.room(width);
        rows.push(row.clipped(Role::Dim, since, room));
        if told {
            let why = alarm.silenced.as_ref().or(alarm.evaluation.as_ref()).unwrap_or(&alarm.reason);
            let reason = wrap(cx.theme, why, width.saturating_sub(4));
            rows.extend(reason.into_iter().map(|line| cx.row().gap(4).put(Role::Text, line)));
        }
    }
    rows
}

fn value_row<'a>(
    cx: &ViewContext<'a>,
    name: &str,
    metric: Metric,
    show: impl Fn(f64) -> String,
    note: &str,
    width: usize,
) -> Row<'a> {
    let reading = cx.reading(metric, show);
    let row = cx.row().gap(2).cell(Role::Dim, name, 12).num(reading.role, reading.text, 9).gap(1);
    let room = row.room(width).saturating_sub(6);
    let row = row.clipped(Role::Dim, note, room);
    match reading.at {
        Some(at) => row.ending(Role::Dim, cx.age(at), width),
        None => row,
    }
}

/// Every source with its last answer; a failure with AWS's words and what to do.
fn sources(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    for source in Source::ALL {
        let health = cx.world.facts.sources.get(&source);
        let error = health.and_then(|h| h.error.as_ref());
        let last = health.and_then(|h| h.last_ok).map_or_else(|| "no answer yet".to_owned(), |at| cx.age(at));
        let mark = match (error.map(|e| e.kind), health.and_then(|h| h.last_ok)) {
            (None, Some(at)) if cx.world.now.since(at) > FACT_STALE.max(interval(source, false) * 2) => Mark::Stale,
            (None, Some(_)) => Mark::Pass,
            (None, None) if source == Source::Change => continue,
            (None, None) => Mark::Waiting,
            (Some(ErrorKind::Throttled), _) => Mark::Unknown,
            (Some(_), _) => Mark::Fail,
        };
        let mut row = cx.row().mark(mark).cell(Role::Text, source.name(), 16).cell(Role::Dim, last, 14);
        if let (Some(error), Some(health)) = (error, health) {
            row = row.put(mark.role(), format!("{}, {} in a row", error.short(), health.failures));
        }
        rows.push(row);
        if let Some(error) = error {
            let words = wrap(cx.theme, &format!("{error}; {}", error.hint()), width.saturating_sub(4));
            rows.extend(words.into_iter().map(|line| cx.row().gap(4).put(Role::Dim, line)));
        }
    }
    let mut out = Vec::new();
    section(cx, &mut out, heading(cx, Role::Strong, "Sources", "last answer", width), rows);
    out
}
