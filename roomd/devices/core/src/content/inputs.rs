// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's content inputs: which there are, which is open, and what is shared of it.
//!
//! A device is open only while somebody looks at its preview or it is shared. Sharing begins with a
//! person's word and never with a signal. A signal that is lost leaves its last picture for
//! [`HOLD`]; then sharing pauses, and goes on by itself if the signal is back within [`RETURN`] of the
//! loss. Later it takes another word. A frozen picture needs no signal.
//!
//! What a person looked at and shared is that device and that part of its picture: no other device
//! takes its place, whatever it is called, and a part that was cut away stays away. A picture of
//! another size has other parts, so sharing a part of it ends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use roomd_model::Crop;

use super::known::{Due, Known};
use super::port::{Ask, Goal, Refused, Run, Share, Shown};
use super::signal::{Picture, Signal};
use super::timings::{Answer, Report};
use crate::camera::pick::there;
use crate::device::Kind;
use crate::identity::DeviceId;
use crate::inventory::{Entry, Role};

#[cfg(test)]
#[path = "inputs_tests.rs"]
mod tests;

/// For so long after the loss of a signal its last picture is sent.
pub const HOLD: Duration = Duration::from_secs(5);
/// A signal that is back within this time after its loss is shared again by itself.
pub const RETURN: Duration = Duration::from_secs(10);
/// Whoever looks at a preview asks again and again; after this time nobody looks any more.
pub const LEASE: Duration = Duration::from_secs(3);
/// What is shared has a picture by then, or is not shared.
const START: Duration = Duration::from_secs(10);
/// How long people are told that sharing ended by itself.
const NOTICE: Duration = Duration::from_secs(60);

/// What a person shares.
#[derive(Clone, Debug)]
enum Sharing {
    Off,
    On {
        name: String,
        id: DeviceId,
        /// Which part of it, also while it is not plugged in.
        crop: Crop,
        since: Instant,
        /// The others have seen it.
        seen: bool,
        /// Since when its signal is lost.
        lost: Option<Instant>,
    },
    Ended {
        name: String,
        until: Instant,
    },
}

/// All content inputs of the room.
#[derive(Debug)]
pub struct ContentInputs {
    named: Vec<String>,
    known: BTreeMap<DeviceId, Known>,
    /// What somebody looks at, and until when.
    looked: Option<(DeviceId, Instant)>,
    sharing: Sharing,
    frozen: bool,
    /// The call that carries content.
    call: Option<u32>,
}

impl ContentInputs {
    /// Inputs with the names of the configuration, in its order.
    #[must_use]
    pub const fn new(named: Vec<String>) -> Self {
        Self {
            named,
            known: BTreeMap::new(),
            looked: None,
            sharing: Sharing::Off,
            frozen: false,
            call: None,
        }
    }

