//! A reply of the service, of arbitrary bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _taken = pollination_auth::fuzzing::reply(input);
});
