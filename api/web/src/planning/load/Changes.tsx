// Who changed which rule, to what and why; the newest first.

import type { JSX } from "preact";
import { dateTime } from "../../i18n";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { useLoad } from "../../situation/load";
import { load as hub } from "../hub";
import { t } from "../t";
import { ruleName, valueWords } from "./names";

export function ChangesView(): JSX.Element {
  const rules = useLoad(hub.rules, []);
  const newest = [...(rules.data?.changes ?? [])].sort((a, b) => b.id - a.id);
  return (
    <div class="frame-body narrow" tabIndex={0} role="region" aria-label={t("changes.tab")}>
      {rules.error !== null && <Failed text={problem(rules.error)} retry={rules.reload} />}
      {!rules.data ? rules.error === null && <Loading /> : newest.length === 0 ? <Empty icon="book" title={t("changes.none")}><p>{t("changes.none_text")}</p></Empty> : (
        <ol class="change-list" aria-label={t("changes.tab")}>
          {newest.map((c) => (
            <li key={c.id} class="sheet change">
              <div class="change-head"><h2>{ruleName(c.rule)}</h2><span class="change-value">{valueWords(c.rule, c.value)}</span></div>
              <blockquote>{c.reason}</blockquote>
              <small>{dateTime(c.at).slice(0, 16)} · {c.who}</small>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
