//! The short form of `cargo xtask compiles --mutations`: documents with random damage, without the
//! compiler.

use xtask::mutations::tried;
use xtask::workspace::root;

/// Documents of the short form: some seconds in a debug build.
const DOCUMENTS: u32 = 60;

#[test]
fn a_damaged_document_is_accepted_or_refused_with_its_place() {
    let (mut accepted, mut faults) = (0, Vec::new());
    for tried in tried(&root(), DOCUMENTS, 1).unwrap() {
        accepted += u32::from(tried.made.is_ok());
        faults.extend(tried.fault.map(|fault| format!("{}: {fault}", tried.name)));
    }
    assert_eq!(faults, Vec::<String>::new());
    // It has to reach every stage, and to damage what matters.
    assert!(
        (DOCUMENTS / 5..DOCUMENTS * 4 / 5).contains(&accepted),
        "{accepted}"
    );
}
