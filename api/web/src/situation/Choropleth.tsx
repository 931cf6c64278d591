// The map of areas in colours: one SVG that can be moved and enlarged. Areas without enough data carry a hatch, never a colour.
// Keyboard and screen readers have the ranked list beside it, which says the same.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { named } from "../i18n";
import { lang } from "../prefs";
import { Icon } from "../ui/icons";
import type { AreaCollection, LatLon } from "../types";
import { useSize } from "./charts/size";
import { layOut, PLANE, shortName } from "./geo";
import { lay } from "./labels";
import { t } from "./t";

export interface Dot { at: LatLon; size: number; step?: number }

interface Props {
  areas: AreaCollection | null;
  /** Step of the palette 1 to 7, or null for "no colour: too little data". Areas that are absent are drawn as land. */
  step: ReadonlyMap<string, number | null>;
  /** A number under the name, when there is room. */
  figure?: ReadonlyMap<string, string>;
  chosen?: string | null;
  pointed?: string | null;
  choose?: (kato: string) => void;
  point?: (kato: string | null) => void;
  tip?: (kato: string) => ComponentChildren;
  dots?: readonly Dot[];
  label: string;
  big?: boolean;
  /** No zooming and no tools: slides. */
  still?: boolean;
}

interface View { k: number; x: number; y: number }
const HOME: View = { k: 1, x: 0, y: 0 };
const MOST = 12;

