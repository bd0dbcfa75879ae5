// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
/** There is something to see: more than spaces, controls and invisible letters. */
export function isVisible(text: string): boolean {
  return /[^\s\p{Cc}\p{Cf}\u115f\u1160\u3164\uffa0]/u.test(text);
}
