//! What goes wrong, and when: the rows and the columns of `docs/faults.md`.

use std::time::Duration;

use crate::support::way::{Call, Fate, LIST, WRITE};

/// A change that is made beside a fault.
pub(super) struct Change {
    pub(super) name: &'static str,
    /// The letter by which moments name it.
    letter: char,
    pub(super) line: &'static str,
    pub(super) before: &'static [&'static str],
    /// What leads everything to the legacy stack afterwards, or says that everything goes there.
    pub(super) back: &'static str,
}

const ROLLBACK: &str = "rollback --yes --json";

pub(super) const CHANGES: [Change; 4] = [
    Change { name: "shift", letter: 's', line: "shift --step +10 --yes --wait --json", before: &[], back: ROLLBACK },
    Change {
        name: "rollback",
        letter: 'b',
        line: "rollback --yes --wait --json",
        before: &["shift --to 10 --yes"],
        back: ROLLBACK,
    },
    Change {
        name: "adopt",
        letter: 'a',
        line: "adopt --yes --wait --json",
        before: &["release --to legacy --yes"],
        back: ROLLBACK,
    },
    Change {
        name: "release",
        letter: 'r',
        line: "release --to legacy --yes --wait --json",
        before: &[],
        back: "rollback --print --json",
    },
];

/// Which calls a moment means.
enum At {
    /// The nth call of this operation in this region, or in any.
    Nth(&'static str, &'static str, usize),
    /// The nth one since the batch was sent.
    Since(&'static str, usize),
    /// Every call.
    Every,
    /// Every call from the batch on, the batch included or not.
    From { sending: bool },
}

/// A moment of a change: a call of AWS, or a stage of several.
pub(super) struct Moment {
    pub(super) name: &'static str,
    at: At,
    /// The letters of the changes that have it.
    of: &'static str,
}

const NEW: &str = "us-west-2";
const LEGACY: &str = "us-east-1";

pub(super) const MOMENTS: [Moment; 19] = [
    Moment { name: "who asks", at: At::Nth("GetCallerIdentity", "", 1), of: "sbar" },
    Moment { name: "records, first look", at: At::Nth(LIST, "", 1), of: "sbar" },
    Moment { name: "records, look before sending", at: At::Nth(LIST, "", 2), of: "sar" },
    Moment { name: "requests and errors, new", at: At::Nth("GetMetricData", NEW, 1), of: "s" },
    Moment { name: "requests and errors, legacy", at: At::Nth("GetMetricData", LEGACY, 1), of: "s" },
    Moment { name: "alarms", at: At::Nth("DescribeAlarms", NEW, 1), of: "s" },
    Moment { name: "replication task", at: At::Nth("DescribeReplicationTasks", NEW, 1), of: "s" },
    Moment { name: "tables", at: At::Nth("DescribeTableStatistics", NEW, 1), of: "s" },
    Moment { name: "service", at: At::Nth("DescribeServices", NEW, 1), of: "s" },
    Moment { name: "tasks", at: At::Nth("DescribeTasks", NEW, 1), of: "s" },
    Moment { name: "targets", at: At::Nth("DescribeTargetHealth", NEW, 1), of: "s" },
    Moment { name: "legacy hosts", at: At::Nth("DescribeInstanceHealth", LEGACY, 1), of: "s" },
    Moment { name: "the sending", at: At::Nth(WRITE, "", 1), of: "sbar" },
    Moment { name: "INSYNC, first look", at: At::Since("GetChange", 1), of: "sbar" },
    Moment { name: "INSYNC, next look", at: At::Since("GetChange", 2), of: "sbar" },
    Moment { name: "records, read back", at: At::Since(LIST, 1), of: "sbar" },
    Moment { name: "every call", at: At::Every, of: "sbar" },
    Moment { name: "from the sending on", at: At::From { sending: true }, of: "sbar" },
    Moment { name: "after the sending", at: At::From { sending: false }, of: "sbar" },
];

/// A stretch of several calls of which only the first counts for what is done to a host once.
const LAST_SINGLE: usize = 16;

impl Moment {
    pub(super) fn is_stretch(&self) -> bool {
        MOMENTS.iter().position(|moment| moment.name == self.name) >= Some(LAST_SINGLE)
    }

