import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTUAL_TIMEOUT_MS, TestSystem } from "../test-system.ts";
import { expectAccessible, expectClean, expectNoSidewaysScroll } from "./page-checks.ts";
import { DmgWeb, go, openPage, TestBrowser } from "./web-page.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.start();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
});

describe("dmg web on a real system", () => {
  let system: TestSystem;
  let web: DmgWeb;
  beforeAll(async () => {
    system = await TestSystem.create({ engines: 2 });
    await system.start();
    web = await DmgWeb.start(`localhost:${system.port}`);
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  const PAGES = ["overview", "hosts", "host", "config", "pools", "storage", "events"] as const;
  const address = () => `127.0.0.1:${system.port}`;
  const hashOf = (page: string) =>
    page === "host" || page === "config" ? `/${page}/${encodeURIComponent(address())}` : `/${page}`;

  it.each(PAGES)(
    "the page %s has no violation of WCAG in the light and dark themes and at 390 px",
    async (name) => {
      await using window = await openPage(browser, web);
      const { page } = window;
      await go(window, hashOf(name));
      await page.getByRole("heading", { level: 1 }).waitFor();
      if (name === "host") await page.getByText("Fabric interfaces").waitFor();
      await expectAccessible(window);
      await page.emulateMedia({ colorScheme: "dark" });
      await expectAccessible(window);
      await page.setViewportSize({ width: 390, height: 844 });
      await expectAccessible(window);
      await expectNoSidewaysScroll(window);
      expectClean(window);
    },
  );

  it("the host page shows the same members and storage as dmg", async () => {
    await using window = await openPage(browser, web);
    await go(window, hashOf("host"));
    const { members } = await system.dmgJson("system", "query");
    for (const { uuid } of members) await window.page.getByText(uuid).waitFor();
    await window.page.getByText("SCM 1.0 GiB").first().waitFor();
  });

  it("the host page shows the running processes, and the configuration page shows the configuration in force", async () => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, hashOf("host"));
    await page.getByRole("cell", { name: `${system.enginePid()}`, exact: true }).waitFor();
    await page.getByText(`PID ${system.server.child.pid}`).waitFor();
    await page.getByRole("link", { name: "Configuration of this host" }).click();
    await page.getByText("servers[0].scm_mount").click();
    await page.getByText(system.scmMount(), { exact: true }).waitFor();
    await page.getByText("it or its parent must be a mount point").first().waitFor();
    await page.getByRole("searchbox").fill(`${system.port}`);
    await page.getByText("access_points", { exact: true }).waitFor();
    await page.getByText("servers[0].scm_mount").waitFor({ state: "detached" });
    expectClean(window);
  });

  it("the events page filters by severity and text", async () => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, "/events");
    const kinds = page.locator(".events li");
    await page.getByText("leader_changed").first().waitFor();
    await page.getByRole("searchbox").fill("member_joined");
    await page.getByText("leader_changed").first().waitFor({ state: "detached" });
    await expect.poll(() => kinds.count()).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Notice" }).click();
    await expect.poll(() => kinds.count()).toBe(0);
    await page.getByRole("button", { name: "Notice" }).click();
    await expect.poll(() => kinds.count()).toBeGreaterThan(0);
    expectClean(window);
  });

  it("an action names its ranks and the dmg command, and the page shows its effect live", async () => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, "/hosts");
    await page.getByRole("button", { name: "Stop …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Stop: 2 ranks").waitFor();
    await dialog
      .getByText(`dmg -i -l localhost:${system.port} system stop --ranks 0-1`, { exact: true })
      .waitFor();
    await expectAccessible(window);
    const submit = dialog.getByRole("button", { name: "Stop 2 ranks" });
    expect(await submit.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("daos_server");
    await submit.click();
    await dialog.getByText("Stopped").waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
    await dialog.getByRole("button", { name: "Close" }).click();
    expect((await system.dmgJson("system", "query")).members.map(({ state }) => state)).toEqual([
      "stopped",
      "stopped",
    ]);
    await page.locator(".cell[data-state=stopped]").waitFor();
    await page.getByRole("button", { name: "Start …" }).click();
    await dialog.getByRole("button", { name: "Start 2 ranks" }).click();
    await page.locator(".cell[data-state=joined]").waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
  });

  it("the pool pages create a pool, check and replace its list, and destroy the pool", async () => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, "/pools");
    await page.getByRole("button", { name: "Create a pool …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("SCM").fill("64M");
    await dialog
      .getByText(`dmg -i -l localhost:${system.port} pool create -s 64M`, { exact: true })
      .waitFor();
    await expectAccessible(window);
    await dialog.getByRole("button", { name: "Create the pool" }).click();
    await dialog.getByRole("status").getByText("Pool").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    const [pool] = (await system.dmgJson("pool", "list")).pools;
    const uuid = pool?.uuid ?? "";
    await page.getByRole("link", { name: uuid }).click();
    const list = page.getByRole("textbox", { name: "Access control list" });
    await list.fill("A::OWNER@:rw\nA::ana:r");
    await page.getByText('Line 2: "ana" is not a principal').waitFor();
    await expectAccessible(window);
    expect(await page.getByRole("button", { name: "Replace the list …" }).isDisabled()).toBe(true);
    await list.fill("A::OWNER@:rw\nA::ana@:r");
    await page.getByRole("button", { name: "Replace the list …" }).click();
    await dialog.getByRole("button", { name: "Replace the list" }).click();
    await dialog.waitFor({ state: "detached" });
    expect((await system.dmg("pool", "get-acl", "--pool", uuid)).stdout).toContain("A::ana@:r");
    await page.getByRole("button", { name: "Destroy …" }).click();
    await dialog.getByRole("textbox").fill(uuid.slice(0, 8));
    await dialog.getByRole("button", { name: "Destroy the pool and its data" }).click();
    await page.getByText("The system has no such pool.").waitFor();
    expectClean(window);
  });

  it("the storage page scans, and shows the code of a failed format, also after a reload", async () => {
    await using window = await openPage(browser, web);
    const { page } = window;
    await go(window, "/storage");
    await page.getByRole("button", { name: "Scan" }).click();
    await page.getByText("no SCM modules").waitFor();
    await page.getByRole("button", { name: "Format …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(`dmg -i -l localhost:${system.port} storage format`, { exact: true }).waitFor();
    await expectAccessible(window);
    await dialog.getByRole("button", { name: "Format", exact: true }).click();
    await page.locator(".work").getByText("Ended").waitFor();
    await page.locator(".work .fault-code").first().waitFor();
    await page.reload();
    await page.locator(".work .fault-code").first().waitFor();
    await expectAccessible(window);
    expectClean(window);
  });

  it("the page shows the death of an engine without a reload", async () => {
    await using window = await openPage(browser, web);
    await go(window, "/events");
    process.kill(system.enginePid(1), "SIGKILL");
    await window.page.getByText("engine_died").first().waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
    await go(window, "/hosts");
    await window.page.locator(".cell[data-state=joined]").waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
  });

  it("the page shows that the leader is lost, with the reason, and continues when it is back", async () => {
    await using window = await openPage(browser, web);
    await system.stop();
    const notice = window.page.locator(".lost");
    await notice.getByText("The leader is lost").waitFor({ timeout: EVENTUAL_TIMEOUT_MS });
    await notice.getByText("connection refused").waitFor();
    await expectAccessible(window);
    await system.start([]);
    await notice.waitFor({ state: "detached", timeout: EVENTUAL_TIMEOUT_MS });
    await window.page.getByRole("status").getByText("Live").waitFor();
    expectClean(window);
  });

  it("dmg web --read-only shows the system, and refuses changes that a page sends nevertheless", async () => {
    await using shown = await DmgWeb.start(`localhost:${system.port}`, "--read-only");
    await using window = await openPage(browser, shown);
    await go(window, "/hosts");
    await window.page.locator(".cell").waitFor();
    expect(await window.page.getByRole("button", { name: "Stop …" }).count()).toBe(0);
    const answer = await window.page.evaluate(async () => {
      const response = await fetch("/web.Page/Act", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-dmg-web-key": localStorage.getItem("dmg-web-key") ?? "",
        },
        body: JSON.stringify({ action: "MEMBER_ACTION_STOP", ranks: [0] }),
      });
      return response.text();
    });
    expect(answer).toContain("3131");
  });
});
