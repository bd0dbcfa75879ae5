// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect, useRef } from "preact/hooks";

import type { Guest } from "../guest";

/** The sound of everyone else; plays because the person has pressed the join button. */
export function Sound({ guest }: { guest: Guest }) {
  const speaker = guest.devices.chosen.speaker.value;
  return (
    <div hidden>
      {[...guest.streams.value].map(([id, { audio }]) => (
        <Voice key={id} participant={id} stream={audio} speaker={speaker} />
      ))}
    </div>
  );
}

interface Props {
  readonly participant: string;
  readonly stream: MediaStream;
  readonly speaker: string;
}

function Voice({ participant, stream, speaker }: Props) {
  const ref = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const audio = ref.current;
    if (!audio) return;
    audio.srcObject = stream;
    const play = () => audio.play().catch(() => {});
    void play();
    // Should a browser hold the sound back all the same, the next touch lets it out.
    addEventListener("pointerdown", play);
    return () => {
      removeEventListener("pointerdown", play);
      audio.srcObject = null;
    };
  }, [stream]);
  useEffect(() => {
    const audio = ref.current as (HTMLAudioElement & { setSinkId?(id: string): Promise<void> }) | null;
    if (speaker !== "") audio?.setSinkId?.(speaker).catch(() => {});
  }, [speaker]);
  return <audio ref={ref} data-participant={participant} autoplay />;
}
