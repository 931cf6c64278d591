// Live view, masked wall and what an alarm opens, against a running hub with real cameras.

import assert from "node:assert/strict";
import { beginShift, claim, close, fitsWidth, openPage, pressAndSee, TEXT } from "./desk.mjs";
import { until } from "./harness.mjs";

const playing = (page, selector) => until("a moving picture", () => page.locator(selector).first().evaluate((video) => video.videoWidth > 100 && video.currentTime > 0 && !video.paused));

/** Mean difference between two of the video's frames, 0 to 255: a picture that stands still gives 0. */
const moves = (page, selector) => page.locator(selector).first().evaluate(async (video) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 96, height: 72 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const frame = () => {
    context.drawImage(video, 0, 0, 96, 72);
    return context.getImageData(0, 0, 96, 72).data;
  };
  const before = frame();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const after = frame();
  return after.reduce((sum, value, i) => sum + Math.abs(value - before[i]), 0) / after.length;
});

export async function seeing(harness, { state, url, axe }) {
  await wall(harness, { state, url, axe });
  await liveWithPurpose(harness, { state, url, axe });
  await pictureByPicture(harness, { state, url });
  await alarmOpensCameras(harness, { state, url, axe });
}

async function wall(harness, { state, url, axe }) {
  for (const [lang, width, height] of [["en", 1920, 1080], ["kk", 360, 800]]) {
    await harness.check(`wall ${lang} ${width}: masked pictures come by themselves, only those on the screen, axe, width`, async () => {
      const context = await harness.context({ state, lang, width, height, touch: width < 500 });
      const page = await context.newPage();
      let asked = 0;
      page.on("request", (request) => { if (request.url().includes("/api/v1/wall/")) asked++; });
      await beginShift(page, url);
      assert.equal(asked, 0, "nothing is asked for before the wall is open");
      await openPage(page, TEXT[lang], "nav.wall");
      await page.waitForSelector(".wall-tile");
      await until("masked pictures", async () => (await page.locator(".wall-tile[data-state=picture] img").count()) >= 2);
      assert.ok(await page.locator(".wall-tile img").first().evaluate((img) => img.decode().then(() => img.naturalWidth > 100 && img.naturalWidth <= 480)), "small");
      const at = asked;
      await until("they are renewed", () => asked > at + 1);
      await fitsWidth(page);
      await axe(page, `wall ${lang}`);
      await harness.shot(page, `wall-${lang}-${width}`);
      await context.close();
    });
  }
}

async function liveWithPurpose(harness, { state, url, axe }) {
  await harness.check("live view: no picture before a purpose, then it moves; E extends it; closing ends it at the hub", async () => {
    const context = await harness.context({ state });
    const page = await context.newPage();
    await beginShift(page, url);
    await page.locator(".camera.status-live").first().click();
    await page.locator("[data-open-live]").click();
    const dialog = page.locator("dialog");
    const others = dialog.locator('input[name="why"]');
    if ((await others.count()) > 0) await others.last().check();
    await dialog.locator("button[type=submit]").click();
    assert.equal(await dialog.locator(".live").count(), 0, "an empty purpose opens nothing");
    await axe(page, "live, purpose");
    await dialog.locator("textarea").fill("browser test of the live view");
    const opened = page.waitForResponse((r) => r.url().endsWith("/live") && r.request().method() === "POST");
    await dialog.locator("button[type=submit]").click();
    const { id, until: first } = await (await opened).json();
    await playing(page, "dialog .live video");
    assert.ok((await moves(page, "dialog .live video")) > 0.2, "people move");
    const behind = await page.locator("dialog .live video").evaluate((v) => v.buffered.end(v.buffered.length - 1) - v.currentTime);
    assert.ok(behind < 2.5, `close behind the newest picture: ${behind} s`);
    await axe(page, "live view");
    await harness.shot(page, "live-en");
    const extended = page.waitForResponse((r) => r.url().endsWith("/extend"));
    await page.keyboard.press("e");
    assert.ok((await (await extended).json()).until > first, "a whole term from now on");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await until("the hub has ended it", async () => (await context.request.get(`${url}/api/v1/live/${id}`)).status() === 404);
    await context.close();
  });
}

async function pictureByPicture(harness, { state, url }) {
  await harness.check("live view: a browser without the camera's codec gets single pictures and is told why", async () => {
    const context = await harness.context({ state });
    await context.addInitScript(() => { MediaSource.isTypeSupported = () => false; });
    const page = await context.newPage();
    await beginShift(page, url);
    await page.locator(".camera.status-live").first().click();
    await page.locator("[data-open-live]").click();
    const dialog = page.locator("dialog");
    const others = dialog.locator('input[name="why"]');
    if ((await others.count()) > 0) await others.last().check();
    await dialog.locator("textarea").fill("browser test of the live view");
    await dialog.locator("button[type=submit]").click();
    await until("a picture", () => dialog.locator(".live-picture img").evaluate((img) => img.naturalWidth > 100));
    assert.equal((await dialog.locator(".live-note").innerText()).trim(), TEXT.en["live.pictures_codec"]);
    await harness.shot(page, "live-pictures-en");
    await context.close();
  });
}

async function alarmOpensCameras(harness, { state, url, axe }) {
  for (const [lang, width, height] of [["en", 1920, 1080], ["kk", 360, 800]]) {
    await harness.check(`an alarm's panel shows its own site's cameras live, ${lang} ${width}; they end with the alarm`, async () => {
      const context = await harness.context({ state, lang, width, height, touch: width < 500 });
      const page = await context.newPage();
      await beginShift(page, url);
      const id = await pressAndSee(harness, page);
      await claim(page, id, { keyboard: width > 500 });
      await page.waitForSelector(".live-tiles .live");
      const shown = await page.$$eval(".live-tiles [data-live]", (tiles) => tiles.map((tile) => tile.dataset.live));
      assert.ok(shown.length >= 1 && shown.every((camera) => camera.startsWith("school-17/")), shown.join());
      await playing(page, ".live-tiles .live video");
      await fitsWidth(page);
      await axe(page, `alarm with live tiles ${lang}`);
      await page.locator(".live-tiles").scrollIntoViewIfNeeded();
      await harness.shot(page, `alarm-live-${lang}-${width}`);
      await close(page, id, { keyboard: width > 500, words: "live tiles" });
      await context.close();
    });
  }
}

