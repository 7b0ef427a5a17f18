//! What `doctor` finds: that all is well, or what to do about each thing that is not.

#[cfg(unix)]
use std::fs;
use std::process::{Command, Stdio};

use pollination_auth_fake::{Fault, Operation};

#[cfg(target_os = "linux")]
use crate::unreachable::behind_early_tls;
use crate::unreachable::{authority, behind_tls, closed_port};
use crate::world::{ID, PROGRAM, Ran, SECRET, World};

/// Examines the way to another host than the service in memory, on this world's store.
pub(crate) fn examine(world: &World, host: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(PROGRAM);
    command
        .args(["doctor", "--host", host])
        .env_clear()
        .envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)))
        .env("HOME", world.home.path())
        .env("POLLINATION_AUTH_DIR", world.directory())
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    command.output().unwrap().into()
}

/// Returns what is said of a check, on one line.
pub(crate) fn line(ran: &Ran, name: &str) -> String {
    let mut lines = ran.stdout.lines();
    let is_first = |line: &&str| {
        ["ok", "problem", "skipped"]
            .iter()
            .any(|result| line.starts_with(&format!("{result}: {name}:")))
    };
    let first = lines
        .find(is_first)
        .unwrap_or_else(|| panic!("{name}: {ran:?}"));
    let rest = lines.take_while(|line| line.starts_with("  "));
    rest.fold(first.to_owned(), |text, line| {
        format!("{text} {}", line.trim())
    })
}

