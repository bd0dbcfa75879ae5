// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! HTTP between the parts and to a browser, on loopback.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use axum::Router;
use serde_json::json;
use tokio::net::TcpListener;

/// Serves on a free port, and tells which.
pub async fn serve(routes: Router) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::tell(&json!({ "address": listener.local_addr()?.to_string() }));
    axum::serve(listener, routes).await?;
    Ok(())
}

/// Gets `path`, or posts a body to it.
pub fn request(address: &str, path: &str, body: Option<&str>) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).context("the far end is not there")?;
    let (method, body) = body.map_or(("GET", ""), |body| ("POST", body));
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.context("the far end gives no answer")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    ensure!(head.contains(" 200 "), "the far end refuses: {head}");
    Ok(answer.split_off(end + 4))
}
