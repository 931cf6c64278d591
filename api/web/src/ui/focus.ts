// When the element with the focus leaves the page (a button that did its work, a card that was closed, a dialog whose opener is
// gone), the browser drops the focus on the body and the keyboard is lost. This puts it where the person is working.

/** On a busy machine, or behind another window, a paint may be long in coming. */
const PATIENCE_MS = 500;

/** Looks after the next paint, when the page stands as it will be. */
export function rescueFocus(prefer?: string): void {
  let done = false;
  const look = () => {
    if (done) return;
    done = true;
    if (document.activeElement !== null && document.activeElement !== document.body) return;
    if (document.querySelector("dialog[open]")) return;
    const places = [prefer, '.card[aria-current="true"]', "#alert-title", "#camera-title", "[data-alert]", ".queue-col h2", "h1"];
    for (const place of places) {
      const found = place ? document.querySelector<HTMLElement>(place) : null;
      if (!found || found.getClientRects().length === 0) continue;
      if (!found.hasAttribute("tabindex") && !(found instanceof HTMLButtonElement)) found.tabIndex = -1;
      found.focus();
      if (document.activeElement === found) return;
    }
  };
  requestAnimationFrame(() => requestAnimationFrame(look));
  setTimeout(look, PATIENCE_MS);
}
