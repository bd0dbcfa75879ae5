// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a person wants, one function for each.

use std::time::Duration;

use roomd_conference::{Command, Provider};
use roomd_model::{
    BookingId, BookingLink, FaultCode, LinkRefusal, MeetingLink, ParticipantId, Pii, Secret,
};

use crate::call::{Alone, Call, Plan, Stage, Then};
use crate::machine::{Room, State};
use crate::port::read_link;
use crate::{Output, Refusal, Request, Resume};

const MAX_CHAT: usize = 2000;
const MAX_PASSWORD: usize = 256;
/// How long a person who stays in an empty call is not asked again.
const STAY: Duration = Duration::from_secs(60 * 60);

type Answer = Result<(), Refusal>;

impl Room {
    pub(crate) fn request(&mut self, request: Request) -> Answer {
        match request {
            Request::JoinBooking(id) => self.join_booking(&id),
            Request::JoinLink(text) => self.join_link(text.expose()),
            Request::StartMeeting { password, seed } => self.start_meeting(password, seed),
            Request::Leave => self.leave(),
            Request::StartSending => self.start_sending(),
            Request::Microphone(on) => self.switch(on, |call| call.microphone = on),
            Request::Camera(on) => self.switch(on, |call| call.camera = on),
            Request::Volume(percent) => self.set_volume(percent),
            Request::Layout(layout) => {
                self.active()?.faces.choose_layout(layout);
                Ok(())
            }
            Request::Admit(id) => self.at_the_door(id, Command::Admit),
            Request::Deny(id) => self.at_the_door(id, Command::Deny),
            Request::Remove(id) => self.remove(id),
            Request::Hand(raised) => self.hand(raised),
            Request::Chat(text) => self.chat(&text),
            Request::Password(password) => self.password(password),
            Request::Stay => self.stay(),
            Request::Attendance { booking, accept } => self.attendance(booking, accept),
            Request::Language(language) => {
                self.language = language;
                Ok(())
            }
            Request::Acknowledge(code) => self.acknowledge(code),
        }
    }

    fn join_booking(&mut self, id: &BookingId) -> Answer {
        let booking = self.schedule.find(id).ok_or(Refusal::Unknown)?;
        let link = match &booking.link {
            BookingLink::Meeting(link) => link.clone(),
            BookingLink::None => return Err(Refusal::BadLink),
            BookingLink::Refused { reason, .. } => {
                return Err(match reason {
                    LinkRefusal::UnknownPlatform => Refusal::PlatformUnknown,
                    LinkRefusal::NotAllowed | LinkRefusal::NotHttps => {
                        Refusal::DestinationNotAllowed
                    }
                });
            }
        };
        let since = self.now.utc;
        let plan = Plan {
            link,
            title: booking.title.clone(),
            booking: Some(id.clone()),
            since,
            until: Resume::until(since, Some(booking.end)),
        };
        self.join_plan(plan)
    }

    fn join_link(&mut self, text: &str) -> Answer {
        let url = read_link(text).ok_or(Refusal::BadLink)?;
        let mut platforms = self.platforms.iter();
        let link = platforms.find_map(|platform| platform.recognise(&url));
        let destination = link.as_ref().map_or(&url, |link| link.url.expose());
        if !self.is_allowed(destination) {
            return Err(Refusal::DestinationNotAllowed);
        }
        self.join_meeting(link.ok_or(Refusal::PlatformUnknown)?)
    }

    fn start_meeting(&mut self, password: Option<Secret>, seed: [u8; 32]) -> Answer {
        if password
            .as_ref()
            .is_some_and(|password| !is_password(password))
        {
            return Err(Refusal::BadRequest);
        }
        let fresh = |platform: &dyn Provider| platform.recognise(&platform.fresh_meeting(seed)?);
        let mut platforms = self.platforms.iter().map(AsRef::as_ref);
        let mut link = platforms.find_map(fresh).ok_or(Refusal::PlatformUnknown)?;
        link.password = password;
        self.join_meeting(link)
    }

    fn join_meeting(&mut self, link: MeetingLink) -> Answer {
        let since = self.now.utc;
        self.join_plan(Plan {
            link,
            title: None,
            booking: None,
            since,
            until: Resume::until(since, None),
        })
    }

    fn join_plan(&mut self, plan: Plan) -> Answer {
        self.may_join(&plan.link)?;
        if let State::Call(call) = &self.state {
            let current = match &call.stage {
                Stage::Leaving(Then::Join(next)) => Some(next.as_ref()),
                Stage::Leaving(Then::Rest | Then::Fault(_)) => None,
                Stage::Joining | Stage::Lobby | Stage::InCall | Stage::Reconnecting(_) => {
                    Some(&call.plan)
                }
            };
            if current.is_some_and(|current| current.link.url == plan.link.url) {
                return Err(Refusal::NotNow);
            }
        }
        self.join(plan);
        Ok(())
    }

