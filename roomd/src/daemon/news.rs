// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! News of session, engine, calendar and configuration, handed on.

use roomd_api::{Devices, Levels};
use roomd_conference::{ChannelCommand, ChannelId, Event, LocalSource, MediaEvent, Output};
use roomd_driver::channels::Channels;
use roomd_media::EngineCommand;
use roomd_media::EngineEvent;
use roomd_model::{Fault, FaultCode};
use roomd_room::{Input, SessionId};
use tokio::sync::oneshot;

use super::Daemon;
use crate::hardware::{ContentOrder, Order};
use crate::start;

impl Daemon {
    pub(super) async fn session_output(&mut self, id: SessionId, output: Output) {
        match output {
            Output::Channel(channel, command) => self.channel_command(channel, command),
            Output::Media(command) => self.media(EngineCommand::Session(command)).await,
            Output::Event(event) => {
                match &event {
                    Event::StreamAdded {
                        stream,
                        participant,
                        ..
                    } => {
                        self.senders.insert(*stream, participant.clone());
                    }
                    Event::StreamRemoved { stream } => {
                        self.senders.remove(stream);
                    }
                    Event::Lobby
                    | Event::Joined
                    | Event::Reconnecting { .. }
                    | Event::Participants(_)
                    | Event::Waiting(_)
                    | Event::Chat(_)
                    | Event::E2ee(_)
                    | Event::PasswordRequired { .. }
                    | Event::Fault(_)
                    | Event::Title(_)
                    | Event::Muted(LocalSource::Microphone | LocalSource::Camera)
                    | Event::Ended(_) => {}
                    // Only a person begins anew.
                    Event::Muted(LocalSource::Content) => self.stop_content(),
                }
                self.feed(Input::Session(id, event));
            }
        }
    }

    fn stop_content(&self) {
        let (reply, _) = oneshot::channel();
        let order = Order::Content(ContentOrder::Stop);
        self.hardware.order(order, reply);
    }

    fn channel_command(&mut self, channel: ChannelId, command: ChannelCommand) {
        if !Channels::owns(channel) {
            self.guests.command(channel, command);
        } else if let Some(active) = &mut self.session {
            active.channels.command(channel, command);
        }
    }

    pub(super) fn engine_event(&mut self, event: EngineEvent) {
        match event {
            EngineEvent::Session(event) => {
                if let MediaEvent::Stream { stream, live } = event {
                    self.feed(Input::Stream { stream, live });
                }
                if let MediaEvent::Trouble {
                    stream,
                    trouble,
                    active,
                } = event
                {
                    self.feed(Input::Trouble {
                        stream,
                        trouble,
                        active,
                    });
                }
                let handle = self.session.as_ref().map(|active| &active.handle);
                if let Some(Err(error)) = handle.map(|handle| handle.media(event)) {
                    tracing::debug!(%error, "news of the media engine did not reach the meeting");
                }
            }
            EngineEvent::Levels {
                microphone,
                speaking,
            } => {
                let who = speaking
                    .iter()
                    .filter_map(|stream| self.senders.get(stream).cloned());
                let levels = Levels {
                    microphone,
                    speaking: who.collect(),
                };
                // Nobody may be listening.
                let _ = self.owner.levels.send(levels);
            }
            EngineEvent::Devices(report) => {
                let said = report.clone();
                self.devices = Devices {
                    camera: said.camera,
                    microphone: said.microphone,
                    loudspeaker: said.loudspeaker,
                    display: said.display,
                    content_display: said.content_display,
                    test_picture: said.test_picture,
                    display_asks: false,
                };
                self.report = report;
            }
            EngineEvent::Content(picture) => self.content = picture,
            EngineEvent::Fault { code, active } => {
                tracing::info!(?code, active, "media");
                if active {
                    self.lost.insert(code);
                } else {
                    self.lost.remove(&code);
                }
                self.raise(code, active);
            }
        }
    }

    pub(super) fn calendar_changed(&mut self) {
        let bookings = {
            let state = self.calendar_state.borrow_and_update();
            state.schedule.bookings().to_vec()
        };
        self.feed(Input::Bookings(bookings));
    }

    /// Reads the configuration again. A wrong one changes nothing, and the panel says so.
    pub(super) async fn reload(&mut self) {
        match self.try_reload().await {
            Ok(()) => {
                self.faults.remove(&FaultCode::ConfigRejected);
                tracing::info!("the configuration was read again");
            }
            Err(cause) => {
                tracing::warn!("the new configuration is wrong; the last good one stays active");
                let detail = cause.lines().take(2).collect::<Vec<_>>().join(" ");
                let fault = Fault {
                    code: FaultCode::ConfigRejected,
                    detail: Some(detail),
                };
                self.faults.insert(FaultCode::ConfigRejected, fault);
            }
        }
        self.renew_certificate();
    }

    /// Takes over all of it, or nothing.
    async fn try_reload(&mut self) -> Result<(), String> {
        let settings = start::read(&self.config_path)?;
        let chain = |error: anyhow::Error| format!("error: {error:#}");
        let room = start::room_config(&settings).map_err(chain)?;
        let calendar = start::calendar_settings(&settings, &self.platforms).map_err(chain)?;
        self.settings = settings;
        self.feed(Input::Config(room));
        self.calendar.reload(calendar).await;
        Ok(())
    }

    /// Reads or renews the certificate; the old one stays when that fails.
    pub(super) fn renew_certificate(&self) {
        if let Err(error) = self.certificate.reload() {
            tracing::warn!(%error, "the certificate was not read again; the old one stays");
        }
    }
}
