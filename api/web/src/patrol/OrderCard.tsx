// What, where, and what to know there.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { clockTime, hasKey, named, number, t } from "../i18n";
import { formatAge } from "../rank";
import { now } from "../store";
import { Dialog } from "../ui/Dialog";
import { Icon, type IconName } from "../ui/icons";
import { distanceM } from "./steps";
import { here } from "./sharing";
import type { Contact, Order, OrderAlert } from "./types";

const KINDS: Record<string, IconName> = { crowd: "crowd", incident: "incident", hazard: "warning" };
const ALARMS: Record<string, IconName> = { panic: "panic", hold_up: "hold_up", fire: "fire", medical: "medical" };

function icon(alert: OrderAlert): IconName {
  return (alert.alarm ? ALARMS[alert.alarm.kind] : KINDS[alert.kind]) ?? "notice";
}

function title(alert: OrderAlert): string {
  if (alert.alarm) {
    const key = `alarm.kind.${alert.alarm.kind}`;
    return t(hasKey(key) ? key : "alarm.kind.panic");
  }
  if (alert.hazard) {
    const key = `patrol.hazard.${alert.hazard.kind}`;
    return t(hasKey(key) ? key : "patrol.hazard.other");
  }
  return alert.kind === "crowd" ? t(`crowd.title.${alert.level}`) : t("incident.title");
}

function length(metres: number): string {
  return metres < 950 ? t("patrol.metres", { distance: number(Math.round(metres / 10) * 10, 0) }) : t("patrol.kilometres", { distance: number(metres / 1000) });
}

export function OrderCard({ order }: { order: Order }): JSX.Element {
  const { alert } = order;
  const at = alert.position;
  const what = alert.hazard?.text || alert.incident?.text;
  const sent = alert.progress?.sent_at ?? alert.updated_at;
  return (
    <article class={`patrol-card order level-${alert.level}`} aria-labelledby="order-title">
      {order.drill && <p class="drill"><Icon name="notice" size={22} /><span><strong>{t("patrol.drill")}</strong> {t("patrol.drill_text")}</span></p>}
      <header class="order-head">
        <span class="order-icon"><Icon name={icon(alert)} size={30} /></span>
        <div class="grow">
          <h2 id="order-title">{title(alert)}</h2>
          <p class="muted">{t("patrol.ordered", { time: clockTime(sent), number: alert.id })}</p>
        </div>
        <span class="age" role="timer" aria-label={t("patrol.since")}>{formatAge(now.value - Date.parse(alert.raised_at))}</span>
      </header>
      {order.note && <blockquote class="order-note"><Icon name="note" /><p><span class="sr-only">{t("patrol.note")}: </span>{order.note}</p></blockquote>}
      {what && <p class="order-text">{what}</p>}
      <div class="order-place">
        <Icon name="place" size={22} />
        <div class="grow">
          <p class="place-name">{named(order.place ?? undefined, t("common.no_place"))}</p>
          {order.address && <p>{order.address}</p>}
          {at && here.value && <p class="muted">{t("patrol.away", { length: length(distanceM([here.value.lat, here.value.lon], at)) })}</p>}
        </div>
      </div>
      {at && (
        <a class="button broad" href={`geo:${at[0]},${at[1]}?q=${at[0]},${at[1]}`}>
          <Icon name="map" /><span>{t("patrol.open_map")}</span><small class="mono">{at[0].toFixed(5)}, {at[1].toFixed(5)}</small>
        </a>
      )}
      {order.notes && (
        <section class="order-part">
          <h3>{t("patrol.notes")}</h3>
          <p class="order-notes">{order.notes}</p>
        </section>
      )}
      {order.plan && alert.site && <Plan site={alert.site} alert={alert.id} />}
      {order.contacts.length > 0 && (
        <section class="order-part">
          <h3>{t("patrol.contacts")}</h3>
          <ul class="patrol-contacts">{order.contacts.map((contact) => <Person key={contact.id} contact={contact} />)}</ul>
        </section>
      )}
    </article>
  );
}

function Person({ contact }: { contact: Contact }): JSX.Element {
  return (
    <li>
      <a class="button broad" href={`tel:${contact.phone.replace(/[^\d+]/g, "")}`}>
        <Icon name="user" />
        <span class="grow"><strong>{contact.name}</strong>{contact.post && <small>{contact.post}</small>}</span>
        <span class="nowrap">{contact.phone}</span>
      </a>
    </li>
  );
}

function Plan({ site, alert }: { site: string; alert: number }): JSX.Element {
  const [large, setLarge] = useState(false);
  const [failed, setFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const source = `/api/v1/sites/${encodeURIComponent(site)}/plan?alert=${alert}${attempt > 0 ? `#${attempt}` : ""}`;
  if (failed) {
    return (
      <p class="callout"><Icon name="unlink" /><span class="grow">{t("patrol.plan_failed")}</span>
        <button type="button" onClick={() => { setFailed(false); setAttempt(attempt + 1); }}>{t("common.retry")}</button>
      </p>
    );
  }
  return (
    <section class="order-part">
      <h3>{t("patrol.plan")}</h3>
      <button type="button" class="patrol-plan" aria-label={t("patrol.plan_large")} onClick={() => setLarge(true)}>
        <img key={attempt} src={source} alt={t("patrol.plan")} onError={() => setFailed(true)} />
      </button>
      {large && (
        <Dialog title={t("patrol.plan")} wide onClose={() => setLarge(false)}>
          <div class="patrol-plan-large" tabIndex={0} role="region" aria-label={t("patrol.plan")}><img src={source} alt={t("patrol.plan")} /></div>
        </Dialog>
      )}
    </section>
  );
}
