// A browser, and a worker to look at; both end with the test.
import { chromium } from "playwright-core";
import axe from "axe-core";
import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";

export const root = fileURLToPath(new URL("../../", import.meta.url));
const executablePath = process.env.CHROMIUM ?? execFileSync("sh", ["-c", "command -v chromium"]).toString().trim();

export const browse = () => chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

export const freePort = () => new Promise(resolve => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

// `rasid demo` on a free port, or on `port`; or the worker that RASID_URL names.
export const demo = async ({ articles, port } = {}) => {
  if (process.env.RASID_URL) return { url: process.env.RASID_URL, stop: () => 0 };
  return worker(["demo", ...(articles ? ["--articles", articles] : [])], port);
};

// A verb of `rasid` that answers HTTP.
export const worker = async (verb, port) => {
  const address = `127.0.0.1:${port ?? await freePort()}`;
  const child = spawn(process.env.RASID_BIN, [...verb, "--http", address], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", data => { log += data; });
  const ended = new Promise(resolve => child.on("exit", resolve));
  process.on("exit", () => child.kill("SIGKILL"));
  const url = `http://${address}/`;
  await until("the worker answers", async () => (await fetch(new URL("livez", url)).catch(() => null))?.ok, () => log);
  return { url, port: Number(address.split(":")[1]), stop: () => { child.kill("SIGTERM"); return ended; } };
};

export const until = async (what, attempt, more = () => "", seconds = 20) => {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await attempt();
    if (value) return value;
    if (Date.now() > end) assert.fail(`not within ${seconds} s: ${what} ${more()}`);
    await pause(50);
  }
};

// A page that must neither complain nor ask elsewhere; `close` says so.
export const open = async (browser, url, { route, ...options } = {}) => {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1440, height: 1000 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("console", message => { if (["error", "warning"].includes(message.type())) faults.push(message.text()); });
  page.on("pageerror", error => faults.push(String(error)));
  page.on("dialog", dialog => { faults.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", request => { if (!request.url().startsWith(url)) faults.push(`asked for ${request.url()}`); });
  if (route) await route(page);
  await page.goto(url);
  return { page, faults, close: async () => { await context.close(); assert.deepEqual(faults, []); } };
};

export const filled = page => page.locator("#articles .title").nth(4).waitFor({ timeout: 20_000 });

export const check = async page => {
  // the content policy lets no script in from a test either, so this goes round it, not through it
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(node => `${node.target} ${node.failureSummary}`).join("; ")}`);
};

export const overflows = page => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

// An event stream as the worker would write it.
export const stream = (model, live) => `event: model\ndata: ${JSON.stringify(model)}\n\nevent: live\ndata: ${JSON.stringify(live)}\n\n`;
