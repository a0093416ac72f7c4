//! `report`: the incident report, as Markdown, from the journal alone.
//!
//! It asks nobody: what is not in the journal is not in the report.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::cli::ReportArgs;
use crate::config::Global;
use crate::domain::record::{Entry, Event, History, OutcomeKind};
use crate::domain::shift::Override;
use crate::domain::units::{Timestamp, WeightPair, age_text, counted};

use super::console::Console;
use super::failure::{Exit, Failure};
use super::journal;

/// Writes the report.
///
/// # Errors
/// When the journal cannot be read or the file cannot be written.
pub async fn run(args: &ReportArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let record = journal::read(global, args.since).await?;
    let text = markdown(&record.stack, &record.entries, record.broken, record.now);
    match &args.output {
        None => out.data(&text)?,
        Some(file) => {
            write(file, &text).map_err(|error| {
                Failure::new(
                    Exit::Error,
                    "storage",
                    format!("{} cannot be written: {error}", file.display()),
                    "give another file with --output",
                )
            })?;
            out.say(&format!("written to {}", file.display()));
        }
    }
    Ok(Exit::Done)
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes())
}

/// What is known of when a change came to be on every name server.
struct Insync {
    /// Seen then, by this host's clock and by AWS's own.
    at: (Timestamp, Option<Timestamp>),
    /// Seen not to be, before that.
    pending_at: Option<Timestamp>,
    verified: bool,
}

impl Insync {
    /// How long it took from `sent`, as bounds where nobody looked in between: the look that found it is not its instant.
    fn after(&self, sent: &Entry) -> String {
        let (at, aws_at) = self.at;
        // This host's clock may have been set in between.
        let took = match (sent.aws_at, aws_at) {
            (Some(sent), Some(seen)) => seen.since(sent),
            _ => at.since(sent.at),
        };
        let at_most = age_text(took);
        match self.pending_at.map(|pending| at.since(pending)) {
            Some(unseen) if unseen <= LOOKED_EVERY => at_most,
            Some(unseen) => format!("{} to {at_most}", age_text(took.saturating_sub(unseen))),
            None => format!("≤ {at_most}"),
        }
    }
}

/// How long ago a change may have been seen PENDING for the look that found it INSYNC to tell when it became so.
const LOOKED_EVERY: Duration = Duration::from_secs(10);

/// One weight change, from its intent to INSYNC.
struct ShiftRow<'a> {
    entry: &'a Entry,
    id: &'a str,
    from: WeightPair,
    to: WeightPair,
    overrides: &'a [Override],
    evacuation: Option<&'a str>,
    outcome: Option<(OutcomeKind, Option<&'a str>)>,
    insync: Option<Insync>,
}

impl ShiftRow<'_> {
    /// What was stepped over, and why.
    fn stepped_over(&self) -> String {
        let gates = self.overrides.iter();
        if let Some(reason) = self.evacuation {
            let gates: Vec<_> = gates.map(|over| over.gate.as_str()).collect();
            return cell(&format!("EVACUATION: {reason}; stepping over {}", gates.join(", ")));
        }
        let over: Vec<_> = gates.map(|over| format!("{}: {}", over.gate, over.reason)).collect();
        if over.is_empty() { "–".to_owned() } else { cell(&over.join("; ")) }
    }
}

/// The report as Markdown.
#[must_use]
pub fn markdown(stack: &str, entries: &[Entry], broken: usize, now: Timestamp) -> String {
    let mut text = format!("# Traffic report: {}\n\nMade at {now} from the journal.\n\n", cell(stack));
    summary(&mut text, entries, broken);
    let steps = steps(entries);
    changes(&mut text, &steps);
    open_points(&mut text, &History::of(entries), broken, now);
    text.push_str("## Timeline\n\n| at | who | what |\n|---|---|---|\n");
    for entry in entries {
        let who = format!("{}@{}", entry.operator, entry.host);
        let _ = writeln!(text, "| {} | {} | {} |", entry.at, cell(&who), cell(&entry.event.text()));
    }
    text
}

fn summary(text: &mut String, entries: &[Entry], broken: usize) {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        text.push_str("The journal holds nothing for this time.\n\n");
        return;
    };
    let mut operators: Vec<_> = entries.iter().map(|e| format!("{}@{}", e.operator, e.host)).collect();
    operators.sort();
    operators.dedup();
    let weights = History::of(entries).known.map_or_else(|| "not known".to_owned(), |(weights, _)| weights.to_string());
    let span = age_text(last.at.since(first.at));
    let _ =
        writeln!(text, "- From {} to {} ({span}), {}", first.at, last.at, counted(entries.len(), "entry", "entries"));
    let _ = writeln!(text, "- Operators: {}", cell(&operators.join(", ")));
    let _ = writeln!(text, "- Weights at the end (legacy/new): {weights}");
    if broken > 0 {
        let _ = writeln!(text, "- {} of the journal could not be read", counted(broken, "line", "lines"));
    }
    text.push('\n');
}

