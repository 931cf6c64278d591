// Problem signals: a category in a district rises over its usual number. They go to the service that mends it, never to the police.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { dateTime, number } from "../../i18n";
import { can } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { DemoTag, shortDay } from "../bits";
import { requests } from "../hub";
import type { Loaded } from "../load";
import { t } from "../t";
import type { ProblemSignal, RequestSettings } from "../types";
import { areaOf, categoryName, serviceName } from "./names";

export function SignalsView({ settings, list }: { settings: RequestSettings; list: Loaded<ProblemSignal[]> }): JSX.Element {
  return (
    <div class="frame-body narrow">
      <p class="lead">{t("requests.signals_lead")}</p>
      {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
      {!list.data ? list.error === null && <Loading /> : list.data.length === 0 ? <Empty icon="check" title={t("requests.no_signals")} /> : (
        <ul class="signal-list">{list.data.map((s) => <SignalCard key={s.id} signal={s} settings={settings} put={(next) => list.put(list.data!.map((x) => (x.id === next.id ? next : x)))} />)}</ul>
      )}
    </div>
  );
}

function SignalCard({ signal: s, settings, put }: { signal: ProblemSignal; settings: RequestSettings; put: (s: ProblemSignal) => void }): JSX.Element {
  const [words, setWords] = useState("");
  const [busy, setBusy] = useState(false);
  const act = async (action: "accept" | "close") => {
    setBusy(true);
    try {
      put(await requests.moveSignal(s.id, action, words.trim()));
      setWords("");
    } catch (error) {
      say(problem(error), true);
    } finally {
      setBusy(false);
    }
  };
  const most = Math.max(s.count, s.threshold) * 1.08;
  return (
    <li class={`sheet signal-card is-${s.state}`}>
      <header><Icon name="pulse" /><h2>{categoryName(settings, s.category)}</h2><span class="muted grow">{areaOf(settings, s.area)} · {shortDay(s.day)}</span>{s.demo && <DemoTag short />}<span class={s.state === "open" ? "tag bad" : "tag"}>{t(`requests.signal.${s.state}`)}</span></header>
      <div class="spike" role="img" aria-label={t("requests.spike", { count: s.count, expected: number(s.expected, 1), threshold: number(s.threshold, 1) })}>
        <i class="spike-count" style={{ width: `${(s.count / most) * 100}%` }} /><i class="spike-usual" style={{ left: `${(s.expected / most) * 100}%` }} /><i class="spike-limit" style={{ left: `${(s.threshold / most) * 100}%` }} />
      </div>
      <p>{t("requests.spike", { count: s.count, expected: number(s.expected, 1), threshold: number(s.threshold, 1) })}</p>
      <small>{t("requests.to_service", { service: serviceName(settings, s.service) })} · {dateTime(s.raised_at).slice(0, 16)} · <span class="mono">{s.formula}</span></small>
      {s.words && <blockquote>{s.words}{s.by && <small> {s.by}</small>}</blockquote>}
      {can("requests.work") && s.state !== "closed" && (
        <div class="signal-act">
          <label class="grow"><span class="sr-only">{t("requests.signal_words")}</span><input type="text" maxLength={500} placeholder={t("requests.signal_words")} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></label>
          {s.state === "open" && <button type="button" class="primary" disabled={busy || !words.trim()} onClick={() => void act("accept")}>{t("requests.accept")}</button>}
          <button type="button" disabled={busy || !words.trim()} onClick={() => void act("close")}>{t("requests.close_signal")}</button>
        </div>
      )}
    </li>
  );
}
