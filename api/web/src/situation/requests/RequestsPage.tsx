// The desk of residents' requests: list with search and filters, one request beside it, figures, heat, duplicates and problem signals.
// Whoever may not read requests (a deputy, an analyst) sees the figures only.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { can } from "../../store";
import { problem } from "../../words";
import { Failed, Loading } from "../../ui/bits";
import { Icon } from "../../ui/icons";
import { Tabs, type Tab } from "../bits";
import { requests } from "../hub";
import { useLoad } from "../load";
import { t } from "../t";
import { DuplicatesView } from "./Duplicates";
import { FiguresView } from "./Figures";
import { ListView } from "./List";
import { NewRequestDialog } from "./NewRequest";
import { SignalsView } from "./Signals";
import "../styles/situation.css";
import "../styles/requests.css";

type View = "list" | "figures" | "duplicates" | "signals";

export function RequestsPage(): JSX.Element {
  const reads = can("requests.read");
  const [view, setView] = useState<View>(reads ? "list" : "figures");
  const [adding, setAdding] = useState(false);
  const [added, setAdded] = useState(0);
  const settings = useLoad(() => requests.settings(), []);
  const signals = useLoad(() => requests.signals(), []);
  const open = signals.data?.filter((s) => s.state === "open").length;
  const tabs: Tab<View>[] = [
    ...(reads ? [{ id: "list" as const, name: t("requests.list") }] : []),
    { id: "figures", name: t("requests.figures") },
    ...(reads ? [{ id: "duplicates" as const, name: t("requests.duplicates") }] : []),
    { id: "signals", name: t("requests.signals"), count: open, warn: true },
  ];
  return (
    <main class="page-frame requests-page">
      <header class="frame-head">
        <h1>{t("requests.title")}</h1>
        <Tabs tabs={tabs} at={view} choose={setView} label={t("requests.views")} />
        <span class="grow" />
        {can("requests.work") && <button type="button" class="primary" onClick={() => setAdding(true)}><Icon name="plus" size={17} />{t("requests.add")}</button>}
        <a class="button" href="/109" target="_blank" rel="noopener"><Icon name="phone" size={17} />{t("requests.public_page")}</a>
      </header>
      {settings.error !== null && <Failed text={problem(settings.error)} retry={settings.reload} />}
      {!settings.data ? settings.error === null && <Loading /> : (
        <>
          {view === "list" && <ListView key={added} settings={settings.data} />}
          {view === "figures" && <FiguresView settings={settings.data} />}
          {view === "duplicates" && <DuplicatesView settings={settings.data} />}
          {view === "signals" && <SignalsView settings={settings.data} list={signals} />}
          {adding && <NewRequestDialog settings={settings.data} close={() => setAdding(false)} done={() => setAdded(added + 1)} />}
        </>
      )}
    </main>
  );
}
