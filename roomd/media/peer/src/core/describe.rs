// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a remote description must hold before the transport sees it.
//!
//! Invariants: a description passes only with one certificate fingerprint and with ICE credentials.
//! Of several hashes the strongest counts (RFC 8122, section 5); sha-1 does only when there is no
//! other. What the transport does not need (fingerprints, TCP candidates, candidates with host names,
//! candidates above the limit) is removed here, so that its parser never sees it.

use roomd_model::Secret;
use str0m::Candidate;

use super::certificate::{Fingerprint, Unusable};

/// Longest description, in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// Longest line of a description, in bytes.
const MAX_LINE: usize = 4 * 1024;
/// Most m-lines of a description.
const MAX_MEDIA_LINES: usize = 64;
/// Most candidates taken from a description.
pub(super) const MAX_CANDIDATES: usize = 64;
/// Longest candidate line, in bytes.
const MAX_CANDIDATE_BYTES: usize = 512;

/// Why a description is refused; the text is a code without any of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("description_too_large")]
    TooLarge,
    #[error("media_lines_missing")]
    NoMedia,
    #[error("too_many_media_lines")]
    TooManyMediaLines,
    #[error("fingerprint_missing")]
    FingerprintMissing,
    #[error("fingerprint_hash_unsupported")]
    FingerprintHash,
    #[error("fingerprint_malformed")]
    FingerprintMalformed,
    #[error("fingerprint_ambiguous")]
    FingerprintAmbiguous,
    #[error("fingerprint_changed")]
    FingerprintChanged,
    #[error("mid_unusable")]
    LineName,
    #[error("ice_credentials_missing")]
    CredentialsMissing,
    #[error("answer_without_offer")]
    AnswerWithoutOffer,
    #[error("description_malformed")]
    Malformed,
    #[error("description_not_applicable")]
    NotApplicable,
    #[error("offer_empty")]
    OfferEmpty,
    #[error("parameters_out_of_range")]
    Parameters,
    #[error("descriptions_and_parameters_mixed")]
    Mixed,
    #[error("connection_ended")]
    Ended,
}

/// Level 3.1 of H.264 as `level_idc` (ITU-T H.264, table A-1): 1280x720, 30 times a second.
pub(super) const LEVEL_3_1: u8 = 31;

/// What the peer can do on an m-line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Abilities {
    /// It may be asked for a keyframe with a PLI (RFC 4585, section 6.3.1).
    pub(super) loss: bool,
    /// It may be asked for a keyframe with a FIR (RFC 5104, section 4.3.1).
    pub(super) full: bool,
    /// The highest level of H.264 in constrained baseline and packetization mode 1 that it decodes, as
    /// `level_idc`; 0 where it takes none.
    pub(super) h264_level: u8,
}

/// What the peer's ICE agent is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    user: Secret,
    password: Secret,
}

/// A description that may be given to the transport.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Description {
    /// The description, reduced to what the transport uses.
    pub(super) sdp: String,
    /// What the peer's certificate must have.
    pub(super) fingerprint: Fingerprint,
    /// The first ones that are named.
    pub(super) credentials: Credentials,
    /// The place of the m-line for data channels, where there is one.
    pub(super) data: Option<usize>,
    /// The m-lines by their `mid`.
    pub(super) lines: Vec<(String, Abilities)>,
    /// Who sends on them, by the first SSRC that is named.
    pub(super) senders: Vec<(String, u32)>,
}

impl Description {
    /// The same without another path: with credentials that are known, and without candidates.
    pub(super) fn on_the_path_of(&self, known: &Credentials) -> String {
        let mut sdp = String::with_capacity(self.sdp.len());
        for line in self.sdp.lines() {
            match line.split(':').next().unwrap_or_default() {
                "a=candidate" => {}
                name @ "a=ice-ufrag" => sdp.extend([name, ":", known.user.expose(), "\r\n"]),
                name @ "a=ice-pwd" => sdp.extend([name, ":", known.password.expose(), "\r\n"]),
                _ => sdp.extend([line, "\r\n"]),
            }
        }
        sdp
    }
}

