//! The terminal of this process, while what is typed into it is not shown.
//!
//! What is asked there, and when, is the prompt's business.

use std::io;

use pollination_auth::Secret;

use crate::error::CliError;
use crate::interrupt::Interrupts;

/// A terminal that shows nothing of what is typed, until this is dropped.
pub(crate) struct Hidden(Modes);

impl Hidden {
    /// Hides what is typed from here on: between two questions too, where a paste may go on.
    pub(crate) fn begin() -> Result<Self, CliError> {
        Modes::hide().map(Self).map_err(|_none| CliError::NoPrompt)
    }

    /// Asks for a text; an interrupt ends the wait for it.
    pub(crate) async fn ask(
        &mut self,
        label: &str,
        interrupts: &mut Interrupts,
    ) -> Result<Secret, CliError> {
        let read = self.0.question(label).map_err(|_none| CliError::NoPrompt)?;
        // On a thread of its own: a signal does not wake who reads there, and nobody waits for it.
        let read = tokio::task::spawn_blocking(read);
        let read = tokio::select! {
            biased;
            () = interrupts.next() => Err(io::ErrorKind::Interrupted.into()),
            read = read => read.map_err(|_panicked| CliError::NoPrompt)?,
        };
        self.0.end_line();
        read.map(Secret::from).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => CliError::Interrupted,
            io::ErrorKind::UnexpectedEof => {
                CliError::Input("the prompt was left without an answer")
            }
            _ => CliError::NoPrompt,
        })
    }
}

/// The terminal, and its modes from before.
#[cfg(unix)]
struct Modes {
    terminal: std::fs::File,
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Modes {
    fn hide() -> io::Result<Self> {
        use rustix::termios::{
            LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr,
        };

        let terminal = std::fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/tty")?;
        let mut before = tcgetattr(&terminal)?;
        if before.input_speed() == before.output_speed() {
            // Zero is the speed of the output. To write it out would be a mode that was not there.
            before.set_input_speed(0)?;
        }
        let mut modes = before.clone();
        // Byte by byte: a line of the terminal is shorter than the longest secret.
        modes.local_modes -=
            LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Now, &modes)?;
        Ok(Self { terminal, before })
    }

    /// Shows a label, and gives what reads the line behind it. It may block for ever.
    fn question(
        &mut self,
        label: &str,
    ) -> io::Result<impl FnOnce() -> io::Result<String> + Send + 'static> {
        use io::Write as _;

        write!(self.terminal, "{label}: ")?;
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

    fn end_line(&mut self) {
        use io::Write as _;

        // A terminal that is gone needs none.
        let _gone = self.terminal.write_all(b"\n");
    }
}

#[cfg(unix)]
impl Drop for Modes {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};

        // A terminal that is gone needs none of it.
        let _gone = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Elsewhere what reads hides it, and gives the terminal back.
#[cfg(not(unix))]
struct Modes;

#[cfg(not(unix))]
impl Modes {
    fn hide() -> io::Result<Self> {
        Ok(Self)
    }

    fn question(
        &mut self,
        label: &str,
    ) -> io::Result<impl FnOnce() -> io::Result<String> + Send + 'static> {
        let label = format!("{label}: ");
        Ok(move || rpassword::prompt_password(label))
    }

    fn end_line(&mut self) {}
}
