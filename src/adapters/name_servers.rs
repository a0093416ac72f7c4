//! The zone's own name servers, asked by UDP as resolvers ask them.
//!
//! Each query has a socket of its own, so that the system picks its port, and a number that nobody can guess; the socket is
//! connected, so that only that server's datagrams come in. An answer counts when number, question and kind are those of
//! the query; everything else is waited out (RFC 5452).

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, RCODE, TYPE};
use tokio::net::{UdpSocket, lookup_host};

use super::aws::Aws;
use crate::domain::evidence::answers::{Answer, NoAnswer};
use crate::domain::text::Foreign;
use crate::domain::traffic::{Record, RecordGroup, Side, Target, same_name};
use crate::ports::{Asked, ErrorKind, NameServers, PortError, PortFuture};

/// A name server is asked for at most so long. Those of Route 53 answer in tens of milliseconds.
const DEADLINE: Duration = Duration::from_secs(2);
/// The system's resolver has so long.
const RESOLVER_DEADLINE: Duration = Duration::from_secs(5);
/// A balancer answers with up to eight of its addresses; one that it gave so long ago is still its own (Elastic Load
/// Balancing user guide: addresses leave DNS before they leave the balancer).
const ADDRESS_KEPT: Duration = Duration::from_mins(10);
/// A zone keeps its servers; Route 53 is asked for them so often.
const SERVERS_KEPT: Duration = Duration::from_hours(1);
/// The longest datagram that is read; a longer answer says of itself that it is cut off.
const LONGEST: usize = 4096;
/// Where name servers listen.
const PORT: u16 = 53;

