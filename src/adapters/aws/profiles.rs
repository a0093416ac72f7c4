//! AWS's own two files, read as the AWS CLI reads them: sections, spaces, comments and nested settings as Python's
//! `configparser` and botocore's `configloader` understand them.
//!
//! The SDK's parser refuses some of what the CLI reads, and falls through to other credentials where a profile is not
//! there. So what is read here is handed to the SDK in a form that it cannot misread ([`AwsFiles::for_sdk`]). Pure.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Settings of one section; a nested block is kept as its lines.
pub(super) type Settings = BTreeMap<String, String>;

/// What the two files say together.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct AwsFiles {
    profiles: BTreeMap<String, Settings>,
    sessions: BTreeMap<String, Settings>,
    services: BTreeMap<String, Settings>,
}

/// Where a file cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// Counted from 1.
    pub(super) line: usize,
    /// What is wrong with it.
    pub(super) why: String,
}

/// What is wrong with a profile, before anybody is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// Nobody has defined it; `from` is the profile that names it as its source.
    Missing { profile: String, from: Option<String> },
    /// It says nothing of credentials.
    Empty { profile: String },
    /// The sources lead back to a profile that was passed already.
    Loop { profile: String },
    /// A role without anything that could assume it, or with two.
    Source { profile: String, why: &'static str },
}

/// What a profile's credentials take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Chain {
    /// The profile on the way whose role wants a code from a device.
    pub(super) mfa: Option<String>,
    /// The profile at the end of the way, which has the first credentials.
    pub(super) base: String,
    /// How that one gets them.
    pub(super) how: How,
}

/// How a profile gets its first credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum How {
    /// Keys in the file.
    #[default]
    Keys,
    /// A program prints them.
    Process,
    /// IAM Identity Center.
    Sso,
    /// `aws login`.
    Login,
    /// A token in a file.
    WebIdentity,
    /// Environment, container or instance, as `credential_source` says.
    Named,
}

impl AwsFiles {
    /// Reads both files; the credentials file says more than the configuration.
    ///
    /// # Errors
    /// Which of the two (`true` for the credentials file), and where it is broken.
    pub(super) fn parse(config: &str, credentials: &str) -> Result<Self, (bool, Broken)> {
        let mut all = Self::default();
        for (name, settings) in sections(config).map_err(|broken| (false, broken))? {
            if name == "default" {
                all.profiles.insert(name, settings);
                continue;
            }
            let words = words(&name);
            let [kind, name] = words.as_slice() else { continue };
            let kept = match kind.as_str() {
                "profile" => &mut all.profiles,
                "sso-session" => &mut all.sessions,
                "services" => &mut all.services,
                _ => continue,
            };
            kept.insert(name.clone(), settings);
        }
        for (name, settings) in sections(credentials).map_err(|broken| (true, broken))? {
            let profile = all.profiles.entry(name.trim().to_owned()).or_default();
            if settings.contains_key("aws_access_key_id") {
                // Keys in this file go before a program or a session that the other one names.
                profile.remove("credential_process");
                profile.remove("login_session");
            }
            profile.extend(settings);
        }
        Ok(all)
    }

    /// Names of all profiles.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// Whether there is such a profile.
    pub(super) fn has(&self, name: &str) -> bool {
        self.profiles.contains_key(name)
    }

    /// The way from a profile to its first credentials.
    ///
    /// # Errors
    /// [`Problem`] with the profile that cannot be used.
    pub(super) fn chain(&self, name: &str) -> Result<Chain, Problem> {
        let mut chain = Chain::default();
        let (mut name, mut passed): (&str, Vec<&str>) = (name, Vec::new());
        loop {
            let from = passed.last().map(|from| (*from).to_owned());
            let profile = self.profiles.get(name).ok_or_else(|| Problem::Missing { profile: name.to_owned(), from })?;
            if passed.contains(&name) {
                return Err(Problem::Loop { profile: name.to_owned() });
            }
            passed.push(name);
            let has = |key: &str| profile.contains_key(key);
            let own_keys = has("aws_access_key_id");
            let is_source = passed.len() > 1;
            if has("role_arn") && !has("web_identity_token_file") && !(is_source && own_keys) {
                if has("mfa_serial") && chain.mfa.is_none() {
                    chain.mfa = Some(name.to_owned());
                }
                let wrong = |why| Problem::Source { profile: name.to_owned(), why };
                match (profile.get("source_profile"), has("credential_source")) {
                    (Some(_), true) => return Err(wrong("source_profile and credential_source exclude each other")),
                    (None, false) => return Err(wrong("its role_arn needs source_profile or credential_source")),
                    (None, true) => return Ok(Chain { base: name.to_owned(), how: How::Named, ..chain }),
                    (Some(source), false) if source != name => {
                        name = source;
                        continue;
                    }
                    // A profile that is its own source has the first keys itself.
                    (Some(_), false) => {}
                }
            }
            let how = how(profile, is_source).ok_or_else(|| Problem::Empty { profile: name.to_owned() })?;
            return Ok(Chain { base: name.to_owned(), how, ..chain });
        }
    }

