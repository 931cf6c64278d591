// What a person does at the desk, step by step. Each step waits for what that person would see.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, until } from "./harness.mjs";

export const LANGS = ["en", "kk", "ru"];
export const TEXT = Object.fromEntries(LANGS.map((l) => [l, JSON.parse(readFileSync(join(ROOT, "api", "web", "src", "i18n", `${l}.json`), "utf8"))]));

export async function logIn(page, url, { user, password }) {
  await page.goto(`${url}/`);
  await page.fill("[name=user]", user);
  await page.fill("[name=password]", password);
  await page.click("form button[type=submit]");
  await page.waitForSelector(".topbar");
}

/** Opens the desk with a session that is already there, and proves the sound as the shift begins. */
export async function beginShift(page, url, { axe } = {}) {
  await page.goto(`${url}/`);
  await proveSound(page, { axe });
  await page.waitForSelector(".chip.link-live");
}

export async function proveSound(page, { axe } = {}) {
  await page.waitForSelector(".sound-test");
  await page.waitForSelector(".banner.deaf:not(.unattended)");
  assert.equal(await page.locator(".sound-test .dialog-buttons button").last().isDisabled(), true, "nobody can say 'heard' before it was played");
  if (axe) await axe(page, "sound test");
  await page.click(".sound-test button.big");
  await page.click(".sound-test .dialog-buttons button:last-child");
  await page.waitForSelector(".banner.deaf:not(.unattended)", { state: "detached" });
}

export const openIds = (page) => page.$$eval(".queue [data-alert]", (cards) => cards.map((c) => c.dataset.alert));

/** Presses a real button and waits for its alarm: a new red card, the banner, and the tone. */
export async function pressAndSee(harness, page) {
  const before = new Set(await openIds(page));
  await harness.press();
  const id = await until("a new unclaimed alarm in the queue", async () => {
    const fresh = await page.$$eval(".queue .card.kind-alarm.unclaimed", (cards) => cards.map((c) => c.dataset.alert));
    return fresh.find((x) => !before.has(x));
  });
  await page.waitForSelector(".banner.alarm");
  await page.waitForSelector(".chip.sound.ringing");
  return id;
}

export const card = (page, id) => page.locator(`.queue [data-alert="${id}"]`);

export async function claim(page, id, { keyboard }) {
  await card(page, id).click();
  await page.waitForSelector("#alert-title");
  if (keyboard) await page.keyboard.press("c");
  else await page.click('[data-action="claim"]');
  await page.waitForSelector('[data-action="dispatch"]');
}

/** From an open alert: D opens the list, a digit chooses, Enter sends. */
export async function dispatchByKeys(page) {
  await page.keyboard.press("d");
  // The keys of a person come after the list has: focus on the first unit says that it is there.
  await page.waitForFunction(() => document.activeElement?.matches('dialog input[name="unit"]'));
  await page.keyboard.press("1");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog", { state: "detached" });
  await page.waitForSelector(".log .to-dispatched");
}

export const openPage = (page, words, key) => page.locator(".pages button", { hasText: words[key] }).click();

export async function dispatch(page, { keyboard }) {
  if (keyboard) await page.keyboard.press("d");
  else await page.click('[data-action="dispatch"]');
  await page.waitForSelector("dialog .choice input");
  await page.locator("dialog .choice input").first().check();
  await page.click("dialog button[type=submit]");
  await page.waitForSelector("dialog", { state: "detached" });
  await page.waitForSelector(".log .to-dispatched");
}

export async function close(page, id, { keyboard, words }) {
  if (keyboard) await page.keyboard.press("x");
  else await page.click('[data-action="close"]');
  await page.waitForSelector("dialog textarea");
  await page.locator('dialog input[value="drill"]').check();
  await page.fill("dialog textarea", words);
  await page.click("dialog button[type=submit]");
  await page.waitForSelector("dialog", { state: "detached" });
  await page.waitForSelector(".log .to-closed");
  assert.ok((await page.locator(".log").innerText()).includes(words), "the reason stands in the log");
  await until("the card leaves the queue", async () => !(await openIds(page)).includes(id));
}

/** Numbers on the camera cards, or their curves, change while one looks. */
export async function countsMove(page) {
  const read = () => page.$$eval(".camera", (all) => all.map((c) => `${c.querySelector(".count")?.textContent}|${c.querySelector("polyline")?.getAttribute("points")}`).join("\n"));
  const before = await read();
  assert.match(before, /\d/, "at least one camera shows a count");
  await until("counts to change", async () => (await read()) !== before);
}

/** The picture of the map itself, without what lies over it, has land, borders and names. */
export async function mapIsDrawn(page) {
  const hide = await page.addStyleTag({ content: ".map-tools,.map-note,.maplibregl-control-container,.alert-marker,.flash,.toasts{visibility:hidden!important}" });
  try {
    await until("the map to show districts", async () => {
      const png = (await page.locator(".map canvas").screenshot()).toString("base64");
      const seen = await page.evaluate(async (data) => {
        const image = new Image();
        image.src = `data:image/png;base64,${data}`;
        await image.decode();
        const canvas = document.createElement("canvas");
        canvas.width = image.width;
        canvas.height = image.height;
        const ctx = canvas.getContext("2d");
        ctx.drawImage(image, 0, 0);
        const pixels = ctx.getImageData(0, 0, image.width, image.height).data;
        const colours = new Map();
        for (let i = 0; i < pixels.length; i += 4) {
          const key = (pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2];
          colours.set(key, (colours.get(key) ?? 0) + 1);
        }
        const big = [...colours.values()].filter((n) => n > pixels.length / 4 / 50).length;
        return { colours: colours.size, big };
      }, png);
      // Ground and two tones of land each cover more than a fiftieth; letters and dots bring the many small ones.
      return seen.big >= 3 && seen.colours > 40;
    });
  } finally {
    await hide.evaluate((node) => node.remove());
  }
}

/** Nothing runs out of the page sideways, in whatever language. */
export async function fitsWidth(page) {
  const wide = await page.evaluate(() => {
    const limit = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > limit) return [`page ${document.documentElement.scrollWidth} > ${limit}`];
    return [...document.querySelectorAll(".topbar *, .col-head *, .card *, .panel *, .tabs *, .banner *, dialog[open] *")]
      .filter((e) => e.getClientRects().length > 0 && !e.closest(".sr-only, .person-name, svg, .map, .scroll") && e.getBoundingClientRect().right > limit + 1)
      .slice(0, 3).map((e) => `${e.className || e.tagName}: ${e.textContent?.slice(0, 40)}`);
  });
  assert.deepEqual(wide, []);
}

export async function focusIsSomewhere(page) {
  await until("the focus to stand on something", () => page.evaluate(() => document.activeElement !== null && document.activeElement !== document.body), 3000);
}
