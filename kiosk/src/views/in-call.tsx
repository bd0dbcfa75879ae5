// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ComponentChildren } from "preact";
import { upNext } from "../agenda";
import { adjustable } from "../cameras";
import { hasSignal, offersContent, shared } from "../content";
import { SEVERITY } from "../api/severity";
import type { Call, E2ee, Layout } from "../api/types";
import { Icon, type IconName } from "../components/icon";
import { Meter } from "../components/meter";
import { Notice } from "../components/notice";
import { VolumeSlider } from "../components/slider";
import { type Text, useLocale } from "../i18n/locale";
import { DisplayAsks } from "./display-asks";
import type { ViewProps } from "./panel";
import { SidePanel } from "./side-panel";

export type CallProps = ViewProps & { call: Call };

const LAYOUTS: readonly Layout[] = ["grid", "speaker", "share"];

/** In the meeting: what is sent on the left, who is there on the right. */
export function InCall(props: CallProps) {
  const { call } = props;
  return (
    <main class="in-call" data-phase="in-call" data-sending={call.sending}>
      <Head {...props} />
      <section class="call-main">
        <CallNotices {...props} />
        {call.sending ? <Sending {...props} /> : <Silent {...props} />}
        <After {...props} />
        <Settings {...props} />
        <Bottom {...props} />
      </section>
      <SidePanel {...props} />
    </main>
  );
}

function Head({ call, live, act }: CallProps) {
  const { text } = useLocale();
  return (
    <header class="topbar">
      <div class="call-title">
        <h1 class="clamp-1">{call.title ?? text.call.untitled}</h1>
        <Duration since={call.since} live={live} />
      </div>
      <Encryption e2ee={call.e2ee} text={text} />
      <button
        type="button"
        class="button square quiet"
        aria-label={text.common.diagnosis}
        data-testid="diagnosis"
        onClick={() => act.open({ kind: "diagnosis" })}
      >
        <Icon name="diagnosis" />
      </button>
    </header>
  );
}

function Duration({ since, live }: Pick<CallProps, "live"> & { since: string }) {
  const { text, format } = useLocale();
  return (
    <span class="muted tabular" aria-label={text.call.duration} role="timer">
      {format.duration((live.now.value - Date.parse(since)) / 1000)}
    </span>
  );
}

const ENCRYPTION: Record<E2ee, { icon: IconName; tone: string }> = {
  pending: { icon: "lock", tone: "" },
  verified: { icon: "lock", tone: "free" },
  off: { icon: "lock-open", tone: "warning" },
};

function Encryption({ e2ee, text }: { e2ee: E2ee; text: Text }) {
  const { icon, tone } = ENCRYPTION[e2ee];
  return (
    <span class={`pill ${tone}`} data-testid="e2ee" data-e2ee={e2ee}>
      <Icon name={icon} size={20} />
      {text.call.e2ee[e2ee]}
    </span>
  );
}

function CallNotices(props: CallProps) {
  const { text, format } = useLocale();
  const { state, call, live, act } = props;
  const [fault] = state.faults;
  return (
    <>
      {call.countdown && (
        <div class="countdown" role="group" aria-labelledby="countdown" data-testid="countdown">
          <Icon name="clock" size={32} />
          <div class="notice-text">
            <strong id="countdown">{text.countdown.title}</strong>
            <p class="tabular">
              {text.countdown.ends(
                format.duration(
                  Math.max(0, Date.parse(call.countdown.endsAt) - live.now.value) / 1000,
                ),
              )}
            </p>
          </div>
          <button
            type="button"
            class="button primary"
            data-testid="stay"
            onClick={() => act.request({ request: "stay" })}
          >
            {text.countdown.stay}
          </button>
        </div>
      )}
      {/* In a meeting that is about to end, nobody needs the display. */}
      {!call.countdown && <DisplayAsks {...props} />}
      {!call.countdown && !state.devices.displayAsks && fault && (
        <Notice severity={SEVERITY[fault.code]} {...text.faults[fault.code]} />
      )}
    </>
  );
}

/** The room is in and sends nothing: one large button changes that. */
function Silent({ live, act }: CallProps) {
  const { text } = useLocale();
  return (
    <div class="silent">
      <p class="silent-title">
        <Icon name="microphone-off" />
        <Icon name="camera-off" />
        <strong>{text.call.silentTitle}</strong>
      </p>
      <button
        type="button"
        class="button success send"
        data-testid="send"
        onClick={() => act.request({ request: "start-sending" })}
      >
        <Icon name="broadcast" size={48} />
        {text.call.send}
      </button>
      <div class="silent-foot">
        <p class="muted">{text.call.silentHint}</p>
        <div class="preview-level">
          <Icon name="microphone" size={20} />
          <Meter levels={live.levels} label={text.call.level} />
        </div>
      </div>
    </div>
  );
}

