// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `[matrix]`: the room's account, and which meetings it joins with it.

use roomd_model::Pii;
use toml::Spanned;

use crate::check::{Checked, Checker};
use crate::hosts::is_host;
use crate::{Matrix, MatrixLogin, raw};

impl Checker<'_> {
    pub(crate) fn matrix(&self, matrix: Option<Spanned<raw::Matrix>>) -> Checked<Option<Matrix>> {
        let Some(matrix) = matrix else {
            return Ok(None);
        };
        let place = matrix.span();
        let matrix = matrix.into_inner();
        let missing = |key: &str, example: &str| {
            self.error(place.clone(), &format!("`[matrix]` needs `{key}`"))
                .with_help(format!("add `{key} = \"{example}\"`"))
        };
        let homeserver = matrix
            .homeserver
            .ok_or_else(|| missing("homeserver", "https://matrix.example.org"))?;
        let user = matrix
            .user
            .ok_or_else(|| missing("user", "@room-elbe:example.org"))?;
        let server = server_of(user.get_ref()).ok_or_else(|| {
            self.error(user.span(), "not a Matrix user")
                .with_help("write \"@room-elbe:example.org\", with the server's name")
        })?;
        let default_server = match &matrix.default_server {
            Some(name) if is_server(name.get_ref()) => name.get_ref().clone(),
            Some(name) => {
                return Err(self
                    .error(name.span(), "not the name of a Matrix server")
                    .with_help("write \"example.org\", without `https://`"));
            }
            None => server,
        };
        let login = match (&matrix.password_file, &matrix.token_file) {
            (Some(file), None) => MatrixLogin::Password(self.path(file)?),
            (None, Some(file)) => MatrixLogin::Token(self.path(file)?),
            (None, None) => {
                return Err(missing("password_file", "/etc/roomd/matrix-password"));
            }
            (Some(_), Some(file)) => {
                return Err(self
                    .error(file.span(), "`token_file` beside `password_file`")
                    .with_help("the account logs in with one of them"));
            }
        };
        let hosts = matrix.element_call.iter().map(|host| {
            let valid = is_server(host.get_ref());
            valid.then(|| host.get_ref().clone()).ok_or_else(|| {
                self.error(host.span(), "not a host name")
                    .with_help("write \"call.example.org\", without `https://`")
            })
        });
        let file =
            |file: &Option<Spanned<String>>| file.as_ref().map(|file| self.path(file)).transpose();
        Ok(Some(Matrix {
            homeserver: Pii::new(self.url(&homeserver)?),
            user: Pii::new(user.into_inner()),
            login,
            recovery_key_file: file(&matrix.recovery_key_file)?,
            ca_file: file(&matrix.ca_file)?,
            element_call: hosts.collect::<Checked<_>>()?,
            default_server,
            encryption: matrix.encryption.unwrap_or_default(),
        }))
    }
}

/// The server's name in a user's id (Matrix specification, appendix "User Identifiers").
fn server_of(user: &str) -> Option<String> {
    let (name, server) = user.strip_prefix('@')?.split_once(':')?;
    let bounded = !name.is_empty() && user.len() <= 255;
    let valid = bounded && !name.contains(char::is_whitespace) && is_server(server);
    valid.then(|| server.to_owned())
}

/// A host name, with or without a port.
fn is_server(name: &str) -> bool {
    match name.rsplit_once(':') {
        Some((host, port)) => is_host(host) && port.parse::<u16>().is_ok(),
        None => is_host(name),
    }
}
