//! Random histories against a small reference model of what the cache promises.

use std::time::Duration;

use proptest::prelude::*;

use super::support::{Does, FLIGHT_LIMIT, Source, in_time, said, settle};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Happens {
    Ask,
    AskFor(u64),
    Force,
    Advance(u64),
    JumpWall(i64),
    Source(Does),
    Lifetime(u64),
    Refuse,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => Just(Happens::Ask),
        1 => (0..200_u64).prop_map(Happens::AskFor),
        1 => Just(Happens::Force),
        4 => (0..90_000_u64).prop_map(Happens::Advance),
        1 => (-90_000..90_000_i64).prop_map(Happens::JumpWall),
        2 => prop_oneof![
            4 => Just(Does::Succeed),
            2 => Just(Does::FailForNow),
            1 => Just(Does::FailForGood),
            1 => (0..40_u64).prop_map(Does::Take),
        ]
        .prop_map(Happens::Source),
        1 => (0..400_u64).prop_map(Happens::Lifetime),
        1 => Just(Happens::Refuse),
    ]
}

/// What the reference model knows of the token that was given last.
struct Given {
    name: String,
    generation: u64,
}

/// Runs a history and checks every promise after every step.
async fn run(history: Vec<Happens>) -> Result<(), TestCaseError> {
    let source = Source::new(Duration::from_secs(100));
    let cache = source.cache();
    let mut given: Option<Given> = None;
    let mut refused: Vec<String> = Vec::new();
    for step in history {
        let before = source.logins();
        let (answer, least) = match step {
            Happens::Ask => (Some(cache.get(Duration::ZERO, in_time()).await), 0),
            Happens::AskFor(least) => (
                Some(cache.get(Duration::from_secs(least), in_time()).await),
                least,
            ),
            Happens::Force => (Some(cache.refresh(in_time()).await), 0),
            Happens::Advance(ms) => {
                source.clock.advance(Duration::from_millis(ms));
                (None, 0)
            }
            Happens::JumpWall(seconds) => {
                source.clock.jump_wall(seconds);
                (None, 0)
            }
            Happens::Source(does) => {
                source.will(does);
                (None, 0)
            }
            Happens::Lifetime(seconds) => {
                source.set_lifetime(Duration::from_secs(seconds));
                (None, 0)
            }
            Happens::Refuse => {
                if let Some(given) = &given {
                    cache.refuse(given.generation);
                    if cache.changes().latest().is_none() {
                        refused.push(given.name.clone());
                    }
                }
                (None, 0)
            }
        };
        if let Some(Ok(cached)) = &answer {
            // Checked before anything else moves the clock.
            let left = cached
                .validity
                .remaining(&crate::foundation::clock::Clock::now(&source.clock));
            prop_assert!(!left.is_zero(), "a token past its end");
            prop_assert!(
                left >= Duration::from_secs(least),
                "a token with too little left"
            );
            let name = said(Ok(cached.clone()));
            prop_assert!(!refused.contains(&name), "a token that was refused");
            let older = given
                .as_ref()
                .is_some_and(|last| last.generation > cached.generation);
            prop_assert!(!older, "an older token after a newer one");
            given = Some(Given {
                name,
                generation: cached.generation,
            });
        }
        settle().await;
        let logins = source.logins() - before;
        let bound = usize::from(answer.is_some());
        prop_assert!(logins <= bound + 1, "{logins} logins for one caller");
        prop_assert!(source.most_at_once() <= 1, "two logins at once");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_promises(history in prop::collection::vec(happens(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let bounded = async { tokio::time::timeout(FLIGHT_LIMIT * 100, run(history)).await };
        runtime.block_on(bounded).expect("a caller hangs")?;
    }
}
