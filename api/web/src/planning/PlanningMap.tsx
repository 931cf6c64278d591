// The map of planning on the desk's own ground: what is planned where, how far it reaches, and the point that is being chosen. A click or a
// tap chooses; without a mouse the arrow keys move the map under a cross, and a button takes its middle.

import type { Map as MapLibre, Marker } from "maplibre-gl";
import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { theme } from "../prefs";
import { areas, sites } from "../store";
import { openMap, pinElement, set, type Ground } from "../desk/mapBase";
import { areaData } from "../desk/mapData";
import { readColours } from "../desk/mapStyle";
import { Failed } from "../ui/bits";
import { Icon } from "../ui/icons";
import type { LatLon } from "../types";
import { around, reach, routes, tidy, titles, type Shape } from "./geo";
import { t } from "./t";

interface Props {
  shapes: readonly Shape[];
  chosen: string | null;
  choose: (key: string) => void;
  /** What is being placed; its points are pins. */
  draft: Shape | null;
  pick: ((at: LatLon) => void) | null;
  hint?: string;
}

const EMPTY = { type: "geojson" as const, data: { type: "FeatureCollection" as const, features: [] } };
const CLOSE_ZOOM = 15;

export function PlanningMap(props: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const ground = useRef<Ground | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [ready, setReady] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    let ends: (() => void)[] = [];
    openMap(box.current!, { quiet: () => around(latest.current.shapes) !== null }).then(
      (opened) => {
        if (gone) return opened.stop();
        ground.current = opened;
        const { map } = opened;
        addOwn(map);
        ends = [effect(() => set(map, "areas", areaData(areas.value, null))), effect(() => { theme.value; queueMicrotask(() => paint(map)); })];
        map.on("click", (event) => {
          const { pick, choose } = latest.current;
          if (pick) return pick(tidy([event.lngLat.lat, event.lngLat.lng]));
          const found = map.queryRenderedFeatures(event.point, { layers: ["own-reach", "own-route"] })[0];
          if (found) choose(String(found.properties["key"]));
        });
        setReady(true);
      },
      (error: unknown) => {
        console.warn("map:", error);
        setFailed(true);
      },
    );
    return () => {
      gone = true;
      ends.forEach((end) => end());
      ground.current?.stop();
      ground.current = null;
    };
  }, []);
  useShapes(ready ? ground.current : null, props);
  useDraft(ready ? ground.current : null, props);
  const middle = () => {
    const at = ground.current?.map.getCenter();
    if (at) props.pick?.(tidy([at.lat, at.lng]));
  };
  const near = () => {
    const list = [...sites.value.values()].map((s): Shape => ({ key: s.id, points: [s.position], radius_m: 400, tone: "plain", name: "" }));
    fit(ground.current, around([...props.shapes, ...list]));
  };
  return (
    <div class={props.pick ? "planning-map picking" : "planning-map"} role="region" aria-label={t("ground.label")}>
      <div class="map" ref={box} />
      {failed && <div class="map-failed"><Failed text={t("map.failed")} /></div>}
      <div class="map-tools">
        <button type="button" onClick={() => ground.current?.home()}><Icon name="map" size={16} />{t("map.whole")}</button>
        <button type="button" onClick={near}><Icon name="place" size={16} />{t("map.sites")}</button>
      </div>
      {props.pick && ready && (
        <>
          <span class="map-cross" aria-hidden="true" />
          <div class="pick-bar"><span class="grow"><Icon name="target" size={16} />{props.hint ?? t("ground.pick")}</span><button type="button" onClick={middle}>{t("ground.take_middle")}</button></div>
        </>
      )}
    </div>
  );
}

function fit(ground: Ground | null, box: ReturnType<typeof around>): void {
  if (ground && box) ground.map.fitBounds(box, { padding: 70, maxZoom: CLOSE_ZOOM, ...ground.motion() });
}

