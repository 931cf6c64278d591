// The map: MapLibre loaded on first need, kept in step with the store. Alerts are real buttons over it, so that they pulse,
// take the keyboard and speak to screen readers; everything else is drawn by the map. Queue and camera list offer the same
// without it: a browser without WebGL loses the picture, not the work.

import type { GeoJSONSource, Map as MapLibre, Marker } from "maplibre-gl";
import { computed, effect } from "@preact/signals";
import type { JSX } from "preact";
import type { Alert, Camera } from "../types";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { isDuress, isTest, rings } from "../rank";
import { api } from "../api";
import { areas, blind, cameras, can, current, queue, selectedAlert, selectedCamera, sites, unitsLive } from "../store";
import { alertIcon, alertTitle, placeName, problem } from "../words";
import { draft } from "./dialogs";
import { openMap, pinElement, set } from "./mapBase";
import { areaData, blindData, cameraData, restData, spots, unitData, whereIs } from "./mapData";
import { Failed } from "../ui/bits";
import { say } from "../ui/toast";
import { Icon, iconPath } from "../ui/icons";

export function MapView(): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const home = useRef<() => void>(() => {});
  const near = useRef<() => void>(() => {});
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let stop = () => {};
    let gone = false;
    open(box.current!).then(
      (opened) => {
        if (gone) return opened.stop();
        ({ stop } = opened);
        home.current = opened.home;
        near.current = opened.near;
      },
      (error: unknown) => {
        console.warn("map:", error);
        setFailed(true);
      },
    );
    return () => { gone = true; stop(); };
  }, []);
  const schematic = areas.value?.features.some((f) => f.properties.schematic) ?? false;
  return (
    <>
      <div class="map" ref={box} />
      {failed && <div class="map-failed"><Failed text={t("map.failed")} /></div>}
      <div class="map-tools">
        <button type="button" onClick={() => home.current()}><Icon name="map" size={16} />{t("map.whole")}</button>
        <button type="button" onClick={() => near.current()}><Icon name="place" size={16} />{t("map.sites")}</button>
        {can("register.read") && <BlindSwitch />}
      </div>
      {draft.value && <p class="map-pick"><Icon name="target" size={16} />{t("composer.map_hint")}</p>}
      {schematic && <p class="map-note">{t("map.schematic")}</p>}
    </>
  );
}

/** Places without a working button, those never connected among them. Only roles with a register have this layer. */
function BlindSwitch(): JSX.Element {
  const [busy, setBusy] = useState(false);
  const on = blind.value !== null;
  const turn = async () => {
    if (on) return void (blind.value = null);
    setBusy(true);
    try {
      blind.value = (await api.register()).institutions.filter((i) => i.blind);
    } catch (error) {
      say(problem(error), true);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" class="blind-switch" aria-pressed={on} disabled={busy} onClick={() => void turn()}>
      <Icon name="unlink" size={16} />{t("map.blind")}{on && <b>{blind.value!.length}</b>}
    </button>
  );
}

/** Close enough to tell the sites of a town apart, far enough to see the outline they lie in. */
const NEAR_ZOOM = 12.5;

interface Opened { stop(): void; home(): void; near(): void }

async function open(container: HTMLElement): Promise<Opened> {
  const { gl, map, motion, home, stop } = await openMap(container, { quiet: () => selectedAlert.peek() !== null });
  const near = () => {
    const at = [...sites.value.values()].map((s) => s.position);
    if (at.length === 0) return;
    const [lats, lons] = [at.map((p) => p[0]), at.map((p) => p[1])];
    map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], { padding: 90, maxZoom: 15, ...motion() });
  };
  const pin = new gl.Marker({ element: pinElement(), anchor: "bottom" });
  const effects = [
    followData(map), followAlerts(map, gl.Marker), followSelection(map, motion),
    effect(() => {
      const d = draft.value;
      const at = d?.at ?? (d?.site ? (sites.value.get(d.site)?.position ?? null) : null);
      if (at) pin.setLngLat([at[1], at[0]]).addTo(map);
      else pin.remove();
      map.getCanvas().style.cursor = d ? "crosshair" : "";
    }),
  ];
  listen(map);
  return { home, near, stop: () => { effects.forEach((end) => end()); stop(); } };
}

function followData(map: MapLibre): () => void {
  const ends = [
    effect(() => set(map, "areas", areaData(areas.value, (current.value?.site ? sites.value.get(current.value.site)?.area : null) ?? null))),
    effect(() => set(map, "units", unitData(unitsLive.value.values()))),
    effect(() => set(map, "blind", blindData(blind.value ?? []))),
    effect(() => set(map, "cameras", cameraData(cameras.value.values(), sites.value, selectedCamera.value))),
  ];
  return () => ends.forEach((end) => end());
}

/** The most urgent have a button of their own; in a flood the rest are drawn by the map, gathered and counted. */
const BUTTONS = 40;

