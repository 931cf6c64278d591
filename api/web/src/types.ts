// Shapes of the hub's API as they come over the wire. No logic here; the server's OpenAPI document is the source.

export type Lang = "kk" | "ru" | "en";
export type Names = Record<Lang, string>;
/** Latitude, longitude in degrees (the hub's order; GeoJSON and MapLibre use the other one). */
export type LatLon = [number, number];

export type Role =
  | "duty_officer" | "shift_lead" | "police_desk" | "patrol" | "school_contact" | "district_contact"
  | "analyst" | "deputy" | "resident_operator" | "administrator" | "auditor";
export type Right =
  | "alerts.read" | "alerts.act" | "incidents.open" | "cameras.read" | "cameras.manage" | "badges.read" | "still.open"
  | "areas.read" | "areas.write" | "audit.read" | "users.manage" | "desk.sound" | "metrics.read"
  | "register.read" | "register.write" | "drills.read" | "drills.write" | "sitefile.read" | "sitefile.write"
  | "shift" | "units.read" | "orders.answer" | "phones.manage" | "connectors.read"
  | "tension.read" | "tension.manage" | "intake.read" | "intake.write" | "signals.read" | "signals.write"
  | "requests.read" | "requests.work" | "requests.figures" | "plan.read" | "plan.write" | "journal.read" | "journal.write"
  | "notes.read" | "notes.write" | "reports.read" | "planning.read" | "planning.write";

export interface Session {
  user: string;
  display_name: string;
  role: Role;
  site: string | null;
  unit: string | null;
  area?: string | null;
  csrf: string;
  expires_at: string;
  hub: { name: string; version: string; language: Lang };
  rights: Right[];
}

export interface PhoneLine { device: string; site: string; name: string; created_at: string; seen_at: string | null; revoked_at: string | null }
/** A link for one phone; `qr.path` are its dark squares, one unit each. */
export interface Enrolment { code: string; path: string; expires_at: string; qr: { url: string; size: number; path: string } | null }

export type AlertKind = "alarm" | "crowd" | "incident" | "trouble" | "hazard";
export type Level = "notice" | "watch" | "warning" | "critical";
export type AlertState = "raised" | "claimed" | "dispatched" | "accepted" | "en_route" | "on_scene" | "closed";
export type Action =
  | "claim" | "release" | "dispatch" | "decline" | "accept" | "en_route" | "on_scene" | "done" | "close" | "note" | "share" | "real"
  // Receipts that the page or the unit's phone gives by itself.
  | "shown" | "delivered" | "seen";
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
  pressed_again_at: string | null;
  doors: Door[];
  zone: string | null;
  /** When an edge box heard it, if the centre was away then. */
  heard_at: string | null;
  /** The cancel code was given; the alarm goes on. */
  cancelled_at: string | null;
  duress_at: string | null;
  restored_at: string | null;
  /** The drill that is on at this site; without `test` the press is a real alarm all the same. */
  drill: number | null;
}

export type Door = "mqtt" | "dc09" | "phone";
export type TroubleKind = "lost" | "battery" | "mains" | "tamper" | "clock" | "fault" | "flood" | "badge";
export interface TroublePart {
  kind: TroubleKind;
  scope: "device" | "site" | "provider";
  scope_id: string;
  devices: string[];
  count: number;
  since: string;
  detail: string | null;
}

export type HazardKind = "dangerous_driving" | "accident" | "obstacle" | "fire" | "weather" | "other";
export interface HazardPart { source: string; kind: HazardKind; text: string; reported_at: string }

export type Escalation = "reminded" | "shift_lead";
/** Receipts of every hop. */
export interface Progress {
  shown_at: string | null;
  claimed_at: string | null;
  escalation: Escalation | null;
  unattended_at: string | null;
  sent_at: string | null;
  delivered_at: string | null;
  seen_at: string | null;
  accepted_at: string | null;
  done_at: string | null;
  external: { connector: string; status: string; number: string | null; at: string }[];
  shared: boolean;
}

