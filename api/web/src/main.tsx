// Entry: applies language and theme to the document and shows the desk or the public page.

import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./App";
import { lang, theme } from "./prefs";
import { PublicPage } from "./pages/Public";
import { start, wire } from "./wiring";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/desk.css";
import "./styles/panels.css";
import "./styles/alarms.css";
import "./styles/pages.css";
import "./styles/places.css";
import "./styles/cameras.css";
import "./styles/patrol.css";
import "./styles/seeing.css";

effect(() => {
  document.documentElement.lang = lang.value;
});
effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});

const root = document.getElementById("app")!;
if (location.pathname.replace(/\/+$/, "") === "/public") {
  render(<PublicPage />, root);
} else {
  wire();
  void start();
  render(<App />, root);
}
