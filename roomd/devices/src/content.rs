// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Content inputs over V4L2: what is on their cable.
//!
//! Nothing here streams: the engine opens a device for pictures. Each call opens the node and closes
//! it again, so that an unplugged device leaves nothing open.

use std::io;
use std::path::{Path, PathBuf};

use roomd_devices_core::call::Refusal;
use roomd_devices_core::content::timings::{self, Report};

use crate::kernel::DeviceFile;

/// A capture device does not answer.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// It cannot be opened.
    #[error("cannot open {0}; check its cable, and that the room's user may open it")]
    Open(PathBuf, #[source] io::Error),
    /// It went away.
    #[error("{0} does not answer: {1:?}")]
    Refused(PathBuf, Refusal),
    /// The question was not answered before the daemon ended.
    #[error("the device was not asked: the daemon is ending")]
    Ending,
}

/// Asks a device for its signal, and sets it to that where `may_set`.
///
/// # Errors
///
/// It cannot be opened, or is gone.
pub async fn ask(path: &Path, may_set: bool) -> Result<Report, ContentError> {
    let path = path.to_owned();
    let work = move || {
        let open = |error| ContentError::Open(path.clone(), error);
        let mut node = DeviceFile::open_nonblocking(&path).map_err(open)?;
        let refused = |refusal| ContentError::Refused(path.clone(), refusal);
        timings::ask(&mut node, may_set).map_err(refused)
    };
    // Drivers wait for the device: not on the runtime's own threads.
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(ContentError::Ending))
}

#[cfg(test)]
mod tests {
    use roomd_devices_core::content::timings::Answer;

    use super::*;

    #[tokio::test]
    async fn no_device_and_none_that_receives_are_told_apart() {
        let missing = ask(Path::new("/dev/no-such-video"), false).await;
        assert!(matches!(missing, Err(ContentError::Open(..))));
        let null = ask(Path::new("/dev/null"), true).await.unwrap();
        assert_eq!((null.receiver, null.answer), (false, Answer::Silent));
    }
}