function useShapes(ground: Ground | null, { shapes, chosen }: Props): void {
  const fitted = useRef(false);
  const signature = JSON.stringify(shapes);
  useEffect(() => {
    if (!ground) return;
    set(ground.map, "own-reach", reach(shapes));
    set(ground.map, "own-route", routes(shapes));
    set(ground.map, "own-title", titles(shapes));
    if (!fitted.current && shapes.length > 0) {
      fitted.current = true;
      fit(ground, around(shapes));
    }
  }, [ground, signature]);
  useEffect(() => {
    if (!ground) return;
    ground.map.setPaintProperty("own-edge", "line-width", ["case", ["==", ["get", "key"], chosen ?? ""], 4, 1.8]);
    fit(ground, around(shapes.filter((s) => s.key === chosen)));
  }, [ground, chosen]);
}

function useDraft(ground: Ground | null, { draft }: Props): void {
  const pins = useRef<Marker[]>([]);
  const signature = JSON.stringify(draft);
  useEffect(() => {
    if (!ground) return;
    set(ground.map, "draft-reach", reach(draft ? [draft] : []));
    set(ground.map, "draft-route", routes(draft ? [draft] : []));
    pins.current.forEach((pin) => pin.remove());
    pins.current = (draft?.points ?? []).map((p, i) => {
      const element = pinElement();
      if (draft!.points.length > 1) element.dataset["n"] = String(i + 1);
      return new ground.gl.Marker({ element, anchor: "bottom" }).setLngLat([p[1], p[0]]).addTo(ground.map);
    });
    return () => pins.current.forEach((pin) => pin.remove());
  }, [ground, signature]);
  // A point that came from elsewhere than the map is brought into sight.
  const last = draft?.points.at(-1);
  useEffect(() => {
    if (!ground || !last || ground.map.getBounds().contains([last[1], last[0]])) return;
    fit(ground, around([{ ...draft!, points: [last] }]));
  }, [ground, last?.[0], last?.[1]]);
}

const tone = (c: ReturnType<typeof readColours>) => ["match", ["get", "tone"], "good", c.live, "wait", c.busy, "quiet", c.silent, "draft", c.chosen, c.unit] as never;

function addOwn(map: MapLibre): void {
  for (const id of ["own-reach", "own-route", "own-title", "draft-reach", "draft-route"]) map.addSource(id, EMPTY);
  map.addLayer({ id: "own-reach", type: "fill", source: "own-reach", paint: { "fill-opacity": 0.22 } });
  map.addLayer({ id: "own-edge", type: "line", source: "own-reach", paint: { "line-width": 1.8 } });
  map.addLayer({ id: "own-route", type: "line", source: "own-route", layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-width": 4 } });
  map.addLayer({
    id: "own-title", type: "symbol", source: "own-title", minzoom: 10,
    layout: { "text-field": ["get", "name"], "text-font": ["Noto Sans Bold", "sans-serif"], "text-size": 12.5, "text-anchor": "bottom", "text-offset": [0, -0.6], "text-max-width": 13 }, paint: { "text-halo-width": 1.8 },
  });
  map.addLayer({ id: "draft-reach", type: "fill", source: "draft-reach", paint: { "fill-opacity": 0.25 } });
  map.addLayer({ id: "draft-edge", type: "line", source: "draft-reach", paint: { "line-width": 2, "line-dasharray": [2, 1.5] } });
  map.addLayer({ id: "draft-route", type: "line", source: "draft-route", layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-width": 4, "line-dasharray": [1.5, 1.5] } });
  paint(map);
}

function paint(map: MapLibre): void {
  if (!map.getLayer("own-reach")) return;
  const c = readColours();
  for (const id of ["own-reach", "draft-reach"]) map.setPaintProperty(id, "fill-color", tone(c));
  for (const id of ["own-edge", "own-route", "draft-edge", "draft-route"]) map.setPaintProperty(id, "line-color", tone(c));
  map.setPaintProperty("own-title", "text-color", c.text);
  map.setPaintProperty("own-title", "text-halo-color", c.halo);
}
