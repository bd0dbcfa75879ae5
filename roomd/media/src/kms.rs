// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Displays on graphics cards. The room opens a card once for all of them, as the kernel lets one alone set
//! modes, and gives each display its connector, CRTC and plane: `kmssink` looks for cards by a list of
//! drivers that leaves some out, takes the first plane that fits whoever else has it, and leaves a display
//! dark that was plugged in later.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use drm::buffer::DrmFourcc;
use drm::control::dumbbuffer::DumbBuffer;
use drm::control::{
    Device as _, Mode, ModeFlags, ModeTypeFlags, PlaneType, ResourceHandles, connector, crtc,
    framebuffer, plane,
};
use drm::{ClientCapability, Device as _};
use roomd_media_core::outputs::{self, Plane, PlaneKind, Purposes};
use roomd_media_core::plan::VideoOut;
use roomd_media_core::scene::{HEIGHT, WIDTH};

use crate::display::Screen;

/// Where the kernel lists connectors (Documentation/ABI/testing/sysfs-class-drm).
const CONNECTORS: &str = "/sys/class/drm";

/// More pictures a second than that need a faster line for nothing.
const ENOUGH: u32 = 60;

/// A display does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KmsError {
    #[error("no display is plugged in")]
    Unplugged,
    #[error("the display on {0} was not let go of yet")]
    Busy(String),
    #[error("cannot open the graphics card {0}; the room's user must be in the group `video`")]
    Open(PathBuf, #[source] io::Error),
    #[error("the graphics card knows no connector {0}")]
    Connector(String),
    #[error("the graphics card cannot drive another display on {0}")]
    Full(String),
    #[error("the display on {0} says no mode")]
    NoMode(String),
    #[error("the graphics card does not answer, or another program draws on it")]
    Card(#[from] io::Error),
}

/// The cards and what the room's displays have of them.
#[derive(Clone, Debug)]
pub(crate) struct Kms {
    purposes: Purposes,
    /// A lock, as each display's thread opens and closes its own; it is held while a mode is set, so that
    /// both never choose the same.
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    cards: BTreeMap<String, Weak<Card>>,
    outputs: BTreeMap<Screen, Output>,
    /// People found nothing left of a card that content has a part of.
    people_wait: bool,
}

/// What a display has of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Output {
    display: Plugged,
    connector: u32,
    /// Its place in the card's list.
    crtc: usize,
    plane: u32,
}

/// An open graphics card.
#[derive(Debug)]
struct Card(File);

impl AsFd for Card {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl drm::Device for Card {}
impl drm::control::Device for Card {}

/// A display that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plugged {
    /// Such as `card0`.
    card: String,
    /// Such as `HDMI-A-1`.
    connector: String,
    /// What the display says of itself; another one in its place says otherwise.
    edid: Vec<u8>,
}

/// A display whose mode is set, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Lit {
    screen: Screen,
    kms: Kms,
    card: Arc<Card>,
    output: Output,
    crtc: crtc::Handle,
    /// What it shows until the first picture, where the mode had to be set.
    dark: Option<Dark>,
    /// Its signal ends with this.
    darkens: bool,
}

/// An empty picture on the card.
#[derive(Clone, Copy, Debug)]
struct Dark {
    buffer: DumbBuffer,
    framebuffer: framebuffer::Handle,
}

/// Whether a display is plugged in.
pub(crate) fn is_connected() -> bool {
    !plugged(Path::new(CONNECTORS)).is_empty()
}

impl Kms {
    pub(crate) fn new(purposes: Purposes) -> Self {
        Self {
            purposes,
            held: Arc::default(),
        }
    }

    /// Lights the display that is for this.
    pub(crate) fn open(&self, screen: Screen) -> Result<Lit, KmsError> {
        let display = self.assigned(screen).ok_or(KmsError::Unplugged)?;
        let mut held = self.lock();
        let is_shown = held.outputs.values().any(|it| it.display == display);
        let waits = held.people_wait && screen == Screen::Content;
        // One that takes long to close still has what it had.
        if is_shown || waits || held.outputs.contains_key(&screen) {
            return Err(KmsError::Busy(display.connector));
        }
        let card = held.card(&display.card)?;
        let lit = light(&card, display, &held);
        if screen == Screen::People {
            let full = matches!(lit, Err(KmsError::Full(_)));
            held.people_wait = full && held.outputs.contains_key(&Screen::Content);
        }
        let (output, crtc, dark) = lit?;
        held.outputs.insert(screen, output.clone());
        drop(held);
        Ok(Lit {
            screen,
            kms: self.clone(),
            card,
            output,
            crtc,
            dark,
            darkens: false,
        })
    }

