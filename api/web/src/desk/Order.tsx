// The way of an order, hop by hop, each with its time; and what other systems answered.

import type { JSX } from "preact";
import { clockTime, dateTime, t } from "../i18n";
import { unitName } from "../words";
import { Icon } from "../ui/icons";
import type { Alert, Transition } from "../types";

const HOPS = ["sent", "delivered", "seen", "accepted", "en_route", "on_scene", "done"] as const;

export function Order({ alert, log }: { alert: Alert; log: readonly Transition[] | null }): JSX.Element | null {
  const p = alert.progress;
  if (!alert.unit || !p) return null;
  // The hub keeps the receipts; the way and the arrival stand in the log of this order.
  const ordered = log?.findLastIndex((e) => e.action === "dispatch") ?? -1;
  const when = (action: string) => log?.slice(ordered).findLast((e) => e.action === action)?.at ?? null;
  const at: Record<(typeof HOPS)[number], string | null> = {
    sent: p.sent_at, delivered: p.delivered_at, seen: p.seen_at, accepted: p.accepted_at ?? when("accept"),
    en_route: when("en_route"), on_scene: when("on_scene"), done: p.done_at ?? when("done"),
  };
  const reached = HOPS.findLastIndex((hop) => at[hop] !== null);
  return (
    <section class="block order">
      <h3>{t("order.title", { unit: unitName(alert.unit) })}</h3>
      <ol class="hops">
        {HOPS.map((hop, i) => (
          <li key={hop} class={at[hop] ? "done" : i <= reached ? "skipped" : "todo"} aria-current={i === reached ? "step" : undefined}>
            <span class="hop-dot">{at[hop] && <Icon name="check" size={12} />}</span>
            <span class="hop-name">{t(`order.${hop}`)}</span>
            {at[hop] ? <time dateTime={at[hop]!} title={dateTime(at[hop]!)}>{clockTime(at[hop]!)}</time> : <span class="hop-none" aria-label={t("order.not_yet")}>–</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

export function Outside({ alert }: { alert: Alert }): JSX.Element | null {
  const p = alert.progress;
  if (!p || (p.external.length === 0 && !p.shared)) return null;
  return (
    <section class="block">
      <h3>{t("outside.title")}</h3>
      {p.shared && <p class="callout"><Icon name="share" />{t("outside.shared")}</p>}
      <ul class="outside">
        {p.external.map((e) => (
          <li key={e.connector}>
            <Icon name="link" size={16} />
            <span class="grow"><strong>{e.connector}</strong>{e.number && <span class="mono"> № {e.number}</span>}<br /><small>{e.status}</small></span>
            <time dateTime={e.at} title={dateTime(e.at)}>{clockTime(e.at)}</time>
          </li>
        ))}
      </ul>
    </section>
  );
}
