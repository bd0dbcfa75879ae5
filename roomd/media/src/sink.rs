// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where composed pictures go: a pipeline to a display, or a window on an X screen.

use std::sync::Arc;
use std::time::Instant;

use gstreamer as gst;
use roomd_media_core::compose::Canvas;
use roomd_media_core::plan::VideoOut;
use roomd_media_core::scene::{HEIGHT, WIDTH};

use crate::branch::{Branch, BranchError, Notice};
use crate::display::Screen;
use crate::kms::{Kms, KmsError, Lit};
use crate::wayland::WaylandError;
use crate::window::WindowThread;
use crate::x11::{Window, X11Error};

/// A display does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SinkError {
    #[error(transparent)]
    Branch(#[from] BranchError),
    #[error(transparent)]
    X11(#[from] X11Error),
    #[error(transparent)]
    Wayland(#[from] WaylandError),
    #[error(transparent)]
    Kms(#[from] KmsError),
    #[error("starting the window's thread")]
    Thread(#[from] std::io::Error),
}

/// An open display.
pub(crate) enum Sink {
    /// A pipeline takes whole pictures.
    Branch(Branch),
    /// A pipeline on a graphics card.
    Kms(OnCard),
    /// A window of the pictures' size takes what changed.
    Window(WindowThread),
}

/// A pipeline and the display that it draws on, by the number of its card's descriptor. So the display is
/// lit for as long as the pipeline runs; and let go before it is lit again, as only one may draw at a time.
pub(crate) struct OnCard(Option<(Branch, Lit)>);

impl OnCard {
    fn open(
        kms: &Kms,
        screen: Screen,
        failed: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, SinkError> {
        let lit = kms.open(screen)?;
        let branch = Branch::open(&lit.output().plan(), |_| {}, on_error(failed))?;
        Ok(Self(Some((branch, lit))))
    }

    /// Switches the display's signal off once it is let go.
    pub(crate) fn darken(&mut self) {
        if let Some((_, lit)) = &mut self.0 {
            lit.darken();
        }
    }

    /// The display; none only while it is let go.
    pub(crate) fn lit(&self) -> Option<&Lit> {
        self.0.as_ref().map(|(_, lit)| lit)
    }
}

impl Drop for OnCard {
    fn drop(&mut self) {
        if let Some((branch, lit)) = self.0.take() {
            branch.close(lit);
        }
    }
}

struct Shared(Arc<Canvas>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.picture().data()
    }
}

impl Sink {
    /// Opens a display, on a graphics card the one that is for this. `failed` runs on another thread
    /// once it is lost, and must not wait.
    pub(crate) fn open(
        output: VideoOut<'_>,
        server: Option<&str>,
        (kms, screen): (&Kms, Screen),
        failed: impl Fn() + Clone + Send + Sync + 'static,
    ) -> Result<Self, SinkError> {
        if matches!(output, VideoOut::Kms { .. }) {
            return OnCard::open(kms, screen, failed).map(Self::Kms);
        }
        if !matches!(output, VideoOut::X11 { .. }) {
            let branch = Branch::open(&output.plan(), |_| {}, on_error(failed))?;
            return Ok(Self::Branch(branch));
        }
        let window = Window::open(server)?;
        if (window.width(), window.height()) == (WIDTH, HEIGHT) {
            return Ok(Self::Window(WindowThread::start(window, failed)?));
        }
        scaled(window, failed).map(Self::Branch)
    }

    /// Shows a picture at its time.
    pub(crate) fn push(&self, picture: Arc<Canvas>, at: gst::ClockTime) {
        match self {
            Self::Branch(branch) | Self::Kms(OnCard(Some((branch, _)))) => {
                branch.push(Shared(picture), at, None);
            }
            // Only while it is being dropped.
            Self::Kms(OnCard(None)) => {}
            Self::Window(window) => window.push(picture),
        }
    }

    /// The connector of a display on a graphics card.
    pub(crate) fn connector(&self) -> Option<&str> {
        match self {
            Self::Kms(on) => on.lit().map(Lit::name),
            Self::Branch(_) | Self::Window(_) => None,
        }
    }

    /// Whether it takes nothing more. A window says so by itself.
    pub(crate) fn is_stuck(&mut self, now: Instant) -> bool {
        match self {
            Self::Branch(branch) | Self::Kms(OnCard(Some((branch, _)))) => branch.is_stuck(now),
            Self::Kms(OnCard(None)) | Self::Window(_) => false,
        }
    }
}

fn on_error(failed: impl Fn() + Send + Sync + 'static) -> impl Fn(Notice) + Send + Sync + 'static {
    move |notice| {
        if matches!(notice, Notice::Error(_)) {
            failed();
        }
    }
}

/// A window of another size: a pipeline scales for it.
fn scaled(
    window: Window,
    failed: impl Fn() + Clone + Send + Sync + 'static,
) -> Result<Branch, SinkError> {
    let plan = VideoOut::X11 {
        width: window.width(),
        height: window.height(),
    };
    let notice = on_error(failed.clone());
    let mut window = Some(window);
    let show = move |sample: &gst::Sample| {
        let map = sample.buffer().map(|buffer| buffer.map_readable());
        if let (Some(open), Some(Ok(map))) = (&window, map)
            && let Err(error) = open
                .put(open.area(), map.as_slice())
                .and_then(|()| open.settle())
        {
            tracing::info!(%error, "the window is lost");
            window = None;
            failed();
        }
    };
    Ok(Branch::open(&plan.plan(), show, notice)?)
}
