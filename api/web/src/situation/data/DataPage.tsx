// How values come in: files, surveys, signals of operators, feeds of registered mass media, registers of appeals and duties.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { can } from "../../store";
import { Tabs, type Tab } from "../bits";
import { t } from "../t";
import { FeedsView } from "./Feeds";
import { HistoryView } from "./History";
import { ImportView } from "./Import";
import { RegistersView } from "./Registers";
import { SignalsView } from "./Signals";
import { SurveysView } from "./Surveys";
import "../styles/situation.css";
import "../styles/data.css";

type View = "import" | "history" | "surveys" | "signals" | "feeds" | "registers";

export function DataPage(): JSX.Element {
  const reads = can("intake.read");
  const tabs: Tab<View>[] = [
    ...(reads ? [{ id: "import" as const, name: t("data.import") }, { id: "history" as const, name: t("data.history") }, { id: "surveys" as const, name: t("data.surveys") }] : []),
    ...(can("signals.read") ? [{ id: "signals" as const, name: t("data.signals") }] : []),
    ...(reads ? [{ id: "feeds" as const, name: t("data.feeds") }, { id: "registers" as const, name: t("data.registers") }] : []),
  ];
  const [view, setView] = useState<View>(tabs[0]?.id ?? "signals");
  return (
    <main class="page-frame data-page">
      <header class="frame-head"><h1>{t("data.title")}</h1><Tabs tabs={tabs} at={view} choose={setView} label={t("data.views")} /></header>
      {view === "import" && <ImportView />}
      {view === "history" && <HistoryView />}
      {view === "surveys" && <SurveysView />}
      {view === "signals" && <SignalsView />}
      {view === "feeds" && <FeedsView />}
      {view === "registers" && <RegistersView />}
    </main>
  );
}
