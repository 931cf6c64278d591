// What leaves the hub for other systems, and what did not get through.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { dateTime, t } from "../i18n";
import { problem } from "../words";
import { Empty, Failed, Loading } from "../ui/bits";
import { Icon } from "../ui/icons";
import type { Connector } from "../types";

const REFRESH_MS = 10_000;

export function ConnectorsPage(): JSX.Element {
  const [list, setList] = useState<Connector[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = () => {
    api.connectors().then((c) => { setList(c); setError(null); }, setError);
  };
  useEffect(() => {
    load();
    const timer = setInterval(load, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="page">
      <header class="page-head"><div><h1>{t("connectors.title")}</h1><p class="lead">{t("connectors.lead")}</p></div></header>
      {error !== null && <Failed text={problem(error)} retry={load} />}
      {!list ? error === null && <Loading /> : list.length === 0 ? <section class="sheet"><Empty icon="share" title={t("connectors.empty")}><p>{t("connectors.empty_text")}</p></Empty></section> : (
        <ul class="connector-list">
          {list.map((c) => (
            <li key={c.id} class="sheet connector">
              <header><Icon name="share" size={22} /><h2 class="grow">{c.id}</h2><span class="tag">{t(`connectors.kind.${c.kind}`)}</span></header>
              <ul class="tiles">
                <li class="tile"><strong>{c.delivered}</strong><span>{t("connectors.delivered")}</span></li>
                <li class={c.waiting > 0 ? "tile warn" : "tile"}><strong>{c.waiting}</strong><span>{t("connectors.waiting")}</span></li>
              </ul>
              <p class="muted">{c.last_delivered_at ? t("connectors.last", { time: dateTime(c.last_delivered_at) }) : t("connectors.never")}</p>
              {c.last_error && <p class="callout bad"><Icon name="warning" /><span>{t("connectors.error")}<br /><small>{c.last_error}</small></span></p>}
            </li>
          ))}
        </ul>
      )}
    </main>
  );
}
