//! How long a step waits on a system that shows the moment in which a file is replaced.
//!
//! Windows does not always replace a file in one step: for a moment its name may mean nothing, or
//! the file may be busy, because it is about to go or because a virus scanner has it open.

use std::io;

/// The most tries to open a file: 100, a tenth of a second or more, long enough for a file to be synced.
///
/// A file that is missing costs them only where an interrupted write left its new file.
const MOST_READS: u32 = 100;

/// The most tries to replace or remove a file: 2000, 2 s or more, about as long as a virus scanner takes.
const MOST_CHANGES: u32 = 2000;

/// How often a file is looked for with nobody replacing it until it counts as missing: 3 times. It
/// may have been replaced between two looks, but not each time.
const LOOKS: u32 = 3;

/// The errors of Windows for a file that is busy: access denied, sharing violation, lock violation,
/// delete pending.
const BUSY: [i32; 4] = [5, 32, 33, 303];

/// Opens a file, waiting while it is busy or being replaced.
pub(super) fn open<T>(
    open: impl Fn() -> io::Result<T>,
    is_being_replaced: impl Fn() -> io::Result<bool>,
    pause: impl Fn(),
) -> io::Result<T> {
    let mut looks = 0;
    for _ in 1..MOST_READS {
        match open() {
            Err(error) if is_busy(&error) => pause(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if is_being_replaced()? {
                    looks = 0;
                    pause();
                } else {
                    looks += 1;
                    if looks == LOOKS {
                        return Err(error);
                    }
                }
            }
            other => return other,
        }
    }
    open()
}

/// Replaces or removes a file, waiting while it is busy.
pub(super) fn change(change: impl Fn() -> io::Result<()>, pause: impl Fn()) -> io::Result<()> {
    for _ in 1..MOST_CHANGES {
        match change() {
            Err(error) if is_busy(&error) => pause(),
            other => return other,
        }
    }
    change()
}

fn is_busy(error: &io::Error) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| BUSY.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// A file as a reader meets it: what each look finds, and what each listing shows.
    struct Script {
        opens: RefCell<Vec<io::Result<&'static str>>>,
        listings: RefCell<Vec<bool>>,
        pauses: Cell<u32>,
    }

    fn missing() -> io::Result<&'static str> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn busy(code: i32) -> io::Result<&'static str> {
        Err(io::Error::from_raw_os_error(code))
    }

    /// Opens what the script shows; returns what came of it and the number of pauses.
    ///
    /// Past its end nobody replaces the file, and it is missing.
    fn opened(opens: Vec<io::Result<&'static str>>, listings: &[bool]) -> (String, u32) {
        let script = Script {
            opens: RefCell::new(opens.into_iter().rev().collect()),
            listings: RefCell::new(listings.iter().rev().copied().collect()),
            pauses: Cell::new(0),
        };
        let result = open(
            || script.opens.borrow_mut().pop().unwrap_or_else(missing),
            || Ok(script.listings.borrow_mut().pop().unwrap_or(false)),
            || script.pauses.set(script.pauses.get() + 1),
        );
        let result = result.map_or_else(|error| error.kind().to_string(), str::to_owned);
        (result, script.pauses.get())
    }

    #[test]
    fn row_88_a_reader_waits_out_the_moment_in_which_a_file_is_replaced() {
        let found = |pauses| ("found".to_owned(), pauses);
        assert_eq!(opened(vec![Ok("found")], &[]), found(0));
        // It was seen missing, and its new file beside it.
        let gap = vec![missing(), missing(), Ok("found")];
        assert_eq!(opened(gap, &[true, true]), found(2));
        // It was replaced between the two looks, and then once more.
        let twice = vec![missing(), missing(), Ok("found")];
        assert_eq!(opened(twice, &[false, false]), found(0));
        for code in BUSY {
            assert_eq!(opened(vec![busy(code), Ok("found")], &[]), found(1));
        }
    }

    #[test]
    fn row_88_a_file_that_nobody_replaces_is_missing_at_once_and_any_other_within_a_bound() {
        let gone = |pauses| (io::ErrorKind::NotFound.to_string(), pauses);
        assert_eq!(opened(Vec::new(), &[]), gone(0));
        let left_over = [true; MOST_READS as usize];
        assert_eq!(opened(Vec::new(), &left_over), gone(MOST_READS - 1));
    }

    #[test]
    fn row_88_a_writer_waits_for_a_busy_file_within_a_bound() {
        let changed = |busy: u32, code| {
            let (calls, pauses) = (Cell::new(0), Cell::new(0));
            let result = change(
                || {
                    calls.set(calls.get() + 1);
                    if calls.get() <= busy {
                        return Err(io::Error::from_raw_os_error(code));
                    }
                    Ok(())
                },
                || pauses.set(pauses.get() + 1),
            );
            (result.is_ok(), pauses.get())
        };
        let [denied, ..] = BUSY;
        assert_eq!(changed(0, denied), (true, 0));
        assert_eq!(changed(7, denied), (true, 7));
        assert_eq!(changed(u32::MAX, denied), (false, MOST_CHANGES - 1));
        // No such file: waiting does not help.
        assert_eq!(changed(1, 2), (false, 0));
    }
}
