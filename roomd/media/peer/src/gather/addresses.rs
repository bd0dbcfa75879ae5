// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which local addresses a connection uses.

use std::net::IpAddr;

use if_addrs::Interface;

use crate::PeerConfig;

/// Most local addresses.
const MAX_ADDRESSES: usize = 8;

/// The addresses to open sockets on, in a stable order.
pub(crate) fn local(config: &PeerConfig) -> Vec<IpAddr> {
    let mut addresses = if config.addresses.is_empty() {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let found = interfaces
            .iter()
            .filter(|interface| interface.is_oper_up() || interface.is_loopback());
        choose(found.map(Interface::ip), config.include_loopback)
    } else {
        config.addresses.clone()
    };
    addresses.truncate(MAX_ADDRESSES);
    addresses
}

fn choose(addresses: impl Iterator<Item = IpAddr>, include_loopback: bool) -> Vec<IpAddr> {
    let mut usable: Vec<IpAddr> = addresses.filter(|address| is_usable(*address)).collect();
    // IPv4 first, as most peers have it; the order is only a tie-break for ICE.
    usable.sort_by_key(|address| (address.is_loopback(), address.is_ipv6(), *address));
    usable.dedup();
    let has_other = usable.iter().any(|address| !address.is_loopback());
    if has_other && !include_loopback {
        usable.retain(|address| !address.is_loopback());
    }
    usable
}

fn is_usable(address: IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !link_local && !address.is_unspecified() && !address.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addresses: &[&str], include_loopback: bool, expected: &[&str]) {
        let parse = |list: &[&str]| -> Vec<IpAddr> {
            list.iter()
                .map(|address| address.parse().unwrap())
                .collect()
        };
        let found = choose(parse(addresses).into_iter(), include_loopback);
        assert_eq!(found, parse(expected), "{addresses:?}");
    }

    #[test]
    fn chooses_addresses() {
        let all = [
            "::1",
            "fe80::1",
            "2001:db8::1",
            "127.0.0.1",
            "192.0.2.1",
            "192.0.2.1",
        ];
        check(&all, false, &["192.0.2.1", "2001:db8::1"]);
        check(
            &all,
            true,
            &["192.0.2.1", "2001:db8::1", "127.0.0.1", "::1"],
        );
        check(&["127.0.0.1", "fe80::1"], false, &["127.0.0.1"]);
        check(&[], true, &[]);
    }
}
