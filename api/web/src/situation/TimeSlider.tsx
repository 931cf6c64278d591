// Through the periods: a slider with its ticks, one step to either side, and a play button that stops at the newest.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../ui/icons";
import { t } from "./t";
import { period as periodWords, shortPeriod } from "./wording";

/** Long enough to look over a map, short enough to keep the movement in mind. */
const STEP_MS = 1300;

export function TimeSlider({ periods, at, choose, busy }: { periods: readonly string[]; at: string; choose: (period: string) => void; busy?: boolean }): JSX.Element | null {
  const [playing, setPlaying] = useState(false);
  const i = Math.max(0, periods.indexOf(at));
  const last = periods.length - 1;
  useEffect(() => {
    if (!playing || busy) return;
    if (i >= last) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => choose(periods[i + 1]!), STEP_MS);
    return () => clearTimeout(timer);
  }, [playing, i, busy]);
  if (periods.length < 2) return null;
  const every = Math.ceil(periods.length / 8);
  return (
    <section class="time" aria-label={t("time.label")}>
      <button type="button" class="square primary" aria-label={t(playing ? "time.pause" : "time.play")} onClick={() => {
        if (!playing && i >= last) choose(periods[0]!);
        setPlaying(!playing);
      }}><Icon name={playing ? "pause" : "play"} /></button>
      <button type="button" class="ghost square" aria-label={t("time.back")} disabled={i === 0} onClick={() => { setPlaying(false); choose(periods[i - 1]!); }}><Icon name="back" /></button>
      <div class="time-track">
        <input type="range" min={0} max={last} value={i} aria-label={t("time.label")} aria-valuetext={periodWords(at)} onInput={(e) => { setPlaying(false); choose(periods[Number(e.currentTarget.value)]!); }} />
        <div class="time-ticks" aria-hidden="true">
          {periods.map((p, k) => ((last - k) % every === 0) && <span key={p} class={k === 0 ? "first" : k === last ? "last" : ""} style={{ left: `${(k / last) * 100}%` }}>{shortPeriod(p)}</span>)}
        </div>
      </div>
      <button type="button" class="ghost square" aria-label={t("time.next")} disabled={i === last} onClick={() => { setPlaying(false); choose(periods[i + 1]!); }}><Icon name="next" /></button>
      <strong class="time-now" role="status">{periodWords(at)}</strong>
    </section>
  );
}