fn steps(entries: &[Entry]) -> Vec<ShiftRow<'_>> {
    let mut steps: Vec<ShiftRow<'_>> = Vec::new();
    for entry in entries {
        match &entry.event {
            Event::Intent { id, from, to, overrides, evacuation, .. } => {
                let evacuation = evacuation.as_deref();
                let (from, to) = (*from, *to);
                steps.push(ShiftRow { entry, id, from, to, overrides, evacuation, outcome: None, insync: None });
            }
            Event::Outcome { id, result, change, .. } => {
                if let Some(step) = steps.iter_mut().rev().find(|step| step.id == id) {
                    step.outcome = Some((*result, change.as_deref()));
                }
            }
            Event::Insync { change, verified, pending_at, .. } => {
                let same = |step: &&mut ShiftRow<'_>| matches!(step.outcome, Some((_, Some(id))) if id == change);
                if let Some(step) = steps.iter_mut().rev().find(same) {
                    let (at, pending_at, verified) = ((entry.at, entry.aws_at), *pending_at, *verified);
                    step.insync.get_or_insert(Insync { at, pending_at, verified });
                }
            }
            _ => {}
        }
    }
    steps
}

fn changes(text: &mut String, steps: &[ShiftRow<'_>]) {
    text.push_str("## Weight changes\n\n");
    if steps.is_empty() {
        text.push_str("None.\n\n");
        return;
    }
    text.push_str("| at | who | from | to | outcome | INSYNC after | read back | overrides |\n|---|---|---|---|---|---|---|---|\n");
    for step in steps {
        let outcome = step.outcome.map_or("open", |(kind, _)| kind.word());
        let insync = step.insync.as_ref().map_or_else(|| "–".to_owned(), |insync| insync.after(step.entry));
        let read_back =
            step.insync.as_ref().map_or("–", |insync| if insync.verified { "as confirmed" } else { "DIFFERENT" });
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {outcome} | {insync} | {read_back} | {} |",
            step.entry.at,
            cell(&step.entry.operator),
            step.from,
            step.to,
            step.stepped_over()
        );
    }
    text.push('\n');
}

fn open_points(text: &mut String, history: &History, broken: usize, now: Timestamp) {
    let mut points = Vec::new();
    if let Some(open) = history.unfinished() {
        points.push(format!("It is not known yet what came of {}.", open.text()));
    }
    for open in &history.changes {
        points.push(format!("It is not known what came of this, confirmed at {}: {}.", open.at, cell(&open.title)));
    }
    if let Some((id, at)) = &history.pending {
        points
            .push(format!("The change {id} was not seen INSYNC, {} after it was accepted.", age_text(now.since(*at))));
    }
    if let (Some(confirmed), Some((known, at))) = (history.confirmed, history.known)
        && confirmed != known
    {
        points.push(format!("Somebody set {known} (seen at {at}); {confirmed} was confirmed here."));
    }
    if broken > 0 {
        points.push("The journal has lines that could not be read; what they said is missing here.".to_owned());
    }
    if points.is_empty() {
        return;
    }
    text.push_str("## Open points\n\n");
    for point in points {
        let _ = writeln!(text, "- {point}");
    }
    text.push('\n');
}

