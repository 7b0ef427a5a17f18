//! Two holders that are paused at every step, on a register that loses requests and replies.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::*;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It does not arrive, and the client gives up.
    Request,
    /// It is carried out, its reply is lost, and the client gives up.
    Reply,
    /// It is carried out, its reply is lost, and the client repeats it.
    Repeated,
}

const FAULTS: [Fault; 3] = [Fault::Request, Fault::Reply, Fault::Repeated];

/// An actor that nothing disturbs has fewer steps than this: two for each request, and its end.
const STEPS: usize = 26;

/// An actor that nothing disturbs makes fewer requests than this.
const REQUESTS: usize = 13;

/// More steps than an actor ever has.
const ENOUGH: usize = 200;

#[derive(Default)]
struct World {
    version: u64,
    slot: Slot,
    /// Every content in order, with whose write made it.
    history: Vec<(char, Slot)>,
}

/// The register as one actor reaches it.
struct Memory {
    world: Arc<Mutex<World>>,
    actor: char,
    /// What the actor's next requests meet.
    faults: Mutex<VecDeque<Option<Fault>>>,
}

/// A point where an actor can be paused.
struct Step(bool);

impl Future for Step {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Memory {
    /// Carries a request out, with a pause before it and one before its reply.
    async fn request<T>(
        &self,
        run: impl Fn(&mut World) -> T + Send,
    ) -> Result<(T, bool), VaultError> {
        Step(false).await;
        let fault = self.faults.lock().unwrap().pop_front().flatten();
        let lost = || VaultError::TimedOut;
        if fault == Some(Fault::Request) {
            return Err(lost());
        }
        let mut reply = run(&mut self.world.lock().unwrap());
        Step(false).await;
        match fault {
            Some(Fault::Reply) => return Err(lost()),
            Some(Fault::Repeated) => {
                reply = run(&mut self.world.lock().unwrap());
                Step(false).await;
            }
            _ => {}
        }
        Ok((reply, fault.is_some()))
    }
}

impl Register for Memory {
    async fn read(&self) -> Result<(u64, Slot), VaultError> {
        let read = |world: &mut World| (world.version, world.slot.clone());
        self.request(read).await.map(|(found, _)| found)
    }

    async fn read_after(&self, version: u64) -> Result<(u64, Slot), VaultError> {
        let found = self.read().await?;
        assert!(found.0 > version, "a mismatch has a later version");
        Ok(found)
    }

    async fn compare_and_set(&self, version: u64, slot: &Slot) -> Result<Outcome, VaultError> {
        let set = |world: &mut World| {
            if world.version != version {
                return None;
            }
            let text =
                |slot: &Slot, document| slot.get(document).map(|text| text.as_str().to_owned());
            let is_same = |document| text(&world.slot, document) == text(slot, document);
            let changes = !is_same(Document::Credential) || !is_same(Document::Journal);
            let is_holder = slot
                .holder()
                .is_none_or(|next| world.slot.holder() == Some(next));
            assert!(!changes || is_holder, "only the holder changes a document");
            world.version += 1;
            world.slot = slot.clone();
            world.history.push((self.actor, slot.clone()));
            Some(world.version)
        };
        let (written, was_repeated) = self.request(set).await?;
        Ok(match written {
            Some(version) => Outcome::Written(version),
            None => Outcome::Mismatch { was_repeated },
        })
    }

    async fn prepare(&self) -> Result<(), VaultError> {
        self.request(|_| ()).await.map(drop)
    }

