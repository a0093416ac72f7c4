//! `dns`: the share as the zone's own name servers answer it now.

use std::fmt::Write;

use serde::Serialize;

use crate::cli::JsonArgs;
use crate::compose::session::connect_to_look;
use crate::config::Global;
use crate::domain::evidence::answers::{Counts, MOST_QUERIES};
use crate::domain::evidence::interval::Interval;
use crate::domain::evidence::servers::{Heard, Sample, Told, told};
use crate::domain::evidence::watch::one_sided;
use crate::domain::facts::{Facts, Source};
use crate::domain::record::newest_step;
use crate::domain::traffic::RecordGroup;
use crate::domain::units::WeightPair;
use crate::runtime::sample::sample;

use super::console::Console;
use super::failure::{Exit, Failure};
use super::status::look;

/// Asks each server of the zone, and prints what it answers.
///
/// # Errors
/// When the records cannot be shifted or not be read, and when no name server answers.
pub async fn run(args: JsonArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let session = connect_to_look(global).await?;
    let collected = look(&session, &[Source::Records, Source::Change], Facts::default(), out).await;
    let group = match collected.facts.group.as_ref().map(|fact| &fact.value) {
        Some(Ok(group)) => group,
        Some(Err(why)) => {
            return Err(Failure::new(Exit::Error, "records", why.to_string(), "look at the records first"));
        }
        None => return Err(not_read(&collected.facts)),
    };
    let clock = session.ports.clock.as_ref();
    let sample = Box::pin(sample(session.ports.name_servers.as_ref(), group, MOST_QUERIES, clock)).await?;
    let journal = collected.journal.as_ref().ok();
    let step = journal.and_then(|read| newest_step(&read.entries));
    let is_settled = journal.is_some_and(|read| read.history.is_settled());
    let row = Row::of(&session.stack.name, group, step.map(|step| (step, is_settled)), &sample);
    if sample.share().is_none() {
        let servers = serde_json::to_value(&row.servers).unwrap_or_default();
        return Err(silent(&sample).with("servers", servers));
    }
    if args.json {
        out.json(&row)?;
    } else {
        out.data(&row.text())?;
    }
    Ok(Exit::Done)
}

fn not_read(facts: &Facts) -> Failure {
    let error = facts.sources.get(&Source::Records).and_then(|health| health.error.clone());
    error.map_or_else(|| Failure::new(Exit::Error, "records", "the records were not read", "try again"), Failure::from)
}

/// The weights before a step and after it.
type Step = (WeightPair, WeightPair);

