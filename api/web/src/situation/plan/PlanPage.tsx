// The joint plan of action: blocks of problems, their measures, issues that meetings brought, and analytic notes. Deputies read it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { named, number } from "../../i18n";
import { lang } from "../../prefs";
import { can } from "../../store";
import { problem } from "../../words";
import { Empty, Failed, Loading } from "../../ui/bits";
import { rescueFocus } from "../../ui/focus";
import { Icon } from "../../ui/icons";
import { AreaSelect, areaName, DemoTag, shortDay, Tabs, type Tab } from "../bits";
import { Progress } from "../charts/Bars";
import { plan as hub } from "../hub";
import { useLoad } from "../load";
import { t } from "../t";
import type { Issue, Measure, Plan } from "../types";
import { IssuesView } from "./Issues";
import { MeasureSide } from "./MeasureSide";
import { MeasureRow } from "./MeasureRow";
import { NewMeasure } from "./NewMeasure";
import { NotesView } from "../notes/Notes";
import "../styles/situation.css";
import "../styles/plan.css";

type View = "board" | "table" | "issues" | "notes";

export function PlanPage(): JSX.Element {
  const reads = can("plan.read");
  const [view, setView] = useState<View>(reads ? "board" : "notes");
  const [chosen, setChosen] = useState<number | null>(null);
  const [adding, setAdding] = useState<{ issue: Issue | null } | null>(null);
  const plan = useLoad(() => (reads ? hub.read() : Promise.reject(new Error("no right"))), []);
  const issues = useLoad(() => (reads ? hub.issues() : Promise.resolve([])), []);
  const open = issues.data?.filter((i) => i.state === "open").length;
  const tabs: Tab<View>[] = [
    ...(reads ? [{ id: "board" as const, name: t("plan.board") }, { id: "table" as const, name: t("plan.table") }, { id: "issues" as const, name: t("plan.issues"), count: open }] : []),
    ...(can("notes.read") ? [{ id: "notes" as const, name: t("notes.title") }] : []),
  ];
  const measure = plan.data?.blocks.flatMap((b) => b.measures).find((m) => m.id === chosen);
  const inPlan = view === "board" || view === "table";
  return (
    <main class="page-frame plan-page">
      <header class="frame-head">
        <h1>{reads && plan.data ? named(plan.data.title, t("plan.title")) : t("plan.title")}</h1>
        {plan.data?.demo && <DemoTag />}
        <Tabs tabs={tabs} at={view} choose={(v) => { setView(v); setChosen(null); }} label={t("plan.views")} />
        <span class="grow" />
        {!can("plan.write") && inPlan && <span class="chip"><Icon name="lock" size={15} />{t("plan.read_only")}</span>}
        {can("plan.write") && inPlan && <button type="button" class="primary" onClick={() => setAdding({ issue: null })}><Icon name="plus" size={17} />{t("plan.add")}</button>}
        {inPlan && <a class="button" download href={hub.exportUrl(lang.value)}><Icon name="download" size={17} />XLSX</a>}
      </header>
      {view === "notes" ? <NotesView /> : view === "issues" ? <IssuesView list={issues} plan={plan.data} take={(issue) => setAdding({ issue })} changed={plan.reload} open={(id) => { setView("board"); setChosen(id); }} /> : (
        <div class={measure ? "frame-split open" : "frame-split"}>
          <div class="frame-body">
            {plan.error !== null && <Failed text={problem(plan.error)} retry={plan.reload} />}
            {!plan.data ? plan.error === null && <Loading /> : <PlanBody plan={plan.data} table={view === "table"} chosen={chosen} open={setChosen} />}
          </div>
          {measure && <MeasureSide key={measure.id} id={measure.id} areaName={areaName} changed={() => plan.reload()} close={() => { setChosen(null); rescueFocus(`[data-measure="${measure.id}"]`); }} />}
        </div>
      )}
      {adding && plan.data && <NewMeasure plan={plan.data} issue={adding.issue} close={() => setAdding(null)} done={(id) => { setAdding(null); plan.reload(); issues.reload(); if (id !== null) { setView("board"); setChosen(id); } }} />}
    </main>
  );
}

