// Shapes of the hub's API as they come over the wire. No logic here; the server's OpenAPI document is the source.

export type Lang = "kk" | "ru" | "en";
export type Names = Record<Lang, string>;
/** Latitude, longitude in degrees (the hub's order; GeoJSON and MapLibre use the other one). */
export type LatLon = [number, number];

export type Role =
  | "duty_officer" | "shift_lead" | "police_desk" | "patrol" | "school_contact"
  | "analyst" | "resident_operator" | "administrator" | "auditor";
export type Right =
  | "alerts.read" | "alerts.act" | "incidents.open" | "cameras.read" | "still.open"
  | "areas.read" | "areas.write" | "audit.read" | "users.manage" | "desk.sound";

export interface Session {
  user: string;
  display_name: string;
  role: Role;
  site: string | null;
  unit: string | null;
  csrf: string;
  expires_at: string;
  hub: { name: string; version: string; language: Lang };
  rights: Right[];
}

export type AlertKind = "alarm" | "crowd" | "incident";
export type Level = "notice" | "watch" | "warning" | "critical";
export type AlertState = "raised" | "claimed" | "dispatched" | "accepted" | "en_route" | "on_scene" | "closed";
export type Action = "claim" | "release" | "dispatch" | "decline" | "accept" | "en_route" | "on_scene" | "close" | "note";
export type CloseReason = "resolved" | "false_alarm" | "drill" | "duplicate";
export type AlarmKind = "panic" | "hold_up" | "fire" | "medical";

export interface AlarmPart {
  kind: AlarmKind;
  seq: number;
  boot: string | null;
  pressed_at: string | null;
  received_at: string;
  test: boolean;
  clock_suspect: boolean;
  presses: number;
}

export type ReasonCode = "above_limit" | "above_baseline" | "persistent";
export interface CrowdReason { code: ReasonCode; observed: number; bound: number; for_s: number }
export interface CrowdPart {
  people: number;
  low: number | null;
  high: number | null;
  peak: number;
  limit: number | null;
  baseline: number | null;
  baseline_bound: number | null;
  formula: string;
  reasons: CrowdReason[];
}

export interface Alert {
  id: number;
  kind: AlertKind;
  level: Level;
  state: AlertState;
  site: string | null;
  device: string | null;
  position: LatLon | null;
  raised_at: string;
  updated_at: string;
  closed_at: string | null;
  claimed_by: string | null;
  unit: string | null;
  close_reason: CloseReason | "subsided" | null;
  stored: boolean;
  subsided_at: string | null;
  version: number;
  alarm: AlarmPart | null;
  crowd: CrowdPart | null;
  incident: { text: string; opened_by: string } | null;
  allowed: Action[];
}

export interface Transition {
  seq: number;
  action: string;
  from: AlertState | null;
  to: AlertState;
  who: string;
  role: string;
  at: string;
  reason: string | null;
  unit: string | null;
}

export type CameraStatus = "live" | "stale" | "offline" | "connecting";
export interface Camera {
  id: string;
  site: string;
  name: Names;
  position: LatLon | null;
  public_space: boolean;
  status: CameraStatus;
  reason: { code: string; detail: string } | null;
  people: number | null;
  low: number | null;
  high: number | null;
  counted_at: string | null;
  age_s: number | null;
  limit: number | null;
  source: "hub" | "foreign";
  codec: string | null;
  size_px: [number, number] | null;
  /** Unix milliseconds and people; only in a snapshot. */
  series?: [number, number][];
}

export interface Site {
  id: string;
  name: Names;
  kind: "school" | "public_place";
  area: string | null;
  position: LatLon;
  cameras: string[];
  buttons: string[];
  /** Names of cameras and buttons by `site/device`. */
  device_names?: Record<string, Names>;
}

export interface Unit { id: string; name: Names; kind: "patrol" | "ambulance" | "city_service" }
export interface Desks { attended: { user: string; role: Role; sound_ok: boolean | null; since: string }[] }

export interface Snapshot { cursor: string; now: string; alerts: Alert[]; cameras: Camera[]; desks?: Desks }
export interface Change { alert?: Alert; gone?: number; camera?: Camera; areas?: boolean; desks?: Desks }
export interface Changes { cursor: string; now: string; changes: Change[] }

export interface AreaFeature {
  type: "Feature";
  properties: { kato: string; name: Names; schematic: boolean; centre: LatLon | null };
  geometry: { type: string; coordinates: unknown };
}
export interface AreaCollection { type: "FeatureCollection"; features: AreaFeature[] }

export interface AuditEntry {
  seq: number; at: string; who: string; role: string; action: string;
  subject: string | null; purpose: string | null; hash: string;
}

export interface PublicInfo {
  hub: { name: string };
  since: string;
  cameras: { school: number; public_place: number };
  buttons: number;
  alerts_30d: { alarm: number; crowd: number; false_percent: number | null };
  video_opened_30d: number;
  retention: { counts_raw_h: number; counts_minute_d: number; counts_hour_y: number };
  identifies_people: boolean;
}
