//! Whose keys sign: the profile that was named, or what AWS's own environment, files, container and instance offer.
//!
//! A profile that was named and is not there is an error, whoever named it, and nobody else's keys take its place. One
//! named to tapctl itself goes before keys in the environment, as with the AWS CLI's `--profile`; `AWS_PROFILE` does
//! not (botocore, `create_credential_resolver`). The files are looked at again whenever they change.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use tokio::sync::Mutex;

use super::errors::{NoKeys, causes};
use super::http::Http;
use super::profiles::{AwsFiles, Broken, Chain, How, Problem, sdk_name};
use crate::domain::text::keep_secret;

/// Larger than this is no file of profiles.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// A failure answers for everybody who asks within this time: twelve questions at once ask STS, or a program, once.
const FAILURE_LASTS: Duration = Duration::from_secs(5);
/// A role that wants a code gets none from here however often it is asked, and STS counts.
const CODE_FAILURE_LASTS: Duration = Duration::from_secs(600);
/// Keys that AWS has refused are asked for anew, but not more often than this.
const RENEW_AT_MOST: Duration = Duration::from_secs(10);
/// Keys with an end are renewed this long before it.
const RENEW_BEFORE: Duration = Duration::from_secs(120);

/// Looks up an environment variable; empty ones count as not set.
pub(super) type Env = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Gives the keys that requests are signed with.
#[derive(Clone)]
pub(super) struct Keys(Arc<Inner>);

struct Inner {
    profile: Option<String>,
    region: String,
    http: Http,
    env: Env,
    state: Mutex<State>,
    refused: AtomicBool,
    meaningless: AtomicBool,
    /// What is waited for right now, and since when.
    waiting: StdMutex<Option<(String, Instant)>>,
}

#[derive(Default)]
struct State {
    files: Vec<Option<Stamp>>,
    source: Option<Arc<Source>>,
    keys: Option<(Credentials, Instant)>,
    /// Why there were none, since when, and how long that answers for everybody.
    failure: Option<(NoKeys, Instant, Duration)>,
}

/// Tells one writing of a file from the next.
type Stamp = (SystemTime, u64, u64);

/// Where keys come from, once that is known.
struct Source {
    provider: SharedCredentialsProvider,
    named: Option<(String, Chain)>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl ProvideCredentials for Keys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let keys = self.clone();
        future::ProvideCredentials::new(async move {
            // A task of its own: who asks may stop to wait, and what a slow program prints still counts for the next.
            match tokio::spawn(async move { keys.get().await }).await {
                Ok(answer) => answer.map_err(CredentialsError::invalid_configuration),
                Err(error) => Err(CredentialsError::unhandled(error)),
            }
        })
    }
}

impl Keys {
    /// Keys of `profile`, where tapctl itself was told one.
    pub(super) fn new(profile: Option<String>, region: &str, http: Http, env: Env) -> Self {
        Self(Arc::new(Inner {
            profile,
            region: region.to_owned(),
            http,
            env,
            state: Mutex::default(),
            refused: AtomicBool::new(false),
            meaningless: AtomicBool::new(false),
            waiting: StdMutex::default(),
        }))
    }

    /// What the SDK should take for AWS's own files, and the profile in it.
    pub(super) fn for_sdk(&self) -> (EnvConfigFiles, String) {
        self.0.for_sdk()
    }

    /// From now on keys that mean nothing are given: a simulator takes any, and asking the instance's metadata service
    /// for some would only cost seconds.
    pub(super) fn mean_nothing(&self) {
        self.0.meaningless.store(true, Ordering::Relaxed);
    }

    /// AWS has refused the keys: whatever gives them is asked anew.
    pub(super) fn refused(&self) {
        self.0.refused.store(true, Ordering::Relaxed);
    }

    /// What has kept a question waiting for keys for `at_least` so long, where something has.
    pub(super) fn waiting(&self, at_least: Duration) -> Option<NoKeys> {
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (what, since) = waiting.as_ref().filter(|(_, since)| since.elapsed() >= at_least)?;
        Some(NoKeys::new(
            format!("{what} has given no credentials for {} s", since.elapsed().as_secs()),
            "run it by hand and see what it waits for; it is waited for in the background, so r may find it done",
        ))
    }

