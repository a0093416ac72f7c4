//! The replication: full load, then changes, from RDS MySQL to Aurora.
//!
//! Lag is what a queue makes of it: rows read but not yet applied, divided by how many rows a second can be applied.

use super::random::{Random, RandomWalk};

/// Row changes for each request that the application serves.
const WRITES_PER_REQUEST: f64 = 0.35;
/// Rows a second that can be read from the source, and applied on the target.
const READING: f64 = 2_600.0;
const APPLYING: f64 = 900.0;
/// Above this lag validation has rows it cannot compare yet.
const VALIDATION_LAG: f64 = 30.0;
/// Part of the full load that is done at the start, if one is left.
const LOADED_AT_START: f64 = 0.6;
/// When the full load ran, in seconds before the start, if it is over.
const LOADED: (i64, i64) = (97_200, 86_700);
/// Seconds that a full load takes when nothing else is said.
const LOADING: f64 = 420.0;

/// Name, part of the writes, parts of inserts, updates and deletes, and rows of each table.
const TABLES: [(&str, f64, [f64; 3], i64); 12] = [
    ("addresses", 0.02, [0.6, 0.35, 0.05], 1_904_377),
    ("audit_log", 0.22, [1.0, 0.0, 0.0], 48_210_934),
    ("carts", 0.17, [0.3, 0.5, 0.2], 2_318_660),
    ("coupons", 0.01, [0.2, 0.75, 0.05], 18_402),
    ("customers", 0.04, [0.25, 0.74, 0.01], 1_552_093),
    ("inventory", 0.15, [0.02, 0.97, 0.01], 412_886),
    ("order_items", 0.16, [0.85, 0.13, 0.02], 31_775_120),
    ("orders", 0.11, [0.4, 0.59, 0.01], 12_480_551),
    ("payments", 0.06, [0.5, 0.5, 0.0], 11_906_204),
    ("products", 0.01, [0.1, 0.88, 0.02], 96_310),
    ("reviews", 0.01, [0.8, 0.15, 0.05], 3_044_781),
    ("shipments", 0.04, [0.35, 0.65, 0.0], 9_871_448),
];

/// The table that bulk jobs write to.
const BULK_TABLE: &str = "inventory";

/// State of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableState {
    BeforeLoad,
    Loading,
    Completed,
    Error,
}

impl TableState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BeforeLoad => "Before load",
            Self::Loading => "Full load",
            Self::Completed => "Table completed",
            Self::Error => "Table error",
        }
    }
}

/// One replicated table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    share: f64,
    mix: [f64; 3],
    pub(crate) rows: i64,
    pub(crate) loaded: i64,
    pub(crate) state: TableState,
    /// Inserts, updates, deletes that were read.
    pub(crate) captured: [f64; 3],
    /// Of those, the ones that were applied.
    pub(crate) applied: [f64; 3],
    pub(crate) mismatched: i64,
    pub(crate) unchecked: i64,
}

impl Table {
    fn waiting(&self) -> f64 {
        self.captured.iter().sum::<f64>() - self.applied.iter().sum::<f64>()
    }

    pub(crate) fn validation(&self) -> &'static str {
        match self.state {
            TableState::Error => "Table error",
            TableState::BeforeLoad | TableState::Loading => "Pending validation",
            TableState::Completed if self.mismatched > 0 => "Mismatched records",
            TableState::Completed if self.unchecked > 0 => "Pending records",
            TableState::Completed => "Validated",
        }
    }

    fn capture(&mut self, rows: f64) {
        for (captured, part) in self.captured.iter_mut().zip(self.mix) {
            *captured += rows * part;
        }
    }

    fn apply(&mut self, part: f64) {
        for (applied, captured) in self.applied.iter_mut().zip(self.captured) {
            *applied += (captured - *applied) * part;
        }
    }
}

/// The full load: when it started and when it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FullLoad {
    pub(crate) started: i64,
    pub(crate) finished: i64,
}

/// The forward task.
#[derive(Debug)]
pub(crate) struct Dms {
    pub(crate) tables: Vec<Table>,
    pub(crate) load: FullLoad,
    /// Rows changed on the source but not read yet.
    unread: f64,
    bulk: Option<(i64, f64)>,
    /// Seconds.
    pub(crate) source_lag: f64,
    /// Seconds, with the source lag in it.
    pub(crate) target_lag: f64,
    /// Rows a second.
    pub(crate) read_rate: f64,
    pub(crate) apply_rate: f64,
    /// Rows read and waiting.
    pub(crate) backlog: f64,
    /// Rows a second that the application writes.
    pub(crate) writes: f64,
    base: RandomWalk,
    random: Random,
}

