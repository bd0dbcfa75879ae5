// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What was measured, case by case and round by round.

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// roomd.
    Room,
    /// Chromium.
    Chromium,
    /// A decoder alone.
    Limit(Decoder),
}

/// A decoder of VP8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// What the room uses.
    Libvpx,
    /// FFmpeg's own.
    Ffmpeg,
}

impl Decoder {
    /// Its element.
    pub const fn element(self) -> &'static str {
        match self {
            Self::Libvpx => "vp8dec",
            Self::Ffmpeg => "avdec_vp8",
        }
    }

    /// Whether its element is not installed; the room's own always is.
    pub fn is_missing(self) -> bool {
        if self == Self::Libvpx {
            return false;
        }
        let mut command = std::process::Command::new("gst-inspect-1.0");
        command.args(["--exists", self.element()]);
        !command.status().is_ok_and(|status| status.success())
    }
}

impl Who {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Room => "roomd",
            Self::Chromium => "Chromium",
            Self::Limit(_) => "limit",
        }
    }
}

/// One case; a figure of each round.
#[derive(Debug, Default)]
pub struct Case {
    pub name: String,
    pub unit: &'static str,
    pub room: Vec<f64>,
    pub chromium: Vec<f64>,
    /// libvpx, FFmpeg.
    limits: [Vec<f64>; 2],
}

/// All of them, in the order in which they were first measured.
#[derive(Debug, Default)]
pub struct Cases {
    pub cases: Vec<Case>,
    /// Pictures a second that were sent and shown at the least: roomd, Chromium.
    pub sent: [Vec<f64>; 2],
    pub shown: [Vec<f64>; 2],
}

/// The case of so many received streams.
pub fn received(streams: u32) -> String {
    format!("CPU, {streams} received")
}

/// The case of so many received streams while the own picture is sent.
pub fn both(streams: u32) -> String {
    format!("CPU, {streams} received, own picture sent in three layers")
}

/// The case of the memory.
pub fn memory(streams: u32) -> String {
    format!("memory, {streams} received, own picture sent")
}

impl Cases {
    /// Takes a figure of this round.
    pub fn add(&mut self, name: &str, unit: &'static str, who: Who, value: f64) {
        let known = self.cases.iter().position(|case| case.name == name);
        let index = known.unwrap_or_else(|| {
            self.cases.push(Case {
                name: name.to_owned(),
                unit,
                ..Case::default()
            });
            self.cases.len() - 1
        });
        let case = &mut self.cases[index];
        match who {
            Who::Room => case.room.push(value),
            Who::Chromium => case.chromium.push(value),
            Who::Limit(decoder) => case.limits[decoder as usize].push(value),
        }
    }

    /// Pictures a second of the layer that was sent the least.
    pub fn sent(&mut self, who: Who, rate: f64) {
        self.sent[usize::from(who == Who::Chromium)].push(rate);
    }

    /// Pictures a second of the stream that was shown the least.
    pub fn shown(&mut self, who: Who, rate: f64) {
        self.shown[usize::from(who == Who::Chromium)].push(rate);
    }

    /// Brings the cases into the order of the table.
    pub fn finish(&mut self) {
        let rank = |case: &Case| {
            let sent = case.name.contains("three layers");
            (!case.name.starts_with("CPU"), sent)
        };
        self.cases.sort_by_key(rank);
    }
}

impl Case {
    /// roomd's share of Chromium's, round by round.
    pub fn to_chromium(&self) -> Vec<f64> {
        ratios(&self.room, &self.chromium)
    }

    /// What the decoder with the least median took.
    pub fn limit(&self) -> &[f64] {
        let [libvpx, ffmpeg] = &self.limits;
        match self.decoder() {
            Decoder::Libvpx => libvpx,
            Decoder::Ffmpeg => ffmpeg,
        }
    }

    /// The decoder with the least median.
    pub fn decoder(&self) -> Decoder {
        let [libvpx, ffmpeg] = &self.limits;
        if !ffmpeg.is_empty() && median(ffmpeg) < median(libvpx) {
            Decoder::Ffmpeg
        } else {
            Decoder::Libvpx
        }
    }

    /// roomd's share of the limit, round by round.
    pub fn to_limit(&self) -> Vec<f64> {
        ratios(&self.room, self.limit())
    }

    /// What the ratio must not exceed: to Chromium, to the limit.
    pub fn bars(&self) -> [Option<f64>; 2] {
        if self.name == received(super::FULL) {
            [Some(0.6), Some(1.4)]
        } else if self.name.starts_with("CPU") {
            [Some(0.6), None]
        } else if self.name.starts_with("memory") {
            [Some(0.2), None]
        } else if self.name.starts_with("delay") {
            [Some(0.8), None]
        } else {
            [None, None]
        }
    }
}

fn ratios(of: &[f64], to: &[f64]) -> Vec<f64> {
    of.iter().zip(to).map(|(of, to)| of / to).collect()
}

/// The middle one; not a number where there is none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The least and the greatest.
pub fn range(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::MAX, f64::min);
    let greatest = values.iter().copied().fold(f64::MIN, f64::max);
    (least, greatest)
}
