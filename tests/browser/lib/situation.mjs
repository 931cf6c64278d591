// The situation's pages as the people who use them see them: the analyst's map and method, the operator's desk of requests, the deputy's
// plan, a resident's phone. Run against a hub whose demo has values, requests and a plan.

import assert from "node:assert/strict";
import { until } from "./harness.mjs";
import { logIn, TEXT } from "./desk.mjs";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./harness.mjs";

const WORDS = Object.fromEntries(["kk", "ru", "en"].map((l) => [l, JSON.parse(readFileSync(join(ROOT, "api", "web", "src", "situation", "i18n", `${l}.json`), "utf8"))]));
const SIZES = [{ name: "projector", width: 1920, height: 1080 }, { name: "small", width: 1280, height: 720 }, { name: "phone", width: 390, height: 844 }];

export async function situation(harness, users) {
  if (users.analyst) {
    const state = await keep(harness, users.analyst);
    for (const [i, size] of SIZES.entries()) await map(harness, state, size, ["kk", "ru", "en"][i]);
    await district(harness, state);
    await presentation(harness, state);
    await importFile(harness, state);
    await eachTab(harness, state, "data", "kk");
    await journal(harness, state);
  } else console.log("left out: no log-in of an analyst given");
  if (users.resident_operator) await requestDesk(harness, await keep(harness, users.resident_operator));
  else console.log("left out: no log-in of a resident operator given");
  if (users.deputy) await deputy(harness, await keep(harness, users.deputy));
  else console.log("left out: no log-in of a deputy given");
  for (const lang of ["kk", "ru", "en"]) await resident(harness, lang);
}

async function keep(harness, user) {
  const context = await harness.context();
  await logIn(await context.newPage(), harness.url, user);
  const state = await context.storageState();
  await context.close();
  return state;
}

async function opened(harness, state, { page: name, lang = "en", theme = "dark", ...size }) {
  const context = await harness.context({ state, lang, theme, ...size });
  const page = await context.newPage();
  await page.goto(`${harness.url}/`);
  const button = page.locator(".pages button", { hasText: TEXT[lang][`nav.${name}`] });
  await button.first().waitFor();
  await button.first().click();
  return page;
}

/** Nothing runs out of the page sideways. */
async function fits(page, what) {
  const wide = await page.evaluate(() => {
    const limit = document.documentElement.clientWidth;
    const out = document.documentElement.scrollWidth > limit + 1 ? [`page ${document.documentElement.scrollWidth} > ${limit}`] : [];
    for (const e of document.querySelectorAll("main *, .side *, .present *")) {
      if (e.getClientRects().length === 0 || e.closest(".sr-only, svg, .scroll, .page-tabs, .map-tip") || e.getBoundingClientRect().right <= limit + 1) continue;
      out.push(`${e.className || e.tagName}: ${e.textContent?.slice(0, 40)}`);
    }
    return out.slice(0, 3);
  });
  assert.deepEqual(wide, [], what);
}

const word = (lang, key) => WORDS[lang][key];

