//! A simulator as a child process, the binary beside it, and their folders.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use super::folder::Folder;

/// A command of tapctl with an environment of its own: nothing of this machine's configuration reaches it.
pub(crate) fn tapctl(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tapctl"));
    command.args(args).env_clear().current_dir(home).stdin(Stdio::null());
    command.env("HOME", home).env("PATH", "/usr/bin:/bin").env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// What a command printed and how it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The only object on stdout.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.trim_end().lines().count(), 1, "one object and nothing else: {}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// Checks the exit code, and shows everything where it is another one.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

/// One request; the simulator takes any signature and reads service and region out of it.
pub(crate) fn http(endpoint: &str, method: &str, path: &str, body: &str) -> String {
    let answer = answered(endpoint, method, path, body);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    body.to_owned()
}

/// The same, with whatever comes of it.
pub(crate) fn answered(endpoint: &str, method: &str, path: &str, body: &str) -> String {
    let authority = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(authority).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/route53/aws4_request, SignedHeaders=host, \
         Signature=0\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A simulator and the folders of one host that works on it.
pub(crate) struct Drill {
    sim: Child,
    pub(crate) endpoint: String,
    pub(crate) folder: Folder,
    pub(crate) outputs: PathBuf,
}

impl Drill {
    /// `tapctl sim` with these options.
    pub(crate) fn start(options: &[&str]) -> Self {
        let folder = Folder::new();
        let dir = folder.path().join("sim");
        let mut sim = tapctl(folder.path(), &["sim", "--dir"])
            .arg(&dir)
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(sim.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let hello: Value = serde_json::from_str(&line).unwrap();
        let fields: Vec<_> = hello.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["dns", "endpoint", "outputs", "scenario"]);
        let endpoint = hello["endpoint"].as_str().unwrap().to_owned();
        let outputs = PathBuf::from(hello["outputs"].as_str().unwrap());
        assert_eq!(outputs, dir.join("outputs.json"));
        Self { sim, endpoint, folder, outputs }
    }

    /// One in which all is well, at the pace of life.
    pub(crate) fn steady() -> Self {
        Self::start(&[])
    }

    /// A command on the host `host`; each host has a journal of its own.
    pub(crate) fn command(&self, host: &str, args: &[&str]) -> Command {
        let mut command = tapctl(self.folder.path(), args);
        command.env("TAPCTL_OUTPUTS", &self.outputs).env("TAPCTL_ENDPOINT_URL", &self.endpoint);
        command.env("TAPCTL_STATE_DIR", self.state_of(host));
        command
    }

    pub(crate) fn state_of(&self, host: &str) -> PathBuf {
        self.folder.path().join("state").join(host)
    }

    /// Runs a command line to its end.
    pub(crate) fn run(&self, line: &str) -> Ran {
        let args: Vec<&str> = line.split_whitespace().collect();
        Ran::of(self.command("a", &args).output().unwrap())
    }

    fn http(&self, method: &str, path: &str, body: &str) -> String {
        http(&self.endpoint, method, path, body)
    }

    /// One request to the simulator's own paths.
    pub(crate) fn sim(&self, method: &str, path: &str, body: &Value) -> Value {
        serde_json::from_str(&self.http(method, &format!("/_sim/{path}"), &body.to_string())).unwrap()
    }

    pub(crate) fn advance(&self, seconds: u32) {
        self.sim("POST", "advance", &json!({"seconds": seconds}));
    }

    pub(crate) fn fault(&self, fault: &Value) {
        self.sim("POST", "fault", fault);
    }

    pub(crate) fn clear_faults(&self) {
        self.sim("DELETE", "fault", &Value::Null);
    }

    pub(crate) fn state(&self) -> Value {
        self.sim("GET", "state", &Value::Null)
    }

    /// Weights as Route 53 has them: legacy, new.
    pub(crate) fn weights(&self) -> (u64, u64) {
        let traffic = &self.state()["traffic"];
        (traffic["legacy_weight"].as_f64().unwrap() as u64, traffic["new_weight"].as_f64().unwrap() as u64)
    }

    /// A change of the records behind everybody's back: one `UPSERT` of a weighted alias.
    pub(crate) fn set_record(&self, set_identifier: &str, weight: u8) {
        let batch = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes>\
             <Change><Action>UPSERT</Action><ResourceRecordSet><Name>app.example.com.</Name><Type>A</Type>\
             <SetIdentifier>{set_identifier}</SetIdentifier><Weight>{weight}</Weight><AliasTarget>\
             <HostedZoneId>Z35SXDOTRQ7X7K</HostedZoneId><DNSName>blue.us-east-1.elb.amazonaws.com.</DNSName>\
             <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change>\
             </Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        );
        let outputs: Value = serde_json::from_str(&std::fs::read_to_string(&self.outputs).unwrap()).unwrap();
        let zone = outputs["hostedZoneId"].as_str().unwrap();
        let answer = self.http("POST", &format!("/2013-04-01/hostedzone/{zone}/rrset"), &batch);
        assert!(answer.contains("<Status>PENDING</Status>"), "{answer}");
    }

    /// Changes of the records behind everybody's back, as XML of the API, in one batch.
    pub(crate) fn change_records(&self, changes: &str) {
        let batch = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes>\
             {changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        );
        let outputs = self.read_outputs();
        let zone = outputs["hostedZoneId"].as_str().unwrap();
        let answer = self.http("POST", &format!("/2013-04-01/hostedzone/{zone}/rrset"), &batch);
        assert!(answer.contains("<Status>PENDING</Status>"), "{answer}");
    }

    /// The stack outputs as they are in the file.
    pub(crate) fn read_outputs(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(&self.outputs).unwrap()).unwrap()
    }

    /// The stack outputs are others from now on.
    pub(crate) fn alter_outputs(&self, alter: impl FnOnce(&mut Value)) {
        let mut outputs = self.read_outputs();
        alter(&mut outputs);
        std::fs::write(&self.outputs, outputs.to_string()).unwrap();
    }

    /// A simple record of another name that leads to the new load balancer, which nobody told Pulumi of.
    pub(crate) fn set_alias(&self, name: &str) {
        let outputs: Value = serde_json::from_str(&std::fs::read_to_string(&self.outputs).unwrap()).unwrap();
        let text = |key: &str| outputs[key].as_str().unwrap().to_owned();
        let batch = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes>\
             <Change><Action>CREATE</Action><ResourceRecordSet><Name>{name}</Name><Type>A</Type><AliasTarget>\
             <HostedZoneId>{}</HostedZoneId><DNSName>{}</DNSName>\
             <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change>\
             </Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
            text("albZoneId"),
            text("albDnsName")
        );
        let answer = self.http("POST", &format!("/2013-04-01/hostedzone/{}/rrset", text("hostedZoneId")), &batch);
        assert!(answer.contains("<Status>PENDING</Status>"), "{answer}");
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.state()["requests"][operation].as_u64().unwrap_or(0)
    }

    /// The journal of host `a`, its events in order.
    pub(crate) fn events(&self) -> Vec<String> {
        let journal = self.run("journal --json").ended(0).json();
        let entries = journal["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn write_journal(&self, lines: &[Value]) {
        let folder = self.state_of("a");
        std::fs::create_dir_all(&folder).unwrap();
        let text = lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n");
        std::fs::write(folder.join("journal.jsonl"), text).unwrap();
    }

    /// The simulator's process.
    pub(crate) fn id(&self) -> u32 {
        self.sim.id()
    }

    /// Asks the simulator to end as a person would, and gives its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.sim), rustix::process::Signal::TERM)
            .unwrap();
        self.sim.wait().unwrap().code().unwrap()
    }
}

impl Drop for Drill {
    fn drop(&mut self) {
        // Only this very child; it may have ended already.
        let _ = self.sim.kill();
        let _ = self.sim.wait();
    }
}
