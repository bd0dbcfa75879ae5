// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Serves simulated conference bars over USB/IP: `usb-bar --help`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::net::{TcpListener, UnixListener};

/// Simulated conference bars over USB/IP.
#[derive(Parser)]
struct Arguments {
    /// Where hosts find the bars; loopback, as there is no protection.
    #[arg(long, default_value = "127.0.0.1:3240")]
    listen: SocketAddr,
    /// The socket that takes orders, one line each, and answers each with a line of JSON.
    #[arg(long, value_name = "PATH")]
    control: PathBuf,
    /// The serial number of a bar; several make several.
    #[arg(long = "serial", value_name = "SERIAL", required = true)]
    serials: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let devices = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let path = &arguments.control;
    let control = UnixListener::bind(path).with_context(|| {
        format!(
            "cannot make {}: remove what is left of an earlier run",
            path.display()
        )
    })?;
    usb_bar::serve::serve(devices, control, &arguments.serials)
        .await
        .context("a listener failed")
}
