// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The bar as one device: standard requests, and transfers to the parts that they concern.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;

use crate::audio::{Feature, Levels, Loudspeaker, Microphones};
use crate::camera::Camera;
use crate::command::Order;
use crate::control::{Answer, Setup};
use crate::descriptors as own;
use crate::faults::{CameraFault, Faults};
use crate::lane::{self, Lane};
use crate::telephony::{Lamps, Telephony};
use crate::wire::{Listed, Reply, Request, STALL, Submit};

/// No driver keeps more transfers open on the keys' endpoint.
const MOST_OPEN: usize = 16;

/// The bar's state between being plugged and unplugged.
#[derive(Debug)]
pub struct Bar {
    serial: String,
    number: u32,
    faults: Faults,
    configured: u8,
    alternates: [u8; own::INTERFACES],
    camera: Camera,
    refused: u32,
    microphones: Microphones,
    loudspeaker: Loudspeaker,
    capture_mixer: Feature,
    playback_mixer: Feature,
    telephony: Telephony,
    pictures: Lane,
    capture: Lane,
    playback: Lane,
    keys: VecDeque<Submit>,
    replies: VecDeque<Reply>,
}

/// What the device knows of what the host does with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Its serial number.
    pub serial: String,
    /// Whether the host takes pictures.
    pub camera_open: bool,
    /// The number of the next picture.
    pub picture: u32,
    /// How often the camera did not begin to send.
    pub refused: u32,
    /// Every control of the camera.
    pub camera: BTreeMap<&'static str, i32>,
    /// Whether the host takes sound.
    pub microphone_open: bool,
    /// Whether the host muted the microphones in the mixer.
    pub microphone_muted: bool,
    /// The volume of the microphones, in dB.
    pub microphone_volume: i32,
    /// Whether the host gives sound.
    pub loudspeaker_open: bool,
    /// Whether the host muted the loudspeaker in the mixer.
    pub loudspeaker_muted: bool,
    /// The volume of the loudspeaker, in dB.
    pub loudspeaker_volume: i32,
    /// What was played.
    pub played: Levels,
    /// What the lamps show.
    pub lamps: Lamps,
    /// How many reports of keys the host has not fetched yet.
    pub waiting_keys: usize,
    /// How it misbehaves.
    pub faults: Faults,
}

impl Bar {
    /// A bar that was just plugged; its number tells several apart, from 1 on.
    pub fn new(serial: &str, number: u32, faults: Faults) -> Self {
        Self {
            serial: serial.to_owned(),
            number,
            faults,
            configured: 0,
            alternates: [0; own::INTERFACES],
            camera: Camera::default(),
            refused: 0,
            microphones: Microphones::default(),
            loudspeaker: Loudspeaker::default(),
            capture_mixer: Feature::default(),
            playback_mixer: Feature::default(),
            telephony: Telephony::default(),
            pictures: Lane::default(),
            capture: Lane::default(),
            playback: Lane::default(),
            keys: VecDeque::new(),
            replies: VecDeque::new(),
        }
    }

    /// How USB/IP names it.
    pub fn listed(&self) -> Listed {
        Listed {
            bus_id: format!("1-{}", self.number),
            number: (1, self.number),
            ids: [own::VENDOR, own::PRODUCT, own::RELEASE],
            class: own::CLASS,
            interfaces: own::interfaces(),
        }
    }

    /// How it misbehaves, which outlives being unplugged.
    pub const fn faults(&self) -> Faults {
        self.faults
    }

    /// What it knows.
    pub fn report(&self) -> Report {
        let open = |interface: u8| self.alternates[usize::from(interface)] > 0;
        Report {
            serial: self.serial.clone(),
            camera_open: self.camera.is_open(),
            picture: self.camera.number(),
            refused: self.refused,
            camera: self.camera.dials(),
            microphone_open: open(own::CAPTURE),
            microphone_muted: self.capture_mixer.muted(),
            microphone_volume: self.capture_mixer.decibels(),
            loudspeaker_open: open(own::PLAYBACK),
            loudspeaker_muted: self.playback_mixer.muted(),
            loudspeaker_volume: self.playback_mixer.decibels(),
            played: self.loudspeaker.levels(),
            lamps: self.telephony.lamps(),
            waiting_keys: self.telephony.waiting(),
            faults: self.faults,
        }
    }

