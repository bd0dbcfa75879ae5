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
use roomd_devices_core::content::edid::EdidNode;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// An open device.
#[derive(Debug)]
pub(crate) struct DeviceFile(File);

/// The bus address of an I2C device (`linux/i2c-dev.h`).
const I2C_ADDRESS: libc::Ioctl = 0x0703;

const GET_EDID: Call = Call::both(b'V', 40);
const SET_EDID: Call = Call::both(b'V', 41);
/// Bytes of a block of an EDID.
const EDID_BLOCK: usize = 128;

/// `struct v4l2_edid` (`linux/v4l2-common.h`).
#[repr(C)]
struct Edid {
    pad: u32,
    start_block: u32,
    blocks: u32,
    reserved: [u32; 5],
    data: *mut u8,
}

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

    /// Reads an input's EDID into `data` or writes it from there, in whole blocks, and gives the number
    /// of blocks that the kernel names, also where it refuses.
    fn edid(&self, call: Call, input: u32, data: &mut [u8]) -> (Result<(), Refusal>, u32) {
        let code = libc::Ioctl::from(call.code(size_of::<Edid>() / size_of::<u32>()));
        loop {
            let mut edid = Edid {
                pad: input,
                start_block: 0,
                blocks: u32::try_from(data.len() / EDID_BLOCK).unwrap_or(0),
                reserved: [0; 5],
                data: data.as_mut_ptr(),
            };
            #[expect(unsafe_code, reason = "the standard library has no V4L2")]
            // SAFETY: the callers give only the two calls that take this structure, and the code says
            // how long it is. The kernel reads and writes so many blocks of 128 bytes behind its
            // pointer as the structure says, which lie within `data`, and none where it says 0. Every
            // pattern of bits is a valid structure and valid bytes.
            let done = unsafe { libc::ioctl(self.0.as_raw_fd(), code, &raw mut edid) };
            if done >= 0 {
                return (Ok(()), edid.blocks);
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return (Err(refusal(&error)), edid.blocks);
            }
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

impl EdidNode for DeviceFile {
    fn edid_blocks(&mut self, input: u32) -> Result<u32, Refusal> {
        let (done, blocks) = self.edid(GET_EDID, input, &mut []);
        done.map(|()| blocks)
    }

    fn set_edid(&mut self, input: u32, edid: &[u8]) -> Result<(), (Refusal, u32)> {
        // The kernel writes it back.
        let mut data = edid.to_vec();
        let (done, blocks) = self.edid(SET_EDID, input, &mut data);
        done.map_err(|refusal| (refusal, blocks))
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
    #[cfg(target_pointer_width = "64")]
    fn numbers_are_the_kernels() {
        // VIDIOC_G_EDID and VIDIOC_S_EDID as the kernel's headers give them.
        let words = size_of::<Edid>() / size_of::<u32>();
        assert_eq!(GET_EDID.code(words), 0xc028_5628);
        assert_eq!(SET_EDID.code(words), 0xc028_5629);
    }

    #[test]
    fn what_is_no_camera_refuses() {
        let mut null = DeviceFile::open(Path::new("/dev/null")).unwrap();
        let mut words = [7; 16];
        let refused = null.call(Call::both(b'V', 2), &mut words);
        assert_eq!(refused, Err(Refusal::None));
        assert_eq!(words, [7; 16]);
        assert!(null.speak_to(0x37).is_err());
        assert_eq!(null.edid_blocks(0), Err(Refusal::None));
        let refused = null.set_edid(0, &[7; 2 * EDID_BLOCK]);
        assert_eq!(refused, Err((Refusal::None, 2)));
        let missing = DeviceFile::open(Path::new("/dev/no-such-video")).unwrap_err();
        assert_eq!(refusal(&missing), Refusal::Gone);
    }
}
