// Everything about one alert: what, where, how long, what may be done now, the evidence, the cameras there, and who did what.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, t } from "../i18n";
import { formatAge, isTest } from "../rank";
import { can, cameras, current, link, now, putAlert, selectedAlert, selectedCamera } from "../store";
import { alertIcon, alertTitle, placeName, problem, unitName } from "../words";
import { acted, acting, ask } from "./acting";
import { AlarmWords, Evidence } from "./Evidence";
import { Said, Why } from "./Explained";
import { useExplanation } from "./explanation";
import { look, State } from "./Card";
import { Order, Outside } from "./Order";
import { SiteCard, useSiteFile } from "./SiteCard";
import { beginIncident } from "./dialogs";
import { Log } from "./Log";
import { CameraRow } from "./CameraList";
import { rescueFocus } from "../ui/focus";
import { Failed, Loading } from "../ui/bits";
import { Icon, type IconName } from "../ui/icons";
import { Clips } from "../seeing/Clips";
import { AlarmCameras } from "../seeing/AlarmCameras";
import type { Action, Alert, Transition } from "../types";

type Step = Exclude<Action, "shown" | "delivered" | "seen">;
const ICON: Record<Step, IconName> = {
  claim: "check", dispatch: "send", accept: "check", en_route: "send", on_scene: "place", done: "check", close: "cross", note: "note", release: "back", decline: "cross",
  share: "share", real: "critical",
};
const KEY: Partial<Record<Step, string>> = { claim: "C", dispatch: "D", close: "X", note: "W", release: "R" };
/** The way of an alert: the first of these that is allowed is the next step and gets the strong button. */
const WITHOUT_UNIT: readonly Step[] = ["claim", "dispatch", "close"];
const WITH_UNIT: readonly Step[] = ["claim", "accept", "en_route", "on_scene", "close"];
const ORDER: readonly Step[] = ["claim", "accept", "en_route", "on_scene", "done", "dispatch", "close", "note", "release", "decline", "share"];

