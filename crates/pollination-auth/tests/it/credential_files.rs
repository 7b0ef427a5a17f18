//! Row 80: a client that logs in with the content of a mount, for as long as it runs.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use pollination_auth::{ApiToken, Client, CredentialFileError, Error, Reason, RetryPolicy, Secret};
use pollination_auth_fake::{FakeService, Operation};

const ID: &str = "an-id";
const OLD: &str = "planted-old";

/// A mount as Kubernetes creates it, in the directory of temporary files.
struct Mount(PathBuf);

impl Mount {
    fn new(name: &str, secret: &str) -> Self {
        let name = format!("live-mount-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _left_over = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        for part in ["id", "secret"] {
            symlink(format!("..data/{part}"), path.join(part)).unwrap();
        }
        let mount = Self(path);
        mount.replace("..1", secret);
        mount
    }

    /// Replaces the mounted version by another one in one step, and removes the old one.
    fn replace(&self, version: &str, secret: &str) {
        let before = fs::read_link(self.0.join("..data"));
        fs::create_dir(self.0.join(version)).unwrap();
        for (part, text) in [("id", ID), ("secret", secret)] {
            let path = self.0.join(version).join(part);
            fs::write(&path, format!("{text}\n")).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o440)).unwrap();
        }
        symlink(version, self.0.join("..data_tmp")).unwrap();
        fs::rename(self.0.join("..data_tmp"), self.0.join("..data")).unwrap();
        if let Ok(before) = before {
            fs::remove_dir_all(self.0.join(before)).unwrap();
        }
    }

    fn path(&self, part: &str) -> PathBuf {
        self.0.join(part)
    }

    fn client(&self, service: &FakeService) -> Client {
        let builder = Client::builder().api_token_files(self.path("id"), self.path("secret"));
        let builder = builder.base_url(service.base_url());
        builder.retry(RetryPolicy::none()).build().unwrap()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn service() -> FakeService {
    FakeService::builder().id(ID).secret(OLD).start()
}

/// Rotates the secret, like another program that then replaces the mount.
async fn rotate(service: &FakeService) -> String {
    let operator = Client::builder()
        .api_token(
            ApiToken::new(ID, Secret::from(service.secret().unwrap().expose_secret())).unwrap(),
        )
        .base_url(service.base_url());
    let rotated = operator.build().unwrap().rotate_api_token_secret().await;
    rotated.unwrap().secret().expose_secret().to_owned()
}

#[tokio::test]
async fn row_80_a_mount_that_is_replaced_under_a_live_client_is_read_at_the_next_login() {
    let service = service();
    let mount = Mount::new("replaced", OLD);
    let client = mount.client(&service);
    assert_eq!(client.get_api_token().await.unwrap().as_str(), ID);
    for version in ["..2", "..3"] {
        let new = rotate(&service).await;
        mount.replace(version, &new);
        service.expire_all_tokens();
        let before = service.logins();
        assert_eq!(client.get_api_token().await.unwrap().as_str(), ID);
        assert_eq!(service.logins(), before + 1, "with the new secret alone");
    }
}

#[tokio::test]
async fn row_80_a_mount_that_is_replaced_while_the_old_secret_is_refused_is_read_again() {
    let mount = std::sync::Arc::new(Mount::new("late", "planted-dead"));
    let at_request = mount.clone();
    let service = FakeService::builder().id(ID).secret(OLD);
    let service = service.on_request(move |request| {
        if String::from_utf8_lossy(request.body()).contains("planted-dead") {
            at_request.replace("..2", OLD);
        }
    });
    let service = service.start();
    mount.client(&service).login().await.unwrap();
    assert_eq!(service.logins(), 2);
}

#[tokio::test]
async fn row_80_a_file_that_can_not_be_used_is_named_and_nothing_is_sent() {
    let service = service();
    let mount = Mount::new("unusable", OLD);
    let client = mount.client(&service);
    fs::set_permissions(mount.path("secret"), Permissions::from_mode(0o666)).unwrap();
    assert_names(&client.login().await.unwrap_err(), &mount.path("secret"));
    fs::remove_file(mount.path("id")).unwrap();
    assert_names(&client.login().await.unwrap_err(), &mount.path("id"));
    assert_eq!(service.count(Operation::Login), 0);
}

fn assert_names(error: &Error, path: &Path) {
    assert!(matches!(error, Error::StoreFailed(_)), "{error:?}");
    assert_eq!(error.failure().reason(), &Reason::CredentialFile);
    let source = std::error::Error::source(error).unwrap();
    let found: &CredentialFileError = source.downcast_ref().unwrap();
    assert_eq!(found.path(), path);
    let shown = format!("{error} {error:?} {found} {found:?}");
    assert!(!shown.contains("planted"), "{shown}");
}
