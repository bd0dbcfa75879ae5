// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Cameras that turn, over VISCA over IP.
//!
//! One task owns the way to one camera. A socket of UDP is connected, so the kernel hands on only what
//! comes from the camera's address; anybody in the network may forge that address all the same, as the
//! protocol has no way to say who speaks. Cameras belong into a network of their own.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use roomd_devices_core::camera::controls::Control;
use roomd_devices_core::camera::presets::{Preset, PresetError};
use roomd_devices_core::display::power::Power;
use roomd_devices_core::visca::{Effect, Failure, Input, Model, Protocol, Request, State, Visca};
use tokio::sync::{mpsc, watch};
use tracing::info;

mod way;

use self::way::Way;

/// Commands that wait for the task.
const COMMANDS: usize = 16;
/// What is read at once; a flood is read in many small pieces, between which there is time for others.
const BUFFER: usize = 128;

/// Which camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViscaConfig {
    /// Where it listens; the usual port is [`Protocol::port`].
    pub address: SocketAddr,
    /// How packets travel to it.
    pub protocol: Protocol,
    /// What it is.
    pub model: Model,
}

/// What is asked of a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Do this.
    Do(Request),
    /// Go to this position. What the camera does not take is left out.
    Recall(Preset),
    /// Adjust the picture like this whenever the camera is back: without power it may forget it.
    Keep(BTreeMap<Control, i32>),
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViscaError {
    /// The camera did not do it.
    #[error("{0:?} was not done")]
    Request(Request, #[source] Failure),
    /// Nothing of a preset fits.
    #[error(transparent)]
    Preset(#[from] PresetError),
}

/// How a camera is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CameraState {
    /// As it says.
    pub camera: State,
    /// Requests that were done since the task began.
    pub done: u64,
    /// The last that was not done, with the number of those.
    pub failed: Option<(u64, ViscaError)>,
}

/// A camera's task.
#[derive(Clone, Debug)]
pub struct ViscaHandle {
    /// What is asked of it.
    pub commands: mpsc::Sender<Command>,
    /// How it is.
    pub state: watch::Receiver<CameraState>,
}

/// Begins to look after a camera, which need not be there. The task ends with the last handle.
#[must_use]
pub fn spawn(config: ViscaConfig) -> ViscaHandle {
    let (commands, receiver) = mpsc::channel(COMMANDS);
    let visca = Visca::new(config.model, config.protocol, Instant::now());
    let first = CameraState {
        camera: *visca.state(),
        ..CameraState::default()
    };
    let (publish, state) = watch::channel(first);
    let task = Task {
        config,
        visca,
        kept: BTreeMap::new(),
        adjusted: false,
        publish,
    };
    tokio::spawn(task.run(receiver));
    ViscaHandle { commands, state }
}

struct Task {
    config: ViscaConfig,
    visca: Visca,
    /// How its picture is to be.
    kept: BTreeMap<Control, i32>,
    /// It was told so since it is back.
    adjusted: bool,
    publish: watch::Sender<CameraState>,
}

/// What woke the task.
enum Woken {
    Command(Command),
    Received(io::Result<usize>),
    Due,
}

impl Task {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut way = Way::new(self.config);
        let mut buffer = [0; BUFFER];
        loop {
            if way.open().await {
                let effects = self.visca.handle(Input::Connected, Instant::now());
                self.act(effects, &mut way).await;
            }
            let wake = self.visca.poll_timeout().map(|(at, _)| at);
            let due = way.due();
            let woken = tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => Woken::Command(command),
                    None => return,
                },
                received = way.receive(&mut buffer) => Woken::Received(received),
                () = until(due) => continue,
                () = until(wake) => Woken::Due,
            };
            let was_down = self.visca.is_down();
            self.woken(woken, &buffer, &mut way).await;
            let effects = self.readjust(Instant::now());
            self.act(effects, &mut way).await;
            if self.visca.is_up() {
                way.works();
            } else if self.visca.is_down() && !was_down {
                way.fails();
            }
        }
    }

    async fn woken(&mut self, woken: Woken, buffer: &[u8], way: &mut Way) {
        let now = Instant::now();
        let effects = match woken {
            Woken::Command(Command::Do(request)) => self.visca.handle(Input::Want(request), now),
            Woken::Command(Command::Recall(preset)) => self.recall(&preset, now),
            Woken::Command(Command::Keep(values)) => {
                self.kept = values;
                Vec::new()
            }
            Woken::Received(Ok(length)) => {
                let received = buffer.get(..length).unwrap_or_default();
                self.visca.handle(Input::Received(received), now)
            }
            // Nobody listens there: the next answer does not come, which counts by itself.
            Woken::Received(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Vec::new()
            }
            Woken::Received(Err(error)) => {
                way.lose(&error);
                self.visca.handle(Input::Lost, now)
            }
            Woken::Due => self.visca.handle_timeout(now),
        };
        self.act(effects, way).await;
    }

    /// Adjusts the picture of a camera that is back and awake, once it has said what it has.
    fn readjust(&mut self, now: Instant) -> Vec<Effect> {
        // One that restarted, and asked for a reset, was away too.
        if !self.visca.is_up() || self.visca.state().power != Some(Power::On) {
            self.adjusted = false;
            return Vec::new();
        }
        if self.adjusted || !self.visca.is_settled() {
            return Vec::new();
        }
        self.adjusted = true;
        if self.kept.is_empty() {
            return Vec::new();
        }
        let name = "as it was".to_owned();
        let values = self.kept.clone();
        self.recall(&Preset { name, values }, now)
    }

    fn recall(&mut self, preset: &Preset, now: Instant) -> Vec<Effect> {
        let plan = match self.visca.model().plan(preset, self.visca.state()) {
            Ok(plan) => plan,
            Err(error) => {
                self.fail(error.into());
                return Vec::new();
            }
        };
        if !plan.left_out.is_empty() {
            info!(left_out = ?plan.left_out, "the camera does not take all of a preset");
        }
        let requests = plan.requests.into_iter();
        requests
            .flat_map(|request| self.visca.handle(Input::Want(request), now))
            .collect()
    }

    async fn act(&mut self, effects: Vec<Effect>, way: &mut Way) {
        for effect in effects {
            match effect {
                Effect::Send(bytes) => way.send(&bytes).await,
                Effect::Finished(_, Ok(())) => self.publish.send_modify(|state| state.done += 1),
                Effect::Finished(request, Err(failure)) => {
                    self.fail(ViscaError::Request(request, failure));
                }
            }
        }
        let camera = *self.visca.state();
        self.publish.send_if_modified(|state| {
            if state.camera.trouble != camera.trouble {
                info!(address = %self.config.address, trouble = ?camera.trouble, "the camera's state");
            }
            let changed = state.camera != camera;
            state.camera = camera;
            changed
        });
    }

    fn fail(&self, error: ViscaError) {
        self.publish.send_modify(|state| {
            let count = state.failed.as_ref().map_or(0, |(count, _)| *count);
            state.failed = Some((count + 1, error));
        });
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "../../core/src/visca/stand_in.rs"]
#[expect(dead_code, reason = "the core's tests use the rest")]
mod stand_in;

