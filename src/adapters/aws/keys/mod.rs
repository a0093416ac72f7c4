//! Whose keys sign: the profile that was named, or what AWS's own environment, files, container and instance offer.
//!
//! A profile that was named and is not there is an error, whoever named it, and nobody else's keys take its place. One
//! named to tapctl itself goes before keys in the environment, as with the AWS CLI's `--profile`; `AWS_PROFILE` does
//! not (botocore, `create_credential_resolver`). The files are looked at again whenever they change.

mod files;
mod source;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_runtime::env_config::file::EnvConfigFiles;
use tokio::sync::Mutex;

use super::errors::NoKeys;
use super::http::Http;
use crate::domain::text::keep_secret;
use crate::domain::units::Timestamp;
use files::{Stamp, stamp};
use source::Source;

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

/// Whose keys sign, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysGiven {
    /// Who gave them, until when they are good, whether they are renewed by themselves.
    pub text: String,
    /// What gets new ones.
    pub renew: String,
}

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

    /// Who gave the newest keys, and what becomes of them; nothing while there are none, or while somebody waits for them.
    pub(super) fn given(&self) -> Option<KeysGiven> {
        let state = self.0.state.try_lock().ok()?;
        let source = state.source.as_ref()?;
        let until = state.keys.as_ref().map(|(keys, _)| match keys.expiry() {
            Some(end) => format!(", good until {}", time_of(end)),
            None if keys.session_token().is_some() => ", good until an instant that they do not tell".to_owned(),
            None => ", good until somebody takes them back".to_owned(),
        });
        let (who, renewed) = source.gives(&self.0.env);
        Some(KeysGiven {
            text: format!("given by {who}{}; {}", until.unwrap_or_default(), renewed.text),
            renew: renewed.by_hand,
        })
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

fn time_of(at: SystemTime) -> Timestamp {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn lasts(keys: &Credentials, at_least: Duration) -> bool {
    keys.expiry().is_none_or(|end| end > SystemTime::now() + at_least)
}

#[cfg(test)]
mod tests;