/// Checks and reduces a remote description.
pub(super) fn inspect(text: &str) -> Result<Description, Refusal> {
    if text.len() > MAX_BYTES {
        return Err(Refusal::TooLarge);
    }
    let mut found = Found::default();
    let mut sdp = String::with_capacity(text.len() + 64);
    for line in text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
    {
        if line.len() > MAX_LINE || line.contains('\r') {
            return Err(Refusal::Malformed);
        }
        if found.keeps(line)? {
            sdp.push_str(line);
            sdp.push_str("\r\n");
        }
    }
    let lines = std::mem::take(&mut found.lines);
    let senders = found.senders(&lines);
    let data = found.data;
    let credentials = found.credentials();
    Ok(Description {
        sdp,
        fingerprint: found.finish()?,
        credentials: credentials.ok_or(Refusal::CredentialsMissing)?,
        data,
        lines,
        senders,
    })
}

/// Chooses among fingerprints given one by one.
pub(super) fn fingerprint(values: &[String]) -> Result<Fingerprint, Refusal> {
    let mut found = Found::default();
    for value in values {
        found.fingerprint(value)?;
    }
    found.chosen()
}

/// Reads a `candidate:` line; none when the transport cannot use it.
pub(super) fn candidate(line: &str) -> Option<Candidate> {
    if line.len() > MAX_CANDIDATE_BYTES {
        return None;
    }
    let line = line.trim();
    let line = line.strip_prefix("a=").unwrap_or(line);
    let candidate = Candidate::from_sdp_string(line).ok()?;
    let address = candidate.addr();
    let usable = candidate.proto() == str0m::net::Protocol::Udp
        && address.port() != 0
        && !address.ip().is_unspecified()
        && !address.ip().is_multicast();
    usable.then_some(candidate)
}

/// What the transport keeps of an m-line's name as it is.
fn usable(mid: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=16).contains(&mid.len()) && mid.bytes().all(plain)
}

/// The level that format parameters of H.264 name; none for others, and for another profile or
/// packetization mode than ours (RFC 6184, section 8.1).
fn h264_level(parameters: &str) -> Option<u8> {
    let value = |name: &str| {
        let mut pairs = parameters.split(';').filter_map(|one| one.split_once('='));
        pairs.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    };
    let id = value("profile-level-id").filter(|id| id.len() == 6)?;
    let [_, profile, constraints, level] = u32::from_str_radix(id, 16).ok()?.to_be_bytes();
    let constrained_baseline = profile == 0x42 && constraints & 0x40 != 0;
    let whole = value("packetization-mode") == Some("1");
    (constrained_baseline && whole).then_some(level)
}

#[derive(Default)]
struct Found {
    media_lines: usize,
    data: Option<usize>,
    lines: Vec<(String, Abilities)>,
    /// The first SSRC of each line.
    ssrcs: Vec<Option<u32>>,
    candidates: usize,
    user: Option<Secret>,
    password: Option<Secret>,
    other_hash: bool,
    fingerprint: Option<Fingerprint>,
    ambiguous: bool,
}

