// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Whether hardware encodes what is sent: what it has to prove, and what becomes of that.
//!
//! Invariant: an encoder is used only after it has encoded test pictures as receivers need them, and
//! one that fails in a call is not used again in that call.

use std::fmt;
use std::time::Duration;

use crate::codec::VideoCodec;
use crate::plan::HardwareEncoder;

/// Pictures that an encoder gives before it is asked for a keyframe.
const FIRST: u32 = 5;
/// Pictures within which that has come: some are inside the encoder when it is asked.
const SOON: u32 = 15;
/// Longer than this no picture may be under way in the end: people talk to each other.
const LATE: Duration = Duration::from_millis(500);
/// A device that failed in so many calls is left alone.
const MOST_FAILURES: u32 = 3;
/// Constrained baseline in `profile-level-id` (RFC 6184, section 8.1).
const BASELINE: u8 = 66;
const CONSTRAINED: u8 = 0x40;
/// The level that is negotiated, 3.1.
const LEVEL: u8 = 31;

/// Why an encoder is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// GStreamer has no such element.
    NotInstalled(&'static str),
    /// Its pipeline cannot be built or started.
    DoesNotOpen,
    /// It stopped with an error.
    Stopped,
    /// It gave too few pictures in time.
    TooSlow,
    /// A picture was under way for too long, in milliseconds.
    Late(u64),
    /// It does not come back.
    Hangs,
    /// Its first picture is no keyframe with parameters.
    BeginsWithout,
    /// Its pictures have another size.
    Size(u32, u32),
    /// Its stream is of another profile or level.
    Profile([u8; 3]),
    /// Pictures come in another order than they went in.
    Order,
    /// Every picture is a keyframe.
    OnlyKeyframes,
    /// It makes no keyframe when it is asked for one.
    Deaf,
    /// What it encodes is not what it was given.
    OtherPicture,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled(element) => write!(f, "{element} is not installed"),
            Self::DoesNotOpen => f.write_str("does not open"),
            Self::Stopped => f.write_str("stopped with an error"),
            Self::TooSlow => f.write_str("gives too few pictures in time"),
            Self::Late(millis) => write!(f, "gives a picture after {millis} ms"),
            Self::Hangs => f.write_str("hangs"),
            Self::BeginsWithout => f.write_str("does not begin with a keyframe and its parameters"),
            Self::Size(width, height) => write!(f, "gives pictures of {width}x{height}"),
            Self::Profile([profile, constraints, level]) => write!(
                f,
                "gives profile and level {profile:02x}{constraints:02x}{level:02x}"
            ),
            Self::Order => f.write_str("gives pictures out of order"),
            Self::OnlyKeyframes => f.write_str("gives keyframes only"),
            Self::Deaf => f.write_str("makes no keyframe when asked for one"),
            Self::OtherPicture => f.write_str("gives another picture than it was given"),
        }
    }
}

/// Judges an encoder by what it makes of test pictures of one size.
#[derive(Clone, Copy, Debug)]
pub struct Proof {
    size: (u32, u32),
    taken: u32,
    keyframes: u32,
    /// The RTP time of the last picture.
    last: Option<u64>,
    proven: bool,
}

impl Proof {
    /// Of an encoder of pictures of this width and height.
    #[must_use]
    pub const fn new(size: (u32, u32)) -> Self {
        Self {
            size,
            taken: 0,
            keyframes: 0,
            last: None,
            proven: false,
        }
    }

