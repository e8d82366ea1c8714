// What viewers do with the page, and what it does by itself.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { browse, check, demo, filled, open, overflows, stream, until } from "./common.mjs";

let browser, worker;
before(async () => { [browser, worker] = await Promise.all([browse(), demo()]); });
after(async () => { await browser.close(); await worker.stop(); });

const titles = page => page.locator("#articles .title").allTextContents();

test("events arrive by themselves, at most two a second", async () => {
  const { page, close } = await open(browser, worker.url);
  await filled(page);
  const before = await titles(page);
  const seen = await page.evaluate(() => new Promise(resolve => {
    const seen = [];
    const source = new EventSource("events");
    source.addEventListener("model", event => seen.push(["model", JSON.parse(event.data).name]));
    source.addEventListener("live", event => seen.push(["live", JSON.parse(event.data).counts.tagged]));
    setTimeout(() => { source.close(); resolve(seen); }, 5000);
  }));
  const live = seen.filter(([kind]) => kind === "live").map(([, tagged]) => tagged);
  assert.deepEqual(seen[0], ["model", "rasid-news"]);
  assert.ok(live.length >= 3 && live.length <= 10, `${live.length} in 5 s`);
  assert.ok(live.at(-1) > live[0], "the counts go up");
  assert.notDeepEqual(await titles(page), before, "and the list moves on");
  assert.match(await page.locator("#state").textContent(), /^live/);
  await close();
});

test("the keyboard reaches everything and works it", async () => {
  const { page, close } = await open(browser, worker.url);
  await filled(page);
  const want = await page.evaluate(() => [...document.querySelectorAll("a, button")].filter(e => !e.hidden).map(e => e.id || e.textContent));
  const reached = [];
  for (let step = 0; step < want.length; step += 1) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => document.activeElement.id || document.activeElement.textContent));
    const shown = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(shown, "none", `where the focus is can be seen: ${reached.at(-1)}`);
  }
  assert.deepEqual(reached, want);

  await page.locator("#pause").focus();
  await page.keyboard.press("Space");
  const paused = await titles(page);
  await pause(2500);
  assert.deepEqual(await titles(page), paused, "a paused list stays");
  assert.equal(await page.locator("#pause").getAttribute("aria-pressed"), "true");
  await page.keyboard.press("Space");
  await until("the list goes on", async () => String(await titles(page)) !== String(paused));

  await page.locator("#language").focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.documentElement.dir), "rtl");
  await page.locator("#theme").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.reload();
  const kept = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir, document.documentElement.dataset.theme]);
  assert.deepEqual(kept, ["ar", "rtl", "dark"], "the choices are remembered");
  await close();
});

test("the browser's language decides at first, numerals by its region", async () => {
  for (const [locale, language, digits] of [["ar-EG", "ar", /[٠-٩]/], ["ar-MA", "ar", /[0-9]/], ["fr-FR", "en", /[0-9]/]]) {
    const { page, close } = await open(browser, worker.url, { locale });
    await filled(page);
    assert.equal(await page.evaluate(() => document.documentElement.lang), language);
    assert.match(await page.locator(".figure.minutes dd").first().textContent(), digits, locale);
    await close();
  }
});

test("rows that stay keep their place in the document", async () => {
  const { page, close } = await open(browser, worker.url);
  await filled(page);
  await page.evaluate(() => { globalThis.first = document.querySelector("#topics li"); globalThis.newest = document.querySelector("#articles li"); });
  await pause(2200);
  assert.ok(await page.evaluate(() => globalThis.first.isConnected && globalThis.newest.isConnected));
  await close();
});

const labels = ["سياسة محلية", "Local <b>politics</b>", "Transfers"].map((name, index) => ({ code: `desk-${index}`, name, name_ar: index ? "" : name }));
const own = {
  name: "desk", version: "7", sha256: "ab".repeat(32), examples: 12, figures: [],
  topics: [...labels, ...Array.from({ length: 30 }, (_, index) => ({ code: `x-${index}`, name: `Section ${index}`, name_ar: `قسم ${index}` }))],
  stances: [{ code: "warm", name: "warm", name_ar: "دافئ" }, { code: "cold", name: "cold", name_ar: "بارد" }],
};
const shown = {
  waiting_for: null, stalled: null, rate: 1200.4, seconds: [], minutes: [7],
  counts: { consumed: 40, tagged: 40, abstained: {}, rejected: {}, lag: 7, lag_seconds: 5400, assigned: 1, in_flight: 0 },
  hour: { topics: Object.fromEntries(own.topics.map(({ code }, index) => [code, { warm: 40 - index, cold: 1 }])), languages: { sw: 3 } },
  articles: [{ source: "a-0-1", id: "1", title: "", tagged_at: "2026-01-31T08:15:30Z", language: "sw", topics: [{ code: "desk-1", confidence: 0.5 }], stance: { label: "cold", confidence: 1 }, targets: [{ name: "Acme", label: "warm", confidence: 0.4 }], explain: [] }],
  letters: [],
};
const answer = (body, status = 200, contentType = "text/event-stream") => route => route.fulfill({ status, contentType, body });