impl Dms {
    pub(crate) fn new(seed: u64, start: i64, full_load_left: f64) -> Self {
        let load = if full_load_left > 0.0 {
            let left = full_load_left.min(1e7);
            let total = left / (1.0 - LOADED_AT_START);
            FullLoad { started: start - (total * LOADED_AT_START) as i64, finished: start + left.ceil() as i64 }
        } else {
            FullLoad { started: start - LOADED.0, finished: start - LOADED.1 }
        };
        let mut random = Random::new(seed, 6);
        let tables = TABLES.iter().map(|(name, share, mix, rows)| {
            let past = if full_load_left > 0.0 { 0.0 } else { random.between(9.0e6, 1.1e7) * share };
            let counts = mix.map(|part| (past * part).round());
            let (loaded, state) = (*rows, TableState::Completed);
            let (captured, applied) = (counts, counts);
            Table {
                name,
                share: *share,
                mix: *mix,
                rows: *rows,
                loaded,
                state,
                captured,
                applied,
                mismatched: 0,
                unchecked: 0,
            }
        });
        Self {
            tables: tables.collect(),
            load,
            unread: 0.0,
            bulk: None,
            source_lag: 0.8,
            target_lag: 2.2,
            read_rate: 0.0,
            apply_rate: 0.0,
            backlog: 0.0,
            writes: 0.0,
            base: RandomWalk::new(90.0),
            random,
        }
    }

    /// A task that was just made and started: nothing is loaded yet. `full_load` is in seconds, 0 for the usual time.
    pub(crate) fn begin(seed: u64, now: i64, full_load: f64) -> Self {
        let seconds = if full_load > 0.0 { full_load.min(1e7) } else { LOADING };
        let mut dms = Self::new(seed, now, seconds);
        dms.load = FullLoad { started: now, finished: now + seconds.ceil() as i64 };
        dms.load_rows(now);
        dms
    }

    /// Without a task nothing is replicated, and the application writes all the same.
    pub(crate) fn idle(&mut self, requests: f64) {
        self.writes = requests * WRITES_PER_REQUEST;
        (self.read_rate, self.apply_rate, self.backlog) = (0.0, 0.0, 0.0);
    }

    /// A bulk job writes until that second.
    pub(crate) fn bulk(&mut self, until: i64, rows_per_second: f64) {
        self.bulk = Some((until, rows_per_second.max(0.0)));
    }

    pub(crate) fn fail_table(&mut self, name: &str) {
        if let Some(table) = self.tables.iter_mut().find(|table| table.name == name) {
            table.state = TableState::Error;
        }
    }

    pub(crate) fn mismatch(&mut self, name: &str, rows: u64) {
        if let Some(table) = self.tables.iter_mut().find(|table| table.name == name) {
            table.mismatched = i64::try_from(rows).unwrap_or(i64::MAX);
        }
    }

    /// Per cent of the full load.
    pub(crate) fn progress(&self, now: i64) -> f64 {
        let total = (self.load.finished - self.load.started).max(1) as f64;
        ((now - self.load.started) as f64 / total * 100.0).clamp(0.0, 100.0)
    }

    pub(crate) fn is_loading(&self, now: i64) -> bool {
        now < self.load.finished
    }

    pub(crate) fn count(&self, state: TableState) -> usize {
        self.tables.iter().filter(|table| table.state == state).count()
    }

    /// Replicates one second, while the application serves so many requests.
    pub(crate) fn tick(&mut self, now: i64, requests: f64) {
        self.writes = requests * WRITES_PER_REQUEST;
        let bulk = self.bulk.filter(|(until, _)| now < *until).map_or(0.0, |(_, rows)| rows);
        let base = 2.0 + 0.8 * self.base.step(&mut self.random);
        self.read(bulk);
        if self.is_loading(now) {
            self.load_rows(now);
            self.apply_rate = 0.0;
            self.backlog = self.tables.iter().map(Table::waiting).sum();
            return;
        }
        for table in &mut self.tables {
            if table.state != TableState::Error {
                (table.state, table.loaded) = (TableState::Completed, table.rows);
            }
        }
        self.apply(base.max(0.6));
        for table in &mut self.tables {
            // Rows of a busy table cannot be compared while their changes are still on the way.
            table.unchecked = if self.target_lag > VALIDATION_LAG { (table.waiting() / 8.0) as i64 } else { 0 };
        }
    }

    fn read(&mut self, bulk: f64) {
        let reading = READING * (1.0 + 0.02 * self.random.normal());
        self.unread += self.writes + bulk;
        self.read_rate = self.unread.min(reading);
        self.unread -= self.read_rate;
        self.source_lag = 0.4 + 0.6 * self.random.normal().abs() + self.unread / reading;
        let bulk_part = bulk / (self.writes + bulk).max(1.0) * self.read_rate;
        let usual = self.read_rate - bulk_part;
        for table in self.tables.iter_mut().filter(|table| table.state != TableState::Error) {
            table.capture(usual * table.share + if table.name == BULK_TABLE { bulk_part } else { 0.0 });
        }
    }