#[cfg(unix)]
#[test]
fn a_machine_on_which_all_is_well() {
    let world = World::logged_in();
    let ran = world.run(&["doctor"]);
    world.assert_is(
        ran.text(),
        snapbox::str![[r#"
ok: host: [HOST]
ok: proxy: none for this host
ok: DNS: not needed: 127.0.0.1 is an IP address
ok: TLS: not used: the service is on this machine
ok: service: answered with status 401, as expected without an access token
ok: clock: the same as the service's
ok: store: [HOME]/credentials, writable, mode 0700
ok: rescue directory: [HOME]/rescue, created if needed
ok: profiles: 1 stored, with nothing unfinished
ok: credential: API token an-id is stored
ok: environment: has POLLINATION_AUTH_DIR, POLLINATION_AUTH_RESCUE_DIR

"#]],
    );
    assert_eq!(ran.stderr, "");
    assert_eq!(world.service.logins(), 1);
    let json = world.run(&["doctor", "--output", "json"]).json();
    assert_eq!(json["ok"], true);
    assert_eq!(json["checks"][0]["name"], "host");
    assert_eq!(json["checks"][0]["result"], "ok");
}

#[test]
fn no_secret_is_sent_or_shown() {
    let world = World::logged_in();
    let mut command = world.command(&["doctor"]);
    command.env("POLLINATION_API_KEY_ID", "other-id");
    command.env("POLLINATION_API_KEY_SECRET", "planted-other");
    let ran = Ran::from(command.output().unwrap());
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!shown.contains("planted"), "{shown}");
    assert!(
        line(&ran, "credential").contains("other-id of the environment"),
        "{ran:?}"
    );
    let asked = world.service.requests();
    let asked = format!("{:?}", asked.last().unwrap());
    assert!(
        !asked.contains(SECRET) && !asked.contains("planted"),
        "{asked}"
    );
}

#[test]
fn a_host_that_is_not_there_is_a_problem_with_its_cause() {
    let world = World::logged_in();
    let ran = examine(&world, &format!("http://127.0.0.1:{}", closed_port()), &[]);
    assert_eq!(ran.code, Some(13), "{ran:?}");
    let service = line(&ran, "service");
    assert!(service.contains("Connection refused"), "{service}");
    assert!(
        service.contains("fix: nothing listens on that port; start the service"),
        "{service}"
    );
    let ran = examine(&world, "https://h.invalid", &[]);
    let dns = line(&ran, "DNS");
    assert!(
        dns.contains("h.invalid") && dns.contains("check the host name"),
        "{dns}"
    );
    assert!(
        line(&ran, "TLS").contains("the name is not known"),
        "{ran:?}"
    );
    let ran = examine(&world, "h.example", &[]);
    assert!(line(&ran, "host").contains("correct --host"), "{ran:?}");
    assert_eq!(ran.code, Some(13));
}

/// On Windows and macOS the system's store is asked, in its own words.
#[cfg(target_os = "linux")]
#[test]
fn row_35_a_certificate_that_is_not_valid_yet_is_a_problem_of_the_clock() {
    let world = World::logged_in();
    let authority = authority();
    let root = world.home.path().join("root.pem");
    fs::write(&root, authority.pem()).unwrap();
    let host = behind_early_tls(&world, &authority);
    let ran = examine(&world, &host, &[("SSL_CERT_FILE", root.to_str().unwrap())]);
    let tls = line(&ran, "TLS");
    assert!(tls.contains("fix: check this machine's clock"), "{tls}");
}

/// On Windows the system's store is asked, in its own words, and no variable is read.
#[cfg(unix)]
#[test]
fn row_35_the_issuer_of_a_certificate_is_named_trusted_or_not() {
    let world = World::logged_in();
    let authority = authority();
    let host = behind_tls(&world, &authority);
    let ran = examine(&world, &host, &[]);
    assert_eq!(ran.code, Some(13), "{ran:?}");
    let tls = line(&ran, "TLS");
    for part in [
        "UnknownIssuer",
        "issued by CN=A private CA",
        "set SSL_CERT_FILE",
    ] {
        assert!(tls.contains(part), "{part}: {tls}");
    }
    if cfg!(target_os = "linux") {
        let root = world.home.path().join("root.pem");
        fs::write(&root, authority.pem()).unwrap();
        let ran = examine(&world, &host, &[("SSL_CERT_FILE", root.to_str().unwrap())]);
        let tls = line(&ran, "TLS");
        let trusted = "the certificate is trusted, issued by CN=A private CA, valid until ";
        assert!(tls.contains(trusted), "{ran:?}");
        assert!(line(&ran, "service").contains("status 401"), "{ran:?}");
    }
}

#[test]
fn the_scheme_that_the_port_does_not_speak_is_named() {
    let world = World::logged_in();
    let plain = world.service.base_url().replace("http://", "https://");
    let ran = examine(&world, &plain, &[]);
    assert!(
        line(&ran, "TLS").contains("does not speak TLS; if it speaks plain http, use http://"),
        "{ran:?}"
    );
    let secure = behind_tls(&world, &authority()).replace("https://", "http://");
    let ran = examine(&world, &secure, &[]);
    assert!(
        line(&ran, "service").contains("use https:// in --host"),
        "{ran:?}"
    );
}

/// On Windows the system's store is asked, in its own words, and no variable is read.
#[cfg(unix)]
#[test]
fn row_78_without_root_certificates_the_variable_is_named() {
    let world = World::logged_in();
    let missing = [("SSL_CERT_FILE", "/nonexistent/roots.pem")];
    let ran = examine(&world, "https://h.example", &missing);
    assert_eq!(ran.code, Some(13), "{ran:?}");
    let tls = line(&ran, "TLS");
    let fix = "which does not exist fix: install the system's certificates, or set SSL_CERT_FILE";
    assert!(tls.contains(fix), "{tls}");
}

#[test]
fn what_is_not_the_api_is_not_taken_for_it() {
    let world = World::logged_in();
    let page = Fault::status(200).body("<html>a login page</html>");
    world.service.fail_next(Operation::GetApiToken, page);
    let ran = world.run(&["doctor"]);
    assert_eq!(ran.code, Some(13), "{ran:?}");
    assert!(
        line(&ran, "service").contains("this is not the API"),
        "{ran:?}"
    );
    world
        .service
        .fail_next(Operation::GetApiToken, Fault::status(503));
    let ran = world.run(&["doctor"]);
    assert!(line(&ran, "service").contains("try again later"), "{ran:?}");
}

#[test]
fn an_unfinished_rotation_is_named_with_the_command_that_completes_it() {
    let world = World::logged_in();
    for _ in 0..3 {
        let lost = Fault::commit_and_drop();
        world
            .service
            .fail_next(Operation::RotateApiTokenSecret, lost);
    }
    let rotate = ["token", "rotate", "--yes", "--settle", "1ms"];
    world.run(&rotate).fails_with(6);
    let ran = world.run(&["doctor"]);
    assert_eq!(ran.code, Some(13), "{ran:?}");
    let profiles = line(&ran, "profiles");
    assert!(profiles.contains("a rotation is unfinished"), "{ran:?}");
    assert!(
        profiles.contains("pollination-auth token rotate --resume"),
        "{ran:?}"
    );
    let list = world.run(&["profile", "list"]);
    assert!(
        list.answer()
            .contains("API token an-id; rotation unfinished\n    "),
        "{list:?}"
    );
}

#[cfg(unix)]
#[test]
fn row_52_a_store_that_is_not_safe_is_a_problem_and_nobody_logged_in_is_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let ran = world.run(&["doctor"]);
    assert_eq!(ran.code, Some(13), "{ran:?}");
    assert!(
        line(&ran, "credential").contains("pollination-auth login"),
        "{ran:?}"
    );
    assert!(
        line(&ran, "store").contains("which `login` creates"),
        "{ran:?}"
    );
    assert!(!world.directory().exists());
    world.log_in();
    fs::set_permissions(world.directory(), fs::Permissions::from_mode(0o777)).unwrap();
    let ran = world.run(&["doctor"]);
    assert_eq!(ran.code, Some(13), "{ran:?}");
    let store = line(&ran, "store");
    assert!(store.contains("others can write to it"), "{store}");
}

