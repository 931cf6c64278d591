// Layers of the map in the colours of the theme. No tiles, no glyph server, no sprite: outlines, dots and locally drawn text.

import type { GeoJSONSourceSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Lang } from "../types";

export interface MapColours { ground: string; land: string; landAlt: string; line: string; edge: string; text: string; halo: string; site: string; live: string; silent: string; over: string; onDot: string; chosen: string; unit: string; busy: string; blind: string; alarm: string }

export function readColours(): MapColours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--map-${name}`).trim();
  return {
    ground: of("ground"), land: of("land"), landAlt: of("land-alt"), line: of("line"), edge: of("edge"), text: of("text"), halo: of("halo"),
    site: of("site"), live: of("live"), silent: of("silent"), over: of("over"), onDot: of("on-dot"), chosen: of("chosen"),
    unit: of("unit"), busy: of("busy"), blind: of("blind"), alarm: of("alarm"),
  };
}

const FONT = ["Noto Sans", "sans-serif"];
const FONT_BOLD = ["Noto Sans Bold", "sans-serif"];
const EMPTY: GeoJSONSourceSpecification = { type: "geojson", data: { type: "FeatureCollection", features: [] } };

export function buildStyle(c: MapColours, lang: Lang): StyleSpecification {
  return {
    version: 8,
    sources: {
      areas: { ...EMPTY },
      names: { ...EMPTY },
      sites: { ...EMPTY },
      blind: { ...EMPTY },
      units: { ...EMPTY },
      rest: { ...EMPTY, cluster: true, clusterMaxZoom: 14, clusterRadius: 40, clusterProperties: { count: ["+", ["get", "count"]], alarm: ["max", ["get", "alarm"]] } },
      cameras: {
        ...EMPTY, cluster: true, clusterMaxZoom: 13, clusterRadius: 34,
        clusterProperties: { people: ["+", ["get", "people"]], over: ["max", ["get", "over"]], live: ["max", ["get", "live"]] },
      },
    },
    layers: layers(c, lang),
  };
}

export function layers(c: MapColours, lang: Lang): LayerSpecification[] {
  const dot = ["case", [">", ["get", "over"], 0], c.over, [">", ["get", "live"], 0], c.live, c.silent] as never;
  const people = ["to-string", ["round", ["get", "people"]]] as never;
  return [
    { id: "ground", type: "background", paint: { "background-color": c.ground } },
    { id: "area", type: "fill", source: "areas", paint: { "fill-color": ["match", ["get", "tone"], 1, c.landAlt, c.land] } },
    { id: "area-line", type: "line", source: "areas", layout: { "line-join": "round" }, paint: { "line-color": c.line, "line-width": ["interpolate", ["linear"], ["zoom"], 5, 0.8, 10, 2] } },
    { id: "edge", type: "line", source: "areas", filter: ["==", ["get", "chosen"], true], layout: { "line-join": "round" }, paint: { "line-color": c.edge, "line-width": 2.5 } },
    {
      id: "area-name", type: "symbol", source: "names",
      layout: {
        "text-field": ["get", lang], "text-font": FONT, "text-size": ["interpolate", ["linear"], ["zoom"], 5, 10, 7, 13, 10, 17],
        "text-max-width": 7, "text-padding": 4, "symbol-sort-key": ["get", "order"],
        // A name steps aside for the counts of cameras, which are placed first; never upwards, where alerts stand.
        "text-variable-anchor": ["center", "top", "left", "right"], "text-radial-offset": 1.7, "text-justify": "auto",
      },
      paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 1.4 },
    },
    {
      id: "site", type: "circle", source: "sites", minzoom: 9,
      paint: { "circle-radius": 22, "circle-color": c.site, "circle-opacity": 0.18, "circle-stroke-color": c.site, "circle-stroke-width": 1.2, "circle-stroke-opacity": 0.7 },
    },
    {
      id: "site-name", type: "symbol", source: "sites", minzoom: 10.5,
      layout: { "text-field": ["get", lang], "text-font": FONT_BOLD, "text-size": 13, "text-anchor": "top", "text-offset": [0, 2.1], "text-max-width": 12 },
      paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 1.6 },
    },
    {
      id: "blind", type: "circle", source: "blind",
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 6, 3.5, 11, 8], "circle-color": c.blind, "circle-opacity": ["case", ["==", ["get", "overdue"], 1], 0.85, 0.18],
        "circle-stroke-color": c.blind, "circle-stroke-width": 1.8,
      },
    },
    {
      id: "blind-name", type: "symbol", source: "blind", minzoom: 10.5,
      layout: { "text-field": ["get", lang], "text-font": FONT, "text-size": 12, "text-anchor": "top", "text-offset": [0, 0.9], "text-max-width": 12 },
      paint: { "text-color": c.blind, "text-halo-color": c.halo, "text-halo-width": 1.6 },
    },
    {
      id: "camera", type: "circle", source: "cameras",
      paint: {
        "circle-radius": ["case", ["has", "point_count"], 16, 13], "circle-color": dot,
        "circle-stroke-width": ["case", ["==", ["get", "chosen"], 1], 3.5, 2], "circle-stroke-color": ["case", ["==", ["get", "chosen"], 1], c.chosen, c.halo],
      },
    },
    {
      id: "camera-count", type: "symbol", source: "cameras",
      layout: {
        "text-field": ["case", [">", ["get", "live"], 0], people, "–"], "text-font": FONT_BOLD, "text-size": 13, "text-allow-overlap": true, "text-padding": 10,
      },
      paint: { "text-color": c.onDot },
    },
    {
      id: "unit", type: "circle", source: "units",
      paint: {
        "circle-radius": 9, "circle-color": ["case", ["==", ["get", "fresh"], 0], c.halo, ["==", ["get", "busy"], 1], c.busy, c.unit],
        "circle-stroke-width": 3, "circle-stroke-color": ["case", ["==", ["get", "fresh"], 0], c.unit, c.halo],
      },
    },
    {
      id: "unit-name", type: "symbol", source: "units", minzoom: 8,
      layout: { "text-field": ["get", lang], "text-font": FONT_BOLD, "text-size": 12, "text-anchor": "left", "text-offset": [1.1, 0], "text-max-width": 14 },
      paint: { "text-color": c.unit, "text-halo-color": c.halo, "text-halo-width": 1.8 },
    },
    {
      id: "rest", type: "circle", source: "rest",
      paint: { "circle-radius": ["interpolate", ["linear"], ["get", "count"], 1, 12, 200, 24], "circle-color": ["case", ["==", ["get", "alarm"], 1], c.alarm, c.silent], "circle-stroke-width": 2, "circle-stroke-color": "#ffffff" },
    },
    {
      id: "rest-count", type: "symbol", source: "rest",
      layout: { "text-field": ["to-string", ["get", "count"]], "text-font": FONT_BOLD, "text-size": 13, "text-allow-overlap": true },
      paint: { "text-color": "#ffffff" },
    },
  ];
}