    /// Whether content is to let go of its display, as people find nothing left of its card.
    pub(crate) fn yields(&self, screen: Screen) -> bool {
        screen == Screen::Content && self.lock().people_wait
    }

    /// Whether the display that is lit is still the one that is for this.
    pub(crate) fn keeps(&self, lit: &Lit) -> bool {
        self.assigned(lit.screen).as_ref() == Some(&lit.output.display)
    }

    fn assigned(&self, screen: Screen) -> Option<Plugged> {
        let mut plugged = plugged(Path::new(CONNECTORS));
        let names: Vec<&str> = plugged.iter().map(|it| it.connector.as_str()).collect();
        let assigned = self.purposes.assign(&names);
        let place = match screen {
            Screen::People => assigned.people,
            Screen::Content => assigned.content,
        };
        Some(plugged.swap_remove(place?))
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// The card, opened unless it is open.
    fn card(&mut self, name: &str) -> Result<Arc<Card>, KmsError> {
        if let Some(card) = self.cards.get(name).and_then(Weak::upgrade) {
            return Ok(card);
        }
        let node = Path::new("/dev/dri").join(name);
        let file = File::options().read(true).write(true).open(&node);
        let card = Card(file.map_err(|error| KmsError::Open(node, error))?);
        // Otherwise the kernel keeps the plane that every CRTC has to itself.
        card.set_client_capability(ClientCapability::UniversalPlanes, true)?;
        let card = Arc::new(card);
        self.cards.insert(name.to_owned(), Arc::downgrade(&card));
        Ok(card)
    }

    /// What displays on this card have.
    fn taken<T>(&self, card: &str, of: impl Fn(&Output) -> T) -> Vec<T> {
        let outputs = self.outputs.values();
        let here = outputs.filter(|output| output.display.card == card);
        here.map(of).collect()
    }
}

impl Lit {
    /// The pipeline's end; it lives as long as this does.
    pub(crate) fn output(&self) -> VideoOut<'static> {
        VideoOut::Kms {
            card: Some(self.card.0.as_raw_fd()),
            connector: Some(self.output.connector),
            plane: Some(self.output.plane),
        }
    }

    /// Ends the display's signal with this, so that it sleeps; otherwise its mode stays.
    pub(crate) const fn darken(&mut self) {
        self.darkens = true;
    }

    /// The connector's name.
    pub(crate) fn name(&self) -> &str {
        &self.output.display.connector
    }
}

impl Drop for Lit {
    fn drop(&mut self) {
        if self.darkens {
            let dark = self.card.set_crtc(self.crtc, None, (0, 0), &[], None);
            if let Err(error) = dark {
                tracing::warn!(%error, display = self.name(), "a display stays awake");
            }
        }
        if let Some(Dark {
            buffer,
            framebuffer,
        }) = self.dark.take()
        {
            // What fails here goes with the card.
            let _ = self.card.destroy_framebuffer(framebuffer);
            let _ = self.card.destroy_dumb_buffer(buffer);
        }
        self.kms.lock().outputs.remove(&self.screen);
    }
}

