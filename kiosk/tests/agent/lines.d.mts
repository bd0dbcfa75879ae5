// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
export function serve(
  commands: Record<string, (command: never) => Promise<unknown>>,
  end: () => Promise<unknown>,
): void;
