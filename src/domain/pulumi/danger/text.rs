//! Dangers in sentences: one for all that happens alike, with the names, so that a question about them fits on a screen.
//!
//! Pure.

use super::super::event::WeightedRecord;
use super::super::op::Operation;
use super::super::stream::{Streams, afterwards, how_long};
use super::Danger;
use crate::domain::traffic::same_name;
use crate::domain::units::counted;

/// One sentence for each thing that happens, in the order of the dangers.
#[must_use]
pub fn lines(dangers: &[Danger]) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, danger) in dangers.iter().enumerate() {
        if !dangers[..index].iter().any(|before| before.is_told_with(danger)) {
            let alike: Vec<&Danger> = dangers.iter().filter(|other| danger.is_told_with(other)).collect();
            lines.push(sentence(&alike));
        }
    }
    lines
}

/// Whether the members of every pair that this plan makes get no traffic but the legacy one: as the first `up` makes
/// them, beside a legacy record that has all of it already.
#[must_use]
pub fn is_calm_pair(dangers: &[Danger]) -> bool {
    let records: Vec<(Operation, &str, &WeightedRecord)> = dangers
        .iter()
        .filter_map(|danger| match danger {
            Danger::WeightedRecord { op, resource, record } => Some((*op, resource.as_str(), record)),
            _ => None,
        })
        .collect();
    // A pair at another name would be made as calmly, and nobody has looked at that name.
    let Some((.., first)) = records.first() else { return false };
    if !records.iter().all(|(.., record)| same_name(&record.name, &first.name)) {
        return false;
    }
    // `pulumi/lib/routing.py` names the legacy member so; what follows is the suffix of the stack, which may hold anything.
    let is_legacy = |resource: &str| resource.starts_with("migration-legacy-");
    let calm = |(op, resource, record): &(Operation, &str, &WeightedRecord)| {
        *op == Operation::Create
            && match record.new_weight {
                Some(0) => !is_legacy(resource),
                Some(_) => is_legacy(resource),
                None => false,
            }
    };
    // A legacy member alone takes over from whatever answers beside it.
    records.iter().all(calm) && records.iter().any(|(_, resource, _)| !is_legacy(resource))
}

/// The sentence for dangers that are told together.
#[must_use]
pub(super) fn sentence(alike: &[&Danger]) -> String {
    let Some(first) = alike.first() else { return String::new() };
    let names = names(alike);
    let mut because: Vec<&str> = alike.iter().flat_map(|danger| danger.because()).map(String::as_str).collect();
    because.dedup();
    let because = if because.is_empty() { String::new() } else { format!(" because of {}", because.join(", ")) };
    match first {
        Danger::WeightedRecord { op, record, .. } => {
            let word = if alike.len() == 1 { "record" } else { "records" };
            let members: Vec<String> = alike.iter().filter_map(|danger| member(danger)).collect();
            format!("{op}s the weighted {word} {}: {}: live traffic follows", record.name, members.join(", "))
        }
        Danger::Deletes { stateful, retained: false, .. } if alike.len() == 1 => {
            format!("deletes {names}: {}", stateful.loss())
        }
        Danger::Deletes { stateful, retained: false, .. } => {
            format!("deletes {}, {}: {names}", stateful.loss(), counted(alike.len(), "resource", "resources"))
        }
        Danger::Deletes { .. } => {
            let stays = if alike.len() == 1 { "it stays" } else { "they stay" };
            format!("lets go of {names}: {stays} in AWS, and nobody looks after that any more")
        }
        Danger::Replaces { stateful, .. } => {
            let streams: Vec<&str> = alike.iter().filter_map(|danger| start_over(danger)).collect();
            let over = streams.first().map(|over| format!("; {over}")).unwrap_or_default();
            format!("replaces {names}{because}: a new one is made and the old one deleted, {}{over}", stateful.loss())
        }
        Danger::StopsStream { streams, rtype, .. } => {
            let are = if alike.len() == 1 { "is" } else { "are" };
            format!(
                "stops {streams}, {}, while {names} {are} modified{because}: {}: aws dms {}",
                how_long(rtype, first.stays_stopped()),
                afterwards(rtype, first.stays_stopped()),
                streams.resume()
            )
        }
        Danger::Stops { outage, .. } => {
            format!("{} {names}{because}: {}", outage.verb(), outage.words())
        }
        Danger::UnknownOperation { .. } => format!("does something to {names} that this version has no name for"),
    }
}

/// The resources; one alone with its type.
fn names(alike: &[&Danger]) -> String {
    match alike {
        [one] => match one {
            Danger::WeightedRecord { resource, .. } => resource.clone(),
            Danger::Deletes { rtype, resource, .. }
            | Danger::Replaces { rtype, resource, .. }
            | Danger::StopsStream { rtype, resource, .. }
            | Danger::Stops { rtype, resource, .. }
            | Danger::UnknownOperation { rtype, resource } => format!("{resource} ({rtype})"),
        },
        all => all.iter().map(|danger| danger.resource()).collect::<Vec<_>>().join(", "),
    }
}