    /// Takes an encoded picture, marked by the encoder as a keyframe or not; it was under way for so
    /// long.
    ///
    /// # Errors
    /// When it is not as it should be.
    pub fn take(
        &mut self,
        payload: &[u8],
        rtp_time: u64,
        keyframe: bool,
        under_way: Duration,
    ) -> Result<(), Flaw> {
        let size = VideoCodec::H264.keyframe_size(payload);
        if self.taken == 0 && (!keyframe || size.is_none()) {
            return Err(Flaw::BeginsWithout);
        }
        if let Some((width, height)) = size.filter(|size| *size != self.size) {
            return Err(Flaw::Size(width, height));
        }
        if let Some(id) = VideoCodec::H264.profile_level(payload).filter(is_beyond) {
            return Err(Flaw::Profile(id));
        }
        if self.last.replace(rtp_time) >= Some(rtp_time) {
            return Err(Flaw::Order);
        }
        self.taken += 1;
        // One without parameters is of no use to whoever begins there.
        let key = keyframe && size.is_some();
        self.keyframes += u32::from(key);
        match self.taken {
            FIRST if self.keyframes == FIRST => Err(Flaw::OnlyKeyframes),
            ..=FIRST => Ok(()),
            _ if key => {
                self.proven = true;
                in_time(under_way)
            }
            SOON.. => Err(Flaw::Deaf),
            _ => Ok(()),
        }
    }

    /// The encoder is to be asked for a keyframe.
    #[must_use]
    pub const fn asks(&self) -> bool {
        self.taken >= FIRST && !self.proven
    }

    /// Nothing is left to prove.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.proven
    }
}

fn in_time(under_way: Duration) -> Result<(), Flaw> {
    if under_way <= LATE {
        return Ok(());
    }
    let millis = u64::try_from(under_way.as_millis());
    Err(Flaw::Late(millis.unwrap_or(u64::MAX)))
}

/// Whether a receiver that was promised less could fail at it.
fn is_beyond(&[profile, constraints, level]: &[u8; 3]) -> bool {
    profile != BASELINE || constraints & CONSTRAINED == 0 || level > LEVEL
}

/// What was found out about an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub encoder: HardwareEncoder,
    /// Why it is not used; none where it is proven.
    pub flaw: Option<Flaw>,
}

/// Which hardware encodes, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardware {
    state: State,
    findings: Vec<Finding>,
    /// Calls in which it failed.
    failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody wants any.
    Off,
    /// It is being found out.
    Unknown,
    /// None of them works.
    None,
    /// This one does.
    Proven(HardwareEncoder),
    /// This one did, until it failed in a call.
    Failed(HardwareEncoder),
}

/// For operators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HardwareReport {
    /// The element that encodes H.264; none where the processor encodes everything.
    pub encoder: Option<&'static str>,
    /// One that was proven failed in a call.
    pub failed: bool,
    /// Why, in English.
    pub why: String,
}

impl Hardware {
    /// Nothing is known yet, and nothing is to be found out where it is not wanted.
    #[must_use]
    pub const fn new(wanted: bool) -> Self {
        Self {
            state: if wanted { State::Unknown } else { State::Off },
            findings: Vec::new(),
            failures: 0,
        }
    }

    /// Takes what was found out: the first that is proven is used.
    pub fn found(&mut self, findings: Vec<Finding>) {
        if self.state != State::Unknown {
            return;
        }
        let proven = findings.iter().find(|finding| finding.flaw.is_none());
        self.state = proven.map_or(State::None, |finding| State::Proven(finding.encoder));
        // One that failed in a call may not have been let go of yet.
        if self.state == State::None && self.failures > 0 {
            self.failures += 1;
        }
        self.findings = findings;
    }

    /// What encodes H.264 now.
    #[must_use]
    pub const fn encoder(&self) -> Option<HardwareEncoder> {
        match self.state {
            State::Proven(encoder) => Some(encoder),
            State::Off | State::Unknown | State::None | State::Failed(_) => None,
        }
    }

    /// It failed in a call; false where that is known, or none is used.
    pub const fn failed(&mut self) -> bool {
        let State::Proven(encoder) = self.state else {
            return false;
        };
        self.state = State::Failed(encoder);
        self.failures += 1;
        true
    }

    /// The call is over; true when it is to be found out once more what works.
    pub const fn is_tried_again(&mut self) -> bool {
        let failed = match self.state {
            State::Failed(_) => true,
            State::None => self.failures > 0,
            State::Off | State::Unknown | State::Proven(_) => false,
        };
        let again = failed && self.failures < MOST_FAILURES;
        if again {
            self.state = State::Unknown;
        }
        again
    }

