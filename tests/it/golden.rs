//! The golden copy is what a build without `codegen` compiles, and what a review reads.

/// The very bytes that were compiled, beside the checked-in copy.
const COPIES: [(&str, &str, &str); 2] = [
    (
        "client.rs",
        include_str!(concat!(env!("OUT_DIR"), "/client.rs")),
        include_str!("../golden/client.rs"),
    ),
    (
        "httpmock.rs",
        include_str!(concat!(env!("OUT_DIR"), "/httpmock.rs")),
        include_str!("../golden/httpmock.rs"),
    ),
];

#[test]
fn golden_copy_equals_what_was_compiled() {
    for (name, compiled, golden) in COPIES {
        assert!(
            compiled == golden,
            "tests/golden/{name} is stale; run `cargo xtask golden` and review the difference"
        );
    }
}