    /// Applies what has waited for at least the time a batch takes.
    fn apply(&mut self, batch: f64) {
        let applying = APPLYING * (1.0 + 0.03 * self.random.normal());
        let live = |table: &&mut Table| table.state != TableState::Error;
        let waiting: f64 = self.tables.iter_mut().filter(live).map(|table| table.waiting()).sum();
        let fresh = self.read_rate.min(self.writes) * batch;
        let applied = (waiting - fresh).clamp(0.0, applying);
        let part = if waiting > 0.0 { applied / waiting } else { 0.0 };
        self.tables.iter_mut().filter(live).for_each(|table| table.apply(part));
        self.apply_rate = applied;
        self.backlog = waiting - applied;
        self.target_lag = self.source_lag + batch + (self.backlog - fresh).max(0.0) / applying;
    }

    /// Tables are loaded one after the other; changes meanwhile wait.
    fn load_rows(&mut self, now: i64) {
        let total: i64 = self.tables.iter().map(|table| table.rows).sum();
        let mut left = (total as f64 * self.progress(now) / 100.0) as i64;
        for table in self.tables.iter_mut().filter(|table| table.state != TableState::Error) {
            table.loaded = left.clamp(0, table.rows);
            left -= table.loaded;
            table.state = match table.loaded {
                loaded if loaded == table.rows => TableState::Completed,
                0 => TableState::BeforeLoad,
                _ => TableState::Loading,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_up_with_the_usual_writes() {
        let mut dms = Dms::new(1, 0, 0.0);
        for now in 0..3_600 {
            dms.tick(now, 412.0);
            assert!((0.5..8.0).contains(&dms.target_lag), "{}", dms.target_lag);
            assert!(dms.target_lag > dms.source_lag);
        }
        assert!(dms.tables.iter().all(|table| table.validation() == "Validated"));
        assert!((dms.apply_rate - 144.0).abs() < 40.0, "{}", dms.apply_rate);
    }

    #[test]
    fn a_bulk_job_drives_the_lag_and_it_drains() {
        let mut dms = Dms::new(1, 0, 0.0);
        (0..60).for_each(|now| dms.tick(now, 412.0));
        dms.bulk(210, 2_200.0);
        let lags: Vec<f64> = (60..900)
            .map(|now| {
                dms.tick(now, 412.0);
                dms.target_lag
            })
            .collect();
        assert!(lags[..20].iter().all(|lag| *lag < 60.0));
        assert!(lags[60] > 60.0, "{}", lags[60]);
        assert!(lags.iter().copied().fold(0.0, f64::max) > 150.0);
        assert!(lags[839] < 10.0, "{}", lags[839]);
        assert!(dms.tables.iter().all(|table| table.waiting() >= -1e-6));
    }

    #[test]
    fn a_failed_table_stands_still_and_the_others_go_on() {
        let mut dms = Dms::new(1, 0, 0.0);
        (0..60).for_each(|now| dms.tick(now, 412.0));
        dms.fail_table("orders");
        let before: Vec<f64> = dms.tables.iter().map(|table| table.applied.iter().sum()).collect();
        (60..120).for_each(|now| dms.tick(now, 412.0));
        for (table, before) in dms.tables.iter().zip(before) {
            let after: f64 = table.applied.iter().sum();
            assert_eq!(after > before, table.name != "orders", "{}", table.name);
        }
        assert_eq!(dms.count(TableState::Error), 1);
    }

    #[test]
    fn a_task_that_was_just_made_loads_everything_then_catches_up_and_validates() {
        let mut dms = Dms::begin(1, 1_000, 0.0);
        assert_eq!((dms.progress(1_000), dms.count(TableState::BeforeLoad)), (0.0, 12));
        (1_000..1_420).for_each(|now| dms.tick(now, 412.0));
        assert!(dms.count(TableState::Completed) >= 11);
        dms.tick(1_420, 412.0);
        assert!(!dms.is_loading(1_420) && dms.target_lag > 60.0, "{}", dms.target_lag);
        assert!(dms.tables.iter().any(|table| table.validation() == "Pending records"));
        (1_421..1_720).for_each(|now| dms.tick(now, 412.0));
        assert!(dms.target_lag < 8.0, "{}", dms.target_lag);
        assert!(dms.tables.iter().all(|table| table.validation() == "Validated"));
    }

    #[test]
    fn a_full_load_ends_and_changes_follow() {
        let mut dms = Dms::new(1, 1_000, 300.0);
        dms.tick(1_000, 412.0);
        assert!((59.0..62.0).contains(&dms.progress(1_000)));
        assert!(dms.count(TableState::Completed) < 12 && dms.is_loading(1_000));
        (1_001..1_300).for_each(|now| dms.tick(now, 412.0));
        assert!(dms.backlog > 10_000.0);
        (1_300..1_500).for_each(|now| dms.tick(now, 412.0));
        assert_eq!(dms.count(TableState::Completed), 12);
        assert!(dms.backlog < 2_000.0, "{}", dms.backlog);
    }
}
