// Short messages at the foot of the page, read aloud by screen readers. Errors stay until dismissed or replaced.

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { t } from "../i18n";
import { Icon } from "./icons";

interface Toast { text: string; bad: boolean }
const toast = signal<Toast | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string, bad = false): void {
  clearTimeout(timer);
  toast.value = { text, bad };
  timer = setTimeout(() => (toast.value = null), bad ? 20_000 : 5000);
}

export function Toasts(): JSX.Element {
  const shown = toast.value;
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown && (
        <div class={shown.bad ? "toast bad" : "toast"}>
          <Icon name={shown.bad ? "warning" : "check"} />
          <span>{shown.text}</span>
          <button type="button" class="ghost square" aria-label={t("common.dismiss")} onClick={() => (toast.value = null)}><Icon name="cross" size={16} /></button>
        </div>
      )}
    </div>
  );
}