impl Found {
    /// Whether the transport gets this line.
    fn keeps(&mut self, line: &str) -> Result<bool, Refusal> {
        if line.starts_with("m=") {
            if line.starts_with("m=application ") && self.data.replace(self.media_lines).is_some() {
                // The transport finds out only when it has applied the half of it.
                return Err(Refusal::NotApplicable);
            }
            self.media_lines += 1;
            if self.media_lines <= MAX_MEDIA_LINES {
                self.lines.push(Default::default());
                self.ssrcs.push(None);
            }
        }
        let Some(attribute) = line.strip_prefix("a=") else {
            return Ok(true);
        };
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "fingerprint" => {
                self.fingerprint(value)?;
                Ok(false)
            }
            "candidate" => {
                self.candidates += 1;
                Ok(self.candidates <= MAX_CANDIDATES && candidate(attribute).is_some())
            }
            // The transport would answer with another name.
            "mid" if !usable(value.trim()) => Err(Refusal::LineName),
            "ssrc" => {
                let ssrc = value.split_whitespace().next();
                let ssrc = ssrc.and_then(|ssrc| ssrc.parse().ok());
                if let Some(first) = self.ssrcs.last_mut() {
                    *first = first.or(ssrc);
                }
                Ok(true)
            }
            name @ ("mid" | "rtcp-fb" | "fmtp") => {
                self.line(name, value);
                Ok(true)
            }
            "ice-ufrag" => {
                self.user.get_or_insert_with(|| Secret::new(value.trim()));
                Ok(true)
            }
            "ice-pwd" => {
                self.password
                    .get_or_insert_with(|| Secret::new(value.trim()));
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    /// Notes what is said of the last m-line.
    fn line(&mut self, name: &str, value: &str) {
        let Some((mid, abilities)) = self.lines.last_mut() else {
            return;
        };
        if name == "mid" {
            value.trim().clone_into(mid);
            return;
        }
        let words: Vec<&str> = value.split_whitespace().skip(1).collect();
        match (name, &words[..]) {
            ("fmtp", _) => {
                let level = h264_level(&words.concat()).unwrap_or_default();
                abilities.h264_level = abilities.h264_level.max(level);
            }
            (_, ["nack", "pli"]) => abilities.loss = true,
            (_, ["ccm", "fir"]) => abilities.full = true,
            _ => {}
        }
    }

    fn senders(&self, lines: &[(String, Abilities)]) -> Vec<(String, u32)> {
        let lines = lines.iter().zip(&self.ssrcs);
        lines
            .filter_map(|((mid, _), ssrc)| Some((mid.clone(), (*ssrc)?)))
            .collect()
    }

    fn fingerprint(&mut self, value: &str) -> Result<(), Refusal> {
        let found = match Fingerprint::parse(value) {
            Ok(found) => found,
            Err(Unusable::Malformed) => return Err(Refusal::FingerprintMalformed),
            Err(Unusable::UnknownHash) => {
                self.other_hash = true;
                return Ok(());
            }
        };
        let known = self.fingerprint.as_ref();
        if known.is_none_or(|known| known.hash < found.hash) {
            self.fingerprint = Some(found);
            self.ambiguous = false;
        } else if known.is_some_and(|known| known.hash == found.hash && *known != found) {
            self.ambiguous = true;
        }
        Ok(())
    }

    fn finish(self) -> Result<Fingerprint, Refusal> {
        if self.media_lines == 0 {
            return Err(Refusal::NoMedia);
        }
        if self.media_lines > MAX_MEDIA_LINES {
            return Err(Refusal::TooManyMediaLines);
        }
        self.chosen()
    }

    fn credentials(&mut self) -> Option<Credentials> {
        Some(Credentials {
            user: self.user.take()?,
            password: self.password.take()?,
        })
    }

    fn chosen(self) -> Result<Fingerprint, Refusal> {
        let missing = if self.other_hash {
            Refusal::FingerprintHash
        } else {
            Refusal::FingerprintMissing
        };
        let fingerprint = self.fingerprint.ok_or(missing)?;
        if self.ambiguous {
            return Err(Refusal::FingerprintAmbiguous);
        }
        Ok(fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdp(lines: &[&str]) -> String {
        let mut text = String::from("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
        text.push_str("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:abcd\r\n");
        text.push_str("a=ice-pwd:0123456789012345678901\r\n");
        for line in lines {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text
    }

    fn fingerprint(hash: &str, byte: &str) -> String {
        let len = match hash.to_ascii_lowercase().as_str() {
            "sha-1" => 20,
            "sha-224" => 28,
            "sha-384" => 48,
            "sha-512" => 64,
            _ => 32,
        };
        format!("a=fingerprint:{hash} {}", vec![byte; len].join(":"))
    }

    fn check(lines: &[&str], expected: Result<&str, Refusal>) {
        let expected = expected.map(|line| {
            let value = line.strip_prefix("a=fingerprint:").unwrap();
            Fingerprint::parse(value).unwrap()
        });
        assert_eq!(
            inspect(&sdp(lines)).map(|found| found.fingerprint),
            expected,
            "{lines:?}"
        );
    }

    #[test]
    fn takes_the_strongest_fingerprint() {
        let good = fingerprint("SHA-256", "ab");
        let other = fingerprint("sha-256", "cd");
        let weak = fingerprint("sha-1", "00");
        let strong = fingerprint("sha-512", "12");
        check(&[], Err(Refusal::FingerprintMissing));
        check(&["a=fingerprint:md5 AB:CD"], Err(Refusal::FingerprintHash));
        check(
            &[&good, "a=fingerprint:sha-256 AB:CD"],
            Err(Refusal::FingerprintMalformed),
        );
        check(&["a=fingerprint:"], Err(Refusal::FingerprintMalformed));
        check(&[&good, &other], Err(Refusal::FingerprintAmbiguous));
        check(&[&good, &good], Ok(&good));
        check(&[&weak], Ok(&weak));
        for hash in ["sha-1", "sha-224", "sha-256", "sha-384", "sha-512"] {
            let only = fingerprint(hash, "7f");
            check(&[&only, "a=fingerprint:md2 00"], Ok(&only));
        }
        check(&[&weak, &good], Ok(&good));
        check(&[&good, &weak], Ok(&good));
        check(&[&strong, &good, &other, &weak], Ok(&strong));
        check(&[&good, &other, &strong], Ok(&strong));
    }

    #[test]
    fn removes_what_the_transport_cannot_use() {
        let good = fingerprint("sha-256", "ab");
        let name = "a=candidate:1 1 udp 2122260223 0a1b.local 50000 typ host";
        let tcp = "a=candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active";
        let udp = "a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host";
        let found = inspect(&sdp(&[&good, &fingerprint("sha-1", "00"), name, tcp, udp])).unwrap();
        assert_eq!(found.sdp.matches("a=candidate").count(), 1);
        assert_eq!(found.sdp.matches("a=fingerprint").count(), 0);

        let many: Vec<String> = (0..500)
            .map(|port| format!("a=candidate:1 1 udp 1 192.0.2.1 {} typ host", port + 1000))
            .collect();
        let mut lines: Vec<&str> = many.iter().map(String::as_str).collect();
        lines.push(&good);
        let found = inspect(&sdp(&lines)).unwrap();
        assert_eq!(found.sdp.matches("a=candidate").count(), MAX_CANDIDATES);
    }

    #[test]
    fn refuses_names_that_would_come_back_changed() {
        let good = fingerprint("sha-256", "ab");
        for name in ["a-b", "", "abcdefghijklmnopq", "ä"] {
            check(&[&good, &format!("a=mid:{name}")], Err(Refusal::LineName));
        }
        for name in ["0", "sdparta_0", "abcdefghijklmnop"] {
            check(&[&good, &format!("a=mid:{name}")], Ok(&good));
        }
    }

    #[test]
    fn the_level_of_h264_is_read_where_it_can_be_sent() {
        let check = |parameters: &str, level| {
            assert_eq!(h264_level(parameters), level, "{parameters}");
        };
        check(
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
            Some(31),
        );
        check("profile-level-id=42C028;packetization-mode=1", Some(40));
        check("profile-level-id=42e00d;packetization-mode=1", Some(13));
        check("profile-level-id=42e01f;packetization-mode=0", None);
        check("profile-level-id=42e01f", None);
        check("profile-level-id=42001f;packetization-mode=1", None);
        check("profile-level-id=64001f;packetization-mode=1", None);
        check("profile-level-id=x;packetization-mode=1", None);
        check("packetization-mode=1", None);
        check("minptime=10;useinbandfec=1", None);

        let good = fingerprint("sha-256", "ab");
        let high = "a=fmtp:102 profile-level-id=42e01f; packetization-mode=1";
        let low = "a=fmtp:104 packetization-mode=1;profile-level-id=42e00d";
        let found = inspect(&sdp(&[&good, "a=mid:0", high, low])).unwrap();
        assert_eq!(found.lines[0].1.h264_level, LEVEL_3_1);
    }

    #[test]
    fn another_path_is_left_out() {
        let good = fingerprint("sha-256", "ab");
        let udp = "a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host";
        let found = inspect(&sdp(&[&good, "a=mid:0", udp])).unwrap();
        let known = Credentials {
            user: Secret::new("wxyz"),
            password: Secret::new("ABCDEFGHIJKLMNOPQRSTUV"),
        };
        let kept = found.on_the_path_of(&known);
        let other = found.sdp.replace("abcd", "wxyz");
        let other = other.replace("0123456789012345678901", "ABCDEFGHIJKLMNOPQRSTUV");
        assert_eq!(kept, other.replace(&format!("{udp}\r\n"), ""));
        let same = found.on_the_path_of(&found.credentials);
        assert_eq!(same, found.sdp.replace(&format!("{udp}\r\n"), ""));
    }

    #[test]
    fn one_line_is_for_data_channels() {
        let good = fingerprint("sha-256", "ab");
        let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel";
        assert_eq!(inspect(&sdp(&[&good, data])).unwrap().data, Some(1));
        check(&[&good, data, data], Err(Refusal::NotApplicable));
    }

    #[test]
    fn bounds_the_size() {
        let good = fingerprint("sha-256", "ab");
        let long = format!("a=x:{}", "y".repeat(MAX_BYTES));
        assert_eq!(inspect(&sdp(&[&good, &long])), Err(Refusal::TooLarge));
        let lines = vec!["m=audio 9 UDP/TLS/RTP/SAVPF 111"; MAX_MEDIA_LINES];
        check(
            &[lines.as_slice(), &[&good]].concat(),
            Err(Refusal::TooManyMediaLines),
        );
        assert_eq!(inspect("v=0"), Err(Refusal::NoMedia));
    }
}
