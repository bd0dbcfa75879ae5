// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The HID part of a speakerphone, over hidraw.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use roomd_devices_core::hid::{Lamps, Signal, Telephony};
use tokio::io::unix::AsyncFd;
use tracing::warn;

use crate::kernel::readable;
use crate::sysfs::Sysfs;
use crate::work::Work;

/// A report with its number; USB allows less.
const REPORT: usize = 1025;

/// An open device.
#[derive(Debug)]
pub(crate) struct Phone {
    telephony: Telephony,
    file: Arc<File>,
    readable: AsyncFd<OwnedFd>,
    /// The lamps are being set.
    setting: Work<io::Result<()>>,
    /// How they are to be set then.
    wanted: Option<Lamps>,
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
            file: Arc::new(file),
            readable,
            setting: Work::default(),
            wanted: None,
        }))
    }

    pub(crate) fn has_mute_key(&self) -> bool {
        self.telephony.has_mute_key()
    }

    pub(crate) fn has_mute_lamp(&self) -> bool {
        self.telephony.has_mute_lamp()
    }

    /// Waits for a report, and sets the lamps meanwhile; an error when the device is gone.
    pub(crate) async fn signals(&mut self) -> io::Result<Vec<Signal>> {
        let mut report = [0; REPORT];
        loop {
            let mut ready = tokio::select! {
                ready = self.readable.readable() => ready?,
                done = self.setting.done() => {
                    if let Some(Err(error)) = done {
                        warn!(%error, "cannot set the lamps");
                    }
                    self.set();
                    continue;
                }
            };
            match ready.try_io(|_| (&*self.file).read(&mut report)) {
                Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    let report = report.get(..length?).unwrap_or_default();
                    return Ok(self.telephony.report(report));
                }
                Err(_) => {}
            }
        }
    }

    /// Wants the lamps so. The kernel waits up to 5 s for a device that takes no report; of what is wanted
    /// meanwhile, the last is set.
    pub(crate) fn show(&mut self, lamps: Lamps) {
        self.wanted = Some(lamps);
        self.set();
    }

    fn set(&mut self) {
        if self.setting.is_running() {
            return;
        }
        if let Some(lamps) = self.wanted.take() {
            let (file, reports) = (Arc::clone(&self.file), self.telephony.lamps(lamps));
            self.setting.start(move || write(&file, &reports));
        }
    }
}

fn write(mut file: &File, reports: &[Vec<u8>]) -> io::Result<()> {
    reports.iter().try_for_each(|report| file.write_all(report))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// A mute switch without report numbers, and its lamp.
    const SWITCH: &[u8] = &[
        0x05, 0x0b, 0xa1, 0x01, 0x09, 0x2f, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x81,
        0x22, 0x75, 0x07, 0x81, 0x03, 0x05, 0x08, 0x09, 0x09, 0x75, 0x01, 0x91, 0x02, 0x75, 0x07,
        0x91, 0x03, 0xc0,
    ];

    /// A device whose node is a socket, and the socket's other end.
    fn phone() -> (Phone, UnixStream) {
        let (node, device) = UnixStream::pair().unwrap();
        node.set_nonblocking(true).unwrap();
        let file = File::from(OwnedFd::from(node));
        let phone = Phone {
            telephony: Telephony::from_descriptor(SWITCH).unwrap(),
            readable: readable(file.try_clone().unwrap().into()).unwrap(),
            file: Arc::new(file),
            setting: Work::default(),
            wanted: None,
        };
        (phone, device)
    }

    #[tokio::test]
    async fn a_lamp_that_is_slow_holds_no_key_up_and_gets_the_last_word() {
        let (mut phone, mut device) = phone();
        let (answer, answers) = mpsc::channel();
        phone.setting.start(move || {
            // Whoever asked may be gone.
            let _ = answers.recv();
            Ok(())
        });
        for mute in [true, false, true] {
            phone.show(Lamps {
                mute,
                ..Lamps::default()
            });
        }
        device.write_all(&[1]).unwrap();
        assert_eq!(phone.signals().await.unwrap(), [Signal::Muted(true)]);
        answer.send(()).unwrap();
        while phone.setting.is_running() || phone.wanted.is_some() {
            let waited = timeout(Duration::from_millis(10), phone.signals()).await;
            assert!(waited.is_err());
        }
        // Without a writer left, what was written has an end.
        drop(phone);
        let mut written = Vec::new();
        device.read_to_end(&mut written).unwrap();
        assert_eq!(written, [0, 1]);
    }
}
