//! The terminal of this process, while what is typed into it is not shown.
//!
//! What is asked there, and when, is the prompt's business.

use std::io;

use crate::error::CliError;
use crate::interrupt::Interrupts;

/// Asks for a text that is not shown; an interrupt gives the terminal back first.
pub(crate) async fn hidden(label: &str, interrupts: &mut Interrupts) -> Result<String, CliError> {
    let asked = Hidden::begin(label).map_err(|_none| CliError::NoPrompt)?;
    let read = asked.reader().map_err(|_none| CliError::NoPrompt)?;
    // On a thread of its own: a signal does not wake who reads there, and nobody waits for it.
    let read = tokio::task::spawn_blocking(read);
    let read = tokio::select! {
        biased;
        () = interrupts.next() => return Err(CliError::Interrupted),
        read = read => read.map_err(|_panicked| CliError::NoPrompt)?,
    };
    read.map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => CliError::Interrupted,
        io::ErrorKind::UnexpectedEof => CliError::Input("the prompt was left without an answer"),
        _ => CliError::NoPrompt,
    })
}

/// A terminal that shows nothing of what is typed, until this is dropped.
#[cfg(unix)]
struct Hidden {
    terminal: std::fs::File,
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Hidden {
    /// Shows the label, and nothing from then on.
    fn begin(label: &str) -> io::Result<Self> {
        use io::Write as _;
        use rustix::termios::{
            LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr,
        };

        let mut terminal = std::fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut modes = before.clone();
        // Byte by byte: a line of the terminal is shorter than the longest secret.
        modes.local_modes -=
            LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        write!(terminal, "{label}: ")?;
        tcsetattr(&terminal, OptionalActions::Now, &modes)?;
        Ok(Self { terminal, before })
    }

    /// Gives what reads one line, with the keys that change it. It may block for ever.
    fn reader(&self) -> io::Result<impl FnOnce() -> io::Result<String> + Send + 'static> {
        let input = self.terminal.try_clone()?;
        Ok(move || {
            // What is given a reader leaves the modes of the terminal alone.
            let config = rpassword::ConfigBuilder::new()
                .input_reader(input)
                .output_discard()
                .build();
            rpassword::read_password_with_config(config)
        })
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        use io::Write as _;
        use rustix::termios::{OptionalActions, tcsetattr};

        // A terminal that is gone needs none of it.
        let _gone = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
        let _gone = self.terminal.write_all(b"\n");
    }
}

/// Elsewhere the terminal is given back by what reads.
#[cfg(not(unix))]
struct Hidden {
    label: String,
}

#[cfg(not(unix))]
impl Hidden {
    fn begin(label: &str) -> io::Result<Self> {
        Ok(Self {
            label: format!("{label}: "),
        })
    }

    fn reader(&self) -> io::Result<impl FnOnce() -> io::Result<String> + Send + 'static> {
        let label = self.label.clone();
        Ok(move || rpassword::prompt_password(label))
    }
}
