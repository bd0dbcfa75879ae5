// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { effect } from "@preact/signals";
import { render } from "preact";

import { startTheme } from "../theme";
import { Guest } from "./guest";
import { startLanguage, texts } from "./i18n";
import { App } from "./views/app";
import "./guest.css";

startTheme();
startLanguage();
const guest = new Guest(location.href);
guest.start();
effect(() => {
  const room = guest.call.value.roomName;
  document.title = room === "" ? texts.value.title : texts.value.titleIn(room);
});
const root = document.getElementById("app");
if (root) render(<App guest={guest} />, root);