#[cfg(test)]
mod tests {
    use roomd_devices_core::health::Trouble;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, UdpSocket};

    use super::stand_in::StandIn;
    use super::*;

    /// A stand-in camera on a socket of its own; says where it looks when it is told to move.
    async fn camera() -> (SocketAddr, mpsc::Receiver<(i32, i32, u16)>) {
        played(StandIn::default()).await
    }

    async fn played(mut camera: StandIn) -> (SocketAddr, mpsc::Receiver<(i32, i32, u16)>) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (sender, receiver) = mpsc::channel(100);
        tokio::spawn(async move {
            let mut buffer = [0; 100];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let mut answers = camera.receive(&buffer[..length]);
                answers.extend(camera.complete());
                for answer in answers {
                    socket.send_to(&answer, from).await.unwrap();
                }
                let _ = sender.try_send((camera.pan, camera.tilt, camera.zoom));
            }
        });
        (address, receiver)
    }

    fn looked_after(address: SocketAddr) -> ViscaHandle {
        looked_after_over(Protocol::Sony, address)
    }

    fn looked_after_over(protocol: Protocol, address: SocketAddr) -> ViscaHandle {
        spawn(ViscaConfig {
            address,
            protocol,
            model: Model::default(),
        })
    }

    /// Plays the camera on one connection, from its first packet to the end of the connection.
    async fn play(camera: &mut StandIn, stream: &mut tokio::net::TcpStream) {
        let mut packet = Vec::new();
        while let Ok(byte) = stream.read_u8().await {
            packet.push(byte);
            if byte != 0xff {
                continue;
            }
            let mut answers = camera.receive_as_is(&std::mem::take(&mut packet));
            answers.extend(camera.complete_as_is());
            if stream.write_all(&answers.concat()).await.is_err() {
                return;
            }
        }
    }

    fn preset(values: &[(Control, i32)]) -> Preset {
        Preset {
            name: "Tafel".to_owned(),
            values: values.iter().copied().collect::<BTreeMap<_, _>>(),
        }
    }

    #[tokio::test]
    async fn a_camera_is_found_and_recalls_a_preset() {
        let (address, mut looks) = camera().await;
        let handle = looked_after(address);
        let mut state = handle.state.clone();
        assert_eq!(state.borrow().camera.trouble, Some(Trouble::Missing));
        let known = |state: &CameraState| state.camera.zoom.is_some();
        let found = state.wait_for(known).await.unwrap().clone();
        assert_eq!(found.camera.trouble, None);
        assert_eq!(found.camera.power, Some(Power::On));
        let values = [
            (Control::Pan, 45 * 3600),
            (Control::Zoom, 700),
            (Control::Gain, 1),
        ];
        let recall = Command::Recall(preset(&values));
        handle.commands.send(recall).await.unwrap();
        state.wait_for(|state| state.done == 2).await.unwrap();
        let there = |looks: &(i32, i32, u16)| *looks == (0x288, 0, 700);
        while !looks.recv().await.is_some_and(|looks| there(&looks)) {}
        let there = |state: &CameraState| state.camera.direction == Some((45 * 3600, 0));
        state.wait_for(there).await.unwrap();
        // What does not fit is said.
        let recall = Command::Recall(preset(&[(Control::Gain, 1)]));
        handle.commands.send(recall).await.unwrap();
        let failed = |state: &CameraState| state.failed.is_some();
        let failed = state.wait_for(failed).await.unwrap().failed.clone();
        assert!(matches!(failed, Some((1, ViscaError::Preset(_)))));
    }

    #[tokio::test]
    async fn how_a_picture_was_is_told_to_a_camera_that_is_back() {
        let (address, _looks) = camera().await;
        let handle = looked_after(address);
        let kept = BTreeMap::from([
            (Control::FocusAuto, 0),
            (Control::Focus, 0x2000),
            (Control::Gain, 3),
        ]);
        handle.commands.send(Command::Keep(kept)).await.unwrap();
        let mut state = handle.state.clone();
        let adjusted = |state: &CameraState| {
            let picture = state.camera.picture;
            (picture.focus_auto, picture.focus) == (Some(false), Some(0x2000))
        };
        state.wait_for(adjusted).await.unwrap();
    }

    #[tokio::test]
    async fn nobody_there_is_trouble_and_no_hang() {
        // A socket that reads nothing, and an address where nobody listens.
        let deaf = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let nobody = closed.local_addr().unwrap();
        drop(closed);
        for address in [deaf.local_addr().unwrap(), nobody] {
            let handle = looked_after(address);
            let ask = Command::Do(Request::Zoom(1));
            handle.commands.send(ask).await.unwrap();
            let mut state = handle.state.clone();
            let failed = |state: &CameraState| state.failed.is_some();
            let state = state.wait_for(failed).await.unwrap().clone();
            let error = ViscaError::Request(Request::Zoom(1), Failure::Unreachable);
            assert_eq!(state.failed, Some((1, error)));
            assert_eq!(state.camera.trouble, Some(Trouble::Missing));
        }
    }

    #[tokio::test]
    async fn a_camera_over_tcp_is_found_and_found_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cut, mut cuts) = mpsc::channel::<()>(1);
        tokio::spawn(async move {
            let mut camera = StandIn::default();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::select! {
                    () = play(&mut camera, &mut stream) => {}
                    Some(()) = cuts.recv() => {}
                }
            }
        });
        let handle = looked_after_over(Protocol::Tcp, address);
        let mut state = handle.state.clone();
        let known = |state: &CameraState| state.camera.picture.backlight.is_some();
        state.wait_for(known).await.unwrap();
        let recall = Command::Recall(preset(&[(Control::Pan, 45 * 3600), (Control::Zoom, 700)]));
        handle.commands.send(recall).await.unwrap();
        let there = |state: &CameraState| {
            state.camera.direction == Some((45 * 3600, 0)) && state.camera.zoom == Some(700)
        };
        state.wait_for(there).await.unwrap();
        cut.send(()).await.unwrap();
        let missing = |state: &CameraState| state.camera.trouble == Some(Trouble::Missing);
        state.wait_for(missing).await.unwrap();
        state.wait_for(there).await.unwrap();
    }

    #[tokio::test]
    async fn a_flood_over_tcp_ends_nothing_and_is_trouble() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let handle = looked_after_over(Protocol::Tcp, listener.local_addr().unwrap());
        let flood = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            while stream.write_all(&[7; 4096]).await.is_ok() {}
        });
        let mut state = handle.state.clone();
        // Nothing in it was an answer, and the connection is given up.
        flood.await.unwrap();
        let nonsense = |state: &CameraState| state.camera.trouble == Some(Trouble::Nonsense);
        state.wait_for(nonsense).await.unwrap();
        let ask = Command::Do(Request::Zoom(1));
        handle.commands.send(ask).await.unwrap();
        let failed = |state: &CameraState| state.failed.is_some();
        state.wait_for(failed).await.unwrap();
    }

    #[tokio::test]
    async fn a_camera_over_udp_without_a_header_is_found() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let handle = looked_after_over(Protocol::Udp, socket.local_addr().unwrap());
        tokio::spawn(async move {
            let mut camera = StandIn::default();
            let mut buffer = [0; 100];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let mut answers = camera.receive_as_is(&buffer[..length]);
                answers.extend(camera.complete_as_is());
                // Both in one datagram.
                socket.send_to(&answers.concat(), from).await.unwrap();
            }
        });
        let mut state = handle.state.clone();
        let known = |state: &CameraState| state.camera.zoom.is_some();
        state.wait_for(known).await.unwrap();
        let zoom = Command::Do(Request::Zoom(700));
        handle.commands.send(zoom).await.unwrap();
        let there = |state: &CameraState| state.camera.zoom == Some(700);
        state.wait_for(there).await.unwrap();
    }

    #[tokio::test]
    async fn answers_of_others_do_not_count() {
        let camera = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let handle = looked_after(camera.local_addr().unwrap());
        let mut buffer = [0; 100];
        let (_, task) = camera.recv_from(&mut buffer).await.unwrap();
        let reset = [2, 1, 0, 1, 0, 0, 0, 0, 1];
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        other.send_to(&reset, task).await.unwrap();
        // It goes on calling.
        let (length, _) = camera.recv_from(&mut buffer).await.unwrap();
        assert_eq!(buffer[..length], [2, 0, 0, 1, 0, 0, 0, 0, 1]);
        camera.send_to(&reset, task).await.unwrap();
        let (length, _) = camera.recv_from(&mut buffer).await.unwrap();
        assert_eq!(
            buffer[..length],
            [1, 0x10, 0, 5, 0, 0, 0, 1, 0x81, 9, 4, 0, 0xff]
        );
        drop(handle);
    }
}
