//! Names that Route 53 writes otherwise than people do, and records beside the pair that lead past it.

use serde_json::{Value, json};

use crate::drill::Drill;
use crate::support::terminal::Terminal;

/// A weighted pair under this name, all on the legacy stack, which the outputs call so.
fn pair_under(name: &str, called: &str) -> Drill {
    let drill = Drill::steady();
    let outputs = drill.read_outputs();
    let text = |key: &str| outputs[key].as_str().unwrap().to_owned();
    let member = |id: &str, weight: u8, zone: &str, dns: &str| {
        format!(
            "<Change><Action>CREATE</Action><ResourceRecordSet><Name>{name}</Name><Type>A</Type><SetIdentifier>{id}\
             </SetIdentifier><Weight>{weight}</Weight><AliasTarget><HostedZoneId>{zone}</HostedZoneId><DNSName>{dns}\
             </DNSName><EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change>"
        )
    };
    // As other tools write them: with the prefix, in capitals, without the final dot.
    let legacy = format!("dualstack.{}", text("legacyLbDnsName").to_uppercase());
    let members = [
        member("lg", 100, "Z35SXDOTRQ7X7K", &legacy),
        member("nw", 0, &text("albZoneId"), &format!("{}.", text("albDnsName"))),
    ];
    drill.change_records(&members.concat());
    drill.alter_outputs(|outputs| {
        outputs["recordName"] = called.into();
        outputs["legacySetIdentifier"] = "lg".into();
        outputs["newSetIdentifier"] = "nw".into();
    });
    drill.advance(60);
    drill
}

fn gate(status: &Value, id: &str) -> Value {
    status["gates"].as_array().unwrap().iter().find(|gate| gate["id"] == id).unwrap().clone()
}

#[test]
fn a_wildcard_goes_all_the_way_and_back_however_it_is_written() {
    for called in ["*.shop.example.com", "\\052.SHOP.example.com."] {
        let drill = pair_under("*.shop.example.com", called);
        let status = drill.run("status --json").ended(0).json();
        assert_eq!(status["traffic"]["legacy_weight"], 100, "{called}: {status}");
        assert_eq!(gate(&status, "record-targets")["verdict"], "pass", "{called}: {status}");
        let leads: Vec<&Value> =
            status["traffic"]["members"].as_array().unwrap().iter().map(|member| &member["leads"]).collect();
        assert_eq!(leads, ["home", "home"]);
        drill.run("shift --to 10 --yes").ended(0);
        drill.advance(90);
        assert_eq!(drill.run("status --json").ended(0).json()["traffic"]["new_weight"], 10);
        let printed = drill.run("rollback --print --json").ended(0).json();
        let set = &printed["change_batch"]["Changes"][0]["ResourceRecordSet"];
        assert_eq!(set["Name"], "\\052.shop.example.com.", "as Route 53 lists it: {printed}");
        drill.run("rollback --yes").ended(0);
        drill.advance(90);
        drill.run("status").ended(0);
        drill.run("release --to legacy --yes").ended(0);
        drill.advance(90);
        drill.run("adopt --yes").ended(0);
        drill.advance(90);
        let doctor = drill.run("doctor").stdout;
        assert!(doctor.contains("every member leads to its own stack"), "{doctor}");
    }
}

#[test]
fn a_wildcard_is_typed_as_people_write_it() {
    let drill = pair_under("*.shop.example.com", "*.shop.example.com");
    let args = ["shift", "--to", "100", "--override", "step-size", "--reason", "drill"];
    let mut session = Terminal::open(&drill.command("a", &args));
    session.until("Type *.shop.example.com. to go on: ");
    session.type_line("*.shop.example.com");
    let (status, text) = session.end();
    assert_eq!(status.exit_code(), 0, "{text}");
}

fn https(value: &str) -> String {
    format!(
        "<Change><Action>UPSERT</Action><ResourceRecordSet><Name>app.example.com</Name><Type>HTTPS</Type><TTL>300</TTL>\
         <ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>\
         </Change>"
    )
}

#[test]
fn an_https_record_that_leads_past_the_pair_is_named_everywhere_and_stops_what_goes_forward() {
    let drill = Drill::steady();
    drill.run("shift --to 10 --yes").ended(0);
    drill.advance(90);
    drill.change_records(&https("1 . alpn=h2 ipv4hint=203.0.113.9"));
    drill.advance(600);
    let status = drill.run("status --json").ended(0).json();
    let found = gate(&status, "record-targets");
    assert_eq!(found["verdict"], "fail", "{found}");
    assert!(found["reason"].as_str().unwrap().contains("HTTPS record"), "{found}");
    let doctor = drill.run("doctor").stdout;
    assert!(doctor.contains("FAIL  record-targets") && doctor.contains("HTTPS"), "{doctor}");
    let forward = drill.run("shift --step +10 --yes --override record-targets --reason drill --json").ended(3).json();
    let gates = forward["error"]["gates"].as_array().unwrap();
    assert!(gates.iter().any(|gate| gate["id"] == "record-targets"), "{forward}");
    let back = drill.run("rollback --yes").ended(0);
    assert!(back.stderr.contains("ATTENTION: the HTTPS record"), "{}", back.stderr);
    drill.advance(90);
    drill.run("status").ended(0);
    drill.run("release --to legacy --yes").ended(0);
    drill.advance(90);
    let adopted = drill.run("adopt --yes --json").ended(3).json();
    assert!(adopted["error"]["message"].as_str().unwrap().contains("HTTPS record"), "{adopted}");
}

#[test]
fn an_https_record_without_addresses_of_its_own_stands_in_nobodys_way() {
    let drill = Drill::steady();
    drill.change_records(&https("1 . alpn=h3,h2"));
    drill.advance(60);
    assert_eq!(gate(&drill.run("status --json").ended(0).json(), "record-targets")["verdict"], json!("pass"));
    drill.run("shift --to 10 --yes").ended(0);
}