    /// For operators.
    #[must_use]
    pub fn report(&self) -> HardwareReport {
        let findings = || {
            let texts: Vec<String> = self.findings.iter().map(ToString::to_string).collect();
            texts.join("; ")
        };
        HardwareReport {
            encoder: self.encoder().map(|encoder| encoder.element),
            failed: self.failures > 0 && self.encoder().is_none(),
            why: match self.state {
                State::Off => "hardware encoders are turned off".to_owned(),
                State::Unknown => "hardware encoders are being tried".to_owned(),
                State::None | State::Proven(_) => findings(),
                State::Failed(encoder) if self.failures < MOST_FAILURES => {
                    format!("{} failed in a call; VP8 until it ends", encoder.element)
                }
                State::Failed(encoder) => {
                    let failures = self.failures;
                    format!("{} failed in {failures} calls; VP8", encoder.element)
                }
            },
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flaw {
            // The element is named in it.
            Some(flaw @ Flaw::NotInstalled(_)) => write!(f, "{flaw}"),
            Some(flaw) => write!(f, "{} {flaw}", self.encoder.element),
            None => write!(f, "{} is proven", self.encoder.element),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::CANDIDATES;

    const SIZE: (u32, u32) = (640, 360);
    /// The parameters of a 640x360 picture as OpenH264 writes them.
    const SPS: [u8; 15] = [
        0x67, 0x42, 0xc0, 0x1e, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb0, 0x0f, 0x08, 0x84, 0x6a,
    ];

    fn key_with(sps: [u8; 15]) -> Vec<u8> {
        let start = [0, 0, 0, 1];
        [&start[..], &sps, &start, &[0x65, 0x88, 0x84]].concat()
    }

    fn key() -> Vec<u8> {
        key_with(SPS)
    }

    fn delta() -> Vec<u8> {
        vec![0, 0, 0, 1, 0x41, 0x9a, 0x22]
    }

    /// Runs an encoder that gives a payload for each number; its time, and whether it was asked for a
    /// keyframe, are told.
    fn run(
        size: (u32, u32),
        mut encoder: impl FnMut(u64, bool) -> (Vec<u8>, u64, Duration),
    ) -> Result<u64, Flaw> {
        let mut proof = Proof::new(size);
        for number in 0.. {
            let (payload, time, under_way) = encoder(number, proof.asks());
            let keyframe = payload.get(4) != Some(&0x41);
            proof.take(&payload, time, keyframe, under_way)?;
            if proof.is_done() {
                return Ok(number + 1);
            }
        }
        unreachable!()
    }

    fn obedient(number: u64, asked: bool) -> (Vec<u8>, u64, Duration) {
        let payload = if number == 0 || asked { key() } else { delta() };
        (payload, number * 3000, Duration::from_millis(20))
    }

    #[test]
    fn an_encoder_that_does_as_it_should_is_proven() {
        assert_eq!(run(SIZE, obedient), Ok(6));
        // Some pictures are inside it when it is asked.
        let mut asked_for = 0;
        let delayed = |number, asked| {
            asked_for += u32::from(asked);
            obedient(number, asked_for == 4)
        };
        assert_eq!(run(SIZE, delayed), Ok(9));
    }

    #[test]
    fn each_flaw_is_found() {
        let check = |flaw, encoder: fn(u64, bool) -> (Vec<u8>, u64, Duration)| {
            assert_eq!(run(SIZE, encoder), Err(flaw), "{flaw}");
        };
        check(Flaw::BeginsWithout, |n, _| (delta(), n, Duration::ZERO));
        check(Flaw::BeginsWithout, |n, _| {
            (vec![0, 0, 1, 0x65, 0x88], n, Duration::ZERO)
        });
        assert!(is_beyond(&[100, 0xc0, 31]), "high");
        check(Flaw::Profile([0x42, 0x80, 0x1e]), |n, _| {
            let mut sps = SPS;
            sps[2] = 0x80;
            (key_with(sps), n, Duration::ZERO)
        });
        check(Flaw::Profile([0x42, 0xc0, 40]), |n, _| {
            let mut sps = SPS;
            sps[3] = 40;
            (key_with(sps), n, Duration::ZERO)
        });
        check(Flaw::Order, |n, asked| {
            let (payload, ..) = obedient(n, asked);
            (payload, if n == 3 { 2 } else { n }, Duration::ZERO)
        });
        check(Flaw::OnlyKeyframes, |n, _| (key(), n, Duration::ZERO));
        check(Flaw::Deaf, |n, _| obedient(n, false));
        check(Flaw::Late(501), |n, asked| {
            let (payload, time, _) = obedient(n, asked);
            (payload, time, Duration::from_millis(501))
        });
        let other = run((1280, 720), obedient);
        assert_eq!(other, Err(Flaw::Size(640, 360)));
    }

    fn finding(index: usize, flaw: Option<Flaw>) -> Finding {
        Finding {
            encoder: CANDIDATES[index],
            flaw,
        }
    }

    #[test]
    fn the_first_that_is_proven_is_used_and_the_others_are_told_of() {
        let mut hardware = Hardware::new(true);
        assert_eq!(hardware.encoder(), None);
        assert_eq!(hardware.report().why, "hardware encoders are being tried");
        hardware.found(vec![
            finding(0, Some(Flaw::Profile([0x64, 0, 0x28]))),
            finding(1, Some(Flaw::NotInstalled("vah264lpenc"))),
            finding(2, None),
        ]);
        assert_eq!(hardware.encoder(), Some(CANDIDATES[2]));
        let report = hardware.report();
        assert_eq!(
            (report.encoder, report.failed),
            (Some("v4l2h264enc"), false)
        );
        assert_eq!(
            report.why,
            "vah264enc gives profile and level 640028; vah264lpenc is not installed; \
             v4l2h264enc is proven"
        );
    }

    #[test]
    fn without_any_the_processor_encodes() {
        let mut hardware = Hardware::new(true);
        hardware.found(vec![finding(0, Some(Flaw::Hangs))]);
        assert_eq!((hardware.encoder(), hardware.failed()), (None, false));
        assert!(!hardware.is_tried_again());
        assert_eq!(hardware.report().why, "vah264enc hangs");
        let mut off = Hardware::new(false);
        off.found(vec![finding(0, None)]);
        assert_eq!(off.encoder(), None);
        assert_eq!(off.report().why, "hardware encoders are turned off");
    }

    #[test]
    fn one_that_was_not_let_go_of_yet_is_tried_once_more() {
        let mut hardware = Hardware::new(true);
        hardware.found(vec![finding(0, None)]);
        assert!(hardware.failed() && hardware.is_tried_again());
        hardware.found(vec![finding(0, Some(Flaw::DoesNotOpen))]);
        assert!(hardware.report().failed);
        assert!(hardware.is_tried_again(), "after the next call");
        hardware.found(vec![finding(0, None)]);
        assert_eq!(hardware.encoder(), Some(CANDIDATES[0]));
        assert!(!hardware.report().failed);
    }

    #[test]
    fn one_that_fails_in_a_call_is_tried_again_after_it_but_not_for_ever() {
        let mut hardware = Hardware::new(true);
        for failures in 1..=3 {
            hardware.found(vec![finding(0, None)]);
            assert_eq!(hardware.encoder(), Some(CANDIDATES[0]));
            assert!(!hardware.report().failed);
            assert!(hardware.failed());
            assert!(!hardware.failed(), "is told once");
            assert_eq!(hardware.encoder(), None);
            // Whatever else is still being found out changes nothing.
            hardware.found(vec![finding(0, None)]);
            assert_eq!(hardware.encoder(), None);
            assert!(hardware.report().failed);
            assert_eq!(hardware.is_tried_again(), failures < 3);
        }
        assert_eq!(hardware.report().why, "vah264enc failed in 3 calls; VP8");
        assert!(!hardware.is_tried_again());
    }
}