export type ReasonCode =
  | "above_limit"
  | "above_baseline"
  | "persistent"
  | "density"
  | "flow"
  | "growth"
  | "closed_hours"
  | "neighbours";
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

export type Helper = "stewards" | "ambulance" | "road_closure" | "city_service" | "mediator";
/** What stands beside a crowd alert in words. It explains; it changes nothing about the alert. */
export interface Explanation {
  alert: number; headline: Names; advice: Names;
  /** In the order of the alert's own reasons. */
  reasons: Names[];
  score: number | null; formula: string; neighbours: { camera: string; people: number; low: number; expected: number | null; at: string }[];
  context: { attention: Level; task: { assembly: number; notified: number; holds: number | null } | null; helpers: Helper[]; lines: Names[]; kinds?: string[] } | null;
  task: Names | null; helpers: { helper: Helper; text: Names }[];
  /** The same surroundings as numbers; the index on its scale of 0 to 10 with its band. */
  around?: { tension: { value: number; low: number; high: number; period: string } | null };
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
  close_reason: CloseReason | "subsided" | "recovered" | null;
  stored: boolean;
  subsided_at: string | null;
  version: number;
  alarm: AlarmPart | null;
  crowd: CrowdPart | null;
  incident: { text: string; opened_by: string } | null;
  trouble: TroublePart | null;
  hazard: HazardPart | null;
  progress: Progress;
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

export type LevelOfService = "free" | "adapted" | "slowed" | "contact" | "dangerous" | "critical";
export interface ZoneCount {
  id: string; name: Names; people: number; low: number; high: number; people_per_m2: number | null; level: LevelOfService | null;
  max_people_per_m2: number | null; capacity: number | null;
}
export interface LineFlow { id: string; name: Names; forward: number; backward: number; over_s: number }

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
  /** Its device may have recordings. */
  recordings: boolean;
  codec: string | null;
  size_px: [number, number] | null;
  zones: ZoneCount[];
  flows: LineFlow[];
  /** Criteria of the compliance meter that the camera fails. */
  poor: import("./pages/cameras/types").CriterionCode[];
  /** Unix milliseconds and people; only in a snapshot. */
  series?: [number, number][];
}

export interface Site {
  id: string;
  name: Names;
  kind: InstitutionKind;
  area: string | null;
  position: LatLon;
  cameras: string[];
  buttons: string[];
  /** Names of cameras and buttons by `site/device`. */
  device_names?: Record<string, Names>;
}

export interface Unit { id: string; name: Names; kind: "patrol" | "ambulance" | "city_service" }
export interface UnitLive {
  id: string; name: Names; kind: Unit["kind"]; position: LatLon | null; at: string | null; age_s: number | null; fresh: boolean; busy_with: number | null;
}
export interface OfferedUnit { id: string; name: Names; kind: Unit["kind"]; distance_m: number | null; age_s: number | null; responsible: boolean }
export interface OtherUnit { id: string; name: Names; kind: Unit["kind"]; why: "no_position" | "old_position" | "busy"; age_s: number | null; responsible: boolean }
export interface UnitChoice { straight_line: boolean; offered: OfferedUnit[]; not_offered: OtherUnit[] }

export interface Handover {
  id: number; at: string; given_by: string; note: string; taken_by: string | null; taken_at: string | null;
  open_alerts: { id: number; kind: AlertKind; level: Level; state: AlertState; site: string | null; claimed_by: string | null }[];
}
/** The response clock of the shift (EN 50518). */
export interface Shift {
  began_at: string; ends_at: string; alarms: number;
  claimed_30s_percent: number | null; claimed_60s_percent: number | null; p50_s: number | null; p80_s: number | null; p98_5_s: number | null;
  unclaimed: number; goals: { within_30s: number; within_60s: number }; flood: boolean; alarms_10min: number; attended: boolean; last_handover: Handover | null;
}

export interface SiteFile {
  site: string; address: string | null; notes: string | null; contacts: Contact[]; entrances: string[];
  plan: { media_type: string; updated_at: string } | null; updated_at: string | null;
}
export interface Contact { id: string; name: string; post: string; phone: string; expires_at: string | null }