/// Answers a datagram to the server of that address within this process; nothing for one that is lost.
pub type InProcess = Arc<dyn Fn(SocketAddr, &[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// The name servers of the stack's zone.
pub struct ZoneServers {
    aws: Arc<Aws>,
    /// Who answers, where Route 53 itself is not AWS's: a simulator's own servers by name, and nobody else.
    simulated: Option<Vec<(String, SocketAddr)>>,
    /// Where the simulator is in this process.
    in_process: Option<InProcess>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// What is asked for.
    question: Option<(String, TYPE)>,
    /// The zone's servers, and when Route 53 named them.
    names_of_servers: Option<(Vec<String>, Instant)>,
    servers: BTreeMap<String, SocketAddr>,
    /// Whose each address is, and when its balancer said so.
    addresses: BTreeMap<IpAddr, (Side, Instant)>,
    /// Whose each name is, where the records are CNAMEs.
    names: Vec<(String, Side)>,
}

impl ZoneServers {
    /// Those of this stack. Where something else than AWS answers for Route 53, only the servers of a simulator, which
    /// `simulated` names: what a stand-in calls its zone is somebody else's outside.
    #[must_use]
    pub fn new(aws: Arc<Aws>, simulated: Option<Vec<(String, SocketAddr)>>) -> Self {
        Self { aws, simulated, in_process: None, known: Mutex::default() }
    }

    /// Those of a simulator in this process, to which no datagram is sent.
    #[must_use]
    pub fn in_process(aws: Arc<Aws>, simulated: Vec<(String, SocketAddr)>, answer: InProcess) -> Self {
        Self { in_process: Some(answer), ..Self::new(aws, Some(simulated)) }
    }

    /// One query to one server.
    async fn query(&self, server: SocketAddr, name: &str, kind: TYPE) -> Result<Found, NoAnswer> {
        let Some(answer) = &self.in_process else { return asked(server, name, kind).await };
        let id = new_id(name);
        match answer(server, &query(id, name, kind).ok_or(NoAnswer::Refused)?) {
            Some(datagram) => read(&datagram, id, name, kind).unwrap_or(Err(NoAnswer::Unfit)),
            None => Err(NoAnswer::Late),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn learn(&self, group: &RecordGroup) -> Result<Vec<String>, PortError> {
        // Every pair has the same weights, so that one of them tells of all.
        let [pair, ..] = group.pairs() else { return Err(no_pair()) };
        let kind = match pair.new.rtype.as_str() {
            "AAAA" => TYPE::AAAA,
            "CNAME" => TYPE::CNAME,
            _ => TYPE::A,
        };
        let names = self.zone_servers().await?;
        let mut servers = BTreeMap::new();
        for name in &names {
            let at = match &self.simulated {
                Some(simulated) => simulated.iter().find(|(server, _)| same_name(server, name)).map(|(_, at)| *at),
                None => resolved(name, PORT).await.first().copied(),
            };
            if let Some(at) = at {
                servers.insert(name.clone(), at);
            }
        }
        let mut addresses = BTreeMap::new();
        let mut balancers = Vec::new();
        for (side, record) in [(Side::Legacy, &pair.legacy), (Side::New, &pair.new)] {
            for name in leads_to(record) {
                if let Ok(address) = name.parse::<IpAddr>() {
                    addresses.insert(address, (side, Instant::now()));
                    continue;
                }
                if kind != TYPE::CNAME {
                    for address in self.addresses(&name, kind, servers.values().next()).await {
                        addresses.insert(address, (side, Instant::now()));
                    }
                }
                balancers.push((name, side));
            }
        }
        let mut known = self.lock();
        known.question = Some((pair.new.name.clone(), kind));
        known.servers = servers;
        known.addresses.retain(|_, (_, since)| since.elapsed() < ADDRESS_KEPT);
        known.addresses.extend(addresses);
        known.names = balancers;
        Ok(names)
    }

    /// Who answers for the zone, as Route 53 said within the last hour.
    async fn zone_servers(&self) -> Result<Vec<String>, PortError> {
        let known = self.lock().names_of_servers.clone();
        match known {
            Some((names, since)) if since.elapsed() < SERVERS_KEPT => Ok(names),
            _ => {
                let names = self.aws.name_servers().await?;
                self.lock().names_of_servers = Some((names.clone(), Instant::now()));
                Ok(names)
            }
        }
    }

    /// The addresses that a balancer's own name has now.
    async fn addresses(&self, name: &str, kind: TYPE, server: Option<&SocketAddr>) -> Vec<IpAddr> {
        match (&self.simulated, server) {
            (None, _) => resolved(name, 0).await.iter().map(SocketAddr::ip).collect(),
            (Some(_), None) => Vec::new(),
            // A simulator's servers know its balancers, too.
            (Some(_), Some(server)) => {
                self.query(*server, name, kind).await.map_or_else(|_| Vec::new(), |found| found.addresses)
            }
        }
    }

    fn judged(&self, found: &Found) -> Answer {
        self.lock().judge(found)
    }
}

impl Known {
    /// Whose an answer is. Its addresses are all of one balancer, which has more of them than it gives at once: those that
    /// are known decide, and the others are learned.
    fn judge(&mut self, found: &Found) -> Answer {
        let of_address = |address: &IpAddr| self.addresses.get(address).map(|(side, _)| *side);
        let of_name =
            |name: &String| self.names.iter().find(|(known, _)| leads_alike(known, name)).map(|(_, side)| *side);
        let mut sides = found.addresses.iter().filter_map(of_address).chain(found.names.iter().filter_map(of_name));
        let Some(side) = sides.next() else {
            let is_empty = found.addresses.is_empty() && found.names.is_empty();
            return if is_empty { Answer::Not(NoAnswer::NoRecord) } else { Answer::Neither };
        };
        if sides.any(|other| other != side) {
            return Answer::Neither;
        }
        drop(sides);
        for address in &found.addresses {
            self.addresses.entry(*address).or_insert((side, Instant::now()));
        }
        Answer::Side(side)
    }
}

impl NameServers for ZoneServers {
    fn look_up<'a>(&'a self, group: &'a RecordGroup) -> PortFuture<'a, Vec<String>> {
        Box::pin(self.learn(group))
    }

    fn ask<'a>(&'a self, server: &'a str) -> Asked<'a> {
        Box::pin(async move {
            let (at, question) = {
                let known = self.lock();
                (known.servers.get(server).copied(), known.question.clone())
            };
            let (Some(at), Some((name, kind))) = (at, question) else { return Answer::Not(NoAnswer::Unreachable) };
            match self.query(at, &name, kind).await {
                Ok(found) => self.judged(&found),
                Err(why) => Answer::Not(why),
            }
        })
    }
}

fn no_pair() -> PortError {
    PortError::new(ErrorKind::NotProvisioned, "dns", "there is no pair of records to ask for")
}

/// Where a member leads: a name, or its values.
fn leads_to(record: &Record) -> Vec<String> {
    match &record.target {
        Target::Alias { dns_name, .. } => vec![dns_name.clone()],
        Target::Values { values, .. } => values.clone(),
    }
}

/// Whether two names are one balancer's: Route 53's own console puts `dualstack.` before it.
fn leads_alike(a: &str, b: &str) -> bool {
    let bare = |name: &str| name.to_ascii_lowercase().trim_start_matches("dualstack.").to_owned();
    same_name(&bare(a), &bare(b))
}

async fn resolved(name: &str, port: u16) -> Vec<SocketAddr> {
    let looked_up = tokio::time::timeout(RESOLVER_DEADLINE, lookup_host((name.trim_end_matches('.'), port))).await;
    looked_up.ok().and_then(Result::ok).map(Iterator::collect).unwrap_or_default()
}

/// What an answer leads to.
struct Found {
    addresses: Vec<IpAddr>,
    names: Vec<String>,
}

/// A number that nobody can guess.
fn new_id(name: &str) -> u16 {
    RandomState::new().hash_one(name) as u16
}

/// One query to one server, by UDP.
async fn asked(server: SocketAddr, name: &str, kind: TYPE) -> Result<Found, NoAnswer> {
    let id = new_id(name);
    let query = query(id, name, kind).ok_or(NoAnswer::Refused)?;
    let own: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let unreachable = |_| NoAnswer::Unreachable;
    let socket = UdpSocket::bind((own, 0)).await.map_err(unreachable)?;
    socket.connect(server).await.map_err(unreachable)?;
    socket.send(&query).await.map_err(unreachable)?;
    let mut unfit = false;
    let answered = tokio::time::timeout(DEADLINE, async {
        let mut datagram = vec![0; LONGEST];
        loop {
            let length = socket.recv(&mut datagram).await.map_err(unreachable)?;
            match read(&datagram[..length], id, name, kind) {
                Some(found) => return found,
                None => unfit = true,
            }
        }
    });
    answered.await.unwrap_or(Err(if unfit { NoAnswer::Unfit } else { NoAnswer::Late }))
}

/// The query, without the wish for recursion: the zone's own server is asked for what it has itself.
fn query(id: u16, name: &str, kind: TYPE) -> Option<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    let question = Name::new(name.trim_end_matches('.')).ok()?;
    packet.questions.push(Question::new(question, kind.into(), CLASS::IN.into(), false));
    packet.build_bytes_vec().ok()
}

/// What a datagram says, when it is an answer to this query; nothing when it is not.
fn read(datagram: &[u8], id: u16, name: &str, kind: TYPE) -> Option<Result<Found, NoAnswer>> {
    let packet = Packet::parse(datagram).ok()?;
    let [question] = packet.questions.as_slice() else { return None };
    let asked_so = same_name(&question.qname.to_string(), name)
        && question.qtype == QTYPE::TYPE(kind)
        && question.qclass == CLASS::IN.into();
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) || !asked_so {
        return None;
    }
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Some(Err(NoAnswer::CutOff));
    }
    match packet.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Some(Err(NoAnswer::NoSuchName)),
        RCODE::ServerFailure => return Some(Err(NoAnswer::Failed)),
        _ => return Some(Err(NoAnswer::Refused)),
    }
    let mut found = Found { addresses: Vec::new(), names: Vec::new() };
    for record in packet.answers.iter().filter(|record| same_name(&record.name.to_string(), name)) {
        match &record.rdata {
            RData::A(a) if kind == TYPE::A => found.addresses.push(Ipv4Addr::from(a.address).into()),
            RData::AAAA(aaaa) if kind == TYPE::AAAA => found.addresses.push(Ipv6Addr::from(aaaa.address).into()),
            RData::CNAME(cname) if kind == TYPE::CNAME => {
                found.names.push(Foreign::take(&cname.0.to_string()).into_string());
            }
            _ => {}
        }
    }
    Some(Ok(found))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use simple_dns::ResourceRecord;
    use simple_dns::rdata::A;

    use super::*;

    const NAME: &str = "app.example.com.";

    fn reply(id: u16, change: impl FnOnce(&mut Packet<'_>)) -> Vec<u8> {
        let query = query(id, NAME, TYPE::A).unwrap();
        let mut packet = Packet::parse(&query).unwrap().into_reply();
        let data = RData::A(A { address: Ipv4Addr::new(192, 0, 2, 1).into() });
        packet.answers.push(ResourceRecord::new(Name::new("App.Example.com").unwrap(), CLASS::IN, 60, data));
        change(&mut packet);
        packet.build_bytes_vec().unwrap()
    }

    fn said(datagram: &[u8]) -> Option<Result<usize, NoAnswer>> {
        read(datagram, 7, NAME, TYPE::A).map(|answer| answer.map(|found| found.addresses.len()))
    }

    #[test]
    fn only_what_answers_the_question_is_an_answer() {
        assert_eq!(said(&reply(7, |_| ())), Some(Ok(1)));
        assert_eq!(said(&reply(8, |_| ())), None, "another number");
        assert_eq!(said(&reply(7, |packet| packet.remove_flags(PacketFlag::RESPONSE))), None, "a query");
        assert_eq!(said(&reply(7, |packet| packet.questions.clear())), None, "no question");
        let other = |packet: &mut Packet<'_>| packet.questions[0].qname = Name::new_unchecked("app.example.org");
        assert_eq!(said(&reply(7, other)), None, "another question");
        let stranger = |packet: &mut Packet<'_>| packet.answers[0].name = Name::new_unchecked("app.example.org");
        assert_eq!(said(&reply(7, stranger)), Some(Ok(0)), "an address of another name");
    }

    #[test]
    fn each_way_of_not_answering_has_its_word() {
        for (code, why) in [
            (RCODE::ServerFailure, NoAnswer::Failed),
            (RCODE::Refused, NoAnswer::Refused),
            (RCODE::NameError, NoAnswer::NoSuchName),
            (RCODE::NotImplemented, NoAnswer::Refused),
        ] {
            assert_eq!(said(&reply(7, |packet| *packet.rcode_mut() = code)), Some(Err(why)));
        }
        assert_eq!(said(&reply(7, |packet| packet.set_flags(PacketFlag::TRUNCATION))), Some(Err(NoAnswer::CutOff)));
    }

    #[test]
    fn an_answer_is_told_by_the_addresses_that_are_known_and_teaches_the_others() {
        let addresses = |last: &[u8]| Found {
            addresses: last.iter().map(|last| IpAddr::from([192, 0, 2, *last])).collect(),
            names: Vec::new(),
        };
        let mut known = Known::default();
        for (last, side) in [(1, Side::Legacy), (9, Side::New)] {
            known.addresses.insert([192, 0, 2, last].into(), (side, Instant::now()));
        }
        assert_eq!(known.judge(&addresses(&[5])), Answer::Neither);
        assert_eq!(known.judge(&addresses(&[9, 5])), Answer::Side(Side::New));
        assert_eq!(
            known.judge(&addresses(&[5, 6])),
            Answer::Side(Side::New),
            "a balancer has more than it gives at once"
        );
        assert_eq!(known.judge(&addresses(&[1, 6])), Answer::Neither, "nobody's are both");
        assert_eq!(known.judge(&addresses(&[])), Answer::Not(NoAnswer::NoRecord));
    }

    #[tokio::test]
    async fn a_forged_answer_is_waited_out_and_the_real_one_counts() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = server.local_addr().unwrap();
        let answering = async {
            let mut datagram = [0; 512];
            let (length, from) = server.recv_from(&mut datagram).await.unwrap();
            let id = Packet::parse(&datagram[..length]).unwrap().id();
            // From another port: it never comes in.
            let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            stranger.send_to(&reply(id, |packet| packet.answers.clear()), from).await.unwrap();
            for forged in [reply(id.wrapping_add(1), |_| ()), b"garbage".to_vec()] {
                server.send_to(&forged, from).await.unwrap();
            }
            server.send_to(&reply(id, |_| ()), from).await.unwrap();
        };
        let (found, ()) = tokio::join!(asked(at, NAME, TYPE::A), answering);
        assert_eq!(found.unwrap_or_else(|why| panic!("{why}")).addresses, [IpAddr::from([192, 0, 2, 1])]);
    }

    #[tokio::test]
    async fn a_port_at_which_nobody_listens_is_told_at_once() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        drop(socket);
        assert_eq!(asked(at, NAME, TYPE::A).await.err(), Some(NoAnswer::Unreachable));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..600), cut in 0usize..80) {
            let _ = said(&bytes);
            let mut real = reply(7, |_| ());
            real.truncate(cut);
            let _ = said(&real);
        }
    }
}
