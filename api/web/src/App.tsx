// Which page stands, with the rail that leads to the others; and what may lie over it (dialogs, lock, ended session).

import type { JSX } from "preact";
import { Failed, Loading } from "./ui/bits";
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
import { AreasPage } from "./pages/Areas";
import { AuditPage } from "./pages/Audit";
import { CamerasPage } from "./pages/Cameras";
import { ConnectorsPage } from "./pages/Connectors";
import { DevicesPage } from "./pages/Devices";
import { DrillsPage } from "./pages/Drills";
import { RegisterPage } from "./pages/Register";
import { SiteFilePage } from "./pages/SiteFile";
import { Login, Relogin } from "./pages/Login";
import { PhonesPage } from "./pages/Phones";
import { PatrolPage } from "./patrol/PatrolPage";
import { WallPage } from "./seeing/Wall";

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
    case "cameras": return <CamerasPage />;
    case "register": return <RegisterPage />;
    case "devices": return <DevicesPage />;
    case "drills": return <DrillsPage />;
    case "sitefile": return <SiteFilePage />;
    case "connectors": return <ConnectorsPage />;
    case "phones": return <PhonesPage />;
    case "areas": return <AreasPage />;
    case "audit": return <AuditPage />;
  }
}