export function AlertPanel({ id }: { id: number }): JSX.Element {
  const [log, setLog] = useState<Transition[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const alert = current.value;
  const version = alert?.version ?? 0;
  const siteFile = useSiteFile(id, alert ? alert.site : null);
  const explained = useExplanation(alert?.kind === "crowd" ? alert : null);
  const load = () => {
    setError(null);
    api.alert(id).then((answer) => {
      putAlert(answer.alert);
      setLog(answer.transitions);
    }, setError);
  };
  useEffect(() => setLog(null), [id]);
  // The log is read again when the alert moved, when this desk acted, and when the line came back.
  const settled = alert && alert.kind === "crowd" ? `${alert.state}${alert.level}${alert.claimed_by}` : String(version);
  useEffect(load, [id, settled, acted.value, link.value === "live"]);

  if (!alert) {
    return (
      <div class="panel">
        <Back />
        {error ? <Failed text={problem(error)} retry={load} /> : <Loading />}
      </div>
    );
  }
  return (
    <article class={`panel level-${alert.level} kind-${alert.kind} ${look(alert)}`} aria-labelledby="alert-title">
      <header class="panel-head">
        <Back />
        <span class="panel-icon"><Icon name={alertIcon(alert)} size={28} /></span>
        <div class="panel-titles">
          <h2 id="alert-title" tabIndex={-1}>{alertTitle(alert)}</h2>
          <p class="panel-place">{placeName(alert)}</p>
        </div>
        <div class="panel-age">
          <span class="age">{alert.state === "closed" ? t("state.closed") : formatAge(now.value - Date.parse(alert.raised_at))}</span>
          <small>№ {alert.id}</small>
        </div>
      </header>
      <p class="panel-state">
        {isTest(alert)
          ? <span class="tag test-tag"><Icon name="drill" size={14} />{t("alarm.test_short")}</span>
          : <span class="tag level"><Icon name={alert.level} size={14} />{t(`level.${alert.level}`)}</span>}
        <State alert={alert} />
        {alert.unit && <span class="tag"><Icon name="send" size={14} />{unitName(alert.unit)}</span>}
      </p>
      <AlarmWords alert={alert} />
      {explained && <Said alert={alert} explained={explained} />}
      <Actions alert={alert} />
      {explained && <Why alert={alert} explained={explained} />}
      {alert.kind === "crowd" && explained === undefined && <Loading />}
      <Order alert={alert} log={log} />
      <SiteCard {...siteFile} />
      <AlertCameras alert={alert} entrances={siteFile.file?.entrances ?? []} ready={siteFile.file !== undefined || siteFile.error !== null} />
      <Clips alert={alert.id} />
      <Evidence alert={alert} explained={alert.kind === "crowd" && explained !== null} />
      <Outside alert={alert} />
      <section class="block">
        <h3>{t("log.title")}</h3>
        {error ? <Failed text={problem(error)} retry={load} /> : log ? <Log entries={log} /> : <Loading />}
      </section>
      <p class="panel-times">{t("alert.raised_at", { time: dateTime(alert.raised_at) })}{alert.closed_at && ` · ${t("alert.closed_at", { time: dateTime(alert.closed_at) })}`}</p>
    </article>
  );
}

export function Back(): JSX.Element {
  return (
    <button type="button" class="ghost square back" aria-label={t("common.back")} title={`${t("common.back")} (Esc)`}
      onClick={() => {
        const left = selectedAlert.value;
        selectedAlert.value = null;
        selectedCamera.value = null;
        rescueFocus(left === null ? undefined : `[data-alert="${left}"]`);
      }}>
      <Icon name="back" />
    </button>
  );
}

function Actions({ alert }: { alert: Alert }): JSX.Element | null {
  const next = (alert.unit ? WITH_UNIT : WITHOUT_UNIT).find((step) => alert.allowed.includes(step));
  const others = ORDER.filter((action) => action !== next && alert.allowed.includes(action));
  const shown = next ? [next, ...others] : others;
  const incident = alert.kind === "crowd" && alert.state !== "closed" && can("incidents.open");
  if (shown.length === 0 && !incident && !alert.allowed.includes("real")) return null;
  return (
    <div class="actions">
      {shown.map((action) => (
        <button key={action} type="button" class={action === next ? "primary" : action === "close" ? "danger" : ""}
          disabled={acting.value !== null} aria-keyshortcuts={KEY[action]} data-action={action} onClick={() => ask(alert, action)}>
          <Icon name={ICON[action]} /><span>{t(`action.${action}`)}</span>{KEY[action] && <kbd>{KEY[action]}</kbd>}
        </button>
      ))}
      {incident && (
        <button type="button" onClick={() => beginIncident(alert.site)}>
          <Icon name="incident" /><span>{t("incident.open")}</span><kbd>N</kbd>
        </button>
      )}
      {alert.allowed.includes("real") && isTest(alert) && (
        <button type="button" class="real" data-action="real" disabled={acting.value !== null} onClick={() => ask(alert, "real")}><Icon name="critical" /><span>{t("action.real")}</span></button>
      )}
    </div>
  );
}

/** Cameras that see the entrance come first. */
function AlertCameras({ alert, entrances, ready }: { alert: Alert; entrances: readonly string[]; ready: boolean }): JSX.Element | null {
  const order = (id: string) => (entrances.includes(id) ? entrances.indexOf(id) : entrances.length);
  const here = [...cameras.value.values()].filter((camera) => camera.site === alert.site).sort((a, b) => order(a.id) - order(b.id));
  if (here.length === 0 || !can("cameras.read")) return null;
  // An alarm opens its cameras by itself; once the order of the entrances is known, so that no other camera is opened for nothing.
  const live = ready && alert.kind === "alarm" && alert.state !== "closed" && !isTest(alert) && can("still.open");
  return (
    <section class="block">
      <h3>{t("alert.cameras_here")}</h3>
      {live && <AlarmCameras key={alert.id} alert={alert.id} cameras={here} />}
      <ul class="camera-rows">{here.map((camera) => <li key={camera.id}><CameraRow camera={camera} still entrance={entrances.includes(camera.id)} /></li>)}</ul>
    </section>
  );
}