#[cfg(unix)]
#[test]
fn row_54_a_rescue_directory_that_takes_nothing_or_fails_with_the_store_is_a_problem() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::logged_in();
    let place = |name: &str| world.home.path().join(name).to_str().unwrap().to_owned();
    fs::write(place("file"), "").unwrap();
    fs::create_dir(place("open")).unwrap();
    fs::set_permissions(place("open"), fs::Permissions::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink(world.directory(), place("link")).unwrap();
    let fails_together = "is in the credential store, so a new secret is lost if that fails";
    for (directory, problem) in [
        (String::new(), "POLLINATION_AUTH_RESCUE_DIR is empty"),
        (place("file"), "Not a directory"),
        (place("file/below"), "Not a directory"),
        (place("open"), "others can write to it"),
        (place("credentials"), fails_together),
        (place("credentials/below"), fails_together),
        (place("link/below"), fails_together),
    ] {
        let mut command = world.command(&["doctor"]);
        command.env("POLLINATION_AUTH_RESCUE_DIR", &directory);
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, Some(13), "{directory}: {ran:?}");
        let rescue = line(&ran, "rescue directory");
        assert!(rescue.contains(problem), "{rescue}");
        let advice = "fix: set POLLINATION_AUTH_RESCUE_DIR to a private directory";
        assert!(rescue.contains(advice), "{rescue}");
    }
}

#[cfg(unix)]
#[test]
fn row_52_a_credential_that_others_can_read_is_a_problem() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::logged_in();
    fs::set_permissions(world.credential(), fs::Permissions::from_mode(0o644)).unwrap();
    let ran = world.run(&["doctor"]);
    assert_eq!(ran.code, Some(13), "{ran:?}");
    assert!(
        line(&ran, "profiles").contains("others can read it"),
        "{ran:?}"
    );
    assert!(
        line(&ran, "credential").contains("others can read it"),
        "{ran:?}"
    );
}

#[cfg(unix)]
#[test]
fn row_52_a_cached_access_token_that_others_can_read_is_a_problem() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::logged_in();
    fs::set_permissions(world.kept_token(), fs::Permissions::from_mode(0o644)).unwrap();
    let ran = world.run(&["doctor"]);
    assert_eq!(ran.code, Some(13), "{ran:?}");
    let credential = line(&ran, "credential");
    let expected = "others can read it fix: it is the cached access token; remove the file, and \
                    do not use that token";
    assert!(credential.ends_with(expected), "{credential}");
}

#[cfg(unix)]
#[test]
fn row_53_a_lock_that_no_rotation_could_take_is_a_problem() {
    let world = World::logged_in();
    let key = world.profile().id().key();
    for lock in [format!("{key}.lock"), format!("access-tokens/{key}.lock")] {
        let lock = world.directory().join(lock);
        fs::remove_file(&lock).unwrap();
        let doctor = |problem: &str| {
            let ran = world.run(&["doctor"]);
            assert_eq!(ran.code, Some(13), "{ran:?}");
            let credential = line(&ran, "credential");
            for part in [lock.to_str().unwrap(), problem, "fix: move it away"] {
                assert!(credential.contains(part), "{credential}");
            }
        };
        fs::create_dir(&lock).unwrap();
        doctor("Is a directory");
        fs::remove_dir(&lock).unwrap();
        std::os::unix::fs::symlink("/dev/null", &lock).unwrap();
        doctor("it is a symbolic link");
        fs::remove_file(&lock).unwrap();
        assert_eq!(world.run(&["doctor"]).code, Some(0));
    }
}

#[test]
fn row_51_an_environment_that_is_half_set_is_named_and_nothing_of_it() {
    let world = World::logged_in();
    let mut command = world.command(&["doctor"]);
    command.env("POLLINATION_API_KEY_SECRET", "planted");
    command.env("POLLINATION_API_KEY", "planted");
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(13), "{ran:?}");
    let environment = line(&ran, "environment");
    assert!(
        environment.contains("set both the id and the secret"),
        "{environment}"
    );
    assert!(
        ran.stdout.contains("a key of the vendor's later"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("planted"), "{ran:?}");
}

#[test]
fn two_secrets_of_one_api_token_are_a_problem_that_names_the_older_one() {
    let world = World::logged_in();
    let doctor = |secret: &str| {
        let mut command = world.command(&["doctor"]);
        command.env("POLLINATION_API_KEY_ID", ID);
        command.env("POLLINATION_API_KEY_SECRET", secret);
        let ran = Ran::from(command.output().unwrap());
        assert!(!ran.stdout.contains("planted"), "{ran:?}");
        (ran.code, line(&ran, "credential"))
    };
    let (code, credential) = doctor(SECRET);
    assert_eq!(code, Some(0), "{credential}");
    let (code, credential) = doctor("planted-other");
    assert_eq!(code, Some(13));
    assert!(
        credential.contains("one of the two is probably old fix: run `pollination-auth login"),
        "{credential}"
    );
    let ran = world.run(&["token", "rotate", "--yes"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let (code, credential) = doctor(SECRET);
    assert_eq!(code, Some(13));
    for part in [
        "another secret of the API token an-id than the store, which was rotated at 20",
        "that of the environment is probably the old one fix: unset POLLINATION_API_KEY_ID and",
    ] {
        assert!(credential.contains(part), "{part}: {credential}");
    }
}
