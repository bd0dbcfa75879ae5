// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What people ask of the room's devices.

use roomd_api::{Refusal, Reply};
use tokio::sync::oneshot;

use super::sound::Choice;
use super::{Order, RoomFacts, Task, self_hear, sound_test};
use crate::daemon::now;

impl Task {
    pub(super) async fn order(
        &mut self,
        order: Order,
        room: &RoomFacts,
        reply: oneshot::Sender<Reply>,
    ) {
        self.display.touched(now());
        match order {
            Order::DisplayIsOn => {
                self.display.confirmed();
                answer(reply, Ok(()));
            }
            Order::StartSoundTest => answer(reply, self.start_sound_test(room.sound.in_call)),
            Order::StopSoundTest => {
                self.sound_test.stop();
                answer(reply, Ok(()));
            }
            Order::StartSelfHear => answer(reply, self.start_self_hear(room)),
            Order::StopSelfHear => {
                self.self_hear.stop();
                answer(reply, Ok(()));
            }
            Order::Content(order) => answer(reply, self.content.order(order)),
            Order::SelectCamera(_)
            | Order::Turn(..)
            | Order::Adjust(..)
            | Order::Recall(..)
            | Order::Save(..)
            | Order::Delete(..) => self.order_camera(order, reply).await,
        }
    }

    fn start_sound_test(&mut self, in_call: bool) -> Result<(), Refusal> {
        if in_call || self.sound_test.is_running() {
            return Err(Refusal::NotNow);
        }
        self.self_hear.stop();
        let chosen = self.sound.as_ref().and_then(|sound| sound.chosen.as_ref());
        let name = |choice: &Choice| Some(choice.card.as_ref()?.name.clone());
        let devices = sound_test::Devices {
            microphone: chosen.and_then(|chosen| name(&chosen.microphone)),
            loudspeaker: chosen.and_then(|chosen| name(&chosen.loudspeaker)),
        };
        self.sound_test.start(self.engine.clone(), devices);
        Ok(())
    }

    /// Lets somebody hear themself; while somebody does, that goes on.
    fn start_self_hear(&mut self, room: &RoomFacts) -> Result<(), Refusal> {
        if self.self_hear.is_running() {
            return Ok(());
        }
        let chosen = self.sound.as_ref().and_then(|sound| sound.chosen.as_ref());
        let muted = self.held.as_ref().is_some_and(|held| *held.off.borrow());
        let tested = self.sound_test.is_running();
        if let Some(refusal) = self_hear::obstacle(room, chosen, tested, muted) {
            return Err(refusal);
        }
        self.self_hear.start(self.engine.clone());
        Ok(())
    }

    async fn order_camera(&mut self, order: Order, reply: oneshot::Sender<Reply>) {
        let Some(cameras) = &mut self.cameras else {
            return answer(reply, Err(Refusal::CameraUnknown));
        };
        match order {
            Order::SelectCamera(name) => match cameras.select(&name) {
                Ok(source) => {
                    self.use_camera(source).await;
                    answer(reply, Ok(()));
                }
                Err(refusal) => answer(reply, Err(refusal)),
            },
            Order::Turn(name, steps) => cameras.turn(&name, steps, reply),
            Order::Adjust(name, setting, adjustment) => {
                cameras.adjust(&name, setting, adjustment, reply);
            }
            Order::Recall(name, preset) => cameras.recall(&name, &preset, reply),
            Order::Save(name, preset) => cameras.save(&name, preset, self.engine.clone(), reply),
            Order::Delete(name, preset) => answer(reply, cameras.delete(&name, &preset)),
            Order::DisplayIsOn
            | Order::Content(_)
            | Order::StartSoundTest
            | Order::StopSoundTest
            | Order::StartSelfHear
            | Order::StopSelfHear => {}
        }
    }
}

fn answer(reply: oneshot::Sender<Reply>, done: Result<(), Refusal>) {
    let reply_with = match done {
        Ok(()) => Reply::Accepted,
        Err(refusal) => Reply::Refused { refusal },
    };
    // Whoever asked may be gone.
    let _ = reply.send(reply_with);
}
