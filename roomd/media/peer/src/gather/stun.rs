// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! STUN binding requests and their answers.

use std::net::SocketAddr;

use stun_types::attribute::XorMappedAddress;
use stun_types::message::{
    BINDING, Message, MessageClass, MessageWrite, MessageWriteExt, MessageWriteVec, TransactionId,
};

const PORT: u16 = 3478;

/// One request to one server.
#[derive(Debug)]
pub(super) struct Request {
    server: SocketAddr,
    transaction: TransactionId,
    bytes: Vec<u8>,
}

impl Request {
    /// Makes a request with a transaction of its own.
    pub(super) fn new(server: SocketAddr) -> Self {
        let message = Message::builder_request(BINDING, MessageWriteVec::new());
        let transaction = message.transaction_id();
        Self {
            server,
            transaction,
            bytes: message.finish(),
        }
    }

    pub(super) const fn server(&self) -> SocketAddr {
        self.server
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The address in the answer; none when the datagram is anything else.
    pub(super) fn answer(&self, source: SocketAddr, datagram: &[u8]) -> Option<SocketAddr> {
        if source != self.server {
            return None;
        }
        let message = Message::from_bytes(datagram).ok()?;
        let fits = message.transaction_id() == self.transaction
            && message.has_method(BINDING)
            && message.has_class(MessageClass::Success);
        let mapped = message
            .attribute::<XorMappedAddress>()
            .ok()?
            .addr(self.transaction);
        let usable = mapped.is_ipv4() == self.server.is_ipv4()
            && mapped.port() != 0
            && !mapped.ip().is_unspecified()
            && !mapped.ip().is_multicast();
        (fits && usable).then_some(mapped)
    }
}

/// Reads `stun:` URLs (RFC 7064); also gives the number of those that are something else.
pub(super) fn servers<'a>(urls: impl Iterator<Item = &'a str>) -> (Vec<(String, u16)>, usize) {
    let mut found = Vec::new();
    let mut skipped = 0;
    for url in urls {
        match server(url) {
            Some(server) => found.push(server),
            None => skipped += 1,
        }
    }
    (found, skipped)
}

fn server(url: &str) -> Option<(String, u16)> {
    let rest = url.strip_prefix("stun:")?;
    let (host, port) = if let Some(rest) = rest.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        (host, port.strip_prefix(':'))
    } else {
        rest.split_once(':')
            .map_or((rest, None), |(host, port)| (host, Some(port)))
    };
    let port = port.map_or(Some(PORT), |port| port.parse().ok())?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:_".contains(letter);
    (!host.is_empty() && host.chars().all(plain)).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_urls() {
        let check = |url: &str, expected: Option<(&str, u16)>| {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(server(url), expected, "{url}");
        };
        check("stun:stun.example.org", Some(("stun.example.org", 3478)));
        check("stun:192.0.2.1:19302", Some(("192.0.2.1", 19302)));
        check("stun:[2001:db8::1]:3479", Some(("2001:db8::1", 3479)));
        check("stun:[2001:db8::1]", Some(("2001:db8::1", 3478)));
        check("stun:", None);
        check("stun:host:port", None);
        check("turn:turn.example.org", None);
        check("https://example.org", None);
    }

    #[test]
    fn believes_only_the_answer_to_its_request() {
        let server: SocketAddr = "192.0.2.1:3478".parse().unwrap();
        let mapped: SocketAddr = "203.0.113.9:40000".parse().unwrap();
        let request = Request::new(server);
        let answer = |asked: &Request| {
            let asked = Message::from_bytes(asked.bytes()).unwrap();
            let mut answer = Message::builder_success(&asked, MessageWriteVec::new());
            let address = XorMappedAddress::new(mapped, asked.transaction_id());
            answer.add_attribute(&address).unwrap();
            answer.finish()
        };
        let good = answer(&request);
        assert_eq!(request.answer(server, &good), Some(mapped));
        assert_eq!(
            request.answer("192.0.2.2:3478".parse().unwrap(), &good),
            None
        );
        assert_eq!(request.answer(server, &answer(&Request::new(server))), None);
        assert_eq!(request.answer(server, request.bytes()), None);
        assert_eq!(request.answer(server, &good[..good.len() - 3]), None);
    }
}
