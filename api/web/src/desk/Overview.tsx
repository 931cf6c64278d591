// What the panel shows while nothing is selected: the state of the desk at a glance, and what to do next.

import type { JSX } from "preact";
import { t } from "../i18n";
import { cameras, can, desks, loaded, queue, ringing, unitsLive } from "../store";
import { loadPlaces, placesError } from "../wiring";
import { problem, roleName } from "../words";
import { beginIncident } from "./dialogs";
import { Failed } from "../ui/bits";
import { Icon, type IconName } from "../ui/icons";

export function Overview(): JSX.Element {
  const all = [...cameras.value.values()];
  const silent = all.filter((c) => c.status !== "live").length;
  const open = queue.value;
  const attended = desks.value?.attended ?? [];
  return (
    <div class="panel overview">
      <h2>{t("overview.title")}</h2>
      {placesError.value !== null && <Failed text={problem(placesError.value)} retry={() => void loadPlaces()} />}
      {loaded.value && (
        <ul class="tiles">
          <Tile icon="critical" value={ringing.value.length} name={t("overview.unclaimed")} bad={ringing.value.length > 0} />
          <Tile icon="user" value={open.filter((a) => a.kind !== "crowd" && a.kind !== "trouble" && a.state !== "raised").length} name={t("overview.in_work")} />
          <Tile icon="crowd" value={open.filter((a) => a.kind === "crowd").length} name={t("overview.crowds")} />
          <Tile icon="unlink" value={silent} name={t("overview.silent_cameras")} warn={silent > 0} />
          <Tile icon="trouble" value={open.filter((a) => a.kind === "trouble").length} name={t("overview.troubles")} />
          {can("units.read") && <Tile icon="shield" value={[...unitsLive.value.values()].filter((u) => u.fresh && u.busy_with === null).length} name={t("overview.free_units")} />}
        </ul>
      )}
      <p class="muted">{t("overview.hint")}</p>
      {can("incidents.open") && (
        <button type="button" onClick={() => beginIncident(null)}><Icon name="incident" />{t("incident.open")}<kbd>N</kbd></button>
      )}
      {attended.length > 0 && (
        <section class="block">
          <h3>{t("overview.desks")}</h3>
          <ul class="desks">
            {attended.map((desk) => (
              <li key={desk.user}>
                <Icon name={desk.sound_ok ? "sound" : "mute"} size={16} />
                <span class="grow"><strong>{desk.user}</strong> <small>{roleName(desk.role)}</small></span>
                <small class={desk.sound_ok ? "" : "bad-text"}>{desk.sound_ok ? t("sound.ok") : t("sound.not_counted")}</small>
              </li>
            ))}
          </ul>
        </section>
      )}
      <p class="promise"><Icon name="shield" />{t("overview.promise")}</p>
    </div>
  );
}

function Tile({ icon, value, name, bad, warn }: { icon: IconName; value: number; name: string; bad?: boolean; warn?: boolean }): JSX.Element {
  return (
    <li class={bad ? "tile bad" : warn ? "tile warn" : "tile"}>
      <Icon name={icon} size={20} /><strong>{value}</strong><span>{name}</span>
    </li>
  );
}
