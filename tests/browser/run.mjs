// Drives the desk in a real Chromium against a running hub.
//
//   QORGAN_URL    address of the hub, https with a self-signed certificate is fine
//   QORGAN_USERS  JSON {"duty_officer":{"user","password"},"shift_lead":{..} or "police_desk":{..},"administrator":{..},"auditor":{..}}
//   QORGAN_PID    process id of the hub, for the check with a frozen hub (left out without)
//   QORGAN_USERS  JSON {"duty_officer":{"user","password"},"shift_lead":{..} or "police_desk":{..},"patrol":{..},"administrator":{..},"auditor":{..}}
//   QORGAN_PRESS  shell command that presses one alarm button (run in the repository root)
//   QORGAN_ONLY   pattern of the names of the checks to run (default all)
//   CHROMIUM      browser, default /usr/bin/chromium;  QORGAN_SHOTS  folder of the screenshots, default target/screenshots
//
// It presses buttons, opens stills and imports outlines: for a test hub only. Last line `N passed, N failed`; exit code 1 if any failed.

import assert from "node:assert/strict";
import { Harness, until } from "./lib/harness.mjs";
import { beginShift, card, claim, close, countsMove, dispatch, dispatchByKeys, fitsWidth, focusIsSomewhere, LANGS, logIn, mapIsDrawn, openIds, openPage, pressAndSee, proveSound, TEXT } from "./lib/desk.mjs";
import { phonePage, phonesPanel } from "./lib/phone.mjs";
import { patrolPhone } from "./lib/patrol.mjs";
import { seeing } from "./lib/seeing.mjs";
import { situation } from "./lib/situation.mjs";
import { planning } from "./lib/planning.mjs";

const env = (name) => process.env[name] ?? fail(`${name} is not set; see the head of tests/browser/run.mjs`);
const fail = (text) => {
  console.error(text);
  process.exit(2);
};
const harness = new Harness({ url: env("QORGAN_URL"), press: env("QORGAN_PRESS") });
const users = JSON.parse(env("QORGAN_USERS"));
const duty = users.duty_officer ?? fail("QORGAN_USERS has no duty_officer");
const second = users.shift_lead ?? users.police_desk ?? fail("QORGAN_USERS has neither shift_lead nor police_desk");
const { url } = harness;
const axe = (page, what) => harness.axe(page, what);
const SIZES = [{ name: "desk", width: 1920, height: 1080, keyboard: true }, { name: "phone", width: 360, height: 800, keyboard: false }];
let state;

await harness.start();
try {
  await logInPage();
  await keepLogIn();
  for (const size of SIZES) for (const lang of LANGS) await wholeAlarm(size, lang);
  await twoDesks();
  await endedSession();
  await lockedDesk();
  await lostLine();
  await stillWithPurpose();
  await seeing(harness, { state, url, axe });
  await threeKeys();
  await louder();
  await floodOfAlarms();
  await incidentByHand();
  await drill();
  await publicPage();
  if (users.patrol) await patrolPhone(harness, { duty, patrol: users.patrol });
  else console.log("left out: no log-in of a patrol given");
  if (users.administrator) {
    await administrator();
    await registerImport();
  }
  if (!users.administrator) console.log("left out: no log-in of an administrator given");
  if (users.auditor) await auditor();
  else console.log("left out: no log-in of an auditor given");
  const keeper = users.school_contact ?? users.shift_lead;
  if (keeper) await phonePage(harness, keeper, { hubPid: Number(process.env.QORGAN_PID) || 0, langs: LANGS });
  else console.log("left out: no log-in of somebody who keeps phones given");
  if (users.administrator) await phonesPanel(harness, users.administrator, TEXT.en, { logIn });
  await situation(harness, users);
  await planning(harness, users);
  await harness.check("no request left the origin, no console error, no policy violation", () => assert.deepEqual(harness.strays, []));
} finally {
  await harness.stop();
}
console.log(`${harness.passed} passed, ${harness.failed} failed`);
process.exitCode = harness.failed === 0 ? 0 : 1;

