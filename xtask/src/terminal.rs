//! Output of every command: styles, and a stream that its reader may close early. The stream decides
//! if colours are shown.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

/// The style of a step or a heading.
pub const HEADING: Style = Style::new().bold();
/// The style of a success.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// The style of a refusal or a failure.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// The style of a note.
pub const NOTE: Style = AnsiColor::Yellow.on_default();

/// An output whose reader may close it: what is written after that is dropped without an error.
///
/// `cargo xtask diff … | head -1` ends with the verdict's exit code and no complaint.
#[derive(Debug)]
pub struct MayClose<W> {
    inner: W,
    closed: bool,
}

impl<W: Write> MayClose<W> {
    /// Wraps an output.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            closed: false,
        }
    }

    fn quietly<T>(&mut self, result: io::Result<T>, otherwise: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(otherwise)
            }
            other => other,
        }
    }
}

impl<W: Write> Write for MayClose<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let result = self.inner.write(bytes);
        self.quietly(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let result = self.inner.flush();
        self.quietly(result, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_reader_that_left_is_no_error() {
        let mut output = MayClose::new(Closed);
        assert!(writeln!(output, "one").is_ok());
        assert!(writeln!(output, "two").is_ok());
        assert!(output.flush().is_ok());
    }
}
