// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Hardware that encodes the camera's picture: found out at the start, given up where it fails in a
//! call, and tried again after it.

use std::time::Instant;

use roomd_media_core::hardware::Finding;

use super::Task;
use crate::prove;

impl Task {
    /// Finds out which hardware encodes; the processor does meanwhile.
    pub(super) fn find_hardware(&self) {
        if !self.candidates.is_empty() {
            prove::prove(self.candidates.clone(), self.findings.clone());
        }
    }

    pub(super) fn hardware_found(&mut self, findings: Vec<Finding>) {
        self.hardware.found(findings);
        let report = self.hardware.report();
        tracing::info!(encoder = ?report.encoder, why = report.why, "hardware encoders");
        self.follow_hardware();
    }

    /// The processor takes over; the others see no more than a keyframe.
    pub(super) fn hardware_failed(&mut self) {
        if self.hardware.failed() {
            let why = self.hardware.report().why;
            tracing::warn!(why, "a hardware encoder failed; the processor encodes");
            self.follow_hardware();
        }
    }

    /// A driver that got into trouble may be well again.
    pub(super) fn try_hardware_again(&mut self) {
        if self.hardware.is_tried_again() {
            self.find_hardware();
        }
    }

    fn follow_hardware(&mut self) {
        let encoder = self.hardware.encoder();
        self.peers.hardware = encoder.is_some();
        self.capture.set_hardware(encoder);
        self.allocate(Instant::now());
        self.report_devices();
    }
}
