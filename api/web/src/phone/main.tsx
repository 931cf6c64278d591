// Entry of the phone page: tiny, so that it opens on a poor line; kept on the phone by a service worker.

import { render } from "preact";
import { Root } from "./Root";
import "./phone.css";

render(<Root />, document.getElementById("app")!);

if ("serviceWorker" in navigator) {
  // Without one (an untrusted certificate, a private window) the page works as long as the line does.
  navigator.serviceWorker.register("/phone-sw.js", { scope: "/phone" }).catch(() => {});
}
