// One camera: its count now and over the last hour, its state in words, and the way to a still.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { clockTime, dateTime, number, t } from "../i18n";
import { cameras, can } from "../store";
import { cameraName, cameraReason, problem, siteName } from "../words";
import { Back } from "./AlertPanel";
import { Count, Poor, StatusLine } from "./CameraList";
import { Flows, Zones } from "./Zones";
import { dialog } from "./dialogs";
import { Fact } from "./Evidence";
import { Clips } from "../seeing/Clips";
import { Failed, Loading } from "../ui/bits";
import { Icon } from "../ui/icons";

type Point = [number, number, number | null, number | null];
const REFRESH_MS = 30_000;

export function CameraPanel({ id }: { id: string }): JSX.Element {
  const camera = cameras.value.get(id);
  if (!camera) return <div class="panel"><Back /><Failed text={t("camera.gone")} /></div>;
  return (
    <article class="panel" aria-labelledby="camera-title">
      <header class="panel-head">
        <Back />
        <span class="panel-icon"><Icon name="camera" size={26} /></span>
        <div class="panel-titles">
          <h2 id="camera-title" tabIndex={-1}>{cameraName(camera)}</h2>
          <p class="panel-place">{siteName(camera.site)}</p>
        </div>
      </header>
      <div class={`camera-now status-${camera.status}`}>
        <Count camera={camera} />
        <StatusLine camera={camera} />
      </div>
      {camera.reason && (
        <p class="callout bad"><Icon name="warning" /><span>{cameraReason(camera)}<br /><small>{camera.reason.detail}</small></span></p>
      )}
      {camera.source === "foreign" && camera.codec && <p class="callout"><Icon name="swap" />{t("camera.by_itself")}</p>}
      <Poor camera={camera} />
      <Zones zones={camera.zones} />
      <Flows flows={camera.flows} />
      {can("still.open") && (
        <div class="actions">
          <button type="button" class="primary" onClick={() => (dialog.value = { kind: "still", camera: id })}><Icon name="camera" />{t("still.open")}</button>
          {camera.source === "hub" && <button type="button" data-open-live onClick={() => (dialog.value = { kind: "live", camera: id })}><Icon name="play" />{t("live.open")}</button>}
          {camera.recordings && <button type="button" data-recordings onClick={() => (dialog.value = { kind: "recording", camera: id })}><Icon name="clock" />{t("recording.title")}</button>}
        </div>
      )}
      <Clips camera={id} />
      <section class="block"><h3>{t("camera.last_hour")}</h3><History id={id} limit={camera.limit} /></section>
      <section class="block">
        <h3>{t("camera.about")}</h3>
        <dl class="facts">
          <Fact name={t("camera.id")} value={camera.id} />
          <Fact name={t("camera.space")} value={t(camera.public_space ? "camera.space_public" : "camera.space_school")} />
          <Fact name={t("camera.source")} value={t(camera.source === "hub" ? "camera.source_hub" : "camera.source_foreign")} />
          {camera.limit !== null && <Fact name={t("evidence.limit")} value={number(camera.limit)} />}
          {camera.counted_at && <Fact name={t("camera.counted_at")} value={dateTime(camera.counted_at)} />}
          {camera.codec && <Fact name={t("camera.picture")} value={`${camera.codec.toUpperCase()}${camera.size_px ? ` ${camera.size_px[0]}×${camera.size_px[1]}` : ""}`} />}
        </dl>
      </section>
    </article>
  );
}

const W = 360;
const H = 110;

function History({ id, limit }: { id: string; limit: number | null }): JSX.Element {
  const [points, setPoints] = useState<Point[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = () => {
    api.counts(id, 60).then((p) => { setPoints(p); setError(null); }, setError);
  };
  useEffect(() => {
    setPoints(null);
    load();
    const timer = setInterval(load, REFRESH_MS);
    return () => clearInterval(timer);
  }, [id]);
  if (error) return <Failed text={problem(error)} retry={load} />;
  if (!points) return <Loading />;
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || points.length < 2) return <p class="muted">{t("camera.no_history")}</p>;
  const top = Math.max(4, ...points.map((p) => p[3] ?? p[1]), limit ?? 0) * 1.1;
  const x = (ms: number) => ((ms - first[0]) / Math.max(1, last[0] - first[0])) * W;
  const y = (people: number) => H - (people / top) * H;
  const band = [...points.map((p) => [p[0], p[3] ?? p[1]] as const), ...points.toReversed().map((p) => [p[0], p[2] ?? p[1]] as const)];
  const path = (list: readonly (readonly [number, number])[]) => list.map(([ms, n]) => `${x(ms).toFixed(1)},${y(n).toFixed(1)}`).join(" ");
  return (
    <figure class="history">
      <svg viewBox={`0 0 ${W} ${H}`} preserveAspectRatio="none" role="img" aria-label={t("camera.history_label", { low: number(Math.min(...points.map((p) => p[1]))), high: number(Math.max(...points.map((p) => p[1]))) })}>
        <polygon class="spark-area" points={path(band)} />
        {limit !== null && limit < top && <line class="spark-limit" x1="0" x2={W} y1={y(limit)} y2={y(limit)} />}
        <polyline class="spark-line" points={path(points.map((p) => [p[0], p[1]] as const))} />
      </svg>
      <figcaption><span>{clockTime(first[0])}</span><span>{t("camera.max", { people: number(Math.max(...points.map((p) => p[1]))) })}</span><span>{clockTime(last[0])}</span></figcaption>
    </figure>
  );
}