test("a newsroom's own labels are shown, whatever they are called", async () => {
  const route = page => page.route("**/events", answer(stream(own, shown)));
  const { page, faults } = await open(browser, worker.url, { route });
  const rows = page.locator("#topics li");
  await rows.first().waitFor();
  assert.equal(await rows.count(), 20);
  assert.equal(await rows.nth(1).locator(".name").textContent(), "Local <b>politics</b>");
  assert.deepEqual(await page.locator("#legend li").allTextContents(), ["warm", "cold"]);
  assert.match(await page.locator(".articles .tags").textContent(), /cold.*warm toward \u2068Acme/);
  assert.match(await page.locator(".figure.lag").textContent(), /7.*90 min/, "how far behind, in articles and in time");
  assert.equal(await page.locator("#names").isVisible(), false, "IPTC named none of them");
  await page.locator("#more").click();
  assert.equal(await rows.count(), 33);
  await page.locator("#language").click();
  assert.deepEqual(await page.locator("#legend li").allTextContents(), ["دافئ", "بارد"]);
  assert.equal(await rows.nth(1).locator(".name").textContent(), "Local <b>politics</b>", "no Arabic name: the other one");
  assert.deepEqual(await check(page), []);
  assert.equal(await overflows(page), false);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test("a shadow model has a panel of its own, where there is one", async () => {
  const shadow = {
    name: "desk", version: "8", sha256: "cd".repeat(32), resting: false, articles: 200, same_topic: 190, same_stance: 200, failed: 0,
    topics: { "desk-0": [100, 100], "desk-1": [50, 45], "x-1": [50, 45], none: [0, 0] },
  };
  for (const [second, seen] of [[null, false], [shadow, true]]) {
    const route = page => page.route("**/events", answer(stream(own, { ...shown, shadow: second })));
    const { page, faults } = await open(browser, worker.url, { route });
    await page.locator("#topics li").first().waitFor();
    assert.equal(await page.locator("#second").isVisible(), seen);
    if (seen) {
      assert.match(await page.locator("#shadow").textContent(), /desk 8.*cdcdcdcdcdcd.*200.*Same topic95\.0%.*Same stance100\.0%/);
      assert.deepEqual(await page.locator("#least .name").allTextContents(), ["Local <b>politics</b>", "Section 1"]);
      assert.equal(await page.locator("#least .count").first().textContent(), "90% of 50");
      await page.locator("#language").click();
      assert.equal(await page.locator("#shadow-title").textContent(), "النموذج الظلّ");
      assert.match(await page.locator("#least .count").first().textContent(), /من/);
    }
    assert.deepEqual(await check(page), []);
    assert.equal(await overflows(page), false);
    assert.deepEqual(faults, []);
    await page.context().close();
  }
});

test("where no stream is to be had the page asks instead", async () => {
  const { page } = await open(browser, worker.url, { route: page => page.route("**/events", answer("full", 503, "text/plain")) });
  await filled(page);
  assert.match(await page.locator("#state").textContent(), /too many viewers/);
  await page.context().close();
});

test("a worker that stops does so at once, and one that comes back is found again", async () => {
  const first = await demo();
  const { page } = await open(browser, first.url);
  await filled(page);
  const start = Date.now();
  assert.equal(await first.stop(), 0, "a clean stop");
  assert.ok(Date.now() - start < 5000, `stopped in ${Date.now() - start} ms with a page open`);
  await until("the page says so", async () => (await page.locator("#state").textContent()).includes("no answer"));
  const second = await demo({ port: first.port });
  await until("the page is live again", async () => (await page.locator("#state").textContent()).startsWith("live"));
  await page.context().close();
  assert.equal(await second.stop(), 0);
});
