// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Design tokens, shared in value with the panel. Every text colour has a contrast of at least
//! 4.5 to 1 (WCAG 2.2 AA) on the surfaces it is used on.

/// The board itself.
pub const BACKGROUND: &str = "#0E1420";
/// Cards on the board.
pub const SURFACE: &str = "#182132";
/// Cards that stand out, and lines.
pub const SURFACE_2: &str = "#22304A";
/// A card tinted with the accent.
pub const SURFACE_ACCENT: &str = "#15304F";
/// Text.
pub const TEXT: &str = "#F2F5FA";
/// Secondary text.
pub const MUTED: &str = "#A9B6CB";
/// What a person acts on; sending.
pub const ACCENT: &str = "#5AA9FF";
/// All is well; free.
pub const SUCCESS: &str = "#4CC38A";
/// Muted, waiting, worth a look.
pub const WARNING: &str = "#FFB224";
/// Wrong, in use, not encrypted.
pub const DANGER: &str = "#FF6369";
/// Text on accent, success, warning and danger.
pub const ON_COLOUR: &str = "#0E1420";
/// Behind QR codes; scanners want dark on light.
pub const PAPER: &str = "#FFFFFF";

/// Distance of everything from the edge of a board.
pub const MARGIN: f32 = 96.0;
/// Right edge of a board's contents.
pub const RIGHT: f32 = 1920.0 - MARGIN;
/// Corner radius of cards.
pub const RADIUS: f32 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_colour_is_readable_on_its_surfaces() {
        for text in [TEXT, MUTED, ACCENT, SUCCESS, WARNING, DANGER] {
            for surface in [BACKGROUND, SURFACE, SURFACE_2, SURFACE_ACCENT] {
                let contrast = contrast(text, surface);
                assert!(contrast >= 4.5, "{text} on {surface}: {contrast:.2}");
            }
        }
        for surface in [ACCENT, SUCCESS, WARNING, DANGER] {
            assert!(contrast(ON_COLOUR, surface) >= 4.5, "{surface}");
        }
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = u8::from_str_radix(&colour[at..at + 2], 16).unwrap();
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }
}