async function logInPage() {
  await harness.check("log-in: three languages, axe, a wrong password is refused in words, the right one opens the desk", async () => {
    const context = await harness.context();
    const page = await context.newPage();
    await page.goto(`${url}/`);
    for (const [i, lang] of ["kk", "ru", "en"].entries()) {
      await page.locator(".lang button").nth(i).click();
      assert.equal(await page.getAttribute("html", "lang"), lang);
      assert.equal((await page.locator("form button[type=submit]").innerText()).trim(), TEXT[lang]["login.submit"]);
      await axe(page, `log-in ${lang}`);
      await harness.shot(page, `login-${lang}`);
    }
    await page.fill("[name=user]", duty.user);
    await page.fill("[name=password]", "certainly not this one");
    await page.click("form button[type=submit]");
    assert.equal((await page.locator(".form-error").innerText()).trim(), TEXT.en["login.wrong"]);
    await logIn(page, url, duty);
    await context.close();
  });
}

/** One log-in serves many checks: the hub limits how often one may try. */
async function keepLogIn() {
  const context = await harness.context();
  await logIn(await context.newPage(), url, duty);
  state = await context.storageState();
  await context.close();
}

async function wholeAlarm(size, lang) {
  const words = TEXT[lang];
  await harness.check(`${size.name} ${lang}: sound test, map, queue, live counts, alarm, claim, dispatch, close`, async () => {
    const context = await harness.context({ ...size, lang, state, touch: size.name === "phone" });
    const page = await context.newPage();
    await beginShift(page, url, { axe });
    const tab = async (n) => size.name === "phone" && page.locator(".tabs button").nth(n).click();
    await tab(1);
    await mapIsDrawn(page);
    if (size.name === "phone") await harness.shot(page, `map-${lang}-phone`);
    await tab(2);
    await countsMove(page);
    await fitsWidth(page);
    if (size.name === "phone") await harness.shot(page, `cameras-${lang}-phone`);
    await tab(0);
    await axe(page, `desk ${lang}`);

    const id = await pressAndSee(harness, page);
    assert.ok((await page.title()).includes(words["alarm.banner"]), "the title says that there is an alarm");
    assert.equal((await page.locator(".banner.alarm .banner-word").innerText()).trim(), words["alarm.banner"]);
    assert.ok((await card(page, id).innerText()).includes(words["state.raised"]), "the card says that nobody has it");
    assert.equal((await openIds(page))[0] !== undefined, true);
    await fitsWidth(page);
    await axe(page, `ringing desk ${lang}`);
    await harness.shot(page, size.name === "desk" ? `desk-${lang}` : `desk-${lang}-phone`);

    await claim(page, id, size);
    await page.waitForSelector(".panel:not(.unclaimed)");
    await fitsWidth(page);
    await axe(page, `detail ${lang}`);
    await dispatch(page, size);
    await harness.shot(page, size.name === "desk" ? `detail-${lang}` : `detail-${lang}-phone`);
    await close(page, id, { ...size, words: "browser test" });
    if (size.keyboard) await focusIsSomewhere(page);
    await context.close();
  });
}

