// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Software in the place of a hardware encoder, which no machine of a test has. It encodes with
//! OpenH264, and fails when it is told to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer::subclass::prelude::*;
use roomd_media::{BitrateSetting, HardwareEncoder};

/// Every stand-in fails from now on, or works.
pub static FAILS: AtomicBool = AtomicBool::new(false);

const ELEMENT: &str = "standinh264enc";

/// The stand-in.
pub fn encoder() -> HardwareEncoder {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        gst::init().unwrap();
        let kind = StandIn::static_type();
        gst::Element::register(None, ELEMENT, gst::Rank::NONE, kind).unwrap();
    });
    HardwareEncoder {
        element: ELEMENT,
        properties: &[],
        bitrate: BitrateSetting::Bits("bitrate"),
        caps: "",
    }
}

glib::wrapper! {
    pub struct StandIn(ObjectSubclass<Inside>)
        @extends gst::Bin, gst::Element, gst::Object,
        @implements gst::ChildProxy;
}

#[derive(Debug, Default)]
pub struct Inside {
    encoder: OnceLock<gst::Element>,
}

#[glib::object_subclass]
impl ObjectSubclass for Inside {
    const NAME: &'static str = "RoomdStandInH264Enc";
    type Type = StandIn;
    type ParentType = gst::Bin;
}

impl ObjectImpl for Inside {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: OnceLock<Vec<glib::ParamSpec>> = OnceLock::new();
        PROPERTIES.get_or_init(|| vec![glib::ParamSpecUInt::builder("bitrate").build()])
    }

    fn set_property(&self, _id: usize, value: &glib::Value, property: &glib::ParamSpec) {
        let encoder = self.encoder.get().unwrap();
        encoder.set_property_from_value(property.name(), value);
    }

    fn property(&self, _id: usize, property: &glib::ParamSpec) -> glib::Value {
        self.encoder.get().unwrap().property_value(property.name())
    }

    fn constructed(&self) {
        self.parent_constructed();
        let encoder = gst::ElementFactory::make("openh264enc")
            .property_from_str("complexity", "low")
            .property_from_str("rate-control", "bitrate")
            .property("gop-size", 100_000_u32)
            .build()
            .unwrap();
        let bin = self.obj();
        bin.add(&encoder).unwrap();
        for name in ["sink", "src"] {
            let inner = encoder.static_pad(name).unwrap();
            let pad = gst::GhostPad::with_target(&inner).unwrap();
            bin.add_pad(&pad).unwrap();
        }
        let told = bin.downgrade();
        let source = encoder.static_pad("src").unwrap();
        source.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            if !FAILS.load(Ordering::Relaxed) {
                return gst::PadProbeReturn::Ok;
            }
            if let Some(bin) = told.upgrade() {
                gst::element_error!(bin, gst::StreamError::Encode, ["is told to fail"]);
            }
            gst::PadProbeReturn::Drop
        });
        self.encoder.set(encoder).unwrap();
    }
}

impl GstObjectImpl for Inside {}

impl ElementImpl for Inside {}

impl BinImpl for Inside {}