    async fn get(&self) -> Result<Credentials, NoKeys> {
        let inner = &self.0;
        if inner.meaningless.load(Ordering::Relaxed) {
            return Ok(Credentials::from_keys("SIMULATOR", "not-a-secret", None));
        }
        let mut state = inner.state.lock().await;
        let files: Vec<Option<Stamp>> = inner.paths().iter().map(|path| stamp(path.as_deref())).collect();
        if state.files != files {
            *state = State { files, ..State::default() };
        }
        if let Some((failure, at, lasts)) = &state.failure
            && at.elapsed() < *lasts
        {
            return Err(failure.clone());
        }
        if let Some((keys, at)) = &state.keys {
            let reload = inner.refused.load(Ordering::Relaxed) && at.elapsed() >= RENEW_AT_MOST;
            if !reload && lasts(keys, RENEW_BEFORE) {
                return Ok(keys.clone());
            }
            if reload {
                // Whatever the provider keeps for itself is as old as the keys that were refused.
                state.source = None;
            }
        }
        inner.refused.store(false, Ordering::Relaxed);
        let found = self.ask(&mut state).await;
        match (found, state.keys.take()) {
            (Ok(keys), _) => {
                keep_secret([keys.secret_access_key(), keys.session_token().unwrap_or_default()].map(str::to_owned));
                state.keys = Some((keys.clone(), Instant::now()));
                state.failure = None;
                Ok(keys)
            }
            (Err(_), Some((old, at))) if old.expiry().is_some() && lasts(&old, Duration::ZERO) => {
                state.keys = Some((old.clone(), at));
                Ok(old)
            }
            (Err(failure), _) => {
                let wants_code = state.source.as_ref().is_some_and(|source| source.wants_code());
                let lasts = if wants_code { CODE_FAILURE_LASTS } else { FAILURE_LASTS };
                state.failure = Some((failure.clone(), Instant::now(), lasts));
                Err(failure)
            }
        }
    }

    async fn ask(&self, state: &mut State) -> Result<Credentials, NoKeys> {
        let source = match &state.source {
            Some(source) => Arc::clone(source),
            None => Arc::new(self.0.source().await?),
        };
        state.source = Some(Arc::clone(&source));
        self.wait_for(Some((source.words(), Instant::now())));
        let answer = source.provider.provide_credentials().await;
        self.wait_for(None);
        answer.map_err(|error| source.explained(&error))
    }

    fn wait_for(&self, what: Option<(String, Instant)>) {
        *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}

fn lasts(keys: &Credentials, at_least: Duration) -> bool {
    keys.expiry().is_none_or(|end| end > SystemTime::now() + at_least)
}

fn stamp(path: Option<&Path>) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path?).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

impl Inner {
    /// Where the two files are: configuration, credentials.
    fn paths(&self) -> [Option<PathBuf>; 2] {
        let path = |variable: &str, name: &str| {
            let home = (self.env)("HOME").map(PathBuf::from);
            match (self.env)(variable) {
                Some(own) => match (own.strip_prefix("~/"), home) {
                    (Some(rest), Some(home)) => Some(home.join(rest)),
                    _ => Some(PathBuf::from(own)),
                },
                None => home.map(|home| home.join(".aws").join(name)),
            }
        };
        [path("AWS_CONFIG_FILE", "config"), path("AWS_SHARED_CREDENTIALS_FILE", "credentials")]
    }

