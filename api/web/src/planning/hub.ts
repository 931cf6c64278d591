// The routes of planning, load and rules. Errors and the session are those of ../api.

import { call, json } from "../api";
import type { Assembly, AssemblyEntry, Console, PlaceEntry, PlannedEvent, Rules, RuleValue, SpecialPlace, Trial, Verdicts } from "./types";

const V = "/api/v1";
const get = <T>(path: string) => json<T>("GET", `${V}${path}`);
const post = <T>(path: string, body: unknown) => json<T>("POST", `${V}${path}`, body);
const put = <T>(path: string, body: unknown) => json<T>("PUT", `${V}${path}`, body);

export const load = {
  console: () => get<Console>("/console"),
  verdicts: () => get<Verdicts>("/verdicts"),
  rules: () => get<Rules>("/rules"),
  change: (rule: string, value: RuleValue, reason: string) => post<{ id: number }>("/rules", { rule, value, reason }),
  trial: (rule: string, value: RuleValue, days: number, cameras: readonly string[]) => post<Trial>("/rules/trial", { rule, value, days, cameras }),
  /** 0 minutes takes the camera up again. */
  shelve: (camera: string, minutes: number, reason: string) =>
    post<{ until: string | null }>(`/cameras/${camera.split("/").map(encodeURIComponent).join("/")}/shelve`, { minutes, reason }),
};

export const planning = {
  assemblies: async () => (await get<{ assemblies: AssemblyEntry[] }>("/assemblies")).assemblies,
  putAssembly: (id: number | null, body: Assembly) => (id === null ? post<AssemblyEntry>("/assemblies", body) : put<AssemblyEntry>(`/assemblies/${id}`, body)),
  places: async () => (await get<{ places: PlaceEntry[] }>("/special-places")).places,
  putPlace: (id: number | null, body: SpecialPlace) => (id === null ? post<PlaceEntry>("/special-places", body) : put<PlaceEntry>(`/special-places/${id}`, body)),
  events: async () => (await get<{ events: PlannedEvent[] }>("/events")).events,
  addEvent: (body: { site: string; name: string; from: string; until: string; people: number | null }) => post<PlannedEvent>("/events", body),
  removeEvent: (id: number) => call("DELETE", `${V}/events/${id}`),
};
