//! Whose keys sign: named profiles that are not there, and those that are, against an AWS that only notes who asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::drill::{Drill, Ran, tapctl};

/// A listener on loopback that notes every request: its first line, and the key id that signed it.
pub(crate) struct Listener {
    pub(crate) endpoint: String,
    /// Requests of any kind.
    all: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

/// What a listener answers to the first line of a request.
type Answer = fn(&str) -> (u16, String);

impl Listener {
    fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::new(AtomicUsize::new(0));
        let (noted, counted) = (Arc::clone(&seen), Arc::clone(&all));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || serve(&stream, &noted, answer));
            }
        });
        Self { endpoint, all, seen }
    }

    /// An AWS that refuses every key.
    pub(crate) fn aws() -> Self {
        Self::start(|_| {
            let text = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>expired</Message>\
                        </Error><RequestId>r</RequestId></ErrorResponse>";
            (403, text.to_owned())
        })
    }

    /// An instance whose role gives keys to whoever asks.
    fn instance() -> Self {
        Self::start(|line| {
            let role = r#"{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"INSTANCEKEY","SecretAccessKey":"s","Token":"t",
                           "LastUpdated":"2026-01-01T00:00:00Z","Expiration":"2036-01-01T00:00:00Z"}"#;
            let body = match line {
                line if line.starts_with("PUT") => "token",
                line if line.contains("security-credentials/ ") => "role",
                line if line.contains("security-credentials/role") => role,
                _ => "us-west-2",
            };
            (200, body.to_owned())
        })
    }

    fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.seen.lock().unwrap().iter().map(|(_, key)| key.clone()).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    pub(crate) fn everything(&self) -> usize {
        self.all.load(Ordering::Relaxed)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }
}

fn serve(stream: &TcpStream, noted: &Mutex<Vec<(String, String)>>, answer: Answer) {
    let mut reader = BufReader::new(stream);
    let mut stream = stream;
    loop {
        let (mut first, mut key, mut length) = (String::new(), String::new(), 0);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                break;
            }
            if let Some((_, rest)) = line.split_once("Credential=") {
                rest.split('/').next().unwrap_or_default().clone_into(&mut key);
            }
            if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = number.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        let _ = reader.read_exact(&mut body);
        let body = String::from_utf8_lossy(&body);
        let action = body.split('&').find_map(|part| part.strip_prefix("Action=")).unwrap_or_default();
        // Whether a simulator is there is asked without keys, on loopback only.
        if !first.contains("/_sim/state") {
            noted.lock().unwrap().push((format!("{} {action}", first.trim()), key));
        }
        let (status, text) = answer(&first);
        let ttl = "x-aws-ec2-metadata-token-ttl-seconds: 21600";
        let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{ttl}\r\n\r\n{text}", text.len());
    }
}

/// A bastion: its files of AWS, its instance's role, the outputs of a scenario, and an AWS that refuses everybody.
struct Bastion {
    drill: Drill,
    aws: Listener,
    instance: Listener,
}

impl Bastion {
    fn with(config: &str, credentials: &str) -> Self {
        let bastion = Self { drill: Drill::steady(), aws: Listener::aws(), instance: Listener::instance() };
        let folder = bastion.home().join(".aws");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config"), config).unwrap();
        std::fs::write(folder.join("credentials"), credentials).unwrap();
        bastion
    }

    fn home(&self) -> &Path {
        self.drill.folder.path()
    }

    fn command(&self, line: &str) -> Command {
        let args: Vec<&str> = line.split_whitespace().collect();
        let mut command = tapctl(self.home(), &args);
        command.env_remove("AWS_EC2_METADATA_DISABLED").env("TAPCTL_OUTPUTS", &self.drill.outputs);
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &self.instance.endpoint);
        command.env("AWS_ENDPOINT_URL", &self.aws.endpoint).env("TAPCTL_STATE_DIR", self.drill.state_of("a"));
        command
    }

    fn run(&self, line: &str, env: &[(&str, &str)]) -> Ran {
        Ran::of(self.command(line).envs(env.iter().copied()).output().unwrap())
    }
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "ENVKEY"), ("AWS_SECRET_ACCESS_KEY", "s")];

#[test]
fn a_named_profile_that_does_not_exist_is_an_error_whoever_named_it() {
    let bastion =
        Bastion::with("[profile prod]\nregion = us-west-2\n", "[prod]\naws_access_key_id=K\naws_secret_access_key=s\n");
    let file = bastion.home().join("c.toml");
    std::fs::write(&file, "profile = \"prodd\"\n").unwrap();
    let by_file = format!("--config {}", file.display());
    let named: [(&str, &[(&str, &str)]); 4] = [
        ("--profile prodd", &[]),
        (&by_file, &[]),
        ("", &[("AWS_PROFILE", "prodd")]),
        ("", &[("AWS_DEFAULT_PROFILE", "prodd")]),
    ];
    for (option, env) in named {
        for keys in [&KEYS[..], &[]] {
            for line in ["status --json", "shift --step +10 --yes --json", "rollback --yes --json"] {
                let ran = bastion.run(&format!("{option} {line}"), &[env, keys].concat()).ended(6);
                let error = &ran.json()["error"];
                assert_eq!(error["code"], "credentials", "{option} {env:?} {line}");
                let message = error["message"].as_str().unwrap();
                assert!(message.contains("profile prodd") && message.contains(".aws/credentials"), "{message}");
                assert!(error["hint"].as_str().unwrap().contains("prod"), "{error}");
            }
        }
    }
    let doctor = bastion.run("--profile prodd doctor", &[]).ended(6);
    assert!(doctor.stdout.contains("prodd"), "{}", doctor.stdout);
    assert_eq!((bastion.aws.requests(), bastion.instance.requests()), (vec![], vec![]), "nothing is sent");
}

