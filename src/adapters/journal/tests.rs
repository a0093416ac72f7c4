//! Entries through crashes, other processes, other stacks and older versions.

use super::lines::hash;
use super::*;
use crate::domain::record::Event;
use crate::domain::units::Timestamp;
use proptest::prelude::*;
use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

#[path = "order_tests.rs"]
mod order;

fn note(number: i64) -> Entry {
    let at = Timestamp::from_millis(number * 1000);
    Entry {
        aws_at: None,
        at,
        operator: "oncall".into(),
        host: "bastion".into(),
        event: Event::note(format!("n{number}")),
    }
}

fn journal() -> (tempfile::TempDir, FileJournal) {
    let folder = tempfile::tempdir().unwrap();
    let journal = FileJournal::new(folder.path().join("state/prod"));
    (folder, journal)
}

fn append_all(journal: &dyn Journal, entries: &[Entry]) {
    for entry in entries {
        journal.append(entry).unwrap();
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_pipe_in_the_journals_place_hangs_nobody() {
    let (_folder, journal) = journal();
    std::fs::create_dir_all(journal.path().parent().unwrap()).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, journal.path(), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    for error in [journal.read().unwrap_err(), journal.append(&note(1)).unwrap_err()] {
        assert!(error.message.contains("no regular file"), "{error}");
    }
}

#[test]
fn entries_come_back_in_order_and_nothing_is_there_before() {
    let (_folder, journal) = journal();
    assert_eq!(journal.read().unwrap(), (vec![], 0));
    assert!(!journal.path().exists());
    let entries: Vec<_> = (0..20).map(note).collect();
    append_all(&journal, &entries);
    assert_eq!(journal.read().unwrap(), (entries, 0));
}

#[test]
fn only_the_owner_can_read_it() {
    let (_folder, journal) = journal();
    journal.append(&note(1)).unwrap();
    drop(journal.try_turn(&holder()).unwrap());
    assert_eq!(mode(&journal.folder), 0o700);
    assert_eq!((mode(&journal.path()), mode(&journal.folder.join(LOCK))), (0o600, 0o600));
    std::fs::set_permissions(journal.path(), Permissions::from_mode(0o644)).unwrap();
    journal.append(&note(2)).unwrap();
    assert_eq!(mode(&journal.path()), 0o600);
}

#[test]
fn broken_and_endless_lines_are_counted_and_the_rest_is_read() {
    let (_folder, journal) = journal();
    journal.append(&note(1)).unwrap();
    let mut file = OpenOptions::new().append(true).open(journal.path()).unwrap();
    file.write_all(b"{\"event\":\"unheard of\"}\n\n").unwrap();
    file.write_all(&vec![b'x'; MAX_LINE * 3]).unwrap();
    file.write_all(b"\n\xff\xfe\n").unwrap();
    journal.append(&note(2)).unwrap();
    assert_eq!(journal.read().unwrap(), (vec![note(1), note(2)], 3));
}

#[test]
fn an_entry_that_could_not_be_read_again_is_not_written() {
    let (_folder, journal) = journal();
    // What is unfit for a screen is written as an escape, which is longer.
    for text in ["x".repeat(MAX_LINE), "\u{202e}".repeat(MAX_LINE / 4)] {
        for pen in pens(&journal) {
            let error = pen.append(&Entry { event: Event::note(text.clone()), ..note(1) }).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Storage);
        }
    }
    assert_eq!(journal.read().unwrap(), (vec![], 0));
}

#[test]
fn a_folder_that_cannot_be_made_is_a_storage_error_with_its_path() {
    let (folder, _) = journal();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let journal = FileJournal::new(file.join("state"));
    let error = journal.append(&note(1)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Storage);
    assert!(error.message.contains("file/state"), "{error}");
    assert_eq!(journal.try_turn(&holder()).map(|_| ()).unwrap_err().kind, ErrorKind::Storage);
}

fn holder() -> Holder {
    Holder {
        pid: std::process::id(),
        host: "bastion".into(),
        operator: "maria".into(),
        since: note(1).at,
        stopped: None,
    }
}

#[test]
fn the_second_change_is_told_who_has_the_turn_and_the_journal_stays_open_to_all() {
    let (_folder, journal) = journal();
    let Turn::Taken(first) = journal.try_turn(&holder()).unwrap() else { panic!("nobody has it") };
    let other = journal.clone();
    let Turn::Held(Some(held)) = other.try_turn(&holder()).unwrap() else { panic!("somebody has it") };
    assert_eq!((held.operator.as_str(), held.pid, held.stopped), ("maria", std::process::id(), Some(false)));
    journal.append(&note(1)).unwrap();
    assert_eq!(other.read().unwrap(), (vec![note(1)], 0));
    drop(first);
    assert!(matches!(other.try_turn(&holder()).unwrap(), Turn::Taken(_)));
}

#[test]
fn a_reader_does_not_wait_for_a_writer_that_does_not_go_on() {
    let (_folder, journal) = journal();
    journal.append(&note(1)).unwrap();
    let mut file = OpenOptions::new().append(true).open(journal.path()).unwrap();
    file.lock().unwrap();
    file.write_all(b"{\"at\":\"2026").unwrap();
    assert_eq!(journal.read().unwrap(), (vec![note(1)], 0), "half a line is not there yet");
}

#[test]
fn what_is_written_aside_is_read_where_it_was_begun() {
    let (_folder, journal) = journal();
    let before = journal.stamp();
    append_all(&journal, &[note(1), note(2)]);
    let aside = journal.aside();
    aside.append(&note(10)).unwrap();
    append_all(&journal, &[note(3)]);
    aside.append(&note(11)).unwrap();
    let again = journal.aside();
    again.append(&note(20)).unwrap();
    let wanted = [note(1), note(2), note(10), note(11), note(3), note(20)];
    assert_eq!(journal.read().unwrap(), (wanted.to_vec(), 0));
    assert_ne!(journal.stamp(), before);
    let stamp = journal.stamp();
    aside.append(&note(12)).unwrap();
    assert_ne!(journal.stamp(), stamp, "a segment counts, too");
}

#[test]
fn each_line_carries_its_place_and_the_hash_of_the_line_before() {
    let (_folder, journal) = journal();
    append_all(&journal, &(1..4).map(note).collect::<Vec<_>>());
    let text = std::fs::read_to_string(journal.path()).unwrap();
    let (lines, _) = journal.lines().unwrap();
    let places: Vec<Place> = lines.iter().map(|line| line.place.clone().unwrap()).collect();
    assert_eq!(places.iter().map(|place| place.seq).collect::<Vec<_>>(), [1, 2, 3]);
    let hashes: Vec<String> = text.lines().map(|line| hash(line.as_bytes())).collect();
    assert_eq!(places[0].prev, "");
    assert_eq!((&places[1].prev, &places[2].prev), (&hashes[0], &hashes[1]));
}

/// What a crash leaves of a line, without its end.
const TORN: &[u8] = b"{\"seq\":9,\"prev\":\"torn";

/// Bytes that no process of ours has finished writing.
fn tear(journal: &FileJournal, bytes: &[u8]) {
    OpenOptions::new().append(true).open(journal.path()).unwrap().write_all(bytes).unwrap();
}

#[test]
fn positions_go_on_after_lines_that_cannot_be_read() {
    let (_folder, journal) = journal();
    append_all(&journal, &[note(1), note(2)]);
    for torn in [TORN, b"no journal's\n", &vec![b'x'; MAX_LINE * 2]] {
        tear(&journal, torn);
        append_all(&journal, &[note(3), note(4)]);
    }
    let text = std::fs::read(journal.path()).unwrap();
    let all: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    for line in journal.lines().unwrap().0 {
        let place = line.place.unwrap();
        let before = usize::try_from(place.seq).unwrap() - 1;
        let hash = if before == 0 { String::new() } else { hash(all[before - 1]) };
        assert_eq!(place.prev, hash, "{}: it is the position in the file", place.seq);
    }
}

/// A file as a process of an earlier version has left it.
fn written(journal: &FileJournal, name: &str, lines: &[&str]) {
    journal.make_folder().unwrap();
    std::fs::write(journal.folder.join(name), lines.join("\n") + "\n").unwrap();
}

/// A line with its place and no more, as segments of an earlier version begin.
fn placed(prev: &str, entry: &Entry) -> String {
    let place = Some(Place { seq: 1, prev: prev.to_owned() });
    serde_json::to_string(&Line { place, after: None, binding: None, entry: entry.clone() }).unwrap()
}

fn json(entry: &Entry) -> String {
    serde_json::to_string(entry).unwrap()
}

#[test]
fn a_segment_that_was_begun_after_a_torn_line_stays_there() {
    for torn in [TORN, &vec![b'x'; MAX_LINE * 2], b"torn, with an end\n"] {
        let (_folder, journal) = journal();
        append_all(&journal, &[note(1)]);
        tear(&journal, torn);
        let aside = journal.aside();
        append_all(&*aside, &[note(10), note(11)]);
        append_all(&journal, &[note(2), note(3)]);
        let wanted = [note(1), note(10), note(11), note(2), note(3)].to_vec();
        assert_eq!(journal.read().unwrap(), (wanted, 1));
    }
}

#[test]
fn a_whole_line_without_its_end_is_before_the_segment_that_was_begun_after_it() {
    let (_folder, journal) = journal();
    append_all(&journal, &[note(1)]);
    tear(&journal, json(&note(2)).as_bytes());
    journal.aside().append(&note(10)).unwrap();
    append_all(&journal, &[note(3)]);
    assert_eq!(journal.read().unwrap(), ([note(1), note(2), note(10), note(3)].to_vec(), 0));
}

#[test]
fn a_segment_of_an_earlier_version_is_read_where_the_line_is_that_it_names() {
    let torn = std::str::from_utf8(TORN).unwrap();
    let (one, two) = (json(&note(1)), json(&note(2)));
    for named in [torn, &one] {
        let (_folder, journal) = journal();
        written(&journal, FILE, &[&one, torn, &two]);
        written(&journal, "journal-77-0.jsonl", &[&placed(&hash(named.as_bytes()), &note(10)), &json(&note(11))]);
        let wanted = [note(1), note(10), note(11), note(2)].to_vec();
        assert_eq!(journal.read().unwrap(), (wanted, 1), "{named}");
    }
}

#[test]
fn a_segment_whose_line_is_not_there_any_more_is_never_the_newest() {
    let (_folder, journal) = journal();
    written(&journal, FILE, &[&json(&note(1)), &json(&note(2))]);
    written(&journal, "journal-77-0.jsonl", &[&placed("moved away", &note(10))]);
    // Its first line is torn, and the next one names that.
    written(&journal, "journal-78-0.jsonl", &["torn", &placed(&hash(json(&note(2)).as_bytes()), &note(20))]);
    assert_eq!(journal.read().unwrap(), ([note(10), note(20), note(1), note(2)].to_vec(), 1));
}

#[test]
fn a_segment_stays_where_it_is_when_the_line_that_it_names_is_too_old_to_be_kept() {
    let (_folder, journal) = journal();
    let seen = |number| {
        let weights = crate::domain::units::WeightPair::new(90, 10).unwrap();
        Entry { event: Event::Seen { weights }, ..note(number) }
    };
    append_all(&journal, &[seen(1), note(2)]);
    journal.aside().append(&note(10)).unwrap();
    append_all(&journal, &[seen(3)]);
    let long = json(&Entry { event: Event::note("x".repeat(60 * 1024)), ..note(4) }) + "\n";
    let much = usize::try_from(scan::MAX_READ).unwrap() / long.len() + 1;
    tear(&journal, long.repeat(much).as_bytes());
    let (entries, broken) = journal.read().unwrap();
    assert_eq!((&entries[..3], broken), ([seen(1), note(10), seen(3)].as_slice(), 0), "the note is not kept");
}

#[test]
fn ways_back_beside_one_held_turn_are_read_in_the_order_in_which_they_were_begun() {
    let (_folder, journal) = journal();
    append_all(&journal, &[note(1)]);
    // The first one looks at the records before it writes, and is overtaken.
    let overtaken = journal.aside();
    let asides: Vec<_> = (10..25).map(note).collect();
    for entry in &asides {
        journal.aside().append(entry).unwrap();
    }
    overtaken.append(&note(30)).unwrap();
    append_all(&journal, &[note(2)]);
    let wanted = [&[note(1)], asides.as_slice(), &[note(30), note(2)]].concat();
    assert_eq!(journal.read().unwrap(), (wanted, 0));
}

#[test]
fn segments_of_an_earlier_version_and_of_one_place_are_in_the_order_of_their_numbers() {
    let (_folder, journal) = journal();
    append_all(&journal, &[note(1)]);
    let prev = hash(&std::fs::read(journal.path()).unwrap());
    for (number, name) in (10..).zip(["journal-99-0", "journal-99-2", "journal-99-10", "journal-100-0"]) {
        written(&journal, &format!("{name}.jsonl"), &[&placed(&prev, &note(number))]);
    }
    journal.aside().append(&note(14)).unwrap();
    append_all(&journal, &[note(2)]);
    let wanted = [1, 10, 11, 12, 13, 14, 2].map(note).to_vec();
    assert_eq!(journal.read().unwrap(), (wanted, 0));
}

#[test]
fn a_copy_of_the_journal_beside_it_is_no_segment() {
    let (_folder, journal) = journal();
    append_all(&journal, &[note(1)]);
    for name in
        ["journal-old.jsonl", "journal-1.jsonl.bak", "journal-1-2-3.jsonl", "journal-+1.jsonl", "journal-.jsonl"]
    {
        std::fs::copy(journal.path(), journal.folder.join(name)).unwrap();
    }
    assert_eq!(journal.read().unwrap(), (vec![note(1)], 0));
}

#[test]
fn a_folder_remembers_its_record_and_refuses_another() {
    let folder = tempfile::tempdir().unwrap();
    let key = crate::domain::shift::fixtures::key();
    let journal = FileJournal::of(folder.path(), "prod", &key);
    journal.append(&note(1)).unwrap();
    let shouted = GroupKey { name: "APP.example.com".into(), ..key.clone() };
    assert!(FileJournal::of(folder.path(), "other", &shouted).read().is_ok(), "the same name, written otherwise");
    let others = [
        GroupKey { name: "shop.example.com.".into(), ..key.clone() },
        GroupKey { zone_id: "Z2".into(), ..key.clone() },
        GroupKey { rtype: "CNAME".into(), ..key },
    ];
    for other in others {
        let error = FileJournal::of(folder.path(), "prod", &other).read().unwrap_err();
        assert!(error.message.contains("app.example.com.") && error.message.contains("TAPCTL_STATE_DIR"), "{error}");
        assert!(FileJournal::of(folder.path(), "prod", &other).append(&note(2)).is_err(), "nothing foreign gets in");
    }
    assert!(FileJournal::new(folder.path()).read().is_ok(), "whoever only reads may");
}

/// The journal of `prod`, that of another record, and that of another stack of which only Pulumi's side is known.
fn three(folder: &Path) -> [FileJournal; 3] {
    let key = crate::domain::shift::fixtures::key();
    let shop = GroupKey { name: "shop.example.com.".into(), ..key.clone() };
    [
        FileJournal::of(folder, "prod", &key),
        FileJournal::of(folder, "shop", &shop),
        FileJournal::of(folder, "other", &GroupKey::unset()),
    ]
}

/// Both ways of writing.
fn pens(journal: &FileJournal) -> [Arc<dyn Journal>; 2] {
    [Arc::new(journal.clone()), journal.aside()]
}

#[test]
fn whatever_the_last_line_is_another_stack_is_refused_and_the_own_never() {
    let key = crate::domain::shift::fixtures::key();
    let foreign = |shop: &FileJournal| {
        let line = Line { place: None, after: None, binding: shop.binding.clone(), entry: note(66) };
        serde_json::to_string(&line).unwrap() + "\n"
    };
    for last in ["torn", "without a record", "another record", "a stack's name alone"] {
        let folder = tempfile::tempdir().unwrap();
        let [prod, shop, other] = three(folder.path());
        // What earlier versions and older folders begin with says nothing of its owner.
        written(&prod, FILE, &[&json(&note(0))]);
        append_all(&prod, &[note(1)]);
        let line = match last {
            "torn" => TORN.to_vec(),
            "without a record" => (json(&note(2)) + "\n").into_bytes(),
            "another record" => foreign(&shop).into_bytes(),
            _ => {
                FileJournal::of(folder.path(), "org/app/prod", &GroupKey::unset()).append(&note(2)).unwrap();
                Vec::new()
            }
        };
        tear(&prod, &line);
        let before = std::fs::read(prod.path()).unwrap();
        for refused in [&shop, &other] {
            assert!(refused.read().is_err(), "{last}");
            for pen in pens(refused) {
                let error = pen.append(&note(67)).unwrap_err();
                let words = ["app.example.com.", "TAPCTL_STATE_DIR", &refused.binding.as_ref().unwrap().stack];
                assert!(words.iter().all(|word| error.message.contains(word)), "{last}: {error}");
            }
        }
        assert_eq!(std::fs::read(prod.path()).unwrap(), before, "{last}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{last}: nothing is left beside it");
        for (number, pen) in (3..).zip(pens(&prod)) {
            pen.append(&note(number)).unwrap();
        }
        let (entries, broken) = prod.read().unwrap();
        assert!(entries.ends_with(&[note(3), note(4)]) && !entries.contains(&note(66)), "{last}: {entries:?}");
        assert_eq!(broken, usize::from(last == "torn" || last == "another record"), "{last}");
        assert_eq!(FileJournal::new(folder.path()).read().unwrap(), (entries, broken), "whoever only reads, too");
        assert!(FileJournal::of(folder.path(), "again", &key).read().is_ok(), "{last}");
    }
}

#[test]
fn a_folder_that_knows_a_stack_by_its_name_alone_takes_no_other_name_and_keeps_no_record_out() {
    let folder = tempfile::tempdir().unwrap();
    let [prod, shop, other] = three(folder.path());
    append_all(&other, &[note(1)]);
    let third = FileJournal::of(folder.path(), "third", &GroupKey::unset());
    assert!(third.append(&note(9)).unwrap_err().message.contains("the stack other"));
    append_all(&prod, &[note(2)]);
    append_all(&other, &[note(3)]);
    assert!(shop.append(&note(9)).is_err() && third.append(&note(9)).is_err());
    assert_eq!(prod.read().unwrap(), ([1, 2, 3].map(note).to_vec(), 0));
}

#[test]
fn a_folder_with_nothing_but_a_segment_belongs_to_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let [prod, shop, _] = three(folder.path());
    prod.aside().append(&note(1)).unwrap();
    assert!(pens(&shop).iter().all(|pen| pen.append(&note(9)).is_err()));
    append_all(&prod, &[note(2)]);
    assert_eq!(prod.read().unwrap(), ([1, 2].map(note).to_vec(), 0));
}