async function twoDesks() {
  await harness.check("two desks: both ring; the first to claim has it, the other is told who", async () => {
    const [a, b] = [await harness.context({ state }), await harness.context()];
    const [first, other] = [await a.newPage(), await b.newPage()];
    await beginShift(first, url);
    await logIn(other, url, second);
    await proveSound(other);
    const id = await pressAndSee(harness, first);
    await card(other, id).waitFor();
    await other.waitForSelector(".chip.sound.ringing");
    await card(other, id).click();
    await other.waitForSelector('[data-action="claim"]');
    await claim(first, id, { keyboard: true });
    await other.waitForSelector(".banner.alarm", { state: "detached" });
    await other.waitForSelector(".chip.sound.ringing", { state: "detached" });
    const answer = await other.evaluate(async (alert) => {
      const { csrf } = await (await fetch("/api/v1/session")).json();
      const r = await fetch(`/api/v1/alerts/${alert}/actions`, { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": csrf }, body: '{"action":"claim"}' });
      return { status: r.status, error: (await r.json()).error };
    }, id);
    assert.equal(answer.status, 409);
    assert.equal(answer.error.code, "already_claimed");
    assert.equal(answer.error.claimed_by, duty.user);
    await other.keyboard.press("c");
    await other.locator(".toast.bad").waitFor();
    assert.ok((await other.locator(".toast.bad").innerText()).includes(TEXT.en["error.already_claimed"].replace("{who}", duty.user)));
    await close(first, id, { keyboard: true, words: "two desks" });
    await until("the other desk sees it closed", async () => !(await openIds(other)).includes(id));
    await Promise.all([a.close(), b.close()]);
  });
}

async function endedSession() {
  await harness.check("an ended session keeps the alarm ringing and shown over the log-in dialog", async () => {
    const context = await harness.context();
    const page = await context.newPage();
    await logIn(page, url, duty);
    await proveSound(page);
    const id = await pressAndSee(harness, page);
    await page.evaluate(async () => {
      const { csrf } = await (await fetch("/api/v1/session")).json();
      await fetch("/api/v1/session", { method: "DELETE", headers: { "x-csrf-token": csrf } });
    });
    await page.waitForSelector("dialog .ringing-list");
    assert.ok((await page.locator("dialog h2").innerText()).includes(TEXT.en["relogin.ended_title"]));
    assert.equal(await page.locator(".chip.sound.ringing").count(), 1, "the tone goes on");
    await axe(page, "ended session");
    await harness.shot(page, "session-ended-en");
    await page.fill("dialog [name=password]", duty.password);
    await page.click("dialog form button[type=submit]");
    await page.waitForSelector("dialog", { state: "detached" });
    await page.waitForSelector(".chip.link-live");
    await claim(page, id, { keyboard: false });
    await close(page, id, { keyboard: false, words: "session ended and begun again" });
    state = await context.storageState();
    await context.close();
  });
}

async function lockedDesk() {
  await harness.check("a locked desk shows and sounds a new alarm", async () => {
    const context = await harness.context({ state });
    const page = await context.newPage();
    await beginShift(page, url);
    await page.click(".person-button");
    await page.getByText(TEXT.en["session.lock"]).click();
    await page.waitForSelector("dialog [name=password]");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("dialog").count(), 1, "Escape does not unlock");
    const id = await pressAndSee(harness, page);
    await page.waitForSelector("dialog .ringing-list li");
    await page.fill("dialog [name=password]", duty.password);
    await page.click("dialog form button[type=submit]");
    await page.waitForSelector("dialog", { state: "detached" });
    await claim(page, id, { keyboard: false });
    await close(page, id, { keyboard: false, words: "locked desk" });
    state = await context.storageState();
    await context.close();
  });
}

async function lostLine() {
  await harness.check("a line that is down is said at once, and comes back by itself", async () => {
    const context = await harness.context({ state });
    harness.lineCut = true;
    await context.route("**/api/v1/stream*", (route) => route.abort());
    const page = await context.newPage();
    await page.goto(`${url}/`);
    await page.waitForSelector(".banner.warn");
    assert.ok((await page.locator(".banner.warn").innerText()).includes(TEXT.en["link.lost"].slice(0, 20)));
    await context.unroute("**/api/v1/stream*");
    await page.waitForSelector(".chip.link-live");
    await page.waitForSelector(".banner.warn", { state: "detached" });
    harness.lineCut = false;
    await context.close();
  });
}

async function stillWithPurpose() {
  await harness.check("a still asks for a purpose, says that it is logged, and shows whether people are masked", async () => {
    const context = await harness.context({ state });
    const page = await context.newPage();
    await beginShift(page, url);
    await page.locator(".camera.status-live").first().click();
    await page.locator(".panel .actions .primary").click();
    const dialog = page.locator("dialog");
    assert.ok((await dialog.innerText()).includes("audit log"));
    const others = dialog.locator('input[name="why"]');
    if ((await others.count()) > 0) await others.last().check();
    assert.equal(await dialog.locator("img").count(), 0, "no picture before the purpose");
    await dialog.locator("button[type=submit]").click();
    assert.equal(await dialog.locator("textarea").evaluate((t) => t.validity.valid), false, "an empty purpose is not taken");
    await dialog.locator("textarea").fill("browser test of the still dialog");
    await dialog.locator("button[type=submit]").click();
    await until("the picture", () => dialog.locator("img").evaluate((i) => i.naturalWidth > 100));
    assert.ok([TEXT.en["still.masked"], TEXT.en["still.unmasked"]].includes((await dialog.locator("figcaption .tag").last().innerText()).trim()));
    await axe(page, "still");
    await harness.shot(page, "still-en");
    await context.close();
  });
}

async function threeKeys() {
  await harness.check("dispatch takes three keys from an open alert; the order shows its hops", async () => {
    const context = await harness.context({ state });
    const page = await context.newPage();
    await beginShift(page, url);
    const id = await pressAndSee(harness, page);
    await claim(page, id, { keyboard: true });
    await page.waitForSelector("#alert-title");
    await dispatchByKeys(page);
    await page.waitForSelector(".order .hops li");
    await until("the order to be sent", async () => (await page.locator(".order .hops li.done").count()) > 0);
    await axe(page, "order");
    await harness.shot(page, "order-en");
    await close(page, id, { keyboard: true, words: "three keys" });
    await context.close();
  });
}

async function louder() {
  await harness.check("an alarm that nobody claims for 30 s looks and rings louder; a claim ends it", async () => {
    const context = await harness.context({ state });
    const page = await context.newPage();
    await beginShift(page, url);
    const id = await pressAndSee(harness, page);
    assert.equal(await page.locator(".banner.alarm.urgent").count(), 0);
    await page.waitForSelector(`.queue [data-alert="${id}"].urgent`);
    await page.waitForSelector(".banner.alarm.urgent");
    await page.waitForSelector(".flash.urgent");
    assert.ok((await card(page, id).innerText()).includes(TEXT.en["alarm.escalation.reminded"]));
    await axe(page, "escalated alarm");
    await harness.shot(page, "escalated-en");
    await claim(page, id, { keyboard: true });
    await page.waitForSelector(".flash", { state: "detached" });
    await close(page, id, { keyboard: true, words: "louder" });
    await context.close();
  });
}

async function floodOfAlarms() {
  await harness.check("a flood is grouped by place and kind, opens, and hides nothing", async () => {
    const context = await harness.context({ state });
    // The hub's own snapshot with a dozen presses beside what it holds: a demo has too few buttons for a flood.
    await context.route("**/api/v1/stream*", async (route) => {
      const at = new Date().toISOString();
      const progress = { shown_at: at, claimed_at: null, escalation: null, unattended_at: null, sent_at: null, delivered_at: null, seen_at: null, accepted_at: null, done_at: null, external: [], shared: false };
      const alarm = { kind: "panic", seq: 1, boot: null, pressed_at: null, received_at: at, test: false, clock_suspect: false, presses: 1, pressed_again_at: null, doors: ["mqtt"], zone: null, heard_at: null, cancelled_at: null, duress_at: null, restored_at: null, drill: null };
      const alerts = Array.from({ length: 12 }, (_, i) => ({
        id: 900_000 + i, kind: "alarm", level: "critical", state: "raised", site: i < 10 ? "school-17" : `far-${i}`, device: null, position: null, raised_at: at, updated_at: at, closed_at: null, claimed_by: null, unit: null, close_reason: null,
        stored: true, subsided_at: null, version: 1, alarm, crowd: null, incident: null, trouble: null, hazard: null, progress, allowed: ["claim", "note"],
      }));
      await route.fulfill({ contentType: "text/event-stream", body: `event: snapshot\nid: x\ndata: ${JSON.stringify({ cursor: "x", now: at, alerts, cameras: [] })}\n\n` });
    });
    const page = await context.newPage();
    await page.goto(`${url}/`);
    await proveSound(page);
    await page.waitForSelector(".flood-head");
    assert.equal(await page.locator(".group").count(), 1);
    assert.equal((await page.locator(".group-count").innerText()).trim(), "10");
    assert.equal(await page.locator(".queue .card").count(), 2, "single alarms stay rows of their own");
    await axe(page, "flood");
    await harness.shot(page, "flood-en");
    await page.locator(".group-head").click();
    await until("the group to open", async () => (await page.locator(".queue .card").count()) === 12);
    assert.ok((await page.locator(".group-claim").innerText()).includes("10"));
    await fitsWidth(page);
    await context.close();
  });
}

async function incidentByHand() {
  await harness.check("an incident by hand: N, a few words, a place by its number, Enter", async () => {
    const context = await harness.context({ state });
    const page = await context.newPage();
    await beginShift(page, url);
    const began = Date.now();
    await page.keyboard.press("n");
    await page.waitForSelector(".composer textarea:focus");
    await page.keyboard.type("A call: smoke at the school");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".composer input:focus");
    await page.keyboard.type("17");
    await page.waitForSelector(".place-list li");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".composer .callout.ok");
    await axe(page, "incident");
    await harness.shot(page, "incident-en");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".panel.kind-incident #alert-title");
    console.log(`     incident by hand: ${((Date.now() - began) / 1000).toFixed(1)} s, axe included`);
    const id = await page.locator(".queue .card[aria-current]").getAttribute("data-alert");
    await page.keyboard.press("c");
    await page.waitForSelector('[data-action="dispatch"]');
    await close(page, id, { keyboard: true, words: "incident of a browser test" });
    await context.close();
  });
}

