// Bars made of boxes: shares, contributions to either side, and intervals on a scale. Every bar has its number beside it, so that
// none is read by colour or length alone.

import type { ComponentChildren, JSX } from "preact";
import { fixed, number } from "../../i18n";

export interface Share { id: string; name: string; value: number; note?: string; warn?: boolean }

/** Parts of a whole, the largest first, as the hub sent them. */
export function Shares({ parts, unit, choose, chosen, digits = 1 }: { parts: readonly Share[]; unit: string; choose?: (id: string) => void; chosen?: string; digits?: number }): JSX.Element {
  const most = Math.max(1e-9, ...parts.map((p) => p.value));
  return (
    <ul class="shares">
      {parts.map((p) => {
        const inside: ComponentChildren = (
          <>
            <span class="share-name">{p.name}{p.note && <small>{p.note}</small>}</span>
            <span class="share-bar" aria-hidden="true"><i class={p.warn ? "warn" : ""} style={{ width: `${(p.value / most) * 100}%` }} /></span>
            <strong class="share-value">{number(p.value, digits)}{unit && <small> {unit}</small>}</strong>
          </>
        );
        return <li key={p.id}>{choose ? <button type="button" class="share-row" aria-pressed={chosen === p.id} onClick={() => choose(p.id)}>{inside}</button> : <div class="share-row">{inside}</div>}</li>;
      })}
    </ul>
  );
}

export interface Push { id: string; name: string; value: number; detail: string; proposal?: boolean }

/** Contributions: what raises to the right, what lowers to the left of the middle. */
export function Pushes({ parts, digits = 2, proposal }: { parts: readonly Push[]; digits?: number; proposal: string }): JSX.Element {
  const most = Math.max(1e-9, ...parts.map((p) => Math.abs(p.value)));
  const both = parts.some((p) => p.value < 0);
  return (
    <ul class={both ? "pushes both" : "pushes"}>
      {parts.map((p) => (
        <li key={p.id}>
          <span class="push-name">{p.name}{p.proposal && <em class="tag">{proposal}</em>}<small>{p.detail}</small></span>
          <span class="push-bar" aria-hidden="true"><i class={p.value < 0 ? "down" : "up"} style={{ width: `${(Math.abs(p.value) / most) * (both ? 50 : 100)}%` }} /></span>
          <strong class="push-value">{p.value > 0 ? "+" : p.value < 0 ? "−" : ""}{fixed(Math.abs(p.value), digits)}</strong>
        </li>
      ))}
    </ul>
  );
}

/** Where a value stands on the index's scale, with its band. */
export function Interval({ value, low, high, span = [0, 10], step }: { value: number | null; low: number | null; high: number | null; span?: readonly [number, number]; step?: number | null }): JSX.Element {
  const share = (v: number) => Math.max(0, Math.min(1, (v - span[0]) / (span[1] - span[0] || 1))) * 100;
  const at = (v: number) => `${share(v)}%`;
  return (
    <span class="interval" aria-hidden="true">
      {low !== null && high !== null && <i class="interval-band" style={{ left: at(low), width: `${share(high) - share(low)}%` }} />}
      {value !== null && <b class={step ? `seq-${step}` : ""} style={{ left: at(value) }} />}
    </span>
  );
}

export function Progress({ percent, late }: { percent: number; late?: boolean }): JSX.Element {
  const p = Math.max(0, Math.min(100, percent));
  return <span class={late ? "progress late" : "progress"}><span class="progress-bar" aria-hidden="true"><i style={{ width: `${p}%` }} /></span><strong>{number(p, 0)} %</strong></span>;
}
