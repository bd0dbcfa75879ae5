// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ComponentChildren } from "preact";

import type { Guest } from "../guest";
import { texts } from "../i18n";
import { CameraIcon, ChatIcon, HandIcon, LeaveIcon, MicrophoneIcon, ShareIcon } from "./icons";

interface Props {
  readonly guest: Guest;
  readonly chatOpen: boolean;
  readonly openChat: () => void;
}

export function Controls({ guest, chatOpen, openChat }: Props) {
  const t = texts.value;
  const { devices } = guest;
  const { hand, unread, online } = guest.call.value;
  const microphone = devices.microphoneOn.value;
  const camera = devices.camera.value !== null;
  const sharing = devices.screen.value !== null;
  return (
    <nav class="controls" aria-label={t.meeting.controls}>
      <Control
        action="microphone"
        label={microphone ? t.device.microphoneOn : t.device.microphoneOff}
        off={!microphone}
        press={() => void devices.setMicrophone(!microphone)}
      >
        <MicrophoneIcon off={!microphone} />
      </Control>
      <Control
        action="camera"
        label={camera ? t.device.cameraOn : t.device.cameraOff}
        off={!camera}
        press={() => void devices.setCamera(!camera)}
      >
        <CameraIcon off={!camera} />
      </Control>
      {devices.canShare && (
        <Control
          action="share"
          label={sharing ? t.meeting.stopShare : t.meeting.share}
          active={sharing}
          press={() => (sharing ? devices.stopSharing() : void devices.share())}
        >
          <ShareIcon off={sharing} />
        </Control>
      )}
      <Control
        action="hand"
        label={hand ? t.meeting.handDown : t.meeting.hand}
        active={hand}
        disabled={!online}
        press={() => guest.dispatch({ type: "hand", raised: !hand })}
      >
        <HandIcon />
      </Control>
      <Control
        action="chat"
        label={unread > 0 ? t.meeting.chatUnread(unread) : t.meeting.chat}
        active={chatOpen}
        expanded={chatOpen}
        press={openChat}
      >
        <ChatIcon />
        {unread > 0 && (
          <span class="unread" aria-hidden="true" data-role="unread">
            {unread > 99 ? "99+" : unread}
          </span>
        )}
      </Control>
      <button
        type="button"
        class="button danger leave"
        data-action="leave"
        aria-label={t.meeting.leave}
        onClick={() => guest.dispatch({ type: "leave" })}
      >
        <LeaveIcon />
        <span>{t.meeting.leave}</span>
      </button>
    </nav>
  );
}

interface ControlProps {
  readonly action: string;
  readonly label: string;
  readonly off?: boolean;
  readonly active?: boolean;
  readonly disabled?: boolean;
  readonly expanded?: boolean;
  readonly press: () => void;
  readonly children: ComponentChildren;
}

function Control(props: ControlProps) {
  return (
    <button
      type="button"
      class="round"
      data-action={props.action}
      data-off={props.off}
      data-active={props.active}
      disabled={props.disabled}
      aria-label={props.label}
      aria-expanded={props.expanded}
      title={props.label}
      onClick={props.press}
    >
      {props.children}
    </button>
  );
}
