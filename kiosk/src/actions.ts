// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Signal } from "@preact/signals";
import type { Room } from "./room";
import type { Actions, PairingEntry, Ui } from "./snapshot";
import type { Theme } from "./theme";

const CODE_LENGTH = 6;

/** Binds what a person does to the room, and to what is open on this screen. */
export function createActions(
  room: Pick<Room, "request" | "preview" | "pair" | "showCode">,
  ui: Signal<Ui>,
  chooseTheme: (theme: Theme) => void,
): Actions {
  const change = (part: Partial<Ui>): void => {
    ui.value = { ...ui.peek(), ...part };
  };
  const pairing = (entry: PairingEntry): void => change({ pairing: entry });

  async function pair(code: string): Promise<void> {
    pairing({ code, status: "checking" });
    const result = await room.pair(code);
    pairing({ code: "", status: result.kind === "paired" ? "typing" : result });
  }

  return {
    async request(request) {
      const reply = await room.request(request);
      if (reply.reply === "refused") change({ toast: reply.refusal });
    },
    preview: (input) => room.preview(input),
    open: (dialog) => change({ dialog }),
    show: change,
    theme: chooseTheme,
    pairDigit(digit) {
      const { code, status } = ui.peek().pairing;
      if (status === "checking" || code.length >= CODE_LENGTH) return;
      const next = code + digit;
      if (next.length === CODE_LENGTH) void pair(next);
      else pairing({ code: next, status: "typing" });
    },
    pairRemove() {
      const { code, status } = ui.peek().pairing;
      if (status !== "checking") pairing({ code: code.slice(0, -1), status: "typing" });
    },
    pairShow() {
      void room.showCode().then((shown) =>
        pairing({ code: "", status: shown.kind === "shown" ? "shown" : shown }),
      );
    },
  };
}
