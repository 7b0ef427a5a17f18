//! Reads a secret from standard input, and never from a terminal, which would show it.

use std::io::{self, IsTerminal as _, Read as _};

use zeroize::Zeroizing;

use crate::error::CliError;

/// Returns at most `limit` bytes of standard input.
///
/// It reads on a thread of its own, so that an interrupt is heard meanwhile.
pub(crate) async fn read(limit: u32) -> Result<Zeroizing<Vec<u8>>, CliError> {
    if io::stdin().is_terminal() {
        return Err(CliError::SecretOnTerminal);
    }
    let read = tokio::task::spawn_blocking(move || {
        // Of the full size at once, or growing would leave copies behind.
        let capacity = usize::try_from(limit).unwrap_or_default();
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        let mut stdin = io::stdin().lock().take(limit.into());
        stdin.read_to_end(&mut bytes).map(|_length| bytes)
    });
    let read = read
        .await
        .unwrap_or_else(|_panicked| Err(io::ErrorKind::Other.into()));
    read.map_err(|source| CliError::Io {
        doing: "standard input can't be read",
        source,
    })
}
