// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// A Matrix client that opens the published Element Call as a widget in a frame, as Element does. Tests
// drive it through `guest`.
import type { MatrixClient, Room } from "matrix-js-sdk";
import { ClientWidgetApi, type IWidgetApiRequest, Widget, WidgetApiFromWidgetAction } from "matrix-widget-api";
import { Hands } from "./hands";
import { type Account, enter, members, start } from "./matrix";
import { Driver } from "./widget-driver";
import { feed } from "./widget-feed";
import { View } from "./widget-view";

export interface Joining extends Account {
  room: string;
  /** For rooms whose link carries a password. */
  password?: string;
}

const ID = "element-call";
const PAGE = "/element-call/index.html";
/** What Element Call says to its host, beyond what every widget may say. */
const JOINED = "io.element.join";
const HUNG_UP = "im.vector.hangup";
const CLOSE = "io.element.close";
const MUTED = "io.element.device_mute";

/** The page's address. Without the addresses of an analytics service there is none. */
function address({ homeserver, user, room, password }: Joining): string {
  const parameters = new URLSearchParams({
    widgetId: ID,
    parentUrl: location.href,
    roomId: room,
    userId: user.id,
    deviceId: user.device,
    baseUrl: homeserver,
    intent: "start_call",
    skipLobby: "true",
    confineToRoom: "true",
    ...(password === undefined ? { perParticipantE2EE: "true" } : { password }),
    // The header carries the lock.
    header: "standard",
    theme: "light",
    background: "solid",
    fontScale: "1",
    lang: "en",
    // A tone is noise to it.
    noiseSuppression: "false",
    echoCancellation: "false",
  });
  return `${location.origin}${PAGE}#?${parameters}`;
}

function mount(): HTMLIFrameElement {
  const frame = document.createElement("iframe");
  frame.allow = "camera; microphone; display-capture; autoplay";
  frame.style.cssText = "position: fixed; inset: 0; width: 100%; height: 100%; border: 0";
  document.body.append(frame);
  return frame;
}

class Host {
  private readonly driver: Driver;
  private readonly frame = mount();
  private readonly view = new View(this.frame);
  private readonly widget: ClientWidgetApi;
  private readonly hands: Hands;
  private readonly closed: Promise<void>;
  private joined = false;

  private constructor(
    joining: Joining,
    private readonly client: MatrixClient,
    private readonly room: Room,
  ) {
    this.driver = new Driver(client, room);
    this.hands = new Hands(client, room);
    const url = address(joining);
    const definition = { id: ID, creatorUserId: joining.user.id, type: "m.call", url, waitForIframeLoad: false };
    this.widget = new ClientWidgetApi(new Widget(definition), this.frame, this.driver);
    this.widget.setViewedRoomId(room.roomId);
    this.closed = this.listen();
    feed(client, room, this.widget);
    this.frame.src = url;
  }

  static async open(joining: Joining): Promise<Host> {
    const client = await start(joining);
    return new Host(joining, client, await enter(client, joining.room));
  }

  /** Answers what Element Call says; done when it wants to be closed. */
  private listen(): Promise<void> {
    const on = (action: string, then: () => void = () => {}) => {
      this.widget.on(`action:${action}`, (event: CustomEvent<IWidgetApiRequest>) => {
        event.preventDefault();
        then();
        this.widget.transport.reply(event.detail, {});
      });
    };
    on(WidgetApiFromWidgetAction.UpdateAlwaysOnScreen);
    on(MUTED);
    on(JOINED, () => {
      this.joined = true;
    });
    on(HUNG_UP, () => {
      this.joined = false;
    });
    return new Promise((done) => {
      on(CLOSE, done);
    });
  }

  /** Has Element Call hang up, and closes it when it is ready for that. */
  async leave(): Promise<void> {
    await this.widget.transport.send(HUNG_UP, {});
    await this.closed;
    this.widget.stop();
    this.frame.remove();
    this.client.stopClient();
  }

  report() {
    return {
      joined: this.joined,
      capabilities: this.driver.capabilities,
      members: members(this.client.matrixRTC.getRoomSession(this.room), this.hands),
      locked: this.view.isLocked,
      count: this.view.count,
      tiles: this.view.tiles,
      words: this.view.words,
    };
  }

  toneLevel(hertz: number): Promise<number> {
    return this.view.toneLevel(hertz);
  }
}

let host: Host | undefined;

function there(): Host {
  if (!host) throw new Error("Element Call is not open");
  return host;
}

const guest = {
  /** Opens Element Call, which joins by itself; `report` says when it has. */
  async join(joining: Joining): Promise<void> {
    host = await Host.open(joining);
  },
  leave: () => there().leave(),
  report: () => there().report(),
  toneLevel: (hertz: number) => there().toneLevel(hertz),
};

Object.assign(globalThis, { guest });
