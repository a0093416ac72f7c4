//! Profiles, files and failures as they come.

use super::super::http::Skew;
use super::*;
use crate::adapters::clock::SystemClock;
use aws_credential_types::provider::SharedCredentialsProvider;
use std::path::Path;

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

#[tokio::test]
async fn who_gives_the_keys_is_told_with_their_end_and_what_renews_them() {
    let home = tempfile::tempdir().unwrap();
    let saml = keys(home.path(), "saml");
    assert_eq!(saml.given(), None, "nobody has asked");
    write(home.path(), "[saml]\naws_access_key_id=KEY1\naws_secret_access_key=secret-of-one\naws_session_token=t1t1\n");
    saml.get().await.unwrap();
    let given = saml.given().unwrap();
    assert!(
        given.text.starts_with("given by the profile saml (keys in AWS's files), good until an instant"),
        "{given:?}"
    );
    assert!(given.text.contains("not renewed by themselves") && given.renew.contains("without a restart"), "{given:?}");
    let config = "[profile slow]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"s\",\
                  \"SessionToken\":\"t\",\"Expiration\":\"2036-01-01T00:00:00Z\"}'\n";
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    let slow = keys(home.path(), "slow");
    slow.get().await.unwrap();
    let given = slow.given().unwrap().text;
    assert!(
        given.starts_with("given by the profile slow (its credential_process), good until 2036-01-01T00:00:00Z"),
        "{given}"
    );
}

#[test]
fn without_a_profile_awss_own_order_tells_who_gives_them() {
    let nobody =
        Source { provider: SharedCredentialsProvider::new(Credentials::from_keys("a", "b", None)), named: None };
    for (set, who) in [
        ("AWS_ACCESS_KEY_ID", "environment variables"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "web identity"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "container"),
        ("HOME", "instance"),
    ] {
        let env: Env = Arc::new(move |name| (name == set).then(|| "x".to_owned()));
        assert!(nobody.gives(&env).0.contains(who), "{set}");
    }
}