    async fn source(&self) -> Result<Source, NoKeys> {
        let (own, from_env) = (self.profile.clone(), named_by_environment(&self.env));
        let env_keys = own.is_none() && (self.env)("AWS_ACCESS_KEY_ID").is_some();
        let named = own.clone().or(from_env);
        let profiles = match self.profiles() {
            Ok(profiles) => profiles,
            // Nobody needs the files where the environment has keys and names no profile.
            Err(_) if env_keys && named.is_none() => AwsFiles::default(),
            Err(error) => return Err(error),
        };
        if let Some(name) = &named
            && !profiles.has(name)
        {
            return Err(self.missing(name, None, &profiles, own.is_some()));
        }
        let name = named.clone().unwrap_or_else(|| "default".to_owned());
        let chain = if env_keys || (named.is_none() && !profiles.has(&name)) {
            None
        } else {
            match profiles.chain(&name) {
                Ok(chain) => Some(chain),
                // A profile with nothing but a region is not where AWS's tools end to look, unless it was asked for here.
                Err(Problem::Empty { profile }) if own.is_none() && profile == name => None,
                Err(problem) => return Err(self.problem(problem, &profiles, own.is_some())),
            }
        };
        let files = files(&profiles);
        let provider = if own.is_some() {
            let config = ProviderConfig::without_region()
                .with_region(Some(Region::new(self.region.clone())))
                .with_behavior_version(Some(BehaviorVersion::latest()))
                .with_http_client(self.http.clone());
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&config)
                .profile_files(files)
                .profile_name(sdk_name(&name))
                .build();
            SharedCredentialsProvider::new(provider)
        } else {
            let loader = aws_config::defaults(BehaviorVersion::latest())
                .region(Region::new(self.region.clone()))
                .http_client(self.http.clone())
                .profile_files(files)
                .profile_name(sdk_name(&name));
            let none = || NoKeys::new("there are no credentials", NO_CREDENTIALS);
            Box::pin(loader.load()).await.credentials_provider().ok_or_else(none)?
        };
        Ok(Source { provider, named: chain.map(|chain| (name, chain)) })
    }

    /// What the SDK should take for AWS's own files, and the profile in it. Files that cannot be used have nothing to
    /// say but to whoever asks for keys.
    fn for_sdk(&self) -> (EnvConfigFiles, String) {
        let named = self.profile.clone().or_else(|| named_by_environment(&self.env));
        let name = sdk_name(named.as_deref().unwrap_or("default"));
        (files(&self.profiles().unwrap_or_default()), name)
    }

    fn profiles(&self) -> Result<AwsFiles, NoKeys> {
        let [config, credentials] = self.paths();
        let texts = (read(config.as_ref())?, read(credentials.as_ref())?);
        AwsFiles::parse(&texts.0, &texts.1).map_err(|(second, Broken { line, why })| {
            let file = if second { credentials } else { config }.unwrap_or_default();
            NoKeys::new(
                format!("AWS's file {} cannot be understood: line {line}: {why}", file.display()),
                "correct that line; every AWS tool reads the same file",
            )
        })
    }

    fn missing(&self, name: &str, from: Option<&str>, profiles: &AwsFiles, own: bool) -> NoKeys {
        let files: Vec<_> = self.paths().into_iter().flatten().map(|path| path.display().to_string()).collect();
        let from = match (from, own) {
            (Some(from), _) => format!(", which is the source_profile of {from},"),
            (None, true) => String::new(),
            (None, false) => " of AWS_PROFILE".to_owned(),
        };
        let known: Vec<&str> = profiles.names().take(20).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        NoKeys::new(
            format!("the profile {name}{from} does not exist in {}; nothing was sent", files.join(" or ")),
            format!("name one that is there ({known}); `aws configure list-profiles` shows them, too"),
        )
    }

    fn problem(&self, problem: Problem, profiles: &AwsFiles, own: bool) -> NoKeys {
        match problem {
            Problem::Missing { profile, from } => self.missing(&profile, from.as_deref(), profiles, own),
            Problem::Empty { profile } => NoKeys::new(
                format!(
                    "the profile {profile} says nothing of credentials: no keys, no role_arn, no sso_session, no \
                     credential_process; nothing was sent"
                ),
                format!(
                    "give {profile} credentials (`aws configure --profile {profile}`), or leave --profile out to use \
                     those of the environment, the container or the instance"
                ),
            ),
            Problem::Loop { profile } => NoKeys::new(
                format!("the profile {profile} is its own source, over others; nothing was sent"),
                "let one source_profile on the way lead to a profile with keys",
            ),
            Problem::Source { profile, why } => NoKeys::new(
                format!("the profile {profile} cannot assume its role: {why}; nothing was sent"),
                "correct the profile; `aws sts get-caller-identity --profile NAME` shows whether it works",
            ),
        }
    }
}

fn files(profiles: &AwsFiles) -> EnvConfigFiles {
    EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, profiles.for_sdk()).build()
}

const NO_CREDENTIALS: &str = "log in (aws sso login, aws login), name a profile with --profile or AWS_PROFILE, or use a \
                              bastion whose instance has a role";

/// The profile that AWS's own environment names.
pub(super) fn named_by_environment(env: &Env) -> Option<String> {
    env("AWS_PROFILE").or_else(|| env("AWS_DEFAULT_PROFILE"))
}

