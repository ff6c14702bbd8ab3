import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster } from "../test-cluster.ts";
import { EVENTUAL_TIMEOUT_MS } from "../test-system.ts";
import { expectAccessible, expectClean } from "./page-checks.ts";
import { DmgWeb, go, isLive, openPage, TestBrowser } from "./web-page.ts";

let browser: TestBrowser;
let cluster: TestCluster;
let web: DmgWeb;
beforeAll(async () => {
  browser = await TestBrowser.start();
  cluster = await TestCluster.create({ hosts: 3, accessPoints: 3 });
  await Promise.all(cluster.hosts.map(({ system }) => system.start()));
  web = await DmgWeb.start(cluster.hosts.map(({ address }) => address).join(","));
}, 600_000);
afterAll(async () => {
  await web?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
  await browser?.[Symbol.asyncDispose]();
}, 300_000);

describe("dmg web on three access points with etcd", () => {
  it("dmg web shows the death of the leader, and the next leader, without a reload", async () => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, "/overview");
    const leader = page.locator(".tile", { hasText: "Leader" }).locator(".figure");
    await expect.poll(() => leader.textContent(), { timeout: EVENTUAL_TIMEOUT_MS }).toContain("127.0.0.1");
    await page.evaluate("globalThis.notReloaded = true");
    const first = cluster.at(await leader.textContent());
    first.system.server.child.kill("SIGKILL");
    const notice = page.locator(".lost");
    await notice.getByText("The leader is lost").waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
    await expectAccessible(window);
    await notice.waitFor({ state: "detached", timeout: EVENTUAL_TIMEOUT_MS });
    await isLive(window);
    // The contact is back a moment before the figures of the next leader are here.
    await expect
      .poll(async () => cluster.at(await leader.textContent()), { timeout: EVENTUAL_TIMEOUT_MS })
      .not.toBe(first);
    await page.getByText("leads the system").first().waitFor();
    // The host of the first leader is dead. The next leader detects it.
    await page.locator(".state-list").getByText("Unresponsive").waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
    await first.system.start([]);
    await page
      .getByText("Every member has joined. Nothing needs attention.")
      .waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
    expect(await page.evaluate("globalThis.notReloaded")).toBe(true);
    expectClean(window);
  });
});
