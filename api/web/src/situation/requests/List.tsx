// The list: what waits longest first, search over words and numbers, filters; J and K move, Enter opens, / searches.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { dateTime, number } from "../../i18n";
import { keysOn } from "../../prefs";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { Icon } from "../../ui/icons";
import { DemoTag } from "../bits";
import { requests } from "../hub";
import { t, type Key } from "../t";
import type { RequestList, RequestSettings, Row } from "../types";
import { Detail } from "./Detail";
import { Due } from "./Due";
import { areaOf, categoryName, serviceName, stateName } from "./names";

type Quick = "open" | "late" | "reopened" | "all";
const QUICK: readonly [Quick, Key][] = [["open", "requests.open"], ["late", "requests.overdue"], ["reopened", "requests.reopened"], ["all", "requests.all"]];
/** A person stops typing; then the hub is asked. */
const PAUSE_MS = 250;

interface Filter { text: string; category: string; area: string; service: string; state: string; from: string; to: string }
const NOTHING: Filter = { text: "", category: "", area: "", service: "", state: "", from: "", to: "" };

export function ListView({ settings }: { settings: RequestSettings }): JSX.Element {
  const [quick, setQuick] = useState<Quick>("open");
  const [filter, setFilter] = useState<Filter>(NOTHING);
  const [more, setMore] = useState(false);
  const [list, setList] = useState<RequestList | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [chosen, setChosen] = useState<number | null>(null);
  const turn = useRef(0);
  const search = useRef<HTMLInputElement>(null);

  const ask = (after?: string) => {
    const mine = ++turn.current;
    const { text, ...rest } = filter;
    // A number of a receipt is looked up as such: its words would never match.
    const reference = /^[\d\s-]{8,}$/.test(text.trim()) ? text.trim() : "";
    setBusy(true);
    requests.list({
      ...rest, text: reference ? "" : text.trim(), reference, after, limit: 60,
      ...(quick === "open" ? { open: true } : quick === "late" ? { overdue: "any" } : quick === "reopened" ? { state: "reopened" } : {}),
    }).then((answer) => {
      if (mine !== turn.current) return;
      setList((known) => (after && known ? { ...answer, requests: [...known.requests, ...answer.requests] } : answer));
      setError(null);
    }, (cause: unknown) => mine === turn.current && setError(cause)).finally(() => mine === turn.current && setBusy(false));
  };
  useEffect(() => {
    const timer = setTimeout(() => ask(), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [quick, filter]);

  const rows = list?.requests ?? [];
  const go = (step: number) => {
    const i = rows.findIndex((r) => r.id === chosen);
    const next = rows[Math.max(0, Math.min(rows.length - 1, i < 0 ? 0 : i + step))];
    if (!next) return;
    setChosen(next.id);
    document.querySelector<HTMLElement>(`[data-request="${next.id}"]`)?.focus();
  };
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (!keysOn.value || e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
      if (e.target instanceof HTMLElement && e.target.closest("input, textarea, select")) return;
      const act = { j: () => go(1), k: () => go(-1), "/": () => search.current?.focus() }[e.key];
      if (!act) return;
      e.preventDefault();
      e.stopImmediatePropagation();
      act();
    };
    // Before the desk's own keys, which mean other things there.
    addEventListener("keydown", key, { capture: true });
    return () => removeEventListener("keydown", key, { capture: true });
  });
  const set = (name: keyof Filter) => (e: { currentTarget: { value: string } }) => setFilter({ ...filter, [name]: e.currentTarget.value });
  const select = (name: "category" | "area" | "service" | "state", all: Key, options: readonly (readonly [string, string])[]) => (
    <label><span class="sr-only">{t(all)}</span>
      <select value={filter[name]} onChange={set(name)}><option value="">{t(all)}</option>{options.map(([id, name]) => <option key={id} value={id}>{name}</option>)}</select>
    </label>
  );
  const filtered = Object.values(filter).some(Boolean);
  return (
    <div class={chosen === null ? "desk-split" : "desk-split open"}>
      <section class="desk-list" aria-label={t("requests.list")}>
        <div class="list-head">
          <div class="seg quick" role="group" aria-label={t("requests.quick")}>
            {QUICK.map(([id, name]) => (
              <button key={id} type="button" aria-pressed={quick === id} onClick={() => setQuick(id)}>
                {t(name)}{list && id === "open" && <b>{number(list.open_total, 0)}</b>}{list && id === "late" && <b class={list.overdue_total > 0 ? "warn" : ""}>{number(list.overdue_total, 0)}</b>}
              </button>
            ))}
          </div>
          <label class="list-search"><span class="sr-only">{t("requests.search")}</span><input ref={search} type="search" value={filter.text} placeholder={t("requests.search")} onInput={set("text")} /></label>
          <button type="button" aria-expanded={more} onClick={() => setMore(!more)}><Icon name="list" size={16} />{t("requests.filters")}</button>
        </div>
        {more && (
          <div class="list-filters">
            {select("category", "requests.all_categories", settings.categories.map((c) => [c.id, categoryName(settings, c.id)]))}
            {select("area", "shared.all_areas", settings.areas.map((a) => [a.kato, areaOf(settings, a.kato)]))}
            {select("service", "requests.all_services", settings.services.map((s) => [s.id, serviceName(settings, s.id)]))}
            {quick !== "reopened" && select("state", "requests.all_states", settings.states.map((s) => [s.id, stateName(settings, s.id)]))}
            <label class="day-field"><span>{t("requests.from")}</span><input type="date" value={filter.from} onInput={set("from")} /></label>
            <label class="day-field"><span>{t("requests.to")}</span><input type="date" value={filter.to} onInput={set("to")} /></label>
            {filtered && <button type="button" class="ghost" onClick={() => setFilter(NOTHING)}><Icon name="cross" size={15} />{t("requests.clear")}</button>}
          </div>
        )}
        {error !== null && <Failed text={problem(error)} retry={() => ask()} />}
        {!list ? error === null && <Loading /> : rows.length === 0 ? <Empty icon="inbox" title={filtered ? t("requests.no_match") : t(`requests.none.${quick}`)} /> : (
          <ul class="request-list" aria-busy={busy}>
            {rows.map((row) => (
              <li key={row.id}>
                <button type="button" class={`request state-${row.state}`} data-request={row.id} aria-current={chosen === row.id ? "true" : undefined} onClick={() => setChosen(row.id)}>
                  <span class="request-top"><strong>{categoryName(settings, row.category)}</strong><span class={`tag rq-${row.state}`}>{stateName(settings, row.state)}</span></span>
                  <span class="request-text">{row.text ?? t("requests.expired")}</span>
                  <span class="request-foot">
                    <span>{areaOf(settings, row.area)}</span><span>{serviceName(settings, row.service)}</span>
                    {row.followers > 0 && <span><Icon name="crowd" size={14} />+{row.followers}</span>}
                    {row.reopened > 0 && <span class="again"><Icon name="undo" size={14} />{t("requests.reopened_n", { count: row.reopened })}</span>}
                    {row.demo && <DemoTag short />}
                  </span>
                  <span class="request-side"><Due row={row} /><small>{dateTime(row.received_at).slice(0, 16)}</small></span>
                </button>
              </li>
            ))}
            {list.next && <li class="list-more"><button type="button" disabled={busy} onClick={() => ask(list.next!)}>{busy ? t("common.wait") : t("shared.more")}</button></li>}
          </ul>
        )}
        <p class="keys-hint"><kbd>J</kbd><kbd>K</kbd>{t("requests.keys_move")} <kbd>/</kbd>{t("requests.keys_search")}</p>
      </section>
      {chosen !== null
        ? <Detail key={chosen} id={chosen} settings={settings} go={setChosen} close={() => setChosen(null)} changed={(row: Row) => setList((l) => (l ? { ...l, requests: l.requests.map((r) => (r.id === row.id ? row : r)) } : l))} />
        : <div class="detail-none"><Empty icon="inbox" title={t("requests.choose")} /></div>}
    </div>
  );
}
