// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Raised hands: reactions to a membership, taken back by redaction.
import { EventType, type MatrixClient, type MatrixEvent, RelationType, type Room, RoomEvent } from "matrix-js-sdk";

const HAND = "🖐️";

export class Hands {
  /** Who raised it for which membership, by the reaction's id. */
  private readonly raised = new Map<string, { user: string; membership: string }>();

  constructor(
    private readonly client: MatrixClient,
    private readonly room: Room,
  ) {
    for (const event of room.getLiveTimeline().getEvents()) this.note(event);
    room.on(RoomEvent.Timeline, (event) => this.note(event));
    room.on(RoomEvent.Redaction, (event) => this.raised.delete(event.getAssociatedId() ?? ""));
  }

  private note(event: MatrixEvent): void {
    const relation = event.getContent()["m.relates_to"];
    const [id, user] = [event.getId(), event.getSender()];
    if (event.getType() !== EventType.Reaction || relation?.key !== HAND) return;
    if (id === undefined || user === undefined || relation.event_id === undefined) return;
    this.raised.set(id, { user, membership: relation.event_id });
  }

  isRaised(user: string, membership: string): boolean {
    return [...this.raised.values()].some((hand) => hand.user === user && hand.membership === membership);
  }

  async raise(membership: string, raised: boolean): Promise<void> {
    const self = this.client.getUserId() ?? "";
    if (raised) {
      const sent = await this.client.sendEvent(this.room.roomId, EventType.Reaction, {
        "m.relates_to": { rel_type: RelationType.Annotation, event_id: membership, key: HAND },
      });
      // Others may have heard of it before the next sync tells it here.
      this.raised.set(sent.event_id, { user: self, membership });
      return;
    }
    const own = [...this.raised].filter(([, { user }]) => user === self);
    await Promise.all(own.map(([id]) => this.client.redactEvent(this.room.roomId, id)));
  }
}
