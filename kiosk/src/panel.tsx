// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { render } from "preact";
import "./styles/panel.css";

const root = document.getElementById("app");
if (root) render(<main />, root);
