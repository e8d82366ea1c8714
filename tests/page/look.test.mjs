// How the page looks, and that axe-core finds nothing in it: light, dark, phone, both languages.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { browse, check, demo, filled, open, overflows } from "./common.mjs";

let browser, worker;
before(async () => { [browser, worker] = await Promise.all([browse(), demo()]); });
after(async () => { await browser.close(); await worker.stop(); });

const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const looks = {
  light: {},
  dark: { colorScheme: "dark" },
  tablet: { viewport: { width: 900, height: 1100 } },
  phone,
  "phone-dark-arabic": { ...phone, colorScheme: "dark", locale: "ar-EG" },
  arabic: { locale: "ar-EG" },
  "arabic-dark": { locale: "ar-MA", colorScheme: "dark" },
  contrast: { forcedColors: "active" },
};
for (const [name, options] of Object.entries(looks)) {
  test(`looks: ${name}`, async () => {
    const { page, close } = await open(browser, worker.url, { reducedMotion: "reduce", ...options });
    await filled(page);
    await page.screenshot({ path: `target/page/${name}.png`, fullPage: true });
    assert.equal(await overflows(page), false, "nothing stands out at the side");
    assert.deepEqual(await check(page), []);
    const language = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]);
    assert.deepEqual(language, options.locale ? ["ar", "rtl"] : ["en", "ltr"]);
    await close();
  });
}

test("a phone of 320 pixels fits, and text of twice the size", async () => {
  const { page, close } = await open(browser, worker.url, { viewport: { width: 320, height: 700 } });
  await filled(page);
  assert.equal(await overflows(page), false);
  await page.setViewportSize({ width: 640, height: 800 });
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  await page.screenshot({ path: "target/page/large.png" });
  assert.equal(await overflows(page), false);
  await close();
});
