// The ground that every map stands on: MapLibre loaded on first need, outlines, their names and the sites, in the colours of the theme and
// the words of the language. What lies on it is the business of whoever opens it.

import type { FeatureCollection } from "geojson";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import { effect } from "@preact/signals";
import { lang, theme } from "../prefs";
import { areas, sites } from "../store";
import { bounds, nameData, siteData } from "./mapData";
import { buildStyle, layers, readColours } from "./mapStyle";

/** Room for the buttons over the map and the scale under it. */
const PADDING = { top: 58, right: 30, bottom: 40, left: 30 };

type Gl = typeof import("maplibre-gl");
export interface Ground { gl: Gl; map: MapLibre; motion(): { duration: number }; home(): void; stop(): void }

/** `quiet` says that the map is to stay where it is when the outlines come in. */
export async function openMap(container: HTMLElement, { quiet }: { quiet: () => boolean }): Promise<Ground> {
  const [gl, worker] = await Promise.all([
    import("maplibre-gl"), import("maplibre-gl/dist/maplibre-gl-worker.mjs?url"), import("maplibre-gl/dist/maplibre-gl.css"),
  ]);
  gl.setWorkerUrl(worker.default);
  const map = new gl.Map({
    container, style: buildStyle(readColours(), lang.value), center: [72.2, 44], zoom: 6, minZoom: 4, maxZoom: 17,
    attributionControl: false, dragRotate: false, pitchWithRotate: false, fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new gl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new gl.ScaleControl({ maxWidth: 110, unit: "metric" }), "bottom-right");
  await new Promise<void>((resolve) => map.once("load", () => resolve()));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const motion = () => (calm.matches ? { duration: 0 } : { duration: 700 });
  const home = () => {
    const box = bounds(areas.value);
    if (box) map.fitBounds(box, { padding: PADDING, ...motion() });
  };
  let fitted = false;
  const ends = [
    effect(() => set(map, "names", nameData(areas.value))),
    effect(() => set(map, "sites", siteData(sites.value.values()))),
    followLook(map),
    effect(() => {
      if (fitted || !areas.value) return;
      fitted = true;
      const box = bounds(areas.value);
      const fit = () => {
        if (box && !quiet()) map.fitBounds(box, { padding: PADDING, duration: 0 });
      };
      // On a phone the map waits behind another tab and has no size yet.
      if (container.clientWidth > 0) fit();
      else map.once("resize", fit);
    }),
  ];
  return { gl, map, motion, home, stop: () => { ends.forEach((end) => end()); map.remove(); } };
}

export const set = (map: MapLibre, id: string, data: FeatureCollection) => void map.getSource<GeoJSONSource>(id)?.setData(data);

export function pinElement(): HTMLElement {
  const pin = document.createElement("div");
  pin.className = "pin";
  return pin;
}

function followLook(map: MapLibre): () => void {
  return effect(() => {
    const language = lang.value;
    theme.value;
    // The document carries the new theme only after this turn.
    queueMicrotask(() => {
      for (const layer of layers(readColours(), language)) {
        if (!map.getLayer(layer.id)) continue;
        for (const [name, value] of Object.entries(layer.paint ?? {})) map.setPaintProperty(layer.id, name as Parameters<MapLibre["setPaintProperty"]>[1], value as never);
        if (layer.type === "symbol") map.setLayoutProperty(layer.id, "text-field", layer.layout!["text-field"]);
      }
    });
  });
}
