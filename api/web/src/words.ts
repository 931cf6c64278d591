// Domain values in the words of people: the only place where a code of the hub becomes a sentence.

import { hasKey, named, number, t } from "./i18n";
import { cameras, sites } from "./store";
import { ApiError } from "./api";
import type { IconName } from "./ui/icons";
import type { Alert, Camera, CrowdReason } from "./types";

export function alertTitle(alert: Alert): string {
  if (alert.kind === "alarm") {
    const kind = t(`alarm.kind.${alert.alarm?.kind ?? "panic"}`);
    return alert.alarm?.test ? t("alarm.test_title", { kind }) : kind;
  }
  return alert.kind === "crowd" ? t(`crowd.title.${alert.level}`) : t("incident.title");
}

export function alertIcon(alert: Alert): IconName {
  if (alert.kind === "alarm") return alert.alarm?.kind ?? "panic";
  return alert.kind;
}

export function siteName(id: string | null): string {
  return id === null ? t("common.no_place") : named(sites.value.get(id)?.name, id);
}

export function deviceName(id: string): string {
  const [site = "", device = id] = id.split("/");
  return named(cameras.value.get(id)?.name ?? sites.value.get(site)?.device_names?.[id], device);
}

export function placeName(alert: Alert): string {
  return alert.device ? `${siteName(alert.site)} · ${deviceName(alert.device)}` : siteName(alert.site);
}

export function cameraName(camera: Camera): string {
  return named(camera.name, camera.id);
}

export function crowdReason(reason: CrowdReason): string {
  return t(`crowd.reason.${reason.code}`, {
    observed: number(reason.observed), bound: number(reason.bound), seconds: number(reason.for_s, 0),
  });
}

/** Why a camera is not live, in plain words; the hub's own detail follows for whoever repairs it. */
export function cameraReason(camera: Camera): string {
  if (!camera.reason) return "";
  const key = `camera.reason.${camera.reason.code}`;
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
