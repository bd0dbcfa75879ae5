// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::path::PathBuf;

use serde_json::json;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The room does not do it.
    #[error("{text}")]
    Refused {
        /// The end of the D-Bus error's name, such as `NotNow`.
        name: String,
        /// What to do about it.
        text: String,
    },
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// Standard input should have brought a password.
    #[error("standard input brought no password")]
    NoPassword,
    /// No bus, or nobody on it.
    #[error("{0}")]
    Unreachable(String),
    /// The sound test ended without a result.
    #[error("the sound test ended early: somebody stopped it, or a call began; start it again")]
    TestEnded,
    /// The file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// roomd's answer is not understood.
    #[error("roomd's answer is not understood; roomctl and roomd should have the same version")]
    Answer(#[from] serde_json::Error),
}

const START: &str = "is it running? `systemctl status roomd` tells, `systemctl start roomd` \
    starts it; `--bus` names another bus";

impl Failure {
    pub(crate) fn usage(error: &clap::Error) -> Self {
        Self::Usage(error.to_string().trim_end().to_owned())
    }

    /// Of a bus that could not be reached.
    pub(crate) fn no_bus(error: &zbus::Error) -> Self {
        Self::Unreachable(format!("no D-Bus ({error}); {START}"))
    }

    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. } | Self::TestEnded | Self::Write { .. } => 1,
            Self::Usage(_) | Self::NoPassword => 2,
            Self::Unreachable(_) | Self::Answer(_) => 3,
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            // clap's own text begins with the word already.
            Self::Usage(text) => text.clone(),
            Self::Refused { .. }
            | Self::NoPassword
            | Self::TestEnded
            | Self::Unreachable(_)
            | Self::Write { .. }
            | Self::Answer(_) => format!("error: {self}"),
        }
    }

    pub(crate) fn json(&self) -> String {
        json!({"error": {
            "code": self.code(),
            "message": self.to_string(),
            "exitCode": self.exit_code(),
        }})
        .to_string()
    }

    fn code(&self) -> &str {
        match self {
            Self::Refused { name, .. } => name,
            Self::Usage(_) => "Usage",
            Self::NoPassword => "NoPassword",
            Self::TestEnded => "TestEnded",
            Self::Unreachable(_) => "Unreachable",
            Self::Write { .. } => "Write",
            Self::Answer(_) => "Answer",
        }
    }
}

impl From<zbus::Error> for Failure {
    fn from(error: zbus::Error) -> Self {
        let zbus::Error::MethodError(name, text, _) = &error else {
            return Self::Unreachable(format!("roomd does not answer ({error}); {START}"));
        };
        let text = text.clone().unwrap_or_default();
        if let Some(name) = name.strip_prefix("org.roomd.Error.") {
            return Self::Refused {
                name: name.to_owned(),
                text,
            };
        }
        match name.strip_prefix("org.freedesktop.DBus.Error.") {
            Some("AccessDenied") => Self::Refused {
                name: "AccessDenied".to_owned(),
                text: "the bus does not let this user operate the room; use sudo, or join the \
                       group roomd-operators"
                    .to_owned(),
            },
            Some("UnknownMethod" | "InvalidArgs") => Self::Refused {
                name: "UnknownMethod".to_owned(),
                text: format!("roomd does not know this ({text}); is it an older version?"),
            },
            Some(_) | None => {
                Self::Unreachable(format!("roomd is not on the bus ({text}); {START}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_and_json_agree() {
        let refused = Failure::Refused {
            name: "NotNow".to_owned(),
            text: "not in a call".to_owned(),
        };
        assert_eq!(refused.exit_code(), 1);
        assert_eq!(refused.text(), "error: not in a call");
        let json: serde_json::Value = serde_json::from_str(&refused.json()).unwrap();
        assert_eq!(json["error"]["code"], "NotNow");
        assert_eq!(json["error"]["exitCode"], 1);
        let gone = Failure::from(zbus::Error::InterfaceNotFound);
        assert_eq!(gone.exit_code(), 3);
        assert!(gone.text().contains("systemctl start roomd"));
    }
}
