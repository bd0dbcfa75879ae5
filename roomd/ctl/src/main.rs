// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Operates a room over D-Bus.

mod arguments;
mod failure;
mod print;
mod proxy;
mod run;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::failure::Failure;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let wants_json = std::env::args().any(|argument| argument == "--json");
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if wants_json && error.use_stderr() => {
            return report(&Failure::usage(&error), true);
        }
        Err(error) => error.exit(),
    };
    let json = arguments.json;
    match run::run(arguments).await {
        Ok(output) => {
            let text = if json { output.json() } else { output.text() };
            // A closed pipe is the reader's wish.
            let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(failure) => report(&failure, json),
    }
}

fn report(failure: &Failure, json: bool) -> ExitCode {
    let _ = if json {
        writeln!(std::io::stdout(), "{}", failure.json())
    } else {
        writeln!(std::io::stderr(), "{}", failure.text())
    };
    ExitCode::from(failure.exit_code())
}
