// A series with its band, the forecast as a fan, and what earlier forecasts had said for periods that have come since. Reads by
// pointer, by arrow keys, and as a table.

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { number } from "../../i18n";
import { t } from "../t";
import { ticks } from "../scale";
import { useSize } from "./size";

export interface Point { period: string; label: string; value: number | null; low?: number | null; high?: number | null }
export interface Past { period: string; forecast: number }

interface Props {
  title: string;
  unit: string;
  points: readonly Point[];
  forecast?: readonly Point[];
  /** What was foretold for a period before it came. */
  past?: readonly Past[];
  /** Ends of the axis; else the data's own. */
  domain?: [number, number];
  chosen?: string | undefined;
  height?: number;
  /** For slides: larger letters need more room. */
  big?: boolean;
}

const LEFT = 40;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 28;

export function Fan({ title, unit, points, forecast = [], past = [], domain, chosen, height = 240, big = false }: Props): JSX.Element {
  const [box, width] = useSize<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const id = useId();
  const all = [...points, ...forecast];
  const pastOf = new Map(past.map((p) => [p.period, p.forecast]));
  const seen = [...all.flatMap((p) => [p.value, p.low, p.high]), ...past.map((p) => p.forecast)].filter((v): v is number => typeof v === "number" && Number.isFinite(v));
  const [low, high] = domain ?? spanOf(seen);
  const x = (i: number) => LEFT + (all.length <= 1 ? 0.5 : i / (all.length - 1)) * Math.max(1, width - LEFT - RIGHT);
  const y = (v: number) => TOP + (1 - (v - low) / (high - low || 1)) * (height - TOP - BOTTOM);
  const last = points.findLastIndex((p) => p.value !== null);
  // The fan opens at the last known point, so that the eye is led from what was to what may be.
  const fan = last >= 0 && forecast.length > 0 ? [points[last]!, ...forecast] : [];
  const fanAt = (i: number) => (i === 0 ? x(last) : x(points.length + i - 1));
  const every = Math.max(1, Math.ceil(all.length / Math.max(1, Math.floor((width - LEFT - RIGHT) / (big ? 110 : 66)))));
  const reading = at === null ? null : (all[at] ?? null);
  const move = (step: number) => setAt((i) => Math.max(0, Math.min(all.length - 1, (i ?? last) + step)));
  return (
    <figure class="fan" aria-labelledby={`${id}-t`}>
      <figcaption id={`${id}-t`}><strong>{title}</strong><span class="muted">{unit}</span></figcaption>
      <div class="fan-box" ref={box} style={{ height: `${height}px` }} tabIndex={0} role="application" aria-roledescription={t("chart.kind")} aria-label={t("chart.keys", { title })}
        onKeyDown={(e) => {
          if (e.key !== "ArrowLeft" && e.key !== "ArrowRight") return;
          e.preventDefault();
          e.stopPropagation();
          move(e.key === "ArrowLeft" ? -1 : 1);
        }}
        onPointerMove={(e) => {
          const left = e.currentTarget.getBoundingClientRect().left;
          const i = Math.round(((e.clientX - left - LEFT) / Math.max(1, width - LEFT - RIGHT)) * (all.length - 1));
          setAt(Math.max(0, Math.min(all.length - 1, i)));
        }}
        onPointerLeave={() => setAt(null)} onBlur={() => setAt(null)}>
        {width > 0 && (
          <svg width={width} height={height} aria-hidden="true">
            {ticks(low, high, height < 160 ? 3 : 5).map((v) => (
              <g key={v}><line class="axis" x1={LEFT} x2={width - RIGHT} y1={y(v)} y2={y(v)} /><text class="axis-text" x={LEFT - 7} y={y(v) + 4} text-anchor="end">{number(v, 2)}</text></g>
            ))}
            {all.map((p, i) => (all.length - 1 - i) % every === 0 && <text key={p.period} class="axis-text" x={x(i)} y={height - 8} text-anchor={i === 0 && i !== all.length - 1 ? "start" : i === all.length - 1 ? "end" : "middle"}>{p.label}</text>)}
            {forecast.length > 0 && last >= 0 && <line class="fan-now" x1={x(last)} x2={x(last)} y1={TOP - 4} y2={height - BOTTOM} />}
            {runs(points).map((run, k) => <polygon key={k} class="fan-band" points={ribbon(run.map((i) => [x(i), y(points[i]!.high ?? points[i]!.value!), y(points[i]!.low ?? points[i]!.value!)]))} />)}
            {fan.length > 1 && <polygon class="fan-ahead" points={ribbon(fan.map((p, i) => [fanAt(i), y(p.high ?? p.value!), y(p.low ?? p.value!)]))} />}
            {runs(points).map((run, k) => <polyline key={k} class="fan-line" points={run.map((i) => `${x(i)},${y(points[i]!.value!)}`).join(" ")} />)}
            {fan.length > 1 && <polyline class="fan-line ahead" points={fan.map((p, i) => `${fanAt(i)},${y(p.value!)}`).join(" ")} />}
            {points.map((p, i) => p.value !== null && (points.length < 40 || p.period === chosen) && <circle key={p.period} class={p.period === chosen ? "fan-dot chosen" : "fan-dot"} cx={x(i)} cy={y(p.value)} r={p.period === chosen ? 5.5 : 3} />)}
            {points.map((p, i) => {
              const told = pastOf.get(p.period);
              if (told === undefined) return null;
              return (
                <g key={p.period} class="fan-past">
                  {p.value !== null && <line x1={x(i)} x2={x(i)} y1={y(told)} y2={y(p.value)} />}
                  <path d={`M${x(i) - 4} ${y(told)}h8M${x(i)} ${y(told) - 4}v8`} transform={`rotate(45 ${x(i)} ${y(told)})`} />
                </g>
              );
            })}
            {at !== null && <line class="fan-cursor" x1={x(at)} x2={x(at)} y1={TOP - 4} y2={height - BOTTOM} />}
          </svg>
        )}
        {reading && width > 0 && (
          <div class="fan-reading" style={at! > all.length / 2 ? { right: `${width - x(at!) + 12}px` } : { left: `${x(at!) + 12}px` }}>
            <strong>{reading.label}</strong>
            <span>{reading.value === null ? t("shared.no_value") : number(reading.value, 2)}{at! >= points.length && ` · ${t("chart.forecast")}`}</span>
            {reading.low != null && reading.high != null && <small>{t("chart.range", { low: number(reading.low, 2), high: number(reading.high, 2) })}</small>}
            {pastOf.has(reading.period) && <small>{t("chart.foretold", { value: number(pastOf.get(reading.period)!, 2) })}</small>}
          </div>
        )}
      </div>
      <p class="sr-only" role="status">{reading ? `${reading.label}: ${reading.value === null ? t("shared.no_value") : number(reading.value, 2)}` : ""}</p>
      <ul class="fan-legend">
        <li><i class="key-line" />{t("chart.observed")}</li>
        {points.some((p) => p.low != null) && <li><i class="key-band" />{t("chart.band")}</li>}
        {forecast.length > 0 && <li><i class="key-ahead" />{t("chart.forecast_range")}</li>}
        {past.length > 0 && <li><i class="key-past">×</i>{t("chart.past")}</li>}
      </ul>
      <details class="as-table">
        <summary>{t("chart.as_table")}</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={title}>
          <table class="plain-table">
            <thead><tr><th scope="col">{t("shared.period")}</th><th scope="col">{t("shared.value")}</th><th scope="col">{t("chart.low")}</th><th scope="col">{t("chart.high")}</th><th scope="col">{t("chart.past_short")}</th></tr></thead>
            <tbody>{all.map((p, i) => <tr key={p.period}><th scope="row">{p.label}{i >= points.length && ` (${t("chart.forecast")})`}</th>{[p.value, p.low, p.high, pastOf.get(p.period)].map((v, k) => <td key={k}>{v == null ? "–" : number(v, 2)}</td>)}</tr>)}</tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

function spanOf(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || Math.abs(high) || 1) * 0.12;
  // Counts never go below nothing, and an axis that does would suggest it.
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}

/** Indexes of points without a hole between them: a gap in the data stays a gap in the line. */
function runs(points: readonly Point[]): number[][] {
  const out: number[][] = [];
  let open = false;
  points.forEach((p, i) => {
    if (p.value === null) open = false;
    else if (open) out.at(-1)!.push(i);
    else {
      out.push([i]);
      open = true;
    }
  });
  return out;
}

const ribbon = (edge: [number, number, number][]) => [...edge.map(([x, top]) => `${x},${top}`), ...[...edge].reverse().map(([x, , foot]) => `${x},${foot}`)].join(" ");
