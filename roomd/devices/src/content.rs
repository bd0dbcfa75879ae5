// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Content inputs over V4L2: what is on their cable, and what the other end of it reads.
//!
//! Nothing here streams: the engine opens a device for pictures. Each call opens the node and closes
//! it again, so that an unplugged device leaves nothing open.

use std::io;
use std::path::{Path, PathBuf};

use roomd_devices_core::call::Refusal;
use roomd_devices_core::content::edid;
use roomd_devices_core::content::port::Ask;
use roomd_devices_core::content::timings::{self, Report};
use tracing::{info, warn};

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

/// What a device has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Of its signal.
    pub report: Report,
    /// It has no EDID and took none.
    pub without_edid: bool,
}

/// Asks a device for its signal, and sets it to that where it may. Before that, where it is to get one, a
/// receiver without an EDID gets the room's; one that takes none is asked all the same. Both only while
/// nobody has the device open for pictures.
///
/// # Errors
///
/// It cannot be opened, or is gone.
pub async fn ask(ask: &Ask) -> Result<Asked, ContentError> {
    let (path, may_set) = (PathBuf::from(&ask.node), ask.may_set);
    let (edid, again) = (ask.edid, ask.again);
    let work = move || {
        let open = |error| ContentError::Open(path.clone(), error);
        let mut node = DeviceFile::open_nonblocking(&path).map_err(open)?;
        let has_edid = !edid || give_edid(&path, &mut node, again);
        let refused = |refusal| ContentError::Refused(path.clone(), refusal);
        let report = timings::ask(&mut node, may_set).map_err(refused)?;
        Ok(Asked {
            report,
            without_edid: !has_edid,
        })
    };
    // Drivers wait for the device: not on the runtime's own threads.
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(ContentError::Ending))
}

/// Gives a receiver an EDID where it has none, and says what came of it, unless it is the same `again`; false
/// where it still has none.
fn give_edid(path: &Path, node: &mut DeviceFile, again: bool) -> bool {
    match edid::give(node) {
        Ok(Some(blocks)) => info!(?path, blocks, "the receiver had no EDID and got the room's"),
        // What is gone says so again when it is asked for its signal.
        Ok(None) | Err(Refusal::Gone) => {}
        Err(refusal) => {
            if !again {
                warn!(
                    ?path,
                    ?refusal,
                    "the receiver has no EDID and took none: laptops may see no display; write one \
                     with v4l2-ctl --set-edid before roomd starts"
                );
            }
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use roomd_devices_core::content::timings::Answer;
    use roomd_devices_core::identity::DeviceId;

    use super::*;

    #[tokio::test]
    async fn no_device_and_none_that_receives_are_told_apart() {
        let of = |node: &str| Ask {
            id: DeviceId::at(node),
            node: node.to_owned(),
            arrivals: 1,
            may_set: true,
            edid: true,
            again: false,
        };
        let missing = ask(&of("/dev/no-such-video")).await;
        assert!(matches!(missing, Err(ContentError::Open(..))));
        let null = ask(&of("/dev/null")).await.unwrap();
        let report = null.report;
        assert_eq!((report.receiver, report.answer), (false, Answer::Silent));
        assert!(!null.without_edid, "what is no receiver needs none");
    }
}
