//! What a step stands on: what was seen, and whether it may be sent on that.

use crate::compose::session::Session;
use crate::config::defaults;
use crate::domain::change::Change;
use crate::domain::change::preconditions::{Blocked, Ground, check};
use crate::domain::facts::{Facts, Query, Source};
use crate::domain::model::Model;
use crate::domain::shift::{Direction, ShiftPlan};
use crate::domain::traffic::RecordGroup;
use crate::runtime::collect::{Collected, collect, reconcile_journal};

use super::super::console::Console;
use super::super::failure::Failure;

use super::{blocked_by, conflict, not_provisioned, wrong_shape};

/// Sources that are asked first: what is there, and who asks.
const FIRST: [Source; 2] = [Source::Records, Source::Identity];

/// What was seen at the beginning; the decision stands on it.
pub(super) struct Base {
    pub(super) collected: Collected,
    pub(super) group: RecordGroup,
    pub(super) operator: String,
}

/// Reads the records and who asks.
pub(super) async fn look_first(session: &Session, out: &mut Console) -> Result<Base, Failure> {
    let mut collected = collect(&session.ports, &FIRST, Facts::default(), defaults::COLLECT_DEADLINE).await;
    if let Some(error) = collected.facts.error(Source::Records) {
        return Err(error.clone().into());
    }
    let group = match collected.facts.group.as_ref().map(|fact| &fact.value) {
        Some(Ok(group)) => group.clone(),
        Some(Err(shape)) if !session.stack.is_provisioned() => return Err(not_provisioned(&shape.to_string())),
        Some(Err(shape)) => return Err(wrong_shape(&shape.to_string())),
        None => return Err(wrong_shape("Route 53 told no records")),
    };
    let operator = session.operator(&collected.facts);
    for error in reconcile_journal(&session.ports, &mut collected, &operator, &session.watcher.host).await {
        out.say(&format!("the journal is behind: {error}"));
    }
    Ok(Base { collected, group, operator })
}

/// Asks everything that the preconditions of a step forward want to know, and then the records once more: what the
/// operator decides on has to be what is there. For the way back the first look has told all.
pub(super) async fn look_again(
    session: &Session,
    base: Base,
    plan: &ShiftPlan,
    out: &mut Console,
) -> Result<(Base, Model), Failure> {
    if plan.direction() == Direction::Back {
        let model = session.model(&base.collected);
        return Ok((base, model));
    }
    let rest: Vec<Source> = Source::ALL.into_iter().filter(|source| !FIRST.contains(source)).collect();
    let mut collected = collect(&session.ports, &rest, base.collected.facts, defaults::COLLECT_DEADLINE).await;
    for error in reconcile_journal(&session.ports, &mut collected, &base.operator, &session.watcher.host).await {
        out.say(&format!("the journal is behind: {error}"));
    }
    let again = session.ports.observe.observe(Query::Records).await?;
    collected.now = session.ports.clock.now();
    collected.facts.absorb(&session.ports.key, Source::Records, Ok(again), collected.now);
    if let Ok(journal) = session.ports.read_journal().await {
        collected.journal = Ok(journal);
    }
    let model = session.model(&collected);
    Ok((Base { collected, ..base }, model))
}

/// What a step stands on. The right to write was asked before anything was read, and a dry run needs none.
pub(super) fn ground<'a>(session: &Session, base: &Base, model: &'a Model) -> Ground<'a> {
    let overtaken_by = base.collected.journal.as_ref().ok().and_then(|journal| session.overtaken_by(journal));
    Ground { overtaken_by, read_only: None, ..Ground::of(model) }
}

/// Whether the step may be sent on what was seen last.
pub(super) fn may_be_sent(session: &Session, base: &Base, plan: &ShiftPlan, model: &Model) -> Result<(), Failure> {
    check(&Change::Weights(plan.clone()), &ground(session, base, model)).map_err(|why| match &why {
        Blocked::Gates(gates) => blocked_by(gates),
        Blocked::RecordsChanged | Blocked::Overtaken(_) => {
            let found = match base.collected.facts.group.as_ref().map(|fact| &fact.value) {
                Some(found) => found.as_ref().map_err(ToString::to_string),
                None => Err("Route 53 told no records".to_owned()),
            };
            conflict(&plan.expected, found.as_ref().map(|group| *group).map_err(String::as_str), &why.to_string())
        }
        _ => why.into(),
    })
}
