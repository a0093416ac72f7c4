//! One order for every reader, whatever was written where, torn or put in a wrong place, and while it is written.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::lines::hash;
use super::super::*;
use super::note;

/// What one process does to the folder, or what its death leaves there.
#[derive(Debug, Clone)]
enum Op {
    /// A line in the main file.
    Append,
    /// A line in a segment: of a process that writes one already, or of a new one.
    Aside(Index),
    /// A process dies after so many bytes of its line, in the main file or in its segment.
    Dies(Index, Index),
    /// What is no entry, with its end.
    Garbage,
    /// A line of an earlier version, which has no place.
    Old,
    /// A segment of an earlier version that was begun here, of this process and number.
    OldSegment(u8, u8),
    /// A segment that names no line that is there.
    Misplaced,
    /// A copy of the main file.
    Copy,
    /// Somebody reads.
    Read,
    /// Somebody reads after so many bytes of a line that another process is still writing.
    ReadWithin(Index),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => Just(Op::Append),
        6 => any::<Index>().prop_map(Op::Aside),
        4 => (any::<Index>(), any::<Index>()).prop_map(|(file, cut)| Op::Dies(file, cut)),
        1 => Just(Op::Garbage),
        1 => Just(Op::Old),
        1 => (0u8..3, any::<u8>()).prop_map(|(process, number)| Op::OldSegment(process, number)),
        1 => Just(Op::Misplaced),
        1 => Just(Op::Copy),
        2 => Just(Op::Read),
        2 => any::<Index>().prop_map(Op::ReadWithin),
    ];
    proptest::collection::vec(op, 0..40)
}

/// A segment as it should be read: where it belongs, and its entries.
#[derive(Debug, Default, Clone)]
struct Expected {
    /// Position of the main file's line behind which it comes.
    place: usize,
    entries: Vec<Entry>,
}

/// What a process leaves of a line that it did not finish.
enum Left {
    Nothing,
    Torn,
    Whole(Entry),
}

/// A folder, and what should be read of it.
struct Folder {
    _temp: tempfile::TempDir,
    journal: FileJournal,
    /// The main file's lines; nothing where one cannot be read.
    main: Vec<Option<Entry>>,
    /// By the order of their names: those of an earlier version first.
    segments: BTreeMap<(u8, u64, u64), Expected>,
    /// Processes that write segments of their own, by the name of the segment.
    pens: Vec<(u64, Arc<dyn Journal>)>,
    broken: usize,
    count: i64,
    /// What was read on the way.
    seen: Vec<(Vec<Entry>, usize)>,
}