    /// The same as one configuration file for the SDK, whose own parser knows fewer names.
    pub(super) fn for_sdk(&self) -> String {
        let mut text = String::new();
        let kinds = [("profile", &self.profiles), ("sso-session", &self.sessions), ("services", &self.services)];
        for (kind, sections) in kinds {
            for (name, settings) in sections {
                let _ = writeln!(text, "[{kind} {}]", sdk_name(name));
                for (key, value) in settings.iter().filter(|(key, _)| !key.is_empty() && sdk_name(key) == **key) {
                    let named = matches!(key.as_str(), "source_profile" | "sso_session" | "services");
                    let value = if named { sdk_name(value) } else { value.replace('\n', "\n  ") };
                    let _ = writeln!(text, "{key} = {value}");
                }
            }
        }
        text
    }
}

fn how(profile: &Settings, is_source: bool) -> Option<How> {
    let has = |key: &str| profile.contains_key(key);
    match () {
        () if is_source && has("aws_access_key_id") => Some(How::Keys),
        () if has("credential_source") => Some(How::Named),
        () if has("web_identity_token_file") => Some(How::WebIdentity),
        () if has("sso_session") || has("sso_start_url") => Some(How::Sso),
        () if has("login_session") => Some(How::Login),
        () if has("credential_process") => Some(How::Process),
        () if has("aws_access_key_id") => Some(How::Keys),
        () => None,
    }
}

