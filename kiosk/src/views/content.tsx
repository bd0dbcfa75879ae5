// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect, useRef, useState } from "preact/hooks";
import type { ContentInput, Crop } from "../api/types";
import { Dialog } from "../components/dialog";
import { Icon } from "../components/icon";
import { Notice } from "../components/notice";
import { Toast } from "../components/toast";
import { type Point, WHOLE, cropBetween, hasSignal, inView, isWhole, shared } from "../content";
import { useLocale } from "../i18n/locale";
import type { Actions, ContentDialog } from "../snapshot";
import type { ViewProps } from "./panel";

const LOOK_EVERY_MS = 500;
const LEFT: Crop = { ...WHOLE, width: 500 };
const RIGHT: Crop = { ...LEFT, x: 500 };
/** The frame in which every picture is fitted. */
const FRAME = 16 / 9;

type Props = ViewProps & { page: ContentDialog; close: () => void };

/** What somebody in the room shows: first a preview on this screen, and only then the others see it. */
export function Content({ page, close, ...props }: Props) {
  const { text } = useLocale();
  const { state, ui, act } = props;
  const input = inView(state.content, page.input);
  if (!input) return null;
  return (
    <Dialog title={text.content.title} onClose={close} size="large">
      <div class="content" data-testid="content-view">
        <Choose inputs={state.content} input={input} act={act} />
        <Work key={input.name} input={input} cropping={page.cropping} act={act} />
      </div>
      <Toast refusal={ui.toast} onClose={() => act.show({ toast: null })} />
    </Dialog>
  );
}

type Part = { input: ContentInput; act: Actions };

/** Several inputs, while none of them is shared. */
function Choose({ inputs, input, act }: Part & { inputs: readonly ContentInput[] }) {
  const { text } = useLocale();
  if (inputs.length < 2 || shared(inputs)) return null;
  return (
    <div class="camera-list" role="group" aria-label={text.content.choose}>
      {inputs.map((one) => (
        <button
          key={one.name}
          type="button"
          class={one.signal === "missing" ? "camera-button absent" : "camera-button"}
          aria-pressed={one === input}
          disabled={one.signal === "missing"}
          data-testid="content-choice"
          onClick={() => act.open({ kind: "content", input: one.name, cropping: false })}
        >
          <Icon name="display" size={28} />
          <span class="camera-name">
            <strong class="clamp-1">{one.name}</strong>
            <span class="muted">{hasSignal(one) ? text.content.connected : text.content.signal[one.signal].title}</span>
          </span>
        </button>
      ))}
    </div>
  );
}

function Work({ input, cropping, act }: Part & { cropping: boolean }) {
  const { text } = useLocale();
  // Asked also where nothing comes: it may be about to.
  const picture = usePreview(act, input.signal === "missing" && !input.frozen ? null : input.name);
  const live = shared([input]) !== undefined;
  return (
    <div class="content-work">
      <div class="content-frame">
        {picture ? (
          <Picture picture={picture} input={input} cropping={cropping} act={act} />
        ) : (
          <div class="empty" role="status">
            <Icon name={hasSignal(input) ? "clock" : "display"} size={56} />
            <h3>{hasSignal(input) ? text.content.opening : text.content.signal[input.signal].title}</h3>
            {!hasSignal(input) && <p class="muted">{text.content.signal[input.signal].remedy}</p>}
          </div>
        )}
      </div>
      <div class="content-side">
        <p class={live ? "content-state live" : "content-state"} data-testid="content-state" data-share={input.share}>
          <span class={input.share === "on" || input.share === "held" ? "dot live" : "dot"} />
          {input.share === "on" && input.frozen ? text.content.frozen : text.content.share[input.share]}
        </p>
        {input.signal === "dark" && <Notice severity="notice" {...text.content.signal.dark} />}
        {(input.share === "held" || input.share === "paused" || input.share === "ended") && (
          <Notice severity="warning" title={text.content.lost} remedy={text.content.lostHint[input.share]} />
        )}
        {cropping ? <Crops input={input} act={act} /> : <Tools input={input} seen={picture !== null} act={act} />}
      </div>
    </div>
  );
}

function Tools({ input, seen, act }: Part & { seen: boolean }) {
  const { text } = useLocale();
  const live = shared([input]) !== undefined;
  return (
    <>
      <button
        type="button"
        class="button"
        disabled={!seen}
        data-testid="content-crop"
        onClick={() => act.open({ kind: "content", input: input.name, cropping: true })}
      >
        <Icon name="frame" />
        {isWhole(input.crop) ? text.content.crop : text.content.cropAgain}
      </button>
      {live && (
        <button
          type="button"
          class={input.frozen ? "button raised" : "button"}
          aria-pressed={input.frozen}
          disabled={!input.frozen && input.share !== "on" && input.share !== "held"}
          data-testid="content-freeze"
          onClick={() => act.request({ request: "freeze-content", frozen: !input.frozen })}
        >
          <Icon name={input.frozen ? "lock" : "lock-open"} />
          {input.frozen ? text.content.unfreeze : text.content.freeze}
        </button>
      )}
      {live ? (
        <button
          type="button"
          class="button danger content-main"
          data-testid="content-stop"
          onClick={() => act.request({ request: "stop-content" })}
        >
          <Icon name="close" size={28} />
          {text.content.stop}
        </button>
      ) : (
        <>
          {input.signal !== "dark" && <p class="muted">{text.content.hint}</p>}
          <button
            type="button"
            class="button success content-main"
            // Nobody shares what they have not seen.
            disabled={!seen || !hasSignal(input)}
            data-testid="content-share"
            onClick={() => act.request({ request: "share-content", input: input.name })}
          >
            <Icon name="share" size={28} />
            {text.content.start}
          </button>
        </>
      )}
    </>
  );
}

