// Zones, lines, masks and the four points of the calibration on the camera's masked still. Every corner is a button: arrow keys move
// it, Delete takes it away; with a mouse it is dragged, and a click on the picture adds one.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../../api";
import { t } from "../../i18n";
import { problem } from "../../words";
import { Icon } from "../../ui/icons";
import { added, asToml, corners, grown, place, pointsOf, removed, withPoints, type Chosen, type Kind } from "./shapes";
import type { CameraKeys, Place, ZoneKeys } from "./types";
import type { Names } from "../../types";

interface Props { id: string; keys: CameraKeys; change: (keys: CameraKeys) => void; canStill: boolean; fromFile: boolean }
const STEP = 0.01;
const KINDS: Kind[] = ["zone", "line", "mask", "calibration"];

export function Drawing({ id, keys, change, canStill, fromFile }: Props): JSX.Element {
  const [picture, setPicture] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  useEffect(() => () => { if (picture) URL.revokeObjectURL(picture); }, [picture]);
  const look = () => {
    setError(null);
    api.setupStill(id).then((blob) => setPicture(URL.createObjectURL(blob)), setError);
  };
  useEffect(() => { if (canStill) look(); }, [id]);
  const add = (kind: Kind) => {
    const [next, shape] = added(keys, kind);
    change(next);
    setChosen(shape);
  };
  const all: Chosen[] = [
    ...(keys.zone ?? []).map((_, at): Chosen => ({ kind: "zone", at })),
    ...(keys.line ?? []).map((_, at): Chosen => ({ kind: "line", at })),
    ...(keys.mask ?? []).map((_, at): Chosen => ({ kind: "mask", at })),
    ...(keys.calibration?.points?.length ? [{ kind: "calibration" as const, at: 0 }] : []),
  ];
  const label = ({ kind, at }: Chosen) => `${t(`cams.${kind}`)} ${kind === "zone" ? keys.zone?.[at]?.id ?? "" : kind === "line" ? keys.line?.[at]?.id ?? "" : kind === "mask" ? at + 1 : ""}`.trim();
  return (
    <section class="drawing">
      <p class="muted">{t("cams.draw_text")}</p>
      <div class="draw-tools" role="group" aria-label={t("cams.draw")}>
        {KINDS.map((kind) => (
          <button key={kind} type="button" disabled={kind === "calibration" && keys.calibration !== undefined} onClick={() => add(kind)}><Icon name="plus" size={16} />{t(`cams.${kind}`)}</button>
        ))}
        {canStill && <button type="button" onClick={look}><Icon name="camera" size={16} />{t("cams.new_still")}</button>}
      </div>
      {error !== null && <p class="callout bad" role="alert"><Icon name="warning" />{problem(error)}</p>}
      <div class="draw-stage">
        <Canvas picture={picture} keys={keys} all={all} chosen={chosen} choose={setChosen} change={change} label={label} />
        <div class="draw-list">
          {all.length === 0 && <p class="muted">{t("cams.nothing_drawn")}</p>}
          {all.map((shape) => (
            <button key={`${shape.kind}-${shape.at}`} type="button" class={`draw-shape ${shape.kind}`} aria-pressed={same(shape, chosen)} onClick={() => setChosen(same(shape, chosen) ? null : shape)}>{label(shape)}</button>
          ))}
          {chosen && <Shape keys={keys} chosen={chosen} change={change} gone={() => { change(removed(keys, chosen)); setChosen(null); }} />}
        </div>
      </div>
      {fromFile && all.length > 0 && (
        <label class="toml">{t("cams.toml")}<textarea readOnly rows={8} class="mono" value={asToml(keys)} onFocus={(e) => e.currentTarget.select()} /></label>
      )}
    </section>
  );
}

const same = (a: Chosen, b: Chosen | null) => b !== null && a.kind === b.kind && a.at === b.at;

interface CanvasProps {
  picture: string | null; keys: CameraKeys; all: Chosen[]; chosen: Chosen | null; choose: (shape: Chosen) => void;
  change: (keys: CameraKeys) => void; label: (shape: Chosen) => string;
}

