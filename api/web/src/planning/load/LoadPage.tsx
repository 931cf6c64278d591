// How much the desks have to hear, how often the rules were right, what another setting would have told, and who changed what.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { can } from "../../store";
import { Tabs, type Tab } from "../../ui/page";
import { t } from "../t";
import { ChangesView } from "./Changes";
import { LoadView } from "./LoadView";
import { QualityView } from "./Quality";
import { TrialView } from "./TrialView";
// Frames, figures and bars are those of the situation's pages.
import "../../situation/styles/situation.css";
import "../styles/load.css";

type View = "load" | "quality" | "trial" | "changes";

export function LoadPage(): JSX.Element {
  const tabs: Tab<View>[] = [
    ...(can("shift") ? [{ id: "load" as const, name: t("load.tab") }, { id: "quality" as const, name: t("quality.tab") }] : []),
    ...(can("planning.write") ? [{ id: "trial" as const, name: t("trial.tab") }] : []),
    ...(can("planning.read") ? [{ id: "changes" as const, name: t("changes.tab") }] : []),
  ];
  const [view, setView] = useState<View>(tabs[0]?.id ?? "load");
  return (
    <main class="page-frame load-page">
      <header class="frame-head">
        <h1>{t("load.title")}</h1>
        <Tabs tabs={tabs} at={view} choose={setView} label={t("load.views")} />
      </header>
      {view === "load" && <LoadView />}
      {view === "quality" && <QualityView />}
      {view === "trial" && <TrialView />}
      {view === "changes" && <ChangesView />}
    </main>
  );
}
