// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A window that covers an X screen.
//!
//! Not GStreamer's own: its elements use Xlib, which ends the process when the X server goes away.

use roomd_media_core::scene::Rect;
use x11rb::connection::{Connection, RequestConnection as _};
use x11rb::errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, ImageFormat, ImageOrder, PropMode,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// The X server cannot be used, or is gone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum X11Error {
    #[error("connecting to the X server")]
    Connect(#[from] ConnectError),
    #[error("talking to the X server")]
    Connection(#[from] ConnectionError),
    #[error("the X server refuses a request")]
    Reply(#[from] ReplyError),
    #[error("the X server refuses a request")]
    ReplyOrId(#[from] ReplyOrIdError),
    #[error("the X screen is not of 24-bit colour")]
    Depth,
    #[error("the window is gone")]
    Gone,
}

/// A window of the size of the screen.
#[derive(Debug)]
pub(crate) struct Window {
    connection: RustConnection,
    window: u32,
    context: u32,
    depth: u8,
    width: u16,
    height: u16,
}

impl Window {
    pub(crate) fn open(display: Option<&str>) -> Result<Self, X11Error> {
        let (connection, number) = x11rb::connect(display)?;
        let setup = connection.setup();
        let screen = setup.roots.get(number).ok_or(X11Error::Depth)?;
        let (root, visual, depth) = (screen.root, screen.root_visual, screen.root_depth);
        let (width, height) = (screen.width_in_pixels, screen.height_in_pixels);
        let format = setup.pixmap_formats.iter().find(|f| f.depth == depth);
        let words = format.is_some_and(|format| format.bits_per_pixel == 32);
        if !words || depth < 24 || setup.image_byte_order != ImageOrder::LSB_FIRST {
            return Err(X11Error::Depth);
        }
        let (window, context) = (connection.generate_id()?, connection.generate_id()?);
        let looks = CreateWindowAux::new()
            .background_pixel(0)
            .event_mask(EventMask::EXPOSURE);
        let class = WindowClass::INPUT_OUTPUT;
        connection.create_window(
            depth, window, root, 0, 0, width, height, 0, class, visual, &looks,
        )?;
        connection.create_gc(context, window, &CreateGCAux::new().graphics_exposures(0))?;
        // Where there is a window manager, it leaves the whole screen to the window.
        let atom = |name: &[u8]| -> Result<u32, X11Error> {
            Ok(connection.intern_atom(false, name)?.reply()?.atom)
        };
        let (state, whole, list) = (
            atom(b"_NET_WM_STATE")?,
            atom(b"_NET_WM_STATE_FULLSCREEN")?,
            atom(b"ATOM")?,
        );
        connection.change_property32(PropMode::REPLACE, window, state, list, &[whole])?;
        connection.map_window(window)?;
        connection.sync()?;
        Ok(Self {
            connection,
            window,
            context,
            depth,
            width,
            height,
        })
    }

    pub(crate) fn width(&self) -> u32 {
        self.width.into()
    }

    pub(crate) fn height(&self) -> u32 {
        self.height.into()
    }

    /// All of the window.
    pub(crate) fn area(&self) -> Rect {
        Rect {
            x: 0,
            y: 0,
            width: self.width(),
            height: self.height(),
        }
    }

    /// Sends what a part of the window shows, 4 bytes a pixel. The part lies in the window.
    pub(crate) fn put(&self, area: Rect, pixels: &[u8]) -> Result<(), X11Error> {
        let row = area.width as usize * 4;
        // What a request holds besides the picture.
        let room = self.connection.maximum_request_bytes().saturating_sub(64);
        let rows = (room / row.max(1)).max(1);
        let mut y = area.y;
        for part in pixels.chunks(rows * row) {
            let height = u16::try_from(part.len() / row).unwrap_or(u16::MAX);
            self.connection.put_image(
                ImageFormat::Z_PIXMAP,
                self.window,
                self.context,
                u16::try_from(area.width).unwrap_or(u16::MAX),
                height,
                i16::try_from(area.x).unwrap_or(i16::MAX),
                i16::try_from(y).unwrap_or(i16::MAX),
                0,
                self.depth,
                part,
            )?;
            y = y.saturating_add(height.into());
        }
        Ok(())
    }

    /// Waits until the server has what was sent; whether it lost what the window showed.
    pub(crate) fn settle(&self) -> Result<bool, X11Error> {
        self.connection.sync()?;
        let mut exposed = false;
        while let Some(event) = self.connection.poll_for_event()? {
            if matches!(event, Event::Error(_)) {
                return Err(X11Error::Gone);
            }
            exposed |= matches!(event, Event::Expose(_));
        }
        Ok(exposed)
    }
}