    async fn destroy_before(&self, version: u64) -> Result<(), VaultError> {
        let destroy = |world: &mut World| assert!(version <= world.version, "the newest is kept");
        self.request(destroy).await.map(drop)
    }
}

/// What one actor was told of each of its writes.
type Told = Vec<(Document, Option<String>, Result<(), StoreError>)>;

/// Takes the lock, whoever holds it, and does what a rotation does.
async fn rotate(register: Memory) -> Told {
    let name = register.actor;
    let mut told = Vec::new();
    let lease = Duration::ZERO;
    let Ok(Some(mut held)) = Held::take(register, lease, |_, _| true).await else {
        return told;
    };
    for (document, text) in [
        (Document::Journal, Some(format!("journal {name}"))),
        (Document::Credential, Some(format!("credential {name}"))),
        (Document::Journal, None),
    ] {
        if !matches!(held.renew().await, Ok(true)) {
            break;
        }
        let expected = held.slot.version(document);
        let expected = expected.as_deref();
        let done = match &text {
            Some(text) => {
                let text = Secret::from(text.clone());
                held.write(document, expected, &text).await.map(drop)
            }
            None => held.remove(document, expected).await,
        };
        let is_done = done.is_ok();
        told.push((document, text, done));
        if !is_done {
            break;
        }
    }
    let _released = held.release().await;
    told
}

/// Runs two actors, and switches from one to the other after each of these numbers of steps.
///
/// Returns how many steps each of the pieces had.
fn run(switches: &[usize], fault: Option<(usize, Fault)>) -> Vec<usize> {
    let world = Arc::new(Mutex::new(World::default()));
    let memory = |actor, fault: Option<(usize, Fault)>| {
        let mut faults = VecDeque::new();
        if let Some((number, fault)) = fault {
            faults.resize(number, None);
            faults.push_back(Some(fault));
        }
        let world = world.clone();
        Memory {
            world,
            actor,
            faults: Mutex::new(faults),
        }
    };
    let (mut one, mut other) = (
        pin!(rotate(memory('A', fault))),
        pin!(rotate(memory('B', None))),
    );
    let mut told = [None, None];
    let mut context = Context::from_waker(Waker::noop());
    let mut pieces = Vec::new();
    for (turn, limit) in switches.iter().chain([&ENOUGH, &ENOUGH]).enumerate() {
        let which = turn % 2;
        let mut steps = 0;
        while steps < *limit && told[which].is_none() {
            let actor = if which == 0 {
                one.as_mut()
            } else {
                other.as_mut()
            };
            if let Poll::Ready(done) = actor.poll(&mut context) {
                told[which] = Some(done);
            }
            steps += 1;
        }
        pieces.push(steps);
    }
    let world = world.lock().unwrap();
    for (name, told) in ['A', 'B'].into_iter().zip(told) {
        judge(&world, name, &told.expect("an actor comes to its end"));
    }
    pieces
}

/// Checks that what an actor was told of its writes is true.
fn judge(world: &World, name: char, told: &Told) {
    for (document, text, done) in told {
        let wanted = text.as_deref().map(version_of);
        let is_there = |(actor, slot): &(char, Slot)| {
            *actor == name && slot.holder().is_some() && slot.version(*document) == wanted
        };
        // A removal looks like the time before the first write, so only writes are looked for.
        let was_written = wanted.is_none() || world.history.iter().any(is_there);
        match done {
            Ok(()) => assert!(was_written, "{name} was told of a write that is not there"),
            Err(StoreError::LockLost) => assert!(
                wanted.is_none() || !was_written,
                "{name} was told that nothing was written"
            ),
            Err(StoreError::Failed { .. }) => {}
            Err(error) => panic!("{name} was told: {error}"),
        }
    }
}

#[test]
fn row_64_a_holder_paused_at_any_step_writes_nothing_after_it_was_taken_over() {
    let mut runs = 0;
    for first in 0..STEPS {
        for second in 0..STEPS {
            for third in 0..STEPS {
                run(&[first, second, third], None);
                runs += 1;
            }
        }
    }
    assert_eq!(runs, STEPS.pow(3));
}

#[test]
fn row_64_lost_requests_and_replies_change_nothing_of_that() {
    for fault in FAULTS {
        for number in 0..REQUESTS {
            for first in 0..STEPS {
                for second in 0..STEPS {
                    run(&[first, second], Some((number, fault)));
                }
            }
        }
    }
}

#[test]
fn the_explorer_reaches_every_step_of_an_actor() {
    assert_eq!(run(&[], None)[0], STEPS - 1);
}

#[test]
fn one_holder_alone_writes_and_leaves_the_lock_free() {
    let world = Arc::new(Mutex::new(World::default()));
    let register = Memory {
        world: world.clone(),
        actor: 'A',
        faults: Mutex::default(),
    };
    let mut rotation = pin!(rotate(register));
    let mut context = Context::from_waker(Waker::noop());
    let told = loop {
        if let Poll::Ready(told) = rotation.as_mut().poll(&mut context) {
            break told;
        }
    };
    assert!(told.iter().all(|(_, _, done)| done.is_ok()), "{told:?}");
    let world = world.lock().unwrap();
    assert!(world.slot.holder().is_none());
    assert_eq!(world.slot.version(Document::Journal), None);
    assert_eq!(
        world.slot.version(Document::Credential),
        Some(version_of("credential A"))
    );
}
