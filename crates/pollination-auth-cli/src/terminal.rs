//! The terminal of this process, while it does not show by itself what is typed.
//!
//! What is asked there, and when, is the prompt's business.

use std::io;

use pollination_auth::Secret;

use crate::error::CliError;

/// A terminal that does not show by itself what is typed, until this is dropped.
pub(crate) struct Hidden {
    modes: Modes,
    /// Whether a label waits for its answer, in a line that is not ended yet.
    is_asking: bool,
}

/// Whether an answer is shown while it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Shown,
    Hidden,
}

impl Hidden {
    /// Hides what is typed from here on: between two questions too, where a paste may go on.
    pub(crate) fn begin() -> Result<Self, CliError> {
        let modes = Modes::hide().map_err(|_none| CliError::NoPrompt)?;
        Ok(Self {
            modes,
            is_asking: false,
        })
    }

    /// Asks for a text.
    ///
    /// A shown answer is written back letter by letter as it is read. The terminal does not show it
    /// by itself: of a secret that is pasted behind it, the terminal would show the beginning.
    pub(crate) async fn ask(&mut self, label: &str, answer: Answer) -> Result<Secret, CliError> {
        let read = self.modes.question(label, answer);
        let read = read.map_err(|_none| CliError::NoPrompt)?;
        self.is_asking = true;
        // On a thread of its own: a signal does not wake who reads there, and nobody waits for it.
        let read = tokio::task::spawn_blocking(read).await;
        self.is_asking = false;
        let read = read.map_err(|_panicked| CliError::NoPrompt)?;
        if answer == Answer::Hidden {
            // What writes the letters back ends the line too.
            self.modes.end_line();
        }
        read.map(Secret::from).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => CliError::Interrupted,
            io::ErrorKind::UnexpectedEof => {
                CliError::Input("the prompt was left without an answer")
            }
            _ => CliError::NoPrompt,
        })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if self.is_asking {
            self.modes.end_line();
        }
    }
}

/// Reads a line from the terminal and writes each letter back: none of them is masked.
fn read_shown() -> io::Result<String> {
    let config = rpassword::ConfigBuilder::new()
        .password_feedback_partial_mask('*', usize::MAX)
        .build();
    rpassword::read_password_with_config(config)
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

    /// Shows a label, and returns what reads the line behind it. That may block forever.
    fn question(
        &mut self,
        label: &str,
        answer: Answer,
    ) -> io::Result<impl FnOnce() -> io::Result<String> + Send + 'static> {
        use io::Write as _;

        write!(self.terminal, "{label}: ")?;
        let input = self.terminal.try_clone()?;
        Ok(move || match answer {
            Answer::Shown => read_shown(),
            Answer::Hidden => {
                // What is given a reader leaves the modes of the terminal alone.
                let config = rpassword::ConfigBuilder::new()
                    .input_reader(input)
                    .output_discard()
                    .build();
                rpassword::read_password_with_config(config)
            }
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
        answer: Answer,
    ) -> io::Result<impl FnOnce() -> io::Result<String> + Send + 'static> {
        let label = format!("{label}: ");
        Ok(move || match answer {
            Answer::Shown => {
                crate::output::tell(label);
                read_shown()
            }
            Answer::Hidden => rpassword::prompt_password(label),
        })
    }

    fn end_line(&mut self) {}
}