impl Folder {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let journal = FileJournal::new(temp.path());
        Self {
            _temp: temp,
            journal,
            main: Vec::new(),
            segments: BTreeMap::new(),
            pens: Vec::new(),
            broken: 0,
            count: 0,
            seen: Vec::new(),
        }
    }

    fn next(&mut self) -> Entry {
        self.count += 1;
        note(self.count)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.journal.folder.join(name)).unwrap_or_default()
    }

    fn add(&self, name: &str, bytes: &[u8]) {
        let path = self.journal.folder.join(name);
        OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(bytes).unwrap();
    }

    /// The line of the main file behind which a segment that is begun now comes.
    fn here(&self) -> usize {
        let bytes = self.bytes(FILE);
        let is_torn = bytes.last().is_some_and(|last| *last != b'\n');
        if is_torn && self.main.last().is_some_and(Option::is_none) { self.main.len() - 1 } else { self.main.len() }
    }

    /// The hash of this line of the main file.
    fn hash_of(&self, position: usize) -> String {
        let bytes = self.bytes(FILE);
        let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        position.checked_sub(1).and_then(|before| lines.nth(before)).map(hash).unwrap_or_default()
    }

    fn appends(&mut self) {
        let entry = self.next();
        self.journal.append(&entry).unwrap();
        self.main.push(Some(entry));
    }

    fn newest_segment(&self) -> u64 {
        self.segments.keys().filter(|(kind, ..)| *kind == 1).map(|(.., number)| *number).max().unwrap_or(0)
    }

    fn aside(&mut self, which: Index) {
        let entry = self.next();
        let which = which.index(self.pens.len() + 1);
        if let Some((number, pen)) = self.pens.get(which) {
            pen.append(&entry).unwrap();
            self.segments.get_mut(&(1, 0, *number)).unwrap().entries.push(entry);
            return;
        }
        let (number, place, pen) = (self.newest_segment() + 1, self.here(), self.journal.aside());
        pen.append(&entry).unwrap();
        self.segments.insert((1, 0, number), Expected { place, entries: vec![entry] });
        self.pens.push((number, pen));
    }

    /// The bytes that a process adds to write this entry, in the file of this name.
    fn line(&self, name: &str, entry: &Entry) -> Vec<u8> {
        let bytes = self.bytes(name);
        let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let prev = lines.last().map(|line| hash(line)).unwrap_or_default();
        let place = Some(Place { seq: lines.len() as u64 + 1, prev });
        let line = Line { place, after: None, binding: None, entry: entry.clone() };
        let begin = if bytes.last().is_some_and(|last| *last != b'\n') { "\n" } else { "" };
        format!("{begin}{}\n", serde_json::to_string(&line).unwrap()).into_bytes()
    }

    /// What stands in a file after so many bytes of a line.
    fn torn(line: &[u8], cut: usize, entry: Entry) -> Left {
        match line[..cut].trim_ascii() {
            [] => Left::Nothing,
            // Only its end is missing.
            all if all == line.trim_ascii() => Left::Whole(entry),
            _ => Left::Torn,
        }
    }

    fn dies(&mut self, which: Index, cut: Index) {
        let entry = self.next();
        let which = which.index(self.pens.len() + 1);
        if which == self.pens.len() {
            let line = self.line(FILE, &entry);
            let cut = cut.index(line.len());
            self.add(FILE, &line[..cut]);
            match Self::torn(&line, cut, entry) {
                Left::Nothing => {}
                Left::Torn => {
                    self.broken += 1;
                    self.main.push(None);
                }
                Left::Whole(entry) => self.main.push(Some(entry)),
            }
            return;
        }
        let (number, _) = self.pens.swap_remove(which);
        let name = format!("journal-{number}.jsonl");
        let line = self.line(&name, &entry);
        let cut = cut.index(line.len());
        self.add(&name, &line[..cut]);
        match Self::torn(&line, cut, entry) {
            Left::Whole(entry) => self.segments.get_mut(&(1, 0, number)).unwrap().entries.push(entry),
            Left::Torn => self.broken += 1,
            Left::Nothing => {}
        }
    }

    /// Ends a torn line of the main file, as whoever writes by hand does.
    fn by_hand(&mut self, line: &str) {
        let begin = if self.bytes(FILE).last().is_some_and(|last| *last != b'\n') { "\n" } else { "" };
        self.add(FILE, format!("{begin}{line}\n").as_bytes());
    }

    fn old_segment(&mut self, process: u8, number: u8) {
        let key = (0, u64::from(process), u64::from(number));
        let place = self.here();
        // It says no position: of lines that are the same the first is the one that it names.
        let is_named = !(1..place).any(|earlier| self.hash_of(earlier) == self.hash_of(place));
        if self.segments.contains_key(&key) || !is_named {
            return;
        }
        let entry = self.next();
        self.segment(&format!("journal-{process}-{number}.jsonl"), self.hash_of(place), None, &entry);
        self.segments.insert(key, Expected { place, entries: vec![entry] });
    }

    fn segment(&self, name: &str, prev: String, after: Option<u64>, entry: &Entry) {
        let line = Line { place: Some(Place { seq: 1, prev }), after, binding: None, entry: entry.clone() };
        self.add(name, (serde_json::to_string(&line).unwrap() + "\n").as_bytes());
    }

    fn misplaced(&mut self) {
        let (entry, number) = (self.next(), self.newest_segment() + 1);
        self.segment(&format!("journal-{number}.jsonl"), hash(b"gone"), Some(self.main.len() as u64), &entry);
        self.segments.insert((1, 0, number), Expected { place: 0, entries: vec![entry] });
    }

    /// What should be read now.
    fn wanted(&self) -> (Vec<Entry>, usize) {
        let behind = |place: usize| {
            let here = self.segments.values().filter(move |segment| segment.place == place);
            here.flat_map(|segment| segment.entries.clone())
        };
        let mut wanted: Vec<Entry> = behind(0).collect();
        for (position, entry) in (1..).zip(&self.main) {
            wanted.extend(entry.clone());
            wanted.extend(behind(position));
        }
        (wanted, self.broken)
    }

    fn reads(&mut self) {
        self.seen.push(self.journal.read().unwrap());
    }

    fn reads_within(&mut self, cut: Index) {
        let entry = self.next();
        let line = self.line(FILE, &entry);
        let cut = cut.index(line.len());
        // While the lock is held nobody can tell whether the last line is torn or is still being written, until the writer
        // has begun a line of its own.
        let is_torn = self.main.last().is_some_and(Option::is_none) && !self.bytes(FILE).ends_with(b"\n");
        let said = self.broken - usize::from(is_torn && cut == 0);
        let path = self.journal.folder.join(FILE);
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.lock().unwrap();
        file.write_all(&line[..cut]).unwrap();
        self.reads();
        assert_eq!(self.seen.last().unwrap().1, said, "what is being written is not said to be torn");
        file.write_all(&line[cut..]).unwrap();
        self.main.push(Some(entry));
    }

    fn does(&mut self, op: &Op) {
        match *op {
            Op::Append => self.appends(),
            Op::Aside(which) => self.aside(which),
            Op::Dies(which, cut) => self.dies(which, cut),
            Op::Garbage => {
                self.by_hand("no journal's");
                self.main.push(None);
                self.broken += 1;
            }
            Op::Old => {
                let entry = self.next();
                self.by_hand(&serde_json::to_string(&entry).unwrap());
                self.main.push(Some(entry));
            }
            Op::OldSegment(process, number) => self.old_segment(process, number),
            Op::Misplaced => self.misplaced(),
            Op::Copy => std::fs::write(self.journal.folder.join("journal-copy.jsonl"), self.bytes(FILE)).unwrap(),
            Op::Read => self.reads(),
            Op::ReadWithin(cut) => self.reads_within(cut),
        }
    }

    /// Every line that says its place says the one that it has, and the line before it.
    fn places_hold(&self) {
        let mut names = vec![(FILE.to_owned(), None)];
        for ((kind, process, number), segment) in &self.segments {
            let name = if *kind == 0 {
                format!("journal-{process}-{number}.jsonl")
            } else {
                format!("journal-{number}.jsonl")
            };
            names.push((name, Some(segment.place)));
        }
        for (name, begun) in names {
            let bytes = self.bytes(&name);
            let mut prev = begun.map_or_else(String::new, |place| self.hash_of(place));
            for (seq, raw) in (1..).zip(bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())) {
                if let Some(Line { place: Some(place), after, .. }) = Line::read(raw) {
                    let misplaced = seq == 1 && place.prev == hash(b"gone");
                    assert!(misplaced || place == Place { seq, prev }, "{name}: {place:?}");
                    let is_first = begun.is_some() && seq == 1;
                    assert!(after.is_none() || is_first, "{name}: only a segment's first line says where it begins");
                    assert!(misplaced || after.is_none_or(|after| Some(after as usize) == begun), "{name}: {after:?}");
                }
                prev = hash(raw);
            }
        }
    }
}