function Canvas({ picture, keys, all, chosen, choose, change, label }: CanvasProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState<number | null>(null);
  const at = (event: { clientX: number; clientY: number }): Place => {
    const r = box.current!.getBoundingClientRect();
    return place((event.clientX - r.left) / r.width, (event.clientY - r.top) / r.height);
  };
  const points = chosen ? pointsOf(keys, chosen) : [];
  const move = (i: number, to: Place) => chosen && change(withPoints(keys, chosen, points.map((p, n) => (n === i ? to : p))));
  const take = (i: number) => chosen && points.length > corners[chosen.kind][0] && change(withPoints(keys, chosen, points.filter((_, n) => n !== i)));
  const key = (event: KeyboardEvent, i: number) => {
    const step = event.shiftKey ? 5 * STEP : STEP;
    const by: Record<string, Place> = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const way = by[event.key];
    const [x, y] = points[i]!;
    if (way) move(i, place(x + way[0], y + way[1]));
    else if (event.key === "Delete" || event.key === "Backspace") take(i);
    else return;
    event.preventDefault();
  };
  const click = (event: MouseEvent) => {
    if (event.target instanceof HTMLButtonElement || !chosen || points.length >= corners[chosen.kind][1]) return;
    change(withPoints(keys, chosen, [...points, at(event)]));
  };
  const path = (list: readonly Place[]) => list.map(([x, y]) => `${x * 100},${y * 100}`).join(" ");
  return (
    <div ref={box} class="draw-canvas" onClick={click} onPointerMove={(e) => { if (dragged !== null) move(dragged, at(e)); }} onPointerUp={() => setDragged(null)} onPointerLeave={() => setDragged(null)}>
      {picture ? <img src={picture} alt={t("cams.still_alt")} draggable={false} /> : <p class="draw-blank">{t("cams.no_still")}</p>}
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        {all.map((shape) => {
          const list = pointsOf(keys, shape);
          const name = `shape ${shape.kind}${same(shape, chosen) ? " chosen" : ""}`;
          return shape.kind === "line"
            ? <polyline key={label(shape)} class={name} points={path(list)} onClick={() => choose(shape)} />
            : <polygon key={label(shape)} class={name} points={path(list)} onClick={() => choose(shape)} />;
        })}
      </svg>
      {points.map(([x, y], i) => (
        <button key={i} type="button" class="corner" style={{ left: `${x * 100}%`, top: `${y * 100}%` }}
          aria-label={t("cams.corner", { n: i + 1, x: Math.round(x * 100), y: Math.round(y * 100) })}
          onKeyDown={(e) => key(e, i)} onPointerDown={(e) => { e.currentTarget.focus(); setDragged(i); e.preventDefault(); }}>{i + 1}</button>
      ))}
    </div>
  );
}

function Shape({ keys, chosen, change, gone }: { keys: CameraKeys; chosen: Chosen; change: (keys: CameraKeys) => void; gone: () => void }): JSX.Element {
  const { kind, at } = chosen;
  const points = pointsOf(keys, chosen);
  const zone = kind === "zone" ? keys.zone?.[at] : undefined;
  const line = kind === "line" ? keys.line?.[at] : undefined;
  const putZone = (z: ZoneKeys) => change({ ...keys, zone: (keys.zone ?? []).map((one, i) => (i === at ? z : one)) });
  const setName = (name: Names) => zone ? putZone({ ...zone, name }) : change({ ...keys, line: (keys.line ?? []).map((one, i) => (i === at ? { ...one, name } : one)) });
  const setId = (id: string) => zone ? putZone({ ...zone, id }) : change({ ...keys, line: (keys.line ?? []).map((one, i) => (i === at ? { ...one, id } : one)) });
  const named = zone ?? line;
  return (
    <div class="form">
      {named && <label>{t("cams.id")}<input value={named.id} pattern="[a-z0-9\-]{1,64}" onInput={(e) => setId(e.currentTarget.value)} /></label>}
      {named && (["kk", "ru", "en"] as const).map((lang) => (
        <label key={lang}>{t("cams.name", { lang })}<input lang={lang} value={named.name[lang]} maxLength={120} onInput={(e) => setName({ ...named.name, [lang]: e.currentTarget.value })} /></label>
      ))}
      {zone && <NumberField name={t("cams.capacity")} value={zone.capacity} set={(capacity) => putZone(optional(zone, "capacity", capacity))} />}
      {zone && keys.calibration && <NumberField name={t("cams.max_density")} step={0.1} value={zone.max_people_per_m2} set={(n) => putZone(optional(zone, "max_people_per_m2", n))} />}
      {kind === "calibration" && keys.calibration && <Sides keys={keys} change={change} />}
      <div class="draw-tools">
        {points.length < corners[kind][1] && <button type="button" onClick={() => change(withPoints(keys, chosen, grown(points)))}><Icon name="plus" size={16} />{t("cams.add_corner")}</button>}
        <button type="button" class="danger" onClick={gone}>{t("common.remove")}</button>
      </div>
    </div>
  );
}

function Sides({ keys, change }: { keys: CameraKeys; change: (keys: CameraKeys) => void }): JSX.Element {
  const calibration = keys.calibration!;
  const sides = calibration.sides_m ?? [];
  return (
    <>
      <p class="muted">{t("cams.sides_text")}</p>
      {[0, 1, 2, 3].map((i) => (
        <NumberField key={i} name={t("cams.side", { from: i + 1, to: ((i + 1) % 4) + 1 })} step={0.1} value={sides[i]}
          set={(n) => change({ ...keys, calibration: { ...calibration, sides_m: [0, 1, 2, 3].map((s) => (s === i ? n ?? 0 : sides[s] ?? 0)) } })} />
      ))}
      <NumberField name={t("cams.diagonal")} step={0.1} value={calibration.diagonal_m} set={(n) => change({ ...keys, calibration: optional(calibration, "diagonal_m", n) })} />
    </>
  );
}

/** Leaves a key out rather than giving it no value. */
export function optional<T extends object, K extends keyof T>(of: T, key: K, value: T[K] | undefined | null): T {
  const { [key]: _old, ...rest } = of;
  return (value === undefined || value === null || value === ("" as unknown) ? rest : { ...rest, [key]: value }) as T;
}

export function NumberField({ name, value, set, step }: { name: string; value: number | undefined; set: (n: number | undefined) => void; step?: number }): JSX.Element {
  return (
    <label>{name}<input type="number" min={0} step={step ?? 1} value={value ?? ""} onInput={(e) => set(e.currentTarget.value === "" ? undefined : Number(e.currentTarget.value))} /></label>
  );
}
