//! Profiles, files and failures as they come.

use super::super::http::Skew;
use super::*;
use crate::adapters::clock::SystemClock;
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
