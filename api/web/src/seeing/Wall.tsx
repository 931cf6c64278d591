// The masked wall: a small picture of every camera, people and faces pixelated, for the shift without a purpose. Only what is on the
// screen is asked for, one picture after the other.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { formatAge } from "../rank";
import { cameras, loaded, now } from "../store";
import { cameraName, cameraReason, siteName } from "../words";
import { dialog } from "../desk/dialogs";
import { Count } from "../desk/CameraList";
import { Empty, Loading } from "../ui/bits";
import { Icon } from "../ui/icons";
import { follow, type WallState } from "./wallFeed";
import type { Camera } from "../types";

/** A picture older than this says so. */
const OLD_MS = 20_000;

export function WallPage(): JSX.Element {
  const [words, setWords] = useState("");
  const all = [...cameras.value.values()].filter((c) => c.source === "hub").sort((a, b) => a.id.localeCompare(b.id));
  const wanted = words.trim().toLocaleLowerCase();
  const found = wanted === "" ? all : all.filter((c) => `${cameraName(c)} ${siteName(c.site)} ${c.id}`.toLocaleLowerCase().includes(wanted));
  return (
    <main class="page wall-page">
      <header class="page-head">
        <h1>{t("wall.title")}</h1>
        <p class="muted">{t("wall.lead")}</p>
      </header>
      {all.length > 6 && (
        <label class="wall-find"><span class="sr-only">{t("wall.find")}</span>
          <input type="search" placeholder={t("wall.find")} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></label>
      )}
      {!loaded.value ? <Loading /> : all.length === 0 ? <Empty icon="camera" title={t("wall.empty")} /> : found.length === 0 ? <Empty icon="camera" title={t("wall.none_found")} /> : (
        <ul class="wall">{found.map((camera) => <li key={camera.id}><WallTile camera={camera} /></li>)}</ul>
      )}
    </main>
  );
}

function WallTile({ camera }: { camera: Camera }): JSX.Element {
  const tile = useRef<HTMLButtonElement>(null);
  const [state, setState] = useState<WallState>({ kind: "loading" });
  useEffect(() => follow(camera.id, tile.current!, setState), [camera.id]);
  const age = state.kind === "picture" ? now.value - state.at : 0;
  return (
    <button ref={tile} type="button" class={`wall-tile status-${camera.status}`} data-wall={camera.id} data-state={state.kind}
      onClick={() => (dialog.value = { kind: "live", camera: camera.id })}>
      <span class="wall-picture">
        {state.kind === "picture" && <img src={state.url} alt={t("wall.alt", { camera: cameraName(camera) })} />}
        {state.kind === "loading" && <span class="wall-cover"><span class="spinner" aria-hidden="true" /><span class="sr-only">{t("common.loading")}</span></span>}
        {state.kind === "withheld" && <span class="wall-cover"><Icon name="shield" size={26} />{t("wall.withheld")}</span>}
        {state.kind === "none" && <span class="wall-cover"><Icon name="unlink" size={26} />{camera.reason && camera.status !== "live" ? cameraReason(camera) : t("wall.no_picture")}</span>}
        {state.kind === "failed" && <span class="wall-cover"><Icon name="warning" size={26} />{t("wall.failed")}</span>}
        {age > OLD_MS && <span class="wall-age"><Icon name="clock" size={13} />{formatAge(age)}</span>}
      </span>
      <span class="wall-names"><span class="camera-names"><strong>{cameraName(camera)}</strong><small>{siteName(camera.site)}</small></span><Count camera={camera} /></span>
    </button>
  );
}