/// A file's text; one that is not there is empty.
fn read(path: Option<&PathBuf>) -> Result<String, NoKeys> {
    let Some(path) = path else { return Ok(String::new()) };
    let failed = |why: &dyn fmt::Display| {
        NoKeys::new(
            format!("AWS's file {} cannot be read: {why}", path.display()),
            "check its rights; every AWS tool reads the same file",
        )
    };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(failed(&error)),
        Ok(metadata) if metadata.len() > MAX_BYTES => return Err(failed(&"it is larger than any such file")),
        Ok(_) => {}
    }
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| failed(&error))
}

impl Source {
    fn wants_code(&self) -> bool {
        self.named.as_ref().is_some_and(|(_, chain)| chain.mfa.is_some())
    }

    /// Who is asked for keys.
    fn words(&self) -> String {
        match &self.named {
            Some((_, chain)) if chain.how == How::Process => {
                format!("the credential_process of the profile {}", chain.base)
            }
            Some((name, _)) => format!("the profile {name}"),
            None => "AWS's environment, container or instance".to_owned(),
        }
    }

    /// The SDK's words for a failure, with the way out that belongs to where the keys should come from.
    fn explained(&self, error: &CredentialsError) -> NoKeys {
        let Some((name, chain)) = &self.named else {
            return match error {
                CredentialsError::CredentialsNotLoaded(_) => NoKeys::new(
                    "there are no credentials: neither in the environment, nor in a profile, nor from a container or \
                     the instance",
                    NO_CREDENTIALS,
                ),
                other => NoKeys::new(causes(other), NO_CREDENTIALS),
            };
        };
        let words = causes(error);
        if let Some(mfa) = &chain.mfa {
            return NoKeys::new(
                format!(
                    "the profile {mfa} has an mfa_serial, and tapctl does not support it: it asks for no code, and \
                     without one AWS gave no session: {words}"
                ),
                format!(
                    "let the AWS CLI ask for the code: eval \"$(aws configure export-credentials --profile {name} \
                     --format env)\", then start tapctl without --profile and AWS_PROFILE"
                ),
            );
        }
        let base = &chain.base;
        let next = match chain.how {
            How::Sso => format!("aws sso login --profile {base}"),
            How::Login => format!("aws login --profile {base}"),
            How::Process => format!("run the credential_process of {base} by hand and see what it says"),
            How::Keys | How::WebIdentity | How::Named => {
                format!("`aws sts get-caller-identity --profile {name}` shows whether it works at all")
            }
        };
        NoKeys::new(format!("the profile {name} gives no credentials: {words}"), next)
    }
}

#[cfg(test)]
mod tests {
    use super::super::http::Skew;
    use super::*;
    use crate::adapters::clock::SystemClock;

    fn keys(home: &Path, profile: &str) -> Keys {
        let home = home.display().to_string();
        let env: Env = Arc::new(move |name| (name == "HOME").then(|| home.clone()));
        let http = Http::network(None, Arc::new(Skew::new(Arc::new(SystemClock))));
        Keys::new(Some(profile.to_owned()), "us-west-2", http, env)
    }

    fn write(home: &Path, text: &str) {
        std::fs::create_dir_all(home.join(".aws")).unwrap();
        std::fs::write(home.join(".aws/credentials"), text).unwrap();
    }

    #[tokio::test]
    async fn keys_that_are_renewed_in_the_file_are_read_without_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let keys = keys(home.path(), "saml");
        assert!(keys.get().await.unwrap_err().message.contains("profile saml does not exist"));
        write(home.path(), "[saml]\naws_access_key_id=KEY1\naws_secret_access_key=secret-of-one\n");
        assert_eq!(keys.get().await.unwrap().access_key_id(), "KEY1");
        write(home.path(), "[saml]\naws_access_key_id=KEY2\naws_secret_access_key=the-secret-of-two\n");
        assert_eq!(keys.get().await.unwrap().access_key_id(), "KEY2");
        assert_eq!(crate::domain::text::hide("the-secret-of-two"), "[secret]", "keys in use are secrets");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_named() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join(".aws/credentials")).unwrap();
        let error = keys(home.path(), "saml").get().await.unwrap_err();
        assert!(error.message.contains(".aws/credentials cannot be read"), "{error}");
    }
}