fn member(danger: &Danger) -> Option<String> {
    let Danger::WeightedRecord { record, .. } = danger else { return None };
    let identifier =
        if record.set_identifier.is_empty() { String::new() } else { format!(" ({})", record.set_identifier) };
    let weight = match (record.old_weight, record.new_weight) {
        (Some(old), Some(new)) if old != new => format!(", weight {old} → {new}"),
        (Some(weight), Some(_)) => format!(", weight stays {weight}"),
        (None, Some(new)) => format!(", weight {new}"),
        (Some(old), None) => format!(", weight {old} → none"),
        (None, None) => String::new(),
    };
    Some(format!("{}{identifier}{weight}", record.rtype))
}

fn start_over(danger: &Danger) -> Option<&'static str> {
    let Danger::Replaces { rtype, resource, .. } = danger else { return None };
    Streams::of(rtype, resource).map(Streams::start_over)
}

#[cfg(test)]
mod tests {
    use super::super::Stateful;
    use super::*;

    fn deletes(stateful: Stateful, resource: &str, retained: bool) -> Danger {
        Danger::Deletes { stateful, rtype: "aws:t".into(), resource: resource.into(), retained }
    }

    fn record(op: Operation, resource: &str, old_weight: Option<u8>, new_weight: Option<u8>) -> Danger {
        let record = WeightedRecord {
            name: "app.example.com".into(),
            rtype: "A".into(),
            set_identifier: resource.into(),
            old_weight: old_weight.map(Into::into),
            new_weight: new_weight.map(Into::into),
        };
        Danger::WeightedRecord { op, resource: resource.into(), record }
    }

    #[test]
    fn what_happens_alike_is_told_once_with_every_name() {
        let task = |resource: &str| Danger::StopsStream {
            streams: Streams::Forward,
            rtype: "aws:dms/endpoint:Endpoint".into(),
            resource: resource.into(),
            because: vec!["serverName".into()],
        };
        let dangers = [
            record(Operation::Delete, "migration-legacy-prod", Some(100), None),
            record(Operation::Delete, "migration-new-prod", Some(0), None),
            deletes(Stateful::Database, "one", false),
            deletes(Stateful::Secret, "alone", false),
            deletes(Stateful::Database, "two", false),
            task("migration-dms-legacy-source-prod"),
            task("migration-dms-aurora-target-prod"),
            deletes(Stateful::Secret, "kept", true),
            deletes(Stateful::Database, "kept-too", true),
        ];
        let lines = lines(&dangers);
        assert_eq!(lines.len(), 5, "{lines:#?}");
        assert_eq!(
            lines[0],
            "deletes the weighted records app.example.com: A (migration-legacy-prod), weight 100 → none, A \
             (migration-new-prod), weight 0 → none: live traffic follows"
        );
        assert!(lines[1].starts_with("deletes the database") && lines[1].ends_with("2 resources: one, two"));
        assert!(lines[2].starts_with("deletes alone (aws:t): the secret"));
        assert!(
            lines[3].contains("until somebody resumes it, while migration-dms-legacy-source-prod, migration-dms-a")
        );
        assert!(lines[3].contains("are modified because of serverName:"), "{}", lines[3]);
        assert!(lines[4].starts_with("lets go of kept, kept-too: they stay"));
    }

    #[test]
    fn the_pair_of_the_first_up_moves_nothing_and_any_other_may() {
        let create = |resource: &str, weight| record(Operation::Create, resource, None, Some(weight));
        let (legacy, new) = (create("migration-legacy-prod", 100), create("migration-new-prod", 0));
        assert!(is_calm_pair(&[legacy.clone(), new.clone()]));
        assert!(is_calm_pair(std::slice::from_ref(&new)), "beside a legacy member that was adopted");
        let suffixed = [create("migration-legacy-x-legacy-y", 100), create("migration-new-x-legacy-y", 0)];
        assert!(is_calm_pair(&suffixed), "whatever the suffix of the stack is");
        let mut elsewhere = new.clone();
        if let Danger::WeightedRecord { record, .. } = &mut elsewhere {
            record.name = "shop.example.com".into();
        }
        for moves in [
            vec![legacy.clone(), elsewhere],
            vec![legacy.clone()],
            vec![create("migration-legacy-x-legacy-y", 100), create("migration-new-x-legacy-y", 100)],
            vec![create("migration-legacy-prod", 80), create("migration-new-prod", 20)],
            vec![create("migration-legacy-prod", 0), create("migration-new-prod", 0)],
            vec![create("migration-legacy-prod", 0), create("migration-new-prod", 100)],
            vec![record(Operation::Update, "migration-legacy-prod", Some(100), Some(100)), new.clone()],
            vec![record(Operation::Delete, "migration-legacy-prod", Some(100), None), new],
        ] {
            assert!(!is_calm_pair(&moves), "{moves:?}");
        }
    }
}