function Sending({ call, state, live, act }: CallProps) {
  const { text } = useLocale();
  return (
    <div class="sending">
      <p class="sending-title" data-testid="sending-state">
        <span class={call.microphone || call.camera ? "dot live" : "dot"} />
        {sendingText(call, text)}
        <Voice call={call} />
      </p>
      <div class="toggles">
        <Toggle
          on={call.microphone}
          name={text.call.microphone}
          icon={call.microphone ? "microphone" : "microphone-off"}
          text={text}
          testid="microphone"
          onClick={() => act.request({ request: "microphone", on: !call.microphone })}
        >
          <Meter levels={live.levels} label={text.call.level} />
        </Toggle>
        <Toggle
          on={call.camera}
          name={text.call.camera}
          icon={call.camera ? "camera" : "camera-off"}
          text={text}
          testid="camera"
          onClick={() => act.request({ request: "camera", on: !call.camera })}
        >
          <span class="toggle-note muted clamp-1">
            {state.devices.testPicture ? text.diagnosis.testPicture : state.devices.camera}
          </span>
        </Toggle>
      </div>
    </div>
  );
}

/** Who is being heard, beside what the room sends. */
function Voice({ call }: { call: Call }) {
  const { text } = useLocale();
  const speaking = call.participants.find(({ id }) => id === call.speaker);
  if (!speaking) return null;
  return (
    <span class="voice">
      <Icon name="volume" size={20} />
      <span class="clamp-1">{text.call.speaks(speaking.name)}</span>
    </span>
  );
}

/** The time, and what the room is booked for after this meeting. */
function After({ state, call, live }: CallProps) {
  const { text, format } = useLocale();
  const now = live.now.value;
  // Who joined early is in the meeting that the calendar still calls the next.
  const others = state.agenda.entries.filter(({ title }) => title === null || title !== call.title);
  const next = upNext({ ...state.agenda, entries: others }, now);
  return (
    <div class="after">
      <Icon name="clock" size={20} />
      <time class="tabular">{format.time(now)}</time>
      {next && (
        <span class="after-next">
          <span class="muted">{text.idle.next}</span>
          <strong class="clamp-1">{next.title ?? text.booking.untitled}</strong>
          <span class="muted tabular">{format.time(Date.parse(next.start))}</span>
        </span>
      )}
    </div>
  );
}

interface ToggleProps {
  on: boolean;
  name: string;
  icon: IconName;
  text: Text;
  testid: string;
  onClick: () => void;
  children: ComponentChildren;
}

function Toggle({ on, name, icon, text, testid, onClick, children }: ToggleProps) {
  return (
    <div class={on ? "toggle on" : "toggle off"}>
      <button
        type="button"
        role="switch"
        aria-checked={on}
        aria-label={name}
        class="toggle-button"
        data-testid={testid}
        onClick={onClick}
      >
        <Icon name={icon} size={40} />
        <span class="toggle-name">{name}</span>
        <span class="toggle-state">{on ? text.call.on : text.call.off}</span>
      </button>
      <div class="toggle-foot">{children}</div>
    </div>
  );
}

function sendingText(call: Call, text: Text): string {
  if (call.microphone && call.camera) return text.call.sendingBoth;
  if (call.microphone) return text.call.sendingSound;
  return call.camera ? text.call.sendingPicture : text.call.sendingNothing;
}

function Settings({ call, act }: CallProps) {
  const { text } = useLocale();
  return (
    <div class="settings">
      <VolumeSlider
        value={call.volume}
        onChange={(percent) => act.request({ request: "volume", percent })}
      />
      <div class="segmented" role="group" aria-label={text.call.layout}>
        {LAYOUTS.map((layout) => (
          <button
            type="button"
            key={layout}
            aria-pressed={layout === call.layout}
            data-testid={`layout-${layout}`}
            onClick={() => act.request({ request: "layout", layout })}
          >
            <Icon name={layout} />
            {text.call[layout]}
          </button>
        ))}
      </div>
    </div>
  );
}

function Bottom({ state, call, act }: CallProps) {
  const { text } = useLocale();
  const leave = (): void => {
    if (call.participants.length > 0) act.open({ kind: "leave" });
    else act.request({ request: "leave" });
  };
  return (
    <div class="bottom">
      {call.canRaiseHand && (
        <button
          type="button"
          class={call.hand ? "button raised" : "button"}
          aria-pressed={call.hand}
          data-testid="hand"
          onClick={() => act.request({ request: "hand", raised: !call.hand })}
        >
          <Icon name="hand" />
          {call.hand ? text.call.lowerHand : text.call.raiseHand}
        </button>
      )}
      {adjustable(state.cameras) && (
        <button
          type="button"
          class="button"
          data-testid="cameras"
          onClick={() => act.open({ kind: "cameras" })}
        >
          <Icon name="frame" />
          {text.cameras.title}
        </button>
      )}
      {offersContent(state, call) && <ShareButton state={state} act={act} />}
      <button type="button" class="button danger leave" data-testid="leave" onClick={leave}>
        <Icon name="leave" size={28} />
        {text.call.leave}
      </button>
    </div>
  );
}

/** Opens the preview; says what is shared, and that there is something to share. */
function ShareButton({ state, act }: Pick<CallProps, "state" | "act">) {
  const { text } = useLocale();
  const now = shared(state.content);
  const tone = now ? (now.frozen ? "raised" : "live") : state.content.some(hasSignal) ? "ready" : "";
  return (
    <button
      type="button"
      class={`button share ${tone}`}
      data-testid="content"
      data-share={now?.share ?? "off"}
      onClick={() => act.open({ kind: "content", input: now?.name ?? null, cropping: false })}
    >
      <Icon name="share" />
      {now ? (now.frozen ? text.content.buttonFrozen : text.content.button[now.share]) : text.content.button.off}
    </button>
  );
}
