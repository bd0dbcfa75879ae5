// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width="24"
      height="24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

const SLASH = <path d="M3.5 3.5l17 17" />;

export const MicrophoneIcon = ({ off = false }: { off?: boolean }) => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
    {off && SLASH}
  </Icon>
);
export const CameraIcon = ({ off = false }: { off?: boolean }) => (
  <Icon>
    <rect x="2.5" y="6" width="13" height="12" rx="3" />
    <path d="M15.5 11l6-3.5v9l-6-3.5z" />
    {off && SLASH}
  </Icon>
);
export const ShareIcon = ({ off = false }: { off?: boolean }) => (
  <Icon>
    <rect x="2.5" y="4" width="19" height="13" rx="2.5" />
    <path d="M8 21h8M12 13.5v-6M9.3 10L12 7.3l2.7 2.7" />
    {off && SLASH}
  </Icon>
);
export const HandIcon = () => (
  <Icon>
    <path d="M7.5 12.5V6.3a1.4 1.4 0 0 1 2.8 0V11V4.4a1.4 1.4 0 0 1 2.8 0V11V5.6a1.4 1.4 0 0 1 2.8 0v6V8.6a1.4 1.4 0 0 1 2.8 0v6.2a6.7 6.7 0 0 1-6.7 6.7c-2.5 0-4.1-1-5.4-3L3.4 13.6a1.4 1.4 0 0 1 2.4-1.5z" />
  </Icon>
);
export const ChatIcon = () => (
  <Icon>
    <path d="M4.5 4.5h15a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H11l-5 4v-4H4.5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM7.5 9.2h9M7.5 12.8h6" />
  </Icon>
);
export const PeopleIcon = () => (
  <Icon>
    <circle cx="9" cy="8" r="3.5" />
    <path d="M2.5 20a6.5 6.5 0 0 1 13 0M15.5 4.8a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8" />
  </Icon>
);
export const SettingsIcon = () => (
  <Icon>
    <path d="M4 7h9M19 7h1M4 17h1M11 17h9" />
    <circle cx="16" cy="7" r="2.7" />
    <circle cx="8" cy="17" r="2.7" />
  </Icon>
);
export const LeaveIcon = () => (
  <Icon>
    <path d="M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15.5 8l4 4-4 4M19.5 12H9.5" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);
export const SendIcon = () => (
  <Icon>
    <path d="M4 12l16-8-5 16-3.5-6.5zM11.5 13.5L20 4" />
  </Icon>
);
export const LockIcon = () => (
  <Icon>
    <rect x="5" y="10.5" width="14" height="10" rx="2.5" />
    <path d="M8 10.5V7.5a4 4 0 0 1 8 0v3" />
  </Icon>
);
export const LockOpenIcon = () => (
  <Icon>
    <rect x="5" y="10.5" width="14" height="10" rx="2.5" />
    <path d="M8 10.5V7.5a4 4 0 0 1 7.6-1.7" />
  </Icon>
);
export const ShieldIcon = () => (
  <Icon>
    <path d="M12 3l7.5 3v5.5c0 4.6-3 8-7.5 9.5-4.5-1.5-7.5-4.9-7.5-9.5V6zM9 12l2.2 2.2L15.2 10" />
  </Icon>
);
export const WarningIcon = () => (
  <Icon>
    <path d="M12 3.8l9 16H3zM12 10v4.2M12 17.2v.1" />
  </Icon>
);
export const DoorIcon = () => (
  <Icon>
    <path d="M6 21V4.5A1.5 1.5 0 0 1 7.5 3h9A1.5 1.5 0 0 1 18 4.5V21M3 21h18M14.5 12v.1" />
  </Icon>
);
export const ClockIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 7v5.3l3.4 2" />
  </Icon>
);
