//! What the zone's name servers have answered while the cockpit looked on: the share, and which server has the newest step.
//!
//! Pure. A look is one round of queries to each server; looks at the same weights count together.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::answers::{Counts, NoAnswer};
use super::interval::Interval;
use super::servers::{Heard, SURE, Sample, Told, likelier};
use crate::domain::units::{Timestamp, WeightPair};

/// Queries that each server gets in one look: four servers make less than 1,600 datagrams a minute while a change is on
/// its way, those that look for the balancers' addresses included.
pub const QUERIES: u32 = 96;
/// Pause between two looks while a change is on its way, or resolvers may still keep the answer before it.
pub const WHILE_MOVING: Duration = Duration::from_secs(15);
/// Pause between two looks at rest.
pub const AT_REST: Duration = Duration::from_mins(1);
/// Pause after a look to which nobody has answered: where UDP 53 is closed it stays so for the night.
pub const WHILE_SILENT: Duration = Duration::from_mins(5);
/// Looks at rest that count together: their interval reaches about two points to either side.
const TOGETHER: usize = 5;

/// What was heard so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// The looks that count together, oldest first.
    looks: VecDeque<Sample>,
    /// The weights at which they were made.
    at_weights: Option<WeightPair>,
    /// Since the newest step: what each server's answers say of it.
    scores: BTreeMap<String, Score>,
    /// That step.
    step: Option<(WeightPair, WeightPair)>,
    /// Why the newest look heard nothing.
    silent: Option<String>,
}

/// Two running sums of log-likelihoods, each of which starts again where it would be negative: how much likelier the share
/// after the step has become than the one before it, and the reverse. A server changes its mind between two looks, which
/// one sum over all of them would notice late (E. S. Page, "Continuous inspection schemes", 1954).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Score {
    after: f64,
    before: f64,
    has: bool,
}

impl Score {
    fn add(&mut self, counts: &Counts, (before, after): (f64, f64)) {
        let by = likelier(counts, before, after);
        self.after = (self.after + by).max(0.0);
        // No more than is needed, so that the first answers of one that has caught up are believed.
        self.before = (self.before - by).clamp(0.0, SURE.ln());
        // A server that has a change does not lose it.
        self.has |= self.after >= SURE.ln();
    }

    fn told(self) -> Told {
        if self.has {
            Told::Has
        } else if self.before >= SURE.ln() {
            Told::Behind
        } else {
            Told::NotToldApart
        }
    }
}

/// Something beside the share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Whether somebody has to look at it, or it passes by itself.
    pub is_bad: bool,
    /// One sentence, without a full stop.
    pub text: String,
}

impl Answers {
    /// Counts a look that was made while Route 53 had the weights `wanted`, after the newest `step` of this host. While a
    /// change is on its way only the newest look tells the share.
    pub fn add(&mut self, look: Sample, wanted: WeightPair, step: Option<(WeightPair, WeightPair)>, moving: bool) {
        // A step that the records do not show is not the one that is on its way.
        let step = step.filter(|(_, to)| *to == wanted);
        if step != self.step || self.at_weights != Some(wanted) {
            self.scores.clear();
        }
        if moving || self.at_weights != Some(wanted) {
            self.looks.clear();
        }
        (self.step, self.at_weights) = (step, Some(wanted));
        let heard_none = look.share().is_none();
        self.silent = heard_none.then(|| why_silent(&look));
        if let Some((from, to)) = step.filter(|_| !self.fails_over(&look, wanted, moving)) {
            for heard in &look.heard {
                let score = self.scores.entry(heard.server.clone()).or_default();
                score.add(&heard.counts, (part(from), part(to)));
            }
        }
        if heard_none {
            return;
        }
        if self.looks.len() == TOGETHER {
            self.looks.pop_front();
        }
        self.looks.push_back(look);
    }

    /// The weights have changed: which server had which step before tells nothing of the new one, were it the same again.
    pub fn begin_anew(&mut self) {
        *self = Self { silent: self.silent.take(), ..Self::default() };
    }

    /// Nobody could be asked.
    pub fn not_asked(&mut self, why: String) {
        self.silent = Some(why);
    }

    /// Whether the newest look heard nothing, and why.
    #[must_use]
    pub fn silent(&self) -> Option<&str> {
        self.silent.as_deref()
    }

    /// The share of the new stack as clients of all servers get it, and when it was heard last; nothing when the newest
    /// look heard nothing, and for other weights than those.
    #[must_use]
    pub fn share(&self, wanted: WeightPair) -> Option<(Interval, Timestamp)> {
        if self.silent.is_some() || self.at_weights != Some(wanted) {
            return None;
        }
        let mut all = Counts::default();
        for look in &self.looks {
            all.join(&look.counts());
        }
        Some((all.share()?, self.looks.back()?.at))
    }

    /// The newest look.
    #[must_use]
    pub fn newest(&self) -> Option<&Sample> {
        self.looks.back()
    }

    /// How many servers were asked.
    #[must_use]
    pub fn servers(&self) -> usize {
        self.newest().map_or(0, |look| look.heard.len())
    }

