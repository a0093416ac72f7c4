//! What the zone's name servers answer, asked by `tapctl dns` over real datagrams.

use serde_json::{Value, json};

use crate::drill::Drill;

const FIRST: &str = "ns-2048.awsdns-64.com";

fn server<'v>(row: &'v Value, name: &str) -> &'v Value {
    row["servers"].as_array().unwrap().iter().find(|server| server["name"] == name).unwrap()
}

fn at_share(share: u8) -> Drill {
    let drill = Drill::steady();
    drill.run(&format!("shift --to {share} --yes --override step-size --reason drill")).ended(0);
    drill.advance(90);
    drill
}

#[test]
fn the_share_is_told_with_its_interval_and_each_server_for_itself() {
    let drill = at_share(30);
    let row = drill.run("dns --json").ended(0).json();
    let dns = &row["dns"];
    let [value, low, high] = ["new_percent", "low", "high"].map(|key| dns[key].as_f64().unwrap());
    assert!(low < value && value < high && high - low < 6.0, "{dns}");
    assert!((25.0..35.0).contains(&value), "{dns}");
    assert_eq!((&dns["n"], &row["wanted_percent"], &row["failover"]), (&json!(1600), &json!(30.0), &json!(false)));
    assert_eq!(row["servers"].as_array().unwrap().len(), 4);
    assert!(row["servers"].as_array().unwrap().iter().all(|server| server["step"] == "has"), "{row}");
    assert_eq!(drill.calls("dns:Query"), 1602, "at most 400 a server, and one for each balancer");
    let text = drill.run("dns").ended(0).stdout;
    assert!(text.contains("app.example.com.  wanted 30.0 % new") && text.contains("has the newest step"), "{text}");
}

#[test]
fn all_to_one_side_is_soon_known() {
    let drill = Drill::steady();
    let row = drill.run("dns --json").ended(0).json();
    assert_eq!((&row["dns"]["new_percent"], &row["dns"]["low"]), (&json!(0.0), &json!(0.0)));
    assert!(row["dns"]["n"].as_u64().unwrap() < 800, "{row}");
    assert_eq!(server(&row, FIRST)["step"], Value::Null, "there was no step");
}

#[test]
fn a_server_that_is_behind_is_named_and_the_others_are_not() {
    let drill = Drill::steady();
    drill.run("shift --step +10 --yes").ended(0);
    drill.advance(90);
    drill.fault(&json!({"service": "dns", "operation": FIRST, "code": "BEHIND"}));
    let row = drill.run("dns --json").ended(0).json();
    let told: Vec<&Value> = row["servers"].as_array().unwrap().iter().map(|server| &server["step"]).collect();
    assert_eq!(told, ["behind", "has", "has", "has"]);
    // Clients take each server as often: the share of all is the mean of theirs, whichever is known sooner.
    let of = |name: &str| server(&row, name)["dns"].clone();
    let shares: Vec<f64> =
        row["servers"].as_array().unwrap().iter().map(|it| it["dns"]["new_percent"].as_f64().unwrap()).collect();
    let mean = shares.iter().sum::<f64>() / 4.0;
    assert!((row["dns"]["new_percent"].as_f64().unwrap() - mean).abs() < 0.02, "{row}");
    assert_eq!(of(FIRST)["n"], of("ns-2049.awsdns-65.net")["n"]);
    assert!(drill.run("dns").ended(0).stdout.contains("BEHIND: still answers as before the newest step"));
}

#[test]
fn a_step_that_no_server_has_yet_is_no_failover() {
    let drill = Drill::steady();
    drill.run("shift --step +10 --yes").ended(0);
    let row = drill.run("dns --json").ended(0).json();
    assert_eq!((&row["dns"]["new_percent"], &row["failover"]), (&json!(0.0), &Value::Null), "{row}");
    let text = drill.run("dns").ended(0).stdout;
    assert!(text.contains("does not have the newest step yet") && !text.contains("BEHIND"), "{text}");
    drill.advance(90);
    drill.run("status").ended(0);
    assert_eq!(drill.run("dns --json").ended(0).json()["failover"], false);
}

#[test]
fn servers_that_fail_are_told_by_their_reason_and_the_rest_counts() {
    let drill = at_share(50);
    for (code, reason) in
        [("SERVFAIL", "failed"), ("REFUSED", "refused"), ("NXDOMAIN", "no-such-name"), ("TRUNCATED", "cut-off")]
    {
        drill.fault(&json!({"service": "dns", "operation": "ns-2050.awsdns-66.org", "code": code}));
        let row = drill.run("dns --json").ended(0).json();
        let failing = server(&row, "ns-2050.awsdns-66.org");
        assert_eq!((&failing["without"], &failing["dns"]), (&json!({reason: 8}), &Value::Null), "{code}");
        assert_eq!(row["dns"]["n"], 1200, "{code}");
        drill.clear_faults();
    }
}

#[test]
fn where_no_server_answers_it_says_so_and_what_still_is_known() {
    let drill = Drill::steady();
    drill.fault(&json!({"service": "dns", "drop": true}));
    let ran = drill.run("dns").ended(6);
    assert!(ran.stderr.contains("no name server of the zone has answered: no answer in time"), "{}", ran.stderr);
    assert!(ran.stderr.contains("UDP 53"), "{}", ran.stderr);
    let error = &drill.run("dns --json").ended(6).json()["error"];
    assert_eq!((&error["code"], &error["servers"][0]["without"]["late"]), (&json!("dns"), &json!(8)), "{error}");
    drill.clear_faults();
    // Somebody who has guessed the port and not the number is no answer.
    drill.fault(&json!({"service": "dns", "garbage": true}));
    let ran = drill.run("dns").ended(6);
    assert!(ran.stderr.contains("not an answer to what was asked"), "{}", ran.stderr);
}
