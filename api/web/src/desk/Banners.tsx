// Bars under the top bar that nobody may overlook: ringing alarms, a desk that cannot be heard, a line that is down.

import type { JSX } from "preact";
import { t } from "../i18n";
import { formatAge } from "../rank";
import { can, link, linkSince, now, page, ringing, selectedAlert, selectedCamera } from "../store";
import { sound } from "../sound";
import { alertTitle, placeName } from "../words";
import { act } from "./acting";
import { dialog } from "./dialogs";
import { Icon } from "../ui/icons";

export function Banners(): JSX.Element {
  return (
    <div class="banners">
      <AlarmBanner />
      {link.value === "reconnecting" && (
        <div class="banner warn" role="alert">
          <Icon name="unlink" />
          <span>{t("link.lost", { age: formatAge(now.value - linkSince.value) })}</span>
        </div>
      )}
      {can("desk.sound") && <DeafBanner />}
    </div>
  );
}

function AlarmBanner(): JSX.Element | null {
  const first = ringing.value[0];
  if (!first) return null;
  const show = () => {
    page.value = "desk";
    selectedCamera.value = null;
    selectedAlert.value = first.id;
  };
  return (
    <div class="banner alarm" role="alert">
      <Icon name="critical" size={26} />
      <strong class="banner-word">{t("alarm.banner")}</strong>
      <span class="banner-text">
        {alertTitle(first)} · {placeName(first)}
        {ringing.value.length > 1 && <span class="more">{t("alarm.more", { count: ringing.value.length - 1 })}</span>}
      </span>
      <span class="age">{formatAge(now.value - Date.parse(first.raised_at))}</span>
      <button type="button" class="on-alarm" onClick={show}>{t("alarm.show")}</button>
      {first.allowed.includes("claim") && (
        <button type="button" class="on-alarm strong" onClick={() => { show(); void act(first, "claim"); }}>
          <Icon name="check" />{t("action.claim")}
        </button>
      )}
    </div>
  );
}

function DeafBanner(): JSX.Element | null {
  if (sound.value === "ok") return null;
  return (
    <div class="banner deaf" role="alert">
      <Icon name="mute" />
      <strong class="banner-word">{t("sound.deaf")}</strong>
      <span class="banner-text">{t(sound.value === "blocked" ? "sound.deaf_blocked" : sound.value === "failed" ? "sound.deaf_failed" : "sound.deaf_untested")}</span>
      <button type="button" onClick={() => (dialog.value = { kind: "sound" })}>{t("sound.test")}</button>
    </div>
  );
}
