// The keys of the desk, and the switch that turns the single letters off.

import type { JSX } from "preact";
import { t, type Key } from "../i18n";
import { keysOn, setKeys } from "../prefs";
import { Dialog } from "../ui/Dialog";

const KEYS: readonly [string[], Key][] = [
  [["J", "↓"], "help.next"], [["K", "↑"], "help.previous"], [["C"], "action.claim"], [["D"], "action.dispatch"], [["X"], "action.close"],
  [["W"], "action.note"], [["R"], "action.release"], [["N", "I"], "incident.open"], [["G"], "shift.title"], [["S"], "sound.test"], [["E"], "help.extend"], [["Esc"], "common.back"], [["?", "F1"], "help.title"],
];

export function HelpDialog({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Dialog title={t("help.title")} onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([keys, name]) => (
          <div key={name}><dt>{keys.map((k) => <kbd key={k}>{k}</kbd>)}</dt><dd>{t(name)}</dd></div>
        ))}
      </dl>
      <label class="switch">
        <input type="checkbox" checked={keysOn.value} onChange={(e) => setKeys(e.currentTarget.checked)} />
        <span>{t("help.letters")}</span>
      </label>
      <p class="muted">{t("help.layouts")}</p>
    </Dialog>
  );
}
