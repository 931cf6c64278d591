// Browser, contexts, guards and the list of results. Knows nothing of the desk itself (that is desk.mjs).

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exec } from "node:child_process";
import { promisify } from "node:util";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
export const SHOTS = process.env.QORGAN_SHOTS ?? join(ROOT, "target", "screenshots");
/** Software rendering on a loaded two-core machine is slow; a step that takes longer than this is broken, not slow. */
export const STEP_MS = 60_000;

/** For work on one check: a pattern of the names to run. */
const ONLY = process.env.QORGAN_ONLY ? new RegExp(process.env.QORGAN_ONLY) : null;

const FLAGS = [
  "--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-dev-shm-usage",
];

/** A refusal that a check provokes on purpose is written to the console by the browser itself; nothing else may be. */
const EXPECTED_REFUSALS = [/status of 401 .*/, /status of 403 .*/, /status of 409 .*/, /status of 422 .*/];

export class Harness {
  passed = 0;
  failed = 0;
  /** What no check asks for but none may cause: console errors, foreign requests, policy violations. */
  strays = [];

  constructor({ url, press }) {
    this.url = url.replace(/\/$/, "");
    this.pressCommand = press;
    mkdirSync(SHOTS, { recursive: true });
    for (const old of readdirSync(SHOTS)) if (/^failed-\d+\.png$/.test(old)) rmSync(join(SHOTS, old));
  }

  async start() {
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
  }

  async stop() {
    await this.browser?.close();
  }

  async check(name, run) {
    if (ONLY && !ONLY.test(name)) return;
    const began = Date.now();
    try {
      await run();
      this.passed++;
      console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.failed++;
      console.log(`FAIL ${name}\n     ${String(error?.stack ?? error).split("\n").slice(0, 14).join("\n     ")}`);
      for (const context of this.browser?.contexts() ?? []) {
        for (const page of context.pages()) {
          await page.screenshot({ path: join(SHOTS, `failed-${this.failed}.png`) }).catch(() => {});
        }
        await context.close();
      }
    }
  }

  /** A fresh context with its guards. Movement is off unless asked for: software rendering is slow and pictures should repeat. `state` is a Playwright storage state (cookies), so that one log-in serves many checks. */
  async context({ width = 1920, height = 1080, lang = "en", state, touch = false, theme = "dark", motion = false } = {}) {
    const context = await this.browser.newContext({
      viewport: { width, height }, ignoreHTTPSErrors: true, hasTouch: touch, reducedMotion: motion ? "no-preference" : "reduce", locale: "en-GB", timezoneId: "Asia/Almaty", ...(state ? { storageState: state } : {}),
    });
    context.setDefaultTimeout(STEP_MS);
    await context.addInitScript(([l, th]) => {
      if (!location.protocol.startsWith("http")) return;
      localStorage.setItem("qorgan.lang", l);
      localStorage.setItem("qorgan.theme", th);
      addEventListener("securitypolicyviolation", (e) => console.error(`policy violation: ${e.violatedDirective} ${e.blockedURI}`));
    }, [lang, theme]);
    context.on("page", (page) => this.#guard(page));
    return context;
  }

  #guard(page) {
    const origin = new URL(this.url).origin;
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !url.startsWith("data:") && !url.startsWith("blob:")) this.strays.push(`request left the origin: ${url}`);
    });
    page.on("pageerror", (error) => this.strays.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      const text = message.text();
      if (text.startsWith("Failed to load resource") && (EXPECTED_REFUSALS.some((r) => r.test(text)) || this.lineCut)) return;
      this.strays.push(`console error: ${text} (${message.location().url})`);
    });
  }

  async press() {
    await promisify(exec)(this.pressCommand, { timeout: STEP_MS, cwd: ROOT });
  }

  shot(page, name, options = {}) {
    return page.screenshot({ path: join(SHOTS, `${name}.png`), ...options });
  }

  /** No serious or critical violation on what the page shows now. */
  async axe(page, what) {
    const { violations } = await new AxeBuilder({ page }).analyze();
    const bad = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
    if (bad.length > 0) {
      const lines = bad.map((v) => `${v.impact} ${v.id}: ${v.help}\n${v.nodes.slice(0, 4).map((n) => `  ${n.target.join(" ")} ${n.failureSummary?.split("\n")[1]?.trim() ?? ""}`).join("\n")}`);
      throw new Error(`axe on ${what}:\n${lines.join("\n")}`);
    }
  }
}

/** Asks again until `probe` gives something true; no fixed sleeps. */
export async function until(what, probe, ms = STEP_MS) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await probe();
    if (got) return got;
    if (Date.now() > end) throw new Error(`waited ${ms / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
