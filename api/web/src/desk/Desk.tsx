// The duty desk: queue, map with cameras under it, and the panel of what is selected. On a phone one of them at a time.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { can, ringing, selectedAlert, selectedCamera, session, shift } from "../store";
import { sound } from "../sound";
import { AlertPanel } from "./AlertPanel";
import { CameraPanel } from "./CameraPanel";
import { CameraList } from "./CameraList";
import { Composer } from "./Composer";
import { dialog, draft } from "./dialogs";
import { listenToKeys } from "./keys";
import { MapView } from "./MapView";
import { Overview } from "./Overview";
import { Queue } from "./Queue";
import { Icon, type IconName } from "../ui/icons";

type Tab = "queue" | "map" | "cameras";

export function Desk(): JSX.Element {
  const tab = useSignal<Tab>(can("alerts.read") ? "queue" : "map");
  useEffect(listenToKeys, []);
  useEffect(() => {
    // The shift begins with the question whether the alarm can be heard; a tab that was only reloaded is not asked twice.
    if (can("desk.sound") && sound.value === "untested") dialog.value = { kind: "sound" };
  }, []);
  useEffect(greet);
  const tabs: [Tab, string, IconName][] = [["map", t("map.title"), "map"]];
  if (can("alerts.read")) tabs.unshift(["queue", t("queue.title"), "queue"]);
  if (can("cameras.read")) tabs.push(["cameras", t("cameras.title"), "camera"]);
  const picking = draft.value?.picking === true;
  const selected = !picking && (selectedAlert.value !== null || selectedCamera.value !== null || draft.value !== null);
  return (
    <main class="desk" data-tab={picking ? "map" : tab.value} data-selected={selected}>
      <h1 class="sr-only">{t("desk.heading")}</h1>
      {can("alerts.read") && <section class="col queue-col" aria-label={t("queue.title")}><Queue /></section>}
      <section class="col middle-col">
        <div class="map-box" role="region" aria-label={t("map.title")}><MapView /></div>
        {can("cameras.read") && <section class="cameras-box" aria-label={t("cameras.title")}><CameraList /></section>}
      </section>
      <section class="col panel-col" aria-label={t("panel.title")} id="panel">
        {draft.value && !picking ? <Composer /> : selectedAlert.value !== null ? <AlertPanel id={selectedAlert.value} /> : selectedCamera.value !== null ? <CameraPanel id={selectedCamera.value} /> : <Overview />}
      </section>
      <nav class="tabs" aria-label={t("nav.label")}>
        {tabs.map(([id, name, icon]) => (
          <button key={id} type="button" aria-current={tab.value === id && !selected ? "page" : undefined}
            onClick={() => { tab.value = id; selectedAlert.value = null; selectedCamera.value = null; draft.value = null; }}>
            <Icon name={icon} size={20} /><span>{name}</span>
            {id === "queue" && ringing.value.length > 0 && <b class="badge">{ringing.value.length}</b>}
          </button>
        ))}
      </nav>
      {draft.value?.picking && (
        <div class="picking" role="status"><Icon name="target" /><span class="grow">{t("composer.tap")}</span>
          <button type="button" onClick={() => (draft.value = { ...draft.value!, picking: false })}>{t("common.cancel")}</button></div>
      )}
    </main>
  );
}

let greeted = "";

/** At log-in, once the sound was proven: the shift that waits to be taken. Later the banner alone says so, and never over an alarm. */
function greet(): void {
  const me = session.value?.user ?? "";
  if (!can("shift") || !shift.value || dialog.value || greeted === me) return;
  greeted = me;
  const handover = shift.value.last_handover;
  if (handover && !handover.taken_at && handover.given_by !== me && ringing.value.length === 0) dialog.value = { kind: "take" };
}
