// The page of `rasid label`: by keyboard alone, Arabic from right to left, hostile texts as text.
import { test } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browse, check, freePort, root, until } from "./common.mjs";

const articles = [
  { id: "1", title: "المنتخب يفوز بكأس البطولة", text: "فاز المنتخب بكأس البطولة بعد مباراة مثيرة سجل فيها المهاجم هدفين في الشوط الثاني أمام جمهور كبير." },
  { id: "2", title: "<b>Rates</b>", text: "<p>&lt;img src=x onerror=\"document.title='owned'\"&gt; The central bank cut its rate as shares fell on the stock market.</p>" },
  { id: "3", text: "Doctors gave the new vaccine to patients at the hospital in the capital." },
];
// what is read of them: markup is taken out, what was written as a character reference is text
const read = { 2: ["Rates", "<img src=x onerror=\"document.title='owned'\"> The central bank cut its rate as shares fell on the stock market."] };
const shown = articles.map(({ id, title = "", text }) => read[id] ?? [title, text]);

test("a person labels by keyboard alone", async () => {
  const dir = mkdtempSync(join(tmpdir(), "label-"));
  const [pool, out] = ["pool.jsonl", "out.jsonl"].map((name) => join(dir, name));
  writeFileSync(pool, articles.map((article) => JSON.stringify(article)).join("\n"));
  const answers = () => readFileSync(out, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const port = await freePort();
  const child = spawn(process.env.RASID_BIN, ["label", "--pool", pool, "--out", out, "--http", `127.0.0.1:${port}`], { cwd: root });
  process.on("exit", () => child.kill("SIGKILL"));
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const url = `http://127.0.0.1:${port}/`;
  await until("the page answers", async () => (await fetch(url).catch(() => null))?.ok);
  const browser = await browse();
  try {
    for (const scheme of ["light", "dark"]) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: scheme });
      const elsewhere = [];
      const wrong = [];
      page.on("request", (request) => request.url().startsWith(url) || request.url().startsWith("data:") || elsewhere.push(request.url()));
      page.on("pageerror", (error) => wrong.push(String(error)));
      page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
      await page.goto(url);
      const progress = (text) => page.getByText(text).waitFor({ timeout: 10_000 });
      const seen = {};
      for (let at = 0; at < 3; at += 1) {
        await progress(`${at} answered, 0 skipped, ${3 - at} left`);
        const [dir_, title, text] = await page.evaluate(() => [document.getElementById("article").dir, document.getElementById("title").textContent, document.getElementById("text").textContent]);
        const arabic = /[\u0600-\u06ff]/.test(text);
        assert.equal(dir_, arabic ? "rtl" : "ltr");
        assert.ok(shown.some((one) => one[1] === text && one[0] === title), text);
        seen[text] = true;
        if (arabic || at === 0) await page.screenshot({ path: join(root, `target/page/label-${scheme}${arabic ? "-ar" : ""}.png`) });
        if (at === 0) assert.deepEqual(await check(page), []);
        await page.keyboard.press(arabic ? "KeyE" : "4");
      }
      await progress("3 answered, 0 skipped, 0 left");
      assert.equal(Object.keys(seen).length, 3, "each article once");
      const codes = answers().map(({ topics }) => topics[0]).sort();
      assert.deepEqual(codes, ["medtop:04000000", "medtop:04000000", "medtop:14000000"]);
      for (const left of [1, 2, 3]) {
        await page.keyboard.press("u");
        await progress(`${3 - left} answered, 0 skipped, ${left} left`);
      }
      assert.deepEqual(answers(), []);
      assert.equal(await page.title(), "rasid label");
      assert.deepEqual([elsewhere, wrong], [[], []]);
      if (scheme === "dark") {
        await page.setViewportSize({ width: 390, height: 844 });
        await page.screenshot({ path: join(root, "target/page/label-phone.png") });
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "no sideways scrolling");
        await page.keyboard.press("Space");
        await progress("0 answered, 1 skipped, 2 left");
        await page.keyboard.press("q");
      }
      await page.close();
    }
    assert.equal(await ended, 0);
  } finally {
    await browser.close();
    child.kill("SIGKILL");
  }
});
