// Drives the desk in a real Chromium against a running hub.
//
//   QORGAN_URL    address of the hub, https with a self-signed certificate is fine
//   QORGAN_USERS  JSON {"duty_officer":{"user","password"},"shift_lead":{..} or "police_desk":{..},"administrator":{..},"auditor":{..}}
//   QORGAN_PRESS  shell command that presses one alarm button (run in the repository root)
//   QORGAN_ONLY   pattern of the names of the checks to run (default all)
//   CHROMIUM      browser, default /usr/bin/chromium;  QORGAN_SHOTS  folder of the screenshots, default target/screenshots
//
// It presses buttons, opens stills and imports outlines: for a test hub only. Last line `N passed, N failed`; exit code 1 if any failed.

import assert from "node:assert/strict";
import { Harness, until } from "./lib/harness.mjs";
import { beginShift, card, claim, close, countsMove, dispatch, fitsWidth, focusIsSomewhere, LANGS, logIn, mapIsDrawn, openIds, pressAndSee, proveSound, TEXT } from "./lib/desk.mjs";

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
  await publicPage();
  if (users.administrator) await administrator();
  else console.log("left out: no log-in of an administrator given");
  if (users.auditor) await auditor();
  else console.log("left out: no log-in of an auditor given");
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
