// The rail of pages, in groups: the desk, the situation, the places, the system. Shows only what the role may open.

import type { JSX } from "preact";
import { t } from "../i18n";
import { can, page, ringing, type Page } from "../store";
import { Icon, type IconName } from "../ui/icons";

type Entry = [Page, string, IconName];

export function Pages(): JSX.Element | null {
  const places: Entry[] = [];
  if (can("register.read")) places.push(["register", t("nav.register"), "list"], ["devices", t("nav.devices"), "button"]);
  if (can("cameras.read") && can("register.read")) places.push(["cameras", t("nav.cameras"), "camera"]);
  if (can("planning.read")) places.push(["planning", t("nav.planning"), "calendar"]);
  if (can("drills.read")) places.push(["drills", t("nav.drills"), "drill"]);
  if (can("sitefile.write")) places.push(["sitefile", t("nav.sitefile"), "file"]);
  if (can("phones.manage")) places.push(["phones", t("nav.phones"), "phone"]);
  const situation: Entry[] = [];
  if (can("tension.read")) situation.push(["tension", t("nav.tension"), "region"]);
  if (can("requests.read") || can("requests.figures")) situation.push(["requests", t("nav.requests"), "inbox"]);
  if (can("plan.read") || can("notes.read")) situation.push(["plan", t("nav.plan"), "board"]);
  if (can("journal.read")) situation.push(["journal", t("nav.journal"), "note"]);
  if (can("intake.read") || can("signals.read")) situation.push(["data", t("nav.data"), "table"]);
  const system: Entry[] = [];
  if (can("connectors.read")) system.push(["connectors", t("nav.connectors"), "share"]);
  if (can("areas.write")) system.push(["areas", t("nav.areas"), "upload"]);
  if (can("audit.read")) system.push(["audit", t("nav.audit"), "book"]);
  const desk: Entry[] = can("alerts.read") || can("cameras.read") || (can("areas.read") && situation.length === 0) ? [["desk", t("nav.desk"), "map"]] : [];
  if (can("still.open")) desk.push(["wall", t("nav.wall"), "wall"]);
  if (can("shift") || can("planning.write")) desk.push(["load", t("nav.load"), "gauge"]);
  const groups = [desk, situation, places, system].filter((group) => group.length > 0);
  if (groups.flat().length < 2) return null;
  return (
    <nav class="pages" aria-label={t("nav.label")}>
      {groups.map((group) => (
        <div class="pages-group" key={group[0]![0]}>
          {group.map(([id, name, icon]) => (
            <button key={id} type="button" aria-current={page.value === id ? "page" : undefined} onClick={() => (page.value = id)}>
              <Icon name={icon} size={20} /><span>{name}</span>
              {id === "desk" && page.value !== "desk" && ringing.value.length > 0 && <b class="badge">{ringing.value.length}</b>}
            </button>
          ))}
        </div>
      ))}
    </nav>
  );
}
