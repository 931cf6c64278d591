// The patrol's phone against a running hub: an order arrives, is answered with and without a line, and the hub has every receipt.

import assert from "node:assert/strict";
import { until } from "./harness.mjs";

/** Somebody at a desk who acts over the API: the desk's own page has its own checks. */
async function desk(context, url, { user, password }) {
  const session = await (await context.request.post(`${url}/api/v1/session`, { data: { user, password } })).json();
  const headers = { "x-csrf-token": session.csrf };
  return {
    get: async (path) => (await context.request.get(`${url}${path}`)).json(),
    post: async (path, data) => {
      const response = await context.request.post(`${url}${path}`, { data, headers });
      assert.ok(response.ok(), `${path}: ${response.status()} ${await response.text()}`);
      return response.status() === 204 ? null : response.json();
    },
  };
}

export async function patrolPhone(harness, { duty, patrol }) {
  await harness.check("patrol's phone: order, answers without a line are sent in order when it is back, every receipt is at the hub", async () => {
    const { url } = harness;
    const officer = await desk(await harness.context(), url, duty);
    const context = await harness.context({ width: 360, height: 740, lang: "kk", touch: true });
    await context.grantPermissions(["geolocation"]);
    await context.setGeolocation({ latitude: 42.9101, longitude: 71.37, accuracy: 12 });
    const page = await context.newPage();
    await page.goto(`${url}/`);
    await page.fill("[name=user]", patrol.user);
    await page.fill("[name=password]", patrol.password);
    await page.click("form button[type=submit]");
    await page.waitForSelector(".patrol .empty");
    await harness.axe(page, "patrol, no order");
    await page.click(".shift-switch");
    await page.waitForSelector('.shift-switch[aria-checked="true"]');
    const unit = await until("the unit on the hub's map", async () => (await officer.get("/api/v1/units/live")).units.find((u) => u.fresh));
    assert.deepEqual(unit.position, [42.9101, 71.37]);

    const incident = await officer.post("/api/v1/incidents", { site: "school-17", text: "browser test of the patrol's phone" });
    const act = (action, more = {}) => officer.post(`/api/v1/alerts/${incident.id}/actions`, { action, ...more });
    if (incident.state === "raised") await act("claim");
    await act("dispatch", { unit: unit.id, reason: "Side door, ask for the guard" });
    await page.waitForSelector(".order");
    assert.match(await page.locator(".order-note").innerText(), /Side door/);
    const alert = async () => (await officer.get(`/api/v1/alerts/${incident.id}`)).alert;
    await until("delivered and seen", async () => { const p = (await alert()).progress; return p.sent_at && p.delivered_at && p.seen_at; });
    await harness.axe(page, "patrol, order");
    await harness.shot(page, "patrol-order-kk");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing is wider than 360 pixels");
    const small = await page.$$eval(".patrol button, .patrol a", (all) => all.filter((e) => e.getClientRects().length > 0 && e.getBoundingClientRect().height < 44).map((e) => e.outerHTML.slice(0, 80)));
    assert.deepEqual(small, [], "targets of 44 pixels");

    const next = () => page.click(".answer-buttons .primary:not(:disabled)");
    await next();
    await until("accepted", async () => (await alert()).state === "accepted");
    harness.lineCut = true;
    await context.setOffline(true);
    await next();
    await page.waitForSelector(".patrol-steps li:nth-child(2).waits");
    await next();
    await page.waitForSelector(".patrol-steps li:nth-child(3).waits");
    await harness.shot(page, "patrol-offline-kk");
    assert.equal((await alert()).state, "accepted", "the hub cannot know yet");
    await context.setOffline(false);
    await until("on the scene", async () => (await alert()).state === "on_scene");
    harness.lineCut = false;
    await page.waitForSelector(".patrol-steps li:nth-child(3).taken");
    await next();
    await page.waitForSelector(".patrol .empty");
    const { transitions } = await officer.get(`/api/v1/alerts/${incident.id}`);
    const by = transitions.filter((line) => line.who === patrol.user).map((line) => line.action);
    assert.deepEqual(by, ["delivered", "seen", "accept", "en_route", "on_scene", "done"]);
    await act("close", { close_reason: "drill", reason: "browser test of the patrol's phone" });
    await context.close();
  });
}
