// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A test in network namespaces of its own: it runs itself once more in each.

use std::process::{Command, Output};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Which part of a test a process plays; not set in the one that began.
pub const ROLE: &str = "NETWORK_ROLE";
/// Where the parts talk to each other.
pub const SOCKET: &str = "NETWORK_SOCKET";

/// Plays a test's first part in a network of its own.
pub fn begin(name: &str, role: &str) {
    let root = run(Command::new("id").arg("-u")).stdout == b"0\n";
    let namespaces = if root { "-n" } else { "-Urn" };
    let output = again(name, role, namespaces).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    // The count shows that it ran, and was not filtered out.
    let passed = output.status.success() && text.contains("1 passed");
    assert!(passed, "{text}\n{errors}");
}

pub fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work);
}

/// This test once more, in another role.
pub fn again(name: &str, role: &str, namespaces: &str) -> Command {
    let mut command = Command::new("unshare");
    command
        .arg(namespaces)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ROLE, role);
    command
}

pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

pub fn ip(arguments: &str) {
    run(Command::new("ip").args(arguments.split(' ')));
}

pub async fn say(stream: &mut (impl AsyncWrite + Unpin), text: &str) {
    stream.write_u32(text.len() as u32).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
}

pub async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> String {
    hear_next(stream).await.expect("the other side is there")
}

/// The same, or none when the other side is gone.
pub async fn hear_next(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let length = stream.read_u32().await.ok()?;
    let mut text = vec![0; length as usize];
    stream.read_exact(&mut text).await.ok()?;
    String::from_utf8(text).ok()
}