/** Which part is shared: by a frame that is drawn on the picture, or by what is common. */
function Crops({ input, act }: Part) {
  const { text } = useLocale();
  const choices: [string, Crop][] = [
    [text.content.whole, WHOLE],
    [text.content.leftHalf, LEFT],
    [text.content.rightHalf, RIGHT],
  ];
  return (
    <>
      <p class="muted">{text.content.cropHint}</p>
      <div class="content-crops" role="group" aria-label={text.content.crop}>
        {choices.map(([name, crop]) => (
          <button
            key={name}
            type="button"
            class="button"
            aria-pressed={same(crop, input.crop)}
            data-testid="content-part"
            onClick={() => act.request({ request: "crop-content", input: input.name, crop })}
          >
            {name}
          </button>
        ))}
      </div>
      <button
        type="button"
        class="button primary content-main"
        data-testid="content-cropped"
        onClick={() => act.open({ kind: "content", input: input.name, cropping: false })}
      >
        <Icon name="check" />
        {text.content.cropDone}
      </button>
    </>
  );
}

const same = (one: Crop, other: Crop): boolean =>
  one.x === other.x && one.y === other.y && one.width === other.width && one.height === other.height;

/** Where a finger is, within the picture that it touched. */
function point(event: PointerEvent): Point {
  const { left, top, width, height } = (event.currentTarget as HTMLElement).getBoundingClientRect();
  return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
}

function Picture({ picture, input, cropping, act }: Part & { picture: string; cropping: boolean }) {
  const { text } = useLocale();
  const [ratio, setRatio] = useState(FRAME);
  const [from, setFrom] = useState<Point | null>(null);
  const [drawn, setDrawn] = useState<Crop | null>(null);
  const wide = ratio >= FRAME;
  const fitted = { width: `${wide ? 100 : (ratio / FRAME) * 100}%`, height: `${wide ? (FRAME / ratio) * 100 : 100}%` };
  const shown = drawn ?? input.crop;

  const begin = (event: PointerEvent): void => {
    if (!cropping) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    setFrom(point(event));
    setDrawn(null);
  };
  const draw = (event: PointerEvent): void => {
    if (from) setDrawn(cropBetween(from, point(event)));
  };
  const end = (event: PointerEvent): void => {
    if (!from) return;
    const crop = cropBetween(from, point(event));
    setFrom(null);
    setDrawn(null);
    if (crop) void act.request({ request: "crop-content", input: input.name, crop });
  };

  return (
    <div
      class={cropping ? "content-picture cropping" : "content-picture"}
      style={fitted}
      data-testid="content-picture"
      onPointerDown={begin}
      onPointerMove={draw}
      onPointerUp={end}
      onPointerCancel={() => {
        setFrom(null);
        setDrawn(null);
      }}
    >
      <img
        src={picture}
        alt={text.content.preview(input.name)}
        draggable={false}
        onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
          if (naturalWidth > 0 && naturalHeight > 0) setRatio(naturalWidth / naturalHeight);
        }}
      />
      {!isWhole(shown) && (
        <span
          class="crop-frame"
          data-testid="crop-frame"
          style={{
            left: `${shown.x / 10}%`,
            top: `${shown.y / 10}%`,
            width: `${shown.width / 10}%`,
            height: `${shown.height / 10}%`,
          }}
        />
      )}
    </div>
  );
}

/** The picture of an input, again and again while it is looked at; the room closes it afterwards. */
function usePreview(act: Actions, input: string | null): string | null {
  const [picture, setPicture] = useState<string | null>(null);
  const held = useRef<string | null>(null);
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hold = (next: string | null): void => {
      if (held.current) URL.revokeObjectURL(held.current);
      held.current = next;
      setPicture(next);
    };
    const look = async (name: string): Promise<void> => {
      const blob = await act.preview(name);
      if (gone) return;
      if (blob !== "busy") hold(blob && URL.createObjectURL(blob));
      timer = setTimeout(() => void look(name), LOOK_EVERY_MS);
    };
    if (input) void look(input);
    return () => {
      gone = true;
      clearTimeout(timer);
      hold(null);
    };
  }, [input]);
  return picture;
}
