// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the processor allows to be encoded and composed.

use std::time::Instant;

use roomd_media_core::governor::{Allowance, Governor, Load};

use super::Task;
use crate::idle::Idle;

/// The governor, and what it looks at besides encoders and displays.
#[derive(Debug)]
pub(super) struct Govern {
    on: bool,
    pub governor: Governor,
    idle: Idle,
}

impl Govern {
    pub(super) fn new(on: bool) -> Self {
        Self {
            on,
            governor: Governor::default(),
            idle: Idle::default(),
        }
    }

    /// What may be done.
    pub(super) fn allowance(&self) -> Allowance {
        self.governor.limit().into()
    }
}

impl Task {
    /// Once a second.
    pub(super) fn supervise_load(&mut self, now: Instant) {
        let load = Load {
            camera: self.capture.work(now),
            content: self.content.work(now),
            missed: self.displays.take_missed(),
            idle: self.govern.idle.look(now),
        };
        if self.in_call && self.govern.on {
            self.govern(&load, now);
        }
    }

    /// What follows shows with the next allocation.
    pub(super) fn govern(&mut self, load: &Load, now: Instant) {
        let before = self.govern.governor.limit();
        self.govern.governor.observe(load, now);
        let limit = self.govern.governor.limit();
        if limit == before {
            return;
        }
        match limit {
            Some(limit) => tracing::info!(?limit, ?load, "the processor limits the picture"),
            None => tracing::info!("the processor limits the picture no more"),
        }
        self.displays.pace(self.govern.allowance().composed);
    }

    /// Another call is another load.
    pub(super) fn ungovern(&mut self) {
        self.govern.governor = Governor::default();
        self.displays.pace(Allowance::default().composed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use roomd_conference::{Direction, LocalSource, MediaCommand, PeerId, PeerState};
    use roomd_media_core::governor::{QualityLimit, Work};
    use roomd_media_core::layers::{Encoding, Size};
    use roomd_peer::{Codec, LineState, MediaKind, PeerEvent};
    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::displays::Displays;
    use crate::sound::Sound;
    use crate::task::{Loopback, Threads};
    use crate::time::Timeline;
    use crate::types::{
        CameraSource, DisplayOutput, EngineCommand, EngineStatistics, Loudspeaker, Settings,
    };
    use crate::voice::Voice;

    const PEER: PeerId = PeerId(1);

    /// A task whose loop is the test.
    fn task() -> (Task, Loopback, watch::Receiver<EngineStatistics>) {
        gstreamer::init().unwrap();
        let settings = Settings {
            camera: CameraSource::TestPicture,
            loudspeaker: Loudspeaker::None,
            display: DisplayOutput::Headless,
            ..Settings::default()
        };
        let timeline = Timeline::new();
        let voice = Voice::start(mpsc::channel(1).0).unwrap();
        let loudspeaker = settings.loudspeaker.clone();
        let threads = Threads {
            displays: Displays::start(&settings, timeline, &mpsc::channel(1).0).unwrap(),
            sound: Sound::start(loudspeaker, voice.clone(), mpsc::channel(1).0).unwrap(),
            voice,
        };
        let (statistics, figures) = watch::channel(EngineStatistics::default());
        let (task, loopback) = Task::new(settings, timeline, statistics, threads);
        (task, loopback, figures)
    }

    /// In a call with a server that takes every size at the same time.
    fn call(task: &mut Task, now: Instant) {
        let (peer, mid) = (PEER, "1".to_owned());
        let line = LineState {
            mid: mid.clone(),
            kind: MediaKind::Video,
            direction: Direction::SendOnly,
            codec: Some(Codec::Vp8),
            layers: ["l", "m", "h"].map(str::to_owned).to_vec(),
        };
        task.command(EngineCommand::CallStarted { at: now });
        task.session(MediaCommand::OpenPeer {
            peer,
            ice_servers: Vec::new(),
        });
        let source = LocalSource::Camera;
        task.session(MediaCommand::Publish { peer, mid, source });
        task.peer_event(PEER, PeerEvent::Line(line));
        task.peer_event(PEER, PeerEvent::State(PeerState::Verified));
        task.peer_event(PEER, PeerEvent::Bandwidth(10_000_000));
        task.sending(false, true);
    }

    /// A second in which the encoders were that busy.
    fn second(task: &mut Task, busy: f64, now: Instant) -> BTreeMap<Size, Encoding> {
        let sizes = task.capture.work(now).into_keys();
        let work = Work {
            taken: 30,
            given: 30,
            busy,
        };
        let load = Load {
            camera: sizes.map(|size| (size, work)).collect(),
            idle: Some(4.0),
            ..Load::default()
        };
        task.govern(&load, now);
        task.allocate(now);
        task.renew_figures(now);
        let allowance = task.govern.allowance();
        let divided = task
            .peers
            .divide(&mut task.allocator, &allowance, false, now);
        let encoded: Vec<_> = task.capture.work(now).into_keys().collect();
        let given: Vec<_> = divided.camera.keys().copied().collect();
        assert_eq!(encoded, given, "there is an encoder for each");
        divided.camera
    }

    #[tokio::test]
    async fn a_call_loses_sizes_then_pictures_and_gets_them_back() {
        let (mut task, _loopback, figures) = task();
        let begin = Instant::now();
        call(&mut task, begin);
        let mut seen = Vec::new();
        for passed in 0..300 {
            let busy = if passed < 60 { 1.0 } else { 0.01 };
            let encoded = second(&mut task, busy, begin + Duration::from_secs(passed));
            let rate = encoded.values().map(|it| it.pictures_per_second).min();
            let told = (figures.borrow().limit, encoded.len(), rate.unwrap());
            if seen.last() != Some(&told) {
                seen.push(told);
            }
        }
        let down = [
            (None, 3, 30),
            (Some(QualityLimit::Without720), 2, 30),
            (Some(QualityLimit::Without360), 1, 30),
            (Some(QualityLimit::FewerPictures), 1, 20),
            (Some(QualityLimit::SlowerDisplay), 1, 20),
        ];
        let up = down.iter().rev().skip(1);
        let expected: Vec<_> = down.iter().chain(up).copied().collect();
        assert_eq!(seen, expected);
        task.command(EngineCommand::CallEnded);
    }

    #[tokio::test]
    async fn another_call_begins_without_a_limit() {
        let (mut task, _loopback, figures) = task();
        let begin = Instant::now();
        call(&mut task, begin);
        for passed in 0..10 {
            second(&mut task, 1.0, begin + Duration::from_secs(passed));
        }
        assert!(figures.borrow().limit.is_some());
        task.command(EngineCommand::CallEnded);
        call(&mut task, begin + Duration::from_secs(20));
        let encoded = second(&mut task, 0.1, begin + Duration::from_secs(21));
        assert_eq!(encoded.len(), 3);
        assert_eq!(figures.borrow().limit, None);
    }
}
