// Cameras with what they count now. A camera that is not live says why, and its last count says how old it is.

import type { JSX } from "preact";
import { number, t } from "../i18n";
import { formatAge } from "../rank";
import { cameras, can, loaded, now, selectedAlert, selectedCamera } from "../store";
import { cameraName, cameraReason, siteName } from "../words";
import { dialog } from "./dialogs";
import { Empty, Loading, Spark } from "../ui/bits";
import { Icon, type IconName } from "../ui/icons";
import type { Camera, CameraStatus } from "../types";

const STATUS_ICON: Record<CameraStatus, IconName> = { live: "link", stale: "clock", offline: "unlink", connecting: "clock" };
/** A count older than this says its age beside it; younger ones are simply now. */
const FRESH_MS = 15_000;

export function CameraList(): JSX.Element {
  const all = [...cameras.value.values()].sort((a, b) => a.id.localeCompare(b.id));
  const live = all.filter((c) => c.status === "live").length;
  return (
    <>
      <header class="col-head">
        <h2>{t("cameras.title")}</h2>
        <span class="muted">{t("cameras.live_of", { live, all: all.length })}</span>
      </header>
      {!loaded.value ? <Loading /> : all.length === 0 ? <Empty icon="camera" title={t("cameras.empty")} /> : (
        <ul class="camera-grid">{all.map((camera) => <li key={camera.id}><CameraCard camera={camera} /></li>)}</ul>
      )}
    </>
  );
}

function pick(camera: Camera): void {
  selectedAlert.value = null;
  selectedCamera.value = camera.id;
}

function CameraCard({ camera }: { camera: Camera }): JSX.Element {
  return (
    <button type="button" class={`camera status-${camera.status}${over(camera) ? " over" : ""}`} data-camera={camera.id}
      aria-current={selectedCamera.value === camera.id ? "true" : undefined} onClick={() => pick(camera)}>
      <span class="camera-names"><strong>{cameraName(camera)}</strong><small>{siteName(camera.site)}</small></span>
      <Count camera={camera} />
      <Spark series={camera.series ?? []} limit={camera.limit} />
      <StatusLine camera={camera} />
      {camera.poor.length > 0 && <span class="tag warn" title={poorWords(camera)}><Icon name="warning" size={13} /><span class="ellipsis">{t("camera.poor", { what: poorWords(camera) })}</span></span>}
    </button>
  );
}

export function CameraRow({ camera, still, entrance }: { camera: Camera; still?: boolean; entrance?: boolean }): JSX.Element {
  return (
    <div class={`camera-row status-${camera.status}`}>
      <button type="button" class="link-button" onClick={() => pick(camera)}>{cameraName(camera)}</button>
      {entrance && <span class="tag"><Icon name="exit" size={13} />{t("site.entrance")}</span>}
      <Count camera={camera} />
      {still && can("still.open") && (
        <span class="row-buttons">
          {camera.source === "hub" && <button type="button" onClick={() => (dialog.value = { kind: "live", camera: camera.id })}><Icon name="play" />{t("live.open_short")}</button>}
          <button type="button" onClick={() => (dialog.value = { kind: "still", camera: camera.id })}><Icon name="camera" />{t("still.open_short")}</button>
        </span>
      )}
    </div>
  );
}

export function Count({ camera }: { camera: Camera }): JSX.Element {
  if (camera.people === null) return <span class="count none" aria-label={t("count.none")}>–</span>;
  const range = camera.low !== null && camera.high !== null ? t("count.range", { low: number(camera.low), high: number(camera.high) }) : "";
  return (
    <span class="count">
      <strong>{number(camera.people)}</strong>
      <span class="sr-only">{t("count.people")}</span>
      {range && <small>{range}</small>}
    </span>
  );
}

export function StatusLine({ camera }: { camera: Camera }): JSX.Element {
  const age = camera.counted_at ? now.value - Date.parse(camera.counted_at) : null;
  return (
    <span class="camera-status">
      <Icon name={STATUS_ICON[camera.status]} size={14} />
      <span class="ellipsis">
        {t(`camera.status.${camera.status}`)}
        {camera.status !== "live" && camera.reason && <> · {cameraReason(camera)}</>}
      </span>
      {age !== null && (age > FRESH_MS || camera.status !== "live") && <span class="stale-age">{t("count.age", { age: formatAge(age) })}</span>}
    </span>
  );
}

const poorWords = (camera: Camera): string => camera.poor.map((code) => t(`cams.criterion.${code}`)).join(", ");

/** What the compliance meter finds wrong. */
export function Poor({ camera }: { camera: Camera }): JSX.Element | null {
  if (camera.poor.length === 0) return null;
  return <p class="callout bad"><Icon name="warning" />{t("camera.poor", { what: poorWords(camera) })}</p>;
}

function over(camera: Camera): boolean {
  return camera.limit !== null && camera.people !== null && camera.people > camera.limit;
}
