// Domain values in the words of people: the only place where a code of the hub becomes a sentence.

import { hasKey, named, number, t } from "./i18n";
import { cameras, sites, units, unitsLive } from "./store";
import { ApiError } from "./api";
import type { IconName } from "./ui/icons";
import type { Alert, Camera, CrowdReason, TroubleKind } from "./types";

export function alertTitle(alert: Alert): string {
  switch (alert.kind) {
    case "alarm": {
      const kind = alarmKind(alert);
      if (!alert.alarm?.test) return kind;
      return t(alert.alarm.drill === null ? "alarm.test_title" : "alarm.drill_title", { kind });
    }
    case "crowd": return t(`crowd.title.${alert.level}`);
    case "incident": return t("incident.title");
    case "trouble": return t(`trouble.kind.${alert.trouble?.kind ?? "fault"}`);
    case "hazard": return t(`hazard.kind.${alert.hazard?.kind ?? "other"}`);
  }
}

export function alarmKind(alert: Alert): string {
  return t(`alarm.kind.${alert.alarm?.kind ?? "panic"}`);
}

export function alertIcon(alert: Alert): IconName {
  if (alert.kind === "alarm") return alert.alarm?.test ? "drill" : (alert.alarm?.kind ?? "panic");
  if (alert.kind === "trouble") return TROUBLE_ICON[alert.trouble?.kind ?? "fault"];
  return alert.kind;
}

const TROUBLE_ICON: Record<TroubleKind, IconName> = {
  lost: "unlink", battery: "battery", mains: "plug", tamper: "tamper", clock: "clock", fault: "trouble", flood: "flood", badge: "camera",
};

export function siteName(id: string | null): string {
  return id === null ? t("common.no_place") : named(sites.value.get(id)?.name, id);
}

export function deviceName(id: string): string {
  const [site = "", device = id] = id.split("/");
  return named(cameras.value.get(id)?.name ?? sites.value.get(site)?.device_names?.[id], device);
}

export function placeName(alert: Alert): string {
  if (alert.trouble?.scope === "provider") return t("trouble.provider", { name: alert.trouble.scope_id });
  if (alert.trouble?.scope === "site") return t("trouble.site", { site: siteName(alert.site), count: alert.trouble.count });
  if (alert.site === null && alert.hazard) return t("hazard.place", { source: alert.hazard.source });
  if (alert.site === null && alert.position) return t("place.on_map", { lat: alert.position[0].toFixed(4), lon: alert.position[1].toFixed(4) });
  return alert.device ? `${siteName(alert.site)} · ${deviceName(alert.device)}` : siteName(alert.site);
}

export function cameraName(camera: Camera): string {
  return named(camera.name, camera.id);
}

export function unitName(id: string): string {
  return named(units.value.find((u) => u.id === id)?.name ?? unitsLive.value.get(id)?.name, id);
}

/** `1.4 km`, or metres below one kilometre. */
export function distance(m: number): string {
  return m < 950 ? t("distance.m", { m: number(Math.round(m / 10) * 10, 0) }) : t("distance.km", { km: number(m / 1000) });
}

/** How long ago in the largest unit that says enough: seconds, minutes, hours, days. */
export function ago(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return t("ago.s", { count: s });
  if (s < 3600) return t("ago.min", { count: Math.floor(s / 60) });
  return s < 172_800 ? t("ago.h", { count: Math.floor(s / 3600) }) : t("ago.d", { count: Math.floor(s / 86_400) });
}

export function crowdReason(reason: CrowdReason): string {
  return t(`crowd.reason.${reason.code}`, {
    observed: number(reason.observed), bound: number(reason.bound), seconds: number(reason.for_s, 0),
  });
}

/** Why a camera is not live, in plain words; the hub's own detail follows for whoever repairs it. */
export function cameraReason(camera: Camera): string {
  if (!camera.reason) return "";
  return faultWords(camera.reason.code);
}

/** A camera's fault by its code. */
export function faultWords(code: string): string {
  const key = `camera.reason.${code}`;
  return hasKey(key) ? t(key) : t("camera.reason.other");
}

export function roleName(role: string): string {
  const key = `role.${role}`;
  return hasKey(key) ? t(key) : role;
}

export function actionName(action: string): string {
  const key = `log.${action}`;
  return hasKey(key) ? t(key) : action;
}

/** What went wrong and what to do, for a person. Falls back to the hub's own sentence, never to silence. */
export function problem(error: unknown): string {
  if (!(error instanceof ApiError)) return t("error.unknown", { detail: String(error) });
  if (error.code === "already_claimed") return t("error.already_claimed", { who: String(error.body["claimed_by"] ?? "?") });
  if (error.code === "rate_limited") return t("error.rate_limited", { seconds: String(error.body["retry_after_s"] ?? 60) });
  const key = `error.${error.code}`;
  return hasKey(key) ? t(key) : t("error.unknown", { detail: error.message });
}
