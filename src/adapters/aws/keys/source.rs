//! Who gives the keys, once that is known, and what is said when it gives none.

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;

use super::files::{files, named_by_environment};
use super::{Env, Inner};
use crate::adapters::aws::errors::{NoKeys, causes};
use crate::adapters::aws::profiles::{AwsFiles, Chain, How, Problem, sdk_name};

/// Where keys come from, once that is known.
pub(super) struct Source {
    pub(super) provider: SharedCredentialsProvider,
    pub(super) named: Option<(String, Chain)>,
}

impl Source {
    pub(super) fn wants_code(&self) -> bool {
        self.named.as_ref().is_some_and(|(_, chain)| chain.mfa.is_some())
    }

    /// Who is asked for keys.
    pub(super) fn words(&self) -> String {
        match &self.named {
            Some((_, chain)) if chain.how == How::Process => {
                format!("the credential_process of the profile {}", chain.base)
            }
            Some((name, _)) => format!("the profile {name}"),
            None => "AWS's environment, container or instance".to_owned(),
        }
    }

    /// Who gives the keys, and what renews them. Without a profile AWS's own order tells who it is: environment, web
    /// identity, container, instance (SDKs and Tools reference, "Credential provider chain").
    pub(super) fn gives(&self, env: &Env) -> (String, Renewed) {
        let Some((name, chain)) = &self.named else { return of_nobody_named(env) };
        let base = &chain.base;
        let how = match chain.how {
            How::Keys => "keys in AWS's files",
            How::Process => "its credential_process",
            How::Sso => "IAM Identity Center",
            How::Login => "aws login",
            How::WebIdentity => "a web identity",
            How::Named => "its credential_source",
        };
        let over = if name == base { String::new() } else { format!(", over {base}") };
        let renewed = match chain.how {
            How::Keys => Renewed::new(
                "they are not renewed by themselves; new ones in the file are read without a restart",
                format!("write new keys of {base} into AWS's credentials file; they are read without a restart"),
            ),
            How::Process => Renewed::new(
                "the program is asked again before they end",
                format!("run the credential_process of {base} by hand and see what it says"),
            ),
            How::Sso => Renewed::new(
                "they are renewed by themselves while the session of IAM Identity Center lasts",
                format!("aws sso login --profile {base}"),
            ),
            How::Login => Renewed::new(
                "they are renewed by themselves while the session of aws login lasts",
                format!("aws login --profile {base}"),
            ),
            How::WebIdentity => Renewed::new(
                "they are renewed by themselves while the token in its file is",
                format!("look at web_identity_token_file of {base}: its token is refused"),
            ),
            How::Named => Renewed::new(
                "they are renewed by themselves",
                format!("`aws sts get-caller-identity --profile {name}` shows whether it works at all"),
            ),
        };
        (format!("the profile {name} ({how}{over})"), renewed)
    }

    /// The SDK's words for a failure, with the way out that belongs to where the keys should come from.
    pub(super) fn explained(&self, error: &CredentialsError) -> NoKeys {
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

/// What becomes of keys.
pub(super) struct Renewed {
    pub(super) text: &'static str,
    pub(super) by_hand: String,
}

impl Renewed {
    fn new(text: &'static str, by_hand: impl Into<String>) -> Self {
        Self { text, by_hand: by_hand.into() }
    }
}

fn of_nobody_named(env: &Env) -> (String, Renewed) {
    let set = |name: &str| env(name).is_some();
    let (who, renewed) = if set("AWS_ACCESS_KEY_ID") {
        let fixed = "they are not renewed: a process keeps the environment that it was started with";
        ("AWS's environment variables", Renewed::new(fixed, "export new keys, then start tapctl again"))
    } else if set("AWS_WEB_IDENTITY_TOKEN_FILE") {
        let token = "they are renewed by themselves while the token in its file is";
        ("a web identity", Renewed::new(token, "look at AWS_WEB_IDENTITY_TOKEN_FILE: its token is refused"))
    } else if set("AWS_CONTAINER_CREDENTIALS_FULL_URI") || set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        ("the container's role", Renewed::new("they are renewed by themselves", "look at the role of the task or pod"))
    } else {
        ("the instance's role", Renewed::new("they are renewed by themselves", "look at the role of this instance"))
    };
    (who.to_owned(), renewed)
}

const NO_CREDENTIALS: &str = "log in (aws sso login, aws login), name a profile with --profile or AWS_PROFILE, or use a \
                              bastion whose instance has a role";

impl Inner {
    pub(super) async fn source(&self) -> Result<Source, NoKeys> {
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