export function Choropleth({ areas, step, figure, chosen, pointed, choose, point, tip, dots, label, big, still }: Props): JSX.Element {
  const [box, width, height] = useSize<HTMLDivElement>();
  const [view, setView] = useState<View>(HOME);
  const [over, setOver] = useState<{ kato: string; x: number; y: number } | null>(null);
  const plane = useMemo(() => layOut(areas), [areas]);
  const names = useMemo(() => new Map((areas?.features ?? []).map((f) => [f.properties.kato, named(f.properties.name, f.properties.kato)])), [areas, lang.value]);
  const pad = big ? 14 : 22;
  const fit = Math.max(1e-6, Math.min((width - 2 * pad) / PLANE, (height - 2 * pad) / plane.height));
  const [left, top] = [(width - PLANE * fit) / 2, (height - plane.height * fit) / 2];
  const scale = fit * view.k;
  const screen = ([x, y]: [number, number]): [number, number] => [(left + x * fit) * view.k + view.x, (top + y * fit) * view.k + view.y];

  const zoom = (by: number, cx = width / 2, cy = height / 2) => setView((v) => {
    const k = Math.max(1, Math.min(MOST, v.k * by));
    if (k === 1) return HOME;
    const r = k / v.k;
    return hold({ k, x: cx - (cx - v.x) * r, y: cy - (cy - v.y) * r }, width, height);
  });
  const fingers = useRef(new Map<number, [number, number]>());
  const moved = useRef(0);
  const spread = () => {
    const [a, b] = [...fingers.current.values()];
    return a && b ? { d: Math.hypot(a[0] - b[0], a[1] - b[1]), x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 } : null;
  };
  const place = (e: PointerEvent): [number, number] => {
    const r = (e.currentTarget as Element).getBoundingClientRect();
    return [e.clientX - r.left, e.clientY - r.top];
  };
  const handlers = still ? {} : {
    onPointerDown: (e: PointerEvent) => {
      fingers.current.set(e.pointerId, place(e));
      moved.current = 0;
    },
    onPointerMove: (e: PointerEvent) => {
      const before = fingers.current.get(e.pointerId);
      if (!before) return;
      const apart = spread();
      const now = place(e);
      fingers.current.set(e.pointerId, now);
      moved.current += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
      // A finger that moves over an unmagnified map scrolls the page; the map takes it only once it has been enlarged.
      if (moved.current < 4) return;
      const wide = spread();
      if (apart && wide) zoom(wide.d / Math.max(1, apart.d), wide.x, wide.y);
      else if (view.k > 1) {
        (e.currentTarget as Element).setPointerCapture?.(e.pointerId);
        setView((v) => hold({ k: v.k, x: v.x + now[0] - before[0], y: v.y + now[1] - before[1] }, width, height));
      }
    },
    onPointerUp: (e: PointerEvent) => void fingers.current.delete(e.pointerId),
    onPointerCancel: (e: PointerEvent) => void fingers.current.delete(e.pointerId),
    onPointerLeave: (e: PointerEvent) => void fingers.current.delete(e.pointerId),
  };
  const zoomRef = useRef(zoom);
  zoomRef.current = zoom;
  useEffect(() => {
    const node = box.current!;
    if (still) return;
    // Not passive: the page must not scroll while the map grows.
    const wheel = (e: WheelEvent) => {
      e.preventDefault();
      const r = node.getBoundingClientRect();
      zoomRef.current(Math.exp(-e.deltaY * 0.0016), e.clientX - r.left, e.clientY - r.top);
    };
    node.addEventListener("wheel", wheel, { passive: false });
    return () => node.removeEventListener("wheel", wheel);
  }, [still]);

  const labels = useMemo(() => (width > 0 ? lay(plane.shapes.map((s) => ({ kato: s.kato, at: screen(s.label), name: shortName(names.get(s.kato) ?? s.kato), room: [s.width * scale, s.height * scale] as [number, number], figure: figure?.get(s.kato) })), big ? 21 : 12.5, width, height) : []),
    [plane, names, figure, scale, view, width, height, big]);
  const hover = (kato: string | null, e?: PointerEvent) => {
    if (kato === null || !e || e.pointerType === "touch") {
      setOver(null);
      point?.(null);
      return;
    }
    const r = box.current!.getBoundingClientRect();
    setOver({ kato, x: e.clientX - r.left, y: e.clientY - r.top });
    point?.(kato);
  };
  const edge = (kato: string | null | undefined) => plane.shapes.find((s) => s.kato === kato);
  const marked = [edge(pointed ?? over?.kato), edge(chosen)];
  return (
    <div class={`choropleth${big ? " big" : ""}`} ref={box}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={label} style={view.k > 1 ? { touchAction: "none", cursor: "grab" } : undefined} {...handlers}>
          <defs>
            <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform={`rotate(45) scale(${1 / scale})`}>
              <rect width="7" height="7" class="hatch-ground" /><line x1="0" y1="0" x2="0" y2="7" class="hatch-line" />
            </pattern>
          </defs>
          <g transform={`translate(${view.x} ${view.y}) scale(${view.k}) translate(${left} ${top}) scale(${fit})`}>
            {plane.shapes.map((s) => {
              const at = step.get(s.kato);
              return <path key={s.kato} d={s.d} data-kato={s.kato} class={`area ${at === undefined ? "land" : at === null ? "no-colour" : `seq-${at}`}`}
                onPointerMove={(e: PointerEvent) => hover(s.kato, e)} onPointerLeave={() => hover(null)} onClick={() => moved.current < 6 && choose?.(s.kato)} />;
            })}
            {marked.map((s, i) => s && <path key={`${i}-${s.kato}`} d={s.d} class={i === 1 ? "area-edge chosen" : "area-edge"} />)}
          </g>
          {dots?.map((dot, i) => {
            const [x, y] = screen(plane.at(dot.at));
            return <circle key={i} class={`heat${dot.step ? ` seq-${dot.step}` : ""}`} cx={x} cy={y} r={dot.size} />;
          })}
          {labels.map((l) => (
            <text key={l.kato} class="area-name" x={l.x} y={l.y} text-anchor="middle">
              {l.lines.map((line, i) => <tspan key={i} x={l.x} dy={i === 0 ? 0 : "1.1em"}>{line}</tspan>)}
              {l.figure && <tspan class="area-figure" x={l.x} dy="1.15em">{l.figure}</tspan>}
            </text>
          ))}
        </svg>
      )}
      {over && tip && !still && (
        <div class="map-tip" style={{ top: `${Math.min(over.y + 16, height - 130)}px`, ...(over.x > width * 0.6 ? { right: `${width - over.x + 14}px` } : { left: `${over.x + 14}px` }) }}>
          <strong>{names.get(over.kato)}</strong>{tip(over.kato)}
        </div>
      )}
      {!still && (
        <div class="zoom-tools">
          <button type="button" class="square" aria-label={t("map.zoom_in")} onClick={() => zoom(1.6)}><Icon name="plus" size={16} /></button>
          <button type="button" class="square" aria-label={t("map.zoom_out")} disabled={view.k === 1} onClick={() => zoom(1 / 1.6)}><Icon name="minus" size={16} /></button>
          <button type="button" class="square" aria-label={t("map.whole")} title={t("map.whole")} disabled={view.k === 1} onClick={() => setView(HOME)}><Icon name="map" size={16} /></button>
        </div>
      )}
    </div>
  );
}

/** An enlarged map may be pushed aside, but never out of sight. */
function hold(v: View, width: number, height: number): View {
  return { k: v.k, x: Math.min(0, Math.max(width - width * v.k, v.x)), y: Math.min(0, Math.max(height - height * v.k, v.y)) };
}