/// A name as the SDK's parser takes it: what it would pass over is written as `%` and two digits.
pub(super) fn sdk_name(name: &str) -> String {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/.%@:+".contains(&byte);
    name.bytes().fold(String::new(), |mut text, byte| {
        if fits(byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// Every section with its settings, as `configparser` reads them: what is indented deeper than its setting continues
/// it, whole lines are comments, and `=` or `:` ends a key.
fn sections(text: &str) -> Result<Vec<(String, Settings)>, Broken> {
    let mut found: Vec<(String, Settings)> = Vec::new();
    let (mut indent, mut key): (usize, Option<String>) = (0, None);
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let broken = |why: &str| Broken { line: at + 1, why: why.to_owned() };
        let value = line.trim();
        if value.is_empty() || value.starts_with(['#', ';']) {
            continue;
        }
        let depth = line.chars().take_while(|c| c.is_whitespace()).count();
        if let (Some(key), Some((_, settings))) = (&key, found.last_mut())
            && depth > indent
        {
            let whole = settings.entry(key.clone()).or_default();
            whole.push('\n');
            whole.push_str(value);
            continue;
        }
        indent = depth;
        if let Some(header) = value.strip_prefix('[') {
            let name = header.rfind(']').map(|end| &header[..end]).filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| broken("the section's name does not end with ]"))?;
            if found.iter().any(|(other, _)| other == name) {
                return Err(broken(&format!("the section [{name}] is there twice")));
            }
            found.push((name.to_owned(), Settings::new()));
            key = None;
            continue;
        }
        let Some((_, settings)) = found.last_mut() else {
            return Err(broken("this comes before any [section]"));
        };
        let (name, value) = value.split_once(['=', ':']).ok_or_else(|| broken("this is no `key = value`"))?;
        let name = name.trim().to_lowercase();
        if name.is_empty() {
            return Err(broken("there is no key before the ="));
        }
        if settings.insert(name.clone(), value.trim().to_owned()).is_some() {
            return Err(broken(&format!("{name} is there twice in its section")));
        }
        key = Some(name);
    }
    Ok(found)
}

/// The words of a section's name, as a shell would split them: `profile "on call"` has two.
fn words(name: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    // A quote that never ends makes no name, as for the CLI.
    if quote.is_some() { Vec::new() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(config: &str, credentials: &str) -> AwsFiles {
        AwsFiles::parse(config, credentials).unwrap()
    }

    #[test]
    fn indented_keys_are_keys_and_deeper_ones_belong_to_the_one_before() {
        let profiles = parsed(
            "[profile sp]\n  aws_access_key_id = SPKEY\n  aws_secret_access_key = s\n\ts3 =\n\t\t\taddressing_style = path\n\
             aws_session_token: t\n  # said so\n   more\n",
            "",
        );
        let sp = &profiles.profiles["sp"];
        assert_eq!((sp["aws_access_key_id"].as_str(), sp["aws_secret_access_key"].as_str()), ("SPKEY", "s"));
        assert_eq!((sp["s3"].as_str(), sp["aws_session_token"].as_str()), ("\naddressing_style = path", "t\nmore"));
        let flat = parsed("  [profile sp]\n  a = 1\n  b : 2\n\ts3 =\n", "");
        assert_eq!(flat.profiles["sp"].get("b").map(String::as_str), Some("2"));
    }

    #[test]
    fn sections_are_named_as_the_cli_names_them() {
        let profiles = parsed(
            "[default]\nregion = a\n[profile  two]\nx=1\n[profile \"on call\"]\nx=1\n[prod]\nx=1\n[sso-session s]\nx=1\n\
             [profile 'a\"b']\nx=1\n[profile \"open]\nx=1\n[services w]\nroute_53 =\n  endpoint_url = http://h\n",
            "\u{feff}[ keys ]\naws_access_key_id=K\n[two]\nX = 2\n",
        );
        assert_eq!(profiles.names().collect::<Vec<_>>(), ["a\"b", "default", "keys", "on call", "two"]);
        assert_eq!(profiles.profiles["two"]["x"], "2", "the credentials file says more");
        let text = profiles.for_sdk();
        assert!(text.contains("[profile on%20call]\n"), "{text}");
        assert!(text.contains("[services w]\nroute_53 = \n  endpoint_url = http://h\n"), "{text}");
    }

    #[test]
    fn what_is_broken_is_named_with_its_line() {
        for (text, line) in [
            ("a = 1\n", 1),
            ("[profile a]\nb\n", 2),
            ("[profile a]\n= 1\n", 2),
            ("\n[profile a\n", 2),
            ("[default]\n[x]\n# c\n[default]\n", 4),
            ("[default]\na=1\nA=2\n", 3),
        ] {
            assert_eq!(AwsFiles::parse(text, "").unwrap_err().1.line, line, "{text}");
            assert!(AwsFiles::parse("", text).unwrap_err().0, "{text}");
        }
    }

    #[test]
    fn a_chain_ends_at_keys_or_names_what_is_missing() {
        let profiles = parsed(
            "[profile role]\nrole_arn=r\nsource_profile=base\nmfa_serial=m\n[profile lost]\nrole_arn=r\nsource_profile=nobody\n\
             [profile round]\nrole_arn=r\nsource_profile=back\n[profile back]\nrole_arn=r\nsource_profile=round\n\
             [profile bare]\nregion=x\n[profile both]\nrole_arn=r\nsource_profile=base\ncredential_source=Environment\n\
             [profile none]\nrole_arn=r\n[profile own]\nrole_arn=r\nsource_profile=own\naws_access_key_id=K\n\
             [profile instance]\nrole_arn=r\ncredential_source=Ec2InstanceMetadata\n[profile over]\nrole_arn=r\nsource_profile=bare\n\
             [profile proc]\ncredential_process=x\n",
            "[base]\naws_access_key_id=K\naws_secret_access_key=s\n[proc]\naws_access_key_id=K\n",
        );
        let chain = profiles.chain("role").unwrap();
        assert_eq!((chain.mfa.as_deref(), chain.base.as_str(), chain.how), (Some("role"), "base", How::Keys));
        let missing = |profile: &str, from: Option<&str>| Problem::Missing {
            profile: profile.to_owned(),
            from: from.map(str::to_owned),
        };
        assert_eq!(profiles.chain("prodd"), Err(missing("prodd", None)));
        assert_eq!(profiles.chain("default"), Err(missing("default", None)));
        assert_eq!(profiles.chain("lost"), Err(missing("nobody", Some("lost"))));
        assert_eq!(profiles.chain("round"), Err(Problem::Loop { profile: "round".to_owned() }));
        assert_eq!(profiles.chain("bare"), Err(Problem::Empty { profile: "bare".to_owned() }));
        assert_eq!(profiles.chain("over"), Err(Problem::Empty { profile: "bare".to_owned() }));
        assert!(matches!(profiles.chain("both"), Err(Problem::Source { .. })));
        assert!(matches!(profiles.chain("none"), Err(Problem::Source { .. })));
        assert_eq!(profiles.chain("own").unwrap().how, How::Keys);
        assert_eq!(profiles.chain("instance").unwrap().how, How::Named);
        assert_eq!(profiles.chain("proc").unwrap().how, How::Keys, "keys in the credentials file go first");
    }
}