async function drill() {
  await harness.check("a drill is started, shows its steps, and is ended", async () => {
    const context = await harness.context({ state });
    const page = await context.newPage();
    await beginShift(page, url);
    await openPage(page, TEXT.en, "nav.drills");
    await page.locator(".page-head .primary").click();
    await page.locator("dialog input[type=text]").fill("17");
    await page.waitForSelector("dialog .place-list li");
    await page.keyboard.press("Enter");
    await page.locator("dialog button[type=submit]").click();
    await page.waitForSelector(".drill-live .drill-steps li");
    assert.equal(await page.locator(".drill-live .drill-steps li").count(), 5);
    await axe(page, "drill");
    await harness.shot(page, "drill-en");
    await page.locator(".drill-live .dialog-buttons button").last().click();
    await page.locator("dialog textarea").fill("browser test");
    await page.locator("dialog button[type=submit]").click();
    await page.waitForSelector(".drill-live", { state: "detached" });
    // Nobody pressed: that is neither passed nor called off.
    await page.waitForSelector(".drill-row.drill-missed");
    await context.close();
  });
}

async function registerImport() {
  await harness.check("register: an import with errors names row and column and takes nothing", async () => {
    const context = await harness.context();
    const page = await context.newPage();
    await logIn(page, url, users.administrator);
    await openPage(page, TEXT.en, "nav.register");
    await page.waitForSelector(".filters .view-all strong");
    const before = await page.locator(".filters .view-all strong").innerText();
    await page.locator(".page-head button").click();
    const csv = "id,name_kk,name_ru,name_en,kind,area,status,deadline\nbrowser-1,а,б,c,school,311000000,perhaps,soon\n";
    await page.setInputFiles(".import input[type=file]", { name: "register.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
    await page.waitForSelector(".import-errors tbody tr");
    assert.equal((await page.locator(".import-errors tbody th").first().innerText()).trim(), "2");
    assert.ok((await page.locator(".import-errors").innerText()).includes("perhaps"));
    assert.equal(await page.locator(".steps .primary").isDisabled(), true, "what has errors cannot be taken over");
    assert.equal(await page.locator(".filters .view-all strong").innerText(), before);
    await axe(page, "register import");
    await harness.shot(page, "register-import-en");
    await context.close();
  });
}

async function publicPage() {
  for (const lang of LANGS) {
    await harness.check(`public page ${lang}: anonymous, figures and promises, axe`, async () => {
      const context = await harness.context({ lang });
      const page = await context.newPage();
      await page.goto(`${url}/public`);
      await page.waitForSelector(".figures strong");
      const text = await page.locator("main").innerText();
      for (const key of ["public.watched", "public.never_identify", "public.never_assembly", "public.kept"]) assert.ok(text.includes(TEXT[lang][key]), key);
      await axe(page, `public ${lang}`);
      await harness.shot(page, `public-${lang}`, { fullPage: true });
      await page.setViewportSize({ width: 360, height: 800 });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360), "fits a phone");
      await context.close();
    });
  }
}

