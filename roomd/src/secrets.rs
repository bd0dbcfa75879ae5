// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The files that hold the room's secrets: read, and looked at for who else may read them.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use roomd_config::{CalendarSource, MatrixLogin, Settings};
use roomd_model::Secret;

/// A token that is guessed opens the room's figures to strangers.
const METRICS_TOKEN_LENGTH: usize = 32;
/// Readable by whoever is on the device (chmod(2)).
const OTHERS_READ: u32 = 0o004;

/// A file with a secret on its first line.
pub struct SecretFile {
    pub path: PathBuf,
    what: &'static str,
}

/// Says that everybody on the device can read it.
impl fmt::Display for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, path) = (self.what, self.path.display());
        write!(
            f,
            "{what} in {path} can be read by every user of this device: `chmod 600 {path}`"
        )
    }
}

impl SecretFile {
    fn read(&self) -> anyhow::Result<Secret> {
        let text = std::fs::read_to_string(&self.path)
            .with_context(|| format!("cannot read {} in {}", self.what, self.path.display()))?;
        Ok(Secret::new(text.lines().next().unwrap_or_default()))
    }

    fn is_exposed(&self) -> bool {
        let mode = std::fs::metadata(&self.path).map(|metadata| metadata.mode());
        mode.is_ok_and(|mode| mode & OTHERS_READ != 0)
    }
}

/// What is wrong with the files that the configuration names, as lines for people. A room without
/// them holds its meetings all the same, so only `check-config` insists.
pub fn faults(settings: &Settings) -> Vec<String> {
    let unread = files(settings)
        .into_iter()
        .filter_map(|file| file.read().err())
        .chain(metrics_token(settings).err());
    let mut lines: Vec<_> = unread.map(|error| format!("error: {error:#}")).collect();
    // A token that cannot be read is no good token either.
    lines.dedup();
    lines.extend(
        exposed(settings)
            .iter()
            .map(|file| format!("error: {file}")),
    );
    lines
}

/// Tells the operator of files that everybody on the device can read.
pub fn warn(settings: &Settings) {
    for file in exposed(settings) {
        tracing::warn!(code = "secret-exposed", "{file}");
    }
}

fn exposed(settings: &Settings) -> Vec<SecretFile> {
    let mut files = files(settings);
    files.retain(SecretFile::is_exposed);
    files
}

/// The password of the TURN server, where one is configured.
pub fn turn_password(settings: &Settings) -> anyhow::Result<Option<Secret>> {
    turn(settings).map(|file| file.read()).transpose()
}

/// The token that opens the room's figures, where one is configured.
pub fn metrics_token(settings: &Settings) -> anyhow::Result<Option<Secret>> {
    let Some(file) = metrics(settings) else {
        return Ok(None);
    };
    let token = file.read()?;
    anyhow::ensure!(
        token.expose().len() >= METRICS_TOKEN_LENGTH,
        "the token in {} has fewer than {METRICS_TOKEN_LENGTH} characters: \
         make one with `openssl rand -hex 32`",
        file.path.display()
    );
    Ok(Some(token))
}

/// All of them; the token of the figures is the last.
fn files(settings: &Settings) -> Vec<SecretFile> {
    let calendar = match &settings.calendar.source {
        CalendarSource::None | CalendarSource::File(_) => None,
        CalendarSource::Ics(remote) | CalendarSource::CalDav(remote) => {
            remote.password_file.as_ref()
        }
    };
    let matrix = settings.matrix.as_ref();
    let login = matrix.map(|matrix| match &matrix.login {
        MatrixLogin::Password(file) | MatrixLogin::Token(file) => file,
    });
    let recovery = matrix.and_then(|matrix| matrix.recovery_key_file.as_ref());
    let named = [
        (calendar, "the calendar's password"),
        (login, "the Matrix account's secret"),
        (recovery, "the recovery key"),
    ];
    let named = named
        .into_iter()
        .filter_map(|(path, what)| Some(file(path?, what)));
    named
        .chain(turn(settings))
        .chain(metrics(settings))
        .collect()
}

fn turn(settings: &Settings) -> Option<SecretFile> {
    let turn = settings.media.turn.as_ref()?;
    Some(file(&turn.password_file, "the TURN server's password"))
}

fn metrics(settings: &Settings) -> Option<SecretFile> {
    let path = settings.web.metrics_token_file.as_ref()?;
    Some(file(path, "the token of the figures"))
}

fn file(path: &Path, what: &'static str) -> SecretFile {
    SecretFile {
        path: path.to_owned(),
        what,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn settings(folder: &Path) -> Settings {
        let folder = folder.display();
        let text = format!(
            "[room]\nname = \"Elbe\"\n[web]\nmetrics_token_file = \"{folder}/token\"\n\
             [matrix]\nhomeserver = \"https://matrix.example.org\"\n\
             user = \"@elbe:example.org\"\npassword_file = \"{folder}/password\"\n"
        );
        roomd_config::parse(&text, "test").unwrap()
    }

    fn write(path: &Path, text: &str, mode: u32) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_cannot_be_read_or_everybody_can_read_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let faults = faults(&settings);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults.iter().all(|line| line.contains("cannot read")));

        write(&folder.path().join("password"), "secret\n", 0o644);
        write(&folder.path().join("token"), &"t".repeat(32), 0o640);
        let faults = super::faults(&settings);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("chmod 600"), "{faults:?}");
        assert!(faults[0].contains("the Matrix account's secret"));

        write(&folder.path().join("password"), "secret\n", 0o600);
        write(&folder.path().join("token"), "short", 0o600);
        let faults = super::faults(&settings);
        assert!(faults[0].contains("fewer than 32"), "{faults:?}");
        assert_eq!(faults.len(), 1);
    }
}