    /// What is to be said beside the share, most urgent first. `settled` says that Route 53 calls the newest change INSYNC.
    #[must_use]
    pub fn remarks(&self, settled: bool) -> Vec<Remark> {
        let (Some(look), Some(wanted)) = (self.newest(), self.at_weights) else { return Vec::new() };
        let bad = |text: String| Remark { is_bad: true, text };
        let mut said = Vec::new();
        let fails_over = self.fails_over(look, wanted, !settled);
        if fails_over {
            said.push(Remark { is_bad: settled, text: one_sided(settled && self.step.is_some()).to_owned() });
        }
        let behind: Vec<&str> = self.called(Told::Behind).collect();
        if settled && !behind.is_empty() {
            let verb = if behind.len() == 1 { "answers" } else { "answer" };
            said.push(bad(format!("{} still {verb} as before the newest step", behind.join(", "))));
        }
        for heard in &look.heard {
            if let Some(why) = without(heard) {
                said.push(bad(format!("{}: {why}", short(&heard.server))));
            }
        }
        let neither = look.counts().neither;
        if neither > 0 {
            let (answers, lead) = if neither == 1 { ("answer", "leads") } else { ("answers", "lead") };
            said.push(bad(format!("{neither} {answers} {lead} to neither balancer")));
        }
        if self.step.is_some() && !settled && !fails_over {
            let (has, all) = (self.called(Told::Has).count(), look.heard.len());
            said.push(Remark {
                is_bad: false,
                text: format!("the newest step is known to be on {has} of {all} name servers"),
            });
        }
        said
    }

    /// Whether the look has met a failover, and not the answers from before the newest step.
    fn fails_over(&self, look: &Sample, wanted: WeightPair, moving: bool) -> bool {
        let as_before = |share: Interval| self.step.is_some_and(|(from, _)| moving && share.may_be(part(from)));
        look.is_one_sided(part(wanted)) && !look.share().is_some_and(as_before)
    }

    /// Short names of the servers of which that is told.
    fn called(&self, told: Told) -> impl Iterator<Item = &str> {
        self.scores.iter().filter(move |(_, score)| score.told() == told).map(|(server, _)| short(server))
    }
}

/// Why an answer leads to one stack only.
#[must_use]
pub const fn one_sided(settled: bool) -> &'static str {
    if settled {
        "every answer leads to one stack: Route 53 holds the other one for unhealthy and fails over; look at its targets"
    } else {
        "every answer leads to one stack: the newest change is not on the name servers yet, or Route 53 holds the other \
         one for unhealthy; ask again in a minute"
    }
}

fn part(weights: WeightPair) -> f64 {
    weights.new_percent() / 100.0
}

/// The first label of a server's name: the four of a zone differ in it.
fn short(server: &str) -> &str {
    server.split('.').next().unwrap_or(server)
}

/// Why a server that is asked does not answer, when it answers less than half of what it is asked.
fn without(heard: &Heard) -> Option<NoAnswer> {
    let counts = &heard.counts;
    let answered = counts.answered() + counts.neither;
    counts.why_not().filter(|_| answered * 2 < counts.asked())
}

