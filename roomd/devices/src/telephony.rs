// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The HID part of a speakerphone, over hidraw.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use roomd_devices_core::hid::{Lamps, Signal, Telephony};
use tokio::io::unix::AsyncFd;

use crate::kernel::readable;
use crate::sysfs::Sysfs;

/// A report with its number; USB allows less.
const REPORT: usize = 1025;

/// An open device.
#[derive(Debug)]
pub(crate) struct Phone {
    telephony: Telephony,
    file: File,
    readable: AsyncFd<OwnedFd>,
}

impl Phone {
    /// Opens a node such as `/dev/hidraw0`; none when the device has nothing of telephony.
    pub(crate) fn open(sysfs: &Sysfs, node: &Path) -> io::Result<Option<Self>> {
        let descriptor = sysfs.report_descriptor(node)?;
        let Some(telephony) = Telephony::from_descriptor(&descriptor) else {
            return Ok(None);
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let file = options.custom_flags(libc::O_NONBLOCK).open(node)?;
        let readable = readable(file.try_clone()?.into())?;
        Ok(Some(Self {
            telephony,
            file,
            readable,
        }))
    }

    pub(crate) fn has_mute_key(&self) -> bool {
        self.telephony.has_mute_key()
    }

    pub(crate) fn has_mute_lamp(&self) -> bool {
        self.telephony.has_mute_lamp()
    }

    /// Waits for a report; an error when the device is gone.
    pub(crate) async fn signals(&mut self) -> io::Result<Vec<Signal>> {
        let mut report = [0; REPORT];
        loop {
            let mut ready = self.readable.readable().await?;
            match ready.try_io(|_| (&self.file).read(&mut report)) {
                Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    let report = report.get(..length?).unwrap_or_default();
                    return Ok(self.telephony.report(report));
                }
                Err(_) => {}
            }
        }
    }

    /// Sets the lamps. The kernel takes a report at once or refuses it.
    pub(crate) fn show(&self, lamps: Lamps) -> io::Result<()> {
        for report in self.telephony.lamps(lamps) {
            (&self.file).write_all(&report)?;
        }
        Ok(())
    }
}
