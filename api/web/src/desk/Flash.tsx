// The visible side of the alarm sound: a red frame around the whole page, over everything but dialogs, while an alarm rings.

import type { JSX } from "preact";
import { ringing, urgent } from "../store";

export function Flash(): JSX.Element | null {
  return ringing.value.length > 0 ? <div class={urgent.value ? "flash urgent" : "flash"} aria-hidden="true" /> : null;
}
