// Bars under the top bar that nobody may overlook: ringing alarms, a desk that cannot be heard, a line that is down.

import type { JSX } from "preact";
import { clockTime, t } from "../i18n";
import { formatAge, isDuress, isTest } from "../rank";
import { can, link, linkSince, now, page, pressedAgain, queue, ringing, selectedAlert, selectedCamera, session, shift, urgent } from "../store";
import { sound } from "../sound";
import { alertTitle, placeName } from "../words";
import { act } from "./acting";
import { dialog } from "./dialogs";
import { useShown } from "./shown";
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
      <CalledBanner />
      {can("shift") && shift.value?.attended === false && (
        <div class="banner deaf unattended" role="alert"><Icon name="mute" /><strong class="banner-word">{t("shift.nobody")}</strong><span class="banner-text">{t("shift.unattended")}</span></div>
      )}
      {can("desk.sound") && <DeafBanner />}
      {can("shift") && <HandoverBanner />}
    </div>
  );
}

function AlarmBanner(): JSX.Element | null {
  const first = ringing.value[0];
  const ref = useShown(first ? [first] : []);
  if (!first) return null;
  const show = () => open(first.id);
  const word = isDuress(first) ? t("alarm.duress") : pressedAgain.value.includes(first) ? t("alarm.again") : t("alarm.banner");
  return (
    <div class={`banner alarm${urgent.value ? " urgent" : ""}${isDuress(first) ? " duress" : ""}`} role="alert" ref={ref as { current: HTMLDivElement | null }}>
      <Icon name="critical" size={26} />
      <strong class="banner-word">{word}</strong>
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

function open(id: number): void {
  page.value = "desk";
  selectedCamera.value = null;
  selectedAlert.value = id;
}

/** The hub has called this person: the lead for what waits a minute, the police desk for what no duty desk hears. */
function CalledBanner(): JSX.Element | null {
  const role = session.value?.role;
  const mine = queue.value.filter((a) => a.state === "raised" && !isTest(a)
    && ((role === "shift_lead" && a.progress?.escalation === "shift_lead") || (role === "police_desk" && Boolean(a.progress?.unattended_at))));
  const first = mine[0];
  if (!first) return null;
  return (
    <div class="banner called" role="alert">
      <Icon name="user" size={22} />
      <strong class="banner-word">{t(role === "shift_lead" ? "called.lead" : "called.police")}</strong>
      <span class="banner-text">{t(role === "shift_lead" ? "called.lead_text" : "called.police_text", { count: mine.length })} {alertTitle(first)} · {placeName(first)}</span>
      <button type="button" class="on-alarm strong" onClick={() => open(first.id)}>{t("alarm.show")}</button>
    </div>
  );
}

function HandoverBanner(): JSX.Element | null {
  const handover = shift.value?.last_handover;
  if (!handover || handover.taken_at || handover.given_by === session.value?.user) return null;
  return (
    <div class="banner handover" role="status">
      <Icon name="swap" />
      <span class="banner-text">{t("handover.waiting", { who: handover.given_by, time: clockTime(handover.at) })}</span>
      <button type="button" onClick={() => (dialog.value = { kind: "take" })}>{t("handover.read")}</button>
    </div>
  );
}

function DeafBanner(): JSX.Element | null {
  if (sound.value === "ok") return null;
  return (
    <div class="banner deaf" role="alert">
      <Icon name="mute" />
      <strong class="banner-word">{t("sound.deaf")}</strong>
      <span class="banner-text">{t(sound.value === "blocked" ? "sound.deaf_blocked" : sound.value === "failed" ? "sound.deaf_failed" : "sound.deaf_untested")} {t("sound.not_attended")}</span>
      <button type="button" onClick={() => (dialog.value = { kind: "sound" })}>{t("sound.test")}</button>
    </div>
  );
}
