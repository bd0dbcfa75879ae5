// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use roomd_conference::{Command, Provider};
use roomd_model::{
    Booking, BookingId, BookingLink, E2ee, FaultCode, Language, LinkRefusal, MeetingLink, Now,
    Phase, Pii,
};

use crate::call::{Call, Plan, Stage, Then};
use crate::faces::Faces;
use crate::schedule::Schedule;
use crate::{AllowList, Input, Output, Platforms, Refusal, Resume, RoomConfig, SessionId, View};

/// How long leaving may take.
pub const LEAVE_LIMIT: Duration = Duration::from_secs(5);
/// A fault that nobody reads gives way to the agenda.
const FAULT_LIMIT: Duration = Duration::from_secs(5 * 60);
/// The wall clock may jump, so an idle room looks at it this often.
const CLOCK_STEP: Duration = Duration::from_secs(60);

/// The room.
#[derive(Debug)]
pub struct Room {
    pub(crate) config: RoomConfig,
    pub(crate) platforms: Platforms,
    pub(crate) schedule: Schedule,
    pub(crate) state: State,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) faults: BTreeSet<FaultCode>,
    pub(crate) volume: u8,
    pub(crate) language: Language,
    pub(crate) now: Now,
    raw_bookings: Vec<Booking>,
    own_hosts: AllowList,
    offered: Option<BookingId>,
    next_session: u32,
    on_wire: (bool, bool),
    content_on_wire: bool,
    preview: bool,
    wanted_height: Option<(SessionId, u32)>,
    persisted: bool,
    ending: Ending,
}

#[derive(Debug)]
pub(crate) enum State {
    Rest,
    Call(Box<Call>),
    Fault { code: FaultCode, until: Instant },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    No,
    ShuttingDown,
    Finished,
}

impl Room {
    /// A room at rest, or on its way back into the meeting of `resume`.
    #[must_use]
    pub fn new(config: RoomConfig, platforms: Platforms, resume: Option<Resume>, now: Now) -> Self {
        let mut room = Self {
            volume: config.volume.min(100),
            language: config.language,
            own_hosts: own_hosts(&platforms),
            config,
            platforms,
            schedule: Schedule::default(),
            state: State::Rest,
            outputs: VecDeque::new(),
            faults: BTreeSet::new(),
            now,
            raw_bookings: Vec::new(),
            offered: None,
            next_session: 0,
            on_wire: (false, false),
            content_on_wire: false,
            preview: false,
            wanted_height: None,
            persisted: resume.is_some(),
            ending: Ending::No,
        };
        room.outputs.push_back(Output::Volume(room.volume));
        match resume {
            Some(resume) if resume.is_due(now.utc) => room.resume(resume),
            Some(_) => room.forget(),
            None => {}
        }
        room.settle();
        room
    }

    /// Takes one input. Drain [`Room::poll_output`] afterwards.
    ///
    /// # Errors
    ///
    /// When a request is refused; nothing changed then. Other inputs always succeed.
    pub fn handle(&mut self, input: Input, now: Now) -> Result<(), Refusal> {
        if self.ending == Ending::Finished {
            let asked = matches!(input, Input::Request(_));
            return if asked { Err(Refusal::Busy) } else { Ok(()) };
        }
        self.now = now;
        let result = self.take(input);
        self.expire();
        self.settle();
        result
    }

