// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What is read of descriptions: which m-line carries which track.
//!
//! The media engine checks and applies descriptions; here they are only looked through, and a line
//! that cannot be understood is none.

/// m-lines that are read of a description; the engine takes fewer.
const MAX_LINES: usize = 256;
/// Longest identification tag, as the engine has it.
const MAX_MID: usize = 16;

/// An m-line of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its identification tag (RFC 5888).
    pub(crate) mid: String,
    /// Media flows from whoever wrote the description.
    pub(crate) sends: bool,
    /// Its stream and track (RFC 8830), as far as it has them.
    pub(crate) stream: Option<String>,
    pub(crate) track: Option<String>,
}

/// The m-lines of sound and picture that have a tag, in their order.
pub(crate) fn lines(sdp: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut open = false;
    for text in sdp.lines() {
        let text = text.trim_end();
        if let Some(media) = text.strip_prefix("m=") {
            if lines.len() >= MAX_LINES {
                break;
            }
            let mut words = media.split(' ');
            let kind = words.next().unwrap_or_default();
            let port = words.next().unwrap_or_default();
            open = ["audio", "video"].contains(&kind);
            if open {
                lines.push(Line {
                    mid: String::new(),
                    sends: port != "0",
                    stream: None,
                    track: None,
                });
            }
        } else if let Some(line) = lines.last_mut().filter(|_| open) {
            line.attribute(text);
        }
    }
    lines.retain(|line| !line.mid.is_empty() && line.mid.len() <= MAX_MID);
    lines
}

impl Line {
    fn attribute(&mut self, text: &str) {
        if let Some(mid) = text.strip_prefix("a=mid:") {
            mid.clone_into(&mut self.mid);
        } else if let Some(msid) = text.strip_prefix("a=msid:") {
            let mut words = msid.split(' ').filter(|word| !word.is_empty());
            self.stream = words.next().map(str::to_owned);
            self.track = words.next().map(str::to_owned);
        } else if ["a=inactive", "a=recvonly"].contains(&text) {
            self.sends = false;
        }
    }

    /// The server's name of the track that it sends on this line.
    pub(crate) fn track_sid(&self) -> Option<&str> {
        // The stream's name is the participant's and, with some servers, the track's.
        let stream = self.stream.as_deref()?;
        let of_stream = stream.split('|').nth(1);
        of_stream
            .filter(|sid| sid.starts_with("TR"))
            .or(self.track.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\na=msid-semantic:WMS *\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=sendrecv\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=msid:PA_a|microphone TR_AM1\r\na=sendonly\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=msid:PA_a|TR_VC1 x\r\na=sendrecv\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:3\r\na=inactive\r\n\
        m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:4\r\na=msid:PA_a|TR_VC2 TR_VC2\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";

    #[test]
    fn lines_know_their_tracks() {
        let found: Vec<_> = lines(OFFER)
            .iter()
            .map(|line| {
                let track = line.track_sid().map(str::to_owned);
                (line.mid.clone(), line.sends, track)
            })
            .collect();
        let track = |sid: &str| Some(sid.to_owned());
        assert_eq!(
            found,
            [
                ("1".to_owned(), true, track("TR_AM1")),
                ("2".to_owned(), true, track("TR_VC1")),
                ("3".to_owned(), false, None),
                ("4".to_owned(), false, track("TR_VC2")),
            ]
        );
    }

    #[test]
    fn a_description_of_too_many_lines_is_read_to_the_limit() {
        let many = "m=audio 9 x\na=mid:a\n".repeat(1000);
        assert_eq!(lines(&many).len(), MAX_LINES);
        assert_eq!(lines("a=mid:1\nm=\nm=audio\na=msid:\na=mid:"), []);
        assert_eq!(lines("m=audio 9 x\na=mid:seventeen_letters"), []);
    }
}