#[test]
fn a_journal_of_an_earlier_version_is_read_and_goes_on() {
    let (_folder, journal) = journal();
    journal.make_folder().unwrap();
    let old = serde_json::to_string(&note(1)).unwrap() + "\n";
    std::fs::write(journal.path(), &old).unwrap();
    journal.append(&note(2)).unwrap();
    assert_eq!(journal.read().unwrap(), (vec![note(1), note(2)], 0));
    assert_eq!(journal.lines().unwrap().0[1].place, Some(Place { seq: 2, prev: hash(old.as_bytes()) }));
}

#[test]
fn many_writers_do_not_tear_each_others_lines() {
    let (_folder, journal) = journal();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let journal = journal.clone();
            let entries: Vec<_> = (0..25).map(|n| note(writer * 100 + n)).collect();
            thread::spawn(move || append_all(&journal, &entries))
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let (entries, broken) = journal.read().unwrap();
    assert_eq!((entries.len(), broken), (100, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Wherever a crash cuts the file, what was complete before is read and what comes after is not lost.
    #[test]
    fn a_crash_at_any_byte_costs_at_most_the_last_line(cut in 0usize..400) {
        let (_folder, journal) = journal();
        let before: Vec<_> = (0..4).map(note).collect();
        append_all(&journal, &before);
        let bytes = std::fs::read(journal.path()).unwrap();
        let cut = cut.min(bytes.len());
        std::fs::write(journal.path(), &bytes[..cut]).unwrap();
        let whole = String::from_utf8_lossy(&bytes[..cut]).matches('\n').count();
        journal.append(&note(9)).unwrap();
        let (entries, broken) = journal.read().unwrap();
        prop_assert!(broken <= 1);
        prop_assert_eq!(&entries[..whole], &before[..whole]);
        prop_assert_eq!(entries.last(), Some(&note(9)));
        prop_assert!(entries.len() <= whole + 2);
    }
}
