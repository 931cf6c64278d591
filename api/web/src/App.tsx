// Which page stands: log-in, desk, areas or audit; and what may lie over it (lock, ended session).

import type { JSX } from "preact";
import { Failed, Loading } from "./ui/bits";
import { Toasts } from "./ui/toast";
import { locked, page, session, sessionEnded } from "./store";
import { sessionKnown, start, startError } from "./wiring";
import { problem } from "./words";
import { Banners } from "./desk/Banners";
import { Desk } from "./desk/Desk";
import { Flash } from "./desk/Flash";
import { TopBar } from "./desk/TopBar";
import { AreasPage } from "./pages/Areas";
import { AuditPage } from "./pages/Audit";
import { Login, Relogin } from "./pages/Login";

export function App(): JSX.Element {
  if (!sessionKnown.value) return <main class="plain"><Loading /></main>;
  if (startError.value) {
    return <main class="plain"><Failed text={problem(startError.value)} retry={() => void start()} /></main>;
  }
  if (!session.value) return <Login />;
  return (
    <div class="app">
      <TopBar />
      <Banners />
      {page.value === "desk" && <Desk />}
      {page.value === "areas" && <AreasPage />}
      {page.value === "audit" && <AuditPage />}
      <Flash />
      <Toasts />
      {(sessionEnded.value || locked.value) && <Relogin />}
    </div>
  );
}
