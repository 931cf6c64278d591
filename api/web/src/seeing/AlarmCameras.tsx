// The cameras of an alarm's own site, live at once: those that see the entrance first. Opening them is written down with the alarm
// as the reason.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { LiveTile } from "./LiveTile";
import type { Camera } from "../types";

/** More at once say less than they cost. */
const AT_ONCE = 4;
/** Who only passes by this alarm with the arrow keys opens nothing. */
const AFTER_MS = 700;

export function AlarmCameras({ alert, cameras }: { alert: number; cameras: readonly Camera[] }): JSX.Element | null {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const own = cameras.filter((camera) => camera.source === "hub").slice(0, AT_ONCE);
  const shown = own.filter((camera) => !closed.has(camera.id));
  if (own.length === 0) return null;
  return (
    <>
      <p class="muted live-logged">{t("live.alarm_logged")}</p>
      <div class={shown.length === 1 ? "live-tiles one" : "live-tiles"}>
        {shown.map((camera) => (
          <LiveTile key={camera.id} camera={camera.id} reason={{ alert }} after={AFTER_MS} onClose={() => setClosed(new Set(closed).add(camera.id))} />
        ))}
      </div>
      {closed.size > 0 && <button type="button" onClick={() => setClosed(new Set())}>{t("live.show_again")}</button>}
    </>
  );
}
