//! The proxy of the environment: what fails there is blamed on it, by commands and by `doctor`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use crate::doctor::{examine, line};
use crate::unreachable::{answering, closed_port, log_in};
use crate::world::World;

#[test]
fn row_37_a_variable_that_names_no_proxy_is_named_and_nothing_of_it() {
    let world = World::new();
    let note = |variable: &str| format!("\n  {variable} is not a valid proxy URL; set it to one");
    for value in [
        "planted planted",
        "ftp://u:planted@h.invalid",
        "http://u:planted@[::1",
        "http://u:planted@h.invalid:99999",
    ] {
        for variable in ["HTTPS_PROXY", "all_proxy"] {
            let ran = log_in(&world, "https://h.invalid", &[(variable, value)]);
            let stderr = ran.fails_with(5);
            // On Windows the case of a name does not matter.
            let named = match cfg!(windows) {
                true => variable.to_uppercase(),
                false => variable.to_owned(),
            };
            assert!(stderr.contains(&note(&named)), "{value}: {stderr}");
            assert!(!stderr.contains("planted "), "{stderr}");
            assert!(!stderr.contains("u:planted"), "{stderr}");
        }
        // It does not count for such a host.
        let exempt = [("HTTPS_PROXY", value), ("NO_PROXY", "invalid")];
        let here = [("ALL_PROXY", value), ("NO_PROXY", "")];
        let closed = format!("https://127.0.0.1:{}", closed_port());
        for (host, variables) in [("https://h.invalid", exempt), (&closed, here)] {
            let ran = log_in(&world, host, &variables);
            assert!(!ran.fails_with(5).contains("PROXY"), "{ran:?}");
        }
    }
}

#[test]
fn row_37_a_proxy_that_can_not_be_reached_is_named_and_nothing_of_it() {
    let world = World::new();
    let proxy = format!("http://u:planted@127.0.0.1:{}", closed_port());
    let ran = log_in(&world, "https://h.example", &[("HTTPS_PROXY", &proxy)]);
    let stderr = ran.fails_with(5);
    let address = proxy.replace("u:planted@", "");
    let note = format!("\n  the proxy is {address}, set by HTTPS_PROXY; check it");
    assert!(stderr.contains(&note), "{stderr}");
    assert!(stderr.contains("\n  cause: tunnel error: "), "{stderr}");
    assert!(!stderr.contains("planted"), "{stderr}");
}

#[test]
fn row_37_a_host_that_no_proxy_exempts_is_not_blamed_on_the_proxy() {
    let world = World::new();
    let proxy = format!("http://127.0.0.1:{}", closed_port());
    let variables = [("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "invalid")];
    let ran = log_in(&world, "https://h.invalid", &variables);
    let stderr = ran.fails_with(5);
    assert!(stderr.contains("\n  cause: dns error: "), "{stderr}");
    assert!(
        stderr.contains("\n  check the host name in --host"),
        "{stderr}"
    );
    assert!(!stderr.contains("PROXY;"), "{stderr}");
}

#[test]
fn row_76_a_proxy_without_a_user_is_told_to_get_one() {
    let world = World::new();
    let proxy = answering("407 No\r\ncontent-length: 0\r\n\r\n");
    let ran = log_in(&world, "https://h.invalid", &[("HTTPS_PROXY", &proxy)]);
    let note = "set by HTTPS_PROXY; add a user and a password to it, as http://USER:PASSWORD@HOST";
    assert!(ran.fails_with(11).contains(note), "{ran:?}");
}

#[test]
fn row_76_a_proxy_that_wants_a_password_is_named_and_asked_once() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://u:planted@{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = String::new();
        BufReader::new(&socket).read_line(&mut head).unwrap();
        write!(socket, "HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n").unwrap();
        drop(socket);
        listener.set_nonblocking(true).unwrap();
        (head, listener)
    });
    let ran = log_in(&world, "https://h.invalid", &[("HTTPS_PROXY", &proxy)]);
    let stderr = ran.fails_with(11);
    let (head, listener) = asked.join().unwrap();
    assert!(head.starts_with("CONNECT h.invalid:443 "), "{head}");
    assert!(listener.accept().is_err(), "it was asked twice");
    assert!(
        stderr.contains("check the proxy's user and password"),
        "{stderr}"
    );
    let note = "set by HTTPS_PROXY, refuses its user and password; correct them there";
    assert!(
        stderr.contains(note) && !stderr.contains("planted"),
        "{stderr}"
    );
}