#[test]
fn a_profile_named_to_tapctl_goes_before_keys_in_the_environment_and_aws_profile_does_not() {
    let files = "[prod]\naws_access_key_id=FILEKEY\naws_secret_access_key=s\n";
    let bastion = Bastion::with("", files);
    bastion.run("--profile prod status --json", &KEYS).ended(6);
    assert_eq!(bastion.aws.keys(), ["FILEKEY"]);
    let bastion = Bastion::with("", files);
    bastion.run("status --json", &[&KEYS[..], &[("AWS_PROFILE", "prod")]].concat()).ended(6);
    assert_eq!(bastion.aws.keys(), ["ENVKEY"]);
    let bastion = Bastion::with("", files);
    bastion.run("status --json", &[("AWS_PROFILE", "prod")]).ended(6);
    assert_eq!(bastion.aws.keys(), ["FILEKEY"]);
    let bastion = Bastion::with("", files);
    bastion.run("status --json", &[]).ended(6);
    assert_eq!(bastion.aws.keys(), ["INSTANCEKEY"], "nobody named a profile");
}

#[test]
fn a_profile_that_leads_nowhere_is_named_and_nobody_else_signs() {
    let bastion = Bastion::with(
        "[profile lost]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = nobody\n[profile bare]\nregion = us-west-2\n\
         [profile round]\nrole_arn = r\nsource_profile = round2\n[profile round2]\nrole_arn = r\nsource_profile = round\n",
        "",
    );
    for (profile, words) in
        [("lost", "nobody"), ("bare", "bare"), ("round", "its own source"), ("default", "profile default")]
    {
        let error = bastion.run(&format!("--profile {profile} status --json"), &KEYS).ended(6).json()["error"].clone();
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    assert_eq!((bastion.aws.requests(), bastion.instance.requests()), (vec![], vec![]), "nothing is sent");
}

#[test]
fn files_are_read_where_the_environment_says_and_as_the_cli_reads_them() {
    let bastion = Bastion::with("", "");
    let (config, credentials) = (bastion.home().join("c"), bastion.home().join("k"));
    std::fs::write(&config, "[profile sp]\n  aws_access_key_id = SPKEY\n  aws_secret_access_key = s\n").unwrap();
    std::fs::write(&credentials, "[on call]\naws_access_key_id : CALLKEY\naws_secret_access_key : s\n").unwrap();
    let paths =
        [("AWS_CONFIG_FILE", config.to_str().unwrap()), ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap())];
    bastion.run("--profile sp status --json", &paths).ended(6);
    bastion.run("status --json", &[&paths[..], &[("AWS_PROFILE", "on call")]].concat()).ended(6);
    assert_eq!(bastion.aws.keys(), ["CALLKEY", "SPKEY"]);
    std::fs::write(&config, "[profile sp]\naws_access_key_id = SPKEY\nwhat is this\n").unwrap();
    let ran = bastion.run("--profile sp status --json", &paths).ended(6);
    let message = ran.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains(config.to_str().unwrap()) && message.contains("line 3"), "{message}");
}

#[test]
fn a_role_that_wants_a_code_says_what_works_instead_and_asks_sts_once() {
    let bastion = Bastion::with(
        "[profile mfa]\nrole_arn = arn:aws:iam::111122223333:role/oncall\nmfa_serial = arn:aws:iam::111122223333:mfa/op\n\
         source_profile = base\n",
        "[base]\naws_access_key_id=BASEKEY\naws_secret_access_key=s\n",
    );
    let ran = bastion.run("--profile mfa status --json", &KEYS).ended(6);
    let error = &ran.json()["error"];
    assert!(error["message"].as_str().unwrap().contains("mfa_serial"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("aws configure export-credentials --profile mfa"), "{error}");
    assert_eq!(bastion.aws.requests().len(), 1, "{:?}", bastion.aws.requests());
    assert_eq!(bastion.aws.keys(), ["BASEKEY"]);
}

#[test]
fn a_program_that_is_slow_to_give_keys_is_waited_for_or_named() {
    let process = |seconds: u32| {
        format!(
            "[profile slow]\ncredential_process = sh -c \"sleep {seconds}; echo '{{\\\"Version\\\":1,\\\"AccessKeyId\\\":\
             \\\"PROCKEY\\\",\\\"SecretAccessKey\\\":\\\"s\\\"}}'\"\n"
        )
    };
    let bastion = Bastion::with(&process(6), "");
    bastion.run("--profile slow status --json", &[]).ended(6);
    assert_eq!(bastion.aws.keys(), ["PROCKEY"]);
    let bastion = Bastion::with(&process(20), "");
    let error = bastion.run("--profile slow status --json", &[]).ended(6).json()["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("credential_process of the profile slow"), "{error}");
}

#[test]
fn doctor_says_who_gave_the_keys_and_what_gets_new_ones() {
    let bastion =
        Bastion::with("", "[saml]\naws_access_key_id=FILEKEY\naws_secret_access_key=s\naws_session_token=t\n");
    let ran = bastion.run("--profile saml doctor --json", &[]).ended(6).json();
    let checks = ran["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check["found"].to_string().contains("xpired")).collect();
    assert_eq!(failed.len(), 1, "one cause is told once: {failed:#?}");
    assert_eq!(failed[0]["name"], "credentials");
    assert!(failed[0]["mend"].as_str().unwrap().contains("write new keys of saml"), "{failed:#?}");
    let ran = bastion.run("doctor --json", &KEYS).ended(6).json();
    let checks = ran["checks"].as_array().unwrap();
    let credentials = checks.iter().find(|check| check["name"] == "credentials").unwrap();
    assert!(credentials["mend"].as_str().unwrap().contains("export new keys"), "{credentials}");
}