/// No server has given an answer that leads to one of the stacks.
fn silent(sample: &Sample) -> Failure {
    let counts = sample.counts();
    let message = match counts.why_not() {
        _ if counts.neither > 0 => {
            format!("{} answers, and none leads to one of the two balancers", counts.neither)
        }
        Some(why) => format!("no name server of the zone has answered: {why}"),
        None => "no name server of the zone could be asked".to_owned(),
    };
    let hint = "what clients are answered is not known from here; the weights and INSYNC are still read from Route 53. \
                Where UDP 53 is closed on this host, ask from another one";
    Failure::new(Exit::Access, "dns", message, hint)
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Row {
    schema: u8,
    at: String,
    stack: String,
    record: String,
    /// What the weights say.
    wanted_percent: f64,
    dns: Option<Share>,
    servers: Vec<Server>,
    /// Whether Route 53 calls the newest step of this host INSYNC.
    #[serde(skip)]
    settled: bool,
    /// Every answer leads to one stack although the weights give the other one a part, and no change is on its way;
    /// nothing where that cannot be told, since somebody else's change may be.
    failover: Option<bool>,
}

/// A share in percent, with its interval of 95 %.
#[derive(Debug, Clone, Copy, Serialize)]
struct Share {
    new_percent: f64,
    low: f64,
    high: f64,
    n: u64,
}

#[derive(Debug, Serialize)]
struct Server {
    name: String,
    #[serde(flatten)]
    counts: Counts,
    dns: Option<Share>,
    /// Whether it has the newest step of this host's journal; nothing where there is none.
    step: Option<Told>,
}

impl From<Interval> for Share {
    fn from(interval: Interval) -> Self {
        let percent = |part: f64| (part * 10_000.0).round() / 100.0;
        let Interval { value, low, high, n } = interval;
        Self { new_percent: percent(value), low: percent(low), high: percent(high), n }
    }
}

impl Row {
    fn of(stack: &str, group: &RecordGroup, step: Option<(Step, bool)>, sample: &Sample) -> Self {
        let part = |weights: WeightPair| weights.new_percent() / 100.0;
        let wanted = part(group.weights());
        // A step that the records do not show is not the one that is on its way.
        let step = step.filter(|((_, to), _)| *to == group.weights());
        let is_settled = step.is_some_and(|(_, settled)| settled);
        let is_one_sided = sample.is_one_sided(wanted);
        // Beside a failover the answers tell nothing of a step.
        let step = step.map(|(step, _)| step).filter(|_| !(is_one_sided && is_settled));
        let server = |heard: &Heard| Server {
            name: heard.server.clone(),
            counts: heard.counts.clone(),
            dns: heard.counts.share().map(Share::from),
            step: step.map(|(from, to)| told(&heard.counts, part(from), part(to))),
        };
        Self {
            schema: 1,
            at: sample.at.to_string(),
            stack: stack.to_owned(),
            record: group.pairs().first().map(|pair| pair.new.name.clone()).unwrap_or_default(),
            wanted_percent: (wanted * 10_000.0).round() / 100.0,
            dns: sample.share().map(Share::from),
            servers: sample.heard.iter().map(server).collect(),
            settled: is_settled,
            failover: if is_one_sided { is_settled.then_some(true) } else { Some(false) },
        }
    }

    fn text(&self) -> String {
        let width = self.servers.iter().map(|server| server.name.chars().count()).max().unwrap_or(0).max(8);
        let shown = |share: Option<Share>| {
            share.map_or_else(
                || "–".to_owned(),
                |share| {
                    let Share { new_percent, low, high, n } = share;
                    format!("{new_percent:>5.1} % new  ({low:.1} … {high:.1} %)  {n} answers")
                },
            )
        };
        let mut lines = vec![format!("{}  wanted {:.1} % new", self.record, self.wanted_percent)];
        for server in &self.servers {
            let mut line = format!("  {:<width$}  {}", server.name, shown(server.dns));
            if let Some(step) = server.step {
                line += match step {
                    Told::Has => "  has the newest step",
                    Told::Behind if self.settled => "  BEHIND: still answers as before the newest step",
                    Told::Behind => "  does not have the newest step yet",
                    Told::NotToldApart => "  not told apart yet",
                };
            }
            if server.counts.neither > 0 {
                let _ = write!(line, "  {} lead to neither balancer", server.counts.neither);
            }
            for (why, count) in &server.counts.without {
                let _ = write!(line, "  {count}× {why}");
            }
            lines.push(line);
        }
        lines.push(format!("  {:<width$}  {}", "together", shown(self.dns)));
        lines.extend(match self.failover {
            Some(false) => None,
            Some(true) => Some(one_sided(true).to_owned()),
            None => Some(one_sided(false).to_owned()),
        });
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shift::fixtures::group;
    use crate::domain::units::{Percent, Timestamp};

    fn weights(new: u8) -> WeightPair {
        WeightPair::for_new_share(Percent::new(new).unwrap())
    }

    #[test]
    fn beside_a_failover_no_server_is_called_behind() {
        let counts = Counts { legacy: 400, ..Counts::default() };
        let heard = |server: &str| Heard { server: server.to_owned(), counts: counts.clone() };
        let sample = Sample { at: Timestamp::from_millis(0), heard: vec![heard("ns-1"), heard("ns-2")] };
        let step = (weights(0), weights(10));
        let row = |settled| Row::of("prod", &group(weights(10)), Some((step, settled)), &sample);
        let (before, after) = (row(false), row(true));
        assert_eq!((before.failover, before.servers[0].step), (None, Some(Told::Behind)));
        assert_eq!((after.failover, after.servers[0].step), (Some(true), None));
        assert!(!after.text().contains("BEHIND") && after.text().contains("fails over"), "{}", after.text());
        assert!(before.text().contains("does not have the newest step yet"), "{}", before.text());
    }
}