function PlanBody({ plan, table, chosen, open }: { plan: Plan; table: boolean; chosen: number | null; open: (id: number) => void }): JSX.Element {
  const [owner, setOwner] = useState("");
  const [area, setArea] = useState("");
  const [late, setLate] = useState(false);
  const fits = (m: Measure) => (owner === "" || m.owner === owner) && (area === "" || m.area === area || m.area === null) && (!late || m.late);
  const f = plan.figures;
  return (
    <>
      <ul class="kpis">
        <li class="kpi"><strong>{number(f.measures, 0)}</strong><span>{t("plan.measures")}</span></li>
        <li class="kpi"><strong>{number(f.done, 0)}</strong><span>{t("plan.done")}</span></li>
        <li class={f.late > 0 ? "kpi warn" : "kpi"}><button type="button" class="kpi-button" aria-pressed={late} onClick={() => setLate(!late)}><strong>{number(f.late, 0)}</strong><span>{t("plan.late")}</span></button></li>
        <li class="kpi grow"><Progress percent={f.progress_percent} /><span>{t("plan.overall")}</span></li>
      </ul>
      <div class="search-row">
        <label><span class="sr-only">{t("plan.owner")}</span><select value={owner} onChange={(e) => setOwner(e.currentTarget.value)}><option value="">{t("plan.all_owners")}</option>{plan.owners.map((o) => <option key={o} value={o}>{o}</option>)}</select></label>
        <label><span class="sr-only">{t("shared.area")}</span><AreaSelect value={area} change={setArea} all={t("shared.all_areas")} /></label>
      </div>
      {plan.blocks.every((b) => !b.measures.some(fits)) ? <Empty icon="board" title={t(f.measures === 0 ? "plan.none" : "plan.no_match")} /> : table ? <Table plan={plan} fits={fits} chosen={chosen} open={open} /> : (
        <div class="board">
          {plan.blocks.map((b) => {
            const mine = b.measures.filter(fits);
            const done = mine.filter((m) => m.state === "done").length;
            return (
              <section key={b.id} class="board-column" aria-labelledby={`block-${b.id}`}>
                <header><h2 id={`block-${b.id}`}>{named(b.name, b.id)}</h2><small>{t("plan.block_done", { done, all: mine.length })}</small></header>
                <ul class="measure-list">{mine.map((m) => <MeasureRow key={m.id} measure={m} open={() => open(m.id)} chosen={chosen === m.id} />)}</ul>
              </section>
            );
          })}
        </div>
      )}
    </>
  );
}

function Table({ plan, fits, chosen, open }: { plan: Plan; fits: (m: Measure) => boolean; chosen: number | null; open: (id: number) => void }): JSX.Element {
  return (
    <section class="sheet table-sheet">
      <div class="scroll" tabIndex={0} role="region" aria-label={t("plan.table")}>
        <table class="rows plan-table">
          <thead><tr><th scope="col">{t("plan.measure")}</th><th scope="col">{t("plan.owner")}</th><th scope="col">{t("shared.area")}</th><th scope="col">{t("plan.deadline")}</th><th scope="col">{t("plan.state")}</th><th scope="col">{t("plan.progress")}</th></tr></thead>
          {plan.blocks.map((b) => {
            const mine = b.measures.filter(fits);
            if (mine.length === 0) return null;
            return (
              <tbody key={b.id}>
                <tr class="group-row"><th scope="rowgroup" colSpan={6}>{named(b.name, b.id)}</th></tr>
                {mine.map((m) => (
                  <tr key={m.id} class={`${m.late ? "blind" : ""}${chosen === m.id ? " chosen" : ""}`}>
                    <th scope="row"><button type="button" class="link-button" data-measure={m.id} onClick={() => open(m.id)}><b class="measure-no">{m.number}</b> {named(m.title, m.number)}</button></th>
                    <td data-label={t("plan.owner")}>{m.owner}</td><td data-label={t("shared.area")}>{areaName(m.area)}</td>
                    <td data-label={t("plan.deadline")} class="nowrap"><span class={m.late ? "bad-text" : ""}>{m.late && <Icon name="warning" size={14} />}{shortDay(m.deadline)}</span></td>
                    <td data-label={t("plan.state")}><span class={`tag ms-${m.state}`}>{t(`plan.state.${m.state}`)}</span></td>
                    <td data-label={t("plan.progress")}><Progress percent={m.progress} late={m.late} /></td>
                  </tr>
                ))}
              </tbody>
            );
          })}
        </table>
      </div>
    </section>
  );
}