function followAlerts(map: MapLibre, MarkerClass: typeof Marker): () => void {
  const markers = new Map<string, Marker>();
  // Counts come every second, places do not: without this a flood would be gathered anew with every count.
  let known: ReadonlyMap<string, Camera> = cameras.peek();
  const places = computed(() => {
    const next = cameras.value;
    const same = next.size === known.size && [...next].every(([id, c]) => String(known.get(id)?.position) === String(c.position));
    return same ? known : (known = next);
  });
  const end = effect(() => {
    const all = spots(queue.value, places.value, sites.value);
    const now = all.slice(0, BUTTONS);
    map.getSource<GeoJSONSource>("rest")?.setData(restData(all.slice(BUTTONS)));
    const keys = new Set(now.map((s) => s.key));
    for (const [key, marker] of markers) {
      if (!keys.has(key)) {
        marker.remove();
        markers.delete(key);
      }
    }
    for (const spot of now) {
      let marker = markers.get(spot.key);
      if (!marker) {
        const button = document.createElement("button");
        button.type = "button";
        marker = new MarkerClass({ element: button, anchor: "bottom", offset: [0, -14] }).setLngLat([spot.at[1], spot.at[0]]).addTo(map);
        markers.set(spot.key, marker);
      }
      const first = spot.alerts[0]!;
      const button = marker.getElement() as HTMLButtonElement;
      const classes = ["alert-marker", `level-${first.level}`, `kind-${first.kind}`];
      button.classList.remove(...[...button.classList].filter((c) => !c.startsWith("maplibregl")));
      button.classList.add(...classes, ...(rings(first) ? ["unclaimed"] : []), ...(isTest(first) ? ["test"] : []), ...(isDuress(first) ? ["duress"] : []), ...(spot.alerts.some((a) => a.id === selectedAlert.value) ? ["chosen"] : []));
      button.setAttribute("aria-label", `${spot.alerts.length > 1 ? `${spot.alerts.length}: ` : ""}${alertTitle(first)}, ${placeName(first)}`);
      button.title = `${alertTitle(first)} · ${placeName(first)}`;
      if (spot.alerts.length > 1) button.textContent = String(spot.alerts.length);
      else if (first.kind === "crowd") button.textContent = "i";
      else if (first.kind === "alarm" && !isTest(first)) button.textContent = "!";
      else button.replaceChildren(drawing(first));
      button.onclick = (event) => {
        event.stopPropagation();
        const at = spot.alerts.findIndex((a) => a.id === selectedAlert.value);
        selectedCamera.value = null;
        selectedAlert.value = spot.alerts[(at + 1) % spot.alerts.length]!.id;
      };
    }
  });
  return () => { end(); markers.forEach((m) => m.remove()); };
}

/** Quiet kinds carry their icon, so that they are told apart without colour. */
function drawing(alert: Alert): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", width: "16", height: "16", fill: "none", stroke: "currentColor", "stroke-width": "2.2", "aria-hidden": "true" })) svg.setAttribute(name, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", iconPath(alertIcon(alert)));
  svg.append(path);
  return svg;
}

function followSelection(map: MapLibre, motion: () => { duration: number }): () => void {
  let shown = "";
  return effect(() => {
    const camera = selectedCamera.value ? cameras.value.get(selectedCamera.value) : undefined;
    const alert = current.value;
    const at = alert ? whereIs(alert, cameras.value, sites.value) : (camera?.position ?? null);
    const key = alert ? `a${alert.id}` : camera ? `c${camera.id}` : "";
    if (key === shown) return;
    shown = key;
    if (at) map.easeTo({ center: [at[1], at[0]], zoom: Math.max(map.getZoom(), NEAR_ZOOM), ...motion() });
  });
}

function listen(map: MapLibre): void {
  map.on("click", (event) => {
    if (!draft.value) return;
    draft.value = { ...draft.value, site: null, at: [event.lngLat.lat, event.lngLat.lng], picking: false };
  });
  map.on("click", "rest", (event) => {
    const feature = event.features?.[0];
    if (!feature || draft.value) return;
    const cluster = feature.properties["cluster_id"] as number | undefined;
    if (cluster !== undefined) {
      void map.getSource<GeoJSONSource>("rest")!.getClusterExpansionZoom(cluster).then((zoom) => map.easeTo({ center: event.lngLat, zoom: zoom + 0.4 }));
      return;
    }
    selectedCamera.value = null;
    selectedAlert.value = Number(feature.properties["id"]);
  });
  map.on("click", "camera", (event) => {
    const feature = event.features?.[0];
    if (!feature || draft.value || !can("cameras.read")) return;
    const cluster = feature.properties["cluster_id"] as number | undefined;
    if (cluster !== undefined) {
      void map.getSource<GeoJSONSource>("cameras")!.getClusterExpansionZoom(cluster)
        .then((zoom) => map.easeTo({ center: event.lngLat, zoom: zoom + 0.4 }));
      return;
    }
    selectedAlert.value = null;
    selectedCamera.value = String(feature.properties["id"]);
  });
  map.on("mouseenter", "camera", () => (map.getCanvas().style.cursor = draft.value ? "crosshair" : "pointer"));
  map.on("mouseleave", "camera", () => (map.getCanvas().style.cursor = draft.value ? "crosshair" : ""));
}