async function administrator() {
  await harness.check("administrator: imports outlines, and is told which were left out", async () => {
    const context = await harness.context();
    const page = await context.newPage();
    await logIn(page, url, users.administrator);
    await page.locator(".pages button", { hasText: TEXT.en["nav.areas"] }).click();
    await page.waitForSelector("tbody tr");
    const own = await page.evaluate(async () => (await fetch("/api/v1/areas")).json());
    const good = own.features.length;
    own.features.push({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [] } });
    await page.setInputFiles("input[type=file]", { name: "outlines.geojson", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(own)) });
    await page.getByText(TEXT.en["areas.import"], { exact: true }).click();
    await page.waitForSelector(".callout.ok");
    assert.ok((await page.locator(".callout.ok").innerText()).includes(TEXT.en["areas.imported"].replace("{count}", good)));
    assert.equal(await page.locator(".reasons li").count(), 1);
    await axe(page, "areas");
    await harness.shot(page, "areas-en");
    await context.close();
  });
}

async function auditor() {
  await harness.check("auditor: the log holds the still with its purpose, and the chain is whole", async () => {
    const context = await harness.context();
    const page = await context.newPage();
    await logIn(page, url, users.auditor);
    const tab = page.locator(".pages button", { hasText: TEXT.en["nav.audit"] });
    if ((await tab.count()) > 0) await tab.click();
    await page.waitForSelector("table.audit tbody tr");
    assert.ok((await page.locator("table.audit").innerText()).includes("browser test of the still dialog"));
    await page.locator(".verify button").click();
    await page.waitForSelector(".verify .callout.ok");
    await axe(page, "audit");
    await harness.shot(page, "audit-en");
    await context.close();
  });
}
