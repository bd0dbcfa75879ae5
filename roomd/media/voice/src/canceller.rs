// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The chain of one block: high-pass filter, AEC3, noise suppression, gain control.

use std::fmt;
use std::time::Duration;

use aec3::api::config::EchoCanceller3Config;
use aec3::audio_processing::gain_controller2::GainController2Config;
use aec3::nodes::audio::AudioFormat;
use aec3::pipelines::linear::{self, LinearPipeline};
use roomd_media_core::mix::{BLOCK, RATE};

/// The adaptive filter's length, in blocks of 4 ms. The default of 13 covers a phone's echo; a
/// room's takes longer to fade, and what the filter misses is left to the suppressor, which takes
/// the room's own voices with it.
const FILTER_BLOCKS: usize = 25;
/// How much better than nothing the filter may be believed to be, as a power ratio, below and above
/// about 1 kHz. The defaults (4 and 1.5) suit a device in a moving hand; a room's echo path is
/// steady, and a filter that is believed leaves more of who speaks at the same time.
const BELIEVED: (f32, f32) = (8.0, 4.0);
/// Most that a quiet person is amplified, in decibels, and what is assumed to begin with.
const GAIN: (f32, f32) = (24.0, 6.0);

/// One chain and its state.
pub(crate) struct Canceller {
    chain: LinearPipeline,
    figures: Figures,
}

/// What the canceller knows of the echo.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    /// From the reference to the echo.
    pub delay: Duration,
    /// How much the adaptive filter takes off the echo, in decibels.
    pub erle: f64,
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller")
            .field("figures", &self.figures)
            .finish_non_exhaustive()
    }
}

impl Canceller {
    /// With noise suppression and gain control, or the canceller alone; none when the library
    /// refuses its settings.
    pub(crate) fn new(full: bool) -> Option<Self> {
        let format = AudioFormat::ten_ms(RATE, 1);
        let mut gain = GainController2Config::default();
        (
            gain.adaptive_digital.max_gain_db,
            gain.adaptive_digital.initial_gain_db,
        ) = GAIN;
        let chain = linear::builder(format, format)
            .aec3_config(settings())
            .enable_noise_suppression(full)
            .enable_gain_controller2(full)
            .gain_controller2_config(gain)
            .export_metrics(true)
            .build()
            .ok()?;
        Some(Self {
            chain,
            figures: Figures::default(),
        })
    }

    /// Cleans a block of sound with the reference that belongs to it; on a fault of the library the
    /// block stays as it is.
    pub(crate) fn run(&mut self, reference: &[f32; BLOCK], block: &mut [f32; BLOCK]) {
        let mut cleaned = [0.0; BLOCK];
        let rendered = self.chain.handle_render_frame(reference);
        let done = self.chain.process_capture_frame(block, &mut cleaned);
        if rendered.is_ok() && matches!(done, Ok(true)) {
            *block = cleaned;
        }
        if let Ok(Some(metrics)) = self.chain.try_pull_metrics() {
            let metrics = metrics.payload();
            self.figures = Figures {
                delay: Duration::from_millis(metrics.delay_ms.max(0).unsigned_abs().into()),
                erle: metrics.echo_return_loss_enhancement,
            };
        }
    }

    pub(crate) const fn figures(&self) -> Figures {
        self.figures
    }
}

fn settings() -> EchoCanceller3Config {
    let mut settings = EchoCanceller3Config::default();
    settings.filter.main.length_blocks = FILTER_BLOCKS;
    settings.filter.shadow.length_blocks = FILTER_BLOCKS;
    (settings.erle.max_l, settings.erle.max_h) = BELIEVED;
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_takes_the_settings_as_they_are() {
        assert!(settings().validate());
        assert!(Canceller::new(true).is_some() && Canceller::new(false).is_some());
    }
}
