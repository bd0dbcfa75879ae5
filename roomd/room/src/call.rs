// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use roomd_conference::Capabilities;
use roomd_model::{BookingId, E2ee, FaultCode, MeetingLink, Now, Phase, Pii};

use crate::faces::Faces;
use crate::{CallView, SessionId};

/// A meeting to join.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) link: MeetingLink,
    pub(crate) title: Option<Pii<String>>,
    pub(crate) booking: Option<BookingId>,
    /// When the join button was touched.
    pub(crate) since: DateTime<Utc>,
    /// Until when a restart comes back into it.
    pub(crate) until: DateTime<Utc>,
}

/// The call, from the touch of the join button to the end of leaving.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) session: SessionId,
    pub(crate) plan: Plan,
    pub(crate) capabilities: Capabilities,
    pub(crate) stage: Stage,
    /// When the stage ends by itself.
    pub(crate) deadline: Option<Instant>,
    /// A person pressed the button that sends, or the configuration joins sending.
    pub(crate) sending: bool,
    /// The microphone is wanted on the wire.
    pub(crate) microphone: bool,
    /// The camera is wanted on the wire.
    pub(crate) camera: bool,
    /// What somebody in the room shows is wanted on the wire.
    pub(crate) content: bool,
    pub(crate) hand: bool,
    pub(crate) e2ee: E2ee,
    pub(crate) faces: Faces,
    pub(crate) password_wanted: Option<bool>,
    pub(crate) alone: Option<Alone>,
}

/// What the call is doing.
#[derive(Debug)]
pub(crate) enum Stage {
    Joining,
    Lobby,
    InCall,
    Reconnecting(u32),
    Leaving(Then),
}

/// What follows when leaving is over.
#[derive(Debug)]
pub(crate) enum Then {
    Rest,
    Fault(FaultCode),
    Join(Box<Plan>),
}

/// Nobody else is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alone {
    /// From here on people see the countdown.
    pub(crate) shown: Instant,
    /// Here the room leaves.
    pub(crate) ends: Instant,
    pub(crate) ends_at: DateTime<Utc>,
}

impl Alone {
    pub(crate) fn new(grace: Duration, countdown: Duration, now: Now) -> Self {
        let delta = TimeDelta::from_std(grace + countdown).unwrap_or_default();
        Self {
            shown: now.mono + grace,
            ends: now.mono + grace + countdown,
            ends_at: now.utc + delta,
        }
    }
}

impl Call {
    pub(crate) const fn is_leaving(&self) -> bool {
        matches!(self.stage, Stage::Leaving(_))
    }

    pub(crate) const fn in_call(&self) -> bool {
        matches!(self.stage, Stage::InCall)
    }

    /// What is on the wire: microphone and camera.
    pub(crate) const fn on_wire(&self) -> (bool, bool) {
        let sends = self.sending && self.in_call();
        (sends && self.microphone, sends && self.camera)
    }

    /// Whether what somebody in the room shows is on the wire. Whoever shares has pressed a button
    /// that sends.
    pub(crate) const fn content_on_wire(&self) -> bool {
        self.content && self.in_call()
    }

    pub(crate) const fn phase(&self) -> Phase {
        match self.stage {
            Stage::Joining => Phase::Joining,
            Stage::Lobby => Phase::Lobby,
            Stage::InCall => Phase::InCall,
            Stage::Reconnecting(attempt) => Phase::Reconnecting { attempt },
            Stage::Leaving(_) => Phase::Leaving,
        }
    }

    pub(crate) fn view(&self, now: Instant) -> CallView {
        let (microphone, camera) = self.on_wire();
        let url = self.plan.link.url.expose().to_string();
        let countdown = self.alone.filter(|alone| alone.shown <= now);
        CallView {
            title: self.plan.title.clone(),
            booking: self.plan.booking.clone(),
            provider: self.plan.link.provider.clone(),
            capabilities: self.capabilities,
            guest_url: self.capabilities.hosts.then(|| Pii::new(url)),
            since: self.plan.since,
            sending: self.sending,
            microphone,
            camera,
            content: self.content_on_wire(),
            layout: self.faces.layout,
            hand: self.hand,
            e2ee: self.e2ee,
            participants: self.faces.participants.clone(),
            waiting: self.faces.waiting.clone(),
            speaker: self.faces.speaker.clone(),
            sharer: self.faces.sharer.clone(),
            chat: self.faces.chat.clone(),
            password_wanted: self.password_wanted,
            countdown_ends: countdown.map(|alone| alone.ends_at),
            streams: self.faces.streams.clone(),
        }
    }
}
