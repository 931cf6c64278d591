// The same checks against the mock hub of api/web (for work on the page; needs `npm run build` in api/web, no Rust).

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port: free } = probe.address();
    probe.close(() => resolve(free));
  });
});
const hub = spawn(process.execPath, [here("../../api/web/dev/mock.mjs"), "--port", String(port)], { stdio: ["ignore", "pipe", "inherit"] });
try {
  await new Promise((resolve, reject) => {
    hub.stdout.once("data", resolve);
    hub.once("exit", (code) => reject(new Error(`the mock ended with ${code}`)));
  });
  const login = (user) => ({ user, password: "demo-only" });
  const test = spawn(process.execPath, [here("run.mjs")], {
    stdio: "inherit",
    env: {
      ...process.env,
      QORGAN_URL: `http://127.0.0.1:${port}`,
      QORGAN_USERS: JSON.stringify({ duty_officer: login("aigerim"), shift_lead: login("daniyar"), administrator: login("admin"), auditor: login("auditor"), analyst: login("analyst"), resident_operator: login("operator"), deputy: login("deputy") }),
      QORGAN_PRESS: `"${process.execPath}" -e "fetch('http://127.0.0.1:${port}/dev/press',{method:'POST',body:'{}'})"`,
    },
  });
  process.exitCode = await new Promise((resolve) => test.once("exit", resolve));
} finally {
  hub.kill();
}
