// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a remote description must hold before the transport sees it.
//!
//! Invariants: a description passes only with exactly one sha-256 certificate fingerprint (RFC 8122)
//! and with ICE credentials; what the transport cannot use (other hashes, TCP candidates, candidates
//! with host names, candidates above the limit) is removed here, so that its parser never sees it.

use str0m::Candidate;

/// Longest description, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// Longest line of a description, in bytes.
const MAX_LINE: usize = 4 * 1024;
/// Most m-lines of a description.
const MAX_MEDIA_LINES: usize = 32;
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
    #[error("connection_ended")]
    Ended,
}

/// A description that may be given to the transport.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Description {
    /// The description, reduced to what the transport uses.
    pub(super) sdp: String,
    /// The sha-256 digest that the peer's certificate must have.
    pub(super) fingerprint: [u8; 32],
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
    let fingerprint = found.finish()?;
    Ok(Description { sdp, fingerprint })
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

#[derive(Default)]
struct Found {
    media_lines: usize,
    candidates: usize,
    user: bool,
    password: bool,
    other_hash: bool,
    fingerprint: Option<[u8; 32]>,
}

impl Found {
    /// Whether the transport gets this line.
    fn keeps(&mut self, line: &str) -> Result<bool, Refusal> {
        if line.starts_with("m=") {
            self.media_lines += 1;
        }
        let Some(attribute) = line.strip_prefix("a=") else {
            return Ok(true);
        };
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "fingerprint" => self.fingerprint(value),
            "candidate" => {
                self.candidates += 1;
                Ok(self.candidates <= MAX_CANDIDATES && candidate(attribute).is_some())
            }
            "ice-ufrag" => {
                self.user = true;
                Ok(true)
            }
            "ice-pwd" => {
                self.password = true;
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    fn fingerprint(&mut self, value: &str) -> Result<bool, Refusal> {
        let mut words = value.split_whitespace();
        let hash = words.next().ok_or(Refusal::FingerprintMalformed)?;
        if !hash.eq_ignore_ascii_case("sha-256") {
            self.other_hash = true;
            return Ok(false);
        }
        let digest = words
            .next()
            .and_then(digest)
            .ok_or(Refusal::FingerprintMalformed)?;
        if words.next().is_some() {
            return Err(Refusal::FingerprintMalformed);
        }
        match self.fingerprint {
            Some(known) if known != digest => Err(Refusal::FingerprintAmbiguous),
            Some(_) | None => {
                self.fingerprint = Some(digest);
                Ok(true)
            }
        }
    }

    fn finish(self) -> Result<[u8; 32], Refusal> {
        if self.media_lines == 0 {
            return Err(Refusal::NoMedia);
        }
        if self.media_lines > MAX_MEDIA_LINES {
            return Err(Refusal::TooManyMediaLines);
        }
        let missing = if self.other_hash {
            Refusal::FingerprintHash
        } else {
            Refusal::FingerprintMissing
        };
        let fingerprint = self.fingerprint.ok_or(missing)?;
        if !self.user || !self.password {
            return Err(Refusal::CredentialsMissing);
        }
        Ok(fingerprint)
    }
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let mut pairs = text.split(':');
    for byte in &mut digest {
        let pair = pairs.next().filter(|pair| pair.len() == 2)?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    pairs.next().is_none().then_some(digest)
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
        format!("a=fingerprint:{hash} {}", vec![byte; 32].join(":"))
    }

    fn check(lines: &[&str], expected: Result<[u8; 32], Refusal>) {
        assert_eq!(
            inspect(&sdp(lines)).map(|found| found.fingerprint),
            expected,
            "{lines:?}"
        );
    }

    #[test]
    fn takes_one_sha256_fingerprint_only() {
        let good = fingerprint("SHA-256", "ab");
        let other = fingerprint("sha-256", "cd");
        check(&[], Err(Refusal::FingerprintMissing));
        check(
            &[&fingerprint("sha-512", "ab")],
            Err(Refusal::FingerprintHash),
        );
        check(
            &[&fingerprint("sha-1", "ab")],
            Err(Refusal::FingerprintHash),
        );
        check(
            &["a=fingerprint:sha-256 AB:CD"],
            Err(Refusal::FingerprintMalformed),
        );
        check(&["a=fingerprint:"], Err(Refusal::FingerprintMalformed));
        check(&[&good, &other], Err(Refusal::FingerprintAmbiguous));
        check(&[&good, &good], Ok([0xab; 32]));
        check(&[&fingerprint("sha-1", "00"), &good], Ok([0xab; 32]));
    }

    #[test]
    fn removes_what_the_transport_cannot_use() {
        let good = fingerprint("sha-256", "ab");
        let name = "a=candidate:1 1 udp 2122260223 0a1b.local 50000 typ host";
        let tcp = "a=candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active";
        let udp = "a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host";
        let found = inspect(&sdp(&[&good, &fingerprint("sha-1", "00"), name, tcp, udp])).unwrap();
        assert_eq!(found.sdp.matches("a=candidate").count(), 1);
        assert_eq!(found.sdp.matches("a=fingerprint").count(), 1);

        let many: Vec<String> = (0..500)
            .map(|port| format!("a=candidate:1 1 udp 1 192.0.2.1 {} typ host", port + 1000))
            .collect();
        let mut lines: Vec<&str> = many.iter().map(String::as_str).collect();
        lines.push(&good);
        let found = inspect(&sdp(&lines)).unwrap();
        assert_eq!(found.sdp.matches("a=candidate").count(), MAX_CANDIDATES);
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
