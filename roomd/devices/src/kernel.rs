// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The one place with what has no safe interface: calls of the kernel, and waiting for descriptors.
//!
//! The crate for V4L2 panics on control types and names that it does not know, which some drivers
//! have; that for CEC brings two libraries for three calls. Both would still call `ioctl`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use roomd_devices_core::call::{Call, Node, Refusal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// An open device.
#[derive(Debug)]
pub(crate) struct DeviceFile(File);

/// The bus address of an I2C device (`linux/i2c-dev.h`).
const I2C_ADDRESS: libc::Ioctl = 0x0703;

impl DeviceFile {
    /// Opens a node whose calls may block.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Self(file))
    }

    /// Opens a node that does not wait.
    pub(crate) fn open_nonblocking(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let file = options.custom_flags(libc::O_NONBLOCK).open(path)?;
        Ok(Self(file))
    }

    /// Chooses whom an I2C bus speaks to.
    pub(crate) fn speak_to(&self, address: u16) -> io::Result<()> {
        let address = libc::c_ulong::from(address);
        #[expect(unsafe_code, reason = "the standard library has no I2C")]
        // SAFETY: the call takes a number, not a pointer, and the descriptor is open.
        let done = unsafe { libc::ioctl(self.0.as_raw_fd(), I2C_ADDRESS, address) };
        if done < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// The file itself, to read and write.
    pub(crate) const fn file(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Node for DeviceFile {
    fn call(&mut self, call: Call, words: &mut [u32]) -> Result<(), Refusal> {
        // The number has 32 bits; glibc takes it as a longer one.
        let code = libc::Ioctl::from(call.code(words.len()));
        loop {
            #[expect(unsafe_code, reason = "the standard library has no V4L2 and no CEC")]
            // SAFETY: the code says how long the structure is, and is made from the slice's length.
            // The drivers of V4L2 and CEC copy exactly that many bytes in and out, which lie within
            // the slice, and none of the structures used here holds a pointer. Every pattern of bits
            // is a valid word.
            let done = unsafe { libc::ioctl(self.0.as_raw_fd(), code, words.as_mut_ptr()) };
            if done >= 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(refusal(&error));
            }
        }
    }
}

/// Waits until there is something to read.
pub(crate) fn readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(unsafe_code, reason = "tokio asks its callers to own the descriptor")]
    // SAFETY: an owned descriptor is always the same and stays open until it is dropped.
    let readable = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
    Ok(readable?)
}

/// A second descriptor for what a library has open, to wait for it.
pub(crate) fn duplicate(library: &alsa::mixer::Mixer) -> io::Result<OwnedFd> {
    use alsa::poll::Descriptors as _;
    let descriptors = library.get().map_err(io::Error::other)?;
    let first = descriptors.first().ok_or(io::ErrorKind::Unsupported)?;
    #[expect(unsafe_code, reason = "ALSA gives its descriptors as numbers")]
    // SAFETY: the mixer is borrowed for as long as its descriptor is, and has it open.
    let descriptor = unsafe { BorrowedFd::borrow_raw(first.fd) };
    descriptor.try_clone_to_owned()
}

pub(crate) fn refusal(error: &io::Error) -> Refusal {
    match error.raw_os_error() {
        Some(libc::EINVAL | libc::ENOTTY) => Refusal::None,
        Some(libc::ENODEV | libc::ENOENT | libc::ENXIO) => Refusal::Gone,
        Some(libc::EBUSY) => Refusal::Busy,
        Some(libc::ERANGE | libc::EACCES) => Refusal::Value,
        Some(number) => Refusal::Other(number),
        None => Refusal::Other(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_camera_refuses() {
        let mut null = DeviceFile::open(Path::new("/dev/null")).unwrap();
        let mut words = [7; 16];
        let refused = null.call(Call::both(b'V', 2), &mut words);
        assert_eq!(refused, Err(Refusal::None));
        assert_eq!(words, [7; 16]);
        assert!(null.speak_to(0x37).is_err());
        let missing = DeviceFile::open(Path::new("/dev/no-such-video")).unwrap_err();
        assert_eq!(refusal(&missing), Refusal::Gone);
    }
}