    pub(super) fn is_in(&self, change: &Change) -> bool {
        self.of.contains(change.letter)
    }

    /// Whether it is the sending itself.
    pub(super) fn is_sending(&self) -> bool {
        matches!(self.at, At::Nth(WRITE, ..))
    }

    /// Whether the change is to be PENDING for a second look.
    pub(super) fn wants_pending(&self) -> bool {
        matches!(self.at, At::Since("GetChange", 2))
    }

    /// Whether it means this call; `goes_on`, whether a fault that does not end with one call does.
    pub(super) fn means(&self, call: &Call, goes_on: bool) -> bool {
        let is = |at: usize, nth: usize| at == nth || (goes_on && at > nth);
        match self.at {
            At::Nth(operation, region, nth) => {
                call.operation == operation && (region.is_empty() || call.region == region) && is(call.nth, nth)
            }
            At::Since(operation, nth) => call.operation == operation && is(call.since, nth),
            At::Every => true,
            At::From { sending } => call.since > 0 && (sending || call.operation != WRITE),
        }
    }
}

/// What is done to the host, or by a colleague.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    KilledBefore,
    KilledAfter,
    Terminated,
    Interrupted,
    Stopped,
    JournalLocked,
    TurnHeld,
    JournalTorn,
    JournalIsFolder,
    FolderGone,
    DiskFull,
    WrittenBefore,
    WrittenAfter,
    TimePasses,
    OutputsGone,
}

impl Deed {
    /// Whether the process ends by it.
    pub(super) fn ends_it(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter | Self::Terminated | Self::Interrupted)
    }

    /// Whether the journal is lost with it, so that it can tell nothing afterwards.
    pub(super) fn loses_journal(self) -> bool {
        matches!(self, Self::FolderGone | Self::JournalIsFolder)
    }
}

pub(super) enum Does {
    /// To the call, or to every one from it on.
    Call { goes_on: bool, fate: fn() -> Fate },
    /// To the host.
    Host(Deed),
    /// The change never becomes INSYNC.
    NeverInsync,
    /// From the beginning: nothing of AWS is where it was.
    Endpoint(fn(&str) -> String),
}

pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) does: Does,
}

impl Fault {
    /// Whether it can come at this moment at all.
    pub(super) fn can_be_at(&self, moment: &Moment) -> bool {
        match self.does {
            Does::Call { .. } => true,
            Does::Host(_) => !moment.is_stretch(),
            Does::NeverInsync => matches!(moment.at, At::Since("GetChange", 1)),
            Does::Endpoint(_) => matches!(moment.at, At::Every),
        }
    }

    /// Whether somebody waits because of it, so that what comes of it hangs on how fast the machine is.
    pub(super) fn is_slow(&self) -> bool {
        let waits = |fate: &Fate| matches!(fate, Fate::Silent { .. } | Fate::Slow(_) | Fate::Drips | Fate::Late);
        matches!(self.does, Does::NeverInsync | Does::Endpoint(_))
            || matches!(self.does, Does::Host(Deed::Stopped | Deed::JournalLocked | Deed::TurnHeld))
            || matches!(&self.does, Does::Call { fate, .. } if waits(&fate()))
    }
}

const fn call(name: &'static str, fate: fn() -> Fate) -> Fault {
    Fault { name, does: Does::Call { goes_on: false, fate } }
}

const fn on(name: &'static str, fate: fn() -> Fate) -> Fault {
    Fault { name, does: Does::Call { goes_on: true, fate } }
}

const fn host(name: &'static str, deed: Deed) -> Fault {
    Fault { name, does: Does::Host(deed) }
}

const PAGE: &[u8] = b"<html><head><title>Sign in</title></head><body><form>Welcome to the hotel</form></body></html>";
const JUNK: &[u8] = b"\x00\x01\xfe\xffnonsense\x1b[2J{\"a\":<";

fn coded(code: &'static str, after: bool) -> Fate {
    Fate::Coded { code, after }
}

fn answered(status: &'static str, kind: &'static str, body: &'static [u8], after: bool) -> Fate {
    Fate::Answered { status, kind, body, after }
}

