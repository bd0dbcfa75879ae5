// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// What a Matrix client does for a widget that asks: Element Call has no connection to the homeserver of
// its own. The checks against what the widget may do are those of matrix-widget-api.
import {
  Direction,
  EventType,
  type MatrixClient,
  MatrixError,
  type MatrixEvent,
  type Room,
  type StateEvents,
  type TimelineEvents,
} from "matrix-js-sdk";
import {
  type Capability,
  type IOpenIDUpdate,
  type IRoomEvent,
  type IRtcTransportsResult,
  type ISendDelayedEventDetails,
  type ISendEventDetails,
  OpenIDRequestState,
  type SimpleObservable,
  WidgetDriver,
} from "matrix-widget-api";

type StateType = keyof StateEvents;
type StateContent = StateEvents[StateType];
type MessageType = keyof TimelineEvents;
type MessageContent = TimelineEvents[MessageType];

/** An event as widgets read it, decrypted. */
export function raw(event: MatrixEvent): IRoomEvent {
  return event.getEffectiveEvent() as IRoomEvent;
}

export class Driver extends WidgetDriver {
  /** What the widget asked to be allowed. */
  capabilities: string[] = [];

  constructor(
    private readonly client: MatrixClient,
    private readonly room: Room,
  ) {
    super();
  }

  /** Everything that is asked for, and nothing else: the widget is the one that the test brought. */
  override validateCapabilities(requested: Set<Capability>): Promise<Set<Capability>> {
    this.capabilities = [...this.capabilities, ...requested];
    return Promise.resolve(requested);
  }

  override async sendEvent(
    type: string,
    content: unknown,
    stateKey: string | null = null,
  ): Promise<ISendEventDetails> {
    return this.sent(await this.send(type, content, stateKey));
  }

  private send(type: string, content: unknown, stateKey: string | null): Promise<{ event_id: string }> {
    const { roomId } = this.room;
    if (stateKey !== null) {
      return this.client.sendStateEvent(roomId, type as StateType, content as StateContent, stateKey);
    }
    if (type === EventType.RoomRedaction) {
      return this.client.redactEvent(roomId, (content as { redacts: string }).redacts);
    }
    return this.client.sendEvent(roomId, type as MessageType, content as MessageContent);
  }

  override async sendStickyEvent(millis: number, type: string, content: unknown): Promise<ISendEventDetails> {
    // oxlint-disable-next-line eslint/no-underscore-dangle
    const sent = await this.client._unstable_sendStickyEvent(
      this.room.roomId,
      millis,
      null,
      type as MessageType,
      content as MessageContent,
    );
    return this.sent(sent);
  }

  override async sendDelayedEvent(
    delay: number,
    type: string,
    content: unknown,
    stateKey: string | null = null,
  ): Promise<ISendDelayedEventDetails> {
    const { roomId } = this.room;
    // oxlint-disable eslint/no-underscore-dangle
    const sent =
      stateKey === null
        ? await this.client._unstable_sendDelayedEvent(
            roomId,
            { delay },
            null,
            type as MessageType,
            content as MessageContent,
          )
        : await this.client._unstable_sendDelayedStateEvent(
            roomId,
            { delay },
            type as StateType,
            content as StateContent,
            stateKey,
          );
    // oxlint-enable eslint/no-underscore-dangle
    return { roomId, delayId: sent.delay_id };
  }

  override async sendDelayedStickyEvent(
    delay: number,
    millis: number,
    type: string,
    content: unknown,
  ): Promise<ISendDelayedEventDetails> {
    const { roomId } = this.room;
    // oxlint-disable-next-line eslint/no-underscore-dangle
    const sent = await this.client._unstable_sendStickyDelayedEvent(
      roomId,
      millis,
      { delay },
      null,
      type as MessageType,
      content as MessageContent,
    );
    return { roomId, delayId: sent.delay_id };
  }

  override async cancelScheduledDelayedEvent(id: string): Promise<void> {
    // oxlint-disable-next-line eslint/no-underscore-dangle
    await this.client._unstable_cancelScheduledDelayedEvent(id);
  }

  override async restartScheduledDelayedEvent(id: string): Promise<void> {
    // oxlint-disable-next-line eslint/no-underscore-dangle
    await this.client._unstable_restartScheduledDelayedEvent(id);
  }

  override async sendScheduledDelayedEvent(id: string): Promise<void> {
    // oxlint-disable-next-line eslint/no-underscore-dangle
    await this.client._unstable_sendScheduledDelayedEvent(id);
  }

  override async sendToDevice(
    eventType: string,
    encrypted: boolean,
    contents: Record<string, Record<string, object>>,
  ): Promise<void> {
    const batch = Object.entries(contents).flatMap(([userId, devices]) =>
      Object.entries(devices).map(([deviceId, payload]) => ({ userId, deviceId, payload })),
    );
    if (!encrypted) return this.client.queueToDevice({ eventType, batch });
    await Promise.all(
      batch.map(({ payload, ...device }) =>
        this.client.encryptAndSendToDevice(eventType, [device], payload),
      ),
    );
  }

  override readRoomState(_room: string, type: string, key: string | undefined): Promise<IRoomEvent[]> {
    const state = this.room.getLiveTimeline().getState(Direction.Forward);
    const events =
      key === undefined ? state?.getStateEvents(type) : [state?.getStateEvents(type, key)];
    return Promise.resolve((events ?? []).filter((event) => !!event).map(raw));
  }

  override readStickyEvents(): Promise<IRoomEvent[]> {
    // oxlint-disable-next-line eslint/no-underscore-dangle
    return Promise.resolve([...this.room._unstable_getStickyEvents()].map(raw));
  }

  override askOpenID(observer: SimpleObservable<IOpenIDUpdate>): void {
    this.client.getOpenIdToken().then(
      (token) => observer.update({ state: OpenIDRequestState.Allowed, token }),
      () => observer.update({ state: OpenIDRequestState.Blocked }),
    );
  }

  override async getRtcTransports(): Promise<IRtcTransportsResult> {
    // oxlint-disable-next-line eslint/no-underscore-dangle
    const transports = await this.client._unstable_getRTCTransports();
    return { rtc_transports: transports };
  }

  override processError(error: unknown) {
    return error instanceof MatrixError ? { matrix_api_error: error.asWidgetApiErrorData() } : undefined;
  }

  private sent({ event_id: eventId }: { event_id: string }): ISendEventDetails {
    return { roomId: this.room.roomId, eventId };
  }
}
