// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Tells a widget what happens in its room, and what is sent to the device.
import {
  ClientEvent,
  type MatrixClient,
  type MatrixEvent,
  MatrixEventEvent,
  type Room,
  RoomStateEvent,
} from "matrix-js-sdk";
import type { ClientWidgetApi } from "matrix-widget-api";
import { raw } from "./widget-driver";

/** Feeds the widget while both are there. A widget that is gone answers nothing, and nobody minds. */
export function feed(client: MatrixClient, room: Room, widget: ClientWidgetApi): void {
  const pass = (event: MatrixEvent) => {
    widget.feedEvent(raw(event)).catch(() => {});
  };
  client.on(ClientEvent.Event, async (event) => {
    if (event.getRoomId() !== room.roomId) return;
    await client.decryptEventIfNeeded(event);
    if (event.isDecryptionFailure()) event.once(MatrixEventEvent.Decrypted, pass);
    else pass(event);
  });
  client.on(RoomStateEvent.Events, (event) => {
    if (event.getRoomId() === room.roomId) widget.feedStateUpdate(raw(event)).catch(() => {});
  });
  client.on(ClientEvent.ReceivedToDeviceMessage, ({ message, encryptionInfo }) => {
    widget.feedToDevice(message, encryptionInfo !== null).catch(() => {});
  });
}