pub(super) const FAULTS: [Fault; 42] = [
    call("throttled once", || coded("Throttling", false)),
    on("throttled, again and again", || coded("Throttling", false)),
    call("another change goes first (PriorRequestNotComplete)", || coded("PriorRequestNotComplete", false)),
    call("500 once", || coded("InternalFailure", false)),
    on("503, again and again", || coded("ServiceUnavailable", false)),
    on("denied", || coded("AccessDenied", false)),
    on("keys expire", || coded("ExpiredToken", false)),
    on("the signature is of another time", || coded("RequestTimeTooSkewed", false)),
    on("refused as invalid", || coded("InvalidInput", false)),
    on("not found", || coded("NoSuchHostedZone", false)),
    on("a proxy's page, 200", || answered("200 OK", "text/html", PAGE, false)),
    on("sent elsewhere, 302", || answered("302 Found", "text/html", PAGE, false)),
    on("an empty answer", || answered("200 OK", "text/xml", b"", false)),
    on("garbage", || answered("200 OK", "text/xml", JUNK, false)),
    on("connection closed, again and again", || Fate::Closed { after: false }),
    call("connection reset once", || Fate::Reset { after: false }),
    on("no answer, ever", || Fate::Silent { after: false }),
    call("carried out, answer lost", || Fate::Closed { after: true }),
    call("carried out, no answer, ever", || Fate::Silent { after: true }),
    call("carried out, 504", || answered("504 Gateway Timeout", "text/html", PAGE, true)),
    call("carried out, garbage", || answered("200 OK", "text/xml", JUNK, true)),
    call("carried out, and said to be throttled", || coded("Throttling", true)),
    call("carried out, and said to be expired", || coded("ExpiredToken", true)),
    call("carried out, and said to be denied", || coded("AccessDenied", true)),
    call("answer cut, connection closed", || Fate::Cut { framed: false }),
    call("answer cut, framed as a whole one", || Fate::Cut { framed: true }),
    call("slow, 2 s", || Fate::Slow(Duration::from_secs(2))),
    call("answer in small pieces", || Fate::Drips),
    call("delivered twice", || Fate::Twice),
    call("an old answer again", || Fate::Old),
    call("an answer about another name", || Fate::Altered("app.example.com", "shop.example.net")),
    call("AWS's clock an hour ahead", || Fate::Dated(3_600)),
    call("AWS's clock an hour behind", || Fate::Dated(-3_600)),
    call("arrives after its caller gave up", || Fate::Late),
    Fault { name: "INSYNC never comes", does: Does::NeverInsync },
    Fault { name: "nobody listens there", does: Does::Endpoint(|_| "http://127.0.0.1:9".to_owned()) },
    Fault { name: "no such name in DNS", does: Does::Endpoint(|_| "http://aws.invalid".to_owned()) },
    Fault { name: "TLS refused", does: Does::Endpoint(|at| at.replacen("http://", "https://", 1)) },
    host("a colleague writes before", Deed::WrittenBefore),
    host("a colleague writes after", Deed::WrittenAfter),
    host("ten minutes pass at once", Deed::TimePasses),
    host("killed before it arrives", Deed::KilledBefore),
];

/// More of what is done to the host; a list of its own only for its length.
pub(super) const HOST_FAULTS: [Fault; 11] = [
    host("killed before the answer", Deed::KilledAfter),
    host("ended by SIGTERM", Deed::Terminated),
    host("interrupted (Ctrl-C)", Deed::Interrupted),
    host("stopped for 2 s", Deed::Stopped),
    host("journal locked", Deed::JournalLocked),
    host("turn held", Deed::TurnHeld),
    host("journal torn", Deed::JournalTorn),
    host("journal is a folder", Deed::JournalIsFolder),
    host("state folder gone", Deed::FolderGone),
    host("disk full", Deed::DiskFull),
    host("outputs gone", Deed::OutputsGone),
];

/// All of them, in the order of the document.
pub(super) fn faults() -> impl Iterator<Item = &'static Fault> {
    FAULTS.iter().chain(&HOST_FAULTS)
}
