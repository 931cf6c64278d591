// Keeps the shell of the phone page on the phone, so that it opens without a line. Answers of the API are never kept, and nothing here
// shows a notification.

const CACHE = "phone-shell-1";
const PAGE = "/phone";
const FIXED = ["/phone.webmanifest", "/phone-icon.svg", "/phone-icon.png"];

self.addEventListener("install", (event) => event.waitUntil(refresh().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin || url.pathname.startsWith("/api/")) return;
  if (event.request.mode === "navigate") {
    if (url.pathname !== PAGE) return;
    // What is here at once; the newer page is fetched behind it for the next time.
    event.respondWith(caches.match(PAGE).then((kept) => kept ?? fetch(event.request)));
    event.waitUntil(refresh().catch(() => {}));
    return;
  }
  event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request)));
});

/** Fetches the page and what it names; only when all of it is here does the new one take the place of the old one. */
async function refresh() {
  const page = await fetch(PAGE, { cache: "no-cache" });
  if (!page.ok) throw new Error(`page: ${page.status}`);
  const named = [...(await page.clone().text()).matchAll(/"(\/assets\/[^"]+)"/g)].map((m) => m[1]);
  const cache = await caches.open(CACHE);
  for (const path of [...named, ...FIXED]) {
    if (path.startsWith("/assets/") && (await cache.match(path))) continue;
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    await cache.put(path, answer);
  }
  await cache.put(PAGE, page);
  for (const request of await cache.keys()) {
    const path = new URL(request.url).pathname;
    if (path.startsWith("/assets/") && !named.includes(path)) await cache.delete(request);
  }
}
