// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! JSON over HTTP, as the servers of the laboratory speak it.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Longer than any server takes that is there.
const LIMIT: &str = "20";

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; a JSON string when it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The body of a success; everything else is an error.
    pub fn success(self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            bail!("status {}: {}", self.status, self.body);
        }
        Ok(self.body)
    }
}

/// Asks without a body.
pub fn get(url: &str, bearer: Option<&str>) -> Result<Answer> {
    ask("GET", url, bearer, None)
}

/// Asks with a body.
pub fn post(url: &str, bearer: Option<&str>, body: &Value) -> Result<Answer> {
    ask("POST", url, bearer, Some(body))
}

/// Asks; an error means that there was no answer.
pub fn ask(method: &str, url: &str, bearer: Option<&str>, body: Option<&Value>) -> Result<Answer> {
    let mut command = Command::new("curl");
    command
        .args([
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--max-time",
            LIMIT,
        ])
        .args(["--write-out", "\n%{http_code}", "--request", method])
        .args(["--header", "Content-Type: application/json"]);
    if let Some(token) = bearer {
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    if body.is_some() {
        command.args(["--data-binary", "@-"]);
    }
    let mut child = command
        .arg(url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start curl")?;
    // Dropped at once, which ends the input.
    if let (Some(mut input), Some(body)) = (child.stdin.take(), body) {
        input.write_all(body.to_string().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("{method} {url}: {}", error.trim());
    }
    let text = String::from_utf8(output.stdout).context("the answer is no text")?;
    let (body, status) = text.rsplit_once('\n').context("no answer")?;
    Ok(Answer {
        status: status.parse()?,
        body: serde_json::from_str(body).unwrap_or_else(|_| body.into()),
    })
}

/// Text as a part of a path or a query.
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn identifiers_fit_into_a_path() {
        assert_eq!(escape("!a:b.c/_d#1"), "%21a%3Ab.c%2F_d%231");
    }
}