    fn leave(&mut self) -> Answer {
        match &self.state {
            State::Call(_) => {
                self.begin_leaving(Then::Rest);
                Ok(())
            }
            State::Rest | State::Fault { .. } => Err(Refusal::NotNow),
        }
    }

    fn start_sending(&mut self) -> Answer {
        let call = self.active()?;
        if !call.sending && !call.microphone && !call.camera {
            call.microphone = true;
            call.camera = true;
        }
        call.sending = true;
        Ok(())
    }

    /// Before the one button is pressed, nothing can be switched on; off is what it is already.
    fn switch(&mut self, on: bool, set: impl FnOnce(&mut Call)) -> Answer {
        let call = self.active()?;
        if call.sending {
            set(call);
            Ok(())
        } else if on {
            Err(Refusal::NotNow)
        } else {
            Ok(())
        }
    }

    fn set_volume(&mut self, percent: u8) -> Answer {
        if percent > 100 {
            return Err(Refusal::BadRequest);
        }
        if self.volume != percent {
            self.volume = percent;
            self.outputs.push_back(Output::Volume(percent));
        }
        Ok(())
    }

    fn at_the_door(
        &mut self,
        id: ParticipantId,
        command: impl FnOnce(ParticipantId) -> Command,
    ) -> Answer {
        let call = self.active()?;
        if !call.capabilities.admits {
            return Err(Refusal::NotNow);
        }
        if !call.faces.waiting.iter().any(|person| person.id == id) {
            return Err(Refusal::Unknown);
        }
        self.tell(command(id))
    }

    fn remove(&mut self, id: ParticipantId) -> Answer {
        let call = self.active()?;
        if !call.capabilities.admits {
            return Err(Refusal::NotNow);
        }
        if !call.faces.participants.iter().any(|person| person.id == id) {
            return Err(Refusal::Unknown);
        }
        self.tell(Command::Remove(id))
    }

    fn hand(&mut self, raised: bool) -> Answer {
        let call = self.active()?;
        if !call.in_call() || !call.capabilities.hands {
            return Err(Refusal::NotNow);
        }
        call.hand = raised;
        self.tell(Command::Hand(raised))
    }

    fn chat(&mut self, text: &Pii<String>) -> Answer {
        let call = self.active()?;
        if !call.in_call() || !call.capabilities.chat {
            return Err(Refusal::NotNow);
        }
        let text = text.expose().trim();
        if text.is_empty() || text.chars().count() > MAX_CHAT {
            return Err(Refusal::BadRequest);
        }
        let text = Pii::from(text);
        self.tell(Command::Chat(text))
    }

    fn password(&mut self, password: Secret) -> Answer {
        let until = self.now.mono + self.config.join_limit;
        let call = self.active()?;
        if call.password_wanted.is_none() {
            return Err(Refusal::NotNow);
        }
        if !is_password(&password) {
            return Err(Refusal::BadRequest);
        }
        call.password_wanted = None;
        call.plan.link.password = Some(password.clone());
        if matches!(call.stage, Stage::Joining) {
            call.deadline = Some(until);
        }
        self.persist();
        self.tell(Command::Password(password))
    }

    fn stay(&mut self) -> Answer {
        let countdown = self.config.countdown();
        let now = self.now;
        let call = self.active()?;
        let shown = call.alone.is_some_and(|alone| alone.shown <= now.mono);
        if !shown {
            return Err(Refusal::NotNow);
        }
        call.alone = Some(Alone::new(STAY, countdown, now));
        Ok(())
    }

    fn attendance(&mut self, booking: BookingId, accept: bool) -> Answer {
        self.schedule.find(&booking).ok_or(Refusal::Unknown)?;
        self.outputs.push_back(Output::Answer(booking, accept));
        Ok(())
    }

    fn acknowledge(&mut self, code: FaultCode) -> Answer {
        if let State::Fault { code: shown, .. } = &self.state
            && *shown == code
        {
            self.state = State::Rest;
            return Ok(());
        }
        if self.faults.remove(&code) {
            Ok(())
        } else {
            Err(Refusal::Unknown)
        }
    }

    /// The call, unless the room is leaving it.
    fn active(&mut self) -> Result<&mut Call, Refusal> {
        match &mut self.state {
            State::Call(call) if !call.is_leaving() => Ok(call),
            State::Call(_) | State::Rest | State::Fault { .. } => Err(Refusal::NotNow),
        }
    }

    fn tell(&mut self, command: Command) -> Answer {
        let session = self.active()?.session;
        self.outputs.push_back(Output::Session(session, command));
        Ok(())
    }
}

fn is_password(password: &Secret) -> bool {
    (1..=MAX_PASSWORD).contains(&password.expose().chars().count())
}
