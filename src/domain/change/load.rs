//! What the new stack has carried so far and what a step would bring to it, in words for the question.
//!
//! Pure. The gates say whether the new stack is well with what it has; whoever answers has to see what it will get.

use crate::domain::facts::Facts;
use crate::domain::reading::{self, Requests};
use crate::domain::record::History;
use crate::domain::series::PERIOD;
use crate::domain::service::Writer;
use crate::domain::shift::ShiftPlan;
use crate::domain::stack::watched::Stack;
use crate::domain::traffic::Side;
use crate::domain::units::{Percent, Timestamp, WeightPair, age_text, short_number};
use crate::domain::zone::{ZonePlan, ZoneStep};

/// What the new stack has carried so far: share, since when, requests.
#[must_use]
pub fn carried(plan: &ShiftPlan, facts: &Facts, history: Option<&History>, now: Timestamp) -> String {
    let Some(history) = history else {
        return "what the new stack has carried so far is not known: the journal could not be read".to_owned();
    };
    let share = plan.from().new_share();
    let most = history.most_carried.map_or(Percent::ZERO, WeightPair::new_share).max(share);
    if most == Percent::ZERO {
        return "the new stack has carried nothing so far".to_owned();
    }
    let is_now = if plan.from().new_weight() == 0 {
        "nothing now".to_owned()
    } else {
        let since = history.moved_at.zip(history.since_moved(now, facts.aws_now(now)));
        let since = since.map_or_else(
            || ", nobody here knows since when".to_owned(),
            |(at, long)| format!(" since {} UTC ({})", at.hms(), age_text(long)),
        );
        let requests = requests(facts, now).and_then(|requests| requests.new);
        let rate =
            requests.map_or_else(|| "requests not known".to_owned(), |new| rate_text(new / PERIOD.as_secs_f64()));
        format!("{share}{since}, {rate}")
    };
    format!("{is_now}; {most} at most")
}

/// Who is there to answer, and how much comes to them.
#[must_use]
pub fn to_come(plan: &ShiftPlan, facts: &Facts, now: Timestamp) -> String {
    let tasks = reading::tasks(facts, now).fresh().copied();
    let healthy = reading::hosts(facts, Side::New, now).fresh().map(|hosts| hosts.healthy);
    let running = tasks
        .map_or_else(|| "tasks not known".to_owned(), |tasks| format!("{}/{} tasks run", tasks.running, tasks.desired));
    let healthy = healthy.map_or_else(String::new, |healthy| format!(", {healthy} healthy"));
    let Some(all) = all_requests(plan, facts, now) else {
        return format!("{running}{healthy}; the load to come is not known: not both balancers tell their requests");
    };
    let coming = all * f64::from(plan.to.new_share().get()) / 100.0;
    let each = tasks
        .filter(|tasks| tasks.running > 0)
        .map_or_else(String::new, |tasks| format!(", {} each", short_number(coming / f64::from(tasks.running))));
    format!("{running}{healthy}; {} of {} to come{each}", short_number(coming), rate_text(all))
}

/// Where the writes go, which no weight changes.
#[must_use]
pub fn writes(stack: &Stack) -> String {
    let (legacy, new) = (&stack.legacy_region, &stack.region);
    match stack.writer {
        Writer::Legacy => format!("RDS in {legacy} goes on taking the writes: while it is gone, what writes fails"),
        Writer::Aurora => format!("Aurora in {new} takes the writes"),
    }
}

/// What releasing the name to the new stack costs, a sentence each; nothing for any other batch.
#[must_use]
pub fn release_costs(plan: &ZonePlan, stack: &Stack) -> Vec<String> {
    if plan.step != ZoneStep::Release(Side::New) {
        return Vec::new();
    }
    let lost = "lost: the pair, and with it every step and the way back by one key: `tapctl rollback` sends nothing any more, and \
                `tapctl rollback --print` prints the batch";
    let writes = match stack.writer {
        Writer::Legacy => {
            format!(
                "RDS in {} still takes the writes: the name moves for good, the database does not",
                stack.legacy_region
            )
        }
        Writer::Aurora => format!("Aurora in {} takes the writes", stack.region),
    };
    vec![lost.to_owned(), writes]
}

/// What no reason steps over.
pub const HOLDS: &str = "where the members lead, that somebody answers there, and the compare-and-swap";

fn requests(facts: &Facts, now: Timestamp) -> Option<Requests> {
    reading::requests(facts, now).fresh().copied()
}

/// Requests of both stacks in a second. A balancer whose record is answered to nobody publishes no minute.
fn all_requests(plan: &ShiftPlan, facts: &Facts, now: Timestamp) -> Option<f64> {
    let requests = requests(facts, now)?;
    let side = |counted: Option<f64>, weight: u8| counted.or((weight == 0).then_some(0.0));
    let from = plan.from();
    let all = side(requests.legacy, from.legacy())? + side(requests.new, from.new_weight())?;
    Some(all / PERIOD.as_secs_f64())
}

fn rate_text(per_second: f64) -> String {
    format!("{} req/s", short_number(per_second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shift::fixtures::group;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_020_000);

    fn step(from: (u8, u8), share: u8) -> ShiftPlan {
        let seen = group(WeightPair::new(from.0, from.1).unwrap());
        ShiftPlan::new(&seen, Percent::new(share).unwrap()).unwrap()
    }

    #[test]
    fn what_is_not_known_is_said_and_no_number_is_made_up() {
        let (plan, facts) = (step((100, 0), 10), Facts::default());
        assert!(carried(&plan, &facts, None, NOW).contains("not known"));
        let nothing = carried(&plan, &facts, Some(&History::default()), NOW);
        assert_eq!(nothing, "the new stack has carried nothing so far");
        let text = to_come(&plan, &facts, NOW);
        assert!(text.contains("tasks not known") && text.contains("load to come is not known"), "{text}");
    }

    #[test]
    fn the_share_of_now_is_told_beside_the_greatest_one() {
        let history = History {
            most_carried: WeightPair::new(50, 50),
            moved_at: Some(Timestamp::from_millis(1_794_999_420_000)),
            ..History::default()
        };
        let text = carried(&step((80, 20), 30), &Facts::default(), Some(&history), NOW);
        assert!(text.starts_with("20 % since ") && text.contains("(10m"), "{text}");
        assert!(text.ends_with("requests not known; 50 % at most"), "{text}");
        let back = carried(&step((100, 0), 50), &Facts::default(), Some(&history), NOW);
        assert_eq!(back, "nothing now; 50 % at most");
    }
}
