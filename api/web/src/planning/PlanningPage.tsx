// Planning for people's safety: assemblies by their procedure, places and routes with the number of people they hold, and events to come.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { can } from "../store";
import { Tabs, type Tab } from "../ui/page";
import { Icon } from "../ui/icons";
import { useLoad } from "../situation/load";
import { EventsView } from "./events/Events";
import { planning as hub } from "./hub";
import { PlacesView } from "./places/Places";
import { RegisterView } from "./register/Register";
import { t } from "./t";
import "../situation/styles/situation.css";
import "./styles/planning.css";

type View = "register" | "places" | "events";

export function PlanningPage(): JSX.Element {
  const [view, setView] = useState<View>("register");
  const [adding, setAdding] = useState(false);
  const assemblies = useLoad(hub.assemblies, []);
  const places = useLoad(hub.places, []);
  const events = useLoad(hub.events, []);
  const waiting = assemblies.data?.filter((a) => a.standing === "pending").length;
  const overlapping = events.data?.filter((e) => e.overlaps.length > 0).length;
  const tabs: Tab<View>[] = [
    { id: "register", name: t("assemblies.tab"), count: waiting || undefined, warn: true },
    { id: "places", name: t("places.tab") },
    { id: "events", name: t("events.tab"), count: overlapping || undefined, warn: true },
  ];
  const write = can("planning.write");
  const go = (next: View) => {
    setView(next);
    setAdding(false);
  };
  return (
    <main class="page-frame planning-page">
      <header class="frame-head">
        <h1>{t("planning.title")}</h1>
        <Tabs tabs={tabs} at={view} choose={go} label={t("planning.views")} />
        <span class="grow" />
        {write ? <button type="button" class="primary" data-add disabled={adding} onClick={() => setAdding(true)}><Icon name="plus" size={17} />{t(`planning.add.${view}`)}</button>
          : <span class="chip"><Icon name="lock" size={15} />{t("planning.read_only")}</span>}
      </header>
      {view === "register" && <RegisterView list={assemblies} places={places.data ?? []} adding={adding} added={() => setAdding(false)} />}
      {view === "places" && <PlacesView list={places} adding={adding} added={() => setAdding(false)} />}
      {view === "events" && <EventsView list={events} assemblies={assemblies.data ?? []} adding={adding} added={() => setAdding(false)} />}
    </main>
  );
}
