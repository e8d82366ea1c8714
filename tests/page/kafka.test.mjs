// The page of workers on a real Kafka broker: what is tagged, what is refused, how partitions move, and a
// newsroom's own sections.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browse, check, filled, open, root, until, worker } from "./common.mjs";

const script = join(root, "tests/kafka/kafka.sh");
const folder = mkdtempSync(join(tmpdir(), "rasid-page-"));
let broker, brokers, browser;

const free = port => new Promise(resolve => {
  const server = createServer().on("error", () => resolve(false)).listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
});
// below the ports that the system gives away by itself; the controller has the next one
const portPair = async () => {
  for (let port = 20_000 + process.pid % 5_000 * 2; ; port += 2) if (await free(port) && await free(port + 1)) return port;
};
const run = (input, ...more) => worker(["run", "--brokers", brokers, "--input", input, "--output", "articles.tagged",
  "--dead-letters", "articles.dlq", "--group", input, ...more]);
const kcat = (input, topic) => execFileSync("kcat", ["-P", "-b", brokers, "-t", topic], { input });

before(async () => {
  execFileSync(script, ["get"]);
  const port = await portPair();
  brokers = `127.0.0.1:${port}`;
  broker = spawn(script, ["run", String(port), folder], { stdio: "ignore" });
  process.on("exit", () => broker.kill("SIGKILL"));
  browser = await browse();
  const answers = () => { try { execFileSync("kcat", ["-b", brokers, "-L", "-m", "1"], { stdio: "ignore" }); return true; } catch { return false; } };
  await until("Kafka answers", answers, () => "", 180);
  for (const topic of ["articles", "desk", "articles.tagged", "articles.dlq"])
    execFileSync(script, ["tool", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", brokers, "--create", "--topic", topic, "--partitions", "4"], { stdio: "ignore" });
});
after(async () => {
  await browser?.close();
  broker?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("a worker on Kafka: articles, dead letters, and partitions that move", async () => {
  const first = await run("articles");
  const { page, close } = await open(browser, first.url, { reducedMotion: "reduce" });
  const samples = execFileSync("sh", ["-c", "timeout 2 sh deploy/feed.sh src/cli/samples.txt 0 || true"], { cwd: root }).toString();
  kcat(samples.split("\n").slice(0, 40).join("\n") + "\n", "articles");
  kcat("{\"text\":\n", "articles");
  await filled(page);
  const figure = name => page.locator(`#figures .${name} dd`).first();
  const says = (name, value) => until(`${name} is ${value}`, async () => (await figure(name).textContent()).trim() === value, () => "", 60);
  await says("lag", "0");
  await says("refused", "1");
  await until("the dead letter has its place", async () => /articles-\d-\d+/.test(await page.locator("#letters").textContent()));
  await says("assigned", "4");
  await page.screenshot({ path: "target/page/kafka.png", fullPage: true });
  assert.deepEqual(await check(page), []);

  const second = await run("articles");
  await says("assigned", "2");
  assert.equal(await second.stop(), 0);
  await says("assigned", "4");
  await close();
  assert.equal(await first.stop(), 0);
});

test("a newsroom's own sections stand on the page, in both languages", async () => {
  const data = join(root, "tests/data/newsroom"), model = join(folder, "desk.safetensors");
  execFileSync(process.env.RASID_BIN, ["train", "--examples", join(data, "articles.csv"), "--labels", join(data, "sections.json"),
    "--column", "title=headline,text=body,topic=section", "--name", "desk", "--out", model], { stdio: "ignore" });
  const { topics } = JSON.parse(readFileSync(join(data, "sections.json"), "utf8"));
  const desk = await run("desk", "--model", model);
  const { page, close } = await open(browser, desk.url, { reducedMotion: "reduce" });
  // no field of these stands between quotation marks twice
  const rows = readFileSync(join(data, "held-out.csv"), "utf8").trim().split("\n").slice(1);
  const articles = rows.map(row => row.match(/^"?([^"]*?)"?,"?([^"]*)/)).map(([, title, text]) => ({ title, text }));
  kcat(articles.map(article => JSON.stringify(article) + "\n").join(""), "desk");
  await filled(page);
  const shown = () => page.locator("#topics .name").allTextContents();
  const named = (language, code) => topics.map(label => label[language] ?? label[code]);
  for (const names of [named("name", "code"), named("name_ar", "name")]) {
    await until(`the sections are called ${names}`, async () => {
      const now = await shown();
      return now.length > 1 && now.every(name => names.includes(name));
    }, async () => `but ${await shown()}`);
    assert.deepEqual(await check(page), []);
    await page.screenshot({ path: `target/page/desk-${await page.locator("html").getAttribute("lang")}.png`, fullPage: true });
    await page.locator("#language").click();
  }
  // the names are nobody's but the newsroom's
  assert.ok(await page.locator("#names").isHidden());
  await close();
  assert.equal(await desk.stop(), 0);
});