    /// The next effect, or none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Room::handle`] with [`Input::Timeout`], and what for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if self.ending == Ending::Finished {
            return None;
        }
        let now = self.now.mono;
        match &self.state {
            State::Rest => {
                let before = self.config.offer_before;
                let next = self.schedule.next_change(self.now.utc, before)?;
                let wait = (next - self.now.utc).to_std().unwrap_or_default();
                Some((now + wait.min(CLOCK_STEP), "schedule"))
            }
            State::Call(call) => {
                let stage = call.deadline.map(|at| (at, "stage"));
                let alone = call.alone.map(|alone| {
                    let shown = (alone.shown > now).then_some((alone.shown, "alone"));
                    shown.unwrap_or((alone.ends, "countdown"))
                });
                stage.into_iter().chain(alone).min()
            }
            State::Fault { until, .. } => Some((*until, "fault")),
        }
    }

    /// Everything that people see of the room.
    #[must_use]
    pub fn view(&self) -> View {
        let call = match &self.state {
            State::Call(call) => Some(call.view(self.now.mono)),
            State::Rest | State::Fault { .. } => None,
        };
        let mut platforms = self.platforms.iter();
        View {
            phase: self.phase(),
            language: self.language,
            joins_sending: self.config.joins_sending,
            hosts_meetings: platforms.any(|platform| platform.capabilities().hosts),
            volume: self.volume,
            bookings: self.schedule.all().to_vec(),
            call,
            faults: self.faults.iter().copied().collect(),
        }
    }

    /// What the room is doing.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Rest => match &self.offered {
                Some(booking) => Phase::Offered {
                    booking: booking.clone(),
                },
                None => Phase::Idle,
            },
            State::Call(call) => call.phase(),
            State::Fault { code, .. } => Phase::Fault { code: *code },
        }
    }

    /// Whether the room may join this link.
    ///
    /// # Errors
    ///
    /// The reason why not.
    pub fn may_join(&self, link: &MeetingLink) -> Result<(), Refusal> {
        let url = link.url.expose();
        if !self.is_allowed(url) {
            return Err(Refusal::DestinationNotAllowed);
        }
        self.platform(link)
            .map(|_| ())
            .ok_or(Refusal::PlatformUnknown)
    }

    fn take(&mut self, input: Input) -> Result<(), Refusal> {
        match input {
            Input::Request(_) if self.ending != Ending::No => return Err(Refusal::Busy),
            Input::Request(request) => return self.request(request),
            Input::Session(session, event) => self.session_event(session, event),
            Input::Stream { stream, live } => {
                if let State::Call(call) = &mut self.state {
                    call.faces.set_live(stream, live);
                }
            }
            Input::Trouble {
                stream,
                trouble,
                active,
            } => {
                if let State::Call(call) = &mut self.state {
                    call.faces.set_trouble(stream, trouble, active);
                }
            }
            Input::Content(on) => {
                if let State::Call(call) = &mut self.state {
                    call.content = on && call.capabilities.content && !call.is_leaving();
                }
            }
            Input::Bookings(bookings) => {
                self.raw_bookings = bookings;
                self.judge_bookings();
            }
            Input::Config(config) => {
                self.config = config;
                self.judge_bookings();
            }
            Input::Platforms(platforms) => {
                self.own_hosts = own_hosts(&platforms);
                self.platforms = platforms;
                self.judge_bookings();
            }
            Input::Shutdown => self.shut_down(),
            Input::Timeout => {}
        }
        Ok(())
    }

    /// Joins, after leaving the meeting that the room is in.
    pub(crate) fn join(&mut self, plan: Plan) {
        match &self.state {
            State::Call(_) => self.begin_leaving(Then::Join(Box::new(plan))),
            State::Rest | State::Fault { .. } => self.start(plan, self.config.joins_sending),
        }
    }

    fn start(&mut self, plan: Plan, sending: bool) {
        // Judged again at the last moment: configuration may have changed while leaving.
        let capabilities = match self.may_join(&plan.link) {
            Ok(()) => self.platform(&plan.link).map(Provider::capabilities),
            Err(Refusal::DestinationNotAllowed) => {
                return self.enter_fault(FaultCode::DestinationNotAllowed);
            }
            Err(_) => None,
        };
        let Some(capabilities) = capabilities else {
            return self.enter_fault(FaultCode::PlatformUnknown);
        };
        // The room would host without the password that the invitation asks for.
        if capabilities.hosts && plan.link.protected && plan.link.password.is_none() {
            return self.enter_fault(FaultCode::PasswordRequired);
        }
        let session = SessionId(self.next_session);
        self.next_session = self.next_session.wrapping_add(1);
        self.faults.clear();
        self.outputs.push_back(Output::StartSession {
            session,
            link: plan.link.clone(),
            title: plan.title.clone(),
        });
        self.state = State::Call(Box::new(Call {
            session,
            plan,
            capabilities,
            stage: Stage::Joining,
            deadline: Some(self.now.mono + self.config.join_limit),
            sending,
            microphone: true,
            camera: true,
            content: false,
            hand: false,
            e2ee: E2ee::default(),
            faces: Faces::default(),
            password_wanted: None,
            alone: None,
        }));
        self.persist();
    }

    fn resume(&mut self, resume: Resume) {
        let mut link = resume.link;
        link.password = resume.password;
        let plan = Plan {
            link,
            title: resume.title,
            booking: resume.booking,
            since: resume.since,
            until: resume.until,
        };
        // Whoever is in the room now may not be who was there before.
        self.start(plan, false);
    }

    /// Says goodbye; [`LEAVE_LIMIT`] later at most, `then` follows.
    pub(crate) fn begin_leaving(&mut self, then: Then) {
        let Now { mono: now, utc } = self.now;
        let stopping = self.ending != Ending::No;
        let State::Call(call) = &mut self.state else {
            return;
        };
        let session = call.session;
        if let Stage::Leaving(planned) = &mut call.stage {
            *planned = then;
        } else {
            let returning = stopping && utc < call.plan.until;
            call.enter(Stage::Leaving(then), Some(now + LEAVE_LIMIT));
            // The others should see the room stop sending before they see it go.
            self.settle_sending();
            let leave = Command::Leave { returning };
            self.outputs.push_back(Output::Session(session, leave));
        }
        if !stopping {
            self.forget();
        }
    }

    pub(crate) fn end_call(&mut self, then: Then) {
        if let State::Call(call) = &self.state {
            self.outputs.push_back(Output::DropSession(call.session));
        }
        self.state = State::Rest;
        self.faults.clear();
        if self.ending != Ending::No {
            return;
        }
        self.forget();
        match then {
            Then::Rest => {}
            Then::Fault(code) => self.enter_fault(code),
            Then::Join(plan) => self.start(*plan, self.config.joins_sending),
        }
    }

    fn enter_fault(&mut self, code: FaultCode) {
        let until = self.now.mono + FAULT_LIMIT;
        self.state = State::Fault { code, until };
        self.forget();
    }

    fn shut_down(&mut self) {
        self.ending = Ending::ShuttingDown;
        self.begin_leaving(Then::Rest);
    }

    fn expire(&mut self) {
        let now = self.now.mono;
        match &self.state {
            State::Rest => {}
            State::Fault { until, .. } => {
                if *until <= now {
                    self.state = State::Rest;
                }
            }
            State::Call(call) => {
                if call.deadline.is_some_and(|at| at <= now) {
                    self.stage_expired();
                } else if call.alone.is_some_and(|alone| alone.ends <= now) {
                    self.begin_leaving(Then::Rest);
                }
            }
        }
    }

    fn stage_expired(&mut self) {
        let State::Call(call) = &mut self.state else {
            return;
        };
        match &mut call.stage {
            Stage::Joining => {
                let code = match call.password_wanted {
                    Some(_) => FaultCode::PasswordRequired,
                    None => FaultCode::MeetingUnreachable,
                };
                self.begin_leaving(Then::Fault(code));
            }
            Stage::Lobby => self.begin_leaving(Then::Fault(FaultCode::MeetingRefused)),
            Stage::Reconnecting(_) => self.begin_leaving(Then::Fault(FaultCode::ConnectionLost)),
            Stage::Leaving(then) => {
                let then = std::mem::replace(then, Then::Rest);
                self.end_call(then);
            }
            Stage::InCall => call.deadline = None,
        }
    }

    fn settle(&mut self) {
        self.settle_sending();
        self.settle_wanted_height();
        let before = self.config.offer_before;
        let offered = match self.state {
            State::Rest => self.schedule.offered(self.now.utc, before),
            State::Call(_) | State::Fault { .. } => None,
        };
        self.offered = offered.map(|booking| booking.id.clone());
        if self.ending == Ending::ShuttingDown && !matches!(self.state, State::Call(_)) {
            self.ending = Ending::Finished;
            self.outputs.push_back(Output::Finished);
        }
    }

    fn settle_sending(&mut self) {
        let call = match &self.state {
            State::Call(call) => Some(call.as_ref()),
            State::Rest | State::Fault { .. } => None,
        };
        let on_wire = call.map_or((false, false), Call::on_wire);
        let preview = call.is_some_and(|call| !call.sending && !call.is_leaving());
        let session = call.map(|call| call.session);
        if preview != self.preview {
            self.preview = preview;
            self.outputs.push_back(Output::Preview(preview));
        }
        self.settle_content(session);
        if on_wire == self.on_wire {
            return;
        }
        self.on_wire = on_wire;
        let (microphone, camera) = on_wire;
        self.outputs
            .push_back(Output::Sending { microphone, camera });
        if let Some(session) = session {
            let command = Command::Sending { microphone, camera };
            self.outputs.push_back(Output::Session(session, command));
        }
    }

    fn settle_content(&mut self, session: Option<SessionId>) {
        let on_wire = match &mut self.state {
            State::Call(call) => {
                let on_wire = call.content_on_wire();
                call.faces.set_own_content(on_wire);
                on_wire
            }
            State::Rest | State::Fault { .. } => false,
        };
        if on_wire == self.content_on_wire {
            return;
        }
        self.content_on_wire = on_wire;
        self.outputs.push_back(Output::Content(on_wire));
        if let Some(session) = session {
            let command = Command::Content(on_wire);
            self.outputs.push_back(Output::Session(session, command));
        }
    }

    /// Nobody should send more lines than a tile of the layout has.
    fn settle_wanted_height(&mut self) {
        let State::Call(call) = &self.state else {
            return;
        };
        let wanted = (call.session, call.faces.wanted_height());
        if call.in_call() && self.wanted_height != Some(wanted) {
            self.wanted_height = Some(wanted);
            let command = Command::WantedHeight(wanted.1);
            self.outputs.push_back(Output::Session(wanted.0, command));
        }
    }

    pub(crate) fn persist(&mut self) {
        let State::Call(call) = &self.state else {
            return;
        };
        let plan = &call.plan;
        self.persisted = true;
        self.outputs.push_back(Output::Persist(Some(Resume {
            link: plan.link.clone(),
            password: plan.link.password.clone(),
            title: plan.title.clone(),
            since: plan.since,
            booking: plan.booking.clone(),
            until: plan.until,
        })));
    }

    fn forget(&mut self) {
        if std::mem::take(&mut self.persisted) {
            self.outputs.push_back(Output::Persist(None));
        }
    }

    fn judge_bookings(&mut self) {
        let mut bookings = self.raw_bookings.clone();
        for booking in &mut bookings {
            let BookingLink::Meeting(link) = &booking.link else {
                continue;
            };
            let reason = match self.may_join(link) {
                Ok(()) => continue,
                Err(Refusal::PlatformUnknown) => LinkRefusal::UnknownPlatform,
                Err(_) if link.url.expose().scheme() != "https" => LinkRefusal::NotHttps,
                Err(_) => LinkRefusal::NotAllowed,
            };
            let host = link.url.expose().host_str().unwrap_or_default();
            let host = Pii::from(host);
            booking.link = BookingLink::Refused { host, reason };
        }
        self.schedule = Schedule::new(bookings);
    }

    pub(crate) fn is_allowed(&self, url: &url::Url) -> bool {
        let extra = self.config.allow.as_ref();
        self.own_hosts.allows(url) || extra.is_some_and(|list| list.allows(url))
    }

    fn platform(&self, link: &MeetingLink) -> Option<&dyn Provider> {
        let mut platforms = self.platforms.iter().map(AsRef::as_ref);
        platforms.find(|platform| platform.id() == link.provider)
    }
}

/// The hosts of the configured platforms; what is no host cannot be contacted either.
fn own_hosts(platforms: &Platforms) -> AllowList {
    let hosts = platforms.iter().flat_map(|platform| platform.hosts());
    let hosts = hosts.filter(|host| AllowList::parse([host]).is_ok());
    AllowList::parse(hosts.collect::<Vec<_>>()).unwrap_or_default()
}