/// Chooses CRTC and plane, and sets the display's own mode unless it has it.
fn light(
    card: &Card,
    mut display: Plugged,
    held: &Held,
) -> Result<(Output, crtc::Handle, Option<Dark>), KmsError> {
    let resources = card.resource_handles()?;
    let connector = connector(card, &resources, &display.connector)?;
    // Some drivers read it only when they are asked as above.
    display.edid = edid(&display);
    let full = || KmsError::Full(display.connector.clone());
    let taken = held.taken(&display.card, |output| output.crtc);
    let (possible, current) = crtcs(card, &resources, &connector)?;
    let place = outputs::crtc(possible, current, &taken).ok_or_else(full)?;
    let crtc = *resources.crtcs().get(place).ok_or_else(full)?;
    let taken = held.taken(&display.card, |output| output.plane);
    let plane = outputs::plane(&planes(card, &resources)?, place, &taken).ok_or_else(full)?;
    let mode = own_mode(&connector).ok_or_else(|| KmsError::NoMode(display.connector.clone()))?;
    let has = card.get_crtc(crtc)?.mode();
    let has_it = current == Some(place) && has.is_some_and(|has| is_same(has, mode));
    let dark = if has_it {
        None
    } else {
        Some(set_mode(card, crtc, connector.handle(), mode)?)
    };
    let output = Output {
        display,
        connector: connector.handle().into(),
        crtc: place,
        plane,
    };
    Ok((output, crtc, dark))
}

fn connector(
    card: &Card,
    resources: &ResourceHandles,
    name: &str,
) -> Result<connector::Info, KmsError> {
    for handle in resources.connectors() {
        if card.get_connector(*handle, false)?.to_string() == name {
            // The list of modes is that of the last display until somebody asks.
            return Ok(card.get_connector(*handle, true)?);
        }
    }
    Err(KmsError::Connector(name.to_owned()))
}

/// The CRTCs that can drive a connector, and the one that does.
fn crtcs(
    card: &Card,
    resources: &ResourceHandles,
    connector: &connector::Info,
) -> io::Result<(u32, Option<usize>)> {
    let mut possible = 0;
    for encoder in connector.encoders() {
        let encoder = card.get_encoder(*encoder)?;
        possible |= mask(resources, &resources.filter_crtcs(encoder.possible_crtcs()));
    }
    let encoder = connector.current_encoder();
    let encoder = encoder.map(|it| card.get_encoder(it)).transpose()?;
    let current = encoder.and_then(|encoder| encoder.crtc());
    let place = current.and_then(|it| resources.crtcs().iter().position(|known| *known == it));
    Ok((possible, place))
}

/// CRTCs by their places in the card's list.
fn mask(resources: &ResourceHandles, crtcs: &[crtc::Handle]) -> u32 {
    let known = resources.crtcs().iter().take(32).enumerate();
    known
        .filter(|(_, crtc)| crtcs.contains(crtc))
        .fold(0, |mask, (place, _)| mask | 1 << place)
}

fn planes(card: &Card, resources: &ResourceHandles) -> io::Result<Vec<Plane>> {
    let mut planes = Vec::new();
    for handle in card.plane_handles()? {
        let info = card.get_plane(handle)?;
        planes.push(Plane {
            id: handle.into(),
            kind: kind(card, handle)?,
            takes_i420: info.formats().contains(&(DrmFourcc::Yuv420 as u32)),
            crtcs: mask(resources, &resources.filter_crtcs(info.possible_crtcs())),
        });
    }
    Ok(planes)
}

fn kind(card: &Card, plane: plane::Handle) -> io::Result<PlaneKind> {
    let properties = card.get_properties(plane)?;
    for (property, value) in &properties {
        if card.get_property(*property)?.name().to_bytes() != b"type" {
            continue;
        }
        if *value == PlaneType::Primary as u64 {
            return Ok(PlaneKind::Primary);
        }
        if *value == PlaneType::Cursor as u64 {
            return Ok(PlaneKind::Cursor);
        }
    }
    Ok(PlaneKind::Overlay)
}

/// The mode that a display prefers, or its first. One that is larger than what is composed gets the
/// pictures in their own size where it takes them, as it scales them better than a processor.
fn own_mode(connector: &connector::Info) -> Option<Mode> {
    let modes = connector.modes();
    let preferred = |mode: &&Mode| mode.mode_type().contains(ModeTypeFlags::PREFERRED);
    let own = modes.iter().find(preferred).or_else(|| modes.first())?;
    let size = |mode: &Mode| {
        let (width, height) = mode.size();
        (u32::from(width), u32::from(height))
    };
    let composed = || {
        let fits = |mode: &&Mode| size(mode) == (WIDTH, HEIGHT) && !is_interlaced(mode);
        let fitting = modes.iter().filter(fits);
        fitting
            .filter(|mode| mode.vrefresh() <= ENOUGH)
            .max_by_key(|mode| mode.vrefresh())
    };
    let (width, height) = size(own);
    if width > WIDTH && height > HEIGHT {
        return composed().or(Some(own)).copied();
    }
    Some(*own)
}

