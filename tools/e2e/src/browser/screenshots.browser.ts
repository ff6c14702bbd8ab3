import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { WORKSPACE } from "../program.ts";
import { TestSystem } from "../test-system.ts";
import { DmgWeb, go, openPage, TestBrowser } from "./web-page.ts";

/** The pictures of docs/web.md. Update them with DAOS_SCREENSHOTS=1 npm run test:web -- src/browser/screenshots.browser.ts */
it.runIf(process.env.DAOS_SCREENSHOTS === "1")(
  "screenshots of each page are taken for docs/web.md",
  async () => {
    const directory = join(WORKSPACE, "docs/web");
    await mkdir(directory, { recursive: true });
    await using system = await TestSystem.create({ engines: 2 });
    await system.start();
    const { uuid } = await system.dmgJson("pool", "create", "-s", "64M", "--label", "scratch");
    await using web = await DmgWeb.start(`localhost:${system.port}`);
    await using browser = await TestBrowser.start();
    await using window = await openPage(browser, web);
    const { page } = window;
    await page.setViewportSize({ width: 1100, height: 640 });
    const pages = [
      ["overview", "/overview"],
      ["hosts", "/hosts"],
      ["host", `/host/127.0.0.1:${system.port}`],
      ["config", `/config/127.0.0.1:${system.port}`],
      ["pools", "/pools"],
      ["pool", `/pool/${uuid}`],
      ["storage", "/storage"],
      ["events", "/events"],
    ] as const;
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [name, path] of pages) {
        await go(window, path);
        await page.waitForTimeout(1_000);
        const picture = await page.screenshot({ path: join(directory, `${name}-${colorScheme}.png`) });
        expect(picture.length).toBeLessThan(100_000);
      }
    }
  },
  300_000,
);
