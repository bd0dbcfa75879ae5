// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Simulcast described by SSRCs, for servers that know no RID.
//!
//! The transport describes layers by RID only. In the lines concerned, what says so is replaced by
//! the group of the layers' SSRCs, in the same order (`a=ssrc-group:SIM`, as browsers wrote it before
//! RFC 8853).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use str0m::media::Mid;

/// Rewrites the m-lines given.
pub(super) fn by_ssrc(sdp: &str, lines: &BTreeMap<Mid, Vec<String>>) -> String {
    if lines.is_empty() {
        return sdp.to_owned();
    }
    sections(sdp)
        .map(|section| {
            let mid = section.lines().find_map(|line| line.strip_prefix("a=mid:"));
            if mid.is_some_and(|mid| lines.contains_key(&Mid::from(mid.trim()))) {
                grouped(section)
            } else {
                section.to_owned()
            }
        })
        .collect()
}

/// What comes before the first m-line, and each m-line with what belongs to it.
fn sections(sdp: &str) -> impl Iterator<Item = &str> {
    let starts = sdp.match_indices("m=").map(|(at, _)| at);
    let mut starts: Vec<usize> = starts
        .filter(|&at| at == 0 || sdp.as_bytes().get(at - 1) == Some(&b'\n'))
        .collect();
    starts.insert(0, 0);
    let ends = starts.iter().skip(1).copied().chain([sdp.len()]);
    let ranges: Vec<_> = starts.iter().copied().zip(ends).collect();
    ranges
        .into_iter()
        .filter_map(|(start, end)| sdp.get(start..end))
}

fn grouped(section: &str) -> String {
    let mut text = String::with_capacity(section.len() + 64);
    let mut layers: Vec<&str> = Vec::new();
    for line in section.lines() {
        if line.starts_with("a=rid:") || line.starts_with("a=simulcast:") {
            continue;
        }
        if let Some(pair) = line.strip_prefix("a=ssrc-group:FID ") {
            layers.extend(pair.split(' ').next());
        }
        text.push_str(line);
        text.push_str("\r\n");
    }
    if layers.len() > 1 {
        // Writing into a string cannot fail.
        let _ = write!(text, "a=ssrc-group:SIM {}\r\n", layers.join(" "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\nm=audio 9 X 111\r\na=mid:a\r\nm=video 9 X 96\r\na=mid:v\r\n\
        a=rid:l send\r\na=rid:h send\r\na=simulcast:send l;h\r\na=ssrc:1 cname:x\r\n\
        a=ssrc:3 cname:x\r\na=ssrc-group:FID 1 2\r\na=ssrc-group:FID 3 4\r\n";

    fn line(mid: &str) -> BTreeMap<Mid, Vec<String>> {
        BTreeMap::from([(Mid::from(mid), vec![])])
    }

    #[test]
    fn only_the_line_given_is_rewritten() {
        assert_eq!(by_ssrc(SDP, &BTreeMap::new()), SDP);
        assert_eq!(by_ssrc(SDP, &line("a")), SDP);
        let text = by_ssrc(SDP, &line("v"));
        let expected = "v=0\r\nm=audio 9 X 111\r\na=mid:a\r\nm=video 9 X 96\r\na=mid:v\r\n\
            a=ssrc:1 cname:x\r\na=ssrc:3 cname:x\r\na=ssrc-group:FID 1 2\r\n\
            a=ssrc-group:FID 3 4\r\na=ssrc-group:SIM 1 3\r\n";
        assert_eq!(text, expected);
    }
}
