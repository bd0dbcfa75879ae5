// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What people want, at the panel, on the bus and at the devices.

use roomd_api::{Refusal, Reply, Request};
use roomd_interfaces::Intent;
use roomd_interfaces::pairing::Shown;
use roomd_room::Input;

use super::{Daemon, now};
use crate::hardware::Touch;
use crate::request::{self, Wanted};
use crate::touch;

impl Daemon {
    pub(super) fn intent(&mut self, intent: Intent) {
        self.hardware.touched();
        let writes = matches!(intent.request, Request::Attendance { .. });
        let done = match request::wanted(intent.request, rand::random()) {
            Wanted::Room(wish) => self.wish(wish),
            Wanted::PairingCode => self.show_pairing_code(),
            // Answered when the device has done it.
            Wanted::Hardware(order) => return self.hardware.order(order, intent.reply),
        };
        let reply = match done {
            Ok(()) if writes => {
                // Answered when the calendar has it: the machine's next output says what to write.
                self.answering = Some(intent.reply);
                return;
            }
            Ok(()) => Reply::Accepted,
            Err(refusal) => Reply::Refused { refusal },
        };
        // Whoever asked may be gone.
        let _ = intent.reply.send(reply);
    }

    fn wish(&mut self, wish: roomd_room::Request) -> Result<(), Refusal> {
        self.room
            .handle(Input::Request(wish), now())
            .map_err(request::refusal)
    }

    fn show_pairing_code(&self) -> Result<(), Refusal> {
        match self.desk.show() {
            Shown::Fresh | Shown::Already => Ok(()),
            Shown::Locked { .. } => Err(Refusal::PairingLocked),
        }
    }

    /// Does what a button or a device's own key asks for, as if the panel had asked.
    pub(super) fn touch(&mut self, touch: Touch) {
        let Some(asked) = touch::request(touch, &self.published) else {
            return;
        };
        let Wanted::Room(wish) = request::wanted(asked, rand::random()) else {
            return;
        };
        if let Err(refusal) = self.wish(wish) {
            tracing::info!(?refusal, "what a key asks for is refused");
        }
    }
}