#[test]
fn row_90_behind_a_proxy_nobody_is_told_to_do_without_tls() {
    let world = World::new();
    // A proxy that speaks plain http, and is named with the other scheme.
    let proxy = answering("400 Bad Request\r\n\r\n").replace("http://", "https://");
    let ran = log_in(&world, "https://h.example", &[("HTTPS_PROXY", &proxy)]);
    let stderr = ran.fails_with(11);
    let advice = "does not speak TLS; use http:// in HTTPS_PROXY\n";
    assert!(stderr.contains(advice), "{stderr}");
    assert!(!stderr.contains("--host"), "{stderr}");
}

#[test]
fn row_37_a_proxy_is_named_without_its_password_and_what_fails_there() {
    let world = World::logged_in();
    let proxy = format!("http://u:planted@127.0.0.1:{}", closed_port());
    let ran = examine(&world, "https://h.invalid", &[("HTTPS_PROXY", &proxy)]);
    let address = proxy.replace("u:planted@", "");
    let expected = format!("{address}, set by HTTPS_PROXY");
    assert!(line(&ran, "proxy").contains(&expected), "{ran:?}");
    assert!(
        line(&ran, "DNS").contains("127.0.0.1 (the proxy) is an IP address"),
        "{ran:?}"
    );
    assert!(
        line(&ran, "service").contains("exempt the host with"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("planted"), "{ran:?}");
}

#[test]
fn row_37_a_variable_that_names_no_proxy_is_a_problem_and_nothing_of_it_is_shown() {
    let world = World::logged_in();
    for value in ["planted p", "ftp://u:planted@x", "http://u:planted@x:99999"] {
        let ran = examine(&world, "https://h.invalid", &[("HTTPS_PROXY", value)]);
        let proxy = line(&ran, "proxy");
        let problem = "problem: proxy: HTTPS_PROXY is not a valid proxy URL fix: set it to one";
        assert!(proxy.starts_with(problem), "{ran:?}");
        assert!(!ran.stdout.contains("planted"), "{ran:?}");
        let exempt = [("HTTPS_PROXY", value), ("NO_PROXY", "h.invalid")];
        let ran = examine(&world, "https://h.invalid", &exempt);
        assert_eq!(line(&ran, "proxy"), "ok: proxy: none for this host");
    }
}

#[test]
fn row_76_a_proxy_that_wants_a_password_is_a_problem_of_its_password() {
    let world = World::logged_in();
    let proxy = answering("407 No\r\ncontent-length: 0\r\n\r\n");
    let with_user = proxy.replace("http://", "http://u:planted@");
    for (proxy, advice) in [
        (&proxy, "add a user and a password"),
        (&with_user, "correct them"),
    ] {
        let ran = examine(&world, "https://h.invalid", &[("HTTPS_PROXY", proxy)]);
        let service = line(&ran, "service");
        assert!(service.contains(advice), "{service}");
        assert!(!service.contains("NO_PROXY"), "{service}");
        assert!(!ran.stdout.contains("planted"), "{ran:?}");
    }
}

#[test]
fn row_90_a_proxy_that_speaks_no_tls_is_blamed_and_not_the_host() {
    let world = World::logged_in();
    let proxy = answering("400 Bad Request\r\n\r\n").replace("http://", "https://");
    let ran = examine(&world, "https://h.example", &[("HTTPS_PROXY", &proxy)]);
    let tls = line(&ran, "TLS");
    assert!(tls.contains("use http:// in HTTPS_PROXY"), "{tls}");
    assert!(!tls.contains("--host"), "{tls}");
}
