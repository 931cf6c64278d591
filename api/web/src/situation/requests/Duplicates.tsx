// Pairs that may be one matter: near in place, time and words. A person says so; nothing is joined by itself.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { dateTime } from "../../i18n";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { requests } from "../hub";
import { useLoad } from "../load";
import { t } from "../t";
import type { Pair, RequestSettings, Row } from "../types";
import { areaOf, categoryName, stateName } from "./names";

const keyOf = (p: Pair) => `${p.a.id}-${p.b.id}`;

export function DuplicatesView({ settings }: { settings: RequestSettings }): JSX.Element {
  const pairs = useLoad(() => requests.duplicates(), []);
  const [apart, setApart] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState("");
  const merge = async (p: Pair) => {
    setBusy(keyOf(p));
    try {
      // The later one follows the earlier: whoever wrote first keeps the number that everybody knows.
      const [first, later] = p.a.received_at <= p.b.received_at ? [p.a, p.b] : [p.b, p.a];
      const full = await requests.one(later.id);
      await requests.act(later.id, full.version, "merge", { into: first.reference });
      say(t("requests.merged"));
      pairs.reload();
    } catch (error) {
      say(problem(error), true);
    } finally {
      setBusy("");
    }
  };
  const list = pairs.data?.filter((p) => !apart.has(keyOf(p)));
  return (
    <div class="frame-body narrow">
      <p class="lead">{t("requests.duplicates_lead")}</p>
      {pairs.error !== null && <Failed text={problem(pairs.error)} retry={pairs.reload} />}
      {!list ? pairs.error === null && <Loading /> : list.length === 0 ? <Empty icon="check" title={t("requests.no_duplicates")} /> : (
        <ul class="pairs">
          {list.map((p) => (
            <li key={keyOf(p)} class="sheet pair-card">
              <p class="pair-head"><strong>{categoryName(settings, p.a.category)}</strong><span class="muted">{areaOf(settings, p.a.area)} · {t("requests.apart", { m: p.distance_m, h: p.hours_apart })}</span></p>
              <div class="pair-two"><Half row={p.a} settings={settings} /><Half row={p.b} settings={settings} /></div>
              <div class="dialog-buttons">
                <button type="button" onClick={() => setApart(new Set(apart).add(keyOf(p)))}>{t("requests.not_same")}</button>
                <button type="button" class="primary" disabled={busy === keyOf(p)} onClick={() => void merge(p)}><Icon name="merge" size={16} />{t("requests.same")}</button>
              </div>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Half({ row, settings }: { row: Row; settings: RequestSettings }): JSX.Element {
  return <div><small><span class="mono">{row.reference}</span> · {dateTime(row.received_at).slice(0, 16)} · {stateName(settings, row.state)}</small><p>{row.text ?? t("requests.expired")}</p>{row.place && <small>{row.place}</small>}</div>;
}