async function map(harness, state, size, lang) {
  await harness.check(`situation map, ${size.name} ${lang}: districts in colours, ranks as ranges, legend, slider, block of weight 0`, async () => {
    const page = await opened(harness, state, { page: "tension", lang, theme: size.name === "small" ? "light" : "dark", ...size });
    await page.waitForSelector(".choropleth path.area[class*=seq-]");
    const drawn = await page.locator(".choropleth path.area[class*=seq-]").count();
    const listed = await page.locator(".rank-row .rank-score").count();
    assert.equal(drawn, listed, "a district has a colour on the map if and only if it has a score in the list");
    assert.equal(await page.locator(".choropleth path.no-colour").count(), await page.locator(".rank-row .rank-none").count(), "and a hatch if it has none");
    assert.ok((await page.locator(".legend").innerText()).includes(word(lang, "map.unit_score")), "the legend says the unit");
    await fits(page, "map");
    await harness.axe(page, `map ${lang}`);
    await harness.shot(page, `tension-${size.name}-${lang}`);
    // The slider moves to another period, and the colours with it.
    const now = await page.locator(".time-now").innerText();
    await page.locator(".time button").nth(1).click();
    await until("another period", async () => (await page.locator(".time-now").innerText()) !== now);
    // The block that counts for nothing says so.
    await page.evaluate(() => {
      const select = document.querySelector(".layers-select select");
      select.value = [...select.options].find((o) => o.value.startsWith("block|") && /protest/.test(o.value))?.value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await page.waitForSelector(".tension-sub .zero-tag");
    assert.equal((await page.locator(".tension-sub .zero-tag").innerText()).trim(), word(lang, "tension.weight_zero"));
    // A row opens by keyboard and leads to the district.
    await page.locator(".rank-row").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector(".rank-more button");
    await harness.shot(page, `tension-chosen-${size.name}-${lang}`);
    await page.context().close();
  });
}

async function district(harness, state) {
  await harness.check("district: index with band, blocks, course with forecast and past errors, contributions, papers; the method", async () => {
    for (const lang of ["kk", "en"]) {
      const page = await opened(harness, state, { page: "tension", lang, theme: lang === "kk" ? "dark" : "light", width: lang === "kk" ? 1280 : 390, height: 844 });
      await page.waitForSelector(".rank-row");
      await page.locator(".rank-row:has(.rank-score)").first().click();
      await page.locator(".rank-more .primary").click();
      await page.waitForSelector(".overall-score");
      assert.match(await page.locator(".overall-score strong").innerText(), /^\d{1,2}([.,]\d)?$/);
      await page.waitForSelector(".fan-line");
      await page.waitForSelector(".pushes li");
      await fits(page, "district");
      await harness.axe(page, `district ${lang}`);
      await harness.shot(page, `district-${lang}`, { fullPage: false });
      const papers = page.locator(".papers a");
      for (const a of await papers.all()) assert.match(await a.getAttribute("href"), /^\/api\/v1\//);
      await page.locator(".back-link").click();
      await page.waitForSelector(".tension-head");
      await page.locator(".head-buttons button").first().click();
      await page.waitForSelector(".method-steps li");
      await page.locator(".block-details summary").first().click();
      await fits(page, "method");
      await harness.axe(page, `method ${lang}`);
      await harness.shot(page, `method-${lang}`);
      await page.context().close();
    }
  });
}

async function presentation(harness, state) {
  await harness.check("presentation: arrow keys go through the slides, letters are large, Escape ends it", async () => {
    for (const size of SIZES.slice(0, 2)) {
      const page = await opened(harness, state, { page: "tension", lang: "kk", ...size });
      await page.waitForSelector(".rank-row");
      await page.locator(".head-buttons .primary").click();
      await page.waitForSelector(".present .slide-map path.area");
      const slides = Number((await page.locator(".present-no").innerText()).split("/")[1]);
      assert.ok(slides >= 3);
      for (let i = 1; i <= slides; i++) {
        await until("the slide's heading", async () => (await page.locator(".slide h1").count()) === 1);
        await until("the slide to be there", async () => (await page.locator(".slide .loading").count()) === 0);
        const small = await page.evaluate(() => {
          const least = innerHeight * 0.016;
          return [...document.querySelectorAll(".slide *")].filter((e) => e.getClientRects().length > 0 && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) && Number.parseFloat(getComputedStyle(e).fontSize) < least && !e.closest("svg, .sr-only"))
            .map((e) => `${e.className || e.tagName} ${getComputedStyle(e).fontSize}`).slice(0, 4);
        });
        assert.deepEqual(small, [], `slide ${i}: every text is at least 1.6 % of the height`);
        await harness.axe(page, `slide ${i}`);
        await harness.shot(page, `slide-${i}-${size.name}`);
        await page.keyboard.press("ArrowRight");
      }
      await page.keyboard.press("Home");
      await until("the first slide", async () => (await page.locator(".present-no").innerText()).startsWith("1"));
      await page.keyboard.press("Escape");
      await page.waitForSelector(".present", { state: "detached" });
      await page.context().close();
    }
  });
}

async function importFile(harness, state) {
  await harness.check("import: the template comes back with an error by row, and nothing may be applied", async () => {
    const page = await opened(harness, state, { page: "data", lang: "en", width: 1280, height: 720 });
    await page.waitForSelector(".drop");
    await page.locator(".drop input").setInputFiles({ name: "bad.csv", mimeType: "text/csv", buffer: Buffer.from("\ufeffarea;indicator;period;value;cases;denominator;source\r\n999999999;no-such-thing;2026-13;много;;;x\r\n", "utf8") });
    await page.waitForSelector(".callout.bad");
    await page.waitForSelector(".import-errors tbody tr");
    assert.equal(await page.locator(".wizard-apply .primary").count(), 0, "a refused file cannot be applied");
    await fits(page, "import");
    await harness.axe(page, "import");
    await harness.shot(page, "import-en");
    await page.context().close();
  });
}

async function eachTab(harness, state, name, lang) {
  await harness.check(`${name}: every tab opens, fits, and is clean`, async () => {
    for (const size of [SIZES[1], SIZES[2]]) {
      const page = await opened(harness, state, { page: name, lang, theme: size.name === "phone" ? "light" : "dark", ...size });
      await page.waitForSelector(".page-tabs button");
      for (let i = 0; i < await page.locator(".page-tabs button").count(); i++) {
        await page.locator(".page-tabs button").nth(i).click();
        await until("the tab to load", async () => (await page.locator("main .loading").count()) === 0);
        assert.equal(await page.locator("main .failed").count(), 0, `tab ${i}: ${await page.locator("main .failed").allInnerTexts()}`);
        await fits(page, `${name} tab ${i}`);
        await harness.axe(page, `${name} tab ${i}`);
        await harness.shot(page, `${name}-${i}-${size.name}`);
      }
      await page.context().close();
    }
  });
}

async function journal(harness, state) {
  await eachTab(harness, state, "journal", "ru");
  await eachTab(harness, state, "plan", "kk");
}

async function requestDesk(harness, state) {
  await harness.check("requests: the list by keyboard, a request answered, its history; figures with shares and heat", async () => {
    const page = await opened(harness, state, { page: "requests", lang: "kk", width: 1440, height: 900 });
    await page.waitForSelector(".request");
    await page.keyboard.press("j");
    await page.waitForSelector(".detail #request-title");
    await page.keyboard.press("j");
    await until("J to move on", async () => (await page.locator(".request[aria-current]").count()) === 1);
    await harness.axe(page, "request desk");
    await harness.shot(page, "requests-desk-kk");
    // One that waits for its answer.
    await page.locator(".request.state-received").first().click();
    await page.waitForSelector('.detail [data-do="answer"]');
    await page.click('.detail [data-do="answer"]');
    await page.fill(".act textarea", "Бригада жолға шықты, бүгін кешке дейін қалпына келтіріледі.");
    await harness.shot(page, "requests-answer-kk");
    await page.click(".act button[type=submit]");
    await page.waitForSelector(".act", { state: "detached" });
    await page.waitForSelector('.detail [data-do="start"], .detail [data-do="done"]');
    assert.ok((await page.locator(".detail").innerText()).includes("Бригада жолға шықты"), "the answer stands on the request");
    await page.fill(".list-search input", "жоқмұндайсөз");
    await page.waitForSelector(".desk-list .empty");
    await page.context().close();
  });
  await eachTab(harness, state, "requests", "kk");
}

async function deputy(harness, state) {
  await harness.check("a deputy reads the plan and may change nothing", async () => {
    const page = await opened(harness, state, { page: "plan", lang: "kk", width: 1280, height: 720 });
    await page.waitForSelector(".board .measure");
    await page.locator(".measure-title").first().click();
    await page.waitForSelector(".side .facts");
    assert.equal(await page.locator(".side form, .frame-head .primary").count(), 0, "no form and no button that writes");
    await harness.axe(page, "plan of a deputy");
    await harness.shot(page, "plan-deputy-kk");
    await page.context().close();
  });
}

async function resident(harness, lang) {
  await harness.check(`a resident's phone ${lang}: a request without log-in, number and code, what became of it, "not fixed" needs the code`, async () => {
    const context = await harness.context({ width: 390, height: 844, lang, touch: true });
    const page = await context.newPage();
    const bytes = [];
    page.on("response", async (r) => /\/assets\/.*\.(js|css)$/.test(r.url()) && bytes.push((await r.body().catch(() => Buffer.alloc(0))).length));
    await page.goto(`${harness.url}/109`);
    await page.waitForSelector(".category");
    assert.equal(await page.getAttribute("html", "lang"), lang);
    await fits(page, "categories");
    await harness.axe(page, `resident ${lang}`);
    await harness.shot(page, `resident-${lang}`);
    await page.locator(".category").first().click();
    await page.fill("textarea", "Кеше кештен бері жылу жоқ, телефоным 8 701 555 01 17.");
    const areas = page.locator(".where select");
    if (await areas.count()) await areas.selectOption({ index: 1 });
    await page.locator("form > label input").last().fill("Төле би 64");
    await harness.axe(page, `resident's form ${lang}`);
    await harness.shot(page, `resident-form-${lang}`, { fullPage: true });
    await page.click("form button[type=submit]");
    await page.waitForSelector(".digits.code");
    const reference = (await page.locator(".digits").first().innerText()).trim();
    assert.match(reference, /^\d{4}-\d{4}-\d{4}-\d{4}$/);
    await fits(page, "receipt");
    await harness.axe(page, `receipt ${lang}`);
    await harness.shot(page, `resident-receipt-${lang}`);
    await page.goto(`${harness.url}/109/${reference}`);
    await page.waitForSelector(".status .steps li");
    // Words, not three digits: those stand in a reference number now and then.
    const shown = await page.locator(".status").innerText();
    for (const written of ["555 01 17", "жылу", "Төле би"]) assert.ok(!shown.includes(written), `the status page never shows what was written: ${written}`);
    await fits(page, "status");
    await harness.axe(page, `status ${lang}`);
    await harness.shot(page, `resident-status-${lang}`);
    const size = bytes.reduce((a, b) => a + b, 0);
    assert.ok(size > 0 && size < 120_000, `the page weighs ${size} bytes before compression`);
    await context.close();
  });
}
