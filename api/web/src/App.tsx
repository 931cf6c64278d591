// Which page stands, with the rail that leads to the others; and what may lie over it (dialogs, lock, ended session).

import type { JSX } from "preact";
import { Failed, Loading } from "./ui/bits";
import { Lazy } from "./ui/Lazy";
import { Toasts } from "./ui/toast";
import { locked, page, session, sessionEnded } from "./store";
import { sessionKnown, start, startError } from "./wiring";
import { problem } from "./words";
import { Banners } from "./desk/Banners";
import { Desk } from "./desk/Desk";
import { DeskDialogs } from "./desk/DeskDialogs";
import { Flash } from "./desk/Flash";
import { Pages } from "./desk/Pages";
import { TopBar } from "./desk/TopBar";
import { Login, Relogin } from "./pages/Login";
import { PatrolPage } from "./patrol/PatrolPage";
import { WallPage } from "./seeing/Wall";

const NONE = {};
/** What the desk does not need to begin with is fetched when it is opened. */
const load = {
  areas: () => import("./pages/Areas").then((m) => m.AreasPage),
  audit: () => import("./pages/Audit").then((m) => m.AuditPage),
  cameras: () => import("./pages/Cameras").then((m) => m.CamerasPage),
  connectors: () => import("./pages/Connectors").then((m) => m.ConnectorsPage),
  devices: () => import("./pages/Devices").then((m) => m.DevicesPage),
  drills: () => import("./pages/Drills").then((m) => m.DrillsPage),
  phones: () => import("./pages/Phones").then((m) => m.PhonesPage),
  register: () => import("./pages/Register").then((m) => m.RegisterPage),
  sitefile: () => import("./pages/SiteFile").then((m) => m.SiteFilePage),
  tension: () => import("./situation/TensionPage").then((m) => m.TensionPage),
  requests: () => import("./situation/requests/RequestsPage").then((m) => m.RequestsPage),
  plan: () => import("./situation/plan/PlanPage").then((m) => m.PlanPage),
  journal: () => import("./situation/journal/JournalPage").then((m) => m.JournalPage),
  data: () => import("./situation/data/DataPage").then((m) => m.DataPage),
  load: () => import("./planning/load/LoadPage").then((m) => m.LoadPage),
  planning: () => import("./planning/PlanningPage").then((m) => m.PlanningPage),
};

export function App(): JSX.Element {
  if (!sessionKnown.value) return <main class="plain"><Loading /></main>;
  if (startError.value) {
    return <main class="plain"><Failed text={problem(startError.value)} retry={() => void start()} /></main>;
  }
  if (!session.value) return <Login />;
  if (session.value.role === "patrol") return <PatrolPage />;
  return (
    <div class="app">
      <TopBar />
      <Banners />
      <div class="stage">
        <Pages />
        <Current />
      </div>
      <Flash />
      <Toasts />
      <DeskDialogs />
      {(sessionEnded.value || locked.value) && <Relogin />}
    </div>
  );
}

function Current(): JSX.Element {
  switch (page.value) {
    case "desk": return <Desk />;
    case "wall": return <WallPage />;
    default: return <Lazy key={page.value} load={load[page.value]} props={NONE} />;
  }
}
