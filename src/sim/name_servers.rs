//! The zone's name servers: what they answer to a datagram, and the sockets on loopback on which they do.
//!
//! They know the record that is moved and the two balancers, as Route 53 and AWS's own zones do; faults meet them by name.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use simple_dns::rdata::{A, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, RCODE, ResourceRecord, TYPE};
use tokio::net::UdpSocket;

use super::fault::{Effect, Target};
use super::world::World;
use super::world::dns::NAME_SERVERS;
use super::{Inner, Sim, names as n};

/// Seconds for which an alias record's answer may be kept (Route 53 developer guide, "Choosing between alias and
/// non-alias records").
const TTL: u32 = 60;
/// The longest datagram of DNS without extensions (RFC 1035, 2.3.4).
const LONGEST: usize = 512;

/// An answer, or none, and how long it is held back.
pub(super) struct Answer {
    pub(super) datagram: Option<Vec<u8>>,
    pub(super) delay: Duration,
}

impl Sim {
    /// The servers of the zone, in their order: nobody listens where they are said to be.
    #[must_use]
    pub fn name_servers_in_process() -> Vec<(String, SocketAddr)> {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        NAME_SERVERS.iter().zip(1..).map(|(name, port)| ((*name).to_owned(), at(port))).collect()
    }

    /// A datagram to one of them; nothing where it is lost.
    #[must_use]
    pub fn ask_name_server(&self, server: SocketAddr, datagram: &[u8]) -> Option<Vec<u8>> {
        let number = usize::from(server.port()).checked_sub(1).filter(|number| *number < NAME_SERVERS.len())?;
        answer(&mut self.lock(), number, datagram).datagram
    }
}

/// What `/_sim/state` tells: each server's name, and where it listens.
pub(super) fn state(listening: &[SocketAddr]) -> Value {
    let servers = NAME_SERVERS.iter().zip(listening).map(|(name, at)| json!({"name": name, "at": at.to_string()}));
    servers.collect()
}

/// A datagram to the server of that number.
pub(super) fn answer(inner: &mut Inner, server: usize, datagram: &[u8]) -> Answer {
    let now = inner.clock.now();
    let target = Target { service: None, operation: NAME_SERVERS[server], region: "" };
    let verdict = inner.faults.judge(&target, now);
    *inner.requests.entry("dns:Query".to_owned()).or_default() += 1;
    let code = match &verdict.effect {
        Some(Effect::Drop) => return Answer { datagram: None, delay: verdict.delay },
        Some(Effect::Garbage) => Some("GARBAGE"),
        Some(Effect::Error { code, .. }) => Some(code.as_str()),
        None => None,
    };
    Answer { datagram: reply(&mut inner.world, server, datagram, code, now), delay: verdict.delay }
}

fn reply(world: &mut World, server: usize, datagram: &[u8], code: Option<&str>, now: Timestamp) -> Option<Vec<u8>> {
    let query = Packet::parse(datagram).ok().filter(|packet| !packet.has_flags(PacketFlag::RESPONSE))?;
    let [question] = query.questions.as_slice() else { return None };
    let mut packet = Packet::new_reply(query.id());
    packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
    packet.questions.push(question.clone());
    match code {
        Some("SERVFAIL") => *packet.rcode_mut() = RCODE::ServerFailure,
        Some("REFUSED") => *packet.rcode_mut() = RCODE::Refused,
        Some("NXDOMAIN") => *packet.rcode_mut() = RCODE::NameError,
        Some("TRUNCATED") => packet.set_flags(PacketFlag::TRUNCATION),
        // As somebody answers who has guessed the port and not the number.
        Some("GARBAGE") => packet.set_id(query.id().wrapping_add(1)),
        behind => match addresses(world, server, &question.qname.to_string(), behind.is_some(), now) {
            None => *packet.rcode_mut() = RCODE::NameError,
            Some(addresses)
                if question.qtype == QTYPE::TYPE(TYPE::A) && question.qclass == QCLASS::CLASS(CLASS::IN) =>
            {
                packet.answers.extend(addresses.into_iter().map(|address| {
                    let data = RData::A(A { address: u32::from(Ipv4Addr::from(address)) });
                    ResourceRecord::new(question.qname.clone(), CLASS::IN, TTL, data)
                }));
            }
            Some(_) => {}
        },
    }
    packet.build_bytes_vec().ok()
}

