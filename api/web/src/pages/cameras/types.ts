// What the pages of camera administration talk about: the keys of a camera are those of the configuration file.

import type { Camera, Names } from "../../types";

export type Place = [number, number];
export interface ZoneKeys { id: string; name: Names; polygon: Place[]; max_people_per_m2?: number; capacity?: number }
export interface LineKeys { id: string; name: Names; points: Place[] }
export interface MaskKeys { polygon: Place[] }
export interface CalibrationKeys {
  points?: Place[]; metres?: Place[]; sides_m?: number[]; diagonal_m?: number;
  heights?: { foot: Place; head: Place; height_m: number }[]; view_deg?: number;
}
export interface CameraKeys {
  id: string; name: Names; kind?: "camera" | "badge"; unit?: string; url?: string; sub?: string; transport?: "auto" | "tcp" | "udp"; tls_insecure?: boolean;
  position?: [number, number]; limit?: number; user?: string; staleness_s?: number; counts_itself?: boolean;
  clip?: { before_s: number; after_s: number; keep_days: number }; onvif?: { address: string; user?: string; recording?: string };
  calibration?: CalibrationKeys; zone?: ZoneKeys[]; line?: LineKeys[]; mask?: MaskKeys[];
}
export interface AdminCamera {
  id: string; site: string; origin: "file" | "run_time"; keys: CameraKeys; has_password: boolean; camera: Camera | null;
  foreign: { heard_at: string | null; taken: number; refused: number; refused_at: string | null; refusal: string | null } | null;
}
export type CriterionCode = "uptime_24h" | "uptime_30d" | "resolution" | "fps" | "key_frames" | "sharpness" | "exposure" | "picture" | "clock" | "life";
export interface Criterion { code: CriterionCode; mark: "pass" | "fail" | "unknown"; value: string | null; limit: string }
export interface Compliance {
  id: string; site: string; name: Names; failed: number; criteria: Criterion[]; alive_at: string | null; codec: string | null; kbit_per_s: number | null;
  lost_packets: number | null; sessions: number | null; clock_drift_ppm: number | null; transport: string | null; sub_in_use: boolean;
}
export interface Trial {
  works: boolean; codec: string | null; size_px: [number, number] | null; fps: number | null; key_frame_interval_s: number | null;
  first_picture_s: number | null; fault: string | null; detail: string | null; picture: string | null;
}
export interface FoundDevice { address: string; name: string | null; hardware: string | null; cameras: string[] }
export interface DeviceReport {
  clock_offset_s: number; main: number | null; sub: number | null; recordings: string[];
  streams: { name: string; codec: string | null; size_px: [number, number] | null; fps: number | null; url: string | null }[];
}
export interface Complaint { key: string; message: string }