/// Whether all of `part` stands in `whole`, in the same order.
fn is_within(part: &[Entry], whole: &[Entry]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|entry| rest.any(|other| other == entry))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn what_was_written_whole_is_read_in_one_order_and_what_was_torn_is_said(ops in ops()) {
        let mut folder = Folder::new();
        for op in ops {
            folder.does(&op);
            prop_assert_eq!(folder.journal.read().unwrap(), folder.wanted());
        }
        let last = folder.wanted();
        let readers = [FileJournal::new(&folder.journal.folder), folder.journal.clone()];
        for reader in readers {
            prop_assert_eq!(reader.read().unwrap(), last.clone());
        }
        prop_assert_eq!(folder.journal.aside().read().unwrap(), last.clone());
        for (entries, broken) in &folder.seen {
            prop_assert!(is_within(entries, &last.0), "{entries:?} and later {:?}", last.0);
            prop_assert!(*broken <= last.1);
        }
        folder.places_hold();
    }
}

/// Whoever polls while others write sees nothing that is not so later, and nothing torn.
#[test]
fn who_reads_while_others_write_sees_nothing_that_is_not_so_later() {
    let folder = tempfile::tempdir().unwrap();
    let journal = FileJournal::new(folder.path());
    let writing = AtomicBool::new(true);
    let seen = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = Vec::new();
            while writing.load(Ordering::Relaxed) {
                seen.push(journal.read().unwrap());
            }
            seen
        });
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let journal = &journal;
                scope.spawn(move || {
                    let aside = journal.aside();
                    for n in 0..30 {
                        let pen: &dyn Journal = if writer < 2 { journal } else { aside.as_ref() };
                        pen.append(&note(writer * 100 + n)).unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        writing.store(false, Ordering::Relaxed);
        reader.join().unwrap()
    });
    let (last, broken) = journal.read().unwrap();
    assert_eq!((last.len(), broken), (120, 0));
    for (entries, broken) in seen {
        assert!(is_within(&entries, &last) && broken == 0, "{broken} torn; {entries:?}");
    }
}
