// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! STUN servers' answers and URLs, as the fuzz targets reach them.

use std::net::{Ipv4Addr, SocketAddr};

use super::stun;

/// Where the transaction stands in a message (RFC 8489, section 5).
const TRANSACTION: std::ops::Range<usize> = 4..20;

/// Reads an answer to a binding request; cookie and transaction are put in.
///
/// # Panics
/// If an address is believed that nobody can have.
pub fn stun_answer(datagram: &[u8]) {
    let server = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 3478));
    let request = stun::Request::new(server);
    let mut answer = datagram.to_vec();
    if let (Some(place), Some(asked)) = (
        answer.get_mut(TRANSACTION),
        request.bytes().get(TRANSACTION),
    ) {
        place.copy_from_slice(asked);
    }
    for source in [
        server,
        SocketAddr::from((Ipv4Addr::new(192, 0, 2, 2), 3478)),
    ] {
        let mapped = request.answer(source, &answer);
        assert!(mapped.is_none_or(|mapped| source == server && mapped.port() != 0));
    }
}

/// Reads a URL.
///
/// # Panics
/// If a URL is counted twice.
pub fn stun_url(url: &str) {
    let (found, skipped) = stun::servers(std::iter::once(url));
    assert_eq!(found.len() + skipped, 1);
}