fn is_interlaced(mode: &Mode) -> bool {
    mode.flags().contains(ModeFlags::INTERLACE)
}

/// Whether a display could not tell them apart; whoever set one may have given it another name.
fn is_same(a: Mode, b: Mode) -> bool {
    let key = |mode: Mode| (mode.size(), mode.clock(), mode.vrefresh(), mode.flags());
    key(a) == key(b)
}

fn set_mode(
    card: &Card,
    crtc: crtc::Handle,
    connector: connector::Handle,
    mode: Mode,
) -> io::Result<Dark> {
    let (width, height) = mode.size();
    let size = (width.into(), height.into());
    // The kernel gives it empty.
    let buffer = card.create_dumb_buffer(size, DrmFourcc::Xrgb8888, 32)?;
    let set = || {
        let framebuffer = card.add_framebuffer(&buffer, 24, 32)?;
        let set = card.set_crtc(crtc, Some(framebuffer), (0, 0), &[connector], Some(mode));
        set.inspect_err(|_| drop(card.destroy_framebuffer(framebuffer)))?;
        Ok(framebuffer)
    };
    let framebuffer = set().inspect_err(|_: &io::Error| drop(card.destroy_dumb_buffer(buffer)))?;
    tracing::info!(
        width,
        height,
        hertz = mode.vrefresh(),
        "a display's mode is set"
    );
    Ok(Dark {
        buffer,
        framebuffer,
    })
}

/// What a display says of itself now.
fn edid(display: &Plugged) -> Vec<u8> {
    let name = format!("{}-{}", display.card, display.connector);
    fs::read(Path::new(CONNECTORS).join(name).join("edid")).unwrap_or_default()
}

/// The displays that are plugged in, by the names of their connectors.
fn plugged(folder: &Path) -> Vec<Plugged> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    let plugged = names.iter().filter_map(|name| {
        let (card, connector) = name.split_once('-')?;
        let read = |file: &str| fs::read(folder.join(name).join(file));
        let status = read("status").ok()?;
        (status.trim_ascii() == b"connected").then(|| Plugged {
            card: card.to_owned(),
            connector: connector.to_owned(),
            edid: read("edid").unwrap_or_default(),
        })
    });
    plugged.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connectors_with_a_display_are_found_by_name() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(plugged(folder.path()), []);
        for (name, status, edid) in [
            ("card0", None, None),
            ("card0-HDMI-A-1", Some("disconnected\n"), None),
            ("card1-DP-2", Some("connected\n"), None),
            ("card1-DP-1", Some("connected\n"), Some("maker")),
            ("renderD128", None, None),
        ] {
            let connector = folder.path().join(name);
            fs::create_dir(&connector).unwrap();
            let files = [("status", status), ("edid", edid)];
            for (file, text) in files {
                let Some(text) = text else { continue };
                fs::write(connector.join(file), text).unwrap();
            }
        }
        let found = plugged(folder.path());
        let names: Vec<_> = found.iter().map(|it| it.connector.as_str()).collect();
        assert_eq!(names, ["DP-1", "DP-2"]);
        assert_eq!(
            (found[0].card.as_str(), &*found[0].edid),
            ("card1", &b"maker"[..])
        );
    }

    #[test]
    fn what_one_display_has_is_taken_for_the_other_on_its_card_alone() {
        let mut held = Held::default();
        let display = |card: &str| Plugged {
            card: card.to_owned(),
            connector: "DP-1".to_owned(),
            edid: Vec::new(),
        };
        let output = |card, crtc| Output {
            display: display(card),
            connector: 40,
            crtc,
            plane: 31,
        };
        held.outputs.insert(Screen::People, output("card0", 0));
        held.outputs.insert(Screen::Content, output("card1", 1));
        assert_eq!(held.taken("card0", |it| it.crtc), [0]);
        assert_eq!(held.taken("card1", |it| it.crtc), [1]);
        assert!(held.taken("card2", |it| it.plane).is_empty());
    }
}
