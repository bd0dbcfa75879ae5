// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Addresses remembered at most; beyond it, those that have rested longest are forgotten.
const ADDRESSES: usize = 1024;

/// A token bucket: a burst, then a steady rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    burst: f64,
    per_second: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    pub(crate) fn new(burst: u32, per_second: f64, now: Instant) -> Self {
        Self {
            burst: f64::from(burst),
            per_second,
            level: f64::from(burst),
            at: now,
        }
    }

    /// Takes one token.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.take_many(1.0, now)
    }

    /// Takes `amount` tokens, or none.
    pub(crate) fn take_many(&mut self, amount: f64, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * self.per_second).min(self.burst);
        self.at = self.at.max(now);
        if self.level < amount {
            return false;
        }
        self.level -= amount;
        true
    }

    /// How long until the next token.
    pub(crate) fn wait(&self) -> Duration {
        let missing = (1.0 - self.level).max(0.0);
        Duration::try_from_secs_f64(missing / self.per_second).unwrap_or(Duration::from_secs(60))
    }

    fn rested(&self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level + passed * self.per_second >= self.burst
    }
}

/// One bucket for each address.
#[derive(Debug)]
pub(crate) struct PerAddress {
    burst: u32,
    per_second: f64,
    buckets: BTreeMap<IpAddr, Bucket>,
}

impl PerAddress {
    pub(crate) const fn new(burst: u32, per_second: f64) -> Self {
        Self {
            burst,
            per_second,
            buckets: BTreeMap::new(),
        }
    }

    /// Takes a token of the address, or says how long until there is one.
    pub(crate) fn take(&mut self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let address = subnet(address);
        if self.buckets.len() >= ADDRESSES && !self.buckets.contains_key(&address) {
            self.buckets.retain(|_, bucket| !bucket.rested(now));
            if self.buckets.len() >= ADDRESSES {
                return Err(Duration::from_secs(1));
            }
        }
        let bucket = self
            .buckets
            .entry(address)
            .or_insert_with(|| Bucket::new(self.burst, self.per_second, now));
        if bucket.take(now) {
            Ok(())
        } else {
            Err(bucket.wait())
        }
    }
}

/// What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, because one machine
/// owns all of it.
pub(crate) fn subnet(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let network = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(3, 2.0, start);
        let taken = (0..10).filter(|_| bucket.take(start)).count();
        assert_eq!(taken, 3);
        assert_eq!(bucket.wait(), Duration::from_millis(500));
        assert!(!bucket.take(start + Duration::from_millis(400)));
        assert!(bucket.take(start + Duration::from_millis(600)));
        let later = start + Duration::from_secs(3600);
        assert_eq!((0..10).filter(|_| bucket.take(later)).count(), 3);
    }

    #[test]
    fn addresses_do_not_share_and_a_network_counts_once() {
        let now = Instant::now();
        let mut limit = PerAddress::new(1, 0.1);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(limit.take(ip("192.0.2.1"), now).is_ok());
        assert!(limit.take(ip("::ffff:192.0.2.1"), now).is_err());
        assert!(limit.take(ip("192.0.2.2"), now).is_ok());
        assert!(limit.take(ip("2001:db8::1"), now).is_ok());
        assert!(limit.take(ip("2001:db8::ffff"), now).is_err());
        assert!(limit.take(ip("2001:db8:0:1::1"), now).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let now = Instant::now();
        let mut limit = PerAddress::new(1, 0.001);
        for number in 0..3000_u32 {
            let _ = limit.take(IpAddr::V4(number.into()), now);
        }
        assert_eq!(limit.buckets.len(), ADDRESSES);
        let later = now + Duration::from_secs(10_000);
        assert!(limit.take(IpAddr::V4(9_999_u32.into()), later).is_ok());
        assert_eq!(limit.buckets.len(), 1);
    }
}
