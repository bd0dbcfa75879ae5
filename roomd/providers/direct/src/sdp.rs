// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The little that the session reads of a guest's offer (RFC 8866, RFC 5888, RFC 8122).

/// The longest description, in bytes.
pub(crate) const MAX_SDP: usize = 64 * 1024;

/// An offer of the only shape that direct meetings know: sound, camera, shared content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Identification tags of sound, camera and shared content.
    pub(crate) mids: [String; 3],
    /// The certificates' fingerprints: the same ones mean the same connection.
    pub(crate) fingerprints: Vec<String>,
}

/// Reads an offer; none for every other shape.
pub(crate) fn offer(sdp: &str) -> Option<Offer> {
    if sdp.len() > MAX_SDP {
        return None;
    }
    let mut lines: Vec<(&str, Option<&str>)> = Vec::new();
    let mut fingerprints = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            lines.push((media.split(' ').next()?, None));
        } else if let Some(mid) = line.strip_prefix("a=mid:") {
            let (_, slot) = lines.last_mut()?;
            if slot.replace(mid.trim_end()).is_some() {
                return None;
            }
        } else if let Some(fingerprint) = line.strip_prefix("a=fingerprint:") {
            fingerprints.push(fingerprint.trim_end().to_ascii_lowercase());
        }
        if lines.len() > 3 || fingerprints.len() > 12 {
            return None;
        }
    }
    fingerprints.sort_unstable();
    fingerprints.dedup();
    let [
        ("audio", Some(sound)),
        ("video", Some(camera)),
        ("video", Some(screen)),
    ] = lines[..]
    else {
        return None;
    };
    let fits = [sound, camera, screen].into_iter().all(is_tag);
    let differ = sound != camera && camera != screen && sound != screen;
    (fits && differ).then(|| Offer {
        mids: [sound, camera, screen].map(str::to_owned),
        fingerprints,
    })
}

fn is_tag(mid: &str) -> bool {
    (1..=16).contains(&mid.len()) && mid.bytes().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "v=0\r\na=fingerprint:sha-256 AA\r\nm=audio 9 X 111\r\na=mid:0\r\n\
        m=video 9 X 96\r\na=mid:1\r\nm=video 9 X 96\r\na=mid:2\r\n";

    #[test]
    fn reads_the_three_lines() {
        let offer = offer(GOOD).unwrap();
        assert_eq!(offer.mids, ["0", "1", "2"]);
        assert_eq!(offer.fingerprints, ["sha-256 aa"]);
    }

    #[test]
    fn refuses_other_shapes() {
        for bad in [
            String::new(),
            "a=mid:0\r\n".to_owned(),
            GOOD.replace("m=audio", "m=video"),
            GOOD.replace("a=mid:2", "a=mid:1"),
            GOOD.replace("a=mid:2", "a=x"),
            GOOD.replace("a=mid:2", "a=mid:2\r\na=mid:3"),
            GOOD.replace("a=mid:2", "a=mid:"),
            format!("{GOOD}m=application 9 X 1\r\na=mid:3\r\n"),
            format!("{GOOD}{}", "a=x\r\n".repeat(20_000)),
        ] {
            assert_eq!(offer(&bad), None, "{} bytes", bad.len());
        }
    }
}