/// Text that cannot break out of a table's cell or into markup.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' => safe.extend(['\\', c]),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pulumi::{NewStack, PulumiChange};
    use crate::domain::shift::Direction;
    use crate::runtime::fakes::{entry, pair};

    fn entries() -> Vec<Entry> {
        vec![
            entry(0, Event::Seen { weights: pair(100, 0) }),
            entry(
                10,
                Event::Intent {
                    id: "a".into(),
                    record: "app.example.com.".into(),
                    from: pair(100, 0),
                    to: pair(90, 10),
                    direction: Direction::Forward,
                    overrides: vec![Override { gate: "bake".into(), reason: "drill | only".into() }],
                    evacuation: None,
                },
            ),
            entry(
                11,
                Event::Outcome {
                    id: "a".into(),
                    result: OutcomeKind::Accepted,
                    weights: Some(pair(90, 10)),
                    change: Some("/change/C1".into()),
                    submitted_at: None,
                    detail: "accepted".into(),
                },
            ),
            entry(
                50,
                Event::Insync {
                    change: "/change/C1".into(),
                    weights: pair(90, 10),
                    verified: true,
                    pending_at: Some(Timestamp::from_millis(45_000)),
                },
            ),
        ]
    }

    #[test]
    fn a_change_is_one_row_from_intent_to_insync() {
        let text = markdown("prod", &entries(), 0, Timestamp::from_millis(60_000));
        assert!(
            text.contains("| 1970-01-01T00:00:10Z | oncall | 100/0 | 90/10 | accepted | 40 s | as confirmed | bake: drill \\| only |"),
            "{text}"
        );
        assert!(text.contains("Weights at the end (legacy/new): 90/10"));
        assert!(!text.contains("## Open points"));
    }

    #[test]
    fn an_evacuation_is_told_as_one_with_its_reason_and_what_it_stepped_over() {
        let mut entries = entries();
        let over = |gate: &str| Override { gate: gate.into(), reason: "us-east-1 fails".into() };
        if let Event::Intent { overrides, evacuation, .. } = &mut entries[1].event {
            *overrides = vec![over("alarms"), over("step-size")];
            *evacuation = Some("us-east-1 fails".into());
        }
        let said = "EVACUATION 0 % → 10 %: us-east-1 fails; stepping over alarms, step-size";
        assert!(entries[1].event.text().contains(said), "{}", entries[1].event.text());
        let text = markdown("prod", &entries, 0, Timestamp::from_millis(60_000));
        let row = "| as confirmed | EVACUATION: us-east-1 fails; stepping over alarms, step-size |";
        assert!(text.contains(row) && text.contains(said), "{text}");
        // What an older version has written has no mark, and is an ordinary change.
        let line = serde_json::to_value(&self::entries()[1]).unwrap();
        assert!(line.get("evacuation").is_none(), "{line}");
        assert_eq!(serde_json::from_value::<Entry>(line).unwrap(), self::entries()[1]);
    }

    #[test]
    fn when_a_change_became_insync_is_told_in_bounds() {
        let seen = |pending_at: Option<i64>| {
            let mut entries = entries();
            if let Event::Insync { pending_at: seen, .. } = &mut entries[3].event {
                *seen = pending_at.map(|secs| Timestamp::from_millis(secs * 1000));
            }
            entries[3].at = Timestamp::from_millis(910_000);
            markdown("prod", &entries, 0, Timestamp::from_millis(960_000))
        };
        // Nobody looked for a quarter of an hour: the look that found it is not its instant.
        assert!(seen(None).contains("| accepted | ≤ 15m00s | as confirmed"), "{}", seen(None));
        assert!(seen(Some(40)).contains("| accepted | 30 s to 15m00s | as confirmed"), "{}", seen(Some(40)));
        assert!(seen(Some(905)).contains("| accepted | 15m00s | as confirmed"), "{}", seen(Some(905)));
    }

    #[test]
    fn how_long_a_change_took_is_told_by_the_clock_that_nobody_set() {
        let mut entries = entries();
        // This host's clock is set back by seven minutes between the sending and the look that finds it INSYNC.
        let secs = |secs: i64| Timestamp::from_millis(secs * 1000);
        (entries[1].at, entries[1].aws_at) = (secs(430), Some(secs(10)));
        (entries[3].at, entries[3].aws_at) = (secs(71), Some(secs(71)));
        if let Event::Insync { pending_at, .. } = &mut entries[3].event {
            *pending_at = None;
        }
        let text = markdown("prod", &entries, 0, secs(100));
        assert!(
            text.contains("| accepted | ≤ 61 s | as confirmed") || text.contains("| accepted | ≤ 1m01s |"),
            "{text}"
        );
    }

    #[test]
    fn what_is_open_is_said() {
        let text = markdown("prod", &entries()[..2], 3, Timestamp::from_millis(60_000));
        assert!(
            text.contains("## Open points")
                && text.contains("not known yet what came of the change")
                && text.contains("could not be read")
        );
        let text = markdown("prod", &entries()[..3], 0, Timestamp::from_millis(60_000));
        assert!(text.contains("was not seen INSYNC, 49 s after"), "{text}");
        let change = PulumiChange::CreateStack(NewStack::new("prod"));
        let done = PulumiChange::outcome("i".into(), "done".into());
        let confirmed = entry(20, change.intent("i".into()));
        let text = markdown("prod", std::slice::from_ref(&confirmed), 0, Timestamp::from_millis(60_000));
        assert!(text.contains("not known what came of this") && text.contains("Create the stack prod"), "{text}");
        let text = markdown("prod", &[confirmed, entry(30, done)], 0, Timestamp::from_millis(60_000));
        assert!(!text.contains("Open points"), "{text}");
    }

    #[test]
    fn an_empty_journal_is_a_report_too() {
        assert!(markdown("prod", &[], 0, Timestamp::default()).contains("holds nothing"));
    }
}
