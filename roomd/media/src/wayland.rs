// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Notices when a Wayland compositor goes away, which GStreamer's sink keeps to itself.

use std::io::{ErrorKind, Read as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// No connection to a compositor.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WaylandError {
    /// Neither the settings nor the environment name a socket.
    #[error("no Wayland socket is known: set WAYLAND_DISPLAY and XDG_RUNTIME_DIR")]
    Unnamed,
    /// Nobody listens there.
    #[error("connecting to the Wayland compositor")]
    Connect(#[source] std::io::Error),
}

/// A connection on which nothing is said; it ends with the compositor.
#[derive(Debug)]
pub(crate) struct Lifeline(UnixStream);

impl Lifeline {
    /// Connects to this socket, or to the one that the environment names.
    pub(crate) fn open(socket: Option<&str>) -> Result<Self, WaylandError> {
        let variable = |name| std::env::var_os(name).map(PathBuf::from);
        let path = match socket {
            Some(socket) => locate(Path::new(socket), variable("XDG_RUNTIME_DIR")),
            None => variable("WAYLAND_DISPLAY")
                .and_then(|socket| locate(&socket, variable("XDG_RUNTIME_DIR"))),
        };
        let stream = UnixStream::connect(path.ok_or(WaylandError::Unnamed)?)
            .map_err(WaylandError::Connect)?;
        stream
            .set_nonblocking(true)
            .map_err(WaylandError::Connect)?;
        Ok(Self(stream))
    }

    /// Whether the compositor has gone.
    pub(crate) fn is_cut(&mut self) -> bool {
        let mut byte = [0];
        match self.0.read(&mut byte) {
            Ok(length) => length == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }
}

/// Where a socket is: relative names are in the runtime directory, as in libwayland.
fn locate(socket: &Path, runtime: Option<PathBuf>) -> Option<PathBuf> {
    if socket.is_absolute() {
        return Some(socket.to_owned());
    }
    Some(runtime?.join(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_found_where_libwayland_looks() {
        let runtime = || Some(PathBuf::from("/run/user/7"));
        let check = |socket: &str, runtime, expected: Option<&str>| {
            assert_eq!(
                locate(Path::new(socket), runtime),
                expected.map(PathBuf::from)
            );
        };
        check("wayland-1", runtime(), Some("/run/user/7/wayland-1"));
        check("/tmp/room", runtime(), Some("/tmp/room"));
        check("/tmp/room", None, Some("/tmp/room"));
        check("wayland-1", None, None);
    }

    #[test]
    fn the_end_of_the_compositor_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let mut lifeline = Lifeline::open(socket.to_str()).unwrap();
        let (held, _) = listener.accept().unwrap();
        assert!(!lifeline.is_cut());
        drop(held);
        assert!(lifeline.is_cut());
    }
}
