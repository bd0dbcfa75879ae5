// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect, useRef } from "preact/hooks";

interface Props {
  readonly participant: string;
  readonly kind: "camera" | "screen";
  readonly stream: MediaStream;
  readonly label: string;
  readonly mirrored?: boolean;
}

/** A moving picture; sound comes from elsewhere, so it is always muted. */
export function Video({ participant, kind, stream, label, mirrored = false }: Props) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (!video) return;
    video.muted = true;
    video.srcObject = stream;
    // Refused only when the element is gone again already.
    video.play().catch(() => {});
    return () => {
      video.srcObject = null;
    };
  }, [stream]);
  return (
    <video
      ref={ref}
      class={mirrored ? "mirrored" : undefined}
      data-participant={participant}
      data-kind={kind}
      aria-label={label}
      autoplay
      muted
      playsInline
      disablePictureInPicture
    />
  );
}
