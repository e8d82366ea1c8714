// The page of workers on a real Kafka broker: what is tagged, what is refused, and how partitions move.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
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
const run = verb => worker(["run", "--brokers", brokers, "--input", "articles", "--output", "articles.tagged",
  "--dead-letters", "articles.dlq", "--group", "page", ...verb]);
const kcat = (input, ...flags) => execFileSync("kcat", ["-P", "-b", brokers, "-t", "articles", ...flags], { input });

before(async () => {
  execFileSync(script, ["get"]);
  const port = await portPair();
  brokers = `127.0.0.1:${port}`;
  broker = spawn(script, ["run", String(port), folder], { stdio: "ignore" });
  process.on("exit", () => broker.kill("SIGKILL"));
  browser = await browse();
  const answers = () => { try { execFileSync("kcat", ["-b", brokers, "-L", "-m", "1"], { stdio: "ignore" }); return true; } catch { return false; } };
  await until("Kafka answers", answers, () => "", 180);
  for (const topic of ["articles", "articles.tagged", "articles.dlq"])
    execFileSync(script, ["tool", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", brokers, "--create", "--topic", topic, "--partitions", "4"], { stdio: "ignore" });
});
after(async () => {
  await browser?.close();
  broker?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("a worker on Kafka: articles, dead letters, and partitions that move", async () => {
  const first = await run([]);
  const { page, close } = await open(browser, first.url, { reducedMotion: "reduce" });
  const samples = execFileSync("sh", ["-c", "timeout 2 sh deploy/feed.sh src/cli/samples.txt 0 || true"], { cwd: root }).toString();
  kcat(samples.split("\n").slice(0, 40).join("\n") + "\n");
  kcat("{\"text\":\n");
  await filled(page);
  const figure = name => page.locator(`#figures .${name} dd`).first();
  const says = (name, value) => until(`${name} is ${value}`, async () => (await figure(name).textContent()).trim() === value, () => "", 60);
  await says("lag", "0");
  await says("refused", "1");
  await until("the dead letter has its place", async () => /articles-\d-\d+/.test(await page.locator("#letters").textContent()));
  await says("assigned", "4");
  await page.screenshot({ path: "target/page/kafka.png", fullPage: true });
  assert.deepEqual(await check(page), []);

  const second = await run([]);
  await says("assigned", "2");
  assert.equal(await second.stop(), 0);
  await says("assigned", "4");
  await close();
  assert.equal(await first.stop(), 0);
});
