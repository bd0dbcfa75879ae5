// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! HTTPS for panel and guests, D-Bus for operators.
