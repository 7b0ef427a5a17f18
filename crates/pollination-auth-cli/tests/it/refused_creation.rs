//! Creations that are refused: whose refusal it is, and whether the stored secret still works.

use std::time::Duration;

use pollination_auth_fake::{Builder, Fault, Operation};

use crate::creation::{CREATE, assert_is_private, paste, without_api_token};
use crate::world::World;

/// Something in between has sent the request twice, and passed on the second reply.
#[test]
fn row_74_a_refused_creation_that_has_ended_the_stored_secret_keeps_its_access_token() {
    for status in [401, 403, 409, 422] {
        let world = World::with(Builder::create_replaces);
        world.log_in();
        world
            .service
            .fail_next(Operation::CreateApiToken, Fault::commit_and_answer(status));
        let ran = world.run(&["token", "create", "--yes", "--settle", "1ms"]);
        let file = world.creation().display().to_string();
        assert!(ran.fails_with(6).contains(&file), "{ran:?}");
        assert!(world.creation().exists());
        paste(&world, &ran.stderr);
        world.stored_secret();
    }
}

#[test]
fn row_74_a_refused_creation_keeps_its_access_token_unless_the_stored_secret_works() {
    for is_given in [false, true] {
        for login in [
            Fault::status(503).always(),
            Fault::status(401).body("<html>").always(),
        ] {
            let world = World::with(Builder::create_replaces);
            world.log_in();
            let access_token = world.run(&["access-token"]).answer().to_owned();
            let create = Fault::commit_and_answer(409);
            world.service.fail_next(Operation::CreateApiToken, create);
            let mut arguments = vec!["token", "create", "--yes", "--settle", "1ms"];
            if is_given {
                arguments.push("--access-token-stdin");
            } else {
                // The login that the creation begins with.
                let usual = Fault::delay(Duration::from_millis(1));
                world.service.fail_next(Operation::Login, usual);
            }
            world.service.fail_next(Operation::Login, login);
            let ran = world.run_with(&arguments, &access_token);
            ran.fails_with(6);
            assert!(world.creation().exists());
        }
    }
}

#[test]
fn row_74_a_refusal_that_is_not_the_services_own_leaves_the_access_token() {
    let page = "<html>a proxy</html>";
    for refusal in [
        Fault::status(401).body(page),
        Fault::status(403).body(page),
        Fault::status(404).body(page),
        Fault::status(407).body(page),
        Fault::status(429),
    ] {
        let world = World::logged_in();
        let access_token = without_api_token(&world);
        world.service.fail_next(Operation::CreateApiToken, refusal);
        let ran = world.run_with(&CREATE, &access_token);
        let file = world.creation().display().to_string();
        assert!(ran.fails_with(6).contains(&file), "{ran:?}");
        assert_is_private(&world.creation(), &access_token);
    }
}

#[test]
fn row_74_a_refusal_of_the_service_itself_removes_the_access_token() {
    for status in [401, 403, 409, 422] {
        let world = World::logged_in();
        let access_token = without_api_token(&world);
        world
            .service
            .fail_next(Operation::CreateApiToken, Fault::status(status));
        let ran = world.run_with(&CREATE, &access_token);
        assert!(matches!(ran.code, Some(4 | 11)), "{ran:?}");
        assert!(!world.creation().exists());
    }
}
