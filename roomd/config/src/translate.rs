// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use crate::ConfigError;

/// Says in our words what the TOML parser found.
pub fn translate(text: &str, file: &str, error: &toml::de::Error) -> ConfigError {
    let span = error.span().unwrap_or(0..0);
    let message = error.message();
    let refuse = |cause: String| ConfigError::new(text, file, span.clone(), cause);
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field")
        && let Some(key) = quoted.next()
    {
        let known: Vec<&str> = quoted.collect();
        let unknown = refuse(format!("unknown key `{key}`"));
        return match nearest(key, &known) {
            Some(meant) => unknown.with_help(format!("did you mean `{meant}`?")),
            None => unknown.with_help(format!("known here: {}", known.join(", "))),
        };
    }
    if message.starts_with("unknown variant") {
        let value = quoted.next().unwrap_or_default();
        let known: Vec<String> = quoted.map(|known| format!("\"{known}\"")).collect();
        return refuse(format!("unknown value \"{value}\""))
            .with_help(format!("use {}", known.join(" or ")));
    }
    let first = message.lines().next().unwrap_or("not TOML");
    // The value itself may be a secret.
    if first.starts_with("invalid type")
        && let Some((_, expected)) = first.rsplit_once(", expected ")
    {
        return refuse(format!("wrong type: expected {expected}"));
    }
    refuse(first.to_owned())
}

/// The known key that a typing error turns into this one.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (distance(key, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3).min(3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two words, a swap of neighbours counting as one.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(40).collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(from != to);
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *to && *from == b[j - 1] {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
