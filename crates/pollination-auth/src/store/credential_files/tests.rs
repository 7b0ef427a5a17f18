//! A mount of secrets, imitated with links and modes.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use super::*;

/// A mount as Kubernetes makes it: `id` and `secret` are links into `..data`, a link itself.
struct Mount(PathBuf);

impl Mount {
    fn new(name: &str, id: &str, secret: &str) -> Self {
        let name = format!("mount-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _left_over = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        for part in ["id", "secret"] {
            symlink(format!("..data/{part}"), path.join(part)).unwrap();
        }
        let mount = Self(path);
        mount.replace(id, secret);
        mount
    }

    /// Puts another version in its place as one step.
    fn replace(&self, id: &str, secret: &str) {
        let versions = fs::read_dir(&self.0).unwrap().count();
        let version = format!("..version-{versions}");
        fs::create_dir(self.0.join(&version)).unwrap();
        for (part, text) in [("id", id), ("secret", secret)] {
            let path = self.0.join(&version).join(part);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o440)).unwrap();
        }
        symlink(&version, self.0.join("..data_new")).unwrap();
        fs::rename(self.0.join("..data_new"), self.0.join("..data")).unwrap();
    }

    fn file(&self, part: &str) -> PathBuf {
        self.0.join(part)
    }

    fn files(&self) -> CredentialFiles {
        let [id, secret] = ["id", "secret"].map(|part| self.file(part));
        CredentialFiles::new(Given::File(id), Given::File(secret))
    }

    fn set_mode(&self, part: &str, mode: u32) {
        fs::set_permissions(self.file(part), Permissions::from_mode(mode)).unwrap();
    }

    /// Puts this in the place of the secret, and returns what is said about it.
    fn refusal_of(&self, secret: &[u8]) -> String {
        let path = self.file("secret");
        fs::remove_file(&path).unwrap();
        fs::write(&path, secret).unwrap();
        self.set_mode("secret", 0o400);
        self.refusal("secret")
    }

    /// Returns why a read fails, without the path that it has to name.
    fn refusal(&self, part: &str) -> String {
        let error = self.files().read().unwrap_err();
        assert_eq!(error.path(), self.file(part));
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("planted"), "{shown}");
        let path = error.path().display().to_string();
        error.to_string().strip_prefix(&path).unwrap().to_owned()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn pair(token: &ApiToken) -> (&str, &str) {
    (token.id().as_str(), token.secret().expose_secret())
}

#[test]
fn row_80_a_mount_of_links_is_read_as_it_is_now() {
    let mount = Mount::new("links", "an-id\n", "a-secret\n");
    let files = mount.files();
    assert_eq!(pair(&files.read().unwrap()), ("an-id", "a-secret"));
    mount.replace("an-id", "a-new-secret");
    assert_eq!(pair(&files.read().unwrap()), ("an-id", "a-new-secret"));
    for mode in [0o400, 0o440, 0o444, 0o600, 0o640, 0o644] {
        mount.set_mode("secret", mode);
        assert!(files.read().is_ok(), "{mode:o}");
    }
}

#[test]
fn row_80_a_file_that_everyone_can_read_is_warned_of_once() {
    let mount = Mount::new("world", "an-id", "planted");
    let files = mount.files();
    let log_of_two_reads = || {
        let (_, log) = crate::testing::log::logged(|| {
            files.read().unwrap();
            files.clone().read().unwrap();
        });
        log
    };
    assert_eq!(log_of_two_reads(), "");
    mount.set_mode("secret", 0o444);
    let log = log_of_two_reads();
    assert_eq!(log.matches("WARN").count(), 1, "{log}");
    assert!(!log.contains("planted"), "{log}");
    assert_eq!(log_of_two_reads(), "");
}

#[test]
fn row_80_no_pair_is_torn_when_the_mount_is_replaced_between_its_two_files() {
    let mount = Mount::new("torn", "id-0", "secret-0");
    let replaced = AtomicBool::new(false);
    let token = mount.files().read_beside(|| {
        if !replaced.swap(true, Ordering::Relaxed) {
            mount.replace("id-1", "secret-1");
        }
    });
    assert_eq!(pair(&token.unwrap()), ("id-1", "secret-1"));

    let number = std::sync::atomic::AtomicU32::new(2);
    let always = mount.files().read_beside(|| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        mount.replace(&format!("id-{number}"), &format!("secret-{number}"));
    });
    assert!(matches!(always.unwrap_err().problem, Problem::Changing));
}

#[test]
fn row_80_a_part_of_the_environment_goes_with_a_file_for_the_other() {
    let mount = Mount::new("mixed", "unused", "a-secret");
    let id = Given::Value(entered_id("an-id").unwrap());
    let files = CredentialFiles::new(id, Given::File(mount.file("secret")));
    assert_eq!(pair(&files.read().unwrap()), ("an-id", "a-secret"));
}

#[test]
fn row_80_a_file_that_others_can_change_is_refused() {
    let mount = Mount::new("modes", "an-id", "planted");
    for mode in [0o660, 0o606, 0o620, 0o602, 0o666] {
        mount.set_mode("secret", mode);
        assert!(
            mount.refusal("secret").contains("writable by others"),
            "{mode:o}"
        );
    }
    mount.set_mode("secret", 0o440);
    // Only root can give a file away.
    let given = chown(mount.file("secret"), Some(54_321), None);
    if rustix::process::geteuid().is_root() {
        given.unwrap();
        assert!(mount.refusal("secret").contains("another user"));
    } else {
        assert_eq!(given.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}

#[test]
fn row_51_a_file_without_a_usable_text_is_named_and_its_value_is_not_shown() {
    let mount = Mount::new("texts", "an-id", "planted");
    let secret = |problem| format!(": the API token's secret {problem}");
    assert_eq!(mount.refusal_of(b""), secret("is empty"));
    assert_eq!(mount.refusal_of(b"\n"), secret("is empty"));
    assert_eq!(
        mount.refusal_of(b"planted\xff"),
        secret("is not valid UTF-8")
    );
    let second_line = "contains a control character, such as a second line";
    assert_eq!(mount.refusal_of(b"planted\n\n"), secret(second_line));
    assert_eq!(
        mount.refusal_of(&[b'p'; FILE_LIMIT + 1]),
        " is longer than 16384 bytes"
    );
    fs::remove_file(mount.file("secret")).unwrap();
    assert!(mount.refusal("secret").contains("No such file"));
    fs::create_dir(mount.file("secret")).unwrap();
    assert_eq!(mount.refusal("secret"), " is not a regular file");
    fs::remove_file(mount.file("id")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, mount.file("id"), 0o400.into()).unwrap();
    assert_eq!(mount.refusal("id"), " is not a regular file");
}