/// The addresses behind a name, as this server has them.
fn addresses(world: &mut World, server: usize, name: &str, behind: bool, now: Timestamp) -> Option<Vec<[u8; 4]>> {
    let name = Name::new(name).ok()?.to_string().to_ascii_lowercase();
    let balancer = name.strip_prefix("dualstack.").unwrap_or(&name);
    let leads_to_new = if name == n::RECORD_NAME.trim_end_matches('.') {
        let healthy = world.healthy();
        world.dns.answer(server, behind, healthy, now)?
    } else if balancer == n::LEGACY_LB_DNS.to_ascii_lowercase() {
        false
    } else if balancer == n::ALB_DNS.to_ascii_lowercase() {
        true
    } else {
        return None;
    };
    Some(if leads_to_new { n::ALB_ADDRESSES.to_vec() } else { n::LEGACY_LB_ADDRESSES.to_vec() })
}

/// The servers' sockets, one each.
#[derive(Debug)]
pub(super) struct Listening(Vec<UdpSocket>);

impl Listening {
    /// Binds one free port of this address for each server.
    pub(super) async fn bind(sim: &Sim, at: SocketAddr) -> io::Result<Self> {
        let mut sockets = Vec::new();
        for _ in NAME_SERVERS {
            sockets.push(UdpSocket::bind(SocketAddr::new(at.ip(), 0)).await?);
        }
        let listening = sockets.iter().map(UdpSocket::local_addr).collect::<io::Result<_>>()?;
        sim.lock().name_servers = listening;
        Ok(Self(sockets))
    }

    /// Answers until it is dropped.
    pub(super) async fn serve(&self, sim: &Sim) {
        futures_util::future::join_all(self.0.iter().enumerate().map(|(server, socket)| serve(sim, server, socket)))
            .await;
    }
}

async fn serve(sim: &Sim, server: usize, socket: &UdpSocket) {
    let mut datagram = [0; LONGEST];
    loop {
        // An error here is about an earlier answer that nobody waited for.
        let Ok((length, from)) = socket.recv_from(&mut datagram).await else { continue };
        let answer = answer(&mut sim.lock(), server, &datagram[..length]);
        if !answer.delay.is_zero() {
            tokio::time::sleep(answer.delay).await;
        }
        if let Some(datagram) = answer.datagram {
            let _ = socket.send_to(&datagram, from).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use simple_dns::Question;

    use super::super::{Fault, Sim, SimConfig};
    use super::*;

    fn asked(sim: &Sim, server: usize, name: &str, kind: TYPE) -> Option<Vec<u8>> {
        let mut query = Packet::new_query(7);
        query.questions.push(Question::new(Name::new(name).unwrap(), kind.into(), CLASS::IN.into(), false));
        answer(&mut sim.lock(), server, &query.build_bytes_vec().unwrap()).datagram
    }

    fn said(sim: &Sim, name: &str, kind: TYPE) -> String {
        let Some(datagram) = asked(sim, 0, name, kind) else { return "nothing".to_owned() };
        let packet = Packet::parse(&datagram).unwrap();
        let cut = if packet.has_flags(PacketFlag::TRUNCATION) { " cut" } else { "" };
        format!("{} {:?} {}{cut}", packet.id(), packet.rcode(), packet.answers.len())
    }

    #[test]
    fn the_record_and_the_balancers_are_known_and_nothing_else() {
        let sim = Sim::new(SimConfig::default());
        for (name, kind, answer) in [
            ("app.example.com", TYPE::A, "7 NoError 2"),
            ("APP.example.com", TYPE::A, "7 NoError 2"),
            ("app.example.com", TYPE::AAAA, "7 NoError 0"),
            (n::ALB_DNS, TYPE::A, "7 NoError 3"),
            ("other.example.com", TYPE::A, "7 NameError 0"),
        ] {
            assert_eq!(said(&sim, name, kind), answer, "{name}");
        }
        assert!(answer(&mut sim.lock(), 0, b"hello").datagram.is_none(), "no query has no answer");
    }

    #[test]
    fn faults_meet_one_server_or_all_and_never_those_of_aws() {
        let sim = Sim::new(SimConfig::default());
        for (code, answer) in
            [("SERVFAIL", "7 ServerFailure 0"), ("REFUSED", "7 Refused 0"), ("TRUNCATED", "7 NoError 0 cut")]
        {
            sim.inject(Fault { code: Some(code.to_owned()), ..Fault::on("dns") }.times(1));
            assert_eq!(said(&sim, "app.example.com", TYPE::A), answer);
        }
        sim.inject(Fault { drop: true, ..Fault::on("*") });
        sim.inject(Fault { garbage: true, operation: Some(NAME_SERVERS[1].to_owned()), ..Fault::on("dns") });
        assert_eq!(said(&sim, "app.example.com", TYPE::A), "7 NoError 2");
        let forged = asked(&sim, 1, "app.example.com", TYPE::A).unwrap();
        assert_eq!(Packet::parse(&forged).unwrap().id(), 8);
    }
}