export type DeviceState = "ok" | "lost" | "never" | "unsupervised";
export interface Device {
  id: string; site: string; name: Names; kind: "button" | "panel" | "edge" | "phone"; state: DeviceState; seen_at: string | null; interval_s: number | null;
  battery_percent: number | null; battery_low: boolean; tamper: boolean; mains_ok: boolean; clock_offset_s: number | null; fault: string | null; provider: string | null;
}

export type InstitutionKind = "school" | "kindergarten" | "hospital" | "public_place" | "other";
export type InstitutionStatus = "connected" | "in_work" | "not_connected";
export interface Institution {
  id: string; name: Names; kind: InstitutionKind; area: string; area_name: Names | null; position: LatLon | null; address: string | null;
  status: InstitutionStatus; blind: boolean; blind_why: "not_connected" | "in_work" | "never_seen" | "lost" | null; cause: string | null; owner: string | null;
  deadline: string | null; overdue: boolean; provider: string | null; devices: number; devices_lost: number; last_drill_at: string | null; updated_at: string; updated_by: string;
}
export interface Register {
  institutions: Institution[];
  totals: { all: number; connected: number; in_work: number; not_connected: number; blind: number; overdue: number };
}
export interface ImportResult {
  rows: number; added: number; changed: number; unchanged: number; applied: boolean;
  errors: { sheet: string | null; row: number; column: string; value: string; expected: string }[];
}

export type DrillState = "planned" | "running" | "passed" | "failed" | "cancelled" | "missed";
export interface Drill {
  id: number; site: string; site_name: Names; scheduled_at: string; until_at: string; state: DrillState; created_by: string; started_at: string | null; ended_at: string | null;
  alert: number | null; steps: Record<DrillStep, string | null>; note: string | null;
}
export type DrillStep = "pressed_at" | "stored_at" | "shown_at" | "claimed_at" | "accepted_at";
export interface Drills { drills: Drill[]; overdue: { site: string; site_name: Names; last_passed_at: string | null; due_at: string }[] }

export interface Connector { id: string; kind: "webhook" | "cap"; waiting: number; delivered: number; last_error: string | null; last_delivered_at: string | null }

export interface Desks { attended: { user: string; role: Role; sound_ok: boolean | null; since: string }[] }

export interface Snapshot { cursor: string; now: string; alerts: Alert[]; cameras: Camera[]; desks?: Desks; units?: UnitLive[]; shift?: Shift }
export interface Change {
  alert?: Alert; gone?: number; camera?: Camera; camera_gone?: string; areas?: boolean; desks?: Desks; unit?: UnitLive; shift?: Shift; devices?: boolean; drills?: boolean; tension?: boolean;
}
export interface Changes { cursor: string; now: string; changes: Change[] }

export interface AreaFeature {
  type: "Feature";
  properties: { kato: string; name: Names; schematic: boolean; centre: LatLon | null };
  geometry: { type: string; coordinates: unknown };
}
export interface AreaCollection { type: "FeatureCollection"; features: AreaFeature[] }

/** What became of a file of outlines; an older hub says only what was taken and left out. */
export interface AreasReport {
  imported: number; skipped: { index: number; reason: string }[];
  repaired?: { index: number; code: string | null; name: string | null; problem: string; area_before_km2: number | null; area_after_km2: number; change_percent: number | null }[];
  overlaps?: { a: string; a_name: string; b: string; b_name: string; km2: number; percent_of_smaller: number }[];
  kato?: { code: string; problem: string }[];
}

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

/** Why a picture is opened. */
export type Reason = { alert: number } | { purpose: string };

/** An opened viewing, live or of a clip. */
export interface Opened { id: string; camera: string; until: string; term_s: number; alert: number | null }

/** What a device has recorded of a camera. */
export interface Recording { token: string; source: string; from: string | null; to: string | null }

/** What is kept of a camera around an alarm. */
export interface Clip { alert: number; camera: string; from: string; to: string; bytes: number; expires_at: string }