    /// Takes what is plugged in.
    pub fn refresh<'a>(&mut self, entries: impl Iterator<Item = &'a Entry>, now: Instant) {
        let mut known = std::mem::take(&mut self.known);
        for entry in entries {
            let role = match &entry.role {
                Some(Role::Content(name)) => Some(name.clone()),
                None => None,
                // What the configuration uses for something else is no input.
                Some(_) => continue,
            };
            if !entry.usable || entry.device.kind != Kind::Camera {
                continue;
            }
            let there = there(entry);
            let id = there.id.clone();
            let before = known.remove(&id);
            let same = before.filter(|it| it.there.arrivals == there.arrivals);
            let mut next = same.unwrap_or_else(|| Known::new(there.clone(), role));
            next.there = there;
            self.known.insert(id, next);
        }
        self.settle(now);
    }

    /// The next device to be asked, if one is due.
    pub fn poll_ask(&mut self, now: Instant) -> Option<Ask> {
        let active = self.active().cloned();
        let is_due =
            |(id, known): &(&DeviceId, &mut Known)| match known.due(active.as_ref() == Some(*id)) {
                Some(Due::Now) => true,
                Some(Due::At(at)) => at <= now,
                None => false,
            };
        let (id, known) = self.known.iter_mut().find(is_due)?;
        known.asking = true;
        known.asked = Some(now);
        let is_open = active.as_ref() == Some(id) && known.opens();
        let edid = !is_open && !known.edid;
        known.edid |= edid;
        Some(Ask {
            id: id.clone(),
            node: known.there.node.clone(),
            arrivals: known.there.arrivals,
            may_set: !is_open,
            edid,
            again: known.failed || known.without_edid,
        })
    }

    /// Whether a device that was to get an EDID has one now; it is tried again with the next ask.
    pub fn gave_edid(&mut self, id: &DeviceId, arrivals: u64, done: bool) {
        let known = self.known.get_mut(id);
        if let Some(known) = known.filter(|known| known.there.arrivals == arrivals) {
            known.edid &= done;
            known.without_edid = !done;
        }
    }

    /// A device has said how it is; none when it could not be asked.
    pub fn answered(&mut self, id: &DeviceId, arrivals: u64, report: Option<Report>, now: Instant) {
        let known = self.known.get_mut(id);
        let Some(known) = known.filter(|known| known.there.arrivals == arrivals) else {
            // It was unplugged meanwhile, and will be asked again.
            return;
        };
        known.asking = false;
        known.failed = report.is_none();
        known.edid &= report.is_some();
        if let Some(report) = report {
            known.receiver = report.receiver;
            known.watch.answered(report.answer);
            if let Answer::Signal(timings, _) = report.answer {
                self.sized(id, (timings.width(), timings.height()), now);
            }
        }
        self.settle(now);
    }

    /// A picture has this size. The part of another one is none of it.
    fn sized(&mut self, id: &DeviceId, size: (u32, u32), now: Instant) {
        let Some(known) = self.known.get_mut(id) else {
            return;
        };
        let before = known.size.replace(size);
        if before.is_none_or(|before| before == size) {
            return;
        }
        known.crop = Crop::FULL;
        match &self.sharing {
            Sharing::On {
                id: shared,
                crop,
                name,
                ..
            } if shared == id && *crop != Crop::FULL => {
                let (name, until) = (name.clone(), now + NOTICE);
                self.sharing = Sharing::Ended { name, until };
            }
            Sharing::On { .. } | Sharing::Off | Sharing::Ended { .. } => {}
        }
    }

    /// What the open device sends.
    pub fn sent(&mut self, picture: Picture, now: Instant) {
        let active = self.active().cloned();
        if let Some(known) = active.as_ref().and_then(|id| self.known.get_mut(id)) {
            known.watch.sent(picture, now);
        }
        if let (Some(id), Picture::Some { width, height, .. }) = (active, picture) {
            self.sized(&id, (width, height), now);
        }
        self.settle(now);
    }

    /// The call that carries content, by any number; none without one.
    pub fn room(&mut self, call: Option<u32>, now: Instant) {
        if self.call.is_some() && self.call != call {
            // Who comes next begins anew.
            self.sharing = Sharing::Off;
            for known in self.known.values_mut() {
                known.crop = Crop::FULL;
            }
        }
        self.call = call;
        self.settle(now);
    }

    /// Somebody looks at an input's preview, and asks again while they do.
    ///
    /// # Errors
    ///
    /// There is no such input, or another one is shared.
    pub fn look(&mut self, name: &str, now: Instant) -> Result<(), Refused> {
        let id = match &self.sharing {
            // What stands may be looked at without its device.
            Sharing::On {
                name: shared, id, ..
            } if shared == name => id.clone(),
            Sharing::On { .. } => return Err(self.other(name)),
            Sharing::Off | Sharing::Ended { .. } => {
                self.find(name).ok_or(Refused::Unknown)?.0.clone()
            }
        };
        self.looked = Some((id, now + LEASE));
        self.settle(now);
        Ok(())
    }

    /// Why an input is refused while another one is shared.
    fn other(&self, name: &str) -> Refused {
        match self.find(name) {
            Some(_) => Refused::NotNow,
            None => Refused::Unknown,
        }
    }

    /// Shares an input from now on.
    ///
    /// # Errors
    ///
    /// There is no such input, no call that carries it, or nothing to share.
    pub fn share(&mut self, name: &str, now: Instant) -> Result<(), Refused> {
        let (id, known) = self.find(name).ok_or(Refused::Unknown)?;
        if self.call.is_none() {
            return Err(Refused::NotNow);
        }
        let signal = known.watch.signal(now);
        if signal == Signal::Protected {
            return Err(Refused::Protected);
        }
        if !signal.is_usable() {
            return Err(Refused::NoPicture);
        }
        if let Sharing::On {
            name: shared,
            lost: None,
            ..
        } = &self.sharing
            && shared == name
        {
            return Ok(());
        }
        if self.looked.as_ref().is_some_and(|(looked, _)| looked != id) {
            // Another device has this name than the one that was looked at.
            return Err(Refused::NoPicture);
        }
        let (id, crop) = (id.clone(), known.crop);
        self.frozen = false;
        self.sharing = Sharing::On {
            name: name.to_owned(),
            id,
            crop,
            since: now,
            seen: false,
            lost: None,
        };
        self.settle(now);
        Ok(())
    }

    /// Ends sharing; also takes away the word that it ended by itself.
    pub fn stop(&mut self, now: Instant) {
        self.sharing = Sharing::Off;
        self.settle(now);
    }

    /// Lets the picture of the moment stand, or move again.
    ///
    /// # Errors
    ///
    /// Nothing is shared.
    pub fn freeze(&mut self, frozen: bool, now: Instant) -> Result<(), Refused> {
        if frozen && !matches!(self.state(now), Share::On | Share::Held) {
            return Err(Refused::NotNow);
        }
        self.frozen = frozen;
        self.settle(now);
        Ok(())
    }

    /// Shares a part of an input's picture.
    ///
    /// # Errors
    ///
    /// There is no such input, or no such part.
    pub fn crop(&mut self, name: &str, crop: Crop) -> Result<(), Refused> {
        if !crop.is_possible() {
            return Err(Refused::NoPart);
        }
        let id = match &mut self.sharing {
            Sharing::On {
                name: shared,
                id,
                crop: cut,
                ..
            } if shared == name => {
                *cut = crop;
                id.clone()
            }
            Sharing::On { .. } | Sharing::Off | Sharing::Ended { .. } => {
                self.find(name).ok_or(Refused::Unknown)?.0.clone()
            }
        };
        if let Some(known) = self.known.get_mut(&id) {
            known.crop = crop;
        }
        Ok(())
    }

    /// When [`Self::handle_timeout`] or [`Self::poll_ask`] has something to do, and why.
    #[must_use]
    pub fn poll_timeout(&self, now: Instant) -> Option<(Instant, &'static str)> {
        let active = self.active();
        let asks = self.known.iter().filter_map(|(id, known)| {
            let at = match known.due(active == Some(id))? {
                Due::Now => now,
                Due::At(at) => at,
            };
            Some((at, "a receiver is asked"))
        });
        let looked = self
            .looked
            .as_ref()
            .map(|(_, until)| (*until, "nobody looks"));
        let watch = active.and_then(|id| self.known.get(id)?.watch.poll_timeout(now));
        let share = match &self.sharing {
            Sharing::Off => None,
            Sharing::On {
                lost: Some(lost), ..
            } => {
                let steps = [*lost + HOLD, *lost + RETURN];
                steps.into_iter().find(|at| *at > now).or(Some(now))
            }
            Sharing::On {
                seen: false, since, ..
            } => Some(*since + START),
            Sharing::On { .. } => None,
            Sharing::Ended { until, .. } => Some(*until),
        };
        let watch = watch.map(|at| (at, "a picture is judged"));
        let share = share.map(|at| (at, "sharing"));
        asks.chain(looked).chain(watch).chain(share).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.settle(now);
    }

    /// What the engine should have open.
    #[must_use]
    pub fn goal(&self, now: Instant) -> Goal {
        let shares = matches!(self.sharing, Sharing::On { .. });
        let known = self.active().and_then(|id| self.known.get(id));
        let opens = known.is_some_and(Known::opens);
        Goal {
            node: known.map(|known| known.there.node.clone()),
            receiver: known.is_some_and(|known| known.receiver),
            run: match (opens, shares) {
                (true, _) => Run::Open,
                (false, true) => Run::Held,
                (false, false) => Run::Closed,
            },
            frozen: self.frozen,
            crop: self.cut(known),
            shared: matches!(self.state(now), Share::On | Share::Held),
        }
    }

    /// The inputs as people see them: those of the configuration first, then what was recognised.
    #[must_use]
    pub fn shown(&self, now: Instant) -> Vec<Shown> {
        let mut all: Vec<Shown> = Vec::new();
        for name in &self.named {
            let found = self.with_role(name).map(|(_, known)| known);
            all.push(self.show(name.clone(), true, found, now));
        }
        for known in self.recognised() {
            let name = self.name_of(known);
            all.push(self.show(name, false, Some(known), now));
        }
        // What was recognised and is gone stays until somebody ends sharing it.
        if let Some((name, _)) = self.shared(now)
            && !all.iter().any(|shown| shown.name == name)
        {
            all.push(self.show(name.to_owned(), false, None, now));
        }
        all
    }

    /// Which part of an input counts: of what is shared the one that is shared.
    const fn cut(&self, known: Option<&Known>) -> Crop {
        match (&self.sharing, known) {
            (Sharing::On { crop, .. }, _) => *crop,
            (Sharing::Off | Sharing::Ended { .. }, Some(known)) => known.crop,
            (Sharing::Off | Sharing::Ended { .. }, None) => Crop::FULL,
        }
    }

    /// The name of the input that is shared, and how its sharing is.
    #[must_use]
    pub fn shared(&self, now: Instant) -> Option<(&str, Share)> {
        match &self.sharing {
            Sharing::Off => None,
            Sharing::On { name, .. } | Sharing::Ended { name, .. } => Some((name, self.state(now))),
        }
    }

    fn show(&self, name: String, configured: bool, known: Option<&Known>, now: Instant) -> Shown {
        let shared = self.shared(now).filter(|(shared, _)| *shared == name);
        let share = shared.map_or(Share::Off, |(_, share)| share);
        Shown {
            configured,
            there: known.map(|known| known.there.clone()),
            without_edid: known.is_some_and(|known| known.without_edid),
            signal: known.map_or(Signal::Missing, |known| known.watch.signal(now)),
            answer: known.map_or(Answer::Silent, |known| known.watch.answer()),
            share,
            frozen: self.frozen && share != Share::Off,
            crop: match share {
                Share::Off | Share::Ended => known.map_or(Crop::FULL, |known| known.crop),
                Share::Starting | Share::On | Share::Held | Share::Paused => self.cut(known),
            },
            name,
        }
    }

    fn state(&self, now: Instant) -> Share {
        match &self.sharing {
            Sharing::Off => Share::Off,
            Sharing::Ended { .. } => Share::Ended,
            Sharing::On { seen: false, .. } => Share::Starting,
            Sharing::On { lost: None, .. } => Share::On,
            Sharing::On {
                lost: Some(lost), ..
            } if now < *lost + HOLD => Share::Held,
            Sharing::On { .. } => Share::Paused,
        }
    }

    fn with_role(&self, name: &str) -> Option<(&DeviceId, &Known)> {
        let mut known = self.known.iter();
        known.find(|(_, known)| known.role.as_deref() == Some(name))
    }

    /// Receivers that the configuration does not name.
    fn recognised(&self) -> impl Iterator<Item = &Known> {
        let known = self.known.values();
        known.filter(|known| known.role.is_none() && known.receiver)
    }

    /// What a receiver is called that has no name: what it calls itself, with a number where it is not
    /// the only one.
    fn name_of(&self, of: &Known) -> String {
        let label = &of.there.label;
        let alike = self
            .recognised()
            .filter(|known| known.there.label == *label);
        let before = alike.take_while(|known| known.there.id != of.there.id);
        let taken = usize::from(self.named.contains(label));
        match before.count() + taken {
            0 => label.clone(),
            before => format!("{label} {}", before + 1),
        }
    }

    /// An input that is there.
    fn find(&self, name: &str) -> Option<(&DeviceId, &Known)> {
        self.with_role(name).or_else(|| {
            let known = self
                .recognised()
                .find(|known| self.name_of(known) == name)?;
            Some((&known.there.id, known))
        })
    }

    /// The device in use.
    fn active(&self) -> Option<&DeviceId> {
        let shared = match &self.sharing {
            Sharing::On { id, .. } => Some(id),
            Sharing::Off | Sharing::Ended { .. } => None,
        };
        let id = shared.or_else(|| self.looked.as_ref().map(|(id, _)| id))?;
        self.known.get_key_value(id).map(|(id, _)| id)
    }

    /// Draws the conclusions.
    fn settle(&mut self, now: Instant) {
        if self.looked.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.looked = None;
        }
        let active = self.active().cloned();
        for (id, known) in &mut self.known {
            let open = active.as_ref() == Some(id) && known.opens();
            known.watch.opened(open, now);
        }
        let known = active.and_then(|id| self.known.get(&id));
        let there = known
            .is_some_and(|known| known.watch.has_picture() && known.watch.signal(now).is_usable());
        // What can only fail is not waited for.
        let hopeless = !known.is_some_and(|known| known.watch.signal(now).is_usable());
        let frozen = self.frozen;
        let mut ended = None;
        match &mut self.sharing {
            Sharing::On {
                name,
                since,
                seen,
                lost,
                ..
            } => {
                if there {
                    *seen = true;
                    *lost = None;
                } else if !*seen {
                    if hopeless || now >= *since + START {
                        ended = Some(name.clone());
                    }
                } else if frozen {
                    *lost = None;
                } else {
                    let lost = *lost.get_or_insert(now);
                    if now >= lost + RETURN {
                        ended = Some(name.clone());
                    }
                }
            }
            Sharing::Ended { until, .. } if *until <= now => self.sharing = Sharing::Off,
            Sharing::Off | Sharing::Ended { .. } => {}
        }
        if let Some(name) = ended {
            let until = now + NOTICE;
            self.sharing = Sharing::Ended { name, until };
        }
        if !matches!(self.sharing, Sharing::On { .. }) {
            self.frozen = false;
        }
    }
}
