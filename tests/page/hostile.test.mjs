// Articles that would break out: their text stays text.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browse, check, demo, open, overflows, until } from "./common.mjs";

const body = "The striker scored twice as the home side won the cup final on penalties after extra time.";
const arabic = "سجل المهاجم هدفين وفاز الفريق بكأس البطولة بركلات الترجيح بعد مباراة مثيرة على ملعب العاصمة.";
const attack = "globalThis.hacked = true";
const escaped = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
// HTML in titles is reduced to what a reader sees, so what should come through as markup is written as entities
const HOSTILE = {
  script: `<script>${attack}</script>`,
  image: `<img src=x onerror="${attack}">`,
  svg: `<svg onload="${attack}"></svg>`,
  breakout: `"><script>${attack}</script>'); ${attack}; //`,
  link: `<a href="javascript:${attack}">click</a>`,
  template: "{{constructor.constructor('alert(1)')()}} ${alert(1)}",
};
const records = [
  ...Object.entries(HOSTILE).map(([id, title]) => ({ id: `${id}<script>${attack}</script>`, title: `<p>${escaped(title)}</p>`, text: `${title} ${body}` })),
  { id: "override", title: "Goal \u202etxet desrever\u202c \u2067abc", text: body },
  { id: "long", title: "x".repeat(5000), text: `${"y".repeat(3000)} ${body}` },
  { id: "long-arabic", title: "ـ".repeat(400) + "هدف", text: arabic },
  { id: "marks", title: `Z${"\u0301".repeat(100)}algo`, text: body },
  { id: "lines", title: "one\u0000two\nthree\u2028four", text: body },
  { id: "mixed", title: "فوز Arsenal 3-1 على Chelsea في كأس الاتحاد", text: arabic },
].map(record => JSON.stringify(record));
const refused = [`{"title": "${attack} <script>${attack}</script>", "text": `, `{"text": 7, "secret": "<img src=x onerror=${attack}>"}`];

let browser, worker, folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "rasid-page-"));
  await writeFile(join(folder, "articles.jsonl"), [...records, ...refused].join("\n"));
  [browser, worker] = await Promise.all([browse(), demo({ articles: join(folder, "articles.jsonl") })]);
});
after(async () => { await browser.close(); await worker.stop(); await rm(folder, { recursive: true }); });

test("hostile text is inert and whole", async () => {
  const { page, close } = await open(browser, worker.url);
  const seen = new Set();
  const wanted = [...Object.values(HOSTILE), "Goal txet desrever abc"];
  await until("every hostile title", async () => {
    for (const title of await page.locator("#articles .title").allTextContents()) seen.add(title);
    return wanted.every(title => seen.has(title));
  }, () => JSON.stringify([...seen].map(title => title.slice(0, 80))));
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
  const elements = await page.evaluate(() => [...document.querySelectorAll("main *")].filter(e => /^(script|img|iframe|object|a|b\w+t)$/i.test(e.tagName) || [...e.attributes].some(a => /^on/i.test(a.name))).map(e => e.outerHTML));
  assert.deepEqual(elements, []);
  for (const title of seen) assert.ok(!/[\u202a-\u202e\u2066-\u2069\u0000-\u001f]/.test(title), JSON.stringify(title));
  assert.equal(await overflows(page), false, "long words break");
  await page.screenshot({ path: "target/page/hostile.png", fullPage: true });
  const tall = await page.evaluate(() => Math.max(...[...document.querySelectorAll("#articles > li")].map(li => li.offsetHeight)));
  assert.ok(tall < 260, `no article fills the page: ${tall} px`);
  assert.deepEqual(await check(page), []);
  await page.setViewportSize({ width: 360, height: 740 });
  assert.equal(await overflows(page), false, "on a phone too");
  await close();
});

test("titles keep the direction of their own text, and nothing beside them turns", async () => {
  const { page, close } = await open(browser, worker.url);
  const title = page.locator("#articles .title", { hasText: "Arsenal" });
  await title.first().waitFor({ timeout: 20_000 });
  assert.equal(await title.first().evaluate(e => getComputedStyle(e).direction), "rtl");
  const latin = page.locator("#articles .title", { hasText: "txet" });
  await latin.first().waitFor({ timeout: 20_000 });
  assert.equal(await latin.first().evaluate(e => getComputedStyle(e).direction), "ltr");
  assert.equal(await latin.first().evaluate(e => getComputedStyle(e).unicodeBidi), "isolate");
  await close();
});

test("dead letters say where and why, never what", async () => {
  const { page, close } = await open(browser, worker.url);
  await page.locator("#letters .place").nth(1).waitFor({ timeout: 20_000 });
  const said = await page.locator("#letters").textContent();
  assert.match(said, /articles-[01]-\d+/);
  assert.match(said, /broken JSON/);
  assert.match(said, /field `text`: expected text, found a number/);
  assert.ok(!said.includes("hacked") && !said.includes("script"), said);
  assert.match(await page.locator(".figure.refused dd").first().textContent(), /[1-9]/);
  await close();
});

test("the content policy stops what a text could not do anyway", async () => {
  const answer = await fetch(worker.url);
  assert.match(answer.headers.get("content-security-policy"), /default-src 'none'.*frame-ancestors 'none'/);
  assert.ok(!answer.headers.get("content-security-policy").includes("unsafe"));
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
  const { page } = await open(browser, worker.url);
  const done = await page.evaluate(() => {
    try { document.querySelector("main").innerHTML = "<p>x"; } catch (error) { return error.name; }
  });
  assert.equal(done, "TypeError", "no markup from strings, whoever writes it");
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    try { script.textContent = "globalThis.inline = true"; document.head.append(script); } catch { /* refused earlier still */ }
    return globalThis.inline;
  });
  assert.equal(ran, undefined);
  await page.context().close();
});