    /// Does what a person does with it.
    ///
    /// # Errors
    /// What is wrong with the order.
    pub fn handle_order(&mut self, order: &Order) -> Result<(), String> {
        match order {
            Order::Press(key, count) => (0..*count).for_each(|_| self.telephony.press(*key)),
            Order::Hook(off) => self.telephony.hook(*off),
            Order::Fault(text) => self.faults.set(text)?,
            Order::State | Order::Plug | Order::Unplug => {}
        }
        self.send_keys();
        Ok(())
    }

    /// Takes what the host asks.
    pub fn handle_request(&mut self, request: Request, now: Duration) {
        match request {
            Request::Unlink { sequence, victim } => {
                let was_open = self.take_back(victim);
                self.replies
                    .push_back(Reply::Unlinked { sequence, was_open });
            }
            Request::Submit(submit) if submit.endpoint == 0 => self.control(&submit, now),
            Request::Submit(submit) => self.submit(submit, now),
        }
    }

    /// Ends the transfers whose time has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        let faults = self.faults;
        while let Some((submit, began)) = self.pictures.take(now) {
            let camera = &mut self.camera;
            self.replies
                .push_back(lane::filled(&submit, began, |room, at, packet| {
                    camera.fill(room, at, faults.camera, packet);
                }));
        }
        let muted = self.capture_mixer.muted();
        while let Some((submit, began)) = self.capture.take(now) {
            let microphones = &mut self.microphones;
            self.replies
                .push_back(lane::filled(&submit, began, |_, _, packet| {
                    microphones.fill(faults.microphone, muted, packet);
                }));
        }
        while let Some((submit, _)) = self.playback.take(now) {
            self.loudspeaker.play(&submit.data, now);
            self.replies.push_back(lane::emptied(&submit));
        }
    }

    /// What goes to the host.
    pub fn poll_reply(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    /// When [`Bar::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let lanes = [&self.pictures, &self.capture, &self.playback];
        lanes.into_iter().filter_map(Lane::due).min()
    }

    fn take_back(&mut self, victim: u32) -> bool {
        let keys = self.keys.len();
        self.keys.retain(|submit| submit.sequence != victim);
        self.keys.len() < keys
            || self.pictures.unlink(victim)
            || self.capture.unlink(victim)
            || self.playback.unlink(victim)
    }

    fn submit(&mut self, submit: Submit, now: Duration) {
        let refused = match (submit.endpoint, submit.inwards) {
            (own::VIDEO_ENDPOINT, true) => self.pictures.submit(submit, now).err(),
            (own::CAPTURE_ENDPOINT, true) => self.capture.submit(submit, now).err(),
            (own::PLAYBACK_ENDPOINT, false) => self.playback.submit(submit, now).err(),
            (own::KEY_ENDPOINT, true) if self.keys.len() < MOST_OPEN => {
                self.keys.push_back(submit);
                self.send_keys();
                None
            }
            _ => Some(submit),
        };
        if let Some(submit) = refused {
            self.stall(&submit);
        }
    }

    fn send_keys(&mut self) {
        while !self.keys.is_empty() {
            let Some(report) = self.telephony.next() else {
                return;
            };
            if let Some(submit) = self.keys.pop_front() {
                let report = &report[..report.len().min(submit.length)];
                self.done(&submit, report.to_vec());
            }
        }
    }

    fn control(&mut self, submit: &Submit, now: Duration) {
        let setup = Setup::parse(submit.setup);
        let answer = match setup.kind & 0x60 {
            0x00 => self.standard(setup, now),
            0x20 if self.faults.control => Answer::Stall,
            0x20 => self.class(setup, &submit.data, now),
            _ => Answer::Stall,
        };
        match answer {
            Answer::Data(mut bytes) if setup.inwards() => {
                bytes.truncate(submit.length.min(setup.length.into()));
                self.done(submit, bytes);
            }
            Answer::Taken if !setup.inwards() => self.done(submit, Vec::new()),
            Answer::Data(_) | Answer::Taken | Answer::Stall => self.stall(submit),
        }
    }

    fn done(&mut self, submit: &Submit, data: Vec<u8>) {
        let actual = if submit.inwards {
            data.len()
        } else {
            submit.data.len()
        };
        let sequence = submit.sequence;
        let packets = Vec::new();
        self.replies.push_back(Reply::Done {
            sequence,
            status: 0,
            actual,
            data,
            packets,
        });
    }

    fn stall(&mut self, submit: &Submit) {
        self.replies.push_back(Reply::Done {
            sequence: submit.sequence,
            status: STALL,
            actual: 0,
            data: Vec::new(),
            packets: submit
                .packets
                .iter()
                .map(|(offset, length)| (*offset, *length, 0))
                .collect(),
        });
    }

    /// Requests of every device (USB 2.0, chapter 9.4).
    fn standard(&mut self, setup: Setup, now: Duration) -> Answer {
        let [low, _] = setup.value.to_le_bytes();
        match (setup.kind, setup.request) {
            // Status: powered by itself, nothing halted.
            (0x80, 0x00) => Answer::Data(vec![1, 0]),
            (0x81 | 0x82, 0x00) => Answer::Data(vec![0, 0]),
            // Features: an endpoint that is halted runs again.
            (0x00..=0x02, 0x01 | 0x03) => Answer::Taken,
            (0x80, 0x06) => self.descriptor(setup),
            (0x81, 0x06) if setup.interface() == own::TELEPHONY => match setup.selector() {
                0x21 => Answer::Data(own::hid()),
                0x22 => Answer::Data(crate::telephony::REPORTS.to_vec()),
                _ => Answer::Stall,
            },
            (0x80, 0x08) => Answer::Data(vec![self.configured]),
            (0x00, 0x09) => {
                self.configured = low;
                for interface in 0..own::INTERFACES {
                    self.select(interface, 0, now);
                }
                Answer::Taken
            }
            (0x81, 0x0a) => {
                let alternate = self.alternates.get(usize::from(setup.interface()));
                alternate.map_or(Answer::Stall, |alternate| Answer::Data(vec![*alternate]))
            }
            (0x01, 0x0b) => {
                let interface = usize::from(setup.interface());
                if low > highest_alternate(setup.interface()) || interface >= own::INTERFACES {
                    return Answer::Stall;
                }
                let sends = interface == usize::from(own::VIDEO_STREAM) && low > 0;
                if sends && self.faults.camera == CameraFault::Refusing {
                    self.refused += 1;
                    return Answer::Stall;
                }
                self.select(interface, low, now);
                Answer::Taken
            }
            _ => Answer::Stall,
        }
    }

    fn select(&mut self, interface: usize, alternate: u8, now: Duration) {
        self.alternates[interface] = alternate;
        if interface == usize::from(own::VIDEO_STREAM) {
            self.camera.select(alternate, now);
        }
    }

    fn descriptor(&self, setup: Setup) -> Answer {
        let bytes = match setup.selector() {
            1 => Some(own::device()),
            2 => Some(own::configuration()),
            3 => own::string(setup.value.to_le_bytes()[0], &self.serial),
            _ => None,
        };
        bytes.map_or(Answer::Stall, Answer::Data)
    }

    fn class(&mut self, setup: Setup, data: &[u8], now: Duration) -> Answer {
        // To an interface; endpoints of this bar have no controls.
        if setup.kind & 0x1f != 1 {
            return Answer::Stall;
        }
        match (setup.interface(), setup.entity()) {
            (own::VIDEO_CONTROL, _) => self.camera.control(setup, data),
            (own::VIDEO_STREAM, _) => self.camera.agree(setup, data),
            (own::AUDIO_CONTROL, own::PLAYBACK_FEATURE) => self.playback_mixer.request(setup, data),
            (own::AUDIO_CONTROL, own::CAPTURE_FEATURE) => self.capture_mixer.request(setup, data),
            (own::TELEPHONY, _) => self.telephony.request(setup, data, now),
            _ => Answer::Stall,
        }
    }
}

const fn highest_alternate(interface: u8) -> u8 {
    match interface {
        own::VIDEO_STREAM => crate::camera::PACKET_SIZES.len() as u8 - 1,
        own::PLAYBACK | own::CAPTURE => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
