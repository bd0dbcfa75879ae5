// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ComponentChildren } from "preact";
import { SEVERITY } from "../api/severity";
import type { SentStats, Statistics, StreamStats } from "../api/types";
import { Dialog } from "../components/dialog";
import { Notice } from "../components/notice";
import { Toast } from "../components/toast";
import { otherFaults } from "../health";
import { type Locale, useLocale } from "../i18n/locale";
import { Health } from "./health";
import type { ViewProps } from "./panel";
import { SelfHear } from "./self-hear";
import { SoundTest } from "./sound-test";

/** What an operator wants to know; nothing personal. */
export function Diagnosis({ close, ...props }: ViewProps & { close: () => void }) {
  const { text } = useLocale();
  const { state } = props;
  const faults = otherFaults(state.faults, state.health.items);
  const silent = faults.length < state.faults.length ? text.diagnosis.noOtherFaults : text.diagnosis.noFaults;
  return (
    <Dialog title={text.diagnosis.title} onClose={close} size="large">
      {/* A scrolling region takes the focus so that arrow keys can scroll it. */}
      <div class="diagnosis" data-testid="diagnosis-view" tabIndex={0} role="region" aria-label={text.diagnosis.title}>
        <Health {...props} />
        <Section title={text.diagnosis.faults}>
          {faults.length === 0 && <p class="fine">{silent}</p>}
          {faults.map(({ code, detail }) => (
            <div key={code} class="diagnosed">
              <Notice severity={SEVERITY[code]} {...text.faults[code]} />
              {detail && <code>{detail}</code>}
            </div>
          ))}
        </Section>
        <SoundTest {...props} />
        <SelfHear {...props} />
        <About {...props} />
        <Calendar {...props} />
        <Measured statistics={state.statistics} />
        <Connections statistics={state.statistics} />
        <Streams statistics={state.statistics} />
        <Sent statistics={state.statistics} />
      </div>
      <Toast refusal={props.ui.toast} onClose={() => props.act.show({ toast: null })} />
    </Dialog>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="section">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function About({ state, ui, act }: ViewProps) {
  const { text } = useLocale();
  const code = state.pairing?.code;
  return (
    <Section title={text.diagnosis.about}>
      <dl class="facts">
        <Fact name={text.diagnosis.version} value={state.room.version} />
        <Fact name={text.diagnosis.timeZone} value={state.room.timeZone} />
      </dl>
      <button
        type="button"
        class="button wide"
        data-testid="show-pairing-code"
        disabled={ui.dialog?.kind !== "diagnosis"}
        onClick={() => act.request({ request: "show-pairing-code" })}
      >
        {text.diagnosis.pairTablet}
      </button>
      <p class="muted" role="status">
        {state.pairing ? text.diagnosis.pairShown : text.diagnosis.pairHint}
        {code && <strong class="tabular"> {code}</strong>}
      </p>
    </Section>
  );
}

function Calendar({ state }: ViewProps) {
  const { text, format } = useLocale();
  const { agenda } = state;
  const read = agenda.readAt ? format.time(Date.parse(agenda.readAt)) : text.diagnosis.never;
  return (
    <Section title={text.diagnosis.calendar}>
      <dl class="facts">
        <Fact
          name={text.diagnosis.readAt}
          value={agenda.configured ? read : text.diagnosis.notConfigured}
        />
        <Fact name={text.diagnosis.skipped} value={String(agenda.skipped.length)} />
      </dl>
      {agenda.skipped.length > 0 && (
        <ul class="skipped" data-testid="skipped">
          {agenda.skipped.map(({ uid, cause }, index) => (
            <li key={index}>
              {uid && <code>{uid}</code>}
              <span class="muted">{text.diagnosis.causes[cause]}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Measured({ statistics }: { statistics: Statistics }) {
  const locale = useLocale();
  const words = locale.text.diagnosis;
  return (
    <Section title={words.statistics}>
      <dl class="facts">
        <Fact name={words.joinMs} value={amount(statistics.joinMs, "ms", locale)} />
        <Fact name={words.firstFrameMs} value={amount(statistics.firstRemoteFrameMs, "ms", locale)} />
        <Fact name={words.fpsSent} value={amount(statistics.fpsSent, "1/s", locale, 1)} />
        <Fact name={words.fpsReceived} value={amount(statistics.fpsReceived, "1/s", locale, 1)} />
        <Fact name={words.avOffset} value={amount(statistics.avOffsetMs, "ms", locale)} />
        <Fact name={words.freezes} value={amount(statistics.freezes, "", locale)} />
        <Fact name={words.qualityLimit} value={statistics.qualityLimit ?? words.unknown} />
        <Fact name={words.echo} value={amount(statistics.voice?.erleDb ?? null, "dB", locale)} />
        <Fact name={words.cpu} value={amount(statistics.cpuPercent, "%", locale)} />
        <Fact name={words.memory} value={amount(statistics.rssMb, "MB", locale)} />
        <Fact name={words.threads} value={amount(statistics.threads, "", locale)} />
        <Fact name={words.descriptors} value={amount(statistics.descriptors, "", locale)} />
        <Fact name={words.badMessages} value={amount(statistics.badMessages, "", locale)} />
      </dl>
    </Section>
  );
}

function Connections({ statistics }: { statistics: Statistics }) {
  const locale = useLocale();
  const words = locale.text.diagnosis;
  if (statistics.peers.length === 0) return null;
  return (
    <Section title={words.connections}>
      <ul class="connections">
        {statistics.peers.map((peer, index) => (
          <li key={peer.participant ?? index}>
            <strong>{words.connectionNumber(index + 1)}</strong>
            <dl class="facts">
              <Fact name={words.rtt} value={amount(peer.rttMs, "ms", locale)} />
              <Fact name={words.loss} value={amount(peer.lossPercent, "%", locale, 1)} />
              <Fact name={words.received} value={amount(peer.receivedKbps, "kbit/s", locale)} />
              <Fact name={words.sent} value={amount(peer.sentKbps, "kbit/s", locale)} />
            </dl>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** What a stream carries, and how large its pictures are. */
function StreamName({ of: { kind, width, height } }: { of: StreamStats | SentStats }) {
  const { text } = useLocale();
  return (
    <strong>
      {text.diagnosis.streamKinds[kind]}
      {width !== null && height !== null && ` ${width} × ${height}`}
    </strong>
  );
}

function Streams({ statistics }: { statistics: Statistics }) {
  const locale = useLocale();
  const words = locale.text.diagnosis;
  if (statistics.streams.length === 0) return null;
  return (
    <Section title={words.streams}>
      <ul class="connections">
        {statistics.streams.map((one) => (
          <li key={one.stream}>
            <StreamName of={one} />
            <dl class="facts">
              <Fact name={one.kind === "audio" ? words.packets : words.pictures} value={amount(one.fps, "1/s", locale, 1)} />
              <Fact name={words.bitrate} value={amount(one.kbps, "kbit/s", locale)} />
              <Fact name={words.jitter} value={amount(one.jitterMs, "ms", locale, 1)} />
              <Fact name={words.delay} value={amount(one.delayMs, "ms", locale)} />
              {one.kind !== "screen" && <Fact name={words.avOffset} value={amount(one.avOffsetMs, "ms", locale)} />}
              <Fact name={words.gaps} value={amount(one.lost, "", locale)} />
              {one.kind !== "audio" && <Fact name={words.freezes} value={amount(one.freezes, "", locale)} />}
            </dl>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Sent({ statistics }: { statistics: Statistics }) {
  const locale = useLocale();
  const words = locale.text.diagnosis;
  if (statistics.sent.length === 0) return null;
  return (
    <Section title={words.sentStreams}>
      <ul class="connections">
        {statistics.sent.map((one) => (
          <li key={`${one.kind} ${one.height}`}>
            <StreamName of={one} />
            <dl class="facts">
              <Fact name={one.kind === "audio" ? words.packets : words.pictures} value={amount(one.fps, "1/s", locale, 1)} />
              <Fact name={words.bitrate} value={amount(one.kbps, "kbit/s", locale)} />
              {one.targetKbps !== null && <Fact name={words.target} value={amount(one.targetKbps, "kbit/s", locale)} />}
            </dl>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div class="fact">
      <dt class="muted">{name}</dt>
      <dd class="tabular">{value}</dd>
    </div>
  );
}

/** What was measured, or a dash: never a zero that nobody measured. */
function amount(value: number | null, unit: string, locale: Locale, digits = 0): string {
  if (value === null) return locale.text.diagnosis.unknown;
  return `${locale.format.number(value, digits)} ${unit}`.trim();
}
