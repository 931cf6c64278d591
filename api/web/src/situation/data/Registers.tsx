// Two registers: appeals to leaders' blogs (answered in time?) and duties of official sites (fulfilled?). Acts of the authorities:
// shown as they are.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { named } from "../../i18n";
import { can } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { say } from "../../ui/toast";
import { Icon } from "../../ui/icons";
import { AreaSelect, shortDay } from "../bits";
import { Progress } from "../charts/Bars";
import { intake } from "../hub";
import { useLoad } from "../load";
import { t } from "../t";
import type { Appeal, Duty, Named } from "../types";

const today = () => new Date().toISOString().slice(0, 10);

export function RegistersView(): JSX.Element {
  return <div class="frame-body"><Appeals /><DutiesSheet /></div>;
}

function Appeals(): JSX.Element {
  const list = useLoad(() => intake.appeals({ limit: 200 }), []);
  // Topics are those of the lexicon: their names stand there.
  const lexicon = useLoad(() => intake.lexicon(), []);
  const topics = lexicon.data?.topics ?? [];
  const [adding, setAdding] = useState(false);
  const answer = async (a: Appeal) => {
    try {
      const next = await intake.answerAppeal(a.id, today());
      list.put({ ...list.data!, appeals: list.data!.appeals.map((x) => (x.id === a.id ? next : x)) });
    } catch (error) {
      say(problem(error), true);
    }
  };
  return (
    <section class="sheet table-sheet" aria-labelledby="appeals-title">
      <header class="sheet-head"><h2 id="appeals-title">{t("data.appeals")}</h2>{can("intake.write") && <button type="button" aria-expanded={adding} onClick={() => setAdding(!adding)}><Icon name="plus" size={16} />{t("data.add_appeal")}</button>}</header>
      {adding && <NewAppeal topics={topics} done={() => { setAdding(false); list.reload(); }} />}
      {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
      {!list.data ? list.error === null && <Loading /> : list.data.appeals.length === 0 ? <Empty icon="inbox" title={t("data.no_appeals")} /> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("data.appeals")}>
          <table class="rows">
            <thead><tr><th scope="col">{t("data.leader")}</th><th scope="col">{t("shared.area")}</th><th scope="col">{t("data.topic")}</th><th scope="col">{t("data.received")}</th><th scope="col">{t("data.due")}</th><th scope="col">{t("data.answered")}</th></tr></thead>
            <tbody>{list.data.appeals.map((a) => (
              <tr key={a.id}><th scope="row">{a.leader}</th><td data-label={t("shared.area")}>{named(a.area_name, a.area)}</td><td data-label={t("data.topic")}>{named(topics.find((x) => x.id === a.topic)?.name, a.topic)}</td><td data-label={t("data.received")} class="nowrap">{shortDay(a.received)}</td><td data-label={t("data.due")} class="nowrap">{shortDay(a.due)}</td>
                <td data-label={t("data.answered")}>{a.answered ? <span class={a.in_time === false ? "bad-text" : ""}>{shortDay(a.answered)}{a.in_time === false && ` · ${t("data.too_late")}`}</span> : can("intake.write") ? <button type="button" onClick={() => void answer(a)}>{t("data.answered_today")}</button> : "–"}</td></tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function NewAppeal({ topics, done }: { topics: readonly Named[]; done: () => void }): JSX.Element {
  const [f, setF] = useState({ received: today(), due: "", area: "", topic: "", leader: "" });
  const [error, setError] = useState("");
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const send = async (event: Event) => {
    event.preventDefault();
    try {
      await intake.addAppeal({ ...f, answered: null });
      done();
    } catch (cause) {
      setError(problem(cause));
    }
  };
  return (
    <form class="form columns full" onSubmit={(e) => void send(e)}>
      <label>{t("data.leader")}<input type="text" required maxLength={200} placeholder={t("data.leader_help")} value={f.leader} onInput={set("leader")} /></label>
      <label>{t("shared.area")}<AreaSelect value={f.area} change={(area) => setF({ ...f, area })} /></label>
      <label>{t("data.topic")}<select required value={f.topic} onChange={set("topic")}><option value="" />{topics.map((x) => <option key={x.id} value={x.id}>{named(x.name, x.id)}</option>)}</select></label>
      <label>{t("data.received")}<input type="date" required value={f.received} onInput={set("received")} /></label>
      <label>{t("data.due")}<input type="date" required value={f.due} onInput={set("due")} /></label>
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <div class="dialog-buttons"><button type="submit" class="primary" disabled={!f.area}>{t("common.save")}</button></div>
    </form>
  );
}

function DutiesSheet(): JSX.Element {
  const list = useLoad(() => intake.duties(), []);
  const [site, setSite] = useState("");
  const [adding, setAdding] = useState(false);
  const check = async (d: Duty) => {
    try {
      await intake.checkDuty(d.id, !d.done, today());
      list.reload();
    } catch (error) {
      say(problem(error), true);
    }
  };
  return (
    <section class="sheet table-sheet" aria-labelledby="duties-title">
      <header class="sheet-head"><h2 id="duties-title">{t("data.duties")}</h2>{can("intake.write") && <button type="button" aria-expanded={adding} onClick={() => setAdding(!adding)}><Icon name="plus" size={16} />{t("data.add_duty")}</button>}</header>
      {adding && <NewDuty done={() => { setAdding(false); list.reload(); }} />}
      {list.error !== null && <Failed text={problem(list.error)} retry={list.reload} />}
      {!list.data ? list.error === null && <Loading /> : list.data.duties.length === 0 ? <Empty icon="check" title={t("data.no_duties")} /> : (
        <>
          <ul class="site-duties">{list.data.by_site.map((s) => <li key={s.site}><button type="button" class="share-row" aria-pressed={site === s.site} onClick={() => setSite(site === s.site ? "" : s.site)}><span class="share-name">{s.site}</span><Progress percent={s.of === 0 ? 0 : (s.done / s.of) * 100} late={s.done < s.of} /><span class="muted nowrap">{s.done} / {s.of}</span></button></li>)}</ul>
          <div class="scroll" tabIndex={0} role="region" aria-label={t("data.duties")}>
            <table class="rows">
              <thead><tr><th scope="col">{t("data.duty")}</th><th scope="col">{t("data.site")}</th><th scope="col">{t("data.law")}</th><th scope="col">{t("data.checked")}</th><th scope="col">{t("data.state")}</th></tr></thead>
              <tbody>{list.data.duties.filter((d) => site === "" || d.site === site).map((d) => (
                <tr key={d.id}><th scope="row">{named(d.duty, "")}</th><td data-label={t("data.site")}>{d.site}</td><td data-label={t("data.law")}><small>{d.basis}</small></td><td data-label={t("data.checked")} class="nowrap">{d.checked_at ? shortDay(d.checked_at) : "–"}</td>
                  <td data-label={t("data.state")}><span class={d.done ? "tag ok-tag" : "tag warn-tag"}><Icon name={d.done ? "check" : "cross"} size={13} />{t(d.done ? "data.fulfilled" : "data.not_fulfilled")}</span>{can("intake.write") && <button type="button" class="link-button" onClick={() => void check(d)}>{t(d.done ? "data.mark_not" : "data.mark_done")}</button>}</td></tr>
              ))}</tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

function NewDuty({ done }: { done: () => void }): JSX.Element {
  const [f, setF] = useState({ site: "", area: "", kk: "", ru: "", en: "", basis: "" });
  const [error, setError] = useState("");
  const set = (name: keyof typeof f) => (e: { currentTarget: { value: string } }) => setF({ ...f, [name]: e.currentTarget.value });
  const send = async (event: Event) => {
    event.preventDefault();
    try {
      await intake.addDuty({ site: f.site.trim(), area: f.area || null, duty: { kk: f.kk.trim(), ru: f.ru.trim(), en: f.en.trim() }, basis: f.basis.trim() });
      done();
    } catch (cause) {
      setError(problem(cause));
    }
  };
  return (
    <form class="form columns full" onSubmit={(e) => void send(e)}>
      <label>{t("data.site")}<input type="text" required maxLength={200} placeholder="akimat.example" value={f.site} onInput={set("site")} /></label>
      <label>{t("shared.area")}<AreaSelect value={f.area} change={(area) => setF({ ...f, area })} all={t("shared.whole_region")} /></label>
      <label>{t("data.law")}<input type="text" required maxLength={300} value={f.basis} onInput={set("basis")} /></label>
      <label>{t("shared.kk")}<input type="text" lang="kk" required maxLength={300} value={f.kk} onInput={set("kk")} /></label>
      <label>{t("shared.ru")}<input type="text" lang="ru" required maxLength={300} value={f.ru} onInput={set("ru")} /></label>
      <label>{t("shared.en")}<input type="text" lang="en" required maxLength={300} value={f.en} onInput={set("en")} /></label>
      {error && <p class="form-error" role="alert"><Icon name="warning" />{error}</p>}
      <div class="dialog-buttons"><button type="submit" class="primary">{t("common.save")}</button></div>
    </form>
  );
}