fn why_silent(look: &Sample) -> String {
    let counts = look.counts();
    match counts.why_not() {
        _ if counts.neither > 0 => format!("{} answers, and none leads to one of the two balancers", counts.neither),
        Some(why) => format!("no name server of the zone has answered: {why}"),
        None => "no name server of the zone could be asked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rand_pcg::Pcg32;
    use rand_pcg::rand_core::Rng;

    use super::*;
    use crate::domain::units::Percent;

    fn weights(new: u8) -> WeightPair {
        WeightPair::for_new_share(Percent::new(new).unwrap())
    }

    fn look(at: i64, shares: [f64; 4], chance: &mut Pcg32) -> Sample {
        let heard = |(index, share): (usize, f64)| {
            let limit = (share * f64::from(u32::MAX)) as u32;
            let new = (0..QUERIES).filter(|_| chance.next_u32() < limit).count() as u32;
            let counts = Counts { legacy: QUERIES - new, new, ..Counts::default() };
            Heard { server: format!("ns-{index}.example.net"), counts }
        };
        Sample { at: Timestamp::from_millis(at), heard: shares.into_iter().enumerate().map(heard).collect() }
    }

    fn texts(answers: &Answers, settled: bool) -> Vec<String> {
        answers.remarks(settled).into_iter().map(|remark| remark.text).collect()
    }

    #[test]
    fn answers_from_before_a_first_step_are_no_failover_and_nobody_is_behind_before_insync() {
        let mut chance = Pcg32::new(7, 1);
        let mut answers = Answers::default();
        let step = Some((weights(0), weights(10)));
        answers.add(look(1, [0.0; 4], &mut chance), weights(10), step, true);
        assert_eq!(texts(&answers, false), ["the newest step is known to be on 0 of 4 name servers"]);
        answers.add(look(2, [0.0, 0.1, 0.1, 0.1], &mut chance), weights(10), step, true);
        assert_eq!(texts(&answers, false), ["the newest step is known to be on 3 of 4 name servers"]);
        assert_eq!(texts(&answers, true), ["ns-0 still answers as before the newest step"]);
    }

    #[test]
    fn a_server_that_lags_is_named_and_none_that_has_the_step() {
        for (from, to) in [(0, 10), (20, 30), (50, 60), (90, 100), (40, 0)] {
            let (mut named, mut wrongly) = (0, 0);
            for seed in 0..100 {
                let mut chance = Pcg32::new(seed, 1);
                let (before, after) = (f64::from(from) / 100.0, f64::from(to) / 100.0);
                let mut answers = Answers::default();
                let step = Some((weights(from), weights(to)));
                for at in 0..2 {
                    answers.add(look(at, [before, after, after, after], &mut chance), weights(to), step, true);
                }
                let behind: Vec<&str> = answers.called(Told::Behind).collect();
                named += usize::from(behind.contains(&"ns-0"));
                wrongly += usize::from(behind.iter().any(|server| *server != "ns-0"));
                assert!(answers.called(Told::Has).all(|server| server != "ns-0"), "{from} → {to}");
                for at in 4..10 {
                    answers.add(look(at, [after; 4], &mut chance), weights(to), step, false);
                }
                assert_eq!(answers.called(Told::Behind).count(), 0, "{from} → {to}: a server that caught up has it");
            }
            // A step in the middle takes more looks than a server lags.
            let is_plain = [0, 100].contains(&from) || [0, 100].contains(&to);
            assert!(wrongly <= 1 && (!is_plain || named >= 90), "{from} → {to}: {named} named, {wrongly} wrongly");
        }
    }

    #[test]
    fn looks_count_together_at_rest_and_begin_anew_with_each_change() {
        let mut chance = Pcg32::new(7, 1);
        let mut answers = Answers::default();
        let n = |answers: &Answers, new| answers.share(weights(new)).map(|(share, _)| share.n);
        for at in 0..7 {
            answers.add(look(at, [0.2; 4], &mut chance), weights(20), None, false);
        }
        assert_eq!((n(&answers, 20), n(&answers, 30)), (Some(1920), None), "five looks, and of these weights alone");
        answers.add(look(8, [0.2; 4], &mut chance), weights(30), None, true);
        assert_eq!((n(&answers, 20), n(&answers, 30)), (None, Some(384)));
        answers.add(look(9, [0.3; 4], &mut chance), weights(30), None, true);
        assert_eq!(n(&answers, 30), Some(384), "while it moves the newest look alone");
    }

    #[test]
    fn a_step_that_is_made_again_is_on_no_server_yet() {
        let mut chance = Pcg32::new(7, 1);
        let mut answers = Answers::default();
        let step = Some((weights(0), weights(10)));
        answers.add(look(1, [0.1; 4], &mut chance), weights(10), step, true);
        answers.add(look(2, [0.1; 4], &mut chance), weights(10), step, true);
        assert_eq!(texts(&answers, false), ["the newest step is known to be on 4 of 4 name servers"]);
        answers.begin_anew();
        answers.add(look(3, [0.0; 4], &mut chance), weights(10), step, true);
        assert_eq!(texts(&answers, false), ["the newest step is known to be on 0 of 4 name servers"]);
    }

    #[test]
    fn silence_is_told_with_its_reason_and_takes_the_share_away() {
        let mut chance = Pcg32::new(7, 1);
        let mut answers = Answers::default();
        answers.add(look(1, [0.2; 4], &mut chance), weights(20), None, false);
        let mut silent = look(2, [0.0; 4], &mut chance);
        for heard in &mut silent.heard {
            heard.counts = Counts { without: BTreeMap::from([(NoAnswer::Late, 8)]), ..Counts::default() };
        }
        answers.add(silent, weights(20), None, false);
        assert_eq!(answers.silent(), Some("no name server of the zone has answered: no answer in time"));
        assert_eq!(answers.share(weights(20)), None);
        answers.add(look(3, [0.2; 4], &mut chance), weights(20), None, false);
        assert_eq!((answers.silent(), answers.share(weights(20)).is_some()), (None, true));
    }

    #[test]
    fn a_failover_is_said_once_and_calls_no_server_behind() {
        let mut chance = Pcg32::new(7, 1);
        let mut answers = Answers::default();
        let step = Some((weights(40), weights(50)));
        for at in 0..5 {
            answers.add(look(at, [0.0; 4], &mut chance), weights(50), step, false);
        }
        assert_eq!(texts(&answers, true), [one_sided(true)]);
    }

    #[test]
    fn one_dead_server_is_named_and_the_share_is_that_of_the_others() {
        let mut chance = Pcg32::new(7, 1);
        let mut answers = Answers::default();
        let mut dead = look(1, [0.2; 4], &mut chance);
        dead.heard[2].counts = Counts { without: BTreeMap::from([(NoAnswer::Failed, 8)]), ..Counts::default() };
        answers.add(dead, weights(20), None, false);
        assert_eq!(texts(&answers, true), ["ns-2: SERVFAIL"]);
        assert_eq!(answers.share(weights(20)).map(|(share, _)| share.n), Some(288));
    }
}
